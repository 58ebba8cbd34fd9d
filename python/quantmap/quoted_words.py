"""Launches in source of any language: words in quotes, one behind the other, and ``python -c``."""

from __future__ import annotations

import re
import shlex
from itertools import islice

from .launch_lines import launch_lines, names_an_engine

__all__: list[str] = []

_WORD = r"(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}')"
_ITEM = rf"(?:{_WORD}|[A-Za-z_][\w.]{{0,80}})"  # a name is not known
_BLANK = r"[ \t\r\n]{0,80}"
_LIST = re.compile(rf"{_WORD}(?:{_BLANK},{_BLANK}\[?{_BLANK}{_ITEM}){{1,200}}")
_ITEMS = re.compile(_ITEM)
_INLINE = re.compile(r"\bpython3? -c (?:\"((?:[^\"\\]|\\.){1,2000})\"|'([^']{1,2000})')")
_MOST = 200  # launches of one text


def quoted_launches(text: str) -> list[tuple[int, str]]:
    """Launches that a text's quoted words are, of which no launch could be read otherwise.

    Args:
        text: source of some language, or commands that hold Python.

    Returns:
        list[tuple[int, str]]: each with its line, as a shell writes it.

    Example:
        >>> quoted_launches('spawn("vllm", ["serve", "a/b"])')
        [(1, 'vllm serve a/b')]
    """
    if not names_an_engine(text):
        return []
    found: list[tuple[int, str]] = []
    for match in _LIST.finditer(text):
        line = " ".join(map(_word, _ITEMS.findall(match[0])))
        if launch_lines().match(line) and len(found) < _MOST:
            found.append((text.count("\n", 0, match.start()) + 1, line))
    for match in islice(_INLINE.finditer(text), _MOST):
        from .python_source import find_python_launches

        first = text.count("\n", 0, match.start())
        inside = match[2] or re.sub(r"\\(.)", r"\1", match[1])
        found += [(first + line, words) for line, words in find_python_launches(inside)][:_MOST]
    return found


def _word(item: str) -> str:
    """An element of a list as a word of a shell."""
    quoted = item[0] in ("'", '"')
    return shlex.quote(item[1:-1]) if quoted else f"{{{item.rpartition('.')[2]}}}"
