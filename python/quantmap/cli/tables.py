"""What people read: tables, and lists of sentences that are too long for the cells of one.

On a terminal nothing is wider than it: a table's last column is folded, or what does not fit stands
below its row. Words are never broken, so that a flag can be copied. Elsewhere every row is a line
of aligned columns.
"""

from __future__ import annotations

import sys

from ..mapping import Decision, Mapping
from . import declare
from .style import (
    INDENT,
    colour_of,
    folded,
    folded_command,
    marked,
    paint,
    printable,
    quoted,
    room,
    show_detail,
    show_line,
    wrap,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any


_PROSE = 28  # the least width of a column of sentences
_EXACT = ("applied", "renamed")


class Mark(str):
    """A word of a cell that is shown with its symbol, and on a terminal in its colour."""

    __slots__ = ()


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table: as wide as the terminal at most, else in aligned columns."""
    cells = [[_shown(cell) for cell in row] for row in rows]
    if title:
        say(title, bold=True)
    lines = [[(name, "") for name in columns], *cells]
    widths = [max(len(line[place][0]) for line in lines) for place in range(len(columns))]
    fitting = _fitting(widths, lines) if sys.stdout.isatty() else len(widths)
    for number, line in enumerate(lines):
        _row(line[:fitting], widths, head=number == 0)
        for name, (text, colour) in zip(columns[fitting:], line[fitting:] if number else []):
            if text not in ("", "-"):
                declare.echo(paint(wrap(f"{name}: {text}", INDENT, INDENT + "  "), colour or None))


def _fitting(widths: list[int], lines: list[list[tuple[str, str]]]) -> int:
    """How many columns fit side by side; the last is made narrower when sentences fit into it."""
    width = room()
    used = count = 0
    for size in widths:
        used += size + 2
        if used - 2 > width and count:
            break
        count += 1
    left = width - sum(widths[:-1]) - 2 * (len(widths) - 1)
    longest = max(len(word) for line in lines for word in line[-1][0].split(" "))
    if count == len(widths) - 1 and left >= max(longest, _PROSE):
        widths[-1] = left
        return len(widths)
    return count


def _row(line: list[tuple[str, str]], widths: list[int], *, head: bool) -> None:
    """A row; its last cell in several lines where it is longer than its column."""
    parts = [
        folded(text, max(size, 1)) for (text, _), size in zip(line[-1:], widths[len(line) - 1 :])
    ]
    before = "".join(
        paint(f"{text:<{size}}", colour or None, bold=head) + "  "
        for (text, colour), size in zip(line[:-1], widths)
    )
    colour = line[-1][1] or None
    pad = sum(widths[: len(line) - 1]) + 2 * (len(line) - 1)
    first, *rest = parts[0]
    declare.echo((before + paint(first, colour, bold=head)).rstrip())
    for text in rest:
        declare.echo(" " * pad + paint(text, colour))


def _shown(cell: str) -> tuple[str, str]:
    """What a cell shows, and in which colour."""
    return (marked(cell), colour_of(cell)) if isinstance(cell, Mark) else (printable(cell), "")


def say(text: str = "", *, error: bool = False, bold: bool = False) -> None:
    """Text on stdout or stderr: on a terminal folded, else one line."""
    if (sys.stderr if error else sys.stdout).isatty():
        indent = text[: len(text) - len(text.lstrip(" "))]
        shown = wrap(text.lstrip(" "), indent, indent + "  ")
    else:
        shown = printable(text)
    declare.echo(paint(shown, bold=True) if bold else shown, err=error)


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


def reason_of(sentence: str, assumed: bool) -> str:
    """Why a setting became what it did, and whether that was only read."""
    return f"{sentence} (assumed: read in a source, not seen to happen)" if assumed else sentence


def show_matrix(title: str, rows: list[dict[str, Any]]) -> None:
    """Every value of every field on one release."""
    if not sys.stdout.isatty():
        cells = [
            (
                row["field"],
                row["asked"],
                Mark(row["outcome"]),
                words_of(row["emitted"]) or "-",
                reason_of(row["sentence"], row["assumed"]),
            )
            for row in rows
        ]
        show_table(title, ("field", "value", "outcome", "arguments", "why"), cells)
        return
    say(title, bold=True)
    before = None
    for row in rows:
        if row["field"] != before:
            declare.echo(f"\n{row['field']}")
            before = row["field"]
        words = words_of(row["emitted"])
        show_line(row["outcome"], row["asked"] + (f" → {words}" if words else ""))
        if row["outcome"] not in _EXACT:
            show_detail("why", reason_of(row["sentence"], row["assumed"]))


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
        say(title, bold=True)
        for decision in mapping.decisions:
            show_line(decision.outcome, setting_of(decision))
            if decision.given or decision.outcome not in _EXACT:
                show_detail("why", reason_of(decision.sentence, decision.assumed))
    else:
        rows = [
            (
                decision.field,
                decision.asked,
                Mark(decision.outcome),
                words_of(decision.emitted) or "-",
                reason_of(decision.sentence, decision.assumed),
            )
            for decision in mapping.decisions
        ]
        show_table(title, ("setting", "asked", "outcome", "arguments", "why"), rows)
    line = " ".join(quoted(word) for word in mapping.argv())
    declare.echo(folded_command(f"\narguments: {printable(line) or '-'}"))
    for name, value in mapping.env.items():
        say(f"environment: {name}={quoted(value)}")
    for name, content in mapping.files.items():
        say(f"file {name}:")
        for text in content.rstrip().splitlines():
            declare.echo(printable(text))


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
