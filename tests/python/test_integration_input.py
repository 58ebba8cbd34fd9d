"""The autotuner's entry points: what reaches the engine, wrong and hostile input, threads."""

from __future__ import annotations

import itertools
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st
from quantmap import integration as autotuner

from tests.python.support import ENGINES, FIELDS
from tests.python.test_hostile_objects import ANYTHING, LIES, LyingDict, RaisingDict, RaisingText
from tests.python.test_integration import MODEL, QUANTIZED, TASK
from tests.python.test_threads import in_threads

INVALID: list[tuple[Any, list[tuple[str, str]]]] = [
    ([], [("not-an-object", "$")]),
    ("fp8", [("not-an-object", "$")]),
    ({"quantization_config": []}, [("not-an-object", "$.quantization_config")]),
    (
        {"quantization_config": {"gemm_dtype": "fp8"}, "moe_dtype": "fp8"},
        [("wrapper-beside-fields", "$.moe_dtype")],
    ),
    ({"gemm_dtype": "fp16"}, [("unknown-value", "$.gemm_dtype")]),
    (
        {"gemm_dytpe": "fp8", "moe_dtype": ["fp8", "fp9", 3]},
        [
            ("unknown-key", "$.gemm_dytpe"),
            ("unknown-value", "$.moe_dtype[1]"),
            ("wrong-type", "$.moe_dtype[2]"),
        ],
    ),
    ({"gemm_dtype": []}, [("empty-list", "$.gemm_dtype")]),
    ({"kv_cache": {"dtype": []}}, [("empty-list", "$.kv_cache.dtype")]),
    ({"gemm_dtype": ["fp8", ["fp8"]]}, [("list-of-values", "$.gemm_dtype[1]")]),
    ({"presets": []}, [("empty-presets", "$.presets")]),
    ({"presets": "default"}, [("wrong-type", "$.presets")]),
    ({"preset": ["default", "defualt"]}, [("unknown-preset", "$.preset[1]")]),
    ({"presets": ["defualt", "default", 1]}, [("unknown-preset", ""), ("wrong-type", "")]),
    ({"preset": "default", "presets": ["default"]}, [("preset-beside-presets", "$.presets")]),
    ({"presets": ["default", "high-quality"], "gemm_dtype": "fp8"}, [("mixed-forms", "$")]),
    ({"gemm_dtype": "fp8", "dtype": "auto"}, [("mixed-forms", "$")]),
    ({"quantization": {"weight_bits": [4, 8]}}, [("missing-method", "$.quantization")]),
    (
        {"kv_cache": {"dtype": ["fp8_e5m2", "fp8_e4m3"], "fp8_format": "e5m2"}},
        [("conflicting-fp8-format", "$.kv_cache.fp8_format")],
    ),
    ({"gemm_dtype": float("nan")}, [("not-finite", "")]),
    ({"gemm_dtype": {"fp8"}}, [("wrong-type", "")]),
    ({"gemm_dytpe": ["fp8", "auto"]}, [("unknown-key", "$.gemm_dytpe")]),
    ({1: "fp8"}, [("non-string-key", "")]),
]


@pytest.mark.parametrize(("config", "problems"), INVALID, ids=lambda item: str(item)[:50])
def test_an_invalid_config_is_an_error_everywhere(
    config: Any, problems: list[tuple[str, str]]
) -> None:
    marked = (
        {f"__quant__{key}": value for key, value in config.items()}
        if config and isinstance(config, dict) and 1 not in config
        else None
    )
    calls: list[Callable[[], Any]] = [
        lambda: autotuner.merge_parameters_with_quant_config({}, config),
        lambda: autotuner.expand_quantization_presets(config),
        lambda: autotuner.get_quant_config_summary(config),
    ]
    if marked is not None and "quantization_config" not in config:
        calls.append(lambda: autotuner.extract_quant_config_from_params(marked))
    for call in calls:
        with pytest.raises(quantmap.ConfigError) as caught:
            call()
        found = [(item.code, item.path) for item in caught.value.diagnostics]
        assert [code for code, _ in found] == [code for code, _ in problems]
        assert [path for (_, path), (_, said) in zip(found, problems) if said] == [
            path for _, path in problems if path
        ]
        if call is not calls[-1] or marked is None:
            assert autotuner.validate_task_quant_config(config) == (False, str(caught.value))
    for runtime in ("vllm", "sglang@0.5.6"):
        with pytest.raises(quantmap.ConfigError):
            autotuner.prepare_experiment_parameters(runtime, config, {"tp-size": 1}, MODEL)
        with pytest.raises(quantmap.ConfigError):
            autotuner.generate_experiment_configs({"base_runtime": runtime, "quant_config": config})
        if marked is not None:
            with pytest.raises(quantmap.ConfigError):
                autotuner.prepare_runtime_parameters(runtime, marked, MODEL)


