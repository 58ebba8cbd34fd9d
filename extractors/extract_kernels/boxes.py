"""Sets of points as few products of plain sets, and head sizes as runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Point = tuple[Any, ...]
Box = tuple[tuple[Any, ...], ...]

HEAD_SIZES = range(4, 1025, 4)
_STEPS = (64, 32, 16, 8, 4)


def boxes(points: Iterable[Point]) -> list[Box]:
    """Cover a set of points exactly by products: one tuple of values for each dimension.

    Example:
        >>> boxes([("a", 1), ("a", 2), ("b", 1), ("b", 2), ("c", 1)])
        [(('a', 'b'), (1, 2)), (('c',), (1,))]
    """
    found = set(points)
    if not found:
        return []
    if len(next(iter(found))) == 1:
        return [(tuple(sorted((p[0] for p in found), key=str)),)]
    rests: dict[Any, set[Point]] = {}
    for point in found:
        rests.setdefault(point[0], set()).add(point[1:])
    groups: dict[tuple[Box, ...], list[Any]] = {}
    for value in sorted(rests, key=str):
        groups.setdefault(tuple(boxes(rests[value])), []).append(value)
    return [(tuple(values), *rest) for inner, values in groups.items() for rest in inner]


def runs(sizes: Sequence[int]) -> list[list[int]]:
    """Return head sizes as ``[first, last, step]``: the multiples of a step between two ends.

    Example:
        >>> runs([8, 16, 24, 512]), runs([64, 128])
        ([[8, 24, 8], [512, 512, 512]], [[64, 64, 64], [128, 128, 128]])
    """
    left = sorted(sizes)
    out: list[list[int]] = []
    while left:
        first, best = left[0], [left[0], left[0], left[0]]
        for step in _STEPS:
            if first % step:
                continue
            last, have = first, set(left)
            while last + step in have:
                last += step
            between = {size for size in left if first <= size <= last}
            if last >= first + 2 * step and all(size % step == 0 for size in between):
                best = [first, last, step]
                break
        out.append(best)
        left = [size for size in left if not (best[0] <= size <= best[1])]
    return out
