"""The autotuner's entry points: their signatures and shapes."""

from __future__ import annotations

import copy
import inspect
from typing import Any

import pytest
import quantmap
from quantmap import integration as autotuner

from tests.python.support import ENGINES, REGISTRY, fill, logged

MODEL = "org/model"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("detect_model_quantization", "model_path, model_config=None"),
        (
            "prepare_experiment_parameters",
            "base_runtime, quant_config, param_combination, model_path, model_config=None",
        ),
        ("prepare_runtime_parameters", "base_runtime, params, model_path, model_config=None"),
        ("merge_parameters_with_quant_config", "base_parameters, quant_config"),
        ("extract_quant_config_from_params", "params"),
        ("expand_quantization_presets", "quant_config"),
        ("expand_quant_config_to_parameter_spec", "quant_config"),
        ("get_quant_config_summary", "quant_config"),
        ("validate_task_quant_config", "quant_config"),
        ("generate_experiment_configs", "task"),
    ],
)
def test_signatures(name: str, parameters: str) -> None:
    signature = inspect.signature(getattr(autotuner, name))
    found = [
        item.name if item.default is item.empty else f"{item.name}={item.default!r}"
        for item in signature.parameters.values()
    ]
    assert ", ".join(found) == parameters
    assert name in autotuner.__all__ and len(autotuner.__all__) == 11


def experiment(*arguments: Any) -> list[tuple[str, Any]]:
    """Parameters of an experiment in order."""
    return list(autotuner.prepare_experiment_parameters(*arguments).items())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ("sglang", {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"}, {"tp-size": 2}),
            "quantization=fp8 dtype=auto kv-cache-dtype=fp8_e5m2 tp-size=2",
        ),
        (
            ("vllm", {"preset": "bf16-stable", "gemm_dtype": "float16"}, {}),
            "dtype=float16 kv-cache-dtype=fp8_e5m2",
        ),
        (
            ("tensorrt_llm", {"presets": ["dynamic-fp8"]}, None),
            "quant-algo=FP8 kv-cache-quant-algo=FP8 fmha-quant-algo=FP8",
        ),
        (("vllm", None, {"x": [1, 2]}), "dtype=auto kv-cache-dtype=auto x=1"),
        (
            # whatever its spelling, a parameter of the experiment wins, in the place of the setting
            (
                "sglang",
                {"kvcache_dtype": "fp8_e5m2"},
                {"--kv_cache_dtype": "fp8_e4m3", "tp-size": 1},
            ),
            "dtype=auto kv-cache-dtype=fp8_e4m3 tp-size=1",
        ),
        (
            ("vllm", {"preset": "universal-fp8"}, {"-tp": 4, "-q": "awq"}),
            "quantization=awq kv-cache-dtype=fp8_e5m2 tensor-parallel-size=4 dtype=auto",
        ),
        (
            ("sglang@0.5.6", {"preset": "dynamic-fp8"}, {"tensor-parallel-size": 2}),
            "quantization=fp8 dtype=auto kv-cache-dtype=fp8_e5m2 tp-size=2",
        ),
        (
            ("vllm==0.11.0", {"preset": "dynamic-fp8"}, {}),
            "quantization=fp8 dtype=auto kv-cache-dtype=fp8_e4m3",
        ),
    ],
)
def test_parameters_of_an_experiment(arguments: tuple[Any, ...], expected: str) -> None:
    found = experiment(*arguments, MODEL)
    assert " ".join(f"{name}={value}" for name, value in found) == expected
    assert all(type(value) is str for _, value in found)


def test_switches_and_nulls_of_an_experiment() -> None:
    given = {"enable-metrics": True, "disable-radix-cache": False, "seed": None, "ratio": 0.5}
    assert experiment("sglang", {}, given, MODEL)[2:] == [
        ("enable-metrics", True),
        ("disable-radix-cache", False),
        ("ratio", "0.5"),
    ]


QUANTIZED = {"quantization_config": {"quant_method": "AWQ", "bits": 4}}


def test_a_quantized_model(caplog: pytest.LogCaptureFixture) -> None:
    config = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"}
    found = experiment("vllm", config, {}, MODEL, QUANTIZED)
    assert found == [("dtype", "auto"), ("kv-cache-dtype", "fp8_e5m2")]
    assert logged(caplog) == [
        "Ignoring gemm_dtype='fp8': model already quantized with awq. "
        "Dynamic quantization applies to unquantized models only."
    ]


