"""Verbs as data: said as to click, without importing click, which takes a third of a start.

A call written plainly (options in full, values that need no thought) is parsed here. Help,
completion, every error and everything unusual is for click, which is then imported and builds its
command from the same declaration.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Callable

    import click

    Function = Callable[..., Any]
    Decorator = Callable[[Function], Function]

_PLAIN = {
    "default",
    "help",
    "is_flag",
    "metavar",
    "multiple",
    "nargs",
    "required",
    "shell_complete",
}
_PLAIN |= {"show_default", "type"}
_STYLES = {"red": 31, "green": 32, "yellow": 33, "cyan": 36, "white": 37}


class ClickException(Exception):
    """What a verb cannot do, in a sentence."""


class UsageError(ClickException):
    """A command line that does not fit together; shown with the verb's usage."""


class Late:
    """A type of click's, by name, made when click is there; of a choice the words are known."""

    def __init__(self, name: str, *arguments: Any) -> None:
        self.name = name
        self.arguments = arguments

    def made(self) -> Any:
        """The type itself."""
        import click

        return getattr(click, self.name)(*self.arguments)


def Choice(words: list[str]) -> Late:
    """One of some words."""
    return Late("Choice", words)


def IntRange(least: int, most: int | None = None) -> Late:
    """A whole number, at least some number and at most another."""
    return Late("IntRange", least, most)


def FloatRange(least: float) -> Late:
    """A number, at least some number."""
    return Late("FloatRange", least)


class Parameter:
    """An option or an argument, and what click is told of it."""

    def __init__(self, kind: str, names: tuple[str, ...], settings: dict[str, Any]) -> None:
        self.kind = kind
        self.names = names
        self.settings = settings
        plain = [name for name in names if name[0] != "-"]
        spelt = plain[0] if plain else max(names, key=lambda name: name.startswith("--"))
        self.dest = spelt.partition("/")[0].lstrip("-").replace("-", "_")
        choice = settings.get("type")
        is_choice = isinstance(choice, Late) and choice.name == "Choice"
        self.words = choice.arguments[0] if choice and is_choice else None
        self.is_plain = settings.keys() <= _PLAIN and (choice is None or self.words is not None)
        pair = any("/" in name for name in names)
        self.is_flag = pair or bool(settings.get("is_flag"))
        self.many = bool(settings.get("multiple")) or settings.get("nargs") == -1

    def spellings(self) -> dict[str, Any]:
        """Every way to write an option, and the value of a flag written so."""
        found: dict[str, Any] = {}
        for name in self.names:
            on, pair, off = name.partition("/")
            if on[0] == "-":
                found[on] = True
                if pair:
                    found[off] = False
        return found

    def start(self) -> Any:
        """The value when nothing is written."""
        if self.many:
            return ()
        return self.settings.get("default", False if self.is_flag else None)

    def takes(self, value: str | None) -> bool:
        """Whether a text is a value that needs no second look."""
        if value is None or (value[:1] == "-" and value != "-"):
            return False
        return self.words is None or value in self.words

    def clicked(self, function: Function) -> Function:
        """The function with this parameter, as click declares it."""
        import click

        made = {
            key: value.made() if isinstance(value, Late) else value
            for key, value in self.settings.items()
        }
        declared: Function = getattr(click, self.kind)(*self.names, **made)(function)
        return declared


class Verb:
    """A verb: a function, its parameters and its help."""

    def __init__(self, name: str, callback: Function, settings: dict[str, Any]) -> None:
        self.name = name
        self.callback = callback
        self.settings = settings
        self.parameters: list[Parameter] = vars(callback).pop("declared", [])

    def parse(self, words: list[str]) -> dict[str, Any] | None:
        """The function's arguments; None when click has to look at the words."""
        if not all(parameter.is_plain for parameter in self.parameters):
            return None
        values = {parameter.dest: parameter.start() for parameter in self.parameters}
        waiting = [parameter for parameter in self.parameters if parameter.kind == "argument"]
        rest = iter(words)
        for word in rest:
            if word[:1] == "-" and word != "-":
                if not self._take(word, rest, values):
                    return None
            elif waiting:
                place = waiting[0] if waiting[0].many else waiting.pop(0)
                values[place.dest] = (*values[place.dest], word) if place.many else word
            else:
                return None
        missing = any(
            parameter.settings.get("required", not parameter.many) for parameter in waiting
        )
        return None if missing else values

    def _take(self, word: str, rest: Iterator[str], values: dict[str, Any]) -> bool:
        """Read an option, and its value from the rest; False when it is not plain."""
        name, joined, text = word.partition("=")
        for parameter in self.parameters:
            value = parameter.spellings().get(name)
            if value is None:
                continue
            if parameter.is_flag:
                values[parameter.dest] = value
                return not joined
            value = text if joined else next(rest, None)
            if not parameter.takes(value):
                return False
            place = values[parameter.dest]
            values[parameter.dest] = (*place, value) if parameter.many else value
            return True
        return False

    def command(self) -> click.Command:
        """The verb as click knows it."""
        import functools

        import click

        from .help import Command

        @functools.wraps(self.callback)
        def run(**values: Any) -> Any:
            try:
                return self.callback(**values)
            except UsageError as error:
                raise click.UsageError(str(error)) from None
            except ClickException as error:
                raise click.ClickException(str(error)) from None

        function: Function = run
        for parameter in reversed(self.parameters):
            function = parameter.clicked(function)
        made: click.Command = click.command(self.name, cls=Command, **self.settings)(function)
        return made


def _declare(kind: str, names: tuple[str, ...], settings: dict[str, Any]) -> Decorator:
    def declared(function: Function) -> Function:
        parameter = Parameter(kind, names, settings)
        if "__click_params__" in vars(function):  # of a verb that is declared by click itself
            return parameter.clicked(function)
        vars(function).setdefault("declared", []).insert(0, parameter)
        return function

    return declared


def option(*names: str, **settings: Any) -> Decorator:
    """An option, as click declares it."""
    return _declare("option", names, settings)


def argument(*names: str, **settings: Any) -> Decorator:
    """An argument, as click declares it."""
    return _declare("argument", names, settings)


def command(name: str, **settings: Any) -> Callable[[Function], Verb]:
    """A verb of the parameters that its function declares."""
    return lambda function: Verb(name, function, settings)


def echo(text: str | bytes = "", *, err: bool = False, nl: bool = True) -> None:
    """Print at once; bytes are printed as they are."""
    stream = sys.stderr if err else sys.stdout
    if isinstance(text, bytes):
        stream.flush()
        stream.buffer.write(text + b"\n" * nl)
    else:
        stream.write(f"{text}\n" if nl else text)
    stream.flush()


def style(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Text as a terminal shows it in a colour."""
    codes = f"\033[{_STYLES[colour]}m" if colour else ""
    return f"{codes}{chr(27)}[1m{text}\033[0m" if bold else f"{codes}{text}\033[0m"
