"""User parameters against an oracle that spells the rules out.

The rules: a key gets dashes when it has none; a key that names a derived flag replaces it in place
under the derived spelling; the last of two keys for one flag wins in the place of the first; None
and empty lists are left out before anything else; a list counts with its first element; dicts and
lists of lists are JSON text; True and False stay; the rest is what ``str()`` gives.
"""

from __future__ import annotations

import copy
import json
import logging
from random import Random
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st

ENGINES = ["vllm", "sglang", "tensorrt_llm"]
CONFIGS: list[Any] = [
    {},
    {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2", "attention_dtype": "fp8"},
    {"moe_dtype": "w4afp8", "gemm_dtype": "bfloat16"},
    {"preset": "dynamic-fp8", "kvcache_dtype": "int8"},
    {"preset": "sglang-marlin-moe"},
    {"parallelism": {"tensor_parallel_size": 2, "pipeline_parallel_size": 3}},
]
LEFT_OUT = object()

check = settings(deadline=None, derandomize=True, database=None, max_examples=300)


@pytest.fixture(autouse=True, scope="module")
def _quiet() -> Any:
    logger = logging.getLogger("quantmap")
    level = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(level)


def expected_value(value: Any) -> Any:
    """What one user value becomes."""
    if value is None:
        return LEFT_OUT
    if isinstance(value, bool):
        return value
    if isinstance(value, (int, float, str)):
        return str(value)
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"))
    if not value:
        return LEFT_OUT
    if isinstance(value[0], (list, tuple)):
        return json.dumps(value, separators=(",", ":"))
    return expected_value(value[0])


def same_flag(key: str) -> str:
    """What two spellings of one flag have in common, knowing dashes and underscores only."""
    return key.lstrip("-").replace("_", "-")


def expected(derived: dict[str, Any], parameters: dict[str, Any]) -> list[tuple[str, Any]]:
    """Derived arguments with user parameters on top, one step at a time."""
    out = list(derived.items())
    for key, value in parameters.items():
        becomes = expected_value(value)
        if becomes is LEFT_OUT:
            continue
        for place, (flag, _) in enumerate(out):
            if same_flag(flag) == same_flag(key):
                out[place] = (flag, becomes)
                break
        else:
            out.append((key if key.startswith("-") else "--" + key, becomes))
    return out


JSON_TEXT = st.text(max_size=6)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), FINITE, JSON_TEXT),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(JSON_TEXT, inner, max_size=3)
    ),
    max_leaves=8,
)
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), FINITE, TEXT)
VALUES = st.one_of(
    PLAIN,
    st.lists(PLAIN, max_size=3),
    st.tuples(PLAIN, PLAIN),
    st.lists(st.lists(JSON, max_size=2), min_size=1, max_size=3),
    st.dictionaries(JSON_TEXT, JSON, max_size=3),
    st.lists(st.dictionaries(JSON_TEXT, JSON, max_size=2), max_size=2),
)


def spellings(flag: str) -> list[str]:
    """The ways to write a flag with dashes and underscores."""
    name = flag.lstrip("-")
    return [flag, name, name.replace("-", "_"), "--" + name.replace("-", "_")]


OTHER_NAMES = st.from_regex(r"\A(--)?zz[-_a-z0-9.]{0,8}[a-z0-9]\Z")


@st.composite
def launches(draw: st.DrawFn) -> tuple[str, Any, dict[str, Any]]:
    """An engine, a config, and parameters of which some name what the config derives."""
    engine = draw(st.sampled_from(ENGINES))
    config = draw(st.sampled_from(CONFIGS))
    derived = quantmap.explain(engine, config).args
    keys = st.one_of(
        st.sampled_from(["zz-a-b", "zz_a_b", "--zz-a_b", "-z"]),
        st.sampled_from([spelt for flag in derived for spelt in spellings(flag)] or ["zz"]),
        OTHER_NAMES,
    )
    return engine, config, draw(st.dictionaries(keys, VALUES, max_size=6))


@check
@given(launch=launches())
def test_against_the_oracle(launch: tuple[str, Any, dict[str, Any]]) -> None:
    engine, config, parameters = launch
    before = copy.deepcopy((config, parameters))
    derived = quantmap.get_runtime_args(engine, config)
    wanted = expected(derived, parameters)
    got = quantmap.get_runtime_args(engine, config, parameters)
    assert list(got.items()) == wanted
    assert [type(value) for value in got.values()] == [type(value) for _, value in wanted]
    assert list(quantmap.explain(engine, config, parameters).args.items()) == wanted
    assert list(quantmap.merge_parameters(derived, parameters).items()) == wanted
    assert list(quantmap.merge_parameters(derived, parameters, runtime=engine).items()) == wanted
    assert (config, parameters) == before


@check
@given(value=st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers()))
def test_numbers_are_printed_as_python_prints_them(value: float) -> None:
    got = quantmap.get_runtime_args("sglang", None, {"x": value, "y": [value], "z": [[value]]})
    assert got["--x"] == got["--y"] == str(value)
    assert got["--z"] == json.dumps([[value]], separators=(",", ":"))


