"""Launches in files of data, as command lines: compose files, Kubernetes manifests, Helm values,
steps of a workflow, systemd units and Dockerfiles.

Each container becomes the words of a ``docker run``, which the core reads as any other.
"""

from __future__ import annotations

import json
import re
import shlex

from . import _core
from .errors import ConfigError
from .yaml_reader import read_yaml_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

__all__ = ["Container", "find_containers"]

_KEYS = re.compile(
    r"^\s*(?:-\s+)?[\"']?(?:image|repository|services|apiVersion|containers|command|args|run)[\"']?\s*:",
    re.MULTILINE,
)
_TOP = re.compile(r"^[\"']?[A-Za-z_][\w.-]*[\"']?\s*:(?:\s|$)|^\{|^---|^- \w+:", re.MULTILINE)
_INSTRUCTION = re.compile(r"^\s*(FROM|ENV|CMD|ENTRYPOINT)\s+(.*)$", re.IGNORECASE)
_COMPOSE = re.compile(r"\$(?:(\$)|\{([A-Za-z_]\w*):?-([^{}]*)\})")
_KUBERNETES = re.compile(r"\$\(([A-Za-z_]\w*)\)")


class Container:
    """A container of a file.

    Attributes:
        words: the words that start it.
        line: the line on which it stands.
        is_script: whether the last word is a script that begins on that line.
    """

    __slots__ = ("is_script", "line", "words")

    def __init__(self, words: list[str], line: int, *, is_script: bool = False) -> None:
        self.words = words
        self.line = line
        self.is_script = is_script


def find_containers(text: str) -> list[Container] | None:
    """The containers of a text that is data or a Dockerfile.

    Args:
        text: the text.

    Returns:
        list[Container] | None: None when the text is something else, such as a script.

    Raises:
        ConfigError: the text is YAML of containers, and PyYAML is not installed.

    Example:
        >>> [found.words for found in find_containers('["vllm", "serve", "m"]')]
        [['vllm', 'serve', 'm']]
    """
    if re.search(r"^\[Service\]", text, re.MULTILINE):
        return _of_unit(text)
    if text.lstrip()[:1] == "[":
        return _of_argv(text)
    if re.search(r"^\s*FROM\s+\S+", text, re.MULTILINE | re.IGNORECASE) and re.search(
        r"^\s*(?:CMD|ENTRYPOINT)\s", text, re.MULTILINE | re.IGNORECASE
    ):
        return _of_dockerfile(text)
    if text.startswith("#!") or not (_KEYS.search(text) and _TOP.search(text)):
        return None
    try:
        documents = read_yaml_documents(text)
    except ConfigError as error:
        if error.diagnostics[0].code == "missing-package":
            raise
        return None
    places = _Places(text)
    found = [_of_mapping(item, places) for item in _mappings(documents)]
    containers = [container for container in found if container is not None]
    return containers or None


def as_posix(text: str) -> str:
    """Lines that go on as those of cmd and PowerShell do, with the backslash of a shell.

    Args:
        text: a script.

    Returns:
        str: the same, character by character in its place.

    Example:
        >>> as_posix("docker run ^\\n image")
        'docker run \\\\\\n image'
    """
    for mark in "^`":
        ends = len(re.findall(rf"[ \t]\{mark}[ \t]*$", text, re.MULTILINE))
        if ends and ends == text.count(mark):
            text = re.sub(rf"(?<=[ \t])\{mark}(?=[ \t]*$)", r"\\", text, flags=re.MULTILINE)
    return text


def _of_argv(text: str) -> list[Container] | None:
    try:
        words = json.loads(text)
    except ValueError:
        return None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return None
    line = text[: text.index("[")].count("\n") + 1
    return [Container(words, line)]


class _Places:
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


def _mappings(documents: list[Any]) -> Iterator[dict[str, Any]]:
    """Every mapping, outer ones first, in the order of the file; none of them twice."""
    seen: set[int] = set()
    open_ = list(reversed(documents))
    while open_:
        item = open_.pop()
        if id(item) in seen:
            continue
        if isinstance(item, dict):
            seen.add(id(item))
            yield item
            open_ += reversed(list(item.values()))
        elif isinstance(item, list):
            seen.add(id(item))
            open_ += reversed(item)


def _is_kubernetes(item: dict[str, Any]) -> bool:
    """Whether ``command`` of a mapping is the entrypoint, as in a manifest, and not its words."""
    if "args" in item:
        return True
    listed = isinstance(item.get("env"), list) or "entrypoint" not in item
    return listed and not isinstance(item.get("command"), str) and "environment" not in item


def _of_mapping(item: dict[str, Any], places: _Places) -> Container | None:
    image = _image(item.get("image"))
    if image is not None:
        return _of_container(image, item, places)
    if isinstance(item.get("run"), str):
        return _of_step(item, places)
    if isinstance(item.get("modelFormat"), dict):
        return _of_model_server(item, places)
    # A chart's values name the image beside what they add to its arguments.
    return _of_container(_image(item) if "tag" in item and _extra(item) else None, item, places)


