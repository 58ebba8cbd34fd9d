"""JSON Schemas of inputs: configs, and the autotuner's task."""

from __future__ import annotations

from .. import _core
from .configs import FORMS, WRAPPER, Forms, fields_of, keys_of, preset_names
from .parts import GIVEN, PARAMETER_NAMES, document, having, unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

CONFIG_KEYS = ("quant_config", WRAPPER)
KINDS = ("config", *(form.replace("_", "-") for form in FORMS), "task")
PARAMETER_PRESETS = "quantization_preset"
_SPACE = r"[ \t\r\n\f\v]*"


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of one kind of input."""
    if kind not in KINDS:
        raise unknown("kind", kind, KINDS)
    if kind == "task":
        return document(kind, task())
    forms = Forms(lists=False)
    form = kind.replace("-", "_")
    if form in FORMS:
        return document(kind, forms.form(form))
    config = {"title": "Quantization config", "$ref": "#/$defs/config"}
    return document(kind, {**config, "$defs": forms.definitions()})


def runtime() -> Schema:
    """An engine by one of its names, in any case, with or without a release."""
    names = [name for engine in _core.engines() for name in engine["runtime_names"]]
    # Longest first, so that a name is not taken for the beginning of another.
    spelt = "|".join(_any_case(name) for name in sorted(names, key=len, reverse=True))
    release = rf"(@|==){_SPACE}({_any_case('latest')}|[vV]?[0-9][0-9A-Za-z.+!_-]*){_SPACE}"
    return {
        "description": "The engine, alone or with a release: engine@1.2.3.",
        "anyOf": [
            {"enum": names},
            {"type": "string", "pattern": f"^{_SPACE}({spelt}){_SPACE}({release})?$"},
        ],
    }


def _any_case(word: str) -> str:
    return "".join(f"[{c}{c.upper()}]" if c.isalpha() else c for c in word)


def task() -> Schema:
    """The autotuner's task. Keys that quantmap does not read are allowed and passed on."""
    forms = Forms(lists=True)
    return {
        "type": "object",
        "title": "Autotuner task",
        "properties": {
            "task_name": {"type": ["string", "null"], "description": "The task's name."},
            "base_runtime": {"$ref": "#/$defs/runtime"},
            "runtime_image_tag": {
                "type": ["string", "null"],
                "description": "Tag of the container, which may name the release: v0.5.2-cu126.",
            },
            "model": {
                "type": ["object", "string", "null"],
                "description": "The model to serve: its id or path, or an object with id_or_path.",
            },
            **{key: {"description": "What to quantize, and how."} for key in CONFIG_KEYS},
            "parameters": parameters(forms),
            "optimization": {
                "type": ["object", "null"],
                "properties": {"max_iterations": {"type": ["integer", "null"], "minimum": 1}},
                "description": "How the experiments are walked through.",
            },
            "experiment_matrix": experiment_matrix(),
        },
        "allOf": [
            {
                "not": {
                    "properties": {key: GIVEN for key in CONFIG_KEYS},
                    "required": [*CONFIG_KEYS],
                }
            },
            *presets_in_parameters(forms),
        ],
        "$defs": {**forms.definitions(), "runtime": runtime()},
    }


def parameters(forms: Forms) -> Schema:
    """Arguments of the engine: a value, or the values to try."""
    presets = forms.all_of([*preset_names(), None])
    return {
        "type": ["object", "null"],
        "description": "Arguments of the engine by name: one value, or a list of values to try.",
        "propertyNames": PARAMETER_NAMES,
        "properties": {PARAMETER_PRESETS: {**presets, "description": "Presets to compare."}},
        "additionalProperties": {"minItems": 1},
    }


def presets_in_parameters(forms: Forms) -> list[Schema]:
    """Presets that are named among the parameters: none in the config, and of its form."""
    named = having("parameters", {"type": "object", **having(PARAMETER_PRESETS, GIVEN)})
    plain, over = (
        {"properties": {key: {"$ref": f"#/$defs/{name}"} for key in CONFIG_KEYS}}
        for name in ("config", "config_over_preset")
    )
    out: list[Schema] = [{"if": named, "then": over, "else": plain}]
    for form in FORMS:
        keys = [{"required": [key]} for key in keys_of(form)]
        bare = {"type": "object", "anyOf": keys}
        inside = {"anyOf": [bare, {"type": "object", **having(WRAPPER, bare)}]}
        config = {"anyOf": [having(key, inside) for key in CONFIG_KEYS]}
        fitting = {"properties": {PARAMETER_PRESETS: forms.all_of([*preset_names(form), None])}}
        then = {"properties": {"parameters": fitting}}
        out.append({"if": {"allOf": [named, config]}, "then": then})
    return out


def experiment_matrix() -> Schema:
    """Dimensions that are multiplied, each for some engines or for all."""
    by_id = {field["id"]: field for form in FORMS for field in fields_of(form)}
    one = Forms(lists=False)
    values: dict[str, Schema] = {
        "quantization_method": {"enum": [*preset_names(), *by_id["method"]["options"]]},
        "kv_cache_dtype": one.value(by_id["kv_dtype"]),
        "tensor_parallel_size": one.value(by_id["tp"]),
    }
    engine = {"anyOf": [{"const": "all"}, {"$ref": "#/$defs/runtime"}]}
    item = {
        "type": "object",
        "properties": {
            "dimension": {"enum": list(values)},
            "values": {"type": "array", "minItems": 1},
            "engines": {"type": ["array", "null"], "items": engine},
        },
        "required": ["dimension", "values"],
        "anyOf": [
            {"properties": {"dimension": {"const": name}, "values": {"items": value}}}
            for name, value in values.items()
        ],
    }
    text = "Dimensions to multiply, instead of a config."
    return {"type": ["array", "null"], "items": item, "description": text}
