"""The method that a checkpoint names itself, asked of the release; what its groups hold."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

LLAMA: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "torch_dtype": "bfloat16",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
EXPERTS = {
    **LLAMA,
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
}
HQQ = {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4}}}
FBGEMM = {"quant_method": "fbgemm_fp8", "modules_to_not_convert": ["lm_head"]}
MXFP8 = {"quant_method": "mxfp8", "weight_block_size": [1, 32]}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}
AUTO_ROUND = {"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": True}
GROUPS = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "dynamic": False}


def groups(form: str = "pack-quantized", **weights: Any) -> dict[str, Any]:
    whole = {"targets": ["Linear"], "weights": {**GROUPS, "symmetric": True, **weights}}
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {**whole, "input_activations": None}},
    }


def said(
    engine: str, release: str, gpu: str, quantization: Any, line: str = "", shape: Any = LLAMA
) -> list[str]:
    """What is told against a launch."""
    start = "vllm serve m " if engine == "vllm" else "python -m sglang.launch_server --model m "
    model = {**shape, "quantization_config": quantization}
    result = quantmap.check(
        start + line, engine=engine, engine_version=release, gpu=gpu, checkpoint=model
    )
    told = [verdict.reason for verdict in result.verdicts if verdict.refused]
    return told + [note.message for note in result.refusals]


@pytest.mark.parametrize(
    ("engine", "release", "gpu", "quantization", "reason"),
    [
        ("vllm", "0.33.0", "H100", HQQ, "hqq is no quantization method of vLLM 0.33.0"),
        ("vllm", "0.11.0", "H100", HQQ, ""),
        ("vllm", "0.11.0", "T4", HQQ, "hqq needs compute capability 8.0 or newer"),
        ("vllm", "0.20.0", "H100", FBGEMM, "it needs --allow-deprecated-quantization"),
        ("vllm", "0.13.0", "H100", FBGEMM, ""),
        ("vllm", "0.20.0", "B200", MXFP8, "for weights that are not quantized yet"),
        ("vllm", "0.33.0", "B200", MXFP8, ""),
        ("vllm", "0.14.0", "H100", AUTO_ROUND, "it needs --allow-deprecated-quantization"),
        ("vllm", "0.15.0", "H100", AUTO_ROUND, ""),
        ("sglang", "0.5.23", "H100", FBGEMM, "fbgemm_fp8 is no quantization method of SGLang"),
        ("sglang", "0.5.6", "H100", FBGEMM, ""),
        ("sglang", "0.5.23", "H100", MXFP8, "MXFP8 checkpoints need SM100 or newer"),
        ("sglang", "0.5.23", "B200", MXFP8, ""),
    ],
)
def test_the_release_has_the_method_or_not(
    engine: str, release: str, gpu: str, quantization: Any, reason: str
) -> None:
    told = said(engine, release, gpu, quantization)
    assert (not told) if not reason else any(reason in text for text in told)


def test_what_lets_a_deprecated_method_through() -> None:
    assert not said("vllm", "0.20.0", "H100", FBGEMM, "--allow-deprecated-quantization")


def test_another_method_beside_it() -> None:
    assert any(
        "differs from mxfp8" in text
        for text in said("vllm", "0.33.0", "B200", MXFP8, "--quantization fp8")
    )
    modelopt = {"quant_method": "modelopt", "quant_algo": "MXFP8"}
    assert not said("vllm", "0.33.0", "B200", modelopt, "--quantization fp8")  # its own is kept
    assert not said("vllm", "0.33.0", "H100", AUTO_ROUND, "--quantization awq")
    assert said("vllm", "0.13.0", "H100", AUTO_ROUND, "--quantization awq")
    beside = said("vllm", "0.33.0", "B200", MXFP8, "--quantization humming")
    assert not any("differs" in text for text in beside)  # what the release lets stand there


def test_a_type_that_the_method_does_not_take() -> None:
    assert any(
        "hqq takes no float32 model" in text
        for text in said("vllm", "0.11.0", "H100", HQQ, "--dtype float32")
    )
    # AWQ of a bfloat16 model: by its name it takes float16 only, also when no type is named.
    awq = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True}
    assert any(
        "awq takes no bfloat16 model" in text
        for text in said("vllm", "0.13.0", "H100", awq, "--quantization awq")
    )
    assert not said("vllm", "0.13.0", "H100", awq)


@pytest.mark.parametrize(
    ("engine", "release", "gpu", "quantization", "refused"),
    [
        ("vllm", "0.22.0", "H100", {**GPTQ, "sym": False}, True),
        ("vllm", "0.22.0", "H100", GPTQ, False),
        ("sglang", "0.5.23", "H100", {**GPTQ, "sym": False}, True),
        ("sglang", "0.5.6", "H100", groups(symmetric=False), True),
        ("sglang", "0.5.13", "H100", groups(symmetric=False), False),
        ("vllm", "0.13.0", "T4", groups(symmetric=False), True),
        ("vllm", "0.14.0", "T4", groups(symmetric=False), False),
        ("vllm", "0.13.0", "H100", groups("mxfp4-pack-quantized", type="float"), True),
        ("vllm", "0.20.0", "H100", groups("mxfp4-pack-quantized", type="float"), False),
    ],
)
def test_what_the_groups_hold(
    engine: str, release: str, gpu: str, quantization: Any, refused: bool
) -> None:
    assert bool(said(engine, release, gpu, quantization)) == refused


def test_experts_with_zero_points_and_without_a_kernel() -> None:
    asymmetric = groups(symmetric=False)
    assert said("vllm", "0.13.0", "H100", asymmetric, shape=EXPERTS)
    assert not said("vllm", "0.24.0", "H100", asymmetric, shape=EXPERTS)
    assert said("sglang", "0.5.3.post1", "H100", groups(), shape=EXPERTS)
    assert not said("sglang", "0.5.4", "H100", groups(), shape=EXPERTS)
    rounded = {**EXPERTS, "torch_dtype": "float16"}
    assert said("vllm", "0.9.2", "T4", AUTO_ROUND, shape=rounded)
    assert not said("vllm", "0.10.2", "T4", AUTO_ROUND, shape=rounded)


def test_what_the_bitsandbytes_loader_asks_of_a_model() -> None:
    mamba = {"architectures": ["Mamba2ForCausalLM"], "model_type": "mamba2", "hidden_size": 2560}
    own = {"quant_method": "bitsandbytes", "load_in_4bit": True}
    for quantization, line in ((None, "--quantization bitsandbytes"), (own, "")):
        told = said(
            "vllm", "0.20.0", "H100", quantization, line, {**mamba, "num_hidden_layers": 64}
        )
        assert any("which of its layers are packed" in text for text in told)


def test_soft_caps_and_heads_of_256() -> None:
    gemma = {
        **LLAMA,
        "architectures": ["Gemma2ForCausalLM"],
        "model_type": "gemma2",
        "head_dim": 256,
        "attn_logit_softcapping": 50.0,
    }
    flex = "--attention-backend FLEX_ATTENTION"
    assert said("vllm", "0.33.0", "H100", None, flex, gemma)
    assert not said("vllm", "0.33.0", "H100", None, flex, {**gemma, "attn_logit_softcapping": None})
    assert said("vllm", "0.13.0", "B200", None, "", gemma)
    assert not said("vllm", "0.13.0", "B200", None, "--block-size 32", gemma)
    assert not said("vllm", "0.18.0", "B200", None, "", gemma)
    # Beside layers with a state the blocks are larger: their pages have to be of one size.
    hybrid = {**gemma, "layer_types": ["linear_attention", "full_attention"] * 16}
    assert not said("vllm", "0.13.0", "B200", None, "", hybrid)


def test_the_groups_of_nvfp4_over_gpus() -> None:
    nvfp4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "group_size": 16}
    narrow = {**LLAMA, "intermediate_size": 1856 * 2}
    for engine, line in (("vllm", "-tp 8"), ("sglang", "--tp 8 --quantization modelopt_fp4")):
        release = "0.33.0" if engine == "vllm" else "0.5.23"
        told = said(
            engine, release, "B200", nvfp4, line + "", {**narrow, "intermediate_size": 1864}
        )
        assert any("no multiple of 16" in text for text in told)
        assert not said(engine, release, "B200", nvfp4, line, narrow)
    experts = {**EXPERTS, "moe_intermediate_size": 1856}
    told = said("vllm", "0.25.1", "H100", nvfp4, "-tp 8", experts)
    assert any("232, no multiple of 16" in text for text in told)


def test_the_section_of_modelopt_in_two_files() -> None:
    """SGLang looks into config.json first, and takes a section there for FP8 before 0.5.9."""
    nvfp4 = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    assert said("sglang", "0.5.6", "B200", nvfp4)
    assert not said("sglang", "0.5.6", "B200", nvfp4, "--quantization modelopt_fp4")
    assert not said("sglang", "0.5.6", "B200", nvfp4, shape=EXPERTS)  # set by itself on SM100
    assert said("sglang", "0.5.6", "RTX 5090", nvfp4, shape=EXPERTS)


def test_what_the_line_leaves_out_may_be_set() -> None:
    """What a value that the model itself has causes is no matter of the whole launch."""
    model = {**LLAMA, "quantization_config": {**GPTQ, "sym": False}}
    plain = quantmap.check("vllm serve m", engine_version="0.11.0", gpu="A100", checkpoint=model)
    (refusal,) = plain.refusals
    assert refusal.code == "needs-another-argument" and refusal.hint.startswith("set --dtype,")
    half = "vllm serve m --dtype half"
    assert quantmap.check(half, engine_version="0.11.0", gpu="A100", checkpoint=model).ok
