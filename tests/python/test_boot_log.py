"""Boot logs: what they tell, and what is kept of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from quantmap import estimate, output_schema, read_boot_log

from tests.python.memory_cases import judge, read_cases

VLLM_OLD = """
INFO 02-26 09:54:02 llm_engine.py:234] Initializing a V0 LLM engine (v0.7.3) with config: ...
INFO 02-26 09:54:02 model_runner.py:1115] Loading model weights took 5.2032 GB
INFO 02-26 09:54:05 worker.py:267] the current vLLM instance can use total_gpu_memory (8.00GiB) x
INFO worker.py:267] model weights take 5.20GiB; non_torch_memory takes 0.03GiB; \
PyTorch activation peak memory takes 1.42GiB; \
the rest of the memory reserved for KV Cache is -1.05GiB.
"""
VLLM = """
(APIServer pid=1) INFO 08-14 [utils.py:297]   version 0.19.0
(EngineCore) INFO gpu_model_runner.py:4879] Model loading took 14.99 GiB memory and 6 seconds
(EngineCore pid=196) INFO gpu_worker.py:440] Available KV cache memory: 50.0 GiB
(EngineCore pid=196) INFO kv_cache_utils.py:1708] GPU KV cache size: 409,600 tokens
(EngineCore pid=196) INFO Maximum concurrency for 8,192 tokens per request: 50.00x
"""
SGLANG = """
[2026-01-31 TP0] Load weight end. type=LlamaForCausalLM, avail mem=63.5 GB, mem usage=14.99 GB.
[2026-01-31 13:50:39 TP0] KV Cache is allocated. #tokens: 425000, K size: 25.94 GB, V size: 25.94 GB
[2026-01-31 13:50:59 TP0] max_total_num_tokens=425000, chunked_prefill_size=8192, context_len=8192
"""
TENSORRT_LLM = """
[TensorRT-LLM][INFO] TensorRT-LLM version: 1.1.0
[TensorRT-LLM][INFO] [MemUsageChange] Allocated 52.51 GiB for max tokens in paged KV cache (860320).
"""
SHAPE = next(case["shape"] for case in read_cases() if case["model"] == "llama-3.1-8b")
GIBIBYTE = 1 << 30


@pytest.mark.parametrize(
    ("text", "engine", "release", "weights", "kv", "tokens"),
    [
        (VLLM_OLD, "vllm", "0.7.3", 5.2032, -1.05, None),
        (VLLM, "vllm", "0.19.0", 14.99, 50.0, 409600),
        (SGLANG, "sglang", None, 14.99, 51.88, 425000),
        (TENSORRT_LLM, "tensorrt_llm", "1.1.0", None, 52.51, 860320),
    ],
)
def test_lines_of_each_engine(
    text: str,
    engine: str,
    release: str | None,
    weights: float | None,
    kv: float,
    tokens: int | None,
) -> None:
    log = read_boot_log("noise\n" + text + "\nmore noise")
    assert log is not None
    assert (log.engine, log.release, log.tokens) == (engine, release, tokens)
    assert log.kv == pytest.approx(kv * GIBIBYTE)
    assert (log.weights is None) == (weights is None)
    if log.weights is not None and weights is not None:
        assert log.weights == pytest.approx(weights * GIBIBYTE)


def test_the_plan_that_vllm_keeps() -> None:
    plan = {"schema": 1, "fingerprint": "0f", "kv_cache_memory_bytes": 50 << 30}
    log = read_boot_log(json.dumps(plan))
    assert log is not None and log.engine == "vllm"
    assert log.kv == (50 << 30) + (150 << 20)  # which the plan leaves out


def test_blocks_are_tokens() -> None:
    log = read_boot_log("INFO gpu_executor.py] # GPU blocks: 1952, # CPU blocks: 2048")
    assert log is not None and log.tokens == 1952 * 16


def test_what_is_no_log() -> None:
    assert read_boot_log("") is None
    assert read_boot_log("Hello, world") is None
    assert read_boot_log(VLLM, engine="sglang") is None


def test_a_correction_makes_the_next_estimate_agree() -> None:
    log = read_boot_log(VLLM)
    assert log is not None and log.kv is not None
    options: dict[str, Any] = {"engine": "vllm@0.19.0", "gpu": "H100", "context": 8192}
    before = estimate(SHAPE, **options)
    after = estimate(SHAPE, **options, correction=log.correction(before))
    assert after.kv_budget_bytes == pytest.approx(log.kv, rel=0.001)
    assert after.tokens == pytest.approx(log.tokens, rel=0.002)
    width = [high - low for low, high in (before.tokens_band, after.tokens_band)]
    assert width[1] < width[0]
    assert "corrected by a boot log of this GPU and release" in after.assumptions
    parts = {one.part: one.cause for one in log.compare(before)}
    assert set(parts) == {"weights", "KV room", "tokens"}
    assert "larger" in parts["KV room"]


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and what the verb prints."""
    from click.testing import CliRunner
    from quantmap.cli.app import app

    result = CliRunner().invoke(app, ["fit", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.output


def test_the_command_keeps_what_a_log_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    config = tmp_path / "config.json"
    config.write_text(json.dumps(SHAPE), encoding="utf-8")
    boot = tmp_path / "boot.log"
    boot.write_text(VLLM, encoding="utf-8")
    options = (str(config), "--engine", "vllm@0.19.0", "--gpu", "H100")
    _, plain = run(*options, "--context", "8192", "--json")
    code, printed = run(*options, "--log", str(boot))
    assert code == 0 and "kept for this GPU and release" in printed
    shape, case = (json.loads(line) for line in printed.splitlines()[-2:])
    assert case["engine"] == "vllm@0.19.0" and case["measured"]["tokens"] == 409600
    judged = judge({**case, "shape": shape[case["model"]]})
    assert judged.fit.context == 8192 and abs(judged.error("tokens") or 1) < 0.2
    _, data = run(*options, "--log", str(boot), "--json")
    jsonschema.validate(json.loads(data), output_schema("fit"))
    _, named = run(str(config), "--gpu", "H100", "--log", str(boot))  # the log names the release
    assert "vLLM 0.19.0, H100" in named
    kept = json.loads((tmp_path / "data" / "quantmap" / "memory.json").read_text())
    assert list(kept) == ["vllm@0.19.0 H100"]
    _, corrected = run(*options, "--context", "8192", "--json")
    assert json.loads(corrected)["tokens"] == pytest.approx(409600, rel=0.002)
    assert json.loads(plain)["tokens"] != json.loads(corrected)["tokens"]
    _, other = run(str(config), "--engine", "vllm@0.19.0", "--gpu", "L40S", "--why")
    assert "corrected by a boot log" not in other
    (tmp_path / "data" / "quantmap" / "memory.json").write_text("{broken")
    _, without = run(*options, "--context", "8192", "--json")
    assert json.loads(without)["tokens"] == json.loads(plain)["tokens"]


@pytest.mark.parametrize(
    ("text", "title", "release"),
    [
        (VLLM.replace("0.19.0", "0.19.2rc1.dev8+gabc"), "vLLM 0.19.1, H100", "0.19.2rc1.dev8"),
        (VLLM.replace("0.19.0", "0.0.0.dev1"), "vLLM", "0.0.0.dev1"),
        (SGLANG, "SGLang", None),
        (TENSORRT_LLM, "TensorRT-LLM 1.1.0, H100", None),
    ],
)
def test_logs_of_each_engine_and_of_builds_between_releases(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, title: str, release: str | None
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    config, boot = tmp_path / "config.json", tmp_path / "boot.log"
    config.write_text(json.dumps(SHAPE), encoding="utf-8")
    boot.write_text(text, encoding="utf-8")
    code, printed = run(str(config), "--gpu", "H100", "--log", str(boot))
    assert code == 0 and title in printed
    assert (f"the log is of {release}" in printed) == (release is not None)
    assert "kept for this GPU and release" in printed
    [(key, kept)] = json.loads((tmp_path / "data/quantmap/memory.json").read_text()).items()
    assert key.endswith(" H100") and set(kept) == {"held_back", "parameters", "weights"}
    shape, case = (json.loads(line) for line in printed.splitlines()[-2:])
    assert shape[case["model"]] == SHAPE and case["measured"]["kv_gib"] > 0
