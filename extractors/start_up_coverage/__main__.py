#!/usr/bin/env python3
"""Start-up coverage: of the statements that stop a launch, how many does the catalogue know?

Usage: start_up_coverage ENGINE SOURCES [--catalog DIR] [--open] [--json]

SOURCES is the unpacked source archive of a release (what extract_surface keeps in its cache).
Raise and assert statements that start-up or loading can reach, and that say something of
quantization, KV cache, attention, experts, types or parallel sizes, are tied to the rule, shape,
predicate or entry of the catalogue whose evidence names the place, or are out of scope for a
reason. --open lists the rest.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from start_up_coverage.judge import Judge, Judged, share  # noqa: E402
from start_up_coverage.statements import statements  # noqa: E402

CATALOG = HERE.parents[1] / "cpp" / "catalog"
TABLES = ("rules", "shapes", "meanings", "precision", "rows")


def tables_of(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of an engine that carry evidence, by table."""

    def read(name: str) -> dict[str, Any]:
        path = folder / name
        found: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
        return found

    checked = read("checked.json")
    names = checked.get("evidence", {})
    out = {
        name: [
            {**row, "evidence": [names.get(text, text) for text in row.get("evidence", [])]}
            for row in checked.get(name, [])
        ]
        for name in TABLES
    }
    out["loaders"] = read("loaders.json").get("loaders", [])
    return out


def measure(engine: str, sources: Path, catalog: Path = CATALOG) -> list[Judged]:
    """Every statement about the subject, judged."""
    scopes = json.loads((HERE / "scopes.json").read_text("utf-8"))
    scopes = {**scopes["common"], **scopes[engine]} | {
        key: scopes["common"][key] + scopes[engine].get(key, []) for key in ("out", "predicates")
    }
    judge = Judge(scopes, tables_of(catalog / "engines" / engine))
    found = statements(sources, judge.roots.search)
    return [judge.judge(statement) for statement in found if judge.is_about(statement)]


def report(judged: list[Judged]) -> str:
    """The number, and what it is made of."""
    covered, scope = share(judged)
    lines = [
        f"{len(judged)} statements, {scope} in scope, {covered} covered ({covered / scope:.0%})",
        f"of all statements, whatever their subject: {covered / max(1, len(judged)):.0%}",
    ]
    for state, title in (("covered", "covered by"), ("out-of-scope", "out of scope")):
        kinds = Counter(item.by.split(":")[0] for item in judged if item.state == state)
        lines.append(f"{title}:")
        lines += [f"  {count:5} {kind}" for kind, count in kinds.most_common()]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="How much of start-up the catalogue knows.")
    parser.add_argument("engine", choices=("vllm", "sglang"))
    parser.add_argument("sources", type=Path)
    parser.add_argument("--catalog", type=Path, default=CATALOG)
    parser.add_argument("--open", action="store_true", help="list what is not covered")
    parser.add_argument("--json", action="store_true", help="every statement as JSON")
    options = parser.parse_args(arguments)
    if not options.sources.is_dir():
        parser.error(f"{options.sources}: no such folder")
    judged = measure(options.engine, options.sources, options.catalog)
    if options.json:
        rows = [{**vars(j.statement), "state": j.state, "by": j.by} for j in judged]
        print(json.dumps(rows, indent=1))
        return 0
    print(report(judged))
    for item in judged if options.open else []:
        if item.state == "open":
            found = item.statement
            print(f"{found.path}:{found.line} {found.owner} [{found.kind}] {found.text[:160]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
