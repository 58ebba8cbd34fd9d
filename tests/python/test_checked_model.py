"""A model's attention decides which backends checked mode names, once its config is read."""

from __future__ import annotations

from typing import Any

import pytest
import quantmap

from tests.python.support import RELEASES, document

HEADS: dict[str, Any] = {
    "architectures": ["Qwen3MoeForCausalLM"],
    "model_type": "qwen3_moe",
    "hidden_size": 2048,
    "num_hidden_layers": 48,
    "num_attention_heads": 32,
    "num_key_value_heads": 4,
    "head_dim": 128,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 768,
    "vocab_size": 151936,
}
MLA: dict[str, Any] = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "kv_lora_rank": 512,
    "q_lora_rank": 1536,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "intermediate_size": 18432,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048,
    "vocab_size": 129280,
}
SPARSE = {**MLA, "architectures": ["DeepseekV32ForCausalLM"], "index_head_dim": 128}
FP8 = {"kvcache_dtype": "fp8_e4m3", "attention_dtype": "fp8"}
BACKEND = "--attention-backend"


def codes(mapping: quantmap.Mapping) -> set[str]:
    """The codes of what a mapping tells."""
    return {item.code for item in mapping.diagnostics}


@pytest.mark.parametrize(
    ("checkpoint", "backend"),
    [(None, "trtllm_mha"), (HEADS, "trtllm_mha"), (MLA, "trtllm_mla"), (SPARSE, None)],
)
def test_the_backend_of_fp8_attention(checkpoint: Any, backend: str | None) -> None:
    config = {"checkpoint": checkpoint, "gpu": "B200", "engine_version": "0.5.7"}
    mapping = quantmap.explain("sglang", FP8, **config)
    args = quantmap.get_runtime_args("sglang", FP8, **config)
    assert mapping.args == args
    assert args.get(BACKEND) == backend and args["--kv-cache-dtype"] == "fp8_e4m3"
    assert "FP8 attention compute" in mapping.precision["attention"] or backend is None


def test_a_read_model_is_not_remembered() -> None:
    """Calls with and without a checkpoint do not share what was mapped."""
    call: dict[str, Any] = {"gpu": "B200", "engine_version": "0.5.7"}
    for _ in range(2):
        for checkpoint, backend in ((None, "trtllm_mha"), (MLA, "trtllm_mla")):
            keywords = call if checkpoint is None else {**call, "checkpoint": checkpoint}
            assert quantmap.get_runtime_args("sglang", FP8, **keywords)[BACKEND] == backend


@pytest.mark.parametrize(
    ("checkpoint", "backend", "refused"),
    [
        (MLA, "trtllm_mha", True),
        (SPARSE, "trtllm_mha", True),
        (HEADS, "trtllm_mha", False),
        (None, "trtllm_mha", False),
        (MLA, "trtllm_mla", False),
        (HEADS, "trtllm_mla", True),
        (None, "trtllm_mla", False),
    ],
)
@pytest.mark.parametrize("version", ["0.5.1", "0.5.2", "0.5.3", "0.5.6", "0.5.23"])
def test_a_parameter_is_judged_on_the_model(
    version: str, checkpoint: Any, backend: str, refused: bool
) -> None:
    call: dict[str, Any] = {
        "user_parameters": {"attention-backend": backend},
        "gpu": "B200",
        "engine_version": version,
        "checkpoint": checkpoint,
    }
    mapping = quantmap.explain("sglang", {}, **call)
    assert mapping.args[BACKEND] == backend
    assert ("refused-at-start" in codes(mapping)) == refused
    if refused:
        with pytest.raises(quantmap.ConfigError, match=backend):
            quantmap.explain("sglang", {}, policy="strict", **call)
    else:
        quantmap.explain("sglang", {}, policy="strict", **call)


def test_strict_takes_what_the_model_can_do() -> None:
    """Prefill in FP8 comes with 0.5.7; before, the attention asked for is not had whole."""
    call: dict[str, Any] = {"gpu": "B200", "checkpoint": MLA, "policy": "strict"}
    assert quantmap.explain("sglang@0.5.7", FP8, **call).args[BACKEND] == "trtllm_mla"
    with pytest.raises(quantmap.ConfigError, match="prefill"):
        quantmap.explain("sglang@0.5.6", FP8, **call)


def test_planner_and_memory_know_the_model() -> None:
    task = {
        "base_runtime": "sglang",
        "model": {"id_or_path": "m"},
        "quant_config": {"kvcache_dtype": ["fp8_e4m3"], "attention_dtype": ["auto", "fp8"]},
        "parameters": {"attention-backend": [None, "trtllm_mha"]},
    }
    for checkpoint, backend in ((HEADS, "trtllm_mha"), (MLA, "trtllm_mla")):
        for policy in ("degrade", "strict"):
            plan = quantmap.plan(
                task, engine_version="0.5.7", gpu="B200", checkpoint=checkpoint, policy=policy
            )
            derived = {e.args.get(BACKEND) for e in plan} - {None}
            refused = checkpoint is MLA and policy == "degrade"
            assert derived == {backend} | ({"trtllm_mha"} if refused else set())
            assert bool(plan.skipped) == (checkpoint is MLA and policy == "strict")
        fit = quantmap.estimate(
            checkpoint, FP8, tp=8, engine="sglang", engine_version="0.5.6", gpu="B200"
        )
        assert ("16-bit in prefill" in fit.precision["attention"]) == (checkpoint is MLA)


CONFIGS: list[dict[str, Any]] = [
    {"kvcache_dtype": kv, "attention_dtype": attention, "gemm_dtype": "bfloat16"}
    for kv in ("bfloat16", "fp8_e5m2", "fp8_e4m3")
    for attention in ("auto", "bfloat16", "fp8", "fp8_e5m2")
] + [
    {"kv_cache": {"dtype": kv}, "attention": {"backend": backend}}
    for kv in ("bfloat16", "fp8_e5m2", "fp8_e4m3", "fp4_e2m1")
    for backend in ("auto", "flashinfer", "triton", "torch_native", "fa3")
]


@pytest.mark.parametrize("checkpoint", [HEADS, MLA, SPARSE], ids=["heads", "mla", "sparse_mla"])
def test_nothing_derived_is_refused(checkpoint: dict[str, Any]) -> None:
    inspected = quantmap.inspect_checkpoint(checkpoint)
    rules = [rule for rule in document("sglang", "checked")["rules"] if "model" in rule]
    borders = {rule[key] for rule in rules for key in ("since", "until") if key in rule}
    versions = list(RELEASES["sglang"])
    before = {versions[versions.index(version) - 1] for version in borders}
    for version in sorted(borders | before):
        for gpu in (None, "A100", "L40", "H100", "B200"):
            for config in CONFIGS:
                mapping = quantmap.explain(
                    "sglang", config, engine_version=version, gpu=gpu, checkpoint=inspected
                )
                errors = [d for d in mapping.diagnostics if d.severity == "error"]
                assert not errors, (version, gpu, config, errors)
