"""JSON Schemas of both config forms, from the catalogue's fields and presets.

A config names one value for each field; in a task a field may have a list of values. What relates
two keys (a preset and the form of the fields, a section and the key that it must hold, a value
and the field that completes it) is said by conditions beside the properties.
"""

from __future__ import annotations

from .. import _core
from .parts import GIVEN, NULL, having, one_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

FORMS = tuple(dict.fromkeys(field["form"] for field in _core.fields()))
_KEYS: dict[str, str] = _core.vocabulary()["config_keys"]
PRESET, PRESETS, WRAPPER = _KEYS["preset"], _KEYS["presets"], _KEYS["wrapper"]


def fields_of(form: str) -> list[dict[str, Any]]:
    """The fields of a form."""
    return [field for field in _core.fields() if field["form"] == form]


def keys_of(form: str) -> list[str]:
    """The keys of a form that stand at the top: fields and sections."""
    return list(dict.fromkeys(field["section"] or field["key"] for field in fields_of(form)))


def preset_names(form: str | None = None) -> list[str]:
    """The presets of a form, or all."""
    return [item["id"] for item in _core.presets() if form is None or item["form"] == form]


def wrapped(either: list[Schema]) -> Schema:
    """The config as the only thing inside its wrapper."""
    return {
        "type": "object",
        "title": "Config in a wrapper",
        "properties": {WRAPPER: {"anyOf": either}},
        "required": [WRAPPER],
        "additionalProperties": NULL,
    }


