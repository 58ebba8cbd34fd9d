"""TypeScript types of what each verb prints with ``--json``, read off its JSON Schema."""

from __future__ import annotations

import json
import re

from .configs import FORMS
from .outputs import OUTPUTS, output_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

_PLAIN = {
    "string": "string",
    "boolean": "boolean",
    "integer": "number",
    "number": "number",
    "null": "null",
    "object": "Record<string, unknown>",
    "array": "unknown[]",
}
_NAME = re.compile(r"[A-Za-z_]\w*$")


def results() -> str:
    """A namespace: an interface for each result, and for each verb the type of its output."""
    types = _Types()
    for verb in OUTPUTS:
        types.add_verb(verb, output_schema(verb))
    lines = "\n\n".join(types.texts).replace("\n", "\n  ")
    head = "/** What each verb prints with --json: `Results.CheckOutput` is of `quantmap check`. */"
    return f"{head}\nexport namespace Results {{\n  {lines}\n}}"


class _Types:
    """The types so far, each once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._named: dict[str, str] = {}  # by the text of its schema
        self._definitions: dict[str, Schema] = {}

    def add_verb(self, verb: str, schema: Schema) -> None:
        """The type of what a verb prints."""
        self._definitions = schema.get("$defs", {})
        self._add(f"{verb.capitalize()}Output", "type", f"= {self.of(schema)};")

    def _add(self, name: str, what: str, text: str) -> None:
        self.texts.append(f"export {what} {name} {text}")

    def of(self, schema: Schema) -> str:
        """The type of a schema's values."""
        if "$ref" in schema:
            return self._definition(schema["$ref"].rpartition("/")[2])
        if "anyOf" in schema:
            return " | ".join(dict.fromkeys(self.of(either) for either in schema["anyOf"]))
        if "const" in schema:
            return json.dumps(schema["const"])
        if "enum" in schema:
            return " | ".join(json.dumps(value) for value in schema["enum"])
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        return " | ".join(dict.fromkeys(self._kind(kind, schema) for kind in kinds)) or "unknown"

    def _definition(self, name: str) -> str:
        if name in FORMS:
            return "".join(part.capitalize() for part in name.split("_")) + "Config"
        return self.of(self._definitions[name])

    def _kind(self, kind: str, schema: Schema) -> str:
        if kind == "array" and "items" in schema:
            return self._array(self.of(schema["items"]), schema)
        if kind == "object" and "properties" in schema:
            return self._object(schema)
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return f"Record<string, {self.of(schema['additionalProperties'])}>"
        return _PLAIN[kind]

    def _array(self, item: str, schema: Schema) -> str:
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if least == most:
            return f"[{', '.join([item] * least)}]"
        listed = f"({item})[]" if "|" in item else f"{item}[]"
        return f"[{', '.join([item] * least)}, ...{listed}]" if least else listed

    def _object(self, schema: Schema) -> str:
        """A result by its name; what has none stands where it is."""
        required = set(schema.get("required", ()))
        members = "".join(
            _comment(part) + f"  {_key(key)}{'' if key in required else '?'}: {self.of(part)};\n"
            for key, part in schema["properties"].items()
        )
        body = f"{{\n{members}}}"
        if "title" not in schema:
            return body.replace("\n", "\n  ")
        if body not in self._named:
            name = schema["title"]
            while name in self._named.values():  # with more keys, as another verb prints it
                name += "Printed"
            self._named[body] = name
            self._add(name, "interface", body)
        return self._named[body]


def _key(name: str) -> str:
    return name if _NAME.match(name) else json.dumps(name)


def _comment(schema: Any) -> str:
    text = schema.get("description", "")
    return f"  /** {text.replace('*/', '')} */\n" if text else ""
