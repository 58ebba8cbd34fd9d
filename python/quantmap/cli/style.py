"""How text looks: colours only on a terminal that wants them, nothing that could steer it."""

from __future__ import annotations

import os
import sys

from .. import _core
from . import declare

# Each outcome and verdict: a symbol and a colour, always beside the word itself.
MARKS = {
    "applied": ("✓", "green"),
    "renamed": ("✓", "green"),
    "accepted": ("✓", "green"),
    "fits": ("✓", "green"),
    "replaced": ("↻", "cyan"),
    "degraded": ("↓", "yellow"),
    "tight": ("✓", "yellow"),
    "fits-with-less-context": ("↓", "yellow"),
    "falls-back": ("↓", "yellow"),
    "ignored": ("–", "yellow"),
    "no-effect": ("–", "yellow"),
    "left": ("–", "white"),
    "assumed": ("?", "yellow"),
    "deprecated": ("!", "yellow"),
}
_BAD = ("✗", "red")
_SAFE = frozenset("%+,-./0123456789:=@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_WIDEST = 100
INDENT = " " * 4


def colourful(*, error: bool = False) -> bool:
    """Whether colours are wanted: a terminal, and no ``NO_COLOR`` in the environment."""
    stream = sys.stderr if error else sys.stdout
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not plain


def printable(text: str) -> str:
    """Text in which what a terminal would act on, or nobody would see, is shown as its escape."""
    return text if text.isascii() and text.isprintable() else _core.printable(text)


def quoted(word: str) -> str:
    """A word as a shell reads it back: the function of shlex, whose import is dear."""
    if word and _SAFE.issuperset(word):
        return word
    return "'" + word.replace("'", "'\"'\"'") + "'"


def paint(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Text in a colour where colours are wanted, else as it is."""
    if not colourful():
        return text
    return declare.style(text, colour, bold=bold)


def marked(word: str) -> str:
    """A word with its symbol in front, such as ``✓ applied``."""
    symbol, _ = MARKS.get(word, _BAD)
    return f"{symbol} {word}"


def colour_of(word: str) -> str:
    """The colour that goes with a word of `MARKS`."""
    return MARKS.get(word, _BAD)[1]


def _columns() -> int:
    """The width of text: the terminal's, or `COLUMNS`; shutil's function, whose import is dear."""
    try:
        return int(os.environ.get("COLUMNS") or os.get_terminal_size(sys.stdout.fileno()).columns)
    except (OSError, ValueError):
        return _WIDEST


def width() -> int:
    """How wide text may be: no wider than is good to read, no narrower than a word needs."""
    return max(min(_columns(), _WIDEST), 40)


def wrap(text: str, indent: str = "", hanging: str | None = None) -> str:
    """A paragraph that fits the terminal; no word is broken, so that it can be copied."""
    most = width()
    first, *words = printable(text).split(" ")
    lines, line = [], indent + first
    for word in words:
        joined = f"{line} {word}"
        if len(joined) > most:
            lines.append(line)
            joined = (indent if hanging is None else hanging) + word
        line = joined
    return "\n".join([*lines, line])


def as_typed(hint: str) -> str:
    """A hint that names keywords of Python functions, with the options of the command instead."""
    for keyword in ("model_quantization", "engine_version", "checkpoint", "gpu"):
        hint = hint.replace(f"give {keyword}", f"give --{keyword.replace('_', '-')}")
        hint = hint.replace(f"or {keyword}", f"or --{keyword.replace('_', '-')}")
    return hint


def show_line(word: str, what: str, width: int = 15) -> None:
    """An outcome or verdict, and what it is about: one line, however long it is."""
    shown = paint(f"{marked(word):<{width}}", colour_of(word))
    declare.echo(f"  {shown} {printable(what)}")


def show_detail(word: str, text: str) -> None:
    """What belongs to the line above, such as why it is so."""
    declare.echo(wrap(f"{word}: {text}", INDENT, INDENT + "  "))
