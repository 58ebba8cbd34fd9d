"""`quantmap fit`: what it prints, its exit codes, parameters that move memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quantmap import estimate

from tests.python.published_models import LLAMA, SHAPES

VLLM = "vllm@0.13.0"
FP8 = {"gemm_dtype": "fp8"}


def run(*arguments: str) -> str:
    """What the verb prints."""
    from click.testing import CliRunner
    from quantmap.cli.app import app

    result = CliRunner().invoke(app, ["fit", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    global code
    code = result.return_value
    return result.output


code = 0


@pytest.fixture
def llama(tmp_path: Path) -> str:
    """A config.json."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SHAPES["Meta-Llama-3-70B"]), encoding="utf-8")
    return str(path)


def test_presets_side_by_side(llama: str) -> None:
    names = ("default", "kv-cache-fp8", "dynamic-fp8")
    presets = [word for name in names for word in ("--preset", name)]
    printed = run(llama, "--gpu", "H100", "--tp", "2", "--engine", VLLM, "--why", *presets)
    assert "2 x H100" in printed and "vLLM 0.13.0" in printed
    rows = [line for line in printed.splitlines() if line.startswith(names) and "GB" in line]
    assert [row.split()[0] for row in rows] == list(names)
    assert "fits" in rows[2] and "\x1b" not in printed
    bars = [line.partition("[")[2].rstrip("]") for line in printed.splitlines() if "  [" in line]
    assert [len(bar) for bar in bars] == [48] * 3
    assert bars[0].count("W") > bars[2].count("W") > 10
    assert "assumed for dynamic-fp8: quantized while loading" in printed


def test_the_bar_shows_the_shares(llama: str) -> None:
    options = (llama, "--gpu", "B200", "--tp", "2", "--engine", VLLM)
    data = json.loads(run(*options, "--json"))
    bar = next(line for line in run(*options).splitlines() if "  [" in line).partition("[")[2]
    assert bar.count("W") == pytest.approx(data["weight_bytes"] / data["cuda_bytes"] * 48, abs=1)
    room = (data["kv_budget_bytes"] - data["kv_needed_bytes"]) / data["cuda_bytes"] * 48
    assert bar.count("+") == pytest.approx(room, abs=2.5)


def test_json_is_the_estimate(llama: str) -> None:
    options = ("--gpu", "H100", "--context", "4096", "--concurrency", "3", "--engine", VLLM)
    data = json.loads(run(llama, *options, "--set", "gemm_dtype=fp8", "--json"))
    fit = estimate(
        *(SHAPES["Meta-Llama-3-70B"], FP8), gpu="H100", context=4096, concurrency=3, engine=VLLM
    )
    assert data == json.loads(json.dumps(fit.to_dict()))
    two = json.loads(run(llama, "--preset", "default", "--preset", "default", "--json"))
    assert isinstance(two, list) and len(two) == 2


def test_too_large_is_said(llama: str) -> None:
    printed = run(llama, "--gpu", "L4", "--engine", VLLM)
    assert "✗ does-not-fit" in printed and "short of what the GPU has" in printed
    assert code == 1 and "--tensor-parallel-size 8" in printed


def test_what_makes_it_fit_does(llama: str) -> None:
    shape = SHAPES["Meta-Llama-3-70B"]
    asked: dict[str, Any] = {"engine": VLLM, "gpu": "H100", "tp": 4, "concurrency": 64}
    fit = estimate(shape, **asked)
    assert fit.verdict == "fits-with-less-context" and len(fit.cures) == 3
    for cure in fit.cures:
        flag, number = cure.split()
        if flag == "--concurrency":
            better = estimate(shape, **{**asked, "concurrency": int(number)})
        elif flag == "--tensor-parallel-size":
            better = estimate(shape, **{**asked, "tp": int(number)})
        else:
            better = estimate(shape, **asked, user_parameters={flag: number})
        assert better.verdict == "fits", cure
    printed = run(llama, "--gpu", "H100", "--tp", "4", "--concurrency", "64", "--engine", VLLM)
    assert code == 1 and "what makes it fit: --max-model-len" in printed


