"""Pieces that the schemas of several outputs share."""

from __future__ import annotations

from .. import _core
from .configs import FORMS, Forms, preset_names
from .parts import TEXT, closed, one_of, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

WORDS = _core.vocabulary()
FLAG: Schema = {"type": "boolean"}
COUNT: Schema = {"type": "integer", "minimum": 0}
POSITIVE: Schema = {"type": "integer", "minimum": 1}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
TEXT_BY_NAME = values_of(TEXT)
ENGINE = one_of(engine["id"] for engine in _core.engines())
MODE = one_of(["documented", "checked"])
GPU_OR_NULL = one_of([None, *(gpu["id"] for gpu in WORDS["gpus"][1:])])
PRESET_OR_NULL = one_of([None, *preset_names()])
CODE = one_of(item["code"] for item in _core.diagnostics())
CATALOG = closed({"version": TEXT, "hash": TEXT}, description="The tables that were used.")
DIAGNOSTICS: Schema = {
    "type": "array",
    "items": closed(
        {
            "code": CODE,
            "severity": one_of(WORDS["severities"]),
            "path": TEXT,
            "message": TEXT,
            "hint": TEXT,
            "context": TEXT_BY_NAME,
        }
    ),
}
ARGUMENTS = values_of({"type": ["string", "boolean"]}, description="True is a bare switch.")
CONFIG: Schema = {"anyOf": [{"$ref": f"#/$defs/{form}"} for form in FORMS]}


def config_definitions() -> dict[str, Schema]:
    """What `CONFIG` refers to, for ``$defs``."""
    forms = Forms(lists=False)
    return {form: forms.form(form) for form in FORMS}
