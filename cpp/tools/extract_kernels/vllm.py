"""Reader for vLLM: attention backends, their order, quantization methods."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from extract_surface.tree import SourceTree

from . import answers, attention, methods
from .world import Capability, World

_METHODS = "vllm.model_executor.layers.quantization"
_PLATFORMS = ("rocm", "cpu", "xpu", "tpu")


def read(folder: Path, gpus: dict[str, int], choices: dict[str, list[str]]) -> dict[str, Any]:
    """Read one release: ``gpus`` are classes by name, ``choices`` the values of its flags."""
    tree = SourceTree(folder)
    worlds = {
        gpu: World(tree.again(), Capability(divmod(number, 10)), answers.COMMON)
        for gpu, number in gpus.items()
    }
    out: dict[str, Any] = {}
    first = next(iter(worlds.values()))
    registry = attention.registry(first)
    if registry is not None:
        kv = choices.get("--kv-cache-dtype", [])
        foreign = _foreign(folder)
        out["backends"] = {
            member.name: _backend(worlds, member.name, kv, foreign.get(member.name))
            for member in first.members(registry) or []
        }
        names = {member.name: member.value for member in first.members(registry) or []}
        out["orders"] = _grouped({g: attention.order(w, names, kv) for g, w in worlds.items()})
    out["methods"] = methods.read(first, _METHODS, choices.get("--quantization", []))
    return out


def _backend(
    worlds: dict[str, World], name: str, kv: list[str], platform: str | None
) -> dict[str, Any]:
    out: dict[str, Any] = {}
    if platform:
        out["platform"] = platform
    records: dict[str, Any] = {}
    for gpu, world in worlds.items():
        registry = attention.registry(world)
        assert registry is not None
        members = world.members(registry) or []
        cls = attention.backend_class(world, next(m for m in members if m.name == name))
        if cls is None:
            return {**out, "absent": True}
        out["class"] = f"{cls.module}.{cls.name}"
        if platform:
            break
        records[gpu] = attention.Backend(world, cls, kv).record()
    rows = _grouped({gpu: [row] if row else [] for gpu, row in records.items()})
    return {**out, "takes": rows} if not platform else out


def _grouped(by_gpu: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
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


def _foreign(folder: Path) -> dict[str, str]:
    """Backends that only another platform's file names, with that platform."""
    place = folder / "vllm" / "platforms"
    named = {
        path.stem: set(re.findall(r"\b(?:AttentionBackendEnum|_Backend)\.(\w+)", path.read_text()))
        for path in sorted(place.glob("*.py"))
    }
    own = named.get("cuda", set())
    out: dict[str, str] = {}
    for platform in _PLATFORMS:
        for name in named.get(platform, set()) - own:
            out.setdefault(name, platform)
    return out
