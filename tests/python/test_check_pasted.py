"""Launches in what people paste: Markdown, charts, platforms' own files, Python, templates."""

from __future__ import annotations

import pytest
from quantmap import check_script
from quantmap.check import CheckResult


def one(text: str, **ground: str) -> CheckResult:
    """The only launch of a text."""
    (launch,) = check_script(text, **ground).launches
    return launch


def verdicts(launch: CheckResult) -> dict[str, str]:
    return {verdict.argument: verdict.verdict for verdict in launch.verdicts}


MARKDOWN = """\
Text about `vllm serve`.

```bash
$ vllm serve a/b --port 1
```

1. a step

   ```yaml
   services:
     server:
       image: vllm/vllm-openai:v0.10.2
       command: --model c/d --dtype half
   ```

```cpp
vllm serve not/read
```
"""


def test_blocks_of_markdown_are_read_with_the_lines_of_the_text() -> None:
    found = check_script(MARKDOWN).launches
    assert [(each.line, each.model, each.version) for each in found] == [
        (4, "a/b", found[0].version),
        (12, "c/d", "0.10.2"),
    ]


def test_markdown_inside_of_yaml_is_read() -> None:
    text = (
        "meta:\n  title: x\nguide: |\n  ```bash\n"
        "  vllm serve a/b --hf-overrides '{\"a\": 1}'\n  ```\n"
    )
    launch = one(text)
    assert (launch.line, launch.model, launch.ok) == (5, "a/b", True)


def test_a_script_that_writes_markdown_is_a_script() -> None:
    launch = one("#!/bin/sh\ncat > R.md <<E\n```bash\nvllm serve no\n```\nE\nvllm serve yes\n")
    assert (launch.line, launch.model) == (7, "yes")


PYTHON = """\
import subprocess

MODEL = "a/b"
SIZE = 2
cmd = ["vllm", "serve", MODEL, "--port", str(port), f"--tensor-parallel-size={SIZE}", *extra]
cmd += ["--enforce-eager" if slow else "--no-enforce-eager"]
cmd.append("--nosuch")
subprocess.run(cmd)
"""


def test_a_list_of_words_in_python_is_a_launch() -> None:
    launch = one(PYTHON)
    assert (launch.line, launch.model) == (5, "a/b")
    told = verdicts(launch)
    assert told["--port"] == "assumed"
    assert told["--tensor-parallel-size"] == "accepted"
    assert told["--nosuch"] == "unknown-flag"
    assert [v.argument for v in launch.verdicts if v.refused] == ["--nosuch"]


def test_a_text_that_python_gives_a_shell_is_a_launch() -> None:
    text = (
        "import os\nM = 'a/b'\n"
        "os.system(f'python -m sglang.launch_server --model-path {M} --tp {tp}')"
    )
    launch = one(text)
    assert (launch.line, launch.engine, launch.model) == (3, "sglang", "a/b")
    assert verdicts(launch) == {"--model-path": "accepted", "--tp": "assumed"}


STACK = """\
servingEngineSpec:
  modelSpec:
  - name: x
    repository: vllm/vllm-openai
    tag: v0.10.2
    modelURL: a/b
    enableTool: true
    toolCallParser: hermes
    vllmConfig:
      enableChunkedPrefill: false
      maxModelLen: 4096
      v1: 1
      extraArgs: ["--nosuch"]
"""
RAY = """\
applications:
- args:
    llm_configs:
    - model_loading_config: {model_id: q, model_source: a/b}
      engine_kwargs: {tensor_parallel_size: 2, enable_prefix_caching: false, swap_space: 4}
"""
KUBEAI = "kind: Model\nspec:\n  url: hf://a/b\n  engine: VLLM\n  args: [--dtype=half, --nosuch]\n"
LLM_D = "decode:\n  containers:\n  - modelCommand: vllmServe\n    args: [--dtype=half, --nosuch]\n"


@pytest.mark.parametrize(
    ("text", "model", "accepted", "refused"),
    [
        (STACK, "a/b", ["--no-enable-chunked-prefill", "--max-model-len"], ["--nosuch"]),
        (RAY, "a/b", ["--tensor-parallel-size", "--no-enable-prefix-caching"], ["--swap-space"]),
        (KUBEAI, "a/b", ["--dtype"], ["--nosuch"]),
        (LLM_D, None, ["--dtype"], ["--nosuch"]),
    ],
    ids=["production stack", "Ray Serve", "KubeAI", "llm-d"],
)
def test_models_of_platforms_are_launches(
    text: str, model: str | None, accepted: list[str], refused: list[str]
) -> None:
    launch = one(text, engine_version="0.20.0")
    assert launch.model == model
    told = verdicts(launch)
    assert [told[flag] for flag in accepted] == ["accepted"] * len(accepted)
    assert [v.argument for v in launch.verdicts if v.refused] == refused


