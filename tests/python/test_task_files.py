"""Task files of the autotuner: sizes, structured parameters, its own keys; nothing is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import integration

PACKAGE = str(Path(quantmap.__file__).parents[1])


def planned(**more: Any) -> quantmap.Plan:
    """A plan for SGLang."""
    return quantmap.plan({"base_runtime": "sglang", **more})


def sizes(plan: quantmap.Plan) -> list[tuple[Any, Any]]:
    """Tensor and data parallel size of each experiment."""
    return [(one.args.get("--tp-size"), one.args.get("--dp-size")) for one in plan]


def problem(**more: Any) -> tuple[str, str]:
    """Code and path of the one problem of a task."""
    with pytest.raises(quantmap.ConfigError) as caught:
        planned(**more)
    (told,) = caught.value.diagnostics
    return told.code, told.path


def test_parallel_sizes_are_axes() -> None:
    plan = planned(
        parallel_config={"tp": [2, 4], "dp": [1, 2]}, parameters={"mem-fraction-static": [0.85]}
    )
    assert plan.asked == plan.distinct == 4 and plan.diagnostics == []
    assert sizes(plan) == [("2", None), ("2", "2"), ("4", None), ("4", "2")]
    assert all(one.args["--mem-fraction-static"] == "0.85" for one in plan)


def test_each_engine_has_its_own_names() -> None:
    task = {"parallel_config": {"tp": 2, "pp": 2}}
    engines = ["vllm", "sglang", "tensorrt_llm"]
    plan = quantmap.plan(task, engines=engines)
    assert [one.argv()[-4:] for one in plan] == [
        ["--tensor-parallel-size", "2", "--pipeline-parallel-size", "2"],
        ["--tp-size", "2", "--pp-size", "2"],
        ["--tp_size", "2", "--pp_size", "2"],
    ]


def test_a_preset_is_its_sizes_and_sizes_beside_it_win() -> None:
    assert sizes(planned(parallel_config={"preset": "balanced"})) == [("2", "4")]
    assert sizes(planned(parallel_config={"presets": ["balanced"], "dp": 2})) == [("2", "2")]
    vllm = quantmap.plan({"base_runtime": "vllm", "parallel_config": {"preset": "moe-optimized"}})
    assert vllm[0].args["--enable-expert-parallel"] is True
    assert vllm[0].args["--data-parallel-size"] == "8"


def test_the_tasks_own_parameter_wins_over_a_size() -> None:
    plan = planned(parallel_config={"tp": 4}, parameters={"tp-size": [8]})
    assert sizes(plan) == [("8", None)]


@pytest.mark.parametrize(
    ("config", "code", "path"),
    [
        ({"tq": 2}, "unknown-key", "$.parallel_config.tq"),
        ({"cp": 2}, "unknown-key", "$.parallel_config.cp"),
        (
            {"enable_expert_parallel": True},
            "unknown-key",
            "$.parallel_config.enable_expert_parallel",
        ),
        ({"preset": "balance"}, "unknown-preset", "$.parallel_config.preset"),
        ({"preset": 5}, "wrong-type", "$.parallel_config.preset"),
        ({"presets": ["balanced", "single-gpu"]}, "wrong-type", "$.parallel_config.presets"),
        ({"tp": []}, "empty-list", "$.parallel_config.tp"),
        ([], "wrong-type", "$.parallel_config"),
        ("tp", "wrong-type", "$.parallel_config"),
    ],
)
def test_a_size_that_no_flag_takes_is_told(config: Any, code: str, path: str) -> None:
    assert problem(parallel_config=config) == (code, path)


def test_a_size_that_says_nothing_needs_no_flag() -> None:
    config = {"tp": 1, "cp": 1, "enable_expert_parallel": False, "moe_ep": None}
    assert planned(parallel_config=config)[0].args == planned(parallel_config=None)[0].args


def test_structured_parameters() -> None:
    plan = planned(
        parameters={
            "tp-size": {"type": "choice", "values": [1, 2]},
            "schedule-policy": {"type": "categorical", "choices": ["lpm", "fcfs"]},
            "chunked-prefill-size": {"type": "integer", "low": 511, "high": 513},
        }
    )
    assert plan.asked == 12
    found = [one.args["--chunked-prefill-size"] for one in plan[:3]]
    assert found == ["511", "512", "513"]
    assert {one.args["--schedule-policy"] for one in plan} == {"lpm", "fcfs"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"type": "continuous", "low": 0.1, "high": 0.9}, "wrong-type"),
        ({"type": "integer", "low": 3, "high": 1}, "wrong-type"),
        ({"type": "integer", "low": 0.5, "high": 1}, "wrong-type"),
        ({"type": "integer", "low": 0, "high": 10**18}, "over-limit"),
        ({"type": "choice", "values": []}, "empty-list"),
    ],
)
def test_a_range_that_cannot_be_listed_is_told(value: Any, code: str) -> None:
    found, path = problem(parameters={"mem": value})
    assert (found, path.startswith("$.parameters.mem")) == (code, True)


def test_an_argument_with_a_type_of_its_own_stays() -> None:
    value = {"type": "dynamic", "factor": 2}
    assert planned(parameters={"rope-scaling": value})[0].args["--rope-scaling"] == json.dumps(
        value, separators=(",", ":")
    )


def test_a_wrong_value_of_a_choice_is_named_by_its_place() -> None:
    plan = planned(parameters={"mem": {"type": "choice", "values": [1, float("inf")]}})
    assert [skip.path for skip in plan.skips] == ["$.parameters.mem.values[1]"]


def test_the_autotuners_own_keys_are_silent_and_others_are_told() -> None:
    own = ("deployment_mode", "storage", "clusterbasemodel_config", "clusterservingruntime_config")
    assert planned(**{key: {} for key in own}).diagnostics == []
    (told,) = planned(paralel_config={}).diagnostics
    assert (told.code, told.hint) == ("unknown-task-key", "did you mean 'parallel_config'?")


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command."""
    return subprocess.run(
        [sys.executable, "-m", "quantmap", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_map_takes_what_plan_takes(tmp_path: Path) -> None:
    task = {
        "base_runtime": "sglang",
        "parallel_config": {"tp": [2, 4]},
        "parameters": {"seed": {"type": "choice", "values": [7]}},
        "whatever": 1,
    }
    (tmp_path / "t.json").write_text(json.dumps(task))
    done = run("map", "t.json", "--argv", cwd=tmp_path)
    words = json.loads(done.stdout)
    assert words[words.index("--tp-size") + 1] == "2" and words[words.index("--seed") + 1] == "7"
    assert "whatever" in done.stderr
    (tmp_path / "t.json").write_text(json.dumps({**task, "parallel_config": {"cp": 4}}))
    done = run("map", "t.json", "--argv", cwd=tmp_path)
    assert done.returncode == 2 and "$.parallel_config.cp" in done.stderr


MATRIX = [{"dimension": "kv_cache_dtype", "values": ["auto", "fp8"]}]


@pytest.mark.parametrize("verb", [("map",), ("explain",), ("diff", "0.5.2", "0.5.6")])
def test_every_verb_tells_what_it_does_not_read(verb: tuple[str, ...], tmp_path: Path) -> None:
    task: dict[str, Any] = {"base_runtime": "sglang", "quant_confg": {"gemm_dtype": "fp8"}}
    (tmp_path / "t.json").write_text(json.dumps(task))
    words = (*verb[1:], "t.json") if verb[0] == "diff" else ("t.json",)
    done = run(verb[0], *words, cwd=tmp_path)
    assert done.returncode == 0 and "did you mean 'quant_config'?" in done.stderr
    matrix = {"base_runtime": "sglang", "experiment_matrix": MATRIX}
    (tmp_path / "t.json").write_text(json.dumps(matrix))
    done = run(verb[0], *words, cwd=tmp_path)
    assert done.returncode == 2 and "$.experiment_matrix" in done.stderr
    assert "quantmap plan" in done.stderr


def test_python_tells_it_too(caplog: pytest.LogCaptureFixture) -> None:
    task = {"base_runtime": "vllm", "quant_confg": {}, "quant_config": {"preset": "default"}}
    assert len(integration.generate_experiment_configs(task)) == 1
    assert "'quant_confg' is not read" in caplog.text
    for call in (integration.generate_experiment_configs, quantmap.space):
        with pytest.raises(quantmap.ConfigError) as caught:
            call({"base_runtime": "vllm", "experiment_matrix": MATRIX})
        (told,) = caught.value.diagnostics
        assert (told.code, told.path) == ("list-of-values", "$.experiment_matrix")


def test_a_preset_that_is_not_known_is_named_by_its_place(tmp_path: Path) -> None:
    presets = ["default", "defualt"]
    for task, path in (
        ({"quant_config": {"presets": presets}}, "$.quant_config.presets[1]"),
        ({"quant_config": {"preset": "defualt"}}, "$.quant_config.preset"),
        ({"parameters": {"quantization_preset": presets}}, "$.parameters.quantization_preset[1]"),
    ):
        (tmp_path / "t.json").write_text(json.dumps({"base_runtime": "vllm", **task}))
        done = run("map", "t.json", cwd=tmp_path)
        assert done.returncode == 2 and f"{path}:" in done.stderr, done.stderr


def test_a_space_has_parallel_sizes() -> None:
    task = {"base_runtime": "sglang", "parallel_config": {"tp": [2, 4]}, "parameters": {"seed": 1}}
    space = quantmap.space(task)
    assert space.axes == {"tp-size": [2, 4], "seed": [1]}
    plan = quantmap.plan(task)
    assert {space.signature(point) for point in space.points()} == set(plan.iter_signatures())


def prepare(engine: str, **params: Any) -> dict[str, Any]:
    """What the autotuner's orchestrator asks for; q_ and p_ stand for its prefixes."""
    prefixes = {"q_": "__quant__", "p_": "__parallel__"}
    params = {prefixes.get(name[:2], name[:2]) + name[2:]: value for name, value in params.items()}
    return integration.prepare_runtime_parameters(engine, params, "org/model")


def test_sizes_of_a_grid_become_the_engines_parameters() -> None:
    assert prepare("sglang", p_tp=2, p_dp=1, mem=0.7) == {"tp-size": "2", "mem": 0.7}
    assert list(prepare("sglang", q_gemm_dtype="fp8", p_tp=2, mem=0.7)) == [
        "tp-size",
        "quantization",
        "dtype",
        "kv-cache-dtype",
        "mem",
    ]
    assert prepare("vllm", p_preset="long-context") == {
        "tensor-parallel-size": "4",
        "decode-context-parallel-size": "4",
    }
    assert prepare("vllm", p_enable_expert_parallel=True) == {"enable-expert-parallel": True}
    assert prepare("sglang", p_tp=4, tp_size=8) == {"tp_size": 8}


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"__other__x": 1}, "unknown-key"),
        ({"__parallel__cp": 2}, "unknown-key"),
        ({"__parallel__preset": "nothing"}, "unknown-preset"),
        ({"__parallel__tp": [1, 2]}, "list-of-values"),
    ],
)
def test_what_means_nothing_is_told(params: dict[str, Any], code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        integration.prepare_runtime_parameters("sglang", params, "org/model")
    assert caught.value.diagnostics[0].code == code


def test_a_clusters_runtime_has_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    params = {"__quant__kvcache_dtype": "fp8", "__parallel__tp": 2}
    with pytest.raises(quantmap.ConfigError, match="unknown engine"):
        integration.prepare_runtime_parameters("llama-rt", params, "org/model")
    monkeypatch.setitem(integration.ENGINE_OF, "llama-rt", "vllm")
    assert integration.prepare_runtime_parameters("llama-rt", params, "org/model") == {
        "tensor-parallel-size": "2",
        "dtype": "auto",
        "kv-cache-dtype": "fp8",
    }


def test_a_specification_without_other_parameters() -> None:
    config = {"gemm_dtype": ["auto", "fp8"], "kvcache_dtype": "auto"}
    spec = integration.expand_quant_config_to_parameter_spec(config)
    assert spec == {"__quant__gemm_dtype": ["auto", "fp8"], "__quant__kvcache_dtype": ["auto"]}
    assert integration.expand_quant_config_to_parameter_spec(None) == {}


def test_every_flag_of_the_table_is_one_that_a_release_has() -> None:
    """But for the sizes that TensorRT-LLM takes when an engine is built."""
    root = Path(__file__).resolve().parents[2] / "cpp" / "catalog"
    table = json.loads((root / "parallel.json").read_text(encoding="utf-8"))
    for engine in table["engines"]:
        keys = {field["key"] for field in engine["fields"]}
        assert len(keys) == len(engine["fields"])
        for preset in engine["presets"]:
            assert set(preset["sizes"]) <= keys, preset
        surface = root / "engines" / engine["engine"] / "surface.json"
        flags = json.loads(surface.read_text(encoding="utf-8"))["flags"]
        unknown = {field["flag"] for field in engine["fields"]} - set(flags)
        assert unknown <= {"--moe_tp_size"}, unknown


def test_the_loop_of_the_autotuner_runs_equal_launches_once() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))
    try:
        from planned_grid_strategy import PlannedGridStrategy
    finally:
        sys.path.pop(0)
    task = {
        "base_runtime": "vllm@0.11.0",
        "quant_config": {"kvcache_dtype": ["auto", "fp8", "fp8_e4m3", "bfloat16"]},
        "parameters": {"max-num-seqs": [64, 128]},
    }
    strategy = PlannedGridStrategy(task)
    launches = []
    while not strategy.should_stop():
        point = strategy.suggest_parameters()
        assert point is not None
        launches.append(integration.prepare_runtime_parameters("vllm@0.11.0", point, "org/model"))
        strategy.tell_result(point, 1.0, {"throughput": 1.0})
        if len(launches) == 2:  # a crash: what was told is kept
            strategy = PlannedGridStrategy.from_state(strategy.get_state())
    assert len(launches) == len(strategy.plan) < strategy.plan.asked == 8
    assert len({json.dumps(launch) for launch in launches}) == len(launches)
    assert strategy.suggest_parameters() is None
