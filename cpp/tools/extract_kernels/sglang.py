"""Reader for SGLang: quantization methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from extract_surface.tree import SourceTree

from . import answers, methods
from .world import Capability, World

_METHODS = "sglang.srt.layers.quantization"


def read(folder: Path, gpus: dict[str, int], choices: dict[str, list[str]]) -> dict[str, Any]:
    """Read one release: ``gpus`` are classes by name, ``choices`` the values of its flags."""
    newest = max(gpus.values())
    world = World(SourceTree(folder), Capability(divmod(newest, 10)), answers.COMMON)
    return {"methods": methods.read(world, _METHODS, choices.get("--quantization", []))}
