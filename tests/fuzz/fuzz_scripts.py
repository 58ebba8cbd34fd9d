#!/usr/bin/env python3
"""Made-up scripts, containers and logs through check_script and why: no crash, no hang.

Usage: fuzz_scripts.py [--count N] [--seed S]; a million by default, the same ones every time.

Each text is made of pieces of real ones, joined, cut and doubled. Batches run in a process of their
own: one that dies is told with the numbers of its texts, and `--first K --count 1` runs one again.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from pathlib import Path

import quantmap

sys.path.insert(0, str(Path(__file__).resolve().parent))
from script_seeds import SEEDS

BATCH = 5_000
LONGEST = 10  # seconds that a text may take, whatever else the machine does
PIECES = (
    *SEEDS,
    "services:\n  a:\n    image: vllm/vllm-openai:v0.11.0\n    command: --model m --dtype fp16\n",
    "FROM lmsysorg/sglang:v0.5.6\nENV A=1\nCMD python3 -m sglang.launch_server --model-path m\n",
    '["vllm", "serve", "m", "--port", "1"]',
    "[Service]\nEnvironment=A=1\nExecStart=vllm serve m \\\n --nosuch\n",
    "ValueError: Invalid kv_cache_dtype: 'x'. Valid values are: []\n",
    "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'fp9'\n",
    '  File "/x/vllm/config/model.py", line 3, in verify\n',
    "non-default args: {'model': 'm', 'kv_cache_dtype': 'fp8', 'x': {'y': [1]}}\n",
)
JOINTS = " \n\t\\\"'`$(){}[]<>|&;#=*?~!%^,:-0\u2014\u202e\x00é"
WORDS = tuple(word for piece in PIECES for word in piece.split())


def made(number: int, seed: int) -> str:
    """The text of a number."""
    chance = random.Random(f"{seed}/{number}")
    parts: list[str] = []
    for _ in range(chance.randint(1, 6)):
        source = chance.choice(PIECES) if chance.random() < 0.5 else chance.choice(WORDS)
        begin, end = sorted(chance.randint(0, len(source)) for _ in range(2))
        parts.append(source if chance.random() < 0.5 else source[begin:end])
        parts.append("".join(chance.choices(JOINTS, k=chance.randint(0, 3))))
        if chance.random() < 0.05:
            parts[-1] *= chance.choice((2, 50, 500))
    return "".join(parts)


def try_one(text: str) -> None:
    """Every reader of pasted text on one text: a ConfigError is an answer."""
    for read in (quantmap.check_script, quantmap.why):
        try:
            found = read(text)
        except quantmap.ConfigError:
            continue
        if found is not None:
            found.to_dict()


def run_batch(numbers: range, seed: int) -> None:
    """A batch, in the child; an alarm ends it when a text takes too long."""
    for number in numbers:
        signal.alarm(LONGEST)
        try:
            try_one(made(number, seed))
        except BaseException as error:
            print(f"text {number}: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
    os._exit(0)


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when every text was read."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    for piece in PIECES:  # what is loaded once is loaded here, for all children
        try_one(piece)
    begin, bad = time.monotonic(), 0
    end = options.first + options.count
    for first in range(options.first, end, BATCH):
        numbers = range(first, min(first + BATCH, end))
        child = os.fork()
        if child == 0:
            run_batch(numbers, options.seed)
        status = os.waitpid(child, 0)[1]
        if status:
            bad += 1
            print(f"texts {numbers.start} to {numbers.stop - 1}: ended with {status}")
    seconds = time.monotonic() - begin
    print(f"{options.count} texts in {seconds:.0f} s, {bad} batches with a fault")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
