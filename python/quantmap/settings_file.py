"""Files of arguments that a launch names: what they set is judged beside the line's own words."""

from __future__ import annotations

import json
import os

from . import _core
from .errors import ConfigError
from .yaml_reader import MAX_BYTES, read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__: list[str] = []


def add_settings(data: dict[str, Any]) -> None:
    """Judge the settings of the file that a launch names, and add them to its verdicts.

    Args:
        data: the launch, with the flag that takes the file and the files that its script writes;
            another file is read where it is.
    """
    flag, verdicts = data["config_flag"], data["verdicts"]
    name = [verdict["value"] for verdict in verdicts if verdict["canonical"] == flag][-1]
    settings = _settings_of(name, data["files"])
    if settings is None:
        _note(data, name)
        return
    model = settings.pop("model", None)
    if data["model"] is None and isinstance(model, str):
        data["model"] = model
    try:
        inside = _core.check(settings, data["engine"], data["version"], None, None, None)
    except ConfigError as error:
        data["notes"] += error.diagnostics
        return
    given = {verdict["canonical"] for verdict in verdicts if verdict["canonical"]}
    for key, verdict in zip(settings, inside["verdicts"]):
        verdict["argument"] = key
        if verdict["canonical"] in given:
            verdict["verdict"], verdict["refused"] = "no-effect", False
            verdict["reason"], verdict["hint"] = "the line sets it as well: the line counts", ""
        verdicts.append(verdict)


def note_unread(data: dict[str, Any], endings: tuple[str, ...], read: dict[str, str]) -> None:
    """Name the files of settings that a launch gives to other arguments: nothing reads them.

    Args:
        data: the launch.
        endings: what the names of such files end with.
        read: the files that were read, by name.
    """
    for verdict in data["verdicts"]:
        flag, value = verdict["canonical"], verdict["value"]
        if value in read:
            continue
        if value.endswith(endings) and (not flag or flag != data["config_flag"]):
            _note(data, value)


def _note(data: dict[str, Any], name: str) -> None:
    note = _core.make_diagnostic("file-not-read", "command", {"value": repr(name)})
    data["notes"].append(note)


def _settings_of(name: str, written: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What a file of arguments sets; None when it cannot be read."""
    data = read_settings(name, written)
    if data is None:
        return None
    return {key: _as_argument(value) for key, value in data.items() if value not in (None, False)}


def read_settings(name: str, written: list[dict[str, Any]]) -> dict[str, Any] | None:
    """What stands in a file of arguments.

    Args:
        name: the file, as a launch names it.
        written: the files that its script writes; another file is read where it is.

    Returns:
        dict: the settings as they are nested, or None when the file cannot be read.
    """
    texts = [file["text"] for file in written if file["name"] == name]
    text: str | bytes | None = texts[-1] if texts else _local_text(name)
    if text is None:
        return None
    try:
        data = read_yaml(text)
    except ConfigError:
        return None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        return None
    return data


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
