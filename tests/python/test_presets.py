"""Presets and overrides against an oracle that merges dicts."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st

ENGINES = ["vllm", "sglang", "tensorrt_llm"]
FOUR_FIELD = {
    "default": ("auto", "auto", "auto", "auto"),
    "kv-cache-fp8": ("auto", "fp8_e5m2", "auto", "auto"),
    "dynamic-fp8": ("fp8", "fp8_e5m2", "fp8", "auto"),
    "bf16-stable": ("bfloat16", "fp8_e5m2", "auto", "auto"),
    "aggressive-moe": ("bfloat16", "fp8_e5m2", "fp8", "w4afp8"),
}
FIELDS = ["gemm_dtype", "kvcache_dtype", "attention_dtype", "moe_dtype"]
UNIFIED: dict[str, dict[str, Any]] = {
    "universal-fp8": {
        "quantization": {"method": "fp8", "weight_bits": 8, "activation_bits": 8},
        "kv_cache": {"dtype": "fp8_e5m2"},
        "parallelism": {"tensor_parallel_size": 2},
        "dtype": "auto",
    },
    "sglang-marlin-moe": {
        "quantization": {
            "method": "awq_marlin",
            "weight_bits": 4,
            "enable_marlin": True,
            "fallback_method": "awq",
        },
        "kv_cache": {"dtype": "fp8_e5m2"},
        "parallelism": {"tensor_parallel_size": 4},
        "moe": {
            "quantization": "w4afp8",
            "runner_backend": "flashinfer_mxfp4",
            "expert_tp_size": 2,
        },
        "attention": {"backend": "flashinfer"},
        "dtype": "bfloat16",
    },
    "extreme-compression": {
        "quantization": {"method": "gptq_marlin", "weight_bits": 4, "enable_marlin": True},
        "kv_cache": {"dtype": "fp8_e5m2"},
        "parallelism": {"tensor_parallel_size": 1},
        "dtype": "bfloat16",
    },
    "high-quality": {
        "quantization": {"method": "none"},
        "kv_cache": {"dtype": "bfloat16"},
        "parallelism": {"tensor_parallel_size": 2},
        "dtype": "bfloat16",
    },
    "blackwell-fp4": {
        "quantization": {"method": "modelopt_fp4", "weight_bits": 4},
        "kv_cache": {"dtype": "fp8_e5m2"},
        "parallelism": {"tensor_parallel_size": 4},
        "dtype": "auto",
    },
}
EXPECTED: dict[str, dict[str, Any]] = {
    **{name: dict(zip(FIELDS, values)) for name, values in FOUR_FIELD.items()},
    **UNIFIED,
}

check = settings(deadline=None, derandomize=True, database=None, max_examples=300)


def drop_nulls(config: Mapping[str, Any]) -> dict[str, Any]:
    """A copy without the keys that are null."""
    return {
        key: drop_nulls(value) if isinstance(value, Mapping) else value
        for key, value in config.items()
        if value is not None
    }


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two configs, the second on top, key by key."""
    out = copy.deepcopy(dict(base))
    for key, value in over.items():
        if isinstance(value, Mapping) and isinstance(out.get(key), Mapping):
            out[key] = merged(out[key], value)
        else:
            out[key] = copy.deepcopy(value)
    return out


def outcome(call: Any) -> Any:
    """What a call gives, or the codes and the last keys of what it complains about."""
    try:
        return call()
    except quantmap.ConfigError as error:
        return sorted(
            (diagnostic.code, diagnostic.path.rsplit(".", 1)[-1])
            for diagnostic in error.diagnostics
        )


def null_or(*options: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([None, *options])


FOUR_FIELD_OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "gemm_dtype": null_or("auto", "float16", "fp8", "int8"),
        "kvcache_dtype": null_or("auto", "fp16", "int4", "fp8_e4m3"),
        "attention_dtype": null_or("auto", "bfloat16", "fp8_block"),
        "moe_dtype": null_or("auto", "fp8", "mxfp4", "int8"),
    },
)
UNIFIED_OVERRIDES = st.fixed_dictionaries(
    {},
    optional={
        "quantization": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "method": null_or("none", "awq", "fp8", "qoq", "w4a8", "modelopt_fp8", "marlin"),
                "weight_bits": null_or(4, 8),
                "enable_marlin": null_or(True, False),
                "fp8_variant": null_or("standard", "ptpc_fp8", "w8a8_fp8"),
                "fallback_method": null_or("awq", "fp8"),
                "base_quantization": null_or("gptq"),
            },
        ),
        "kv_cache": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "dtype": null_or("auto", "fp8", "fp8_e4m3", "bfloat16"),
                "fp8_format": null_or("e4m3", "e5m2"),
            },
        ),
        "parallelism": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "tensor_parallel_size": null_or(1, 8),
                "pipeline_parallel_size": null_or(1, 3),
            },
        ),
        "moe": st.none()
        | st.fixed_dictionaries(
            {},
            optional={
                "quantization": null_or("fp8", "moe_wna16"),
                "runner_backend": null_or("auto", "flashinfer_cutlass"),
                "expert_parallel_size": null_or(2),
            },
        ),
        "attention": st.none()
        | st.fixed_dictionaries({}, optional={"backend": null_or("auto", "fa3", "triton")}),
        "dtype": null_or("auto", "float16"),
        "name": null_or("mine"),
    },
)
ASKED = st.one_of(
    st.tuples(st.sampled_from(sorted(FOUR_FIELD)), FOUR_FIELD_OVERRIDES),
    st.tuples(st.sampled_from(sorted(UNIFIED)), UNIFIED_OVERRIDES),
)


