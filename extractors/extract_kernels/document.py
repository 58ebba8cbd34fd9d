"""Merges what was read of releases into ``kernels.json``: intervals, and what changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from extract_surface import merge
from extract_surface.versions import sort_key

from .attention import DTYPES
from .boxes import HEAD_SIZES

SCHEMA = 1
TABLES = ("backends", "methods", "experts", "experts_taken", "linear_taken", "attention_taken")
LISTS = ("orders",)
_WORDS = {
    "backends": "backend",
    "methods": "method",
    "experts": "experts of",
    "experts_taken": "kernel of experts of",
    "linear_taken": "kernel of layers of",
    "attention_taken": "backend of attention of",
}

Reading = dict[str, Any]


def path_of(catalog: Path, engine: str) -> Path:
    """Return where an engine's kernel tables live."""
    return catalog / "engines" / engine / "kernels.json"


def load(catalog: Path, engine: str) -> dict[str, Any] | None:
    """Return an engine's kernel tables, or ``None`` if there are none."""
    path = path_of(catalog, engine)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def build(engine: str, readings: Mapping[str, Reading]) -> dict[str, Any]:
    """Merge readings by release into a document."""
    versions = sorted(readings, key=sort_key)
    out: dict[str, Any] = {"schema": SCHEMA, "engine": engine, "how": "read",
                           "dtypes": list(DTYPES), "releases": versions}  # fmt: skip
    out["head_sizes"] = [HEAD_SIZES[0], HEAD_SIZES[-1], HEAD_SIZES.step]
    for table in TABLES:
        names = sorted({name for r in readings.values() for name in r.get(table, {})})
        out[table] = {
            name: _intervals([(v, readings[v].get(table, {}).get(name)) for v in versions])
            for name in names
        }
    for table in LISTS:
        rows = [(v, readings[v].get(table)) for v in versions]
        out[table] = _intervals([(v, {"rows": row} if row else None) for v, row in rows])
    return out


def _intervals(values: list[tuple[str, Any]]) -> list[dict[str, Any]]:
    return [
        {"since": since, **({"until": until} if until else {}), **value}
        for since, until, value in merge.intervals(values)
    ]


def at(document: Mapping[str, Any], version: str) -> Reading:
    """Return what a document says of one release."""
    out: Reading = {}
    for table in TABLES:
        rows = {name: merge.at(rows, version) for name, rows in document.get(table, {}).items()}
        found = {name: _bare(row) for name, row in rows.items() if row is not None}
        if found:
            out[table] = found
    for table in LISTS:
        row = merge.at(document[table], version)
        if row is not None:
            out[table] = row["rows"]
    return out


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in ("since", "until")}


def update(
    engine: str, existing: Mapping[str, Any] | None, readings: Mapping[str, Reading]
) -> dict[str, Any]:
    """Put new readings into a document; other releases stay as they are."""
    parts = {v: at(existing, v) for v in existing["releases"]} if existing else {}
    return build(engine, {**parts, **readings})


def compare(old: Reading, new: Reading) -> list[str]:
    """Say in words what differs between two releases."""
    out = []
    for table in TABLES:
        before, after = old.get(table, {}), new.get(table, {})
        word = _WORDS[table]
        out += [f"+ {word} {name}" for name in sorted(set(after) - set(before))]
        out += [f"- {word} {name}" for name in sorted(set(before) - set(after))]
        for name in sorted(set(before) & set(after)):
            out += [f"  {word} {name}: {line}" for line in _differences(before[name], after[name])]
    for table in LISTS:
        if old.get(table) != new.get(table):
            out += [f"  {table}: {_compact(row)}" for row in new.get(table) or []]
    return out


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    return [
        f"{key}: {_compact(old.get(key))} -> {_compact(new.get(key))}"
        for key in sorted({*old, *new})
        if old.get(key) != new.get(key)
    ]


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def render(document: Mapping[str, Any]) -> str:
    """Return a document as text: one interval a line."""
    parts = []
    for key, value in document.items():
        if key in TABLES:
            rows = ",\n".join(f"  {json.dumps(n)}: [{_lines(r)}]" for n, r in value.items())
            parts.append(f' "{key}": {{\n{rows}\n }}')
        elif key in LISTS:
            parts.append(f' "{key}": [{_lines(value)}]')
        else:
            parts.append(f" {json.dumps(key)}: {_compact(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _lines(rows: list[Any]) -> str:
    return ",".join(f"\n   {_compact(row)}" for row in rows)