def test_exit_codes(llama: str) -> None:
    run(llama, "--gpu", "B200", "--tp", "2", "--engine", VLLM)
    assert code == 0
    run(llama, "--engine", VLLM)
    assert code == 0
    printed = run(llama, "--gpu", "B200", "--engine", VLLM, "--param", "kv-cache-dtype=fp7")
    assert code == 1 and "refused" in printed and "✓ fits" not in printed


@pytest.mark.parametrize(
    ("engine", "parameter", "value", "grows"),
    [
        ("vllm", "max-num-batched-tokens", 32768, False),
        ("vllm", "max-num-seqs", 16, True),
        ("vllm", "gpu-memory-utilization", 0.5, False),
        ("vllm", "kv-cache-memory-bytes", "5G", False),
        ("vllm", "enforce-eager", True, True),
        ("vllm", "cpu-offload-gb", 4, True),
        ("vllm", "num-gpu-blocks-override", 100, False),
        ("sglang@0.5.18", "max-total-tokens", 1000, False),
        ("sglang@0.5.18", "chunked-prefill-size", 32768, False),
        ("sglang@0.5.18", "mem-fraction-static", 0.5, False),
        ("sglang@0.5.18", "disable-cuda-graph", True, True),
        ("tensorrt_llm@1.1.0", "max_num_tokens", 65536, False),
    ],
)
def test_parameters_that_move_memory_count(
    engine: str, parameter: str, value: Any, grows: bool
) -> None:
    plain = estimate(LLAMA, engine=engine, gpu="A100-40GB")
    asked = estimate(LLAMA, engine=engine, gpu="A100-40GB", user_parameters={parameter: value})
    assert asked.not_counted == []
    assert asked.tokens != plain.tokens and (asked.tokens > plain.tokens) == grows


def test_adapters_and_drafts_take_memory() -> None:
    plain = estimate(LLAMA, engine="vllm@0.20.1", gpu="H100")
    lora = {"enable-lora": True, "max-lora-rank": 64, "max-loras": 4}
    with_lora = estimate(LLAMA, engine="vllm@0.20.1", gpu="H100", user_parameters=lora)
    assert 0.3e9 < with_lora.weight_bytes - plain.weight_bytes < 3e9
    shape = {**SHAPES["DeepSeek-V3"], "num_nextn_predict_layers": 1}
    draft = {"speculative-config": '{"method": "mtp", "num_speculative_tokens": 1}'}
    without = estimate(shape, engine="vllm@0.20.1", tp=8)
    guessing = estimate(shape, engine="vllm@0.20.1", tp=8, user_parameters=draft)
    assert guessing.weight_bytes == pytest.approx(without.weight_bytes * 62 / 61, rel=0.002)


def test_what_is_not_counted_is_said(llama: str) -> None:
    options = (llama, "--gpu", "B200", "--tp", "2", "--engine", VLLM)
    printed = run(*options, "--param", "kv-transfer-config={}", "--param", "port=8000")
    assert "not counted: --kv-transfer-config" in printed and "--port" not in printed


def test_the_other_way_round(llama: str) -> None:
    printed = run(llama, "--gpu", "H100", "--need", "8k x 8", "--engine", VLLM)
    assert code == 0
    rows = [line.split() for line in printed.splitlines()[2:]]
    assert [row[0] for row in rows] == ["16", "8"]
    for row in rows:
        tp, share = int(row[2]), float(row[3])
        config = {"kvcache_dtype": "fp8_e4m3"} if row[0] == "8" else None
        ask: dict[str, Any] = {"context": 8192, "concurrency": 8, "engine": VLLM, "gpu": "H100"}
        shape = SHAPES["Meta-Llama-3-70B"]
        assert estimate(shape, config, tp=tp, memory_fraction=share, **ask).verdict == "fits"
        assert estimate(shape, config, tp=tp // 2, **ask).verdict != "fits"
    run(llama, "--gpu", "L4", "--need", "8M x 800", "--engine", VLLM)
    assert code == 1


def test_without_a_gpu_only_sizes(llama: str) -> None:
    printed = run(llama, "--engine", VLLM)
    assert "no GPU given" in printed and "141.1 GB" in printed and "[" not in printed
