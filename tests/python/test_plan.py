"""Plans: what they hold, what they say, and how they are written and read."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.files import write_file
from quantmap.stored_plan import StoredPlan

TASK: dict[str, Any] = {
    "task_name": "small",
    "model": {"id_or_path": "a/model"},
    "base_runtime": "sglang@0.5.2",
    "quant_config": {"kvcache_dtype": ["auto", "fp8_e4m3", "fp8"], "moe_dtype": ["auto", "fp9"]},
    "parameters": {"tp-size": [1, 2], "mem-fraction-static": [0.8, "0.80"]},
}
YAML_TASK: dict[str, Any] = {
    "base_runtime": "tensorrt_llm@1.0.0",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"extra_llm_api_options": [None, "mine.yaml"]},
}


def told(task: Any, **arguments: Any) -> list[tuple[str, str]]:
    """Code and path of the errors, or of the warnings of a plan."""
    try:
        items = quantmap.plan(task, **arguments).diagnostics
    except quantmap.ConfigError as error:
        items = error.diagnostics
    for item in items:
        assert "{" not in item.message + item.hint
        assert item.hint.strip() == item.hint
    return [(item.code, item.path) for item in items if item.severity != "info"]


def parameters(**lists: Any) -> dict[str, Any]:
    """A task with these parameters."""
    return {"base_runtime": "vllm", "parameters": lists}


def matrix(**dimension: Any) -> dict[str, Any]:
    """A task of one dimension."""
    return {"experiment_matrix": [dimension]}


WIDE = {f"p{number}": [1, 2] for number in range(64)}
PROVOKED: dict[str, tuple[Any, str]] = {
    "too-many-points": (parameters(**WIDE), "$.parameters.p62"),
    "axis-given-twice": (
        {
            "base_runtime": "vllm",
            "quant_config": {"preset": "default"},
            "parameters": {"quantization_preset": ["default"]},
        },
        "$.parameters.quantization_preset",
    ),
    "unknown-dimension": (
        matrix(dimension="kv_cache_type", values=["auto"]),
        "$.experiment_matrix[0].dimension",
    ),
    "no-engine": ({"quant_config": {"preset": "default"}}, "$.base_runtime"),
    "unknown-task-key": ({"base_runtime": "vllm", "paramters": {}}, "$.paramters"),
    "nothing-to-plan": ({"base_runtime": "vllm", "quant_config": {"gemm_dtype": "fp9"}}, "$"),
    "empty-list": (parameters(x=[]), "$.parameters.x"),
    "bad-parameter-name": (parameters(**{"a b": 1}), "$.parameters['a b']"),
    "wrong-type": (
        {"base_runtime": "vllm", "optimization": {"max_iterations": -1}},
        "$.optimization.max_iterations",
    ),
    "not-an-object": ([1], "$"),
    "unknown-key": ({"base_runtime": "vllm", "quant_config": {"gem": 1}}, "$.quant_config.gem"),
    "mixed-forms": (
        {"base_runtime": "vllm", "quant_config": {"gemm_dtype": "fp8", "moe": {}}},
        "$.quant_config",
    ),
    "duplicate-parameter": (
        {"base_runtime": "sglang", "parameters": {"tensor-parallel-size": [1], "tp-size": [2]}},
        "$.parameters.tp-size",
    ),
    "unknown-engine": ({"base_runtime": "llama.cpp"}, "runtime"),
}


@pytest.mark.parametrize("code", PROVOKED)
def test_said(code: str) -> None:
    task, path = PROVOKED[code]
    paths = [
        place.replace("['tp-size']", ".tp-size") for found, place in told(task) if found == code
    ]
    assert paths == [path]


def test_one_version_is_for_one_engine() -> None:
    found = told(TASK, engines=["sglang", "vllm"], engine_version="0.5.2")
    assert found == [("one-version-for-several", "engine_version")]


def test_accounting_and_experiments() -> None:
    plan = quantmap.plan(TASK)
    assert (plan.asked, plan.distinct, plan.merged, plan.skipped) == (24, 4, 8, 12)
    assert plan.task_name == "small"
    assert [skip.count for skip in plan.skips] == [12]
    assert plan.skips[0].path == "$.quant_config.moe_dtype[1]"
    assert plan.skips[0].example["config"]["moe_dtype"] == "fp9"
    assert plan.targets[0]["version"] == "0.5.2"
    last = plan[-1]
    assert last.index == 3 and last.points == 4 and last.mode == "checked"
    assert [item["kvcache_dtype"] for item in last.configs] == ["fp8_e4m3", "fp8"]
    assert last.presets == []
    assert last.explain().args == last.args
    assert last.argv("m")[-4:] == ["--tp-size", "2", "--mem-fraction-static", "0.8"]
    assert "--tp-size 2" in last.shell("m")
    assert [item.signature for item in plan[1:3]] == [plan[1].signature, plan[2].signature]
    assert plan.summary().count("\n") >= 4
    assert repr(plan) and repr(last) and repr(plan.skips[0])


def test_every_way_to_give_a_task(tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    path.write_text(json.dumps(TASK), encoding="utf-8")
    plans = [quantmap.plan(task) for task in (TASK, json.dumps(TASK), str(path), path)]
    assert len({tuple(item.signature for item in plan) for plan in plans}) == 1


@pytest.mark.parametrize("task", ["/no/such/file", "{", b"\xff", "\0", 7, None, "[" * 100_000])
def test_hostile_tasks(task: Any) -> None:
    with pytest.raises(quantmap.ConfigError):
        quantmap.plan(task)


def test_limited() -> None:
    plan = quantmap.plan({**TASK, "optimization": {"max_iterations": 3}})
    assert (plan.limited, len(plan), plan.distinct, plan.asked) == (True, 3, 4, 24)
    assert len(list(plan)) == 3
    assert (plan.to_jsonl() or "").count('"index"') == 3
    with pytest.raises(IndexError):
        plan[3]


def test_unknown_keys_are_kept() -> None:
    plan = quantmap.plan({**TASK, "mine": {"a": 1}})
    assert [item.code for item in plan.diagnostics if item.severity == "warning"] == [
        "unknown-task-key"
    ]
    assert plan.to_dict()["task"]["mine"] == {"a": 1}


def test_pending_leaves_out_what_is_done(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    done = {plan[0].signature, plan[2].signature}
    assert [item.index for item in plan.pending(done)] == [1, 3]
    assert len(plan.pending(done)) == 2
    results = tmp_path / "results.jsonl"
    lines = [{"signature": plan[1].signature, "status": "failed"}]
    results.write_text(json.dumps(lines[0]) + '\n{"signature": "', encoding="utf-8")
    pending = plan.pending(results)
    assert [item.index for item in pending] == [0, 2, 3]
    assert [item.code for item in pending.diagnostics] == ["torn-line"]
    assert [item.index for item in plan.pending(results, rerun=("failed",))] == [0, 1, 2, 3]


@pytest.mark.parametrize("task", [TASK, YAML_TASK])
def test_json_lines_read_back(task: Any, tmp_path: Path) -> None:
    plan = quantmap.plan(task)
    path = tmp_path / "plan.jsonl"
    assert plan.to_jsonl(path) is None
    assert path.read_text(encoding="utf-8") == plan.to_jsonl()
    stored = quantmap.Plan.from_jsonl(path)
    names = ("index", "signature", "engine", "version", "args", "env", "files", "points", "configs")
    assert [[getattr(a, n) for n in names] for a in stored] == [
        [getattr(b, n) for n in names] for b in plan
    ]
    assert len(stored) == len(plan)
    assert stored[-1].shell("m") == plan[-1].shell("m")
    assert stored[0:2][1].signature == plan[1].signature
    assert stored.summary() == plan.summary()
    assert stored.same_catalog and stored.diagnostics == plan.diagnostics
    with pytest.raises(ValueError, match="plan its task again"):
        stored[0].explain()
    with pytest.raises(IndexError):
        stored[len(plan)]


def test_a_cut_off_plan_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    text = quantmap.plan(TASK).to_jsonl() or ""
    path.write_text(text[:-5], encoding="utf-8")
    stored = StoredPlan(path)
    assert len(stored) == 3
    assert stored.diagnostics[-1].code == "torn-plan"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}\n",
        "[]\n",
        '{"plan": {"format": 1}}\n',
        '{"plan": 1}',
        "nonsense\n",
        '{"plan": {"format": 99}}\n',
    ],
)
def test_what_is_no_plan(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(quantmap.ConfigError) as error:
        StoredPlan(path)
    assert error.value.diagnostics[0].code in ("not-a-plan", "invalid-json")


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "plan.jsonl"
    path.write_text("old", encoding="utf-8")

    def pieces() -> Any:
        yield b"new"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_file(pieces(), path)
    assert path.read_text(encoding="utf-8") == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["plan.jsonl"]


def test_csv() -> None:
    plan = quantmap.plan(TASK)
    rows = list(csv.DictReader(io.StringIO(plan.to_csv() or "")))
    assert [row["signature"] for row in rows] == [item.signature for item in plan]
    assert json.loads(rows[1]["args"]) == plan[1].args
    assert rows[1]["command"] == plan[1].shell(plan[1].model)
    assert [name for name in rows[0] if name in plan.axes] == plan.axes
    for row, one in zip(rows, plan):
        given = {**one.config, **one.parameters}
        assert {name: row[name] for name in plan.axes if row[name]} == {
            name: str(value) for name, value in given.items()
        }


def test_a_file_that_a_parameter_replaces_is_not_written() -> None:
    plan = quantmap.plan(YAML_TASK)
    assert [len(item.files) for item in plan] == [0, 0, 1]
    assert plan.asked == 4 and plan.distinct == 3


def test_an_opposite_spelling_is_another_flag() -> None:
    task = {
        "base_runtime": "vllm@0.11.0",
        "parameters": {
            "no-enable-prefix-caching": [True, None],
            "enable-prefix-caching": [None, True],
        },
    }
    args = [
        sorted(set(item.args) - {"--dtype", "--kv-cache-dtype"}) for item in quantmap.plan(task)
    ]
    assert args == [
        ["--no-enable-prefix-caching"],
        ["--enable-prefix-caching", "--no-enable-prefix-caching"],
        [],
        ["--enable-prefix-caching"],
    ]
    for name in ("no-enable-prefix-caching", "no_enable_prefix_caching"):
        found = quantmap.get_runtime_args("vllm", None, {name: True}, engine_version="0.11.0")
        assert found["--no-enable-prefix-caching"] is True
        assert "--enable-prefix-caching" not in found


def test_signatures_are_the_same_everywhere() -> None:
    """Pinned: a change here breaks every ledger, and needs a new signature version."""
    plan = quantmap.plan({"base_runtime": "vllm", "model": "m", "parameters": {"x": 1}})
    assert plan[0].signature == SIGNATURE


def computed() -> str:
    """The signature of that launch by the documented formula."""
    import hashlib

    members = [
        ["plan", 1, "vllm", "documented", {"id": "m", "revision": None}, None, None],
        ["arg", "--dtype", "auto"],
        ["arg", "--kv-cache-dtype", "auto"],
        ["arg", "--x", "1"],
    ]
    total = 0
    for member in members:
        text = json.dumps(member, separators=(",", ":")).encode()
        total += int.from_bytes(hashlib.sha256(text).digest()[:16], "big")
    return f"{total % 2**128:032x}"


SIGNATURE = computed()


def test_the_last_of_many_axes_is_found_at_once() -> None:
    """Finding an experiment takes time linear in the axes: 20,000 took 15 s."""
    axes = {f"p{i}": 1 for i in range(20_000)} | {"seed": [1, 2, 3]}
    planned = quantmap.plan({"base_runtime": "vllm", "parameters": axes})
    assert len(planned) == 3
    begin = time.process_time()
    found = [planned[2].args["--seed"], planned[0].args["--seed"], planned[1].args["--p19999"]]
    assert found == ["3", "1", "1"]
    assert time.process_time() - begin < 2


def distinct(release: str, parameters: dict[str, Any], **more: Any) -> tuple[int, int, int]:
    """What a plan counts: distinct launches, merged points, skipped points."""
    plan = quantmap.plan({"base_runtime": release, "parameters": parameters}, **more)
    assert plan.asked == plan.distinct + plan.merged + plan.skipped
    return plan.distinct, plan.merged, plan.skipped


def test_a_written_default_is_a_launch_of_its_own_only_beside_a_config_file() -> None:
    default = {"gpu-memory-utilization": [None, 0.9]}
    assert distinct("vllm@0.13.0", {"config": ["a.yaml"], **default}) == (2, 0, 0)
    assert distinct("vllm@0.13.0", {"config": [None], **default}) == (1, 1, 0)
    assert distinct("vllm@0.13.0", default) == (1, 1, 0)


def test_a_refused_value_that_another_spelling_replaces_refuses_nothing() -> None:
    """Of two spellings of a flag the later one is what is passed on."""
    values = {"max-num-seqs": ["x", 2]}
    strict = {"policy": "strict"}
    assert distinct("vllm@0.13.0", {**values, "max_num_seqs": [4, 8]}, **strict) == (2, 2, 0)
    assert distinct("vllm@0.13.0", {**values, "max_num_seqs": [None, 4]}, **strict) == (2, 1, 1)


def test_strict_refuses_no_value_for_what_another_parameter_beside_it_says() -> None:
    """bitsandbytes needs its loader, and each is refused without the other."""
    both = {"quantization": ["bitsandbytes"], "load-format": ["bitsandbytes"]}
    assert distinct("vllm@0.8.3", both, policy="strict") == (1, 0, 0)


def test_a_size_that_means_none_is_not_passed_on() -> None:
    sizes = {"tp": [1, 2], "pp": 1}
    plan = quantmap.plan({"base_runtime": "vllm@0.13.0", "parallel_config": sizes})
    flags = [set(one.args) - {"--dtype", "--kv-cache-dtype"} for one in plan]
    assert flags == [set(), {"--tensor-parallel-size"}]
