"""Estimates where a size meets its limit: a last block, a pool that is full, a shared head."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from quantmap import estimate

from tests.python.published_models import LLAMA, SHAPES
from tests.python.test_fit_files import CONFIG, LINEAR, bytes_of, plain_tensors, write

VLLM, SGLANG, TRT = "vllm@0.13.0", "sglang@0.5.18", "tensorrt_llm@1.1.0"


def test_heads_that_do_not_divide_are_rounded_up() -> None:
    """Of six KV heads on four GPUs two are on the fullest one."""
    shape = {**LLAMA, "num_attention_heads": 24, "num_key_value_heads": 6, "head_dim": 128}
    assert estimate(shape, tp=4, engine=TRT).kv_token_bytes == 32 * 2 * 2 * 128 * 2


def test_the_shared_expert_that_a_config_does_not_count() -> None:
    mixtral = SHAPES["Mixtral-8x7B-v0.1"]
    llama4 = {**mixtral, "model_type": "llama4_text", "architectures": ["Llama4ForCausalLM"]}
    one = 32 * 3 * 4096 * 14336
    more = estimate(llama4, engine=VLLM).parameters - estimate(mixtral, engine=VLLM).parameters
    assert more == one


@pytest.mark.parametrize("engine", [VLLM, "vllm@0.33.0"])
def test_no_more_tokens_are_scored_than_a_step_has(engine: str) -> None:
    def activations(sequences: int) -> int:
        said = {"max-num-seqs": sequences, "max-num-batched-tokens": 64, "enforce-eager": True}
        return estimate(LLAMA, engine=engine, gpu="H100", user_parameters=said).activation_bytes

    assert activations(8) < activations(64) == activations(4096)


KINDS = ["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 8
STATES: dict[str, Any] = {
    **LLAMA,
    "layer_types": KINDS,
    "linear_num_key_heads": 16,
    "linear_num_value_heads": 32,
    "linear_key_head_dim": 128,
    "linear_value_head_dim": 128,
    "linear_conv_kernel_dim": 4,
    "mamba_ssm_dtype": "float32",
}


def test_of_short_sequences_the_pool_of_states_is_full_first() -> None:
    """States get 0.9 of what tokens get: a short sequence needs its state, and tokens beside it."""

    def needed(context: int, concurrency: int) -> int:
        fit = estimate(STATES, engine=SGLANG, gpu="H100", context=context, concurrency=concurrency)
        assert fit.state_bytes == 24 * ((2 * 2048 + 4096) * 3 * 2 + 32 * 128 * 128 * 4)
        whole = fit.state_bytes * concurrency * 1.9 / 0.9
        tokens = fit.kv_token_bytes * context * concurrency * 1.9
        assert fit.kv_needed_bytes == pytest.approx(max(whole, tokens), rel=1e-6)
        return fit.kv_needed_bytes

    assert needed(100, 1) == needed(1000, 1) < needed(100_000, 1)
    assert needed(100, 7) == pytest.approx(7 * needed(100, 1), abs=7)


@pytest.mark.parametrize(("engine", "block"), [(VLLM, 16), (TRT, 32), (SGLANG, 1)])
def test_a_block_is_taken_whole(engine: str, block: int) -> None:
    for context in (1, block, block + 1, 3 * block - 1):
        fit = estimate(LLAMA, engine=engine, context=context)
        assert fit.kv_needed_bytes == fit.kv_token_bytes * -(-context // block) * block


@pytest.mark.parametrize("fraction", [1.5, 90, 0])
def test_a_fraction_that_is_none_changes_nothing(fraction: float) -> None:
    usual = estimate(LLAMA, engine=VLLM, gpu="H100")
    said = {"gpu-memory-utilization": fraction}
    wrong = estimate(LLAMA, engine=VLLM, gpu="H100", user_parameters=said)
    assert (wrong.verdict, wrong.memory_fraction) == ("refused", usual.memory_fraction)
    assert wrong.kv_budget_bytes == usual.kv_budget_bytes


def test_no_stage_is_without_a_layer() -> None:
    two = {**LLAMA, "num_hidden_layers": 2}
    for stages in (1, 2, 4):
        fit = estimate(two, engine=VLLM, user_parameters={"pipeline-parallel-size": stages})
        assert fit.pp == min(stages, 2)


def test_a_cure_divides_the_heads() -> None:
    """16 heads go on eight GPUs, and twelve do not."""

    def cures(heads: int) -> list[str]:
        shape = {**SHAPES["Meta-Llama-3-70B"], "head_dim": 128}
        shape |= {"num_attention_heads": heads, "num_key_value_heads": heads // 2}
        fit = estimate(shape, engine=TRT, gpu="L4", context=4096)
        assert fit.verdict == "does-not-fit"
        return fit.cures

    assert cures(16) == ["--tp_size 8"]
    assert cures(12) == []


def test_layers_that_guess_are_loaded_only_to_guess(tmp_path: Path) -> None:
    """A model's own layer for further tokens lies in its files whether it is used or not."""
    config = {**CONFIG, "num_nextn_predict_layers": 1}
    tensors = plain_tensors()
    for name, shape in LINEAR.items():
        tensors[f"model.layers.2.{name}.weight"] = ("BF16", shape)
    folder = write(tmp_path, config, tensors)
    draft = {"speculative-config": {"method": "mtp", "num_speculative_tokens": 1}}
    guessing = estimate(folder, engine="vllm@0.20.1", user_parameters=draft)
    plain = estimate(folder, engine="vllm@0.20.1")
    assert guessing.weight_bytes == bytes_of(tensors)
    assert plain.weight_bytes == bytes_of(plain_tensors())
    assert plain.kv_token_bytes * 3 == guessing.kv_token_bytes * 2


def test_what_guesses_without_a_model_takes_nothing() -> None:
    """Prompt lookup has neither weights nor a cache, however many tokens it guesses."""
    shape = {**LLAMA, "num_nextn_predict_layers": 1}
    lookup = {"speculative-config": {"method": "ngram", "num_speculative_tokens": 3}}
    plain = estimate(shape, engine="vllm@0.20.1")
    guessing = estimate(shape, engine="vllm@0.20.1", user_parameters=lookup)
    assert guessing.kv_token_bytes == plain.kv_token_bytes
    assert guessing.weight_bytes == plain.weight_bytes
