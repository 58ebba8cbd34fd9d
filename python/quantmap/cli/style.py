"""How text looks: colours only on a terminal that wants them, nothing that could steer it."""

from __future__ import annotations

import os
import sys

from .. import _core
from . import declare

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..errors import Diagnostic

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
    "not-set": ("–", "white"),
    "assumed": ("?", "yellow"),
    "deprecated": ("!", "yellow"),
    "known-trouble": ("!", "yellow"),
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


def room() -> int:
    """How many characters a line of text may have."""
    return max(min(_columns(), _WIDEST), 40)


def wrap(text: str, indent: str = "", hanging: str | None = None) -> str:
    """A paragraph that fits the terminal; no word is broken, so that it can be copied."""
    return "\n".join(folded(printable(text), room(), indent, hanging))


def folded(text: str, width: int, indent: str = "", hanging: str | None = None) -> list[str]:
    """Lines of at most a width, unless a word alone is longer."""
    first, *words = text.split(" ")
    lines, line = [], indent + first
    for word in words:
        joined = f"{line} {word}"
        if len(joined) > width:
            lines.append(line)
            joined = (indent if hanging is None else hanging) + word
        line = joined
    return [*lines, line]


def folded_command(line: str, indent: str = "", width: int | None = None) -> str:
    """A command of a shell, in lines that end with a backslash, so that it runs.

    Without a width it is the terminal's, and elsewhere a line stays one.
    """
    most = width or (room() if sys.stdout.isatty() else len(indent + line))
    if len(indent + line) <= most:
        return "\n".join(indent + part for part in line.split("\n"))
    pairs: list[str] = []
    for word in shell_words(line):
        if pairs and pairs[-1][:1] == "-" and word[:1] != "-" and " " not in pairs[-1]:
            pairs[-1] += " " + word
        else:
            pairs.append(word)
    lines = [indent + pairs[0]]
    for pair in pairs[1:]:
        joined = f"{lines[-1]} {pair}"
        if len(joined) <= most - 2:
            lines[-1] = joined
        else:
            lines.append(f"{indent}  {pair}")
    return " \\\n".join(lines)


def shell_words(line: str) -> list[str]:
    """The words of a command with their quotes: spaces inside of quotes do not end one."""
    words, word, quote = [], "", ""
    for character in line:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == " ":
            words.append(word)
            word = ""
            continue
        word += character
    return [*words, word]


def as_typed(hint: str) -> str:
    """A hint that names keywords of Python functions, with the options of the command instead."""
    for keyword in ("model_quantization", "engine_version", "checkpoint", "gpu"):
        hint = hint.replace(f"give {keyword}", f"give --{keyword.replace('_', '-')}")
        hint = hint.replace(f"or {keyword}", f"or --{keyword.replace('_', '-')}")
    return hint


def show_line(word: str, what: str, width: int = 15) -> None:
    """An outcome or verdict, and what it is about."""
    head = f"{marked(word):<{width}}"
    first, *rest = folded(printable(what), room() - 3 - len(head)) if _narrow() else [what]
    declare.echo(f"  {paint(head, colour_of(word))} {printable(first)}".rstrip())
    for line in rest:
        declare.echo(f"{INDENT}{INDENT}{line}")


def _narrow() -> bool:
    """Whether lines have to fit: elsewhere than on a terminal they are for programs as well."""
    return sys.stdout.isatty()


def show_detail(word: str, text: str) -> None:
    """What belongs to the line above, such as why it is so."""
    declare.echo(wrap(f"{word}: {text}", INDENT, INDENT + "  "))


def release_words(engine: str, version: str | None, diagnostics: Iterable[Diagnostic]) -> str:
    """``vLLM 0.33.0``, or ``vLLM 0.33.0 in place of 0.34.0`` when it stands in for another."""
    words = f"{engine} {version or ''}".rstrip()
    for item in diagnostics:
        asked = item.context.get("value", "").strip("'")
        own = item.context.get("engine", engine) == engine
        if own and asked and item.code in ("version-newer", "version-between"):
            return f"{words} in place of {asked}"
    return words


def progress_bar(length: int, label: str) -> Any:
    """A bar on stderr that keeps within the terminal, with its label and the time left."""
    import click

    around = len(label) + len("  []  100%  00:00:00") + 1
    width = max(5, min(36, room() - around))
    return click.progressbar(length=length, label=label, file=sys.stderr, width=width)
