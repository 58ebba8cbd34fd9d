"""vLLM's attention backends: what each takes on each GPU, and the order in which they are tried."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from extract_surface.values import ClassValue, EnumMember, External, Instance, Unknown, is_unknown

from .boxes import HEAD_SIZES, boxes, runs
from .world import Refused, World

DTYPES = ("float16", "bfloat16", "float32")
_REGISTRIES = ("vllm.v1.attention.backends.registry", "vllm.attention.backends.registry")
_PLATFORM = "vllm.platforms.cuda"
_SINKS = Instance(External("world.Sinks"), {})
# Head sizes that combinations are asked for: every common one, by models of today.
_ASKED_HEADS = (64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 512, 576)
_KINDS = {(False, False): "heads", (True, False): "mla", (True, True): "sparse_mla",
          (False, True): "sparse_heads"}  # fmt: skip

Record = dict[str, Any]


def registry(world: World) -> ClassValue | None:
    """Return the enumeration of backends, if the release has one."""
    for module in _REGISTRIES:
        found = world.module_name(module, "AttentionBackendEnum")
        if isinstance(found, ClassValue):
            return found
    return None


def backend_class(world: World, member: EnumMember) -> ClassValue | None:
    """Return the class that a member names, or ``None`` if the release has no such class."""
    path = member.value
    if not isinstance(path, str) or "." not in path:
        return None
    module, _, name = path.rpartition(".")
    found = world.module_name(module, name)
    return found if isinstance(found, ClassValue) else None


def constructor_arguments(head: int, kv: str, sinks: bool) -> Record:
    """Return what a layer gives to the constructor of an attention implementation."""
    return {"num_heads": 128, "head_size": head, "scale": 1.0, "num_kv_heads": 8,
            "alibi_slopes": None, "sliding_window": None, "kv_cache_dtype": kv,
            "logits_soft_cap": None, "attn_type": "decoder",
            "kv_sharing_target_layer_name": None, "sinks": _SINKS if sinks else None}  # fmt: skip


class Backend:
    """One backend on one GPU, asked by its own predicates."""

    def __init__(self, world: World, cls: ClassValue, kv: Sequence[str]) -> None:
        self.world = world
        self.cls = cls
        self.all_kv = kv

    def record(self) -> Record | None:
        """Return what the backend takes; ``None`` if it takes nothing on this GPU."""
        world, cls = self.world, self.cls
        fits = world.ask(cls, "supports_compute_capability", world.capability)
        if fits is False:
            return None
        mla, sparse = world.ask(cls, "is_mla"), world.ask(cls, "is_sparse")
        kv, maybe_kv = self._taken("supports_kv_cache_dtype", {n: n for n in self.all_kv})
        dtypes, odd = self._taken("supports_dtype", {n: f"torch.{n}" for n in DTYPES})
        sizes, odd_sizes = self._taken("supports_head_size", {size: size for size in HEAD_SIZES})
        sinks = world.ask(cls, "supports_sink")
        asked = {"gpu": fits, "kind": mla, "sparse": sparse, "sinks": sinks}
        unsure = [key for key, found in asked.items() if is_unknown(found)]
        if odd or odd_sizes:
            unsure.append("dtypes" if odd else "heads")
        out: Record = {"kind": _KINDS.get((mla is True, sparse is True))}
        out["dtypes"] = [*dtypes, *odd]
        out["kv"] = kv
        if maybe_kv:
            out["maybe_kv"] = maybe_kv
        sizes = sorted([*sizes, *odd_sizes])
        if len(sizes) < len(HEAD_SIZES):
            out["heads"] = runs(sizes)
        out["sinks"] = sinks is not False
        refused = self._refused(out, [s for s in _ASKED_HEADS if s in sizes])
        if refused:
            out["refuses"] = refused
        if unsure:
            out["unsure"] = unsure
        return out if (kv or maybe_kv) and out["dtypes"] and sizes else None

    def _taken(self, predicate: str, values: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
        """Return the values that a predicate takes, and those of which it is not known."""
        answers = {key: self.world.ask(self.cls, predicate, value) for key, value in values.items()}
        taken = [key for key, answer in answers.items() if answer is True]
        return taken, [key for key, answer in answers.items() if is_unknown(answer)]

    def _refused(self, taken: Record, heads: list[int]) -> list[Record]:
        """Combinations that a backend refuses although it takes each of their parts."""
        sinks = (False, True) if taken["sinks"] else (False,)
        bad = {
            (kv, sink, head, dtype)
            for dtype in taken["dtypes"]
            for sink in sinks
            for head in (heads if self._overrides() else heads[:1])
            for kv in taken["kv"]
            if self._combination(taken["kind"], head, dtype, kv, sink) is not None
        }
        if not self._overrides():
            bad = {(kv, sink, head, dtype) for kv, sink, _, dtype in bad for head in heads}
        bad |= self._by_constructor(taken, sinks, heads)
        whole = {"kv": taken["kv"], "sinks": sinks, "heads": heads, "dtypes": taken["dtypes"]}
        out = []
        for box in boxes(bad):
            row: Record = {}
            for (key, every), values in zip(whole.items(), box):
                if len(values) < len(every):
                    row[key] = [v for v in every if v in values]
            if "sinks" in row:
                row["sinks"] = row["sinks"][0]
            out.append(row)
        return out

    def _overrides(self) -> bool:
        found = self.world.class_attribute(self.cls, "supports_combination")
        return bool(found) and found[1].name not in ("AttentionBackend", "MLACommonBackend")

    def _combination(self, kind: str, head: int, dtype: str, kv: str, sink: bool) -> str | None:
        if not self._overrides():
            return None
        answer = self.world.ask(
            self.cls, "supports_combination", head_size=head, dtype=f"torch.{dtype}",
            kv_cache_dtype=kv, block_size=None, use_mla=kind.endswith("mla"), has_sink=sink,
            use_sparse=kind.startswith("sparse"), use_mm_prefix=False,
            device_capability=self.world.capability,
        )  # fmt: skip
        if answer is None or is_unknown(answer):
            return None
        return str(answer)

    def _by_constructor(
        self, taken: Record, sinks: Sequence[bool], heads: list[int]
    ) -> set[tuple[Any, ...]]:
        """What the implementation's constructor raises at, if it does not raise at everything."""
        impl = self.world.ask(self.cls, "get_impl_cls")
        if not isinstance(impl, ClassValue) or not heads:
            return set()
        head = 128 if 128 in heads else heads[-1]
        raising = set()
        for kv, sink in itertools.product(taken["kv"], sinks):
            if self.world.construct_or_refuse(impl, constructor_arguments(head, kv, sink)):
                raising.add((kv, sink))
        if len(raising) == len(taken["kv"]) * len(sinks):
            return set()
        return {(k, s, h, d) for k, s in raising for h in heads for d in taken["dtypes"]}


