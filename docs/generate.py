#!/usr/bin/env python3
"""Fill the generated parts of README.md and docs/*.md from the installed quantmap.

Usage: python docs/generate.py write|check

A generated part stands between ``<!-- generated: NAME -->`` and ``<!-- end generated -->``.
Besides, the output below each ``$ quantmap ...`` line of a console block is what the command
prints. `write` brings both up to date, `check` says what is stale and exits 1. Everything is asked
of the compiled module, never read from the catalogue's files.
"""

from __future__ import annotations

import difflib
import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import _blocks
import _checked
import _cpp
import _four_field
import _hardware
import _kernels
import _memory
import _numerics
import _planner
import _reference
import _trouble
import _unified
import _ways
from _render import engines

REGION = re.compile(
    r"(<!-- generated: (?P<name>[\w-]+) -->\n)(?P<body>.*?)(<!-- end generated -->)", re.DOTALL
)
CURE = "python docs/generate.py write"

REGIONS: dict[str, Callable[[], str]] = {
    "support": _four_field.support,
    "grid": _four_field.grid,
    "four-field-mapping": _four_field.mapping_tables,
    "four-field-quantized": _four_field.quantized_table,
    "never-accepted": _four_field.never_accepted,
    "unified-methods": _unified.methods,
    "unified-marlin": _unified.marlin,
    "unified-fallbacks": _unified.fallbacks,
    "unified-variants": _unified.variants,
    "unified-settings": _unified.settings,
    "unified-order": _unified.order,
    "unified-fits": _unified.fits,
    "planner-sweeps": _planner.sweeps,
    "planner-examples": _planner.examples,
    "presets": _reference.preset_list,
    "preset-claims": _reference.preset_claims,
    "preset-configs": _reference.preset_configs,
    "preset-arguments": _reference.preset_arguments,
    "four-fields": _reference.four_fields,
    "unified-fields": _reference.unified_fields,
    "engines": _reference.engine_names,
    "diagnostics": _reference.diagnostics,
    "python-api": _reference.python_api,
    "cpp-example": _cpp.example,
    "cpp-header": _cpp.header,
    "checked-acceptance": _checked.acceptance,
    "checked-releases": _checked.known_releases,
    "trouble-counts": _trouble.counts,
    "recipes": _numerics.recipes,
    "memory-claims": _memory.claims,
    "memory-parts": _memory.parts,
    "memory-published": _memory.published,
    "memory-logs": _memory.logs,
    "memory-logs-corrected": _memory.corrected,
    "hardware-thresholds": _hardware.thresholds,
    "hardware-cuda": _hardware.cuda,
    "hardware-details": _hardware.details,
    "hardware-products": _hardware.products,
    "way-of-a-config": _ways.config,
    "way-of-a-line": _ways.line,
    "checked-releases-readme": functools.partial(_checked.known_releases, "docs/"),
}
for _engine in engines():
    for _name, _make in {
        "releases": _checked.engine_releases,
        "matrix": _checked.matrix,
        "presets": _checked.presets,
        "precision": _checked.precision,
        "checkpoints": _checked.checkpoints,
        **({"backends": _kernels.backends} if _kernels.known(_engine) else {}),
    }.items():
        REGIONS[f"{_engine['id'].replace('_', '-')}-{_name}"] = functools.partial(_make, _engine)


class PageError(Exception):
    """A page that cannot be generated."""


def regenerate(text: str, page: Path, used: set[str]) -> str:
    """A page with every region and every command output as it should be."""

    def fill(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in REGIONS:
            known = ", ".join(sorted(REGIONS))
            raise PageError(f"{page}: no region {name!r}; known: {known}")
        used.add(name)
        return f"{match[1]}\n{REGIONS[name]()}\n\n{match[4]}"

    if text.count("<!-- generated: ") != len(REGION.findall(text)):
        raise PageError(f"{page}: a generated region is not closed")
    return _blocks.refresh(REGION.sub(fill, text))


def main(arguments: list[str]) -> int:
    """Write or check every page."""
    if arguments not in (["write"], ["check"]):
        print(f"usage: {CURE}|check", file=sys.stderr)
        return 2
    used: set[str] = set()
    stale = 0
    for page in _blocks.pages():
        before = page.read_text(encoding="utf-8")
        try:
            after = regenerate(before, page, used)
        except PageError as error:
            print(error, file=sys.stderr)
            return 1
        if before == after:
            continue
        name = str(page.relative_to(_blocks.ROOT))
        if arguments == ["write"]:
            page.write_text(after, encoding="utf-8")
            print(f"wrote {name}")
            continue
        stale += 1
        lines = difflib.unified_diff(
            before.splitlines(), after.splitlines(), name, f"{name}, as it should be", lineterm=""
        )
        print("\n".join(lines))
    missing = sorted(set(REGIONS) - used)
    if missing:
        print(f"no page shows: {', '.join(missing)}", file=sys.stderr)
        return 1
    if stale:
        print(f"\n{stale} page(s) are stale; run:  {CURE}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
