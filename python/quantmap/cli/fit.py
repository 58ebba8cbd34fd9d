"""``quantmap fit``: whether a model fits, and what fills the memory, for configs side by side."""

from __future__ import annotations

import json
from typing import Any

import click

from ..boot_log import correction_for
from ..fit import Fit, estimate
from .fit_story import GOOD, show_fits
from .help import command
from .inputs import apply_settings, engine_names, parameters_of, preset_names, read_checkpoint
from .tokens import read_tokens

EPILOGUE = """\b
Examples:
  quantmap fit examples/llama_3_70b.json --gpu H100 --tp 2 --preset default --preset dynamic-fp8
  quantmap fit examples/llama_3_70b.json --gpu L40S --tp 4 --context 4096 --concurrency 8
  quantmap fit Qwen/Qwen3-32B --engine sglang@0.5.18 --gpu B200 --json
  quantmap fit 'vllm serve Qwen/Qwen3-32B -tp 2' --gpu L40S
  quantmap fit launch.sh --gpu H100 --checkpoint config.json
  quantmap fit task.json --gpu H100 --checkpoint config.json
  quantmap fit examples/llama_3_70b.json --gpu H100 --need '32k x 8'
  quantmap fit config.json --gpu H100 --engine vllm@0.19.0 --log boot.log

\b
Sizes are of one GPU, in GB (10^9 bytes). Exit code 0 when everything fits, also when it is tight
(only the best guess fits, not the careful one), 1 when something does not or is refused.
"""

DEFAULT_ENGINE = "vllm"

with_context = click.option(
    "--context", type=read_tokens, metavar="TOKENS", help="Tokens of one sequence; 32k is 32,768."
)
with_concurrency = click.option(
    "--concurrency",
    type=int,
    default=1,
    metavar="N",
    show_default=True,
    help="Sequences at the same time.",
)


@command("fit", epilog=EPILOGUE, short_help="Whether a model fits, and what fills memory.")
@click.argument("model", metavar="MODEL|LAUNCH|TASK.json")
@click.option("--gpu", metavar="GPU", help="Such as H100, or local; without it: sizes only.")
@click.option("--checkpoint", metavar="MODEL", help="The model of a launch or a task.")
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
    metavar="ENGINE",
    shell_complete=engine_names,
    help="The engine, such as sglang@0.5.18; without it: that of the launch or task, else vLLM.",
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
    checkpoint: Any,
    **options: Any,
) -> int:
    """Say what MODEL takes of a GPU's memory, for one config or several side by side.

    MODEL is a folder, a .gguf file, a config.json, or the id of a well-known model; "-" reads a
    config.json from standard input. A LAUNCH is a line in quotes, a script or a compose file; a
    TASK.json stands for its experiments. Nothing is started and only headers are read. What moves
    memory counts, whether --param, launch, or task says it; the rest is listed as not counted.
    """
    from .fit_launches import kind_of

    kind, content = kind_of(model)
    if kind != "model":
        given = any((presets, settings, parameters, need, log_file))
        return _fit_written(kind, content, checkpoint, options, given, why, as_json)
    if checkpoint is not None:
        raise click.UsageError(
            "--checkpoint is the model of a launch or a task: MODEL says it here"
        )
    checkpoint = read_checkpoint(model) if content is None else content
    configs: list[dict[str, Any]] = [{"preset": name} for name in presets] or [{}]
    for config in configs:
        apply_settings(config, settings)
    options["user_parameters"] = parameters_of(parameters)
    if log_file is not None:
        from .fit_log import compare_log

        return compare_log(model, checkpoint, configs[0], log_file, options, as_json)
    options["engine"] = options["engine"] or DEFAULT_ENGINE
    if need is not None:
        from .fit_search import search

        return search(checkpoint, configs[0], need, options, as_json)
    names = list(presets) or ["-"]
    return _fit_configs(model, checkpoint, configs, names, options, why, as_json)


def _fit_configs(
    model: str,
    checkpoint: Any,
    configs: list[dict[str, Any]],
    names: list[str],
    options: dict[str, Any],
    why: bool,
    as_json: bool,
) -> int:
    """A row for each config."""
    fits = [estimate_here(checkpoint, config, options) for config in configs]
    good = all(fit.verdict in GOOD for fit in fits)
    if as_json:
        data = [fit.to_dict() for fit in fits]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
    else:
        show_fits(model, names, fits, why)
    return 0 if good else 1


def _fit_written(
    kind: str,
    content: Any,
    checkpoint: Any,
    options: dict[str, Any],
    given: bool,
    why: bool,
    as_json: bool,
) -> int:
    """Of a launch or a task, which says by itself what is set."""
    from .fit_launches import fit_launches, fit_task

    if given:
        what = "--preset, --set, --param, --need and --log"
        raise click.UsageError(f"{what} belong to a MODEL: the {kind} says what is set")
    ground = (checkpoint and read_checkpoint(checkpoint), options, why, as_json)
    return (fit_task if kind == "task" else fit_launches)(content, *ground)


def estimate_here(checkpoint: Any, config: dict[str, Any], options: dict[str, Any]) -> Fit:
    """The estimate, with what a boot log of this GPU and release has shown before."""
    fit = estimate(checkpoint, config, **options)
    correction = correction_for(fit) if fit.gpu else None
    if correction is None:
        return fit
    return estimate(checkpoint, config, **options, correction=correction)
