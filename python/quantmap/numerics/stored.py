"""How the compressed-tensors format keeps codes, scales and zero points."""

from __future__ import annotations

import json
import struct

from .. import _core
from .files import SIZES, Tensor
from .modules import WEIGHT
from .recipes import Recipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Part = tuple[str, str, list[int], int]  # name, dtype, shape, bytes


_SEVERAL = "mixed-precision"  # how the format calls several forms in one checkpoint


def section(chosen: dict[str, Recipe], left: list[str]) -> dict[str, Any]:
    """``quantization_config`` of config.json, for tensors and their recipes."""
    forms: dict[tuple[str | None, ...], list[str]] = {}
    for name, recipe in chosen.items():
        form = (recipe.format, recipe.stored_weights, recipe.stored_activation)
        forms.setdefault(form, []).append(name[: -len(WEIGHT)])
    groups = {}
    for index, ((kept, weights, activation), names) in enumerate(forms.items()):
        groups[f"group_{index}"] = {
            "targets": ["Linear"] if len(forms) == 1 else names,
            "weights": json.loads(weights or "{}"),
            "input_activations": json.loads(activation) if activation else None,
            "output_activations": None,
            "format": kept,
        }
    return {
        "quant_method": "compressed-tensors",
        "format": groups["group_0"]["format"] if len(forms) == 1 else _SEVERAL,
        "quantization_status": "compressed",
        "config_groups": groups,
        "ignore": left,
        "kv_cache_scheme": None,
    }


def packed(recipe: Recipe) -> bool:
    """Whether several codes stand in one number."""
    return (recipe.format or "").find("pack") >= 0


def parts(tensor: Tensor, recipe: Recipe) -> list[Part]:
    """What stands in the file instead of a weight."""
    rows, columns = tensor.shape
    name = tensor.name
    tall, wide = recipe.tile[0] or rows, recipe.tile[1] or columns
    grid = [-(-rows // tall), -(-columns // wide)]
    shape = [1] if recipe.tile == (0, 0) else grid
    count = grid[0] * grid[1]
    scale = "F8_E4M3" if recipe.two_levels else "U8" if recipe.scale_bits == 8 else "F32"
    scale = tensor.dtype if recipe.scale_bits == 16 else scale
    width = 1 if recipe.scale_bits == 8 else SIZES[scale]
    four = recipe.element in ("i4", "e2m1")
    integers = recipe.element in ("i8", "i4")
    size = rows * columns // 2 if four else rows * columns
    if not packed(recipe):
        code = "I8" if integers else "F8_E4M3"
        return [
            (name, code, [rows, columns], size),
            (f"{name}_scale", scale, shape, count * width),
        ]
    if integers:
        out: list[Part] = [(f"{name}_packed", "I32", [rows, size // rows // 4], size)]
    else:
        out = [(f"{name}_packed", "U8", [rows, columns // 2], size)]
    out.append((f"{name}_scale", scale, shape, count * width))
    if recipe.two_levels:
        out.append((f"{name}_global_scale", "F32", [1], 4))
    if integers:
        out.append((f"{name}_shape", "I64", [2], 16))
    if recipe.zero_points:
        high = -(-rows // 8)
        out.append((f"{name}_zero_point", "I32", [high, grid[1]], high * grid[1] * 4))
    return out


def as_float(value: float) -> bytes:
    """A 32-bit float."""
    return struct.pack("<f", value)


_OFFSET = bytes(code ^ 0x80 for code in range(256))


def coded(codes: bytearray, recipe: Recipe) -> bytes | bytearray:
    """Codes as the format keeps them."""
    if recipe.element in ("i4", "e2m1"):
        return _core.pack_codes(codes, recipe.element == "i4")
    return codes.translate(_OFFSET) if packed(recipe) else codes


def scaled(made: dict[str, Any], recipe: Recipe, kind: str) -> bytes | bytearray:
    """Scales as the format keeps them: these are numbers of the weights' type already."""
    if recipe.scale_bits == 8:
        out: bytearray = made["scale_bits"]
        return out
    if recipe.scale_bits == 16:
        return _core.cast_buffer(made["scale"], "f32", kind, False)
    out = made["scale"]
    return out


def zero_points(zeros: bytearray, rows: int) -> bytes:
    """Eight rows of one column in a 32-bit number, the first lowest; ``zeros`` are floats."""
    given = memoryview(zeros).cast("f")
    columns = len(given) // rows
    out = bytearray()
    for first in range(0, rows, 8):
        for column in range(columns):
            word = 0
            for row in range(first, min(first + 8, rows)):
                word |= (int(given[row * columns + column]) + 8) << (4 * (row - first))
            out += word.to_bytes(4, "little")
    return bytes(out)
