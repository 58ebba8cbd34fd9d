"""Result files of benchmark programs, read as measurements.

==============================  ==========================================  =====================
program                         file                                        shape
==============================  ==========================================  =====================
``vllm bench serve``            ``--save-result``, ``--append-result``      flat keys, one load
SGLang ``bench_serving``        ``--output-file``                           JSON lines, flat keys
GuideLLM                        ``benchmarks.json``                         a list of loads
AIPerf, GenAI-Perf              ``profile_export_*.json``                   keys with their units
==============================  ==========================================  =====================

``tpot`` is the time for each token after the first, as vLLM counts it. AIPerf and GuideLLM call
that inter-token latency; ``itl`` is kept for the gaps between tokens one by one.
"""

from __future__ import annotations

import os
import re

from .. import _core
from ..errors import ConfigError
from ..files import read_file
from .metrics import as_number, read_metrics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .scoring import Goal

__all__ = ["Load", "benchmark_metrics", "best_load", "read_benchmark"]

MAX_FILE = 256 * 1024 * 1024  # bytes; request by request, some programs write a lot
_FLAT = re.compile(r"(mean|median|std|p\d{1,2}(?:\.\d+)?)_(ttft|tpot|itl|e2el|e2e_latency)_ms")
_RATES = {
    "request_throughput": "request_throughput",
    "request_goodput": "goodput",
    "output_throughput": "throughput",
    "total_token_throughput": "total_throughput",
    "total_throughput": "total_throughput",
}
_OF_LISTS = {
    "requests_per_second": ("request_throughput", "req/s"),
    "output_tokens_per_second": ("throughput", "tok/s"),
    "tokens_per_second": ("total_throughput", "tok/s"),
    "request_latency": ("latency", "s"),
    "time_to_first_token_ms": ("ttft", "ms"),
    "inter_token_latency_ms": ("tpot", "ms"),
}
_WITH_UNITS = {
    "request_throughput": "request_throughput",
    "goodput": "goodput",
    "output_token_throughput": "throughput",
    "total_token_throughput": "total_throughput",
    "request_latency": "latency",
    "time_to_first_token": "ttft",
    "inter_token_latency": "tpot",
}
_MEAN_ONLY = frozenset({"request_throughput", "throughput", "total_throughput", "goodput"})
_PERCENTILES = ("p50", "p90", "p95", "p99")


class Load:
    """What was measured under one load.

    Attributes:
        program: which program wrote it.
        metrics: by name and unit, as a ledger keeps them.
        described: what the load was, as far as the file says: concurrency, rate, requests.
    """

    __slots__ = ("described", "metrics", "program")

    def __init__(self, program: str, metrics: dict[str, float], described: dict[str, Any]) -> None:
        self.program = program
        self.metrics = metrics
        self.described = described

    def __repr__(self) -> str:
        return f"Load({self.program!r}, {self.described!r})"


def _bad(path: str, reason: str) -> ConfigError:
    context = {"value": path, "reason": reason}
    return ConfigError([_core.make_diagnostic("unreadable-file", path, context)])


def read_benchmark(path: str | os.PathLike[str]) -> list[Load]:
    """Read the result file of a benchmark program.

    Args:
        path: the file.

    Returns:
        list[Load]: one for each load that was tried, in the order of the file.

    Raises:
        ConfigError: the file cannot be read, is of no known program, or no request of it succeeded.

    Example:
        >>> import json, pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "result.json")
        >>> flat = {"completed": 8, "output_throughput": 950.0, "mean_ttft_ms": 41.0}
        >>> _ = path.write_text(json.dumps({**flat, "request_throughput": 1.9}))
        >>> read_benchmark(path)[0].metrics["ttft [s]"]
        0.041
    """
    name = os.fspath(path)
    try:
        data = read_file(path, MAX_FILE + 1)
    except OSError as error:
        raise _bad(name, error.strerror or str(error)) from None
    if len(data) > MAX_FILE:
        raise _bad(name, f"it is larger than {MAX_FILE >> 20} MB")
    loads = [load for item in _documents(data, name) for load in _loads(item)]
    if not loads:
        raise _bad(name, "no known benchmark program writes such a file")
    alive = [load for load in loads if load.metrics and load.described.get("completed") != 0]
    if not alive:
        raise _bad(name, "no request of it succeeded")
    return alive


def _documents(data: bytes, name: str) -> list[Any]:
    """A JSON document, or one on each line."""
    try:
        return [_core.load_json(data)]
    except ConfigError as whole:
        lines = [line for line in data.splitlines() if line.strip()]
        try:
            return [_core.load_json(line) for line in lines]
        except ConfigError:
            raise _bad(name, whole.diagnostics[0].message) from None


