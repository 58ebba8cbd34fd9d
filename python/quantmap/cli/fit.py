"""``quantmap fit``: whether a model fits, and what fills the memory, for configs side by side."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from ..fit import Fit, estimate
from .inputs import apply_settings, engine_names, parameters_of, preset_names, read_checkpoint
from .tables import Mark, say, show_table

WIDTH = 48  # characters of a bar
GIGABYTE = 1e9

EPILOGUE = """\b
Examples:
  quantmap fit examples/llama_3_70b.json --gpu H100 --tp 2 --preset default --preset dynamic-fp8
  quantmap fit examples/llama_3_70b.json --gpu L40S --tp 4 --context 4096 --concurrency 8
  quantmap fit examples/llama_3_70b.json --engine sglang@0.5.18 --gpu B200 --json

\b
Sizes are of one GPU, in GB (10^9 bytes).
"""


@click.command("fit", epilog=EPILOGUE, short_help="Whether a model fits, and what fills memory.")
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
@click.option("--context", type=int, metavar="TOKENS", help="Tokens of one sequence.")
@click.option(
    "--concurrency",
    type=int,
    default=1,
    metavar="N",
    show_default=True,
    help="Sequences at the same time.",
)
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
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def fit_command(
    model: str,
    presets: tuple[str, ...],
    settings: tuple[str, ...],
    parameters: tuple[str, ...],
    as_json: bool,
    **options: Any,
) -> int:
    """Say what MODEL takes of a GPU's memory, for one config or several side by side.

    MODEL is a folder, a .gguf file, or a config.json; "-" reads a config.json from standard input.
    Nothing is started and only headers are read.
    """
    checkpoint = read_checkpoint(model)
    configs: list[dict[str, Any]] = [{"preset": name} for name in presets] or [{}]
    for config in configs:
        apply_settings(config, settings)
    fits = [
        estimate(checkpoint, config, user_parameters=parameters_of(parameters), **options)
        for config in configs
    ]
    if as_json:
        data = [fit.to_dict() for fit in fits]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
        return 0
    show_fits(model, list(presets) or ["-"], fits)
    return 0


def show_fits(model: str, names: list[str], fits: list[Fit]) -> None:
    """A row and a bar for each config, then what all of it rests on."""
    first = fits[0]
    gpus = f"{first.tp * first.pp} x {first.gpu}" if first.gpu else "no GPU given"
    title = " · ".join(
        [
            os.path.basename(model.rstrip("/")) if model != "-" else "config",
            f"{first.engine_name} {first.version}",
            gpus,
            f"{first.concurrency} x {first.context:,} tokens",
        ]
    )
    columns = ["config", "weights", "KV/token", "KV asked", "KV room", "tokens", "sequences"]
    rows = [_row(name, fit) for name, fit in zip(names, fits)]
    show_table(title, [*columns, "verdict"], rows)
    for name, fit in zip(names, fits):
        if fit.memory_bytes:
            say()
            say(f"{name}  {_bar(fit)}")
            say("  " + _parts(fit))
        if fit.verdict == "fits-with-less-context":
            say(f"  up to {fit.longest_context:,} tokens each")
    say()
    _show_ground(names, fits)


def _row(name: str, fit: Fit) -> list[str]:
    per_token = f"{fit.kv_token_bytes / 1000:.1f} kB"
    if fit.kv_window_bytes:
        per_token += f" + {_gb(fit.kv_window_bytes)} a sequence"
    if not fit.memory_bytes:
        return [
            name,
            _gb(fit.weight_bytes),
            per_token,
            _gb(fit.kv_needed_bytes),
            "-",
            "-",
            "-",
            "-",
        ]
    return [
        name,
        _gb(fit.weight_bytes),
        per_token,
        _gb(fit.kv_needed_bytes),
        _gb(fit.kv_budget_bytes),
        f"{fit.tokens:,}",
        f"{fit.sequences:,}",
        Mark(fit.verdict),
    ]


def _gb(size: float) -> str:
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE / 10 else f"{size / 1e6:.1f} MB"


def _sizes(fit: Fit) -> list[tuple[str, str, float]]:
    """Letter, name and size of everything in the memory, in the order of the bar."""
    asked = min(fit.kv_needed_bytes, fit.kv_budget_bytes)
    return [
        ("W", "weights", fit.weight_bytes),
        ("A", "activations and buffers", fit.activation_bytes),
        ("K", "KV cache", asked),
        ("+", "room for more KV cache", fit.kv_budget_bytes - asked),
        (".", "left free", fit.kept_free_bytes),
    ]


def _bar(fit: Fit) -> str:
    """``[WWWWAKK+++..]``: as long as the memory; whatever does not fit is cut off."""
    total = fit.memory_bytes or 1
    out, end = "", 0.0
    for letter, _, size in _sizes(fit):
        end += size / total * WIDTH
        out += letter * max(round(end) - len(out), 1 if size > 0 else 0)
    return f"[{out[:WIDTH].ljust(WIDTH, '.')}]"


def _parts(fit: Fit) -> str:
    words = [f"{letter} {name} {_gb(size)}" for letter, name, size in _sizes(fit) if size > 0]
    if 0 < fit.kv_budget_bytes < fit.kv_needed_bytes:
        words = [f"{w} of {_gb(fit.kv_needed_bytes)}" if w[0] == "K" else w for w in words]
    total = fit.memory_bytes or 0
    used = fit.weight_bytes + fit.activation_bytes
    over = f"; {_gb(used - total)} more than there is" if used > total else ""
    return f"{', '.join(words)}, of {_gb(total)}{over}"


def _show_ground(names: list[str], fits: list[Fit]) -> None:
    """Warnings and assumptions; those that are not shared name their config."""
    for name, fit in zip(names, fits):
        for diagnostic in fit.diagnostics:
            if diagnostic.severity != "info":
                word = "refused" if diagnostic.severity == "error" else "warning"
                say(f"{name}: {word}: {diagnostic.message}")
    shared = [text for text in fits[0].assumptions if all(text in fit.assumptions for fit in fits)]
    for text in shared:
        say(f"assumed: {text}")
    for name, fit in zip(names, fits):
        for text in fit.assumptions:
            if text not in shared:
                say(f"assumed for {name}: {text}")
