"""Pieces that the schemas of several outputs share."""

from __future__ import annotations

from .. import _core
from .configs import FORMS, Forms, preset_names
from .parts import PARAMETER_NAMES, TEXT, TEXTS, closed, one_of, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .parts import Schema

WORDS = _core.vocabulary()
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
SAID: Schema = {"type": "string", "minLength": 1}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
TEXT_BY_NAME = values_of(TEXT)
ENGINE = one_of(engine["id"] for engine in _core.engines())
MODE = one_of(["documented", "checked"])
GPU = one_of(gpu["id"] for gpu in WORDS["gpus"][1:])
GPU_OR_NULL = one_of([*GPU["enum"], None])
CHECKPOINT = one_of(kind["id"] for kind in WORDS["checkpoints"])
PRESET = one_of(preset_names())
PRESET_OR_NULL = one_of([*PRESET["enum"], None])
CODE = one_of(item["code"] for item in _core.diagnostics())
CATALOG = closed({"version": TEXT, "hash": TEXT}, description="The tables that were used.")
ARGUMENTS = values_of({"type": ["string", "boolean"]}, description="True is a bare switch.")
# A parameter that is null or an empty list leaves its argument out and is not printed.
PARAMETERS: Schema = {
    "type": "object",
    "propertyNames": PARAMETER_NAMES,
    "additionalProperties": {
        "type": ["string", "number", "boolean", "array", "object"],
        "minItems": 1,
    },
}
GIVEN_PARAMETERS: Schema = {"type": "object", "propertyNames": PARAMETER_NAMES}
ASKED: Schema = {"$ref": "#/$defs/asked"}
CHANGE: Schema = {
    "type": "array",
    "items": {"type": ["string", "boolean", "null"]},
    "minItems": 2,
    "maxItems": 2,
}
BLOCK: Schema = {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}
TILE: Schema = {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2}
CONFIG: Schema = {"anyOf": [{"$ref": f"#/$defs/{form}"} for form in FORMS]}


def config_definitions() -> dict[str, Schema]:
    """What `CONFIG` refers to, for ``$defs``."""
    forms = Forms(lists=False)
    return {form: forms.form(form) for form in FORMS}


_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
_NOT_NEGATIVE: Schema = {"type": "number", "minimum": 0}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}


def _figures(**more: Schema) -> Schema:
    """What a recipe does to weights."""
    return closed(
        {
            "sqnr_db": {**_NUMBER_OR_NULL, "description": "null: no noise, or no signal"},
            "relative_error": _NOT_NEGATIVE,
            "shrink": _NUMBER_OR_NULL,
            "zeros_created": _SHARE,
            "clipped": _SHARE,
            "dead_rows": COUNT,
            "lost_rows": COUNT,
            "small_rows": COUNT,
            "bits_per_weight": _NOT_NEGATIVE,
            **more,
        }
    )


def _module_figures() -> Schema:
    """Of one module; what is said of outputs is there when activations are given."""
    out = _figures(worst_row=COUNT, worst_row_error=_NOT_NEGATIVE, peak=_NOT_NEGATIVE)
    for name, said in (
        ("output_sqnr_db", "of the layer's output, for the inputs that were given"),
        ("activation_sqnr_db", "of the inputs, as the same engine quantizes them"),
        ("both_sqnr_db", "of the output with both errors"),
    ):
        out["properties"][name] = {**_NUMBER_OR_NULL, "description": said}
    return out


# What an annotation of a result names of the catalogue; see `words`.
LISTS: dict[str, Callable[[], Schema]] = {
    "engines": lambda: ENGINE,
    "gpus": lambda: GPU,
    "checkpoints": lambda: CHECKPOINT,
    "presets": lambda: PRESET,
    "codes": lambda: CODE,
    "config": lambda: CONFIG,
    "catalog": lambda: CATALOG,
    "arguments": lambda: ARGUMENTS,
    "parameters": lambda: PARAMETERS,
    "given": lambda: GIVEN_PARAMETERS,
    "asked": lambda: ASKED,
    "block": lambda: BLOCK,
    "change": lambda: CHANGE,
    "tile": lambda: TILE,
    "several": lambda: {**TEXTS, "minItems": 1},
    "module_figures": _module_figures,
    "total_figures": lambda: _figures(modules=COUNT, bytes=COUNT),
}
