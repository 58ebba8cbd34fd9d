"""Help as wide as the terminal: folded at words, and never inside a flag or an example."""

from __future__ import annotations

import click

from .introduction import WIDEST, paragraphs
from .style import folded, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

_NAMES = 26  # the most characters of a list's first column


class Formatter(click.HelpFormatter):
    """Folds where click would break a flag at its hyphens."""

    def __init__(self, *_: object, **__: object) -> None:
        super().__init__(width=min(room(), WIDEST))

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """One usage."""
        hanging = " " * (self.current_indent + 4)
        words = f"{prefix or 'Usage: '}{prog} {args}".rstrip()
        self.write("\n".join(folded(words, self.width, "", hanging)) + "\n")

    def write_text(self, text: str) -> None:
        """Paragraphs; one that begins with a backspace is kept as it is, but for long commands."""
        self.write(paragraphs(text, self.width, " " * self.current_indent))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Names, each with what it means beside it or below."""
        rows = list(rows)
        names = [name for name, _ in rows if len(name) <= _NAMES]
        column = max(map(len, names), default=0) + self.current_indent + col_spacing
        for name, text in rows:
            beside = len(name) <= _NAMES
            if not beside:
                head = folded(name, self.width, " " * self.current_indent)
                self.write("".join(f"{line}\n" for line in head))
            first, *rest = folded(text or "", self.width, " " * column)
            if beside:
                first = f"{' ' * self.current_indent}{name}".ljust(column) + first[column:]
            self.write("".join(f"{line.rstrip()}\n" for line in [first, *rest]))


class Context(click.Context):
    """What writes help with `Formatter`."""

    formatter_class = Formatter


class Command(click.Command):
    """A verb whose help is folded."""

    context_class = Context

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Examples, each line as it is written."""
        if self.epilog:
            formatter.write_paragraph()
            with formatter.indentation():
                formatter.write_text(self.epilog)


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], Command]:
    """A verb that is declared by click itself; options that stand nearest to it may be shared ones
    of `declare`."""

    def made(function: Callable[..., Any]) -> Command:
        own = vars(function)
        further = own.pop("__click_params__", [])
        for parameter in reversed(own.pop("declared", [])):
            parameter.clicked(function)
        own["__click_params__"] = [*own.get("__click_params__", []), *further]
        return click.command(name, cls=Command, **settings)(function)

    return made
