"""What a launch line, a script or a task says of memory counts, in its engine's spelling."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from quantmap import ConfigError, estimate, estimate_script
from quantmap.cli import app

MODEL = "Qwen/Qwen3-32B"
SMALL = "Qwen/Qwen3-8B"


def fit_of(line: str, **options: Any) -> Any:
    """The only launch's estimate."""
    [(_, fit)] = estimate_script(line, gpu="H100", **options)
    return fit


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = app.app.main(["fit", *arguments], standalone_mode=False)
    out, err = capsys.readouterr()
    return code, out, err


@pytest.mark.parametrize(
    ("words", "parameters"),
    [
        ("-tp 2 --max_num_seqs=64", {"tensor-parallel-size": 2, "max-num-seqs": 64}),
        ("--max-model-len 16k", {"max-model-len": 16000}),
        ("--kv-cache-dtype fp8 -tp 2", {"tensor-parallel-size": 2, "kv-cache-dtype": "fp8"}),
        ("--gpu-memory-util 0.8 -tp 4", {"gpu-memory-utilization": 0.8, "tensor-parallel-size": 4}),
    ],
)
def test_a_line_counts_like_parameters(words: str, parameters: dict[str, Any]) -> None:
    fit = fit_of(f"vllm serve {MODEL} {words}", engine_version="0.19.0")
    other = estimate(MODEL, gpu="H100", engine="vllm@0.19.0", user_parameters=parameters)
    for name in ("tp", "context", "weight_bytes", "kv_budget_bytes", "kv_token_bytes", "tokens"):
        assert getattr(fit, name) == getattr(other, name), name
    assert fit.not_counted == []


@pytest.mark.parametrize(
    ("engine", "less", "more"),
    [
        ("vllm@0.33.0", '--compilation-config \'{"cudagraph_mode": "NONE"}\'', ""),
        ("vllm@0.33.0", "--max-cudagraph-capture-size 8", ""),
        ("vllm@0.33.0", "--cudagraph-capture-sizes 1 2 4", ""),
        ("vllm@0.33.0", "", '--speculative-config \'{"method": "eagle3", "model": "x/y"}\''),
        ("vllm@0.33.0", "", "--speculative-config.model Qwen/Qwen3-0.6B"),
        ("vllm@0.33.0", "", "--enable-lora --max-lora-rank 128"),
        ("sglang@0.5.18", "--cuda-graph-max-bs 8", ""),
        ("sglang@0.5.18", "--chunked-prefill-size 2048", ""),
        ("sglang@0.5.18", "", "--speculative-algorithm EAGLE3 --speculative-draft-model-path x/y"),
    ],
)
def test_what_moves_memory_moves_tokens(engine: str, less: str, more: str) -> None:
    start = {"vllm": f"vllm serve {SMALL}", "sglang": f"sglang serve --model-path {SMALL}"}
    line = start[engine.partition("@")[0]]
    version = engine.partition("@")[2]
    plain = fit_of(line, engine_version=version).tokens
    if less:
        assert fit_of(f"{line} {less}", engine_version=version).tokens > plain
    if more:
        assert fit_of(f"{line} {more}", engine_version=version).tokens < plain


def test_drafts_that_come_from_no_model_take_nothing() -> None:
    line = f"vllm serve {SMALL}"
    ngram = ' --speculative-config \'{"method": "ngram", "num_speculative_tokens": 3}\''
    plain, drafting = (fit_of(text, engine_version="0.33.0") for text in (line, line + ngram))
    assert drafting.weight_bytes == plain.weight_bytes
    assert drafting.kv_token_bytes == plain.kv_token_bytes
    assert drafting.not_counted == ["--speculative-config.prompt_lookup_max"][:0]


def test_a_draft_model_has_weights_and_a_cache() -> None:
    line = f"vllm serve {SMALL} --speculative-config.model "
    known = fit_of(line + "Qwen/Qwen3-0.6B", engine_version="0.33.0")
    plain = fit_of(f"vllm serve {SMALL}", engine_version="0.33.0")
    small = estimate("Qwen/Qwen3-0.6B", engine="vllm@0.33.0")
    assert known.weight_bytes - plain.weight_bytes == pytest.approx(small.weight_bytes, rel=0.25)
    assert known.kv_token_bytes - plain.kv_token_bytes == small.kv_token_bytes
    unknown = fit_of(line + "nobody/knows", engine_version="0.33.0")
    assert "the draft model nobody/knows" in unknown.not_counted


