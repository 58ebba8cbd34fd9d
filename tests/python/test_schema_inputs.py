"""JSON Schemas of configs and of the task: what they accept is what quantmap accepts."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quantmap
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.python.support import FIELDS, FOUR, UNIFIED

ROOT = Path(__file__).resolve().parents[2]
KINDS = ("config", "four-field", "unified", "task")
SCHEMAS = {kind: quantmap.json_schema(kind) for kind in KINDS}
VALIDATORS = {kind: Draft202012Validator(schema) for kind, schema in SCHEMAS.items()}
PRESETS = list(quantmap.QUANTIZATION_PRESETS)
FOUR_KEYS = {field["key"] for field in FOUR}
SECTIONS = {field["section"] for field in UNIFIED} - {""}
UNIFIED_KEYS = {field["section"] or field["key"] for field in UNIFIED}
DIMENSIONS = {
    "quantization_method": [*PRESETS, *FIELDS["method"]["options"]],
    "kv_cache_dtype": FIELDS["kv_dtype"]["options"],
    "tensor_parallel_size": [1, 8],
}


def accepts(kind: str, data: Any) -> bool:
    """The schema's verdict."""
    return bool(VALIDATORS[kind].is_valid(data))


def valid(config: Any) -> bool:
    """The validator's verdict."""
    return quantmap.validate_quant_config(config)[0]


def planned(task: dict[str, Any]) -> bool:
    """The planner's verdict: it takes the task and leaves none of its points out."""
    try:
        return quantmap.plan({"base_runtime": "vllm", **task}).skipped == 0
    except quantmap.ConfigError:
        return False


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_a_schema(kind: str) -> None:
    schema = SCHEMAS[kind]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:quantmap:{kind}"
    json.dumps(schema, allow_nan=False)


def test_an_unknown_kind_is_an_error() -> None:
    with pytest.raises(quantmap.ConfigError, match="known: config, four-field, unified, task"):
        quantmap.json_schema("both")


@pytest.mark.parametrize("wrong", [None, 5, [], {}, "\ud800", "x" * 10_000, b"task"])
def test_what_is_no_name_is_an_error(wrong: Any) -> None:
    for function in (quantmap.json_schema, quantmap.output_schema):
        with pytest.raises(quantmap.ConfigError) as caught:
            function(wrong)
        assert len(str(caught.value)) < 500


