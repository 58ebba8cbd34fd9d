"""The schema of what ``quantmap results --json`` prints."""

from __future__ import annotations

from typing import get_args

from ..errors import Diagnostic
from ..results.analysis import Effect
from ..results.row import Measured
from ..results.scoring import Limit
from ..words import RunStatus
from .described import described
from .outputs_parts import (
    CATALOG,
    CONFIG,
    COUNT,
    ENGINE,
    FLAG,
    POSITIVE,
    TEXT_BY_NAME,
    TEXT_OR_NULL,
    config_definitions,
)
from .parts import TEXT, closed, one_of, or_null, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

_NUMBER: Schema = {"type": "number"}
_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
_INDICES: Schema = {"type": "array", "items": COUNT}
_TEXTS: Schema = {"type": "array", "items": TEXT}
_STATUS = get_args(RunStatus)


def _row() -> Schema:
    broken = closed({"metric": TEXT, "bound": _NUMBER, "excess": _NUMBER})
    return closed(
        {
            "index": COUNT,
            "signature": TEXT,
            "label": TEXT,
            "engine": ENGINE,
            "version": TEXT_OR_NULL,
            "args": values_of({"type": ["string", "boolean"]}),
            "env": TEXT_BY_NAME,
            "points": POSITIVE,
            "presets": _TEXTS,
            "configs": {"type": "array", "items": CONFIG},
            "parameters": values_of({}),
            "status": one_of(_STATUS),
            "reason": TEXT,
            "metrics": values_of(described(Measured)),
            "score": _NUMBER_OR_NULL,
            "admissible": {"type": ["boolean", "null"]},
            "broken": {"type": "array", "items": broken},
            "unjudged": _TEXTS,
            "expected": values_of(_NUMBER),
            "precision": TEXT_BY_NAME,
        }
    )


def results_output() -> Schema:
    """One object: what was asked, what came of it, and a row for each experiment."""
    counts = closed(dict.fromkeys(_STATUS, COUNT))
    failure = closed({"reason": TEXT, "rows": _INDICES})
    schema = closed(
        {
            "task_name": {},
            "catalog": CATALOG,
            "asked": COUNT,
            "distinct": COUNT,
            "merged": COUNT,
            "skipped": COUNT,
            "counts": counts,
            "objective": closed({"metric": TEXT, "more": FLAG}),
            "limits": {"type": "array", "items": described(Limit)},
            "units": TEXT_BY_NAME,
            "best": or_null(COUNT),
            "front": closed({"metrics": _TEXTS, "rows": _INDICES}),
            "effects": {"type": "array", "items": described(Effect)},
            "failures": {"type": "array", "items": failure},
            "strangers": COUNT,
            "diagnostics": {"type": "array", "items": described(Diagnostic)},
            "rows": {"type": "array", "items": _row()},
        }
    )
    return {**schema, "$defs": config_definitions()}
