"""The JSON Schema of a result, read off its class: annotations give shapes, docstrings meanings."""

from __future__ import annotations

import ast
import re
import sys
from typing import Annotated, Literal, get_args, get_origin

from .. import words
from ..result import Described
from .outputs_parts import FLAG, LISTS
from .parts import NULL, TEXT, closed, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

_PLAIN: dict[str, Schema] = {
    "str": TEXT,
    "bool": FLAG,
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "Any": {},
    "None": NULL,
}
_BASES = {str: "string", int: "integer", float: "number", bool: "boolean"}
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n     +.*)*)", re.MULTILINE)


def described(kind: type[Described], **more: Schema) -> Schema:
    """The schema of what a result's ``to_dict`` gives.

    Args:
        kind: the class.
        more: keys that are printed beside it.

    Returns:
        dict: an object with exactly these keys.
    """
    said = meanings(kind)
    parts = {name: of(text, kind) for name, text in kind.printed().items()}
    for name, least in kind._least:
        parts[name] = {**parts[name], "minItems": least}
    for name, schema in parts.items():
        if name in said and "description" not in schema and "$ref" not in schema:
            parts[name] = {**schema, "description": said[name]}
    return {"title": kind.__name__, **closed({**parts, **more})}


def meanings(kind: type[Described]) -> dict[str, str]:
    """What a class's docstring says of its attributes, each on one line."""
    _, _, text = (kind.__doc__ or "").partition("Attributes:\n")
    text = re.split(r"\n    \w+:\n", re.sub(r"(?m)^    ", "", text))[0]
    return {name: " ".join(words.split()) for name, words in _ATTRIBUTE.findall(text)}


def of(annotation: str, where: type) -> Schema:
    """The schema of an annotation, as it is written in a class."""
    return _schema(ast.parse(annotation, mode="eval").body, where)


def _schema(node: ast.expr, where: type) -> Schema:
    if isinstance(node, ast.BinOp):
        return _either(_schema(node.left, where), _schema(node.right, where))
    if isinstance(node, ast.Subscript):
        inside = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        kinds = [_schema(item, where) for item in inside]
        outer = node.value.id if isinstance(node.value, ast.Name) else ""
        if outer == "dict" and "enum" in kinds[0]:
            return closed(dict.fromkeys(kinds[0]["enum"], kinds[1]))
        if outer == "dict":
            return {"type": "object", "additionalProperties": kinds[1]}
        ends = {"minItems": len(kinds), "maxItems": len(kinds)} if outer == "tuple" else {}
        return {"type": "array", "items": kinds[0], **ends}
    return _named("None" if isinstance(node, ast.Constant) else ast.unparse(node), where)


def _named(name: str, where: type) -> Schema:
    if name in _PLAIN:
        return _PLAIN[name]
    word = getattr(words, name, None)
    if get_origin(word) is Literal:
        return one_of(get_args(word))
    if get_origin(word) is Annotated:
        base, said = get_args(word)
        return LISTS[said]() if isinstance(said, str) else {"type": _BASES[base], **said}
    if isinstance(word, type):  # a TypedDict
        parts = {key: kind.__forward_arg__ for key, kind in word.__annotations__.items()}
        return closed({key: of(kind, where) for key, kind in parts.items()})
    found = getattr(sys.modules[where.__module__], name, None) or _class(name)
    return described(found)


def _class(name: str) -> Any:
    """A result by its name: it may be imported for type checkers only where it is used."""
    kinds: list[type[Described]] = [Described]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next(kind for kind in kinds if kind.__name__ == name)


def _either(*kinds: Schema) -> Schema:
    """A value of one of several kinds, in the shortest form."""
    if all(list(kind) == ["enum"] or kind == NULL for kind in kinds):
        return one_of([word for kind in kinds for word in kind.get("enum", [None])])
    names = [kind.get("type") for kind in kinds]
    apart = all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
    if apart and not any("enum" in kind or kind.get("type") == "object" for kind in kinds):
        out: Schema = {}
        for kind in kinds:
            out.update(kind)
        return {**out, "type": names}
    return {"anyOf": list(kinds)}
