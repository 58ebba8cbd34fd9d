"""SGLang and sglang-jax: variables by name, arguments that a launcher adds, bounds of numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Callable

from .argparse_reader import to_flags
from .readers import Surface, call_with_parser, interpreter
from .start_up_bounds import add_bounds

Reader = Callable[[Path], Surface]


def with_variables(read: Reader, package: str, prefixes: tuple[str, ...]) -> Reader:
    """Return a reader that finds the names with these beginnings in a package's sources as well.

    They are read in many ways, and some are made up of parts; a name that stands in no file is read
    by none of them.
    """
    pattern = re.compile(rf"\b(?:{'|'.join(prefixes)})[A-Z0-9](?:_?[A-Z0-9]+)*\b")

    def read_both(folder: Path) -> Surface:
        surface = read(folder)
        found: set[str] = set()
        for path in (folder / package).rglob("*.py"):
            found.update(pattern.findall(path.read_text(encoding="utf-8", errors="replace")))
        surface.env = sorted(found)
        return surface

    return read_both


def with_more(read: Reader, module: str, path: str) -> Reader:
    """Return a reader for a launcher that adds a second group of arguments, where it is there."""

    def read_both(folder: Path) -> Surface:
        surface = read(folder)
        interp = interpreter(folder)
        if interp.tree.path(module):
            more = to_flags(call_with_parser(interp, module, path), interp)
            surface.flags = {**more, **surface.flags}
        return surface

    return read_both


def with_bounds(read: Reader, module: str) -> Reader:
    """Return a reader that knows what start-up refuses of numbers as well."""

    def read_both(folder: Path) -> Surface:
        surface = read(folder)
        add_bounds(surface, folder, module)
        return surface

    return read_both
