"""What a release serves of a kind of model or of checkpoint, on each side of each border."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

Config = dict[str, Any]
DENSE: Config = {
    "architectures": ["Qwen3ForCausalLM"],
    "model_type": "qwen3",
    "hidden_size": 1024,
    "intermediate_size": 2048,
    "num_hidden_layers": 2,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "vocab_size": 1024,
    "torch_dtype": "bfloat16",
}
EXPERTS: Config = {
    **DENSE,
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "num_experts": 8,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 768,
}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128}
FLOAT8 = {"num_bits": 8, "type": "float", "strategy": "channel"}
FLOAT4 = {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}
INT4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128}
INT8 = {"num_bits": 8, "type": "int", "strategy": "channel"}
TOKENS = {"dynamic": True, "strategy": "token", "num_bits": 8}


def groups(weights: Config, inputs: Config | None = None, target: str = "Linear") -> Config:
    group = {"targets": [target], "weights": weights, "input_activations": inputs}
    kind = "pack-quantized" if weights["type"] == "int" and inputs is None else "float-quantized"
    return {
        "quant_method": "compressed-tensors",
        "format": kind,
        "config_groups": {"group_0": group},
    }


def model(section: Config | None = None, base: Config = DENSE, **more: Any) -> Config:
    return {**base, **more, **({"quantization_config": section} if section else {})}


def quark(inputs: str) -> Config:
    weight = {"dtype": "fp4", "qscheme": "per_group", "group_size": 32}
    return {
        "quant_method": "quark",
        "global_quant_config": {"weight": weight, "input_tensors": {"dtype": inputs}},
    }


def nvfp4(name: str = "modelopt", algorithm: str = "NVFP4") -> Config:
    return {"quant_method": name, "quant_algo": algorithm}


MAMBA: Config = {
    "architectures": ["Mamba2ForCausalLM"],
    "model_type": "mamba2",
    "hidden_size": 1024,
    "state_size": 128,
    "num_heads": 32,
    "head_dim": 64,
    "num_hidden_layers": 2,
    "vocab_size": 1024,
}
HEAD_192 = model(head_dim=192)
TIED = model(AWQ, hidden_size=960)
BY_NAME = groups(FLOAT8, {**TOKENS, "type": "float"}, "re:.*self_attn.*")
INT_EXPERTS = model(groups(INT4, {**TOKENS, "type": "int"}), EXPERTS)
NAMED = model(nvfp4("modelopt_fp4"))
WEIGHTS_ONLY = model(nvfp4(algorithm="W4A16_NVFP4"))
MXFP4 = model({"quant_method": "mxfp4"}, EXPERTS)
FLASH_FP8 = "--attention-backend FLASH_ATTN --kv-cache-dtype fp8"
LINEAR = "--linear-attn-backend flashinfer"
SAME = "--enable-deterministic-inference"
WHISPER = {**DENSE, "architectures": ["WhisperForConditionalGeneration"], "model_type": "whisper"}
GLM4 = {**DENSE, "model_type": "glm4", "torch_dtype": "float16"}
MLA: Config = {
    **DENSE,
    "architectures": ["DeepseekV2ForCausalLM"],
    "model_type": "deepseek_v2",
    "kv_lora_rank": 512,
    "q_lora_rank": None,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
}
OLMO = {**DENSE, "architectures": ["Olmo2ForCausalLM"], "model_type": "olmo2"}


def of_class(name: str, model_type: str, section: Config | None = None, **more: Any) -> Config:
    return model(section, architectures=[name], model_type=model_type, **more)


BLOCKS = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
GEMM = "--fp8-gemm-backend"
FLOAT_FP8 = "--dtype float32 --kv-cache-dtype fp8_e4m3"
BERT = of_class("BertModel", "bert")
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "sym": True, "desc_act": False}
FP8 = groups(FLOAT8, {**TOKENS, "type": "float"})
GLM = of_class("GlmForCausalLM", "glm")
SMOL_FP8 = of_class("SmolLM3ForCausalLM", "smollm3", FP8)
SMOL = of_class("SmolLM3ForCausalLM", "smollm3")
OSS = {**EXPERTS, "architectures": ["GptOssForCausalLM"], "model_type": "gpt_oss"}
OSS_NVFP4 = {**OSS, "quantization_config": nvfp4()}
MARLIN = "--moe-runner-backend marlin"
V4 = {**EXPERTS, "architectures": ["DeepseekV4ForCausalLM"], "model_type": "deepseek_v4"}
V4_NVFP4 = {**V4, "quantization_config": nvfp4(), "expert_dtype": "fp4"}
NARROW = {
    **EXPERTS,
    "architectures": ["Gemma4ForCausalLM"],
    "model_type": "gemma4_text",
    "enable_moe_block": True,
    "intermediate_size": 2112,
}
DBRX_FP8 = {
    "architectures": ["DbrxForCausalLM"],
    "model_type": "dbrx",
    "d_model": 1024,
    "n_heads": 8,
    "n_layers": 2,
    "ffn_config": {"moe_num_experts": 4, "moe_top_k": 2, "ffn_hidden_size": 2048},
    "attn_config": {"kv_n_heads": 2},
    "vocab_size": 1024,
    "quantization_config": FP8,
}
QWEN35 = of_class("Qwen3_5ForConditionalGeneration", "qwen3_5", GPTQ)
GLM4_EXPERTS = model(GPTQ, EXPERTS, architectures=["Glm4MoeForCausalLM"], model_type="glm4_moe")
BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True}
FALCON_BNB = of_class("ExaoneForCausalLM", "exaone", BNB)
OMNI = of_class("Qwen2_5OmniModel", "qwen2_5_omni")
GRANITE_SWA = of_class("GraniteSWAForCausalLM", "granite_swa", layer_types=["full_attention"] * 2)
HY4 = of_class("HYV4ForCausalLM", "hy_v4")
NVFP4_KV = model({**nvfp4(), "kv_cache_scheme": {"num_bits": 4, "type": "float"}})
KIMI_VL = of_class(
    "KimiVLForConditionalGeneration",
    "kimi_vl",
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
)
GEMMA4 = of_class("Gemma4ForCausalLM", "gemma4_text")


def hybrid(heads: int, section: Config | None = None) -> Config:
    """Of Granite's form: Mamba in three of four layers."""
    return of_class(
        "GraniteMoeHybridForCausalLM",
        "granitemoehybrid",
        section,
        num_hidden_layers=4,
        layer_types=["mamba"] * 3 + ["attention"],
        mamba_n_heads=heads,
        mamba_d_head=64,
        mamba_n_groups=1,
        mamba_d_state=128,
    )


