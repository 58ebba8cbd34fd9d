"""A pasted log: what failed in it, where, and the launch and release that it tells of.

Logs are text from anywhere: each line is read once, as far as its first thousand characters.
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST_TEXT = 8_000_000
LONGEST_LINE = 4_000
MOST_FAILURES = 60
MOST_BLOCKS = 20
_MOST_FOLLOWING = 12
_LONGEST_CALL = 60_000

_EXCEPTION = re.compile(
    r"(?:^|[\s\]>|])((?:\w{1,60}\.){0,8}"
    r"(?:\w{0,60}(?:Error|Exception)|(?:(?<=\.errors\.)|(?<=\.exc\.))\w{1,60})): ?(\S.*)"
)
_SHOWN = re.compile(  # as repr writes it
    r"(?:^|[\s\]>|:])(\w{0,60}(?:Error|Exception))\(([\"'])(.{4,}?)\2,?\)\s*$"
)
_PARTS = re.compile(r"\((?:(?:'[^']*'|\"[^\"]*\"),?\s*){2,}\)")  # a text that was given in parts
_PART = re.compile(r"'([^']*)'|\"([^\"]*)\"")
_WHAT = re.compile(r"^\s*what\(\):\s+(\S.{3,})")
_OWN_PREFIX = re.compile(
    r"^(?:\[?(?:rank|TP|DP|PP|EP)?\d{1,6}[^\]]{0,40}\]:? |\([^()]{1,60}pid=\d{1,9}[^()]{0,60}\) ?|"
    r"\[?[\w./-]{1,80}\]?\s{1,40}\| )+"
)
_LOGGED = re.compile(r"^(?:ERROR|WARNING|INFO|CRITICAL)\s[^\]]{0,80}\] ?")
_STAMP = re.compile(
    r"^(?:\[\d{4}-\d\d-\d\d[T ][^\]]{5,60}\]|\[\d\d/\d\d/\d{4}[-T ][^\]]{5,40}\]|"
    r"\d{4}-\d\d-\d\d[T ][\d:.,]{5,20}(?:Z|[+-]\d\d:?\d\d)?(?: (?:stdout|stderr) [FP])?|"
    r"[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S{1,60} [\w.@/-]{1,60}(?:\[\d{1,9}\])?:) ?"
)
# What rsyslog writes for a control character.
_ESCAPED = re.compile(r"#0(?:33\[[\d;]{0,20}m|15$|11)")
# A line that is none of the message above it: another logger's, another process's, a command.
_LOGS = re.compile(r"(?:^|[ |)\]])(?:INFO|WARNING|DEBUG) \d\d-\d\d ")
_NEXT = re.compile(
    r"(?:INFO|WARNING|DEBUG)[ :]|Process \S{1,60}:|\[rank\d|[+$] \S|\S{1,80} exited with code|"
    r"\S{1,80}\.service: |usage: |W\d{4} |\[W\d{3}"
)
_FRAME = re.compile(r'^\s*(?:File ")?([^"\s][^"]{0,400})", line \d+, in (\S{1,200})')
_CPP = re.compile(r"^\[[\w-]{1,30}\](?: ?\[[\w -]{1,20}\])? ?\[(?:E|ERROR)\] (\S.{4,})")
_USAGE = re.compile(r"^(?:(\S{1,200}(?: [a-z][\w-]{0,40}){0,3}): )?error: (.{4,})", re.IGNORECASE)
_RECORD = ("log", "message", "msg", "textPayload", "line")  # where loggers put the line itself
_LOGGED_KIND = "RuntimeError"  # of an error that a C++ logger tells
_WRAPPED = ("Value error, ", "Assertion failed, ")
_OF_VALUE = " [type="  # what pydantic adds
_ENDS = ("Traceback (", "During handling", "The above exception", "For further information")
_PROMPT = re.compile(r"^\s*(?:[^\s$#>]{0,60}[^$#>]{0,60}[$#>]\s+|\+ )?")


class Failure:
    """An error that a log shows.

    Attributes:
        kind: the class of the exception; empty when a parser refused the arguments.
        text: what it says, on one line.
        line: where that stands in the log.
        frames: files and functions of the traceback above it.
        program: what a parser calls the program whose arguments it refused; may be empty.
    """

    __slots__ = ("frames", "kind", "line", "program", "text")

    def __init__(self, kind: str, text: str, line: int, frames: list[tuple[str, str]]) -> None:
        self.kind = kind
        self.text = text
        self.line = line
        self.frames = frames
        self.program = ""


def bare(line: str) -> str:
    """A line without what a logger or a container's log puts in front."""
    if "#0" in line:
        line = _ESCAPED.sub("", line.rstrip())
    for _ in range(4):
        shorter = _STAMP.sub("", _LOGGED.sub("", _OWN_PREFIX.sub("", line)))
        if shorter == line:
            break
        line = shorter
    return line


def without_records(text: str) -> str:
    """A log of which lines are JSON, as a container's driver keeps them, with the lines themselves.

    Args:
        text: the log.

    Returns:
        str: as many lines as there were.

    Example:
        >>> without_records('{"log": "ValueError: x", "stream": "stderr"}')
        'ValueError: x'
    """
    return "\n".join(map(_without_record, text.split("\n"))) if '{"' in text else text


def _without_record(line: str) -> str:
    plain = line.strip()
    if not plain.startswith("{") or not plain.endswith("}") or len(plain) > 2 * LONGEST_LINE:
        return line
    try:
        record = json.loads(plain)
    except (ValueError, RecursionError):
        return line
    said = next((record[key] for key in _RECORD if isinstance(record.get(key), str)), None)
    return line if said is None else " ".join(said.rstrip("\n").split("\n"))


