"""What is odd about a task is told by everything that reads one, in the words of a plan."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
import quantmap
from quantmap import integration
from quantmap.task import read_task

TASK = {"base_runtime": "vllm", "quant_confg": {"gemm_dtype": "fp8"}}


@pytest.mark.parametrize("verb", ["map", "explain"])
def test_a_key_that_nothing_reads_is_told(verb: str, tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text(json.dumps(TASK))
    done = subprocess.run(
        [sys.executable, "-m", "quantmap", verb, str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0
    (told,) = [str(item) for item in quantmap.plan(TASK).diagnostics]
    assert f"warning: {told}\n" in done.stderr
    assert "quant_config" in done.stderr


def test_the_notes_are_those_of_a_plan() -> None:
    for task in (
        TASK,
        {**TASK, "slo": 1, "modle": "m"},
        {"base_runtime": "vllm", "parameters": {}},
    ):
        assert read_task(task).notes == quantmap.plan(task).diagnostics
    assert read_task({"gemm_dtype": "auto"}).notes == []


def test_what_only_a_plan_reads_is_told(tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    matrix = [{"name": "quantization_method", "values": ["auto"]}]
    path.write_text(json.dumps({"base_runtime": "vllm", "experiment_matrix": matrix}))
    done = subprocess.run(
        [sys.executable, "-m", "quantmap", "map", str(path)], capture_output=True, text=True
    )
    assert "note: only quantmap plan reads experiment_matrix\n" in done.stderr


def test_the_integration_logs_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "quantmap"):
        assert integration.generate_experiment_configs(TASK) == []
    assert "quant_confg" in caplog.text
