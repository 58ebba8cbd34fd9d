"""What sections of quantization and kinds of models make releases refuse, beside the method."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_own_method import LLAMA

EXPERTS = {**LLAMA, "num_experts": 64, "num_experts_per_tok": 8, "moe_intermediate_size": 768}
FLOAT = {"num_bits": 8, "type": "float", "strategy": "channel", "dynamic": False}
TOKEN = {"num_bits": 8, "type": "float", "strategy": "token", "dynamic": True}
INT4 = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": True}
KV = {"num_bits": 8, "type": "float", "strategy": "tensor", "symmetric": True, "dynamic": False}


def groups(weights: Any = FLOAT, inputs: Any = TOKEN, **more: Any) -> dict[str, Any]:
    group = {"targets": ["Linear"], "weights": weights, "input_activations": inputs}
    form = "pack-quantized" if inputs is None else "float-quantized"
    base = {"quant_method": "compressed-tensors", "format": form, "ignore": ["lm_head"]}
    return {**base, "config_groups": {"group_0": group}, **more}


def model(section: Any = None, shape: Any = LLAMA, **more: Any) -> dict[str, Any]:
    out = {**shape, **more}
    return out if section is None else {**out, "quantization_config": section}


def said(at: str, gpu: str, config: Any, line: str = "") -> list[str]:
    """What is told against a launch."""
    engine, release = at.split("@")
    start = "vllm serve m " if engine == "vllm" else "python -m sglang.launch_server --model m "
    result = quantmap.check(
        start + line, engine=engine, engine_version=release, gpu=gpu, checkpoint=config
    )
    told = [verdict.reason for verdict in result.verdicts if verdict.refused]
    return told + [note.message for note in result.refusals]


GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True, "version": "gemm"}
ROUND = {"quant_method": "auto-round", "bits": 4, "group_size": 128, "sym": True}
MODELOPT = {"quant_method": "modelopt", "quant_algo": "FP8", "ignore": ["lm_head"]}
QUARK = {
    "quant_method": "quark",
    "global_quant_config": {
        "weight": {"dtype": "int8", "qscheme": "per_channel", "is_dynamic": False},
        "input_tensors": {"dtype": "int8", "qscheme": "per_tensor", "is_dynamic": False},
    },
}
QUARK_FP8 = json.loads(json.dumps(QUARK).replace("int8", "fp8_e4m3"))


@pytest.mark.parametrize(
    ("at", "gpu", "section", "shape", "reason"),
    [
        ("vllm@0.33.0", "9.0", groups(kv_cache_scheme={**KV, "type": "int"}), LLAMA, "of integers"),
        (
            "vllm@0.33.0",
            "9.0",
            groups(kv_cache_scheme={**KV, "num_bits": 4}),
            LLAMA,
            "other than 8",
        ),
        ("vllm@0.33.0", "9.0", groups(kv_cache_scheme={**KV, "symmetric": False}), LLAMA, "zero"),
        (
            "vllm@0.33.0",
            "9.0",
            groups(kv_cache_scheme={**KV, "strategy": "token"}),
            LLAMA,
            "scales",
        ),
        ("vllm@0.33.0", "9.0", groups(sparsity_config={"targets": ["Linear"]}), LLAMA, "sparse"),
        ("sglang@0.5.23", "9.0", groups(sparsity_config={"targets": ["Linear"]}), LLAMA, "sparse"),
        ("vllm@0.20.0", "9.0", groups({**INT4, "num_bits": 2}, None), LLAMA, "4 and 8 bits"),
        ("sglang@0.5.6", "9.0", groups({**INT4, "num_bits": 3}, None), LLAMA, "4 and 8 bits"),
        ("vllm@0.33.0", "9.0", groups({**FLOAT, "strategy": "tensor"}), EXPERTS, "both sides"),
        ("vllm@0.33.0", "9.0", groups(inputs={**TOKEN, "dynamic": False}), EXPERTS, "as they run"),
        ("vllm@0.33.0", "9.0", {**MODELOPT, "quant_algo": "W4A8_AWQ"}, LLAMA, "not read"),
        ("sglang@0.5.6", "9.0", {**MODELOPT, "quant_algo": "W4A8_AWQ"}, LLAMA, "not read"),
        ("vllm@0.13.0", "9.0", {**MODELOPT, "quant_algo": "FP8_PB_WO"}, LLAMA, "from 0.14.0"),
        ("vllm@0.33.0", "9.0", {**GPTQ, "bits": 3}, LLAMA, "4 and 8 bits"),
        ("vllm@0.20.0", "9.0", {**ROUND, "bits": 5}, LLAMA, "2, 3, 4 and 8"),
        ("vllm@0.33.0", "9.0", {**ROUND, "packing_format": "auto_round:x"}, LLAMA, "packed"),
        ("sglang@0.5.23", "9.0", QUARK, LLAMA, "INT8"),
        ("vllm@0.33.0", "8.0", QUARK_FP8, LLAMA, "SM89"),
    ],
)
def test_what_a_section_says_is_refused(
    at: str, gpu: str, section: Any, shape: Any, reason: str
) -> None:
    told = said(at, gpu, model(section, shape))
    assert told
    assert reason in told[0]


@pytest.mark.parametrize(
    ("at", "gpu", "section", "shape"),
    [
        ("vllm@0.33.0", "9.0", groups(kv_cache_scheme=KV), LLAMA),
        ("vllm@0.20.0", "8.9", groups(kv_cache_scheme={**KV, "type": "int"}), LLAMA),
        ("vllm@0.33.0", "9.0", groups(sparsity_config={}), LLAMA),
        ("vllm@0.33.0", "9.0", groups({**INT4, "num_bits": 2}, None), LLAMA),
        ("vllm@0.20.0", "9.0", groups(INT4, None), LLAMA),
        ("vllm@0.33.0", "9.0", groups(), EXPERTS),
        ("vllm@0.33.0", "9.0", MODELOPT, LLAMA),
        ("vllm@0.33.0", "9.0", AWQ, LLAMA),
        ("vllm@0.33.0", "9.0", ROUND, LLAMA),
        ("vllm@0.33.0", "8.9", QUARK_FP8, LLAMA),
    ],
)
def test_its_neighbours_are_served(at: str, gpu: str, section: Any, shape: Any) -> None:
    assert said(at, gpu, model(section, shape)) == []


def test_all_of_a_place_is_asked_of_the_same_group() -> None:
    """2 bits in one group and activations in another are no weight-only integers of 2 bits."""
    section = groups(INT4, None)
    group = {"targets": ["re:.*down.*"], "weights": {**INT4, "num_bits": 2}}
    section["config_groups"]["group_1"] = {**group, "input_activations": {**TOKEN, "type": "int"}}
    assert not any("4 and 8 bits" in told for told in said("vllm@0.20.0", "9.0", model(section)))


def test_a_section_that_says_little_is_not_refused() -> None:
    """What callers hand on is often the method alone."""
    for method in ("awq", "gptq", "auto-round", "compressed-tensors", "modelopt"):
        assert said("vllm@0.33.0", "9.0", model({"quant_method": method})) == []


def test_one_of_the_fused_projections() -> None:
    some = {**GPTQ, "modules_in_block_to_quantize": [["self_attn.q_proj"], ["mlp.down_proj"]]}
    assert "only some" in said("vllm@0.33.0", "9.0", model(some))[0]
    every = [["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]]
    every_one = {**GPTQ, "modules_in_block_to_quantize": every}
    assert said("vllm@0.33.0", "9.0", model(every_one)) == []


def test_modelopts_own_file_is_read_as_well(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA))
    own = {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "W4A8_AWQ"}}
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(own))
    assert said("vllm@0.33.0", "9.0", str(tmp_path))


@pytest.mark.parametrize("junk", [[], "x", 7, {"a": {"b": []}}, [[[[]]]], None, True])
def test_a_section_of_anything(junk: Any) -> None:
    for key in ("config_groups", "kv_cache_scheme", "sparsity_config", "quantized_layers"):
        said("vllm@0.33.0", "9.0", model({**groups(), key: junk}))


def test_groups_in_other_bits_take_float16() -> None:
    odd = model({**GPTQ, "bits": 3}, torch_dtype="float16")
    assert said("vllm@0.13.0", "9.0", odd) == []
    assert "float16 only" in said("vllm@0.13.0", "9.0", odd, "--dtype bfloat16")[0]
    plain = model({**AWQ, "zero_point": False}, torch_dtype="float16")
    assert "float16 only" in said("vllm@0.13.0", "9.0", plain, "--dtype bfloat16")[0]
    assert said("vllm@0.33.0", "9.0", plain, "--dtype bfloat16") == []


HEADS = model(groups(kv_cache_scheme={**KV, "strategy": "attn_head"}))
GEMMA = {
    **LLAMA,
    "architectures": ["Gemma3ForConditionalGeneration"],
    "model_type": "gemma3",
    "head_dim": 256,
    "vision_config": {"hidden_size": 1152},
}
BERT = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "torch_dtype": "float32",
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "vocab_size": 30522,
}
MIMO = {**LLAMA, "model_type": "mimo_v2_flash", "architectures": ["MiMoV2FlashForCausalLM"]}
MINICPM3 = {
    **LLAMA,
    "architectures": ["MiniCPM3ForCausalLM"],
    "model_type": "minicpm3",
    "kv_lora_rank": 256,
    "q_lora_rank": 768,
    "qk_nope_head_dim": 64,
    "qk_rope_head_dim": 32,
    "v_head_dim": 64,
}
FALCON = {**LLAMA, "model_type": "falcon_h1", "architectures": ["FalconH1ForCausalLM"]}


@pytest.mark.parametrize(
    ("at", "gpu", "config", "line", "reason"),
    [
        ("vllm@0.33.0", "9.0", HEADS, "--attention-backend TRITON_ATTN", "for each head"),
        ("vllm@0.33.0", "9.0", HEADS, "--attention-backend FLASH_ATTN", ""),
        ("vllm@0.33.0", "8.0", HEADS, "", "begin with SM90"),
        ("vllm@0.20.0", "10.0", HEADS, "", "from 0.27.0"),
        ("vllm@0.13.0", "8.0", HEADS, "--attention-backend TRITON_ATTN", ""),
        ("vllm@0.33.0", "9.0", GEMMA, "--attention-backend FLASHINFER", "both directions"),
        ("vllm@0.33.0", "9.0", GEMMA, "--attention-backend FLASH_ATTN", "heads of 256"),
        ("vllm@0.33.0", "9.0", GEMMA, "--attention-backend TRITON_ATTN", ""),
        ("vllm@0.20.0", "9.0", GEMMA, "--attention-backend FLASHINFER", ""),
        ("vllm@0.33.0", "9.0", BERT, "--attention-backend FLASHINFER", "encoders"),
        ("vllm@0.33.0", "9.0", BERT, "--attention-backend TRITON_ATTN", ""),
        ("vllm@0.13.0", "9.0", BERT, "--attention-backend TRITON_ATTN", "from 0.14.0"),
        ("vllm@0.33.0", "10.0", MIMO, "--attention-backend TRITON_FLASH_ATTN", ""),
        ("vllm@0.20.0", "8.0", MIMO, "", "FlashAttention 3"),
        ("vllm@0.20.0", "9.0", MINICPM3, "--attention-backend FLASH_ATTN", ""),
        ("vllm@0.20.0", "9.0", MINICPM3, "--attention-backend CUTLASS_MLA", "CUTLASS_MLA"),
        ("vllm@0.20.0", "9.0", FALCON, "--kv-cache-dtype turboquant_3bit_nc", "TurboQuant"),
        ("vllm@0.13.0", "8.9", FALCON, "--kv-cache-dtype fp8_e5m2 --quantization fp8", ""),
    ],
)
def test_kinds_of_attention(at: str, gpu: str, config: Any, line: str, reason: str) -> None:
    told = said(at, gpu, config, line)
    assert (reason in told[0] if told else reason == "") and bool(told) == bool(reason)


def typed(name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {**LLAMA, "architectures": [name], "model_type": kind, **more}


LLAMA4 = typed("Llama4ForCausalLM", "llama4_text")
OLMO = typed("Olmo3ForCausalLM", "olmo3")
LFM = typed("Lfm2ForCausalLM", "lfm2")
EXAONE = typed("Exaone4ForCausalLM", "exaone4")
NEMOTRON = typed("NemotronHForCausalLM", "nemotron_h")
QUARK_EXPERTS = model(json.loads(json.dumps(QUARK).replace("int8", "fp4")), EXPERTS)


@pytest.mark.parametrize(
    ("at", "gpu", "config", "line", "reason"),
    [
        ("sglang@0.5.6", "9.0", LLAMA4, "--attention-backend flashinfer", "Llama 4"),
        ("sglang@0.5.6", "9.0", LLAMA4, "--attention-backend triton", ""),
        ("sglang@0.5.23", "9.0", OLMO, "--attention-backend flashinfer", "Olmo"),
        ("sglang@0.5.23", "12.0", OLMO, "", "ends with SM90"),
        ("sglang@0.5.23", "9.0", LFM, "--attention-backend triton", "LFM2"),
        ("sglang@0.5.23", "9.0", EXAONE, "--attention-backend flashinfer", "EXAONE"),
        ("sglang@0.5.23", "9.0", EXAONE, "", ""),
        ("sglang@0.5.16", "9.0", EXAONE, "", "must be told"),
        ("sglang@0.5.16", "9.0", NEMOTRON, "--attention-backend triton", "Nemotron"),
        ("sglang@0.5.23", "9.0", NEMOTRON, "--attention-backend triton", ""),
        ("sglang@0.5.23", "9.0", QUARK_EXPERTS, "--moe-runner-backend humming", "aiter"),
    ],
)
def test_what_sglang_asks_of_models(at: str, gpu: str, config: Any, line: str, reason: str) -> None:
    told = said(at, gpu, config, line)
    assert (reason in told[0] if told else reason == "") and bool(told) == bool(reason)


def test_what_is_refused_is_not_written() -> None:
    """A backend that a model does not have is left for another, and not written."""
    wanted = {"attention": {"backend": "flashinfer"}}
    mapping = quantmap.explain("vllm@0.33.0", wanted, gpu="9.0", checkpoint=GEMMA)
    assert "FLASHINFER" not in mapping.argv()
    assert not [d for d in mapping.diagnostics if d.severity == "error"]
