"""Launches in source of any language: words in quotes, one behind the other, and ``python -c``."""

from __future__ import annotations

import re
import shlex
from itertools import islice

from .helm_values import helm_launches
from .launch_lines import launch_lines, names_an_engine
from .markdown import Prelude

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .python_source import PythonLaunch

__all__: list[str] = []

_WORD = r"(?:\"[^\"\n]{0,500}\"|'[^'\n]{0,500}')"
_ITEM = rf"(?:{_WORD}|[A-Za-z_][\w.]{{0,80}})"  # a name is not known
_BLANK = r"[ \t\r\n]{0,80}"
_LIST = re.compile(rf"{_WORD}(?:{_BLANK},{_BLANK}\[?{_BLANK}{_ITEM}){{1,200}}")
_ITEMS = re.compile(_ITEM)
_INLINE = re.compile(r"\bpython3? -c (?:\"((?:[^\"\\]|\\.){1,2000})\"|'([^']{1,2000})')")
_MOST = 200  # launches of one text
_LONGEST_PART = 4_000  # of a structure that an image stands in
_IMAGE = re.compile(
    r"\b(?:image|containerImage|imageUri)[\"']?[ \t]{0,20}[:=][ \t\r\n]{0,20}"
    r"[^\n\"'`]{0,80}[\"'`](?P<image>[\w./:@-]{3,200})[\"'`]"
)
_WORDS = re.compile(
    r"\b(?P<key>args|command|entryPoint)[\"']?[ \t]{0,20}[:=][ \t\r\n]{0,20}"
    r"\[(?P<words>[^\]\[]{0,3000})\]"
)


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
    found: list[tuple[int, str]] = helm_launches(text)
    for match in _LIST.finditer(text):
        line = " ".join(map(_word, _ITEMS.findall(match[0])))
        if launch_lines().match(line) and len(found) < _MOST:
            found.append((text.count("\n", 0, match.start()) + 1, line))
    found += _of_structures(text) if not found else []
    return found or [(launch.line, launch.words) for launch in inline_python(text)]


def inline_python(text: str) -> list[PythonLaunch]:
    """The launches in ``python -c`` of a script, with what the lines in front of them install.

    Args:
        text: the script.

    Returns:
        list[PythonLaunch]: each with its line in the script.

    Example:
        >>> text = "python -c \\"from vllm import LLM; LLM(model='a/b')\\""
        >>> [found.words for found in inline_python(text)]
        ['vllm serve a/b']
    """
    found: list[PythonLaunch] = []
    before, at = Prelude(), 0
    for match in islice(_INLINE.finditer(text), _MOST):
        from .python_source import find_python_launches

        start = text.rfind("\n", 0, match.start()) + 1
        if text[start : match.start()].lstrip()[:1] == "#":
            continue
        before.add(text[at : match.start()])
        first, at = text.count("\n", 0, match.start()), match.end()
        inside = match[2] or re.sub(r"\\(.)", r"\1", match[1])
        if names_an_engine(inside):
            found += [
                launch._replace(line=first + launch.line, words=before.text() + launch.words)
                for launch in find_python_launches(inside)[:_MOST]
            ]
    return found


def _of_structures(text: str) -> list[tuple[int, str]]:
    """Containers that source of some language describes: an engine's image, and words for it."""
    images = [
        match for match in islice(_IMAGE.finditer(text), _MOST) if names_an_engine(match["image"])
    ]
    found = []
    for match, end in zip(images, [*(image.start() for image in images[1:]), len(text)]):
        part = text[match.end() : min(end, match.end() + _LONGEST_PART)]
        words: dict[str, list[str]] = {}
        for given in _WORDS.finditer(part):
            words.setdefault(given["key"], [_word(item) for item in _ITEMS.findall(given["words"])])
        if words:
            started = words.get("command", words.get("entryPoint", []))
            first = [f"--entrypoint={started[0]}"] if started and "args" in words else []
            rest = [*started[len(first) :], *words.get("args", [])]
            line = " ".join(["docker run", *first, match["image"], *rest])
            found.append((text.count("\n", 0, match.start()) + 1, line))
    return found


def _word(item: str) -> str:
    """An element of a list as a word of a shell."""
    quoted = item[0] in ("'", '"')
    return shlex.quote(item[1:-1]) if quoted else f"{{{item.rpartition('.')[2]}}}"
