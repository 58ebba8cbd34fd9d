"""The raise and assert statements of a release's sources: where each stands and what it says."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Statement:
    """One statement that can stop a launch."""

    path: str  # below the release's root
    line: int
    owner: str  # Class.function, as evidence names it
    kind: str  # raise or assert
    text: str  # what is raised or asserted, as written, and the condition it stands under


class _Collector(ast.NodeVisitor):
    def __init__(self, path: str) -> None:
        self.path = path
        self.owners: list[str] = []
        self.conditions: list[str] = []
        self.found: list[Statement] = []

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node.name, node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inside(node.name, node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inside(node.name, node)

    def _inside(self, name: str, node: ast.AST) -> None:
        outer, self.conditions = self.conditions, []
        self.owners.append(name)
        self.generic_visit(node)
        self.owners.pop()
        self.conditions = outer

    def visit_If(self, node: ast.If) -> None:
        test = ast.unparse(node.test)
        self.conditions.append(test)
        for child in node.body:
            self.visit(child)
        self.conditions[-1] = f"not ({test})"
        for child in node.orelse:
            self.visit(child)
        self.conditions.pop()

    def visit_Raise(self, node: ast.Raise) -> None:
        if node.exc is not None:
            self._add("raise", node.lineno, ast.unparse(node.exc))

    def visit_Assert(self, node: ast.Assert) -> None:
        message = "" if node.msg is None else f", {ast.unparse(node.msg)}"
        self._add("assert", node.lineno, ast.unparse(node.test) + message)

    def _add(self, kind: str, line: int, text: str) -> None:
        under = f" if {' and '.join(self.conditions)}" if self.conditions else ""
        owner = ".".join(self.owners)
        self.found.append(Statement(self.path, line, owner, kind, text + under))


def statements(root: Path, wanted: Callable[[str], object]) -> Iterator[Statement]:
    """Every statement of the wanted files below a root, in order; what is no Python is left out."""
    for path in sorted(root.rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not wanted(name):
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        except SyntaxError:
            continue
        collector = _Collector(name)
        collector.visit(tree)
        yield from collector.found
