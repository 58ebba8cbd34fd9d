"""Every launch in a folder: scripts, containers, Helm values, and the code blocks of Markdown."""

from __future__ import annotations

import os
import re
import shlex

from . import _core
from .check import CheckResult, ScriptResult, check_script
from .errors import ConfigError
from .launch_lines import names_an_engine
from .mapping import explain
from .markdown import has_code_blocks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from .errors import Diagnostic

__all__ = ["Change", "FileResult", "check_directory", "check_files"]

_REQUIREMENTS = re.compile(
    r"requirements[\w.-]*\.(?:txt|in)|pyproject\.toml|environment\.ya?ml|Pipfile"
)
_PIN = re.compile(
    r"(?:^|[\"'\s-])([A-Za-z][\w.-]{1,40}(?:\[[\w, -]{0,80}\])?[ ]?(?:[=~<>]=?|==)[ ]?"
    r"\d[\w.*]{0,30}(?:[ ]?,[ ]?[<>=!~]=?[ ]?[\w.*]{1,30}){0,4})",
    re.MULTILINE,
)
_LARGEST = 1_000_000
_SCRIPTS = (
    *(".sh", ".bash", ".zsh", ".ksh", ".fish", ".slurm", ".sbatch", ".env", ".py", ".mk"),
    *(".service", ".container", ".conf", ".tf", ".hcl"),
)
_WINDOWS = (".bat", ".cmd", ".ps1")
_DATA = (".yaml", ".yml", ".json", ".jsonl", ".ipynb", ".dockerfile", ".html", ".htm")
_PROSE = (".md", ".markdown", ".mdx")


class FileResult:
    """The launches of one file.

    Attributes:
        path: the file, from the folder on.
        result: its launches; their lines are those of the file.
    """

    __slots__ = ("path", "result")

    def __init__(self, path: str, result: ScriptResult) -> None:
        self.path = path
        self.result = result


class Change:
    """What another release makes of a launch.

    Attributes:
        kind: ``breaks``, ``mends``, ``changes`` (another verdict), ``precision`` (the same line
            runs at another one), ``kernel`` (by another attention backend), ``default`` (what the
            line leaves open has another default), or ``redundant`` (the line says the default
            there).
        argument: the argument, or the part of the model.
        before: what it was.
        after: what it is.
    """

    __slots__ = ("after", "argument", "before", "kind")

    def __init__(self, kind: str, argument: str, before: str, after: str) -> None:
        self.kind = kind
        self.argument = argument
        self.before = before
        self.after = after

    def to_dict(self) -> dict[str, str]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        return {name: getattr(self, name) for name in self.__slots__}

    def __repr__(self) -> str:
        return f"Change({self.kind!r}, {self.argument!r}, {self.before!r}, {self.after!r})"


def check_directory(folder: str, **ground: Any) -> list[FileResult]:
    """Judge every launch in the files of a folder.

    Hidden folders, ``node_modules`` and files of more than 1 MB are passed over.

    Args:
        folder: the folder.
        **ground: keyword arguments of `check_script`.

    Returns:
        list[FileResult]: the files that hold a launch, by name.

    Raises:
        ConfigError: engine, version or GPU are not known.

    Example:
        >>> check_directory("examples", engine_version="latest")
        []
    """
    return check_files(_files(folder), folder, **ground)


def check_files(paths: Iterable[str], folder: str = "", **ground: Any) -> list[FileResult]:
    """Judge every launch in files.

    Args:
        paths: the files.
        folder: what their names in the result begin from; empty leaves them as they are.
        **ground: keyword arguments of `check_script`.

    Returns:
        list[FileResult]: the files that hold a launch.

    Raises:
        ConfigError: engine, version or GPU are not known.

    Example:
        >>> check_files(["no-such-file.sh"])
        []
    """
    found = []
    pins: dict[str, str] = {}
    for path in paths:
        text = _text(path)
        if text is None or not names_an_engine(text):
            continue
        launches: list[CheckResult] = []
        notes: list[Diagnostic] = []
        if path.lower().endswith(_PROSE) and not has_code_blocks(text):
            continue
        pinned = "" if not folder else _pinned_beside(os.path.dirname(path), folder, pins)
        try:
            judged = check_script(text, **ground)
            if pinned and any(_names_no_release(launch) for launch in judged.launches):
                judged = _behind(pinned, text, ground)
        except ConfigError as error:
            if any(item.path != "command" for item in error.diagnostics):
                raise
            continue
        launches += judged.launches
        notes += judged.notes
        if launches:
            name = os.path.relpath(path, folder) if folder else path
            found.append(FileResult(name, ScriptResult(launches, notes)))
    return found


def _names_no_release(launch: CheckResult) -> bool:
    return any(note.code == "newest-release" for note in launch.notes)


def _behind(pinned: str, text: str, ground: dict[str, Any]) -> ScriptResult:
    """The launches of a text behind what the folder's requirements install."""
    from .launches import judge_text

    names = ("engine", "engine_version", "gpu", "model_quantization", "checkpoint")
    return ScriptResult(*judge_text(text, tuple(ground.get(name) for name in names), pinned))


def _pinned_beside(folder: str, top: str, known: dict[str, str]) -> str:
    """Commands that install what requirements in a folder, or above it, ask for of an engine."""
    while folder not in known:
        known[folder] = _pins_of(folder)
        if known[folder] or os.path.abspath(folder) == os.path.abspath(top):
            break
        above = os.path.dirname(folder)
        known[folder] = _pinned_beside(above, top, known) if above != folder else ""
    return known[folder]


