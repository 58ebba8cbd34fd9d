"""Tensors of safetensors files: where they are and of what type."""

from __future__ import annotations

import json
import operator
import os

from .arrays import Given, problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .recipes import Recipe

# How headers spell the dtypes that can be quantized, and their sizes.
TYPES = {"BF16": "bf16", "F16": "f16", "F32": "f32"}
SIZES = {"BF16": 2, "F16": 2, "F32": 4}
_MOST_HEADER = 100_000_000
_MOST_BAND = 40 << 20  # bytes of the rows that share scales: they are in memory together


class Tensor:
    """One tensor of a file.

    Attributes:
        name: as the file has it.
        file: the file's path.
        dtype: as the header spells it.
        shape: its axes.
        offset: where its bytes begin in the file.
        size: how many bytes it has.
    """

    __slots__ = ("dtype", "file", "name", "offset", "shape", "size")

    def __init__(
        self, name: str, file: str, dtype: str, shape: tuple[int, ...], offset: int, size: int
    ) -> None:
        self.name = name
        self.file = file
        self.dtype = dtype
        self.shape = shape
        self.offset = offset
        self.size = size

    @property
    def elements(self) -> int:
        """How many numbers it has."""
        out = 1
        for length in self.shape:
            out *= length
        return out


def read_header(path: str) -> tuple[list[Tensor], dict[str, Any]]:
    """The tensors of a file in the order of their bytes, and its metadata.

    Raises:
        ConfigError: it cannot be read, or is no safetensors file.
    """
    what = os.path.basename(path)
    hint = "give a safetensors file that is complete"
    try:
        with open(path, "rb") as file:
            end = os.fstat(file.fileno()).st_size
            length = int.from_bytes(file.read(8), "little")
            if end < 8 or length > min(end - 8, _MOST_HEADER):
                raise problem(what, "its header is longer than the file", hint)
            header = json.loads(file.read(length))
    except OSError as error:
        raise problem(what, str(error.strerror or error), "name a file that can be read") from None
    except (ValueError, RecursionError):
        raise problem(what, "its header is not JSON", hint) from None
    metadata = header.pop("__metadata__", {}) if isinstance(header, dict) else {}
    try:
        found = [_tensor(path, name, header[name], 8 + length, end) for name in header]
    except (KeyError, TypeError, OverflowError):
        raise problem(what, "its header is not that of a safetensors file", hint) from None
    out = [tensor for tensor in found if tensor is not None]
    if len(out) < len(found):
        raise problem(what, "the data of a tensor do not fit its shape, or the file", hint)
    out.sort(key=lambda tensor: tensor.offset)
    return out, metadata if isinstance(metadata, dict) else {}


def _tensor(path: str, name: str, entry: Any, start: int, end: int) -> Tensor | None:
    """A tensor of a header; None when its place or its size cannot be."""
    begin, stop = (operator.index(place) for place in entry["data_offsets"])
    shape = tuple(operator.index(size) for size in entry["shape"])
    if not 0 <= begin <= stop <= end - start or any(size < 0 for size in shape):
        return None
    tensor = Tensor(name, path, str(entry["dtype"]), shape, start + begin, stop - begin)
    width = SIZES.get(tensor.dtype)
    return tensor if width is None or tensor.elements * width == tensor.size else None


def refusal(recipe: Recipe, tensor: Tensor) -> str | None:
    """Why a recipe cannot take a matrix of a file, or None."""
    columns, wide = tensor.shape[-1], recipe.tile[1]
    if recipe.whole_tiles and columns % wide:
        return f"{columns} columns are no multiple of {wide}"
    if max(recipe.tile[0], 1) * columns * SIZES[tensor.dtype] > _MOST_BAND:
        return f"rows of {columns} numbers do not fit into the memory for one step"
    return None


def read_tensor(path: str, name: str | None) -> tuple[str, Given]:
    """A tensor's name and its numbers.

    Raises:
        ConfigError: the file cannot be read, has no such tensor, or holds numbers of another kind.
    """
    tensors, _ = read_header(path)
    if name is None and len(tensors) == 1:
        name = tensors[0].name
    found = [tensor for tensor in tensors if tensor.name == name]
    if not found:
        some = ", ".join(repr(tensor.name) for tensor in tensors[:5])
        reason = "it has several tensors" if name is None else f"it has no tensor {name!r}"
        raise problem(os.path.basename(path), reason, f"name one of them, such as {some}")
    tensor = found[0]
    kind = TYPES.get(tensor.dtype)
    if kind is None:
        hint = "quantize the original weights"
        raise problem(repr(tensor.name), f"{tensor.dtype} is no type of weights", hint)
    with open(path, "rb") as file:
        file.seek(tensor.offset)
        data = file.read(tensor.size)
    if len(data) != tensor.size:
        raise problem(repr(tensor.name), "the file got shorter while it was read", "read it again")
    shape = tensor.shape if len(tensor.shape) > 1 else (1, *tensor.shape)
    return repr(tensor.name), Given(memoryview(data), kind, shape or (1, 1))


__all__ = ["SIZES", "TYPES", "Tensor", "read_header", "read_tensor", "refusal"]
