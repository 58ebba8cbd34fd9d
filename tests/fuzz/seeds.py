"""Writes libFuzzer's seed corpus and dictionary from the golden cases.

Usage: seeds.py GOLDEN_DIR CORPUS_DIR DICTIONARY
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_PARTS = ("quant_config", "user_parameters", "model_quantization")
_LONGEST_WORD = 40


def words(value: Any) -> Iterator[str]:
    """Every text in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from words(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from words(item)


def main(golden: Path, corpus: Path, dictionary: Path) -> None:
    """One seed per distinct call and per distinct argument of a call."""
    seeds: set[str] = set()
    known: set[str] = set()
    for file in sorted(golden.glob("[!c]*.json")):
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]:
            call = dict(case["call"])
            call["runtime"] = call.get("runtime", call.get("engine"))
            for value in (call, *(call[part] for part in _PARTS if part in call)):
                seeds.add(json.dumps(value))
            known.update(word for word in words(call) if 0 < len(word) <= _LONGEST_WORD)
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(sorted(seeds)):
        (corpus / f"seed-{number:04}.json").write_text(seed, encoding="utf-8")
    quoted = (word for word in sorted(known) if word.isascii() and word.isprintable())
    lines = ('"\\"' + word.replace("\\", "\\\\").replace('"', '\\"') + '\\""' for word in quoted)
    dictionary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(seeds)} seeds, {len(known)} words")


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
