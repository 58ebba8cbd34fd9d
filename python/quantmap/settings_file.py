"""Files of arguments that a launch names: what they set is judged beside the line's own words."""

from __future__ import annotations

import json
import os
from functools import lru_cache

from . import _core
from .errors import ConfigError
from .files import MAX_BYTES
from .yaml_reader import read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .check import CheckResult, Verdict
    from .errors import Diagnostic
    from .script import WrittenFile

__all__: list[str] = []


# What a shell fills in, where a script does not tell what.
_OPEN = ("$", "`")
_LEFT_OPEN = "what a shell puts here is not in the text"
_OF_PARSER = ("unknown-flag", "value-not-accepted")  # what was told before
_OVERRIDDEN = {
    "verdict": "no-effect",
    "refused": False,
    "reason": "the line sets it as well: the line counts",
    "hint": "",
}


def with_settings(launch: CheckResult, ground: tuple[Any, ...]) -> CheckResult:
    """A launch with the settings of the file that it names judged among its verdicts.

    Args:
        launch: it; a file that its script does not write is read where it is.
        ground: GPU, method and model, as the core takes them behind a release.

    Returns:
        CheckResult: another one.
    """
    flag = launch._config_flag
    name = [verdict.value for verdict in launch.verdicts if verdict.canonical == flag][-1]
    text, is_open = _text_of(name, launch._files)
    settings = None if text is None else _arguments_of(text)
    if text is None or settings is None:
        return launch.replace(notes=[*launch.notes, _not_read(name)])
    launch = _with_model(launch, settings.get("model"), is_open)
    try:
        inside = _judged(text, is_open, launch.engine, launch.version)
        together = _together(launch, inside, ground)
    except ConfigError as error:
        return launch.replace(notes=[*launch.notes, *error.diagnostics])
    given = {verdict.canonical for verdict in launch.verdicts if verdict.canonical}
    added = [
        verdict.replace(**_OVERRIDDEN)
        if verdict.canonical in given
        else _of_whole(verdict, together)
        for verdict in inside
    ]
    own = [_of_whole(verdict, together) for verdict in launch.verdicts]
    return launch.replace(verdicts=[*own, *added])


def _with_model(launch: CheckResult, model: Any, is_open: bool) -> CheckResult:
    """A launch, with the model that its file names where the line names none."""
    if launch.model is not None or not isinstance(model, str) or (is_open and _is_open(model)):
        return launch
    return launch.replace(model=model)


def _together(
    launch: CheckResult,
    inside: list[Verdict],
    ground: tuple[Any, ...],
) -> dict[str, Verdict]:
    """What is refused where the line's arguments, the file's and its model meet, by flag."""
    if launch.platform is not None:
        return {}
    whole: dict[str, str] = {}
    for verdict in [*inside, *launch.verdicts]:
        plain = verdict.verdict not in ("assumed", "unknown-flag") and not verdict.refused
        if plain and verdict.canonical.startswith("--"):
            whole[verdict.canonical] = verdict.value
    whole.pop(launch._config_flag, None)
    words = [launch.model] if launch.model and launch.model[:1] != "-" else []
    words += [flag if value == "true" else f"{flag}={value}" for flag, value in whole.items()]
    try:
        judged = _core.check(words, launch.engine, launch.version, *ground)
    except ConfigError:
        return {}
    of_rules = [verdict for verdict in judged.verdicts if verdict.verdict not in _OF_PARSER]
    return {verdict.canonical: verdict for verdict in of_rules if verdict.refused}


def _of_whole(verdict: Verdict, together: dict[str, Verdict]) -> Verdict:
    """A verdict, or what becomes of it beside all the others."""
    refused = together.get(verdict.canonical) if verdict.canonical else None
    if refused is None or verdict.refused:
        return verdict
    return refused.replace(argument=verdict.argument, value=verdict.value)


@lru_cache(maxsize=4)
def _judged(text: str | bytes, is_open: bool, engine: str, version: str) -> list[Verdict]:
    """The verdicts on the settings of a file; what a shell fills in there is assumed."""
    from .check import Verdict

    settings = dict(_arguments_of(text) or {})
    settings.pop("model", None)
    filled = {key for key, value in settings.items() if is_open and _is_open(str(value))}
    known = {key: value for key, value in settings.items() if key not in filled}
    inside = _core.check(known, engine, version, None, None, None).verdicts if known else []
    judged = {key: verdict.replace(argument=key) for key, verdict in zip(known, inside)}
    for key in filled:
        value = str(settings[key])
        judged[key] = Verdict(key, value, "assumed", False, "", _LEFT_OPEN, "", [])
    return [judged[key] for key in settings if key in judged]


def _is_open(value: str) -> bool:
    return any(sign in value for sign in _OPEN)


def note_unread(launch: CheckResult, endings: tuple[str, ...], read: dict[str, str]) -> CheckResult:
    """Name the files of settings that a launch gives to other arguments: nothing reads them.

    Args:
        launch: it.
        endings: what the names of such files end with.
        read: the files that were read, by name.

    Returns:
        CheckResult: with a note for each.
    """
    unread = []
    for verdict in launch.verdicts:
        taken = verdict.canonical and verdict.canonical == launch._config_flag
        if verdict.value not in read and verdict.value.endswith(endings) and not taken:
            unread.append(_not_read(verdict.value))
    return launch.replace(notes=[*launch.notes, *unread])


def _not_read(name: str) -> Diagnostic:
    return _core.make_diagnostic("file-not-read", "command", {"value": repr(name)})


@lru_cache(maxsize=4)
def _arguments_of(text: str | bytes) -> dict[str, Any] | None:
    """What a file of arguments sets, as a command line would have it."""
    data = _parsed(text)
    if data is None:
        return None
    return {key: _as_argument(value) for key, value in data.items() if value not in (None, False)}


@lru_cache(maxsize=4)
def _parsed(text: str | bytes) -> dict[str, Any] | None:
    """The settings in a text; None when it is no mapping of names."""
    try:
        data = read_yaml(text)
    except ConfigError:
        return None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        return None
    return data


def known_settings(name: str, written: list[WrittenFile]) -> dict[str, Any] | None:
    """What stands in a file of settings, without what a shell fills in.

    Args:
        name: the file, as a launch names it.
        written: the files that its script writes; another file is read where it is.

    Returns:
        dict: the settings as they are nested, or None when the file cannot be read.
    """
    text, is_open = _text_of(name, written)
    data = None if text is None else _parsed(text)
    return _without_open(data) if is_open and data is not None else data


def _without_open(data: dict[str, Any]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            out[key] = _without_open(value)
        elif not _is_open(str(value)):
            out[key] = value
    return out


def _text_of(name: str, written: list[WrittenFile]) -> tuple[str | bytes | None, bool]:
    """The text of a file, and whether a shell fills in some of it."""
    for file in reversed(written):
        if file.name == name:
            return file.text, file.open
    return _local_text(name), False


def _as_argument(value: Any) -> Any:
    if isinstance(value, list) and not any(isinstance(item, (dict, list)) for item in value):
        return " ".join(str(item) for item in value)
    return json.dumps(value) if isinstance(value, (dict, list)) else value


def _local_text(name: str) -> bytes | None:
    """The content of a regular file that is there; a device or a pipe is not read."""
    try:
        if not os.path.isfile(name) or os.path.getsize(name) > MAX_BYTES:
            return None
        with open(name, "rb") as handle:
            return handle.read(MAX_BYTES)
    except (OSError, ValueError):
        return None
