"""The schema of what ``quantmap quality --json`` prints."""

from __future__ import annotations

from ..numerics.recipes import Recipe
from .described import described
from .outputs_parts import COUNT, TEXT_BY_NAME, TEXT_OR_NULL
from .parts import TEXT, TEXTS, closed, one_of, or_null, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

_NUMBER: Schema = {"type": "number", "minimum": 0}
_KIND = one_of(["linear", "experts", "router", "head", "embedding", "other"])
_SHARED: dict[str, Schema] = {
    "sqnr_db": {"type": ["number", "null"], "description": "null: no noise, or no signal"},
    "relative_error": _NUMBER,
    "shrink": {"type": ["number", "null"]},
    "zeros_created": {"type": "number", "minimum": 0, "maximum": 1},
    "clipped": {"type": "number", "minimum": 0, "maximum": 1},
    "dead_rows": COUNT,
    "lost_rows": COUNT,
    "small_rows": COUNT,
    "bits_per_weight": _NUMBER,
}
_OUTPUT: dict[str, Schema] = {
    name: {"type": ["number", "null"], "description": words}
    for name, words in (
        ("output_sqnr_db", "of the layer's output, for the inputs that were given"),
        ("activation_sqnr_db", "of the inputs, as the same engine quantizes them"),
        ("both_sqnr_db", "of the output with both errors"),
    )
}


def quality_output() -> Schema:
    """Recipes, modules, totals, what was left out, and what the numbers do not say."""
    result = closed({**_SHARED, "worst_row": COUNT, "worst_row_error": _NUMBER, "peak": _NUMBER})
    result["properties"] = {**result["properties"], **_OUTPUT}  # where there are activations
    total = closed({**_SHARED, "modules": COUNT, "bytes": COUNT})
    module = closed(
        {
            "name": TEXT,
            "kind": _KIND,
            "shape": {"type": "array", "items": COUNT},
            "dtype": TEXT,
            "results": values_of(result),
            "refused": TEXT_BY_NAME,
        }
    )
    rule = closed({"rule": COUNT, "pattern": TEXT, "modules": TEXTS})
    left = closed({"name": TEXT, "kind": _KIND, "reason": TEXT})
    return closed(
        {
            "model": TEXT,
            "plan": TEXT_OR_NULL,
            "rules": or_null({"type": "array", "items": rule}),
            "recipes": {"type": "array", "items": described(Recipe)},
            "modules": {"type": "array", "items": module},
            "left_out": {"type": "array", "items": left},
            "totals": values_of(total),
            "predicted": or_null(values_of(_NUMBER)),
            "ranking": or_null(values_of(TEXTS)),
            "notes": TEXTS,
        }
    )
