"""The launch behind a log: engine, release, and the words that it was started with."""

from __future__ import annotations

import re

from . import _core
from .check import check, check_script
from .errors import ConfigError
from .log_engine import engines_of
from .log_reader import call_arguments, launch_blocks
from .messages import messages_of
from .repository import is_default

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .check import CheckResult
    from .log_reader import Failure
    from .messages import Messages
    from .words import Engine

_RELEASE = r"(?<![\w-])%s(?:==|-| version )v?(\d{1,3}(?:\.\d{1,3}){1,3}(?:\.?(?:post|rc)\d{1,2})?)"
_TAG = r"/%s[\w-]{0,20}:v?(\d{1,3}(?:\.\d{1,3}){1,3}(?:\.?(?:post|rc)\d{1,2})?)"  # of an image
_MOST_VERSIONS = 50
_MOST_WORDS = 500


class LaunchLog:
    """What a log shows beside its errors.

    Attributes:
        engine: the engine's id, or None.
        also: other engines that the errors may be of.
        name: the engine's name.
        messages: what its releases say.
        version: the release, or None.
        words: the words of the launch, its model first.
        ground: GPU and model, as keywords of `check`.
    """

    def __init__(
        self,
        text: str,
        engine: str | None,
        version: str | None,
        ground: dict[str, Any],
        failures: list[Failure],
    ) -> None:
        self.ground = ground
        engines = {row["id"]: row for row in _core.engines()}
        named = None if engine is None else check([], engine, version).engine
        judged = _launch_of(text, named, version, ground)
        self.also: list[Engine] = []
        if named is None and judged is not None:
            named = judged.engine
        elif named is None:
            found = engines_of(text, failures)
            named, self.also = (found[0], found[1:]) if found else (None, [])
        self.engine = named
        self.name: str | None = None
        self.messages: Messages | None = None
        self.version: str | None = None
        self.words: list[str] = []
        if named is None:
            return
        self.name = engines[named]["name"]
        self.messages = messages_of(named)
        self.version = self._release(text, named, version, judged)
        words = self._arguments(text) if judged is None else _words_of(judged)
        self.words = words[:_MOST_WORDS]

    def judge(self, words: list[str], version: str | None = None) -> CheckResult | None:
        """The verdicts on words of a launch; None when they cannot be read."""
        if self.engine is None:
            return None
        try:
            return check(words, self.engine, version or self.version, **self.ground)
        except ConfigError:
            return None

    def _release(
        self, text: str, engine: str, version: str | None, judged: CheckResult | None
    ) -> str | None:
        """The release that somebody names: the caller, the log, the launch's image."""
        if version is not None:
            return check([], engine, version).version
        found = _version_of(text, engine, self.messages)
        if found is None and judged is not None:
            # Where the text does not tell, only the newest stands in.
            told = judged.asked is None and judged.version in text
            found = judged.version if told else None
        return found

    def _arguments(self, text: str) -> list[str]:
        """The launch, from what the engine prints of its arguments."""
        marks = self.messages.log.get("arguments", []) if self.messages else []
        given = call_arguments(text, marks)
        defaults = _core.surface(self.engine, self.version or "latest")
        flags = {flag.lstrip("-").replace("-", "_"): flag for flag in defaults}
        launchers = next(row["launchers"] for row in _core.engines() if row["id"] == self.engine)
        model = {flag for _, flag in launchers if flag}
        words: list[str] = []
        named = ""
        for name, shown in given.items():
            flag, value = flags.get(name, ""), _plain(shown)
            if flag in model or flag == name:  # the model, behind its flag or by itself
                named = named or value
            elif flag and not is_default(flag, value, defaults):
                words += _as_given(flag, value)
        return [named, *words] if named else words


def _launch_of(
    text: str, engine: str | None, version: str | None, ground: dict[str, Any]
) -> CheckResult | None:
    """The launch of the log's own command line, judged; the last one where there are several."""
    words = [" ".join(words) for row in _core.engines() for words, _ in row["launchers"]]
    images = [name for row in _core.engines() for name in row["runtime_names"]]
    marks = [*words, *(f"{name}:" for name in images), "docker run "]
    for block in reversed(launch_blocks(text, marks)):
        try:
            found = check_script(block, version, **ground).launches
        except ConfigError:
            continue
        for launch in found:
            if engine in (None, launch.engine) and launch.verdicts:
                return launch
    return None


def _words_of(launch: CheckResult) -> list[str]:
    words = [launch.model] if launch.model else []
    variables = []
    for verdict in launch.verdicts:
        if verdict.argument[:1] != "-":
            variables.append(f"{verdict.argument}={verdict.value}")
        else:
            words += (
                [verdict.argument] if verdict.value == "true" else [verdict.argument, verdict.value]
            )
    return [word for word in variables if re.match(r"[A-Za-z_]\w*=", word)] + words


def _version_of(text: str, engine: str, messages: Messages | None) -> str | None:
    """The release that a log names: as its engine prints it, or as packages are called."""
    rows = _core.memory_log_lines()
    patterns = [row[2] for row in rows if row[:2] == (engine, "release")]
    patterns.append(_RELEASE % re.escape(messages.package if messages else engine))
    names = next(row["runtime_names"] for row in _core.engines() if row["id"] == engine)
    patterns += [_TAG % re.escape(name) for name in names]
    known = {row["version"] for row in _core.releases(engine)}
    for pattern in patterns:
        for _, match in zip(range(_MOST_VERSIONS), re.finditer(pattern, text)):
            version = match[1].rstrip(".")
            if version in known:
                return version
    return None


def _plain(shown: str) -> str:
    """A value that Python shows, as a launch would write it; empty for what is not set."""
    if len(shown) > 1 and shown[0] in "'\"" and shown[-1] == shown[0]:
        return shown[1:-1]
    known = shown != "None" and re.fullmatch(r"[\w.+-]{1,80}", shown)
    return {"True": "true", "False": "false"}.get(shown, shown) if known else ""


def _as_given(flag: str, value: str) -> list[str]:
    """A flag and its value as words; a switch that is off, or what is not set, is none."""
    if value in ("", "false"):
        return []
    return [flag] if value == "true" else [flag, value]
