"""The swap into an autotuner: its own mapper replaced by one line, its habits kept.

The tree is made up: a regular package ``utils`` first on the path, a sibling that imports from the
mapper, and a controller that calls it the way controllers do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SIBLING = '''\
"""A neighbour of the mapper inside utils."""
from utils.quantization_mapper import (
    get_runtime_args,
    resolve_quant_config,
    validate_quant_config,
)


def prepare(runtime, quant_config, combination, model_quantization):
    good, message = validate_quant_config(quant_config)
    if not good:
        raise ValueError(message)
    arguments = get_runtime_args(
        runtime=runtime,
        quant_config=resolve_quant_config(quant_config),
        user_parameters=combination,
        model_quantization=model_quantization,
    )
    return {key.lstrip("-"): value for key, value in arguments.items()}
'''

CONTROLLER = '''\
"""A controller: experiments in threads, words on the command line, one kind of error."""
from concurrent.futures import ThreadPoolExecutor

from utils.quantization_mapper import get_runtime_args
from utils.sibling import prepare


def words(parameters):
    out = []
    for key, value in parameters.items():
        if isinstance(value, bool):
            if value:
                out.append("--" + key)
        else:
            out.extend(["--" + key, value])
    return " ".join(out)


def launch(job):
    try:
        parameters = prepare(
            job["base_runtime"], job["quant_config"], job["parameters"], job["model_quantization"]
        )
        again = get_runtime_args(
            runtime=job["base_runtime"],
            quant_config=job["quant_config"],
            user_parameters=job["parameters"],
            model_quantization=job["model_quantization"],
        )
        assert {key.lstrip("-"): value for key, value in again.items()} == parameters
        return {"status": "started", "command": words(parameters)}
    except ValueError as error:
        return {"status": "failed", "error": str(error)}


def run(jobs):
    with ThreadPoolExecutor(max_workers=6) as pool:
        return list(pool.map(launch, jobs))
'''

MAIN = """\
import json, logging, sys
import utils, utils.quantization_mapper
from controllers.controller import run

class Collect(logging.Handler):
    texts = []
    def emit(self, record):
        self.texts.append(record.getMessage())

logging.getLogger().addHandler(Collect())
json.dump({
    "results": run(json.load(sys.stdin)),
    "utils": utils.__file__,
    "mapper": utils.quantization_mapper.__file__,
    "warnings": sorted(set(Collect.texts)),
}, sys.stdout)
"""


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """A made-up autotuner whose mapper is the one line of the documented swap."""
    files = {
        "utils/__init__.py": '"""The autotuner\'s own helpers."""\n',
        "utils/quantization_mapper.py": "from quantmap.documented import *\n",
        "utils/sibling.py": SIBLING,
        "controllers/__init__.py": "",
        "controllers/controller.py": CONTROLLER,
        "main.py": MAIN,
    }
    for name, content in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "src"


def run_jobs(tree: Path, jobs: list[dict[str, Any]]) -> dict[str, Any]:
    """Run the controller in a process of its own, with the tree first on the path."""
    environment = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "error", str(tree / "main.py")],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        env=environment,
        cwd=tree.parent,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def job(**changes: Any) -> dict[str, Any]:
    """One experiment of the made-up autotuner."""
    return {
        "base_runtime": "sglang",
        "quant_config": {"preset": "kv-cache-fp8"},
        "parameters": {"tp-size": 2, "enable-metrics": True, "disable-radix-cache": False},
        "model_quantization": None,
        **changes,
    }


def test_the_trees_own_utils_is_used(tree: Path) -> None:
    found = run_jobs(tree, [])
    assert Path(found["utils"]) == tree / "utils" / "__init__.py"
    assert Path(found["mapper"]) == tree / "utils" / "quantization_mapper.py"


def test_commands(tree: Path) -> None:
    jobs = [
        job(),
        job(
            base_runtime="vllm",
            parameters={"kv_cache_dtype": "auto", "tensor-parallel-size": [4]},
        ),
        job(base_runtime="vllm", quant_config={"gemm_dtype": "fp8"}, model_quantization="AWQ"),
        job(base_runtime="tensorrt_llm", quant_config={"gemm_dtype": "fp8"}, parameters=None),
        job(quant_config={"preset": "high-quality", "parallelism": {"tensor_parallel_size": 4}}),
    ]
    found = run_jobs(tree, jobs * 8)
    commands = [result["command"] for result in found["results"]]
    assert commands[:5] == [
        "--dtype auto --kv-cache-dtype fp8_e5m2 --tp-size 2 --enable-metrics",
        "--dtype auto --kv-cache-dtype auto --tensor-parallel-size 4",
        "--dtype auto --kv-cache-dtype auto --tp-size 2 --enable-metrics",
        "--quant-algo FP8",
        "--kv-cache-dtype bfloat16 --tp-size 2 --dtype bfloat16 --enable-metrics",
    ]
    assert commands == commands[:5] * 8
    ignored, refused = found["warnings"]
    assert ignored == (
        "Ignoring gemm_dtype='fp8': model already quantized with awq. "
        "Dynamic quantization applies to unquantized models only."
    )
    assert "--quant-algo FP8" in refused


@pytest.mark.parametrize(
    ("model_quantization", "quantized"),
    [
        (None, False),
        ("", False),
        ("none", False),
        ("Unquantized", False),
        ("auto", False),
        ("GPTQ", True),
        ({"quant_method": "awq", "bits": 4}, True),
        ({"quant_method": None}, False),
        ({}, False),
        ([], False),
        (["awq"], False),
        (4, False),
        (0.5, False),
        (True, False),
    ],
)
def test_model_quantization_of_any_json_type(
    tree: Path, model_quantization: Any, quantized: bool
) -> None:
    asked = job(quant_config={"gemm_dtype": "fp8"}, model_quantization=model_quantization)
    ((result,)) = run_jobs(tree, [asked])["results"]
    assert result["status"] == "started"
    assert ("--quantization fp8" in result["command"]) is not quantized


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"quant_config": {"preset": "kv-cache-fp9"}}, "'kv-cache-fp8'"),
        ({"quant_config": {"preset": {"name": "default"}}}, "$.preset"),
        ({"quant_config": {"gemm_dtype": ["fp8", "auto"]}}, "$.gemm_dtype"),
        ({"quant_config": []}, "object"),
        ({"quant_config": "default"}, "object"),
        ({"base_runtime": "sglan"}, "'sglang'"),
        ({"base_runtime": None}, "runtime"),
        ({"parameters": {"x": float("nan")}}, "user_parameters.x"),
        ({"parameters": [1]}, "user_parameters"),
    ],
)
def test_what_goes_wrong_is_a_value_error(tree: Path, changes: dict[str, Any], word: str) -> None:
    good, bad = run_jobs(tree, [job(), job(**changes)])["results"]
    assert good["status"] == "started"
    assert bad["status"] == "failed"
    assert word in bad["error"]