@pytest.mark.parametrize(
    "config", [{"gemm_dtype": ["fp8", "auto"]}, {"presets": ["default", "kv-cache-fp8"]}]
)
def test_one_experiment_is_one_launch(config: Any) -> None:
    assert autotuner.validate_task_quant_config(config) == (True, "Valid")
    with pytest.raises(quantmap.ConfigError, match="planner"):
        autotuner.prepare_experiment_parameters("vllm", config, {}, MODEL)


def test_valid_texts() -> None:
    valid = autotuner.validate_task_quant_config
    assert valid(None) == valid({}) == (True, "Valid (no quantization config)")
    assert valid({"preset": "default"}) == (True, "Valid")
    good, text = valid({"quantization": {"method": ["gptq", "awq"], "weight_bits": 2}})
    assert good and text.startswith("Valid, with a note: ") and "weight_bits=2" in text


def test_a_section_with_endless_combinations() -> None:
    config = {"quantization": {"method": ["fp8"] * 400, "weight_bits": [8] * 400}}
    with pytest.raises(quantmap.ConfigError) as caught:
        autotuner.merge_parameters_with_quant_config({}, config)
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.path) == ("over-limit", "$.quantization")


def test_many_wrong_keys() -> None:
    """No more are told than anybody reads, and their number times itself is nowhere."""
    for config, told in (
        ({f"key{i}": ["a", "b"] for i in range(50_000)}, 1000),
        ({"gemm_dtype": [f"x{i}" for i in range(50_000)]}, 1000),
        ({"gemm_dtype": ["auto"] * 500_000 + ["x"]}, 1),
    ):
        with pytest.raises(quantmap.ConfigError) as caught:
            autotuner.merge_parameters_with_quant_config({}, config)
        assert len(caught.value.diagnostics) == told
    assert caught.value.diagnostics[0].path == "$.gemm_dtype[500000]"


def own_values(form: str) -> dict[str, Any]:
    """A strategy for the value of each key of a form: one value, or a list with some left out."""
    sections: dict[str, dict[str, Any]] = {}
    for field in FIELDS.values():
        if field["form"] != form:
            continue
        options = {"boolean": [True, False], "fraction": [0.5, 1], "label": ["a", "ß"]}
        known = field["options"] or options.get(field["kind"], [1, 2])
        one = st.sampled_from(known)
        values = one | st.lists(st.none() | one, min_size=1, max_size=3)
        if field["key"] == "method" or field["key"] == "fp8_format":
            values = one
        sections.setdefault(field["section"], {})[field["key"]] = values
    top = sections.pop("", {})
    for name, keys in sections.items():
        required = {key: value for key, value in keys.items() if key == "method"}
        rest = {key: value for key, value in keys.items() if key not in required}
        top[name] = st.fixed_dictionaries(required, optional=rest)
    return top


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """Configs of both forms that describe one launch or several."""
    strategies = []
    for form in ("four_field", "unified"):
        names = [
            name
            for name, data in quantmap.QUANTIZATION_PRESETS.items()
            if is_four(data) is (form == "four_field")
        ]
        preset = st.sampled_from(names)
        explicit = own_values(form)
        several = st.lists(preset, min_size=1, max_size=3)
        for named in ({}, {"preset": preset | several}, {"presets": several}):
            strategies.append(st.fixed_dictionaries(named, optional=explicit))
    return st.one_of(strategies)


def is_four(config: dict[str, Any]) -> bool:
    return "gemm_dtype" in config


def points(config: dict[str, Any]) -> list[dict[str, Any]]:
    """Every config that a config describes, in no order that matters."""
    config = dict(config)
    names = config.pop("presets", config.pop("preset", None))
    lists: list[list[tuple[str, str | None, Any]]] = []
    if names is not None:
        several = names if isinstance(names, list) else [names]
        lists.append([("preset", None, name) for name in several])
    for key, value in config.items():
        inner = value.items() if isinstance(value, dict) else [(None, value)]
        for name, setting in inner:
            several = setting if isinstance(setting, list) else [setting]
            lists.append([(key, name, choice) for choice in several])
    out = []
    for choices in itertools.product(*lists):
        point: dict[str, Any] = {k: {} for k, v in config.items() if isinstance(v, dict)}
        for key, name, choice in choices:
            if name is None:
                if choice is not None:
                    point[key] = choice
            else:
                point[key][name] = choice
        out.append(point)
    return out


