"""The forms of `map` and `explain` for other programs, as the command prints them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import quantmap
import yaml

from tests.python.test_render_forms import _stubs, sh  # noqa: F401


@pytest.fixture(name="task")
def _task(tmp_path: Path) -> Path:
    """A task with several presets and a hostile parameter."""
    data = {
        "base_runtime": "vllm",
        "runtime_image_tag": "v0.11.0-own",
        "model": {"id_or_path": "it's $(touch injected)"},
        "quant_config": {"presets": ["default", "kv-cache-fp8"]},
        "parameters": {"served-model-name": "`id`\n'\"", "seed": -1},
    }
    path = tmp_path / "task.json"
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def run(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command, in this process."""
    from click.testing import CliRunner
    from quantmap.cli.app import app

    result = CliRunner().invoke(
        app, [str(argument) for argument in arguments], standalone_mode=False
    )
    code = result.return_value if result.exception is None else -1
    return code, result.stdout, str(result.exception or result.stderr)


@pytest.mark.parametrize("verb", ["map", "explain"])
def test_the_command_prints_every_form(verb: str, task: Path, stubs: Path) -> None:
    data = json.loads(task.read_text(encoding="utf-8"))
    model = data["model"]["id_or_path"]
    mappings = [
        quantmap.explain("vllm@0.11.0", {"preset": preset}, data["parameters"])
        for preset in data["quant_config"]["presets"]
    ]
    _, argv, _ = run(verb, task, "--argv")
    assert [json.loads(line) for line in argv.splitlines()] == [m.argv() for m in mappings]
    _, shell, _ = run(verb, task, "--shell", "-")
    assert sh(stubs, shell) == [word for m in mappings for word in m.argv(model)]
    _, docker, _ = run(verb, task, "--docker", "other/model")
    split = [m.docker("other/model", "vllm/vllm-openai:v0.11.0-own") for m in mappings]
    assert docker == "\n".join(split) + "\n"
    _, own, _ = run(verb, task, "--docker", "-", "--image", "own:1")
    assert own == "\n".join(m.docker(model, "own:1") for m in mappings) + "\n"
    _, files, _ = run(verb, task, "--config-file")
    assert list(yaml.safe_load_all(files)) == [yaml.safe_load(m.config_file()) for m in mappings]
    _, found, _ = run(verb, task, "--json")
    assert [item["args"] for item in json.loads(found)] == [m.args for m in mappings]


def test_a_file_of_arguments_says_which_variables_are_missing() -> None:
    setting = "attention.backend=flashinfer"
    code, out, err = run("map", "--runtime", "vllm@0.10.2", "--set", setting, "--config-file")
    assert (code, yaml.safe_load(out)) == (0, {"dtype": "auto"})
    assert "the launch also needs the variable VLLM_ATTENTION_BACKEND=FLASHINFER" in err


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--json", "--argv"), "--json and --argv exclude each other"),
        (("--docker", "m", "--shell", "m", "--config-file"), "exclude each other"),
        (("--image", "a:b"), "--image belongs to --docker"),
        (("--shell", "m", "--image", "a:b"), "--image belongs to --docker"),
        (("--shell", "-"), "names no model"),
        (("--docker", "m"), "needs a known engine version"),
        (("--docker", "m", "--image", "-v"), "container image"),
        (("--config-file", "--param", "x=-y"), "another argument"),
    ],
)
def test_forms_that_cannot_be(arguments: tuple[str, ...], word: str) -> None:
    code, out, problem = run("map", "--runtime", "vllm", *arguments)
    assert (code, out) == (-1, "")
    assert word in problem