@pytest.mark.parametrize(
    ("release", "gpu", "checkpoint", "line", "served"),
    [
        ("vllm@0.33.0", "H100", TIED, "", False),
        ("sglang@0.5.23", "H100", TIED, "", False),
        ("vllm@0.33.0", "H100", model(AWQ), "", True),
        ("vllm@0.20.0", "H100", model({**AWQ, "bits": 8}), "", False),
        ("sglang@0.5.6", "H100", model({**AWQ, "bits": 8}), "", False),
        ("vllm@0.33.0", "H100", model(quark("fp8_e4m3")), "", False),
        ("vllm@0.33.0", "H100", model(quark("fp4")), "", True),
        ("vllm@0.20.0", "B200", WEIGHTS_ONLY, "", False),
        ("vllm@0.21.0", "B200", WEIGHTS_ONLY, "", True),
        ("vllm@0.13.0", "H100", model(groups(FLOAT4), EXPERTS), "", False),
        ("vllm@0.14.0", "H100", model(groups(FLOAT4), EXPERTS), "", True),
        ("vllm@0.33.0", "H100", INT_EXPERTS, "", False),
        ("vllm@0.13.0", "H100", INT_EXPERTS, "", True),
        ("vllm@0.13.0", "A100", INT_EXPERTS, "", False),
        ("vllm@0.20.0", "H100", model(groups(FLOAT8)), "", False),
        ("vllm@0.20.0", "A100", model(groups(FLOAT8)), "", True),
        ("vllm@0.25.0", "H100", model(groups(FLOAT8)), "", True),
        ("sglang@0.5.6", "H100", model(groups(FLOAT8)), "", False),
        ("sglang@0.5.21", "H100", model(groups(FLOAT8)), "", False),
        ("sglang@0.5.22", "H100", model(groups(FLOAT8)), "", True),
        ("vllm@0.11.0", "H100", MXFP4, "", False),
        ("sglang@0.5.23", "H100", MXFP4, "", False),
        ("vllm@0.11.1", "H100", model(BY_NAME, EXPERTS), "", False),
        ("vllm@0.12.0", "H100", model(BY_NAME, EXPERTS), "", True),
        ("sglang@0.5.9", "H100", model(BY_NAME), "", False),
        ("sglang@0.5.23", "H100", model(BY_NAME), "", True),
        ("vllm@0.33.0", "B200", HEAD_192, FLASH_FP8, False),
        ("vllm@0.33.0", "B200", DENSE, FLASH_FP8, True),
        ("vllm@0.33.0", "H100", DENSE, "--block-size 8", False),
        ("vllm@0.33.0", "H100", DENSE, "--block-size 16", True),
        ("vllm@0.33.0", "H100", MAMBA, "--attention-backend FLASHINFER_MLA", True),
        ("vllm@0.33.0", "H100", DENSE, "--attention-backend FLASHINFER_MLA", False),
        ("vllm@0.20.0", "H100", WHISPER, "--attention-backend FLASHINFER", False),
        ("vllm@0.20.0", "H100", WHISPER, "--attention-backend FLASH_ATTN", True),
        ("sglang@0.5.23", "H100", WHISPER, "--attention-backend triton", False),
        ("sglang@0.5.23", "B200", DENSE, LINEAR, False),
        ("sglang@0.5.23", "B200", DENSE, f"{LINEAR} --mamba-ssm-dtype bfloat16", True),
        ("sglang@0.5.23", "B200", OLMO, SAME, False),
        ("sglang@0.5.23", "H100", DENSE, f"{SAME} --attention-backend torch_native", False),
        ("sglang@0.5.23", "T4", DENSE, SAME, False),
        ("sglang@0.5.23", "T4", DENSE, f"{SAME} --attention-backend triton", True),
        ("sglang@0.5.9", "T4", DENSE, SAME, True),  # another default is taken first
        ("sglang@0.5.23", "A100", DENSE, SAME, True),
        ("sglang@0.5.23", "A100", MLA, SAME, False),
        ("sglang@0.5.23", "H100", MLA, SAME, True),
        ("vllm@0.20.0", "B200", NAMED, "--quantization modelopt", False),
        ("vllm@0.22.0", "B200", NAMED, "--quantization modelopt", True),
        ("sglang@0.5.23", "H100", GLM, "", False),
        ("sglang@0.5.9", "H100", GLM, "", True),
        ("sglang@0.5.23", "H100", SMOL_FP8, "", False),
        ("sglang@0.5.9", "H100", SMOL_FP8, "", True),
        ("sglang@0.5.23", "H100", SMOL, "", True),
        ("sglang@0.5.23", "H100", OSS_NVFP4, "", False),
        ("sglang@0.5.23", "H100", OSS_NVFP4, MARLIN, True),
        ("sglang@0.5.23", "H100", V4_NVFP4, "", False),
        ("sglang@0.5.23", "H100", V4_NVFP4, MARLIN, True),
        ("sglang@0.5.23", "H100", V4, "--kv-cache-dtype fp8_e5m2", False),
        ("sglang@0.5.23", "H100", V4, "--kv-cache-dtype bf16", False),
        ("sglang@0.5.23", "H100", V4, "--kv-cache-dtype fp8_e4m3", True),
        ("vllm@0.33.0", "H100", V4, "--kv-cache-dtype bfloat16", False),
        ("vllm@0.33.0", "H100", V4, "--kv-cache-dtype fp8", True),
        ("vllm@0.33.0", "H100", model(groups(INT4), NARROW), "", False),
        ("vllm@0.33.0", "H100", model(groups(INT4), NARROW, intermediate_size=2048), "", True),
        ("vllm@0.20.0", "H100", DBRX_FP8, "", False),
        ("vllm@0.24.0", "H100", DBRX_FP8, "", True),
        ("sglang@0.5.23", "B200", QWEN35, "", False),
        ("sglang@0.5.23", "B200", QWEN35, "--quantization gptq_marlin", True),
        ("sglang@0.5.23", "H100", QWEN35, "", True),
        ("sglang@0.5.23", "B200", GLM4_EXPERTS, "", False),
        ("sglang@0.5.23", "B200", GLM4_EXPERTS, "--quantization gptq_marlin", True),
        ("sglang@0.5.23", "H100", FALCON_BNB, "", False),
        ("sglang@0.5.23", "H100", FALCON_BNB, "--load-format dummy", True),
        ("sglang@0.5.23", "B200", HY4, "--kv-cache-dtype fp8_e4m3", False),
        ("sglang@0.5.23", "B200", HY4, "--kv-cache-dtype bf16", True),
        ("vllm@0.33.0", "A100", GRANITE_SWA, "--kv-cache-dtype fp8_e5m2", False),
        ("vllm@0.33.0", "A100", GRANITE_SWA, "", True),
        ("vllm@0.13.0", "H100", hybrid(16, groups(INT4)), "", False),
        ("vllm@0.13.0", "H100", hybrid(64, groups(INT4)), "", True),
        ("vllm@0.23.0", "H100", hybrid(16, groups(INT4)), "", True),
        ("vllm@0.13.0", "H100", hybrid(16), "", True),
        ("vllm@0.20.0", "RTX 5090", NVFP4_KV, "--attention-backend TRITON_ATTN", False),
        ("vllm@0.33.0", "H100", NVFP4_KV, "", True),
        ("sglang@0.5.23", "H100", KIMI_VL, "--attention-backend flashinfer", False),
        ("sglang@0.5.23", "H100", KIMI_VL, "", True),
        ("sglang@0.5.23", "B200", KIMI_VL, "", False),
        ("sglang@0.5.23", "B200", KIMI_VL, "--attention-backend triton", True),
        ("vllm@0.33.0", "A100", V4, "--attention-backend FLASH_ATTN", True),
        ("vllm@0.33.0", "H100", V4, "--attention-backend FLASHINFER_MLA_SPARSE", False),
        ("sglang@0.5.23", "T4", DENSE, SAME, False),
        ("sglang@0.5.23", "T4", DENSE, f"{SAME} --attention-backend triton", True),
        ("sglang@0.5.16", "H100", model({**groups(INT4), "format": "mixed-precision"}), "", False),
        ("sglang@0.5.17", "H100", model({**groups(INT4), "format": "mixed-precision"}), "", True),
        ("sglang@0.5.16", "H100", model(groups(INT4)), "", True),
        ("sglang@0.5.16", "B200", model(nvfp4(algorithm="NVFP4_AWQ")), "", False),
        ("sglang@0.5.17", "B200", model(nvfp4(algorithm="NVFP4_AWQ")), "", True),
        ("sglang@0.5.18", "B200", WEIGHTS_ONLY, "", False),
        ("sglang@0.5.19", "B200", WEIGHTS_ONLY, "", True),
        ("sglang@0.5.9", "B200", DENSE, SAME, False),
        ("sglang@0.5.9", "H100", DENSE, SAME, True),
        ("sglang@0.5.12", "B200", DENSE, SAME, True),
        ("sglang@0.5.23", "H100", model(BLOCKS), f"{GEMM} flashinfer_trtllm", False),
        ("sglang@0.5.23", "B200", model(BLOCKS), f"{GEMM} flashinfer_trtllm", True),
        ("sglang@0.5.23", "H100", DENSE, f"{GEMM} flashinfer_trtllm", True),
        ("sglang@0.5.23", "H100", model(BLOCKS), f"{GEMM} flashinfer_cutlass", False),
        ("sglang@0.5.23", "RTX 5090", model(BLOCKS), f"{GEMM} flashinfer_cutlass", True),
        ("sglang@0.5.23", "B200", model(BLOCKS), f"{GEMM} flashinfer_deepgemm", False),
        ("sglang@0.5.23", "H100", model(BLOCKS), f"{GEMM} flashinfer_deepgemm", True),
        ("sglang@0.5.23", "H100", model(BLOCKS), f"{GEMM} cutlass", False),
        ("sglang@0.5.14", "H100", model(BLOCKS), f"{GEMM} cutlass", True),
        ("vllm@0.12.0", "H100", BERT, FLOAT_FP8, False),
        ("vllm@0.12.0", "H100", BERT, "--dtype float32", True),
        ("vllm@0.12.0", "H100", DENSE, FLOAT_FP8, True),
        ("sglang@0.5.23", "H100", GEMMA4, "--kv-cache-dtype fp4_mx_block16", True),
        ("sglang@0.5.23", "H100", DENSE, "--kv-cache-dtype fp4_mx_block16", False),
    ],
)  # fmt: skip
def test_a_line_is_refused_where_the_engine_does(
    release: str, gpu: str, checkpoint: Config, line: str, served: bool
) -> None:
    engine, _, version = release.partition("@")
    start = "vllm serve m" if engine == "vllm" else "python -m sglang.launch_server --model m"
    result = quantmap.check(f"{start} {line}", engine, version, gpu=gpu, checkpoint=checkpoint)
    assert result.ok is served, [*result.refusals, *result.verdicts]


