"""The kernels that a release takes by itself, as rows of precision: ``kernels.taken`` says when."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from common import CatalogError, version_key

_TABLES = {"experts_backend": "experts_taken", "linear_kernel": "linear_taken"}
_MOST = 3  # names where the sources leave open which of them is taken

Row = dict[str, Any]


def _at(intervals: list[Row], version: str) -> Row | None:
    key = version_key(version)
    for row in intervals:
        until = row.get("until")
        if version_key(row["since"]) <= key and (until is None or key < version_key(until)):
            return row
    return None


def _names(layers: list[list[Row]], version: str, gpu: str) -> tuple[str, str] | None:
    """What is taken on a GPU, in words, and the module that chooses; None where it is not known."""
    names: list[str] = []
    module = ""
    for intervals in layers:
        row = _at(intervals, version)
        order = next((r["order"] for r in row["takes"] if gpu in r["gpus"]), None) if row else None
        if row is None or order is None:
            return None
        names += [name for name in order if name not in names]
        module = row["module"]
    if len(names) > _MOST:
        return None
    return " or ".join(names) + (" as far as known" if len(names) > 1 else ""), module


def taken_rows(kernels: Row | None, checked: Row | None, surface: Row | None) -> list[Row]:
    """Return rows of precision: for each interval of releases and set of GPUs what is taken."""
    asked = (checked or {}).get("kernels", {}).get("taken", [])
    if kernels is None or surface is None or not asked:
        return []
    artifacts = {item["version"]: item["artifact"] for item in surface["releases"]}
    versions = [v for v in kernels["releases"] if v in artifacts]
    out: list[Row] = []
    for item in asked:
        table = kernels.get(_TABLES[item["of"]], {})
        missing = [name for name in item["layers"] if name not in table]
        if missing:
            raise CatalogError(f"kernels.taken names the layer {missing[0]!r}, which nothing chose")
        layers = [table[name] for name in item["layers"]]
        least = version_key(item.get("since", "0"))
        open_to = [v for v in versions if version_key(v) >= least]
        found: dict[tuple[str, str, str, str], list[str]] = {}
        for gpu in item.get("gpu", _gpus(layers)):
            for words, since, until in _runs(layers, open_to, gpu):
                found.setdefault((*words, since, until), []).append(gpu)
        for (words, module, since, until), gpus in found.items():
            source = f"{artifacts[since]} {module.replace('.', '/')}.py"
            out.append({"of": item["of"], "when": {**item["when"], "gpu": gpus}, "since": since,
                        **({"until": until} if until else {}), "is": words,
                        "evidence": [source]})  # fmt: skip
    return out


def _gpus(layers: list[list[Row]]) -> list[str]:
    rows = (row for intervals in layers for interval in intervals for row in interval["takes"])
    return sorted({gpu for row in rows for gpu in row["gpus"]}, key=lambda gpu: int(gpu[2:]))


def _runs(
    layers: list[list[Row]], versions: list[str], gpu: str
) -> list[tuple[tuple[str, str], str, str]]:
    """Return (words and module, since, until) for runs of releases with the same words."""
    told = [(version, _names(layers, version, gpu)) for version in versions]
    runs = [(words, [v for v, _ in group]) for words, group in groupby(told, key=lambda i: i[1])]
    after = {v: versions[i + 1] if i + 1 < len(versions) else "" for i, v in enumerate(versions)}
    return [(words, run[0], after[run[-1]]) for words, run in runs if words is not None]