@pytest.mark.parametrize(
    "value",
    [
        *[0.1 + 0.2, 1e16, 1e15, 123456789012345680.0, 1e22, 1e23, 5e-324, 1.7976931348623157e308],
        *[1e-4, 1e-5, 0.00012345, -0.0, 2.0, 1e100, 2**53 + 0.0, 2**63, -(2**63), 2**64, 10**300],
    ],
)
def test_numbers_that_are_easy_to_get_wrong(value: float) -> None:
    got = quantmap.get_runtime_args("vllm", None, {"x": value, "j": {"n": value}})
    assert got["--x"] == str(value)
    assert got["--j"] == json.dumps({"n": value}, separators=(",", ":"))


@check
@given(parameters=st.dictionaries(OTHER_NAMES, VALUES, max_size=6))
def test_argv(parameters: dict[str, Any]) -> None:
    mapping = quantmap.explain("sglang", None, parameters)
    words: list[str] = []
    for flag, value in mapping.args.items():
        if value is not False:
            text = str(value)  # with a dash in front it would be read as a flag
            pair = [f"{flag}={text}"] if text.startswith("-") else [flag, text]
            words += [flag] if value is True else pair
    assert mapping.argv() == words


@pytest.mark.parametrize(
    ("engine", "config", "key", "flag"),
    [
        ("vllm", {"gemm_dtype": "fp8"}, "-q", "--quantization"),
        ("vllm", {"preset": "universal-fp8"}, "-tp", "--tensor-parallel-size"),
        ("vllm", {}, "kv_cache_dtype", "--kv-cache-dtype"),
        ("sglang", {"preset": "universal-fp8"}, "tensor-parallel-size", "--tp-size"),
        ("sglang", {"preset": "universal-fp8"}, "--tensor_parallel_size", "--tp-size"),
    ],
)
def test_aliases_replace_in_place(engine: str, config: Any, key: str, flag: str) -> None:
    derived = quantmap.get_runtime_args(engine, config)
    assert flag in derived
    wanted = [(name, "7" if name == flag else value) for name, value in derived.items()]
    assert list(quantmap.get_runtime_args(engine, config, {key: 7}).items()) == wanted
    merged = quantmap.merge_parameters(derived, {key: 7}, runtime=engine)
    assert list(merged.items()) == wanted
    # The derived value stays when the user's is left out.
    assert quantmap.get_runtime_args(engine, config, {key: None}) == derived


def test_without_an_engine_aliases_are_not_known() -> None:
    merged = quantmap.merge_parameters({"--tp-size": "2"}, {"tensor-parallel-size": 4})
    assert merged == {"--tp-size": "2", "--tensor-parallel-size": "4"}


def test_two_keys_for_one_flag(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="quantmap")
    got = quantmap.get_runtime_args("sglang", {}, {"zz_a": 1, "x": 5, "zz-a": [2, 7], "y": 6})
    assert list(got.items())[2:] == [("--zz_a", "2"), ("--x", "5"), ("--y", "6")]
    (message,) = caplog.messages
    assert "zz_a" in message
    assert "zz-a" in message


def test_two_aliases_for_one_flag(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="quantmap")
    got = quantmap.get_runtime_args("sglang", {}, {"tensor-parallel-size": 2, "x": 1, "tp-size": 4})
    assert list(got.items())[2:] == [("--tensor-parallel-size", "4"), ("--x", "1")]
    assert len(caplog.messages) == 1


def test_changed_between_calls() -> None:
    """The same objects with other content give another answer."""
    config = {"gemm_dtype": "fp8"}
    parameters: dict[str, Any] = {"x": 1}
    first = quantmap.get_runtime_args("sglang", config, parameters)
    config["gemm_dtype"] = "bfloat16"
    parameters["x"] = [2]
    second = quantmap.get_runtime_args("sglang", config, parameters)
    assert (first["--dtype"], second["--dtype"]) == ("auto", "bfloat16")
    assert (first["--x"], second["--x"]) == ("1", "2")
    second.clear()
    assert quantmap.get_runtime_args("sglang", config, parameters)["--x"] == "2"
    assert first["--quantization"] == "fp8"


def test_after_thousands_of_names() -> None:
    """However many names a process has seen, two of them for one flag are noticed."""
    for number in range(3000):
        quantmap.get_runtime_args("sglang", {}, {f"filler_{number}": 1})
    random = Random(7)
    for number in range(2000):
        names = [f"n{'x' * random.randrange(12)}_{number}_{k}" for k in range(random.randrange(5))]
        first = f"{'a' * random.randrange(1, 14)}_{number}"
        parameters = {key: 1 for key in random.sample([first, *names], len(names) + 1)}
        parameters[first.replace("_", "-")] = 2
        got = quantmap.get_runtime_args("sglang", {}, parameters)
        assert got == {
            **quantmap.get_runtime_args("sglang", {}),
            **{f"--{name}": "1" for name in names},
            f"--{first}": "2",
        }


@pytest.mark.parametrize(
    "key",
    [
        "tp_size",
        "tp-size",
        "tensor_parallel_size",
        "tensor-parallel-size",
        "--tensor-parallel-size",
    ],
)
@pytest.mark.parametrize("version", ["0.20.0", "1.0.0", "1.3.0rc3"])
def test_every_name_of_a_size_replaces_the_derived_one_in_a_release(key: str, version: str) -> None:
    """The long names are in no release before 1.3.0rc3; what they mean is known all the same."""
    config = {"parallelism": {"tensor_parallel_size": 2}}
    for asked in (config, {}):
        mapping = quantmap.explain(f"tensorrt_llm@{version}", asked, {key: 4})
        assert mapping.argv() == ["--tp_size", "4"]
        assert not [item for item in mapping.diagnostics if item.severity == "error"]
