"""The autotuner's own entry points, with its signatures and shapes.

``from quantmap.integration import *`` stands in for the autotuner's module that prepares the
parameters of an experiment. Differences from guessing: a preset reaches the engine, several presets
keep their overrides, and an invalid config raises `quantmap.ConfigError` instead of being dropped.
With an engine version (``"sglang@0.5.6"``, the variable ``QUANTMAP_ENGINE_VERSIONS``, or a task's
``runtime_image_tag``) the parameters are those that this release accepts.
"""

from __future__ import annotations

import os

from . import _core, documented
from .choices import PRESET, PRESETS, axes, labelled, preset_names, problems_of, read, read_valid
from .errors import ConfigError, log
from .task import read_task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "ENGINE_OF",
    "detect_model_quantization",
    "expand_quant_config_to_parameter_spec",
    "expand_quantization_presets",
    "extract_quant_config_from_params",
    "generate_experiment_configs",
    "get_quant_config_summary",
    "merge_parameters_with_quant_config",
    "prepare_experiment_parameters",
    "prepare_runtime_parameters",
    "validate_task_quant_config",
]

_LONGEST_NAME = 96  # of a model, as the Hugging Face hub allows it
_CONFIG_KEYS = ("quantization_config", "compression_config")  # of a model's config.json
_PREFIX = "__quant__"  # marks a quantization setting among the parameters of a grid
_PARALLEL = "__parallel__"  # marks a parallel size

#: Engines by the names that a cluster gives its runtimes, for whoever fills it.
ENGINE_OF: dict[str, str] = {}


def detect_model_quantization(
    model_path: str, model_config: dict[str, Any] | None = None
) -> str | None:
    """The quantization method that a model has already.

    The files decide: a name is asked only when there are none, and ``my-fp8-notes`` is not FP8.

    Args:
        model_path: a folder, a ``.gguf`` file, or the id of a model.
        model_config: what is known of the model: its ``config.json``, or the ``model`` of a task,
            whose ``quantization`` names the method. Where the files are at hand, they win.

    Returns:
        str | None: the method's name in lower case, such as ``awq``; None for a model that is not
        quantized, or of which nothing is known.

    Raises:
        ConfigError: `model_path` is no text, `model_config` no object, or a file is damaged.

    Example:
        >>> detect_model_quantization("org/model", {"quantization_config": {"quant_method": "AWQ"}})
        'awq'
        >>> detect_model_quantization("TheBloke/Llama-2-7B-AWQ")
        'awq'
        >>> print(detect_model_quantization("my-fp8-notes"))
        None

    Source: what names and files mean is in the catalogue, ``cpp/catalog/detection.json``.
    """
    if not isinstance(model_path, str):
        context = {"expected": "a path or an id", "got": _core.describe(model_path)}
        context["hint"] = "write it as a string"
        raise ConfigError([_core.make_diagnostic("wrong-type", "model_path", context)])
    known = _core.plain_object(model_config, "model_config")
    stated = known.get("quantization")
    if os.path.exists(model_path):
        return _core.model_method(stated, model_path)
    if any(known.get(key) is not None for key in _CONFIG_KEYS):
        return _core.model_method(stated, known)
    # An id, or a path of another machine: all there is to go by is the name.
    name = model_path.rstrip("/").rpartition("/")[2][-_LONGEST_NAME:]
    plain = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    return _core.model_method(stated, plain or None)


