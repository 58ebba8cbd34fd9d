"""Recipes and arrays: formats exact, builds and threads alike, bad input refused."""

from __future__ import annotations

import array
import math
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import quantmap
from quantmap import _core

from tests.python.support import REGISTRY

EVERY = np.arange(65536, dtype=np.uint16)
INPUTS = {"bf16": ml_dtypes.bfloat16, "f16": np.float16}
OUTPUTS = {
    "e4m3": ml_dtypes.float8_e4m3fn,
    "e5m2": ml_dtypes.float8_e5m2,
    "e2m1": ml_dtypes.float4_e2m1fn,
}
# Recipes whose scale is 1: what they give back is what a code stands for.
CASTS = {"e4m3": "vllm:kv_fp8_e4m3", "e5m2": "vllm:kv_fp8_e5m2"}


@pytest.mark.parametrize("kind", INPUTS)
def test_every_16_bit_number_is_read(kind: str) -> None:
    ours = np.frombuffer(_core.cast_buffer(EVERY, kind, "f32", False), np.float32)
    theirs = EVERY.view(INPUTS[kind]).astype(np.float32)
    assert np.array_equal(ours, theirs, equal_nan=True)
    finite = np.isfinite(theirs)
    assert np.array_equal(np.signbit(ours[finite]), np.signbit(theirs[finite]))


@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("to", OUTPUTS)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_every_16_bit_number_is_cast_as_ml_dtypes_does(kind: str, to: str) -> None:
    ours = np.frombuffer(_core.cast_buffer(EVERY, kind, to, False), np.uint8)
    theirs = EVERY.view(INPUTS[kind]).astype(np.float32).astype(OUTPUTS[to]).view(np.uint8)
    assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("to", ["bf16", "f16"])
@pytest.mark.filterwarnings("ignore:overflow:RuntimeWarning", "ignore:invalid:RuntimeWarning")
def test_floats_are_rounded_to_16_bits(to: str) -> None:
    bits = EVERY.astype(np.uint32) * np.uint32(65537) ^ np.uint32(0x5A5A)
    numbers = bits.view(np.float32)
    numbers = numbers[np.isfinite(numbers)]
    ours = np.frombuffer(_core.cast_buffer(numbers, "f32", to, False), np.uint16)
    assert np.array_equal(ours, numbers.astype(INPUTS[to]).view(np.uint16))


def test_a_saturating_cast_stops_at_the_largest_number() -> None:
    numbers = np.array([464.1, 1e9, -np.inf, 448, 464, np.nan], np.float32)
    ours = list(_core.cast_buffer(numbers, "f32", "e4m3", True))
    assert ours == [0x7E, 0x7E, 0xFE, 0x7E, 0x7E, 0x7F]
    numbers = np.array([61440, 61439, -np.inf], np.float32)
    assert list(_core.cast_buffer(numbers, "f32", "e5m2", True)) == [0x7B, 0x7B, 0xFB]
    assert list(_core.cast_buffer(numbers, "f32", "e5m2", False)) == [0x7C, 0x7B, 0xFC]


@pytest.mark.parametrize("to", CASTS)
def test_codes_stand_for_what_ml_dtypes_says(to: str) -> None:
    codes = np.arange(256, dtype=np.uint8)
    numbers = codes.view(OUTPUTS[to]).astype(np.float32)
    numbers = numbers[np.isfinite(numbers)].reshape(1, -1)
    assert np.array_equal(quantmap.quantize(numbers, CASTS[to]).dequantize(), numbers)