def test_layers_with_more_heads_are_divided_as_well() -> None:
    more = {"num_attention_heads": 12, "num_attention_groups": 2, "head_dim": 128}
    kinds = ["full_attention", "sliding_attention"]
    mixed = model(
        model_type="step3p5", layer_types=kinds, attention_other_setting=more, sliding_window=512
    )
    for size, served in ((4, True), (8, False)):
        line = f"vllm serve m --tensor-parallel-size {size}"
        result = quantmap.check(line, engine_version="0.33.0", gpu="H100", checkpoint=mixed)
        assert result.ok is served


def test_a_model_that_float16_does_not_suit_is_loaded_in_another_type() -> None:
    assert quantmap.check("vllm serve m", "vllm", "0.33.0", gpu="H100", checkpoint=GLM4).ok
    line = "vllm serve m --dtype float16"
    assert not quantmap.check(line, "vllm", "0.33.0", gpu="H100", checkpoint=GLM4).ok


def test_bfloat16_below_sm80_is_told_as_without_effect() -> None:
    line = "python -m sglang.launch_server --model m --dtype bfloat16"
    result = quantmap.check(line, engine_version="0.5.23", gpu="T4", checkpoint=DENSE)
    assert [v.verdict for v in result.verdicts if v.argument == "--dtype"] == ["no-effect"]


