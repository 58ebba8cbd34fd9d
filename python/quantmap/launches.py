"""The launches of a text: of a script, of containers in data, of what a script writes."""

from __future__ import annotations

import itertools
import re

from . import _core
from .files import MAX_BYTES
from .launch_lines import launch_lines, line_naming_engine, names_an_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .check import CheckResult
    from .containers import Container
    from .errors import Diagnostic
    from .script import WrittenFile

__all__: list[str] = []

_SETTINGS = (".yaml", ".yml")
_STARTS_NOTHING = ("unknown-launcher", "unknown-image", "other-command", "prints-only")
_VARIABLE = re.compile(r"\$\{(\w+)(\[@\])?\}")
_OF_SHELL = (  # what is said of a shell's variables, and of others
    ("a shell puts the value in:", "the value is left open:"),
    ("what a shell puts here is", "what stands here is"),
)
_DEEPEST = 2  # files that a script writes may be scripts that write files
_MOST_WRITTEN = 2_000_000  # characters of files that scripts write
_MOST_LAUNCHES = 1_000
_UNREAD = "invalid-command"  # of what no shell could read
_LONGEST_ROW = 2_000
_FEW_LINES = 5  # of what may be a command


def judge_one(command: Any, ground: tuple[Any, ...]) -> CheckResult:
    """The first launch of a command.

    Args:
        command: a line, words, or arguments by name.
        ground: what is known of it, as the core takes it behind the command.

    Returns:
        CheckResult: the launch, with what the files that it names set.
    """
    launch = _core.check(command, *ground)
    settings = _settings([launch])
    if settings:
        engine, version, gpu, method, checkpoint = ground
        launch = _core.check(command, engine, version, gpu, method, checkpoint, settings)
    return _with_files(launch, settings, ground)


def judge_text(
    text: Any, ground: tuple[Any, ...], before: str = ""
) -> tuple[list[CheckResult], list[Diagnostic]]:
    """Every launch of a text.

    Args:
        text: a script, or anything that holds launches.
        ground: what is known of every launch, as the core takes it behind the text.
        before: commands in front of every script, on one line, such as what installs an engine.

    Returns:
        tuple[list[CheckResult], list[Diagnostic]]: the launches, in their order, and what to know.
    """
    containers = None
    if isinstance(text, str) and len(text) <= MAX_BYTES:
        from .containers import read_text

        text, containers = read_text(text)
    judged = _Judged(ground, before)
    if containers is None:
        judged.script(text, 1)
    for container in containers or ():
        if len(judged.launches) >= _MOST_LAUNCHES:
            judged.left_out += 1
        else:
            judged.container(container, 1)
    launches, notes = judged.launches, judged.notes
    if judged.has_files:
        launches.sort(key=lambda launch: launch.line)
    if judged.left_out:
        context = {"got": str(judged.left_out), "known": str(len(launches))}
        notes.append(_core.make_diagnostic("launches-left-out", "command", context))
    if not launches and isinstance(text, str) and len(text) <= MAX_BYTES:
        launches, notes = _as_told(
            text, ground, notes, is_prose=containers is None or "```" in text
        )
    return launches, _worth_telling(launches, notes)


def _worth_telling(launches: list[CheckResult], notes: list[Diagnostic]) -> list[Diagnostic]:
    """Without what says that something starts no engine, where it stands beside what does."""
    if launches:
        return [note for note in notes if note.code not in _STARTS_NOTHING]
    return notes or [_core.make_diagnostic("unknown-launcher", "command", {})]


def _as_told(
    text: str, ground: tuple[Any, ...], notes: list[Diagnostic], *, is_prose: bool
) -> tuple[list[CheckResult], list[Diagnostic]]:
    """The launches of a text in which none can be read: those of prose, or where one is named."""
    if not names_an_engine(text):
        return [], notes
    from .markdown import told_launches

    judged = _Judged(ground)
    plain = text.replace("\u00a0", " ")
    for line, words in told_launches(plain) if is_prose and not text.startswith("#!") else ():
        judged.script(words, line)
    for line, words in () if judged.launches else _quoted(text):
        judged.script(words, line)
    if judged.launches:
        if plain != text:
            line = text.count("\n", 0, text.index("\u00a0")) + 1
            judged.notes.append(
                _core.make_diagnostic("printed-blank", "command", {"line": str(line)})
            )
        return judged.launches, judged.notes
    others = [note for note in notes if note.code != "unknown-launcher"]
    if others and not _only_of_quotes(text, others):
        return [], others
    line, said = _first_named(text)
    context = {"line": str(line), "value": repr(said)}
    return [], [_core.make_diagnostic("engine-named-only", "command", context)]


def _only_of_quotes(text: str, notes: list[Diagnostic]) -> bool:
    """Whether all that is said of a page is that quotes in its sentences are never closed."""
    prose = not text.startswith("#!") and text.count("\n") > _FEW_LINES
    if not prose or any(note.code != _UNREAD for note in notes):
        return False
    found = itertools.islice(launch_lines().finditer(text), _MOST_LAUNCHES)
    rows = (
        text[match.start() : match.start() + _LONGEST_ROW].partition("\n")[0] for match in found
    )
    return not any(map(names_an_engine, rows))


def _quoted(text: str) -> list[tuple[int, str]]:
    from .quoted_words import quoted_launches

    return quoted_launches(text)


def _first_named(text: str) -> tuple[int, str]:
    """The first line that names an engine."""
    number = line_naming_engine(text)
    return number, text.split("\n")[number - 1].strip()[:80]


