"""Tables for people: colours on a terminal, plain columns elsewhere."""

from __future__ import annotations

import shlex
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..check import CheckResult
from ..mapping import Mapping

_STYLES = {
    "applied": ("✓", "green"),
    "replaced": ("↻", "cyan"),
    "ignored": ("–", "yellow"),
    "falls-back": ("↓", "yellow"),
    "not-supported": ("✗", "red"),
    "renamed": ("✓", "green"),
    "degraded": ("↓", "yellow"),
    "dropped": ("✗", "red"),
    "cannot-serve": ("✗", "red"),
}

_VERDICTS = {
    "accepted": ("✓", "green"),
    "assumed": ("?", "yellow"),
    "no-effect": ("–", "yellow"),
}


def console(*, error: bool = False) -> Console:
    """A console on stdout or stderr; wide and plain when it is not a terminal."""
    stream = sys.stderr if error else sys.stdout
    width = None if stream.isatty() else 180
    return Console(file=stream, width=width, highlight=False, soft_wrap=False)


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
        words.append(name if value is True else f"{name}{link}{shlex.quote(str(value))}")
    return " ".join(words)


def _table(title: str, terminal: bool, columns: tuple[str, ...]) -> Table:
    table = Table(
        title=Text(title),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD if terminal else None,
        pad_edge=False,
        header_style="bold" if terminal else "",
    )
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _mark(word: str, symbol: str, style: str, terminal: bool) -> Text:
    return Text(f"{symbol} {word}", style=style if terminal else "")


def show_pairs(title: str, pairs: dict[str, str]) -> None:
    """Names and what they are."""
    out = console()
    table = _table(title, out.is_terminal, ("part", "is"))
    for name, value in pairs.items():
        table.add_row(Text(name), Text(value))
    out.print(table)


def show_verdicts(result: CheckResult) -> None:
    """A verdict on every argument of a launch line."""
    out = console()
    title = f"{result.engine_name} {result.version}" + (
        f" · {result.model}" if result.model else ""
    )
    table = _table(title, out.is_terminal, ("argument", "value", "verdict", "why", "instead"))
    for verdict in result.verdicts:
        symbol, style = _VERDICTS.get(verdict.verdict, ("✗", "red"))
        table.add_row(
            Text(verdict.argument),
            Text(verdict.value),
            _mark(verdict.verdict, symbol, style, out.is_terminal),
            Text(verdict.reason or "-"),
            Text(verdict.hint or "-"),
        )
    out.print(table)
    refused = sum(verdict.refused for verdict in result.verdicts)
    out.print(Text(f"\n{refused} refused of {len(result.verdicts)}"))
    for note in result.notes:
        out.print(Text(f"note: {note.message}"), soft_wrap=True)


def show_changes(changes: dict[str, Any]) -> None:
    """What is different between two releases."""
    out = console()
    title = f"{changes['engine']} {changes['from']} → {changes['to']}"
    table = _table(title, out.is_terminal, ("what", "name", "before", "after"))
    for what, items in changes.items():
        if not isinstance(items, dict) or what == "catalog":
            continue
        for name, (before, after) in items.items():
            shown = ["-" if value is None else str(value) for value in (before, after)]
            table.add_row(Text(what), Text(name), Text(shown[0]), Text(shown[1]))
    if table.row_count:
        out.print(table)
    else:
        out.print(Text(f"{title}: nothing changes"))


def show_matrix(title: str, rows: list[dict[str, Any]]) -> None:
    """Every value of every field on one release."""
    out = console()
    table = _table(title, out.is_terminal, ("field", "value", "outcome", "arguments", "why"))
    for row in rows:
        symbol, style = _STYLES[row["outcome"]]
        table.add_row(
            Text(row["field"]),
            Text(row["asked"]),
            _mark(row["outcome"], symbol, style, out.is_terminal),
            Text(words_of(row["emitted"]) or "-"),
            Text(row["sentence"]),
        )
    out.print(table)


def show_mapping(mapping: Mapping, title: str) -> None:
    """The decisions of one mapping and its argument list."""
    out = console()
    terminal = out.is_terminal
    table = _table(title, terminal, ("setting", "asked", "outcome", "arguments", "why"))
    for decision in mapping.decisions:
        symbol, style = _STYLES[decision.outcome]
        table.add_row(
            Text(decision.field),
            Text(decision.asked),
            _mark(decision.outcome, symbol, style, terminal),
            Text(words_of(decision.emitted) or "-"),
            Text(decision.sentence),
        )
    out.print(table)
    line = " ".join(shlex.quote(word) for word in mapping.argv())
    out.print(Text(f"\narguments: {line or '(none)'}"), soft_wrap=True)
    for name, value in mapping.env.items():
        out.print(Text(f"environment: {name}={shlex.quote(value)}"), soft_wrap=True)
    for name, content in mapping.files.items():
        out.print(Text(f"file {name}:\n{content}".rstrip()), soft_wrap=True)


def show_warnings(mapping: Mapping, title: str) -> None:
    """The warnings of one mapping, on stderr."""
    out = console(error=True)
    for diagnostic in mapping.diagnostics:
        if diagnostic.severity == "warning":
            out.print(Text(f"{title}: warning: {diagnostic.message}"), soft_wrap=True)