def prepare_experiment_parameters(
    base_runtime: str,
    quant_config: dict[str, Any] | None,
    param_combination: dict[str, Any] | None,
    model_path: str,
    model_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The engine's parameters for one experiment: derived ones, with the experiment's own on top.

    Args:
        base_runtime: the engine; with a version (``sglang@0.5.6``) nothing derived is refused.
        quant_config: a config that describes one launch, or None for all defaults.
        param_combination: the experiment's own parameters, with or without dashes; they win.
        model_path: the model, as for `detect_model_quantization`.
        model_config: what is known of the model, as for `detect_model_quantization`.

    Returns:
        dict: parameters in launch order, names without leading dashes; values are str, except True
        and False.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> prepare_experiment_parameters(
        ...     "sglang", {"preset": "kv-cache-fp8"}, {"tp-size": 2}, "org/model"
        ... )
        {'dtype': 'auto', 'kv-cache-dtype': 'fp8_e5m2', 'tp-size': '2'}
    """
    arguments = documented.get_runtime_args(
        _engine(base_runtime),
        quant_config,
        param_combination,
        detect_model_quantization(model_path, model_config),
    )
    return {flag.lstrip("-"): value for flag, value in arguments.items()}


def prepare_runtime_parameters(
    base_runtime: str,
    params: dict[str, Any],
    model_path: str,
    model_config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The engine's parameters for one point of a grid that carries quantization settings.

    Args:
        base_runtime: the engine, as for `prepare_experiment_parameters`.
        params: parameters among which ``__quant__<field>`` and ``__quant__preset`` are settings,
            and ``__parallel__<size>`` and ``__parallel__preset`` are parallel sizes. The
            experiment's own parameters win over sizes.
        model_path: the model, as for `detect_model_quantization`.
        model_config: what is known of the model, as for `detect_model_quantization`.

    Returns:
        dict: as of `prepare_experiment_parameters`; without any setting the parameters themselves.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> prepare_runtime_parameters(
        ...     "sglang", {"__quant__preset": "kv-cache-fp8", "tp-size": 2}, "org/model"
        ... )
        {'dtype': 'auto', 'kv-cache-dtype': 'fp8_e5m2', 'tp-size': '2'}
        >>> prepare_runtime_parameters("vllm", {"__parallel__tp": 2, "__parallel__dp": 1}, "m")
        {'tensor-parallel-size': '2'}
    """
    rest, config = extract_quant_config_from_params(params)
    sizes = {
        name[len(_PARALLEL) :]: rest.pop(name) for name in list(rest) if name.startswith(_PARALLEL)
    }
    odd = next((name for name in rest if name.startswith("__") and "__" in name[3:]), None)
    if odd is not None:
        context = {"value": repr(odd), "hint": f"known prefixes: {_PREFIX}, {_PARALLEL}"}
        raise ConfigError([_core.make_diagnostic("unknown-key", "params", context)])
    engine = _engine(base_runtime)
    given = _core.parallel_arguments(sizes, engine) if sizes else {}
    own = {_plain(name) for name in rest}
    parallel = {
        flag: value if isinstance(value, bool) else str(value)
        for flag, value in given.items()
        if _plain(flag) not in own
    }
    if config is None:
        return {name.lstrip("-"): value for name, value in {**parallel, **rest}.items()}
    all_of = {**parallel, **rest}
    prepared = prepare_experiment_parameters(engine, config, all_of, model_path, model_config)
    first = {_plain(flag) for flag in parallel}  # sizes stand in front, as the autotuner has them
    return dict(sorted(prepared.items(), key=lambda item: _plain(item[0]) not in first))


def _engine(base_runtime: Any) -> Any:
    """The engine behind a name: a cluster's own, or the engine's."""
    return (
        ENGINE_OF.get(base_runtime, base_runtime) if isinstance(base_runtime, str) else base_runtime
    )


def _plain(name: str) -> str:
    """A parameter's name however it is spelt."""
    return name.lstrip("-").replace("_", "-").lower()


def expand_quant_config_to_parameter_spec(quant_config: dict[str, Any] | None) -> dict[str, Any]:
    """A config as one specification of a grid, without other parameters.

    Args:
        quant_config: a config; each field may be a list of values, each preset one of several.

    Returns:
        dict: ``__quant__preset`` and ``__quant__<field>``, each a list; empty without a config.

    Raises:
        ConfigError: all problems of the config at once.

    Example:
        >>> expand_quant_config_to_parameter_spec({"gemm_dtype": ["auto", "fp8"]})
        {'__quant__gemm_dtype': ['auto', 'fp8']}
    """
    return merge_parameters_with_quant_config({}, quant_config)


def merge_parameters_with_quant_config(
    base_parameters: dict[str, Any] | None, quant_config: dict[str, Any] | None
) -> dict[str, Any]:
    """A task's parameters together with its quantization settings, as one specification of a grid.

    Args:
        base_parameters: parameters with the values to try.
        quant_config: a config; each field may be a list of values, each preset one of several.

    Returns:
        dict: the parameters, then ``__quant__preset`` and ``__quant__<field>``, each a list. A
        section of the unified form is a list of sections.

    Raises:
        ConfigError: all problems of the config at once.

    Example:
        >>> merge_parameters_with_quant_config({"tp-size": [1, 2]}, {"preset": "kv-cache-fp8"})
        {'tp-size': [1, 2], '__quant__preset': ['kv-cache-fp8']}
    """
    merged = _core.plain_object(base_parameters, "base_parameters")
    for name, values in axes(read_valid(quant_config)).items():
        merged[_PREFIX + name] = values
    return merged


def extract_quant_config_from_params(
    params: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The quantization settings among parameters, and the rest: undoes the merge.

    Args:
        params: parameters among which ``__quant__<field>`` and ``__quant__preset`` are settings.

    Returns:
        tuple: the other parameters, and the config, or None when there is no setting.

    Raises:
        ConfigError: all problems of the config at once.

    Example:
        >>> extract_quant_config_from_params({"tp-size": 1, "__quant__gemm_dtype": "fp8"})
        ({'tp-size': 1}, {'gemm_dtype': 'fp8'})
    """
    rest, config = {}, {}
    for name, value in _core.plain_object(params, "params").items():
        if name.startswith(_PREFIX):
            config[name[len(_PREFIX) :]] = value
        else:
            rest[name] = value
    return rest, read_valid(config) or None


def expand_quantization_presets(quant_config: dict[str, Any] | None) -> list[dict[str, Any] | None]:
    """One config for each preset that a config names.

    Args:
        quant_config: a config, or None.

    Returns:
        list: ``[None]`` without a config; the config alone when it does not name several presets;
        else one config per preset, each with the explicit fields as overrides.

    Raises:
        ConfigError: all problems of the config at once.

    Example:
        >>> expand_quantization_presets({"presets": ["default", "kv-cache-fp8"]})
        [{'preset': 'default'}, {'preset': 'kv-cache-fp8'}]
    """
    config = read_valid(quant_config)
    if not config:
        return [None]
    names = preset_names(config)
    rest = {key: value for key, value in config.items() if key not in (PRESET, PRESETS)}
    return [{PRESET: name, **rest} for name in names] if names else [config]


def get_quant_config_summary(quant_config: dict[str, Any] | None) -> str:
    """A config in one line for a reader.

    Args:
        quant_config: a config, or None.

    Returns:
        str: the presets when it names several, else each field with its value or values.

    Raises:
        ConfigError: all problems of the config at once.

    Example:
        >>> get_quant_config_summary({"preset": "kv-cache-fp8", "gemm_dtype": ["fp8", "int8"]})
        'GEMM: fp8 or int8, KV Cache: fp8_e5m2, Attention: auto, MoE: auto'
        >>> get_quant_config_summary({"presets": ["default", "kv-cache-fp8"]})
        'Presets: default, kv-cache-fp8'
    """
    config = read_valid(quant_config)
    if not config:
        return "No quantization"
    names = preset_names(config)
    several = PRESETS in config or len(names) > 1
    shown = labelled(config, own_only=several)
    fields = ", ".join(f"{label}: {' or '.join(values)}" for label, values in shown)
    if not several:
        return fields
    return f"Presets: {', '.join(names)}" + (f" ({fields})" if fields else "")


def validate_task_quant_config(quant_config: Any) -> tuple[bool, str]:
    """Whether the quantization config of a task can be used, and if not, why.

    Args:
        quant_config: anything; never raises. Lists of values and several presets are good.

    Returns:
        tuple[bool, str]: the text starts with "Valid" when it is good, else it lists every problem
        with its path.

    Example:
        >>> validate_task_quant_config({"gemm_dtype": ["auto", "fp8"]})
        (True, 'Valid')
        >>> validate_task_quant_config({"gemm_dtype": ["auto", "fp16"]})[1][:45]
        "$.gemm_dtype[1]: 'fp16' is not a value of gem"
    """
    try:
        config = read(quant_config)
    except ConfigError as error:
        return False, str(error)
    if not config:
        return True, "Valid (no quantization config)"
    found = list(problems_of(config))
    errors = [diagnostic for diagnostic in found if diagnostic.severity == "error"]
    if errors:
        return False, str(ConfigError(errors))
    notes = "; ".join(diagnostic.message for diagnostic in found)
    return True, f"Valid, with a note: {notes}" if notes else "Valid"


def generate_experiment_configs(task: dict[str, Any]) -> list[dict[str, Any]]:
    """A task's experiments: each preset it names with the arguments of its engine.

    Args:
        task: the task; its presets are in ``parameters.quantization_preset`` or in the config, and
            ``runtime_image_tag`` may name the engine's release.

    Returns:
        list[dict]: ``preset`` (None for a config without one), ``quantization_config`` (expanded)
        and ``runtime_args``, as of `quantmap.map_to_engine_args`. A preset that the engine does not
        support is left out with a warning. Empty when the task has no config.

    Raises:
        ConfigError: all problems at once.

    Example:
        >>> presets = ["universal-fp8", "high-quality"]
        >>> task = {"base_runtime": "vllm", "parameters": {"quantization_preset": presets}}
        >>> [found["runtime_args"]["--dtype"] for found in generate_experiment_configs(task)]
        ['auto', 'bfloat16']
    """
    parts = read_task(_core.plain_object(task, "$"))
    log(parts.notes)
    path, known = parts.model_path(), parts.model if isinstance(parts.model, dict) else None
    quantized = None if path is None else detect_model_quantization(path, known)
    experiments = []
    for config in expand_quantization_presets(parts.config):
        if config is None:
            continue
        unsupported = _core.unsupported(config, parts.runtime)
        if unsupported:
            _log_left_out(config.get(PRESET), parts.runtime, unsupported)
            continue
        experiments.append(
            {
                "preset": config.get(PRESET),
                "quantization_config": _core.resolve_config(config),
                "runtime_args": _core.map_engine(parts.runtime, config, quantized, parts.image_tag),
            }
        )
    return experiments


def _log_left_out(preset: str | None, runtime: str, unsupported: list[str]) -> None:
    what = "The config" if preset is None else f"Preset '{preset}'"
    context = {"value": what, "engine": runtime, "list": ", ".join(unsupported)}
    log([_core.make_diagnostic("config-left-out", "$.base_runtime", context)])
