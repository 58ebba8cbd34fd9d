"""Launches in Dockerfiles and in systemd units."""

from __future__ import annotations

import json
import re
import shlex

from .container_words import Container, environment_of, run_words, words_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

_INSTALLS = re.compile(r"==|\.whl\b")  # of a package with its release
_INSTRUCTION = re.compile(r"^\s*(FROM|ARG|ENV|RUN|CMD|ENTRYPOINT)\s+(.*)$", re.IGNORECASE)


def _rows(text: str) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that a backslash carries on is one line."""
    parts: list[str] = []
    first = 1
    for number, row in enumerate(text.split("\n"), 1):
        first = first if parts else number
        plain = row.rstrip()
        if plain.endswith("\\"):
            parts.append(plain[:-1])
            continue
        yield first, " ".join([*parts, plain])
        parts = []
    if parts:
        yield first, " ".join(parts)


def read_unit(text: str) -> list[Container] | None:
    """What a systemd unit starts."""
    variables: list[str] = []
    found: list[Container] = []
    for line, row in _rows(text):
        key, mark, value = row.strip().partition("=")
        if mark and key == "Environment":
            variables += [
                f"{name}={given}" for name, given in environment_of(words_of(value)).items()
            ]
        elif mark and key == "ExecStart" and value.strip():
            words = words_of(value.strip().lstrip("-@+!:"))
            found.append(Container([*variables, *words], line))
    return found or None


def read_dockerfile(text: str) -> list[Container]:
    """What the last stage of a Dockerfile starts."""
    image, line = "", 1
    environment: dict[str, str] = {}
    started: dict[str, list[str]] = {}
    given: dict[str, str] = {}
    installed: list[str] = []
    stages: dict[str, str] = {}
    for number, row in _rows(text):
        match = _INSTRUCTION.match(row)
        if not match:
            continue
        word, rest = match[1].upper(), match[2].strip()
        if word == "FROM":
            image = _base_of(rest, given, stages)
            environment, started, installed, line = {}, {}, [], number
        elif word == "ARG":
            given.update(environment_of(words_of(rest)))
        elif word == "RUN":
            installed += [rest] if _INSTALLS.search(rest) else []
        elif word == "ENV":
            environment.update(environment_of(words_of(rest)))
        else:
            started[word] = _exec_or_shell(rest)
            line = number
    entrypoint, command = started.get("ENTRYPOINT", []), started.get("CMD", [])
    if installed and (entrypoint or (command[:1] and not command[0].startswith("-"))):
        entrypoint, command = _after(given, installed, [*entrypoint, *command])
    return [Container(run_words(image, entrypoint, command, environment), line)]


def _base_of(rest: str, given: dict[str, str], stages: dict[str, str]) -> str:
    """The image that a stage begins from; the stage's own name is kept for those behind it."""
    named = [part for part in rest.split() if not part.startswith("--")]
    image = _filled("".join(named[:1]), given)
    image = stages.get(image, image)
    if len(named) == 3 and named[1].upper() == "AS":
        stages[named[2]] = image
    return image


def _filled(text: str, given: dict[str, str]) -> str:
    """An image's name with the build's own arguments put in."""

    def value(match: re.Match[str]) -> str:
        return given.get(match[1] or match[3], match[2] or match[0])

    return re.sub(r"\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))", value, text)


def _after(
    given: dict[str, str], installed: list[str], started: list[str]
) -> tuple[list[str], list[str]]:
    """What is started, behind what was installed for it, as one script of the container."""
    known = {name: value for name, value in given.items() if value != f"${{{name}}}"}
    lines = [f"{name}={shlex.quote(value)}" for name, value in known.items()]
    start = started[2] if started[:2] == ["/bin/sh", "-c"] else shlex.join(started)
    return ["/bin/sh"], ["-c", "\n".join([*lines, *installed, start])]


def _exec_or_shell(rest: str) -> list[str]:
    if rest.startswith("["):
        try:
            words = json.loads(rest)
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return ["/bin/sh", "-c", rest]
