"""Tasks that are wrong: an error with every problem and its path, or a skip that says why."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

Task = dict[str, Any]


def config(**fields: Any) -> Task:
    return {"base_runtime": "sglang", "quant_config": fields}


def parameters(**values: Any) -> Task:
    return {"base_runtime": "sglang", "parameters": values}


def matrix(*dimensions: Any) -> Task:
    return {"base_runtime": "vllm", "experiment_matrix": list(dimensions)}


def dimension(**keys: Any) -> Task:
    return {"dimension": "kv_cache_dtype", "values": ["auto"], **keys}


# What is wrong with the task as a whole: task, keywords, then code and path of every problem.
WRONG: dict[str, tuple[Any, dict[str, Any], list[tuple[str, str]]]] = {
    "no object": ([], {}, [("not-an-object", "$")]),
    "nothing": (None, {}, [("not-an-object", "$")]),
    "no engine": ({"parameters": {"x": 1}}, {}, [("no-engine", "$.base_runtime")]),
    "no engines": (config(), {"engines": []}, [("empty-list", "engines")]),
    "engines a text": (config(), {"engines": "vllm"}, [("wrong-type", "engines")]),
    "unknown engine": ({"base_runtime": "vlm"}, {}, [("unknown-engine", "runtime")]),
    "an engine is a number": (config(), {"engines": [1]}, [("wrong-type", "runtime")]),
    "unknown version": (config(), {"engine_version": "x"}, [("not-a-version", "engine_version")]),
    "unknown policy": (
        config(),
        {"engine_version": "0.5.2", "policy": "strikt"},
        [("bad-policy", "policy")],
    ),
    "a policy without a version": (config(), {"policy": "strict"}, [("needs-version", "policy")]),
    "a GPU without a version": (config(), {"gpu": "H100"}, [("needs-version", "gpu")]),
    "an unknown GPU": (
        config(),
        {"engine_version": "0.5.2", "gpu": "H1"},
        [("unknown-gpu", "gpu")],
    ),
    "one version for several": (
        config(),
        {"engines": ["vllm", "sglang"], "engine_version": "latest"},
        [("one-version-for-several", "engine_version")],
    ),
    "config a list": (
        {"base_runtime": "vllm", "quant_config": []},
        {},
        [("not-an-object", "$.quant_config")],
    ),
    "two configs": (
        {"base_runtime": "vllm", "quant_config": {}, "quantization_config": {}},
        {},
        [("duplicate-wrapper", "$.quantization_config")],
    ),
    "unknown keys": (
        config(gemm_dytpe=["fp8"], quantization={"metod": "awq"}),
        {},
        [
            ("unknown-key", "$.quant_config.gemm_dytpe"),
            ("unknown-key", "$.quant_config.quantization.metod"),
        ],
    ),
    "two forms": (
        config(gemm_dtype=["fp8"], dtype=["auto"]),
        {},
        [("mixed-forms", "$.quant_config")],
    ),
    "presets twice": (
        config(preset=["default"], presets=["default"]),
        {},
        [("axis-given-twice", "$.quant_config.presets")],
    ),
    "presets among the parameters too": (
        {**config(preset="default"), "parameters": {"quantization_preset": ["default"]}},
        {},
        [("axis-given-twice", "$.parameters.quantization_preset")],
    ),
    "empty lists": (
        {**config(gemm_dtype=[], presets=[]), "parameters": {"x": []}},
        {},
        [
            ("empty-list", "$.quant_config.presets"),
            ("empty-list", "$.quant_config.gemm_dtype"),
            ("empty-list", "$.parameters.x"),
        ],
    ),
    "parameters a list": (
        {"base_runtime": "vllm", "parameters": [1]},
        {},
        [("not-an-object", "$.parameters")],
    ),
    "a parameter's name": (
        {"base_runtime": "vllm", "parameters": {"a b": [1]}},
        {},
        [("bad-parameter-name", "$.parameters['a b']")],
    ),
    "a key that is no text": (
        {"base_runtime": "vllm", "parameters": {1: [1]}},
        {},
        [("non-string-key", "$.parameters['(int)']")],
    ),
    "more than 2^63 - 1 points": (
        parameters(**{f"p{number}": list(range(16)) for number in range(16)}),
        {},
        [("too-many-points", "$.parameters.p15")],
    ),
    "optimization a list": (
        {"base_runtime": "vllm", "optimization": []},
        {},
        [("not-an-object", "$.optimization")],
    ),
    "matrix an object": (
        {"base_runtime": "vllm", "experiment_matrix": {}},
        {},
        [("wrong-type", "$.experiment_matrix")],
    ),
    "unknown dimension": (
        matrix(dimension(dimension="kv_dtype")),
        {},
        [("unknown-dimension", "$.experiment_matrix[0].dimension")],
    ),
    "a dimension without values": (
        matrix(dimension(values=None)),
        {},
        [("wrong-type", "$.experiment_matrix[0].values")],
    ),
    "a dimension with an empty list": (
        matrix(dimension(values=[])),
        {},
        [("empty-list", "$.experiment_matrix[0].values")],
    ),
    "a dimension twice": (
        matrix(dimension(), dimension(engines=["vllm"])),
        {},
        [("axis-given-twice", "$.experiment_matrix[1].values")],
    ),
    "a matrix beside a config": (
        {**matrix(dimension()), "quant_config": {"kv_cache": {"dtype": ["auto"]}}},
        {},
        [("axis-given-twice", "$.experiment_matrix")],
    ),
}
for _limit in (0, -1, 1.5, "3", True, [3], 10**30):
    WRONG[f"max_iterations {_limit!r}"] = (
        {"base_runtime": "vllm", "optimization": {"max_iterations": _limit}},
        {},
        [("wrong-type", "$.optimization.max_iterations")],
    )


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_task_is_an_error_with_its_place(name: str) -> None:
    task, keywords, problems = WRONG[name]
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.plan(task, **keywords)
    found = [(item.code, item.path) for item in caught.value.diagnostics]
    errors = [item for item in caught.value.diagnostics if item.severity == "error"]
    assert found == problems and len(errors) == len(found)
    assert all(item.hint or "known: " in item.message for item in errors)


def deep(levels: int) -> Any:
    out: Any = []
    for _ in range(levels):
        out = [out]
    return out


# One bad value among good ones: the cause of the skip.
SKIPPED: dict[str, tuple[Task, tuple[str, str]]] = {
    "an option": (
        config(gemm_dtype=["fp16", "auto"]),
        ("unknown-value", "$.quant_config.gemm_dtype[0]"),
    ),
    "mixed types": (config(gemm_dtype=["auto", 8]), ("wrong-type", "$.quant_config.gemm_dtype[1]")),
    "a set": (config(gemm_dtype=["auto", {1}]), ("wrong-type", "$.quant_config.gemm_dtype[1]")),
    "a preset": (
        config(presets=["auto", "default"]),
        ("unknown-preset", "$.quant_config.presets[0]"),
    ),
    "a method is no preset": (
        config(presets=["awq", "default"]),
        ("unknown-preset", "$.quant_config.presets[0]"),
    ),
    "a preset of a type": (
        config(presets=[{}, "default"]),
        ("wrong-type", "$.quant_config.presets[0]"),
    ),
    "a preset of the other form": (
        config(presets=["default", "universal-fp8"], moe_dtype="auto"),
        ("mixed-forms", "$.quant_config.presets[1]"),
    ),
    "a size": (
        config(parallelism={"tensor_parallel_size": [1, 99]}),
        ("out-of-range", "$.quant_config.parallelism.tensor_parallel_size[1]"),
    ),
    "a format that contradicts": (
        config(kv_cache={"dtype": "fp8_e4m3", "fp8_format": ["e4m3", "e5m2"]}),
        ("conflicting-fp8-format", "$.quant_config.kv_cache.fp8_format[1]"),
    ),
    "a preset that contradicts one value": (
        config(presets=["universal-fp8"], kv_cache={"fp8_format": ["e4m3", "e5m2"]}),
        ("conflicting-fp8-format", "$.quant_config.kv_cache.fp8_format[0]"),
    ),
    "no method": (
        config(quantization={"method": ["awq", None]}),
        ("missing-method", "$.quant_config.quantization.method[1]"),
    ),
    "not a number": (parameters(x=[1, float("nan")]), ("not-finite", "$.parameters.x[1]")),
    "a NUL": (parameters(x=["a\0", 1]), ("nul-character", "$.parameters.x[0]")),
    "text that is no Unicode": (
        parameters(x=["\ud800", 1]),
        ("invalid-unicode", "$.parameters.x[0]"),
    ),
    "a long text": (parameters(x=[1, "x" * 200_000]), ("too-large", "$.parameters.x[1]")),
    "a long number": (parameters(x=[1, 10**5000]), ("unprintable-integer", "$.parameters.x[1]")),
    "bytes": (parameters(x=[1, b"1"]), ("wrong-type", "$.parameters.x[1]")),
}


@pytest.mark.parametrize("name", SKIPPED)
def test_one_bad_value_is_a_skip_that_says_why(name: str) -> None:
    task, cause = SKIPPED[name]
    plan = quantmap.plan(task)
    assert (plan.asked, plan.distinct, plan.skipped) == (2, 1, 1)
    (skip,) = plan.skips
    assert (skip.code, skip.path, skip.count) == (*cause, 1)
    assert skip.hint or "known: " in skip.message
    assert skip.example["engine"] == "sglang"
    json.dumps(skip.example["parameters"], default=str)


def test_a_value_that_is_too_deep_is_an_error_or_a_skip_and_no_crash() -> None:
    try:
        plan = quantmap.plan(parameters(x=[1, deep(5000)]))
    except quantmap.ConfigError as error:
        assert error.diagnostics[0].code == "too-deep"
    else:
        assert plan.skipped == 1


def test_a_plan_of_nothing_says_why() -> None:
    plan = quantmap.plan(config(gemm_dtype="fp16", presets=["default", "default"]))
    assert (plan.asked, plan.distinct, plan.skipped, len(plan)) == (2, 0, 2, 0)
    assert list(plan) == [] and plan[:] == []
    assert [item.code for item in plan.diagnostics] == ["nothing-to-plan"]
    assert "fp16" in plan.summary()
    with pytest.raises(IndexError):
        plan[0]
    text = plan.to_jsonl()
    assert text is not None and len(text.splitlines()) == 1


def test_unknown_keys_of_the_task_are_told_and_kept() -> None:
    task = {"base_runtime": "vllm", "paramters": {"x": 1}, "zzz": [1], "slo": {}, "metrics": []}
    plan = quantmap.plan(task)
    told = [(item.code, item.severity, item.path) for item in plan.diagnostics]
    assert told == [
        ("unknown-task-key", "warning", "$.paramters"),
        ("unknown-task-key", "warning", "$.zzz"),
    ]
    assert "parameters" in plan.diagnostics[0].hint
    text = plan.to_jsonl()
    assert text is not None and json.loads(text.splitlines()[0])["plan"]["task"] == task


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "invalid-json"),
        ('{"base_runtime": "vllm", "base_runtime": "sglang"}', "duplicate-key"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "too-deep"),
        ("no such file", "unreadable-file"),
        ("a\0b", "unreadable-file"),
    ],
)
def test_text_that_is_no_task(text: str, code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.plan(text)
    assert caught.value.diagnostics[0].code == code


def test_a_folder_is_no_task(tmp_path: Path) -> None:
    with pytest.raises(quantmap.ConfigError):
        quantmap.plan(tmp_path)


def test_long_lists_are_read_whole_or_not_at_all() -> None:
    plan = quantmap.plan(parameters(x=list(range(100_000)), y=["a", "b"]))
    assert plan.distinct == 200_000 and plan[-1].args["--x"] == "99999"
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.plan(parameters(x=list(range(2_000_000)), y=["a", "b"]))
    assert [(item.code, item.path) for item in caught.value.diagnostics] == [("over-limit", "$")]


def test_the_task_is_not_changed() -> None:
    task = {
        **config(presets=["default", "nope"], gemm_dtype=["auto", None]),
        "parameters": {"x": [1]},
    }
    before = json.dumps(task)
    list(quantmap.plan(task))
    assert json.dumps(task) == before


@pytest.mark.parametrize(
    ("preset", "key", "mixed"),
    [
        ("default", "moe", True),
        ("default", "moe_dtype", False),
        ("universal-fp8", "moe", False),
        ("universal-fp8", "gemm_dtype", True),
    ],
)
def test_a_null_key_has_its_form_as_it_has_for_the_validator(
    preset: str, key: str, mixed: bool
) -> None:
    config = {"presets": [preset], key: None}
    assert quantmap.validate_quant_config(config)[0] is not mixed
    plan = quantmap.plan({"base_runtime": "vllm", "quant_config": config})
    assert (plan.distinct, plan.skipped) == ((0, 1) if mixed else (1, 0))
    found = [(skip.code, skip.path) for skip in plan.skips]
    assert found == ([("mixed-forms", "$.quant_config.presets[0]")] if mixed else [])


@pytest.mark.parametrize("section", ["kv_cache", "quantization", "attention"])
def test_a_null_section_beside_a_matrix_hides_none_of_its_values(section: str) -> None:
    matrix = [
        {"dimension": "kv_cache_dtype", "values": ["fp8", "auto"]},
        {"dimension": "quantization_method", "values": ["awq"]},
    ]
    task = {"base_runtime": "vllm", "experiment_matrix": matrix}
    plan = quantmap.plan(task)
    beside = quantmap.plan({**task, "quant_config": {section: None}})
    assert [one.args for one in beside] == [one.args for one in plan] and len(plan) == 2


def test_strict_judges_a_parameter_on_the_checkpoint_that_is_served() -> None:
    """An AWQ checkpoint may be served with its own method; a model without one may not."""
    task = {"base_runtime": "sglang", "parameters": {"quantization": ["awq", "gptq"]}}
    keywords: dict[str, Any] = {"engine_version": "0.5.6", "policy": "strict"}
    served = quantmap.plan(task, **keywords, model_quantization="awq")
    assert served[0].args["--quantization"] == "awq"
    assert served.skipped < quantmap.plan(task, **keywords).skipped == 2