class _Judged:
    """Launches and notes, as they are found."""

    def __init__(self, ground: tuple[Any, ...], before: str = "") -> None:
        self.ground = ground
        self.before = before
        self.launches: list[CheckResult] = []
        self.notes: list[Diagnostic] = []
        self.has_files = False
        self.left_out = 0  # files in which launches may be
        self._left = _MOST_WRITTEN

    def script(self, text: Any, line: int, *, is_script: bool = True, depth: int = 0) -> None:
        """Judge a script, or words, that begin on a line; then the files that it writes."""
        if self.before and is_script and isinstance(text, str):
            text = self.before + text
        judged = _core.check_script(text, *self.ground)
        settings = _settings(judged.launches)
        if settings:
            engine, version, gpu, method, checkpoint = self.ground
            judged = _core.check_script(text, engine, version, gpu, method, checkpoint, settings)
        for launch in judged.launches:
            at = line + (launch.line - 1 if is_script else 0)
            self.launches.append(_with_files(launch.replace(line=at), settings, self.ground))
        self.notes += judged.notes
        if is_script and depth < _DEEPEST and isinstance(text, str) and " -c " in text:
            self._inline(text, line)
        if depth < _DEEPEST:
            for file in judged._written:
                self._file(file, line - 1 + file.line if is_script else line, depth + 1)

    def _inline(self, text: str, line: int) -> None:
        """Judge what stands in ``python -c`` of a script."""
        from .quoted_words import inline_python

        for found in inline_python(text):
            before = len(self.launches)
            self.script(found.words, line - 1 + found.line, depth=_DEEPEST)
            self.launches[before:] = map(_by_name, self.launches[before:])
            if found.is_call:
                self.launches[before:] = map(_as_called, self.launches[before:])
            self.has_files = True  # their order is not that of the lines

    def container(self, container: Container, line: int, depth: int = 0) -> None:
        """Judge a container of a text that begins on a line."""
        self.notes += [*filter(None, [container.note])]
        line += container.line - 1
        before = len(self.launches)
        self.script(container.words, line, is_script=container.is_script, depth=depth)
        if container.of_python:
            self.launches[before:] = map(_by_name, self.launches[before:])
        if container.of_call:
            self.launches[before:] = map(_as_called, self.launches[before:])

    def _file(self, file: WrittenFile, line: int, depth: int) -> None:
        """Judge what stands in a file that a script writes, or hands to a program."""
        from .containers import find_written

        self._left -= len(file.text)
        if self._left < 0 or len(self.launches) >= _MOST_LAUNCHES:
            self.left_out += names_an_engine(file.text)
            return
        before = len(self.launches)
        notes = self.notes
        self.notes = []
        for container in find_written(file.name, file.text):
            self.container(container, line, depth)
        if len(self.launches) > before:
            self.has_files = True
            notes = notes + self.notes
        self.notes = notes


def _named(text: str) -> str:
    """``${x}`` as a format string of Python has it, and ``${x[@]}`` as a list is put in."""
    return _VARIABLE.sub(lambda match: f"{{{'*' if match[2] else ''}{match[1]}}}", text)


def _by_name(launch: CheckResult) -> CheckResult:
    """A launch whose open values are names of Python, called so."""
    verdicts = []
    for verdict in launch.verdicts:
        if "${" in verdict.argument or "${" in verdict.value:
            reason = verdict.reason
            for said, plain in _OF_SHELL:
                reason = reason.replace(said, plain)
            argument, value = _named(verdict.argument), _named(verdict.value)
            verdict = verdict.replace(argument=argument, value=value, reason=reason)
        verdicts.append(verdict)
    return launch.replace(verdicts=verdicts)


def _as_called(launch: CheckResult) -> CheckResult:
    """A launch that is a call: it takes whole names, and some that are no flags."""
    from .python_calls import all_flags, flag_of

    verdicts = []
    for verdict in launch.verdicts:
        flag, _, name = verdict.argument.partition("--")
        is_flag = not flag and name and verdict.argument not in all_flags(launch.engine)
        if is_flag and verdict.canonical.startswith(verdict.argument):
            verdict = verdict.replace(
                verdict="unknown-flag",
                refused=True,
                reason="a call takes no abbreviation: this name is no parameter",
                hint=f"write {verdict.canonical[2:].replace('-', '_')}",
            )
        elif is_flag and verdict.refused and flag_of(launch.engine, name.replace("-", "_")) is None:
            reason = "no release has a flag of this name: whether the call takes it is not known"
            verdict = verdict.replace(verdict="assumed", refused=False, reason=reason, hint="")
        verdicts.append(verdict)
    return launch.replace(verdicts=verdicts)


def _settings(launches: list[CheckResult]) -> dict[str, str]:
    """The files whose settings the rules look at, by name, as JSON."""
    out: dict[str, str] = {}
    for launch, name in _named_files(launches):
        import json

        from .settings_file import known_settings

        read = known_settings(name, launch._files)
        if read is not None:
            out[name] = json.dumps(read)
    return out


def _named_files(launches: list[CheckResult]) -> Iterator[tuple[CheckResult, str]]:
    for launch in launches:
        for verdict in launch.verdicts:
            flag = verdict.canonical or verdict.argument
            if flag in launch._settings_flags and verdict.value.endswith(_SETTINGS):
                yield launch, verdict.value


def _with_files(launch: CheckResult, read: dict[str, str], ground: tuple[Any, ...]) -> CheckResult:
    """A launch, with what the file of arguments that it names sets."""
    flag, verdicts = launch._config_flag, launch.verdicts
    settings = flag and any(verdict.canonical == flag for verdict in verdicts)
    if settings or any(verdict.value.endswith(_SETTINGS) for verdict in verdicts):
        from .settings_file import note_unread, with_settings

        launch = note_unread(launch, _SETTINGS, read)
        if settings:
            launch = with_settings(launch, ground[2:])
    return launch
