"""What loaders and kernels of a release do not take: one launch on each side of every border."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

from tests.python.test_deployment import AWQ, DENSE, MLA

VLLM, SGLANG = "vllm serve m", "python -m sglang.launch_server --model-path m"
BNB = {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}
FP8_KV = {"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}
LINEAR: dict[str, Any] = {
    **DENSE,
    "architectures": ["Qwen3NextForCausalLM"],
    "model_type": "qwen3_next",
    "head_dim": 256,
    "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 8,
    "num_hidden_layers": 32,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
}
EXPERTS: dict[str, Any] = {
    **DENSE,
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1536,
}
FP8_BLOCK = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "ignore": ["lm_head"], "group_size": 16}
BLOCKS = {**EXPERTS, "quantization_config": FP8_BLOCK}


def compressed(
    bits: int, kind: str, strategy: str, form: str, group: int | None = None
) -> dict[str, Any]:
    weights = {
        "num_bits": bits,
        "type": kind,
        "strategy": strategy,
        "group_size": group,
        "symmetric": True,
        "dynamic": False,
    }
    inputs = {
        **weights,
        "strategy": strategy if group else "token",
        "dynamic": not group or "local",
    }
    return {
        "quant_method": "compressed-tensors",
        "format": form,
        "ignore": ["lm_head"],
        "config_groups": {
            "group_0": {"targets": ["Linear"], "weights": weights, "input_activations": inputs}
        },
    }


NVFP4_CT = compressed(4, "float", "tensor_group", "nvfp4-pack-quantized", 16)
W4A16_CT = compressed(4, "int", "group", "pack-quantized", 128)
W4A16_CT["config_groups"]["group_0"]["input_activations"] = None
INT8 = compressed(8, "int", "channel", "int-quantized")
FP8_ROWS = compressed(8, "float", "channel", "float-quantized")
TRTLLM = "--moe-runner-backend flashinfer_trtllm"
DEEPEP = f"--tp 8 --ep 8 {TRTLLM} --moe-a2a-backend deepep"
UNGATED: dict[str, Any] = {
    **DENSE,
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "n_routed_experts": 128,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1856,
}
VISION = {
    **DENSE,
    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
    "model_type": "qwen2_5_vl",
    "vision_config": {"hidden_size": 1280, "depth": 32, "num_heads": 16},
}
MAMBA = {**DENSE, "architectures": ["NemotronHForCausalLM"], "model_type": "nemotron_h"}
SPARSE: dict[str, Any] = {
    **MLA,
    "architectures": ["DeepseekV32ForCausalLM"],
    "model_type": "deepseek_v32",
    "index_topk": 2048,
    "index_n_heads": 64,
    "index_head_dim": 128,
}


def of(model: dict[str, Any], name: str, section: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        **model,
        "architectures": [name],
        **({"quantization_config": section} if section else {}),
    }


def told(line: str, version: str, gpu: str, config: dict[str, Any]) -> tuple[str, bool]:
    result = quantmap.check(line, engine_version=version, gpu=gpu, checkpoint=config)
    reasons = [verdict.reason for verdict in result.verdicts]
    refused = bool(result.refusals) or any(verdict.refused for verdict in result.verdicts)
    notes = [note.message for note in (*result.notes, *result.refusals)]
    return "\n".join(reasons + notes), refused


ASKED = f"{VLLM} --quantization bitsandbytes --load-format bitsandbytes"
DRAFT = """--speculative-config '{"method": "eagle3", "model": "d", "num_speculative_tokens": 3}'"""
TRITON = "--attention-backend TRITON_ATTN --kv-cache-dtype"
MIXED = (
    "--tp 8 --speculative-algorithm EAGLE --attention-backend trtllm_mla"
    " --prefill-attention-backend flashinfer"
)
MTP = """--speculative-config '{"method": "mtp", "num_speculative_tokens": 1}'"""
DRAFT_KV = DRAFT.replace("}'", ', "kv_cache_dtype": "auto"}\'')

REFUSED = [
    # vLLM before 0.7.0 asks a class how its layers are stacked.
    (ASKED, "0.6.3", "A100", of(DENSE, "Qwen2ForCausalLM"), "how its layers are stacked"),
    (ASKED, "0.6.4", "A100", of(DENSE, "Qwen2ForCausalLM"), None),
    (ASKED, "0.6.6", "A100", of(DENSE, "OlmoForCausalLM"), "how its layers are stacked"),
    (SGLANG, "0.4.4", "A100", of(DENSE, "Gemma3ForCausalLM", BNB), "how its layers are stacked"),
    (SGLANG, "0.4.5", "A100", of(DENSE, "Gemma3ForCausalLM", BNB), None),
    (SGLANG, "0.5.23", "A100", of(DENSE, "OlmoForCausalLM", BNB), "how its layers are stacked"),
    # Linear attention beside flashinfer, SGLang's own choice on SM120.
    (SGLANG, "0.5.9", "RTX 5090", LINEAR, "triton or trtllm_mha only"),
    (SGLANG, "0.5.10", "RTX 5090", LINEAR, None),
    (SGLANG, "0.5.9", "H100", LINEAR, None),
    (f"{SGLANG} --attention-backend triton", "0.5.9", "RTX 5090", LINEAR, None),
    (f"{SGLANG} --attention-backend flashinfer", "0.5.9", "B200", LINEAR, "trtllm_mha only"),
    (f"{SGLANG} --attention-backend fa4", "0.5.18", "RTX 5090", LINEAR, "SM120 takes"),
    (f"{SGLANG} --attention-backend fa4", "0.5.18", "B200", LINEAR, None),
    (f"{SGLANG} --attention-backend triton", "0.5.17", "H100", MAMBA, "layer 0"),
    (f"{SGLANG} --attention-backend triton", "0.5.18", "H100", MAMBA, None),
    # TurboQuant between 0.25.0 and 0.27.0.
    (f"{VLLM} --kv-cache-dtype turboquant_k8v4", "0.26.0", "H100", DENSE, "type auto"),
    (f"{VLLM} --kv-cache-dtype turboquant_k8v4", "0.27.0", "H100", DENSE, None),
    (f"{VLLM} --kv-cache-dtype turboquant_k8v4", "0.24.0", "H100", DENSE, None),
    # Latent attention below SM80.
    (f"{VLLM} --dtype half", "0.7.3", "T4", MLA, "FlashAttention, which needs SM80"),
    (f"VLLM_MLA_DISABLE=1 {VLLM} --dtype half", "0.7.3", "T4", MLA, None),
    (f"{VLLM} --dtype half", "0.7.3", "A100", MLA, None),
    (f"{VLLM} --kv-cache-dtype fp8", "0.16.0", "V100", DENSE, "no attention backend has an FP8 KV"),
    # Classes without stages.
    (f"{VLLM} -pp 2", "0.6.2", "H100", of(DENSE, "GemmaForCausalLM"), "pipeline parallelism"),
    (f"{VLLM} -pp 2", "0.6.3", "H100", of(DENSE, "GemmaForCausalLM"), None),
    (f"{VLLM} -pp 1", "0.6.2", "H100", of(DENSE, "GemmaForCausalLM"), None),
    (f"{VLLM} -pp 2", "0.10.1", "H100", of(DENSE, "GptOssForCausalLM"), "pipeline parallelism"),
    # Experts without a gate, and those of FP8 blocks in FlashInfer.
    (VLLM, "0.14.1", "H100", {**UNGATED, "quantization_config": NVFP4_CT}, "ModelOpt's NVFP4 only"),
    (VLLM, "0.14.1", "H100", UNGATED, None),
    (f"VLLM_USE_FLASHINFER_MOE_FP8=1 {VLLM}", "0.11.0", "L4", BLOCKS, "not in blocks"),
    (f"VLLM_USE_FLASHINFER_MOE_FP8=0 {VLLM}", "0.11.0", "L4", BLOCKS, None),
    (
        f"{VLLM} -tp 8",
        "0.20.0",
        "B200",
        {**EXPERTS, "moe_intermediate_size": 768},
        "multiple of 64",
    ),
    (f"{VLLM} -tp 4", "0.20.0", "B200", {**EXPERTS, "moe_intermediate_size": 768}, None),
    (f"{VLLM} -tp 8", "0.20.0", "H100", {**EXPERTS, "moe_intermediate_size": 768}, None),
    # Attention that a part of the model does not take.
    (
        f"VLLM_ATTENTION_BACKEND=FLASHINFER {VLLM}",
        "0.10.1",
        "H100",
        VISION,
        "the vision tower takes",
    ),
    (f"VLLM_ATTENTION_BACKEND=FLASH_ATTN {VLLM}", "0.10.1", "H100", VISION, None),
    (f"{VLLM} {TRITON} bfloat16", "0.22.0", "H100", DENSE, "fails an assertion"),
    (f"{VLLM} {TRITON} auto", "0.22.0", "H100", DENSE, None),
    (f"{VLLM} {TRITON} bfloat16", "0.23.0", "H100", DENSE, None),
    (f"{SGLANG} {MIXED}", "0.5.1", "B200", MLA, "do not support speculative decoding"),
    (f"{SGLANG} {MIXED}", "0.5.2", "B200", MLA, None),
    (SGLANG, "0.4.1", "A100", of(EXPERTS, "X", W4A16_CT), "no method for SGLang's experts"),
    (SGLANG, "0.4.2", "A100", of(EXPERTS, "X", W4A16_CT), None),
    (SGLANG, "0.4.1", "A100", of(DENSE, "LlamaForCausalLM", W4A16_CT), None),
    (
        VLLM,
        "0.7.3",
        "A100",
        of(DENSE, "LlamaForSequenceClassification", AWQ),
        "classification head",
    ),
    (
        "trtllm-serve m",
        "1.1.0",
        "A100",
        {**DENSE, "quantization_config": INT8},
        "NotImplementedError",
    ),
    # DeepEP hands over tokens that the flashinfer_trtllm runner cannot take.
    (f"{SGLANG} {DEEPEP}", "0.5.11", "B200", of(EXPERTS, "Qwen3MoeForCausalLM", NVFP4), "DeepEP"),
    (f"{SGLANG} {TRTLLM}", "0.5.11", "B200", of(EXPERTS, "Qwen3MoeForCausalLM", NVFP4), None),
    # The class of FP8 weights in 16 bits was not imported.
    (SGLANG, "0.4.5.post2", "A100", of(DENSE, "Qwen2ForCausalLM", FP8_ROWS), "not imported"),
    (SGLANG, "0.4.5.post3", "A100", of(DENSE, "Qwen2ForCausalLM", FP8_ROWS), None),
    (SGLANG, "0.4.5.post2", "H100", of(DENSE, "Qwen2ForCausalLM", FP8_ROWS), None),
]

TOLD = [
    (VLLM, "0.18.1", "B200", of(DENSE, "MiniMaxM2ForCausalLM", FP8_KV), "k_proj.k_scale"),
    (VLLM, "0.19.0", "B200", of(DENSE, "MiniMaxM2ForCausalLM", FP8_KV), None),
    (VLLM, "0.18.1", "B200", of(DENSE, "LlamaForCausalLM", FP8_KV), None),
    (VLLM, "0.8.5", "A100", of(EXPERTS, "Qwen3MoeForCausalLM", GPTQ), "experts of GPTQ in Marlin"),
    (VLLM, "0.9.0", "A100", of(EXPERTS, "Qwen3MoeForCausalLM", GPTQ), None),
    (f"{VLLM} --quantization moe_wna16", "0.8.5", "A100", of(EXPERTS, "X", GPTQ), None),
    (f"{VLLM} -tp 8 --enable-expert-parallel", "0.8.4", "A100", of(EXPERTS, "X", AWQ), "no expert"),
    (f"{VLLM} -tp 8 --enable-expert-parallel", "0.8.5", "A100", of(EXPERTS, "X", AWQ), None),
    (f"{VLLM} --kv-cache-dtype fp8 {DRAFT}", "0.29.0", "H20", SPARSE, "the draft model is given"),
    (f"{VLLM} --kv-cache-dtype fp8 {DRAFT_KV}", "0.29.0", "H20", SPARSE, None),
    (f"{VLLM} --quantization fp8 {DRAFT}", "0.29.0", "H100", DENSE, "its draft stays"),
    (f"{VLLM} {DRAFT}", "0.29.0", "H100", DENSE, None),
    (f"{VLLM} {MTP}", "0.24.0", "B200", of(LINEAR, "Qwen3NextForCausalLM", NVFP4), "MTP layer"),
    (f"{VLLM} {MTP}", "0.25.0", "B200", of(LINEAR, "Qwen3NextForCausalLM", NVFP4), None),
    (VLLM, "0.24.0", "B200", of(LINEAR, "Qwen3NextForCausalLM", NVFP4), None),
    (f"{SGLANG} --tp 2", "0.5.5", "H100", of(EXPERTS, "Qwen3MoeForCausalLM", GPTQ), "GPTQ experts"),
    (SGLANG, "0.5.5", "H100", of(EXPERTS, "Qwen3MoeForCausalLM", GPTQ), None),
]


@pytest.mark.parametrize(("line", "version", "gpu", "config", "reason"), REFUSED)
def test_what_a_release_cannot_start(
    line: str, version: str, gpu: str, config: dict[str, Any], reason: str | None
) -> None:
    text, refused = told(line, version, gpu, config)
    assert refused is (reason is not None), text
    assert (reason or "") in text


@pytest.mark.parametrize(("line", "version", "gpu", "config", "reason"), TOLD)
def test_what_a_release_starts_and_does_wrong(
    line: str, version: str, gpu: str, config: dict[str, Any], reason: str | None
) -> None:
    text, refused = told(line, version, gpu, config)
    assert not refused, text
    wrong = [entry[4] for entry in TOLD if entry[4] and entry[4] in text]
    assert wrong == ([reason] if reason else [])
