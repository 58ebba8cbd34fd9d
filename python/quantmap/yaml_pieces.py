"""YAML of which some is no YAML: templates of charts, and files with a fault somewhere.

What a template engine fills in stays, in quotes; its control lines go. Where a document cannot be
read even so, the mappings that name an image or a command are cut out by their indentation.
"""

from __future__ import annotations

import re

from .errors import ConfigError
from .yaml_reader import read_yaml_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .errors import Diagnostic

__all__: list[str] = []

_ACTION = re.compile(r"\{\{-?\s*([^{}]{0,400}?)\s*-?\}\}")
_ONLY_ACTIONS = re.compile(r"\s*(?:\{\{[^{}]{0,400}\}\}\s*)+(?:#.*)?")
_CONTROL = re.compile(r"(?:if|else|end|range|with|define|block|template|/\*|\$\w+\s*:?=)")
_KEYED = re.compile(r"^(\s*(?:- )?(?:[\"']?[\w./-]+[\"']?:[ \t]+)?)(\S.*)$")
_ITEM = re.compile(r"^(\s*)- ")
_LIST = re.compile(r"^(\s*)(?:- )?(?:args|command|commands|entrypoint|extraArgs):\s*$")
_STARTED = re.compile(r"^(\s*)(- +)?[\"']?(?:image|command|commands|args|entrypoint|run)[\"']?\s*:")
_MOST_PIECES = 400
_MOST_LINES = 40_000  # of all of them


def read_pieces(text: str) -> tuple[list[Any], Diagnostic | None]:
    """The documents of a text that is not all YAML, or the parts of them that are.

    Args:
        text: the text.

    Returns:
        tuple[list[Any], Diagnostic | None]: what could be read, and what was wrong with the rest.

    Example:
        >>> read_pieces("a: {{ .Values.a }}\\n{{- end }}\\n---\\nb: [")
        ([{'a': '{{ .Values.a }}'}], None)
    """
    found: list[Any] = []
    fault: Diagnostic | None = None
    first = 0
    for lines in _documents(text.split("\n")):
        whole = _read(lines)
        if whole is None and "{{" in "\n".join(lines):
            lines = list(_without_templates(lines))
            whole = _read(lines)
        if whole is None:
            pieces = list(_pieces(lines))
            if pieces and fault is None:
                fault = _fault(lines, first)
            whole = pieces
        found += [item for item in whole if isinstance(item, (dict, list))]
        first += len(lines) + 1
    return found, fault


def _documents(lines: list[str]) -> Iterator[list[str]]:
    document: list[str] = []
    for line in lines:
        if line.startswith("---") and not line.strip("- \t\r"):
            yield document
            document = []
        else:
            document.append(line)
    yield document


def _read(lines: list[str]) -> list[Any] | None:
    try:
        return read_yaml_documents("\n".join(lines).replace("\t", "  "), twice=True)
    except ConfigError:
        return None


def _fault(lines: list[str], first: int) -> Diagnostic | None:
    try:
        read_yaml_documents("\n".join(lines))
    except ConfigError as error:
        fault = error.diagnostics[0]
        line = re.search(r"line (\d+)", fault.message)
        number = first + int(line[1]) if line else first + 1
        from . import _core

        return _core.make_diagnostic("yaml-in-parts", "command", {"line": str(number)})
    return None


def _without_templates(lines: list[str]) -> Iterator[str]:
    """The lines with what a template engine fills in as text; as many as there were."""
    last = ""
    for line in lines:
        made = line
        if "{{" in line:
            only = _ONLY_ACTIONS.fullmatch(line)
            made = _of_actions(line, last) if only else _quoted(line)
        last = made if made.strip() else last
        yield made


def _of_actions(line: str, last: str) -> str:
    """A line of nothing but actions: what they put in a list is one word that is not known."""
    said = [action for action in _ACTION.findall(line) if not _CONTROL.match(action)]
    item = _ITEM.match(last) or _LIST.match(last)
    if not said or not item:
        return ""
    return f"{item[1]}- '{{{{ {said[0].replace(chr(39), chr(34))} }}}}'"


def _quoted(line: str) -> str:
    match = _KEYED.match(line)
    if not match or not match[1].strip():
        return line
    value = match[2].rstrip()
    if value[0] in "|>'" or (value[0] == "[" and value[-1] == "]"):
        return line
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    return f"{match[1]}'{value.replace(chr(39), chr(39) * 2)}'"


def _pieces(lines: list[str]) -> Iterator[Any]:
    """The smallest mappings that say what is started, each cut out by its indentation."""
    behind = 0
    pieces = looked_at = 0
    for number, line in enumerate(lines):
        match = _STARTED.match(line) if number >= behind else None
        if not match or pieces >= _MOST_PIECES or looked_at >= _MOST_LINES:
            continue
        column = len(match[1]) + len(match[2] or "")
        first, last = _bounds(lines, number, column, behind)
        text = [row[column:] if not row[:column].strip(" -") else row for row in lines[first:last]]
        read = _read(text)
        pieces += 1
        looked_at += last - first
        if read is not None:
            behind = last
            yield from read


def _bounds(lines: list[str], at: int, column: int, floor: int) -> tuple[int, int]:
    """The first line of the mapping that has a key in this column, and the line behind it."""
    first = at
    while first > floor and not _begins(lines[first], column):
        above = lines[first - 1]
        if above.strip() and _indent(above) < column and not _begins(above, column):
            break
        first -= 1
    last = at + 1
    while last < len(lines) and (not lines[last].strip() or _indent(lines[last]) >= column):
        last += 1
    return first, last


def _begins(line: str, column: int) -> bool:
    """Whether an item of a list begins with a mapping in this column."""
    return line[:column].strip() == "-" and line[column - 1 : column] == " "


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
