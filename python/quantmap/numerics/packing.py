"""Codes, scales and zero points as a compressed-tensors checkpoint keeps them."""

from __future__ import annotations

import struct

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .recipes import Recipe


def is_packed(recipe: Recipe) -> bool:
    """Whether the format packs several codes into a number."""
    return (recipe.format or "").find("pack") >= 0


def float_bytes(value: float) -> bytes:
    """As a little-endian 32-bit float."""
    return struct.pack("<f", value)


_OFFSET = bytes(code ^ 0x80 for code in range(256))


def coded(codes: bytearray, recipe: Recipe) -> bytes | bytearray:
    """Codes as the format keeps them."""
    if recipe.element in ("i4", "e2m1"):
        return _core.pack_codes(codes, recipe.element == "i4")
    return codes.translate(_OFFSET) if is_packed(recipe) else codes


def scaled(made: dict[str, Any], recipe: Recipe, kind: str) -> bytes | bytearray:
    """Scales as the format keeps them: these are numbers of the weights' type already."""
    if recipe.scale_bits == 8:
        out: bytearray = made["scale_bits"]
        return out
    if recipe.scale_bits == 16:
        return _core.cast_buffer(made["scale"], "f32", kind, False)
    out = made["scale"]
    return out


def zero_points(zeros: list[float], rows: int) -> bytes:
    """Eight rows of one column in a 32-bit number, the first lowest."""
    columns = len(zeros) // rows
    out = bytearray()
    for first in range(0, rows, 8):
        for column in range(columns):
            word = 0
            for row in range(first, min(first + 8, rows)):
                word |= (int(zeros[row * columns + column]) + 8) << (4 * (row - first))
            out += word.to_bytes(4, "little")
    return bytes(out)
