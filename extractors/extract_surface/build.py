"""Fetches releases, reads them, and merges what was read into a surface document."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from . import fetch, index, merge
from .argparse_reader import unknown_count
from .readers import Engine, ReadError, Surface
from .versions import kind, sort_key

Reading = tuple[str, Surface, dict[str, Any]]


@dataclass(frozen=True)
class Options:
    """Where to look and how to report."""

    cache: Path
    index_url: str | None
    offline: bool
    report: Callable[[str], None]


def wanted(engine: Engine, offered: list[str]) -> list[str]:
    """Return the releases of an engine to read, in ascending order."""
    first = sort_key(engine.first)
    found = [v for v in offered if kind(v) in engine.kinds and sort_key(v) >= first]
    return sorted(found, key=sort_key)


def obtain(engine: Engine, versions: list[str], options: Options) -> list[tuple[str, Path]]:
    """Return the source folders of releases; of all offered ones if none is named."""
    if options.offline:
        have = list(fetch.unpacked(options.cache, engine.id))
        missing = [version for version in versions if version not in have]
        if missing:
            raise ReadError(f"not in the cache: {', '.join(missing)}")
        return [
            (v, options.cache / "src" / engine.id / v) for v in versions or wanted(engine, have)
        ]
    files = index.list_files(engine.package, options.index_url)
    missing = [version for version in versions if version not in files]
    if missing:
        raise ReadError(f"the index does not offer {engine.package} {', '.join(missing)}")
    out = []
    chosen = sorted(versions, key=sort_key) if versions else wanted(engine, list(files))
    for number, version in enumerate(chosen, 1):

        def report(text: str, number: int = number) -> None:
            options.report(f"[{number}/{len(chosen)}] {text}")

        folder = fetch.fetch(
            engine.id, version, index.choose(files[version]), engine.root, engine.suffixes,
            options.cache, report,
        )  # fmt: skip
        out.append((version, folder))
    return out


def read_all(engine: Engine, folders: list[tuple[str, Path]], options: Options) -> list[Reading]:
    """Read unpacked releases; one that cannot be read is reported and left out."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
    out = []
    for version, folder in folders:
        try:
            surface = engine.read(folder)
        except (ReadError, RuntimeError, SyntaxError) as error:
            options.report(f"{engine.id} {version}: not read: {error}")
            continue
        flags = surface.flags
        options.report(f"{engine.id} {version}: {len(flags)} flags, {unknown_count(flags)} unknown")
        for note in surface.notes:
            options.report(f"  note: {note}")
        out.append((version, surface, fetch.receipt(folder)))
    return out


def release_row(version: str, surface: Surface, receipt: dict[str, Any]) -> dict[str, Any]:
    """Return the provenance of a release."""
    row = {"version": version, "date": receipt["date"], "artifact": receipt["artifact"]}
    row["sha256"] = receipt["sha256"]
    row.update({key: True for key in ("partial", "yanked") if receipt.get(key)})
    return {**row, **surface.provenance}


def document(
    engine: Engine, rows: list[dict[str, Any]], parts: dict[str, Surface]
) -> dict[str, Any]:
    """Merge the surfaces of releases, given their provenance rows, into a document."""
    rows = sorted(rows, key=lambda row: sort_key(row["version"]))
    versions = [row["version"] for row in rows]
    out: dict[str, Any] = {"schema": merge.SCHEMA, "engine": engine.id, "package": engine.package,
                           "releases": rows}  # fmt: skip
    out["flags"] = merge.merge_flags([(v, parts[v].flags) for v in versions])
    for key in ("env", "spelling"):
        table = merge.merge_names([(v, getattr(parts[v], key)) for v in versions])
        if table:
            out[key] = table
    never = sorted({name for part in parts.values() for name in part.never})
    if never:
        out["never"] = never
    return out


def unmerge(existing: dict[str, Any]) -> dict[str, Surface]:
    """Return the surface of every release of a document."""
    return {
        row["version"]: Surface(
            merge.flags_at(existing, row["version"]),
            merge.names_at(existing, "env", row["version"]),
            [],
            merge.names_at(existing, "spelling", row["version"]),
            existing.get("never", []),
        )
        for row in existing["releases"]
    }


def update(
    engine: Engine, existing: dict[str, Any] | None, readings: list[Reading]
) -> dict[str, Any]:
    """Put new readings into a document (or start one); other releases stay as they are."""
    parts = unmerge(existing) if existing else {}
    rows = {row["version"]: row for row in existing["releases"]} if existing else {}
    for version, surface, receipt in readings:
        parts[version] = surface
        rows[version] = release_row(version, surface, receipt)
    return document(engine, list(rows.values()), parts)
