"""``quantmap fit --log``: what an engine printed when it started beside the estimate."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from .. import _core
from ..boot_log import GIBIBYTE, BootLog, Part, keep_correction, read_boot_log
from ..errors import ConfigError
from ..files import read_file
from ..fit import Fit, estimate
from ..fitted import LoggedFit
from .fit_story import in_gb
from .inputs import MAX_FILE, read_json_file
from .tables import say, show_table

PARTS = {"weights": "weights_gib", "KV room": "kv_gib", "tokens": "tokens"}


def compare_log(
    model: str,
    checkpoint: Any,
    config: dict[str, Any],
    name: str,
    options: dict[str, Any],
    as_json: bool,
) -> int:
    """What the engine measured beside what is estimated; the difference is kept."""
    try:
        content = read_file(name, MAX_FILE + 1)
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror or error}") from None
    if len(content) > MAX_FILE:
        raise click.ClickException(f"{name}: larger than {MAX_FILE // 1024 // 1024} MB")
    log = read_boot_log(content.decode("utf-8", errors="replace"))
    if log is None:
        raise click.ClickException(
            f"{name}: no line of a boot log is known; give what the engine prints when it starts"
        )
    options = _with_log(options, log)
    fit = estimate(checkpoint, config, **options)
    rows = log.compare(fit)
    correction = log.correction(fit)
    kept = keep_correction(fit, correction) if fit.gpu and log.kv is not None else None
    case = _case(model, checkpoint, config, fit, log, options)
    if as_json:
        click.echo(json.dumps(LoggedFit(log, fit, rows, kept, case).to_dict(), indent=2))
    else:
        _show(log, fit, rows, kept)
        say("for the shared set, a line of models.json and one of cases.jsonl:")
        for line in case:
            click.echo(json.dumps(line, sort_keys=False))
    return 0


def _with_log(options: dict[str, Any], log: BootLog) -> dict[str, Any]:
    """What is not asked is as the log says."""
    out = dict(options)
    if out["engine"] is None:
        out["engine"] = log.engine
        if out["engine_version"] is None and log.release and _is_known(log.engine, log.release):
            out["engine_version"] = log.release
    if out["context"] is None and log.context:
        out["context"] = log.context
    return out


def _is_known(engine: str, release: str) -> bool:
    """A release, or a build before one; "0.0.0.dev1" tells nothing."""
    try:
        _core.surface(engine, release)
    except ConfigError:
        return False
    return True


def _show(log: BootLog, fit: Fit, rows: list[Part], kept: str | None) -> None:
    """A row for each part, and the causes."""
    table = []
    for row in rows:
        show = (lambda size: f"{size:,.0f}") if row.part == "tokens" else in_gb
        error = f"{100 * (row.estimated / row.measured - 1):+.1f} %" if row.measured > 0 else "-"
        table.append([row.part, show(row.measured), show(row.estimated), error])
    title = f"{fit.engine_name} {fit.version}, {fit.gpu or 'no GPU given'}"
    show_table(title, ["part", "log", "estimated", "error"], table)
    if log.release and log.release != fit.version:
        say(f"note: the log is of {log.release}, the estimate of {fit.version}")
    for row in rows:
        if row.cause:
            say(f"{row.part}: {row.cause}")
    if kept:
        say(f"kept for this GPU and release in {kept}")


def _case(
    model: str,
    checkpoint: Any,
    config: dict[str, Any],
    fit: Fit,
    log: BootLog,
    options: dict[str, Any],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The model's shape, and the case as the shared set has it; its source is to be filled in."""
    name = os.path.basename(model.rstrip("/")).removesuffix(".json").lower()
    parameters = dict(options["user_parameters"])
    flags = _core.memory_flags(fit.engine, fit.version)
    sizes = {"tensor": fit.tp, "pipeline": fit.pp, "context": fit.context}
    for role, size in sizes.items():
        if role in flags and size != 1:
            parameters.setdefault(flags[role].lstrip("-"), size)
    measured: dict[str, float] = {}
    for one in log.compare(fit):
        value = one.measured
        measured[PARTS[one.part]] = value if one.part == "tokens" else round(value / GIBIBYTE, 2)
    case = {
        "id": f"{fit.engine}-{name}",
        "model": name,
        "engine": f"{fit.engine}@{fit.version}",
        "gpu": fit.gpu,
        "kind": _kind(checkpoint),
        "parameters": parameters,
        **({"config": config} if config else {}),
        "measured": measured,
        "starts": log.kv is None or log.kv > 0,
        "calibrates": False,
        "source": "where the log can be read",
    }
    return {name: _shape(checkpoint)}, case


def _shape(checkpoint: Any) -> Any:
    """The model's config as it was given, or found."""
    if isinstance(checkpoint, dict):
        return checkpoint
    for known, config, _ in _core.known_models():
        if str(checkpoint).lower() == known.lower():
            return json.loads(config)
    path = os.path.join(str(checkpoint), "config.json")
    return read_json_file(path) if os.path.isfile(path) else str(checkpoint)


def _kind(checkpoint: Any) -> str:
    from ..checkpoint import inspect_checkpoint

    model = inspect_checkpoint(checkpoint).architecture
    shape = _shape(checkpoint)
    if isinstance(shape, dict) and any(key.startswith("vi") and "config" in key for key in shape):
        return "vision"
    kinds = {layer.kind for layer in model.layers} if model is not None else set()
    if "linear" in kinds:
        return "state"
    if model is not None and model.experts is not None and model.experts.routed:
        return "moe"
    return "window" if "sliding" in kinds else "dense"
