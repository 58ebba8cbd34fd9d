"""YAML text as plain data, strictly and in bounded time; needs PyYAML.

PyYAML's events are read one by one instead of its documents: nothing recurses, nothing is built
twice, and reading stops at the first thing that is too large, too deep or said twice.
"""

from __future__ import annotations

import importlib

from . import _core
from .errors import ConfigError
from .files import MAX_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["read_yaml", "read_yaml_documents"]

_MAX_NODES = 20_000
_MAX_DEPTH = 64
_LONGEST_NUMBER = 100
_STRING = "tag:yaml.org,2002:str"
_MERGE = "tag:yaml.org,2002:merge"


def read_yaml(text: str | bytes) -> Any:
    """The data of a YAML text with one document.

    Args:
        text: the text, or its UTF-8 bytes; at most 1 MB.

    Returns:
        Any: dicts, lists and scalars as ``yaml.safe_load`` gives them. A key that is given twice
        is an error; an alias is the same object again.

    Raises:
        ConfigError: the text is too large, not UTF-8, not YAML, or nested too deep; PyYAML is not
            installed.

    Example:
        >>> read_yaml("quantization: {moe: {weight_dtype: null}}")
        {'quantization': {'moe': {'weight_dtype': None}}}
    """
    return _read(text, several=False)[0]


def read_yaml_documents(text: str | bytes, *, twice: bool = False) -> list[Any]:
    """The data of a YAML text with any number of documents.

    Args:
        text: the text, or its UTF-8 bytes; at most 1 MB.
        twice: whether a key may be given twice; the last one counts.

    Returns:
        list[Any]: each document, as `read_yaml` gives one.

    Raises:
        ConfigError: as for `read_yaml`.

    Example:
        >>> read_yaml_documents("a: 1\\n---\\nb: 2")
        [{'a': 1}, {'b': 2}]
    """
    return _read(text, several=True, twice=twice)


def _read(text: str | bytes, several: bool, *, twice: bool = False) -> list[Any]:
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise _error("over-limit", got=f"{size} bytes", known=f"{MAX_BYTES} bytes")
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise _error("invalid-unicode") from None
    try:
        yaml: Any = importlib.import_module("yaml")
    except ImportError:
        raise _error("missing-package", value="PyYAML") from None
    reader: _Reader | None = None
    try:
        reader = _Reader(yaml, text, several)
        reader.twice = twice
        return reader.read()
    except ConfigError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(mark, error.problem or error.context or "cannot be read") from None
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        line, column = before.count("\n") + 1, error.position - before.rfind("\n")
        context = {"line": str(line), "column": str(column), "reason": error.reason}
        raise _error("invalid-yaml", **context) from None
    except (OverflowError, ValueError):  # "\\UFFFFFFFF" names no character
        mark = reader.loader.get_mark() if reader is not None else None
        raise _invalid(mark, "an escape that names no character") from None


def _error(code: str, path: str = "$", **context: str) -> ConfigError:
    return ConfigError([_core.make_diagnostic(code, path, context)])


def _invalid(mark: Any, reason: str) -> ConfigError:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return _error("invalid-yaml", line=str(line), column=str(column), reason=reason)


class _Frame:
    """A list or mapping whose end is still to come."""

    def __init__(self, value: Any, mark: Any) -> None:
        self.value = value
        self.mark = mark
        self.key: Any = None
        self.has_key = False
        self.merging = False
        self.merged: list[dict[Any, Any]] = []


