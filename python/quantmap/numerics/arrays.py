"""Arrays through a recipe, and back."""

from __future__ import annotations

import os
import sys

from .. import _core
from ..errors import ConfigError
from .recipes import Recipe, find_recipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Quantized", "quantize", "quantize_activations", "quantized_matmul"]

_FORMATS = {"f": "f32", "e": "f16", "H": "bf16"}
_SIZES = {"f32": 4, "f16": 2, "bf16": 2}
_BEST = 99  # beyond the last build of the kernels: the best one
_MOST_COLUMNS = 1 << 24


class Given:
    """An array as the core reads it: its bytes, the type of a number, its shape."""

    __slots__ = ("shape", "type", "view")

    def __init__(self, view: memoryview, kind: str, shape: tuple[int, ...]) -> None:
        self.view = view
        self.type = kind
        self.shape = shape

    @property
    def columns(self) -> int:
        """The length of the last axis, which scales run along."""
        return self.shape[-1]

    @property
    def rows(self) -> int:
        """How many rows there are, all other axes taken together."""
        out = 1
        for size in self.shape[:-1]:
            out *= size
        return out


def problem(value: str, reason: str, hint: str) -> ConfigError:
    """The error of an array that cannot be quantized."""
    context = {"value": value, "reason": reason, "hint": hint}
    return ConfigError([_core.make_diagnostic("bad-matrix", "weights", context)])


def given(array: Any, what: str = "the array") -> Given:
    """An array of any library that shares its memory."""
    try:
        view = memoryview(_plain(array))
    except (TypeError, ValueError, BufferError):
        hint = "give a NumPy array, or any object with a buffer"
        raise problem(what, f"{type(array).__name__} has no buffer", hint) from None
    kind = _FORMATS.get(view.format.lstrip("@=<") if sys.byteorder == "little" else view.format)
    if kind is None:
        hint = "give 32-bit or 16-bit floats, or the bits of bfloat16 as uint16"
        raise problem(what, f"numbers of format {view.format!r} are not read", hint)
    if not view.c_contiguous:
        raise problem(what, "it is not contiguous", "give a contiguous copy")
    if view.ndim == 0:
        raise problem(what, "it has no axis", "give a vector or a matrix")
    shape = tuple(view.shape or (0,))
    if shape[-1] > _MOST_COLUMNS:
        raise problem(what, f"a row has more than {_MOST_COLUMNS} numbers", "reshape it")
    return Given(view, kind, shape if len(shape) > 1 else (1, *shape))


def _plain(array: Any) -> Any:
    """The same memory under a type that a buffer can name: bfloat16 becomes its bits."""
    name = str(getattr(array, "dtype", ""))
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        array = array.detach().contiguous()
        if array.dtype == torch.bfloat16:
            return array.view(torch.int16).numpy().view("uint16")
        return array.numpy()
    return array.view("uint16") if name == "bfloat16" else array


def whole(recipe: Recipe, shape: tuple[int, ...], what: str) -> None:
    """Refuse a size that the recipe cannot cut into tiles."""
    if recipe.whole_tiles and shape[-1] % recipe.tile[1]:
        reason = f"{shape[-1]} columns are no multiple of {recipe.tile[1]}"
        raise problem(what, reason, f"{recipe.scheme} takes whole groups only; leave it out")


class Quantized:
    """Codes and scales of one array.

    The arrays are memory views: ``numpy.asarray`` takes them without a copy.

    Attributes:
        codes: one code for each number: signed for integers, else the bits of the small float.
        scale: one 32-bit float for each tile, in a grid.
        scale_bits: the scales as they are stored in one byte each (e8m0, e4m3), or None.
        zero: the zero point of each tile, or None.
        global_scale: the scale over all scales of recipes with two levels, else 1.
        recipe: what was done.
        shape: of the array.
    """

    __slots__ = (
        "_sums",
        "codes",
        "global_scale",
        "recipe",
        "scale",
        "scale_bits",
        "shape",
        "zero",
    )

    def __init__(self, recipe: Recipe, shape: tuple[int, ...], data: dict[str, Any]) -> None:
        grid = tuple(data["grid"])
        signed = recipe.element in ("i8", "i4")
        self.recipe = recipe
        self.shape = shape
        self.codes = _shaped(data["codes"], "b" if signed else "B", shape)
        self.scale = _shaped(data["scale"], "f", grid)
        bits, zero = data["scale_bits"], data["zero"]
        self.scale_bits = None if bits is None else _shaped(bits, "B", grid)
        self.zero = None if zero is None else _shaped(zero, "f", grid)
        self.global_scale: float = data["global"]
        self._sums: dict[str, Any] = data["sums"]

    @property
    def sqnr_db(self) -> float | None:
        """Signal to quantization noise of the numbers, in dB; None where there is none to divide.

        Returns:
            float | None: ``10·log10(Σw² / Σ(w - ŵ)²)``.
        """
        from .sums import sqnr_db

        return sqnr_db(self._sums)

    def dequantize(self) -> memoryview:
        """The numbers that the codes stand for, as 32-bit floats.

        Returns:
            memoryview: in the shape of the array.
        """
        data = _core.dequantize_buffer(
            self.codes.cast("B") if self.codes.nbytes else b"",
            self.shape[-1],
            self.scale if self.scale.nbytes else b"",
            self.zero if self.zero is None or self.zero.nbytes else b"",
            self.global_scale,
            self.recipe.name,
        )
        return _shaped(data, "f", self.shape)

    def __repr__(self) -> str:
        return f"Quantized({self.recipe.name!r}, shape={self.shape!r})"


def _shaped(data: bytearray, kind: Any, shape: tuple[int, ...]) -> memoryview:
    """Bytes as an array; a memory view cannot hold an axis of length zero."""
    view = memoryview(data)
    return view.cast(kind, shape=list(shape)) if view.nbytes else view.cast(kind)