def test_all_ten() -> None:
    presets = quantmap.QUANTIZATION_PRESETS
    assert isinstance(presets, Mapping)
    assert dict(presets) == EXPECTED
    assert list(presets) == list(EXPECTED)
    assert len(presets) == 10
    assert "kv-cache-fp8" in presets
    assert "KV-cache-fp8" not in presets
    with pytest.raises(KeyError):
        presets["kv-cache-fp9"]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_expanded_in_order_and_fresh(name: str) -> None:
    first = quantmap.expand_preset(name)
    assert first == EXPECTED[name]
    assert list(first) == list(EXPECTED[name])
    for key, value in first.items():
        if isinstance(value, dict):
            assert list(value) == list(EXPECTED[name][key])
            value.clear()
    first.clear()
    assert quantmap.expand_preset(name) == EXPECTED[name]
    assert quantmap.QUANTIZATION_PRESETS[name] == EXPECTED[name]
    assert quantmap.resolve_quant_config({"preset": name}) == EXPECTED[name]
    assert quantmap.resolve_quant_config({"presets": [name], "preset": None}) == EXPECTED[name]


@check
@given(asked=ASKED, several=st.booleans(), wrapped=st.booleans())
def test_overrides(asked: tuple[str, dict[str, Any]], several: bool, wrapped: bool) -> None:
    preset, overrides = asked
    name: dict[str, Any] = {"presets": [preset]} if several else {"preset": preset}
    config = {**name, **overrides}
    if wrapped:
        config = {"quantization_config": config}
    before = copy.deepcopy(config)
    flat = merged(EXPECTED[preset], drop_nulls(overrides))
    valid, _ = quantmap.validate_quant_config(config)
    resolved = outcome(lambda: quantmap.resolve_quant_config(config))
    assert resolved == outcome(lambda: quantmap.resolve_quant_config(flat))
    assert valid is isinstance(resolved, dict)
    if valid:
        assert drop_empty(resolved) == drop_empty(completed(flat))
        assert quantmap.resolve_quant_config(resolved) == resolved
    for engine in ENGINES:
        for wanted, got in (
            (
                outcome(lambda: quantmap.get_runtime_args(engine, flat)),  # noqa: B023
                outcome(lambda: quantmap.get_runtime_args(engine, config)),  # noqa: B023
            ),
            (
                outcome(lambda: quantmap.map_to_engine_args(flat, engine)),  # noqa: B023
                outcome(lambda: quantmap.map_to_engine_args(config, engine)),  # noqa: B023
            ),
        ):
            assert got == wanted
            assert list(got) == list(wanted)
    assert config == before


def completed(config: dict[str, Any]) -> dict[str, Any]:
    """A config whose KV dtype ``fp8`` is completed by the format, e5m2 unless it says so."""
    out = copy.deepcopy(config)
    cache = out.get("kv_cache", {})
    if cache.get("dtype") == "fp8":
        cache["dtype"] = "fp8_" + cache.get("fp8_format", "e5m2")
    return out


def drop_empty(config: dict[str, Any]) -> dict[str, Any]:
    """A config without empty sections."""
    return {key: value for key, value in config.items() if value != {}}


@check
@given(
    preset=st.sampled_from(sorted(EXPECTED)), engine=st.sampled_from(ENGINES), model=st.booleans()
)
def test_preset_is_its_expansion(preset: str, engine: str, model: bool) -> None:
    quantized = "gptq" if model else None
    named = quantmap.explain(engine, {"preset": preset}, None, quantized)
    written = quantmap.explain(engine, EXPECTED[preset], None, quantized)
    assert named.args == written.args
    assert named.env == written.env
    assert [one.code for one in named.diagnostics] == [one.code for one in written.diagnostics]


@pytest.mark.parametrize("name", ["default", "universal-fp8"])
def test_keys_of_the_other_form(name: str) -> None:
    other = {"kv_cache": {}} if name == "default" else {"gemm_dtype": "auto"}
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.resolve_quant_config({"preset": name, **other})
    assert [diagnostic.code for diagnostic in caught.value.diagnostics] == ["mixed-forms"]


def test_nothing_asked() -> None:
    everything_auto = dict.fromkeys(FIELDS, "auto")
    empty: list[Any] = [None, {}, {"preset": None}, {"quantization_config": {}}]
    for config in [*empty, {"gemm_dtype": None}]:
        assert quantmap.resolve_quant_config(config) == everything_auto
        assert list(quantmap.resolve_quant_config(config)) == FIELDS
