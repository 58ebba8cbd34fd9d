"""Bad input ends in a ConfigError that says where; it changes, prints and keeps nothing."""

from __future__ import annotations

import math
from collections import UserDict
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import quantmap

ENGINES = ["vllm", "sglang", "tensorrt_llm"]
BIG = "x" * 10_000_000
UNPRINTABLE = 10**5000
TP = "tensor_parallel_size"
WRAPPER = "quantization_config"
SURROGATE = "\ud800"


@pytest.fixture(autouse=True)
def _nothing_on_stderr(capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    yield
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def circular() -> list[Any]:
    """A list that holds itself."""
    value: list[Any] = []
    value.append(value)
    return value


def problems(call: Callable[[], Any]) -> list[tuple[str, str]]:
    """(code, path) of everything that a call complains about, after looking at the error itself."""
    with pytest.raises(quantmap.ConfigError) as caught:
        call()
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.diagnostics
    text = str(error)
    assert len(text) < 20_000
    for diagnostic in error.diagnostics:
        assert diagnostic.severity == "error"
        assert diagnostic.message
        assert diagnostic.path in text
    return [(diagnostic.code, diagnostic.path) for diagnostic in error.diagnostics]


BAD_CONFIGS: list[tuple[str, Any, str, str]] = [
    # name, config, the expected code and path, a word that the error must hold
    ("list", [], "not-an-object $", "list"),
    ("text", "kv-cache-fp8", "not-an-object $", "string"),
    ("bytes", b"{}", "not-an-object $", "bytes"),
    ("set", {"gemm_dtype"}, "not-an-object $", "set"),
    ("user dict", UserDict(gemm_dtype="fp8"), "not-an-object $", "UserDict"),
    ("key", {"gemm_dtyp": "fp8"}, "unknown-key $.gemm_dtyp", "'gemm_dtype'"),
    ("key case", {"MOE_DTYPE": "fp8"}, "unknown-key $.MOE_DTYPE", "'moe_dtype'"),
    ("nested key", {"moe": {"runner": 1}}, "unknown-key $.moe.runner", "runner_backend"),
    ("big key", {BIG: "fp8"}, "unknown-key", "gemm_dtype"),
    ("fp16", {"gemm_dtype": "fp16"}, "unknown-value $.gemm_dtype", "'float16'"),
    ("bf16", {"moe_dtype": "bf16"}, "unknown-value $.moe_dtype", "'bfloat16'"),
    ("e4m3", {"kvcache_dtype": "e4m3"}, "unknown-value $.kvcache_dtype", "'fp8_e4m3'"),
    ("NUL", {"gemm_dtype": "fp8\0"}, "unknown-value $.gemm_dtype", "'fp8'"),
    ("big value", {"gemm_dtype": BIG}, "unknown-value $.gemm_dtype", "float16"),
    ("preset", {"preset": "kv-cache-fp9"}, "unknown-preset $.preset", "'kv-cache-fp8'"),
    ("big preset", {"preset": BIG}, "unknown-preset $.preset", "dynamic-fp8"),
    ("unhashable preset", {"preset": {"a": []}}, "wrong-type $.preset", "object"),
    ("preset list", {"preset": ["default"]}, "list-of-values $.preset", "plan"),
    ("no presets", {"presets": []}, "empty-presets $.presets", ""),
    ("presets text", {"presets": "default"}, "wrong-type $.presets", "list"),
    ("presets number", {"presets": [3]}, "wrong-type $.presets[0]", "integer"),
    ("presets", {"presets": ["default", "bf16-stable"]}, "several-presets $.presets", "plan"),
    (
        "preset beside presets",
        {"preset": "default", "presets": ["default"]},
        "preset-beside-presets $",
        "",
    ),
    ("values", {"gemm_dtype": ["fp8", "auto"]}, "list-of-values $.gemm_dtype", "plan"),
    ("tuple", {"moe_dtype": ("fp8",)}, "list-of-values $.moe_dtype", "plan"),
    (
        "wrapper beside",
        {WRAPPER: {}, "dtype": "auto"},
        "wrapper-beside-fields $.dtype",
        "quantization_config",
    ),
    (
        "both wrappers",
        {WRAPPER: {}, "quant_config": {}},
        "wrapper-beside-fields $.quant_config",
        "quantization_config",
    ),
    (
        "wrapper in a wrapper",
        {WRAPPER: {WRAPPER: {}}},
        f"duplicate-wrapper $.{WRAPPER}.{WRAPPER}",
        "",
    ),
    (
        "in the wrapper",
        {WRAPPER: {"gemm_dtype": "fp16"}},
        f"unknown-value $.{WRAPPER}.gemm_dtype",
        "'float16'",
    ),
    ("mixed", {"gemm_dtype": "fp8", "dtype": "auto"}, "mixed-forms $", "gemm_dtype"),
    ("mixed preset", {"preset": "default", "kv_cache": {}}, "mixed-forms $", "default"),
    ("NaN", {"gemm_dtype": math.nan}, "not-finite $.gemm_dtype", "NaN"),
    ("digits", {"gemm_dtype": UNPRINTABLE}, "unprintable-integer $.gemm_dtype", ""),
    ("circular", {"gemm_dtype": circular()}, "list-of-values $.gemm_dtype", ""),
    ("deep", {"kv_cache": {"dtype": nested(10_000)}}, "list-of-values $.kv_cache.dtype", ""),
    ("surrogate", {"gemm_dtype": SURROGATE}, "invalid-unicode $.gemm_dtype", ""),
    ("unhashable", {"gemm_dtype": {"a": {1}}}, "wrong-type $.gemm_dtype", "object"),
    ("an object", {"gemm_dtype": object()}, "wrong-type $.gemm_dtype", "type object"),
    ("no method", {"quantization": {}}, "missing-method $.quantization", "'method'"),
    ("section", {"quantization": []}, "wrong-type $.quantization", "object"),
    (
        "formats",
        {"kv_cache": {"dtype": "fp8_e5m2", "fp8_format": "e4m3"}},
        "conflicting-fp8-format $.kv_cache.fp8_format",
        "fp8_e5m2",
    ),
    (
        "size bool",
        {"parallelism": {TP: True}},
        "wrong-type $.parallelism." + TP,
        "integer",
    ),
    (
        "size digits",
        {"parallelism": {TP: UNPRINTABLE}},
        "unprintable-integer $.parallelism." + TP,
        "",
    ),
    (
        "size huge",
        {"parallelism": {TP: 10**40}},
        "out-of-range $.parallelism." + TP,
        "8",
    ),
]


@pytest.mark.parametrize(
    ("config", "expected", "word"),
    [pytest.param(*row[1:], id=row[0]) for row in BAD_CONFIGS],
)
def test_bad_config(config: Any, expected: str, word: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: quantmap.resolve_quant_config(config),
        lambda: quantmap.map_to_vllm_args(config),
        lambda: quantmap.map_to_engine_args(config, "tensorrt_llm"),
        lambda: quantmap.explain("sglang", config),
        lambda: quantmap.get_runtime_args(runtime="sglang", quant_config=config),
    ]
    found = [problems(call) for call in calls]
    assert all(one == found[0] for one in found)
    ((code, path),) = found[0]
    assert f"{code} {path}".startswith(expected)
    good, text = quantmap.validate_quant_config(config)
    assert good is False
    assert not text.startswith("Valid")
    assert word in text
    assert path in text


@pytest.mark.parametrize("key", [1, None, 2.5, True, (1, 2), b"gemm_dtype", SURROGATE])
def test_keys_that_are_not_text(key: Any) -> None:
    for call in (
        lambda: quantmap.get_runtime_args("vllm", {key: "fp8"}),
        lambda: quantmap.get_runtime_args("vllm", {"kv_cache": {key: "fp8"}}),
        lambda: quantmap.get_runtime_args("vllm", {}, {key: 1}),
        lambda: quantmap.get_runtime_args("vllm", {}, {"x": {key: 1}}),
    ):
        ((code, path),) = problems(call)
        assert code in {"non-string-key", "invalid-unicode"}
        assert path not in {"", "$"}


WRONG_RUNTIMES = ["", None, 7, [], {}, b"vllm", SURROGATE, math.nan, object()]


@pytest.mark.parametrize(
    ("runtime", "known"),
    [("sglan", "sglang"), ("vlm", "vllm"), ("tensorrt", "tensorrt_llm"), (BIG, "sglang")]
    + [
        (wrong, "engine|Unicode|finite")
        for wrong in ("", None, 7, [], {}, b"vllm", SURROGATE, math.nan, object())
    ],
)
def test_unknown_engine(runtime: Any, known: str) -> None:
    for call in (
        lambda: quantmap.get_runtime_args(runtime, {}),
        lambda: quantmap.map_to_engine_args({}, runtime),
        lambda: quantmap.validate_config_for_engine({}, runtime),
        lambda: quantmap.explain(runtime, {}),
    ):
        with pytest.raises(quantmap.ConfigError, match=known) as caught:
            call()
        ((diagnostic,)) = caught.value.diagnostics
        assert diagnostic.path == "runtime"
        assert len(str(caught.value)) < 2000


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ("not-a-version", {"engine_version": "half past nine"}),
        ("not-a-version", {"engine_version": ""}),
        ("not-a-version", {"engine_version": "0.5.2\0"}),
        ("not-a-version", {"engine_version": "9" * 100_000 + "x"}),
        ("version-too-old", {"engine_version": "0.0.0.1"}),
        ("wrong-type", {"engine_version": 0.5}),
        ("wrong-type", {"engine_version": ["0.5.2"]}),
        ("unknown-gpu", {"gpu": "H1000", "engine_version": "latest"}),
        ("unknown-gpu", {"gpu": "", "engine_version": "latest"}),
        ("unknown-gpu", {"gpu": -1, "engine_version": "latest"}),
        ("unknown-gpu", {"gpu": 10**30, "engine_version": "latest"}),
        ("unknown-gpu", {"gpu": "9" * 100_000, "engine_version": "latest"}),
        ("wrong-type", {"gpu": ["H100"], "engine_version": "latest"}),
        ("wrong-type", {"checkpoint": ["awq"]}),
        ("bad-policy", {"policy": "severe"}),
        ("needs-version", {"gpu": "H100"}),
        ("needs-version", {"policy": "strict"}),
        ("needs-version", {"policy": "literal"}),
    ],
)
def test_what_is_wrong_around_the_config(code: str, wrong: dict[str, Any]) -> None:
    expected = [(code, next(iter(wrong)))]
    assert problems(lambda: quantmap.get_runtime_args("sglang", {}, **wrong)) == expected
    assert problems(lambda: quantmap.explain("sglang", {}, **wrong)) == expected


