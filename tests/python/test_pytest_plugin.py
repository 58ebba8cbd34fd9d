"""Experiments as pytest items: what is run, what is written, and what a killed run leaves."""

from __future__ import annotations

import json
import os
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import quantmap
from quantmap.ledger import Ledger

pytest_plugins = ["pytester"]

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "experiments.md"
TASK = {
    "base_runtime": "vllm@0.11.0",
    "model": "org/model",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"max-num-seqs": [64, 128]},
}
MEASURE = """
import pytest
@pytest.mark.quantmap("task.json")
def test_run(experiment, record_metrics):
    record_metrics(throughput=int(experiment.args["--max-num-seqs"]), ttft_ms=120)
"""


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with a task, in which pytest is run with the plugin."""
    monkeypatch.setenv("PYTHONPATH", str(Path(quantmap.__file__).parents[1]))
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p pytest_quantmap")
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    pytester.makefile(".json", task=json.dumps(TASK))
    return pytester


def lines(
    pytester: pytest.Pytester, name: str = "task.json.ledger.jsonl"
) -> list[dict[str, object]]:
    return [json.loads(line) for line in (pytester.path / name).read_text().splitlines()]


def test_each_experiment_is_an_item_named_by_what_differs(inner: pytest.Pytester) -> None:
    inner.makepyfile(MEASURE)
    result = inner.runpytest_subprocess("--collect-only", "-q")
    names = re.findall(r"\[(\w{8})-(.*)\]", result.stdout.str())
    assert [name for _, name in names] == [
        f"kv-cache-dtype:{dtype}+max-num-seqs:{number}"
        for dtype in ("auto", "fp8")
        for number in (64, 128)
    ]
    planned = quantmap.plan(TASK)
    assert [signature for signature, _ in names] == [one.signature[:8] for one in planned]
    result = inner.runpytest_subprocess("-k", "kv-cache-dtype:fp8 and not 128")
    result.assert_outcomes(passed=1, deselected=3)


def test_measurements_go_to_the_ledger_with_their_units(inner: pytest.Pytester) -> None:
    inner.makepyfile(MEASURE)
    result = inner.runpytest_subprocess()
    result.assert_outcomes(passed=4)
    written = lines(inner)
    assert [line["status"] for line in written] == ["running", "benchmarking", "success"] * 4
    assert written[1]["metrics"] == {"throughput [tok/s]": 64.0, "ttft [s]": 0.12}
    assert written[0]["launch"] == quantmap.plan(TASK)[0].shell()
    result.stdout.fnmatch_lines(
        ["4 experiments: 4 measured, 0 to run*", "best *throughput 128 tok/s*"]
    )


@pytest.mark.parametrize("metrics", ["ttft=(1, 'GB')", "mine=(1, 'bushel')", "x='fast'", "x=1/0"])
def test_a_wrong_measurement_fails_the_experiment(inner: pytest.Pytester, metrics: str) -> None:
    inner.makepyfile(
        MEASURE.replace("throughput=int(experiment.args[", f"{metrics}, y=int(experiment.args[")
    )
    inner.runpytest_subprocess("-x").assert_outcomes(failed=1)
    assert [line["status"] for line in lines(inner)] == ["running", "failed"]


def test_what_succeeded_is_not_run_again_and_what_failed_is(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        MEASURE + "    assert experiment.args['--kv-cache-dtype'] == 'auto', 'out of memory'\n"
    )
    inner.runpytest_subprocess().assert_outcomes(passed=2, failed=2)
    result = inner.runpytest_subprocess()
    result.assert_outcomes(failed=2, deselected=2)
    result.stdout.fnmatch_lines(
        ["4 experiments: 2 measured, 2 failed, 0 to run*", "failed   2x  Assert*out of memory"]
    )
    assert lines(inner)[-1]["reason"] == "AssertionError: out of memory"
    assert lines(inner)[-1]["phase"] == "call"
    inner.makepyfile(MEASURE)
    inner.runpytest_subprocess("--lf").assert_outcomes(passed=2)
    inner.runpytest_subprocess().assert_outcomes(deselected=4)
    inner.runpytest_subprocess("--quantmap-rerun", "failed").assert_outcomes(deselected=4)
    inner.runpytest_subprocess("--quantmap-rerun", "all").assert_outcomes(passed=4)
    results = quantmap.plan(TASK).results(inner.path / "task.json.ledger.jsonl")
    assert results.rows[0].metrics["ttft"].count == 2  # a repetition
    assert results.rows[2].metrics["ttft"].count == 2  # what a failed run measured does not count


def test_rerun_failed_runs_nothing_else(inner: pytest.Pytester) -> None:
    inner.makepyfile(MEASURE)
    planned = quantmap.plan(TASK)
    ledger = Ledger(inner.path / "task.json.ledger.jsonl")
    ledger.record(planned[1].signature, "failed", reason="by another program")
    inner.runpytest_subprocess("--quantmap-rerun=failed").assert_outcomes(passed=1, deselected=3)


def test_a_killed_run_goes_on_where_it_stopped(inner: pytest.Pytester) -> None:
    kill = "import os, signal\n" + MEASURE
    kill += "    if not os.path.exists('again') and experiment.index == 2:\n"
    kill += "        os.kill(os.getpid(), signal.SIGKILL)\n"
    inner.makepyfile(kill)
    assert inner.runpytest_subprocess().ret == -9
    assert [line["status"] for line in lines(inner)][-2:] == ["running", "benchmarking"]
    (inner.path / "again").touch()
    inner.runpytest_subprocess().assert_outcomes(passed=2, deselected=2)
    results = quantmap.plan(TASK).results(inner.path / "task.json.ledger.jsonl")
    assert [row.metrics["throughput"].count for row in results.rows] == [1, 1, 1, 1]


def test_four_workers_share_one_ledger(inner: pytest.Pytester) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": list(range(1, 31))}}
    (inner.path / "task.json").write_text(json.dumps(task))
    inner.makepyfile(MEASURE + "    assert experiment.index != 7\n")
    result = inner.runpytest_subprocess("-n", "4")
    result.assert_outcomes(passed=59, failed=1)
    counts = Counter(line["signature"] for line in lines(inner))
    assert len(counts) == 60 and set(counts.values()) == {3}
    assert len({line["worker"] for line in lines(inner)}) > 1
    result.stdout.fnmatch_lines(["60 experiments: 59 measured, 1 failed, 0 to run*"])
    inner.runpytest_subprocess("-n", "4").assert_outcomes(failed=1)


def test_a_worker_that_dies_is_replaced_and_nothing_runs_twice(inner: pytest.Pytester) -> None:
    inner.makepyfile("import os\n" + MEASURE + "    if experiment.index == 2: os._exit(9)\n")
    result = inner.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=3, failed=1)
    assert Counter(line["status"] for line in lines(inner))["success"] == 3
    result.stdout.fnmatch_lines(["4 experiments: 3 measured, 1 unfinished, 0 to run*"])


def test_shards_are_disjoint_and_whole(inner: pytest.Pytester) -> None:
    inner.makepyfile(MEASURE)
    for part in (1, 2, 3):
        inner.runpytest_subprocess(
            f"--quantmap-shard={part}/3", f"--quantmap-ledger=part{part}.jsonl"
        )
    found = [path for path in inner.path.glob("part*.jsonl")]
    run = [line["signature"] for path in found for line in lines(inner, path.name)]
    assert Counter(run) == {one.signature: 3 for one in quantmap.plan(TASK)}
    assert quantmap.plan(TASK).results(found).count("success") == 4
    for wrong in ("0/3", "4/3", "x", "1"):
        result = inner.runpytest_subprocess(f"--quantmap-shard={wrong}")
        result.stderr.fnmatch_lines(["*write the part and their number, as 1/4*"])


def test_what_cannot_start_is_skipped_with_the_reason(inner: pytest.Pytester) -> None:
    task = {**TASK, "quant_config": {"kvcache_dtype": ["auto", "nope"]}}
    task["parameters"] = {"max-num-seqs": [64, "many"]}
    (inner.path / "task.json").write_text(json.dumps(task))
    inner.makepyfile(MEASURE)
    result = inner.runpytest_subprocess("-rs")
    result.assert_outcomes(passed=1, skipped=2)
    result.stdout.fnmatch_lines_random(
        ["SKIPPED*'nope' is not a value of kvcache_dtype*2 combinations", "SKIPPED*max-num-seqs*"]
    )


def test_what_does_not_fit_is_skipped_when_model_and_gpu_are_given(inner: pytest.Pytester) -> None:
    shape = {
        "model_type": "llama",
        "num_hidden_layers": 80,
        "hidden_size": 8192,
        "intermediate_size": 28672,
        "num_attention_heads": 64,
        "num_key_value_heads": 8,
        "vocab_size": 128256,
        "max_position_embeddings": 8192,
        "torch_dtype": "bfloat16",
    }
    (inner.path / "config.json").write_text(json.dumps(shape))
    task = {**TASK, "parameters": {"max-num-seqs": [64], "tensor-parallel-size": [1, 16]}}
    (inner.path / "task.json").write_text(json.dumps(task))
    inner.makepyfile(MEASURE)
    given = ["-rs", "--quantmap-gpu=L4", "--quantmap-checkpoint=config.json"]
    result = inner.runpytest_subprocess(*given)
    result.assert_outcomes(passed=2, skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED*does not fit: * GB of weights*"])
    assert len(lines(inner)) == 6  # nothing of what was skipped


def test_several_tests_of_one_experiment_fail_together(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        MEASURE + "    assert experiment.index\n" + MEASURE.replace("test_run", "test_two")
    )
    inner.runpytest_subprocess().assert_outcomes(passed=7, failed=1)
    ledger = inner.path / "task.json.ledger.jsonl"
    assert quantmap.plan(TASK).results(ledger).count("failed") == 1
    inner.runpytest_subprocess().assert_outcomes(failed=1, deselected=7)


def test_the_option_serves_tests_without_a_marker(inner: pytest.Pytester) -> None:
    inner.makepyfile("def test_run(experiment): assert experiment.model == 'org/model'")
    inner.runpytest_subprocess("--quantmap-task=task.json").assert_outcomes(passed=4)
    result = inner.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*Give --quantmap-task FILE*"])
    result = inner.runpytest_subprocess("--quantmap-task=gone.json")
    result.stdout.fnmatch_lines(["*gone.json*cannot be read*"])


def test_a_fixture_of_the_same_name_is_left_alone(inner: pytest.Pytester) -> None:
    inner.makepyfile(
        "import pytest\n@pytest.fixture\ndef experiment(): return 1\n"
        "def test_x(experiment): assert experiment == 1\n"
    )
    inner.runpytest_subprocess("--quantmap-task=task.json").assert_outcomes(passed=1)


def test_a_run_without_experiments_does_not_import_quantmap(inner: pytest.Pytester) -> None:
    inner.makepyfile("import sys\ndef test_x(): assert 'quantmap' not in sys.modules\n")
    inner.runpytest_subprocess("-n", "1").assert_outcomes(passed=1)
    inner.runpytest_subprocess().assert_outcomes(passed=1)


def test_collecting_a_thousand_experiments_is_cheap(inner: pytest.Pytester) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": list(range(1, 501))}}
    (inner.path / "task.json").write_text(json.dumps(task))
    inner.makepyfile(
        test_ours=MEASURE,
        test_plain="import pytest\n"
        "@pytest.mark.parametrize('x', range(1000))\ndef test_x(x): pass\n",
    )

    def processor() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    def seconds(name: str) -> float:
        began = processor()
        result = inner.runpytest_subprocess("--collect-only", "-qq", name)
        assert result.outlines[0] == f"{name}: 1000"
        return processor() - began

    extra = min(seconds("test_ours.py") - seconds("test_plain.py") for _ in range(3))
    assert extra < 1.0


@pytest.fixture
def recipe(inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """The three files of docs/experiments.md, with a stand-in for the engine's command."""
    page = DOCS.read_text(encoding="utf-8")
    (task,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    conftest, test = re.findall(r"```py\n(.*?)```", page, re.DOTALL)
    (inner.path / "task.json").write_text(task)
    inner.makeconftest(conftest)
    inner.makepyfile(test_serving=test)
    command = inner.path / "bin" / quantmap.plan(json.loads(task))[0].argv("m")[0]
    command.parent.mkdir()
    command.write_text(
        f"#!/bin/sh\necho $$ >> {inner.path}/servers\n"
        f'exec {sys.executable} {HERE / "fake_engine.py"} "$@"\n'
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    return inner


def servers_alive(inner: pytest.Pytester) -> list[int]:
    """The stand-ins that still run."""
    alive = []
    for pid in map(int, (inner.path / "servers").read_text().split()):
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] not in "ZX":
            alive.append(pid)
    return alive


def test_the_page_s_recipe_runs(recipe: pytest.Pytester) -> None:
    result = recipe.runpytest_subprocess("-n", "2")
    result.assert_outcomes(passed=3, errors=1)
    failed = [line for line in lines(recipe) if line["status"] == "failed"]
    assert [line["phase"] for line in failed] == ["setup"]
    assert "CUDA out of memory" in str(failed[0]["reason"])
    result.stdout.fnmatch_lines(["4 experiments: 3 measured, 1 failed, 0 to run*", "best *tok/s*"])
    assert not servers_alive(recipe)
    (shown,) = re.findall(r"`test_serving\[(\w+)-", DOCS.read_text(encoding="utf-8"))
    assert shown in {str(line["signature"])[:8] for line in lines(recipe)}


@pytest.mark.skipif(sys.platform != "linux", reason="a parent's death is told by Linux only")
def test_kill_9_takes_the_server_along_and_the_next_run_goes_on(recipe: pytest.Pytester) -> None:
    test = recipe.path / "test_serving.py"
    text = test.read_text()
    kill = "    record_metrics(throughput=1)\n    import os; os.kill(os.getpid(), 9)\n"
    test.write_text(
        text.rstrip()
        + "\n    if experiment.index == 1:\n    "
        + kill.replace("\n    ", "\n        ")
    )
    assert recipe.runpytest_subprocess().ret == -9
    until = time.monotonic() + 20
    while servers_alive(recipe) and time.monotonic() < until:
        time.sleep(0.05)
    assert len((recipe.path / "servers").read_text().split()) == 2 and not servers_alive(recipe)
    test.write_text(text)
    recipe.runpytest_subprocess().assert_outcomes(passed=2, errors=1, deselected=1)
    results = quantmap.plan(recipe.path / "task.json").results(
        recipe.path / "task.json.ledger.jsonl"
    )
    assert [row.status for row in results.rows] == ["success", "success", "success", "failed"]
    assert results.rows[1].metrics["throughput"].count == 1  # nothing of the killed run
