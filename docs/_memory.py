"""Memory of named models under the presets, computed."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from _models import BY_NAME, MODELS
from _render import code, table
from quantmap import _core, estimate
from quantmap.boot_log import BootLog
from quantmap.fit import Fit

ENGINE = "vllm@0.20.1"
GPU = "H100"
NAMED = (
    "Meta-Llama-3-8B",
    "Qwen3-32B",
    "Meta-Llama-3-70B",
    "Mixtral-8x7B-v0.1",
    "Qwen3-235B-A22B",
    "DeepSeek-V3",
)
CONTEXT, AT_ONCE = 8192, 32
GIGABYTE = 1e9


@functools.cache
def _fit(model: str, preset: str | None) -> Fit:
    config: dict[str, Any] | None = {"preset": preset} if preset else None
    shape = BY_NAME[model].config
    return estimate(
        shape, config, engine=ENGINE, gpu=GPU, context=CONTEXT, concurrency=AT_ONCE, tp=1
    )


def _gb(size: float) -> str:
    return f"{size / GIGABYTE:.1f}"


def _percent(part: float, whole: float) -> str:
    return f"{part / whole:.0%}"


def claims() -> str:
    """What the presets claim about memory, and what comes out for named models."""
    rows = []
    for preset in _core.presets():
        if preset["form"] != "four_field":
            continue
        cells = [code(preset["id"]), preset["claims"]["memory"]]
        for model in NAMED:
            plain, fit = _fit(model, None), _fit(model, preset["id"])
            before = plain.weight_bytes + plain.kv_needed_bytes
            after = fit.weight_bytes + fit.kv_needed_bytes
            cells.append(_percent(after, before))
        rows.append(cells)
    return table(["preset", "claimed", *NAMED], rows)


def parts() -> str:
    """Weights and KV cache of the same models, with 16 bits and with the FP8 presets."""
    rows = []
    for model in NAMED:
        plain, cache, both = (_fit(model, p) for p in (None, "kv-cache-fp8", "dynamic-fp8"))
        rows.append(
            [
                model,
                _gb(plain.weight_bytes),
                _gb(both.weight_bytes),
                _percent(both.weight_bytes, plain.weight_bytes),
                _gb(plain.kv_needed_bytes),
                _gb(cache.kv_needed_bytes),
                _percent(cache.kv_needed_bytes, plain.kv_needed_bytes),
            ]
        )
    header = ["model", "weights, 16 bits", "weights, `dynamic-fp8`", "share"]
    return table([*header, "KV, 16 bits", "KV, FP8", "share"], rows)


def published() -> str:
    """Computed from the config alone, beside what others have published."""
    rows = []
    for model in MODELS:
        fit = estimate(model.config, engine=ENGINE)
        count, kv = f"{fit.parameters / 1e9:.2f}", f"{fit.kv_token_bytes:.0f}"
        if fit.kv_window_bytes:
            kv += " + window"
        given = (
            "-" if model.parameters is None else f"[{model.parameters}]({model.parameters_source})"
        )
        published_kv = "-" if model.kv_bytes is None else f"[{model.kv_bytes}]({model.kv_source})"
        rows.append([model.name, count, given, kv, published_kv])
    header = ["model", "parameters, 10^9", "published", "KV bytes per token", "published"]
    return table(header, rows)


def logs() -> str:
    """How far estimates are from public boot logs, by engine and kind of model."""
    folder = Path(__file__).resolve().parents[1] / "tests" / "golden" / "memory"
    models = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    groups: dict[tuple[str, str], list[tuple[dict[str, Any], Fit]]] = {}
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        fit = estimate(
            *(models[case["model"]], case.get("config")),
            engine=case["engine"],
            gpu=case["gpu"],
            user_parameters=case["parameters"],
        )
        measured = dict(case["measured"])
        if case["starts"] is False:  # what it printed before it stopped is a small rest
            measured.pop("tokens", None)
        groups.setdefault((fit.engine_name, case["kind"]), []).append((measured, fit))
    rows = []
    for (engine, kind), cases in sorted(groups.items()):
        weights = [
            abs(fit.weight_bytes / 2**30 / measured["weights_gib"] - 1)
            for measured, fit in cases
            if "weights_gib" in measured
        ]
        tokens = [
            abs(fit.tokens / measured["tokens"] - 1)
            for measured, fit in cases
            if measured.get("tokens")
        ]
        rows.append([engine, kind, str(len(cases)), *_spread(weights), *_spread(tokens)])
    header = ["engine", "kind", "logs", "weights, median error", "largest"]
    return table([*header, "tokens, median error", "largest"], rows)


def corrected() -> str:
    """The same with one log of the same GPU and release given first, judged on the others."""
    folder = Path(__file__).resolve().parents[1] / "tests" / "golden" / "memory"
    models = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for line in (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        if case["starts"] is not False and {"kv_gib", "tokens"} <= case["measured"].keys():
            groups.setdefault((case["engine"], str(case["gpu"])), []).append(case)
    rows = []
    for (engine, gpu), cases in sorted(groups.items()):
        if len(cases) < 2:
            continue
        before, after = [], []
        first, *others = cases
        fit = _judged(models, first)
        log = BootLog.told(fit.engine, {"kv": first["measured"]["kv_gib"] * 2**30}, 1)
        held_back = {**log.correction(fit), "weights": 1.0}
        for case in others:
            tokens = case["measured"]["tokens"]
            before.append(abs(_judged(models, case).tokens / tokens - 1))
            after.append(abs(_judged(models, case, held_back).tokens / tokens - 1))
        rows.append([engine, gpu, str(len(others)), *_spread(before), *_spread(after)])
    header = ["release", "GPU", "logs", "tokens, median error", "largest"]
    return table([*header, "with a log, median", "largest"], rows)


def _judged(models: Any, case: Any, correction: Any = None) -> Fit:
    return estimate(
        *(models[case["model"]], case.get("config")),
        engine=case["engine"],
        gpu=case["gpu"],
        user_parameters=case["parameters"],
        correction=correction,
    )


def _spread(errors: list[float]) -> list[str]:
    if not errors:
        return ["-", "-"]
    return [f"{sorted(errors)[len(errors) // 2]:.1%}", f"{max(errors):.1%}"]
