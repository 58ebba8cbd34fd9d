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

    from .check import CheckResult

__all__: list[str] = []


def add_settings(
    result: CheckResult, flag: str, written: list[dict[str, Any]], make: type[CheckResult]
) -> None:
    """Judge the settings of the file that a launch names by ``flag``, and add them to its verdicts.

    Args:
        result: the launch.
        flag: the flag that takes the file.
        written: files that the launch's script writes, by name and text; another is read where it
            is.
        make: the class of results.
    """
    name, settings = _settings_file(result, flag, written)
    if settings is None:
        note = _core.make_diagnostic("file-not-read", "command", {"value": repr(name)})
        result.notes.append(note)
        return
    model = settings.pop("model", None)
    if result.model is None and isinstance(model, str):
        result.model = model
    try:
        inside = make(_core.check(settings, result.engine, result.version, None, None, None))
    except ConfigError as error:
        result.notes += error.diagnostics
        return
    given = {verdict.canonical for verdict in result.verdicts if verdict.canonical}
    for key, verdict in zip(settings, inside.verdicts):
        verdict.argument = key
        if verdict.canonical in given:
            verdict.verdict, verdict.refused = "no-effect", False
            verdict.reason, verdict.hint = "the line sets it as well: the line counts", ""
        result.verdicts.append(verdict)


def _settings_file(
    result: CheckResult, flag: str, written: list[dict[str, Any]]
) -> tuple[str, dict[str, Any] | None]:
    """The file of arguments that a line names, and what it sets; None when it cannot be read."""
    name = [verdict.value for verdict in result.verdicts if verdict.canonical == flag][-1]
    texts = [file["text"] for file in written if file["name"] == name]
    text: str | bytes | None = texts[-1] if texts else _local_text(name)
    if text is None:
        return name, None
    try:
        data = read_yaml(text)
    except ConfigError:
        return name, None
    if not isinstance(data, dict) or not all(isinstance(key, str) for key in data):
        return name, None
    return name, {
        key: _as_argument(value) for key, value in data.items() if value not in (None, False)
    }


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
