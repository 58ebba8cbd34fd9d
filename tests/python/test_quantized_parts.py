"""What a kernel asks of quantized weights is not asked of modules that a checkpoint skips."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

SHAPE = {
    "architectures": ["Qwen2MoeForCausalLM"],
    "model_type": "qwen2_moe",
    "hidden_size": 2048,
    "num_attention_heads": 16,
    "num_key_value_heads": 16,
    "head_dim": 128,
    "num_hidden_layers": 4,
    "num_experts": 64,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 1024,
    "shared_expert_intermediate_size": 1280,
    "intermediate_size": 4096,
    "vocab_size": 1000,
    "torch_dtype": "bfloat16",
}
BLOCKS = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
SAID = "1280 columns of the shared experts over 8 GPUs are 160, no multiple of 128"


def told(quantization: dict[str, Any], line: str = "vllm serve m -tp 8") -> str:
    """Why the number of GPUs does not go; empty when it does."""
    model = {**SHAPE, "quantization_config": quantization}
    result = quantmap.check(line, engine_version="0.22.0", gpu="H100", checkpoint=model)
    return next(v.reason for v in result.verdicts if v.argument == "-tp")


def ignoring(*names: str) -> dict[str, Any]:
    return {**BLOCKS, "modules_to_not_convert": list(names)}


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], SAID),
        (["lm_head", "self_attn", "mlp.gate"], SAID),
        (["shared_expert"], ""),
        ([f"model.layers.{n}.mlp.shared_expert" for n in range(4)], ""),
        ([f"model.layers.{n}.mlp.shared_expert" for n in range(3)], SAID),  # the last layer has it
        (["re:.*shared_expert\\..*"], ""),
        (["model.layers.*.mlp.shared_expert*"], ""),
        (["mlp.experts"], SAID),
    ],
)
def test_shared_experts_that_are_left_as_they_are(names: list[str], said: str) -> None:
    assert told(ignoring(*names)) == said


def test_experts_that_are_left_as_they_are() -> None:
    model = {**SHAPE, "moe_intermediate_size": 320, "shared_expert_intermediate_size": 1024}
    for names, fits in (([], False), (["mlp.experts"], True), (["shared_expert"], False)):
        whole = {**model, "quantization_config": ignoring(*names)}
        line = "vllm serve m -tp 8"
        result = quantmap.check(line, engine_version="0.22.0", gpu="H100", checkpoint=whole)
        assert result.ok == fits, names


def test_groups_that_do_not_mean_a_module() -> None:
    weights = {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128}
    model = {**SHAPE, "intermediate_size": 1280, "mlp_only_layers": [0]}

    def fits(targets: list[str], **more: Any) -> bool:
        section = {
            "quant_method": "compressed-tensors",
            "format": "pack-quantized",
            "config_groups": {"group_0": {"targets": targets, "weights": weights}},
            **more,
        }
        whole = {**model, "quantization_config": section}
        line = "vllm serve m -tp 8"
        return quantmap.check(line, engine_version="0.22.0", gpu="H100", checkpoint=whole).ok

    assert not fits(["Linear"])
    assert fits(["re:.*mlp.experts.*"])
    assert fits(["Linear"], ignore=["re:.*layers.0.mlp.*"])


AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"}
ODD = {**SHAPE, "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 2000}


@pytest.mark.parametrize(
    ("names", "fits"), [([], False), (["self_attn"], False), (["self_attn", "mlp"], True)]
)
def test_groups_of_the_hidden_size_are_asked_of_whatever_is_quantized(
    names: list[str], fits: bool
) -> None:
    dense = {key: value for key, value in ODD.items() if "expert" not in key}
    model = {**dense, "quantization_config": {**AWQ, "modules_to_not_convert": names}}
    for line in ("vllm serve m", "vllm serve m -tp 2", "vllm serve m -tp 2 $MORE"):
        result = quantmap.check(line, engine_version="0.22.0", gpu="H100", checkpoint=model)
        said = [note.message for note in result.refusals if "2000 hidden columns" in note.message]
        assert bool(said) != fits, line  # no argument helps, so it is the launch's own


def test_a_size_that_words_outside_the_text_may_change_is_told() -> None:
    heads = {**SHAPE, "intermediate_size": 4100, "mlp_only_layers": [0]}
    model = {**heads, "quantization_config": BLOCKS}
    for line, code in (
        ("vllm serve m", "size-does-not-go"),
        ("vllm serve m $MORE", "may-not-serve"),
    ):
        result = quantmap.check(line, engine_version="0.11.0", gpu="H100", checkpoint=model)
        codes = {note.code for note in result.notes if "4100 MLP columns" in note.message}
        assert codes == {code}, line


NARROW = {
    **SHAPE,
    "model_type": "qwen3_moe",
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_experts": 128,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "quantization_config": BLOCKS,
}


@pytest.mark.parametrize(
    ("release", "sizes", "goes"),
    [
        ("vllm@0.20.0", "-tp 2", True),
        ("vllm@0.20.0", "-tp 2 -dp 4", False),  # experts are shared by all eight
        ("vllm@0.8.5", "-tp 2 -dp 4", False),
        ("vllm@0.20.0", "-tp 2 -dp 4 --enable-expert-parallel", True),
        ("sglang@0.5.6", "--tp 4", False),
        ("sglang@0.5.6", "--tp 4 --ep 4", True),
        ("sglang@0.5.6", "--tp 4 --moe-a2a-backend deepep", True),
        ("sglang@0.5.23", "--tp 4 --moe-a2a-backend mooncake", True),
        ("sglang@0.4.6", "--tp 4", False),
        ("sglang@0.4.6", "--tp 4 --enable-ep-moe", True),
        ("sglang@0.5.6", "--tp 32 --moe-a2a-backend deepep", True),
        ("sglang@0.5.6", "--tp 24 --moe-a2a-backend deepep", False),
        (
            "sglang@0.5.6",
            "--tp 24 --dp 24 --enable-dp-attention --moe-a2a-backend deepep"
            " --ep-num-redundant-experts 16",
            True,
        ),
    ],
)
def test_what_spreads_experts_or_shares_them(release: str, sizes: str, goes: bool) -> None:
    engine, _, version = release.partition("@")
    start = "vllm serve m" if engine == "vllm" else "python -m sglang.launch_server --model-path m"
    model = {key: value for key, value in NARROW.items() if key != "mlp_only_layers"}
    result = quantmap.check(
        f"{start} {sizes}", engine_version=version, gpu="H100", checkpoint=model
    )
    refused = [verdict.reason for verdict in result.verdicts if verdict.refused]
    assert not result.refusals and all("GPUs" in reason for reason in refused)
    assert bool(refused) != goes


@pytest.mark.parametrize("name", ["tp", "tp-size", "tensor-parallel-size"])
def test_sizes_are_asked_of_a_parameter_by_any_of_its_names(name: str) -> None:
    for runtime in ("sglang@0.5.6", "sglang@0.4.0"):
        launch = quantmap.explain(runtime, {}, {name: 3}, gpu="H100", checkpoint=SHAPE)
        assert "size-does-not-go" in {note.code for note in launch.diagnostics}, name
