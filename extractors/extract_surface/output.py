"""Reads and writes ``surface.json``: compact, one interval a line, the same on every machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_TABLES = ("flags", "env", "spelling")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def render(document: Mapping[str, Any]) -> str:
    """Return a document as text."""
    parts: list[str] = []
    for key, value in document.items():
        if key == "releases":
            rows = ",\n".join("  " + _compact(row) for row in value)
            parts.append(f' "releases": [\n{rows}\n ]')
        elif key in _TABLES:
            parts.append(f' "{key}": {{\n{_table(value)}\n }}' if value else f' "{key}": {{}}')
        else:
            parts.append(f" {json.dumps(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _table(table: Mapping[str, list[Mapping[str, Any]]]) -> str:
    rows = []
    for name in sorted(table):
        found = [_compact(row) for row in table[name]]
        body = found[0] if len(found) == 1 else "\n   " + ",\n   ".join(found) + "\n  "
        rows.append(f"  {json.dumps(name)}: [{body}]")
    return ",\n".join(rows)


def path_of(catalog: Path, engine: str) -> Path:
    """Return where an engine's surface lives."""
    return catalog / "engines" / engine / "surface.json"


def load(catalog: Path, engine: str) -> dict[str, Any] | None:
    """Return an engine's surface, or ``None`` if there is none yet."""
    path = path_of(catalog, engine)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def save(catalog: Path, engine: str, document: Mapping[str, Any]) -> Path:
    """Write an engine's surface."""
    path = path_of(catalog, engine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(document), encoding="utf-8")
    return path
