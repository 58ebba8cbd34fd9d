"""From error sums to what people read."""

from __future__ import annotations

import math

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def in_db(noise: float) -> float:
    """Noise, as a share of the signal, in dB; infinite without noise."""
    return -10 * math.log10(noise) if noise > 0 else math.inf


def sqnr_db(sums: dict[str, Any]) -> float | None:
    """Signal to noise in dB; None without signal, infinite without noise."""
    if sums["signal"] <= 0:
        return None
    return in_db(sums["noise"] / sums["signal"])


def relative_error(sums: dict[str, Any]) -> float:
    """t²: noise over signal. It adds up over modules, weighted with their signal."""
    return sums["noise"] / sums["signal"] if sums["signal"] > 0 else 0.0


def shrink(sums: dict[str, Any]) -> float | None:
    """How much of the weights is left, <w, ŵ> / <w, w>; below 1 they were made smaller."""
    return sums["dot"] / sums["signal"] if sums["signal"] > 0 else None


def share(sums: dict[str, Any], name: str) -> float:
    """A count as a share of the elements."""
    return sums[name] / sums["elements"] if sums["elements"] else 0.0
