"""check_script: compose files, Kubernetes manifests, Helm values, Dockerfiles, lists of words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap


def launches(text: str, version: str | None = None) -> list[quantmap.CheckResult]:
    """The launches of a file."""
    return quantmap.check_script(text, version).launches


def told(launch: quantmap.CheckResult) -> dict[str, Any]:
    """Argument → value."""
    return {verdict.argument: verdict.value for verdict in launch.verdicts}


COMPOSE = """\
x-base: &base
  environment: {HF_HOME: /cache, VLLM_ATTENTION_BACKEND: FLASHINFER}
services:
  db:
    image: postgres:16
    command: -c max_connections=200
  one:
    <<: *base
    image: vllm/vllm-openai:${TAG:-v0.22.0}
    command: --model a/b --max-model-len 16384 --port $${X} --seed $SEED
  two:
    image: lmsysorg/sglang:v0.5.9
    entrypoint: python3 -m sglang.launch_server
    command: ["--model-path", "c/d", "--tp", "2"]
    environment: ["A=1", B]
"""

MANIFEST = """\
apiVersion: v1
kind: List
items:
  - apiVersion: batch/v1
    kind: CronJob
    spec: {jobTemplate: {spec: {template: {spec: {containers: [
      {name: a, image: 'vllm/vllm-openai:v0.22.0',
       args: [--model=$(MODEL), --port, "8000"],
       env: [{name: MODEL, value: a/b}, {name: KEY, valueFrom: {secretKeyRef: {name: x}}}]}]}}}}}
---
apiVersion: v1
kind: Pod
spec:
  initContainers:
    - image: busybox
      command: [sh, -c, "echo vllm serve x"]
  containers:
    - image: vllm/vllm-openai:v0.20.1
      command: ["/bin/sh", "-c"]
      args:
        - |
          export TP=2
          exec vllm serve c/d -tp $TP --dtype fp9
"""


def test_compose() -> None:
    one, two = launches(COMPOSE)
    assert (one.engine, one.version, one.model, one.line) == ("vllm", "0.22.0", "a/b", 9)
    found = {verdict.argument: verdict.verdict for verdict in one.verdicts}
    assert found["VLLM_ATTENTION_BACKEND"] == "no-effect" and found["--seed"] == "assumed"
    assert (two.engine, two.version, two.model, two.line) == ("sglang", "0.5.9", "c/d", 12)
    assert told(two) == {"A": "1", "B": "${B}", "--model-path": "c/d", "--tp": "2"}


def test_kubernetes() -> None:
    one, two = launches(MANIFEST)
    assert (one.version, one.model, one.ok) == ("0.22.0", "a/b", True)
    assert told(one)["KEY"] == "${KEY}"
    assert (two.version, two.model, two.ok) == ("0.20.1", "c/d", False)
    assert told(two)["-tp"] == "2"


KSERVE = """\
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
spec:
  predictor:
    model:
      modelFormat: {name: vLLM}
      args: ["--max-model-len=8192", "--nosuch"]
"""
CHART = """\
servingEngineSpec:
  modelSpec:
    - name: llama
      repository: vllm/vllm-openai
      tag: v0.10.0
      vllmConfig:
        extraArgs: ["--swap-space", "4", "--nosuch"]
"""
STEP = """\
envs:
  MODEL: Qwen/Qwen3-8B
run: |
  pip install vllm
  vllm serve $MODEL --tensor-parallel-size $GPUS
"""
UNIT = """\
[Service]
Environment="HF_HOME=/x" VLLM_ATENTION_BACKEND=FLASHINFER
ExecStart=-/opt/venv/bin/vllm serve Qwen/Qwen3-8B \\
  --port 8000 --nosuch
