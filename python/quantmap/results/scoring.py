"""What a task wants: its objective and its service levels, and how a result is scored by them.

``slo`` holds thresholds with weights. A result beyond one is penalised, not refused: by
``weight * exp(excess / steepness)`` of its objective, the excess being relative to the threshold.
With ``hard_fail`` it is refused when the excess is above ``fail_ratio``. ``slo_constraints`` holds
bounds that a result has to keep. Both forms are the specification's; the curve is the autotuner's.
"""

from __future__ import annotations

import math

from .. import _core
from ..errors import ConfigError
from ..result import Result
from .metrics import better, metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

__all__ = ["Goal", "Limit", "Score", "read_goal"]

_FALLBACKS = ("throughput", "throughput_per_gpu", "total_throughput", "request_throughput")
_LIMIT_KEYS = frozenset({"threshold", "weight", "hard_fail", "fail_ratio"})
_STEEPNESS = 0.1
_FAIL_RATIO = 0.5


class Limit(Result):
    """One bound on one metric.

    Attributes:
        metric: which.
        most: whether the bound is the most that is allowed; else the least.
        bound: in the metric's unit.
        weight: of the penalty.
        keep: whether a result beyond it by more than `slack` is refused.
        slack: relative.
    """

    metric: str
    most: bool
    bound: float
    weight: float
    keep: bool
    slack: float

    def excess(self, value: float) -> float:
        """How far a value is beyond the bound, relative to it; zero or less when it is not.

        Args:
            value: measured.

        Returns:
            float: the excess.

        Example:
            >>> Limit("ttft", True, 1.0, 2.0, False, 0.5).excess(1.25)
            0.25
        """
        beyond = value - self.bound if self.most else self.bound - value
        return beyond / abs(self.bound) if self.bound else beyond

    def __repr__(self) -> str:
        sign = "<=" if self.most else ">="
        return f"Limit({self.metric} {sign} {self.bound:g})"


class Score:
    """What a result is worth.

    Attributes:
        value: the objective after penalties, higher or lower better as the goal says; None when the
            objective was not measured.
        admissible: whether it keeps every bound that has to be kept.
        broken: the limits that it breaks, with the relative excess.
        unjudged: the metrics of limits that were not measured.
    """

    __slots__ = ("admissible", "broken", "unjudged", "value")

    def __init__(self) -> None:
        self.value: float | None = None
        self.admissible = True
        self.broken: list[tuple[Limit, float]] = []
        self.unjudged: list[str] = []

    def __repr__(self) -> str:
        return f"Score({self.value!r}, admissible={self.admissible})"


class Goal:
    """An objective and its limits.

    Attributes:
        metric: what is compared.
        more: whether more of it is better.
        limits: in the order of the task.
        steepness: of the penalty.
        named: whether the task names the objective.
    """

    __slots__ = ("limits", "metric", "more", "named", "steepness")

    def __init__(self, name: str, more: bool, named: bool) -> None:
        self.metric = name
        self.more = more
        self.named = named
        self.limits: list[Limit] = []
        self.steepness = _STEEPNESS

    def score(self, measured: Mapping[str, float]) -> Score:
        """Judge one result.

        Args:
            measured: its metrics.

        Returns:
            Score: the objective after penalties, and what it breaks.

        Example:
            >>> task = {"slo": {"ttft": {"threshold": 1.0, "weight": 2.0}}}
            >>> goal = read_goal(task)
            >>> goal.score({"throughput": 100.0, "ttft": 0.9}).value
            100.0
            >>> goal.score({"throughput": 100.0, "ttft": 1.1}).value < 0
            True
        """
        out = Score()
        penalty = 0.0
        for limit in self.limits:
            value = measured.get(limit.metric)
            if value is None:
                out.unjudged.append(limit.metric)
                continue
            excess = limit.excess(value)
            if excess <= 0:
                continue
            out.broken.append((limit, excess))
            if limit.keep and excess > limit.slack:
                out.admissible = False
            else:
                penalty += limit.weight * math.exp(min(excess / self.steepness, 600.0))
        base = self.value_of(measured)
        if base is not None:
            worse = penalty * abs(base)
            out.value = base - worse if self.more else base + worse
        return out

    def value_of(self, measured: Mapping[str, float]) -> float | None:
        """The objective of a result.

        Args:
            measured: its metrics.

        Returns:
            float | None: None when it was not measured.
        """
        names = _FALLBACKS if self.metric in _FALLBACKS else (self.metric,)
        return next((measured[name] for name in names if name in measured), None)

    def __repr__(self) -> str:
        way = "maximize" if self.more else "minimize"
        return f"Goal({way} {self.metric}, {self.limits!r})"


