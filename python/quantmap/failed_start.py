"""Why a server did not start: from its log to the rule or message, the argument, and a change."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import _core
from .cures import advised, change_for, fixed_in, of_shares, rank_of, value_in, without_rule
from .errors import ConfigError
from .launch_log import LaunchLog
from .log_reader import LONGEST_TEXT, find_failures, last_start, without_records
from .messages import library_message
from .parser_errors import Told, flag_and_value, of_other_program, offered, without_flag
from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from .check import Verdict
    from .checkpoint import CheckpointInfo
    from .log_reader import Failure
    from .messages import LibraryMessage, Message, Messages
    from .words import Count, Engine

__all__ = ["WhyResult", "why"]


class WhyResult(Result):
    """Why a server did not start. It is true when the error was recognised.

    Attributes:
        engine: the engine's id, or None when the log shows none.
        engine_name: the engine's name.
        also: other engines whose releases say the same, where the log does not tell which it was.
        version: the release that the log, its launch or the caller names, or None.
        error: the class of the exception; empty when a parser refused the arguments.
        message: what the log says, on one line.
        line: the line of the log.
        template: the message of the releases' sources that it is, or None.
        source: where that message is raised: file and function in the newest release that says it.
        condition: what is tested there, as it is written.
        said_from: the first release that says it, or None.
        said_until: the first release that does not say it any more, or None.
        arguments: the flags behind it; those that the launch gives come first.
        launch: the words of the launch that the log shows, its model first.
        rule: what quantmap knows of it; empty when it knows no rule that refuses this launch.
        change: the smallest change with which the launch starts; empty when none is known.
        certain: whether the change was judged by the release's rules; else it only leaves out what
            the condition looks at.
        fixed_in: the first later release that takes the launch as it is, or None.
        evidence: where the rule is written.
    """

    engine: Engine | None
    engine_name: str | None
    also: list[Engine]
    version: str | None
    error: str
    message: str
    line: Count
    template: str | None
    source: str | None
    condition: str
    said_from: str | None
    said_until: str | None
    arguments: list[str]
    launch: list[str]
    rule: str
    change: str
    certain: bool
    fixed_in: str | None
    evidence: list[str]

    _shown = ("engine", "version", "message", "arguments", "change")

    def __bool__(self) -> bool:
        """Whether a message of the sources or a rule was found for the error."""
        return self.template is not None or bool(self.rule)


def why(
    text: str,
    engine: str | None = None,
    engine_version: str | None = None,
    *,
    gpu: str | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
) -> WhyResult | None:
    """Explain a traceback or a log of a server that did not start.

    The error is looked up among the messages that the engines' releases raise; its launch is read
    from the log or the command in it, and judged as `check` does. Nothing in the log is run.

    Args:
        text: the log, with the command in it where there is one; of more than 8 MB the end counts.
        engine: the engine; None means the one whose files or lines the log shows.
        engine_version: the release; None means the one that the log names.
        gpu: the GPU, so that its rules count as well.
        model_quantization: the model's own quantization method.
        checkpoint: the model, as for `check`.

    Returns:
        WhyResult: what was found, or None when the text shows no error.

    Raises:
        ConfigError: the text is no text, or engine, version or GPU are not known.

    Example:
        >>> found = why(
        ...     "$ vllm serve m --kv-cache-dtype fp9\\n"
        ...     "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'fp9'",
        ...     engine_version="0.11.0",
        ... )
        >>> found.arguments, found.change
        (['--kv-cache-dtype'], 'write --kv-cache-dtype fp8')
    """
    if not isinstance(text, str):
        context = {"expected": "a string", "got": _core.describe(text), "hint": ""}
        raise ConfigError([_core.make_diagnostic("wrong-type", "text", context)])
    text = without_records(text[-LONGEST_TEXT:])
    failures = _of_last_start(text, find_failures(text))
    if not failures:
        return None
    ground = {"gpu": gpu, "model_quantization": model_quantization, "checkpoint": checkpoint}
    return _Case(text, engine, engine_version, ground, failures).explain(failures)


def _of_last_start(text: str, failures: list[Failure]) -> list[Failure]:
    """The errors of the last start, where a log shows several; all where none is behind it."""
    starts = [" ".join(words) for row in _core.engines() for words, _ in row["launchers"]]
    begin = last_start(text, starts)
    return [failure for failure in failures if failure.line > begin] or failures


# What only says that something else failed.
_CAUSE_ELSEWHERE = re.compile(
    r"See (?:root cause above|stack trace for root cause)|^\S* ?died\b|"
    r"check the stack trace above for the root cause"
)
_UNRECOGNIZED = "unrecognized arguments:"  # as argparse says it
_WRAPPER = re.compile(_CAUSE_ELSEWHERE.pattern + r"|^\d+ validation errors? for \w+$")


class _Found(NamedTuple):
    """An error with what it is known as."""

    failure: Failure
    message: Message | None
    library: LibraryMessage | None
    flags: list[str]


def _rank(found: _Found) -> int:
    """How near an error is to what can be changed: 0 is nearest; what wraps another comes last."""
    known = found.message or found.library
    of_parser = not found.failure.kind and found.flags
    rank = 0 if of_parser else 1 if found.message and found.flags else 2 if known else 3
    return rank + 4 * (_WRAPPER.search(found.failure.text) is not None)


class _Case(LaunchLog):
    """A log with what is found out about it."""

    def explain(self, failures: list[Failure]) -> WhyResult:
        """The error that matters, and everything that is known of it."""
        release = self.messages.number(self.version) if self.messages else None
        found = min((self._looked_up(failure, release) for failure in failures), key=_rank)
        failure, message, library, flags = found
        words = self.words or _words_of_parser(failure, flags)
        rule = self._rule(words, found)
        change, certain = change_for(self, words, rule)
        loose = without_flag(failure, self.name) or self._of_another(failure, flags, rule)
        if loose:
            flags, rule = loose.arguments, None
        return WhyResult(
            engine=self.engine,
            engine_name=self.name,
            also=self.also,
            version=self.version,
            error=failure.kind,
            message=failure.text,
            line=failure.line,
            **(_of_library(library) if library else self._of_message(failure, message)),
            arguments=flags,
            launch=words,
            **_known_of(loose, rule, library),
            change=(loose.change if loose else change if rule else self._change(words, found)),
            certain=certain and loose is None,
            fixed_in=fixed_in(self, words, rule) if rule else self._gone(words, flags, message),
        )

    def _of_another(self, failure: Failure, flags: list[str], rule: Verdict | None) -> Told | None:
        """What a parser means that is another program's, or another release's."""
        if failure.kind or self.engine is None:
            return None
        starts = next(row["launchers"] for row in _core.engines() if row["id"] == self.engine)
        other = of_other_program(failure, [words for words, _ in starts]) or offered(failure)
        if other or rule or not flags or _UNRECOGNIZED not in failure.text:
            return other
        return self._of_other_releases(self.engine, flags[0])

    def _of_other_releases(self, engine: Engine, flag: str) -> Told | None:
        """What releases know a flag that the log's own does not."""
        versions = [row["version"] for row in _core.releases(engine)]
        having = [one for one in versions if flag in _core.surface(engine, one)]
        if not having or self.version in having:
            return None
        means = f"the releases of {self.name} from {having[0]} to {having[-1]} take {flag}"
        return Told(means, f"leave out {flag}, or start {self.name} {having[-1]}", [flag])

    def _looked_up(self, failure: Failure, release: int | None) -> _Found:
        """What an error is: a message of the engine's, else one of a library beneath it."""
        message = self.messages.find(failure, release) if self.messages else None
        library = None if message else library_message(failure)
        behind = library.arguments if library else message.arguments if message else []
        return _Found(failure, message, library, self._flags(failure, list(behind)))

    def _change(self, words: list[str], found: _Found) -> str:
        """What may help where no rule is known."""
        failure, message, library, flags = found
        if _CAUSE_ELSEWHERE.search(failure.text):
            return "look above in the log, or paste all of it: the cause is told there"
        if library:
            return library.change
        said = advised(failure, message, self.messages)
        choices = self._choices(flags[0]) if said and flags else []
        return (
            value_in(said, flags[0], choices)
            if choices
            else said or without_rule(words, flags, message, failure)
        )

    def _choices(self, flag: str) -> list[str]:
        """The values that the release takes for a flag; empty where it has no list of them."""
        known = _core.surface(self.engine, self.version or "latest") if self.engine else {}
        return list(known.get(flag, {}).get("choices") or ())

    def _flags(self, failure: Failure, behind: list[str]) -> list[str]:
        """The flags behind an error, those that the launch gives first."""
        if self.engine is None:
            return []
        known = _core.surface(self.engine, self.version or "latest")
        aliases = {alias: flag for flag, row in known.items() for alias in row["aliases"]}
        named = self._told_by(failure, known)
        behind += [row["argument"] for row in self._cures(failure) if "argument" in row]
        named += [flag for flag in behind if flag in known or flag in aliases]
        if of_shares(failure):
            named = [*_size_of_shares(self.engine), *named]
        flags = dict.fromkeys(aliases.get(name, name) for name in named if name)
        given = [aliases.get(name, name) for name in self.words if name[:1] == "-"]
        return sorted(flags, key=lambda flag: flag not in given)

    def _told_by(self, failure: Failure, known: dict[str, Any]) -> list[str]:
        """The flags that an error names, itself or by their values."""
        named = [] if failure.kind else [flag_and_value(failure.text)[0]]
        pairs = zip(self.words, self.words[1:])
        named += _named(failure.text, known)
        return named + [flag for flag, value in pairs if _tells(flag, value, failure)]

    def _cures(self, failure: Failure) -> list[dict[str, Any]]:
        """What the engine's table says of an error that it does not say itself."""
        cures = self.messages.log.get("cures", []) if self.messages else []
        return [row for row in cures if row["says"] in failure.text]

    def _rule(self, words: list[str], found: _Found) -> Verdict | None:
        """What the release refuses in the launch: of what the error is about, if that is known."""
        failure, _, _, flags = found
        is_known = found.message is not None or found.library is not None
        judged = self.judge(words) if words else None
        told = [] if judged is None else judged.verdicts
        refused = _refused_in(told, failure, flags)
        first = min(refused, key=lambda verdict: rank_of(verdict, flags), default=None)
        of_other = first is not None and is_known and rank_of(first, flags) == len(flags)
        return None if of_other else first

    def _of_message(self, failure: Failure, message: Message | None) -> dict[str, Any]:
        """The fields about the message that the error is."""
        if message is None or self.messages is None:
            fields: dict[str, Any] = dict.fromkeys(("template", "said_from", "said_until"))
            return {**fields, "source": _deepest(failure, self.messages), "condition": ""}
        releases = self.messages.releases
        source = f"{self.engine} {releases[message.until - 1]}: {message.at}"
        deepest = _deepest(failure, self.messages)
        # One text may stand in several files of a folder: that of the traceback raised it.
        file, folder = message.at.partition(",")[0], message.at.partition(",")[0].rpartition("/")[0]
        raised = (deepest or "").partition(",")[0]
        elsewhere = raised != file and raised.rpartition("/")[0] == folder
        return {
            "template": message.text,
            "source": deepest if elsewhere else source,
            "condition": message.when,
            "said_from": releases[message.since],
            "said_until": releases[message.until] if message.until < len(releases) else None,
        }

    def _gone(self, words: list[str], flags: list[str], message: Message | None) -> str | None:
        """The first release that says nothing like a message, unless it refuses the same."""
        told = message is not None and self.version is not None
        told = told and not _WRAPPER.search(message.text if message else "")
        gone = self.messages.gone(message) if self.messages and message and told else None
        after = self.judge(words, gone) if gone and words else None
        verdicts = [] if after is None else after.verdicts
        still = any(v.refused and rank_of(v, flags) < len(flags) for v in verdicts)
        return None if still else gone


