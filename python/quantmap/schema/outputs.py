"""JSON Schemas of what the command prints with ``--json``, one per verb.

They allow no key that they do not name: a change of an output is a change here.
"""

from __future__ import annotations

from .outputs_model import inspect_output
from .outputs_numerics import quality_output
from .outputs_parts import (
    ARGUMENTS,
    CATALOG,
    CONFIG,
    COUNT,
    DIAGNOSTICS,
    ENGINE,
    FLAG,
    GPU_OR_NULL,
    MODE,
    POSITIVE,
    PRESET_OR_NULL,
    TEXT_BY_NAME,
    TEXT_OR_NULL,
    WORDS,
    config_definitions,
)
from .outputs_plan import plan_output
from .outputs_results import results_output
from .parts import TEXT, TEXTS, closed, document, one_of, or_null, unknown, values_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .parts import Schema

_BLOCK = or_null({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2})
NOT_LOOKED_AT = {"type": "array", "items": closed({"what": TEXT, "give": TEXT})}
_DECISION = closed(
    {
        "field": TEXT,
        "asked": TEXT,
        "given": FLAG,
        "emitted": ARGUMENTS,
        "outcome": one_of(WORDS["outcomes"]),
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


_VERDICTS = ["fits", "tight", "fits-with-less-context", "does-not-fit", "refused", "unknown"]
_BAND: Schema = {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 2}


def _memory() -> Schema:
    return closed(
        {
            "verdict": one_of(_VERDICTS),
            "gpus": POSITIVE,
            **dict.fromkeys(("weight_bytes", "kv_budget_bytes", "kv_token_bytes"), COUNT),
            "tokens": COUNT,
            "tokens_band": _BAND,
            "cures": TEXTS,
        }
    )


def _mapping(**more: Schema) -> Schema:
    return closed(
        {
            **more,
            "engine": ENGINE,
            "mode": MODE,
            "version": TEXT_OR_NULL,
            "gpu": GPU_OR_NULL,
            "checkpoint": one_of(kind["id"] for kind in WORDS["checkpoints"]),
            "precision": TEXT_BY_NAME,
            "verified_through": TEXT,
            "preset": PRESET_OR_NULL,
            "config": CONFIG,
            "args": ARGUMENTS,
            "argv": TEXTS,
            "env": TEXT_BY_NAME,
            "files": TEXT_BY_NAME,
            "decisions": {"type": "array", "items": _DECISION},
            "diagnostics": DIAGNOSTICS,
            "not_looked_at": NOT_LOOKED_AT,
            "catalog": CATALOG,
        }
    )


def _one_or_several(schema: Schema, **definitions: Schema) -> Schema:
    """One result, or a list where a task names several presets."""
    here = {"$ref": "#/$defs/result"}
    several = {"type": "array", "items": here, "minItems": 2}
    return {"anyOf": [here, several], "$defs": {"result": schema, **definitions}}


def _mappings() -> Schema:
    return _one_or_several(_mapping(), **config_definitions())


def _explained() -> Schema:
    mapping = _mapping(memory=or_null(_memory()))
    return _one_or_several(mapping, **config_definitions())


def _check() -> Schema:
    verdict = closed(
        {
            "argument": TEXT,
            "canonical": TEXT,
            "evidence": TEXTS,
            "hint": TEXT,
            "reason": TEXT,
            "refused": FLAG,
            "value": TEXT,
            "verdict": one_of(WORDS["verdicts"]),
        }
    )
    launch = closed(
        {
            "engine": ENGINE,
            "version": TEXT,
            "asked": TEXT_OR_NULL,
            "platform": TEXT_OR_NULL,
            "line": COUNT,
            "verified_through": TEXT,
            "model": TEXT_OR_NULL,
            "checkpoint": one_of(kind["id"] for kind in WORDS["checkpoints"]),
            "ok": FLAG,
            "verdicts": {"type": "array", "items": verdict},
            "notes": DIAGNOSTICS,
            "not_looked_at": NOT_LOOKED_AT,
            "catalog": CATALOG,
        }
    )
    here = {"$ref": "#/$defs/launch"}
    several = closed(
        {
            "ok": FLAG,
            "launches": {"type": "array", "items": here, "minItems": 2},
            "notes": DIAGNOSTICS,
        }
    )
    return {"anyOf": [here, several], "$defs": {"launch": launch}}


def _why() -> Schema:
    return closed(
        {
            "engine": or_null(ENGINE),
            "engine_name": TEXT_OR_NULL,
            "version": TEXT_OR_NULL,
            "error": TEXT,
            "message": TEXT,
            "line": COUNT,
            "template": TEXT_OR_NULL,
            "source": TEXT_OR_NULL,
            "condition": TEXT,
            "said_from": TEXT_OR_NULL,
            "said_until": TEXT_OR_NULL,
            "arguments": TEXTS,
            "launch": TEXTS,
            "rule": TEXT,
            "change": TEXT,
            "certain": FLAG,
            "fixed_in": TEXT_OR_NULL,
            "evidence": TEXTS,
        }
    )


def _diff() -> Schema:
    change = {"type": ["string", "boolean", "null"]}
    changes = values_of(
        {"type": "array", "items": change, "minItems": 2, "maxItems": 2},
        description="Before and after, by name; null where there was or is nothing.",
    )
    head = {"engine": ENGINE, "from": TEXT, "to": TEXT, "catalog": CATALOG}
    parts = ("arguments", "environment", "files", "outcomes", "precision", "refusals")
    both = {"type": "array", "items": _memory(), "minItems": 2, "maxItems": 2}
    of_config = closed({**head, **dict.fromkeys(parts, changes), "memory": or_null(both)})
    of_command = closed({**head, "verdicts": changes})
    return _one_or_several({"anyOf": [of_config, of_command]})


def _one_fit() -> Schema:
    sizes = [
        *("parameters", "weight_bytes", "kv_token_bytes", "kv_window_bytes", "kv_needed_bytes"),
        *("kv_budget_bytes", "activation_bytes", "kept_free_bytes", "graph_bytes", "state_bytes"),
        *("cuda_bytes", "batched_tokens", "sequences_at_most"),
    ]
    return closed(
        {
            "engine": ENGINE,
            "engine_name": TEXT,
            "version": TEXT,
            "preset": PRESET_OR_NULL,
            "config": CONFIG,
            "precision": TEXT_BY_NAME,
            "gpu": TEXT_OR_NULL,
            "memory_bytes": or_null(COUNT),
            **dict.fromkeys(("tp", "pp", "context", "concurrency"), POSITIVE),
            **dict.fromkeys(sizes, COUNT),
            **dict.fromkeys(("tokens", "sequences", "longest_context"), COUNT),
            "kv_bits": {"type": "number", "minimum": 1, "maximum": 32},
            "memory_fraction": {"type": "number", "minimum": 0, "maximum": 1},
            "active_share": {"type": "number", "minimum": 0, "maximum": 1},
            "weights_exact": FLAG,
            "verdict": one_of(_VERDICTS),
            "kv_budget_band": _BAND,
            "tokens_band": _BAND,
            "cures": TEXTS,
            "not_counted": TEXTS,
            "assumptions": TEXTS,
            "diagnostics": DIAGNOSTICS,
            "catalog": CATALOG,
        }
    )


def _fit() -> Schema:
    """An estimate or several; with --need a row for each KV type, with --log the comparison."""
    out = _one_or_several(_one_fit(), **config_definitions())
    fit = {"$ref": "#/$defs/result"}
    need = closed({"kv": TEXT, "tp": POSITIVE, "share": {"type": "number"}, "fit": fit})
    number: Schema = {"type": ["number", "null"]}
    log = closed(
        {
            "engine": ENGINE,
            "release": TEXT_OR_NULL,
            "lines": COUNT,
            **dict.fromkeys(("weights", "kv", "graphs", "tokens", "context"), number),
        }
    )
    part = closed(
        {"part": TEXT, "measured": number, "estimated": number, "cause": TEXT},
    )
    logged = closed(
        {
            "log": log,
            "fit": fit,
            "parts": {"type": "array", "items": part},
            "kept": TEXT_OR_NULL,
            "case": {"type": "array", "items": {"type": "object"}, "minItems": 2, "maxItems": 2},
        }
    )
    out["anyOf"] += [{"type": "array", "items": need}, logged]
    return out


def _advise() -> Schema:
    advice = closed(
        {
            "fit": _one_fit(),
            "config": CONFIG,
            "precision": TEXT_BY_NAME,
            "gpus": POSITIVE,
            "bytes_per_token": COUNT,
            "command": TEXT,
            "warnings": TEXTS,
            "reasons": TEXTS,
        }
    )
    here = {"$ref": "#/$defs/result"}
    of_model = closed({"model": TEXT, "advice": or_null(here)})
    found = [{"type": "array", "items": items} for items in (here, of_model)]
    return {"anyOf": found, "$defs": {"result": advice, **config_definitions()}}


def _matrix() -> Schema:
    rows = {"type": "array", "items": _DECISION}
    return closed({"engine": TEXT, "version": TEXT, "rows": rows})


def _rules() -> Schema:
    rule = closed(
        {
            "index": COUNT,
            "pattern": TEXT,
            "weight_dtype": TEXT,
            "activation_dtype": TEXT_OR_NULL,
            "weight_block_size": _BLOCK,
        }
    )
    module = closed(
        {
            "module_path": TEXT,
            "outcome": one_of(["rule", "ignored", "unquantized"]),
            "rule": or_null(rule),
            "ignored_by": TEXT_OR_NULL,
            "sentence": TEXT,
        }
    )
    return closed(
        {
            "rules": {"type": "array", "items": rule},
            "moe": values_of(TEXT_OR_NULL),
            "ignored_layers": TEXTS,
            "weight_block_size": _BLOCK,
            "is_static_checkpoint": FLAG,
            "allow_narrow_n_blockwise": FLAG,
            "notes": DIAGNOSTICS,
            "modules": {"type": "array", "items": module},
        }
    )


OUTPUTS = {
    "map": _mappings,
    "explain": _explained,
    "check": _check,
    "why": _why,
    "diff": _diff,
    "fit": _fit,
    "advise": _advise,
    "inspect": inspect_output,
    "matrix": _matrix,
    "plan": plan_output,
    "quality": quality_output,
    "results": results_output,
    "rules": _rules,
}
