"""What the releases of an engine say when they refuse to start, and which of it a text is."""

from __future__ import annotations

import itertools
import json
from functools import lru_cache

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .log_reader import Failure

_HEAD = 6


class Message:
    """A message template of some releases.

    Attributes:
        text: the template; ``{}`` is what the engine fills in.
        at: its file and function, in the newest release that says it.
        when: the condition that it stands under there.
        arguments: the arguments that condition and text look at.
        since: the number of the first release that says it.
        until: the number of the first that does not any more.
    """

    __slots__ = ("arguments", "at", "pieces", "since", "text", "until", "when")

    def __init__(self, row: list[Any], numbers: dict[str, int]) -> None:
        self.text, _, self.at, self.when, self.arguments = row[:5]
        self.since = numbers[row[5]]
        self.until = numbers[row[6]] if row[6] else len(numbers)
        joined = self.text.replace("{{", "\0").replace("}}", "\1")
        self.pieces = [piece.replace("\0", "{").replace("\1", "}") for piece in joined.split("{}")]

    def fits(self, text: str) -> bool:
        """Whether a text begins with the template, whatever stands in its places."""
        if not text.startswith(self.pieces[0]):
            return False
        at = len(self.pieces[0])
        for piece in self.pieces[1:]:
            place = text.find(piece, at)
            if place < 0:
                return False
            at = place + len(piece)
        return True

    @property
    def weight(self) -> int:
        """How many letters of a text it accounts for."""
        return sum(map(len, self.pieces))


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
        self.package = document["messages"][0][2].partition("/")[0]
        for row in document["messages"]:
            message = Message(row, numbers)
            head = message.pieces[0][:_HEAD]
            if len(head) == _HEAD:
                self._by_head.setdefault(head, []).append(message)
            else:
                self._others.append(message)

    def number(self, version: str | None) -> int | None:
        """The number of a release; None when it was not read."""
        return self.releases.index(version) if version in self.releases else None

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

    def find(self, failure: Failure, release: int | None) -> Message | None:
        """The message that an error is.

        Of several that fit, one of this release comes first, then one of a function of the
        traceback, then the one with more words.
        """
        text = failure.text
        best: tuple[tuple[bool, bool, int], Message] | None = None
        for message in (*self._by_head.get(text[:_HEAD], ()), *self._others):
            # A few words at the beginning of a long text may be anybody's.
            weak = 4 * message.weight < len(text) and message.weight < 40
            if weak or not message.fits(text):
                continue
            now = release is None or message.since <= release < message.until
            path, _, function = message.at.partition(", ")
            name = function.rpartition(".")[2]
            here = any(file.endswith(path) and name == of for file, of in failure.frames)
            rank = (now, here, message.weight)
            if best is None or rank > best[0]:
                best = (rank, message)
        return None if best is None else best[1]


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
