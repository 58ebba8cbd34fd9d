"""What the releases of an engine say when they refuse to start, and which of it a text is."""

from __future__ import annotations

import itertools
import json
import re
from functools import lru_cache

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .log_reader import Failure

_HEAD = 6
_CUT, _ENOUGH, _OPENING = 40, 40, 20  # letters by which a template is known: see `reach`
_NAMED = 12
_NAME = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_TOKEN = re.compile(r"\{\{|\}\}|\{\}|[^{}]+")


class Message:
    """A message template of some releases.

    Attributes:
        text: the template; ``{}`` is what the engine fills in.
        kind: the class of the exception.
        at: its file and function, in the newest release that says it.
        when: the condition that it stands under there.
        arguments: the arguments that condition and text look at.
        since: the number of the first release that says it.
        until: the number of the first that does not any more.
    """

    __slots__ = ("arguments", "at", "kind", "pieces", "since", "text", "until", "when")

    def __init__(self, row: list[Any], numbers: dict[str, int]) -> None:
        self.text, self.kind, self.at, self.when, self.arguments = row[:5]
        self.since = numbers[row[5]]
        self.until = numbers[row[6]] if row[6] else len(numbers)
        self.pieces = [""]
        for token in _TOKEN.findall(self.text):
            if token == "{}":
                self.pieces.append("")
            else:
                self.pieces[-1] += token[:1] if token in ("{{", "}}") else token

    def reach(self, text: str) -> tuple[bool, int]:
        """Whether a text is the template to its end, and how many letters of it are the template's.

        A log may cut a text off, so that only the beginning of the template stands in it.
        """
        if not text.startswith(self.pieces[0]):
            cut = len(text) >= _CUT and self.pieces[0].startswith(text)
            return cut, len(text) if cut else 0
        at = told = len(self.pieces[0])
        for piece in self.pieces[1:]:
            place = text.find(piece, at)
            if place < 0:
                return (False, told) if told >= _CUT else (False, 0)
            at = place + len(piece)
            told += len(piece)
        # A few words at the beginning or in the middle of a long text may be anybody's, but for a
        # name of the source: max_lora_rank.
        opening = self.pieces[0]
        named = len(opening) >= _NAMED and _NAME.search(opening) is not None
        known = told >= _ENOUGH or 2 * told >= len(text) or len(opening) >= _OPENING or named
        return (True, told) if known else (False, 0)