def _loads(data: Any) -> Iterator[Load]:
    if not isinstance(data, dict):
        return
    if isinstance(data.get("benchmarks"), list):
        yield from map(_of_list, filter(_has_metrics, data["benchmarks"]))
    elif any(isinstance(data.get(key), dict) and "unit" in data[key] for key in _WITH_UNITS):
        yield _with_units(data)
    elif "request_throughput" in data or "output_throughput" in data:
        yield _flat(data)


def _has_metrics(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("metrics"), dict)


def _flat(data: dict[str, Any]) -> Load:
    metrics: dict[str, Any] = {}
    for key, value in data.items():
        found = _FLAT.fullmatch(key)
        number = as_number(value)
        if number is None:
            continue
        if found:
            statistic, name = found.groups()
            metrics[f"{name}_{statistic}"] = (number, "ms")
        elif key in _RATES:
            metrics[_RATES[key]] = number
    lines = "mean_e2e_latency_ms" in data
    names = ("completed", "failed", "max_concurrency", "request_rate", "duration", "num_prompts")
    described = {key: data[key] for key in names if data.get(key) is not None}
    return Load("bench_serving" if lines else "bench serve", read_metrics(metrics), described)


def _of_list(data: dict[str, Any]) -> Load:
    metrics: dict[str, Any] = {}
    for key, (name, unit) in _OF_LISTS.items():
        summary = data["metrics"].get(key)
        summary = summary.get("successful") if isinstance(summary, dict) else None
        if not isinstance(summary, dict):
            continue
        spread = summary.get("percentiles")
        spread = spread if isinstance(spread, dict) and name not in _MEAN_ONLY else {}
        given = {name: summary.get("mean")}
        given.update({f"{name}_{place}": spread.get(place) for place in _PERCENTILES})
        metrics.update({n: (v, unit) for n, v in given.items() if as_number(v) is not None})
    totals = data["metrics"].get("request_totals")
    described: dict[str, Any] = {}
    if isinstance(totals, dict):
        described = {"completed": totals.get("successful"), "failed": totals.get("errored")}
    config = data.get("config")
    strategy = config.get("strategy") if isinstance(config, dict) else None
    if isinstance(strategy, dict):
        described["strategy"] = {
            key: value for key, value in strategy.items() if isinstance(value, (str, int, float))
        }
    return Load("guidellm", read_metrics(metrics), described)


def _with_units(data: dict[str, Any]) -> Load:
    metrics: dict[str, Any] = {}
    for key, name in _WITH_UNITS.items():
        summary = data.get(key)
        if not isinstance(summary, dict) or not isinstance(summary.get("unit"), str):
            continue
        given = {name: summary.get("avg")}
        if name not in _MEAN_ONLY:
            given.update({f"{name}_{place}": summary.get(place) for place in _PERCENTILES})
        unit = summary["unit"]
        metrics.update({n: (v, unit) for n, v in given.items() if as_number(v) is not None})
    described: dict[str, Any] = {}
    count = data.get("request_count")
    if isinstance(count, dict):
        described["completed"] = count.get("avg")
    for key in ("was_cancelled", "is_complete"):
        if isinstance(data.get(key), bool):
            described[key] = data[key]
    return Load(
        "aiperf" if "aiperf_version" in data else "genai-perf", read_metrics(metrics), described
    )


def best_load(loads: list[Load], goal: Goal) -> Load:
    """The load under which a server does best: what its launch is worth.

    Args:
        loads: of one result file.
        goal: what the task wants.

    Returns:
        Load: the best that keeps every bound, else the best.
    """
    sign = 1.0 if goal.more else -1.0

    def rank(load: Load) -> tuple[bool, float]:
        score = goal.score({key.partition(" [")[0]: n for key, n in load.metrics.items()})
        return score.admissible, sign * score.value if score.value is not None else float("-inf")

    return max(loads, key=rank)


def benchmark_metrics(path: str | os.PathLike[str], task: Any = None) -> dict[str, float]:
    """What a benchmark program measured, for `record_metrics`.

    Args:
        path: its result file.
        task: the task; of several loads the best by its objective and service levels is taken.

    Returns:
        dict[str, float]: by name and unit.

    Raises:
        ConfigError: the file cannot be read.
    """
    from .scoring import read_goal

    return best_load(read_benchmark(path), read_goal(task)).metrics
