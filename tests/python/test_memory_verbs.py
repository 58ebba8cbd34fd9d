"""Memory in the verbs that are about something else: plan, explain, diff."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from quantmap.cli import app

from tests.python.sources import ROOT

SHAPE = str(ROOT / "examples" / "llama_3_70b.json")
GROUND = ("--gpu", "H100", "--checkpoint", SHAPE)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    app.app.main(list(arguments), standalone_mode=False)
    out, err = capsys.readouterr()
    return out, err


@pytest.fixture
def task(tmp_path: Path) -> str:
    path = tmp_path / "task.json"
    sizes = {"tensor-parallel-size": [1, 2, 4], "max-model-len": 2048}
    path.write_text(json.dumps({"base_runtime": "vllm", "parameters": sizes}))
    return str(path)


def test_a_plan_leaves_out_what_does_not_fit(capsys: pytest.CaptureFixture[str], task: str) -> None:
    out, err = run(capsys, "plan", task, "--engine", "vllm@0.20.1", *GROUND)
    assert "1 experiments do not fit into the memory of H100" in err
    rows = {line.split("  ")[0]: line.split()[-3:] for line in out.splitlines() if line}
    assert rows["too large for the GPU"][0] == "1" and rows["to run"][0] == "2"
    lines, _ = run(capsys, "plan", task, "--engine", "vllm@0.20.1", *GROUND, "--argv")
    found = [json.loads(line) for line in lines.splitlines()]
    assert [each[each.index("--tensor-parallel-size") + 1] for each in found] == ["2", "4"]
    # Without the model nothing is known of its memory.
    lines, err = run(capsys, "plan", task, "--engine", "vllm@0.20.1", "--gpu", "H100", "--argv")
    assert len(lines.splitlines()) == 3 and "memory" not in err


def test_explain_and_diff_tell_memory(capsys: pytest.CaptureFixture[str]) -> None:
    ground = ("--runtime", "vllm", *GROUND, "--preset", "dynamic-fp8")
    size = ("--param", "tensor-parallel-size=2")
    out, _ = run(capsys, "explain", "--engine-version", "0.20.1", *ground, *size)
    assert "Memory: fits: weights 36.3 GB on each of 2 x H100" in out
    out, _ = run(capsys, "diff", "0.19.0", "0.20.1", *ground, *size)
    line = next(line for line in out.splitlines() if line.startswith("memory: "))
    before, after = line.split(" → ")
    assert before.removeprefix("memory: ") != after
    assert "fits" in before and "fits" in after
