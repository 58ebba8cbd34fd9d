"""check: lines that run an engine's container image, and where the release of a line is from."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import quantmap
from quantmap import _core

RUN = "docker run --rm --gpus all -p 8000:8000 -v ~/x:/y --ipc host"


def newest(engine: str) -> str:
    """The newest release that is known."""
    return str(_core.releases(engine)[-1]["version"])


@pytest.mark.parametrize(
    ("line", "engine", "version", "model"),
    [
        (
            f"{RUN} lmsysorg/sglang:v0.5.9-cu130 python3 -m sglang.launch_server --model-path m",
            "sglang",
            "0.5.9",
            "m",
        ),
        (
            "podman run nvcr.io/nvidia/tensorrt-llm/release:1.0.0 trtllm-serve m --tp_size 2",
            "tensorrt_llm",
            "1.0.0",
            "m",
        ),
        (f"{RUN} vllm/vllm-openai:v0.11.0 --model m --dtype auto", "vllm", "0.11.0", "m"),
        (f"sudo {RUN} docker.io/vllm/vllm-openai:v0.11.0 --model=m", "vllm", "0.11.0", "m"),
        (f"{RUN} --entrypoint vllm vllm/vllm-openai:v0.11.0 serve m", "vllm", "0.11.0", "m"),
        (f"{RUN} vllm/vllm-openai:v0.11.0@sha256:00 --model m", "vllm", "0.11.0", "m"),
    ],
)
def test_an_image_names_engine_and_release(
    line: str, engine: str, version: str, model: str
) -> None:
    result = quantmap.check(line)
    assert (result.engine, result.version, result.model) == (engine, version, model)
    assert result.ok, [v.to_dict() for v in result.verdicts if v.refused]
    assert {v.argument for v in result.verdicts} <= {
        *("--model-path", "--tp_size", "--model", "--dtype"),
    }
    assert "newest-release" not in {note.code for note in result.notes}


def test_the_docker_line_that_quantmap_prints() -> None:
    for runtime in ("vllm@0.11.0", "sglang@0.5.9", "tensorrt_llm@1.0.0"):
        mapping = quantmap.explain(runtime, {"kvcache_dtype": "fp8"}, gpu="H100")
        if mapping.files:
            continue
        result = quantmap.check(mapping.docker("my/model"), gpu="H100")
        assert (result.engine, result.version) == (mapping.engine, mapping.version)
        assert result.ok and result.model == "my/model"


def test_variables_of_a_container() -> None:
    line = (
        f"{RUN} -e VLLM_ATTENTION_BACKEND=FLASH_ATTN --env=A=1 vllm/vllm-openai:v0.11.0 --model m"
    )
    result = quantmap.check(line)
    assert [v.argument for v in result.verdicts] == ["VLLM_ATTENTION_BACKEND", "A", "--model"]


def test_a_tag_without_a_release() -> None:
    result = quantmap.check(f"{RUN} vllm/vllm-openai:nightly --model m")
    assert result.version == newest("vllm")
    assert "image-tag-not-read" in {note.code for note in result.notes}
    result = quantmap.check(f"{RUN} vllm/vllm-openai --model m")
    assert "newest-release" in {note.code for note in result.notes}


def test_the_call_comes_before_the_image() -> None:
    line = f"{RUN} vllm/vllm-openai:v0.11.0 --model m"
    assert quantmap.check(line, engine_version="0.9.2").version == "0.9.2"
    assert quantmap.check(line, "vllm@0.10.2").version == "0.10.2"


def test_no_release_is_said() -> None:
    for line, engine in (
        ("vllm serve m", "vllm"),
        ("python -m sgl_jax.launch_server", "sglang_jax"),
    ):
        result = quantmap.check(line)
        assert result.version == newest(engine)
        assert [note.code for note in result.notes].count("newest-release") == 1


def test_the_variable_with_versions() -> None:
    script = """
import quantmap
for line in ("vllm serve m", "docker run vllm/vllm-openai:v0.11.0 --model m"):
    result = quantmap.check(line)
    print(result.version, "newest-release" in {note.code for note in result.notes})
"""
    environment = {**os.environ, "QUANTMAP_ENGINE_VERSIONS": "vllm=0.9.2"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0.9.2", "False", "0.11.0", "False"]
