"""What is measured: names of metrics, their units, and which way is better.

A metric is written with its unit, ``ttft [ms]``, ``ttft_ms`` or ``(120, "ms")``; what is read back
is in the unit of its kind, so that results of several programs can be compared. The names are the
specification's; any other name is kept as it is.
"""

from __future__ import annotations

import math
import re

from .. import _core
from ..errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

__all__ = ["Metric", "better", "metric", "read_metrics", "statistic_of", "unit_of"]

# unit → (the unit that is kept, how many of it one is)
UNITS: dict[str, tuple[str, float]] = {
    "s": ("s", 1.0),
    "ms": ("s", 1e-3),
    "us": ("s", 1e-6),
    "ns": ("s", 1e-9),
    "min": ("s", 60.0),
    "h": ("s", 3600.0),
    "B": ("GB", 1e-9),
    "kB": ("GB", 1e-6),
    "MB": ("GB", 1e-3),
    "GB": ("GB", 1.0),
    "TB": ("GB", 1e3),
    "KiB": ("GB", 2**10 / 1e9),
    "MiB": ("GB", 2**20 / 1e9),
    "GiB": ("GB", 2**30 / 1e9),
    "tok/s": ("tok/s", 1.0),
    "tok/min": ("tok/s", 1 / 60),
    "req/s": ("req/s", 1.0),
    "req/min": ("req/s", 1 / 60),
    "W": ("W", 1.0),
    "kW": ("W", 1e3),
    "J": ("J", 1.0),
    "kJ": ("J", 1e3),
    "%": ("%", 1.0),
    "": ("", 1.0),
}
_SPELT = {
    "sec": "s",
    "seconds": "s",
    "second": "s",
    "milliseconds": "ms",
    "bytes": "B",
    "gb": "GB",
    "gib": "GiB",
    "mb": "MB",
    "mib": "MiB",
    "tokens/s": "tok/s",
    "tokens/sec": "tok/s",
    "tokens/second": "tok/s",
    "requests/s": "req/s",
    "requests/sec": "req/s",
    "requests/second": "req/s",
    "percent": "%",
    "joules": "J",
    "watts": "W",
}
# name → (unit, which way is better)
_KNOWN = {
    "throughput": ("tok/s", "more"),
    "total_throughput": ("tok/s", "more"),
    "throughput_per_gpu": ("tok/s", "more"),
    "request_throughput": ("req/s", "more"),
    "goodput": ("req/s", "more"),
    "ttft": ("s", "less"),
    "tpot": ("s", "less"),
    "itl": ("s", "less"),
    "latency": ("s", "less"),
    "memory_usage": ("GB", "less"),
    "accuracy": ("", "more"),
}
_SAME = {
    "memory": "memory_usage",
    "output_throughput": "throughput",
    "e2e_latency": "latency",
    "e2el": "latency",
}
_ENDINGS = ("ms", "us", "s", "sec", "seconds", "gb", "gib", "mb", "mib", "bytes")
_BRACKETS = re.compile(r"(.*?)\s*\[([^\[\]]*)\]")
_STATISTIC = re.compile(r"(.+?)_(mean|avg|median|std|min|max|p\d{1,2}(?:\.\d+)?|p100)")
_MEANT = {"mean": "", "avg": "", "median": "_p50"}
MAX_NAME = 200
MAX_METRICS = 1000  # of one measurement


class Metric:
    """How a name that somebody wrote is read.

    Attributes:
        name: what the metric is called here, such as ``ttft_p99``.
        unit: the unit that is kept; empty when it has none.
        factor: what a written number is multiplied by.
    """

    __slots__ = ("factor", "name", "unit")

    def __init__(self, name: str, unit: str, factor: float) -> None:
        self.name = name
        self.unit = unit
        self.factor = factor

    def __repr__(self) -> str:
        return f"Metric({self.name!r}, {self.unit!r}, {self.factor!r})"


def _wrong(path: str, expected: str, got: object) -> ConfigError:
    context = {"expected": expected, "got": repr(got)[:MAX_NAME], "hint": ""}
    return ConfigError([_core.make_diagnostic("wrong-type", path, context)])


def _split(name: str) -> tuple[str, str]:
    """A name and its statistic: ``ttft_median`` is ``ttft`` and ``_p50``."""
    found = _STATISTIC.fullmatch(name)
    if not found:
        return _SAME.get(name, name), ""
    stem, statistic = found.groups()
    return _SAME.get(stem, stem), _MEANT.get(statistic, f"_{statistic}")


