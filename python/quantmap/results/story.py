"""What came of a plan, in text."""

from __future__ import annotations

from .. import _core
from .memory import taken_bytes
from .metrics import better, statistic_of, unit_of
from .table import MEMORY, Results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..plan import Plan
    from .analysis import Effect
    from .row import Row

__all__ = [
    "effect_line",
    "failure_lines",
    "goal_line",
    "heading",
    "hidden_line",
    "memory_line",
    "number",
    "precision_lines",
    "row_values",
    "shown_metrics",
    "summary_lines",
]

SHOWN = 3


def number(value: float) -> str:
    """A measurement as people read it.

    Args:
        value: the number.

    Returns:
        str: four digits that count.

    Example:
        >>> number(2512.345), number(0.0123456), number(12.0)
        ('2,512', '0.01235', '12')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def measured(results: Results, row: Row, name: str) -> str:
    """One metric of a result with its unit, and its spread when it was repeated.

    Args:
        results: the results.
        row: one of them.
        name: the metric.

    Returns:
        str: empty when it was not measured.
    """
    item = row.metrics.get(name)
    if item is None:
        return ""
    unit = results.units.get(name, "")
    spread = f" ±{item.spread / 2:.1%}" if item.spread is not None else ""
    return f"{number(item.mean)} {unit}".rstrip() + spread


def shown_metrics(results: Results, further: bool = True) -> list[str]:
    """The metrics that are worth a line: the objective and what has limits first.

    Args:
        results: the results.
        further: whether the others follow, but for percentiles of what is measured itself.

    Returns:
        list[str]: their names, each once.
    """
    known = results.metrics
    names = [*known[:1], *(limit.metric for limit in results.goal.limits if limit.metric in known)]
    for name in known if further else ():
        statistic = statistic_of(name)
        if not statistic or name[: -len(statistic) - 1] not in known:
            names.append(name)
    return list(dict.fromkeys(names))


def row_values(results: Results, row: Row, further: bool = False) -> str:
    """What was measured of a result.

    Args:
        results: the results.
        row: one of them.
        further: as of `shown_metrics`.

    Returns:
        str: names and values in one line.
    """
    names = shown_metrics(results, further)
    values = [(name, measured(results, row, name)) for name in names]
    return ", ".join(f"{name} {value}" for name, value in values if value)


def hidden_line(results: Results) -> str:
    """What is measured and not shown.

    Args:
        results: the results.

    Returns:
        str: empty when everything is.
    """
    count = len(results.metrics) - len(shown_metrics(results))
    return f"{count} percentiles and deviations: --csv and --json have them" if count else ""


def heading(results: Results) -> str:
    """How far a plan is.

    Args:
        results: the results.

    Returns:
        str: one line.
    """
    counts = (("success", "measured"), ("failed", "failed"), ("unfinished", "unfinished"))
    told = [f"{results.count(status)} {word}" for status, word in counts if results.count(status)]
    told.append(f"{results.count('not-run')} to run")
    return f"{len(results.rows)} experiments: {', '.join(told)}"


def goal_line(results: Results) -> str:
    """What is compared, and under which limits.

    Args:
        results: the results.

    Returns:
        str: one line.
    """
    goal = results.goal
    way = "most" if goal.more else "least"
    text = f"best is the {way} {goal.metric}"
    if not goal.named:
        text += " (the task names no objective)"
    limits = []
    for limit in goal.limits:
        unit = results.units.get(limit.metric) or unit_of(limit.metric)
        kind = "has to be kept" if limit.keep else f"weight {limit.weight:g}"
        sign = "at most" if limit.most else "at least"
        limits.append(f"{limit.metric} {sign} {limit.bound:g} {unit}".rstrip() + f" ({kind})")
    return f"{text}; {', '.join(limits)}" if limits else text


def effect_line(effect: Effect) -> str:
    """One effect as a line.

    Args:
        effect: the effect.

    Returns:
        str: what changes, by how much, in how many pairs, beside the spread of repetitions.
    """
    before, after = effect.before or "not set", effect.after or "not set"
    pairs = f"{effect.pairs} pair" + ("s" if effect.pairs > 1 else "")
    text = f"{effect.part}: {before} → {after}  {effect.change:+.1%} {effect.metric}  ({pairs}"
    if effect.pairs > 1:
        text += f", {effect.low:+.1%} to {effect.high:+.1%}"
    if effect.noise is None:
        return f"{text}; not repeated)"
    word = "clear" if effect.clear else "not clear"
    return f"{text}; {word}: repeats differ by {effect.noise:.1%})"


def failure_lines(results: Results) -> Iterator[str]:
    """The failures by reason.

    Args:
        results: the results.

    Returns:
        Iterator[str]: one line for each reason.
    """
    for reason, rows in results.failures().items():
        names = ", ".join(str(row.index) for row in rows[:8])
        more = f" and {len(rows) - 8} more" if len(rows) > 8 else ""
        yield f"{len(rows)}x  {reason}  (experiment {names}{more})"


def memory_line(results: Results, row: Row) -> str:
    """The measured memory of a result beside what was expected.

    Args:
        results: the results.
        row: one of them.

    Returns:
        str: empty when one of both is not known.
    """
    fit = results.fit(row)
    if fit is None:
        return ""
    item = row.metrics[MEMORY]
    expected = taken_bytes(fit) / 1e9
    return (
        f"memory {number(item.mean)} GB measured, {number(expected)} GB expected "
        f"({item.mean / expected - 1:+.1%}), of it weights {number(fit.weight_bytes / 1e9)} GB"
    )


def precision_lines(results: Results, rows: Sequence[Row]) -> dict[int, str]:
    """What really runs in results, where they differ in it.

    Args:
        results: the results.
        rows: some of them.

    Returns:
        dict[int, str]: a line for each by its number; empty where all run the same.
    """
    known = {row.index: results.precision(row) for row in rows}
    parts = dict.fromkeys(part for runs in known.values() for part in runs)
    differ = [part for part in parts if len({runs.get(part) for runs in known.values()}) > 1]
    out = {}
    for index, runs in known.items():
        told = [
            f"{_core.precision_parts.get(part, part)} {runs[part]}"
            for part in differ
            if part in runs
        ]
        out[index] = f"runs {'; '.join(told)}" if told else ""
    return out


def summary_lines(plan: Plan, ledger: str) -> Iterator[str]:
    """How far a plan is, and the best so far.

    Args:
        plan: the plan.
        ledger: its results file.

    Returns:
        Iterator[str]: lines of text.
    """
    results = Results(plan, [ledger])
    yield f"{heading(results)}; ledger {ledger}"
    for reason, rows in list(results.failures().items())[:SHOWN]:
        yield f"failed   {len(rows)}x  {reason}"
    for place, row in enumerate(results.ranked()[:SHOWN]):
        word = "best" if place == 0 and row.score.admissible else "then"
        if not row.score.admissible:
            word = "breaks " + ", ".join(limit.metric for limit, _ in row.score.broken)
        signature = row.experiment.signature[:8]
        yield f"{word:<8} {signature}  {row.label}  {row_values(results, row)}"


def way_of(name: str) -> str:
    """Which way a metric is better, in words.

    Args:
        name: the metric.

    Returns:
        str: empty when that is not known.
    """
    return {"more": "more is better", "less": "less is better"}.get(better(name) or "", "")
