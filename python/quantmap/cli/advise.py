"""``quantmap advise``: what to run for a model on a GPU, with lines to paste."""

from __future__ import annotations

import json
from typing import Any

import click

from .. import _core
from ..advising import GOALS, Advice, advise, servable
from ..errors import ConfigError
from .fit import with_concurrency, with_context
from .help import command
from .inputs import engine_names, read_checkpoint
from .plan import progress
from .style import INDENT, folded_command, marked, printable
from .tables import Mark, say, show_table

EPILOGUE = """\b
Examples:
  quantmap advise examples/llama_3_70b.json --gpu H100
  quantmap advise config.json --gpu L40S --gpus 4 --context 32768 --concurrency 8
  quantmap advise Qwen/Qwen3-32B --gpu B200 --engine sglang@0.5.18 --goal speed --json
  quantmap advise --gpu L40S --gpus 2 --list

\b
Nothing is started. Memory is estimated as `quantmap fit` does it; the relative cost is bytes that
one GPU moves for a token, not a speed.
"""
GIGABYTE = 1e9


@command("advise", epilog=EPILOGUE, short_help="What to run for a model on a GPU.")
@click.argument("model", metavar="[MODEL]", required=False)
@click.option("--gpu", required=True, metavar="GPU", help="Such as H100, or local.")
@click.option(
    "--gpus", type=click.IntRange(1, 1024), default=8, show_default=True, help="At most so many."
)
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="ENGINE",
    shell_complete=engine_names,
    help="An engine, such as sglang@0.5.18; repeat it. Without it: all, newest release.",
)
@with_context
@with_concurrency
@click.option(
    "--goal", type=click.Choice(GOALS), default=GOALS[0], show_default=True, help="What is best."
)
@click.option("--name", metavar="ID", help="How the lines name the model; without it MODEL.")
@click.option(
    "--list", "as_list", is_flag=True, help="What this GPU can serve, of all well-known models."
)
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def advise_command(
    model: str | None,
    engines: tuple[str, ...],
    as_list: bool,
    as_json: bool,
    name: str | None,
    **options: Any,
) -> int:
    """List the ways to serve MODEL on a GPU that fit, best first, each with its line.

    MODEL is a folder, a .gguf file, a config.json, or the id of a well-known model. With --list
    and no MODEL: the best way for every well-known model. Exit code 1 when nothing fits.
    """
    if as_list == (model is not None):
        raise click.UsageError("give a MODEL, or --list")
    try:
        if model is None:
            return show_list(engines, as_json, options)
        words = name or _model_name(model)
        found = advise(read_checkpoint(model), engines=engines or None, model=words, **options)
    except ConfigError:
        raise
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps([advice.to_dict() for advice in found], indent=2))
    else:
        show(found, options["gpu"], options["goal"])
    return 0 if found else 1


def show_list(engines: tuple[str, ...], as_json: bool, options: dict[str, Any]) -> int:
    """A row for each well-known model that fits, as soon as all are looked at."""
    found: dict[str, Advice | None] = {}
    total = len(_core.known_models())
    with progress(total, "models") as tick:
        for model, advice in servable(engines=engines or None, **options):
            found[model] = advice
            tick(len(found))
    if as_json:
        data = [
            {"model": model, "advice": advice.to_dict() if advice else None}
            for model, advice in found.items()
        ]
        click.echo(json.dumps(data, indent=2))
    else:
        rows = [_row(model, advice) for model, advice in found.items() if advice]
        gpus = options["gpus"]
        title = f"{len(rows)} of {len(found)} well-known models fit on up to {gpus} x "
        columns = ["model", "GPUs", "engine", "weights", "KV cache", "tokens", "verdict"]
        show_table(title + options["gpu"], columns, rows)
    return 0 if any(found.values()) else 1


def _row(model: str, advice: Advice) -> list[str]:
    fit = advice.fit
    return [
        model,
        str(advice.gpus),
        f"{fit.engine} {fit.version}",
        f"{fit.weight_bytes * 8 * fit.tp * fit.pp / max(fit.parameters, 1):.1f} bits",
        f"{fit.kv_bits:g} bits",
        f"{fit.tokens:,}",
        Mark(fit.verdict),
    ]


def _model_name(model: str) -> str | None:
    return None if model == "-" or model.endswith(".json") else model


def show(found: list[Advice], gpu: str, goal: str) -> None:
    """A paragraph for each way: what it is, what it takes, its line."""
    if not found:
        say(f"Nothing fits on {gpu}: see `quantmap fit` for what is missing.")
        return
    say(f"{len(found)} ways to serve it on {gpu}, by {goal}:")
    for place, advice in enumerate(found, 1):
        fit = advice.fit
        say()
        say(
            f"{place}. {fit.engine_name} {fit.version}, {advice.gpus} x {fit.gpu}  "
            f"{marked(fit.verdict)}"
        )
        words = [f"{part} {text}" for part, text in advice.precision.items() if text]
        for word in words:
            say(INDENT + word)
        low, high = fit.tokens_band
        say(
            f"{INDENT}weights {fit.weight_bytes / GIGABYTE:.1f} GB a GPU, KV cache of "
            f"{fit.tokens:,} tokens ({low:,} to {high:,})"
        )
        for reason in advice.reasons:
            say(INDENT + reason)
        for warning in advice.warnings:
            say(f"{INDENT}note: {warning}")
        first, *rest = folded_command(advice.command, f"{INDENT}  ").split("\n")
        for line in [f"{INDENT}$ {first.lstrip()}", *rest]:
            click.echo(printable(line))