def test_runtime_parameters() -> None:
    params = {"tp-size": 2, "__quant__preset": "kv-cache-fp8", "__quant__gemm_dtype": "bfloat16"}
    assert list(autotuner.prepare_runtime_parameters("sglang", params, MODEL).items()) == [
        ("dtype", "bfloat16"),
        ("kv-cache-dtype", "fp8_e5m2"),
        ("tp-size", "2"),
    ]
    without = {"tp-size": 2, "--x": [1], "json": {"a": None}}
    found = autotuner.prepare_runtime_parameters("sglang", without, MODEL)
    assert found == {"tp-size": 2, "x": [1], "json": {"a": None}}
    found["json"]["a"] = 1
    assert without["json"] == {"a": None}


@pytest.mark.parametrize(
    ("config", "merged"),
    [
        (None, {}),
        ({}, {}),
        ({"gemm_dtype": None, "quantization_config": None}, {}),
        ({"preset": "default"}, {"preset": ["default"]}),
        ({"preset": ["default", "default"]}, {"preset": ["default", "default"]}),
        (
            {"moe_dtype": "fp8", "presets": ("default", "kv-cache-fp8")},
            {"preset": ["default", "kv-cache-fp8"], "moe_dtype": ["fp8"]},
        ),
        (
            {"quantization_config": {"kvcache_dtype": [None, "fp8"], "gemm_dtype": "fp8"}},
            {"gemm_dtype": ["fp8"], "kvcache_dtype": [None, "fp8"]},
        ),
        (
            {"parallelism": {"tensor_parallel_size": [1, 2], "pipeline_parallel_size": [1, 4]}},
            {
                "parallelism": [
                    {"tensor_parallel_size": tp, "pipeline_parallel_size": pp}
                    for tp in (1, 2)
                    for pp in (1, 4)
                ]
            },
        ),
        (
            {"dtype": "bfloat16", "quantization": {"method": ["fp8", "none"]}},
            {"quantization": [{"method": "fp8"}, {"method": "none"}], "dtype": ["bfloat16"]},
        ),
    ],
)
def test_merge(config: Any, merged: dict[str, Any]) -> None:
    base = {"tp-size": [1, 2], "x": {"type": "choice", "values": [1]}}
    before = copy.deepcopy(config)
    found = autotuner.merge_parameters_with_quant_config(base, config)
    assert list(found.items()) == [
        *base.items(),
        *((f"__quant__{key}", values) for key, values in merged.items()),
    ]
    assert autotuner.merge_parameters_with_quant_config(None, config) == {
        f"__quant__{key}": values for key, values in merged.items()
    }
    assert config == before and len(base) == 2


@pytest.mark.parametrize(
    ("params", "rest", "config"),
    [
        ({}, {}, None),
        (None, {}, None),
        ({"x": 1, "_quant_y": 2}, {"x": 1, "_quant_y": 2}, None),
        ({"__quant__gemm_dtype": None}, {}, None),
        ({"__quant__preset": "default", "x": [1]}, {"x": [1]}, {"preset": "default"}),
        (
            {"__quant__kv_cache": {"dtype": "auto"}, "__quant__dtype": "auto"},
            {},
            {"kv_cache": {"dtype": "auto"}, "dtype": "auto"},
        ),
    ],
)
def test_extract(params: Any, rest: Any, config: Any) -> None:
    assert autotuner.extract_quant_config_from_params(params) == (rest, config)


@pytest.mark.parametrize(
    ("config", "expanded"),
    [
        (None, [None]),
        ({}, [None]),
        ({"gemm_dtype": ["fp8", "auto"]}, [{"gemm_dtype": ["fp8", "auto"]}]),
        ({"preset": "default"}, [{"preset": "default"}]),
        (
            {"presets": ["default", "kv-cache-fp8"], "gemm_dtype": "fp8", "moe_dtype": None},
            [
                {"preset": "default", "gemm_dtype": "fp8"},
                {"preset": "kv-cache-fp8", "gemm_dtype": "fp8"},
            ],
        ),
        ({"quantization_config": {"presets": ["default"]}}, [{"preset": "default"}]),
    ],
)
def test_expand(config: Any, expanded: list[Any]) -> None:
    assert autotuner.expand_quantization_presets(config) == expanded


