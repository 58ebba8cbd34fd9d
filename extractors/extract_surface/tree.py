"""The source tree of one release: its modules, their names, and who defines what.

A module's name is resolved only when it is asked for: by the statements of the module
that bind or change it, in their order. So a few files are read of several thousand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

Guard = tuple[ast.expr, bool]


class Event:
    """A statement that binds or changes a name, and the conditions it stands under."""

    __slots__ = ("guards", "index", "kind", "statement")

    def __init__(self, statement: ast.stmt, guards: tuple[Guard, ...], kind: str, index: int):
        self.statement = statement
        self.guards = guards
        self.kind = kind  # "bind" or "change"
        self.index = index


def _target_names(target: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield (name, kind) for an assignment target."""
    if isinstance(target, ast.Name):
        yield target.id, "bind"
    elif isinstance(target, (ast.Tuple, ast.List)):
        for item in target.elts:
            yield from _target_names(item)
    elif isinstance(target, (ast.Attribute, ast.Subscript)):
        base: ast.expr = target
        while isinstance(base, (ast.Attribute, ast.Subscript)):
            base = base.value
        if isinstance(base, ast.Name):
            yield base.id, "change"


def bound_names(statement: ast.stmt) -> list[tuple[str, str]]:
    """Return the (name, kind) pairs that a simple statement binds or changes."""
    if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [(statement.name, "bind")]
    if isinstance(statement, ast.Import):
        return [(a.asname or a.name.split(".")[0], "bind") for a in statement.names]
    if isinstance(statement, ast.ImportFrom):
        return [(a.asname or a.name, "bind") for a in statement.names]
    if isinstance(statement, ast.Assign):
        return [pair for target in statement.targets for pair in _target_names(target)]
    if isinstance(statement, ast.AnnAssign):
        return list(_target_names(statement.target)) if statement.value is not None else []
    if isinstance(statement, ast.AugAssign):
        return [(name, "change") for name, _ in _target_names(statement.target)]
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        function = statement.value.func
        if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
            return [(function.value.id, "change")]
    if isinstance(statement, (ast.For, ast.While)):
        inner = [
            p
            for s in ast.walk(statement)
            if isinstance(s, ast.stmt)
            and s is not statement
            and not isinstance(s, (ast.For, ast.While))
            for p in bound_names(s)
        ]
        return [(name, "change") for name in dict.fromkeys(name for name, _ in inner)]
    return []


class Module:
    """One parsed file."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.is_package = path.name == "__init__.py"
        self.events: dict[str, list[Event]] = {}
        self.stars: list[ast.ImportFrom] = []
        self.values: dict[str, Any] = {}
        self.busy: set[str] = set()
        self.done: set[int] = set()
        self.bound: set[tuple[int, str]] = set()
        self._count = 0
        self.tree = _parse(path.read_text(encoding="utf-8", errors="replace"))
        self._scan(self.tree.body, ())

    def _scan(self, body: list[ast.stmt], guards: tuple[Guard, ...]) -> None:
        for statement in body:
            if isinstance(statement, ast.If):
                self._scan(statement.body, (*guards, (statement.test, True)))
                self._scan(statement.orelse, (*guards, (statement.test, False)))
            elif isinstance(statement, ast.Try):
                self._scan(statement.body + statement.orelse + statement.finalbody, guards)
                before = set(self.events)
                for handler in statement.handlers:
                    self._scan_missing(handler.body, guards, before)
            elif isinstance(statement, (ast.With, ast.AsyncWith)):
                self._scan(statement.body, guards)
            elif isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
                self.stars.append(statement)
            else:
                self._count += 1
                for name, kind in bound_names(statement):
                    event = Event(statement, guards, kind, self._count)
                    self.events.setdefault(name, []).append(event)

    def _scan_missing(
        self, body: list[ast.stmt], guards: tuple[Guard, ...], known: set[str]
    ) -> None:
        """Read an ``except`` branch: only names that the guarded branch lacks."""
        for statement in body:
            self._count += 1
            for name, kind in bound_names(statement):
                if name not in known:
                    event = Event(statement, guards, kind, self._count)
                    self.events.setdefault(name, []).append(event)


@lru_cache(maxsize=600)
def _parse(text: str) -> ast.Module:
    """Parse a file; releases share files, and a parsed one is never changed."""
    return ast.parse(text)


class SourceTree:
    """All modules below one folder, found by their dotted names."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.roots = {item.name for item in folder.iterdir() if item.is_dir()}
        self.roots |= {item.stem for item in folder.glob("*.py")}
        self._modules: dict[str, Module | None] = {}
        self.unparsed: list[str] = []

    def again(self) -> SourceTree:
        """Return the same folder with nothing evaluated yet."""
        return SourceTree(self.folder)

    def path(self, name: str) -> Path | None:
        """Return the file of a module, or ``None``."""
        base = self.folder.joinpath(*name.split("."))
        if (base / "__init__.py").is_file():
            return base / "__init__.py"
        single = base.with_name(base.name + ".py")
        if single.is_file():
            return single
        return None

    def is_inside(self, name: str) -> bool:
        """True if the dotted name lies in the release's own package."""
        return name.split(".")[0] in self.roots

    def is_folder(self, name: str) -> bool:
        """True for a package folder without an ``__init__`` file."""
        return self.is_inside(name) and self.folder.joinpath(*name.split(".")).is_dir()

    def module(self, name: str) -> Module | None:
        """Return a parsed module, or ``None`` if there is none or it does not parse."""
        if name not in self._modules:
            path = self.path(name)
            try:
                self._modules[name] = Module(name, path) if path else None
            except SyntaxError:
                self._modules[name] = None
                self.unparsed.append(name)
        return self._modules[name]

    def absolute(self, module: Module, statement: ast.ImportFrom) -> str:
        """Return the absolute name of a ``from ... import`` source."""
        if not statement.level:
            return statement.module or ""
        parts = module.name.split(".")
        keep = len(parts) - statement.level + (1 if module.is_package else 0)
        base = parts[:keep]
        return ".".join(base + ([statement.module] if statement.module else []))
