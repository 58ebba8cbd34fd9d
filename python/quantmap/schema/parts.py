"""Pieces that the schemas of inputs and of outputs share."""

from __future__ import annotations

from .. import _core
from ..errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Schema = dict[str, Any]

DRAFT = "https://json-schema.org/draft/2020-12/schema"
NULL: Schema = {"type": "null"}
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
GIVEN: Schema = {"not": NULL}
PARAMETER_NAMES: Schema = {
    "pattern": "^(--|-)?[A-Za-z0-9_.][A-Za-z0-9_.-]*$",
    "maxLength": 256,
}


def document(name: str, schema: Schema) -> Schema:
    """A schema as a document of its own."""
    made_by = f"quantmap {_core.__version__}, catalogue {_core.catalog_version}"
    head = {"$schema": DRAFT, "$id": f"urn:quantmap:{name}", "$comment": made_by}
    return {**head, **schema}


def closed(properties: Schema, *, description: str = "") -> Schema:
    """An object with exactly these keys."""
    head = {"type": "object", "description": description} if description else {"type": "object"}
    return {
        **head,
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def having(key: str, schema: Schema) -> Schema:
    """A condition on an object: it has this key, and such a value."""
    return {"required": [key], "properties": {key: schema}}


def values_of(schema: Schema, **more: Any) -> Schema:
    """An object whose values are all of one kind."""
    return {"type": "object", "additionalProperties": schema, **more}


def one_of(words: Iterable[Any]) -> Schema:
    """One of these values."""
    return {"enum": list(words)}


def or_null(schema: Schema) -> Schema:
    """A value that may be null."""
    return {"anyOf": [schema, NULL]}


def unknown(kind: str, value: Any, known: Iterable[str]) -> ConfigError:
    """The error for the name of something that does not exist."""
    shown = repr(value)[:100] if isinstance(value, str) else _core.describe(value)
    context = {"value": shown, "field": kind, "known": ", ".join(known), "hint": ""}
    return ConfigError([_core.make_diagnostic("unknown-value", kind, context)])