@pytest.mark.parametrize("runtime", ["sglang@", "vllm==x", "vllm@0.11.0@0.12.0", "vllm@\n"])
def test_a_bad_version_suffix(runtime: str) -> None:
    ((code, path),) = problems(lambda: quantmap.get_runtime_args(runtime, {}))
    assert (code in ("not-a-version", "unknown-engine"), path) == (True, "runtime")


BAD_PARAMETERS: list[tuple[str, Any, tuple[str, str]]] = [
    ("list", [], ("wrong-type", "user_parameters")),
    ("NaN", {"x": math.nan}, ("not-finite", "user_parameters.x")),
    ("infinite", {"x": -math.inf}, ("not-finite", "user_parameters.x")),
    ("NaN in a list", {"x": [math.nan]}, ("not-finite", "user_parameters.x[0]")),
    ("NaN in a dict", {"x": {"y": math.nan}}, ("not-finite", "user_parameters.x.y")),
    ("digits", {"x": UNPRINTABLE}, ("unprintable-integer", "user_parameters.x")),
    ("digits inside", {"x": [[UNPRINTABLE]]}, ("unprintable-integer", "user_parameters.x[0][0]")),
    ("NUL", {"x": "a\0b"}, ("nul-character", "user_parameters.x")),
    ("surrogate", {"x": SURROGATE}, ("invalid-unicode", "user_parameters.x")),
    ("10 MB", {"x": BIG}, ("too-large", "user_parameters.x")),
    ("set", {"x": {1}}, ("wrong-type", "user_parameters.x")),
    ("bytes", {"x": b"1"}, ("wrong-type", "user_parameters.x")),
    ("complex", {"x": 1j}, ("wrong-type", "user_parameters.x")),
    ("no name", {"": 1}, ("bad-parameter-name", "user_parameters['']")),
    ("blank", {"a b": 1}, ("bad-parameter-name", "user_parameters['a b']")),
    ("equals", {"a=1": 1}, ("bad-parameter-name", "user_parameters['a=1']")),
]


