#!/usr/bin/env python3
"""Ten million calls: the process must not grow.

Usage: flat_memory.py [--count N]; the calls go round over fast and slow ways, errors and results.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import quantmap
from quantmap import _core

MAY_GROW = 512  # KiB, after the first tenth
ROUND = 1000


class Config(dict):  # type: ignore[type-arg]
    """A dict that is not exactly dict: the slow way."""


def calls() -> dict[str, tuple[Callable[[], Any], int]]:
    """What is called, and how often in a round."""
    args = quantmap.get_runtime_args
    fields = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"}
    parameters = {"tp-size": 2, "mem-fraction-static": 0.85}
    task = {"base_runtime": "vllm", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
    return {
        "documented": (lambda: args("sglang", {"preset": "dynamic-fp8"}, parameters), 600),
        "checked": (lambda: args("vllm", fields, engine_version="0.11.0"), 200),
        "slow": (lambda: args("vllm", Config(fields), Config(parameters)), 100),
        "wrong": (lambda: args("vllm", {"gemm_dtype": "nothing"}), 60),
        "unknown parameter": (lambda: args("vllm@0.11.0", fields, {"nosuch": 1}), 20),
        "explain": (lambda: quantmap.explain("vllm@0.11.0", fields).to_dict(), 10),
        "json": (lambda: _core.load_json(b'{"a": [1, 2.5, "x", null, {"b": true}]}'), 5),
        "plan": (lambda: quantmap.plan(task)[0].to_dict(), 3),
        "check": (lambda: quantmap.check("vllm serve m --dtype fp9 --nosuch"), 2),
    }


def memory() -> int:
    """What the process holds now, in KiB, with everything free given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def one_round() -> Iterator[None]:
    """A thousand calls."""
    for call, times in calls().values():
        for _ in range(times):
            with contextlib.suppress(quantmap.ConfigError):
                call()
            yield


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when memory is flat."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--count", type=int, default=10_000_000)
    options = parser.parse_args(arguments)
    os.environ.setdefault("PYTHONWARNINGS", "ignore")
    import logging

    logging.getLogger("quantmap").addHandler(logging.NullHandler())
    logging.getLogger("quantmap").propagate = False
    rounds = max(10, options.count // ROUND)
    begin, warm, blocks = time.monotonic(), 0, 0
    for number in range(rounds):
        if number == rounds // 10:
            warm, blocks = memory(), sys.getallocatedblocks()
        for _ in one_round():
            pass
    grown, more = memory() - warm, sys.getallocatedblocks() - blocks
    seconds = time.monotonic() - begin
    print(f"{rounds * ROUND} calls in {seconds:.0f} s: {grown:+} KiB, {more:+} blocks")
    return 1 if grown > MAY_GROW else 0


if __name__ == "__main__":
    sys.exit(main())
