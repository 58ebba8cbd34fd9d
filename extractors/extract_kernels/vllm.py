"""Reader for vLLM: attention backends, their order, quantization methods."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

from extract_surface.tree import SourceTree

from . import answers, attention, choice, linear, methods, selector
from .rows import grouped
from .world import Capability, World

_METHODS = "vllm.model_executor.layers.quantization"
_CHOICE = "vllm.platforms.cuda"
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
        out["orders"] = grouped({g: attention.order(w, names, kv) for g, w in worlds.items()})
    elif selector.enumeration(first) is not None:
        out.update(_selected(worlds, choices.get("--kv-cache-dtype", [])))
    out["methods"] = methods.read(first, _METHODS, choices.get("--quantization", []))
    choosing = {
        gpu: choice.Choosing(tree.again(), world.capability, choice.ANSWERS)
        for gpu, world in worlds.items()
    }
    if named := choices.get("--moe-backend", []):
        out["experts"] = choice.named(choosing, named)
    out["experts_taken"] = choice.read(choosing)
    out["linear_taken"] = linear.read(choosing)
    return out


def _selected(worlds: dict[str, World], kv: list[str]) -> dict[str, Any]:
    """Read a release whose backends are chosen by one function."""
    asked = {gpu: selector.Selector(world, kv) for gpu, world in worlds.items()}
    members = {gpu: _members(world) for gpu, world in worlds.items()}
    # Names that the function does not look at fall through to some class: a class belongs to
    # the name that brings it about most often.
    best: dict[str, tuple[int, str]] = {}
    for name in next(iter(members.values())):
        found = [one.differing(members[gpu][name]) for gpu, one in asked.items()]
        for path, count in sum(found, Counter()).most_common(1):
            best[path] = max(best.get(path, (0, "")), (count, name))
    own = {name: path for path, (_, name) in best.items()}
    names = {path: name for name, path in own.items()}
    orders = {gpu: one.orders(names) for gpu, one in asked.items()}
    rows = {
        name: {gpu: one.record(members[gpu][name], path) for gpu, one in asked.items()}
        for name, path in own.items()
    }
    backends: dict[str, dict[str, Any]] = {}
    for name, by_gpu in rows.items():
        row: dict[str, Any] = {"class": f"{_CHOICE}.CudaPlatformBase"}
        known = {gpu: records for gpu, records in by_gpu.items() if records is not None}
        if len(known) == len(by_gpu):
            backends[name] = {**row, "takes": grouped(known)}
    return {"backends": backends, "orders": grouped(orders)}


def _members(world: World) -> dict[str, Any]:
    names = selector.enumeration(world)
    assert names is not None
    return {member.name: member for member in world.members(names) or []}


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
    rows = grouped({gpu: [row] if row else [] for gpu, row in records.items()})
    return {**out, "takes": rows} if not platform else out


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
