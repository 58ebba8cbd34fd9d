"""Inputs by number, in processes of their own: one that dies or hangs is told by its number."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Callable

LONGEST = 10  # seconds of the processor that an input may take
LONGEST_WAIT = 300  # seconds by the clock, on a machine that does much else


def options_of(parser: argparse.ArgumentParser) -> None:
    """Which inputs are tried: `--first K --count 1` tries one again."""
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)


def run_batch(numbers: range, what: str, try_one: Callable[[int], None]) -> None:
    """A batch, in the child; an alarm ends it when an input takes too long."""
    for number in numbers:
        signal.setitimer(signal.ITIMER_PROF, LONGEST)
        signal.alarm(LONGEST_WAIT)
        try:
            try_one(number)
        except BaseException as error:
            print(f"{what} {number}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    os._exit(0)


def run(options: argparse.Namespace, size: int, what: str, try_one: Callable[[int], None]) -> int:
    """All inputs, `size` to a process; 0 when none had a fault."""
    begin, bad = time.monotonic(), 0
    end = options.first + options.count
    for first in range(options.first, end, size):
        numbers = range(first, min(first + size, end))
        sys.stdout.flush()  # else the child has it, too
        child = os.fork()
        if child == 0:
            run_batch(numbers, what, try_one)
        status = os.waitpid(child, 0)[1]
        if status:
            bad += 1
            print(f"{what}s {numbers.start} to {numbers.stop - 1}: ended with {status}")
    seconds = time.monotonic() - begin
    print(f"{options.count} {what}s in {seconds:.0f} s, {bad} batches with a fault")
    return 1 if bad else 0
