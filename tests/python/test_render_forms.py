"""Launches as other programs read them: a POSIX shell, parsers of arguments, docker, YAML.

Each form is given texts that are out to be misread, and read back by the program it is meant for.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import click
import pytest
import quantmap
import yaml

from tests.python.test_render import HOSTILE, random_texts

TEXTS = [
    *HOSTILE,
    "",
    "--trust-remote-code",
    "-x",
    "-1",
    "-1.5",
    "--a=b",
    "-- b",
    "a=b=c",
    "$(touch injected)",
    "`touch injected`",
    "';touch injected;'",
    '";touch injected;"',
    "&& touch injected",
    "\n touch injected\n",
    "$PATH ${PATH}",
    "\\",
    "\\\n",
    "%s%n",
    "–dash",
    "日本語 \u202e",
    *random_texts(60),
]
LATEST = ["vllm@0.33.0", "sglang@0.5.18", "tensorrt_llm@1.3.0rc3", "sglang_jax@latest"]
SERVERS = ["vllm", "python3", "trtllm-serve"]
DUMP = """#!/bin/sh
printf '%s\\0' "$(basename "$0")" "$@" >> "$DUMPED"
"""


def mapping_of(runtime: str, texts: list[str]) -> quantmap.Mapping:
    """A launch with a setting, a switch and a parameter for each text."""
    parameters: dict[str, Any] = {f"x-{i}": text for i, text in enumerate(texts)}
    config = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e4m3"}
    return quantmap.explain(runtime, config, {**parameters, "on": True, "off": False})


@pytest.fixture(name="stubs")
def _stubs(tmp_path: Path) -> Path:
    """A folder of programs that only write their words down, first on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in [*SERVERS, "docker"]:
        (folder / name).write_text(DUMP, encoding="utf-8")
        (folder / name).chmod(0o755)
    (tmp_path / "work").mkdir()
    return tmp_path


def sh(stubs: Path, line: str | list[str]) -> list[str]:
    """The words that reach the program which a line starts, run by the real /bin/sh."""
    dumped = stubs / "dumped"
    dumped.unlink(missing_ok=True)
    words = ["/bin/sh", "-c", line] if isinstance(line, str) else line
    path = f"{stubs / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=stubs / "work",
        env={"PATH": path, "DUMPED": str(dumped), "HOME": "/nowhere"},
        capture_output=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return dumped.read_bytes().decode("utf-8").split("\0")[:-1]


@pytest.mark.parametrize("runtime", LATEST)
@pytest.mark.parametrize("model", ["org/model", "it's $(touch injected) `id`", "-dash", "ä\n"])
def test_a_shell_starts_exactly_the_command(stubs: Path, runtime: str, model: str) -> None:
    mapping = mapping_of(runtime, TEXTS)
    line = mapping.shell(model)
    assert sh(stubs, line) == mapping.argv(model)
    written = {path.name: path.read_text("utf-8") for path in (stubs / "work").iterdir()}
    assert written == mapping.files


def test_variables_and_files_of_any_kind_in_a_shell(stubs: Path) -> None:
    mapping = mapping_of("vllm@0.33.0", [])
    mapping = mapping.replace(
        env={f"NAME_{i}": text for i, text in enumerate(TEXTS)},
        files={"it's a $(file).yaml": "".join(TEXTS), "-b": "--flag"},
    )
    (stubs / "bin" / "vllm").write_text('#!/bin/sh\nenv -0 > "$DUMPED"\n', encoding="utf-8")
    found = dict(word.split("=", 1) for word in sh(stubs, mapping.shell("m")))
    assert {name: found[name] for name in mapping.env} == mapping.env
    written = {path.name: path.read_text("utf-8") for path in (stubs / "work").iterdir()}
    assert written == mapping.files


def values_of(mapping: quantmap.Mapping) -> dict[str, str | bool]:
    """What a parser should make of the arguments."""
    return {flag: value for flag, value in mapping.args.items() if value is not False}


@pytest.mark.parametrize("runtime", ["vllm@0.33.0", "sglang@0.5.18", "vllm", "sglang"])
def test_argparse_reads_the_words_back(runtime: str) -> None:
    mapping = mapping_of(runtime, TEXTS)
    parser = argparse.ArgumentParser(allow_abbrev=True)
    for flag, value in values_of(mapping).items():
        parser.add_argument(flag, dest=flag, action="store_true" if value is True else "store")
    assert vars(parser.parse_args(mapping.argv())) == values_of(mapping)


