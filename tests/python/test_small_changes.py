"""What small changes of the core once went unnoticed: each line here is the answer to one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.model_files import build_gguf

SHAPE: dict[str, Any] = {
    "model_type": "llama",
    "num_hidden_layers": 4,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_attention_heads": 8,
    "num_key_value_heads": 8,
    "vocab_size": 32_000,
    "max_position_embeddings": 4096,
}


@pytest.mark.parametrize(
    ("words", "value", "verdict"),
    [
        ("--max-num-seqs +5", "+5", "accepted"),
        ("--cpu-offload-gb -.5", "-.5", "accepted"),
        ("--max-num-seqs -x", "true", "value-not-accepted"),
    ],
)
def test_signs_of_numbers_in_a_line(words: str, value: str, verdict: str) -> None:
    judged = quantmap.check(f"vllm serve m {words}", engine_version="0.11.0").verdicts[0]
    assert (judged.value, judged.verdict) == (value, verdict)


def test_a_projector_of_images_is_no_second_model(tmp_path: Path) -> None:
    model = build_gguf(tmp_path / "model.gguf")
    (tmp_path / "mmproj-model.gguf").write_bytes(model.read_bytes())
    assert quantmap.inspect_checkpoint(tmp_path).format == "gguf"
    (tmp_path / "other.gguf").write_bytes(model.read_bytes())
    with pytest.raises(quantmap.ConfigError, match="several GGUF models"):
        quantmap.inspect_checkpoint(tmp_path)


def test_one_of_several_snapshots_is_none(tmp_path: Path) -> None:
    for commit in ("aaa", "bbb"):
        folder = tmp_path / "snapshots" / commit
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(SHAPE))
    with pytest.raises(quantmap.ConfigError, match="without a snapshot"):
        quantmap.inspect_checkpoint(tmp_path)
    (tmp_path / "refs").mkdir()
    (tmp_path / "refs" / "main").write_text("bbb")
    assert quantmap.inspect_checkpoint(tmp_path).revision == "bbb"


def test_the_last_stage_of_a_tied_model_has_a_second_embedding() -> None:
    def weights(tied: bool, pp: int) -> int:
        shape = {**SHAPE, "tie_word_embeddings": tied}
        return quantmap.estimate(shape, engine="vllm@0.13.0", pp=pp).weight_bytes

    embedding = SHAPE["vocab_size"] * SHAPE["hidden_size"] * 2
    assert weights(False, 1) - weights(True, 1) == embedding
    assert weights(False, 2) == weights(True, 2)


def test_strict_takes_a_size_of_one() -> None:
    for size in ("tensor_parallel_size", "pipeline_parallel_size"):
        config = {"parallelism": {size: 1}}
        for engine in ("vllm@0.11.0", "sglang@0.5.6", "sglang_jax@latest"):
            quantmap.explain(engine, config, policy="strict")


def test_a_limited_plan_reaches_the_end_of_its_space() -> None:
    task = {
        "base_runtime": "vllm",
        "parameters": {"seed": list(range(10))},
        "optimization": {"max_iterations": 4},
    }
    seeds = [int(one.args["--seed"]) for one in quantmap.plan(task)]
    assert seeds == [0, 2, 5, 7]


def test_a_dropped_setting_is_told_once() -> None:
    for engine in ("vllm", "sglang", "tensorrt_llm"):
        for version in ("latest", None):
            config = {"kvcache_dtype": "int4", "attention_dtype": "fp8", "moe_dtype": "int8"}
            found = quantmap.explain(engine, config, engine_version=version)
            told = [(item.code, item.path, item.message) for item in found.diagnostics]
            assert len(told) == len(set(told))
