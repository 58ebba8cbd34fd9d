"""Launches in files of data, as command lines: compose files, Kubernetes manifests, Helm values,
steps of a workflow, systemd units and Dockerfiles.

Each container becomes the words of a ``docker run``, which the core reads as any other.
"""

from __future__ import annotations

import json
import re

from .container_words import (
    Container,
    Places,
    as_compose_parts,
    compose_value,
    environment_of,
    image_of,
    kubernetes_value,
    run_words,
    words_of,
)
from .data_walk import Ground, mappings, script_of
from .errors import ConfigError
from .files import MAX_BYTES
from .launch_lines import launch_lines, looks_like_python, names_an_engine
from .workflows import has_command, is_step, of_step, variables_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .python_source import PythonLaunch

__all__ = ["Container", "find_containers"]

_KEYS = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?(?:image|repository|services|apiVersion|containers|command|args|run|"
    r"modelURL|engine_kwargs|engine|\w*(?:[cC]md|[cC]ommands?|[sS]cript))[\"']?[ \t]*:",
    re.MULTILINE,
)
_FIRST_OF_DATA = re.compile(
    r"(?:[ \t]*(?:#.*)?\n)*(?:---|\{|(?:- )?[\"']?[A-Za-z_][\w./-]*[\"']?:(?:\s|$)|- )"
)
_FIRST_OF_PAGE = re.compile(
    r"\s*<(?:!doctype\s+html|html|head|body|main|article|section|div|table|h[1-6]|p|ul|ol|pre)\b[^>\n]*>",
    re.IGNORECASE,
)
_FIRST_OF_RECORD = re.compile(r"\s*\{[ \t]*[\"'].*\}[ \t]*$", re.MULTILINE)
_SCRIPT_NAMES = (".sh", ".bash", ".slurm", ".sbatch")
# Keys whose texts are read as a container's, or a step's.
_WORDS_OF_CONTAINER = ("command", "args", "entrypoint", "run", "image")
_TOP = re.compile(r"^[\"']?[A-Za-z_][\w.-]*[\"']?[ \t]*:(?:\s|$)|^\{|^---|^- \w+:", re.MULTILINE)
_MANIFEST = re.compile(r"^(?:apiVersion: ?\w|services:[ \t]*$)", re.MULTILINE)
_UNIT = re.compile(r"^\[(?:Unit|Service|Container|program:[^\]\n]*)\]", re.MULTILINE)
_FROM = re.compile(  # an image, and no module of Python
    r"^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)?\S+[ \t]*(?:AS[ \t]+\S+[ \t]*)?(?:#.*)?$",
    re.MULTILINE | re.IGNORECASE,
)
_FIRST_OF_BUILD = re.compile(
    r"(?:[ \t]*(?:#(?!!).*)?\n)*"
    r"(?:ARG|ENV|RUN|CMD|ENTRYPOINT|COPY|WORKDIR|EXPOSE|USER|LABEL|SHELL|ADD)[ \t]+[^\s=]"
)
_FIRST_OF_TERRAFORM = re.compile(
    r"^[ \t]*(?:(?:resource|module|variable|data|provider|job)[ \t]+\"[^\"\n]*\"|locals|terraform)"
    r"[^\n{]{0,200}\{"
    r"|^[ \t]*container_definitions[ \t]*=[ \t]*jsonencode\(",
    re.MULTILINE,
)
_COMMAND = re.compile(r"^[ \t]*(?:CMD|ENTRYPOINT)\s+[^\s=]", re.MULTILINE | re.IGNORECASE)


def read_text(text: str) -> tuple[str, list[Container] | None]:
    """A text as a shell reads it, and the containers in it.

    Args:
        text: the text.

    Returns:
        tuple[str, list[Container] | None]: both, as `as_posix` and `find_containers` give them.

    Example:
        >>> read_text("vllm serve m")
        ('vllm serve m', None)
    """
    if "\n" in text:
        from .windows_scripts import as_posix

        text = as_posix(text)
    if "\n\t" in text:
        from .makefiles import as_shell, is_makefile

        if is_makefile(text):
            return as_shell(text), None
    if "{{" in text and "\n " in text:
        from .makefiles import is_justfile, just_as_shell

        if is_justfile(text):
            return just_as_shell(text), None
    return text, find_containers(text)


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
    if text.lstrip()[:1] == "[" and not _UNIT.match(text.lstrip()):
        return _of_argv(text)
    has_blocks = _has_code_blocks(text)
    read = None if has_blocks else _build_reader(text)
    if read is not None:
        return read(text)
    blocks = _of_blocks(text) if has_blocks else []
    is_data = _FIRST_OF_DATA.match(text) is not None
    if text.startswith("#!") or not (is_data or _KEYS.search(text)) or not _TOP.search(text):
        return blocks or _of_python(text)
    alone = None if is_data or has_blocks else _of_python(text) or _of_script_and_data(text)
    return _of_data(text, blocks, whole=is_data) if alone is None else alone