def test_click_reads_the_words_back() -> None:
    mapping = mapping_of("tensorrt_llm@1.3.0rc3", TEXTS)
    names = {f"x{i}": flag for i, flag in enumerate(values_of(mapping))}
    options = [
        click.Option([flag, name], is_flag=True if mapping.args[flag] is True else None)
        for name, flag in names.items()
    ]
    context = click.Command("serve", params=options).make_context("serve", mapping.argv())
    assert {names[name]: value for name, value in context.params.items()} == values_of(mapping)


VALUED = {"--network", "--ipc", "-e", "--entrypoint", "--ulimit", "-v"}


def read_docker(words: list[str]) -> dict[str, Any]:
    """The parts of a docker run line, by docker's rule: options end at the image."""
    assert words[:2] == ["docker", "run"]
    options: list[tuple[str, str]] = []
    rest = words[2:]
    while rest[0].startswith("-"):
        option = rest.pop(0)
        name, mark, value = option.partition("=")
        if option in VALUED:
            value = rest.pop(0)
        else:
            assert mark or option == "--rm", option
        options.append((name, value))
    env = dict(value.split("=", 1) for name, value in options if name == "-e")
    return {
        "options": dict(options),
        "all": options,
        "env": env,
        "image": rest[0],
        "command": rest[1:],
    }


@pytest.mark.parametrize("runtime", ["vllm@0.33.0", "sglang@0.5.18"])
@pytest.mark.parametrize("model", ["org/model", "it's $(touch injected)", "-dash"])
def test_docker_gets_exactly_the_command(stubs: Path, runtime: str, model: str) -> None:
    mapping = mapping_of(runtime, TEXTS)
    mapping = mapping.replace(env={f"NAME_{i}": text for i, text in enumerate(TEXTS)})
    line = mapping.docker(model, options=["-v", "/a b:/c"])
    words = sh(stubs, line)
    assert words == shlex.split(line)
    found = read_docker(words)
    assert found["env"] == mapping.env
    assert (
        found["options"].items() >= {"--gpus": "all", "--network": "host", "-v": "/a b:/c"}.items()
    )
    entrypoint = found["options"].get("--entrypoint")
    assert [*([entrypoint] if entrypoint else []), *found["command"]] == mapping.argv(model)
    assert (entrypoint == "vllm") is runtime.startswith("vllm")
    assert list((stubs / "work").iterdir()) == []


def test_a_container_writes_its_files(stubs: Path) -> None:
    """The command of the container, run where only a shell and the server are."""
    mapping = mapping_of("tensorrt_llm@1.3.0rc3", TEXTS)
    assert mapping.files
    for files in (mapping.files, {"it's $(a).yaml": "".join(TEXTS), "b": "", "c": "--x\n\n"}):
        mapping = mapping.replace(files=dict(files))
        words = sh(stubs, mapping.docker("org/model", gpus=None))
        found = read_docker(words)
        assert "--gpus" not in found["options"]
        assert ("--ulimit", "memlock=-1") in found["all"]
        assert list((stubs / "work").iterdir()) == []
        assert sh(stubs, found["command"]) == mapping.argv("org/model")
        written = {path.name: path.read_text("utf-8") for path in (stubs / "work").iterdir()}
        assert written == mapping.files
        for path in (stubs / "work").iterdir():
            path.unlink()


@pytest.mark.parametrize(
    ("runtime", "image"),
    [
        ("vllm@0.6.3.post1", "vllm/vllm-openai:v0.6.3.post1"),
        ("vllm@0.11.0", "vllm/vllm-openai:v0.11.0"),
        ("sglang@0.4.0.post1", "lmsysorg/sglang:v0.4.0.post1-cu124"),
        ("sglang@0.4.7.post1", "lmsysorg/sglang:v0.4.7.post1-cu124"),
        ("sglang@0.4.8", "lmsysorg/sglang:v0.4.8-cu126"),
        ("sglang@0.5.2", "lmsysorg/sglang:v0.5.2-cu126"),
        ("sglang@0.5.3", "lmsysorg/sglang:v0.5.3"),
        ("sglang@0.5.18", "lmsysorg/sglang:v0.5.18"),
        ("tensorrt_llm@0.20.0", "nvcr.io/nvidia/tensorrt-llm/release:0.20.0"),
        ("tensorrt_llm@1.3.0rc3", "nvcr.io/nvidia/tensorrt-llm/release:1.3.0rc3"),
    ],
)
def test_images(runtime: str, image: str) -> None:
    mapping = quantmap.explain(runtime, {})
    assert read_docker(shlex.split(mapping.docker("m")))["image"] == image
    own = mapping.docker("m", "registry:5000/own@sha256:ab")
    assert read_docker(shlex.split(own))["image"] == "registry:5000/own@sha256:ab"


