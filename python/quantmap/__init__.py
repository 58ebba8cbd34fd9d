"""quantmap: one quantization config, the exact launch arguments of each engine.

The documented mapper is in `quantmap.documented` and re-exported here. `explain` gives a mapping
with its reasons; `ConfigError` carries every problem of an input.
"""

from ._core import __version__
from .check import CheckResult, Verdict, check, diff, diff_command
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
from .mapping import Decision, Mapping, explain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .hardware import GpuInfo, Requirement, gpu_info, local_gpu, requirements
    from .rules import ModuleDecision, Rule, RulesFile, read_rules

_HARDWARE = ("GpuInfo", "Requirement", "gpu_info", "local_gpu", "requirements")
_RULES = ("ModuleDecision", "Rule", "RulesFile", "read_rules")

__all__ = [
    "QUANTIZATION_PRESETS",
    "CheckResult",
    "ConfigError",
    "Decision",
    "Diagnostic",
    "Engine",
    "GpuInfo",
    "Mapping",
    "ModuleDecision",
    "Requirement",
    "Rule",
    "RulesFile",
    "Verdict",
    "__version__",
    "check",
    "diff",
    "diff_command",
    "expand_preset",
    "explain",
    "get_runtime_args",
    "gpu_info",
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
    "read_rules",
    "requirements",
    "resolve_quant_config",
    "should_apply_dynamic_fp8",
    "validate_config_for_engine",
    "validate_quant_config",
]


def __getattr__(name: str) -> object:
    """What the mapper does not need is imported at its first use."""
    if name in _RULES:
        from . import rules

        return getattr(rules, name)
    if name in _HARDWARE:
        from . import hardware

        return getattr(hardware, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
