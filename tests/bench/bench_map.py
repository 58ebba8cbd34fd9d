"""Measure one documented mapping against two yardsticks in plain Python.

Run with the installed package: ``python tests/bench/bench_map.py [--wheel PATH]``. It prints what
was reached beside what is asked for. A clock never fails it: the only error it can raise is that
the mappers under measurement do not return the same arguments.
"""

from __future__ import annotations

import argparse
import json
import logging
import platform
import statistics
import subprocess
import sys
import sysconfig
import timeit
import zipfile
from pathlib import Path
from typing import Any, Callable, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from plain_mapper import floor_get_runtime_args, plain_get_runtime_args

CONFIG = """{"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2",
             "attention_dtype": "fp8", "moe_dtype": "auto"}"""
PARAMETERS = '{"tp-size": 2, "mem-fraction-static": 0.85, "enable-metrics": true}'
DERIVED = {
    "--quantization": "fp8",
    "--dtype": "auto",
    "--kv-cache-dtype": "fp8_e5m2",
    "--attention-backend": "flashinfer",
}
EXPECTED = {
    **DERIVED,
    "--tp-size": "2",
    "--mem-fraction-static": "0.85",
    "--enable-metrics": True,
}
CALL = "f(runtime=r, quant_config=c, user_parameters=u, model_quantization=m)"

# Pairs that emit the same arguments; the second of each pair warns.
WARNING_PAIRS: list[tuple[str, dict[str, str], dict[str, str], Any]] = [
    ("attention fp8_block", {"attention_dtype": "float16"}, {"attention_dtype": "fp8_block"}, None),
    ("moe int8", {"moe_dtype": "bfloat16"}, {"moe_dtype": "int8"}, None),
    ("kv int4", {"kvcache_dtype": "auto"}, {"kvcache_dtype": "int4"}, None),
    ("gemm fp8 on awq", {"gemm_dtype": "auto"}, {"gemm_dtype": "fp8"}, "awq"),
]


class Row(NamedTuple):
    """One line of the table."""

    what: str
    target: str
    reached: str
    good: bool | None


Candidate = tuple[Callable[..., Any], Any, Any, Any]


def timer(candidate: Candidate) -> timeit.Timer:
    """Build a timer of one call made by keyword, as the autotuner makes it."""
    function, config, parameters, model = candidate
    # The runtime name comes out of a task file too, so it is not an interned constant.
    runtime = json.loads('"sglang"')
    names = {"f": function, "r": runtime, "c": config, "u": parameters, "m": model}
    return timeit.Timer(CALL, globals=names)


def interleaved(candidates: list[Candidate], rounds: int, calls: int) -> list[list[float]]:
    """Time the candidates in turns and return nanoseconds per call, a list per candidate."""
    empty = timeit.Timer("pass")
    timers = [timer(candidate) for candidate in candidates]
    for one in timers:
        one.timeit(calls)
    times: list[list[float]] = [[] for _ in timers]
    for _ in range(rounds):
        loop = empty.timeit(calls)
        for one, found in zip(timers, times):
            found.append((one.timeit(calls) - loop) / calls * 1e9)
    return times


def median_ratio(above: list[float], below: list[float]) -> float:
    """Return the median of round-by-round ratios: both sides saw the same machine."""
    return statistics.median(a / b for a, b in zip(above, below))


def speed_rows(rounds: int, calls: int) -> list[Row]:
    from quantmap.documented import get_runtime_args

    config = json.loads(CONFIG)
    parameters = json.loads(PARAMETERS)
    for mapper in (get_runtime_args, plain_get_runtime_args):
        for given, expected in ((parameters, EXPECTED), (None, DERIVED)):
            got = mapper(
                runtime="sglang",
                quant_config=config,
                user_parameters=given,
                model_quantization=None,
            )
            if list(got.items()) != list(expected.items()):
                raise SystemExit(f"{mapper.__name__} returns {got}, expected {expected}")
    functions = (get_runtime_args, plain_get_runtime_args, floor_get_runtime_args)
    candidates: list[Candidate] = [
        (function, config, given, None) for given in (parameters, None) for function in functions
    ]
    ours, plain, floor, ours_bare, plain_bare, floor_bare = interleaved(candidates, rounds, calls)

    def ratio(what: str, above: list[float], below: list[float], least: float) -> Row:
        found = median_ratio(above, below)
        times = f"{statistics.median(above):.0f} / {statistics.median(below):.0f} ns"
        return Row(what, f">= {least:g}x", f"{found:.2f}x  ({times})", found >= least)

    bare = median_ratio(floor_bare, ours_bare)
    bare_times = f"{statistics.median(floor_bare):.0f} / {statistics.median(ours_bare):.0f} ns"
    return [
        ratio("plain mapper / quantmap, 3 user parameters", plain, ours, 3),
        ratio("floor / quantmap, 3 user parameters", floor, ours, 1),
        ratio("plain mapper / quantmap, no user parameters", plain_bare, ours_bare, 5),
        Row(
            "floor / quantmap, no user parameters",
            "(no target)",
            f"{bare:.2f}x  ({bare_times})",
            None,
        ),
    ]


