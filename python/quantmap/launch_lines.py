"""How a line of text that starts an engine looks, and one of Python."""

from __future__ import annotations

import re
from functools import lru_cache

from . import _core

__all__: list[str] = []


_STATEMENT = re.compile(
    r"^(?:import \w|from [\w.]+ import |@\w|def \w+\(|"
    r"\w+ ?(?:: ?[\w\[\]., ]+)?= ?[\[\"'f(]|subprocess\.|os\.system\()",
    re.MULTILINE,
)


def looks_like_python(text: str) -> bool:
    """Whether a text has a statement of Python that no shell has; it may still be no Python."""
    return _STATEMENT.search(text) is not None


@lru_cache(maxsize=1)
def launch_lines() -> re.Pattern[str]:
    """Lines that start an engine, and go on as no sentence does.

    Returns:
        re.Pattern[str]: what finds one in a text of several lines.

    Example:
        >>> [bool(launch_lines().search(text)) for text in ("vllm serve a/b", "vllm serve is")]
        [True, False]
    """
    launchers = [words for engine in _core.engines() for words, _ in engine["launchers"]]
    plain = ["[ \\t]+".join(map(re.escape, words)) for words in launchers if words[0][0] != "-"]
    modules = [re.escape(words[1].partition(".")[0]) for words in launchers if words[0] == "-m"]
    python = rf"python3?(?:[ \t]+-u)?[ \t]+-m[ \t]+(?:{'|'.join(modules)})\.[\w.]+"
    return re.compile(  # within a line: what may cross lines takes the square of the text
        r"^[ \t]*(?:\$ )?(?:(?:[A-Za-z_]\w*=\S*|exec|sudo|nohup|env|-E)[ \t]+)*"
        r"(?:[\w./~-]*python3?[ \t]+(?=[\w.~-]*/))?(?:[\w./~-]*/)?"
        rf"(?:{'|'.join(plain)}|docker run|{python})[ \t]+"
        r"(?:[-$\"'<{/.\\]|[\w.-]*[/\d]|[\w.-]+[ \t]+--[a-z])",
        re.MULTILINE,
    )


def names_an_engine(text: str) -> bool:
    """Whether a text names an engine somewhere, whatever it says of it.

    Args:
        text: the text.

    Returns:
        bool: false when no launch can be in it.

    Example:
        >>> names_an_engine("image: vllm/vllm-openai"), names_an_engine("image: nginx")
        (True, False)
    """
    plain = text.replace("_", "-").lower()
    return any(name in plain for name in _names())


def line_naming_engine(text: str) -> int:
    """The number of the first line that names an engine.

    Args:
        text: a text that names one.

    Returns:
        int: 1 where none does.

    Example:
        >>> line_naming_engine("a\\nuse sglang")
        2
    """
    plain = text.replace("_", "-").lower()
    places = [place for place in map(plain.find, _names()) if place >= 0]
    return plain.count("\n", 0, min(places, default=0)) + 1


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    """What engines are called, in the spelling that texts are compared in."""
    names = (name for engine in _core.engines() for name in engine["runtime_names"])
    return tuple(name.replace("_", "-") for name in names)