def _of_data(text: str, blocks: list[Container], *, whole: bool) -> list[Container] | None:
    """What stands in YAML, and in the code blocks beside it."""
    found = _of_documents(text, whole=whole)
    return _of_python(text) if found is None and not blocks else [*(found or ()), *blocks]


def _of_records(text: str) -> list[Container] | None:
    """What stands in lines that are records, or in one that is a container, if any."""
    from .web_pages import read_records

    alone = text.strip().count("\n") == 0
    return (alone and _of_documents(text, whole=True)) or read_records(text)


def _build_reader(text: str) -> Callable[[str], list[Container] | None] | None:
    """What reads a systemd unit, a Dockerfile, a web page or a log of records; None: it is none."""
    if _own(_UNIT, text):
        from .build_files import read_unit

        return read_unit
    if _COMMAND.search(text) and (_own(_FROM, text) or _FIRST_OF_BUILD.match(text)):
        from .build_files import read_dockerfile

        return read_dockerfile
    if "{" in text and _own(_FIRST_OF_TERRAFORM, text):
        from .terraform import read_terraform

        return read_terraform
    if _FIRST_OF_PAGE.match(text):
        from .web_pages import read_page

        return read_page
    if _FIRST_OF_RECORD.match(text):
        from .web_pages import is_record

        return _of_records if is_record(text) else None
    return None


