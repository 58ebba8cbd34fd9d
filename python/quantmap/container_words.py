"""The words that start a container, and what files of data call them."""

from __future__ import annotations

import re
import shlex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .errors import Diagnostic

__all__: list[str] = []

_COMPOSE = re.compile(r"\$(?:(\$)|\{([A-Za-z_]\w*):?-([^{}]*)\})")
_KUBERNETES = re.compile(r"\$(\$)?\(([A-Za-z_]\w*)\)")
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_FILLED = re.compile(
    r"\{\{[^{}\n]{0,300}\}\}"
)  # by a template engine: one word, whatever stands in it


class Container:
    """A container of a file, or a script in it.

    Attributes:
        words: the words that start it, or a script.
        line: the line on which it stands.
        is_script: whether the last word is a script that begins on that line.
        note: what to know about the file that it stands in.
        of_python: whether its variables are names of Python, and none of a shell.
        of_call: whether it is a call of Python, whose parameters are no flags.
    """

    __slots__ = ("is_script", "line", "note", "of_call", "of_python", "words")

    def __init__(
        self,
        words: list[str] | str,
        line: int,
        *,
        is_script: bool = False,
        note: Diagnostic | None = None,
        of_python: bool = False,
        of_call: bool = False,
    ) -> None:
        self.words = words
        self.line = line
        self.is_script = is_script
        self.note = note
        self.of_python = of_python
        self.of_call = of_call


class Places:
    """Where texts stand in a file, each looked for behind the one before."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def line_of(self, key: str, value: str) -> int:
        """The line of ``key: value``, else of the key alone, else the last one found."""
        key = rf"(?:{key})[\"']?\s*:"
        for pattern in (rf"{key}\s*[\"']?{re.escape(value)}", key):
            match = re.compile(pattern).search(self.text, self.at)
            if match:
                self.at = match.end()
                return self.text.count("\n", 0, match.start()) + 1
        return self.text.count("\n", 0, self.at) + 1


def run_words(
    image: str | None,
    entrypoint: list[str],
    command: list[str],
    environment: dict[str, str],
    devices: Any = None,
) -> list[str]:
    if image is None:
        return [*(f"{key}={value}" for key, value in environment.items()), *entrypoint, *command]
    words = ["docker", "run"]
    for key, value in environment.items():
        words += ["-e", f"{key}={value}"]
    for device in devices if isinstance(devices, list) else ():
        words += ["--device", str(device)]
    if entrypoint:
        words += ["--entrypoint", entrypoint[0]]
    return [*words, image, *entrypoint[1:], *command]


def image_of(value: Any) -> str | None:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict) and isinstance(
        value.get("repository"), str
    ):  # as Helm values have it
        parts = [value.get("registry"), value["repository"]]
        name = "/".join(str(part) for part in parts if part)
        return f"{name}:{value['tag']}" if value.get("tag") else name
    return None


def as_compose_parts(value: Any) -> Any:
    """A line as compose parts it in words: a backslash in double quotes is gone there.

    Args:
        value: the line; anything else is given back.

    Returns:
        Any: the line, as a shell would have to be given it.

    Example:
        >>> as_compose_parts('sh -c "a \\\\ b"')
        'sh -c "a  b"'
    """
    if not isinstance(value, str) or "\\" not in value:
        return value
    return _QUOTED.sub(lambda match: re.sub(r"\\(\s)", r"\1", match[0]), value)


def words_of(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text_of(word) for word in value if not isinstance(word, (dict, list))]
    if not isinstance(value, str):
        return []
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[0])
        return f"\x00{len(kept) - 1}\x00"

    plain = _FILLED.sub(keep, value.replace("\x00", ""))
    try:
        words = shlex.split(plain)
    except ValueError:
        words = plain.split()
    return [re.sub("\x00(\\d+)\x00", lambda match: kept[int(match[1])], word) for word in words]


def text_of(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def environment_of(value: Any) -> dict[str, str]:
    """Variables by name; one that is filled in elsewhere is left to be."""
    out: dict[str, str] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            name, mark, given = item.partition("=")
            out[name] = given if mark else f"${{{name}}}"
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            out[item["name"]] = (
                text_of(item["value"]) if "value" in item else f"${{{item['name']}}}"
            )
    if isinstance(value, dict):
        for name, given in value.items():
            out[str(name)] = f"${{{name}}}" if given is None else text_of(given)
    return {name: given for name, given in out.items() if re.fullmatch(r"[A-Za-z_]\w*", name)}


def compose_value(text: str) -> str:
    """``${NAME:-word}`` is its word and ``$$`` a dollar sign; what compose fills in stays open."""
    return _COMPOSE.sub(lambda match: "$" if match[1] else match[3], text)


def kubernetes_value(text: str, environment: dict[str, str]) -> str:
    """``$(NAME)`` is the value of a variable of the manifest; of ``$$(NAME)`` a sign goes."""
    return _KUBERNETES.sub(
        lambda match: match[0][1:] if match[1] else environment.get(match[2], match[0]), text
    )