class _Reader:
    def __init__(self, yaml: Any, text: str, several: bool) -> None:
        self.yaml = yaml
        self.loader = yaml.SafeLoader(text)
        self.anchors: dict[str, Any] = {}
        self.open: list[_Frame] = []
        self.unfinished: list[Any] = []  # anchors of the open frames
        self.nodes = 0
        self.roots: list[Any] = []
        self.several = several
        self.twice = False

    def read(self) -> list[Any]:
        events = self.yaml.events
        documents = 0
        try:
            while self.loader.check_event():
                event = self.loader.get_event()
                mark = event.start_mark
                if isinstance(event, events.DocumentStartEvent):
                    documents += 1
                    self.anchors.clear()
                    if documents > 1 and not self.several:
                        raise _invalid(mark, "a second document")
                elif isinstance(event, events.NodeEvent):
                    self.node(event)
                elif isinstance(event, events.CollectionEndEvent):
                    self.close(mark)
        finally:
            self.loader.dispose()
        return self.roots or [None]

    def node(self, event: Any) -> None:
        events = self.yaml.events
        self.nodes += 1
        if self.nodes > _MAX_NODES:
            raise _error("over-limit", got="what the file holds", known=f"{_MAX_NODES} values")
        if isinstance(event, events.AliasEvent):
            if event.anchor in self.unfinished:
                raise _invalid(event.start_mark, "an alias to what it stands in")
            if event.anchor not in self.anchors:
                raise _invalid(event.start_mark, "an alias without an anchor")
            self.add(self.anchors[event.anchor], event.start_mark)
            return
        if isinstance(event, events.ScalarEvent):
            value = self.scalar(event)
            if event.anchor is not None:
                self.anchors[event.anchor] = value
            self.add(value, event.start_mark)
            return
        if len(self.open) >= _MAX_DEPTH:
            raise _error("too-deep", known=str(_MAX_DEPTH))
        mapping = isinstance(event, events.MappingStartEvent)
        if event.tag not in (None, "!", f"tag:yaml.org,2002:{'map' if mapping else 'seq'}"):
            raise _invalid(event.start_mark, f"the tag {event.tag}")
        self.open.append(_Frame({} if mapping else [], event.start_mark))
        self.unfinished.append(event.anchor)

    def close(self, mark: Any) -> None:
        frame = self.open.pop()
        anchor = self.unfinished.pop()
        for merged in frame.merged:
            self.nodes += len(merged)
            for key, value in merged.items():
                frame.value.setdefault(key, value)
        if self.nodes > _MAX_NODES:
            raise _error("over-limit", got="what the file holds", known=f"{_MAX_NODES} values")
        if anchor is not None:
            self.anchors[anchor] = frame.value
        self.add(frame.value, frame.mark)

    def scalar(self, event: Any) -> Any:
        nodes = self.yaml.nodes
        tag, value = event.tag, event.value
        if tag in (None, "!"):
            if not event.implicit[0] or (len(value) > _LONGEST_NUMBER):
                return value
            tag = self.loader.resolve(nodes.ScalarNode, value, event.implicit)
        if tag == _STRING:
            return value
        if tag == _MERGE:
            return _Merge()
        if len(value) > _LONGEST_NUMBER:
            raise _invalid(event.start_mark, f"a text this long as {tag}")
        node = nodes.ScalarNode(tag, value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except (AttributeError, ArithmeticError, LookupError, TypeError, ValueError):
            raise _invalid(event.start_mark, f"{value!r} is no {tag}") from None

    def add(self, value: Any, mark: Any) -> None:
        if not self.open:
            self.roots.append(_text_of_merge(value))
            return
        frame = self.open[-1]
        if isinstance(frame.value, list):
            frame.value.append(_text_of_merge(value))
        elif not frame.has_key:
            self.key(frame, value, mark)
        elif frame.merging:
            parts = value if isinstance(value, list) else [value]
            if not all(isinstance(part, dict) for part in parts):
                raise _invalid(mark, "only mappings can be merged")
            frame.merged += parts
            frame.has_key = frame.merging = False
        else:
            frame.value[frame.key] = _text_of_merge(value)
            frame.has_key = False

    def key(self, frame: _Frame, value: Any, mark: Any) -> None:
        if isinstance(value, (dict, list)):
            raise _invalid(mark, "a key that is a list or a mapping")
        frame.merging = isinstance(value, _Merge)
        frame.has_key = True
        if not frame.merging:
            if value in frame.value and not self.twice:
                raise _invalid(mark, f"the key {str(value)[:60]!r} is given twice")
            frame.key = value


class _Merge:
    """The key ``<<``."""


def _text_of_merge(value: Any) -> Any:
    return "<<" if isinstance(value, _Merge) else value