def _own(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Where a text says what it is; what stands in a script's here-document says it of that."""
    match = None if text.startswith("#!") else pattern.search(text)
    return match if match and "<<" not in text[: match.start()] else None


def _manifest_behind(text: str) -> int | None:
    """Where data begins behind commands that were pasted with it, and are no here-document's."""
    match = _own(_MANIFEST, text)
    return match.start() if match else None


def _of_script_and_data(text: str) -> list[Container] | None:
    at = _manifest_behind(text)
    if at is None:
        return None
    blank = re.sub(r"[^\n]", "", text[:at])
    data = _of_documents(blank + text[at:], whole=True) or []
    return [Container(text[:at], 1, is_script=True), *data]


def find_written(name: str, text: str) -> list[Container]:
    """The containers, or the launches, of a file that a script writes.

    Args:
        name: the file; empty for what a program reads as it is written.
        text: what stands in it.

    Returns:
        list[Container]: none when it is data of something else.

    Raises:
        ConfigError: the text is YAML of containers, and PyYAML is not installed.

    Example:
        >>> find_written("start.sh", "vllm serve m")[0].words
        'vllm serve m'
    """
    if len(text) > MAX_BYTES or not names_an_engine(text) or _has_code_blocks(text):
        return []  # pages are there to be read, not to be run
    text, found = read_text(text)
    if found is None and (name.endswith(_SCRIPT_NAMES) or text.startswith("#!")):
        return [Container(text, 1, is_script=True)]
    return found or []


def _of_documents(text: str, *, whole: bool) -> list[Container] | None:
    """What stands in YAML; None when the text is none, or, if it need not be, holds nothing."""
    from .yaml_reader import read_yaml_documents

    fault = None
    try:
        documents = read_yaml_documents(text)
    except ConfigError as error:
        if error.diagnostics[0].code == "missing-package":
            raise
        from .yaml_pieces import read_pieces

        documents, fault = read_pieces(text) if whole else ([], None)
        if not documents:
            return None
    places = Places(text)
    containers: list[Container] = []
    for item, ground in mappings(documents):
        if is_step(item):
            containers += of_step(item, places, ground)
        elif container := _of_mapping(item, places, ground):
            containers.append(container)
        containers += _scripts_of(item, places, ground)
    if containers:
        containers[0].note = fault
    is_data = whole and all(isinstance(item, (dict, list)) for item in documents)
    return containers or ([] if is_data else None)


def _of_blocks(text: str) -> list[Container]:
    """What stands in the code blocks of Markdown; a block knows what those before it set."""
    from .markdown import PYTHON, Prelude, code_blocks
    from .windows_scripts import as_posix

    found: list[Container] = []
    before = Prelude()
    for first, language, block in code_blocks(text):
        if not block.strip():
            continue
        block = as_posix(block)
        inner = _of_python(block) if language in PYTHON else find_containers(block)
        if inner is None and language not in PYTHON:
            inner = [Container(before.text() + block, 1, is_script=True)]
            before.add(block)
        for container in inner or ():
            container.line += first - 1
            found.append(container)
    return found


def _of_python(text: str) -> list[Container] | None:
    found = python_launches(text)
    if found is None:
        return None
    launches = [
        Container(words, line, is_script=True, of_python=True, of_call=is_call)
        for line, words, is_call in found
    ]
    if not _KEYS.search(text) or not names_an_engine(text):
        return launches
    from .python_source import python_texts

    for first, last, inner in python_texts(text):
        inside = _of_documents(inner, whole=True) if _KEYS.search(inner) else None
        for container in inside or ():
            container.line += first - 1
        if inside:
            launches = [one for one in launches if not first <= one.line <= last] + inside
    return launches


def python_launches(text: str) -> list[PythonLaunch] | None:
    """The launches of a Python source; None when the text is none."""
    if not looks_like_python(text):
        return None
    from .python_source import find_python_launches, is_python

    return find_python_launches(text) if is_python(text) else None


def _has_code_blocks(text: str) -> bool:
    if "```" not in text and "~~~" not in text and ".. code" not in text:
        return False
    from .markdown import has_code_blocks

    return has_code_blocks(text)


def _scripts_of(item: dict[str, Any], places: Places, ground: Ground) -> Iterator[Container]:
    """Texts of a mapping, whatever they are called, in which a line starts an engine."""
    variables = variables_of(item, ground)
    for key in item:
        if key in _WORDS_OF_CONTAINER:
            continue
        value = script_of(item, key)
        if key == "source" and "cell_type" in item:
            from .notebooks import read_cell

            inner = read_cell(value, places, ground)
            if inner is not None:
                yield from inner
                continue
        if launch_lines().search(value) and not _has_code_blocks(value):
            line = places.line_of(re.escape(str(key)), "")
            is_block = places.text[places.at : places.at + 1] in ("|", ">", "\n")
            found = python_launches(value) or ()
            for at, text in [launch[:2] for launch in found] or [(1, value)]:
                words = run_words(ground.image, ["sh", "-c", ground.before + text], [], variables)
                yield Container(words, line + is_block + at - 1, is_script=True)


def _of_argv(text: str) -> list[Container] | None:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        return None
    line = text[: text.index("[")].count("\n") + 1
    return [Container(words, line)]


def _is_kubernetes(item: dict[str, Any]) -> bool:
    """Whether ``command`` of a mapping is the entrypoint, as in a manifest, and not its words."""
    if "args" in item:
        return True
    listed = isinstance(item.get("env"), list) or "entrypoint" not in item
    return listed and not isinstance(item.get("command"), str) and "environment" not in item


def _of_mapping(item: dict[str, Any], places: Places, ground: Ground) -> Container | None:
    from .platforms import served_model

    model = served_model(item)
    if model is not None:
        words, named, key = model
        environment = environment_of(item.get("env"))
        return Container(
            run_words(named, [words[0]], words[1:], environment), places.line_of(key, "")
        )
    image = image_of(item.get("image"))
    if image is None and "tag" in item and _extra(item):
        image = image_of(item)  # a chart's values name it beside what they add to its arguments
    return _of_container(image, item, places, ground)


def _of_container(
    image: str | None, item: dict[str, Any], places: Places, ground: Ground
) -> Container | None:
    if image is None and not has_command(item):
        return None
    environment = environment_of(
        item.get("env" if isinstance(item.get("env"), list) else "environment")
    )
    if _is_kubernetes(item) and not ground.service:
        entrypoint, command = (
            [kubernetes_value(word, environment) for word in words_of(item.get(key))]
            for key in ("command", "args")
        )
        command += [kubernetes_value(word, environment) for word in _extra(item)]
    else:
        entrypoint, command = (
            [compose_value(word) for word in words_of(as_compose_parts(item.get(key)))]
            for key in ("entrypoint", "command")
        )
        environment = {key: compose_value(value) for key, value in environment.items()}
        image = None if image is None else compose_value(image)
    line = (
        places.line_of("image|repository", image)
        if image
        else places.line_of("command|args|entrypoint", "")
    )
    return Container(run_words(image, entrypoint, command, environment, item.get("devices")), line)


def _extra(item: dict[str, Any]) -> list[str]:
    """Arguments that a chart's values add to those of the chart itself."""
    places = [item, *(value for value in item.values() if isinstance(value, dict))]
    return [word for place in places for word in words_of(place.get("extraArgs"))]
