"""``quantmap fit``: whether a model fits, and what fills the memory, for configs side by side."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from .. import _core
from ..boot_log import BootLog, correction_for, keep_correction, read_boot_log
from ..errors import ConfigError
from ..fit import Fit, estimate
from .fit_story import GOOD, in_gb, show_fits
from .help import command
from .inputs import apply_settings, engine_names, parameters_of, preset_names, read_checkpoint
from .tables import say, show_table

EPILOGUE = """\b
Examples:
  quantmap fit examples/llama_3_70b.json --gpu H100 --tp 2 --preset default --preset dynamic-fp8
  quantmap fit examples/llama_3_70b.json --gpu L40S --tp 4 --context 4096 --concurrency 8
  quantmap fit examples/llama_3_70b.json --engine sglang@0.5.18 --gpu B200 --json
  quantmap fit examples/llama_3_70b.json --gpu H100 --need '32k x 8'
  quantmap fit config.json --gpu H100 --engine vllm@0.19.0 --log boot.log

\b
Sizes are of one GPU, in GB (10^9 bytes). Exit code 0 when everything fits, also when it is tight
(only the best guess fits, not the careful one), 1 when something does not or is refused.
"""

PARTS_OF_NEED = re.compile(r"\s*([\d.]+)\s*([kKmM]?)\s*(?:[x*]\s*(\d+))?\s*")
THOUSANDS = {"": 1, "k": 1024, "K": 1024, "m": 1024**2, "M": 1024**2}
MOST_GPUS = 64

with_context = click.option("--context", type=int, metavar="TOKENS", help="Tokens of one sequence.")
with_concurrency = click.option(
    "--concurrency",
    type=int,
    default=1,
    metavar="N",
    show_default=True,
    help="Sequences at the same time.",
)


@command("fit", epilog=EPILOGUE, short_help="Whether a model fits, and what fills memory.")
@click.argument("model", metavar="MODEL")
@click.option("--gpu", metavar="GPU", help="Such as H100, or local; without it: sizes only.")
@click.option("--tp", type=int, metavar="N", help="GPUs that share each layer.")
@click.option("--pp", type=int, metavar="N", help="Stages that share the layers.")
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="NAME",
    shell_complete=preset_names,
    help="A preset; repeat it to compare.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="Set a field, such as gemm_dtype=fp8.",
)
@click.option(
    "--param",
    "parameters",
    multiple=True,
    metavar="KEY[=VALUE]",
    help="A parameter of the engine.",
)
@with_context
@with_concurrency
@click.option(
    "--engine",
    "--runtime",
    "engine",
    default="vllm",
    metavar="ENGINE",
    show_default=True,
    shell_complete=engine_names,
    help="The engine, such as sglang@0.5.18.",
)
@click.option(
    "--engine-version", metavar="VERSION", help="The release; without it: the newest known."
)
@click.option(
    "--memory-fraction",
    type=float,
    metavar="SHARE",
    help="Of memory for the engine, as its own flag counts it.",
)
@click.option(
    "--need",
    metavar="'TOKENS x N'",
    help="Search: fewest GPUs, KV type and least share for N sequences, such as '32k x 8'.",
)
@click.option(
    "--log",
    "log_file",
    metavar="BOOT.LOG",
    help="Compare with what the engine printed when it started, and keep the difference.",
)
@click.option("--why", is_flag=True, help="What the numbers rest on.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def fit_command(
    model: str,
    presets: tuple[str, ...],
    settings: tuple[str, ...],
    parameters: tuple[str, ...],
    need: str | None,
    log_file: str | None,
    why: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Say what MODEL takes of a GPU's memory, for one config or several side by side.

    MODEL is a folder, a .gguf file, or a config.json; "-" reads a config.json from standard input.
    Nothing is started and only headers are read. Every --param that moves memory counts.
    """
    checkpoint = read_checkpoint(model)
    configs: list[dict[str, Any]] = [{"preset": name} for name in presets] or [{}]
    for config in configs:
        apply_settings(config, settings)
    options["user_parameters"] = parameters_of(parameters)
    if need is not None:
        return search(checkpoint, configs[0], need, options, as_json)
    if log_file is not None:
        return compare_log(checkpoint, configs[0], log_file, options, as_json)
    fits = [estimate_here(checkpoint, config, options) for config in configs]
    good = all(fit.verdict in GOOD for fit in fits)
    if as_json:
        data = [fit.to_dict() for fit in fits]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
    else:
        show_fits(model, list(presets) or ["-"], fits, why)
    return 0 if good else 1


def estimate_here(checkpoint: Any, config: dict[str, Any], options: dict[str, Any]) -> Fit:
    """The estimate, with what a boot log of this GPU and release has shown before."""
    fit = estimate(checkpoint, config, **options)
    correction = correction_for(fit) if fit.gpu else None
    if correction is None:
        return fit
    return estimate(checkpoint, config, **options, correction=correction)


