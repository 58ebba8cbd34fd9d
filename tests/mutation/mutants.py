"""The mutants: small changes of the core, each of which some test must notice."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).with_name("mutants.json")
SWITCH = "{on}"  # where it stands in `new`, the mutant is on


@dataclass(frozen=True)
class Mutant:
    """One change: `old` stands once in the file; `new` is an expression in its place, or text with
    the switch in it."""

    id: str
    room: str
    file: str
    what: str
    old: str
    new: str

    def applied(self, source: str, number: int) -> str:
        """The source with the mutant in it, switched by its number."""
        switch = f"quantmap_mutant({number})"
        if SWITCH in self.new:
            return source.replace(self.old, self.new.replace(SWITCH, switch))
        return source.replace(self.old, f"({switch} ? ({self.new}) : ({self.old}))")

    def key(self, source: str) -> str:
        """A name for the mutant in this source: it changes when either does."""
        text = "\0".join((self.old, self.new, source))
        return f"{self.id}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"


def read() -> list[Mutant]:
    """All mutants, in the order of the file."""
    return [Mutant(**item) for item in json.loads(DATA.read_text(encoding="utf-8"))["mutants"]]


def stale(mutants: list[Mutant]) -> list[str]:
    """Those whose place in the core is not there, or is not the only one like it."""
    sources = {mutant.file: "" for mutant in mutants}
    for name in sources:
        path = ROOT / name
        sources[name] = path.read_text(encoding="utf-8") if path.is_file() else ""
    return [mutant.id for mutant in mutants if sources[mutant.file].count(mutant.old) != 1]
