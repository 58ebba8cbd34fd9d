"""The words and numbers that results and arguments are made of.

They are types to a type checker, and in `schema` the JSON Schema of each: what an ``Annotated``
type carries is a part of a schema, or the name of a list in the catalogue. Nothing else imports it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypedDict

__all__ = [
    "Arguments",
    "Asked",
    "Bits",
    "Block",
    "Catalog",
    "Change",
    "CheckpointKind",
    "Code",
    "Config",
    "Count",
    "Engine",
    "Engines",
    "Evidence",
    "FitVerdict",
    "Given",
    "Gpu",
    "GroupSize",
    "Judgement",
    "LayerKind",
    "Mode",
    "ModuleFigures",
    "ModuleKind",
    "NotNegative",
    "Outcome",
    "Parameters",
    "PlanArguments",
    "PlanFormat",
    "Policy",
    "Positive",
    "Preset",
    "Routed",
    "RuleOutcome",
    "RunStatus",
    "Said",
    "Severity",
    "Share",
    "Signature",
    "Subject",
    "TensorUse",
    "Tile",
    "TotalFigures",
    "WeightPart",
]

Count = Annotated[int, {"minimum": 0}]
Positive = Annotated[int, {"minimum": 1}]
Routed = Annotated[int, {"minimum": 2}]  # one expert is no choice: such a model is dense
Block = Annotated["list[int]", "block"]  # rows and columns
GroupSize = Annotated[int, {"minimum": -1, "not": {"const": 0}}]  # -1: a whole channel
NotNegative = Annotated[float, {"minimum": 0}]
Share = Annotated[float, {"minimum": 0, "maximum": 1}]
Bits = Annotated[float, {"exclusiveMinimum": 0}]
Said = Annotated[str, {"minLength": 1}]
Tile = Annotated["tuple[int, int]", "tile"]  # rows and columns; 0: all of them
Signature = Annotated[str, {"pattern": "^[0-9a-f]{32}$"}]
Engine = Annotated[str, "engines"]
Gpu = Annotated[str, "gpus"]
CheckpointKind = Annotated[str, "checkpoints"]
Preset = Annotated[str, "presets"]
Given = Annotated["dict[str, Any]", "given"]  # parameters as a task gives them, whatever they hold
Asked = Annotated["dict[str, Any]", "asked"]  # a config as a task asks for it, whatever it holds
Code = Annotated[str, "codes"]
Parameters = Annotated["dict[str, Any]", "parameters"]
Config = Annotated["dict[str, Any]", "config"]  # of either form
Catalog = Annotated["dict[str, str]", "catalog"]
Change = Annotated["list[Any]", "change"]  # before and after
Arguments = Annotated["dict[str, str | bool]", "arguments"]
ModuleFigures = Annotated["dict[str, Any]", "module_figures"]  # of one recipe on one module
TotalFigures = Annotated["dict[str, Any]", "total_figures"]  # of one recipe on all of them

Engines = Annotated["list[str]", "several"]  # with their releases

Mode = Literal["documented", "checked"]
PlanFormat = Literal[1]
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
ModuleKind = Literal["linear", "experts", "router", "head", "embedding", "other"]
LayerKind = Literal["full", "sliding", "linear", "absent"]
WeightPart = Literal["linear", "experts", "embedding", "head", "norm", "other"]
RuleOutcome = Literal["rule", "ignored", "unquantized"]
RunStatus = Literal["success", "failed", "unfinished", "not-run"]
TensorUse = Literal["weight", "activation", "cache"]
Subject = Literal["method", "weight bits", "group size", "KV cache", "weights", "name"]


class PlanArguments(TypedDict):
    """What a plan was made with, beside its task.

    Attributes:
        engines: None where the task names them.
        engine_version: the release.
        gpu: the GPU.
        checkpoint: the model.
        model_quantization: the model's own quantization method, or its quantization_config.
        policy: None is what ``QUANTMAP_POLICY`` says, else ``degrade``.
    """

    engines: Engines | None
    engine_version: str | None
    gpu: str | None
    checkpoint: str | dict[str, Any] | None
    model_quantization: str | dict[str, Any] | None
    policy: Policy | None
