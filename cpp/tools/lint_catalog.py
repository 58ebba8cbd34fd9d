#!/usr/bin/env python3
"""Lint the catalogue: shapes, references, completeness of the rows, texts, evidence.

Usage: lint_catalog.py [--catalog DIR] [--sources DIR ...]

Prints every finding with its file, its place and the cure, and exits with 1 when there is one. The
rules are in the package lint beside this file; each is a function from a catalogue to findings.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lint import (
    checked_references,
    checked_rows,
    contents,
    references,
    rows,
    schemas,
    trouble,
)
from lint.model import Catalog, Finding

ROOT = Path(__file__).resolve().parents[2]
CODE = [ROOT / "cpp" / "include", ROOT / "cpp" / "src", ROOT / "python"]
# A stage relies on what the stages before it have checked.
STAGES = (
    schemas.RULES,
    (*references.RULES, *checked_references.RULES, *trouble.RULES),
    (*contents.RULES, *rows.RULES, *checked_rows.RULES),
)


def lint(catalog: Catalog) -> list[Finding]:
    """Every finding of the first stage that has one."""
    findings = list(catalog.findings)
    for stage in STAGES:
        if findings:
            break
        for rule in stage:
            findings += rule(catalog)
    return findings


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when all is well, 1 with findings, 2 when it cannot run."""
    parser = argparse.ArgumentParser(description="Lint the catalogue.")
    parser.add_argument("--catalog", type=Path, default=ROOT / "cpp" / "catalog")
    parser.add_argument("--sources", type=Path, nargs="*", default=CODE)
    options = parser.parse_args(arguments)
    try:
        findings = lint(Catalog.load(options.catalog, options.sources))
    except ModuleNotFoundError as error:
        print(f"lint_catalog: {error}; pip install jsonschema", file=sys.stderr)
        return 2
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings" if findings else "the catalogue is clean")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
