"""Launches in pages, data that is not all YAML, Python's own texts, and scripts of Windows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import quantmap
from quantmap.repository import check_directory
from quantmap.windows_scripts import as_posix

pytest.importorskip("yaml")


def found(text: str) -> list[tuple[int, str, str | None, str | None]]:
    """Line, release, what was asked, and model of each launch."""
    launches = quantmap.check_script(text).launches
    return [(each.line, each.version, each.asked, each.model) for each in launches]


CHART = """{{- if .Values.on }}
apiVersion: v1
kind: Pod
spec:
  containers:
    - name: {{ .Values.name }}
      image: vllm/vllm-openai:v0.11.0
      command: ["python3", "-m", "vllm.entrypoints.openai.api_server"]
      args:
        - --model=org/a
        {{- toYaml .Values.more | nindent 8 }}
        - --dtype={{ .Values.dtype | quote }}
        - "--port={{ default "8000" .Values.port }}"
{{- end }}
"""


def test_a_template_of_a_chart() -> None:
    (launch,) = quantmap.check_script(CHART).launches
    assert (launch.line, launch.version, launch.model, launch.ok) == (7, "0.11.0", "org/a", True)
    assert {v.argument: v.verdict for v in launch.verdicts} == {
        "--model": "accepted",
        "--dtype": "assumed",
        "--port": "assumed",
        "{{ toYaml .Values.more | nindent 8 }}": "assumed",
    }


@pytest.mark.parametrize("fault", ["a: b: c\n", "x: {{CERT}}\n", "\tx: y\n", "a: [\n"])
def test_a_document_that_is_no_yaml_beside_one_that_is(fault: str) -> None:
    pod = "image: vllm/vllm-openai:v0.11.0\nargs: [--model, org/a]\n"
    assert found(f"{pod}---\n{fault}") == [(1, "0.11.0", None, "org/a")]


def test_what_stands_around_a_fault_is_read() -> None:
    text = """services:
  a:
    image: vllm/vllm-openai:v0.11.0
    command: --model org/a
  b: c: d
  e:
      -   image: vllm/vllm-openai:v0.12.0
          args:
          - --model=org/b
"""
    result = quantmap.check_script(text)
    assert [(each.version, each.model) for each in result.launches] == [
        ("0.11.0", "org/a"),
        ("0.12.0", "org/b"),
    ]
    assert [note.code for note in result.notes] == ["yaml-in-parts"]
    assert "Line 5" in result.notes[0].message


@pytest.mark.parametrize(
    "text",
    [
        "image: lmsysorg/sglang:v0.5.10\ncommands:\n  - sglang serve --model-path org/a\n",
        "image: lmsysorg/sglang:v0.5.10\nreplicas:\n"
        "  - commands: [sglang serve --model-path org/a]\n",
        "resources:\n  image_id: docker:lmsysorg/sglang:v0.5.10\nrun: |\n"
        "  sglang serve --model-path org/a\n",
    ],
)
def test_scripts_run_in_the_image_that_stands_above_them(text: str) -> None:
    assert [row[1:] for row in found(text)] == [("0.5.10", None, "org/a")]


def test_a_block_of_a_page_knows_what_those_before_it_set() -> None:
    page = """
```bash
export IMAGE=vllm/vllm-openai:v0.11.0
M=org/a   # the model
X=$(date)
```
then
```bash
docker run \\
  $IMAGE --model $M
```
and, elsewhere,
```bash
pip install \\
  "vllm==0.10.2"
```
```bash
vllm serve $M --port $X
```
"""
    assert found(page) == [(9, "0.11.0", None, "org/a"), (18, "0.10.2", None, "org/a")]


def test_a_command_with_a_variable_in_front_is_no_setting_of_a_page() -> None:
    page = "```bash\nA=1 \\\n  vllm serve org/a\n```\n```bash\nvllm serve org/b\n```\n"
    assert [row[3] for row in found(page)] == ["org/a", "org/b"]


def test_a_build_file_with_arguments_in_front() -> None:
    text = """ARG BASE=vllm/vllm-openai:v0.11.0@sha256:12
FROM ${BASE} AS first
FROM first
ENTRYPOINT ["vllm", "serve", "org/a"]
"""
    assert found(text) == [(4, "0.11.0", None, "org/a")]


def test_a_description_of_a_module() -> None:
    text = '''"""A client.

Start it with
    vllm serve org/a \\\\
      --port 1
and ask. The command vllm serve is told elsewhere; vllm serve to all.
"""
import os
log.info("vllm serve runs at %s")
'''
    assert [(row[0], row[3]) for row in found(text)] == [(4, "org/a")]


def test_a_notebook() -> None:
    lines = ["%%bash\n", "vllm serve org/a \\\n", "  --port 1"]
    text = json.dumps({"cells": [{"cell_type": "code", "source": lines}]})
    assert [row[3] for row in found(text)] == ["org/a"]


def test_scripts_of_windows(tmp_path: Path) -> None:
    cmd = (
        "@echo off\nrem a ^ b\nset M=org/a\ndocker run ^\n"
        "  vllm/vllm-openai:v0.11.0 ^\n  --model %M%\n"
    )
    shell = (
        '$image = \'vllm/vllm-openai:v0.11.0\'\n$m = "org/b"\nWrite-Host `"x`"\n'
        "docker run `\n  $image `\n  --model $m\n"
    )
    assert found(cmd) == [(4, "0.11.0", None, "org/a")]
    assert found(shell) == [(4, "0.11.0", None, "org/b")]
    (tmp_path / "a.bat").write_text(cmd, encoding="utf-8")
    (tmp_path / "b.ps1").write_text(shell, encoding="utf-8")
    assert [each.path for each in check_directory(str(tmp_path))] == ["a.bat", "b.ps1"]


def test_a_shell_script_stays_as_it_is() -> None:
    for text in ("a=`b \\\n c`", "x ^ y", "#!/bin/sh\necho off ^\n"):
        assert as_posix(text) == text


@pytest.mark.parametrize(
    "text",
    ["[", "FROM base\nENTRYPOINT [", "services:\n  a:\n    image: b\n    command: [", "a: ["],
)
def test_lists_without_an_end_are_no_words(text: str) -> None:
    assert quantmap.check_script(text + "[" * 100_000).launches == []