@pytest.mark.parametrize(
    ("parameters", "expected"), [pytest.param(*row[1:], id=row[0]) for row in BAD_PARAMETERS]
)
def test_bad_parameters(parameters: Any, expected: tuple[str, str]) -> None:
    for engine in ENGINES:
        assert problems(lambda: quantmap.get_runtime_args(engine, {}, parameters)) == [expected]  # noqa: B023
    assert problems(lambda: quantmap.merge_parameters({}, parameters)) == [expected]


@pytest.mark.parametrize("value", [nested(65), nested(100_000), circular(), {"a": nested(99)}])
def test_deep_parameters(value: Any) -> None:
    ((code, path),) = problems(lambda: quantmap.get_runtime_args("sglang", {}, {"x": value}))
    assert code == "too-deep"
    assert path.startswith("user_parameters.x")


def test_an_enormous_parameter_is_cut() -> None:
    value: list[Any] = [1]
    for _ in range(50):
        value = [value] * 50
    ((code, path),) = problems(lambda: quantmap.get_runtime_args("sglang", {}, {"x": value}))
    assert code == "too-large"
    assert path.startswith("user_parameters.x")


def test_all_problems_at_once() -> None:
    config = {"gemm_dtype": "fp16", "kvcache": "fp8", "moe_dtype": ["fp8"], "attention_dtype": 3}
    found = problems(lambda: quantmap.get_runtime_args("sglan", config, {"x": math.nan, "": 1}))
    assert sorted(found) == [
        ("bad-parameter-name", "user_parameters['']"),
        ("list-of-values", "$.moe_dtype"),
        ("not-finite", "user_parameters.x"),
        ("unknown-engine", "runtime"),
        ("unknown-key", "$.kvcache"),
        ("unknown-value", "$.gemm_dtype"),
        ("wrong-type", "$.attention_dtype"),
    ]


def test_a_million_problems_are_not_printed() -> None:
    config = {f"k{number}": 1 for number in range(50_000)}
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.get_runtime_args("sglang", config)
    assert len(caught.value.diagnostics) <= 50_000
