"""The benchmark compares like with like: its hand-written mapper gives the documented answer."""

from __future__ import annotations

import importlib
import itertools
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap

BENCH = Path(__file__).resolve().parent


@pytest.fixture(name="plain")
def _plain(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("plain_mapper")


@pytest.fixture(name="bench")
def _bench(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module("bench_map")


@pytest.mark.parametrize("model_quantization", [None, "AWQ", {"quant_method": "gptq"}])
@pytest.mark.parametrize("runtime", ["vllm", "sglang", "tensorrt_llm"])
def test_the_plain_mapper_is_a_mapper(
    plain: Any, runtime: str, model_quantization: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    for values in itertools.product(plain.GEMM, plain.KVCACHE, plain.ATTENTION, plain.MOE):
        config = dict(zip(plain.FIELDS, values))
        wanted = quantmap.get_runtime_args(runtime, config, None, model_quantization)
        got = plain.plain_get_runtime_args(runtime, config, None, model_quantization)
        assert list(got.items()) == list(wanted.items()), (config, wanted)


@pytest.mark.parametrize("parameters", [True, False])
def test_yardsticks_on_the_benchmark_config(plain: Any, bench: Any, parameters: bool) -> None:
    given = json.loads(bench.PARAMETERS) if parameters else None
    expected = dict(bench.EXPECTED if parameters else bench.DERIVED)
    call = {"runtime": "sglang", "quant_config": json.loads(bench.CONFIG)}
    call.update(user_parameters=given, model_quantization=None)
    assert list(quantmap.get_runtime_args(**call).items()) == list(expected.items())
    assert list(plain.plain_get_runtime_args(**call).items()) == list(expected.items())
    if parameters:
        expected["--enable-metrics"] = "True"  # the floor calls str() on everything
    assert list(plain.floor_get_runtime_args(**call).items()) == list(expected.items())


def test_the_benchmark_runs() -> None:
    done = subprocess.run(
        [sys.executable, str(BENCH / "bench_map.py"), "--quick"],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "plain mapper / quantmap, 3 user parameters" in done.stdout
    assert done.stderr == ""
