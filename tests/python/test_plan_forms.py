"""What `quantmap plan` writes for other programs, read back by them, and the images it names."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import quantmap
import yaml

from tests.python.test_plan_command import run
from tests.python.test_render_forms import _stubs, read_docker, sh  # noqa: F401

MODEL = "it's $(touch injected) `id`"
HOSTILE = ["`id`\n'\"", "$(touch injected)", "a b;c", "日本語", "--trust-remote-code"]
TASK: dict[str, Any] = {
    "base_runtime": "vllm",
    "runtime_image_tag": "v0.11.0-own",
    "model": {"id_or_path": MODEL},
    "quant_config": {"presets": ["default", "kv-cache-fp8"]},
    "parameters": {"served-model-name": HOSTILE, "seed": -1},
}
SETTINGS: dict[str, Any] = {
    "base_runtime": "tensorrt_llm@1.0.0",
    "model": "m",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
}


def written(tmp_path: Path, task: dict[str, Any], *words: Any) -> str:
    return run(task_file(tmp_path, task), *words).stdout


def task_file(tmp_path: Path, task: dict[str, Any]) -> Path:
    path = tmp_path / "task.json"
    path.write_text(json.dumps(task), encoding="utf-8")
    return path


def remarks(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith("# ") and len(line) > 32]


def test_words_are_one_array_a_line(tmp_path: Path) -> None:
    lines = written(tmp_path, TASK, "--argv").splitlines()
    assert [json.loads(line) for line in lines] == [one.argv() for one in quantmap.plan(TASK)]
    assert len(lines) == 2 * len(HOSTILE)


@pytest.mark.parametrize("form", ["--shell", "--docker"])
def test_a_shell_starts_exactly_the_experiments(stubs: Path, form: str) -> None:
    text = written(stubs, TASK, form)
    plan = quantmap.plan(TASK)
    assert remarks(text) == [f"# {one.index} {one.signature}" for one in plan]
    if form == "--shell":
        assert sh(stubs, text) == [word for one in plan for word in one.argv(MODEL)]
        return
    image = "vllm/vllm-openai:v0.11.0-own"
    expected = [word for one in plan for word in shlex.split(one.docker(MODEL, image))]
    assert sh(stubs, text) == expected
    assert list((stubs / "work").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "image"),
    [
        ([], "vllm/vllm-openai:v0.11.0-own"),
        (["--image", "own:1"], "own:1"),
        (["--engine-version", "0.12.0"], "vllm/vllm-openai:v0.12.0"),
        (["--engine-version", "0.11.0"], "vllm/vllm-openai:v0.11.0-own"),
        (["--engine", "sglang@0.5.6"], "lmsysorg/sglang:v0.5.6"),
        (["--engine", "vllm@0.12.0"], "vllm/vllm-openai:v0.12.0"),
    ],
)
def test_the_image_is_of_the_release_that_is_planned_for(
    tmp_path: Path, words: list[str], image: str
) -> None:
    text = written(tmp_path, TASK, "--docker", "--max", 1, *words)
    assert read_docker(shlex.split(text, comments=True))["image"] == image


def test_an_image_whose_tag_says_no_release_is_still_the_tasks(tmp_path: Path) -> None:
    task = {**TASK, "runtime_image_tag": "nightly-abc"}
    for words in ([], ["--engine-version", "0.11.0"]):
        text = written(tmp_path, task, "--docker", "--max", 1, *words)
        found = read_docker(shlex.split(text, comments=True))
        assert found["image"] == "vllm/vllm-openai:nightly-abc"


def test_files_of_arguments_are_one_stream_or_one_file_each(tmp_path: Path) -> None:
    task = {**TASK, "parameters": {"served-model-name": HOSTILE[:-1], "seed": [1, 2]}}
    plan = quantmap.plan(task)
    expected = {one.signature: yaml.safe_load(one.config_file()) for one in plan}
    assert len(expected) == 16
    text = written(tmp_path, task, "--config-file")
    assert list(yaml.safe_load_all(text)) == list(expected.values())
    assert remarks(text) == [f"# {one.index} {one.signature}" for one in plan]
    folder = tmp_path / "new" / "configs"
    done = run(task_file(tmp_path, task), "--config-file", "--out", f"{folder}/")
    assert done.stdout == "" and "16 differ" in done.stderr
    files = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in folder.iterdir()}
    assert files == expected
    assert run(tmp_path / "task.json", "--out", tmp_path / "all.yaml").stdout == ""
    assert (tmp_path / "all.yaml").read_text("utf-8") == text


def test_settings_only_where_the_launch_needs_them(tmp_path: Path) -> None:
    text = written(tmp_path, SETTINGS, "--config-file")
    assert list(yaml.safe_load_all(text)) == [{}, {"kv_cache_config": {"dtype": "fp8"}}]
    run(tmp_path / "task.json", "--config-file", "--out", tmp_path)
    fp8 = quantmap.plan(SETTINGS)[1]
    assert [path.stem for path in tmp_path.glob("*.yaml")] == [fp8.signature]


def test_a_file_says_which_variable_the_launch_needs(tmp_path: Path) -> None:
    task = {
        "base_runtime": "vllm@0.10.2",
        "quant_config": {"attention": {"backend": ["auto", "flashinfer"]}},
    }
    text = written(tmp_path, task, "--config-file")
    assert list(yaml.safe_load_all(text)) == [{"dtype": "auto"}, {"dtype": "auto"}]
    assert text.count("# needs the variable VLLM_ATTENTION_BACKEND=FLASHINFER\n") == 1


@pytest.mark.parametrize(
    ("task", "words", "message"),
    [
        (TASK, ["--image", "a:b"], "--image belongs to --docker"),
        (TASK, ["--docker", "--image", "-v"], "container image"),
        ({**TASK, "model": None}, ["--docker"], "--docker needs the model"),
        ({**TASK, "model": {}}, ["--shell"], "--shell needs the model"),
        ({**TASK, "runtime_image_tag": None}, ["--docker"], "needs a known engine version"),
        (TASK, ["--config-file"], "another argument"),
        ({**SETTINGS, "base_runtime": "sglang@0.5.2"}, ["--config-file"], "takes no YAML file"),
        ({**SETTINGS, "base_runtime": "tensorrt_llm"}, ["--config-file"], "takes no YAML file"),
    ],
)
def test_what_cannot_be_written_is_an_error_and_leaves_the_file(
    tmp_path: Path, task: dict[str, Any], words: list[str], message: str
) -> None:
    out = tmp_path / "out"
    out.write_text("old", encoding="utf-8")
    done = run(task_file(tmp_path, task), *words, "--out", out, code=2)
    assert message in done.stderr and "Traceback" not in done.stderr
    assert out.read_text(encoding="utf-8") == "old"


@pytest.mark.parametrize(
    ("words", "image"),
    [
        (["--engine-version", "0.12.0"], "vllm/vllm-openai:v0.12.0"),
        (["--runtime", "vllm"], "vllm/vllm-openai:v0.11.0-own"),
        (["--runtime", "sglang@0.5.6"], "lmsysorg/sglang:v0.5.6"),
        (["--runtime", "sglang", "--engine-version", "0.5.6"], "lmsysorg/sglang:v0.5.6"),
    ],
)
def test_a_mapping_for_another_release_runs_in_the_image_of_that(
    tmp_path: Path, words: list[str], image: str
) -> None:
    from quantmap.cli.app import app

    path = task_file(tmp_path, {**TASK, "quant_config": {}, "parameters": {}})
    from click.testing import CliRunner

    result = CliRunner().invoke(app, ["map", str(path), *words, "--docker", "m"])
    assert read_docker(shlex.split(result.stdout))["image"] == image, result.output