@pytest.mark.parametrize(
    ("config", "summary"),
    [
        (None, "No quantization"),
        ({"preset": None}, "No quantization"),
        (
            {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2"},
            "GEMM: fp8, KV Cache: fp8_e5m2, Attention: auto, MoE: auto",
        ),
        (
            {"preset": "aggressive-moe"},
            "GEMM: bfloat16, KV Cache: fp8_e5m2, Attention: fp8, MoE: w4afp8",
        ),
        (
            {"kvcache_dtype": ["auto", "fp8", None]},
            "GEMM: auto, KV Cache: auto or fp8 or left out, Attention: auto, MoE: auto",
        ),
        ({"presets": ["default", "kv-cache-fp8"]}, "Presets: default, kv-cache-fp8"),
        (
            {"presets": ["default", "kv-cache-fp8"], "gemm_dtype": "fp8", "moe_dtype": ["fp8"]},
            "Presets: default, kv-cache-fp8 (GEMM: fp8, MoE: fp8)",
        ),
        (
            {"quantization": {"method": ["awq", "gptq"], "enable_marlin": True}},
            "Method: awq or gptq, Marlin kernels: true",
        ),
    ],
)
def test_summary(config: Any, summary: str) -> None:
    assert autotuner.get_quant_config_summary(config) == summary


TASK = {
    "task_name": "t",
    "base_runtime": "vllm",
    "model": {"id_or_path": MODEL, "namespace": "autotuner"},
    "parameters": {"quantization_preset": ["universal-fp8", "sglang-marlin-moe", "high-quality"]},
}


def test_experiments_of_a_task(caplog: pytest.LogCaptureFixture) -> None:
    first, second = autotuner.generate_experiment_configs(TASK)
    assert first == {
        "preset": "universal-fp8",
        "quantization_config": quantmap.expand_preset("universal-fp8"),
        "runtime_args": {
            "--quantization": "fp8",
            "--kv-cache-dtype": "fp8_e5m2",
            "--tensor-parallel-size": 2,
            "--dtype": "auto",
        },
    }
    assert second["preset"] == "high-quality"
    words = {"value": "Preset 'sglang-marlin-moe'", "engine": "vllm", "list": "$.moe"}
    assert logged(caplog) == [fill(REGISTRY["config-left-out"]["template"], words)]


@pytest.mark.parametrize("runtime", ENGINES)
def test_experiments_are_those_of_the_orchestrator(runtime: str) -> None:
    """As the unified document's own loop gives them, for all presets."""
    presets = list(quantmap.QUANTIZATION_PRESETS)
    expected = [
        {
            "preset": name,
            "quantization_config": quantmap.expand_preset(name),
            "runtime_args": quantmap.map_to_engine_args(quantmap.expand_preset(name), runtime),
        }
        for name in presets
        if quantmap.validate_config_for_engine(quantmap.expand_preset(name), runtime)
    ]
    task = {"base_runtime": runtime, "parameters": {"quantization_preset": presets}}
    assert autotuner.generate_experiment_configs(task) == expected
    assert 5 <= len(expected) <= len(presets)


@pytest.mark.parametrize(
    ("changes", "kv"),
    [
        ({}, "fp8_e5m2"),
        ({"runtime_image_tag": "v0.11.0-cu128"}, "fp8_e4m3"),
        ({"base_runtime": "vllm@0.11.0"}, "fp8_e4m3"),
        ({"base_runtime": "vllm@0.11.0", "runtime_image_tag": "nightly-5"}, "fp8_e4m3"),
        ({"runtime_image_tag": "nightly-5"}, "fp8_e5m2"),
    ],
)
def test_a_task_that_names_a_release(changes: dict[str, Any], kv: str) -> None:
    for found in autotuner.generate_experiment_configs({**TASK, **changes})[:1]:
        assert found["runtime_args"]["--kv-cache-dtype"] == kv
        assert found["runtime_args"]["--tensor-parallel-size"] == 2


@pytest.mark.parametrize(
    ("task", "presets"),
    [
        ({"base_runtime": "vllm"}, []),
        ({"base_runtime": "vllm", "quant_config": {}}, []),
        ({"base_runtime": "vllm", "quant_config": {"preset": "default"}}, ["default"]),
        ({"base_runtime": "vllm", "quant_config": {"gemm_dtype": "fp8"}}, [None]),
        (
            {"base_runtime": "sglang", "quant_config": {"presets": ["default", "dynamic-fp8"]}},
            ["default", "dynamic-fp8"],
        ),
    ],
)
def test_other_places_of_a_preset(task: dict[str, Any], presets: list[Any]) -> None:
    found = autotuner.generate_experiment_configs(task)
    assert [item["preset"] for item in found] == presets


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"base_runtime": None}, "runtime"),
        ({"base_runtime": "vlm"}, "runtime"),
        ({"base_runtime": "vllm@0.0.1"}, "runtime"),
        ({"quant_config": {"preset": "default"}}, "$.parameters.quantization_preset"),
        ({"parameters": []}, "$.parameters"),
        ({"parameters": {"quantization_preset": ["default", "x"]}}, "$.presets[1]"),
        ({"model": 3}, "model_path"),
        ({"runtime_image_tag": 5}, "runtime_image_tag"),
    ],
)
def test_a_task_that_cannot_be_used(changes: dict[str, Any], path: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        autotuner.generate_experiment_configs({**TASK, **changes})
    assert path in [problem.path for problem in caught.value.diagnostics]
