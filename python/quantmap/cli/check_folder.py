"""``quantmap check FOLDER`` and ``--against``: many launches, and another release's verdicts."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from ..check import check_script
from ..errors import ConfigError
from ..mapping import explain
from ..repository import Change, FileResult, changes_between, check_directory, check_files
from . import declare
from .style import marked, paint, printable, show_detail
from .tables import say
from .verdicts import in_short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..check import CheckResult

    Compared = tuple[str, CheckResult, CheckResult, list[Change]]

_KINDS = {
    "breaks": "breaks",
    "changes": "has another verdict",
    "precision": "runs at another precision",
    "kernel": "is another one",
    "mends": "is accepted",
    "default": "has another default",
    "redundant": "is the default there",
}


def check_paths(
    paths: tuple[str, ...], ground: dict[str, Any], against: str | None, *, as_json: bool
) -> int:
    """Judge every launch in files and folders; exit code 1 when one is refused, or breaks."""
    files = _judge(paths, ground)
    if against is not None:
        engine, other = _there(ground, against)
        return _compare(files, _judge(paths, other), engine, ground, as_json=as_json)
    ok = all(file.result.ok for file in files)
    if as_json:
        data = {"ok": ok, "files": {file.path: file.result.to_dict() for file in files}}
        declare.echo(json.dumps(data, indent=2))
    else:
        _show(files)
    return 0 if ok else 1


def _judge(paths: tuple[str, ...], ground: dict[str, Any]) -> list[FileResult]:
    found: list[FileResult] = []
    for path in paths:
        if not os.path.exists(path):
            raise declare.ClickException(f"{path}: no such file or folder")
        one = (
            check_directory(path, **ground)
            if os.path.isdir(path)
            else check_files([path], **ground)
        )
        found += one
    return found


def compare_text(text: str, ground: dict[str, Any], against: str, *, as_json: bool) -> int:
    """What another release makes of the launches of one text."""
    here = FileResult("", check_script(text, **ground))
    if not here.result.launches:
        raise ConfigError([note for note in here.result.notes if note.severity == "error"])
    engine, other = _there(ground, against)
    there = FileResult("", check_script(text, **other))
    return _compare([here], [there], engine, ground, as_json=as_json)


def _there(ground: dict[str, Any], against: str) -> tuple[str, dict[str, Any]]:
    """The engine of the other release, and the ground with that release."""
    name, mark, version = against.partition("@")
    if not mark:
        raise declare.UsageError(f"--against {against!r}: expected ENGINE@RELEASE")
    mapping = explain(name, {}, engine_version=version)
    return mapping.engine, {**ground, "engine_version": mapping.version}


def _show(files: list[FileResult]) -> None:
    """Refusals in groups: the same argument refused for the same reason is told once."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    total = refused = 0
    for file in files:
        for launch in file.result.launches:
            total += 1
            refused += not launch.ok
            place = f"{file.path}:{launch.line}"
            for verdict in launch.verdicts:
                if verdict.refused:
                    word = f"{verdict.argument} {verdict.value}".rstrip()
                    key = (word, verdict.reason, verdict.hint)
                    groups.setdefault(key, []).append(place)
            for note in launch.refusals:
                groups.setdefault((note.code, note.message, note.hint), []).append(place)
    for (word, reason, hint), places in groups.items():
        declare.echo(f"  {paint(marked('refused'), 'red')} {printable(word)}")
        show_detail("why", in_short(reason, word.rpartition(" ")[2]))
        if hint:
            show_detail("instead", hint)
        show_detail("in", ", ".join(places))
    say(f"{total} launches in {len(files)} files, {refused} of them refused")


def _compare(
    here: list[FileResult],
    there: list[FileResult],
    engine: str,
    ground: dict[str, Any],
    *,
    as_json: bool,
) -> int:
    rows = list(_compared(here, there, engine, ground))
    breaks = any(change.kind == "breaks" for *_, changes in rows for change in changes)
    if as_json:
        data = [_compared_data(row) for row in rows]
        declare.echo(json.dumps({"ok": not breaks, "launches": data}, indent=2))
    else:
        engines = [launch.engine for file in here for launch in file.result.launches]
        others = len(engines) - engines.count(engine)
        _show_compared(rows, others, len(engines) - others - len(rows))
    return 1 if breaks else 0


def _compared(
    here: list[FileResult], there: list[FileResult], engine: str, ground: dict[str, Any]
) -> Iterator[Compared]:
    """Each launch with its verdicts there, by its place; one of another engine is left out."""
    others = {
        (file.path, launch.line, launch.model): launch
        for file in there
        for launch in file.result.launches
    }
    for file in here:
        for launch in file.result.launches:
            other = others.get((file.path, launch.line, launch.model))
            if other is not None and other.engine == launch.engine == engine:
                place = f"{file.path}:{launch.line}" if file.path else f"line {launch.line}"
                yield place, launch, other, changes_between(launch, other, **ground)


def _compared_data(row: Compared) -> dict[str, Any]:
    place, launch, other, changes = row
    return {
        "place": place,
        "engine": launch.engine,
        "from": launch.version,
        "to": other.version,
        "changes": [change.to_dict() for change in changes],
    }


def _show_compared(rows: list[Compared], others: int, unread: int) -> None:
    """Launch by launch; defaults that change for several, and what is left out, are told once."""
    defaults: dict[str, list[str]] = {}
    broken = 0
    for place, launch, other, changes in rows:
        say(f"{place}: {launch.engine_name} {launch.version} → {other.version}")
        for line in _lines_of(launch, other, changes):
            say(f"  {line}")
        for change in changes:
            broken += change.kind == "breaks"
            if change.kind == "default":
                defaults.setdefault(_told(change), []).append(place)
    for line, places in defaults.items():
        where = "every launch" if len(places) == len(rows) > 1 else ", ".join(places)
        say(f"{line} ({where})")
    if not rows:
        say("no launch of that engine")
    left_out = f"; {others} of other engines left out" if others else ""
    left_out += f"; {unread} cannot be judged at that release" if unread else ""
    say(f"{len(rows)} launches compared, {broken} arguments break{left_out}")


def _lines_of(launch: CheckResult, other: CheckResult, changes: list[Change]) -> list[str]:
    if launch.version == other.version and _is_newest(launch):
        return ["no release is named and the newest is compared with itself: name yours"]
    told = [_told(change) for change in changes if change.kind != "default"]
    return told or ["nothing breaks or changes" if changes else "nothing changes"]


def _told(change: Change) -> str:
    return f"{change.argument} {_KINDS[change.kind]}: {change.before} → {change.after}"


def _is_newest(launch: CheckResult) -> bool:
    return any(note.code == "newest-release" for note in launch.notes)
