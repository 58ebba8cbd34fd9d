"""Numbers for the oracles, made of integers alone: every machine makes the same."""

from __future__ import annotations

import numpy as np

# dtype → bits of its mantissa, place of its sign, least exponent used.
LAYOUT = {"bf16": (7, 15, 114), "f16": (10, 15, 4), "f32": (23, 31, 114)}


def bits(kind: str, shape: tuple[int, int], seed: int) -> np.ndarray:
    """Numbers of mixed size, with zeros, ties, a row of zeros and a row of one number."""
    mantissa, top, least = LAYOUT[kind]
    count = shape[0] * shape[1]
    index = np.arange(count, dtype=np.uint64)
    mixed = (index + np.uint64(seed * 7919 + 1)) * np.uint64(0x9E3779B97F4A7C15)
    mixed ^= mixed >> np.uint64(29)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(32)
    sign = mixed & np.uint64(1)
    spread = (mixed >> np.uint64(1)) % np.uint64(10)
    fraction = (mixed >> np.uint64(8)) & np.uint64((1 << mantissa) - 1)
    coarse = fraction & ~np.uint64((1 << (mantissa - 3)) - 1)  # many of them halfway between codes
    fraction = np.where((mixed >> np.uint64(50)) % np.uint64(3) == 0, coarse, fraction)
    out = (sign << np.uint64(top)) | ((spread + np.uint64(least)) << np.uint64(mantissa)) | fraction
    out = np.where((mixed >> np.uint64(40)) % np.uint64(50) == 0, np.uint64(0), out)
    out = out.astype(np.uint32 if kind == "f32" else np.uint16).reshape(shape)
    if shape[0] > 3:
        out[1] = 0
        out[2] = out[0, 0]
    return out
