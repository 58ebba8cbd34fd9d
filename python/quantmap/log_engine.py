"""Which engine a log is of: by its files and names, else by what its errors say."""

from __future__ import annotations

import re

from . import _core
from .check import check
from .errors import ConfigError
from .messages import messages_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log_reader import Failure
    from .words import Engine

_FLAG = re.compile(r"(?<![\w-])--[a-zA-Z][\w-]{0,60}")
_MOST_FLAGS = 5
_FIELDS = re.compile(r"\d{1,3} validation errors? for (\w{1,80})\b")


def engines_of(text: str, failures: list[Failure]) -> list[Engine]:
    """The engines that a log may be of, the likeliest first; none when nothing tells.

    The engine whose files, modules or name the log shows most often comes alone. Where it shows
    none, it may be each whose releases say what the log says, or take the flag that was refused.
    """
    named = _named(text)
    if named:
        return [named]
    return _saying(failures) or _checking(failures) or _taking(text, failures)


def _named(text: str) -> Engine | None:
    """The engine whose files, modules or name a log shows most often."""
    small = text.lower()
    counts: dict[Engine, int] = {}
    for row in _core.engines():
        messages = messages_of(row["id"])
        package = messages.package if messages else row["id"]
        marks = [f"/{package}/", f"{package}.", f"{package} "]
        marks += [row["name"], *(words[0] for words, _ in row["launchers"] if "-m" not in words)]
        shown = sum(text.count(mark) for mark in dict.fromkeys(marks))
        counts[row["id"]] = shown + sum(small.count(f"[{name}]") for name in row["runtime_names"])
    best = max(counts, key=lambda engine: counts[engine])
    return best if counts[best] else None


def _saying(failures: list[Failure]) -> list[Engine]:
    """The engines that say more of an error than others do."""
    told: dict[Engine, tuple[bool, int]] = {}
    for row in _core.engines():
        messages = messages_of(row["id"])
        if messages:
            told[row["id"]] = max(map(messages.reach, failures), default=(False, 0))
    most = max(told.values(), default=(False, 0))
    return [engine for engine, reach in told.items() if reach == most] if most[1] else []


def _checking(failures: list[Failure]) -> list[Engine]:
    """The engines of which a class checks its fields as pydantic then says."""
    classes = {match[1] for failure in failures if (match := _FIELDS.match(failure.text))}
    found: list[Engine] = []
    for row in _core.engines():
        messages = messages_of(row["id"])
        if messages and any(messages.has_class(name) for name in classes):
            found.append(row["id"])
    return found


def _taking(text: str, failures: list[Failure]) -> list[Engine]:
    """The engines of which some release takes the flags that a parser speaks of."""
    refused = [failure.text for failure in failures if not failure.kind]
    flags = dict.fromkeys(flag for said in refused for flag in _FLAG.findall(said))
    found = []
    by_module = not flags and ".py: error:" in text
    for row in _core.engines():
        modules = {words[-1].rpartition(".")[2] for words, _ in row["launchers"]}
        if ".py: error:" in text and not any(f"{name}.py: error:" in text for name in modules):
            continue
        if by_module or any(_takes(row["id"], flag) for flag in list(flags)[:_MOST_FLAGS]):
            found.append(row["id"])
    return found


def _takes(engine: Engine, flag: str) -> bool:
    """Whether some release of an engine is known to take a flag."""
    try:
        verdicts = check([flag], engine).verdicts
    except ConfigError:
        return False
    return any(
        verdict.verdict not in ("unknown-flag", "assumed") or "(removed in" in verdict.reason
        for verdict in verdicts
    )
