"""The compiled mapper against the slow, obvious reference: exhaustive, then at random."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.python.support import (
    ENGINES,
    FIELDS,
    FOUR,
    QUANTIZED,
    UNIFIED,
    four_field_configs,
    pairs,
)
from tests.reference import mapper
from tests.reference.config import ReferenceConfigError

Answer = dict[str, Any]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nobody reads the warnings here: codes come from explain."""
    logger = logging.getLogger("quantmap")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(level)


def ours(runtime: Any, *arguments: Any) -> Answer:
    """What the package says about a launch."""
    try:
        fast = quantmap.get_runtime_args(runtime, *arguments)
    except quantmap.ConfigError as error:
        return {"error": sorted([item.code, item.path] for item in error.diagnostics)}
    mapping = quantmap.explain(runtime, *arguments)
    assert pairs(fast) == pairs(mapping.args)
    codes = [diagnostic.code for diagnostic in mapping.diagnostics]
    return {"args": pairs(mapping.args), "env": mapping.env, "warnings": codes}


def theirs(runtime: Any, *arguments: Any) -> Answer:
    """What the reference says about it."""
    try:
        result = mapper.get_runtime_args(runtime, *arguments)
    except ReferenceConfigError as error:
        return {"error": sorted([code, path] for code, path in error.problems)}
    return {"args": pairs(result.args()), "env": result.env, "warnings": result.warnings}


# Beside a preset that could not be read, or keys of both forms, what else is wrong depends on what
# was meant: these follow-up errors may be reported there or not.
UNREADABLE = {"mixed-forms", "empty-presets", "several-presets", "unknown-preset", "list-of-values"}
UNREADABLE |= {"preset-beside-presets", "wrong-type"}
FOLLOW_UPS = {"missing-method", "mixed-forms", "conflicting-fp8-format"}


def certain(answer: Answer) -> Answer:
    """An answer without errors that depend on another."""
    errors = answer.get("error", [])
    if UNREADABLE.isdisjoint(code for code, _ in errors):
        return answer
    return {"error": [item for item in errors if item[0] not in FOLLOW_UPS]}


def agree(runtime: Any, *arguments: Any) -> None:
    """Asserts that both say the same."""
    left, right = ours(runtime, *arguments), theirs(runtime, *arguments)
    assert certain(left) == certain(right), (runtime, arguments)


@pytest.mark.parametrize("model", [None, QUANTIZED])
@pytest.mark.parametrize("engine", ENGINES)
def test_every_four_field_config(engine: str, model: str | None) -> None:
    configs = list(four_field_configs())
    assert len(configs) == 2352
    for config in configs:
        agree(engine, config, None, model)


def unified(**settings_: Any) -> dict[str, Any]:
    """A unified config from field ids; None leaves a field out."""
    out: dict[str, Any] = {}
    for name, value in settings_.items():
        if value is not None:
            place = out.setdefault(FIELDS[name]["section"], {}) if FIELDS[name]["section"] else out
            place[FIELDS[name]["key"]] = value
    return out


METHODS = FIELDS["method"]["options"]
OPTIONAL: dict[str, list[Any]] = {
    field["id"]: [None, *field["options"]] for field in UNIFIED if field["kind"] == "option"
}
OPTIONAL.update({name: [None, True, False] for name in ("enable_marlin",)})


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "names",
    [
        ("fp8_variant", "enable_marlin", "fallback_method"),
        ("enable_marlin", "fallback_method", "base_quantization"),
        ("kv_dtype", "fp8_format", "dtype", "fp8_variant"),
        ("moe_quantization", "moe_runner", "attention_backend"),
        ("weight_bits", "activation_bits", "activation_dtype", "fmha"),
        ("gguf_variant", "fp8_format", "attention_backend", "moe_quantization"),
    ],
)
def test_every_unified_config_of_some_fields(engine: str, names: tuple[str, ...]) -> None:
    for method in METHODS:
        for values in itertools.product(*(OPTIONAL[name] for name in names)):
            agree(engine, unified(method=method, **dict(zip(names, values))))


def member(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A value of a field; now and then a wrong one, or null."""
    wrong: list[Any] = [None, "no", 3, 0, -1, True, 1.5, [], ["fp8"], {}]
    right: st.SearchStrategy[Any]
    if field["kind"] == "option":
        right = st.sampled_from(field["options"])
    elif field["kind"] == "integer":
        right = st.integers(field["minimum"], min(field["maximum"], 16))
    elif field["kind"] == "fraction":
        right = st.floats(0.01, 1.0)
    else:
        right = st.booleans() if field["kind"] == "boolean" else st.just("a name")
    return st.one_of(*([right] * 12), st.sampled_from(wrong))


def config_of(fields: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A config of some of the fields, as nested as they are."""
    top = {field["key"]: member(field) for field in fields if not field["section"]}
    for section in dict.fromkeys(field["section"] for field in fields if field["section"]):
        inner = {field["key"]: member(field) for field in fields if field["section"] == section}
        some = st.fixed_dictionaries({}, optional=inner)
        top[section] = st.one_of(*([some] * 12), st.sampled_from([None, [], "x", {"no": 1}]))
    return st.fixed_dictionaries({}, optional=top)


PRESET_NAMES = st.sampled_from([*quantmap.QUANTIZATION_PRESETS, "no-preset"])
PRESET_KEYS: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries({"preset": st.one_of(PRESET_NAMES, st.none())}),
    st.fixed_dictionaries({"presets": st.lists(PRESET_NAMES, max_size=2)}),
)
CONFIGS = st.builds(
    lambda preset, config: {**preset, **config},
    PRESET_KEYS,
    st.one_of(config_of(FOUR), config_of(UNIFIED)),
)
WRAPPED = st.builds(lambda config: {"quantization_config": config}, CONFIGS)
KEYS = ["tp-size", "tp_size", "-tp", "--dtype", "kv_cache_dtype", "kv-cache-dtype", "x", "a b", ""]
KEYS += ["tensor_parallel_size", "--quant-algo", "-q", "ep_size", "x.y", "--"]
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just("\0")
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text("ab", max_size=2), inner, max_size=2)
    ),
    max_leaves=5,
)
PARAMETERS = st.one_of(st.none(), st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=4))
MODELS = st.sampled_from([None, "", "none", "AWQ", " gptq ", "fp8", {"quant_method": "awq"}, {}, 3])
RUNTIMES = st.sampled_from(
    [name for engine in ENGINES for name in (engine, engine.upper())] + ["trtllm", "trt-llm", "no"]
)


@settings(max_examples=1500, deadline=None)
@given(RUNTIMES, st.one_of(CONFIGS, WRAPPED, st.none()), PARAMETERS, MODELS)
def test_any_launch(runtime: str, config: Any, parameters: Any, model: Any) -> None:
    agree(runtime, config, parameters, model)


@settings(max_examples=500, deadline=None)
@given(st.one_of(CONFIGS, WRAPPED))
def test_any_config(config: Any) -> None:
    try:
        expected = mapper.resolve_quant_config(config)
    except ReferenceConfigError:
        assert quantmap.validate_quant_config(config)[0] is False
        return
    assert quantmap.validate_quant_config(config)[0] is True
    resolved = quantmap.resolve_quant_config(config)
    assert json.dumps(resolved, sort_keys=True) == json.dumps(expected, sort_keys=True)
    for engine in ENGINES:
        fit = quantmap.validate_config_for_engine(config, engine)
        assert fit is mapper.validate_config_for_engine(config, engine)
        sizes = quantmap.map_to_engine_args(config, engine)
        assert pairs(sizes) == pairs(mapper.map_to_engine_args(config, engine).args())
