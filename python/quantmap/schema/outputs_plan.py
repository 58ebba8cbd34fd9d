"""The JSON Schema of what ``plan`` prints: a task's accounting and its experiments."""

from __future__ import annotations

from ..errors import Diagnostic
from ..experiment import Experiment, Skip, Target
from .configs import FORMS, PRESET, fields_of
from .described import described, of
from .outputs_parts import (
    CATALOG,
    COUNT,
    FLAG,
    POSITIVE,
    TEXT_OR_NULL,
    config_definitions,
)
from .parts import TEXTS, closed, or_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

_ANYTHING: Schema = {}


def plan_output() -> Schema:
    """The header of a plan, and its experiments."""
    limit = or_null(POSITIVE)
    plan = closed(
        {
            "format": {"const": 1},
            "catalog": CATALOG,
            "task_name": {"description": "Whatever the task calls itself."},
            **dict.fromkeys(("asked", "distinct", "merged", "skipped"), COUNT),
            "limited": FLAG,
            "max_iterations": limit,
            "targets": {"type": "array", "items": described(Target), "minItems": 1},
            "skips": {"type": "array", "items": described(Skip)},
            "diagnostics": {"type": "array", "items": described(Diagnostic)},
            "arguments": _arguments(),
            "task": {"type": "object", "description": "The task as it was given."},
            "too_large": COUNT,
            "experiments": {"type": "array", "items": described(Experiment)},
        }
    )
    return {**plan, "$defs": {**config_definitions(), "asked": _asked_config()}}


def _arguments() -> Schema:
    """What the plan was made with, beside the task."""
    either: Schema = {"type": ["string", "object", "null"]}
    return closed(
        {
            "engines": or_null({**TEXTS, "minItems": 1}),
            **dict.fromkeys(("engine_version", "gpu"), TEXT_OR_NULL),
            **dict.fromkeys(("checkpoint", "model_quantization"), either),
            # null: what QUANTMAP_POLICY says, else degrade
            "policy": or_null(of("Policy", Experiment)),
        }
    )


def _asked_config() -> Schema:
    """A config as a point of the task asks for it: known keys, any value, keys of both forms."""
    out = _section("object")
    out["properties"][PRESET] = _ANYTHING
    for field in (field for form in FORMS for field in fields_of(form)):
        place = out
        if field["section"]:
            place = out["properties"].setdefault(field["section"], _section("object", "null"))
        place["properties"][field["key"]] = _ANYTHING
    return out


def _section(*types: str) -> Schema:
    return {"type": list(types), "properties": {}, "additionalProperties": False}
