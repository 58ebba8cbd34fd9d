"""Methods of built-in values that the evaluator may call: a closed list."""

from __future__ import annotations

from typing import Any

from .values import Unknown, is_unknown, same

_TEXT = {
    "replace", "lower", "upper", "strip", "lstrip", "rstrip", "split", "rsplit", "startswith",
    "endswith", "title", "capitalize", "partition", "rpartition", "splitlines", "removeprefix",
    "removesuffix", "isdigit", "format", "join", "count", "find",
}  # fmt: skip
_READ = {
    list: {"copy", "index", "count"},
    tuple: {"index", "count"},
    dict: {"copy"},
    set: {"copy", "union", "intersection", "difference", "issubset", "issuperset",
          "symmetric_difference"},
    frozenset: {"union", "intersection", "difference", "issubset"},
}  # fmt: skip
_CHANGE = {
    "append", "add", "extend", "update", "insert", "remove", "discard", "pop", "sort",
    "reverse", "setdefault", "clear",
}  # fmt: skip


def is_method(target: Any, name: str) -> bool:
    """True if the evaluator knows the method."""
    if isinstance(target, str):
        return name in _TEXT
    if isinstance(target, dict) and name in ("get", "items", "keys", "values"):
        return True
    for kind, names in _READ.items():
        if isinstance(target, kind) and name in names:
            return True
    return isinstance(target, (list, dict, set)) and name in _CHANGE


def call(target: Any, name: str, args: list[Any], kwargs: dict[str, Any], certain: bool) -> Any:
    """Call a method of a built-in value.

    Args:
        certain: False inside of a branch whose condition is not known. What is added
            there is unknown, so that the container does not look complete.
    """
    if isinstance(target, dict) and name in ("items", "keys", "values"):
        found = getattr(target, name)()
        return [tuple(x) if name == "items" else x for x in found]
    if name in _CHANGE and isinstance(target, (list, dict, set)):
        return _change(target, name, args, kwargs, certain)
    if any(is_unknown(item) for item in args):
        return Unknown(f"argument of {name}")
    if name == "join":
        parts = args[0] if args else None
        if not isinstance(parts, (list, tuple)) or not all(isinstance(p, str) for p in parts):
            return Unknown("join")
    try:
        return getattr(target, name)(*args, **kwargs)
    except Exception:  # whatever the real call would raise
        return Unknown(f"call of {name}")


def _change(target: Any, name: str, args: list[Any], kwargs: dict[str, Any], certain: bool) -> Any:
    if not certain:
        _taint(target, name, args, kwargs)
        return Unknown(f"{name} under an unknown condition")
    if name in ("extend", "update") and any(is_unknown(item) for item in args):
        _taint(target, name, args, kwargs)
        return None
    if name == "remove" and isinstance(target, list):
        for position, item in enumerate(target):
            if not is_unknown(item) and same(item, args[0]):
                del target[position]
                break
        return None
    try:
        return getattr(target, name)(*args, **kwargs)
    except Exception:  # whatever the real call would raise
        return Unknown(f"call of {name}")


def _taint(target: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """Mark a container as incompletely known."""
    mark = Unknown(f"{name} under an unknown condition")
    if isinstance(target, list):
        target.append(mark)
    elif isinstance(target, set):
        target.add(mark)
    elif name in ("pop", "setdefault") and args and isinstance(args[0], str):
        target[args[0]] = mark
    else:
        known = args[0] if args and isinstance(args[0], dict) else {}
        for key in [*known, *kwargs]:
            target[key] = mark
