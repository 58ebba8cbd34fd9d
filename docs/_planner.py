"""Generated tables about plans: what comparison tasks come down to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import quantmap
from _render import documented_engines, engines, fields, table
from quantmap import _core

ROOT = Path(__file__).resolve().parent.parent
GEMM = ["auto", "float16", "float32", "bfloat16", "int8"]
SIZES = [1, 2, 4, 8]


def sweep(engine: str) -> dict[str, Any]:
    """Five values of the linear layers, all of the other fields, four sizes."""
    config: dict[str, Any] = {field["key"]: field["options"] for field in fields("four_field")}
    config[next(iter(config))] = GEMM
    size = {"parallelism": {"tensor_parallel_size": 2}}
    flag = next(flag for flag, value in quantmap.explain(engine, size).args.items() if value == "2")
    return {"base_runtime": engine, "quant_config": config, "parameters": {flag: SIZES}}


def newest(engine: str) -> str:
    """The newest release that is known."""
    return str(_core.releases(engine)[-1]["version"])


def share(part: int, whole: int) -> str:
    """A count, and how much of the whole it is."""
    return f"{part:,} ({100 * part / whole:.1f} %)"


def row(name: str, plan: quantmap.plan.Plan) -> list[str]:
    """One line of a table."""
    return [
        name,
        f"{plan.asked:,}",
        f"{plan.distinct:,}",
        share(plan.merged, plan.asked),
        share(plan.skipped, plan.asked) if plan.skipped else "0",
    ]


HEADER = ("asked", "different", "the same as another", "left out")


def sweeps() -> str:
    """The large task on every engine, documented and on its newest release."""
    rows = []
    documented = [engine["id"] for engine in documented_engines()]
    for engine in engines():
        task = sweep(engine["id"])
        if engine["id"] in documented:
            rows.append(row(f"{engine['name']}, documented", quantmap.plan(task)))
        version = newest(engine["id"])
        name = f"{engine['name']} {version}"
        rows.append(row(name, quantmap.plan(task, engine_version=version)))
        strict = quantmap.plan(task, engine_version=version, policy="strict")
        rows.append(row(f"{name}, `strict`", strict))
    return table(("engine", *HEADER), rows)


def examples() -> str:
    """The example tasks as they are, and on the newest release."""
    rows = []
    for path in sorted((ROOT / "examples").glob("quant_*_task.json")):
        task = json.loads(path.read_text(encoding="utf-8"))
        link = f"[{path.name}](../examples/{path.name})"
        rows.append(row(f"{link}, documented", quantmap.plan(task)))
        version = newest(task["base_runtime"])
        plan = quantmap.plan(task, engine_version=version)
        rows.append(row(f"{link}, {version}", plan))
    return table(("task", *HEADER), rows)
