"""What came of a plan: scores as the task writes them, the front, effects, failures, tables."""

from __future__ import annotations

import itertools
import json
import math
import random
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.ledger import Ledger
from quantmap.results.metrics import metric, read_metrics
from quantmap.results.records import read_records
from quantmap.results.scoring import read_goal

TASK: dict[str, Any] = {
    "task_name": "which <b>cache</b>",
    "base_runtime": "vllm@0.11.0",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"], "attention_dtype": ["auto", "bfloat16"]},
    "parameters": {"max-num-seqs": [64, 128]},
    "optimization": {"objective": "maximize_throughput"},
    "slo": {"ttft": {"threshold": 1.0, "weight": 2.0}},
}


def write(path: Path, lines: list[tuple[str, float, float]]) -> Path:
    ledger = Ledger(path)
    for signature, tokens, seconds in lines:
        metrics = {"throughput [tok/s]": tokens, "ttft [s]": seconds}
        ledger.record(signature, "success", metrics=metrics)
    return path


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({"ttft_ms": 120}, {"ttft [s]": 0.12}),
        ({"ttft [us]": 120}, {"ttft [s]": 0.00012}),
        ({"latency_p99_s": 3}, {"latency_p99 [s]": 3.0}),
        ({"memory": (2, "GiB")}, {"memory_usage [GB]": 2.147483648}),
        ({"median_watts": (300, "watts")}, {"median_watts [W]": 300.0}),
        ({"e2el_median_ms": 5}, {"latency_p50 [s]": 0.005}),
        ({"output_throughput": 7}, {"throughput [tok/s]": 7.0}),
        ({"goals": 7}, {"goals": 7.0}),
    ],
)
def test_units(written: dict[str, Any], kept: dict[str, float]) -> None:
    assert read_metrics(written) == kept
    again = {key: value for key, value in kept.items()}
    assert read_metrics(again) == kept  # what was written is read as it is


@pytest.mark.parametrize(
    "wrong",
    [{"ttft": (1, "GB")}, {"x": (1, "bushel")}, {"x": float("nan")}, {"x": True}, {"": 1},
     {"ttft": 1, "ttft_ms": 2}, {"a\nb": 1}, {"x": 10**400}],
)  # fmt: skip
def test_wrong_metrics(wrong: dict[str, Any]) -> None:
    with pytest.raises(quantmap.ConfigError):
        read_metrics(wrong)


def test_every_unit_is_kept_in_one_of_its_kind() -> None:
    assert metric("x [ms]").unit == metric("x [h]").unit == "s"
    assert metric("x [h]").factor == 3600


@pytest.mark.parametrize(
    ("slo", "measured", "penalty", "admissible"),
    [
        ({"ttft": {"threshold": 1.0, "weight": 2.0}}, {"ttft": 0.9}, 0.0, True),
        ({"ttft": {"threshold": 1.0, "weight": 2.0}}, {"ttft": 1.1}, 2 * math.exp(1), True),
        (
            {"ttft": {"threshold": 1.0, "weight": 2.0}, "steepness": 0.2},
            {"ttft": 1.1},
            2 * math.exp(0.5),
            True,
        ),
        (
            {"latency": {"p50": {"threshold": 2.0}, "p99": {"threshold": 5.0, "weight": 3}}},
            {"latency_p50": 2.2, "latency_p99": 5.0},
            math.exp(1),
            True,
        ),
        ({"ttft": {"threshold": 1, "hard_fail": True, "fail_ratio": 0.2}}, {"ttft": 1.3}, 0, False),
        (
            {"ttft": {"threshold": 1, "hard_fail": True, "fail_ratio": 0.2}},
            {"ttft": 1.1},
            math.exp(1),
            True,
        ),
    ],
)
def test_slo_is_scored_as_the_task_writes_it(
    slo: dict[str, Any], measured: dict[str, float], penalty: float, admissible: bool
) -> None:
    for objective, sign in (("maximize_throughput", -1), ("minimize_tpot", 1)):
        goal = read_goal({"optimization": {"objective": objective}, "slo": slo})
        score = goal.score({goal.metric: 200.0, **measured})
        assert score.value == pytest.approx(200.0 + sign * penalty * 200.0)
        assert score.admissible is admissible


