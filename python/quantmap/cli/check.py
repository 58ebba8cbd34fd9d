"""``quantmap check``: a verdict on every argument of a launch line."""

from __future__ import annotations

import sys

from ..check import check
from . import declare
from .inputs import MAX_FILE

EPILOGUE = """\b
Examples:
  quantmap check --engine-version 0.11.0 'vllm serve my/model --kv-cache-dtype fp16'
  quantmap check --engine-version 0.5.6 --gpu H100 < launch.sh
"""


@declare.command(
    "check", epilog=EPILOGUE, short_help="A verdict on every argument of a launch line."
)
@declare.argument("command", required=False)
@declare.option("--engine", metavar="ENGINE", help="The engine, when the line does not name it.")
@declare.option(
    "--engine-version", metavar="VERSION", help="The release; default: the newest known."
)
@declare.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@declare.option(
    "--model-quantization", metavar="METHOD", help="The model's own method, such as awq."
)
@declare.option("--json", "as_json", is_flag=True, help="The verdicts as JSON on stdout.")
def check_command(
    command: str | None,
    engine: str | None,
    engine_version: str | None,
    gpu: str | None,
    model_quantization: str | None,
    as_json: bool,
) -> int:
    """Judge COMMAND, a launch line in quotes, as a release would; "-" or nothing reads stdin.

    Nothing in the line is expanded or run. Exit code 1 when something is refused.
    """
    if command in (None, "-"):
        data = sys.stdin.buffer.read(MAX_FILE + 1)
        command = data[:MAX_FILE].decode("utf-8", errors="replace")
    result = check(
        command or "", engine, engine_version, gpu=gpu, model_quantization=model_quantization
    )
    if as_json:
        import json

        declare.echo(json.dumps(result.to_dict(), indent=2))
    else:
        from .tables import show_verdicts

        show_verdicts(result)
    return 0 if result.ok else 1