@pytest.mark.parametrize(
    ("runtime", "arguments", "code"),
    [
        ("vllm", {}, "needs-version"),
        ("sglang_jax", {}, "no-image"),
        ("tensorrt_llm@0.19.0", {}, "no-image"),
        ("vllm@0.11.0", {"image": "--privileged"}, "wrong-type"),
        ("vllm@0.11.0", {"image": ""}, "wrong-type"),
        ("vllm@0.11.0", {"image": "a b"}, "wrong-type"),
        ("vllm@0.11.0", {"image": "ä"}, "wrong-type"),
        ("vllm@0.11.0", {"image": 5}, "wrong-type"),
        ("vllm@0.11.0", {"options": [5]}, "wrong-type"),
        ("vllm@0.11.0", {"gpus": 2}, "wrong-type"),
        ("vllm@0.11.0", {"model": "a\0"}, "nul-character"),
        ("vllm@0.11.0", {"model": "\ud800"}, "invalid-unicode"),
        ("vllm@0.11.0", {"model": {}}, "wrong-type"),
    ],
)
def test_what_docker_cannot_run(runtime: str, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.explain(runtime, {}).docker(**{"model": "m", **arguments})
    assert [problem.code for problem in caught.value.diagnostics] == [code]


def words_of_file(text: str) -> list[str]:
    """The words that vLLM and SGLang make of a file of arguments."""
    words: list[str] = []
    for name, value in yaml.safe_load(text).items():
        words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return words


@pytest.mark.parametrize("runtime", ["vllm@0.33.0", "sglang@0.5.18", "vllm", "sglang"])
def test_a_file_of_arguments_is_read_back(runtime: str) -> None:
    texts = [text for text in TEXTS if not text.startswith("-") or text in ("-1", "-1.5")]
    assert len(texts) > 100
    mapping = mapping_of(runtime, texts)
    parser = argparse.ArgumentParser()
    for flag, value in values_of(mapping).items():
        parser.add_argument(flag, dest=flag, action="store_true" if value is True else "store")
    found = vars(parser.parse_args(words_of_file(mapping.config_file())))
    assert found == values_of(mapping)


@pytest.mark.parametrize("value", ["--trust-remote-code", "-x", "-", "- item", "-1e5", "-1.", "-²"])
def test_a_value_that_a_file_would_turn_into_an_argument(value: str) -> None:
    mapping = quantmap.explain("vllm", {}, {"served-model-name": value})
    with pytest.raises(quantmap.ConfigError) as caught:
        mapping.config_file()
    assert [problem.code for problem in caught.value.diagnostics] == ["not-in-config-file"]
    assert mapping.argv()[-1] == f"--served-model-name={value}"


def test_short_names_have_no_place_in_a_file() -> None:
    mapping = quantmap.explain("vllm", {}, {"-O": "3"})
    with pytest.raises(quantmap.ConfigError, match="two dashes"):
        mapping.config_file()


@pytest.mark.parametrize(
    ("runtime", "takes"),
    [
        ("sglang@0.5.2", False),
        ("sglang@0.5.3", True),
        ("vllm@0.6.0", True),
        ("tensorrt_llm@1.0.0", False),
        ("sglang_jax", False),
    ],
)
def test_releases_that_take_a_file(runtime: str, takes: bool) -> None:
    mapping = quantmap.explain(runtime, {})
    if takes:
        assert yaml.safe_load(mapping.config_file())
    else:
        with pytest.raises(quantmap.ConfigError, match="takes no YAML file"):
            mapping.config_file()


def test_the_file_of_settings_of_tensorrt_llm() -> None:
    mapping = quantmap.explain("tensorrt_llm@1.0.0", {"kvcache_dtype": "fp8"})
    assert yaml.safe_load(mapping.config_file()) == {"kv_cache_config": {"dtype": "fp8"}}


@pytest.mark.parametrize("runtime", ["vllm@0.11.0", "sglang@0.5.6", "tensorrt_llm@1.0.0", "vllm"])
def test_an_experiment_of_a_plan_is_rendered_as_its_mapping(runtime: str) -> None:
    task = {
        "base_runtime": runtime,
        "quant_config": {"presets": ["default", "kv-cache-fp8", "dynamic-fp8"]},
        "parameters": {"x": ["it's", "--y", "$(z)"]},
    }
    plan = quantmap.plan(task)
    assert len(plan) > 5
    for experiment in plan:
        mapping = quantmap.explain(runtime, experiment.config, experiment.parameters)
        assert experiment.argv("m") == mapping.argv("m")
        assert experiment.shell("m") == mapping.shell("m")
        assert experiment.docker("m", "a:b") == mapping.docker("m", "a:b")
        try:
            expected = mapping.config_file()
        except quantmap.ConfigError as error:
            with pytest.raises(quantmap.ConfigError, match=re.escape(str(error))):
                experiment.config_file()
        else:
            assert experiment.config_file() == expected