def warning_rows(rounds: int, calls: int) -> list[Row]:
    """Measure what a warning costs while nobody listens, by the pairs above."""
    from quantmap.documented import get_runtime_args

    logger = logging.getLogger("quantmap")
    before = logger.level
    logger.setLevel(logging.ERROR)
    rows = []
    try:
        for what, quiet_part, warning_part, model in WARNING_PAIRS:
            base = {"kvcache_dtype": "fp8_e5m2", "attention_dtype": "fp8", "moe_dtype": "auto"}
            configs = [
                json.loads(json.dumps({"gemm_dtype": "bfloat16", **base, **part}))
                for part in (quiet_part, warning_part)
            ]
            same = [get_runtime_args("sglang", config, None, model) for config in configs]
            if same[0] != same[1]:
                raise SystemExit(f"{what}: not a fair pair: {same}")
            candidates: list[Candidate] = [
                (get_runtime_args, config, None, model) for config in configs
            ]
            quiet, warning = interleaved(candidates, rounds, calls)
            cost = statistics.median(w - q for w, q in zip(warning, quiet))
            rows.append(
                Row(f"a warning, level off: {what}", "<= 100 ns", f"{cost:.0f} ns", cost <= 100)
            )
    finally:
        logger.setLevel(before)
    return rows


IMPORT_TIMER = """\
import sys, time
sys.path.append({site!r})
start = time.perf_counter_ns()
{statement}
print(time.perf_counter_ns() - start)
"""


def import_time(statement: str, site: str, flags: list[str]) -> float:
    """Return milliseconds of one import in a fresh interpreter, measured inside it.

    The clock starts after the interpreter has, so that its own start (an order of magnitude more
    than what is measured, and noisier) never has to be subtracted.
    """
    code = IMPORT_TIMER.format(site=site, statement=statement)
    done = subprocess.run(
        [sys.executable, *flags, "-c", code], check=True, capture_output=True, text=True
    )
    return int(done.stdout) / 1e6


def import_rows(repeats: int) -> list[Row]:
    """Compare imports in interpreters with nothing loaded (-S) and as people start them."""
    import quantmap

    site = str(Path(quantmap.__file__).resolve().parent.parent)
    rows = []
    for what, flags in (("bare interpreter", ["-I", "-S"]), ("with site", ["-I"])):
        ours: list[float] = []
        base: list[float] = []
        for repeat in range(repeats + 2):
            mine = import_time("import quantmap.documented", site, flags)
            theirs = import_time("import enum, logging", site, flags)
            if repeat >= 2:  # the first two fill the caches of the file system
                ours.append(mine)
                base.append(theirs)
        found = median_ratio(ours, base)
        times = f"{statistics.median(ours):.2f} / {statistics.median(base):.2f} ms"
        rows.append(
            Row(
                f"import / import enum, logging ({what})",
                "<= 1.3x",
                f"{found:.2f}x  ({times})",
                found <= 1.3,
            )
        )
    return rows


def wheel_row(path: Path) -> Row:
    size = path.stat().st_size
    with zipfile.ZipFile(path) as wheel:
        modules = [name for name in wheel.namelist() if name.endswith((".so", ".pyd"))]
        stripped = all(b".symtab" not in wheel.read(name) for name in modules)
    note = "stripped" if stripped else "not stripped"
    good = size < 1_000_000 and stripped
    return Row("wheel", "< 1 MB stripped", f"{size / 1e6:.2f} MB {note}", good)


def print_table(rows: list[Row]) -> None:
    said = {True: "reached", False: "missed", None: ""}
    lines = [("what", "target", "reached", "")]
    lines += [(row.what, row.target, row.reached, said[row.good]) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(4)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths)).rstrip())


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure quantmap against plain Python.")
    parser.add_argument("--wheel", type=Path, help="a built wheel, to report its size")
    parser.add_argument("--quick", action="store_true", help="few repeats: a smoke run")
    options = parser.parse_args()
    rounds, calls, imports = (5, 2_000, 3) if options.quick else (101, 10_000, 31)
    platform_name = sysconfig.get_platform()
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform_name}")
    rows = speed_rows(rounds, calls) + warning_rows(rounds, calls) + import_rows(imports)
    if options.wheel:
        rows.append(wheel_row(options.wheel))
    print_table(rows)


if __name__ == "__main__":
    main()
