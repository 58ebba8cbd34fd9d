"""Which statement the catalogue covers, which is out of its scope and why, and which is open."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from .statements import Statement

SOURCE = re.compile(r"\S+\.(?:tar\.gz|whl|zip) (?P<path>\S+?)(?:, (?P<symbol>.+))?")


@dataclass(frozen=True)
class Judged:
    """A statement, and what became of it: covered by what, out of scope and why, or open."""

    statement: Statement
    state: str  # covered, out-of-scope or open
    by: str


class Judge:
    """Holds statements against the evidence of an engine's tables and against the scopes."""

    def __init__(self, scopes: dict[str, Any], tables: dict[str, list[dict[str, Any]]]) -> None:
        self.topics = re.compile(scopes["topics"], re.IGNORECASE)
        self.roots = re.compile(scopes["roots"])
        self.out = [(_pattern(row), row["reason"]) for row in scopes["out"]]
        self.predicates = [(_pattern(row), row["table"]) for row in scopes["predicates"]]
        self.evidence = _places(tables)

    def is_about(self, statement: Statement) -> bool:
        """Whether it says something of what the catalogue is about at all."""
        return bool(self.topics.search(f"{statement.path} {statement.owner} {statement.text}"))

    def judge(self, statement: Statement) -> Judged:
        """Evidence first: what a rule names is covered, whatever its kind."""
        for owner in _owners(statement.owner):
            by = self.evidence.get((statement.path, owner))
            if by is not None:
                return Judged(statement, "covered", by)
        for matches, reason in self.out:
            if matches(statement):
                return Judged(statement, "out-of-scope", reason)
        for matches, table in self.predicates:
            if matches(statement):
                return Judged(statement, "covered", table)
        return Judged(statement, "open", "")


def _pattern(row: dict[str, Any]) -> Any:
    parts = {key: re.compile(row[key]) for key in ("path", "owner", "text", "kind") if key in row}
    return lambda statement: all(
        expression.search(getattr(statement, key)) for key, expression in parts.items()
    )


def _owners(owner: str) -> list[str]:
    """The ways in which evidence names a place: the whole of it, its last parts."""
    parts = owner.split(".")
    return [".".join(parts[start:]) for start in range(len(parts))] + [parts[0]]


def _places(tables: dict[str, list[dict[str, Any]]]) -> dict[tuple[str, str], str]:
    """File and symbol of each piece of evidence → the entry that it belongs to."""
    out: dict[tuple[str, str], str] = {}
    for table, rows in tables.items():
        for number, row in enumerate(rows):
            for text in row.get("evidence", []):
                found = SOURCE.fullmatch(text)
                if found is None or found["symbol"] is None:
                    continue
                for symbol in re.split(r"[ ,]+", found["symbol"]):
                    name = symbol.strip("().")
                    entry = f"{table}: {row.get('id', number)}"
                    out.setdefault((found["path"], name), entry)
                    out.setdefault((found["path"], name.rsplit(".", 1)[-1]), entry)
    return out


def share(judged: list[Judged]) -> tuple[int, int]:
    """How many statements in scope are covered, and how many there are."""
    states = Counter(item.state for item in judged)
    return states["covered"], states["covered"] + states["open"]
