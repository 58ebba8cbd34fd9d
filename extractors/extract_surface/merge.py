"""Merges the surfaces of many releases into version intervals, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .argparse_reader import Record
from .versions import sort_key

SCHEMA = 1
_ORDER = [
    "since",
    "until",
    "positional",
    "aliases",
    "off",
    "type",
    "via",
    "item",
    "nargs",
    "value",
    "repeat",
    "none",
    "default",
    "choices",
    "checked",
    "any_case",
    "deprecated_choices",
    "keys",
    "closed",
    "bounds",
    "required",
    "deprecated",
    "refused",
    "use",
    "conditional",
    "assumed",
]

Flags = dict[str, Record]
Interval = dict[str, Any]


def ordered(record: Mapping[str, Any]) -> Record:
    """Return a record with its keys in the documented order."""
    known = [key for key in _ORDER if key in record]
    return {key: record[key] for key in known + sorted(set(record) - set(known))}


def spellings(name: str, record: Record) -> set[str]:
    """Return every spelling of a flag."""
    return {name, *record.get("aliases", [])}


def unify_names(releases: list[tuple[str, Flags]]) -> list[tuple[str, Flags]]:
    """Give a flag one canonical name in all releases: the newest release's.

    ``releases`` is in ascending order. An older record that has a newer canonical name
    among its aliases is renamed, unless that name is taken in its own release.
    """
    canonical: set[str] = set()
    out: list[tuple[str, Flags]] = []
    for version, flags in reversed(releases):
        renamed: Flags = {}
        for name, record in flags.items():
            new = name
            if name not in canonical:
                found = [a for a in record.get("aliases", []) if a in canonical and a not in flags]
                new = found[0] if len(found) == 1 and found[0] not in renamed else name
            if new != name:
                others = [name] + [a for a in record["aliases"] if a != new]
                record = {**record, "aliases": others}
            if "aliases" in record:
                record = {**record, "aliases": sorted(record["aliases"])}
            renamed[new] = record
        canonical |= set(renamed)
        out.append((version, renamed))
    return out[::-1]


def intervals(values: list[tuple[str, Any | None]]) -> list[tuple[str, str | None, Any]]:
    """Compress (version, value) pairs in ascending order to (since, until, value).

    ``None`` means absent. ``until`` is exclusive, and ``None`` for what still holds.
    """
    out: list[tuple[str, str | None, Any]] = []
    current: Any = None
    start = ""
    for version, value in values:
        if value == current:
            continue
        if current is not None:
            out.append((start, version, current))
        current, start = value, version
    if current is not None:
        out.append((start, None, current))
    return out


def _as_interval(since: str, until: str | None, record: Mapping[str, Any]) -> Interval:
    head: Interval = {"since": since}
    if until is not None:
        head["until"] = until
    return ordered({**head, **record})


def merge_flags(releases: list[tuple[str, Flags]]) -> dict[str, list[Interval]]:
    """Return the version intervals of every flag."""
    named = unify_names(releases)
    names = sorted({name for _, flags in named for name in flags})
    return {
        name: [
            _as_interval(*item) for item in intervals([(v, flags.get(name)) for v, flags in named])
        ]
        for name in names
    }


def merge_names(releases: Iterable[tuple[str, list[str]]]) -> dict[str, list[Interval]]:
    """Return the version intervals of plain names (environment variables, spellings)."""
    pairs = list(releases)
    names = sorted({name for _, found in pairs for name in found})
    return {
        name: [
            _as_interval(since, until, {})
            for since, until, _ in intervals([(v, True if name in f else None) for v, f in pairs])
        ]
        for name in names
    }


def at(rows: Iterable[Interval], version: str) -> Interval | None:
    """Return the interval that holds for a version."""
    key = sort_key(version)
    for row in rows:
        if sort_key(row["since"]) <= key and ("until" not in row or key < sort_key(row["until"])):
            return row
    return None


def flags_at(document: Mapping[str, Any], version: str) -> Flags:
    """Return the flags of one release from a merged document."""
    out: Flags = {}
    for name, rows in document["flags"].items():
        row = at(rows, version)
        if row is not None:
            out[name] = {key: value for key, value in row.items() if key not in ("since", "until")}
    return out


def names_at(document: Mapping[str, Any], key: str, version: str) -> list[str]:
    """Return the names of a plain table (``env``, ``spelling``) that hold for a version."""
    return [name for name, rows in document.get(key, {}).items() if at(rows, version)]
