"""Measure how long a command takes over a bare interpreter, which does nothing but start and end.

Run with the installed package: ``python tests/bench/bench_startup.py``. The bare interpreter and
the commands take turns. A figure is a difference to the bare interpreter of the same round: of
processor time the least and the median, of the clock the median. Other work on the machine makes
all of them larger, the least by the smallest part. A clock never fails it.
"""

from __future__ import annotations

import argparse
import os
import platform
import pty
import statistics
import sys
import time
from pathlib import Path

SCRIPT = Path(sys.executable).with_name("quantmap")
REFERENCE = "import argparse, json, logging, dataclasses, typing, enum, inspect"
TARGET = 1.0  # times what the reference takes over a bare interpreter; map, explain, check
CONFIG = ["--set", "gemm_dtype=fp8", "--set", "kvcache_dtype=fp8_e5m2"]
RELEASE = ["--runtime", "vllm@0.11.0", "--gpu", "H100"]
COMMANDS = {
    "quantmap": [],
    "map": ["map", "--runtime", "vllm", *CONFIG],
    "map, a release": ["map", *RELEASE, *CONFIG],
    "explain": ["explain", *RELEASE, *CONFIG],
    "check": ["check", "--engine-version", "0.11.0", "vllm serve my/model --kv-cache-dtype fp16"],
}


def spent(command: list[str], *, terminal: bool) -> tuple[float, float]:
    """Milliseconds of processor and of clock that a command takes, its output not looked at."""
    ends = pty.openpty() if terminal else (os.open(os.devnull, os.O_RDONLY), -1)
    out = ends[1] if terminal else os.open(os.devnull, os.O_WRONLY)
    start = time.perf_counter()
    actions = [(os.POSIX_SPAWN_DUP2, out, number) for number in (1, 2)]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=actions)
    _, status, used = os.wait4(child, 0)
    clock = time.perf_counter() - start
    os.close(ends[0])
    os.close(out)
    if os.waitstatus_to_exitcode(status) not in (0, 1):
        raise RuntimeError(f"{command} ended with {status}")
    return 1000 * (used.ru_utime + used.ru_stime), 1000 * clock


def measure(command: list[str], rounds: int, *, terminal: bool) -> tuple[float, float, float]:
    """What the command takes over the bare interpreter: least, median; median by the clock."""
    processor, clock = [], []
    for _ in range(rounds):
        bare = spent([sys.executable, "-c", "pass"], terminal=terminal)
        full = spent(command, terminal=terminal)
        processor.append(full[0] - bare[0])
        clock.append(full[1] - bare[1])
    return min(processor), statistics.median(processor), statistics.median(clock)


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    print(f"CPython {platform.python_version()}, {platform.machine()}, {rounds} rounds")
    print(f"reference: {REFERENCE}")
    print(f"target: map, explain and check take at most {TARGET:.1f} times the reference\n")
    print(
        f"{'command':16}{'output to':12}{'least':>10}{'median':>10}{'clock':>10}{'x reference':>14}"
    )
    for terminal, place in ((False, "a file"), (True, "a terminal")):
        lines = {"reference": [sys.executable, "-c", REFERENCE]}
        lines |= {name: [str(SCRIPT), *arguments] for name, arguments in COMMANDS.items()}
        least = 0.0
        for name, line in lines.items():
            figures = measure(line, rounds, terminal=terminal)
            least = least or figures[0]
            shown = "".join(f"{figure:7.1f} ms" for figure in figures)
            print(f"{name:16}{place:12}{shown}{figures[0] / least:13.2f}x")


if __name__ == "__main__":
    main()