def find_failures(text: str) -> list[Failure]:
    """The errors of a log, in its order; of one that is told again and again the first."""
    rows = [line[:LONGEST_LINE] for line in text.split("\n")]
    lines = list(map(bare, rows))
    found: list[Failure] = []
    seen: set[str] = set()
    frames: list[tuple[str, str]] = []
    for number, line in enumerate(lines):
        frame = _FRAME.match(line) if '", line ' in line else None
        if frame:
            frames = [*frames[-40:], (frame[1], frame[2])]
            continue
        told = _told(line) or _asserted(lines, number)
        if told is None:
            continue
        kind, said = told
        said = " ".join([said, *_following(lines, number, rows)])[:LONGEST_LINE]
        said = " ".join(_whole(said.partition(_OF_VALUE)[0]).split())
        if said not in seen and len(found) < MOST_FAILURES:
            seen.add(said)
            found.append(Failure(kind, said, number + 1, frames))
            usage = None if kind else _USAGE.match(line)
            found[-1].program = (usage[1] or "") if usage else ""
        frames = []
    return found


def _whole(text: str) -> str:
    """A text, also where Python shows the parts that it was given in."""
    if not _PARTS.fullmatch(text.strip()):
        return text
    return "".join(single or double for single, double in _PART.findall(text))


def _told(line: str) -> tuple[str, str] | None:
    """The kind of error of a line, and what it says."""
    logged = _CPP.match(line) or _WHAT.match(line)
    if "rror" not in line and "xception" not in line and ".exc." not in line:
        return (_LOGGED_KIND, logged[1]) if logged else None
    usage = _USAGE.match(line)
    if usage:
        return "", usage[2]
    stripped = line.strip()
    for mark in _WRAPPED:
        if stripped.startswith(mark):
            return "ValueError", stripped[len(mark) :]
    match = _EXCEPTION.search(line)
    if match is None and logged:
        return _LOGGED_KIND, logged[1]
    shown = _SHOWN.search(line) if match is None else None
    if shown:
        return shown[1], shown[3]
    return (match[1].rpartition(".")[2], match[2]) if match else None


def _asserted(lines: list[str], number: int) -> tuple[str, str] | None:
    """An assertion that says nothing: what it asserts stands above."""
    if not lines[number].strip().endswith("AssertionError"):
        return None
    for line in reversed(lines[max(0, number - 3) : number]):
        if line.strip().startswith("assert "):
            return "AssertionError", line.strip()
    return None


def _following(lines: list[str], number: int, rows: list[str]) -> Iterator[str]:
    """The rest of a message of several lines."""
    for at in range(number + 1, min(number + 1 + _MOST_FOLLOWING, len(lines))):
        line = lines[at]
        plain = line.strip()
        if _NEXT.match(plain) or _LOGS.search(rows[at]):
            return
        if not plain or plain.startswith(_ENDS) or _FRAME.match(line) or _told(line):
            return
        yield plain


def last_start(text: str, words: list[str]) -> int:
    """The line on which the last launch of a log is typed, or traced by a shell; 0: none is.

    Args:
        text: the log.
        words: what starts a server.

    Returns:
        int: the line's number.

    Example:
        >>> last_start("$ vllm serve a\\nerror\\n+ vllm serve b", ["vllm serve"])
        3
    """
    number = 0
    for at, line in enumerate(text.split("\n"), 1):
        plain = line.lstrip()[:LONGEST_LINE]
        if plain[:2] in ("$ ", "+ ") and any(word in plain for word in words):
            number = at
    return number


def launch_blocks(text: str, words: list[str]) -> list[str]:
    """Lines that name a launcher, with the lines that they go on in, without a prompt in front."""
    blocks: list[str] = []
    lines = iter(text.split("\n"))
    for line in lines:
        if len(blocks) >= MOST_BLOCKS:
            break
        if len(line) > LONGEST_LINE or not any(word in line for word in words):
            continue
        block = [_PROMPT.sub("", bare(line), count=1)]
        while block[-1].rstrip().endswith("\\") and len(block) < 200:
            block.append(next(lines, "")[:LONGEST_LINE])
        blocks.append("\n".join(block))
    return blocks


def call_arguments(text: str, marks: list[str]) -> dict[str, str]:
    """Names and values behind a mark, as Python shows a dict or a call: the last such place."""
    for mark in marks:
        at = text.rfind(mark)
        if at >= 0:
            return _pairs(text[at + len(mark) : at + len(mark) + _LONGEST_CALL])
    return {}


_PAIR = re.compile(r"\s*['\"]?([A-Za-z_]\w{0,80})['\"]?\s*[=:]\s*")


def _pairs(text: str) -> dict[str, str]:
    out: dict[str, str] = {}
    at = 0
    while at < len(text):
        pair = _PAIR.match(text, at)
        if not pair:
            break
        end = _end_of_value(text, pair.end())
        out[pair[1]] = text[pair.end() : end].strip()
        if end >= len(text) or text[end] != ",":
            break
        at = end + 1
    return out


def _end_of_value(text: str, at: int) -> int:
    """Where a value ends: at a comma or a bracket that closes none of its own."""
    depth = 0
    quote = ""
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == "\\":
                at += 1
            elif letter == quote:
                quote = ""
        elif letter in "'\"":
            quote = letter
        elif letter in "([{<":
            depth += 1
        elif letter in ")]}>":
            depth -= 1
            if depth < 0:
                return at
        elif letter == "," and depth == 0:
            return at
        at += 1
    return at
