"""What came of a plan, in a few lines of text."""

from __future__ import annotations

from .table import Results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..plan import Plan
    from .row import Row

__all__ = ["number", "summary_lines"]

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


def summary_lines(plan: Plan, ledger: str) -> Iterator[str]:
    """How far a plan is, and the best so far.

    Args:
        plan: the plan.
        ledger: its results file.

    Returns:
        Iterator[str]: lines of text.
    """
    results = Results(plan, [ledger])
    counts = (("success", "succeeded"), ("failed", "failed"), ("unfinished", "unfinished"))
    told = [f"{results.count(status)} {word}" for status, word in counts if results.count(status)]
    told.append(f"{results.count('not-run')} to run")
    yield f"{len(results.rows)} experiments: {', '.join(told)}; ledger {ledger}"
    for reason, rows in list(results.failures().items())[:SHOWN]:
        yield f"failed   {len(rows)}x  {reason}"
    ranked = results.ranked()
    for place, row in enumerate(ranked[:SHOWN]):
        word = "best" if place == 0 and row.score.admissible else "then"
        if not row.score.admissible:
            word = "breaks " + ", ".join(limit.metric for limit, _ in row.score.broken)
        names = [results.goal.metric, *(limit.metric for limit in results.goal.limits)]
        values = [f"{name} {measured(results, row, name)}" for name in dict.fromkeys(names)]
        values = [text for text in values if not text.endswith(" ")]
        yield f"{word:<8} {row.experiment.signature[:8]}  {row.label}  {', '.join(values)}"