def _refused_in(told: list[Verdict], failure: Failure, flags: list[str]) -> list[Verdict]:
    """What is refused of a launch; what the parser refuses, with what is known of it."""
    verdicts = [verdict for verdict in told if not _is_of_another(verdict, failure)]
    refused = [v for v in verdicts if v.refused]
    if refused or failure.kind:
        return refused
    return [v for v in verdicts if v.reason and rank_of(v, flags) < len(flags)]


def _is_of_another(verdict: Verdict, failure: Failure) -> bool:
    """Whether a value is refused where the log's own release did not know the flag."""
    other = verdict.refused and verdict.verdict != "unknown-flag"
    return other and _UNRECOGNIZED in failure.text


def _known_of(
    loose: Told | None, rule: Verdict | None, library: LibraryMessage | None
) -> dict[str, Any]:
    """The fields about what quantmap knows of an error."""
    if loose:
        return {"rule": loose.means, "evidence": []}
    if rule:
        return {"rule": rule.reason, "evidence": rule.evidence}
    known = {"rule": library.means, "evidence": library.evidence} if library else {}
    return known or {"rule": "", "evidence": []}


def _of_library(library: LibraryMessage) -> dict[str, Any]:
    """The fields about what a library beneath the engine says."""
    fields: dict[str, Any] = dict.fromkeys(("said_from", "said_until"))
    return {**fields, "template": library.text, "source": library.package, "condition": ""}