def compare_log(
    checkpoint: Any, config: dict[str, Any], name: str, options: dict[str, Any], as_json: bool
) -> int:
    """What the engine measured beside what is estimated; the difference is kept."""
    try:
        with open(name, encoding="utf-8", errors="replace") as handle:
            log = read_boot_log(handle.read())
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror or error}") from None
    if log is None:
        raise click.ClickException(
            f"{name}: no line of a boot log is known; give what the engine prints when it starts"
        )
    if options["context"] is None and log.context:
        options = {**options, "context": log.context}
    fit = estimate(checkpoint, config, **options)
    rows = log.compare(fit)
    correction = log.correction(fit)
    kept = keep_correction(fit, correction) if fit.gpu and log.kv is not None else None
    if as_json:
        parts = [
            {"part": part, "measured": measured, "estimated": estimated, "cause": cause}
            for part, measured, estimated, cause in rows
        ]
        data = {"log": log.to_dict(), "fit": fit.to_dict(), "parts": parts, "kept": kept}
        click.echo(json.dumps(data, indent=2))
        return 0
    show_log(log, fit, rows, kept)
    return 0


def show_log(
    log: BootLog, fit: Fit, rows: list[tuple[str, float, float, str]], kept: str | None
) -> None:
    """A row for each part, the causes, and a case for the shared set."""
    table = []
    for part, measured, estimated, _ in rows:
        show = (lambda size: f"{size:,.0f}") if part == "tokens" else in_gb
        error = f"{100 * (estimated / measured - 1):+.1f} %" if measured > 0 else "-"
        table.append([part, show(measured), show(estimated), error])
    title = f"{fit.engine_name} {fit.version}, {fit.gpu or 'no GPU given'}"
    show_table(title, ["part", "log", "estimated", "error"], table)
    if log.release and log.release != fit.version:
        say(f"note: the log is of {log.release}, the estimate of {fit.version}")
    for part, _, _, cause in rows:
        if cause:
            say(f"{part}: {cause}")
    if kept:
        say(f"kept for this GPU and release in {kept}")
    measured_parts = {part: round(measured) for part, measured, _, _ in rows}
    say("case for the shared set:")
    say(json.dumps({"engine": f"{fit.engine}@{fit.version}", "gpu": fit.gpu, "tp": fit.tp}))
    say(json.dumps({"context": fit.context, "measured": measured_parts}))


def search(
    checkpoint: Any, config: dict[str, Any], need: str, options: dict[str, Any], as_json: bool
) -> int:
    """Fewest GPUs for a need, with each KV type, and the least share of their memory."""
    match = PARTS_OF_NEED.fullmatch(need)
    if match is None or not options["gpu"]:
        raise click.UsageError("--need takes tokens and sequences, such as '32k x 8', and --gpu")
    context = int(float(match[1]) * THOUSANDS[match[2]])
    ground = {**options, "context": context, "concurrency": int(match[3] or 1)}
    found = search_types(checkpoint, config, ground)
    if as_json:
        data = [{"kv": k, "tp": f.tp, "share": share, "fit": f.to_dict()} for k, f, share in found]
        click.echo(json.dumps(data, indent=2))
    else:
        rows = [
            [kv, str(fit.tp), f"{share:.2f}", in_gb(fit.weight_bytes), f"{fit.sequences:,}"]
            for kv, fit, share in found
        ]
        title = f"{ground['concurrency']} x {context:,} tokens on {options['gpu']}"
        if rows:
            show_table(title, ["KV cache", "tp", "least share", "weights", "sequences"], rows)
        else:
            say(f"{title}: does not fit on up to {MOST_GPUS} GPUs")
    return 0 if found else 1


def search_types(
    checkpoint: Any, config: dict[str, Any], ground: dict[str, Any]
) -> list[tuple[str, Fit, float]]:
    """The answer for the given mapping, or for the first preset of each size of KV number."""
    found: list[tuple[str, Fit, float]] = []
    for each in [config] if config else [{"preset": preset["id"]} for preset in _core.presets()]:
        try:
            answer = least_gpus(checkpoint, each, ground)
        except ConfigError:
            continue
        if answer is None:
            continue
        name = f"{answer[0].kv_bits:g} bits"
        if all(name != other for other, _, _ in found):
            found.append((name, *answer))
    return found


def least_gpus(
    checkpoint: Any, config: dict[str, Any], ground: dict[str, Any]
) -> tuple[Fit, float] | None:
    """The estimate with fewest GPUs that fits, and the least share of memory that is enough."""
    first = ground["tp"] or 1
    tp = first
    while tp <= (first if ground["tp"] else MOST_GPUS):
        fit = estimate(checkpoint, config, **{**ground, "tp": tp})
        if any(diagnostic.code == "uneven-parallelism" for diagnostic in fit.diagnostics):
            return None
        if fit.verdict == "fits":
            low, high = 0.0, fit.memory_fraction
            for _ in range(8):
                share = (low + high) / 2
                less = {**ground, "tp": tp, "memory_fraction": share}
                low, high = (
                    (low, share)
                    if estimate(checkpoint, config, **less).verdict == "fits"
                    else (share, high)
                )
            return fit, -(-high * 100 // 1) / 100
        tp *= 2
    return None
