"""Where the parts of some data stand in a JSON Schema, and what spoils them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

Schema = dict[str, Any]
NO_SUCH_VALUE = [0.5]


class Place(NamedTuple):
    """A part of some data.

    Attributes:
        path: keys and indices that lead to it.
        schema: what is said of it, references followed.
        value: the part.
    """

    path: tuple[str | int, ...]
    schema: Schema
    value: Any

    @property
    def name(self) -> str:
        """The keys without the indices: the same for all items of a list."""
        return ".".join(step for step in self.path if isinstance(step, str))

    @property
    def closed(self) -> bool:
        """Whether it is an object with known keys only."""
        return isinstance(self.value, dict) and self.schema.get("additionalProperties") is False


class Walk:
    """Walks through data along its schema.

    Attributes:
        schema: of the whole.
    """

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self._definitions = {"$defs": schema.get("$defs", {})}
        self._validators: dict[int, Draft202012Validator] = {}

    def accepts(self, schema: Any, value: Any) -> bool:
        """The verdict of a part of the schema."""
        if id(schema) not in self._validators:
            whole = {**schema, **self._definitions}
            self._validators[id(schema)] = Draft202012Validator(whole)
        return bool(self._validators[id(schema)].is_valid(value))

    def places(self, data: Any) -> Iterator[Place]:
        """The data and all parts of it that the schema speaks of."""
        return self._below(self.schema, data, ())

    def _below(self, schema: Schema, value: Any, path: tuple[str | int, ...]) -> Iterator[Place]:
        schema = self._meant(schema, value)
        yield Place(path, schema, value)
        if isinstance(value, dict):
            rest = schema.get("additionalProperties")
            for key, item in value.items():
                inner = schema.get("properties", {}).get(key, rest)
                if isinstance(inner, dict):
                    yield from self._below(inner, item, (*path, key))
        elif isinstance(value, list):
            inner = schema.get("items")
            for number, item in enumerate(value if isinstance(inner, dict) else ()):
                yield from self._below(inner, item, (*path, number))

    def _meant(self, schema: Schema, value: Any) -> Schema:
        while True:
            if "$ref" in schema:
                schema = self.schema["$defs"][schema["$ref"].rpartition("/")[2]]
            elif "anyOf" in schema:
                schema = next(one for one in schema["anyOf"] if self.accepts(one, value))
            else:
                return schema

    def parts(self, schema: Schema | None = None, name: str = "") -> Iterator[tuple[str, Schema]]:
        """The parts of the schema and their names as in `Place`; references are not followed."""
        schema = self.schema if schema is None else schema
        yield name, schema
        for one in (*schema.get("anyOf", ()), schema.get("items")):
            if isinstance(one, dict):
                yield from self.parts(one, name)
        for key, inner in schema.get("properties", {}).items():
            yield from self.parts(inner, f"{name}.{key}" if name else key)

    def closed(self) -> set[str]:
        """Names of all objects with known keys only."""
        return {name for name, part in self.parts() if part.get("additionalProperties") is False}

    def open(self) -> set[str]:
        """Names of what may be an object with any keys, or a list of anything."""
        out = set()
        for name, part in self.parts():
            if part.keys() & {"properties", "anyOf", "$ref", "enum", "const"}:
                continue
            types = part.get("type", ["object"])
            types = [types] if isinstance(types, str) else types
            any_list = "array" in types and not part.keys() & {"items", "prefixItems"}
            if "object" in types or any_list:
                out.add(name)
        return out

    def nullable(self) -> set[str]:
        """Names of all keys that may be null, but not anything."""
        return {
            name
            for name, part in self.parts()
            if self.accepts(part, None) and not self.accepts(part, NO_SUCH_VALUE)
        }

    def words(self) -> dict[str, set[Any]]:
        """The words of every closed list."""
        return {name: set(part["enum"]) for name, part in self.parts() if "enum" in part}

    def spoiled(self, data: Any) -> Iterator[tuple[str, Any]]:
        """The data with one fault: in each kind of closed object a key too many or of a wrong type,
        or a required key that is missing; and what the fault is."""
        seen = set()
        for place in self.places(data):
            if not place.closed or place.name in seen:
                continue
            seen.add(place.name)
            yield f"{place.name}: one more", changed(data, place.path, "no_such_key", 1)
            for key in place.value:
                name = f"{place.name}.{key}"
                if key in place.schema.get("required", ()):
                    yield f"{name}: missing", changed(data, place.path, key)
                if not self.accepts(place.schema["properties"][key], NO_SUCH_VALUE):
                    yield f"{name}: wrong type", changed(data, place.path, key, NO_SUCH_VALUE)


def changed(data: Any, path: tuple[str | int, ...], key: str | int, *value: Any) -> Any:
    """A copy in which this key has another value, or is missing."""
    out = copy.deepcopy(data)
    place = out
    for step in path:
        place = place[step]
    if value:
        place[key] = value[0]
    else:
        del place[key]
    return out
