"""What ``quantmap results --json`` prints, described by its classes."""

from __future__ import annotations

from ..errors import Diagnostic
from ..result import Result, plain
from .analysis import Effect
from .row import MAX_CONFIGS, Measured, Row
from .scoring import Limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..words import Arguments, Catalog, Config, Count, Engine, Positive, RunStatus

__all__: list[str] = []


class BrokenLimit(Result):
    """A limit that a result breaks.

    Attributes:
        metric: which.
        bound: in the metric's unit.
        excess: how far beyond it, relative to the bound.
    """

    metric: str
    bound: float
    excess: float


class PrintedRow(Result):
    """One row of what `quantmap.Results.to_dict` gives.

    Attributes:
        index: the experiment's number in the plan.
        signature: its own.
        label: its short name.
        engine: that runs it.
        version: the engine's release, or None.
        args: its arguments.
        env: its variables.
        points: how many combinations of the task it stands for.
        presets: those among them.
        configs: those that it stands for, the first 64.
        parameters: its parameters.
        status: what became of it.
        reason: why it failed.
        metrics: what was measured.
        score: the objective after penalties, or None.
        admissible: whether it keeps every bound; None when nothing was measured.
        broken: the limits that it breaks.
        unjudged: the metrics of limits that were not measured.
        expected: what the estimate says, by metric.
        precision: what really runs.
    """

    index: Count
    signature: str
    label: str
    engine: Engine
    version: str | None
    args: Arguments
    env: dict[str, str]
    points: Positive
    presets: list[str]
    configs: list[Config]
    parameters: dict[str, Any]
    status: RunStatus
    reason: str
    metrics: dict[str, Measured]
    score: float | None
    admissible: bool | None
    broken: list[BrokenLimit]
    unjudged: list[str]
    expected: dict[str, float]
    precision: dict[str, str]

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON: what an experiment holds is plain already.

        Returns:
            dict: the attributes by name.
        """
        out: dict[str, Any] = {name: getattr(self, name) for name in self.__match_args__}
        out.update(metrics=plain(self.metrics), broken=plain(self.broken))
        return out

    @classmethod
    def by(cls, row: Row, expected: dict[str, float], precision: dict[str, str]) -> PrintedRow:
        """A row with what the plan says of it.

        Args:
            row: the row.
            expected: what the estimate says, by metric.
            precision: what really runs.

        Returns:
            PrintedRow: all of it.
        """
        one, score = row.experiment, row.score
        return cls(
            index=one.index,
            signature=one.signature,
            label=row.label,
            engine=one.engine,
            version=one.version,
            args=one.args,
            env=one.env,
            points=one.points,
            presets=one.presets,
            configs=one.configs[:MAX_CONFIGS],
            parameters=one.parameters,
            status=row.status,
            reason=row.reason,
            metrics=row.metrics,
            score=score.value,
            admissible=score.admissible if row.metrics else None,
            broken=[BrokenLimit(item.metric, item.bound, over) for item, over in score.broken],
            unjudged=score.unjudged,
            expected=expected,
            precision=precision,
        )


class Objective(Result):
    """What results are compared by.

    Attributes:
        metric: which.
        more: whether more of it is better.
    """

    metric: str
    more: bool


class Front(Result):
    """The results that no other beats in two metrics.

    Attributes:
        metrics: the objective, and its rival.
        rows: numbers of experiments, the best by the objective first.
    """

    metrics: list[str]
    rows: list[Count]


class Failure(Result):
    """Experiments that failed alike.

    Attributes:
        reason: why.
        rows: their numbers.
    """

    reason: str
    rows: list[Count]


class PrintedResults(Result):
    """What `Results.to_dict` gives.

    Attributes:
        task_name: as the task has it.
        catalog: the tables that the plan was made with.
        asked: combinations of the task.
        distinct: experiments that really differ.
        merged: combinations that are another one's experiment.
        skipped: combinations that no release can run.
        counts: how many experiments have which status.
        objective: what they are compared by.
        limits: service levels.
        units: of each metric.
        best: the number of the best experiment, or None.
        front: the results that no other beats.
        effects: of each change by itself.
        failures: by reason.
        strangers: results in the ledgers that are none of the plan's.
        diagnostics: what could not be read.
        rows: one for each experiment.
    """

    task_name: Any
    catalog: Catalog
    asked: Count
    distinct: Count
    merged: Count
    skipped: Count
    counts: dict[RunStatus, Count]
    objective: Objective
    limits: list[Limit]
    units: dict[str, str]
    best: Count | None
    front: Front
    effects: list[Effect]
    failures: list[Failure]
    strangers: Count
    diagnostics: list[Diagnostic]
    rows: list[PrintedRow]
