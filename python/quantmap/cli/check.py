"""``quantmap check``: a verdict on every argument of a launch line."""

from __future__ import annotations

import json
import sys

import click

from ..check import check
from .inputs import MAX_FILE, model_options, read_checkpoint

EPILOGUE = """\b
Examples:
  quantmap check --engine-version 0.11.0 'vllm serve my/model --kv-cache-dtype fp16'
  quantmap check --engine-version 0.5.6 --gpu H100 < launch.sh
  quantmap check --gpu A100 --checkpoint config.json 'vllm serve org/model --kv-cache-dtype fp8'
"""


@click.command("check", epilog=EPILOGUE, short_help="A verdict on every argument of a launch line.")
@click.argument("command", required=False)
@click.option(
    "--engine",
    "--runtime",
    "engine",
    metavar="ENGINE[@VERSION]",
    help="The engine, when the line does not name it.",
)
@click.option("--engine-version", metavar="VERSION", help="The release; default: the newest known.")
@click.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@model_options
@click.option("--json", "as_json", is_flag=True, help="The verdicts as JSON on stdout.")
def check_command(
    command: str | None,
    engine: str | None,
    engine_version: str | None,
    gpu: str | None,
    model_quantization: str | None,
    checkpoint: str | None,
    as_json: bool,
) -> int:
    """Judge COMMAND, a launch line in quotes, as a release would; "-" or nothing reads stdin.

    Nothing in the line is expanded or run. Exit code 1 when something is refused. The model that
    the line names is read when it is a folder here, an id in the local model cache, or well known.
    """
    if command in (None, "-"):
        data = sys.stdin.buffer.read(MAX_FILE + 1)
        command = data[:MAX_FILE].decode("utf-8", errors="replace")
    result = check(
        command or "",
        engine,
        engine_version,
        gpu=gpu,
        model_quantization=model_quantization,
        checkpoint=None if checkpoint is None else read_checkpoint(checkpoint),
    )
    if as_json:
        click.echo(json.dumps(result.to_dict(), indent=2))
    else:
        from .tables import show_verdicts

        show_verdicts(result)
    return 0 if result.ok else 1
