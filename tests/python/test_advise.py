"""What to run: what is advised fits, starts, and comes in the order of the goal."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from quantmap import advise, check, estimate, servable

from tests.python.memory_cases import read_cases

SHAPES = {case["model"]: case["shape"] for case in read_cases()}
ENGINES = ("vllm@0.19.0", "sglang@0.5.18", "tensorrt_llm@1.1.0")


@pytest.mark.parametrize("name", ["llama-3.1-8b", "qwen3-30b-a3b", "gpt-oss-20b"])
@pytest.mark.parametrize("gpu", ["H100", "L40S"])
def test_what_is_advised_fits_and_is_accepted(name: str, gpu: str) -> None:
    found = advise(SHAPES[name], gpu, engines=ENGINES, context=8192, concurrency=4, model="m/m")
    assert found
    for advice in found:
        fit = advice.fit
        again = estimate(
            SHAPES[name],
            advice.config,
            tp=fit.tp,
            context=8192,
            concurrency=4,
            engine=f"{fit.engine}@{fit.version}",
            gpu=gpu,
        )
        assert again.verdict == fit.verdict and fit.verdict in ("fits", "tight")
        assert SHAPES[name]["num_attention_heads"] % fit.tp == 0
        line = advice.command.rpartition(" && ")[2]  # in front of it a file is written
        checked = check(line, engine_version=fit.version, gpu=gpu)
        wrong = [v for v in checked.verdicts if v.verdict not in ("accepted", "assumed")]
        assert not wrong, (line, wrong)


def test_the_order_is_that_of_the_goal() -> None:
    shape = SHAPES["llama-3.1-8b"]
    memory = advise(shape, "H100", engines=ENGINES)
    assert [a.gpus for a in memory] == sorted(a.gpus for a in memory)
    speed = advise(shape, "H100", engines=ENGINES, goal="speed")
    assert [a.bytes_per_token for a in speed] == sorted(a.bytes_per_token for a in speed)
    quality = advise(shape, "H100", engines=ENGINES, goal="quality")
    assert quality[0].fit.weight_bytes >= quality[-1].fit.weight_bytes
    assert {a.command for a in memory} == {a.command for a in speed}
    with pytest.raises(ValueError, match="goal"):
        advise(shape, "H100", goal="fame")


def test_sizes_are_least_and_legal() -> None:
    big = advise(SHAPES["qwen2.5-72b"], "H100", engines=["vllm@0.19.0"], goal="quality")
    assert big[0].gpus == 4 and "--tensor-parallel-size 4" in big[0].command
    assert advise(SHAPES["qwen2.5-72b"], "T4", engines=["vllm@0.19.0"], gpus=2) == []


def test_what_a_gpu_can_serve() -> None:
    ground: dict[str, Any] = {"gpus": 1, "engines": ["vllm@0.19.0"], "context": 4096}
    found = dict(servable("L4", **ground))
    assert len(found) > 100
    small, large = found["Qwen/Qwen3-8B"], found["meta-llama/Llama-3.1-70B-Instruct"]
    assert small is not None and small.fit.fits and small.gpus == 1
    assert large is None
    assert advise("Qwen/Qwen3-8B", "L4", **ground)[0].fit.tokens == small.fit.tokens


def test_known_trouble_is_told_and_stands_last() -> None:
    found = advise("deepseek-ai/DeepSeek-V3.1", "H200", engines=["vllm@0.15.0"], context=8192)
    kinds = [a.fit.kv_bits for a in found]
    assert kinds == [16, 8]  # the smaller cache would stand first: its output is garbled
    assert not any("Known trouble" in text for text in found[0].warnings)
    assert "garbled output" in found[1].warnings[0]
    assert any("stands behind the others" in text for text in found[1].reasons)
    kinds = [
        a.fit.kv_bits for a in advise("deepseek-ai/DeepSeek-V3.1", "H200", engines=ENGINES[:1])
    ]
    assert kinds[0] == 8  # not in this release


def test_four_engines() -> None:
    """Also the one that runs on TPUs, which the hardware catalogue does not name."""
    chip = {"name": "TPU v6e", "capability": "9.0", "memory_bytes": 32 << 30}
    shape = SHAPES["llama-3.1-8b"]
    found = advise(shape, chip, engines=["sglang_jax"], context=8192, model="m/m")
    assert found[0].fit.engine == "sglang_jax" and found[0].fit.verdict == "fits"
    assert "sgl_jax.launch_server" in found[0].command
    engines = {advice.fit.engine for advice in advise(shape, "H100")}
    assert engines == {"vllm", "sglang", "tensorrt_llm"}  # without being asked: those of GPUs


def test_layers_go_over_stages_where_heads_divide_no_further() -> None:
    shape = {**SHAPES["qwen2.5-7b"], "num_hidden_layers": 200}
    found = advise(shape, "L4", engines=["vllm@0.19.0"], gpus=16, goal="quality", context=4096)
    assert found and found[0].fit.tp == 4 and found[0].fit.pp > 1
    assert "--pipeline-parallel-size" in found[0].command


def test_all_engines_in_time() -> None:
    shape = SHAPES["qwen3-30b-a3b"]
    advise(shape, "H100")
    best = 1.0
    for _ in range(5):
        start = time.perf_counter()
        advise(shape, "H100")
        best = min(best, time.perf_counter() - start)
    assert best < 0.5  # 0.05 on a quiet machine


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and what the verb prints."""
    from click.testing import CliRunner
    from quantmap.cli.app import app

    result = CliRunner().invoke(app, ["advise", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return result.return_value, result.output


def test_the_command(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(SHAPES["llama-3.1-8b"]), encoding="utf-8")
    options = (str(config), "--gpu", "H100", "--engine", "vllm@0.19.0", "--name", "my/model")
    code, printed = run(*options)
    assert code == 0 and "1. vLLM 0.19.0, 1 x H100" in printed
    assert "$ vllm serve my/model" in printed
    _, data = run(*options, "--json")
    found: list[dict[str, Any]] = json.loads(data)
    assert len(found) >= 2 and found[0]["fit"]["verdict"] == "fits"
    code, printed = run("Qwen/Qwen3-8B", "--gpu", "H100", "--engine", "vllm@0.19.0")
    assert code == 0 and "$ vllm serve Qwen/Qwen3-8B" in printed
    code, printed = run("--list", "--gpu", "L4", "--gpus", "1", "--engine", "vllm@0.19.0")
    assert code == 0 and "well-known models fit on up to 1 x L4" in printed
    assert any(line.startswith("Qwen/Qwen3-4B ") for line in printed.splitlines())
    code, printed = run(str(config), "--gpu", "GTX 1080", "--gpus", "1", "--engine", "vllm@0.19.0")
    assert code == 1 and "Nothing fits" in printed
