"""What vLLM's config classes refuse of a value: numbers out of bounds, keys that are not theirs."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .argparse_reader import Record

# "`x` is deprecated and has been replaced with `y`", once the source's own breaks are taken out.
_NAME = r"`?(?:--)?([a-z][a-z0-9]*(?:[_.-][a-z0-9]+)*)`?"
_REPLACED = re.compile(
    _NAME + r" (?:is|are|was|has been|will be) (?:now )?deprecated[^.`]{0,120}?"
    r"(?:replaced (?:with|by)|[Uu]se|favor of)\s+(?:the )?" + _NAME
)
_BOUNDS = ("gt", "ge", "lt", "le")
_ARGUMENTS = "vllm/engine/arg_utils.py"
_DECORATOR = "vllm/config/utils.py"


def add_limits(flags: dict[str, Record], folder: Path) -> None:
    """Record bounds, and whether keys are closed, on the flags of a release."""
    fields = dict(_fields(folder))
    for flag, place in _places(folder):
        found = fields.get(place)
        if found and flag in flags and flags[flag]["type"] in ("int", "float"):
            flags[flag]["bounds"] = found
    if _is_closed(folder):
        for record in flags.values():
            if isinstance(record.get("keys"), list):
                record["closed"] = True


def add_successors(flags: dict[str, Record], folder: Path) -> None:
    """Record what takes a flag's place, where the release's warnings name both."""
    names = {*flags, *(alias for record in flags.values() for alias in record.get("aliases", []))}
    for path in [folder / _ARGUMENTS, *sorted((folder / "vllm" / "config").glob("*.py"))]:
        if not path.is_file():
            continue
        source = path.read_text(encoding="utf-8", errors="replace")
        text = re.sub(r"\s+", " ", re.sub(r"\"\s*\n\s*f?\"", "", source))
        for old, new in _REPLACED.findall(text):
            flag, use = (f"--{name.replace('_', '-')}" for name in (old, new))
            if flag in flags and use.split(".")[0] in names and use != flag:
                flags[flag].update({"deprecated": True, "use": use})


def _parsed(path: Path) -> ast.Module:
    try:
        return ast.parse(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, SyntaxError):
        return ast.Module(body=[], type_ignores=[])


def _fields(folder: Path) -> Iterator[tuple[tuple[str, str], dict[str, Any]]]:
    """Yield (class, field) and the bounds that its ``Field(...)`` names."""
    for path in sorted((folder / "vllm" / "config").glob("*.py")):
        for node in _parsed(path).body:
            for item in node.body if isinstance(node, ast.ClassDef) else ():
                bounds = _bounds(item) if isinstance(item, ast.AnnAssign) else {}
                if bounds and isinstance(node, ast.ClassDef):
                    yield (node.name, item.target.id), bounds  # type: ignore[union-attr]


def _bounds(item: ast.AnnAssign) -> dict[str, Any]:
    call = item.value
    if not isinstance(call, ast.Call) or getattr(call.func, "id", "") != "Field":
        return {}
    return {
        word.arg: word.value.value
        for word in call.keywords
        if word.arg in _BOUNDS
        and isinstance(word.value, ast.Constant)
        and isinstance(word.value.value, (int, float))
    }


def _places(folder: Path) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield each flag, and the class and field that its value goes to.

    ``cache_kwargs = get_kwargs(CacheConfig)`` names the class, and
    ``add_argument("--flag", **cache_kwargs["field"])`` the field.
    """
    classes: dict[str, str] = {}
    for node in ast.walk(_parsed(folder / _ARGUMENTS)):
        call = node.value if isinstance(node, ast.Assign) else None
        if not isinstance(node, ast.Assign) or not isinstance(call, ast.Call) or not call.args:
            continue
        if getattr(call.func, "id", "") == "get_kwargs":
            classes[getattr(node.targets[0], "id", "")] = getattr(call.args[0], "id", "")
    for node in ast.walk(_parsed(folder / _ARGUMENTS)):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", "") != "add_argument":
            continue
        names = [n.value for n in node.args if isinstance(n, ast.Constant)]
        flag = next((n for n in names if isinstance(n, str) and n.startswith("--")), None)
        for word in node.keywords:
            inside = ast.walk(word.value) if word.arg is None else ()
            spread = next((n for n in inside if isinstance(n, ast.Subscript)), None)
            if flag is None or spread is None:
                continue
            key = getattr(spread.slice, "value", None)
            source = classes.get(getattr(spread.value, "id", ""))
            if isinstance(key, str) and source:
                yield flag, (source, key)


def _is_closed(folder: Path) -> bool:
    """Whether the decorator of config classes forbids keys that are not theirs."""
    return any(
        isinstance(node, ast.keyword)
        and node.arg == "extra"
        and getattr(node.value, "value", "") == "forbid"
        for node in ast.walk(_parsed(folder / _DECORATOR))
    )
