"""Reads the options of a ``click`` command from its decorators."""

from __future__ import annotations

import ast
from typing import Any

from .argparse_reader import UNKNOWN, Record, choice_list, json_value, type_of
from .execute import Interpreter
from .values import Unknown, is_unknown

_TYPES = {"STRING": "str", "INT": "int", "FLOAT": "float", "BOOL": "bool", "Path": "str",
          "File": "str", "IntRange": "int", "FloatRange": "float"}  # fmt: skip


def read_command(interp: Interpreter, module: str, function: str) -> dict[str, Record]:
    """Return the flags of a command by canonical name.

    Args:
        interp: evaluator of the release.
        module: dotted name of the module that holds the command.
        function: name of the decorated function.
    """
    source = interp.tree.module(module)
    node = _find(source.tree, function) if source else None
    if source is None or node is None:
        raise LookupError(f"{module}.{function} is not in this release")
    scope = interp.module_scope(source)
    flags: dict[str, Record] = {}
    for item in node.decorator_list:
        if isinstance(item, ast.Call) and getattr(item.func, "attr", "") in ("option", "argument"):
            _add(flags, item, scope, interp)
    return flags


def _find(tree: ast.Module, name: str) -> ast.FunctionDef | None:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return node
    return None


def _add(flags: dict[str, Record], node: ast.Call, scope: Any, interp: Interpreter) -> None:
    texts = [interp.eval(arg, scope) for arg in node.args]
    given = {k.arg: k.value for k in node.keywords if k.arg}
    names: list[str] = [text for text in texts if isinstance(text, str)]
    if getattr(node.func, "attr", "") == "argument":
        flags[names[0]] = {"positional": True, "type": "str"}
        return
    spellings = [part for name in names if name.startswith("-") for part in name.split("/")]
    longs = [name for name in spellings if name.startswith("--")]
    if not longs:
        return
    record: Record = {}
    others = [name for name in spellings if name != longs[0]]
    if others:
        record["aliases"] = others
    record.update(_type(given.get("type"), scope, interp))
    values = {key: interp.eval(value, scope) for key, value in given.items() if key != "type"}
    if values.get("is_flag") is True or any("/" in name for name in names):
        record.update({"type": "bool", "nargs": 0})
    if values.get("multiple") is True:
        record["repeat"] = True
    if values.get("required") is True:
        record["required"] = True
    if "default" in values and values["default"] is not None:
        record["default"] = json_value(values["default"])
    if any(
        isinstance(value, Unknown) for value in values.values() if value is values.get("default")
    ):
        record["default"] = dict(UNKNOWN)
    flags[longs[0]] = record


def _type(node: ast.expr | None, scope: Any, interp: Interpreter) -> Record:
    if node is None:
        return {"type": "str"}
    if isinstance(node, ast.Call):
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if name.endswith("Choice") and node.args:
            value = interp.eval(node.args[0], scope)
            found = dict(UNKNOWN) if is_unknown(value) else choice_list(value, interp)
            if name != "Choice" and len(node.args) > 1 and isinstance(found, list):
                more = choice_list(interp.eval(node.args[1], scope), interp)
                found = sorted({*found, *more}) if isinstance(more, list) else more
            return {"type": "choice", "choices": found, "checked": "parser"}
        return {"type": _TYPES.get(name, "unknown")}
    if isinstance(node, ast.Attribute) and node.attr in _TYPES:
        return {"type": _TYPES[node.attr]}
    return type_of(interp.eval(node, scope), interp)
