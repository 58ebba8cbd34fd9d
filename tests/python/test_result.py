"""Every result compares, copies, travels to another process and cannot be changed."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, get_args

import pytest
import quantmap
from quantmap import _core, words
from quantmap.fitted import LoggedFit, MemoryUse, NeededFit
from quantmap.numerics.chosen import RuleTaken
from quantmap.numerics.quality import LeftOut
from quantmap.result import Answer, Keyed, Result, fresh
from quantmap.results.analysis import Effect
from quantmap.results.naming import Names
from quantmap.results.printed import (
    BrokenLimit,
    Failure,
    Front,
    Objective,
    PrintedResults,
    PrintedRow,
)
from quantmap.results.row import Measured, Row
from quantmap.results.scoring import Limit

from tests.python.model_files import build

ROOT = Path(__file__).resolve().parents[2]
TASK = {
    "base_runtime": "vllm",
    "model": {"id_or_path": "my/model"},
    "quant_config": {"presets": ["kv-cache-fp8", "dynamic-fp8"]},
    "parameters": {"tensor-parallel-size": [1, 2]},
}


def results() -> dict[str, Any]:
    plan = quantmap.plan(
        {**TASK, "parameters": {"tensor-parallel-size": [1, 2]}},
        engine_version="0.11.0",
        gpu="H100",
    )
    skipping = quantmap.plan(
        {**TASK, "quant_config": {"gemm_dtype": ["auto", "fp9"]}, "parameters": {}}
    )
    checked = quantmap.check("vllm serve m --kv-cache-dtype fp16", engine_version="0.11.0")
    mapping = quantmap.explain("vllm", {"kvcache_dtype": "int4"})
    writing = "cat > more.yaml <<X\nport: 1\nX\nvllm serve m --config more.yaml"
    (launch,) = quantmap.check_script(writing, "0.11.0").launches
    return {
        "WrittenFile": launch._files[0],
        "Mapping": mapping,
        "Decision": mapping.decisions[1],
        "Diagnostic": mapping.diagnostics[0],
        "CheckResult": checked,
        "ConfigChanges": quantmap.diff({}, "vllm", "0.10.0", "0.11.0"),
        "LineChanges": quantmap.diff_command("vllm serve m", "0.10.0", "0.11.0"),
        "ScriptResult": quantmap.check_script("vllm serve m", "0.11.0"),
        "Verdict": checked.verdicts[0],
        "WhyResult": quantmap.why("vllm: error: unrecognized arguments: --nope", "vllm"),
        "Experiment": plan[1],
        "Target": plan.targets[0],
        "Skip": skipping.skips[0],
        "SkippedPoint": skipping.skips[0].example,
        "GpuInfo": quantmap.gpu_info("H100"),
        "Argument": quantmap.arguments("vllm@0.11.0")[0],
        "Fit": quantmap.estimate("Qwen/Qwen3-8B", gpu="H100"),
        "Requirement": quantmap.requirements("vllm")[0],
        "Advice": quantmap.advise("Qwen/Qwen3-8B", "H100", engines=["vllm"])[0],
        "Recipe": quantmap.recipes("vllm")[0],
        "Measured": Measured.over([1.0, 2.0]),
        "Limit": Limit("ttft", True, 1.0, 2.0, False, 0.5),
        "Effect": Effect("kvcache_dtype", "auto", "fp8", "tpot", 3, 0.1, 0.05, 0.2, None),
    }


def of_rules() -> dict[str, Any]:
    rules = [{"module_path": ".*mlp", "weight_dtype": "int8"}]
    linear = {"linear": {"rules": rules}, "moe": {"weight_dtype": None}}
    file = quantmap.read_rules({"quantization": linear})
    decision = file.winner("model.mlp")
    return {"RulesFile": file, "Rule": file.rules[0], "ModuleDecision": decision}


def of_checkpoints() -> dict[str, Any]:
    pytest.importorskip("safetensors")
    with tempfile.TemporaryDirectory() as folder:
        info = quantmap.inspect_checkpoint(build(Path(folder) / "Model-8B-FP8"))
    latent = quantmap.inspect_checkpoint("deepseek-ai/DeepSeek-V3")
    shape = latent.architecture
    assert info.weights and shape
    return {
        "CheckpointInfo": latent,
        "QuantizationInfo": latent.quantization,
        "Scheme": latent.quantization.schemes[0],
        "Architecture": shape,
        "Layer": shape.layers[0],
        "Mla": shape.mla,
        "Experts": shape.experts,
        "FileRead": info.files[0],
        "Weights": info.weights,
        "DtypeShare": info.weights.dtypes[0],
        "WeightShare": info.weights.parts["linear"],
        "Detection": latent.detections[0],
        "Disagreement": info.disagreements[0],
        "Unseen": quantmap.check("vllm serve m").not_looked_at[0],
    }


def of_estimates() -> dict[str, Any]:
    fit = quantmap.estimate("Qwen/Qwen3-8B", gpu="H100")
    log = quantmap.read_boot_log("INFO gpu_executor.py] # GPU blocks: 1952, # CPU blocks: 2048")
    assert log is not None
    parts = log.compare(fit)
    return {
        "MemoryUse": MemoryUse.by(fit),
        "NeededFit": NeededFit("16 bits", 1, 0.5, fit),
        "Part": parts[0],
        "BootLog": log,
        "LoggedFit": LoggedFit(log, fit, parts, None, ({}, {})),
    }


def of_measurements() -> dict[str, Any]:
    plan = quantmap.plan(TASK, engine_version="0.11.0")
    row = Row(plan[0], Names(list(plan)), None)
    broken = BrokenLimit("ttft", 1.0, 0.5)
    printed = PrintedRow.by(row, {"memory_usage": 1.0}, {"weights": "fp8"}).replace(broken=[broken])
    shared = {name: getattr(plan, name) for name in ("asked", "distinct", "merged", "skipped")}
    objective, front, failure = Objective("tpot", False), Front(["tpot"], [0]), Failure("OOM", [1])
    return {
        "LeftOut": LeftOut("lm_head", "head", "engines leave a head as it is"),
        "RuleTaken": RuleTaken(0, ".*", ["model.mlp"]),
        "BrokenLimit": broken,
        "PrintedRow": printed,
        "Objective": objective,
        "Front": front,
        "Failure": failure,
        "PrintedResults": PrintedResults(
            task_name=None,
            catalog=plan.catalog,
            **shared,
            counts=dict.fromkeys(get_args(words.RunStatus), 0),
            objective=objective,
            limits=[],
            units={},
            best=None,
            front=front,
            effects=[],
            failures=[failure],
            strangers=0,
            diagnostics=[],
            rows=[printed],
        ),
    }


ALL = {
    **results(),
    **of_checkpoints(),
    **of_rules(),
    **of_estimates(),
    **of_measurements(),
}


def subclasses(of: type) -> set[type]:
    return {made for child in of.__subclasses__() for made in {child, *subclasses(child)}}


def test_every_kind_of_result_is_tried_here() -> None:
    shipped = {
        made.__name__
        for made in subclasses(Result)
        if made not in (Answer, Keyed)
        and getattr(sys.modules.get(made.__module__), made.__name__, None) is made
        and made.__module__.startswith("quantmap.")
    }
    assert shipped == set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_copies_are_equal_and_stay_so_elsewhere(name: str) -> None:
    one = ALL[name]
    for other in (
        copy.copy(one),
        copy.deepcopy(one),
        pickle.loads(pickle.dumps(one)),
        one.replace(),
    ):
        assert other == one and hash(other) == hash(one)
        assert other.to_dict() == one.to_dict() and repr(other) == repr(one)
    assert one != object() and one != "text"
    json.dumps(one.to_dict())


@pytest.mark.parametrize("name", ALL)
def test_a_result_cannot_be_changed(name: str) -> None:
    one = ALL[name]
    field = one.__match_args__[0]
    with pytest.raises(AttributeError, match=f"replace.{field}=...."):
        setattr(one, field, "other")
    with pytest.raises(AttributeError):
        delattr(one, field)
    with pytest.raises(AttributeError):
        one.something_else = 1
    other = one.replace(**{field: "other"})
    assert getattr(other, field) == "other" and other != one
    assert getattr(one, field) != "other"


@pytest.mark.parametrize("name", ALL)
def test_a_result_documents_each_of_its_fields(name: str) -> None:
    described = re.findall(r"^    (\w+): ", inspect.getdoc(type(ALL[name])) or "", re.MULTILINE)
    assert described == list(type(ALL[name]).__match_args__)


def test_an_experiment_works_without_its_plan() -> None:
    one = ALL["Experiment"]
    sent = pickle.loads(pickle.dumps(one))
    assert (sent.model, sent.mode, sent.presets, sent.configs) == (
        one.model,
        one.mode,
        one.presets,
        one.configs,
    )
    assert sent.explain() == one.explain()
    assert sent.shell(sent.model) == one.shell(one.model)
    again = pickle.loads(pickle.dumps(sent))
    assert again == one and again.configs == one.configs


def test_an_experiment_goes_to_another_process() -> None:
    program = (
        "import pickle, sys; one = pickle.load(sys.stdin.buffer); print(one.signature, one.presets)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(ALL["Experiment"]),
        capture_output=True,
        check=True,
    )
    assert done.stdout.decode().split()[0] == ALL["Experiment"].signature


def test_a_plan_is_made_again_where_it_arrives() -> None:
    plan = quantmap.plan(TASK)
    sent = pickle.loads(pickle.dumps(plan))
    assert sent == plan and hash(sent) == hash(plan)
    assert plan != quantmap.plan(TASK, engine_version="0.12.0") and plan != TASK
    assert list(sent) == list(plan) and sent.skips == plan.skips


def test_a_stored_experiment_keeps_its_configs(tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    plan.to_jsonl(tmp_path / "plan.jsonl")
    sent = pickle.loads(pickle.dumps(quantmap.Plan.from_jsonl(tmp_path / "plan.jsonl")[0]))
    assert sent.configs == plan[0].configs
    with pytest.raises(ValueError, match="plan its task again"):
        sent.explain()


def test_a_checkpoint_is_read_again_where_it_arrives(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text(
        json.dumps(
            {"model_type": "llama", "quantization_config": {"quant_method": "awq", "bits": 4}}
        )
    )
    info = quantmap.inspect_checkpoint(tmp_path)
    sent = pickle.loads(pickle.dumps(info))
    assert sent == info and copy.deepcopy(info) is info
    assert quantmap.explain("vllm", {}, checkpoint=sent) == quantmap.explain(
        "vllm", {}, checkpoint=info
    )


def test_a_rule_matches_where_it_arrives() -> None:
    sent = pickle.loads(pickle.dumps(ALL["RulesFile"]))
    assert sent.winner("model/mlp/up_proj") == ALL["RulesFile"].winner("model/mlp/up_proj")
    assert sent.winner("lm_head").outcome == "unquantized"


def test_what_used_to_be_a_dict_can_be_read_by_name() -> None:
    for name in ("Target", "SkippedPoint", "DtypeShare"):
        one = ALL[name]
        assert [one[field] for field in one.__match_args__] == list(one._values())
        with pytest.raises(KeyError):
            one["replace"]


def test_a_check_is_true_when_nothing_is_refused() -> None:
    assert quantmap.check("vllm serve m", engine_version="0.11.0")
    assert not quantmap.check("vllm serve m --kv-cache-dtype fp16", engine_version="0.11.0")


def test_the_words_are_those_of_the_core() -> None:
    known = _core.vocabulary()
    assert get_args(words.Severity) == tuple(known["severities"])
    assert get_args(words.Outcome) == tuple(known["outcomes"])
    assert get_args(words.Judgement) == tuple(known["verdicts"])
    for policy in get_args(words.Policy):
        quantmap.explain("vllm@0.11.0", {}, policy=policy)
    with pytest.raises(quantmap.ConfigError, match=", ".join(get_args(words.Policy)[:2])):
        quantmap.explain("vllm@0.11.0", {}, policy="lenient")  # type: ignore[arg-type]


def test_the_old_name_of_an_argument_warns() -> None:
    with pytest.warns(DeprecationWarning, match="engine="):
        old = quantmap.explain(runtime="vllm", quant_config={})
    assert old == quantmap.explain(engine="vllm", quant_config={})


def test_dir_shows_what_is_imported_later() -> None:
    assert set(quantmap.__all__) <= set(dir(quantmap))
    assert "TYPE_CHECKING" not in dir(quantmap)


def test_defaults_are_not_shared() -> None:
    class Sample(Result):
        """A result of a test."""

        name: str
        items: list[int] = fresh(list)
        count: int = 3

    one, other = Sample("a"), Sample("a")
    assert one == other == Sample(name="a", items=[], count=3) and one.items is not other.items
    assert str(inspect.signature(Sample)) == "(name, items=None, count=3)"
    with pytest.raises(TypeError, match="name"):
        Sample()  # type: ignore[call-arg]
    assert Sample.__match_args__ == ("name", "items", "count")
