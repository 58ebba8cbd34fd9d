"""What plan prints of tasks of every kind, against its published JSON Schema."""

from __future__ import annotations

import json
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

pytest.importorskip("click")

from quantmap.cli.app import app

from tests.python.plan_tasks import Task, several_engines, tasks
from tests.python.schema_places import Walk, changed
from tests.python.support import FIELDS, FOUR, UNIFIED

SCHEMA = quantmap.output_schema("plan")
VALIDATOR = Draft202012Validator(SCHEMA)
WALK = Walk(SCHEMA)

MATRIX = [
    {"dimension": "quantization_method", "values": ["awq", "universal-fp8", "nope", 3]},
    {"dimension": "kv_cache_dtype", "values": ["auto", None]},
    {"dimension": "tensor_parallel_size", "values": [1, 2]},
]
ODD = {"a": [1.5, None]}
# name → task, and what stands on the command line beside it
CASES: dict[str, tuple[Any, list[str]]] = {
    "config alone": ({"gemm_dtype": ["auto", "fp8"]}, ["--engine", "vllm"]),
    "no config": ({"base_runtime": "vllm"}, []),
    "every key of the four": (
        {
            "task_name": "four",
            "base_runtime": "sglang@0.5.2",
            "quant_config": {field["key"]: [*field["options"][:2], 5] for field in FOUR},
            "parameters": {"tp-size": [1, 2]},
        },
        ["--gpu", "H100", "--model-quantization", "awq"],
    ),
    "values of every kind": (
        {
            "base_runtime": "vllm",
            "parameters": {
                "x": [None, True, 1, 0.5, "s", [], [[1], 2], {"a": {"b": None}}, "\0"],
                "--x.y": [[None], ODD],
            },
        },
        ["--engine-version", "0.11.0", "--policy", "strict"],
    ),
    "presets over fields": (
        {
            "base_runtime": "vllm@0.11.0",
            "quant_config": {
                "preset": ["default", "universal-fp8", "nope", None, 3, ODD],
                "gemm_dtype": ["fp8", "auto", ODD],
            },
            "optimization": {"max_iterations": 1},
        },
        ["--policy", "literal"],
    ),
    "presets by name": (
        {"base_runtime": "vllm", "quant_config": {"presets": ["default", None]}},
        [],
    ),
    "values of every kind in a config": (
        {
            "base_runtime": "vllm",
            "quant_config": {
                "preset": ["default", "nope"],
                "quantization": {"method": ["awq", ODD, 5, None], "fallback_method": [[1], "awq"]},
            },
        },
        [],
    ),
    "unified": (
        {
            "quantization_config": {
                "quantization_config": {
                    **{field["section"]: {} for field in UNIFIED if field["section"]},
                    "quantization": {"method": ["awq", "gptq"]},
                    "kv_cache": {"dtype": ["auto", "fp8"]},
                }
            },
        },
        ["--engine", "vllm@0.11.0", "--engine", "sglang", "--engine", "sglang"],
    ),
    "keys that are null": (
        {
            "base_runtime": "vllm",
            "quant_config": {"preset": ["default", "universal-fp8"], "quantization": None},
        },
        [],
    ),
    "keys of both forms": (
        {
            "base_runtime": "vllm",
            "quant_config": {FOUR[0]["key"]: None},
            "experiment_matrix": MATRIX[:1],
        },
        [],
    ),
    "matrix": ({"experiment_matrix": MATRIX, "base_runtime": "vllm"}, []),
    "name that is no text": ({"base_runtime": "vllm", "task_name": ODD, "what": 1}, []),
    "files": (
        {"base_runtime": "tensorrt_llm@1.0.0", "quant_config": {"kvcache_dtype": "fp8"}},
        [],
    ),
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the verb prints of each task."""
    folder = tmp_path_factory.mktemp("tasks")
    given, written = folder / "task.json", folder / "plan.json"
    out = {}
    for name, (task, arguments) in CASES.items():
        given.write_text(json.dumps(task), encoding="utf-8")
        line = ["plan", str(given), "--json", "--out", str(written), *arguments]
        assert app.main(line, standalone_mode=False) == 0
        out[name] = json.loads(written.read_bytes())
    return out


def test_every_kind_of_task_is_as_published(printed: dict[str, Any]) -> None:
    for name, data in printed.items():
        assert not [error.message for error in VALIDATOR.iter_errors(data)], name


def test_the_tasks_reach_every_place(printed: dict[str, Any]) -> None:
    """Every object, null wherever it may stand, and what a skipped config may hold."""
    objects: set[str] = set()
    nulls: set[tuple[str, bool]] = set()
    for data in printed.values():
        for place in WALK.places(data):
            if place.closed:
                objects.add(place.name)
            nulls.add((place.name, place.value is None))
    configs = {"experiments.config", "experiments.configs", "skips.example.config"}
    assert objects >= WALK.closed() | configs | {"skips.example.config.quantization"}
    assert {name for name, is_null in nulls if is_null} >= WALK.nullable() - NEVER_HERE
    assert {name for name, is_null in nulls if not is_null} >= WALK.nullable() - NEVER_HERE
    assert any(len(data["targets"]) > 1 and data["limited"] is False for data in printed.values())
    assert any(data["limited"] for data in printed.values())
    null = {"experiments.config.quantization", "skips.example.config.quantization"}
    assert null <= {name for name, is_null in nulls if is_null}
    asked = [skip["example"]["config"] for skip in printed["keys of both forms"]["skips"]]
    assert any({FOUR[0]["key"], "quantization"} <= config.keys() for config in asked)


# The verb is never given a checkpoint.
NEVER_HERE = {"arguments.checkpoint"}


@pytest.mark.parametrize(
    "name", ["every key of the four", "values of every kind in a config", "unified", "matrix"]
)
def test_a_fault_anywhere_is_refused(printed: dict[str, Any], name: str) -> None:
    faults = list(WALK.spoiled(printed[name]))
    assert len(faults) > 50
    for fault, spoiled in faults:
        assert not VALIDATOR.is_valid(spoiled), fault


EXPERIMENT = ("experiments", 0)
WRONG: list[tuple[tuple[str | int, ...], str | int, Any]] = [
    *(((), key, -1) for key in ("asked", "distinct", "merged", "skipped")),
    ((), "format", 2),
    ((), "targets", []),
    ((), "max_iterations", 0),
    ((), "task", None),
    *((("targets", 0), "gpu", word) for word in ("", "H100")),
    *((("arguments",), "engines", engines) for engines in ([], "vllm", [None])),
    *((("arguments",), "policy", word) for word in ("", "lenient")),
    (("arguments",), "model_quantization", 5),
    *((("skips", 0), "code", word) for word in ("", "no-such-code")),
    (("skips", 0), "count", 0),
    *((("skips", 0, "example"), key, None) for key in ("config", "parameters")),
    *((("skips", 0, "example", "config"), key, []) for key in ("presets", "quantization")),
    (("skips", 0, "example", "parameters"), "two words", 1),
    *((EXPERIMENT, "config", config) for config in (None, {"preset": "nope"}, {"moe_dtype": "x"})),
    (EXPERIMENT, "configs", []),
    (EXPERIMENT, "configs", [{"gemm_dtype": ["auto"]}]),
    *((EXPERIMENT, "presets", presets) for presets in (None, ["nope"], [None])),
    *(((*EXPERIMENT, "parameters"), "tp", value) for value in (None, [])),
    ((*EXPERIMENT, "parameters"), "two words", 1),
    (EXPERIMENT, "points", 0),
    (EXPERIMENT, "signature", "0"),
]


@pytest.mark.parametrize(("path", "key", "value"), WRONG)
def test_what_no_plan_holds(
    printed: dict[str, Any], path: tuple[str | int, ...], key: str | int, value: Any
) -> None:
    data = printed["every key of the four"]
    assert not VALIDATOR.is_valid(changed(data, path, key, value))


def as_printed(planned: quantmap.Plan) -> Any:
    """A plan as the command prints it; what does not fit is counted there alone."""
    return json.loads(json.dumps({**planned.to_dict(), "too_large": 0}, default=str))


@settings(max_examples=200, deadline=None)
@given(st.one_of(tasks(), tasks(), several_engines()))
def test_any_small_task(case: tuple[Task, dict[str, Any]]) -> None:
    task, keywords = case
    try:
        planned = quantmap.plan(task, **keywords)
    except quantmap.ConfigError:
        return
    VALIDATOR.validate(as_printed(planned))


def test_arguments_are_as_the_function_takes_them() -> None:
    task = {"base_runtime": "vllm", "quant_config": {"preset": "default"}}
    given: dict[str, Any]
    for given in (
        {"checkpoint": {"quant_method": "awq", "bits": 4}, "engines": ["vllm@0.11.0"]},
        {"checkpoint": "org/model", "model_quantization": {"quant_method": "awq"}},
    ):
        VALIDATOR.validate(as_printed(quantmap.plan(task, **given)))


def test_a_required_key_that_a_section_may_lack_is_skipped() -> None:
    """An experiment's config is whole; one that is not is an example of what was left out."""
    required = next(field for field in FIELDS.values() if field["required"])
    config = {required["section"]: {required["key"]: [None, required["options"][0]]}}
    data = as_printed(quantmap.plan({"base_runtime": "vllm", "quant_config": config}))
    VALIDATOR.validate(data)
    assert data["skips"][0]["example"]["config"] == {required["section"]: {}}
    spoiled = changed(data, EXPERIMENT, "config", {required["section"]: {}})
    assert not VALIDATOR.is_valid(spoiled)
