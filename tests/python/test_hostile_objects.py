"""Objects that are out to do harm: whatever they are, a ConfigError at worst, and no trace."""

from __future__ import annotations

import gc
import logging
import marshal
import math
import sys
import types
import weakref
from collections import OrderedDict, UserDict
from collections.abc import Iterator
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st

ENGINES = ["vllm", "sglang", "tensorrt_llm"]
UNPRINTABLE = 10**5000


class LyingDict(dict):  # type: ignore[type-arg]
    """A dict whose items() is not about items at all."""

    def __init__(self, lie: Any) -> None:
        super().__init__(gemm_dtype="fp8")
        self.lie = lie

    def items(self) -> Any:
        return self.lie


LIES: list[Any] = [[1, 2, 3], [()], [("gemm_dtype",)], [("a", 1, 2)], [["a", 1]], 7, None, "ab"]


class RaisingDict(dict):  # type: ignore[type-arg]
    """A dict that refuses to be walked."""

    def items(self) -> Any:
        raise RuntimeError("no items for you")

    keys = values = __iter__ = items  # type: ignore[assignment]


class RaisingList(list):  # type: ignore[type-arg]
    """A list that refuses to be walked."""

    def __iter__(self) -> Any:
        raise RuntimeError("no elements for you")


class RaisingText(str):
    """A text that refuses to be compared."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("no comparison for you")

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    "config",
    [
        *[LyingDict(lie) for lie in LIES],
        RaisingDict(gemm_dtype="fp8"),
        {"gemm_dtype": RaisingList(["fp8"])},
        {"gemm_dtype": RaisingText("fp8")},
        {RaisingText("gemm_dtype"): "fp8"},
        *[types.MappingProxyType(LyingDict(lie)) for lie in LIES],
        types.MappingProxyType(RaisingDict(gemm_dtype="fp8")),
        types.MappingProxyType(UserDict(gemm_dtype="fp8")),
    ],
    ids=lambda config: type(config).__name__,
)
def test_objects_with_a_will_of_their_own(config: Any) -> None:
    """Whether it is taken for its content or refused, nothing but a ConfigError comes out."""
    for call in (
        lambda: quantmap.get_runtime_args("sglang", config),
        lambda: quantmap.get_runtime_args("sglang", {}, config),
        lambda: quantmap.get_runtime_args("sglang", {}, {"x": config}),
        lambda: quantmap.get_runtime_args("sglang", {}, None, config),
    ):
        try:
            assert isinstance(call(), dict)
        except quantmap.ConfigError as error:
            assert error.diagnostics
    assert isinstance(quantmap.validate_quant_config(config), tuple)


def test_dicts_of_other_kinds_are_dicts() -> None:
    plain = {"gemm_dtype": "fp8"}
    expected = quantmap.get_runtime_args("sglang", plain)
    assert quantmap.get_runtime_args("sglang", OrderedDict(plain)) == expected
    assert quantmap.get_runtime_args("sglang", types.MappingProxyType(plain)) == expected


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.none().map(lambda _: UNPRINTABLE),
    st.floats(),
    st.text(max_size=8),
    st.text(alphabet=st.characters(), max_size=3),
    st.binary(max_size=3),
    st.sampled_from(["fp8", "auto", "fp16", "default", "awq", "\ud800", {1}, frozenset(), 1j, ...]),
)
NAMES = (
    "gemm_dtype moe_dtype preset presets quantization_config quantization kv_cache dtype method "
    "parallelism tensor_parallel_size x tp-size"
)
KEYS = st.one_of(
    st.sampled_from(NAMES.split()),
    st.text(max_size=4),
    st.integers(),
    st.none(),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(KEYS, inner, max_size=4),
    ),
    max_leaves=12,
)


@settings(deadline=None, derandomize=True, database=None, max_examples=400)
@given(runtime=st.one_of(st.sampled_from(ENGINES), ANYTHING), rest=st.tuples(*[ANYTHING] * 3))
def test_anything_at_all(runtime: Any, rest: tuple[Any, Any, Any]) -> None:
    config, parameters, model = rest
    before = marshal.dumps((runtime, rest), 2)
    valid, text = quantmap.validate_quant_config(config)
    assert text.startswith("Valid") is valid
    for call in (
        lambda: quantmap.get_runtime_args(runtime, config, parameters, model),
        lambda: quantmap.get_runtime_args("sglang", config, parameters, model),
        lambda: quantmap.explain(runtime, config, parameters, model).args,
        lambda: quantmap.map_to_engine_args(config, runtime),
        lambda: quantmap.resolve_quant_config(config),
        lambda: quantmap.merge_parameters({}, parameters),
        lambda: quantmap.expand_preset(config),
        lambda: quantmap.should_apply_dynamic_fp8(config, model),
    ):
        try:
            assert isinstance(call(), (dict, bool))
        except quantmap.ConfigError as error:
            assert error.diagnostics
    try:
        quantmap.resolve_quant_config(config)
        assert valid
    except quantmap.ConfigError:
        assert not valid
    assert marshal.dumps((runtime, rest), 2) == before


class Tracked:
    """Something wrong that can be watched."""


def test_nothing_is_kept() -> None:
    for place in (
        lambda wrong: quantmap.get_runtime_args(wrong, {}),
        lambda wrong: quantmap.get_runtime_args("vllm", {"gemm_dtype": wrong}),
        lambda wrong: quantmap.get_runtime_args("vllm", {}, {"x": [{"y": wrong}]}),
        lambda wrong: quantmap.validate_quant_config({"preset": wrong}),
        lambda wrong: quantmap.get_runtime_args("vllm", {}, None, wrong),
    ):
        wrong = Tracked()
        watch = weakref.ref(wrong)
        try:
            place(wrong)
        except quantmap.ConfigError as error:
            assert error.diagnostics
        del wrong
        gc.collect()
        assert watch() is None


@pytest.fixture(name="_quiet")
def _quiet_logger() -> Iterator[None]:
    """Warnings are made and go nowhere: a record that a handler keeps would look like a leak."""
    logger = logging.getLogger("quantmap")

    def drop(_: logging.LogRecord) -> bool:
        return False

    logger.addFilter(drop)
    yield
    logger.removeFilter(drop)


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        ({"gemm_dtype": "fp8"}, {"tp-size": 2, "x": [[1]], "y": 0.5}),
        ({"preset": "universal-fp8", "dtype": "auto"}, {"x": {"a": [1, None]}}),
        ({"gemm_dtype": "fp16", "a": 1}, {"x": math.nan}),
        ([], {"": 1}),
    ],
)
@pytest.mark.usefixtures("_quiet")
def test_nothing_leaks(config: Any, parameters: Any) -> None:
    def calls() -> None:
        for _ in range(300):
            for engine in ENGINES:
                try:
                    quantmap.get_runtime_args(engine, config, parameters)
                    quantmap.explain(engine, config, parameters)
                except quantmap.ConfigError:
                    pass

    calls()
    values = [*parameters.values(), *(config.values() if isinstance(config, dict) else ())]
    counts = [sys.getrefcount(value) for value in values]

    def growth() -> int:
        gc.collect()
        before = sys.getallocatedblocks()
        calls()
        gc.collect()
        return sys.getallocatedblocks() - before

    # The interpreter fills caches of its own; a leak grows in every round.
    grown = min(growth(), growth(), growth())
    assert grown < 200, f"{grown} blocks more after 900 calls"
    more = [sys.getrefcount(value) - count for value, count in zip(values, counts)]
    assert max(more, default=0) < 100, f"{more} references more after 3600 calls"
