"""Quantization methods: the least compute capability and the model's types that each takes."""

from __future__ import annotations

from typing import Any

from extract_surface.values import ClassValue, Function, is_unknown

from .attention import DTYPES
from .world import Refused, World

_PREFIX = "torch."


def record(world: World, cls: ClassValue) -> dict[str, Any]:
    """Return what a method's config class says; what it does not say is absent."""
    out: dict[str, Any] = {"class": f"{cls.module}.{cls.name}"}
    least = world.ask(cls, "get_min_capability")
    if isinstance(least, int) and not isinstance(least, bool):
        out["capability"] = max(least, 0)
    dtypes = world.ask(cls, "get_supported_act_dtypes")
    if isinstance(dtypes, list) and all(str(d).startswith(_PREFIX) for d in dtypes):
        spelt = {"half": "float16", "float": "float32"}
        names = [str(d)[len(_PREFIX) :] for d in dtypes]
        out["dtypes"] = sorted({spelt.get(name, name) for name in names} & set(DTYPES))
    return out


def read(world: World, module: str, names: list[str]) -> dict[str, dict[str, Any]]:
    """Return the methods of a release by name, whatever way the release keeps its registry."""
    out = {}
    table = world.module_name(module, "QUANTIZATION_METHODS")
    function = world.module_name(module, "get_quantization_config")
    known = list(table) if isinstance(table, (list, dict)) else []
    for name in sorted({*names, *(k for k in known if isinstance(k, str))}):
        found = table.get(name) if isinstance(table, dict) else None
        if not isinstance(found, ClassValue) and isinstance(function, Function):
            world.steps = 0
            try:
                found = world.call(function, [name], {})
            except Refused:
                continue
        if isinstance(found, ClassValue) and not is_unknown(found):
            out[name] = record(world, found)
    return out
