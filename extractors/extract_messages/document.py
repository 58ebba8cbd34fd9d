"""Merges the messages of releases into ``messages.json``: each with the releases that say it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extract_surface.merge import intervals
from extract_surface.versions import sort_key

from .read import Message

SCHEMA = 1
KEYS = ("text", "kind", "at", "when", "arguments", "since", "until")
Reading = dict[str, tuple[str, Message, list[str]]]


def path_of(catalog: Path, engine: str) -> Path:
    """Return where an engine's messages live."""
    return catalog / "engines" / engine / "messages.json"


def load(catalog: Path, engine: str) -> dict[str, Any]:
    """Return an engine's messages; before any were read, an empty document."""
    path = path_of(catalog, engine)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def build(
    engine: str, existing: Mapping[str, Any], readings: Mapping[str, Reading]
) -> dict[str, Any]:
    """Merge readings by release; what the document says of an engine's logs is kept."""
    versions = sorted(readings, key=sort_key)
    rows = []
    for text in sorted({text for reading in readings.values() for text in reading}):
        spans = intervals([(v, text if text in readings[v] else None) for v in versions])
        for since, until, _ in spans:
            last = max((v for v in versions if text in readings[v] and _within(v, since, until)),
                       key=sort_key)  # fmt: skip
            path, message, arguments = readings[last][text]
            at = f"{path}, {message.place}" if message.place else path
            rows.append([text, message.kind, at, message.when, arguments, since, until or ""])
    return {
        "schema": SCHEMA,
        "engine": engine,
        "log": existing.get("log", {}),
        "releases": versions,
        "keys": list(KEYS),
        "messages": rows,
    }


def _within(version: str, since: str, until: str | None) -> bool:
    key = sort_key(version)
    return sort_key(since) <= key and (not until or key < sort_key(until))


def render(document: Mapping[str, Any]) -> str:
    """Return a document as text: one message a line."""
    parts = []
    for key, value in document.items():
        if key == "messages":
            rows = ",\n".join("  " + _compact(row) for row in value)
            parts.append(f' "{key}": [\n{rows}\n ]')
        else:
            parts.append(f" {json.dumps(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