def order(world: World, members: dict[str, str], kv: Sequence[str]) -> list[Record]:
    """Return the order of choice: for a kind of attention, values of the KV cache, head sizes."""
    function = world.module_name(_PLATFORM, "_get_backend_priorities")
    if is_unknown(function):
        return []
    found: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for mla in (False, True):
        for head in (128, 256, 512, 576):
            for value in kv:
                answers = {
                    _names(_priorities(world, function, mla, value, head, heads), members)
                    for heads in (16, 128)
                }
                key = min(answers, key=lambda names: (len(names), names))
                found.setdefault((key, len(answers) > 1), []).append(
                    ("mla" if mla else "heads", head, value)
                )
    rows = []
    for (names, unsure), points in found.items():
        for kinds, heads, values in boxes(points):
            row: Record = {"kind": list(kinds)}
            if len(heads) < 4:
                row["heads"] = list(heads)
            if len(values) < len(kv):
                row["kv"] = [v for v in kv if v in values]
            row["order"] = list(names)
            if unsure or not names:
                row["unsure"] = True
            rows.append(row)
    return sorted(rows, key=lambda row: (row["kind"], str(row.get("kv")), str(row.get("heads"))))


def _priorities(
    world: World, function: Any, mla: bool, kv: str, head: int, heads: int
) -> list[Any]:
    asked = {"use_mla": mla, "device_capability": world.capability, "num_heads": heads,
             "kv_cache_dtype": kv, "head_size": head, "use_non_causal": False,
             "use_mm_prefix": False}  # fmt: skip
    names = {a.arg for a in function.node.args.args}
    world.steps = 0
    try:
        answer = world.call(function, [], {k: v for k, v in asked.items() if k in names})
    except Refused:
        return []
    return answer if isinstance(answer, list) else [Unknown("order")]


def _names(answer: list[Any], members: dict[str, str]) -> tuple[str, ...]:
    names = [member.name for member in answer if isinstance(member, EnumMember)]
    return tuple(names) if len(names) == len(answer) else ()
