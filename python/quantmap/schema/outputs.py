"""JSON Schemas of what the command prints with ``--json``, one per verb.

They allow no key that they do not name: a change of an output is a change here.
"""

from __future__ import annotations

from .. import _core
from .configs import FORMS, Forms, preset_names
from .parts import TEXT, TEXTS, closed, document, one_of, or_null, unknown, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

_WORDS = _core.vocabulary()
_ENGINE = one_of(engine["id"] for engine in _core.engines())
_FLAG: Schema = {"type": "boolean"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_TEXT_BY_NAME = values_of(TEXT)
_BLOCK = or_null({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2})
_CATALOG = closed({"version": TEXT, "hash": TEXT}, description="The tables that were used.")
_DIAGNOSTIC = closed(
    {
        "code": one_of(item["code"] for item in _core.diagnostics()),
        "severity": one_of(_WORDS["severities"]),
        "path": TEXT,
        "message": TEXT,
        "hint": TEXT,
        "context": _TEXT_BY_NAME,
    }
)
_DIAGNOSTICS: Schema = {"type": "array", "items": _DIAGNOSTIC}
_ARGUMENTS = values_of({"type": ["string", "boolean"]}, description="True is a bare switch.")
_DECISION = closed(
    {
        "field": TEXT,
        "asked": TEXT,
        "given": _FLAG,
        "emitted": _ARGUMENTS,
        "outcome": one_of(_WORDS["outcomes"]),
        "code": TEXT,
        "sentence": TEXT,
        "evidence": TEXTS,
    }
)


def output_schema(verb: str) -> dict[str, Any]:
    """The schema of one verb's output."""
    if not isinstance(verb, str) or verb not in OUTPUTS:
        raise unknown("verb", verb, OUTPUTS)
    return document(f"output-{verb}", OUTPUTS[verb]())


def _mapping() -> Schema:
    return closed(
        {
            "engine": _ENGINE,
            "mode": one_of(["documented", "checked"]),
            "version": _TEXT_OR_NULL,
            "gpu": one_of([None, *(gpu["id"] for gpu in _WORDS["gpus"][1:])]),
            "checkpoint": one_of(kind["id"] for kind in _WORDS["checkpoints"]),
            "precision": _TEXT_BY_NAME,
            "verified_through": TEXT,
            "preset": one_of([None, *preset_names()]),
            "config": {"anyOf": [{"$ref": f"#/$defs/{form}"} for form in FORMS]},
            "args": _ARGUMENTS,
            "argv": TEXTS,
            "env": _TEXT_BY_NAME,
            "files": _TEXT_BY_NAME,
            "decisions": {"type": "array", "items": _DECISION},
            "diagnostics": _DIAGNOSTICS,
            "catalog": _CATALOG,
        }
    )


def _one_or_several(schema: Schema, **definitions: Schema) -> Schema:
    """One result, or a list where a task names several presets."""
    here = {"$ref": "#/$defs/result"}
    several = {"type": "array", "items": here, "minItems": 2}
    return {"anyOf": [here, several], "$defs": {"result": schema, **definitions}}


def _mappings() -> Schema:
    forms = Forms(lists=False)
    return _one_or_several(_mapping(), **{form: forms.form(form) for form in FORMS})


def _check() -> Schema:
    verdict = closed(
        {
            "argument": TEXT,
            "canonical": TEXT,
            "evidence": TEXTS,
            "hint": TEXT,
            "reason": TEXT,
            "refused": _FLAG,
            "value": TEXT,
            "verdict": one_of(_WORDS["verdicts"]),
        }
    )
    return closed(
        {
            "engine": _ENGINE,
            "version": TEXT,
            "verified_through": TEXT,
            "model": _TEXT_OR_NULL,
            "ok": _FLAG,
            "verdicts": {"type": "array", "items": verdict},
            "notes": _DIAGNOSTICS,
            "catalog": _CATALOG,
        }
    )


def _diff() -> Schema:
    change = {"type": ["string", "boolean", "null"]}
    changes = values_of(
        {"type": "array", "items": change, "minItems": 2, "maxItems": 2},
        description="Before and after, by name; null where there was or is nothing.",
    )
    head = {"engine": _ENGINE, "from": TEXT, "to": TEXT, "catalog": _CATALOG}
    parts = ("arguments", "environment", "files", "outcomes", "precision", "refusals")
    of_config = closed({**head, **dict.fromkeys(parts, changes)})
    of_command = closed({**head, "verdicts": changes})
    return _one_or_several({"anyOf": [of_config, of_command]})


def _fit() -> Schema:
    size: Schema = {"type": "integer", "minimum": 0}
    count: Schema = {"type": "integer", "minimum": 1}
    forms = Forms(lists=False)
    sizes = [
        *("parameters", "weight_bytes", "kv_token_bytes", "kv_window_bytes", "kv_needed_bytes"),
        *("kv_budget_bytes", "activation_bytes", "kept_free_bytes"),
    ]
    fit = closed(
        {
            "engine": _ENGINE,
            "engine_name": TEXT,
            "version": TEXT,
            "preset": one_of([None, *preset_names()]),
            "config": {"anyOf": [{"$ref": f"#/$defs/{form}"} for form in FORMS]},
            "precision": _TEXT_BY_NAME,
            "gpu": _TEXT_OR_NULL,
            "memory_bytes": or_null(size),
            **dict.fromkeys(("tp", "pp", "context", "concurrency"), count),
            **dict.fromkeys(sizes, size),
            **dict.fromkeys(("tokens", "sequences", "longest_context"), size),
            "kv_bits": {"type": "number", "minimum": 1, "maximum": 32},
            "memory_fraction": {"type": "number", "minimum": 0, "maximum": 1},
            "weights_exact": _FLAG,
            "verdict": one_of(["fits", "fits-with-less-context", "does-not-fit", "unknown"]),
            "assumptions": TEXTS,
            "diagnostics": _DIAGNOSTICS,
            "catalog": _CATALOG,
        }
    )
    return _one_or_several(fit, **{form: forms.form(form) for form in FORMS})


def _matrix() -> Schema:
    rows = {"type": "array", "items": _DECISION}
    return closed({"engine": TEXT, "version": TEXT, "rows": rows})


def _rules() -> Schema:
    rule = closed(
        {
            "index": {"type": "integer", "minimum": 0},
            "pattern": TEXT,
            "weight_dtype": TEXT,
            "activation_dtype": _TEXT_OR_NULL,
            "weight_block_size": _BLOCK,
        }
    )
    module = closed(
        {
            "module_path": TEXT,
            "outcome": one_of(["rule", "ignored", "unquantized"]),
            "rule": or_null(rule),
            "ignored_by": _TEXT_OR_NULL,
            "sentence": TEXT,
        }
    )
    return closed(
        {
            "rules": {"type": "array", "items": rule},
            "moe": values_of(_TEXT_OR_NULL),
            "ignored_layers": TEXTS,
            "weight_block_size": _BLOCK,
            "is_static_checkpoint": _FLAG,
            "allow_narrow_n_blockwise": _FLAG,
            "notes": _DIAGNOSTICS,
            "modules": {"type": "array", "items": module},
        }
    )


def _plan() -> Schema:
    count: Schema = {"type": "integer", "minimum": 0}
    anything: Schema = {"type": "object"}
    target = closed(
        {
            "engine": _ENGINE,
            "engine_name": TEXT,
            "mode": one_of(["documented", "checked"]),
            "version": _TEXT_OR_NULL,
            "gpu": _TEXT_OR_NULL,
            "times": {"type": "integer", "minimum": 1},
        }
    )
    example = closed({"engine": _ENGINE, "config": anything, "parameters": anything})
    skip = closed(
        {
            **dict.fromkeys(("code", "path", "message", "hint"), TEXT),
            "count": {"type": "integer", "minimum": 1},
            "example": example,
        }
    )
    experiment = closed(
        {
            "index": count,
            "signature": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "engine": _ENGINE,
            "version": _TEXT_OR_NULL,
            "mode": one_of(["documented", "checked"]),
            "args": _ARGUMENTS,
            "env": _TEXT_BY_NAME,
            "files": _TEXT_BY_NAME,
            "group": count,
            "points": {"type": "integer", "minimum": 1},
            "config": anything,
            "parameters": anything,
            "presets": TEXTS,
            "configs": {"type": "array", "items": anything},
        }
    )
    return closed(
        {
            "format": {"const": 1},
            "catalog": _CATALOG,
            "task_name": _TEXT_OR_NULL,
            **dict.fromkeys(("asked", "distinct", "merged", "skipped"), count),
            "limited": _FLAG,
            "max_iterations": or_null({"type": "integer", "minimum": 1}),
            "targets": {"type": "array", "items": target, "minItems": 1},
            "skips": {"type": "array", "items": skip},
            "diagnostics": _DIAGNOSTICS,
            "arguments": anything,
            "task": anything,
            "experiments": {"type": "array", "items": experiment},
        }
    )


def _inspect() -> Schema:
    part: Schema = {"type": "object"}
    parts: Schema = {"type": "array", "items": part}
    return closed(
        {
            "source": TEXT,
            **dict.fromkeys(("folder", "revision", "format"), _TEXT_OR_NULL),
            "evidence": TEXT,
            "files": parts,
            "bytes_read": {"type": "integer", "minimum": 0},
            "quantization": part,
            "architecture": or_null(part),
            "weights": or_null(part),
            "detections": parts,
            "disagreements": parts,
            "notes": _DIAGNOSTICS,
        }
    )


OUTPUTS = {
    "map": _mappings,
    "explain": _mappings,
    "check": _check,
    "diff": _diff,
    "fit": _fit,
    "inspect": _inspect,
    "matrix": _matrix,
    "plan": _plan,
    "rules": _rules,
}
