"""Generated tables of attention backends, one row for what a backend takes on some GPUs."""

from __future__ import annotations

from typing import Any

from _checked import releases, span, stretches
from _render import code, codes, table
from quantmap import _core

ATTENTION = {"heads": "heads", "mla": "MLA", "sparse_mla": "sparse MLA"}


def known(engine: dict[str, Any]) -> bool:
    """Whether an engine's attention backends were read."""
    return bool(_rows(engine["id"], releases(engine["id"])[-1]))


def backends(engine: dict[str, Any]) -> str:
    """The attention backends of the newest release, and since when each takes what it takes."""
    name = engine["id"]
    newest = releases(name)[-1]
    rows = []
    for backend in _rows(name, newest):
        if not backend["takes"]:
            continue
        same = stretches(name, lambda version, wanted=backend: wanted in _rows(name, version))
        first, last, _ = same[-1]
        for index, row in enumerate(backend["takes"]):
            if row["models"]:
                shown = code(backend["backend"]) if index == 0 else ""
                when = span(name, first, last) if index == 0 else ""
                rows.append([shown, when, *_cells(row)])
    others = [row["backend"] for row in _rows(name, newest) if row["absent"] or row["platform"]]
    head = ["backend", "releases", "GPUs", "attention", "model types", "KV cache types", "sinks"]
    text = table(head, rows)
    return f"{text}\n\nOn no NVIDIA GPU: {codes(others)}." if others else text


def _rows(name: str, version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = _core.attention_backends(name, version)
    return found


def _cells(row: dict[str, Any]) -> list[str]:
    attention = ", ".join(ATTENTION.get(kind, kind) for kind in row["models"])
    maybe = f"; perhaps {codes(row['maybe_kv'])}" if row["maybe_kv"] else ""
    return [
        ", ".join(row["gpus"]),
        attention + (f", size {_sizes(row['heads'])}" if row["heads"] else ""),
        codes(row["dtypes"]),
        codes(row["kv"]) + maybe,
        "yes" if row["sinks"] else "no",
    ]


def _sizes(runs: list[tuple[int, int, int]]) -> str:
    return ", ".join(str(a) if a == b else f"{a} to {b} by {step}" for a, b, step in runs)
