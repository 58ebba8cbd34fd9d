"""Measure the planner: against plain Python, as work grows, and while it writes.

Run with the installed package: ``python tests/bench/bench_plan.py [--plot docs/planner-cost.svg]``.
The plain pipeline is what one writes by hand: the product of the axes, the plain mapper for each
point, a set of JSON texts. A clock never fails it: the only error it can raise is that both do not
find the same launches.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import platform
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_map import Row, print_table
from plain_mapper import ATTENTION, FIELDS, KVCACHE, MOE, plain_get_runtime_args

GEMM = ["auto", "float16", "float32", "bfloat16", "int8"]
SIZES = [1, 2, 4, 8]
ENGINES = ("vllm", "sglang", "tensorrt_llm")
MIB = 1024 * 1024


def sweep(engine: str) -> dict[str, Any]:
    """The task that asks for 7,840 launches, fresh from JSON as a caller has it."""
    values = dict(zip(FIELDS, (GEMM, KVCACHE, ATTENTION, MOE)))
    task = {"base_runtime": engine, "quant_config": values, "parameters": {"tp-size": SIZES}}
    copy: dict[str, Any] = json.loads(json.dumps(task))
    return copy


def plain_pipeline(task: dict[str, Any]) -> set[str]:
    """Expand, validate, map and dedupe in plain Python."""
    config, parameters = task["quant_config"], task["parameters"]
    found = set()
    for values in itertools.product(*config.values(), *parameters.values()):
        point = dict(zip(config, values))
        given = dict(zip(parameters, values[len(config) :]))
        args = plain_get_runtime_args(task["base_runtime"], point, given, None)
        found.add(json.dumps(args, sort_keys=True))
    return found


def seconds(function: Callable[[], object]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def shown(value: float) -> str:
    """Seconds in the unit that fits."""
    unit, factor = ("s", 1.0) if value >= 1 else ("ms", 1e3) if value >= 1e-3 else ("us", 1e6)
    return f"{value * factor:.3g} {unit}"


# ---------------------------------------------------------------- the 7,840 launches


def sweep_rows(rounds: int) -> list[Row]:
    """Both pipelines in turns: what is found is compared before anything is timed."""
    from quantmap import plan

    rows = []
    for engine in ENGINES:
        task = sweep(engine)
        ours = {json.dumps(one.args, sort_keys=True) for one in plan(task)}
        if ours != plain_pipeline(task):
            raise SystemExit(f"{engine}: the two pipelines find different launches")
        for what, least, run in (
            ("counted", 50, lambda task=task: plan(task).distinct),
            ("as JSON lines", None, lambda task=task: plan(task).to_jsonl()),
        ):
            fast, slow = [], []
            for _ in range(rounds):
                slow.append(seconds(lambda task=task: plain_pipeline(task)))
                fast.append(statistics.median(seconds(run) for _ in range(9)))
            ratio = statistics.median(a / b for a, b in zip(slow, fast))
            times = f"{shown(statistics.median(slow))} / {shown(statistics.median(fast))}"
            name = f"plain pipeline / planner, 7,840 launches, {engine}, {what}"
            target = f">= {least}x" if least else "(no target)"
            good = ratio >= least if least else None
            rows.append(Row(name, target, f"{ratio:.0f}x  ({times})", good))
    return rows


# ---------------------------------------------------------------- counting


def big_task(exponent: int) -> dict[str, Any]:
    """A task of 10^exponent points: parameters of ten values each."""
    task = sweep("sglang")
    task["quant_config"] = {"gemm_dtype": [*GEMM, *GEMM]}
    task["parameters"] = {
        f"parameter-{number}": [str(value) for value in range(10)] for number in range(exponent - 1)
    }
    return task


def count_row(rounds: int) -> Row:
    from quantmap import plan

    task = big_task(12)
    if plan(task).asked != 10**12:
        raise SystemExit("not a task of 10^12 points")
    found = statistics.median(seconds(lambda: plan(task).distinct) for _ in range(rounds))
    return Row("counting 10^12 points", "< 50 ms", shown(found), found < 0.05)


# ---------------------------------------------------------------- a million experiments


def wide_task(distinct: int) -> dict[str, Any]:
    """A task of so many different launches: config classes times parameters."""
    side = round((distinct / 10) ** 0.5)
    task = sweep("sglang")
    task["quant_config"] = {
        "gemm_dtype": ["auto", "float16", "float32", "bfloat16", "int8"],
        "kvcache_dtype": ["auto", "fp8_e5m2"],
        "attention_dtype": ["auto", "float16"],
    }
    task["parameters"] = {
        "max-running-requests": list(range(1, side + 1)),
        "chunked-prefill-size": list(range(1024, 1024 + side)),
        "schedule-policy": "lpm",
    }
    return task


def write_once(distinct: int) -> dict[str, float]:
    """Plan, then write JSON lines; what that costs. Run in a process of its own."""
    from quantmap import plan

    planned = plan(wide_task(distinct))
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "plan.jsonl")
        planned[:1000]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        spent = seconds(lambda: planned.to_jsonl(path))
        grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
        with open(path, "rb") as handle:
            lines = sum(line.startswith(b'{"index"') for line in handle)
        size = os.path.getsize(path)
    if lines != planned.distinct or lines < distinct * 0.95:
        raise SystemExit(f"{lines} lines of {planned.distinct} experiments")
    return {"lines": lines, "seconds": spent, "grown": grown * 1024, "size": size}


def in_a_process(distinct: int) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, "--write", str(distinct)],
        check=True,
        capture_output=True,
        text=True,
    )
    out: dict[str, float] = json.loads(done.stdout)
    return out


def write_rows(distinct: int, rounds: int) -> list[Row]:
    runs = [in_a_process(distinct) for _ in range(rounds)]
    rate = statistics.median(run["lines"] / run["seconds"] for run in runs)
    grown = max(run["grown"] for run in runs) / MIB
    lines, size = int(runs[0]["lines"]), runs[0]["size"] / MIB
    return [
        Row(
            f"{lines:,} experiments as JSON lines ({size:.0f} MB)",
            "> 500,000/s",
            f"{rate:,.0f}/s",
            rate > 500_000,
        ),
        Row(
            "memory while writing them, growth of the peak",
            "< 50 MB",
            f"{grown:.1f} MB",
            grown < 50,
        ),
    ]


# ---------------------------------------------------------------- as work grows


def growth(quick: bool) -> dict[str, list[tuple[int, float]]]:
    """Seconds against points asked (counting) and against experiments (writing)."""
    from quantmap import plan

    rounds = 3 if quick else 15
    asked = [
        (
            10**n,
            statistics.median(
                seconds(lambda n=n: plan(big_task(n)).distinct) for _ in range(rounds)
            ),
        )
        for n in range(3, 13)
    ]
    plain = [
        (
            7840,
            statistics.median(seconds(lambda: plain_pipeline(sweep("sglang"))) for _ in range(3)),
        )
    ]
    written = []
    for distinct in (10**3, 10**4) if quick else (10**3, 10**4, 10**5, 10**6):
        run = in_a_process(distinct)
        written.append((int(run["lines"]), run["seconds"]))
    return {"counted": asked, "plain": plain, "written": written}


def plot(data: dict[str, list[tuple[int, float]]], path: Path) -> None:
    """Both curves on one sheet, as a small SVG with its text as text."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "quantmap", "font.size": 9})
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    left.loglog(*zip(*data["counted"]), "o-", color="#1f6fb2", markersize=4, label="planner: count")
    left.loglog(
        *zip(*data["plain"]), "s", color="#b23b1f", markersize=5, label="plain Python pipeline"
    )
    left.set(xlabel="points asked", ylabel="seconds", title="Cost against what is asked")
    left.legend(frameon=False)
    right.loglog(*zip(*data["written"]), "o-", color="#1f6fb2", markersize=4)
    right.set(xlabel="distinct experiments", title="Cost against what differs (JSON lines)")
    for axes in (left, right):
        axes.grid(True, which="major", color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    title = "<title>What planning costs</title>"
    words = "the time to count a plan against the points asked, and the time to write it against"
    what = f"<desc>Two charts: {words} distinct experiments.</desc>"  # for a screen reader
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("<defs>", f"{title}\n {what}\n <defs>", 1), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the planner.")
    parser.add_argument("--quick", action="store_true", help="few repeats: a smoke run")
    parser.add_argument(
        "--plot", type=Path, help="draw cost against work as an SVG; needs matplotlib"
    )
    parser.add_argument("--write", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.getLogger("quantmap").setLevel(logging.ERROR)
    logging.getLogger("plain_mapper").setLevel(logging.ERROR)
    if options.write:
        print(json.dumps(write_once(options.write)))
        return
    if options.plot:
        plot(growth(options.quick), options.plot)
        return
    rows = sweep_rows(2 if options.quick else 7)
    rows.append(count_row(3 if options.quick else 31))
    rows += write_rows(10_000 if options.quick else 1_000_000, 1 if options.quick else 5)
    platform_name = sysconfig.get_platform()
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform_name}")
    print_table(rows)


if __name__ == "__main__":
    main()
