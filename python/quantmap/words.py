"""The words and numbers that results and arguments are made of.

They are types to a type checker, and in `schema` the JSON Schema of each: what an ``Annotated``
type carries is a part of a schema, or the name of a list in the catalogue. Nothing else imports it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

__all__ = [
    "Arguments",
    "Bits",
    "Catalog",
    "CheckpointKind",
    "Code",
    "Config",
    "Count",
    "Engine",
    "Evidence",
    "FitVerdict",
    "Gpu",
    "GroupSize",
    "Judgement",
    "LayerKind",
    "Mode",
    "Outcome",
    "Parameters",
    "Policy",
    "Positive",
    "Preset",
    "Routed",
    "Said",
    "Severity",
    "Share",
    "Signature",
    "Stored",
    "Subject",
    "WeightPart",
]

Count = Annotated[int, {"minimum": 0}]
Positive = Annotated[int, {"minimum": 1}]
Routed = Annotated[int, {"minimum": 2}]  # one expert is no choice: such a model is dense
GroupSize = Annotated[int, {"minimum": -1, "not": {"const": 0}}]  # -1: a whole channel
Share = Annotated[float, {"minimum": 0, "maximum": 1}]
Bits = Annotated[float, {"exclusiveMinimum": 0}]
Said = Annotated[str, {"minLength": 1}]
Signature = Annotated[str, {"pattern": "^[0-9a-f]{32}$"}]
Engine = Annotated[str, "engines"]
Gpu = Annotated[str, "gpus"]
CheckpointKind = Annotated[str, "checkpoints"]
Preset = Annotated[str, "presets"]
Stored = Annotated["dict[str, Any]", "stored"]  # name, tensors and bytes of a dtype
Code = Annotated[str, "codes"]
Parameters = Annotated["dict[str, Any]", "parameters"]
Config = Annotated["dict[str, Any]", "config"]  # of either form
Catalog = Annotated["dict[str, str]", "catalog"]
Arguments = Annotated["dict[str, str | bool]", "arguments"]

Mode = Literal["documented", "checked"]
Policy = Literal["degrade", "strict", "literal"]
Severity = Literal["error", "warning", "info"]
Outcome = Literal[
    "applied",
    "replaced",
    "ignored",
    "falls-back",
    "not-supported",
    "renamed",
    "degraded",
    "dropped",
    "cannot-serve",
]
Judgement = Literal[
    "accepted",
    "unknown-flag",
    "value-not-accepted",
    "refused-at-start",
    "fails-later",
    "no-effect",
    "assumed",
    "deprecated",
    "known-trouble",
]
FitVerdict = Literal[
    "fits", "tight", "fits-with-less-context", "does-not-fit", "refused", "unknown"
]
Evidence = Literal["name", "catalog", "config", "headers"]
LayerKind = Literal["full", "sliding", "linear", "absent"]
WeightPart = Literal["linear", "experts", "embedding", "head", "norm", "other"]
Subject = Literal["method", "weight bits", "group size", "KV cache", "weights", "name"]