Restart=always
"""


@pytest.mark.parametrize(
    ("text", "line", "version", "model", "found"),
    [
        (KSERVE, 7, None, None, {"--nosuch": "unknown-flag"}),
        (CHART, 4, "0.10.0", None, {"--nosuch": "unknown-flag", "--swap-space": "accepted"}),
        (STEP, 5, None, "Qwen/Qwen3-8B", {"--tensor-parallel-size": "assumed"}),
        (
            UNIT,
            3,
            None,
            "Qwen/Qwen3-8B",
            {"VLLM_ATENTION_BACKEND": "no-effect", "--nosuch": "unknown-flag"},
        ),
    ],
)
def test_what_platforms_start_by_themselves(
    text: str, line: int, version: str | None, model: str | None, found: dict[str, str]
) -> None:
    (launch,) = quantmap.check_script(text).launches
    assert (launch.engine, launch.line, launch.model) == ("vllm", line, model)
    assert version in (None, launch.version)
    verdicts = {verdict.argument: verdict.verdict for verdict in launch.verdicts}
    assert found.items() <= verdicts.items()


def test_lines_that_go_on_as_those_of_other_shells_do() -> None:
    for mark in "^`":
        words = ("docker run", "--gpus all", "vllm/vllm-openai:v0.11.0", "--model m --nosuch")
        text = f" {mark}\n ".join(words)
        (launch,) = quantmap.check_script(text).launches
        assert (launch.model, launch.version) == ("m", "0.11.0")
        assert [v.argument for v in launch.verdicts if v.refused] == ["--nosuch"]
    assert quantmap.check_script("vllm serve m `cat args` --port 1").launches[0].ok


def test_helm_values() -> None:
    text = "image: {repository: vllm/vllm-openai, tag: v0.11.0}\nargs: [--model, m]\n"
    (launch,) = launches(text)
    assert (launch.version, launch.model) == ("0.11.0", "m")


@pytest.mark.parametrize(
    "text",
    [
        'FROM vllm/vllm-openai:v0.22.0\nENV A=1\nCMD ["--model", "m"]\n',
        'FROM x AS b\nCMD ["y"]\nFROM vllm/vllm-openai:v0.22.0\n'
        'ENTRYPOINT ["vllm", "serve"]\nCMD ["m"]\n',
        "FROM vllm/vllm-openai:v0.22.0\nENTRYPOINT exec \\\n  vllm serve m\n",
    ],
)
def test_dockerfile(text: str) -> None:
    (launch,) = launches(text)
    assert (launch.version, launch.model, launch.ok) == ("0.22.0", "m", True)


def test_a_list_of_words() -> None:
    (launch,) = launches('\n["vllm", "serve", "m", "--dtype", "fp9"]', "0.22.0")
    assert (launch.model, launch.ok, launch.line) == ("m", False, 2)


@pytest.mark.parametrize(
    "text", ["image: [", "services: {a: 1}", "[1", "[1]", "command: &a [*a]\nimage: x", "args: 1"]
)
def test_data_that_holds_no_container(text: str) -> None:
    assert quantmap.check_script(text).launches == []


def test_a_file_that_the_script_writes() -> None:
    script = (
        "cat > serve.yaml <<'YAML'\nmodel: a/b\ntensor-parallel-size: 2\n"
        "guided-decoding-backend: xgrammar\nport: 1\nenforce-eager: false\nYAML\n"
        "vllm serve --config serve.yaml --port 8044\n"
    )
    (launch,) = launches(script, "0.22.0")
    assert launch.model == "a/b" and not launch.ok
    found = {verdict.argument: verdict.verdict for verdict in launch.verdicts}
    assert found == {
        "--config": "accepted",
        "--port": "accepted",
        "tensor-parallel-size": "accepted",
        "guided-decoding-backend": "unknown-flag",
        "port": "no-effect",
    }


def test_a_file_that_is_there_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "c.yaml").write_text("dtype: fp9\n", encoding="utf-8")
    assert not quantmap.check("vllm serve m --config c.yaml", engine_version="0.22.0").ok
    other = quantmap.check("vllm serve m --config d.yaml", engine_version="0.22.0")
    assert other.ok and "file-not-read" in {note.code for note in other.notes}
    (tmp_path / "c.yaml").write_text("- 1\n", encoding="utf-8")
    assert "file-not-read" in {
        note.code for note in quantmap.check("vllm serve m --config c.yaml").notes
    }
