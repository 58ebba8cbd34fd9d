"""quantmap: one quantization config, the exact launch arguments of each engine.

The documented mapper is in `quantmap.documented` and re-exported here. `explain` gives a mapping
with its reasons; `ConfigError` carries every problem of an input.
"""

from ._core import __version__
from .check import CheckResult, ScriptResult, Verdict, check, check_script
from .documented import (
    QUANTIZATION_PRESETS,
    Engine,
    expand_preset,
    get_runtime_args,
    map_to_engine_args,
    map_to_sglang,
    map_to_sglang_args,
    map_to_tensorrt_llm,
    map_to_tensorrt_llm_args,
    map_to_vllm,
    map_to_vllm_args,
    merge_parameters,
    resolve_quant_config,
    should_apply_dynamic_fp8,
    validate_config_for_engine,
    validate_quant_config,
)
from .errors import ConfigError, Diagnostic, list_diagnostics
from .experiment import Experiment, Skip
from .mapping import Decision, Mapping, explain
from .plan import Pending, Plan, plan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .advising import Advice, advise, servable
    from .boot_log import BootLog, read_boot_log
    from .changes import ConfigChanges, LineChanges, diff, diff_command
    from .checkpoint import CheckpointInfo, inspect_checkpoint
    from .failed_start import WhyResult, why
    from .fit import Fit, estimate
    from .flags import Argument, arguments
    from .hardware import GpuInfo, Requirement, gpu_info, local_gpu, requirements
    from .launch_fit import estimate_script
    from .numerics.arrays import Quantized, quantize, quantize_activations, quantized_matmul
    from .numerics.quality import ModuleQuality, Quality, quality
    from .numerics.recipes import Recipe, recipes
    from .numerics.writing import quantize_checkpoint, quantize_shards
    from .rules import ModuleDecision, Rule, RulesFile, read_rules
    from .schema import json_schema, output_schema, typescript_types, ui_table
    from .search_space import Space, space

# What the mapper does without is imported at its first use.
_LATER = {
    "advising": ("Advice", "advise", "servable"),
    "flags": ("Argument", "arguments"),
    "boot_log": ("BootLog", "read_boot_log"),
    "changes": ("ConfigChanges", "LineChanges", "diff", "diff_command"),
    "checkpoint": ("CheckpointInfo", "inspect_checkpoint"),
    "fit": ("Fit", "estimate"),
    "launch_fit": ("estimate_script",),
    "hardware": ("GpuInfo", "Requirement", "gpu_info", "local_gpu", "requirements"),
    "numerics.arrays": ("Quantized", "quantize", "quantize_activations", "quantized_matmul"),
    "numerics.quality": ("ModuleQuality", "Quality", "quality"),
    "numerics.recipes": ("Recipe", "recipes"),
    "numerics.writing": ("quantize_checkpoint", "quantize_shards"),
    "rules": ("ModuleDecision", "Rule", "RulesFile", "read_rules"),
    "search_space": ("Space", "space"),
    "failed_start": ("WhyResult", "why"),
    "schema": ("json_schema", "output_schema", "typescript_types", "ui_table"),
}

__all__ = [
    "QUANTIZATION_PRESETS",
    "Advice",
    "Argument",
    "BootLog",
    "CheckResult",
    "CheckpointInfo",
    "ConfigChanges",
    "ConfigError",
    "Decision",
    "Diagnostic",
    "Engine",
    "Experiment",
    "Fit",
    "GpuInfo",
    "LineChanges",
    "Mapping",
    "ModuleDecision",
    "ModuleQuality",
    "Pending",
    "Plan",
    "Quality",
    "Quantized",
    "Recipe",
    "Requirement",
    "Rule",
    "RulesFile",
    "ScriptResult",
    "Skip",
    "Space",
    "Verdict",
    "WhyResult",
    "__version__",
    "advise",
    "arguments",
    "check",
    "check_script",
    "diff",
    "diff_command",
    "estimate",
    "estimate_script",
    "expand_preset",
    "explain",
    "get_runtime_args",
    "gpu_info",
    "inspect_checkpoint",
    "json_schema",
    "list_diagnostics",
    "local_gpu",
    "map_to_engine_args",
    "map_to_sglang",
    "map_to_sglang_args",
    "map_to_tensorrt_llm",
    "map_to_tensorrt_llm_args",
    "map_to_vllm",
    "map_to_vllm_args",
    "merge_parameters",
    "output_schema",
    "plan",
    "quality",
    "quantize",
    "quantize_activations",
    "quantize_checkpoint",
    "quantize_shards",
    "quantized_matmul",
    "read_boot_log",
    "read_rules",
    "recipes",
    "requirements",
    "resolve_quant_config",
    "servable",
    "should_apply_dynamic_fp8",
    "space",
    "typescript_types",
    "ui_table",
    "validate_config_for_engine",
    "validate_quant_config",
    "why",
]


def __getattr__(name: str) -> object:
    """Import what is not needed for a mapping."""
    for module, names in _LATER.items():
        if name in names:
            from importlib import import_module

            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every public name, also of what is imported at its first use."""
    return sorted({*__all__, *(name for name in globals() if name[:2] == "__")})
