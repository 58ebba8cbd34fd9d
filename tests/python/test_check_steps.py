"""Launches in services, steps, notebooks and Makefiles, with what stands before them."""

from __future__ import annotations

import json

import pytest
from quantmap import CheckResult, check_script

pytest.importorskip("yaml")


def found(text: str) -> list[tuple[int, str, str | None, list[str]]]:
    """Line, release, model and refused arguments of each launch."""
    return [
        (one.line, one.version, one.model, [v.argument for v in one.verdicts if v.refused])
        for one in check_script(text).launches
    ]


def one(text: str) -> CheckResult:
    (launch,) = check_script(text).launches
    return launch


SERVICES = """\
x-shared: &shared
  image: vllm/vllm-openai:v0.8.5
services:
  a:
    image: vllm/vllm-openai:v0.9.0
    command: ["--model", "a/b", "--kv-cache-dtype", "fp16"]
  b:
    <<: *shared
    command:
      - --model
      - c/d
      - --moe-backend
      - auto
"""


def test_the_command_of_a_service_is_its_words_also_as_a_list() -> None:
    assert [row[1:] for row in found(SERVICES)] == [
        ("0.9.0", "a/b", ["--kv-cache-dtype"]),
        ("0.8.5", "c/d", ["--moe-backend"]),
    ]


def test_the_command_of_a_container_elsewhere_is_its_entrypoint() -> None:
    text = (
        "containers:\n- image: vllm/vllm-openai:v0.9.0\n  command: [vllm, serve, a/b, --nosuch]\n"
    )
    assert found(text) == [(2, "0.9.0", "a/b", ["--nosuch"])]


TASK = """\
setup: |
  pip install vllm==0.8.5
run: |
  vllm serve a/b --moe-backend auto
"""
WORKFLOW = """\
env: {KV: fp16}
jobs:
  a:
    runs-on: x
    container: vllm/vllm-openai:v0.8.5
    steps:
      - run: pip install vllm==0.11.0
      - name: go
        run: |
          vllm serve a/b --kv-cache-dtype $KV
"""
STEP = "image: quay.io/a/torch:2.3\nrun: |\n  vllm serve a/b --nosuch\n"


@pytest.mark.parametrize(
    ("text", "line", "version", "refused"),
    [
        (TASK, 4, "0.8.5", "--moe-backend"),
        (WORKFLOW, 10, "0.11.0", "--kv-cache-dtype"),
        (STEP, 3, None, "--nosuch"),
    ],
    ids=["setup", "steps", "an image of its own"],
)
def test_steps_know_what_those_before_them_install_and_set(
    text: str, line: int, version: str | None, refused: str
) -> None:
    launch = one(text)
    assert launch.line == line and version in (None, launch.version)
    assert [v.argument for v in launch.verdicts if v.refused] == [refused]


def test_cells_of_a_notebook() -> None:
    cells = [
        ["!pip install vllm==0.8.5\n"],
        ["M = 1\n", "!vllm serve a/b --moe-backend auto\n"],
        ["!nohup vllm serve {MODEL} --kv-cache-dtype fp16 &"],
    ]
    text = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})
    assert [row[1:] for row in found(text)] == [
        ("0.8.5", "a/b", ["--moe-backend"]),
        ("0.8.5", None, ["--kv-cache-dtype"]),
    ]


MAKEFILE = """\
MODEL ?= a/b
KV := fp16
.PHONY: run
run: build
\t@vllm serve $(MODEL) \\
\t\t--kv-cache-dtype $(KV)
"""


def test_a_makefile() -> None:
    launch = one(MAKEFILE)
    assert (launch.line, launch.model) == (5, "a/b")
    assert [(v.argument, v.value) for v in launch.verdicts] == [("--kv-cache-dtype", "fp16")]


def test_tabs_make_no_makefile() -> None:
    script = "echo start:\n\tvllm serve a/b\nvllm serve c/d\n"
    assert [launch.model for launch in check_script(script).launches] == ["a/b", "c/d"]
    python = "def f():\n\trun(['vllm', 'serve', 'a/b'])\n"
    assert one(python).model == "a/b"


@pytest.mark.parametrize(
    "text",
    [
        "> ```bash\n> vllm serve a/b \\\n>   --nosuch\n> ```\n",
        "```\n> vllm serve a/b --nosuch\n```\n",
    ],
    ids=["a quoted block", "a prompt"],
)
def test_quoted_markdown(text: str) -> None:
    launch = one(text)
    assert (launch.line, launch.model) == (2, "a/b")
    assert [v.argument for v in launch.verdicts if v.refused] == ["--nosuch"]


@pytest.mark.parametrize(
    "line",
    [
        "vllm serve a/b --attention-backend FLASHINFER --kv-cache-dtype $KV",
        "vllm serve a/b --attention-backend $B --kv-cache-dtype fp8_e5m2",
        "vllm serve a/b --quantization $Q --kv-cache-dtype fp8_e5m2 --dtype $D",
        "sglang serve --model-path a/b --kv-cache-dtype $KV --attention-backend fa3",
    ],
)
def test_what_is_not_in_the_line_refuses_nothing(line: str) -> None:
    assert check_script(line, gpu="H100").ok


def test_a_page_may_begin_with_any_element() -> None:
    launch = one("<p>Just vllm serve it.</p><pre>vllm serve a/b --nosuch</pre>")
    assert launch.model == "a/b"