def good_values(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a field, and null."""
    kind = field["kind"]
    if kind == "option":
        return st.sampled_from([*field["options"], None])
    if kind == "integer":
        return st.none() | st.integers(field["minimum"], field["maximum"])
    if kind == "fraction":
        return st.none() | st.floats(0, 1, exclude_min=True)
    return st.none() | (st.booleans() if kind == "boolean" else st.text(max_size=5))


# What a schema cannot tell apart is left out: 2.0 is an integer to it, and a lone surrogate a text.
BAD = st.sampled_from(
    ["fp16", "FP8", "", "e4m3", "autp", 0, -1, 5, 9, 10**30, 0.5, -0.5, 1.5, True, [], {}, ["auto"]]
)
NAMES = st.sampled_from(PRESETS)


def sometimes(good: st.SearchStrategy[Any], bad: st.SearchStrategy[Any] = BAD) -> Any:
    """Mostly good values."""
    return st.integers(0, 15).flatmap(lambda number: bad if number == 0 else good)


@st.composite
def fields_of(draw: st.DrawFn, fields: list[dict[str, Any]], value: Any) -> dict[str, Any]:
    """Some fields of a form, in their sections."""
    config: dict[str, Any] = {}
    for field in draw(st.lists(st.sampled_from(fields), max_size=5)):
        if not field["section"]:
            config[field["key"]] = draw(value(field))
            continue
        section = config.setdefault(
            field["section"], draw(sometimes(st.builds(dict), BAD.filter(bool)))
        )
        if isinstance(section, dict):
            section[field["key"]] = draw(value(field))
            if draw(st.integers(0, 30)) == 0:
                section["dtpye"] = None
    return config


@st.composite
def configs(draw: st.DrawFn, value: Any, preset: Any, presets: Any) -> Any:
    """Configs good and bad: of one form, rarely of both, with presets, in a wrapper."""
    form = draw(st.sampled_from(["four", "unified", "both"]))
    config: dict[str, Any] = {}
    if form != "unified":
        config.update(draw(fields_of(FOUR, value)))
    if form != "four":
        config.update(draw(fields_of(UNIFIED, value)))
    for key, names in {"preset": preset, "presets": presets}.items():
        if draw(st.integers(0, 3)) == 0:
            config[key] = draw(names)
    if draw(st.integers(0, 20)) == 0:
        config[draw(st.sampled_from(["gemm_dytpe", "method", "quantization_config"]))] = None
    if draw(st.integers(0, 8)) == 0:
        wrapped: dict[str, Any] = {"quantization_config": draw(sometimes(st.just(config)))}
        beside = st.dictionaries(st.sampled_from(["gemm_dtype", "x"]), st.sampled_from([None, 1]))
        return {**draw(beside), **wrapped}
    return config


SINGLE = configs(
    lambda field: sometimes(good_values(field)),
    sometimes(NAMES | st.none()),
    sometimes(st.lists(NAMES, min_size=1, max_size=1) | st.none(), st.lists(NAMES) | BAD),
)


@settings(max_examples=800, deadline=None)
@given(SINGLE)
@example(None)
@example({"quantization": {}})
@example({"preset": "universal-fp8", "quantization": {}})
@example({"preset": "universal-fp8", "dtype": None, "quantization": None})
@example({"preset": None, "presets": ["default"], "quantization_config": None})
@example({"quantization_config": {"quantization_config": None}, "anything": None})
def test_a_config_is_accepted_exactly_when_it_is_valid(config: Any) -> None:
    assert accepts("config", config) == valid(config), quantmap.validate_quant_config(config)


@settings(max_examples=200, deadline=None)
@given(SINGLE)
def test_the_schema_of_one_form_accepts_that_form(config: Any) -> None:
    keys = set(config)
    named = [config.get("preset"), *(config.get("presets") or [])] if valid(config) else []
    unified = {name for name in PRESETS if not FOUR_KEYS & set(quantmap.expand_preset(name))}
    bare = valid(config) and config.get("quantization_config") is None
    is_unified = bool(keys & UNIFIED_KEYS or unified & set(named))
    is_four = bool(keys & FOUR_KEYS or (set(PRESETS) - unified) & set(named))
    assert accepts("four-field", config) == (bare and not is_unified)
    assert accepts("unified", config) == (bare and not is_four)


def test_a_format_agrees_with_the_dtype_and_with_the_dtype_of_a_preset() -> None:
    """All presets, dtypes and formats: one preset more may need one condition more."""
    dtypes = [*FIELDS["kv_dtype"]["options"], None, "absent"]
    formats = [*FIELDS["fp8_format"]["options"], None]
    verdicts = set()
    for preset, dtype, form in itertools.product([*PRESETS, None], dtypes, formats):
        cache = {"dtype": dtype, "fp8_format": form}
        cache = {key: value for key, value in cache.items() if value != "absent"}
        for config in (
            {"preset": preset, "kv_cache": cache},
            {"presets": [preset], "kv_cache": cache},
        ):
            assert accepts("config", config) == valid(config), config
            verdicts.add(valid(config))
    assert verdicts == {True, False}


def test_presets_and_examples_are_accepted() -> None:
    for name in PRESETS:
        assert accepts("config", quantmap.expand_preset(name)), name
    found = sorted((ROOT / "examples").glob("*_task.json"))
    assert len(found) >= 3
    for path in found:
        task = json.loads(path.read_text(encoding="utf-8"))
        assert accepts("task", task), path.name
        assert not accepts("task", {**task, "quant_config": {"gemm_dytpe": "fp8"}}), path.name


def test_editors_get_titles_meanings_and_defaults() -> None:
    for kind, fields in {"four-field": FOUR, "unified": UNIFIED}.items():
        for field in fields:
            place = SCHEMAS[kind]["properties"]
            place = place[field["section"]]["properties"] if field["section"] else place
            shown = place[field["key"]]
            assert shown["title"] == field["label"]
            assert shown["description"].startswith(field["title"])
            assert all(title in shown["description"] for title in field["option_titles"].values())
            assert shown.get("default") == field["default"]


def test_every_reference_leads_somewhere() -> None:
    def references(part: Any) -> Iterator[str]:
        if isinstance(part, dict):
            for key, value in part.items():
                if key == "$ref":
                    yield value
                yield from references(value)
        elif isinstance(part, list):
            for item in part:
                yield from references(item)

    for kind, schema in SCHEMAS.items():
        names = {f"#/$defs/{name}" for name in schema.get("$defs", {})}
        used = set(references(schema))
        assert used <= names, kind
        assert names <= used, kind


def several(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A value or a list of values."""
    one = sometimes(good_values(field))
    return one | st.lists(one, max_size=3)


NAMES_TO_TRY = sometimes(NAMES | st.none()) | st.lists(NAMES | st.none(), max_size=3)
CONFIGS = configs(several, NAMES_TO_TRY, NAMES_TO_TRY)


def expanded(value: Any) -> list[Any]:
    """The values of an axis; no value at all where the list is empty."""
    return value if isinstance(value, list) else [value]


def points(config: dict[str, Any]) -> Iterator[Any]:
    """Every config that a config with lists stands for, the slow and obvious way."""
    inner = config.get("quantization_config")
    if inner is not None:
        if not isinstance(inner, dict):
            yield config
            return
        for point in points(inner):
            yield {**config, "quantization_config": point}
        return
    axes: list[list[Any]] = []
    for key, value in config.items():
        if key == "presets":  # one at a time; a null among them is a point without a preset
            axes.append([None if name is None else [name] for name in expanded(value)])
        elif key not in SECTIONS:
            axes.append(expanded(value))
        elif isinstance(value, dict):
            inside = [expanded(value[name]) for name in value]
            axes.append([dict(zip(value, chosen)) for chosen in itertools.product(*inside)])
        else:
            axes.append([value])
    for chosen in itertools.product(*axes):
        yield dict(zip(config, chosen))


def all_valid(config: Any) -> bool:
    """Whether no list is empty and every point of the config is valid."""
    if config is None:
        return True
    if not isinstance(config, dict):
        return False
    inner = config.get("quantization_config")
    body = inner if isinstance(inner, dict) else config
    if body.get("preset") is not None and body.get("presets") is not None:
        return False
    found = list(points(config))
    return bool(found) and all(valid(point) for point in found)


def without_meaning(config: Any) -> bool:
    """A null key says which form a config has to the validator, and nothing to the planner."""
    inner = config.get("quantization_config") if isinstance(config, dict) else None
    body = inner if isinstance(inner, dict) else config
    fields = FOUR_KEYS | UNIFIED_KEYS
    return isinstance(body, dict) and any(None in expanded(body[key]) for key in fields & set(body))


@settings(max_examples=800, deadline=None)
@given(CONFIGS)
@example({"presets": ["default", None, "universal-fp8"]})
@example({"presets": ["universal-fp8", None], "quantization": {"weight_bits": 8}})
@example({"kv_cache": {"dtype": ["fp8_e5m2", "auto"], "fp8_format": ["e5m2", None]}})
def test_a_task_is_accepted_exactly_when_all_its_points_are_valid(config: Any) -> None:
    good = all_valid(config)
    for key in ("quant_config", "quantization_config"):
        assert accepts("task", {key: config}) == good
    if not without_meaning(config):
        assert planned({"quant_config": config}) == good


@settings(max_examples=400, deadline=None)
@given(
    configs(several, st.none(), st.none()),
    sometimes(NAMES | st.lists(NAMES, min_size=1, max_size=2)),
)
def test_presets_among_the_parameters_are_the_configs_presets(config: Any, names: Any) -> None:
    body = config.get("quantization_config")
    body = body if isinstance(body, dict) else config
    cache = body.get("kv_cache")
    if isinstance(cache, dict):
        cache.pop("fp8_format", None)  # against a preset among the parameters, a schema cannot say
    task = {"quant_config": config, "parameters": {"quantization_preset": names}}
    whole = {**body, "presets": names if isinstance(names, list) else [names]}
    if body is not config:
        whole = {**config, "quantization_config": whole}
    assert accepts("task", task) == all_valid(whole)
    if not without_meaning(config):
        assert planned(task) == all_valid(whole)


@pytest.mark.parametrize(
    ("task", "good"),
    [
        ({}, True),
        ([], False),
        ({"base_runtime": "SGLang@0.5.2"}, True),
        ({"base_runtime": " trt-llm == v1.0.0 "}, True),
        ({"base_runtime": "vllm@latest"}, True),
        ({"base_runtime": "vllm@"}, False),
        ({"base_runtime": "vlm"}, False),
        ({"base_runtime": None}, False),
        ({"parameters": None, "quant_config": None, "model": "my/model"}, True),
        ({"parameters": {"tp-size": [1, 2], "--x.y": None, "z": [[1], [2]], "b": True}}, True),
        ({"parameters": {"tp-size": []}}, False),
        ({"parameters": {"tp size": 1}}, False),
        ({"parameters": {"---x": 1}}, False),
        ({"parameters": {"-": 1}}, False),
        ({"parameters": {"x" * 256: 1}}, True),
        ({"parameters": {"x" * 257: 1}}, False),
        ({"parameters": [1]}, False),
        ({"quant_config": {}, "quantization_config": {}}, False),
        ({"quant_config": {}, "quantization_config": None}, True),
        (
            {"quant_config": {"preset": "default"}, "parameters": {"quantization_preset": None}},
            True,
        ),
        ({"quant_config": None, "parameters": {"quantization_preset": "high-quality"}}, True),
        ({"quantization_config": None, "parameters": {"quantization_preset": ["default"]}}, True),
        ({"optimization": {"strategy": "grid_search", "max_iterations": 3}}, True),
        ({"optimization": {"max_iterations": 0}}, False),
        ({"optimization": 3}, False),
        ({"benchmark": {"a": []}, "slo": {}, "anything_else": [None]}, True),
    ],
)
def test_tasks(task: Any, good: bool) -> None:
    assert accepts("task", task) == good
    if isinstance(task, dict):
        assert planned(task) == good


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_experiment_matrices(dimension: str) -> None:
    one = {"dimension": dimension, "values": DIMENSIONS[dimension], "engines": ["all"]}
    two = {**one, "engines": ["vllm", "sglang"]}
    assert accepts("task", {"experiment_matrix": [one]}) and planned({"experiment_matrix": [one]})
    assert accepts("task", {"experiment_matrix": [two]})
    for wrong in (
        {"dimension": "gpu"},
        {"values": []},
        {"values": 4},
        {"values": ["e4m3"]},
        {"engines": ["vlm"]},
    ):
        task = {"experiment_matrix": [{**one, **wrong}]}
        assert not accepts("task", task) and not planned(task), wrong
    assert not accepts("task", {"experiment_matrix": [{"dimension": dimension}]})
