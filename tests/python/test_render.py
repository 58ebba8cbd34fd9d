"""argv, shell, the engine's own config file, and launch files: read back by other programs."""

from __future__ import annotations

import random
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import quantmap
import yaml
from quantmap import _core

HOSTILE = [
    "a b",
    "it's",
    '"quoted"',
    "$HOME `id` $(id)",
    "back\\slash",
    "new\nline",
    "tab\tstop",
    "-",
    "--flag",
    "#no remark",
    "a;b&c|d>e<f",
    "~",
    "*?[a]{b,c}",
    "!history",
    "=x",
    "über",
    "yes",
    "no",
    "null",
    "~null",
    "1e3",
    "0x1F",
    "0o17",
    "1_000",
    "12:30:45",
    "2024-01-01",
    ".inf",
    ".nan",
    "- item",
    "key: value",
    "{a: 1}",
    "[1]",
    "&anchor",
    "*alias",
    "!!str x",
    "%directive",
    "@at",
    "|",
    "a #b",
    "a:",
    " lead",
    "trail ",
    "\x7f\x1b[0m",
    "\u2028\u0085",
    "😀",
    "TRUE",
    "Off",
    "+1",
    "1.",
    ".5",
    "08",
    "=",
    "<<",
    "?",
]


def random_texts(count: int) -> list[str]:
    source = random.Random(11)
    alphabet = "ab01.:-_ '\"\\$`#!&*{}[],|>%@~\n\té"
    return [
        "".join(source.choice(alphabet) for _ in range(source.randrange(1, 12)))
        for _ in range(count)
    ]


def mapping_with(texts: list[str], engine: str = "vllm") -> quantmap.Mapping:
    parameters: dict[str, Any] = {f"x-{i}": text for i, text in enumerate(texts)}
    return quantmap.explain(
        engine, {"kvcache_dtype": "fp8"}, {**parameters, "on": True, "off": False}
    )


def bash_words(line: str, directory: Path) -> list[str]:
    """The words that bash makes of a line."""
    done = subprocess.run(
        ["bash", "-c", "printf '%s\\0' " + line], check=True, capture_output=True, cwd=directory
    )
    return done.stdout.decode().split("\0")[:-1]


def test_argv() -> None:
    mapping = mapping_with(["1"])
    words = mapping.argv()
    assert words[-3:] == ["--x-0", "1", "--on"]
    assert "--off" not in words
    assert all(isinstance(word, str) for word in words)


@pytest.mark.parametrize(
    ("engine", "start"),
    [
        ("vllm", ["vllm", "serve", "m"]),
        ("sglang", ["python3", "-m", "sglang.launch_server", "--model-path", "m"]),
        ("tensorrt_llm", ["trtllm-serve", "serve", "m"]),
        ("sglang_jax", ["python3", "-u", "-m", "sgl_jax.launch_server", "--model-path", "m"]),
    ],
)
def test_a_rendered_launch_is_read_back(engine: str, start: list[str]) -> None:
    mapping = quantmap.explain(engine, {"gemm_dtype": "fp8"}, engine_version="latest")
    words = mapping.argv("m")
    assert words[: len(start)] == start
    assert words[len(start) :] == mapping.argv()
    result = quantmap.check(words, engine_version="latest")
    assert (result.engine, result.model, result.ok) == (engine, "m", True)
    named = {v.argument: v.value for v in result.verdicts}
    assert {flag: str(value) for flag, value in mapping.args.items()}.items() <= named.items()


def test_shell_is_read_back_by_shlex_and_bash(tmp_path: Path) -> None:
    mapping = mapping_with(HOSTILE + random_texts(300))
    line = mapping.shell("a model")
    assert shlex.split(line) == mapping.argv("a model")
    assert bash_words(line, tmp_path) == mapping.argv("a model")


def test_shell_with_a_variable(tmp_path: Path) -> None:
    config = {"attention": {"backend": "flashinfer"}}
    mapping = quantmap.explain("vllm", config, engine_version="0.10.2", gpu="H100")
    assert mapping.env
    line = mapping.shell("m")
    words = shlex.split(line)
    count = len(mapping.env)
    assert dict(word.split("=", 1) for word in words[:count]) == mapping.env
    assert words[count:] == mapping.argv("m")
    script = line.replace("vllm serve", "env #", 1)
    done = subprocess.run(["bash", "-c", script], check=True, capture_output=True, text=True)
    for name, value in mapping.env.items():
        assert f"{name}={value}" in done.stdout.splitlines()


def test_files_are_yaml_and_the_shell_writes_them(tmp_path: Path) -> None:
    config = {"kvcache_dtype": "fp8_e4m3"}
    mapping = quantmap.explain("tensorrt_llm", config, engine_version="1.0.0")
    ((name, text),) = mapping.files.items()
    assert yaml.safe_load(text) == {"kv_cache_config": {"dtype": "fp8"}}
    assert mapping.args["--extra_llm_api_options"] == name
    line = mapping.shell("m")
    before = line.index("trtllm-serve")
    words = subprocess.run(
        ["bash", "-c", line[:before] + "printf '%s\\0' " + line[before:]],
        check=True,
        capture_output=True,
        cwd=tmp_path,
    )
    assert words.stdout.decode().split("\0")[:-1] == mapping.argv("m")
    assert (tmp_path / name).read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("config", "activations", "linear", "moe"),
    [
        ({"gemm_dtype": "fp8", "moe_dtype": "int8"}, True, ".*", ("int8", "int8")),
        ({"moe_dtype": "fp8"}, False, None, ("float8_e4m3fn", None)),
        ({"gemm_dtype": "int8"}, True, ".*", (None, None)),
    ],
)
def test_rules_files_of_sglang_jax(
    config: dict[str, str],
    activations: bool,
    linear: str | None,
    moe: tuple[str | None, str | None],
) -> None:
    mapping = quantmap.explain("sglang_jax", config, activations=activations)
    (text,) = mapping.files.values()
    data = yaml.safe_load(text)["quantization"]
    assert (data["moe"]["weight_dtype"], data["moe"]["activation_dtype"]) == moe
    (rule,) = data["linear"]["rules"]
    if linear is not None:
        assert rule["module_path"] == linear
    else:
        assert rule["module_path"] != ".*"


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_config_file_is_read_back(engine: str) -> None:
    texts = [text for text in HOSTILE + random_texts(300) if not text.startswith("-")]
    mapping = mapping_with(texts, engine)
    data = yaml.safe_load(mapping.config_file())
    expected = {k.lstrip("-"): v for k, v in mapping.args.items() if v is not False}
    assert data == expected
    assert list(data) == list(expected)


@pytest.mark.parametrize("engine", ["tensorrt_llm", "sglang_jax"])
def test_engines_without_such_a_file(engine: str) -> None:
    with pytest.raises(ValueError, match="takes no YAML file of arguments"):
        quantmap.explain(engine, {}).config_file()


def test_yaml_of_anything() -> None:
    data: dict[str, Any] = {
        "empty": {},
        "none": None,
        "list": [1, 2.5, True, None, [], [[1], {"a": []}], {"b": {"c": [1, {"d": "e"}]}}],
        **{text: text for text in HOSTILE + random_texts(500)},
    }
    assert yaml.safe_load(_core.to_yaml(data)) == data
    for plain in ([], {}, [[]], "x", 1, None, True, [{"a": 1, "b": [2]}], "12:30"):
        assert yaml.safe_load(_core.to_yaml(plain)) == plain
