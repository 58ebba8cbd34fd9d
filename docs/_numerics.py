"""The recipes, by who has them."""

from __future__ import annotations

import quantmap
from _render import code, table
from quantmap import _core


def recipes() -> str:
    """A table for each engine and library: schemes, releases, formulas."""
    parts = []
    for maker in _core.recipe_makers():
        rows = []
        for recipe in quantmap.recipes(maker["id"]):
            until = f", before {recipe.until}" if recipe.until else ""
            word = "assumed" if recipe.assumed else f"from {recipe.since}{until}"
            rows.append([code(recipe.scheme), recipe.title, recipe.formula, word])
        parts.append(
            f"### {maker['name']}\n\nRead through {maker['read']}.\n\n"
            + table(["scheme", "what", "formula", "releases"], rows)
        )
    return "\n\n".join(parts)
