"""The JSON Schema of what ``plan`` prints: a task's accounting and its experiments."""

from __future__ import annotations

from ..experiment import Experiment
from ..plan_header import PlanHeader
from .configs import FORMS, PRESET, fields_of
from .described import described
from .outputs_parts import COUNT, config_definitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

_ANYTHING: Schema = {}


def plan_output() -> Schema:
    """The header of a plan, and its experiments."""
    experiments: Schema = {"type": "array", "items": described(Experiment)}
    plan = described(PlanHeader, too_large=COUNT, experiments=experiments)
    return {**plan, "$defs": {**config_definitions(), "asked": _asked_config()}}


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
