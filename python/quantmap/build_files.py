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
_LONGEST = 20_000  # of what a program of supervisor sets
_BEHIND = re.compile(r"\s;.*$")  # a comment behind a value of supervisor
_PAIR = re.compile(r"([A-Za-z_]\w*)=(\"[^\"]*\"|'[^']*'|[^,\s\"']*)")
_MOST_UNCLOSED = 8  # each is looked for to the end of the text
_WRITES = re.compile(
    r"^\s*(COPY|ADD|RUN)\s[^<\n]*<<-?[\"']?(\w+)[\"']?[ \t]*(?:\S+[ \t]+)*?(/?[\w./-]*)[ \t]*$",
    re.IGNORECASE,
)
_INSTRUCTION = re.compile(r"^\s*(FROM|ARG|ENV|RUN|CMD|ENTRYPOINT)\s+(.*)$", re.IGNORECASE)


def _rows(text: str, comments: str = "#") -> Iterator[tuple[int, str]]:
    """Lines with their numbers; one that a backslash carries on is one line, without comments."""
    parts: list[str] = []
    first = 1
    for number, row in enumerate(text.split("\n"), 1):
        if parts and row.lstrip()[:1] in tuple(comments):
            continue
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
    """What a unit of systemd starts, one of Podman for a container, or a program of supervisor."""
    variables: dict[str, str] = {}
    found: list[Container] = []
    image, line = "", 1
    words: list[str] = []
    is_program = False
    for number, row in _rows(_joined(text), "#;"):
        is_program = row.startswith("[program:") if row.startswith("[") else is_program
        row = _BEHIND.sub("", row) if is_program and len(row) < _LONGEST else row
        key, mark, value = row.strip().partition("=")
        value = value.strip()
        if row.startswith("["):
            found += _started_in(image, words, variables, line)
            variables, image, words = ({} if row.startswith("[program:") else variables), "", []
        elif mark and key.rstrip() in ("Environment", "environment"):
            variables.update(_set_in_unit(key, value))
        elif mark and key == "Image":
            image, line = value, number
        elif value and key.rstrip() in ("ExecStart", "Exec", "command"):
            started = value.lstrip("-@+!:") if key.rstrip() == "ExecStart" else value
            words, line = words_of(started), number
    return [*found, *_started_in(image, words, variables, line)] or None


def _set_in_unit(key: str, value: str) -> dict[str, str]:
    """The variables of a unit, or of a program of supervisor, which has commas between them."""
    if key.rstrip() == "Environment":
        return environment_of(words_of(value))
    return {name: given.strip("\"'") for name, given in _PAIR.findall(value[:_LONGEST])}


def _joined(text: str) -> str:
    """A unit, in which values of supervisor that go on in indented lines are one line each."""
    if not re.search(r"^\[program:", text, re.MULTILINE):
        return text
    rows: list[list[str]] = []
    last = -1  # the line that the others belong to
    for row in text.split("\n"):
        goes_on = last >= 0 and row[:1] in (" ", "\t") and row.strip()
        if goes_on and not rows[last][-1].endswith("\\"):
            rows[last].append(row.strip())
            rows.append([""])
        else:
            rows.append([row])
            last = len(rows) - 1 if row.strip() else -1
    return "\n".join(" ".join(parts) for parts in rows)


def _started_in(
    image: str, words: list[str], variables: dict[str, str], line: int
) -> list[Container]:
    """What a section of a unit starts, with its own variables filled in."""
    if not (image or words):
        return []
    words = [_filled(word, variables) for word in words]
    return [Container(run_words(image or None, [], words, variables), line)]


def read_dockerfile(text: str) -> list[Container]:
    """What the last stage of a Dockerfile starts."""
    image, line = "", 1
    environment: dict[str, str] = {}
    started: dict[str, list[str]] = {}
    given: dict[str, str] = {}
    installed: list[str] = []
    stages: dict[str, str] = {}
    text, written = _without_written(text)
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
    words = _with_files(started, written, given, installed)
    return [Container(run_words(image or None, *words, environment), line)]


def _with_files(
    started: dict[str, list[str]], written: list[str], given: dict[str, str], installed: list[str]
) -> tuple[list[str], list[str]]:
    """Entrypoint and command, behind what is written and installed for them."""
    entrypoint, command = started.get("ENTRYPOINT", []), started.get("CMD", [])
    if installed and (entrypoint or (command[:1] and not command[0].startswith("-"))):
        entrypoint, command = _after(given, installed, [*entrypoint, *command])
    if written and (entrypoint or command):
        entrypoint, command = _after({}, written, [*entrypoint, *command])
    return entrypoint, command


def _without_written(text: str) -> tuple[str, list[str]]:
    """A Dockerfile without the files that stand in it, and these as a shell writes them."""
    rows: list[str] = []
    written: list[str] = []
    left = unclosed = 0
    lines = text.split("\n")
    for number, row in enumerate(lines):
        if left:
            left -= 1
            rows.append("")
            continue
        rows.append(row)
        match = _WRITES.match(row) if "<<" in row and len(row) < 2_000 else None
        if not match or unclosed >= _MOST_UNCLOSED:
            continue
        end = number + 1
        while end < len(lines) and lines[end].strip() != match[2]:
            end += 1
        unclosed += end == len(lines)
        if end < len(lines):
            left = end - number
            if match[1].upper() != "RUN" and match[3]:
                body = lines[number + 1 : end]
                written.append("\n".join([f"cat > {match[3]} <<'{match[2]}'", *body, match[2]]))
    return "\n".join(rows), written


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