class Forms:
    """The schemas of configs, with one value for each field or also with lists.

    Attributes:
        lists: whether a field may have a list of values, as in a task.
    """

    def __init__(self, *, lists: bool) -> None:
        self.lists = lists

    def definitions(self) -> dict[str, Schema]:
        """Every shape of a config by name, for ``$defs``."""
        shapes = {form: self.form(form) for form in FORMS}
        if self.lists:
            shapes["presets"] = self.only_presets()
        either = [{"$ref": f"#/$defs/{name}"} for name in shapes]
        shapes["config"] = {"anyOf": [*either, wrapped(either), NULL]}
        if self.lists:
            beside = {f"{form}_over_preset": self.form(form, presets=False) for form in FORMS}
            either = [{"$ref": f"#/$defs/{name}"} for name in beside]
            over = {"anyOf": [*either, wrapped(either), NULL]}
            shapes = {**shapes, **beside, "config_over_preset": over}
        return shapes

    def form(self, form: str, *, presets: bool = True) -> Schema:
        """A config of one form; without `presets`, only fields that go over a preset."""
        properties: dict[str, Schema] = self.preset_keys(preset_names(form))
        if not presets:
            properties = {key: NULL for key in properties}
        for field in fields_of(form):
            place = properties
            if field["section"]:
                empty: Schema = {"type": ["object", "null"], "properties": {}}
                section = properties.setdefault(field["section"], empty)
                section["additionalProperties"] = False
                place = section["properties"]
            place[field["key"]] = self.value(field)
        conditions = self.completions(form)
        if presets:
            conditions = [self.one_preset_key(), *self.required(form), *conditions]
        return {
            "type": "object",
            "title": f"{form.replace('_', '-').capitalize()} config",
            "properties": properties,
            "additionalProperties": False,
            **({"allOf": conditions} if conditions else {}),
        }

    def only_presets(self) -> Schema:
        """Presets of any form, and nothing else."""
        return {
            "type": "object",
            "title": "Presets",
            "properties": self.preset_keys(preset_names()),
            "additionalProperties": False,
            "allOf": [self.one_preset_key()],
        }

    def preset_keys(self, names: list[str]) -> dict[str, Schema]:
        """The keys that a config has besides fields."""
        about = {item["id"]: item["use_case"] for item in _core.presets()}
        meanings = _meanings({name: about[name] for name in names})
        several: Schema = {"type": ["array", "null"], "items": {"enum": names}}
        several.update(minItems=1, maxItems=1)
        preset: Schema = {"enum": [*names, None]}
        if self.lists:
            preset = several = self.all_of([*names, None])
        return {
            PRESET: {**preset, "description": f"Fields beside it go over it.\n\n{meanings}"},
            PRESETS: {**several, "description": "Presets by name."},
            WRAPPER: NULL,
        }

    def value(self, field: dict[str, Any]) -> Schema:
        """The values of a field; null is the same as leaving it out."""
        kind = field["kind"]
        one: Schema
        if kind == "option":
            one = {"enum": [*field["options"], None]}
        elif kind == "integer":
            one = {"type": ["integer", "null"]}
            one.update(minimum=field["minimum"], maximum=field["maximum"])
        elif kind == "fraction":
            one = {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 1}
        else:
            one = {"type": [{"boolean": "boolean", "label": "string"}[kind], "null"]}
        text = field["title"]
        if field["option_titles"]:
            text += "\n\n" + _meanings(field["option_titles"])
        if self.lists:
            one = {"anyOf": [one, {"type": "array", "items": one, "minItems": 1}]}
        if field["default"] is not None:
            one = {**one, "default": field["default"]}
        return {"title": field["label"], "description": text, **one}

    def one_preset_key(self) -> Schema:
        """Not both keys that name presets."""
        return {
            "not": {
                "properties": {PRESET: GIVEN, PRESETS: GIVEN},
                "required": [PRESET, PRESETS],
            }
        }

    def required(self, form: str) -> list[Schema]:
        """A section that is given holds the key that it must hold, unless the preset has it."""
        out: list[Schema] = []
        for field in fields_of(form):
            if not field["required"]:
                continue
            section, key = field["section"], field["key"]
            names = [p["id"] for p in _core.presets() if key in p["config"].get(section, {})]
            named = self.named(self.all_of(names), {"items": {"enum": names}, "minItems": 1})
            held = {"required": [key], "properties": {key: {"not": self.some(None)}}}
            then = {"properties": {section: {"anyOf": [NULL, held]}}}
            out.append({"if": named, "else": then})
        return out

    def completions(self, form: str) -> list[Schema]:
        """A field that completes another agrees with it, also where a preset gives the other."""
        out: list[Schema] = []
        by_id = {field["id"]: field for field in fields_of(form)}
        for field in fields_of(form):
            if field["completion"] is None:
                continue
            section, key, pairs = field["section"], field["key"], field["completion"]["with"]
            other = by_id[field["completion"]["by"]]
            for value in dict.fromkeys(pairs.values()):
                fitting = [name for name, whole in pairs.items() if whole == value]
                agrees = {"properties": {other["key"]: self.all_of([*fitting, None])}}
                then = {"properties": {other["section"]: agrees}}
                asked = {"properties": {section: having(key, self.some(value))}}
                out.append({"if": asked, "then": then})
                names = [
                    p["id"]
                    for p in _core.presets()
                    if p["config"].get(section, {}).get(key) == value
                ]
                if not names:
                    continue
                left_out = {
                    "properties": {
                        section: {
                            "anyOf": [{"not": {"required": [key]}}, having(key, self.some(None))]
                        }
                    }
                }
                named = self.named(self.some(*names), {"contains": {"enum": names}})
                out.append({"if": {"allOf": [named, left_out]}, "then": then})
        return out

    def named(self, one: Schema, listed: Schema) -> Schema:
        """The config names such a preset, under either key."""
        several = one if self.lists else {"type": "array", **listed}
        return {"anyOf": [having(PRESET, one), having(PRESETS, several)]}

    def some(self, *values: Any) -> Schema:
        """The value is one of these, or a list that holds one of them."""
        one = one_of(values)
        return {"anyOf": [one, {"type": "array", "contains": one}]} if self.lists else one

    def all_of(self, values: list[Any]) -> Schema:
        """The value is one of these, or a list of nothing else."""
        one = one_of(values)
        listed = {"type": "array", "items": one, "minItems": 1}
        return {"anyOf": [one, listed]} if self.lists else one


def _meanings(titles: dict[str, str]) -> str:
    return "\n".join(f"- {name}: {title}" for name, title in titles.items())
