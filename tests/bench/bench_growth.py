#!/usr/bin/env python3
"""How cost grows with the input: five tenfold steps for each kind of text a service may be sent.

Usage: bench_growth.py [--quick] [WORD of a series' name]...

A ratio near 10 for a tenfold input is linear. Every step runs in a process of its own, for its peak
memory. Nothing fails by a clock.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable

import quantmap
from quantmap import _core
from quantmap.ledger import Ledger


def read_json(size: int) -> None:
    _core.load_json(b"[" + b",".join([b"1"] * size) + b"]")


def plan_of_parameters(size: int) -> None:
    task = {"base_runtime": "vllm", "parameters": {f"p{i}": 1 for i in range(size)}}
    quantmap.plan(task)


def first_of_parameters(size: int) -> None:
    task = {"base_runtime": "vllm", "parameters": {f"p{i}": 1 for i in range(size)}}
    quantmap.plan(task)[0].to_dict()


def plan_of_values(size: int) -> None:
    quantmap.plan({"base_runtime": "vllm@0.11.0", "parameters": {"seed": list(range(size))}})


def plan_as_lines(size: int) -> None:
    quantmap.plan({"base_runtime": "vllm", "parameters": {"seed": list(range(size))}}).to_jsonl()


def good_ledger(size: int) -> None:
    _ledger(b'{"signature":"%032x","status":"ok"}\n', size)


def bad_ledger(size: int) -> None:
    _ledger(b'{"signature":"%032x","status":\n', size)


def _ledger(line: bytes, size: int) -> None:
    with tempfile.NamedTemporaryFile() as file:
        file.writelines(line % number for number in range(size))
        file.flush()
        Ledger(file.name).read()


def words_of_a_line(size: int) -> None:
    quantmap.check("vllm serve x " + "w " * size)


def flags_of_a_line(size: int) -> None:
    quantmap.check("vllm serve x " + "".join(f"--a{i} " for i in range(size)))


def script_of_launches(size: int) -> None:
    quantmap.check_script("export A=1\n" + "vllm serve m --port $P > log 2>&1 &\n" * size)


def script_of_exports(size: int) -> None:
    text = "".join(f"export A{i}=1\n" for i in range(size)) + "vllm serve m\n" * size
    quantmap.check_script(text)


def scripts_in_a_script(size: int) -> None:
    text = "".join(f"export A{i}=1\n" for i in range(size)) + "sh -c 'vllm serve m'\n" * size
    quantmap.check_script(text)


def variables_of_a_line(size: int) -> None:
    quantmap.check_script(" ".join(f"A{i}=1" for i in range(size)) + " vllm serve m")


def lines_of_a_log(size: int) -> None:
    quantmap.why("ERROR [core.py:1] ValueError: no such thing\n" * size, "vllm")


SERIES: dict[str, tuple[Callable[[int], None], int]] = {
    "JSON, values": (read_json, 90_000),
    "a plan, parameters": (plan_of_parameters, 10_000),
    "an experiment, parameters": (first_of_parameters, 10_000),
    "a plan, values": (plan_of_values, 90_000),
    "a plan written, experiments": (plan_as_lines, 90_000),
    "a ledger, good lines": (good_ledger, 90_000),
    "a ledger, bad lines": (bad_ledger, 90_000),
    "a launch line, words": (words_of_a_line, 10_000),
    "a launch line, flags": (flags_of_a_line, 10_000),
    "a launch line, variables": (variables_of_a_line, 90_000),
    "a script, launches": (script_of_launches, 27_000),  # 1 MB
    "a script, exports": (script_of_exports, 30_000),
    "a script, scripts in it": (scripts_in_a_script, 30_000),
    "a log, lines": (lines_of_a_log, 25_000),  # 1 MB
}


def measured(run: Callable[[int], None], size: int) -> tuple[float, float]:
    """Seconds and megabytes of one run, in a child."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begin = time.process_time()
        run(size)
        taken = time.process_time() - begin
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        os.write(writer, json.dumps([taken, grown]).encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as answer:
        taken, grown = json.loads(answer.read() or "[NaN, NaN]")
    return taken, grown


def main(arguments: list[str]) -> int:
    steps = 2 if "--quick" in arguments else 5
    wanted = [word for word in arguments if word != "--quick"]
    for name, (run, most) in SERIES.items():
        if wanted and not any(word in name for word in wanted):
            continue
        before = 0.0
        for step in range(steps - 1, -1, -1):
            size = max(1, most // 10**step)
            taken, grown = measured(run, size)
            ratio = f"{taken / before:6.1f}x" if before > 0.001 else "       "
            print(f"{name:28} {size:>8}  {taken:8.3f} s {ratio}  {grown:7.1f} MB", flush=True)
            before = taken
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