def _of_container(image: str | None, item: dict[str, Any], places: _Places) -> Container | None:
    has_command = any(
        isinstance(item.get(key), (str, list)) and item.get(key)
        for key in ("command", "args", "entrypoint")
    )
    if image is None and not has_command:
        return None
    environment = _environment(
        item.get("env" if isinstance(item.get("env"), list) else "environment")
    )
    if _is_kubernetes(item):
        entrypoint, command = (
            [_kubernetes_value(word, environment) for word in _words(item.get(key))]
            for key in ("command", "args")
        )
        command += [_kubernetes_value(word, environment) for word in _extra(item)]
    else:
        entrypoint = [_compose_value(word) for word in _words(item.get("entrypoint"))]
        command = [_compose_value(word) for word in _words(item.get("command"))]
        environment = {key: _compose_value(value) for key, value in environment.items()}
        image = None if image is None else _compose_value(image)
    line = (
        places.line_of("image|repository", image)
        if image
        else places.line_of("command|args|entrypoint", "")
    )
    return Container(_run(image, entrypoint, command, environment, item.get("devices")), line)


def _extra(item: dict[str, Any]) -> list[str]:
    """Arguments that a chart's values add to those of the chart itself."""
    places = [item, *(value for value in item.values() if isinstance(value, dict))]
    return [word for place in places for word in _words(place.get("extraArgs"))]


def _of_step(item: dict[str, Any], places: _Places) -> Container:
    """A step of a workflow or job: a script with variables of its own."""
    given = item.get("envs", item.get("env"))
    variables = [f"{name}={value}" for name, value in _environment(given).items()]
    line = places.line_of("run", "")
    words = [*variables, "sh", "-c", item["run"]]
    return Container(words, line + ("\n" in item["run"]), is_script=True)


def _of_model_server(item: dict[str, Any], places: _Places) -> Container | None:
    """A model that a serving platform starts by itself: of the engine only the name is given."""
    name = str(item["modelFormat"].get("name", "")).lower()
    for engine in _core.engines():
        if name in engine["runtime_names"]:
            line = places.line_of("args", "")
            return Container([*engine["launchers"][0][0], *_words(item.get("args"))], line)
    return None


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


def _of_unit(text: str) -> list[Container] | None:
    """What a systemd unit starts."""
    variables: list[str] = []
    found: list[Container] = []
    for line, row in _rows(text):
        key, mark, value = row.strip().partition("=")
        if mark and key == "Environment":
            variables += [f"{name}={given}" for name, given in _environment(_words(value)).items()]
        elif mark and key == "ExecStart" and value.strip():
            words = _words(value.strip().lstrip("-@+!:"))
            found.append(Container([*variables, *words], line))
    return found or None


def _run(
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


def _image(value: Any) -> str | None:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, dict) and isinstance(
        value.get("repository"), str
    ):  # as Helm values have it
        parts = [value.get("registry"), value["repository"]]
        name = "/".join(str(part) for part in parts if part)
        return f"{name}:{value['tag']}" if value.get("tag") else name
    return None


def _words(value: Any) -> list[str]:
    if isinstance(value, list):
        return [_text(word) for word in value if not isinstance(word, (dict, list))]
    if not isinstance(value, str):
        return []
    try:
        return shlex.split(value)
    except ValueError:
        return value.split()


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _environment(value: Any) -> dict[str, str]:
    """Variables by name; one that is filled in elsewhere is left to be."""
    out: dict[str, str] = {}
    for item in value if isinstance(value, list) else ():
        if isinstance(item, str):
            name, mark, given = item.partition("=")
            out[name] = given if mark else f"${{{name}}}"
        elif isinstance(item, dict) and isinstance(item.get("name"), str):
            out[item["name"]] = _text(item["value"]) if "value" in item else f"${{{item['name']}}}"
    if isinstance(value, dict):
        for name, given in value.items():
            out[str(name)] = f"${{{name}}}" if given is None else _text(given)
    return {name: given for name, given in out.items() if re.fullmatch(r"[A-Za-z_]\w*", name)}


def _compose_value(text: str) -> str:
    """``${NAME:-word}`` is its word and ``$$`` a dollar sign; what compose fills in stays open."""
    return _COMPOSE.sub(lambda match: "$" if match[1] else match[3], text)


def _kubernetes_value(text: str, environment: dict[str, str]) -> str:
    """``$(NAME)`` is the value of a variable of the container that is given in the manifest."""
    return _KUBERNETES.sub(lambda match: environment.get(match[1], match[0]), text)


def _of_dockerfile(text: str) -> list[Container]:
    """What the last stage of a Dockerfile starts."""
    image, line = "", 1
    environment: dict[str, str] = {}
    started: dict[str, list[str]] = {}
    for number, row in _rows(text):
        match = _INSTRUCTION.match(row)
        if not match:
            continue
        word, rest = match[1].upper(), match[2].strip()
        if word == "FROM":
            image = next((part for part in rest.split() if not part.startswith("--")), "")
            environment, started, line = {}, {}, number
        elif word == "ENV":
            environment.update(_environment(_words(rest)))
        else:
            started[word] = _exec_or_shell(rest)
            line = number
    words = _run(image, started.get("ENTRYPOINT", []), started.get("CMD", []), environment)
    return [Container(words, line)]


def _exec_or_shell(rest: str) -> list[str]:
    if rest.startswith("["):
        try:
            words = json.loads(rest)
        except ValueError:
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            return words
    return ["/bin/sh", "-c", rest]
