"""engines/<id>/memory.json and memory.json as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import Writer, ident, text


def _numbers(row: dict[str, Any], keys: Sequence[str]) -> str:
    return ", ".join(str(row.get(key, 0)) for key in keys)


def _flag(row: dict[str, Any], key: str) -> str:
    return str(bool(row.get(key))).lower()


def _unit(row: dict[str, Any]) -> float:
    """Bytes of a number of the log; numbers of other parts are plain."""
    return float(row.get("unit", 1 << 30 if row["part"] in MEMORY_PARTS else 1))


def compile_memory(memory: dict[str, Any] | None, facts: Any, releases: Any, out: Writer) -> str:
    """How an engine divides a GPU's memory."""
    if memory is None:
        return "{}"
    flags = (
        f"{{MemoryRole::{ident(f['role'])}, {text(f['flag'])}, {out.texts(f.get('when', []))}}}"
        for f in memory["flags"]
    )
    batch = (
        f"{{{releases.interval(r)}, {r.get('at_least_mib', 0)}, {r.get('above_context', 0)}, "
        f"{out.texts(r.get('except', []))}, {r['tokens']}, {r['sequences']}, "
        f"{r.get('scored', r['sequences'])}}}"
        for r in memory["batch"]
    )
    sizes = ("mib", "per_gpu_mib", "per_token_mib", "per_sequence_mib", "per_copy_mib")
    captured = ("prefill_mib", "per_prefill_mib", "latent_mib", "floor_mib", "floor_above_mib")
    reserve = (
        f"{{{releases.interval(r)}, {r.get('below_mib', ALL_MEMORY)}, {r.get('tensor', 1)}, "
        f"{r.get('share', 0)}, {_numbers(r, (*sizes, 'large_copy_mib'))}, {_flag(r, 'captures')}, "
        f"{_numbers(r, (*captured, 'draft_mib', 'draft_model_mib'))}}}"
        for r in memory.get("reserve", [])
    )
    graphs = (
        f"{{{releases.interval(r)}, {r.get('below_mib', ALL_MEMORY)}, {r.get('tensor', 1)}, "
        f"{r['sequences']}}}"
        for r in memory.get("graphs", [])
    )
    vision = memory.get("vision", {})
    copies = ("hidden_copies", "mlp_copies", "expert_copies", "score_bytes")
    peak = ("fixed_mib", "peer_mib", *copies, "graph_fixed_mib", "graph_mib")
    peaks = (
        f"{{{releases.interval(r)}, {r.get('at_least_mib', 0)}, {_numbers(r, peak)}, "
        f"{_flag(r, 'graphs_inside')}}}"
        for r in memory["peaks"]
    )
    layouts = (
        f"{{{releases.interval(r)}, CacheRule::{ident(r['rule'])}, "
        f"TokenReport::{ident(r['report'])}, {r['block']}, {r.get('merge', 1)}, "
        f"{_numbers(r, ('states', 'sliding_share', 'state_share'))}, {_flag(r, 'wide_states')}, "
        f"{r.get('lanes', 1)}, {r.get('word', 0)}, {_flag(r, 'told')}, "
        f"{out.texts(r.get('families', []))}}}"
        for r in memory["layouts"]
    )
    padding = (
        f"{{{releases.interval(r)}, {text(r['weight_type'])}, {facts.gpu_mask(r['gpu'])}, "
        f"{r['hidden']}, {r['width']}}}"
        for r in memory.get("padding", [])
    )
    experts = (
        f"{{{releases.interval(r)}, {facts.gpu_mask(r['gpu']) if 'gpu' in r else ANY_GPU}, "
        f"{out.texts(r.get('kernels', []))}, {r['bits']}}}"
        for r in memory.get("experts", [])
    )
    log = (
        f"{{{text(r['part'])}, {text(r['pattern'])}, {_unit(r)}, {r.get('plus_mib', 0)}}}"
        for r in memory.get("log", [])
    )
    band = memory["band"]
    parts = [
        f"FractionOf::{ident(memory['of'])}",
        f"FractionHolds::{ident(memory['holds'])}",
        f"{{{_numbers(vision, ('share', 'slope', 'layers', 'width', 'least', 'most'))}}}",
        f"{{{_numbers(band, ('weights', 'peak', 'mib'))}}}",
        out.array("MemoryFlag", flags),
        out.texts(memory.get("neutral", [])),
        out.array("BatchDefault", batch),
        out.array("MemoryReserve", reserve),
        out.array("LargestGraph", graphs),
        out.array("MemoryPeak", peaks),
        out.array("CacheLayout", layouts),
        out.array("KernelPadding", padding),
        out.array("ExpertStorage", experts),
        out.array("LogLine", log),
        out.texts(memory["evidence"]),
    ]
    return "{" + ", ".join(parts) + "}"


def compile_cuda(document: dict[str, Any], out: Writer) -> str:
    """What CUDA reports of each product."""
    products = (f"{{{text(p['product'])}, {p['gb']}, {p['mib']}}}" for p in document["products"])
    return f"{{{document['lost_mib']}, {out.array('CudaMemory', products)}}}"


MEMORY_PARTS = {"weights", "kv", "graphs", "activations", "outside", "total"}
ALL_MEMORY = "~std::uint64_t{0}"
ANY_GPU = ALL_MEMORY