def _pins_of(folder: str) -> str:
    try:
        names = sorted(os.listdir(folder or "."))
    except OSError:
        return ""
    pins = []
    for name in names:
        if not _REQUIREMENTS.fullmatch(name):
            continue
        try:
            with open(os.path.join(folder, name), "rb") as handle:
                text = handle.read(_LARGEST).decode("utf-8", errors="replace")
        except OSError:
            continue
        pins += [pin for pin in _PIN.findall(text) if names_an_engine(pin)]
    return "".join(f"pip install {shlex.quote(pin.replace(' ', ''))}; " for pin in pins[:20])


def changes_between(before: CheckResult, after: CheckResult, **ground: Any) -> list[Change]:
    """What is different for one launch at another release.

    Args:
        before: the launch at its own release.
        after: the same launch at the other.
        **ground: of the keyword arguments of `check_script` those about GPU and model, so that
            precision and kernels can be told.

    Returns:
        list[Change]: what breaks first.

    Example:
        >>> from quantmap import check
        >>> line = "vllm serve m --swap-space 4"
        >>> releases = [check(line, engine_version=version) for version in ("0.11.0", "0.33.0")]
        >>> changes_between(*releases)[0].kind
        'breaks'
    """
    defaults = [_core.surface(result.engine, result.version) for result in (before, after)]
    changes = _of_verdicts(before, after, defaults)
    changes += _of_defaults(before, after, defaults)
    if before.ok and after.ok:
        changes += _of_effects(_effective(before, ground), _effective(after, ground))
    order = ("breaks", "changes", "precision", "kernel", "mends", "default", "redundant")
    return sorted(changes, key=lambda change: order.index(change.kind))


def _of_defaults(
    before: CheckResult, after: CheckResult, defaults: list[dict[str, Any]]
) -> Iterator[Change]:
    """What the line leaves open, and has another default."""
    given = {verdict.canonical for result in (before, after) for verdict in result.verdicts}
    if before.model:
        launchers = (row["launchers"] for row in _core.engines() if row["id"] == before.engine)
        given |= {flag for rows in launchers for _, flag in rows}
    for flag in sorted(set(defaults[0]) & set(defaults[1]) - given):
        was, becomes = (table[flag]["default"] for table in defaults)
        if was and becomes and was != becomes:
            yield Change("default", flag, was, becomes)


def _of_effects(here: dict[str, str], there: dict[str, str]) -> Iterator[Change]:
    """Parts that run at another precision, or by another kernel."""
    for part in here:
        if part in there and here[part] != there[part]:
            kind = "kernel" if part == "backend" else "precision"
            yield Change(kind, part, here[part], there[part])


def _of_verdicts(
    before: CheckResult, after: CheckResult, defaults: list[dict[str, Any]]
) -> list[Change]:
    """Arguments with another verdict, and those that are not needed any more."""
    changes = []
    for old, new in zip(before.verdicts, after.verdicts):
        if old.verdict != new.verdict and not (old.refused and new.refused):
            kind = "breaks" if new.refused else "mends" if old.refused else "changes"
            changes.append(Change(kind, new.argument, old.verdict, new.reason or new.verdict))
        elif new.verdict == "accepted" and is_default(new.canonical, new.value, defaults[1]):
            if not is_default(old.canonical, old.value, defaults[0]):
                changes.append(Change("redundant", new.argument, new.value, "the default"))
    return changes


def _effective(result: CheckResult, ground: dict[str, Any]) -> dict[str, str]:
    """What really runs, part by part; nothing where that is not known."""
    given = [verdict for verdict in result.verdicts if verdict.canonical[:1] == "-"]
    parameters = {
        verdict.canonical: True if verdict.value == "true" else verdict.value
        for verdict in given
        if "$" not in verdict.value
    }
    named = ground.get("checkpoint") or result.model
    for checkpoint in (named, None):
        try:
            mapping = explain(
                result.engine,
                {},
                parameters,
                ground.get("model_quantization"),
                engine_version=result.version,
                gpu=ground.get("gpu"),
                checkpoint=checkpoint,
                policy="degrade",
            )
        except ConfigError:
            continue
        # The release stands in the words for a kernel that nobody asked for.
        return {
            part: told.partition(f" of {result.engine_name} {result.version}")[0]
            for part, told in mapping.precision.items()
        }
    return {}


def is_default(flag: str, value: str, table: dict[str, Any]) -> bool:
    """Whether a value is what a release takes when nothing is given; `table` is its schema."""
    return bool(flag in table and table[flag]["default"] and table[flag]["default"] == value)


def _files(folder: str) -> Iterator[str]:
    for base, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name != "node_modules"
        )
        for name in sorted(names):
            path = os.path.join(base, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield path


def _text(path: str) -> str | None:
    """The text of a file that may hold a launch; None for any other."""
    name = os.path.basename(path).lower()
    known = name.endswith((*_SCRIPTS, *_WINDOWS, *_DATA, *_PROSE)) or name.startswith(
        ("dockerfile", "containerfile", "makefile", "gnumakefile")
    )
    try:
        if os.path.getsize(path) > _LARGEST:
            return None
        with open(path, "rb") as handle:
            data = handle.read(_LARGEST) if known else handle.read(80)
            if not known:
                if "." in name or not re.match(rb"#!.*\b(?:ba|z|k|da)?sh\b", data):
                    return None
                data += handle.read(_LARGEST)
    except OSError:
        return None
    return data.decode("utf-8-sig", errors="replace")
