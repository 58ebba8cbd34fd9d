"""How one config and one launch line go through the functions, step by step.

The steps are written here by hand and held against the sources: a step whose file does not hold
its function is an error, so the page cannot speak of code that has moved.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from _svg import Drawing

ROOT = Path(__file__).resolve().parents[1]
# From the top: nothing goes to a room above but an answer.
ROOMS = ("python", "bindings", "check", "mapping", "deployment", "model", "config", "shell")


class Step(NamedTuple):
    """A function on the way, and what it does."""

    file: str
    function: str
    does: str

    @property
    def room(self) -> str:
        """The room that the file stands in."""
        folder = Path(self.file).parent.name
        return {"quantmap": "python"}.get(folder, folder)


CONFIG = (
    Step("python/quantmap/mapping.py", "explain", "takes what Python was called with"),
    Step("python/bindings/register_launch.cpp", "explain", "makes it a `LaunchRequest`"),
    Step("cpp/src/mapping/launch.cpp", "read_request", "reads every part; all problems at once"),
    Step("cpp/src/mapping/request.cpp", "read_deployment", "which release, on which GPU"),
    Step("cpp/src/config/resolve.cpp", "resolve", "preset and defaults: a `Config`"),
    Step("cpp/src/mapping/model.cpp", "read_model", "what the checkpoint's files say"),
    Step("cpp/src/model/checkpoint.cpp", "inspect_checkpoint", "reads their headers"),
    Step("cpp/src/mapping/map.cpp", "map_config", "field by field, what it comes to"),
    Step("cpp/src/mapping/choose.cpp", "choose", "the row, and the first alternative that goes"),
    Step("cpp/src/deployment/constraints.cpp", "refused_by", "a start-up rule against it"),
    Step("cpp/src/deployment/kernels.cpp", "refused_by_kernels", "no kernel that takes it"),
    Step("cpp/src/mapping/narrate.cpp", "narrate", "the steps in words: decisions, warnings"),
    Step("cpp/src/mapping/render.cpp", "assemble", "arguments, variables and files"),
    Step("cpp/src/mapping/merge.cpp", "merge", "lays the user's parameters over them"),
    Step("cpp/src/deployment/judge.cpp", "judge", "what the release makes of the whole"),
)
LINE = (
    Step("python/quantmap/check.py", "check", "takes a line, a script or a list of words"),
    Step("python/bindings/register_check.cpp", "check", "makes it a `CheckRequest`"),
    Step("cpp/src/check/check.cpp", "check_command", "reads, judges the first launch"),
    Step("cpp/src/check/find_launch.cpp", "LaunchFinder", "finds what starts an engine"),
    Step("cpp/src/shell/reader.cpp", "ShellReader", "splits and expands as a shell would"),
    Step("cpp/src/check/judge_launch.cpp", "judge_launch", "takes the launch apart"),
    Step("cpp/src/check/launch_release.cpp", "read_release", "the release, by image or package"),
    Step("cpp/src/check/line_arguments.cpp", "read_arguments", "flags with their values"),
    Step("cpp/src/check/line_model.cpp", "read_line_model", "the model that the line names"),
    Step("cpp/src/deployment/line_rules.cpp", "judge_line", "arguments, then rules over them"),
    Step("cpp/src/deployment/verdict.cpp", "judge_each", "each argument, by the release's schema"),
    Step("cpp/src/deployment/given.cpp", "given_values", "what rules look at, part by part"),
)


def _is_there(step: Step) -> bool:
    source = (ROOT / step.file).read_text(encoding="utf-8")
    return re.search(rf"\b{step.function}\b", source) is not None


def _table(steps: tuple[Step, ...], first: str) -> str:
    lost = [f"{step.file} has no {step.function}" for step in steps if not _is_there(step)]
    if lost:
        raise ValueError("; ".join(lost))
    rows = ["| step | function | file | what it does |", "|---|---|---|---|"]
    for number, step in enumerate(steps):
        name = f"[`{step.file}`](../{step.file})"
        rows.append(f"| {_mark(number, first)} | `{step.function}` | {name} | {step.does} |")
    return "\n".join(rows)


def _mark(number: int, first: str) -> str:
    return str(number + 1) if first == "1" else chr(ord(first) + number)


def config() -> str:
    """The table of a config's way."""
    return _table(CONFIG, "1")


def line() -> str:
    """The table of a launch line's way."""
    return _table(LINE, "a")


def picture() -> Drawing:
    """Both ways through the rooms, from left to right."""
    left, top, room, width = 96, 62, 40, 750
    drawing = Drawing(
        width,
        top + room * len(ROOMS) + 8,
        "A config and a launch line on their way through the rooms",
        "Numbers are the steps of a config, letters those of a launch line; both go down.",
    )
    drawing.text(
        0, 40, "numbers: a config; letters: a launch line; below is what a room may use", "soft"
    )
    for number, name in enumerate(ROOMS):
        y = top + room * number
        drawing.line(0, y, width, y)
        drawing.text(0, y + 25, name)
    drawing.line(0, top + room * len(ROOMS), width, top + room * len(ROOMS))
    for colour, (steps, first) in enumerate(((CONFIG, "1"), (LINE, "a"))):
        gap = (width - left - 24) / (len(steps) - 1)
        places = [
            (left + gap * number, top + room * ROOMS.index(step.room) + 4 + 17 * colour)
            for number, step in enumerate(steps)
        ]
        drawing.steps([(x + 11, y + 8) for x, y in places], f"c{colour}")
        for number, (x, y) in enumerate(places):
            drawing.bar(x, y, 22, 16, f"fill c{colour}")
            drawing.text(x + 11, y + 13, _mark(number, first), "mid on")
    return drawing
