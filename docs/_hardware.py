"""GPUs: products, and the specification's hardware matrices answered by the engines."""

from __future__ import annotations

import functools
from typing import Any

from _render import SYMBOLS, codes, documented_engines, table
from quantmap import _core
from quantmap.hardware import Requirement, requirements

AS_ASKED = ("applied", "renamed")


@functools.cache
def _answers(engine: str) -> dict[tuple[str, str], Requirement]:
    return {(answer.id, answer.gpu_class): answer for answer in requirements(engine)}


def _classes() -> list[str]:
    return [gpu["id"] for gpu in _core.gpu_classes()]


def _range(found: list[str]) -> str:
    """Neighbouring classes as "SM89 and newer"; others as a list."""
    classes = _classes()
    if not found:
        return "no GPU"
    if found == classes[classes.index(found[0]) :]:
        return f"{found[0].upper()} and newer"
    return ", ".join(name.upper() for name in found)


def _documented(claim: dict[str, Any]) -> str:
    names = [gpu["architecture"] for gpu in _core.gpu_classes()]
    first = next((name for name in names if name in claim["documented"]), None)
    return "no GPU" if first is None else f"{first.capitalize()} and newer"


def thresholds() -> str:
    """Documented threshold and true one, for the newest release of each engine."""
    engines = documented_engines()
    rows = []
    for claim in _core.hardware_claims():
        cells = [claim["title"], _documented(claim)]
        for engine in engines:
            answers = _answers(engine["id"])
            outcomes = {gpu: answers[claim["id"], gpu].outcome for gpu in _classes()}
            full = [gpu for gpu, outcome in outcomes.items() if outcome in AS_ASKED]
            less = [gpu for gpu, outcome in outcomes.items() if outcome == "degraded"]
            cells.append(_range(full) + (f"; degraded: {_range(less)}" if less else ""))
        rows.append(cells)
    versions = {
        engine["name"]: next(iter(_answers(engine["id"]).values())).version for engine in engines
    }
    header = ["asked", "documented", *(f"{name} {version}" for name, version in versions.items())]
    return table(header, rows)


def details() -> str:
    """One table for each engine: what each class of GPU gets, beside what is documented."""
    parts = []
    for engine in documented_engines():
        answers = _answers(engine["id"])
        rows = []
        for claim in _core.hardware_claims():
            cells = [claim["title"]]
            for gpu in _classes():
                answer = answers[claim["id"], gpu]
                cell = f"{SYMBOLS[answer.outcome]} {answer.outcome}"
                said = answer.documented
                if said is not None and said != (answer.outcome in AS_ASKED):
                    cell += " (documented: yes)" if said else " (documented: no)"
                cells.append(cell)
            rows.append(cells)
        version = next(iter(answers.values())).version
        header = ["asked", *(f"{g['title']} ({g['id'].upper()})" for g in _core.gpu_classes())]
        parts.append(f"### {engine['name']} {version}\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def cuda() -> str:
    """CUDA versions: documented, and the first that knows the first GPU that does it."""
    rows = []
    for claim in _core.hardware_claims():
        if claim["cuda"] is None:
            continue
        cells = [claim["title"], claim["cuda"]]
        for engine in documented_engines():
            answers = _answers(engine["id"])
            first = next(
                (
                    gpu
                    for gpu in _core.gpu_classes()
                    if answers[claim["id"], gpu["id"]].outcome in AS_ASKED
                ),
                None,
            )
            cells.append("-" if first is None else f"{first['cuda']} ({first['id'].upper()})")
        rows.append(cells)
    header = ["asked", "documented CUDA", *(engine["name"] for engine in documented_engines())]
    return table(header, rows)


def products() -> str:
    """Every GPU known by name."""
    rows = []
    for product in _core.gpu_products():
        sizes = [
            f"{gb} GB" + (f" ({mib} MiB reported)" if mib else "") for gb, mib in product["memory"]
        ]
        rows.append(
            [product["name"], product["capability"], "; ".join(sizes), codes(product["names"])]
        )
    return table(["product", "capability", "memory", "names"], rows)
