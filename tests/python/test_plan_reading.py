"""Plans as a caller meets them: reading, files, what is run already, and wrong tasks."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.ledger import Ledger

Task = dict[str, Any]

TASK: Task = {
    "task_name": "two caches",
    "base_runtime": "sglang",
    "runtime_image_tag": "v0.5.2-cu126",
    "model": {"id_or_path": "org/model", "revision": "main"},
    "quant_config": {
        "kvcache_dtype": ["auto", "fp8", "fp8_e4m3", "nope"],
        "moe_dtype": ["auto", "int8"],
    },
    "parameters": {"tp-size": [1, 2], "schedule-policy": ["fcfs", "lpm"], "x": "a b"},
    "benchmark": {"num_concurrency": [1]},
}
DOCUMENTED = {key: value for key, value in TASK.items() if key != "runtime_image_tag"}
TRT: Task = {
    "base_runtime": "tensorrt_llm@1.0.0",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"tp_size": [1, 2]},
}


def test_every_point_is_accounted_for() -> None:
    plan = quantmap.plan(TASK)
    assert (plan.asked, plan.distinct, plan.merged, plan.skipped) == (32, 8, 16, 8)
    assert [experiment.points for experiment in plan] == [2, 2, 2, 2, 4, 4, 4, 4]
    (skip,) = plan.skips
    assert (skip.code, skip.path, skip.count) == (
        "unknown-value",
        "$.quant_config.kvcache_dtype[3]",
        8,
    )
    assert skip.example["config"]["kvcache_dtype"] == "nope"
    assert skip.example["parameters"]["tp-size"] == 1
    assert plan.targets[0]["version"] == "0.5.2" and plan.task_name == "two caches"
    assert plan.catalog["hash"] and str(plan.asked) in plan.summary()


def test_an_experiment_says_what_it_is() -> None:
    experiment = quantmap.plan(TASK)[-1]
    assert (experiment.index, experiment.engine, experiment.version) == (7, "sglang", "0.5.2")
    assert experiment.mode == "checked"
    assert experiment.args == {
        "--dtype": "auto",
        "--kv-cache-dtype": "fp8_e4m3",
        "--tp-size": "2",
        "--schedule-policy": "lpm",
        "--x": "a b",
    }
    assert experiment.argv()[-2:] == ["--x", "a b"]
    assert experiment.shell("org/model").endswith("--x 'a b'")
    assert experiment.parameters == {"tp-size": 2, "schedule-policy": "lpm", "x": "a b"}
    assert [config["kvcache_dtype"] for config in experiment.configs] == ["fp8"] * 2 + [
        "fp8_e4m3"
    ] * 2
    assert experiment.explain().args == experiment.args
    assert json.loads(json.dumps(experiment.to_dict()))["signature"] == experiment.signature


def test_reading_is_as_of_a_list() -> None:
    plan = quantmap.plan(TASK)
    everything = [experiment.to_dict() for experiment in plan]
    assert len(plan) == len(everything) == 8
    for index in (0, 3, 7, -1, -8):
        assert plan[index].to_dict() == everything[index]
    for part in (slice(2, 5), slice(None, None, -1), slice(-3, None, 2), slice(5, 2), slice(9, 99)):
        assert [experiment.to_dict() for experiment in plan[part]] == everything[part]
    for index in (8, -9, 10**30):
        with pytest.raises(IndexError):
            plan[index]


@pytest.mark.parametrize("task", [TASK, TRT, DOCUMENTED], ids=["checked", "files", "documented"])
def test_decisions_are_those_of_the_first_point(task: Task) -> None:
    for experiment in quantmap.plan(task):
        mapping = experiment.explain()
        assert (mapping.args, mapping.env, mapping.files) == (
            experiment.args,
            experiment.env,
            experiment.files,
        )
        assert experiment.config == experiment.configs[0]


def test_nothing_is_enumerated() -> None:
    grid = {f"p{number}": [str(value) for value in range(10)] for number in range(18)}
    plan = quantmap.plan({"base_runtime": "vllm", "parameters": grid})
    assert plan.asked == plan.distinct == len(plan) == 10**18
    assert plan[0].args["--p17"] == "0" and plan[-1].args["--p0"] == "9"
    middle = plan[123_456_789_012_345_678]
    assert "".join(str(middle.args[f"--{name}"]) for name in grid) == "123456789012345678"
    assert [experiment.index for experiment in plan[10**17 : 10**17 + 2]] == [10**17, 10**17 + 1]


def test_max_iterations_limits_what_is_read_and_nothing_else() -> None:
    whole = quantmap.plan(TASK)
    limited = quantmap.plan({**TASK, "optimization": {"max_iterations": 3, "strategy": "grid"}})
    assert (limited.limited, limited.max_iterations, len(limited)) == (True, 3, 3)
    assert (whole.limited, whole.max_iterations) == (False, None)
    for name in ("asked", "distinct", "merged", "skipped"):
        assert getattr(limited, name) == getattr(whole, name)
    step = len(whole) / 3
    spread = [whole[int(number * step)].signature for number in range(3)]
    assert [e.signature for e in limited] == spread == list(limited.iter_signatures())
    assert [e.index for e in limited] == [0, 1, 2]
    with pytest.raises(IndexError):
        limited[3]


def test_several_engines_in_one_plan() -> None:
    plan = quantmap.plan(DOCUMENTED, engines=["vllm@0.11.0", "sglang@0.5.2", "vllm@0.11.0"])
    assert plan.asked == 3 * quantmap.plan(DOCUMENTED).asked
    assert [target["version"] for target in plan.targets] == ["0.11.0", "0.5.2"]
    engines = [experiment.engine for experiment in plan]
    assert engines == sorted(engines, reverse=True) and set(engines) == {"vllm", "sglang"}
    assert len({experiment.signature for experiment in plan}) == plan.distinct


def test_an_experiment_matrix() -> None:
    presets = ["universal-fp8", "sglang-marlin-moe", "awq"]
    matrix = [
        {"dimension": "quantization_method", "values": presets, "engines": ["vllm", "sglang"]},
        {"dimension": "kv_cache_dtype", "values": ["auto", "fp8_e5m2"], "engines": ["all"]},
        {"dimension": "tensor_parallel_size", "values": [1, 2, 4], "engines": ["sglang"]},
    ]
    plan = quantmap.plan({"experiment_matrix": matrix})
    asked = {"vllm": 3 * 2, "sglang": 3 * 2 * 3, "tensorrt_llm": 2}
    assert [target["engine"] for target in plan.targets] == list(asked)
    assert plan.asked == sum(asked.values())
    only = quantmap.plan({"base_runtime": "sglang", "experiment_matrix": matrix})
    assert only.asked == asked["sglang"]
    first = only[0]
    assert first.presets == ["universal-fp8"] and first.args["--tp-size"] == "1"


# ---------------------------------------------------------------- signatures


def signatures(task: Task, **keywords: Any) -> list[str]:
    return [experiment.signature for experiment in quantmap.plan(task, **keywords)]


def changed(**keys: Any) -> Task:
    return {**TASK, **keys}


@pytest.mark.parametrize(
    "other",
    [
        changed(task_name="another", optimization={"strategy": "random"}, slo={"ttft": 1}),
        changed(quant_config={"quantization_config": TASK["quant_config"]}),
        changed(parameters={"x": "a b", "tp_size": ["2", 1], "schedule_policy": ["lpm", "fcfs"]}),
        changed(model={"revision": "main", "namespace": "n", "id": "org/model"}),
        changed(parameters={**TASK["parameters"], "mem-fraction-static": None}),
    ],
    ids=["other keys", "wrapper", "other spelling and order", "model", "left out"],
)
def test_the_same_launch_has_the_same_signature(other: Task) -> None:
    assert sorted(signatures(other)) == sorted(signatures(TASK))


@pytest.mark.parametrize(
    "other",
    [
        changed(model={"id_or_path": "org/model", "revision": "v2"}),
        changed(model="org/other"),
        changed(model=None),
        changed(benchmark={"num_concurrency": [2]}),
        changed(runtime_image_tag="v0.5.3-cu126"),
        changed(runtime_image_tag="v0.5.2-cu128"),
        changed(runtime_image_tag=None),
        changed(parameters={**TASK["parameters"], "x": "b"}),
    ],
)
def test_another_launch_has_another(other: Task) -> None:
    assert not set(signatures(other)) & set(signatures(TASK))


def test_signatures_are_the_same_in_any_process() -> None:
    code = f"import quantmap; print([e.signature for e in quantmap.plan({TASK!r})])"
    for seed in ("0", "1"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.strip() == str(signatures(TASK))


def test_a_task_in_every_form(tmp_path: Path) -> None:
    text = json.dumps(TASK)
    path = tmp_path / "task.json"
    path.write_text(text, encoding="utf-8")
    for form in (text, "\n " + text, path, str(path)):
        assert signatures(form) == signatures(TASK)  # type: ignore[arg-type]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("task", [TASK, TRT, DOCUMENTED], ids=["checked", "files", "documented"])
def test_json_lines_are_read_again(tmp_path: Path, task: Task) -> None:
    plan = quantmap.plan(task)
    path = tmp_path / "plan.jsonl"
    assert plan.to_jsonl(path) is None
    assert plan.to_jsonl() == path.read_text(encoding="utf-8")
    again = type(plan).from_jsonl(path)
    for name in ("asked", "distinct", "merged", "skipped", "limited", "targets", "task_name"):
        assert getattr(again, name) == getattr(plan, name), name
    assert [skip.to_dict() for skip in again.skips] == [skip.to_dict() for skip in plan.skips]
    names = ["index", "signature", "engine", "version", "args", "env", "files", "group", "points"]
    for one, other in zip(again, plan):
        for name in [*names, "configs", "presets"]:
            assert getattr(one, name) == getattr(other, name), name
    assert len(again) == len(plan) and again[-1].shell("m") == plan[-1].shell("m")


def test_the_lines_are_what_the_documentation_says() -> None:
    text = quantmap.plan(TRT).to_jsonl()
    assert text is not None
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["plan"]["asked"] == 4 and lines[0]["plan"]["task"] == TRT
    known = set()
    for line in lines[1:]:
        if "signature" not in line:
            known.add(line["group"])
            continue
        assert line["group"] in known, "a group stands before its first experiment"
        assert all(len(digest) == 64 for digest in line["files"].values())
    assert sum(line["points"] for line in lines if "signature" in line) == 4


def test_csv_is_read_again(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    path = tmp_path / "plan.csv"
    plan.to_csv(path)
    text = path.read_text(encoding="utf-8")
    assert plan.to_csv() == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["signature"] for row in rows] == signatures(TASK)
    assert [json.loads(row["args"]) for row in rows] == [experiment.args for experiment in plan]


@pytest.mark.parametrize("write", ["to_jsonl", "to_csv"])
def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: str
) -> None:
    path = tmp_path / "plan"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", stop)
    with pytest.raises(KeyboardInterrupt):
        getattr(quantmap.plan(TASK), write)(path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["plan"]
    monkeypatch.undo()
    getattr(quantmap.plan(TASK), write)(path)
    assert path.stat().st_size > 100 and path.stat().st_mode & 0o777 == 0o640


def test_a_cut_off_file_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    path = tmp_path / "plan.jsonl"
    plan.to_jsonl(path)
    path.write_bytes(path.read_bytes()[:-30])
    again = type(plan).from_jsonl(path)
    assert [item.signature for item in again] == signatures(TASK)[:-1]
    assert "torn-plan" in {item.code for item in again.diagnostics}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}\n",
        b"[]\n",
        b"not json\n",
        b"\xff\n",
        b'{"plan": {}}\n',
        b'{"plan": {"format": 99}}\n',
        b'{"plan": null}\n',
        b"[" * 9000 + b"\n",
    ],
)
def test_what_is_no_plan_is_an_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_bytes(data)
    with pytest.raises(quantmap.ConfigError):
        quantmap.Plan.from_jsonl(path)
    with pytest.raises(quantmap.ConfigError):
        quantmap.Plan.from_jsonl(tmp_path / "none")


# ---------------------------------------------------------------- what has been run


def test_what_has_been_run_is_left_out(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    ledger = Ledger(tmp_path / "results.jsonl")

    def pending(done: Any, **keywords: Any) -> list[int]:
        found = plan.pending(done, **keywords)
        assert len(found) == len(list(found))
        return [experiment.index for experiment in found]

    assert pending(ledger) == list(range(8))
    ledger.record(plan[0].signature, "success")
    ledger.record(plan[1].signature, "failed")
    ledger.record(plan[2].signature, "running")
    ledger.record("0" * 32, "success")
    for done in (ledger, ledger.path, Path(ledger.path)):
        assert pending(done) == [2, 3, 4, 5, 6, 7]
        assert pending(done, rerun=("failed",)) == [1, 2, 3, 4, 5, 6, 7]
    assert pending({plan[7].signature}) == [0, 1, 2, 3, 4, 5, 6]
    with open(ledger.path, "ab") as handle:
        handle.write(b'{"signature": "')
    assert [item.code for item in plan.pending(ledger).diagnostics] == ["torn-line"]
    limited = quantmap.plan({**TASK, "optimization": {"max_iterations": 4}})
    assert [experiment.index for experiment in limited.pending(ledger)] == [1, 2, 3]


@pytest.mark.parametrize("most", [1, 2, 3, 5, 7, 11, 23, 100])
def test_a_limit_spreads_over_every_axis(tmp_path: Path, most: int) -> None:
    task = {
        "base_runtime": "sglang@0.5.2",
        "quant_config": {"kvcache_dtype": ["auto", "fp8_e4m3", "fp8_e5m2"]},
        "parameters": {"tp-size": [1, 2, 4, 8], "mem-fraction-static": [0.8, 0.85]},
    }
    whole = quantmap.plan(task)
    plan = quantmap.plan({**task, "optimization": {"max_iterations": most}})
    size = min(most, whole.distinct)
    expected = [whole[number * whole.distinct // size].signature for number in range(size)]
    assert [one.signature for one in plan] == expected == list(plan.iter_signatures())
    plan.to_jsonl(tmp_path / "p")
    stored = quantmap.Plan.from_jsonl(tmp_path / "p")
    assert [one.signature for one in stored] == expected
    assert [one.configs for one in stored] == [one.configs for one in plan]
    groups = [
        json.loads(line)["group"]
        for line in (tmp_path / "p").read_text().splitlines()
        if line.startswith('{"group"')
    ]
    assert len(groups) == len(set(groups))
    if most == 11:
        for flag in ("--tp-size", "--mem-fraction-static", "--kv-cache-dtype"):
            assert {one.args[flag] for one in plan} == {one.args[flag] for one in whole}


def test_a_bayesian_task_is_planned_as_its_space() -> None:
    task = {**TASK, "optimization": {"max_iterations": 2, "strategy": "bayesian"}}
    plan = quantmap.plan(task)
    assert (plan.limited, len(plan)) == (False, plan.distinct)