def test_a_command_of_any_name_in_yaml_is_read() -> None:
    text = (
        'deployment:\n- envs: {A: "1"}\n  server_cmd: >\n    vllm serve "a/b"\n    --port $PORT\n'
    )
    launch = one(text)
    assert (launch.line, launch.model) == (4, "a/b")
    assert verdicts(launch) == {"A": "accepted", "--port": "assumed"}


@pytest.mark.parametrize(
    "text",
    [
        "Launch args match the provided vllm serve command, including FP4",
        "notes:\n- about: x\n  text: Use the vllm serve command with care\n- vllm serve is good\n",
    ],
    ids=["a sentence", "sentences in YAML"],
)
def test_sentences_are_no_launches(text: str) -> None:
    result = check_script(text)
    assert result.launches == []
    assert [note.code for note in result.notes] == ["engine-named-only"]


@pytest.mark.parametrize(
    "value",
    ["{{ .Values.port }}", "'{{ port }}'", '"{{ port }}"', "<port>", "'<port>'", "{port}"],
)
def test_what_others_fill_in_is_assumed(value: str) -> None:
    told = verdicts(one(f"vllm serve a/b --port {value} --dtype half"))
    assert told == {"--port": "assumed", "--dtype": "accepted"}


def test_templates_inside_of_json_leave_it_open() -> None:
    told = one('vllm serve a/b --hf-overrides \'{"a": {{ .Values.a }}, "b": "<b>"}\'')
    assert verdicts(told) == {"--hf-overrides": "assumed"}
    refused = one("vllm serve a/b --hf-overrides '{a}'")
    assert verdicts(refused) == {"--hf-overrides": "value-not-accepted"}


def test_dots_stand_for_more() -> None:
    told = verdicts(one("vllm serve a/b --dtype half ..."))
    assert told == {"--dtype": "accepted", "...": "assumed"}


def test_an_empty_array_is_no_word() -> None:
    assert verdicts(one('A=()\nvllm serve a/b "${A[@]}" --dtype half')) == {"--dtype": "accepted"}


def test_quotes_of_a_default_are_those_of_the_shell() -> None:
    launch = one('C=${C:-\'{"mode": 3}\'}\nvllm serve a/b --compilation-config "$C"')
    assert launch.verdicts[0].value == '{"mode": 3}'
    assert launch.ok


def test_an_empty_default_is_for_whoever_starts_the_script() -> None:
    told = verdicts(one('N="${NAME:-}"\nvllm serve a/b --served-model-name $N --port 1'))
    assert told == {"--served-model-name": "assumed", "--port": "accepted"}


@pytest.mark.parametrize(
    ("line", "platform"),
    [
        ("vllm serve m --attention-backend ROCM_AITER_FA", "AMD"),
        ("VLLM_ROCM_USE_AITER=1 vllm serve m", "AMD"),
        ("python -m sglang.launch_server --model-path m --attention-backend=aiter", "AMD"),
        ("VLLM_CPU_KVCACHE_SPACE=40 vllm serve m", "a processor"),
        ("vllm serve m --attention-backend FLASH_ATTN", None),
    ],
)
def test_a_line_names_its_platform(line: str, platform: str | None) -> None:
    launch = one(line)
    assert launch.platform == platform
    assert launch.ok


def test_a_backend_of_another_platform_is_refused_on_a_gpu_that_is_named() -> None:
    assert not one("vllm serve m --attention-backend ROCM_AITER_FA", gpu="H100").ok


@pytest.mark.parametrize(
    ("line", "version"),
    [
        ("kubectl run a --image=vllm/vllm-openai:v0.10.2 --env=A=1 -- --model m", "0.10.2"),
        ("kubectl run a --image vllm/vllm-openai:v0.9.2 --command -- vllm serve m", "0.9.2"),
        ("srun --container-image=vllm/vllm-openai:v0.10.2 vllm serve m", "0.10.2"),
        ('srun --container-image=vllm/vllm-openai:v0.9.2 bash -c "vllm serve m"', "0.9.2"),
        (
            "srun --container-image=nvcr.io#nvidia/tensorrt-llm/release:1.2.0 trtllm-serve m",
            "1.2.0",
        ),
    ],
)
def test_images_that_options_name_tell_the_release(line: str, version: str) -> None:
    launch = one(line)
    assert (launch.model, launch.version, launch.ok) == ("m", version, True)
