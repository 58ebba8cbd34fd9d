"""The JSON Schema of what ``inspect`` prints: what the files of a model say.

What they do not say is null, never an empty text or 0.
"""

from __future__ import annotations

from .outputs_parts import COUNT, DIAGNOSTICS, ENGINE, FLAG, POSITIVE, WORDS
from .parts import NULL, TEXT, TEXTS, closed, one_of, or_null

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema

_EVIDENCE = ("name", "config", "headers")
_LAYER_KINDS = ("full", "sliding", "linear", "absent")
_WEIGHT_PARTS = ("linear", "experts", "embedding", "head", "norm", "other")
_SUBJECTS = ("method", "weight bits", "group size", "KV cache", "weights", "name")
_SAID: Schema = {"type": "string", "minLength": 1}
_SAID_OR_NULL: Schema = {"type": ["string", "null"], "minLength": 1}
_SIZE_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 1}
_FLAG_OR_NULL: Schema = {"type": ["boolean", "null"]}
_BITS: Schema = {"type": "number", "exclusiveMinimum": 0}


def inspect_output() -> Schema:
    """A checkpoint, by its files or by its name alone."""
    return closed(
        {
            "source": _SAID,
            **dict.fromkeys(("folder", "revision", "format"), _SAID_OR_NULL),
            "evidence": one_of(_EVIDENCE),
            "files": _several(closed({"name": _SAID, "size": COUNT, "bytes_read": COUNT})),
            "bytes_read": COUNT,
            "quantization": _quantization(),
            "architecture": or_null(_architecture()),
            "weights": or_null(_weights()),
            "detections": _several(_detection()),
            "disagreements": _several(_disagreement()),
            "notes": DIAGNOSTICS,
        }
    )


def _several(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _quantization() -> Schema:
    return closed(
        {
            "kind": one_of(kind["id"] for kind in WORDS["checkpoints"]),
            "title": _SAID,
            **dict.fromkeys(("method", "algorithm", "source"), _SAID_OR_NULL),
            "schemes": _several(_scheme()),
            "excluded": TEXTS,
            "kv_dtype": _SAID_OR_NULL,
            "kv_scales": _FLAG_OR_NULL,
        }
    )


def _scheme() -> Schema:
    # A group whose weights have no bits is no scheme, so those are always known.
    return closed(
        {
            "name": _SAID,
            "targets": TEXTS,
            "weight_bits": _BITS,
            "weight_type": _SAID_OR_NULL,
            "group_size": {
                "anyOf": [{"const": -1}, POSITIVE, NULL],
                "description": "Inputs that share a scale; -1 for a whole channel.",
            },
            "block": or_null(_block()),
            "symmetric": _FLAG_OR_NULL,
            "activation_bits": _BITS,
            "activation_type": _SAID_OR_NULL,
            "dynamic": _FLAG_OR_NULL,
        }
    )


def _block() -> Schema:
    return {"type": "array", "items": POSITIVE, "minItems": 2, "maxItems": 2}


def _architecture() -> Schema:
    sizes = ("hidden", "intermediate", "vocabulary", "heads", "kv_heads", "head_size")
    return closed(
        {
            **dict.fromkeys(("model_type", "text_type"), _SAID_OR_NULL),
            "classes": TEXTS,
            **dict.fromkeys((*sizes, "max_length", "window"), _SIZE_OR_NULL),
            "mla": or_null(_mla()),
            "experts": or_null(_experts()),
            "layers": {**_several(_layer()), "minItems": 1},
            "tied_embeddings": _FLAG_OR_NULL,
            "dtype": _SAID_OR_NULL,
        }
    )


def _mla() -> Schema:
    sizes = ("q_rank", "rope_size", "nope_size", "value_size", "index_size")
    return closed({"kv_rank": POSITIVE, **dict.fromkeys(sizes, _SIZE_OR_NULL)})


def _experts() -> Schema:
    # One expert is no choice: such a model counts as dense.
    sizes = ("per_token", "intermediate", "shared_intermediate")
    routed = {"type": "integer", "minimum": 2}
    return closed({"routed": routed, "shared": COUNT, **dict.fromkeys(sizes, _SIZE_OR_NULL)})


def _layer() -> Schema:
    # Layers without attention have 0 heads.
    return closed(
        {
            "kind": one_of(_LAYER_KINDS),
            **dict.fromkeys(("heads", "kv_heads", "key_size", "value_size"), COUNT),
            **dict.fromkeys(("window", "intermediate"), _SIZE_OR_NULL),
            **dict.fromkeys(("experts", "shares_cache"), FLAG),
            **dict.fromkeys(("compression", "caches"), POSITIVE),
        }
    )


def _weights() -> Schema:
    sums = dict.fromkeys(("tensors", "parameters", "bytes"), COUNT)
    part = closed({**sums, "quantized_bytes": COUNT})
    stored = closed({"dtype": _SAID, "tensors": POSITIVE, "bytes": COUNT})
    return closed(
        {
            **sums,
            "parts": closed(dict.fromkeys(_WEIGHT_PARTS, part)),
            "dtypes": _several(stored),
            **dict.fromkeys(("has_head", "complete"), FLAG),
        }
    )


def _detection() -> Schema:
    return closed(
        {
            "engine": ENGINE,
            "engine_name": _SAID,
            **dict.fromkeys(("method", "source"), _SAID_OR_NULL),
            "refused": FLAG,
            "reason": _SAID_OR_NULL,
            "evidence": TEXTS,
        }
    )


def _disagreement() -> Schema:
    claim = {"type": "array", "items": TEXT, "minItems": 2, "maxItems": 2}
    return closed(
        {
            "subject": one_of(_SUBJECTS),
            "claims": {
                **_several(claim),
                "minItems": 2,
                "description": "Each source and what it says.",
            },
            "consequence": TEXT,
        }
    )
