"""What the engines' own start-up refuses of a model, on both sides of each border."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

from tests.python.test_deployment import AWQ, DENSE, FP8_BLOCK, MLA, NVFP4, SINKS, packed, quantized

GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False}
INT8 = packed(8, "int", {"num_bits": 8, "type": "int", "dynamic": True})
FP8_TOKEN = packed(8, "float", {"num_bits": 8, "type": "float", "dynamic": True})
EXPERTS = {**DENSE, "num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768}
QWEN_MOE = {**EXPERTS, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe"}


def ordered(section: dict[str, Any], order: str) -> dict[str, Any]:
    weights = {**section["config_groups"]["group_0"]["weights"], "actorder": order}
    return {**section, "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def starts(engine: str, gpu: str, model: dict[str, Any], **arguments: str) -> bool:
    """Whether a line with these arguments is refused by nothing."""
    name, _, version = engine.partition("@")
    given = {f"--{key.replace('_', '-')}": value for key, value in arguments.items()}
    return quantmap.check(given, name, engine_version=version, gpu=gpu, checkpoint=model).ok


@pytest.mark.parametrize(
    ("engine", "gpu", "model", "served"),
    [
        ("sglang@0.5.23", "T4", quantized(DENSE, packed(4, "int")), False),
        ("sglang@0.5.23", "A100", quantized(DENSE, packed(4, "int")), True),
        ("sglang@0.4.6", "T4", quantized(DENSE, FP8_TOKEN), False),
        ("sglang@0.5.6", "A100", quantized(DENSE, INT8), False),
        ("sglang@0.5.7", "A100", quantized(DENSE, INT8), True),
        ("sglang@0.5.6", "L40S", quantized(DENSE, INT8), True),
        ("sglang@0.5.10", "A100", quantized(QWEN_MOE, INT8), False),
        ("vllm@0.29.0", "H100", quantized(DENSE, {**GPTQ, "desc_act": True}), True),
        ("vllm@0.30.0", "H100", quantized(DENSE, {**GPTQ, "desc_act": True}), False),
        ("vllm@0.30.0", "H100", quantized(DENSE, GPTQ), True),
        (
            "vllm@0.30.0",
            "H100",
            quantized(DENSE, {**GPTQ, "desc_act": True, "group_size": -1}),
            True,
        ),
        ("vllm@0.29.0", "H100", quantized(DENSE, ordered(packed(4, "int"), "group")), True),
        ("vllm@0.30.0", "H100", quantized(DENSE, ordered(packed(4, "int"), "group")), False),
        ("vllm@0.30.0", "H100", quantized(DENSE, ordered(packed(4, "int"), "static")), True),
    ],
)
def test_a_checkpoint_is_served_or_not(engine: str, gpu: str, model: Any, served: bool) -> None:
    assert starts(engine, gpu, model) is served
    mapping = quantmap.explain(engine, {}, gpu=gpu, checkpoint=model)
    outcomes = {decision.outcome for decision in mapping.decisions}
    assert ("cannot-serve" in outcomes) is not served


@pytest.mark.parametrize(
    ("engine", "gpu", "model", "arguments", "ok"),
    [
        # experts that choose their runner themselves
        ("sglang@0.5.6", "A100", quantized(QWEN_MOE, AWQ), {"moe_runner_backend": "triton"}, True),
        (
            "sglang@0.5.11",
            "A100",
            quantized(QWEN_MOE, AWQ),
            {"moe_runner_backend": "triton"},
            False,
        ),
        (
            "sglang@0.5.23",
            "H100",
            quantized(QWEN_MOE, NVFP4),
            {"moe_runner_backend": "cutlass"},
            False,
        ),
        (
            "sglang@0.5.23",
            "B200",
            quantized(QWEN_MOE, NVFP4),
            {"moe_runner_backend": "cutlass"},
            True,
        ),
        ("sglang@0.5.23", "H100", QWEN_MOE, {"moe_runner_backend": "hpc_ops"}, False),
        ("sglang@0.5.23", "H100", QWEN_MOE, {"moe_runner_backend": "flashinfer_cutedsl"}, False),
        # below SM80 every model runs in float16, gpt-oss in bfloat16 above
        ("sglang@0.5.23", "T4", quantized(DENSE, AWQ), {"dtype": "float32"}, True),
        ("sglang@0.5.23", "A100", quantized(DENSE, AWQ), {"dtype": "float32"}, False),
        ("sglang@0.5.23", "H100", SINKS, {"dtype": "float32"}, True),
        ("sglang@0.5.9", "B200", quantized(QWEN_MOE, AWQ), {"dtype": "bfloat16"}, False),
        (
            "sglang@0.5.23",
            "A100",
            quantized(DENSE, packed(4, "int")),
            {"quantization": "unquant"},
            True,
        ),
        ("sglang@0.5.23", "H100", DENSE, {"attention_backend": "dual_chunk_flash_attn"}, False),
        ("sglang@0.5.23", "B200", DENSE, {"attention_backend": "tokenspeed_mla"}, False),
        ("sglang@0.5.23", "B200", DENSE, {"attention_backend": "compressed"}, False),
        ("sglang@0.5.23", "B200", DENSE, {"prefill_kv_cache_dequant_dtype": "fp8_e4m3"}, False),
        # named backends of experts, by scheme and GPU
        ("vllm@0.33.0", "H100", QWEN_MOE, {"quantization": "mxfp8", "moe_backend": "marlin"}, True),
        (
            "vllm@0.33.0",
            "H100",
            QWEN_MOE,
            {"quantization": "mxfp8", "moe_backend": "triton"},
            False,
        ),
        ("vllm@0.33.0", "L40S", quantized(QWEN_MOE, FP8_BLOCK), {"moe_backend": "triton"}, True),
        ("vllm@0.33.0", "A100", quantized(QWEN_MOE, FP8_BLOCK), {"moe_backend": "triton"}, False),
        (
            "vllm@0.33.0",
            "A100",
            quantized(QWEN_MOE, FP8_BLOCK),
            {"moe_backend": "deep_gemm"},
            False,
        ),
        ("vllm@0.33.0", "B200", SINKS, {"moe_backend": "flashinfer_trtllm"}, True),
        ("vllm@0.33.0", "H100", SINKS, {"moe_backend": "flashinfer_trtllm"}, False),
        ("vllm@0.33.0", "H100", SINKS, {"quantization": "humming"}, False),
        # what takes the place of the checkpoint's method
        ("vllm@0.19.0", "H100", quantized(DENSE, GPTQ), {"quantization": "gguf"}, False),
        ("vllm@0.11.0", "A100", quantized(DENSE, NVFP4), {"quantization": "modelopt"}, True),
        ("vllm@0.20.0", "H100", quantized(DENSE, NVFP4), {"quantization": "fp8_per_block"}, False),
        ("vllm@0.22.0", "H100", quantized(DENSE, NVFP4), {"quantization": "fp8_per_block"}, True),
        ("vllm@0.19.0", "B200", SINKS, {"attention_backend": "FLASH_ATTN"}, False),
        ("vllm@0.20.0", "B200", SINKS, {"attention_backend": "FLASH_ATTN"}, True),
    ],
)
def test_a_line_is_refused_or_not(
    engine: str, gpu: str, model: Any, arguments: dict[str, str], ok: bool
) -> None:
    assert starts(engine, gpu, model, **arguments) is ok


def test_gguf_over_another_checkpoint_fails_only_when_it_loads() -> None:
    model = quantized(DENSE, GPTQ)
    stages = {}
    for version in ("0.19.0", "0.20.0", "0.24.0"):
        line = {"--quantization": "gguf"}
        result = quantmap.check(line, "vllm", engine_version=version, gpu="H100", checkpoint=model)
        stages[version] = result.verdicts[0].verdict
    assert stages == {
        "0.19.0": "refused-at-start",
        "0.20.0": "fails-later",
        "0.24.0": "refused-at-start",
    }


@pytest.mark.parametrize(
    ("version", "gpu", "dtype", "ok"),
    [
        ("0.22.0", "A100", "bfloat16", False),
        ("0.22.0", "A100", "float16", True),  # Exllama takes it
        ("0.22.0", "H100", "bfloat16", True),  # Machete takes it
        ("0.23.0", "A100", "bfloat16", True),  # Triton takes it
    ],
)
def test_a_width_that_marlin_does_not_take(version: str, gpu: str, dtype: str, ok: bool) -> None:
    """8256 is a multiple of the group of 64, not of the 128 inputs that Marlin takes at once."""
    section = {**GPTQ, "group_size": 64}
    model = quantized({**DENSE, "intermediate_size": 8256, "torch_dtype": dtype}, section)
    assert starts(f"vllm@{version}", gpu, model) is ok


def test_latent_attention_keeps_its_experts_by_scheme() -> None:
    assert starts("vllm@0.33.0", "H100", quantized(MLA, FP8_BLOCK), moe_backend="deep_gemm")


def test_a_json_value_of_the_user_counts_in_precision() -> None:
    given = {"quantization": "online", "quantization-config": '{"linear": "fp8_per_tensor"}'}
    mapping = quantmap.explain("vllm@0.33.0", {}, given, gpu="H100")
    assert mapping.precision["gemm"] == "FP8 W8A8 (dynamic)"


def test_cutlass_is_what_0_11_0_takes_by_itself_for_latent_attention_on_sm100() -> None:
    mapping = quantmap.explain("vllm@0.11.0", {}, gpu="B200", checkpoint=MLA)
    assert mapping.precision["backend"].startswith("CUTLASS_MLA")
