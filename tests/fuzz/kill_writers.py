#!/usr/bin/env python3
"""Writers are killed at random instants: what was acknowledged is there, and no file is half.

Usage: kill_writers.py KIND [--count N] [--seed S]; KIND is ledger or plan; 1,000 kills by default.

Ledger: four writers append to one file, and say over a pipe which record has returned; one of them
is killed with SIGKILL, and another takes its place. Plan: a writer replaces a plan file over and
over (`plan --out` does the same), and is killed; the file must be a whole plan each time.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import quantmap
from quantmap.ledger import Ledger

WRITERS = 4
LONGEST = 0.03  # seconds that a writer lives, at most


class Writer:
    """A child that records one signature after the other, and tells each that is on the disk."""

    def __init__(self, place: str, number: int) -> None:
        out, into = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(out)
            ledger = Ledger(place)
            count = 0
            while True:
                signature = f"{number:016x}{count:016x}"
                ledger.record(signature, "success", text="x" * (count % 300))
                os.write(into, signature.encode())
                count += 1
        os.close(into)
        self.pipe = out

    def kill(self) -> list[str]:
        """The records that it had told."""
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        with os.fdopen(self.pipe, "rb") as pipe:
            told = pipe.read()
        return [told[at : at + 32].decode() for at in range(0, len(told) - len(told) % 32, 32)]


def kill_ledgers(count: int, chance: random.Random, folder: Path) -> str:
    """Kills of ledger writers; what was found, or an AssertionError."""
    place = str(folder / "ledger.jsonl")
    writers = [Writer(place, number) for number in range(WRITERS)]
    told: list[str] = []
    for number in range(count):
        time.sleep(chance.random() * LONGEST)
        at = chance.randrange(WRITERS)
        told += writers[at].kill()
        writers[at] = Writer(place, WRITERS + number)
    for writer in writers:
        told += writer.kill()
    contents = Ledger(place).read()
    lost = [signature for signature in told if contents.statuses.get(signature) != "success"]
    assert not lost, f"{len(lost)} acknowledged records lost"
    unasked = len(contents.statuses) - len(told)
    assert 0 <= unasked <= count + WRITERS, "at most the one under way is there beside them"
    torn = [item for item in contents.diagnostics if item.severity != "info"]
    assert len(torn) <= count + WRITERS
    assert os.listdir(folder) == ["ledger.jsonl"], "something is left behind"
    return f"{len(told)} records acknowledged, 0 lost, {len(torn)} unreadable lines"


def write_plans(place: str) -> None:
    """The child: plans of two sizes, one after the other."""
    plans = [
        quantmap.plan({"base_runtime": "vllm", "parameters": {"seed": list(range(size))}})
        for size in (30, 600)
    ]
    while True:
        for planned in plans:
            planned.to_jsonl(place)


def kill_plans(count: int, chance: random.Random, folder: Path) -> str:
    """Kills of plan writers; what was found, or an AssertionError."""
    place = str(folder / "plan.jsonl")
    sizes = {30: 0, 600: 0}
    left = 0
    quantmap.plan({"base_runtime": "vllm", "parameters": {"seed": list(range(30))}}).to_jsonl(place)
    for _ in range(count):
        child = os.fork()
        if child == 0:
            write_plans(place)
        time.sleep(0.002 + chance.random() * 8 * LONGEST)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        stored = quantmap.Plan.from_jsonl(place)
        assert not stored.diagnostics, stored.diagnostics
        sizes[len(list(stored))] += 1
        for name in set(os.listdir(folder)) - {"plan.jsonl"}:
            left += 1
            (folder / name).unlink()
    assert left <= count // 50 + 1, f"{left} pieces are left behind"
    return f"the file was whole each time ({sizes}), {left} pieces left behind"


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when nothing was lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=("ledger", "plan"))
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    begin = time.monotonic()
    work = kill_ledgers if options.kind == "ledger" else kill_plans
    with tempfile.TemporaryDirectory() as folder:
        found = work(options.count, random.Random(options.seed), Path(folder))
    print(f"{options.count} kills in {time.monotonic() - begin:.0f} s: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
