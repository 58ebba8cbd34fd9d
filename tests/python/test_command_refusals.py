"""What a release refuses, what a form cannot hold, what a task says of its model: it is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_plan_command import environment

pytest.importorskip("click")

ROOT = Path(__file__).resolve().parents[2]
AWQ = {
    "base_runtime": "vllm@0.11.0",
    "model": {"id_or_path": "org/Model-30B-AWQ"},
    "quant_config": {"gemm_dtype": "fp8"},
}


def run(
    *words: Any, task: Any = None, code: int = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "quantmap", *map(str, words)],
        input="" if task is None else json.dumps(task),
        capture_output=True,
        encoding="utf-8",
        env={**environment(), **more},
        cwd=ROOT,
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("form", [[], ["--argv"], ["--shell", "m"], ["--docker", "m"], ["--json"]])
def test_what_a_release_refuses_is_said_whatever_the_form(form: list[str]) -> None:
    words = ["map", "--runtime", "sglang@0.5.9", "--param", "kv_cache_dtype=fp8", *form]
    done = run(*words, code=1)
    told = done.stdout if form == ["--json"] else done.stderr
    assert "SGLang 0.5.9 does not accept 'fp8'" in told and "fp8_e4m3" in told


def test_a_launch_that_cannot_be_served_is_said() -> None:
    done = run("map", "--runtime", "sglang@0.5.9", "--gpu", "V100", "--shell", "m", code=1)
    assert "cannot serve this" in done.stderr and done.stdout.startswith("python3 -m sglang")


def test_a_form_says_what_it_cannot_hold() -> None:
    words = ["map", "--runtime", "tensorrt_llm@1.0.0", "--preset", "kv-cache-fp8"]
    words += ["--param", "tp_size=2"]
    name = quantmap.explain("tensorrt_llm@1.0.0", {"preset": "kv-cache-fp8"}).files
    assert f"also needs the file {next(iter(name))}" in run(*words, "--argv").stderr
    assert "also needs the arguments" in run(*words, "--config-file").stderr
    assert "also needs" not in run(*words, "--shell", "m").stderr
    backend = ["map", "--runtime", "vllm@0.10.2", "--set", "attention.backend=flashinfer"]
    assert "also needs the variable VLLM_ATTENTION_BACKEND=" in run(*backend, "--argv").stderr


def test_what_is_dropped_is_said_beside_a_launch_line() -> None:
    done = run("map", "--runtime", "sglang@0.5.9", "--preset", "aggressive-moe", "--shell", "m")
    assert "w4afp8" in done.stderr and "w4afp8" not in done.stdout


def test_the_matrix_is_of_the_release_that_is_named() -> None:
    assert run("matrix", "--engine", "sglang@0.5.2").stdout.startswith("SGLang 0.5.2\n")
    known = {"QUANTMAP_ENGINE_VERSIONS": "vllm=0.11.0"}
    assert run("matrix", "--engine", "vllm", **known).stdout.startswith("vLLM 0.11.0\n")
    data = json.loads(run("matrix", "--engine", "sglang@0.5.2", "--json").stdout)
    assert (data["engine"], data["version"]) == ("sglang", "0.5.2")
    assert run("matrix", "--engine", "sglang").stdout.splitlines()[0] != "SGLang 0.5.2"


@pytest.mark.parametrize("verb", ["map", "explain", "plan"])
def test_the_models_name_counts_as_it_does_for_the_autotuner(verb: str) -> None:
    found = run(verb, "-", "--argv", task=AWQ)
    assert "--quantization" not in json.loads(found.stdout) and "served as awq" in found.stderr
    for own in (["--model-quantization", "none"], ["--checkpoint", "examples/llama_3_70b.json"]):
        other = run(verb, "-", "--argv", *own, task=AWQ)
        assert json.loads(other.stdout)[:2] == ["--quantization", "fp8"]
        assert "served as" not in other.stderr


def test_explain_launches_the_tasks_own_model() -> None:
    lines = run("explain", "-", task=AWQ).stdout.splitlines()
    assert lines[lines.index("Launch it:") + 1].startswith("  vllm serve org/Model-30B-AWQ ")
    alone = run("explain", "--runtime", "vllm@0.11.0", "--preset", "default").stdout
    assert "Launch it (MODEL is yours):" in alone and "--model-quantization" in alone


def test_a_checkpoint_that_cannot_be_read_is_an_error() -> None:
    done = run("map", "--runtime", "vllm", "--checkpoint", "/no/such/model", code=2)
    assert "no such folder or file" in done.stderr


def test_a_plan_says_which_parameters_will_be_refused() -> None:
    task = {
        "base_runtime": "vllm@0.11.0",
        "parameters": {"mem-fraction-static": [0.8, 0.9], "seed": 1},
    }
    done = run("plan", "-", "--argv", task=task)
    assert len(done.stdout.splitlines()) == 2
    assert "vLLM 0.11.0 has no --mem-fraction-static" in done.stderr
    assert "in 2 of the first 2 experiments" in done.stderr
    run("plan", "-", "--strict", task=task, code=1)
    good = {**task, "parameters": {"seed": [1, 2]}}
    assert run("plan", "-", "--strict", task=good).stderr == ""


@pytest.mark.parametrize(
    ("word", "told"), [("chek", "Did you mean 'check'?"), ("zzz", "Verbs: map, plan,")]
)
def test_a_mistyped_verb_is_told_the_nearest(word: str, told: str) -> None:
    assert told in run(word, code=2).stderr


@pytest.mark.parametrize("verb", ["map", "explain"])
def test_problems_stand_where_they_are_in_the_task(verb: str) -> None:
    task = {"base_runtime": "vllm", "quant_config": {"gemm_dtype": "fp99"}}
    assert "$.quant_config.gemm_dtype: " in run(verb, "-", task=task, code=2).stderr
    presets = {"base_runtime": "vllm", "quantization_config": {"presets": ["default", "nope"]}}
    assert "$.quantization_config.presets[1]: " in run(verb, "-", task=presets, code=2).stderr
    assert (
        "error: $.gemm_dtype: "
        in run(verb, "--runtime", "vllm", "--set", "gemm_dtype=x", code=2).stderr
    )


def test_who_reads_a_part_only_makes_no_failure() -> None:
    running = subprocess.Popen(
        [sys.executable, "-m", "quantmap", "matrix", "--engine", "sglang"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**environment(), "PYTHONUNBUFFERED": "1"},
    )
    assert running.stdout is not None and running.stderr is not None
    running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == b"" and running.wait(timeout=60) == 0
    running.stderr.close()


def test_strict_refuses_what_the_checkpoint_overrules() -> None:
    """Four bits under the name of eight would be the wrong experiment."""
    config = {"gemm_dtype": "fp8"}
    for method in ("awq", "gptq"):
        with pytest.raises(quantmap.ConfigError, match="already quantized"):
            quantmap.explain("vllm@0.11.0", config, None, method, policy="strict")
    quantmap.explain("vllm@0.11.0", config, None, "fp8", policy="strict")
    plan = quantmap.plan(
        {"base_runtime": "vllm@0.11.0", "quant_config": {"gemm_dtype": ["auto", "fp8"]}},
        policy="strict",
        model_quantization="awq",
    )
    assert (plan.distinct, plan.merged, plan.skipped) == (1, 0, 1)


def test_a_fix_says_when_a_release_is_older_and_when_there_is_none() -> None:
    def fix(*words: str) -> str:
        lines = run("explain", *words, code=1).stdout.splitlines()
        return next(line for line in lines if line.startswith("    fix: "))

    gguf = ["--runtime", "vllm@0.33.0", "--model-quantization", "gguf", "--preset", "default"]
    assert "an older release, serves it." in fix(*gguf)
    old = ["--runtime", "sglang@0.5.9", "--gpu", "V100", "--preset", "default"]
    assert "no known release of SGLang does" in fix(*old)


def test_a_launch_that_is_too_long_is_told(tmp_path: Path) -> None:
    script = tmp_path / "long.sh"
    script.write_text("vllm serve x " + "--dtype auto " * 10_010)
    assert "give it in parts" in run("check", script, code=2).stderr
