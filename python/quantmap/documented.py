"""The documented Python API of the quantization mapper.

The same names are importable from ``utils.quantization_mapper``. Every function returns fresh
objects, changes none of its inputs, and accepts an engine as `Engine` or string. Errors are
`quantmap.ConfigError`, a ValueError. Warnings go to the logger ``quantmap``.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping

from . import _core
from ._core import get_runtime_args

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "QUANTIZATION_PRESETS",
    "Engine",
    "expand_preset",
    "get_runtime_args",
    "map_to_engine_args",
    "map_to_sglang",
    "map_to_sglang_args",
    "map_to_tensorrt_llm",
    "map_to_tensorrt_llm_args",
    "map_to_vllm",
    "map_to_vllm_args",
    "merge_parameters",
    "resolve_quant_config",
    "should_apply_dynamic_fp8",
    "validate_config_for_engine",
    "validate_quant_config",
]


class Engine(str, enum.Enum):
    """The engines of the documented mapping; each member is also its name as a string."""

    VLLM = "vllm"
    TENSORRT_LLM = "tensorrt_llm"
    SGLANG = "sglang"
    SGLANG_JAX = "sglang_jax"


class _Presets(Mapping[str, "dict[str, Any]"]):
    """All presets by name. Every look-up gives a fresh copy, so nobody can change a preset."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()

    def _all(self) -> tuple[str, ...]:
        if not self._names:
            self._names = tuple(preset["id"] for preset in _core.presets())
        return self._names

    def __getitem__(self, name: str) -> dict[str, Any]:
        if name not in self._all():
            raise KeyError(name)
        return _core.expand_preset(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"QUANTIZATION_PRESETS({list(self._all())})"


QUANTIZATION_PRESETS: Mapping[str, dict[str, Any]] = _Presets()


def expand_preset(preset_name: str) -> dict[str, Any]:
    """The config of a preset.

    Args:
        preset_name: one of the names in `QUANTIZATION_PRESETS`.

    Returns:
        dict: a fresh copy; four fields, or the nested unified form.

    Raises:
        ConfigError: the preset is not known; the hint names the nearest one.

    Example:
        >>> expand_preset("kv-cache-fp8")["kvcache_dtype"]
        'fp8_e5m2'
    """
    return _core.expand_preset(preset_name)


def validate_quant_config(config: Any) -> tuple[bool, str]:
    """Whether a config can be mapped, and if not, why.

    Args:
        config: anything; never raises.

    Returns:
        tuple[bool, str]: True exactly when `resolve_quant_config` accepts the config. The text
        starts with "Valid" when it does, else it lists every problem with its path.

    Example:
        >>> validate_quant_config({"gemm_dtype": "fp8"})
        (True, 'Valid')
        >>> validate_quant_config({"gemm_dytpe": "fp8"})
        (False, "$.gemm_dytpe: unknown key 'gemm_dytpe' (did you mean 'gemm_dtype'?)")
    """
    diagnostics = _core.check_config(config)
    errors = [diagnostic for diagnostic in diagnostics if diagnostic.severity == "error"]
    if errors:
        return False, "; ".join(str(error) for error in errors)
    notes = "; ".join(diagnostic.message for diagnostic in diagnostics)
    return True, f"Valid, with a note: {notes}" if notes else "Valid"


def resolve_quant_config(config: dict[str, Any] | None) -> dict[str, Any]:
    """A config with its preset expanded and explicit fields on top.

    Args:
        config: four-field, unified, a preset with or without overrides, or None.

    Returns:
        dict: all four fields, or the nested unified form with the keys that are set.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> resolve_quant_config({"preset": "kv-cache-fp8", "gemm_dtype": "bfloat16"})["gemm_dtype"]
        'bfloat16'
    """
    return _core.resolve_config(config)


def should_apply_dynamic_fp8(gemm_dtype: str | None, model_quantization: Any = None) -> bool:
    """Whether FP8 quantization at load time is asked and the model is not quantized already.

    Args:
        gemm_dtype: a value of the field ``gemm_dtype``; None is ``auto``.
        model_quantization: the model's own method, as for `get_runtime_args`.

    Returns:
        bool: True when the engine should quantize the weights to FP8.

    Raises:
        ConfigError: `gemm_dtype` is not a value of the field.

    Example:
        >>> should_apply_dynamic_fp8("fp8"), should_apply_dynamic_fp8("fp8", "awq")
        (True, False)
    """
    resolved = _core.resolve_config({"gemm_dtype": gemm_dtype})
    return resolved["gemm_dtype"] == "fp8" and _core.model_method(model_quantization) is None


def map_to_vllm_args(
    quant_config: dict[str, Any] | None, model_quantization: Any = None
) -> dict[str, Any]:
    """Arguments of vLLM for a config.

    Args:
        quant_config: a config of either form.
        model_quantization: the model's own method, as for `get_runtime_args`.

    Returns:
        dict: flags and values in launch order.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_vllm_args({"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"})
        {'--quantization': 'fp8', '--dtype': 'auto', '--kv-cache-dtype': 'fp8_e5m2'}
    """
    return _core.map_engine(Engine.VLLM, quant_config, model_quantization)


def map_to_sglang_args(
    quant_config: dict[str, Any] | None, model_quantization: Any = None
) -> dict[str, Any]:
    """Arguments of SGLang for a config.

    Args:
        quant_config: a config of either form.
        model_quantization: the model's own method, as for `get_runtime_args`.

    Returns:
        dict: flags and values in launch order.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_sglang_args({"attention_dtype": "fp8"})
        {'--dtype': 'auto', '--kv-cache-dtype': 'auto', '--attention-backend': 'flashinfer'}
    """
    return _core.map_engine(Engine.SGLANG, quant_config, model_quantization)


def map_to_tensorrt_llm_args(
    quant_config: dict[str, Any] | None, model_quantization: Any = None
) -> dict[str, Any]:
    """Arguments of TensorRT-LLM for a config.

    Args:
        quant_config: a config of either form.
        model_quantization: the model's own method, as for `get_runtime_args`.

    Returns:
        dict: flags and values in launch order.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_tensorrt_llm_args({"gemm_dtype": "fp8", "attention_dtype": "fp8_block"})
        {'--quant-algo': 'FP8', '--fmha-quant-algo': 'FP8_BLOCK'}
    """
    return _core.map_engine(Engine.TENSORRT_LLM, quant_config, model_quantization)


def merge_parameters(
    quant_args: dict[str, Any],
    user_parameters: dict[str, Any] | None,
    *,
    runtime: str | None = None,
) -> dict[str, Any]:
    """User parameters over derived arguments.

    A parameter that names a derived argument replaces it in place, under the derived spelling;
    any other is appended. Dashes and underscores are equal, and with `runtime` so are the
    engine's aliases.

    Args:
        quant_args: derived arguments, such as `map_to_vllm_args` returns.
        user_parameters: arguments by name, with or without dashes.
        runtime: the engine whose aliases to know.

    Returns:
        dict: a new dict in launch order. Parameters become str, except True and False; None is left
        out; a list gives its first element; a dict or a list of lists becomes JSON text.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> merge_parameters({"--kv-cache-dtype": "fp8"}, {"kv_cache_dtype": "auto", "tp-size": 2})
        {'--kv-cache-dtype': 'auto', '--tp-size': '2'}
    """
    return _core.merge_parameters(quant_args, user_parameters, runtime)


def map_to_engine_args(config: dict[str, Any] | None, engine: Engine | str) -> dict[str, Any]:
    """Arguments of an engine for a config of either form; sizes stay integers.

    Args:
        config: four-field, unified, or a preset.
        engine: the engine.

    Returns:
        dict: flags and values in launch order.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_engine_args({"preset": "universal-fp8"}, Engine.TENSORRT_LLM)
        {'--quant-algo': 'FP8', '--kv-cache-quant-algo': 'FP8', '--tp-size': 2}
    """
    return _core.map_engine(engine, config, None)


def map_to_vllm(config: dict[str, Any] | None) -> dict[str, Any]:
    """`map_to_engine_args` for vLLM.

    Args:
        config: a config of either form, or a preset.

    Returns:
        dict: flags and values in launch order; sizes are integers.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_vllm({"quantization": {"method": "awq_marlin"}})
        {'--quantization': 'awq_marlin', '--dtype': 'auto'}
    """
    return _core.map_engine(Engine.VLLM, config, None)


def map_to_tensorrt_llm(config: dict[str, Any] | None) -> dict[str, Any]:
    """`map_to_engine_args` for TensorRT-LLM.

    Args:
        config: a config of either form, or a preset.

    Returns:
        dict: flags and values in launch order; sizes are integers.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_tensorrt_llm({"quantization": {"method": "awq_marlin"}})
        {'--quant-algo': 'W4A16_AWQ'}
    """
    return _core.map_engine(Engine.TENSORRT_LLM, config, None)


def map_to_sglang(config: dict[str, Any] | None) -> dict[str, Any]:
    """`map_to_engine_args` for SGLang.

    Args:
        config: a config of either form, or a preset.

    Returns:
        dict: flags and values in launch order; sizes are integers.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> map_to_sglang({"quantization": {"method": "w4a8"}})
        {'--quantization': 'w4afp8', '--dtype': 'auto'}
    """
    return _core.map_engine(Engine.SGLANG, config, None)


def validate_config_for_engine(config: dict[str, Any] | None, engine: Engine | str) -> bool:
    """Whether the engine supports a config in the documented sense.

    Args:
        config: a config of either form; a four-field config is always supported.
        engine: the engine.

    Returns:
        bool: False for a Marlin method on TensorRT-LLM, for qoq on vLLM, and for a ``moe`` section
        anywhere but on SGLang. `quantmap.explain` gives the reasons.

    Raises:
        ConfigError: the config itself is wrong.

    Example:
        >>> validate_config_for_engine({"quantization": {"method": "qoq"}}, "vllm")
        False
    """
    return not _core.unsupported(config, engine)
