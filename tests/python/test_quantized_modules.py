"""Which modules a checkpoint quantizes decides what a release makes of it."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

from tests.python.test_own_method import LLAMA
from tests.python.test_sections import EXPERTS, GPTQ, groups, model, said


def troubled(at: str, gpu: str, config: Any, line: str = "") -> list[str]:
    """What is told of a launch without refusing it: lists of modules are often cut short."""
    engine, release = at.split("@")
    assert not said(at, gpu, config, line)
    start = "vllm serve m " if engine == "vllm" else "python -m sglang.launch_server --model m "
    result = quantmap.check(
        start + line, engine=engine, engine_version=release, gpu=gpu, checkpoint=config
    )
    told = [verdict.reason for verdict in result.verdicts if verdict.verdict == "assumed"]
    return told + [note.message for note in result.notes if note.code == "known-trouble"]


INT8 = {"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": True, "dynamic": False}
INT8_TOKEN = {"num_bits": 8, "type": "int", "strategy": "token", "symmetric": True, "dynamic": True}
GEMMA = {
    **LLAMA,
    "architectures": ["Gemma3ForConditionalGeneration"],
    "model_type": "gemma3",
    "vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152},
}
QWEN = {
    **LLAMA,
    "architectures": ["Qwen2_5_VLForConditionalGeneration"],
    "model_type": "qwen2_5_vl",
    "vision_config": {"model_type": "qwen2_5_vl", "hidden_size": 1280, "intermediate_size": 3420},
}


def int8(*left: str) -> dict[str, Any]:
    return groups(INT8, INT8_TOKEN, format="int-quantized", ignore=["lm_head", *left])


@pytest.mark.parametrize("left", ["re:vision_tower.*", "re:.*vision_tower.*", "vision_tower"])
def test_a_narrow_tower_is_told_where_the_checkpoint_quantizes_it(left: str) -> None:
    told = troubled("vllm@0.8.2", "H100", model(groups(), GEMMA))
    assert any("vision tower" in reason for reason in told)
    assert not troubled("vllm@0.8.2", "H100", model(groups(ignore=["lm_head", left]), GEMMA))


@pytest.mark.parametrize("left", ["re:visual.*", "visual", "model.visual", "re:.*visual.*"])
def test_an_int8_tower_hands_three_dimensions_to_a_product_of_two(left: str) -> None:
    assert any(
        "two dimensions" in reason for reason in troubled("vllm@0.9.1", "A100", model(int8(), QWEN))
    )
    assert not troubled("vllm@0.9.1", "A100", model(int8(left), QWEN))
    assert not troubled("vllm@0.10.2", "A100", model(int8(), QWEN))


def test_nothing_is_said_of_modules_where_the_checkpoint_lists_none_that_it_leaves() -> None:
    for section in (int8(), groups()):
        section["ignore"] = []
        for release in ("0.8.2", "0.9.1"):
            assert not any(
                "tower" in r for r in troubled(f"vllm@{release}", "H100", model(section, GEMMA))
            )


def test_experts_that_awq_leaves_are_asked_for_in_every_layer() -> None:
    awq = {
        "quant_method": "awq",
        "bits": 4,
        "group_size": 128,
        "zero_point": True,
        "version": "gemm",
    }
    for left, refused in ((["lm_head"], False), (["model.layers.0."], True), (["mlp.gate"], False)):
        config = model({**awq, "modules_to_not_convert": left}, EXPERTS)
        told = said("sglang@0.5.9", "A100", config)
        assert any("modules_to_not_convert" in reason for reason in told) is refused
        assert not said("sglang@0.5.13", "A100", config)


def test_quantized_embeddings_are_a_matter_of_release_and_class() -> None:
    section = groups({**INT8, "num_bits": 4, "strategy": "group", "group_size": 64}, None)
    section["config_groups"]["group_0"]["targets"] = ["Embedding"]
    next_model = model(
        section, LLAMA, architectures=["Qwen3NextForCausalLM"], model_type="qwen3_next"
    )
    for at, config, refused in (
        ("vllm@0.22.1", model(section), True),
        ("vllm@0.23.0", model(section), False),
        ("vllm@0.28.0", next_model, True),
    ):
        assert any("embeddings" in reason for reason in said(at, "H100", config)) is refused


def test_gptq_names_are_not_found_behind_fused_ones() -> None:
    config = model(GPTQ, LLAMA, architectures=["Step3p5ForCausalLM"], model_type="step3p5")
    assert any("qkv_proj" in reason for reason in said("vllm@0.16.0", "H100", config))
    assert not said("vllm@0.22.0", "H100", config)


def test_a_backend_of_experts_is_without_effect_where_the_method_does_not_ask_for_it() -> None:
    section = groups({**INT8, "num_bits": 4, "strategy": "group", "group_size": 128}, None)
    line = "vllm serve m --moe-backend triton"
    told = {}
    for release in ("0.19.1", "0.23.0"):
        result = quantmap.check(
            line,
            engine="vllm",
            engine_version=release,
            gpu="H100",
            checkpoint=model(section, EXPERTS),
        )
        told[release] = [v.verdict for v in result.verdicts if v.argument == "--moe-backend"]
    assert told["0.19.1"] == ["no-effect"] and told["0.23.0"] != ["no-effect"]


STATE = {
    **LLAMA,
    "architectures": ["Qwen3_5ForConditionalGeneration"],
    "model_type": "qwen3_5_text",
    "layer_types": ["linear_attention"] * 3 + ["full_attention"],
    "num_hidden_layers": 4,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 48,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
}
FLOAT4 = {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}


def test_heads_of_linear_attention_are_divided_too() -> None:
    assert any(
        "48 heads of linear attention" in r for r in said("vllm@0.17.1", "H100", STATE, "-tp 32")
    )
    assert not said("vllm@0.17.1", "H100", STATE, "-tp 8")


@pytest.mark.parametrize("left", ["re:.*linear_attn.*", "model.layers.0.linear_attn.in_proj_b"])
def test_narrow_projections_of_linear_attention_fit_no_tiles(left: str) -> None:
    section = groups(FLOAT4, {**FLOAT4, "dynamic": "local"}, format="nvfp4-pack-quantized")
    told = troubled("vllm@0.17.1", "A100", model(section, STATE), "-tp 2")
    assert any("24, no multiple of 32" in reason for reason in told)
    assert not troubled("vllm@0.24.0", "A100", model(section, STATE), "-tp 2")
    section["ignore"].append(left)
    assert not troubled("vllm@0.17.1", "A100", model(section, STATE), "-tp 2")


def test_attention_that_each_gpu_computes_by_itself_is_not_divided() -> None:
    shape = {**LLAMA, "num_attention_heads": 28, "num_key_value_heads": 4}
    assert said("sglang@0.5.9", "H100", shape, "--tp 8")
    assert not said("sglang@0.5.9", "H100", shape, "--tp 8 --dp 8 --enable-dp-attention")


def test_one_scale_for_linear_attention_cannot_be_split() -> None:
    tensor = {"num_bits": 8, "type": "float", "strategy": "tensor", "dynamic": False}
    config = model(groups(tensor, tensor), STATE, model_type="qwen3_5")
    for release, refused in (("0.5.9", False), ("0.5.10", True), ("0.5.11", False)):
        told = troubled(f"sglang@{release}", "H100", config)
        assert any("cannot be split" in reason for reason in told) is refused


@pytest.mark.parametrize("pattern", ["re:.*(a+)+N1$", "re:.*(a+)+N$", "*" + "a*" * 100 + "1"])
def test_of_more_patterns_than_are_read_nothing_is_said(pattern: str) -> None:
    few, many = (model(int8(*[pattern] * number), QWEN) for number in (10, 100_000))
    found = quantmap.check("vllm serve m", engine_version="0.9.1", gpu="A100", checkpoint=many)
    assert any("too many patterns" in what for what, _ in found.not_looked_at)
    assert not any("two dimensions" in reason for reason in troubled("vllm@0.9.1", "A100", many))
    assert any("two dimensions" in reason for reason in troubled("vllm@0.9.1", "A100", few))