def test_constraints_have_to_be_kept() -> None:
    constraints = {"ttft": {"max": 1.0, "weight": 2.0}, "memory": {"max_gb": 24}}
    goal = read_goal({"slo_constraints": {**constraints, "throughput": {"min": 100}}})
    good = {"throughput": 100.0, "ttft": 1.0, "memory_usage": 24.0}
    assert goal.score(good).admissible and not goal.score(good).broken
    for name, value in (("ttft", 1.01), ("memory_usage", 24.1), ("throughput", 99.0)):
        score = goal.score({**good, name: value})
        assert not score.admissible and [limit.metric for limit, _ in score.broken] == [name]
    assert goal.score({"throughput": 100.0}).unjudged == ["ttft", "memory_usage"]


@pytest.mark.parametrize(
    ("task", "path"),
    [
        ({"slo": []}, "$.slo"),
        ({"slo": {"ttft": {"treshold": 1}}}, "$.slo.ttft.treshold"),
        ({"slo": {"ttft": {"threshold": "fast"}}}, "$.slo.ttft.threshold"),
        ({"slo": {"steepness": 0}}, "$.slo.steepness"),
        ({"slo_constraints": {"ttft": {"max_gb": 1}}}, "metrics.ttft"),
        ({"optimization": {"objective": "be_good"}}, "$.optimization.objective"),
        ({"optimization": {"objective": 3}}, "$.optimization.objective"),
    ],
)
def test_a_wrong_goal_is_an_error(task: dict[str, Any], path: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        read_goal(task)
    assert caught.value.diagnostics[0].path == path


def test_best_front_and_effects(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    assert (plan.asked, plan.distinct) == (8, 4)  # attention has no argument here
    measured = [(2000.0, 0.4), (2500.0, 0.7), (2400.0, 0.4), (3100.0, 1.3)]
    lines = [(one.signature, *values) for one, values in zip(plan, measured)]
    results = plan.results(write(tmp_path / "a.jsonl", lines))
    best = results.best()
    assert best is not None and best.index == 1  # the fourth breaks its limit
    assert [row.index for row in results.ranked()] == [1, 2, 0, 3]
    assert [row.index for row in results.front()] == [3, 1, 2]
    found = {(e.part, e.before, e.after): (round(e.change, 4), e.pairs) for e in results.effects()}
    assert found == {
        ("kvcache_dtype", "auto", "fp8"): (round((2400 / 2000 + 3100 / 2500) / 2 - 1, 4), 2),
        ("max-num-seqs", "64", "128"): (round((2500 / 2000 + 3100 / 2400) / 2 - 1, 4), 2),
    }
    assert all(effect.clear is None for effect in results.effects())  # nothing was repeated
    assert [effect.metric for effect in results.effects("ttft")] == ["ttft", "ttft"]


def test_repeats_give_a_spread_and_tell_noise(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    lines = [(one.signature, 1000.0 + one.index + i * 50, 0.1) for one in plan for i in range(3)]
    results = plan.results(write(tmp_path / "a.jsonl", lines))
    assert results.rows[0].metrics["throughput"].count == 3
    assert results.rows[0].metrics["throughput"].spread == pytest.approx(100 / 1050)
    assert [effect.clear for effect in results.effects()] == [False, False]
    assert results.effects("ttft")[0].noise == 0.0


def test_the_front_is_what_nothing_beats(tmp_path: Path) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": list(range(1, 41))}}
    plan = quantmap.plan(task)
    rng = random.Random(7)
    lines = [(one.signature, rng.randrange(20) + 1.0, rng.randrange(20) + 1.0) for one in plan]
    results = plan.results(write(tmp_path / "a.jsonl", lines))
    points = {row.index: (lines[row.index][1], lines[row.index][2]) for row in results.rows}
    unbeaten = {
        index
        for index, (tokens, seconds) in points.items()
        if not any(
            t >= tokens and s <= seconds and (t, s) != (tokens, seconds) for t, s in points.values()
        )
    }
    task_free = {key: value for key, value in task.items() if key != "slo"}
    free = quantmap.plan(task_free).results(tmp_path / "a.jsonl")
    assert {row.index for row in free.front("throughput", "ttft")} == unbeaten


def test_effects_equal_a_slow_count(tmp_path: Path) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": [1, 2, 3], "block-size": [16, 32]}}
    plan = quantmap.plan(task)
    rng = random.Random(5)
    some = [one for one in plan if rng.random() < 0.8]
    lines = [(one.signature, rng.random() + 1, 0.1) for one in some]
    results = plan.results(write(tmp_path / "a.jsonl", lines))
    tokens = {one.index: value for one, (_, value, _) in zip(some, lines)}
    for effect in results.effects():
        if effect.part not in plan[0].parameters:
            continue
        changes = [
            tokens[b.index] / tokens[a.index] - 1
            for a, b in itertools.permutations(some, 2)
            if str(a.parameters[effect.part]) == effect.before
            and str(b.parameters[effect.part]) == effect.after
            and a.config == b.config
            and all(a.parameters[k] == b.parameters[k] for k in a.parameters if k != effect.part)
        ]
        assert effect.pairs == len(changes)
        assert effect.change == pytest.approx(sum(changes) / len(changes))


def test_many_values_are_compared_with_the_first_and_the_one_before(tmp_path: Path) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": list(range(1, 501))}}
    plan = quantmap.plan(task)
    lines = [(one.signature, 100.0 + one.parameters["max-num-seqs"], 0.1) for one in plan]
    results = plan.results(write(tmp_path / "a.jsonl", lines))
    found = results.effects(parts=["max-num-seqs"])
    told = {(int(one.before), int(one.after)): one for one in found}
    expected = {(1, after) for after in range(2, 501)} | {(n, n + 1) for n in range(1, 500)}
    assert told.keys() == expected
    assert told[7, 8].pairs == 2 and told[7, 8].change == pytest.approx(108 / 107 - 1)
    assert told[1, 500].change == pytest.approx(600 / 101 - 1)


def test_failures_are_grouped_and_strangers_counted(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    ledger = Ledger(tmp_path / "a.jsonl")
    for one, reason in zip(plan, ["out of memory: 20 MiB", "out of memory: 24 MiB", "", "x"]):
        ledger.record(one.signature, "failed", reason=reason)
    ledger.record("0" * 32, "success", throughput=5)
    results = plan.results(tmp_path / "a.jsonl")
    assert [(reason, len(rows)) for reason, rows in results.failures().items()] == [
        ("out of memory: 20 MiB", 2), ("no reason was recorded", 1), ("x", 1)
    ]  # fmt: skip
    assert results.strangers == ["0" * 32] and results.best() is None
    assert results.count("failed") == 4


def test_what_an_interrupted_or_failed_run_measured_does_not_count(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "a.jsonl")
    key = "1" * 32
    for status, value in [("running", 0), ("benchmarking", 1), ("failed", 0), ("running", 0),
                          ("benchmarking", 2), ("running", 0), ("benchmarking", 3),
                          ("benchmarking", 4), ("success", 0)]:  # fmt: skip
        more: dict[str, Any] = {"metrics": {"ttft": value}} if value else {}
        ledger.record(key, status, **more)
    assert read_records([ledger.path]).by_signature[key].values == {"ttft": [3.0, 4.0]}


def test_odd_lines_are_told_and_the_others_count(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    good = json.dumps({"signature": "2" * 32, "status": "SUCCESS", "ttft": 0.5, "time": 17e8})
    odd = ["{", "[]", '{"signature":"2","status":"ok"}', '{"signature":["x"],"status":{}}', "",
           '{"signature":"%s","status":"ok","metrics":{"ttft [GB]":1,"x [s]":NaN}}' % ("3" * 32),
           '{"signature":"%s","status":"ok","metrics":{"ttft [GB]":1,"x [s]":2}}' % ("4" * 32),
           ]  # fmt: skip
    path.write_text("\n".join([good, *odd, good]) + "\n" + good[:20])
    records = read_records([path, tmp_path / "gone"])
    assert records.by_signature["2" * 32].values == {"ttft": [0.5, 0.5]}
    assert records.by_signature["4" * 32].values == {"x": [2.0]}
    assert records.missing == [str(tmp_path / "gone")]
    codes = [item.code for item in records.diagnostics]
    assert codes.count("unreadable-line") == 5 and "torn-line" in codes and "wrong-type" in codes


def test_reading_in_batches_equals_reading_line_by_line(tmp_path: Path) -> None:
    rng = random.Random(3)
    lines = []
    for number in range(3000):
        status = rng.choice(["success", "failed", "running", "benchmarking", "Done"])
        data: dict[str, Any] = {"signature": f"{rng.randrange(40):032x}", "status": status}
        if rng.random() < 0.5:
            data["metrics"] = {"ttft [ms]": number}
        lines.append(json.dumps(data) if rng.random() < 0.99 else "{broken")
    (tmp_path / "a.jsonl").write_text("\n".join(lines) + "\n")
    (tmp_path / "b.jsonl").write_text("\n \n".join(lines) + "\n")  # no batch without an odd line
    one, two = (read_records([tmp_path / name]) for name in ("a.jsonl", "b.jsonl"))
    assert {k: (r.status, r.values) for k, r in one.by_signature.items()} == {
        k: (r.status, r.values) for k, r in two.by_signature.items()
    }


def test_rows_frames_and_stored_plans(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    path = write(
        tmp_path / "a.jsonl", [(plan[0].signature, 5.0, 0.1), (plan[2].signature, 6.0, 0.1)]
    )
    rows = plan.results(path).to_rows()
    assert rows[0]["throughput [tok/s]"] == 5.0 and rows[1]["status"] == "not-run"
    assert rows[0]["points"] == 2 and rows[0]["kv-cache-dtype"] == "auto"
    plan.to_jsonl(tmp_path / "plan.jsonl")
    stored = quantmap.Plan.from_jsonl(tmp_path / "plan.jsonl")
    again = stored.results(path)
    assert [row["label"] for row in again.to_rows()] == [row["label"] for row in rows]
    assert [effect.part for effect in again.effects()] == ["kv-cache-dtype"]
    pandas = pytest.importorskip("pandas")
    frame = plan.results(path).to_pandas()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == 4
    assert list(plan.to_pandas()["max-num-seqs"]) == ["64", "128", "64", "128"]


def test_measured_stands_beside_expected(tmp_path: Path) -> None:
    shape = Path(__file__).resolve().parents[2] / "examples" / "llama_3_70b.json"
    model = json.loads(shape.read_text(encoding="utf-8"))
    task = {**TASK, "parameters": {"tensor-parallel-size": [4, 8]}}
    plan = quantmap.plan(task, gpu="H100", checkpoint=model)
    ledger = Ledger(tmp_path / "a.jsonl")
    for one in plan:
        ledger.record(one.signature, "success", metrics={"throughput": 9, "memory [GB]": 70})
    results = plan.results(ledger.path)
    data = results.to_dict()
    for row, told, flat in zip(results.rows, data["rows"], results.to_rows()):
        size = row.experiment.parameters["tensor-parallel-size"]
        config = row.experiment.config
        fit = quantmap.estimate(model, config, engine="vllm@0.11.0", gpu="H100", tp=size)
        held = (fit.weight_bytes + fit.kv_budget_bytes + fit.activation_bytes) / 1e9
        assert told["expected"] == {"memory_usage": pytest.approx(held)}
        assert flat["memory_usage [GB] expected"] == pytest.approx(held)
        assert told["precision"] == row.experiment.explain().precision
    assert {row["precision"]["kv"] for row in data["rows"]} > {"FP8 e4m3 storage"}
    assert data["limits"][0]["metric"] == "ttft" and data["limits"][0]["bound"] == 1.0
    bare = quantmap.plan(task).results(ledger.path)  # another ground: nothing is expected
    assert all(row["expected"] == {} for row in bare.to_dict()["rows"])
    plan.to_jsonl(tmp_path / "plan.jsonl")
    stored = quantmap.Plan.from_jsonl(tmp_path / "plan.jsonl").results(ledger.path)
    assert all(row["precision"] == {} for row in stored.to_dict()["rows"])
