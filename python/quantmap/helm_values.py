"""Containers that a line of helm describes by the values that it sets."""

from __future__ import annotations

import re
import shlex
from itertools import islice

from .launch_lines import names_an_engine

__all__: list[str] = []

_LINE = re.compile(r"^[ \t]*(?:\$ )?helm[ \t]+(?:install|upgrade|template)\b[^\n]*", re.MULTILINE)
_SETS = ("--set", "--set-string")
_PAIRS = re.compile(r"(?<![^,])([\w.\[\]-]{1,200})=(\{[^{}]*\}|(?:\\.|[^,\\])*)(?:,|$)")
_LISTS = ("args", "extraArgs", "command")
_ITEM = re.compile(r"(\w+)\[\d{1,4}\]")
_MOST, _LONGEST = 100, 20_000


def helm_launches(text: str) -> list[tuple[int, str]]:
    """The launches of helm's lines, each with its line.

    Args:
        text: a script.

    Returns:
        list[tuple[int, str]]: as ``docker run`` has them.

    Example:
        >>> helm_launches("helm install x . --set image=vllm/vllm-openai,args={--model,a/b}")
        [(1, 'docker run vllm/vllm-openai --model a/b')]
    """
    if "helm" not in text or not names_an_engine(text):
        return []
    plain = text.replace("\\\n", "  ")  # as long as it was
    found = []
    for match in islice(_LINE.finditer(plain), _MOST):
        line = _container(match[0][:_LONGEST])
        if line:
            found.append((text.count("\n", 0, match.start()) + 1, line))
    return found


def _container(line: str) -> str:
    """The container of one line; empty when it names no engine's image."""
    try:
        words = shlex.split(line)
    except ValueError:
        return ""
    given = [(name, value) for name, value in zip(words, words[1:]) if name in _SETS]
    given += [(name, value) for name, _, value in (word.partition("=") for word in words)]
    images: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for name, value in given:
        for key, said in _PAIRS.findall(value) if name in _SETS else ():
            _take(key.rpartition(".")[2], said, images, lists)
    image = images.get("repository", images.get("image", ""))
    image += f":{images['tag']}" if "tag" in images and ":" not in image else ""
    if not lists or not names_an_engine(image):
        return ""
    started = lists.get("command", [])
    first = [f"--entrypoint={started[0]}"] if started else []
    rest = [*started[1:], *lists.get("args", []), *lists.get("extraArgs", [])]
    return " ".join(["docker run", *first, image, *map(shlex.quote, rest)])


def _take(key: str, said: str, images: dict[str, str], lists: dict[str, list[str]]) -> None:
    """Keep one value, by the last part of its name."""
    item = _ITEM.fullmatch(key)
    if key in ("image", "repository", "tag"):
        images[key] = said
    elif key in _LISTS and said.startswith("{"):
        lists[key] = said[1:-1].split(",")
    elif item and item[1] in _LISTS:
        lists.setdefault(item[1], []).append(said.replace("\\,", ","))