class Messages:
    """The messages of an engine.

    Attributes:
        package: the folder of its sources.
        log: how its logs tell the release and the arguments.
        releases: the releases that were read, oldest first.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.log: dict[str, Any] = document["log"]
        self.releases: list[str] = document["releases"]
        numbers = {version: number for number, version in enumerate(self.releases)}
        self._by_head: dict[str, list[Message]] = {}
        self._others: list[Message] = []
        self._classes: set[str] = set()
        # Stored column by column, by the place that says it.
        rows = sorted(
            map(list, zip(*document["messages"])), key=lambda row: (row[0], numbers[row[5]])
        )
        self.package = rows[0][2].partition("/")[0]
        for row in rows:
            message = Message(row, numbers)
            head = message.pieces[0][:_HEAD]
            if len(head) == _HEAD:
                self._by_head.setdefault(head, []).append(message)
            else:
                self._others.append(message)

    def number(self, version: str | None) -> int | None:
        """The number of a release; None when it was not read."""
        return self.releases.index(version) if version in self.releases else None

    def has_class(self, name: str) -> bool:
        """Whether a class of the engine says something."""
        if not self._classes:
            for message in (*itertools.chain.from_iterable(self._by_head.values()), *self._others):
                self._classes.update(message.at.partition(", ")[2].split("."))
        return name in self._classes

    def gone(self, message: Message) -> str | None:
        """The first release that does not say it, nor anything like it; None when there is none."""
        if message.until >= len(self.releases):
            return None
        words = set(message.text.split())
        for other in (*itertools.chain.from_iterable(self._by_head.values()), *self._others):
            if other.since == message.until:
                both = words & set(other.text.split())
                if 2 * len(both) >= len(words):
                    return None
        return self.releases[message.until]

    def reach(self, failure: Failure) -> tuple[bool, int]:
        """Whether an error is one of the messages to its end, and how much of it is known."""
        return max((row.reach(failure.text) for row in self._like(failure)), default=(False, 0))

    def _like(self, failure: Failure) -> Iterator[Message]:
        yield from self._by_head.get(failure.text[:_HEAD], ())
        yield from self._others

    def find(self, failure: Failure, release: int | None) -> Message | None:
        """The message that an error is.

        Of several that fit, one of this release comes first, then one that fits to its end, one of
        a function of the traceback, one of the same class, then the one with more words.
        """
        best: tuple[tuple[bool, bool, bool, int, bool, int], Message] | None = None
        for message in self._like(failure):
            whole, told = message.reach(failure.text)
            if not told:
                continue
            now = release is None or message.since <= release < message.until
            path, _, function = message.at.partition(", ")
            name = function.rpartition(".")[2]
            here = any(file.endswith(path) and name == of for file, of in failure.frames)
            near = _nearness(path, name, failure)
            rank = (now, whole, here, near, message.kind == failure.kind, told)
            if best is None or rank > best[0]:
                best = (rank, message)
        return None if best is None else best[1]


def _nearness(path: str, name: str, failure: Failure) -> int:
    """How like the last place of a traceback another one is: in its file's words, and by name."""
    if not failure.frames:
        return 0
    file, function = failure.frames[-1]
    words = set(re.split(r"[_./]", file.rpartition("/")[2]))
    return len(words & set(re.split(r"[_./]", path.rpartition("/")[2]))) + 2 * (function == name)


@lru_cache(maxsize=8)
def messages_of(engine: str) -> Messages | None:
    """The messages of an engine; None when its sources were not read.

    Args:
        engine: the engine's id.

    Returns:
        Messages: they, read once.

    Example:
        >>> messages_of("vllm").package
        'vllm'
    """
    text = _core.messages(engine)
    return Messages(json.loads(text)) if text else None


class LibraryMessage:
    """What a library beneath the engines says.

    Attributes:
        text: words that stand somewhere in the error.
        kind: the class of the error; empty where any may say it.
        where: functions of which one stands in the traceback; empty where any may.
        arguments: flags that decide it, of any engine.
        package: whose words they are.
        means: what they mean for a launch, and whether that is assumed.
        change: what lets the launch start.
        evidence: where that was read.
    """

    __slots__ = ("arguments", "change", "evidence", "kind", "means", "package", "text", "where")

    def __init__(self, row: dict[str, Any]) -> None:
        self.text: str = row["text"]
        self.kind: str = row.get("kind", "")
        self.where: set[str] = set(row.get("where", ()))
        self.arguments: list[str] = row.get("arguments", [])
        self.package: str = row["package"]
        told = " (assumed: read in public threads)" if row.get("assumed") else ""
        self.means: str = row["means"] + told
        self.change: str = row["change"]
        self.evidence: list[str] = row["evidence"]


@lru_cache(maxsize=1)
def _libraries() -> list[LibraryMessage]:
    return [LibraryMessage(row) for row in json.loads(_core.library_messages())["messages"]]


def library_message(failure: Failure) -> LibraryMessage | None:
    """What a library says in an error; None when it is none that is known.

    Args:
        failure: the error.

    Returns:
        LibraryMessage: the row.

    Example:
        >>> from quantmap.log_reader import Failure
        >>> text = "type fp8e4nv not supported in this architecture"
        >>> library_message(Failure("ValueError", text, 1, [])).package
        'triton'
    """
    named = {function for _, function in failure.frames}
    for row in _libraries():
        here = not row.where or not row.where.isdisjoint(named)
        if here and row.text in failure.text and row.kind in ("", failure.kind):
            return row
    return None
