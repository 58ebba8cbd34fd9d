"""Rows of several GPUs, put together."""

from __future__ import annotations

from typing import Any


def grouped(by_gpu: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Put the same rows of several GPUs together, in the order of GPUs."""
    found: list[tuple[list[str], dict[str, Any]]] = []
    for gpu, rows in by_gpu.items():
        for row in rows:
            same = next((gpus for gpus, other in found if other == row), None)
            if same is None:
                found.append(([gpu], row))
            else:
                same.append(gpu)
    return [{"gpus": gpus, **row} for gpus, row in found]
