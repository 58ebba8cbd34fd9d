"""The swap of the autotuner's module that prepares experiments: one line, its neighbours as before.

The tree is made up: a regular package ``utils`` first on the path, a grid, and an orchestrator that
goes from a task to the command lines of its experiments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

GRID = '''\
"""A neighbour: the grid of a specification, every value in a list."""
import itertools


def generate_parameter_grid(specification):
    for name, values in specification.items():
        if not isinstance(values, list):
            raise ValueError(f"{name}: expected a list of values")
    return [dict(zip(specification, point)) for point in itertools.product(*specification.values())]
'''

ORCHESTRATOR = '''\
"""From a task to command lines; words as a container's controller puts them together."""
from concurrent.futures import ThreadPoolExecutor

from utils.optimizer import generate_parameter_grid
from utils.quantization_integration import (
    get_quant_config_summary,
    merge_parameters_with_quant_config,
    prepare_runtime_parameters,
    validate_task_quant_config,
)


def words(parameters):
    out = []
    for key, value in parameters.items():
        if value is True:
            out.append(f"--{key}")
        elif value is not False:
            out.extend([f"--{key}", str(value)])
    return " ".join(out)


def run(task):
    good, message = validate_task_quant_config(task.get("quant_config"))
    if not good:
        return {"status": "refused", "message": message}
    specification = merge_parameters_with_quant_config(task["parameters"], task.get("quant_config"))
    grid = generate_parameter_grid(specification)

    def prepare(point):
        return words(
            prepare_runtime_parameters(
                base_runtime=task["base_runtime"],
                params=point,
                model_path=task["model"]["id_or_path"],
                model_config=task.get("model"),
            )
        )

    with ThreadPoolExecutor(max_workers=4) as pool:
        commands = list(pool.map(prepare, grid))
    summary = get_quant_config_summary(task.get("quant_config"))
    return {"status": "done", "summary": summary, "commands": commands}
'''

MAIN = """\
import json, logging, sys
import utils, utils.quantization_integration
from orchestrator import run

logging.getLogger("quantmap").addHandler(logging.NullHandler())
logging.getLogger("quantmap").propagate = False
json.dump({
    "results": [run(task) for task in json.load(sys.stdin)],
    "utils": utils.__file__,
    "module": utils.quantization_integration.__file__,
}, sys.stdout)
"""


@pytest.fixture(name="tree")
def _tree(tmp_path: Path) -> Path:
    """A made-up autotuner in which one module is the one line of the documented swap."""
    files = {
        "utils/__init__.py": '"""The autotuner\'s own helpers."""\n',
        "utils/quantization_integration.py": "from quantmap.integration import *\n",
        "utils/optimizer.py": GRID,
        "orchestrator.py": ORCHESTRATOR,
        "main.py": MAIN,
    }
    for name, content in files.items():
        path = tmp_path / "src" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return tmp_path / "src"


def run_tasks(tree: Path, tasks: list[dict[str, Any]], versions: str | None = None) -> Any:
    """Run the tasks in a process of its own, with the tree first on the path."""
    environment = {k: v for k, v in os.environ.items() if k != "QUANTMAP_ENGINE_VERSIONS"}
    environment.update(PYTHONPATH=str(tree), PYTHONDONTWRITEBYTECODE="1")
    if versions is not None:
        environment["QUANTMAP_ENGINE_VERSIONS"] = versions
    done = subprocess.run(
        [sys.executable, "-W", "error", str(tree / "main.py")],
        input=json.dumps(tasks),
        capture_output=True,
        text=True,
        env=environment,
        cwd=tree.parent,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert Path(found["utils"]) == tree / "utils" / "__init__.py"
    assert Path(found["module"]) == tree / "utils" / "quantization_integration.py"
    return found["results"]


def task(**changes: Any) -> dict[str, Any]:
    """A task of the made-up autotuner."""
    return {
        "base_runtime": "vllm",
        "model": {"id_or_path": "org/model", "namespace": "autotuner"},
        "parameters": {"max-num-seqs": [64, 128]},
        "quant_config": {"preset": "dynamic-fp8"},
        **changes,
    }


FP8 = "--quantization fp8 --dtype auto --kv-cache-dtype"


def test_a_preset_reaches_the_engine(tree: Path) -> None:
    (found,) = run_tasks(tree, [task()])
    assert found == {
        "status": "done",
        "summary": "GEMM: fp8, KV Cache: fp8_e5m2, Attention: fp8, MoE: auto",
        "commands": [f"{FP8} fp8_e5m2 --max-num-seqs {count}" for count in (64, 128)],
    }


def test_a_release_changes_what_reaches_it(tree: Path) -> None:
    expected = [f"{FP8} fp8_e4m3 --max-num-seqs {count}" for count in (64, 128)]
    by_name, by_variable = (
        run_tasks(tree, [task(base_runtime="vllm@0.11.0")]),
        run_tasks(tree, [task()], "vllm=0.11.0"),
    )
    assert by_name[0]["commands"] == by_variable[0]["commands"] == expected


def test_several_presets_fields_and_no_config(tree: Path) -> None:
    presets = {"presets": ["default", "kv-cache-fp8"], "gemm_dtype": "bfloat16"}
    fields = {"kvcache_dtype": ["auto", "fp8_e4m3"]}
    quantized = {"id_or_path": "org/model", "quantization": "awq"}
    single = {"max-num-seqs": [64], "enable-prefix-caching": [True]}
    several, listed, none, awq = run_tasks(
        tree,
        [
            task(quant_config=presets, parameters=single),
            task(quant_config=fields, parameters=single),
            task(quant_config=None, parameters=single),
            task(parameters=single, model=quantized),
        ],
    )
    tail = "--max-num-seqs 64 --enable-prefix-caching"
    assert several["commands"] == [
        f"--dtype bfloat16 --kv-cache-dtype auto {tail}",
        f"--dtype bfloat16 --kv-cache-dtype fp8_e5m2 {tail}",
    ]
    assert several["summary"] == "Presets: default, kv-cache-fp8 (GEMM: bfloat16)"
    assert listed["commands"] == [
        f"--dtype auto --kv-cache-dtype {value} {tail}" for value in ("auto", "fp8_e4m3")
    ]
    assert (none["commands"], none["summary"]) == ([tail], "No quantization")
    assert awq["commands"] == [f"--dtype auto --kv-cache-dtype fp8_e5m2 {tail}"]


def test_a_wrong_config_is_refused_before_anything_runs(tree: Path) -> None:
    (found,) = run_tasks(tree, [task(quant_config={"presets": ["default", "kv-cache-fp9"]})])
    assert found["status"] == "refused"
    assert "$.presets[1]" in found["message"] and "'kv-cache-fp8'" in found["message"]
