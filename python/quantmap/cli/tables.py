"""What people read: tables, and lists of sentences that are too long for the cells of one.

On a terminal a table is drawn, and what `map` and `check` say is a list; elsewhere every row is a
line of aligned columns. The library that draws is imported only where it does: it costs as much as
everything else of a command's start.
"""

from __future__ import annotations

import sys

from ..mapping import Decision, Mapping
from . import declare
from .style import colour_of, marked, paint, printable, quoted, show_detail, show_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


class Mark(str):
    """A word of a cell that is shown with its symbol, and on a terminal in its colour."""

    __slots__ = ()


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Draw a table: folded to fit on a terminal, else in aligned columns."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _draw(printable(title), columns, cells)
        return
    lines = [list(columns), *([text for text, _ in row] for row in cells)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    declare.echo(printable(title))
    for line in lines:
        padded = (text.ljust(width) for text, width in zip(line, widths))
        declare.echo("  ".join(padded).rstrip())


def _shown(cell: str) -> tuple[str, str]:
    """What a cell shows, and in which colour."""
    return (marked(cell), colour_of(cell)) if isinstance(cell, Mark) else (printable(cell), "")


def _draw(title: str, columns: Sequence[str], rows: list[list[tuple[str, str]]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(text, style=colour) for text, colour in row))
    Console(highlight=False).print(table)


def say(text: str = "", *, error: bool = False) -> None:
    """A line of text on stdout or stderr, as long as it is."""
    declare.echo(printable(text), err=error)


def words_of(emitted: dict[str, str | bool]) -> str:
    """Flags and values as they would be typed; of a file only the name."""
    words: list[str] = []
    for name, value in emitted.items():
        file, mark, _ = name.partition("#")
        if mark and not name.startswith("-"):
            if file not in words:
                words.append(file)
            continue
        link = " " if name.startswith("-") else "="  # a flag, or a variable
        words.append(name if value is True else f"{name}{link}{quoted(str(value))}")
    return " ".join(words)


def setting_of(decision: Decision) -> str:
    """A setting, and what it has become."""
    emitted = words_of(decision.emitted)
    arrow = f" → {emitted}" if emitted else ""
    return f"{decision.field} {decision.asked}{arrow}"


def show_pairs(title: str, pairs: dict[str, str]) -> None:
    """Names and what they are."""
    show_table(title, ("part", "is"), pairs.items())


def show_changes(changes: dict[str, Any]) -> None:
    """What is different between two releases."""
    title = f"{changes['engine']} {changes['from']} → {changes['to']}"
    rows = [
        (what, name, *("-" if value is None else str(value) for value in (before, after)))
        for what, items in changes.items()
        if isinstance(items, dict) and what != "catalog"
        for name, (before, after) in items.items()
    ]
    if rows:
        show_table(title, ("what", "name", "before", "after"), rows)
    else:
        say(f"{title}: nothing changes")


def show_matrix(title: str, rows: list[dict[str, Any]]) -> None:
    """Every value of every field on one release."""
    cells = [
        (
            row["field"],
            row["asked"],
            Mark(row["outcome"]),
            words_of(row["emitted"]) or "-",
            row["sentence"],
        )
        for row in rows
    ]
    show_table(title, ("field", "value", "outcome", "arguments", "why"), cells)


def show_kernels(title: str, rows: list[dict[str, Any]]) -> None:
    """What each attention backend takes."""
    cells = [
        (
            row["backend"],
            " ".join(row["gpus"]),
            " ".join(row["models"]),
            " ".join(row["dtypes"]),
            " ".join([*row["kv"], *(f"{name}?" for name in row["maybe_kv"])]),
            "yes" if row["sinks"] else "no",
        )
        for row in rows
    ]
    show_table(title, ("backend", "GPUs", "attention", "types", "KV cache", "sinks"), cells)


def show_trouble(title: str, rows: list[dict[str, Any]]) -> None:
    """What is known to go wrong with a release."""
    cells = [
        (
            row["effect"],
            words_of_terms(row),
            " ".join(row["gpus"]) or "any",
            row["what"],
            row["cure"] or "-",
            row["evidence"][0],
        )
        for row in rows
    ]
    head = ("what happens", "with", "GPUs", "why", "instead", "read in")
    show_table(title, head, cells)


def words_of_terms(row: dict[str, Any]) -> str:
    """The settings and models that trouble is about, as people write them."""

    def one(name: str, term: tuple[bool, list[str]]) -> str:
        is_listed, values = term
        shown = [value or "(not set)" for value in values]
        return f"{name} {'' if is_listed else 'not '}{'|'.join(shown)}"

    words = [one(name, term) for name, term in row["when"].items()]
    is_listed, types = row["types"]
    if types:
        some = types if len(types) <= 4 else [*types[:4], f"and {len(types) - 4} more"]
        words.append(one("model", (is_listed, some)))
    return ", ".join(words) or "any arguments"


def show_mapping(mapping: Mapping, title: str) -> None:
    """The decisions of one mapping and its argument list."""
    if sys.stdout.isatty():
        declare.echo(paint(printable(title), bold=True))
        for decision in mapping.decisions:
            show_line(decision.outcome, setting_of(decision))
            show_detail("why", decision.sentence)
    else:
        rows = [
            (
                decision.field,
                decision.asked,
                Mark(decision.outcome),
                words_of(decision.emitted) or "-",
                decision.sentence,
            )
            for decision in mapping.decisions
        ]
        show_table(title, ("setting", "asked", "outcome", "arguments", "why"), rows)
    line = " ".join(quoted(word) for word in mapping.argv())
    declare.echo(f"\narguments: {printable(line) or '-'}")
    for name, value in mapping.env.items():
        say(f"environment: {name}={quoted(value)}")
    for name, content in mapping.files.items():
        say(f"file {name}:")
        for text in content.rstrip().splitlines():
            say(text)


def show_problems(mapping: Mapping, title: str) -> None:
    """Warnings and errors of a mapping, on stderr; on a terminal not what its list says already."""
    told = {item.sentence for item in mapping.decisions} if sys.stdout.isatty() else set()
    for diagnostic in mapping.diagnostics:
        if diagnostic.severity == "info" or diagnostic.message in told:
            continue
        hint = f" ({diagnostic.hint})" if diagnostic.hint and diagnostic.severity == "error" else ""
        say(f"{title}: {diagnostic.severity}: {diagnostic.message}{hint}", error=True)


def is_refused(mapping: Mapping) -> bool:
    """Whether the release refuses something of it, which was passed on as given."""
    return any(diagnostic.severity == "error" for diagnostic in mapping.diagnostics)