def _threads(threads: int | None) -> int:
    return max(1, threads if threads is not None else len(_cpus()))


def _cpus() -> set[int] | range:
    try:
        return os.sched_getaffinity(0)
    except AttributeError:
        return range(os.cpu_count() or 1)


def quantize(
    array: Any,
    recipe: str | Recipe,
    *,
    tensor: str | None = None,
    threads: int | None = None,
) -> Quantized:
    """Quantize an array, or a tensor of a safetensors file, as an engine does.

    Scales run along the last axis: a weight is given as checkpoints hold it, outputs by inputs.

    Args:
        array: anything with a buffer of 32-bit or 16-bit floats (NumPy, torch, ``array``);
            bfloat16 as ``ml_dtypes`` or as the bits in uint16. A string or a path names a
            safetensors file.
        recipe: such as ``sglang_jax@0.1.0rc0:int8/channel``; without a release the newest that was
            read. See `recipes`.
        tensor: which tensor of a file; needed when there are several.
        threads: how many; the result does not depend on it. None: one for each processor.

    Returns:
        Quantized: codes, scales and what is needed to go back.

    Raises:
        ConfigError: the recipe is not known, the array cannot be read, or a number is not finite.

    Example:
        >>> import array
        >>> row = array.array("f", [127.0, -0.9, 1.5, 0.2])
        >>> quantmap.quantize(row, "sglang_jax@0.1.0rc0:int8/channel").codes.tolist()
        [[127, 0, 1, 0]]
        >>> quantmap.quantize(row, "compressed_tensors:INT8").dequantize().tolist()[0][0]
        126.50196075439453
    """
    chosen = find_recipe(recipe)
    what = "the array"
    if isinstance(array, (str, os.PathLike)):
        from .files import read_tensor

        what, array = read_tensor(os.fspath(array), tensor)
    matrix = array if isinstance(array, Given) else given(array, what)
    whole(chosen, matrix.shape, what)
    data = _core.quantize_buffer(
        matrix.view if matrix.view.nbytes else b"",
        matrix.type,
        matrix.rows,
        matrix.columns,
        chosen.name,
        _threads(threads),
        _BEST,
    )
    return Quantized(chosen, matrix.shape, data)


def quantize_activations(
    array: Any, recipe: str | Recipe, *, threads: int | None = None
) -> Quantized:
    """Quantize activations as an engine does at run time: tokens by features.

    Args:
        array: the activations, as `quantize` takes arrays.
        recipe: one for activations or for a KV cache, such as ``sglang_jax:int8/token``.
        threads: how many; None: one for each processor.

    Returns:
        Quantized: codes, and a scale for each token (or part of one).

    Raises:
        ConfigError: the recipe is not known or is one for weights, the array cannot be read, or a
            number is not finite.

    Example:
        >>> import array
        >>> tokens = memoryview(array.array("f", [1.0, 2.0, -4.0, 0.5])).cast("B").cast("f", [2, 2])
        >>> quantmap.quantize_activations(tokens, "sglang:int8_per_token").codes.tolist()
        [[64, 127], [-127, 16]]
    """
    chosen = find_recipe(recipe)
    if chosen.use == "weight":
        hint = "quantmap.recipes() says what each is for"
        raise problem("the array", f"{chosen.name} is a recipe for weights", hint)
    return quantize(array, chosen, threads=threads)


def quantized_matmul(
    activations: Any, weight: Quantized, recipe: str | Recipe | None = None
) -> memoryview:
    """The product of a quantized linear layer: codes times codes, then the scales.

    This is a reference: it is slow, and adds up in 32-bit floats in the order of the features.

    Args:
        activations: tokens by features, as `quantize` takes arrays.
        weight: outputs by features, one scale for each output or for all of them.
        recipe: how activations are quantized, one scale for each token; None leaves them as they
            are.

    Returns:
        memoryview: tokens by outputs, rounded to the type of the activations, as 32-bit floats.

    Raises:
        ConfigError: shapes or scales do not fit, or one of the arrays cannot be read.

    Example:
        >>> import array
        >>> weight = quantmap.quantize(array.array("f", [1.0, -2.0]), "sglang_jax:fp8/channel")
        >>> quantmap.quantized_matmul(array.array("f", [3.0, 1.0]), weight).tolist()
        [[1.0]]
    """
    tokens = given(activations, "the activations")
    outputs = weight.scale.nbytes // 4
    if tokens.columns != weight.shape[-1] or len(weight.shape) != 2:
        reason = f"{tokens.columns} features against weights of shape {weight.shape}"
        raise problem("the product", reason, "give tokens by features and outputs by features")
    if outputs not in (1, weight.shape[0]) or weight.zero is not None or weight.recipe.two_levels:
        hint = "quantize the weight by channel or by tensor"
        raise problem("the product", f"{weight.recipe.scheme} has scales inside a row", hint)
    codes: Any = tokens.view if tokens.view.nbytes else b""
    scale: Any = b""
    kind, element = tokens.type, ""
    if recipe is not None:
        quantized = quantize_activations(activations, recipe)
        if quantized.scale.nbytes // 4 != tokens.rows:
            hint = "take a recipe with one scale for each token"
            raise problem("the product", f"{quantized.recipe.scheme} has scales inside a row", hint)
        codes, element = quantized.codes, quantized.recipe.element
        scale = quantized.scale
    data = _core.matmul_buffer(
        codes,
        element or kind,
        scale,
        tokens.rows,
        tokens.columns,
        weight.codes,
        weight.recipe.element,
        weight.scale,
        weight.shape[0],
        kind,
    )
    return _shaped(data, "f", (tokens.rows, weight.shape[0]))
