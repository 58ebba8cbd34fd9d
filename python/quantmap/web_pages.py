"""Launches in web pages and in logs whose lines are JSON: the texts in them, as scripts."""

from __future__ import annotations

import ast
import json
import re
from html import unescape
from itertools import islice

from .container_words import Container
from .launch_lines import names_an_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

# Tags by themselves: html.parser takes the square of a text in which one is never closed.
_PREFORMATTED = re.compile(r"<(/?)pre\b[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")
_RECORD = re.compile(r"\s*\{[ \t]*[\"']")
_MOST_TEXTS = 10_000
_LONGEST_LITERAL = 100_000


def read_page(text: str) -> list[Container] | None:
    """The preformatted texts of a web page that name an engine.

    Args:
        text: HTML.

    Returns:
        list[Container] | None: each a script, with the line at which it begins.

    Example:
        >>> read_page("<html><pre>vllm serve <b>m</b> &amp;</pre>")[0].words
        'vllm serve m &'
    """
    found: list[Container] = []
    begin = -1
    for tag in _PREFORMATTED.finditer(text):
        if not tag[1]:
            begin = tag.end() if begin < 0 else begin
        elif begin >= 0:
            block = unescape(_TAG.sub(_plain, text[begin : tag.start()]))
            if names_an_engine(block):
                line = text.count("\n", 0, begin) + 1
                found.append(Container(block, line, is_script=True))
            begin = -1
    return found


def _plain(tag: re.Match[str]) -> str:
    """What a tag is in the text: a break is a line's end."""
    return "\n" if tag[0][:3].lower() == "<br" else ""


def is_record(text: str) -> bool:
    """Whether each of the first lines of a text is a record by itself, as a log of JSON has them.

    Args:
        text: the text.

    Returns:
        bool: false where more lines belong to it.

    Example:
        >>> is_record('{"a": 1}\\n{"a": 2}'), is_record('{"a":\\n1}')
        (True, False)
    """
    first = list(islice((line for line in text.split("\n", 20) if line.strip()), 2))
    return all(_RECORD.match(line) and _record(line) is not None for line in first)


def read_records(text: str) -> list[Container] | None:
    """The texts that name an engine in lines that are JSON, or dictionaries as Python prints them.

    Args:
        text: the lines; others are scripts by themselves.

    Returns:
        list[Container] | None: each text a script; None when no line names an engine.

    Example:
        >>> found = read_records('{"cmd": "vllm serve m --seed 42"}\\n')
        >>> found[0].words, found[0].line
        ('vllm serve m --seed 42', 1)
    """
    found: list[Container] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not names_an_engine(line):
            continue
        record = _record(line) if _RECORD.match(line) else line
        for said in _texts([line if record is None else record]):
            if len(found) < _MOST_TEXTS:
                found.append(Container(said, number, is_script=True))
    return found or None


def _record(line: str) -> object:
    """What a line holds as JSON or as Python prints it; None when it is neither."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        pass
    if len(line) > _LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None


def _texts(open_: list[object]) -> Iterator[list[str] | str]:
    """Texts that name an engine, and lists of words that do, at any depth."""
    while open_:
        item = open_.pop()
        if isinstance(item, dict):
            open_ += reversed(list(item.values()))
        elif isinstance(item, (list, tuple)):
            words = [word for word in item if isinstance(word, str)]
            if len(words) == len(item) and words and names_an_engine(" ".join(words[:8])):
                yield words
            else:
                open_ += reversed(item)
        elif isinstance(item, str) and names_an_engine(item):
            yield item
