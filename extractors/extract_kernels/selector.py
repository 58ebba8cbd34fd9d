"""vLLM before its backends had predicates: the function that chooses one is asked instead.

It returns the path of a class for a backend that was named (perhaps another one), and for none.
A named backend takes what makes the function return its class, and its constructor not raise.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from typing import Any

from extract_surface.values import ClassValue, Function, Unknown

from .attention import DTYPES, Record, constructor_arguments
from .boxes import boxes, runs
from .world import Refused, World

_HEADS = {"heads": 128, "mla": 576, "sparse_mla": 576}
_SIZES = range(8, 577, 8)
_CUTLASS = "CUTLASS_MLA"
_LATENT = "kv_lora_rank"  # an argument of the constructors for latent attention only

Point = tuple[str, str, bool]


def enumeration(world: World) -> ClassValue | None:
    """Return the names of backends, if this release chooses by them and by V1 alone."""
    found = world.module_name("vllm.platforms.interface", "_Backend")
    return found if isinstance(found, ClassValue) and chooser(world) is not None else None


def chooser(world: World) -> Function | None:
    """Return the function that chooses, if it tells all that is asked here."""
    platform = world.module_name("vllm.platforms.cuda", "CudaPlatformBase")
    found = world.attribute(platform, "get_attn_backend_cls")
    if not isinstance(found, Function):
        return None
    names = {a.arg for a in found.node.args.args}
    return found if {"has_sink", "use_sparse", "use_v1"} <= names else None


class Selector:
    """One release on one GPU."""

    def __init__(self, world: World, kv: Sequence[str]) -> None:
        self.world = world
        self.kv = list(kv)
        self.refused: dict[tuple[str, str, str, bool, int], bool] = {}

    def path(self, named: Any, kind: str, point: Point, head: int) -> str | None:
        """Return the class that the function chooses; ``None`` if it raises, "" if not known."""
        dtype, kv, sinks = point
        function = chooser(self.world)
        assert function is not None
        self.world.steps = 0
        asked = {"selected_backend": named, "head_size": head, "dtype": f"torch.{dtype}",
                 "kv_cache_dtype": kv, "block_size": self.block(named, kind),
                 "use_v1": True, "use_mla": kind != "heads", "has_sink": sinks,
                 "use_sparse": kind == "sparse_mla"}  # fmt: skip
        try:
            found = self.world.call(function, [], asked)
        except Refused:
            return None
        return found if isinstance(found, str) else ""

    def block(self, named: Any, kind: str) -> int:
        """The size of cache blocks that the platform sets before it chooses.

        For CUTLASS, which it expects on SM10x when nothing is named, that is 128.
        """
        if kind == "heads":
            return 16
        expected = getattr(named, "name", None if self.world.capability[0] != 10 else _CUTLASS)
        return 128 if expected == _CUTLASS else 64

    def takes(self, path: str | None, kind: str, kv: str, sinks: bool, head: int) -> bool:
        """Whether the class is for this attention, and its constructor does not raise."""
        if path is None:
            return False
        key = (path, kind, kv, sinks, head)
        if key not in self.refused:
            self.refused[key] = not self._constructs(*key)
        return not self.refused[key]

    def _constructs(self, path: str, kind: str, kv: str, sinks: bool, head: int) -> bool:
        module, _, name = path.rpartition(".")
        cls = self.world.module_name(module, name)
        impl = self.world.ask(cls, "get_impl_cls") if isinstance(cls, ClassValue) else Unknown()
        if not isinstance(impl, ClassValue):
            return True
        init = self.world.class_attribute(impl, "__init__")
        if init and isinstance(init[0], Function):
            spec = init[0].node.args
            names = {a.arg for a in [*spec.args, *spec.kwonlyargs]}
            if not spec.kwarg and (_LATENT in names) != (kind != "heads"):
                return False
        return self.world.construct_or_refuse(impl, constructor_arguments(head, kv, sinks)) is None

    def paths(self, named: Any) -> dict[tuple[str, Point], str | None]:
        """Return what is chosen for every kind of attention and every point."""
        points = list(itertools.product(DTYPES, self.kv, (False, True)))
        return {
            (kind, point): self.path(named, kind, point, head)
            for kind, head in _HEADS.items()
            for point in points
        }

    def differing(self, named: Any) -> Counter[str]:
        """Return the classes that are chosen because the backend is named."""
        default = self.paths(None)
        return Counter(
            path for key, path in self.paths(named).items() if path and path != default[key]
        )

    def record(self, named: Any, own: str) -> list[Record] | None:
        """Return what a named backend takes, by kind of attention; ``None`` if not known."""
        paths = self.paths(named)
        points = list(itertools.product(DTYPES, self.kv, (False, True)))
        if "" in paths.values():
            return None
        out = []
        for kind, head in _HEADS.items():
            good = [
                point for point in points
                if paths[kind, point] == own and self.takes(own, kind, point[1], point[2], head)
            ]  # fmt: skip
            if good:
                out.append(self._row(kind, good, own))
        return out

    def _row(self, kind: str, good: list[Point], path: str | None) -> Record:
        dtypes = [d for d in DTYPES if any(point[0] == d for point in good)]
        kv = [k for k in self.kv if any(point[1] == k for point in good)]
        sinks = any(point[2] for point in good)
        row: Record = {"kind": kind, "dtypes": dtypes, "kv": kv}
        if kind == "heads":
            sizes = [s for s in _SIZES if self.takes(path, kind, kv[0], False, s)]
            if len(sizes) < len(_SIZES):
                row["heads"] = runs(sizes)
        row["sinks"] = sinks
        every = itertools.product(dtypes, kv, (False, True) if sinks else (False,))
        refuses = []
        for box in boxes([point for point in every if point not in good]):
            refused: Record = {}
            if len(box[1]) < len(kv):
                refused["kv"] = [k for k in kv if k in box[1]]
            if sinks and len(box[2]) == 1:
                refused["sinks"] = box[2][0]
            if len(box[0]) < len(dtypes):
                refused["dtypes"] = [d for d in dtypes if d in box[0]]
            refuses.append(refused)
        if refuses:
            row["refuses"] = refuses
        return row

    def orders(self, names: dict[str, str]) -> list[Record]:
        """Return what is chosen when nothing is named: one backend, or several that it may be."""
        found: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
        for kind, kv in itertools.product(("heads", "mla"), self.kv):
            for head in (64, 80, 128, 256) if kind == "heads" else (576,):
                points = itertools.product(DTYPES, (kv,), (False, True))
                paths = {self.path(None, kind, point, head) or "" for point in points}
                if any(path not in names for path in paths):
                    continue
                usual = names[self.path(None, kind, ("bfloat16", kv, False), head) or ""]
                others = sorted(names[path] for path in paths)
                chosen = (usual, *(name for name in others if name != usual))
                found.setdefault(chosen, []).append((kind, head, kv))
        rows = []
        for order, points_of in found.items():
            for kinds, heads, values in boxes(points_of):
                row: Record = {"kind": list(kinds)}
                if "heads" in kinds and len(heads) < 4:
                    row["heads"] = list(heads)
                if len(values) < len(self.kv):
                    row["kv"] = [k for k in self.kv if k in values]
                row["order"] = list(order)
                if len(order) > 1:
                    row["unsure"] = True
                rows.append(row)
        return rows
