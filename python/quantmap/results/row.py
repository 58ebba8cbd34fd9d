"""One experiment of a plan and what came of it."""

from __future__ import annotations

from ..ledger import FAILED, FINISHED
from ..result import Result
from .scoring import Score

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..experiment import Experiment
    from ..words import Positive, RunStatus
    from .naming import Names
    from .records import Record

__all__ = ["Measured", "Row"]

MAX_CONFIGS = 64  # configs of one experiment that are told; the first stand for the rest


class Measured(Result):
    """One metric of one experiment.

    Attributes:
        mean: of its runs.
        low: the least.
        high: the most.
        count: how many runs.
    """

    mean: float
    low: float
    high: float
    count: Positive

    @classmethod
    def over(cls, values: list[float]) -> Measured:
        """What its runs gave.

        Args:
            values: one for each run.

        Returns:
            Measured: their mean and ends.
        """
        return cls(sum(values) / len(values), min(values), max(values), len(values))

    @property
    def spread(self) -> float | None:
        """How far apart its runs are, relative to the mean.

        Returns:
            float | None: None for a single run.

        Example:
            >>> Measured.over([90.0, 110.0]).spread
            0.2
        """
        if self.count < 2 or self.mean == 0:
            return None
        return (self.high - self.low) / abs(self.mean)

    def __repr__(self) -> str:
        return f"Measured({self.mean:g}, count={self.count})"


class Row:
    """One experiment of a plan and what came of it.

    Attributes:
        experiment: the experiment.
        label: its short name.
        differs: the parts in which it may differ from the others.
        status: ``success``, ``failed``, ``unfinished`` or ``not-run``.
        reason: why it failed.
        metrics: what was measured.
        score: what it is worth.
    """

    __slots__ = ("differs", "experiment", "label", "metrics", "reason", "score", "status")

    def __init__(self, experiment: Experiment, names: Names, record: Record | None) -> None:
        self.experiment = experiment
        self.label = names.label(experiment)
        self.differs = names.differing(experiment)
        self.status = _status(record)
        self.reason = record.reason if record is not None else ""
        values = record.values if record is not None and self.status != "failed" else {}
        self.metrics = {name: Measured.over(numbers) for name, numbers in values.items()}
        self.score = Score()

    @property
    def index(self) -> int:
        """Its number in the plan."""
        return self.experiment.index

    def __repr__(self) -> str:
        return f"Row({self.index}, {self.label!r}, {self.status!r})"


def _status(record: Record | None) -> RunStatus:
    if record is None:
        return "not-run"
    if record.status in FINISHED:
        return "success"
    return "failed" if record.status in FAILED else "unfinished"
