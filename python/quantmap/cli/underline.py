"""The lines of a launch as they were written, with what is refused underlined."""

from __future__ import annotations

import re
from itertools import islice

from . import declare
from .style import paint, printable, room

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..check import CheckResult, Verdict

_MOST_LINES = 200
_AROUND = 20
_LONGEST = 500  # of a line that is shown


def show_words(text: str, launch: CheckResult) -> None:
    """Show each line of a launch in which something is refused, and mark the words."""
    wrong = [verdict for verdict in launch.verdicts if verdict.refused]
    if not wrong:
        return
    for line in _lines(text, launch.line):
        marks = sorted({span for verdict in wrong for span in _spans(line, verdict)})
        if marks:
            _show(line, marks)


def _lines(text: str, first: int) -> Iterator[str]:
    """The lines of a launch: those that a backslash carries on."""
    for line in islice(text.split("\n"), first - 1, first - 1 + _MOST_LINES):
        yield line
        if not line.rstrip().endswith("\\"):
            return


def _spans(line: str, verdict: Verdict) -> Iterator[tuple[int, int]]:
    """Where a line has the refused flag; behind it its value, when that is what is refused."""
    flag = re.escape(verdict.argument)
    if verdict.verdict == "unknown-flag" or verdict.value == "true":
        pattern = rf"(?<![^\s'\"=])({flag})(?![\w-])"
    else:
        pattern = rf"(?<![^\s'\"=]){flag}(?:[\s=]+['\"]?)?({re.escape(verdict.value)})(?![\w.-])"
    for match in islice(re.finditer(pattern, line), 20):
        yield match.span(1)


def _show(line: str, marks: list[tuple[int, int]]) -> None:
    """A line, or what stands around its marks when it is longer than the terminal."""
    begin, end = 0, len(line)
    most = room() - 6
    if end > most:
        begin = max(0, marks[0][0] - _AROUND)
        end = min(end, max(begin + most, min(marks[0][1], begin + _LONGEST)))
    shown = [("…" if begin else ""), ""]
    at = begin
    for first, last in marks:
        if first < at or first >= end:
            continue
        last = min(last, end)
        shown[0] += printable(line[at:first])
        shown[1] += " " * (len(shown[0]) - len(shown[1]))
        word = printable(line[first:last])
        shown[0] += word
        shown[1] += "^" * len(word)
        at = last
    shown[0] += printable(line[at:end]) + ("…" if end < len(line) else "")
    declare.echo(f"  {shown[0]}")
    declare.echo(f"  {paint(shown[1], 'red')}")