def _wrong(path: str, expected: str, got: object) -> ConfigError:
    context = {"expected": expected, "got": _core.describe(got), "hint": ""}
    return ConfigError([_core.make_diagnostic("wrong-type", path, context)])


def _number(value: Any, path: str) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good:
        raise _wrong(path, "a finite number", value)
    return float(value)


def _object(value: Any, path: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(path, "an object", value)
    return value


def read_goal(task: Any, best: str | None = None) -> Goal:
    """What a task wants.

    Args:
        task: the task; ``optimization.objective``, ``metrics.primary``, ``slo`` and
            ``slo_constraints`` are read.
        best: a metric to compare by instead of the task's objective.

    Returns:
        Goal: throughput without limits when the task says nothing.

    Raises:
        ConfigError: a bound cannot be read, or nobody knows which way `best` is better.

    Example:
        >>> read_goal({"optimization": {"objective": "minimize_ttft"}})
        Goal(minimize ttft, [])
    """
    data = task if isinstance(task, dict) else {}
    goal = _objective(data, best)
    slo = _object(data.get("slo"), "$.slo")
    for key, spec in slo.items():
        if key == "steepness":
            goal.steepness = _number(spec, "$.slo.steepness")
            if goal.steepness <= 0:
                raise _wrong("$.slo.steepness", "a number above 0", spec)
            continue
        goal.limits += _limits(key, spec, f"$.slo.{key}", keep=False)
    for key, spec in _object(data.get("slo_constraints"), "$.slo_constraints").items():
        goal.limits += _limits(key, spec, f"$.slo_constraints.{key}", keep=True)
    return goal


def _objective(data: dict[str, Any], best: str | None) -> Goal:
    wanted = best
    if wanted is None:
        wanted = _object(data.get("optimization"), "$.optimization").get("objective")
    if wanted is None:
        primary = _object(data.get("metrics"), "$.metrics").get("primary")
        first = primary[0] if isinstance(primary, list) and primary else None
        named = isinstance(first, str)
        name = metric(first).name if isinstance(first, str) else _FALLBACKS[0]
        return Goal(name, better(name) != "less", named)
    if not isinstance(wanted, str):
        raise _wrong("$.optimization.objective", "text such as maximize_throughput", wanted)
    way, mark, rest = wanted.partition("_")
    ways = {"maximize": True, "max": True, "minimize": False, "min": False}
    if mark and way in ways:
        return Goal(metric(rest).name, ways[way], True)
    name = metric(wanted).name
    known = better(name)
    if known is None:
        path = "$.optimization.objective" if best is None else "best"
        raise _wrong(path, f"maximize_{name} or minimize_{name}", wanted)
    return Goal(name, known == "more", True)


def _limits(name: str, spec: Any, path: str, keep: bool) -> Iterator[Limit]:
    """The limits of one key: its own, or one for each percentile below it."""
    spec = _object(spec, path)
    if spec and all(isinstance(value, dict) for value in spec.values()):
        for statistic, inner in spec.items():
            yield from _limits(f"{name}_{statistic}", inner, f"{path}.{statistic}", keep)
        return
    bounds = []
    for key, value in spec.items():
        if value is None or key in ("weight", "hard_fail", "fail_ratio"):
            continue
        side, _, unit = key.partition("_")
        if key != "threshold" and side not in ("max", "min"):
            known = sorted({*_LIMIT_KEYS, "max", "min"})
            raise _wrong(f"{path}.{key}", f"one of {', '.join(known)}", key)
        how = metric(name, unit or None)
        most = side == "max" if key != "threshold" else better(how.name) != "more"
        bounds.append((how.name, most, _number(value, f"{path}.{key}") * how.factor))
    weight = _number(spec.get("weight", 1.0), f"{path}.weight")
    slack = _number(spec.get("fail_ratio", 0.0 if keep else _FAIL_RATIO), f"{path}.fail_ratio")
    hard = keep or spec.get("hard_fail") is True
    for known_name, most, bound in bounds:
        yield Limit(known_name, most, bound, weight, hard, slack)