def canonical(items: list[Any]) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in items)


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(config=configs(), runtime=st.sampled_from([*ENGINES, "sglang@0.5.6", "vllm@0.11.0"]))
def test_every_point_of_the_grid_reaches_the_engine(config: dict[str, Any], runtime: str) -> None:
    """Merge, make the grid, extract: the configs that were meant; each maps as it would alone."""
    base = {"tp-size": [1, 2], "x": [True]}
    valid, text = autotuner.validate_task_quant_config(config)
    if not valid:
        assert "fp8_format" in text  # the only combination that is an error in itself
        return
    try:
        merged = autotuner.merge_parameters_with_quant_config(base, config)
    except quantmap.ConfigError as error:
        assert error.diagnostics[0].code == "over-limit"
        return
    grid = list(itertools.islice(itertools.product(*merged.values()), 600))
    found = []
    for values in grid:
        params = dict(zip(merged, values))
        rest, one = autotuner.extract_quant_config_from_params(params)
        assert list(rest) == list(base)
        found.append(one or {})
        if len(found) > 6:
            continue
        expected = quantmap.get_runtime_args(runtime, one, rest)
        prepared = autotuner.prepare_runtime_parameters(runtime, params, MODEL)
        if one is None:
            assert prepared == rest
        else:
            assert list(prepared.items()) == [(k.lstrip("-"), v) for k, v in expected.items()]
    if len(grid) < 600:
        assert canonical(found) == canonical(points(config) * 2)


def calls(thing: Any) -> list[Callable[[], Any]]:
    """Every function with a thing in every place."""
    return [
        lambda: autotuner.detect_model_quantization(thing),
        lambda: autotuner.detect_model_quantization(MODEL, thing),
        lambda: autotuner.prepare_experiment_parameters("vllm", thing, {}, MODEL),
        lambda: autotuner.prepare_experiment_parameters("sglang", {}, thing, MODEL),
        lambda: autotuner.prepare_experiment_parameters(thing, {}, {}, MODEL),
        lambda: autotuner.prepare_runtime_parameters("vllm", thing, MODEL),
        lambda: autotuner.prepare_runtime_parameters("vllm", {"__quant__dtype": thing}, MODEL),
        lambda: autotuner.merge_parameters_with_quant_config(thing, {}),
        lambda: autotuner.merge_parameters_with_quant_config({}, thing),
        lambda: autotuner.extract_quant_config_from_params(thing),
        lambda: autotuner.expand_quantization_presets(thing),
        lambda: autotuner.get_quant_config_summary(thing),
        lambda: autotuner.generate_experiment_configs(thing),
        lambda: autotuner.generate_experiment_configs({"base_runtime": "vllm", "model": thing}),
        lambda: autotuner.generate_experiment_configs({**TASK, "parameters": thing}),
        lambda: autotuner.generate_experiment_configs({**TASK, "quant_config": thing}),
    ]


def harmless(thing: Any) -> None:
    for call in calls(thing):
        try:
            call()
        except quantmap.ConfigError as error:
            assert error.diagnostics
    valid, text = autotuner.validate_task_quant_config(thing)
    assert text.startswith("Valid") is valid


@settings(deadline=None, derandomize=True, database=None, max_examples=150)
@given(thing=ANYTHING)
def test_anything_at_all(thing: Any) -> None:
    harmless(thing)


@pytest.mark.parametrize(
    "thing",
    [
        *map(LyingDict, LIES),
        RaisingDict(gemm_dtype="fp8"),
        {RaisingText("gemm_dtype"): RaisingText("fp8")},
        {"presets": [RaisingText("default")], "gemm_dtype": [RaisingText("fp8"), "auto"]},
        RaisingText("vllm"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_objects_with_a_will_of_their_own(thing: Any) -> None:
    harmless(thing)


def test_deep_and_circular() -> None:
    deep: Any = {}
    for _ in range(5000):
        deep = {"kv_cache": deep}
    circular: dict[str, Any] = {}
    circular["kv_cache"] = circular
    for thing in (deep, circular):
        harmless(thing)


def test_threads() -> None:
    cases = [
        (runtime, {"__quant__preset": preset, "tp-size": size}, MODEL, known)
        for runtime in ("vllm", "sglang", "tensorrt_llm", "sglang@0.5.6", "vllm@latest")
        for preset in quantmap.QUANTIZATION_PRESETS
        for size in (1, 2)
        for known in (None, QUANTIZED)
    ]
    logger = logging.getLogger("quantmap")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        expected = [list(autotuner.prepare_runtime_parameters(*case).items()) for case in cases]

        def work(number: int) -> None:
            for offset in range(len(cases)):
                place = (offset + 29 * number) % len(cases)
                found = autotuner.prepare_runtime_parameters(*cases[place])
                assert list(found.items()) == expected[place]

        in_threads(work)
    finally:
        logger.setLevel(before)


FRESH = """\
import sys
before = set(sys.modules)
from quantmap import integration
new = {name.split(".")[0] for name in set(sys.modules) - before}
assert not new & {"logging", "json", "re", "typing", "click", "rich"}, new
found = integration.prepare_experiment_parameters("vllm", {"preset": "dynamic-fp8"}, {}, "m")
print(*found.values())
"""


@pytest.mark.parametrize(
    ("versions", "printed"),
    [(None, "fp8 auto fp8_e5m2"), ("sglang=0.5.6, vllm=0.11.0", "fp8 auto fp8_e4m3")],
)
def test_a_light_import_and_the_variable(versions: str | None, printed: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "QUANTMAP_ENGINE_VERSIONS"}
    if versions is not None:
        environment["QUANTMAP_ENGINE_VERSIONS"] = versions
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FRESH],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == printed