def test_a_backend_is_set_where_the_engines_own_choice_ends() -> None:
    found = quantmap.explain(
        "sglang@0.5.23", {"attention_dtype": "auto"}, gpu="RTX 5090", checkpoint=OLMO
    )
    assert dict(found.args)["--attention-backend"] == "triton"


def test_int8_has_no_matrix_product_on_blackwell() -> None:
    checkpoint = model(groups(INT8, {**TOKENS, "type": "int"}))
    for gpu, served in (("B200", False), ("H100", True)):
        found = quantmap.explain("sglang@0.5.23", {}, gpu=gpu, checkpoint=checkpoint)
        assert bool(found.args) is served


BLOCKS = {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 128]}


@pytest.mark.parametrize(
    ("release", "backend", "taken"),
    [
        ("0.10.1", "FLASHINFER", True),  # another is taken, and this one is passed over
        ("0.10.2", "FLASHINFER", False),
        ("0.10.2", "TRITON_MLA", True),
        ("0.11.0", "FLASHINFER", False),
    ],
)
def test_backends_of_latent_attention(release: str, backend: str, taken: bool) -> None:
    line = f"VLLM_ATTENTION_BACKEND={backend} vllm serve m"
    assert quantmap.check(line, engine_version=release, gpu="H100", checkpoint=MLA).ok == taken


def test_float8_in_blocks_of_compressed_tensors() -> None:
    section = groups(BLOCKS, {**TOKENS, "type": "float", "strategy": "group", "group_size": 128})
    for release, taken in (("0.10.2", False), ("0.11.0", True)):
        result = quantmap.check(
            "vllm serve m", engine_version=release, gpu="H100", checkpoint=model(section)
        )
        assert result.ok == taken, release


def test_the_vision_tower_of_omni_takes_the_backend_of_the_launch() -> None:
    line = "VLLM_ATTENTION_BACKEND=FLASHINFER vllm serve m"
    for release, kind, served in (
        ("0.11.0", OMNI, False),
        ("0.12.0", OMNI, False),
        ("0.13.0", OMNI, True),
        ("0.11.0", DENSE, True),
    ):
        result = quantmap.check(line, "vllm", release, gpu="H100", checkpoint=kind)
        assert result.ok == served, (release, result)
