"""The documented import path: the same objects, the documented signatures, and old habits."""

from __future__ import annotations

import inspect
import logging
from typing import Any

import pytest
import quantmap
import quantmap.documented
import utils.quantization_mapper as swapped

DOCUMENTED = {
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
}


def test_the_same_names_everywhere() -> None:
    assert set(quantmap.documented.__all__) == DOCUMENTED
    assert len(quantmap.documented.__all__) == len(DOCUMENTED)
    public = {name for name in vars(swapped) if not name.startswith("_")}
    assert public == DOCUMENTED
    for name in DOCUMENTED:
        assert getattr(swapped, name) is getattr(quantmap.documented, name)
        assert getattr(quantmap, name) is getattr(quantmap.documented, name)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("expand_preset", ["preset_name"]),
        ("validate_quant_config", ["config"]),
        ("resolve_quant_config", ["config"]),
        ("should_apply_dynamic_fp8", ["gemm_dtype", "model_quantization=None"]),
        ("map_to_vllm_args", ["quant_config", "model_quantization=None"]),
        ("map_to_sglang_args", ["quant_config", "model_quantization=None"]),
        ("map_to_tensorrt_llm_args", ["quant_config", "model_quantization=None"]),
        ("merge_parameters", ["quant_args", "user_parameters", "*", "runtime=None"]),
        (
            "get_runtime_args",
            [
                "runtime",
                "quant_config",
                "user_parameters=None",
                "model_quantization=None",
                "*",
                "engine_version=None",
                "gpu=None",
                "checkpoint=None",
                "policy='degrade'",
            ],
        ),
        ("map_to_engine_args", ["config", "engine"]),
        ("map_to_vllm", ["config"]),
        ("map_to_tensorrt_llm", ["config"]),
        ("map_to_sglang", ["config"]),
        ("validate_config_for_engine", ["config", "engine"]),
    ],
)
def test_signatures(name: str, parameters: list[str]) -> None:
    found: list[str] = []
    for parameter in inspect.signature(getattr(swapped, name)).parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in found:
            found.append("*")
        default = parameter.default
        found.append(
            parameter.name if default is parameter.empty else f"{parameter.name}={default!r}"
        )
    assert found == parameters


@pytest.mark.parametrize("value", ["vllm", "tensorrt_llm", "sglang"])
def test_engines_are_values_and_texts(value: str) -> None:
    engine = swapped.Engine(value)
    assert engine.value == engine == value
    config = {"preset": "universal-fp8"}
    assert swapped.map_to_engine_args(config, engine) == swapped.map_to_engine_args(config, value)
    assert swapped.get_runtime_args(engine, config) == swapped.get_runtime_args(value, config)
    assert isinstance(swapped.validate_config_for_engine(config, engine), bool)


@pytest.mark.parametrize(
    ("spelt", "engine"),
    [
        ("SGLang", "sglang"),
        ("VLLM", "vllm"),
        ("trtllm", "tensorrt_llm"),
        ("TRT-LLM", "tensorrt_llm"),
        ("tensorrt-llm", "tensorrt_llm"),
        ("TensorRT_LLM", "tensorrt_llm"),
    ],
)
def test_spellings_of_engines(spelt: str, engine: str) -> None:
    config = {"preset": "dynamic-fp8"}
    assert swapped.get_runtime_args(spelt, config) == swapped.get_runtime_args(engine, config)


def test_old_habits(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="quantmap")
    found = swapped.get_runtime_args(
        runtime="vllm",
        quant_config={"gemm_dtype": "fp8", "attention_dtype": "float16"},
        user_parameters={"tensor-parallel-size": 2, "enforce-eager": True},
        model_quantization={"quant_method": "awq"},
    )
    assert {key.lstrip("-"): value for key, value in found.items()} == {
        "dtype": "auto",
        "kv-cache-dtype": "auto",
        "tensor-parallel-size": "2",
        "enforce-eager": True,
    }
    assert caplog.messages[0] == (
        "Ignoring gemm_dtype='fp8': model already quantized with awq. "
        "Dynamic quantization applies to unquantized models only."
    )
    assert {record.name for record in caplog.records} == {"quantmap"}
    with pytest.raises(ValueError, match="float16"):
        swapped.get_runtime_args("vllm", {"gemm_dtype": "fp16"})


def test_results_belong_to_the_caller() -> None:
    calls: list[Any] = [
        lambda: swapped.get_runtime_args("sglang", {}),
        lambda: swapped.map_to_sglang_args({}),
        lambda: swapped.expand_preset("universal-fp8"),
        lambda: swapped.resolve_quant_config({"preset": "universal-fp8"}),
        lambda: swapped.merge_parameters({"--a": "1"}, {}),
        lambda: swapped.QUANTIZATION_PRESETS["default"],
    ]
    for call in calls:
        first = call()
        assert first
        copied = dict(first)
        first.clear()
        assert call() == copied


def test_merging_keeps_the_inputs() -> None:
    arguments = {"--a": "1", "--b": "2"}
    parameters = {"b": [3, 4], "c": {"d": 1}}
    merged = swapped.merge_parameters(arguments, parameters)
    assert merged == {"--a": "1", "--b": "3", "--c": '{"d":1}'}
    assert arguments == {"--a": "1", "--b": "2"}
    assert parameters == {"b": [3, 4], "c": {"d": 1}}


@pytest.mark.parametrize(
    ("gemm", "model", "applies"),
    [
        ("fp8", None, True),
        ("fp8", "none", True),
        ("fp8", "GPTQ", False),
        ("fp8", {"quant_method": "awq"}, False),
        ("int8", None, False),
        ("auto", None, False),
        (None, None, False),
    ],
)
def test_dynamic_fp8(gemm: Any, model: Any, applies: bool) -> None:
    assert swapped.should_apply_dynamic_fp8(gemm, model) is applies
    assert swapped.should_apply_dynamic_fp8(gemm_dtype=gemm, model_quantization=model) is applies
