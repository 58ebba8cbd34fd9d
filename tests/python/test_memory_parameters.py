"""Every parameter that moves memory counts, wherever it is said, in its engine's spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quantmap import estimate, estimate_script
from quantmap.cli import app

from tests.python.memory_cases import read_cases

SHAPES = {case["model"]: case["shape"] for case in read_cases()}
START = {
    "vllm@0.33.0": "vllm serve m/m",
    "sglang@0.5.23": "sglang serve --model-path m/m",
    "tensorrt_llm@1.2.0": "trtllm-serve m/m",
    "sglang_jax@0.1.0rc0": "python3 -m sgl_jax.launch_server --model-path m/m",
}
VLLM, SGLANG, TRTLLM, JAX = START
SIZES = ("weight_bytes", "activation_bytes", "graph_bytes", "kv_budget_bytes", "kv_token_bytes")
ALSO = ("context", "tp", "pp", "batched_tokens", "sequences_at_most", "tokens", "state_bytes")
DENSE, MOE, LATENT, STATE, SEEING, SLIDING = (
    "qwen3-8b",
    "qwen3-30b-a3b",
    "deepseek-v2-lite",
    "qwen3.8-27b-fp8",
    "qwen2.5-vl-7b",
    "gpt-oss-20b",
)
SMALL_STEP = {"max-num-batched-tokens": 2048, "max-num-seqs": 8}  # a picture is the largest then
EAGLE = {"method": "eagle3", "model": "x/y", "num_speculative_tokens": 3}
# engine, model, flag, value, what it moves, and parameters beside it
PARAMETERS: list[tuple[str, str, str, Any, str, dict[str, Any]]] = [
    (VLLM, DENSE, "gpu-memory-utilization", 0.5, "kv_budget_bytes", {}),
    (VLLM, DENSE, "max-model-len", 4096, "context", {}),
    (VLLM, DENSE, "max-num-seqs", 32, "kv_budget_bytes", {}),
    (VLLM, DENSE, "max-num-batched-tokens", 65536, "kv_budget_bytes", {}),
    (VLLM, DENSE, "kv-cache-memory-bytes", 5368709120, "kv_budget_bytes", {}),
    (VLLM, DENSE, "num-gpu-blocks-override", 1000, "tokens", {}),
    (VLLM, DENSE, "block-size", 64, "tokens", {"num-gpu-blocks-override": 1000}),
    (VLLM, DENSE, "kv-cache-dtype", "fp8", "kv_token_bytes", {}),
    (VLLM, DENSE, "tensor-parallel-size", 2, "weight_bytes", {}),
    (VLLM, DENSE, "pipeline-parallel-size", 2, "weight_bytes", {}),
    (VLLM, DENSE, "decode-context-parallel-size", 2, "tokens", {"tensor-parallel-size": 8}),
    (VLLM, MOE, "data-parallel-size", 4, "weight_bytes", {"enable-expert-parallel": True}),
    (VLLM, MOE, "num-redundant-experts", 32, "weight_bytes", {}),
    (VLLM, DENSE, "enforce-eager", True, "graph_bytes", {}),
    (VLLM, DENSE, "max-cudagraph-capture-size", 8, "graph_bytes", {}),
    (VLLM, DENSE, "compilation-config", {"cudagraph_mode": "NONE"}, "graph_bytes", {}),
    (VLLM, DENSE, "cpu-offload-gb", 4, "kv_budget_bytes", {}),
    (VLLM, DENSE, "enable-lora", True, "kv_budget_bytes", {}),
    (VLLM, DENSE, "max-lora-rank", 128, "kv_budget_bytes", {"enable-lora": True}),
    (VLLM, DENSE, "max-loras", 8, "kv_budget_bytes", {"enable-lora": True}),
    (VLLM, DENSE, "speculative-config", EAGLE, "weight_bytes", {}),
    (VLLM, STATE, "mamba-ssm-cache-dtype", "float16", "state_bytes", {}),
    (VLLM, SLIDING, "disable-hybrid-kv-cache-manager", True, "tokens", {}),
    (VLLM, SEEING, "language-model-only", True, "weight_bytes", {}),
    (VLLM, SEEING, "skip-mm-profiling", True, "activation_bytes", SMALL_STEP),
    (VLLM, SEEING, "mm-encoder-tp-mode", "data", "weight_bytes", {"tensor-parallel-size": 2}),
    (SGLANG, DENSE, "mem-fraction-static", 0.5, "kv_budget_bytes", {}),
    (SGLANG, DENSE, "context-length", 4096, "context", {}),
    (SGLANG, DENSE, "max-running-requests", 16, "sequences_at_most", {}),
    (SGLANG, DENSE, "chunked-prefill-size", 65536, "kv_budget_bytes", {}),
    (SGLANG, DENSE, "max-total-tokens", 4096, "tokens", {}),
    (SGLANG, DENSE, "kv-cache-dtype", "fp8_e4m3", "kv_token_bytes", {}),
    (SGLANG, DENSE, "tp-size", 2, "weight_bytes", {}),
    (SGLANG, DENSE, "pp-size", 2, "weight_bytes", {}),
    (SGLANG, DENSE, "cuda-graph-max-bs", 1024, "kv_budget_bytes", {}),
    (SGLANG, DENSE, "cpu-offload-gb", 4, "kv_budget_bytes", {}),
    (SGLANG, DENSE, "enable-lora", True, "kv_budget_bytes", {"max-lora-rank": 64}),
    (SGLANG, DENSE, "max-loras-per-batch", 1, "kv_budget_bytes", {"enable-lora": True}),
    (SGLANG, DENSE, "speculative-algorithm", "EAGLE3", "weight_bytes", {}),
    (SGLANG, MOE, "ep-num-redundant-experts", 32, "weight_bytes", {}),
    (SGLANG, STATE, "mamba-full-memory-ratio", 0.2, "tokens", {}),
    (SGLANG, STATE, "max-mamba-cache-size", 64, "tokens", {}),
    (SGLANG, SLIDING, "swa-full-tokens-ratio", 0.2, "tokens", {}),
    (SGLANG, SLIDING, "disable-hybrid-swa-memory", True, "tokens", {}),
    (TRTLLM, DENSE, "kv_cache_free_gpu_memory_fraction", 0.5, "kv_budget_bytes", {}),
    (TRTLLM, DENSE, "max_seq_len", 4096, "context", {}),
    (TRTLLM, DENSE, "max_batch_size", 16, "sequences_at_most", {}),
    (TRTLLM, DENSE, "max_num_tokens", 65536, "kv_budget_bytes", {}),
    (TRTLLM, DENSE, "tp_size", 2, "weight_bytes", {}),
    (TRTLLM, DENSE, "pp_size", 2, "weight_bytes", {}),
    (JAX, DENSE, "mem-fraction-static", 0.5, "kv_budget_bytes", {}),
    (JAX, DENSE, "context-length", 4096, "context", {}),
    (JAX, DENSE, "max-running-requests", 16, "sequences_at_most", {}),
    (JAX, DENSE, "max-total-tokens", 4096, "tokens", {}),
    (JAX, DENSE, "tensor-parallel-size", 2, "weight_bytes", {}),
    (JAX, LATENT, "page-size", 64, "tokens", {}),
]
# Keys of the file that TensorRT-LLM reads, and what they move.
SETTINGS: list[tuple[str, str, str]] = [
    (DENSE, "kv_cache_config: {free_gpu_memory_fraction: 0.5}", "kv_budget_bytes"),
    (DENSE, "kv_cache_config: {max_tokens: 4096}", "tokens"),
    (DENSE, "kv_cache_config: {max_gpu_total_bytes: 1073741824}", "kv_budget_bytes"),
    (DENSE, "kv_cache_config: {dtype: fp8}", "kv_token_bytes"),
    (SLIDING, "kv_cache_config: {max_attention_window: [128, 131072]}", "tokens"),
    (DENSE, "max_num_tokens: 65536", "kv_budget_bytes"),
    (DENSE, "max_batch_size: 16", "sequences_at_most"),
    (DENSE, "tensor_parallel_size: 2", "weight_bytes"),
    (DENSE, "speculative_config: {decoding_type: Eagle3, max_draft_len: 3}", "weight_bytes"),
]


def numbers(fit: Any) -> tuple[Any, ...]:
    """What two ways to say the same must agree in."""
    return tuple(getattr(fit, name) for name in SIZES + ALSO)


def words(flag: str, value: Any) -> str:
    """The argument as people type it."""
    if value is True:
        return f" --{flag}"
    return f" --{flag} " + (f"'{json.dumps(value)}'" if isinstance(value, dict) else str(value))


@pytest.mark.parametrize(
    ("engine", "model", "flag", "value", "moves", "beside"),
    PARAMETERS,
    ids=[f"{row[0].partition('@')[0]}-{row[2]}" for row in PARAMETERS],
)
def test_a_parameter_counts_wherever_it_is_said(
    engine: str, model: str, flag: str, value: Any, moves: str, beside: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"engine": engine, "gpu": "B200"}
    plain = estimate(SHAPES[model], **options, user_parameters=beside)
    given = estimate(SHAPES[model], **options, user_parameters={**beside, flag: value})
    assert getattr(given, moves) != getattr(plain, moves)
    assert given.not_counted == []
    line = START[engine] + "".join(words(*item) for item in beside.items()) + words(flag, value)
    script = "#!/bin/bash\nset -e\n"
    ground: dict[str, Any] = {
        "gpu": "B200",
        "engine_version": engine.partition("@")[2],
        "checkpoint": SHAPES[model],
    }
    for text in (line, script + line.replace(" --", " \\\n  --") + "\n"):
        [(_, said)] = estimate_script(text, **ground)
        assert numbers(said) == numbers(given), text
        assert said.not_counted == []


@pytest.mark.parametrize(("model", "setting", "moves"), SETTINGS)
def test_a_key_of_a_settings_file_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str, setting: str, moves: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("more.yaml").write_text(setting + "\n", encoding="utf-8")
    options: dict[str, Any] = {"engine": TRTLLM, "gpu": "B200"}
    plain = estimate(SHAPES[model], **options)
    parameters = {"extra_llm_api_options": "more.yaml"}
    given = estimate(SHAPES[model], **options, user_parameters=parameters)
    assert getattr(given, moves) != getattr(plain, moves)
    assert given.not_counted == []


def test_a_task_counts_like_parameters(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(SHAPES[DENSE]), encoding="utf-8")
    for engine, model, flag, value, _, beside in PARAMETERS:
        if engine != VLLM or model != DENSE:
            continue
        task = tmp_path / "task.json"
        parameters = {**beside, flag: value}
        task.write_text(json.dumps({"base_runtime": "vllm", "parameters": parameters}))
        arguments = ["fit", str(task), "--gpu", "B200", "--engine-version", "0.33.0"]
        app.app.main([*arguments, "--checkpoint", str(config), "--json"], standalone_mode=False)
        [row] = json.loads(capsys.readouterr().out)
        fit = estimate(SHAPES[DENSE], engine=engine, gpu="B200", user_parameters=parameters)
        assert (row["tokens"], row["weight_bytes"]) == (fit.tokens, fit.weight_bytes), flag