def numbers(kind: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    """Weights of many sizes, a row of zeros and rows near the least numbers among them."""
    drawn = (np.random.default_rng(seed).standard_t(3, shape) * 0.02).astype(np.float32)
    drawn[:, ::7] *= np.float32(-0.0)
    if len(drawn) > 4:
        drawn[1] *= np.float32(1e-37)
        drawn[2] *= np.float32(1e-6)
        drawn[3] = 0
    types = {"bf16": ml_dtypes.bfloat16, "f16": np.float16, "f32": np.float32}
    return drawn.astype(types[kind])


def raw(values: Any) -> Any:
    """The bits of bfloat16, everything else as it is."""
    return values.view(np.uint16) if values.dtype == ml_dtypes.bfloat16 else values


NAMES = [recipe.name for recipe in quantmap.recipes()]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kind", ["bf16", "f16", "f32"])
def test_builds_and_threads_give_the_same_bits(name: str, kind: str) -> None:
    builds = range(len(_core.kernel_names()))
    shapes = [(5, 256), (131, 384), (1, 1024), (300, 256), (3, 8448)]
    if not quantmap.recipes()[NAMES.index(name)].whole_tiles:  # rests of steps, of tiles, of folds
        shapes += [(5, 33), (2, 63), (7, 4096 + 25), (3, 8192 + 48), (6, 17), (129, 143)]
    for shape in shapes:
        given = raw(numbers(kind, shape))
        results = [
            _core.quantize_buffer(given, kind, *shape, name, threads, build)
            for build in builds
            for threads in (1, 2, 7)
        ]
        assert all(result == results[0] for result in results), shape


@pytest.mark.parametrize("name", NAMES)
def test_odd_shapes(name: str) -> None:
    recipe = quantmap.recipes()[NAMES.index(name)]
    for shape in ((0, 64), (1, 1), (3, 0), (17, 33), (1, 129), (2, 15)):
        given = numbers("f32", shape)
        if recipe.whole_tiles and shape[1] % recipe.tile[1]:
            with pytest.raises(quantmap.ConfigError, match="no multiple"):
                quantmap.quantize(given, name)
            continue
        result = quantmap.quantize(given, name)
        assert result.codes.nbytes == given.size
        back = np.asarray(result.dequantize()).reshape(shape)
        assert np.isfinite(back).all()
        assert (np.abs(back - given) <= np.abs(given).max(initial=0) * 0.6).all()


@pytest.mark.parametrize("name", NAMES)
def test_error_sums_are_those_of_the_numbers(name: str) -> None:
    given = numbers("f32", (40, 512), 7) * np.float32(1.5)
    given[1] = given[0]  # the squares of numbers near the least one are zero
    result = quantmap.quantize(given, name)
    back = np.asarray(result.dequantize(), np.float64)
    wide = given.astype(np.float64)
    sums = _core.measure_buffer(given, "f32", *given.shape, [name], 2, 99)[0]
    assert sums["noise"] == pytest.approx(((wide - back) ** 2).sum(), rel=1e-4)
    assert sums["signal"] == pytest.approx((wide**2).sum(), rel=1e-5)
    assert sums["dot"] == pytest.approx((wide * back).sum(), rel=1e-5)
    assert sums["created"] == ((back == 0) & (given != 0)).sum()
    assert sums["dead_rows"] == (np.abs(given).max(1) == 0).sum()
    error = ((wide - back) ** 2).sum(1) / np.maximum((wide**2).sum(1), 1e-300)
    assert sums["worst_row_error"] == pytest.approx(error.max(), rel=1e-3)
    assert result.sqnr_db == pytest.approx(10 * math.log10(sums["signal"] / sums["noise"]))


def test_a_release_truncates_and_the_next_is_assumed_to_round() -> None:
    row = array.array("f", [127.0, 0.9, -1.5, 1.6])
    old = quantmap.quantize(row, "sglang_jax@0.1.0rc0:int8/channel")
    new = quantmap.quantize(row, "sglang_jax@0.2.0:int8/channel")
    assert old.codes.tolist() == [[127, 0, -1, 1]] and not old.recipe.assumed
    assert new.codes.tolist() == [[127, 1, -2, 2]] and new.recipe.assumed
    newest = quantmap.quantize(row, "sglang-jax:int8/channel").recipe
    assert newest.name == "sglang_jax@0.1.0rc0:int8/channel" and newest.truncates
    later = quantmap.quantize(row, "vllm@0.40:fp8_per_channel").recipe
    assert later.assumed and later.name == "vllm@0.40:fp8_per_channel"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("vlm:mxfp4", "unknown-recipe"),
        ("vllm:mxfp5", "unknown-recipe"),
        ("vllm", "unknown-recipe"),
        ("", "unknown-recipe"),
        ("vllm@x:mxfp4", "not-a-version"),
        ("vllm@0.5.0:mxfp4", "recipe-not-read"),
    ],
)
def test_unknown_recipes(name: str, code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.quantize(array.array("f", [1.0]), name)
    assert [item.code for item in caught.value.diagnostics] == [code]
    assert caught.value.diagnostics[0].hint
    assert REGISTRY[code]["severity"] == "error"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("kind", ["bf16", "f16", "f32"])
def test_what_is_not_finite_is_refused(value: float, kind: str) -> None:
    given = numbers(kind, (700, 64))
    given[501, 3] = value
    given[650, 3] = value
    for name in ("sglang_jax:int8/channel", "vllm:nvfp4", "compressed_tensors:FP8_BLOCK"):
        with pytest.raises(quantmap.ConfigError, match="row 501") as caught:
            quantmap.quantize(raw(given), name, threads=3)
        assert caught.value.diagnostics[0].code == "non-finite-weights"


@pytest.mark.parametrize(
    "given",
    [
        object(),
        [1.0],
        array.array("d", [1.0]),
        np.zeros((4, 4), np.float32).T[:, :2],
        np.float32(1),
        np.zeros(4, np.int8),
    ],
)
def test_arrays_that_cannot_be_read(given: Any) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.quantize(given, "vllm:mxfp4")
    assert caught.value.diagnostics[0].code == "bad-matrix"


def test_bfloat16_is_taken_as_itself_and_as_bits() -> None:
    given = numbers("bf16", (4, 64))
    first = quantmap.quantize(given, "compressed_tensors:INT8")
    again = quantmap.quantize(given.view(np.uint16), "compressed_tensors:INT8")
    assert first.codes.tolist() == again.codes.tolist()


def test_experts_are_rows() -> None:
    given = numbers("f32", (3, 8, 64))
    result = quantmap.quantize(given, "sglang_jax:fp8/moe")
    assert result.codes.shape == (3, 8, 64) and result.scale.shape == (24, 1)


def test_activations_and_the_product() -> None:
    weights, tokens = numbers("f32", (7, 96), 1), numbers("bf16", (5, 96), 2)
    weight = quantmap.quantize(weights, "sglang_jax:int8/channel")
    quantized = quantmap.quantize_activations(tokens, "sglang_jax:int8/token")
    exact = np.asarray(quantized.codes, np.float64) @ np.asarray(weight.codes, np.float64).T
    exact *= np.asarray(quantized.scale) * np.asarray(weight.scale).reshape(1, -1)
    ours = quantmap.quantized_matmul(tokens, weight, "sglang_jax:int8/token")
    assert np.allclose(ours, exact, rtol=2**-8, atol=1e-9)
    alone = quantmap.quantized_matmul(tokens, weight)
    plain = tokens.astype(np.float64) @ np.asarray(weight.dequantize(), np.float64).T
    assert np.allclose(alone, plain, rtol=2**-7, atol=1e-6)


def test_products_that_do_not_fit() -> None:
    weight = quantmap.quantize(numbers("f32", (7, 96)), "sglang_jax:int8/channel")
    blocks = quantmap.quantize(numbers("f32", (7, 96)), "vllm:mxfp4")
    for given, other in ((numbers("f32", (2, 95)), weight), (numbers("f32", (2, 96)), blocks)):
        with pytest.raises(quantmap.ConfigError):
            quantmap.quantized_matmul(given, other)
    with pytest.raises(quantmap.ConfigError, match="recipe for weights"):
        quantmap.quantize_activations(numbers("f32", (2, 96)), "vllm:mxfp4")


@pytest.mark.parametrize("name", ["vllm:nvfp4", "vllm:fp8_per_tensor", "compressed_tensors:FP8"])
def test_a_part_with_the_largest_number_of_the_whole(name: str) -> None:
    given = numbers("f32", (64, 128), 3)
    most = _core.absmax_buffer(given, "f32", 64, 128, 2)
    assert most == np.abs(given).max()
    whole = _core.quantize_buffer(given, "f32", 64, 128, name, 1, 99)
    codes = b""
    for begin in range(0, 64, 16):
        part = given[begin : begin + 16]
        codes += _core.quantize_buffer(part, "f32", 16, 128, name, 1, 99, most)["codes"]
    assert codes == whole["codes"]


def test_codes_of_four_bits_are_packed() -> None:
    assert _core.pack_codes(bytes([0x1, 0x2, 0xF8, 0x7]), False) == bytes([0x21, 0x78])
    assert _core.pack_codes(bytes([0x1, 0x2, 0xF8, 0x7]), True) == bytes([0xA9, 0xF0])


def test_bits_per_weight() -> None:
    by_name = {recipe.scheme: recipe for recipe in quantmap.recipes("vllm")}
    assert by_name["mxfp4"].bits_per_weight(4096, 4096) == 4.25
    assert by_name["nvfp4"].bits_per_weight(4096, 4096) == pytest.approx(4.5, abs=1e-5)
    assert by_name["fp8_per_channel"].bits_per_weight(4096, 4096) == 8 + 32 / 4096
    asymmetric = next(r for r in quantmap.recipes() if r.scheme == "W4A16_ASYM")
    assert asymmetric.bits_per_weight(128, 128) == 4 + 20 / 128


def test_every_scheme_of_the_decision_is_there() -> None:
    names = {(recipe.who, recipe.scheme) for recipe in quantmap.recipes()}
    for who, schemes in {
        "sglang_jax": "int8/channel fp8/block128 int8/moe fp8/token",
        "vllm": "fp8_per_channel fp8_per_tensor fp8_per_block mxfp8 mxfp4 nvfp4",
        "sglang": "fp8_per_channel fp8_per_tensor int8_per_token mxfp4",
        "compressed_tensors": "INT8 FP8 FP8_DYNAMIC FP8_BLOCK W4A16 W4A16_ASYM W8A16 NVFP4A16"
        " MXFP4A16 MXFP8A16",
    }.items():
        assert {(who, scheme) for scheme in schemes.split()} <= names
    assert all(recipe.evidence and recipe.formula for recipe in quantmap.recipes())
    with pytest.raises(quantmap.ConfigError):
        quantmap.recipes("nobody")
