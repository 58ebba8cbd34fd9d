#!/usr/bin/env python3
"""Changed plan files, ledgers and YAML texts: each is read, or is one clear error.

Usage: fuzz_files.py KIND [--count N] [--first K] [--seed S]; KIND is plan, ledger or yaml.

True files are cut, doubled and mixed byte by byte and value by value. Batches run in a process of
their own: one that dies is told with the numbers of its files, and `--first K --count 1` runs one
again.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import quantmap
from quantmap import _core
from quantmap.ledger import Ledger
from quantmap.yaml_reader import read_yaml, read_yaml_documents

sys.path.insert(0, str(Path(__file__).resolve().parent))
import batches

BATCH = 20_000
SIGNATURES = [letter * 32 for letter in "0123456789abcdef"]
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    5,
    2**63,
    1e308,
    "",
    "x\x00y",
    "A=1; touch pwned; B",
    "../x",
    "\u202e",
    [],
    {},
    [1],
    {"a": 1},
    {"a": {"b": [{}]}},
)
BYTES = b'{}[],:"\\\n\t \x00\xff\xc3\x28eE+-.0129tfnu&*!|>%@`#?\xf0\x9f\x98\x80'
YAML = (
    b"linear:\n  rules:\n    - module_path: '.*\\.q_proj'\n      weight_dtype: int8\n",
    b"a: &x {b: 1, c: [1, 2.5, 0x1f, 1e3, ~, yes]}\nd: *x\ne: {<<: *x, f: |\n  text\n}\n",
    b'%YAML 1.1\n---\n- !!str 1\n- 2001-01-01\n- "\\U0001F600"\n...\n---\nb: >-\n folded\n',
    b"services:\n  a:\n    image: vllm/vllm-openai:v0.11.0\n    command: [--model, m]\n",
)
Make = Callable[[random.Random], bytes]


def bent(chance: random.Random, value: Any) -> Any:
    """The value with one thing in it replaced, dropped or said twice."""
    places: list[tuple[Any, Any]] = []
    open_ = [value]
    while open_:
        item = open_.pop()
        inner = item.items() if isinstance(item, dict) else enumerate(item)
        for key, part in list(inner):
            places.append((item, key))
            if isinstance(part, (dict, list)):
                open_.append(part)
    if not places:
        return value
    holder, key = chance.choice(places)
    what = chance.random()
    if what < 0.2:
        del holder[key]
    elif what < 0.3 and isinstance(holder, dict):
        holder[str(chance.choice(ODD))] = holder.pop(key)
    else:
        other, place = chance.choice(places)
        moved = other[place] if chance.random() < 0.3 and _has(other, place) else chance.choice(ODD)
        holder[key] = copy.deepcopy(moved)
    return value


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def scratched(chance: random.Random, data: bytes) -> bytes:
    """The bytes with some of them changed."""
    out = bytearray(data)
    for _ in range(chance.choice((0, 0, 1, 1, 2, 8))):
        at = chance.randint(0, len(out))
        end = min(len(out), at + chance.choice((0, 1, 4, 40)))
        piece = bytes(chance.choices(BYTES, k=chance.choice((0, 1, 1, 3))))
        if chance.random() < 0.1:
            piece = bytes(out[at:end]) * chance.choice((2, 30))
        out[at:end] = piece
    return bytes(out)


def plan_lines() -> list[Any]:
    """The lines of true plan files, with variables, files and skips."""
    fields = {"kvcache_dtype": ["auto", "fp8_e4m3"], "attention_dtype": ["auto", "fp8"]}
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for engine in ("vllm@0.11.0", "tensorrt_llm@1.0.0"):
            task = {"base_runtime": engine, "quant_config": fields}
            task["parameters"] = {"seed": [1, 2]}
            place = Path(folder, "plan.jsonl")
            quantmap.plan(task, gpu="H100").to_jsonl(place)
            lines += [json.loads(line) for line in place.read_text().splitlines()]
    return lines


def make_plan(lines: list[Any]) -> Make:
    """Plan files with something bent in a line."""

    def made(chance: random.Random) -> bytes:
        picked = [lines[0], *chance.choices(lines, k=chance.randint(0, 5))]
        for _ in range(chance.randint(0, 2)):
            at = chance.randrange(len(picked))
            picked[at] = bent(chance, copy.deepcopy(picked[at]))
        data = b"".join(json.dumps(line).encode() + b"\n" for line in picked)
        return scratched(chance, data) if chance.random() < 0.5 else data

    return made


def make_ledger(chance: random.Random) -> bytes:
    """Ledgers with something bent in a line."""
    lines = []
    for _ in range(chance.randint(0, 6)):
        line: Any = {
            "signature": chance.choice(SIGNATURES),
            "status": chance.choice(("success", "failed", "running", "OK ")),
            "metrics": {"throughput": chance.random(), "ttft": {"p50": 1, "unit": "ms"}},
        }
        if chance.random() < 0.4:
            line = bent(chance, line)
        lines.append(json.dumps(line).encode() + b"\n")
    return scratched(chance, b"".join(lines))


def make_yaml(chance: random.Random) -> bytes:
    """YAML texts out of pieces of true ones."""
    data = b"".join(chance.choices(YAML, k=chance.choice((1, 1, 2))))
    return scratched(chance, scratched(chance, data))


def read_plan(data: bytes, place: str) -> None:
    """A plan file: each experiment is rendered as a shell would get it."""
    _write(place, data)
    plan = quantmap.Plan.from_jsonl(place)
    plan.summary()
    for experiment in plan:
        experiment.to_dict()
        line = experiment.shell("m")
        assert "\x00" not in line and "touch pwned; B=" not in line


def read_ledger(data: bytes, place: str) -> None:
    """A ledger: it is never refused, what is no result is told, a record is read back."""
    _write(place, data)
    ledger = Ledger(place)
    before = ledger.read()
    ledger.record("f" * 32, "failed", reason="x")
    after = ledger.read()
    kept = {key: value for key, value in before.statuses.items() if key != "f" * 32}
    assert after.statuses["f" * 32] == "failed"
    assert kept.items() <= after.statuses.items(), "a record changed another result"
    for line in data.splitlines():
        _core.read_json_line(line)


def read_yaml_text(data: bytes, _place: str) -> None:
    """A YAML text, as one document and as many; and what its rules say."""
    for read in (read_yaml, read_yaml_documents, quantmap.read_rules):
        try:
            found = read(data)
        except quantmap.ConfigError as error:
            assert error.diagnostics and all(item.message for item in error.diagnostics)
            continue
        repr(found)[:100]


def _write(place: str, data: bytes) -> None:
    with open(place, "wb") as file:
        file.write(data)


def answered(kind: str, read: Callable[[bytes, str], None], data: bytes, place: str) -> None:
    """One file: a ConfigError is an answer, but of a ledger, which is read whatever it holds."""
    try:
        read(data, place)
    except quantmap.ConfigError:
        if kind == "ledger":
            raise


def kinds() -> dict[str, tuple[Make, Callable[[bytes, str], None]]]:
    """How a file of each kind is made and read."""
    return {
        "plan": (make_plan(plan_lines()), read_plan),
        "ledger": (make_ledger, read_ledger),
        "yaml": (make_yaml, read_yaml_text),
    }


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when every file was read or refused."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("kind", choices=("plan", "ledger", "yaml"))
    batches.options_of(parser)
    options = parser.parse_args(arguments)
    read_yaml(YAML[0])  # what is loaded once is loaded here, for all children
    os.fsync = lambda _: None  # it is the reading that is tried, not the disk
    make, read = kinds()[options.kind]
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        place = os.path.join(folder, "file")

        def try_one(number: int) -> None:
            data = make(random.Random(f"{options.seed}/{number}"))
            answered(options.kind, read, data, place)

        return batches.run(options, BATCH, f"{options.kind} file", try_one)


if __name__ == "__main__":
    sys.exit(main())
