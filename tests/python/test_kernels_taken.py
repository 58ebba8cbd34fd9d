"""Which kernels a release takes by itself: named where its sources say, else left out."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

from tests.python.test_deployment import DENSE, MLA, SINKS

GPT_OSS: dict[str, Any] = {
    **DENSE,
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "quantization_config": {"quant_method": "mxfp4"},
}
MIXTRAL = {**DENSE, "architectures": ["MixtralForCausalLM"], "model_type": "mixtral"}


def named(version: str, gpu: str, model: dict[str, Any], **parameters: str) -> str:
    mapping = quantmap.explain(f"sglang@{version}", {}, parameters, gpu=gpu, checkpoint=model)
    return mapping.precision.get("backend", "").partition(",")[0]


@pytest.mark.parametrize(
    ("version", "gpu", "model", "backend"),
    [
        ("0.5.23", "A100", DENSE, "flashinfer"),
        ("0.5.23", "H100", DENSE, "fa3"),
        ("0.5.23", "B200", DENSE, "trtllm_mha"),
        ("0.5.23", "RTX 5090", DENSE, "flashinfer"),
        ("0.5.6", "B200", DENSE, "flashinfer"),
        ("0.5.6.post1", "RTX 5090", DENSE, "trtllm_mha"),  # whatever the kernels are for
        ("0.5.6", "H100", MIXTRAL, "flashinfer"),  # not among the models that got fa3 then
        ("0.5.8", "H100", MIXTRAL, "fa3"),
        ("0.4.4", "H100", DENSE, "flashinfer"),
        ("0.5.23", "H100", MLA, "fa3"),
        ("0.5.23", "B200", MLA, "trtllm_mla"),
        ("0.5.1", "B200", MLA, "flashinfer"),
        ("0.5.23", "A100", MLA, "triton"),
        ("0.5.23", "A100", GPT_OSS, "triton"),
        ("0.5.23", "H100", GPT_OSS, "fa3"),
        ("0.5.23", "B200", GPT_OSS, "trtllm_mha"),
    ],
)
def test_the_attention_backend_of_sglang(
    version: str, gpu: str, model: dict[str, Any], backend: str
) -> None:
    assert named(version, gpu, model) == backend


def test_fa3_gives_way_to_triton_for_e5m2() -> None:
    assert named("0.5.23", "H100", DENSE, kv_cache_dtype="fp8_e5m2") == "triton"
    given = {"kv_cache_dtype": "fp8_e5m2", "attention_backend": "fa3"}
    assert named("0.5.23", "H100", DENSE, **given) == "triton"
    assert named("0.5.23", "H100", DENSE, attention_backend="flashinfer") == "flashinfer"


def test_what_is_not_known_is_not_named() -> None:
    assert named("0.5.23", "H100", {**DENSE, "architectures": ["MiMoV2ForCausalLM"]}) == ""
    assert "backend" not in quantmap.explain("sglang@0.5.23", {}, checkpoint=DENSE).precision
    assert "backend" not in quantmap.explain("sglang@0.5.23", {}, gpu="H100").precision


@pytest.mark.parametrize(
    ("version", "gpu", "backend"),
    [("0.5.6", "A100", "triton_kernel"), ("0.5.23", "B200", "flashinfer_mxfp4"),
     ("0.5.12", "RTX 5090", "triton_kernel"), ("0.5.15", "RTX 5090", "marlin")],
)  # fmt: skip
def test_the_experts_backend_of_gpt_oss(version: str, gpu: str, backend: str) -> None:
    mapping = quantmap.explain(f"sglang@{version}", {}, gpu=gpu, checkpoint=GPT_OSS)
    assert mapping.precision["experts_backend"] == f"{backend}, the choice of SGLang {version}"


def refused(version: str, gpu: str, model: dict[str, Any], kv: str) -> list[str]:
    line = f"vllm serve m --kv-cache-dtype {kv}"
    found = quantmap.check(line, engine_version=version, gpu=gpu, checkpoint=model)
    return [v.verdict for v in found.verdicts if v.refused]


def test_a_packed_kv_cache_leaves_the_outer_layers_alone() -> None:
    few = {**MLA, "num_hidden_layers": 2}  # nothing of it is left between the first and last two
    assert refused("0.33.0", "A100", MLA, "turboquant_4bit_nc") == ["refused-at-start"]
    assert refused("0.33.0", "A100", few, "turboquant_4bit_nc") == []
    assert refused("0.20.0", "A100", few, "turboquant_4bit_nc") == ["refused-at-start"]


def test_hopper_lets_any_fp8_pass_until_it_runs() -> None:
    for kv in ("fp8_ds_mla", "fp8_inc"):
        assert refused("0.13.0", "H100", DENSE, kv) == ["fails-later"]
        assert refused("0.13.0", "A100", DENSE, kv) == ["refused-at-start"]
        assert refused("0.33.0", "H100", DENSE, kv) == ["refused-at-start"]


def backend_verdict(version: str, gpu: str, model: dict[str, Any], line: str) -> quantmap.Verdict:
    found = quantmap.check(
        f"vllm serve m --attention-backend {line}",
        engine_version=version,
        gpu=gpu,
        checkpoint=model,
    )
    return found.verdicts[0]


def test_a_backend_without_attention_sinks_is_refused_to_a_model_that_has_them() -> None:
    flex = "FLEX_ATTENTION"
    assert backend_verdict("0.33.0", "A100", DENSE, flex).verdict == "accepted"
    verdict = backend_verdict("0.33.0", "A100", SINKS, flex)
    assert verdict.refused and "takes no attention sinks on sm80" in verdict.reason
    assert verdict.hint == "TRITON_ATTN"  # nor is another such one offered
    assert not backend_verdict("0.33.0", "A100", SINKS, verdict.hint).refused


@pytest.mark.parametrize(
    ("size", "taken"), [(32, True), (80, False), (96, True), (128, True), (288, False)]
)
def test_sizes_of_heads_go_by_the_steps_of_the_kernel(size: int, taken: bool) -> None:
    """This one takes every 32nd size from 32 to 256."""
    verdict = backend_verdict("0.20.0", "H100", {**DENSE, "head_dim": size}, "TREE_ATTN")
    assert verdict.refused is not taken
    assert taken or f"no heads of size {size}" in verdict.reason


@pytest.mark.parametrize(
    ("gpu", "model", "line"),
    [
        ("B200", DENSE, "FLASHINFER --kv-cache-dtype nvfp4"),  # that type may be taken
        ("H100", SINKS, "FLASHINFER"),  # that the model's sinks are is left open
    ],
)
def test_what_the_sources_leave_open_is_no_refusal(
    gpu: str, model: dict[str, Any], line: str
) -> None:
    verdict = backend_verdict("0.33.0", gpu, model, line)
    assert (verdict.verdict, verdict.refused) == ("assumed", False)
    assert "do not say that it is" in verdict.reason


def test_a_choice_that_rests_on_what_is_open_says_so() -> None:
    chosen = {
        name: quantmap.explain("vllm@0.33.0", {}, gpu="B200", checkpoint=model).precision["backend"]
        for name, model in (("plain", DENSE), ("sinks", SINKS))
    }
    assert chosen["plain"] == "FLASHINFER, the choice of vLLM 0.33.0"
    assert chosen["sinks"] == (
        "FLASHINFER or FLASH_ATTN, the choice of vLLM 0.33.0 as far as known"
    )


def test_what_no_gpu_takes_does_not_depend_on_the_gpu() -> None:
    """fp8_inc is for Gaudi: it is an error without a GPU as with one, and nothing of some GPUs."""
    given = {"kv-cache-dtype": "fp8_inc"}
    for gpu in (None, "H100"):
        mapping = quantmap.explain("vllm@0.33.0", {}, given, gpu=gpu, model_quantization="none")
        told = [d.code for d in mapping.diagnostics if "Gaudi" in d.message]
        assert told == ["refused-at-start"], gpu
