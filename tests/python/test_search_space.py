"""A task as a search space: what starts, the nearest that does, and one name for one launch."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import quantmap

ROOT = Path(__file__).resolve().parents[2]
TASK: dict[str, Any] = {
    "base_runtime": "vllm@0.11.0",
    "model": "org/model",
    "quant_config": {
        "kvcache_dtype": ["auto", "fp8", "nope"],
        "attention_dtype": ["auto", "bfloat16"],
    },
    "parameters": {"max-num-seqs": [64, "many", 128], "max-model-len": 4096},
}
SHAPE = json.loads((ROOT / "examples" / "llama_3_70b.json").read_text(encoding="utf-8"))


def test_axes_are_the_tasks() -> None:
    space = quantmap.space(TASK)
    assert len(space) == 18 == len(list(space.points()))
    assert space.axes["max-model-len"] == [4096]
    presets = {
        "base_runtime": "sglang",
        "parameters": {"quantization_preset": ["default", "kv-cache-fp8"]},
    }
    assert quantmap.space(presets).axes == {"preset": ["default", "kv-cache-fp8"]}
    structured = {**TASK, "parameters": {"tp": {"type": "choice", "values": [1, 2]}}}
    assert quantmap.space(structured).axes["tp"] == [1, 2]


@pytest.mark.parametrize(
    "wrong", [{"x": []}, {"x": [[1]]}, {"x": {"low": 1}}, {"kvcache_dtype": 1}]
)
def test_a_wrong_axis_is_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(quantmap.ConfigError):
        quantmap.space({**TASK, "parameters": wrong})


def test_feasible_says_what_explain_says() -> None:
    space = quantmap.space(TASK)
    for point in space.points():
        good, reason = space.feasible(point)
        bad = point["kvcache_dtype"] == "nope" or point["max-num-seqs"] == "many"
        assert good is not bad and bool(reason) is bad
    with pytest.raises(quantmap.ConfigError):
        space.feasible({"kvcache_dtype": "auto"})


GROUNDS = [
    ("vllm", {"engine_version": "0.11.0", "gpu": "H100"}),
    ("vllm", {"engine_version": "0.6.3", "gpu": "A100"}),
    ("sglang", {"engine_version": "0.5.3", "gpu": "L4"}),
    ("tensorrt_llm", {"engine_version": "1.0.0", "gpu": "V100"}),
    ("sglang-jax", {}),
    ("vllm", {}),
    ("vllm", {"engine_version": "none such"}),
]


@pytest.mark.parametrize(("engine", "ground"), GROUNDS)
def test_the_reason_is_what_explain_says_first(engine: str, ground: dict[str, Any]) -> None:
    rng = random.Random(3)
    rows = [row for row in quantmap._core.fields() if not row["section"]]
    fields = {row["key"]: rng.sample(row["options"], min(4, len(row["options"]))) for row in rows}
    fields = {key: fields[key] for key in ("gemm_dtype", "kvcache_dtype", "moe_dtype")}
    fields["kvcache_dtype"].append("nope")
    parameters = {
        "quantization": [None, "awq", "gptq_marlin", "nothing"],
        "kv-cache-dtype": [None, "fp8_e5m2", "fp16"],
        "attention-backend": [None, "flashinfer", "FLASH_ATTN"],
        "tp": [None, "two"],
    }
    task = {"base_runtime": engine, "quant_config": fields, "parameters": parameters}
    space = quantmap.space(task, **ground)
    points = list(space.points())
    for point in rng.sample(points, 60):
        config = {key: point[key] for key in fields}
        more = {key: point[key] for key in parameters if point[key] is not None}
        try:
            told = quantmap.explain(engine, config, more, **ground).diagnostics
        except quantmap.ConfigError as error:
            told = error.diagnostics
        errors = [item.message for item in told if item.severity == "error"]
        assert space.feasible(point) == (not errors, errors[0] if errors else "")


def test_threads_get_the_same_answers() -> None:
    task = {**TASK, "parameters": {"max-num-seqs": [*range(1, 200), "many"]}}
    alone = quantmap.space(task)
    points = list(alone.points())
    expected = [alone.feasible(point) for point in points]
    shared = quantmap.space(task)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: [shared.feasible(point) for point in points], range(8)):
            assert found == expected


def test_what_does_not_fit_is_not_feasible() -> None:
    task = {**TASK, "quant_config": {}, "parameters": {"tensor-parallel-size": [1, 4, 8]}}
    space = quantmap.space(task, gpu="H100", checkpoint=SHAPE)
    assert [space.feasible(point)[0] for point in space.points()] == [False, True, True]
    assert "does not fit: " in space.feasible({"tensor-parallel-size": 1})[1]
    assert space.repair({"tensor-parallel-size": 1}) == {"tensor-parallel-size": 4}


def test_repair_is_the_nearest_by_a_slow_search() -> None:
    space = quantmap.space(TASK)
    good = [point for point in space.points() if space.feasible(point)[0]]
    for point in space.points():
        fixed = space.repair(point)
        assert fixed is not None and space.feasible(fixed)[0]

        def changed(other: dict[str, Any], point: dict[str, Any] = point) -> int:
            return sum(other[name] != point[name] for name in point)

        assert changed(fixed) == min(map(changed, good))
    hopeless = quantmap.space({**TASK, "parameters": {"max-num-seqs": "many"}})
    assert hopeless.repair(next(hopeless.points())) is None


def test_signatures_are_the_plans() -> None:
    space = quantmap.space(TASK)
    names = {space.signature(p) for p in space.points() if space.feasible(p)[0]}
    planned = {one.signature for one in quantmap.plan(TASK) if not _refused(one)}
    assert names == planned and len(names) == 4  # attention has no argument: 8 points, 4 launches
    with pytest.raises(quantmap.ConfigError):
        space.signature({**next(space.points()), "kvcache_dtype": "nope"})


def _refused(experiment: Any) -> bool:
    return any(item.severity == "error" for item in experiment.explain().diagnostics)


def test_the_launch_of_a_point_is_the_plans() -> None:
    space = quantmap.space(TASK, gpu="H100")
    planned = {one.signature: one.argv("m") for one in quantmap.plan(TASK, gpu="H100")}
    for point in space.points():
        if space.feasible(point)[0]:
            assert space.explain(point).argv("m") == planned[space.signature(point)]
    with pytest.raises(quantmap.ConfigError):
        space.explain({"kvcache_dtype": "auto"})


def test_an_answer_given_again_is_quick() -> None:
    space = quantmap.space(TASK)
    points = list(space.points())
    for point in points:
        space.feasible(point)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _, point in product(range(100), points):
            space.feasible(point)
        best = min(best, (time.perf_counter() - began) / (100 * len(points)))
    assert best < 20e-6


def test_optuna_measures_no_launch_twice() -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    space = quantmap.space(TASK)
    measured: list[str] = []

    def measure(launch: quantmap.Mapping) -> float:
        assert not [item for item in launch.diagnostics if item.severity == "error"]
        measured.append(launch.shell("m"))
        return float(launch.args["--max-num-seqs"]) + (launch.args["--kv-cache-dtype"] == "fp8")

    page = (ROOT / "docs" / "tuners.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    recipe = recipe.replace('quantmap.space("task.json", gpu="H100")', "given")
    names: dict[str, Any] = {"measure": measure, "given": space}
    exec(compile(recipe, "tuners.md", "exec"), names)
    assert names["study"].best_value == 129.0
    assert len(names["study"].trials) == 50 and len(measured) == len(set(measured)) <= 4
    trial = names["study"].ask(space.optuna())
    assert set(trial.params) == set(space.axes)


def test_ray_tune_gets_the_axes() -> None:
    chosen = quantmap.space(TASK).ray(choice=tuple)
    assert chosen["max-num-seqs"] == (64, "many", 128)


def test_the_ray_example_runs(tmp_path: Path) -> None:
    pytest.importorskip("ray.tune")
    task = {
        **TASK,
        "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
        "parameters": {"max-num-seqs": [4, 16]},
    }
    (tmp_path / "task.json").write_text(json.dumps(task))
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "ray_tune.py"), "task.json"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(quantmap.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "160 tok/s" in done.stdout
    results = quantmap.plan(task).results(tmp_path / "runs.jsonl")
    assert results.count("success") == 4
    best = results.best()
    assert best is not None and best.experiment.args["--max-num-seqs"] == "16"
