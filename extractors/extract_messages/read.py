"""The messages of one source file: what its ``raise`` and ``assert`` statements say, and when."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

# Fewer letters than these of a message are in a thousand others as well.
LEAST = 14
LONGEST = 400
LONGEST_CONDITION = 160


class Message(NamedTuple):
    """What a statement says, as a format string, and where it stands."""

    text: str
    kind: str
    place: str
    when: str
    names: tuple[str, ...]


def read(source: str) -> list[Message]:
    """Return the messages of a file; none when it does not parse."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    reader = _Reader(source.split("\n"))
    reader.block(tree.body, (), (), {})
    return reader.found


class _Reader:
    def __init__(self, lines: list[str]) -> None:
        self.found: list[Message] = []
        self.lines = lines
        # Texts that a function collects in a list, by the list's name, until it raises them.
        self.collected: dict[str, list[tuple[ast.expr, tuple[ast.expr, ...]]]] = {}

    def block(
        self,
        body: list[ast.stmt],
        place: tuple[str, ...],
        when: tuple[ast.expr, ...],
        texts: dict[str, ast.expr],
    ) -> None:
        """Read statements; ``texts`` holds what names of the function were last assigned.

        ``when`` holds the conditions around them, the nearest last.
        """
        for statement in body:
            if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                self.collected = {}
                self.block(statement.body, (*place, statement.name), (), {})
            elif isinstance(statement, ast.Raise):
                self.raised(statement, place, when, texts)
            elif isinstance(statement, ast.Assert):
                failed = ast.UnaryOp(ast.Not(), statement.test)
                said = statement.msg or ast.Constant(self.lines[statement.lineno - 1].strip())
                self.keep("AssertionError", said, place, (*when, failed), texts)
            elif isinstance(statement, ast.If):
                other = ast.UnaryOp(ast.Not(), statement.test)
                self.block(statement.body, place, (*when, statement.test), texts)
                self.block(statement.orelse, place, (*when, other), texts)
            else:
                if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
                    texts[statement.targets[0].id] = statement.value
                self.collect(statement, when)
                for inner in _blocks(statement):
                    self.block(inner, place, when, texts)

    def collect(self, statement: ast.stmt, when: tuple[ast.expr, ...]) -> None:
        """``problems.append(text)``: a function that raises them later says each."""
        call = statement.value if isinstance(statement, ast.Expr) else None
        if (
            isinstance(call, ast.Call)
            and isinstance(call.func, ast.Attribute)
            and call.func.attr == "append"
            and isinstance(call.func.value, ast.Name)
            and call.args
            and isinstance(call.args[0], _TEXTS)
        ):
            self.collected.setdefault(call.func.value.id, []).append((call.args[0], when))

    def raised(
        self,
        statement: ast.Raise,
        place: tuple[str, ...],
        when: tuple[ast.expr, ...],
        texts: dict[str, ast.expr],
    ) -> None:
        """An exception made where it is raised, with a text as its first argument."""
        made = statement.exc
        if not isinstance(made, ast.Call) or not made.args:
            return
        kind = made.func.attr if isinstance(made.func, ast.Attribute) else ast.unparse(made.func)
        self.keep(kind, made.args[0], place, when, texts)
        for name in set(_names(made.args[0])) & set(self.collected):
            for said, under in self.collected[name]:
                self.keep(kind, said, place, under, texts)

    def keep(
        self,
        kind: str,
        said: ast.expr,
        place: tuple[str, ...],
        when: tuple[ast.expr, ...],
        texts: dict[str, ast.expr],
    ) -> None:
        """Keep a message that has words enough of its own to be known by."""
        parts = list(_parts(said, texts))
        if sum(len(part) for part in parts if isinstance(part, str)) < LEAST:
            return
        condition = " ".join(ast.unparse(when[-1]).split()) if when else ""
        looked_at = [*reversed(when), *parts]
        names = [name for part in looked_at if isinstance(part, ast.expr) for name in _names(part)]
        self.found.append(
            Message(
                _format(parts),
                kind,
                ".".join(place),
                condition if len(condition) <= LONGEST_CONDITION else "",
                tuple(dict.fromkeys(names)),
            )
        )


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        inner = getattr(statement, field, None)
        if isinstance(inner, list):
            yield inner
    for handler in getattr(statement, "handlers", []):
        yield handler.body
    for case in getattr(statement, "cases", []):
        yield case.body


_TEXTS = (ast.Constant, ast.JoinedStr, ast.BinOp)


def _parts(said: ast.expr, texts: dict[str, ast.expr]) -> Iterator[str | ast.expr]:
    """Literal texts and what is filled in between; a name stands for the text it was given."""
    if isinstance(said, ast.Name) and isinstance(texts.get(said.id), _TEXTS):
        yield from _parts(texts[said.id], {})
    elif isinstance(said, ast.Constant) and isinstance(said.value, str):
        yield said.value
    elif isinstance(said, ast.JoinedStr):
        for value in said.values:
            filled = value.value if isinstance(value, ast.FormattedValue) else value
            yield from _parts(filled, texts)
    elif isinstance(said, ast.BinOp) and isinstance(said.op, ast.Add):
        yield from _parts(said.left, texts)
        yield from _parts(said.right, texts)
    elif isinstance(said, ast.BinOp) and isinstance(said.op, ast.Mod):
        yield from _filled(said.left, "%", said.right)
    elif (
        isinstance(said, ast.Call)
        and isinstance(said.func, ast.Attribute)
        and said.func.attr == "format"
    ):
        yield from _filled(said.func.value, "{", said)
    else:
        yield said


def _filled(said: ast.expr, mark: str, filling: ast.expr) -> Iterator[str | ast.expr]:
    """A text whose places are filled by position or name: each place may hold anything."""
    if not isinstance(said, ast.Constant) or not isinstance(said.value, str):
        yield said
        return
    end = {"%": "sdrif", "{": "}"}[mark]
    rest = said.value
    while mark in rest:
        before, _, after = rest.partition(mark)
        if before:
            yield before
        at = next((i for i, letter in enumerate(after) if letter in end), len(after) - 1)
        yield filling
        rest = after[at + 1 :]
    if rest:
        yield rest


def _names(expression: ast.expr) -> Iterator[str]:
    for node in ast.walk(expression):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def _format(parts: list[str | ast.expr]) -> str:
    """As a format string: braces that are text stand twice, what is filled in is ``{}``."""
    out = ""
    for part in parts:
        if isinstance(part, str):
            out += part.replace("{", "{{").replace("}", "}}")
        elif not out.endswith("{}") or out.endswith("{{}}"):
            out += "{}"
    return " ".join(out[:LONGEST].split()) if len(out) <= LONGEST else _cut(out)


def _cut(text: str) -> str:
    """The beginning, not in the middle of a brace; what follows may be anything."""
    kept = text[:LONGEST].rstrip("{}")
    return " ".join(kept.split()) + "{}"