def _words_of_parser(failure: Failure, flags: list[str]) -> list[str]:
    """What a parser says of a launch that the log does not show."""
    if failure.kind or not flags:
        return []
    value = flag_and_value(failure.text)[1]
    return [flags[0]] if value is None else [flags[0], value]


def _size_of_shares(engine: Engine) -> list[str]:
    """The flag that says over how many GPUs a weight is divided."""
    try:
        return list(_core.parallel_arguments({"tp": 2}, engine))
    except ConfigError:
        return []


def _named(text: str, known: dict[str, Any]) -> list[str]:
    """The flags that a text names: as flags, as their values are called in the source, in words."""
    named = re.findall(r"(?<![\w-])--[a-zA-Z][\w-]{1,60}", text)
    plain = {flag.lstrip("-").replace("-", "_"): flag for flag in known}
    words = re.findall(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+", text)
    named += [plain[word] for word in words if word in plain]
    # "No valid attention backend", AttentionBackendEnum.X
    told = re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower())
    pairs = [
        "_".join(told[at : at + size]) for size in (3, 2) for at in range(len(told) - size + 1)
    ]
    return [*named, *(plain[pair] for pair in pairs if pair in plain)]


def _tells(flag: str, value: str, failure: Failure) -> bool:
    """Whether an error names the value that a launch gives a flag."""
    if flag[:1] != "-" or value[:1] == "-" or len(value) < 3:
        return False
    return re.search(rf"(?<![\w-]){re.escape(value)}(?![\w-])", failure.text) is not None


def _deepest(failure: Failure, messages: Messages | None) -> str | None:
    """The last place of the engine's own code in the traceback."""
    mark = f"/{messages.package}/" if messages else None
    for file, function in reversed(failure.frames):
        if mark and mark in file:
            return f"{file[file.rindex(mark) + 1 :]}, {function}"
    return None
