"""A plan and what was measured of it, side by side."""

from __future__ import annotations

import os

from .analysis import Effect, effects, front
from .memory import expected_memory, taken_bytes
from .metrics import better, unit_of
from .naming import Names
from .printed import Failure, Front, Objective, PrintedResults, PrintedRow
from .records import read_records
from .row import MAX_CONFIGS, Row
from .scoring import Goal, read_goal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..errors import Diagnostic
    from ..fit import Fit
    from ..plan import Plan
    from ..stored_plan import StoredPlan
    from ..words import RunStatus

__all__ = ["Results"]

MEMORY = "memory_usage"


class Results:
    """What came of a plan.

    Attributes:
        plan: the plan.
        goal: what its task wants.
        rows: one for each experiment, in the order of the plan.
        units: the unit of each metric.
        strangers: signatures in the ledgers that are none of the plan's.
        diagnostics: what could not be read.
        missing: ledgers that are not there.

    Example:
        >>> import quantmap, tempfile
        >>> from quantmap.ledger import Ledger
        >>> task = {"base_runtime": "vllm", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
        >>> plan, path = quantmap.plan(task), tempfile.mktemp()
        >>> Ledger(path).record(plan[0].signature, "success", throughput=2000.0)
        >>> Ledger(path).record(plan[1].signature, "success", throughput=2600.0)
        >>> results = plan.results(path)
        >>> results.best().label
        'kv-cache-dtype:fp8'
        >>> results.effects()[0]
        Effect(kvcache_dtype 'auto' → 'fp8': +30.0%)
    """

    def __init__(
        self,
        plan: Plan | StoredPlan,
        ledgers: Iterable[str | os.PathLike[str]],
        best: str | None = None,
    ) -> None:
        records = read_records(ledgers)
        self.plan = plan
        self.goal: Goal = read_goal(plan.task, best)
        experiments = list(plan)
        self._names = Names(experiments)
        found = records.by_signature
        self.rows = [Row(one, self._names, found.get(one.signature)) for one in experiments]
        ours = {one.signature for one in experiments}
        self.strangers = [signature for signature in found if signature not in ours]
        self.diagnostics: list[Diagnostic] = records.diagnostics
        self.missing = records.missing
        self.units: dict[str, str] = {}
        for one in experiments:
            if one.signature in found:
                self.units.update(found[one.signature].units)
        for row in self.rows:
            if row.metrics:
                means = {name: item.mean for name, item in row.metrics.items()}
                row.score = self.goal.score(means)

    @property
    def metrics(self) -> list[str]:
        """The metrics that were measured, the objective first.

        Returns:
            list[str]: their names.
        """
        found: dict[str, None] = {}
        if any(self.goal.metric in row.metrics for row in self.rows):
            found[self.goal.metric] = None
        for row in self.rows:
            found.update(dict.fromkeys(row.metrics))
        return list(found)

    def count(self, status: str) -> int:
        """How many experiments have a status.

        Args:
            status: of a row.

        Returns:
            int: the number.
        """
        return sum(row.status == status for row in self.rows)

    def ranked(self) -> list[Row]:
        """The results, the best first.

        Returns:
            list[Row]: those that keep every bound before those that do not, then by score; results
            without the objective are left out.
        """
        rows = [row for row in self.rows if row.metrics and row.score.value is not None]
        sign = -1.0 if self.goal.more else 1.0
        return sorted(
            rows, key=lambda row: (not row.score.admissible, sign * (row.score.value or 0.0))
        )

    def best(self) -> Row | None:
        """The best result that keeps every bound.

        Returns:
            Row | None: None while there is none.
        """
        ranked = self.ranked()
        return ranked[0] if ranked and ranked[0].score.admissible else None

    def front(self, first: str | None = None, second: str | None = None) -> list[Row]:
        """The results that no other beats in two metrics: the Pareto front.

        Args:
            first: a metric; the objective by default.
            second: another; by default the first that was measured beside it.

        Returns:
            list[Row]: results that keep every bound, best by `first` at the start.
        """
        one = first or self.goal.metric
        two = second or self.rival(one)
        if two is None:
            return []
        return front((row for row in self.rows if row.score.admissible), one, two)

    def rival(self, metric: str) -> str | None:
        """A metric that is usually traded for another.

        Args:
            metric: the other.

        Returns:
            str | None: the first that is better the other way, else any other; None without one.
        """
        others = [name for name in self.metrics if name != metric]
        opposite = [name for name in others if better(name) not in (None, better(metric))]
        return next(iter(opposite or others), None)

    def fit(self, row: Row) -> Fit | None:
        """What `quantmap.estimate` says of a result whose memory was measured.

        Args:
            row: a result.

        Returns:
            Fit | None: None when no memory was measured, or model or GPU are not known.
        """
        if MEMORY not in row.metrics:
            return None
        one = row.experiment
        return expected_memory(one, one.parameters, dict(self.plan.arguments))

    def expected(self, row: Row) -> dict[str, float]:
        """What was to be expected of a result, beside what was measured.

        Args:
            row: a result.

        Returns:
            dict[str, float]: by metric, in its unit: of ``memory_usage`` what a running server
            holds of one GPU.
        """
        fit = self.fit(row)
        return {} if fit is None else {MEMORY: taken_bytes(fit) / 1e9}

    def precision(self, row: Row) -> dict[str, str]:
        """What really runs in a result, whatever its flags are called.

        Args:
            row: a result.

        Returns:
            dict[str, str]: by part, as `Mapping.precision`; empty when nothing was measured, no
            release is known, or the plan is a stored one, which keeps no decisions.
        """
        if not row.metrics:
            return {}
        try:
            return row.experiment.explain().precision
        except ValueError:
            return {}

    def effects(
        self, metric: str | None = None, parts: Iterable[str] | None = None
    ) -> list[Effect]:
        """What one change does when everything else is equal.

        Args:
            metric: what to compare; the objective by default.
            parts: fields of the config, parameters, or flags without dashes; all by default.

        Returns:
            list[Effect]: changes of config fields and parameters; of a stored plan, which keeps no
            parameters, of arguments.
        """
        name = metric or self._measured_goal()
        if any(row.experiment.parameters for row in self.rows) or not self._has_parameters():
            described, known = _asked, _asked_parts(self.rows)
        else:
            described = _launched
            known = [part.lstrip("-") for part in self._names.parts]
        wanted = known if parts is None else [part for part in known if part in set(parts)]
        return effects(self.rows, name, described, wanted) if name else []

    def _measured_goal(self) -> str | None:
        names = self.metrics
        if self.goal.metric in names:
            return self.goal.metric
        return next((name for name in names if better(name) == better(self.goal.metric)), None)

    def _has_parameters(self) -> bool:
        return bool(isinstance(self.plan.task, dict) and self.plan.task.get("parameters"))

    def failures(self) -> dict[str, list[Row]]:
        """The failed experiments by reason, the most frequent first.

        Returns:
            dict[str, list[Row]]: rows by reason; numbers in reasons are not told apart.
        """
        import re

        groups: dict[str, list[Row]] = {}
        for row in self.rows:
            if row.status == "failed":
                reason = re.sub(r"\d+(\.\d+)?", "#", row.reason) or "no reason was recorded"
                groups.setdefault(reason, []).append(row)
        ordered = sorted(groups.values(), key=lambda rows: -len(rows))
        return {rows[0].reason or "no reason was recorded": rows for rows in ordered}

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat dict for each experiment.

        Returns:
            list[dict]: ``index``, ``signature``, ``label``, ``status``, ``reason``, ``points``, the
            parts that differ, then each metric with its unit, its spread and ``score``.
        """
        return list(self._flat())

    def _flat(self) -> Iterator[dict[str, Any]]:
        names = self.metrics
        for row in self.rows:
            out: dict[str, Any] = {
                "index": row.index,
                "signature": row.experiment.signature,
                "label": row.label,
                "status": row.status,
                "reason": row.reason,
                "points": row.experiment.points,
            }
            for part in self._names.parts:
                out[part.lstrip("-")] = row.differs.get(part.lstrip("-"))
            for name in names:
                item = row.metrics.get(name)
                key = self.titled(name)
                out[key] = item.mean if item else None
                out[f"{key} runs"] = item.count if item else 0
                out[f"{key} spread"] = item.spread if item else None
                if name == MEMORY:
                    out[f"{key} expected"] = self.expected(row).get(name)
            out["score"] = row.score.value
            out["admissible"] = row.score.admissible if row.metrics else None
            yield out

    def titled(self, name: str) -> str:
        """A metric with its unit.

        Args:
            name: the metric.

        Returns:
            str: such as ``ttft [s]``.
        """
        unit = self.units.get(name) or unit_of(name)
        return f"{name} [{unit}]" if unit else name

    def to_pandas(self) -> Any:
        """The rows as a pandas DataFrame.

        Returns:
            Any: the frame.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        return pandas.DataFrame(self.to_rows())

    def to_dict(self) -> dict[str, Any]:
        """Everything as plain data, for JSON.

        Returns:
            dict: what was asked, the counts, rows, the best, the front, effects and failures.
        """
        best = self.best()
        plan, metric = self.plan, self.goal.metric
        rival = self.rival(metric)
        printed = PrintedResults(
            task_name=plan.task_name,
            catalog=plan.catalog,
            asked=plan.asked,
            distinct=plan.distinct,
            merged=plan.merged,
            skipped=plan.skipped,
            counts={name: self.count(name) for name in STATUSES},
            objective=Objective(metric, self.goal.more),
            limits=self.goal.limits,
            units={name: self.units.get(name, "") for name in self.metrics},
            best=best.index if best else None,
            front=Front([metric, *([rival] if rival else ())], [row.index for row in self.front()]),
            effects=self.effects(),
            failures=[
                Failure(reason, [row.index for row in rows])
                for reason, rows in self.failures().items()
            ],
            strangers=len(self.strangers),
            diagnostics=self.diagnostics,
            rows=[PrintedRow.by(row, self.expected(row), self.precision(row)) for row in self.rows],
        )
        return printed.to_dict()

    def __repr__(self) -> str:
        done = self.count("success")
        return f"Results({done} of {len(self.rows)} measured, best={self.best()!r})"


STATUSES: tuple[RunStatus, ...] = ("success", "failed", "unfinished", "not-run")


def _asked(row: Row) -> Iterator[dict[str, str]]:
    """What a result was asked for: every config that it stands for, and its parameters."""
    one = row.experiment
    release = one.engine + (f"@{one.version}" if one.version else "")
    parameters = {name: str(value) for name, value in one.parameters.items()}
    for config in one.configs[:MAX_CONFIGS]:
        yield {"engine": release, **_flat_config(config), **parameters}


def _flat_config(config: dict[str, Any]) -> dict[str, str]:
    out: dict[str, str] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            out.update({f"{key}.{inner}": str(item) for inner, item in value.items()})
        elif value is not None:
            out[key] = str(value)
    return out


def _asked_parts(rows: list[Row]) -> list[str]:
    parts: dict[str, None] = {}
    seen: set[int] = set()
    for row in rows:
        if row.metrics and row.experiment.group not in seen:
            seen.add(row.experiment.group)
            for description in _asked(row):
                parts.update(dict.fromkeys(description))
    return list(parts)


def _launched(row: Row) -> Iterator[dict[str, str]]:
    yield row.differs
