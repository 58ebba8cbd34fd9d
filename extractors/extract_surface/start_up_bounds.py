"""Bounds of numbers that start-up checks: what SGLang's ServerArgs asserts, or raises about.

Only what every start runs through counts: statements that stand under no condition, of functions
that are called under none. A check behind "if this is set" is a rule, and no bound.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Union

from .argparse_reader import Record
from .readers import Surface

_ENTRIES = ("__post_init__", "resolve_once", "check_server_args", "run_resolution_pipeline")
_SUBJECTS = ("self", "cfg", "args", "server_args")
_NAMES = {ast.Lt: "lt", ast.LtE: "le", ast.Gt: "gt", ast.GtE: "ge"}
_SWAPPED = {"lt": "gt", "le": "ge", "gt": "lt", "ge": "le"}
_OPPOSITE = {"lt": "ge", "le": "gt", "gt": "le", "ge": "lt"}
_NO_MODEL = "model_path"  # a start without a model ends early

Functions = dict[str, list[ast.FunctionDef]]
Bound = tuple[str, str, Union[int, float]]  # field, lt le gt ge, number


def add_bounds(surface: Surface, folder: Path, module: str) -> None:
    """Record the bounds on the flags of a release.

    Args:
        surface: what was read of the release.
        folder: its sources.
        module: the file of its arguments; hooks of the start stand beside it in ``arg_groups``.
    """
    path = folder / module
    found: dict[str, dict[str, int | float]] = {}
    for field, key, number in _bounds(_functions([path, *_hooks(path)])):
        found.setdefault(field, {})[key] = number
    for flag, record in surface.flags.items():
        names = [flag, *record.get("aliases", [])]
        for name in names:
            bounds = found.get(name.lstrip("-").replace("-", "_"))
            if bounds and record["type"] in ("int", "float") and _takes_default(bounds, record):
                record["bounds"] = bounds


def _hooks(path: Path) -> list[Path]:
    return sorted((path.parent / "arg_groups").glob("*.py"))


def _functions(paths: list[Path]) -> Functions:
    """Functions by name, methods too."""
    out: Functions = {}
    for path in paths:
        try:
            tree = ast.parse(path.read_text(encoding="utf-8", errors="replace"))
        except (OSError, SyntaxError):
            continue
        for node in tree.body:
            inside = node.body if isinstance(node, ast.ClassDef) else [node]
            for item in inside:
                if isinstance(item, ast.FunctionDef):
                    out.setdefault(item.name, []).append(item)
    return out


def _bounds(functions: Functions) -> Iterator[Bound]:
    """What the functions check that every start runs."""
    seen: set[str] = set()
    waiting = list(_ENTRIES)
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        for statement in (s for function in functions[name] for s in _always(function.body)):
            if isinstance(statement, ast.Assert):
                yield from _bounds_of(statement.test, holds=True)
            elif isinstance(statement, ast.If):
                if isinstance(statement.body[-1], ast.Raise) and not statement.orelse:
                    yield from _bounds_of(statement.test, holds=False)
            elif isinstance(statement, (ast.Expr, ast.Assign, ast.Return)):
                waiting += _called(statement)


def _always(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that stand under no condition, as far as none may have returned."""
    for statement in body:
        if isinstance(statement, (ast.Try, ast.With)):
            yield from _always(statement.body)
            continue
        yield statement
        ends = isinstance(statement, ast.If) and any(
            isinstance(node, ast.Return) for node in ast.walk(statement)
        )
        if ends and _NO_MODEL not in ast.dump(statement.test):  # type: ignore[attr-defined]
            return


def _called(statement: ast.stmt) -> Iterator[str]:
    """The functions that a statement calls, or hands to what calls them."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call):
            for place in (node.func, *node.args):
                name = getattr(place, "attr", None) or getattr(place, "id", None)
                if isinstance(name, str):
                    yield name


def _bounds_of(test: ast.expr, *, holds: bool) -> Iterator[Bound]:
    """The bounds that a test says when it has to hold, or else when it must not."""
    if isinstance(test, ast.BoolOp):
        unset, every = (ast.Is, ast.And) if holds else (ast.IsNot, ast.Or)
        given = [value for value in test.values if not _asks_for_none(value, unset)]
        if isinstance(test.op, every) or len(given) == 1:
            for value in given:
                yield from _bounds_of(value, holds=holds)
    elif isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _bounds_of(test.operand, holds=not holds)
    elif isinstance(test, ast.Compare) and (holds or len(test.ops) == 1):
        sides = [test.left, *test.comparators]
        for left, operator, right in zip(sides, test.ops, sides[1:]):
            for field, key, number in _of_pair(left, operator, right):
                yield field, key if holds else _OPPOSITE[key], number


def _asks_for_none(test: ast.expr, operator: type[ast.cmpop]) -> bool:
    """Whether a test asks only for what is not given, which no bound is about."""
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], operator)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    )


def _of_pair(left: ast.expr, operator: ast.cmpop, right: ast.expr) -> Iterator[Bound]:
    key = _NAMES.get(type(operator))
    for side, other, name in ((left, right, key), (right, left, key and _SWAPPED[key])):
        field, number = _field(side), _number(other)
        if name and field and number is not None:
            yield field, name, number


def _field(node: ast.expr) -> str | None:
    if isinstance(node, ast.Attribute) and getattr(node.value, "id", "") in _SUBJECTS:
        return node.attr
    return None


def _number(node: ast.expr) -> int | float | None:
    try:
        value: Any = ast.literal_eval(node)
    except ValueError:
        return _power(node)
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _power(node: ast.expr) -> int | None:
    """2**31"""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
        base, times = _number(node.left), _number(node.right)
        if isinstance(base, int) and isinstance(times, int) and 0 <= times < 64:
            return int(base**times)
    return None


def _takes_default(bounds: dict[str, int | float], record: Record) -> bool:
    """Whether the default is within bounds: a check that would refuse it is reached otherwise."""
    value = record.get("default")
    if not isinstance(value, (int, float)):
        return True
    tests = {
        "lt": lambda n: value < n,
        "le": lambda n: value <= n,
        "gt": lambda n: value > n,
        "ge": lambda n: value >= n,
    }
    return all(tests[key](number) for key, number in bounds.items())
