"""A list of arguments, and user parameters put over it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from dataclasses import field as data_field
from typing import Any

from .config import Problem, child, wrong_type

LONGEST_NAME = 256
LONGEST_VALUE = 131071


@dataclass
class Argument:
    flag: str
    value: Any
    derived: bool = True
    never_accepted: bool = False
    user_key: str | None = None


@dataclass
class Result:
    arguments: list[Argument] = data_field(default_factory=list)
    env: dict[str, str] = data_field(default_factory=dict)
    warnings: list[str] = data_field(default_factory=list)

    def args(self) -> dict[str, Any]:
        return {argument.flag: argument.value for argument in self.arguments}

    def find(self, flag: str) -> Argument | None:
        return next((argument for argument in self.arguments if argument.flag == flag), None)


# ---------------------------------------------------------------- user parameters


def user_value(value: Any, path: str, problems: list[Problem]) -> Any:
    """The value of a user parameter as an argument; None when it is left out or wrong."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (list, tuple)) and not (value and isinstance(value[0], (list, tuple))):
        return user_value(value[0], child(path, 0), problems) if value else None
    if isinstance(value, (dict, list, tuple)):
        if report_unwritable(value, path, problems):
            return None
        text = json.dumps(value, separators=(",", ":"))
    elif report_unwritable(value, path, problems):
        return None
    else:
        text = str(value)
    if "\0" in text:
        problems.append(("nul-character", path))
        return None
    if len(text.encode("utf-8")) > LONGEST_VALUE:
        problems.append(("too-large", path))
        return None
    return text


def report_unwritable(value: Any, path: str, problems: list[Problem]) -> bool:
    """Whether something in the value cannot be text, with every such place reported."""
    before = len(problems)
    if isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                problems.append(("non-string-key", path))
            else:
                report_unwritable(inner, child(path, key), problems)
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            report_unwritable(inner, child(path, index), problems)
    elif isinstance(value, int) and not isinstance(value, bool):
        try:
            str(value)
        except ValueError:  # more digits than Python prints
            problems.append(("unprintable-integer", path))
    elif isinstance(value, str):
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            problems.append(("invalid-unicode", path))
    elif isinstance(value, float) and not math.isfinite(value):
        problems.append(("not-finite", path))
    elif value is not None and not isinstance(value, (bool, float)):
        problems.append(("wrong-type", path))
    return len(problems) > before


def spelling(key: str) -> str:
    return key if key.startswith("-") else "--" + key


def identity(key: str, engine: dict[str, Any] | None) -> str:
    """One name for all spellings of a flag."""
    name = spelling(key)
    if name.startswith("--"):
        head, dot, rest = name.partition(
            "."
        )  # after a dot comes a path into a JSON value, not the flag's name
        name = head.replace("_", "-") + dot + rest
    for flag in engine["flags"] if engine else []:
        if name in flag.get("aliases", []):
            return str(flag["id"])
    return name


def merge(
    result: Result, parameters: Any, engine: dict[str, Any] | None, problems: list[Problem]
) -> None:
    root = "user_parameters"
    if parameters is None:
        return
    if not isinstance(parameters, dict):
        problems.append((wrong_type(parameters), root))
        return
    for key, raw in parameters.items():
        if not isinstance(key, str):
            problems.append(("non-string-key", root))
            continue
        where = child(root, key)
        if not re.fullmatch(r"-{0,2}[A-Za-z0-9_.][A-Za-z0-9_.-]*", key) or len(key) > LONGEST_NAME:
            problems.append(("bad-parameter-name", where))
            continue
        value = user_value(raw, where, problems)
        if value is None:
            continue
        same = [a for a in result.arguments if identity(a.flag, engine) == identity(key, engine)]
        if not same:
            result.arguments.append(Argument(spelling(key), value, derived=False, user_key=key))
            continue
        argument = same[0]
        if argument.user_key is not None:
            result.warnings.append("duplicate-parameter")
        argument.value, argument.derived, argument.user_key = value, False, key
