"""What every part of the compiler uses: reading, naming, and writing arrays."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ALL = "~std::uint64_t{0}"


class CatalogError(Exception):
    """A catalogue file that cannot be compiled; the text names file and place."""


class Cited(str):
    """A source that was cited by its name."""

    name: str


def cite(document: Any) -> Any:
    """The document with each source in full where it is cited by name.

    A file may name its sources once, in an object `evidence` at its top; a list `evidence` below
    it cites them by these names, or gives a source in full.
    """
    names = document.get("evidence") if isinstance(document, dict) else None
    if not isinstance(names, dict):
        return document

    def entry(word: Any) -> Any:
        if not isinstance(word, str) or word not in names:
            return word
        found = Cited(names[word])
        found.name = word
        return found

    def walk(value: Any) -> Any:
        if isinstance(value, list):
            return [walk(item) for item in value]
        if not isinstance(value, dict):
            return value
        return {
            key: [entry(word) for word in item]
            if key == "evidence" and isinstance(item, list)
            else walk(item)
            for key, item in value.items()
        }

    return {key: item if key == "evidence" else walk(item) for key, item in document.items()}


def load(path: Path) -> Any:
    def reject_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for key, value in pairs:
            if key in seen:
                raise CatalogError(f"{path}: the key {key!r} is given twice")
            seen[key] = value
        return seen

    with path.open(encoding="utf-8") as handle:
        return cite(json.load(handle, object_pairs_hook=reject_duplicates))


def ident(slug: str) -> str:
    return "k" + "".join(part.capitalize() for part in slug.replace("_", "-").split("-"))


def text(value: str) -> str:
    return json.dumps(value, ensure_ascii=True)


def view(items: Iterable[str], name: str) -> str:
    """A span over a named array, or an empty span."""
    return f"{{{name}}}" if list(items) else "{}"


def mask_of(names: list[str] | None, known: list[str], otherwise: str = "") -> str:
    """The bits of some names of a list; `otherwise` when nothing is asked."""
    if names is None:
        return otherwise
    for name in names:
        if name not in known:
            raise CatalogError(f"unknown fact of a model {name!r}")
    return (
        f"{hex(sum(1 << known.index(name) for name in names))}{'U' if len(known) <= 32 else 'ULL'}"
    )


class Writer:
    """Collects array definitions; each array is named once and referred to by span."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.count = 0
        self.known: dict[tuple[str, tuple[str, ...]], str] = {}

    def array(self, type_name: str, items: Iterable[str]) -> str:
        values = tuple(items)
        if not values:
            return "{}"
        key = (type_name, values)
        if key not in self.known:
            self.count += 1
            name = f"a{self.count}"
            body = ",\n    ".join(values)
            self.lines.append(f"constexpr {type_name} {name}[] = {{\n    {body}}};")
            self.known[key] = name
        return "{" + self.known[key] + "}"

    def texts(self, items: Iterable[str]) -> str:
        return self.array("std::string_view", (text(item) for item in items))


VERSION = re.compile(r"^(\d+(?:\.\d+)*)(?:(a|b|rc)(\d+))?(?:\.post(\d+))?(?:\.dev(\d+))?$")


def version_key(version: str) -> tuple[Any, ...]:
    """Sort key of a version by PEP 440, for the spellings that package indexes use."""
    found = VERSION.match(version)
    if found is None:
        raise CatalogError(f"not a version: {version!r}")
    release, pre, number, post, dev = found.groups()
    parts = [int(part) for part in release.split(".")]
    while parts and parts[-1] == 0:
        parts.pop()
    stage = {"a": 1, "b": 2, "rc": 3}.get(pre, 0 if dev and not post else 9)
    return (
        parts,
        stage,
        int(number or 0),
        -1 if post is None else int(post),
        float("inf") if dev is None else int(dev),
    )