def metric(written: str, unit: str | None = None) -> Metric:
    """How a name is read.

    Args:
        written: the name, with its unit in brackets or as its ending, or without one.
        unit: the unit, when it is given apart.

    Returns:
        Metric: the name, the unit kept, and the factor between them.

    Raises:
        ConfigError: the unit is not known, or is none of a metric of this kind.

    Example:
        >>> metric("ttft_ms"), metric("memory [GiB]").unit, metric("mine")
        (Metric('ttft', 's', 0.001), 'GB', Metric('mine', '', 1.0))
    """
    name, unit = _with_unit(written, unit)
    stem, statistic = _split(name)
    if unit is None and stem not in _KNOWN:
        head, mark, ending = name.rpartition("_")
        if mark and ending in _ENDINGS and head:
            unit, (stem, statistic) = ending, _split(head)
    known = _KNOWN.get(stem)
    if unit is None:
        return Metric(stem + statistic, known[0] if known else "", 1.0)
    return Metric(stem + statistic, *_kept(name, unit, known[0] if known else None))


def _with_unit(written: str, unit: str | None) -> tuple[str, str | None]:
    """The name, and the unit that stands in brackets behind it unless it is given apart."""
    name = written.strip()
    bracket = _BRACKETS.fullmatch(name)
    if unit is None and bracket:
        name, unit = bracket.groups()
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise _wrong("metrics", f"the name of a metric, at most {MAX_NAME} characters", written)
    return name, unit


def _kept(name: str, unit: str, wanted: str | None) -> tuple[str, float]:
    """The unit that is kept for one that is written, and the factor between them."""
    spelt = unit.strip()
    kept = UNITS.get(_SPELT.get(spelt.lower(), spelt))
    if kept is None:
        raise _wrong(f"metrics.{name}", f"a unit: {', '.join(u for u in UNITS if u)}", unit)
    if wanted is not None and kept[0] != wanted:
        raise _wrong(f"metrics.{name}", f"a unit of {wanted}", unit)
    return kept


def unit_of(name: str) -> str:
    """The unit of a known metric.

    Args:
        name: the metric, with or without a statistic.

    Returns:
        str: empty when nothing is known.

    Example:
        >>> unit_of("ttft_p99"), unit_of("mine")
        ('s', '')
    """
    known = _KNOWN.get(_split(name)[0])
    return known[0] if known else ""


def statistic_of(name: str) -> str:
    """Which statistic of a metric a name is.

    Args:
        name: the metric.

    Returns:
        str: such as ``p99``; empty for the metric itself.

    Example:
        >>> statistic_of("ttft_p99"), statistic_of("ttft"), statistic_of("mine")
        ('p99', '', '')
    """
    return _split(name)[1].lstrip("_")


def better(name: str) -> str | None:
    """Which way a metric is better.

    Args:
        name: the metric.

    Returns:
        str | None: ``more``, ``less``, or None when that is not known.

    Example:
        >>> better("throughput"), better("latency_p99"), better("mine")
        ('more', 'less', None)
    """
    known = _KNOWN.get(_split(name)[0])
    return known[1] if known else None


def read_metrics(metrics: Mapping[str, Any]) -> dict[str, float]:
    """Measurements with their units, as a ledger keeps them.

    Args:
        metrics: numbers by name; a value may be a pair of a number and its unit.

    Returns:
        dict[str, float]: numbers by name and unit, such as ``ttft [s]``.

    Raises:
        ConfigError: a value is not a finite number, a unit is not known, a metric is given twice,
            or there are more than a thousand.

    Example:
        >>> read_metrics({"ttft_ms": 120, "memory": (12, "GiB"), "throughput": 2500})
        {'ttft [s]': 0.12, 'memory_usage [GB]': 12.884901888, 'throughput [tok/s]': 2500.0}
    """
    if len(metrics) > MAX_METRICS:
        known = f"{MAX_METRICS} metrics"
        context = {"got": f"{len(metrics)}", "known": known}
        raise ConfigError([_core.make_diagnostic("over-limit", "metrics", context)])
    out: dict[str, float] = {}
    for written, value in metrics.items():
        unit = None
        if isinstance(value, (tuple, list)) and len(value) == 2 and isinstance(value[1], str):
            value, unit = value
        number = as_number(value)
        if number is None:
            raise _wrong(f"metrics.{written}", "a finite number, or one with its unit", value)
        how = metric(written, unit)
        key = f"{how.name} [{how.unit}]" if how.unit else how.name
        if key in out:
            raise _wrong(f"metrics.{written}", "each metric once", written)
        out[key] = float(f"{number * how.factor:.12g}")
    return out


def as_number(value: object) -> float | None:
    """A finite number, also of another library's type; None when it is none."""
    if isinstance(value, (bool, str, bytes)):
        return None
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
