"""What the lines of a plan file must be. A file is not trusted because quantmap once wrote it."""

from __future__ import annotations

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Check = Callable[[Any], bool]

__all__ = ["EXPERIMENT", "GROUP", "HEADER"]

_LONGEST_NAME = 200  # characters of a file's name


def is_variable_name(name: object) -> bool:
    """Whether a shell can set a variable of this name: it is written unquoted."""
    return isinstance(name, str) and name.isascii() and name.isidentifier()


def is_file_name(name: object) -> bool:
    """Whether it names a file that lies where the launch is started, and no hidden one."""
    return isinstance(name, str) and _is_plain(name)


def _is_plain(name: str) -> bool:
    steers = any(one < " " or "\x7f" <= one <= "\x9f" or one == "/" for one in name)
    return 0 < len(name) <= _LONGEST_NAME and name[0] != "." and not steers


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_flag(name: object) -> bool:
    return isinstance(name, str) and name[:1] == "-" and all("!" <= one <= "~" for one in name)


def _is_signature(value: object) -> bool:
    return isinstance(value, str) and len(value) == 32 and not value.strip("0123456789abcdef")


def _is_engine(value: object) -> bool:
    return any(row["id"] == value for row in _core.engines())


def _is_text_or_switch(value: object) -> bool:
    return isinstance(value, bool) or _is_text(value)


def _is_object(value: object) -> bool:
    return isinstance(value, dict)


def _or_null(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _table(name: Check, value: Check) -> Check:
    """An object of any number of such names with such values."""
    return lambda data: (
        isinstance(data, dict) and all(name(key) and value(item) for key, item in data.items())
    )


def _row(shape: dict[str, Check]) -> Check:
    """An object that has exactly these keys."""
    return lambda data: (
        isinstance(data, dict) and set(data) == set(shape) and wrong_key(data, shape) is None
    )


def _rows(shape: dict[str, Check]) -> Check:
    """A list of such objects."""
    row = _row(shape)
    return lambda data: isinstance(data, list) and all(map(row, data))


def wrong_key(data: dict[str, Any], shape: dict[str, Check]) -> str | None:
    """The first key of a shape that an object lacks or has otherwise; or None."""
    for key, check in shape.items():
        if key not in data or not check(data[key]):
            return key
    return None


_TEXTS = _table(_is_text, _is_text)

HEADER: dict[str, Check] = {
    **dict.fromkeys(("asked", "distinct", "merged", "skipped"), _is_count),
    "limited": lambda value: isinstance(value, bool),
    "max_iterations": _or_null(_is_count),
    "task_name": lambda value: True,
    "targets": _rows(
        {
            "engine": _is_engine,
            "engine_name": _is_text,
            "mode": _is_text,
            "version": _or_null(_is_text),
            "gpu": _or_null(_is_text),
            "times": _is_count,
        }
    ),
    "skips": _rows(
        {
            **dict.fromkeys(("code", "path", "message", "hint"), _is_text),
            "count": _is_count,
            "example": _row({"engine": _is_engine, "config": _is_object, "parameters": _is_object}),
        }
    ),
    "diagnostics": _rows(
        {
            **dict.fromkeys(("code", "severity", "path", "message", "hint"), _is_text),
            "context": _TEXTS,
        }
    ),
    "catalog": _TEXTS,
    "task": lambda value: True,
}

EXPERIMENT: dict[str, Check] = {
    **dict.fromkeys(("index", "group", "points"), _is_count),
    "signature": _is_signature,
    "engine": _is_engine,
    "version": _or_null(_is_text),
    "args": _table(_is_flag, _is_text_or_switch),
    "env": _table(is_variable_name, _is_text),
    "files": _table(is_file_name, _is_text),
}

GROUP: dict[str, Check] = {
    "group": _is_count,
    "configs": _rows({"config": _is_object, "points": _is_count}),
    "files": _table(is_file_name, _is_text),
}