def test_what_has_no_meaning_is_told() -> None:
    variable = "VLLM_MEMORY_PROFILER_ESTIMATE_CUDAGRAPHS"
    line = f"{variable}=0 vllm serve {SMALL} --hf-overrides.rope_theta 1 --port 8000"
    fit = fit_of(line, engine_version="0.33.0")
    assert fit.not_counted == ["--hf-overrides.rope_theta", variable]


def test_a_file_of_further_arguments_counts(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    text = "kv_cache_config:\n  free_gpu_memory_fraction: 0.5\nmax_batch_size: 16\nfoo: 1\n"
    Path("more.yaml").write_text(text, encoding="utf-8")
    line = f"trtllm-serve {SMALL} --max_seq_len 8192"
    plain = fit_of(line)
    given = fit_of(f"{line} --extra_llm_api_options more.yaml")
    assert (given.memory_fraction, given.sequences_at_most) == (0.5, 16)
    assert given.not_counted == ["--extra_llm_api_options.foo"]
    script = f"cat > less.yaml <<EOF\n{text}EOF\n{line} --config less.yaml\n"
    assert fit_of(script).tokens == given.tokens < plain.tokens
    missing = fit_of(f"{line} --config nowhere.yaml")
    assert missing.tokens == plain.tokens and len(missing.not_counted) == 1
    by_parameter = estimate(
        SMALL,
        engine="tensorrt_llm",
        gpu="H100",
        user_parameters={"extra_llm_api_options": "more.yaml", "max_seq_len": 8192},
    )
    assert by_parameter.tokens == given.tokens


def test_what_a_release_refuses_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    line = f"vllm serve {SMALL} --kv-cache-dtype fp16"
    assert fit_of(line, engine_version="0.19.0").verdict == "refused"
    code, out, _ = run(capsys, line, "--gpu", "H100", "--engine-version", "0.19.0")
    assert code == 1 and "refused" in out and "✓ fits" not in out
    with pytest.raises(ConfigError):
        estimate_script("echo hello", gpu="H100")
    with pytest.raises(ConfigError):  # nobody knows the model's shape
        estimate_script("vllm serve some/model", gpu="H100")


def test_sizes_that_do_not_go_are_refused() -> None:
    fit = estimate(MODEL, gpu="H100", engine="vllm@0.19.0", tp=3)
    assert fit.verdict == "refused" and fit.tp == 3
    assert estimate(MODEL, gpu="H100", engine="vllm@0.19.0", tp=4).verdict != "refused"


def test_the_command_takes_lines_scripts_and_tasks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "launch.sh"
    script.write_text(
        f"TP=2\nvllm serve {MODEL} -tp $TP\nvllm serve {SMALL} --max-model-len 8192\n"
    )
    code, out, _ = run(capsys, str(script), "--gpu", "H100", "--engine-version", "0.19.0")
    assert code == 0 and "line 2" in out and "line 3" in out and "2 x H100" in out
    sizes = {"tensor-parallel-size": [1, 4], "max-model-len": 8192}
    task = tmp_path / "task.json"
    named = {"base_runtime": "vllm", "model": {"id_or_path": MODEL}, "parameters": sizes}
    task.write_text(json.dumps(named))
    options = (str(task), "--gpu", "L40S", "--engine-version", "0.19.0")
    code, out, _ = run(capsys, *options)
    assert code == 1 and "--tensor-parallel-size 4" in out and "in each: --dtype auto" in out
    _, data, _ = run(capsys, *options, "--json")
    assert [fit["tp"] for fit in json.loads(data)] == [1, 4]
    # Without a release the newest one is taken.
    code, out, _ = run(capsys, str(task), "--gpu", "H100")
    assert "· 2 x" not in out and "vLLM 0." in out
    code, _, _ = run(capsys, f"vllm serve {SMALL} --max-model-len 2048", "--gpu", "H100", "--json")
    assert code == 0
    line = "vllm serve /models/llama --max-model-len 2048"
    code, out, _ = run(capsys, line, "--gpu", "H100", "--checkpoint", SMALL)
    assert code == 0 and "/models/llama" not in out.splitlines()[1]
