"""Per engine: where a release keeps its server flags, and what its parser leaves open."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from .argparse_reader import ParserModel, Record, to_flags
from .execute import Interpreter
from .tree import SourceTree
from .values import ClassValue, Function


@dataclass
class Surface:
    """What one release offers."""

    flags: dict[str, Record]
    env: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    spelling: list[str] = field(default_factory=list)
    never: list[str] = field(default_factory=list)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Engine:
    """Where an engine's releases come from and how to read them."""

    id: str
    package: str
    root: str
    first: str
    kinds: tuple[str, ...]
    read: Callable[[Path], Surface]
    suffixes: tuple[str, ...] = (".py",)


class ReadError(Exception):
    """A release's source does not have the expected shape."""


def interpreter(folder: Path) -> Interpreter:
    """Return a fresh evaluator for the sources below ``folder``."""
    return Interpreter(SourceTree(folder))


def call_with_parser(interp: Interpreter, module: str, path: str) -> ParserModel:
    """Run ``path`` (a dotted name in ``module``) on a recording parser."""
    value: Any = interp.module_name(module, path.split(".")[0])
    for part in path.split(".")[1:]:
        if isinstance(value, ClassValue):
            value = interp.attribute(value, part)
    if not isinstance(value, Function):
        raise ReadError(f"{module}.{path} is not a function here: {value!r}")
    parser = ParserModel()
    interp.call(value, [parser], {})
    return parser


def notes_of(parser: ParserModel, interp: Interpreter) -> list[str]:
    """Return what a person should look at: computed names, files that did not parse."""
    newer = [f"{name} needs a newer Python to be parsed" for name in interp.tree.unparsed]
    return parser.notes + newer


def read_server_args(module: str) -> Callable[[Path], Surface]:
    """Return a reader for a release whose flags come from ``ServerArgs.add_cli_args``."""

    def read(folder: Path) -> Surface:
        interp = interpreter(folder)
        parser = call_with_parser(interp, module, "ServerArgs.add_cli_args")
        return Surface(to_flags(parser, interp), [], notes_of(parser, interp))

    return read
