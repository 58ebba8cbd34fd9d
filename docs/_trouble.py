"""Generated tables of known trouble, and of what loaders cannot load."""

from __future__ import annotations

import collections

from _render import engines, table
from quantmap import _core

EFFECTS = {
    "garbage": "wrong output",
    "crash": "a crash",
    "no-load": "weights are not loaded",
    "no-start": "it does not start",
    "slow": "far slower",
    "memory": "more memory",
    "other-kernel": "another kernel",
}


def counts() -> str:
    """How many entries of each effect there are, by engine."""
    rows = []
    for engine in engines():
        found = _core.known_troubles(engine["id"])
        if not found:
            continue
        told = [row for row in found if row["verdict"] == "known-trouble"]
        kinds = collections.Counter(row["effect"] for row in told)
        shown = [f"{kinds[effect]} {words}" for effect, words in EFFECTS.items() if kinds[effect]]
        rows.append((engine["name"], ", ".join(shown), str(len(found) - len(told))))
    return table(("engine", "known trouble", "what loaders refuse"), rows)
