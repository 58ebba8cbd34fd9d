"""``quantmap why``: why a server did not start, from its log."""

from __future__ import annotations

import json

from .. import _core
from ..failed_start import WhyResult, why
from ..files import is_given
from . import declare
from .check import text_of
from .inputs import model_options, read_checkpoint
from .style import show_detail
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap why examples/boot.log
  docker logs server 2>&1 | quantmap why -
  quantmap why --engine-version 0.11.0 --gpu A100 examples/boot.log
"""
NOT_TOLD = 3


@declare.command("why", epilog=EPILOGUE, short_help="Why a server did not start, from its log.")
@declare.argument("log", metavar="LOG", nargs=-1)
@declare.option(
    "--engine",
    "--runtime",
    "engine",
    metavar="ENGINE",
    help="The engine; default: the one whose files the log shows.",
)
@declare.option(
    "--engine-version", metavar="VERSION", help="The release; default: the one that the log names."
)
@declare.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@model_options
@declare.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def why_command(
    log: tuple[str, ...],
    engine: str | None,
    engine_version: str | None,
    gpu: str | None,
    model_quantization: str | None,
    checkpoint: str | None,
    as_json: bool,
) -> int:
    """Look up the error of LOG among what the engines' releases say, and tell what to change.

    LOG is a file with a traceback or a server's output, best with the command on top; "-" or
    nothing reads standard input. Nothing in it is run. Exit code 3 when the error is not known.
    """
    if len(log) > 1:
        raise declare.UsageError("why takes one log")
    if log and log[0] != "-" and not is_given(log[0]):
        raise declare.ClickException(f"{log[0]}: no such file")
    found = why(
        text_of(log[0] if log else None),
        engine,
        engine_version,
        gpu=gpu,
        model_quantization=model_quantization,
        checkpoint=None if checkpoint is None else read_checkpoint(checkpoint),
    )
    if found is None:
        say("no error stands in the log", error=True)
        return NOT_TOLD
    if as_json:
        declare.echo(json.dumps(found.to_dict(), indent=2))
    else:
        _show(found)
    return 0 if found else NOT_TOLD


def _title(found: WhyResult) -> str:
    names = {row["id"]: row["name"] for row in _core.engines()}
    engine = " or ".join([found.engine_name or "an engine", *(names[one] for one in found.also)])
    return " ".join(filter(None, [engine, found.version]))


def _show(found: WhyResult) -> None:
    say(f"{_title(found)}, line {found.line}", bold=True)
    show_detail(found.error or "refused", found.message)
    if found.template is None and not found.rule:
        if found.source:
            show_detail("where", found.source)
        say("quantmap does not know this message.")
        if found.change:
            show_detail("change", found.change)
        return
    if found.source:
        show_detail("raised in", found.source)
    if found.condition:
        show_detail("when", found.condition)
    if found.arguments:
        show_detail("behind it", ", ".join(found.arguments[:4]))
    if found.rule:
        show_detail("why", found.rule)
    if found.change:
        sure = "" if found.certain else " (not judged: no rule is known)"
        show_detail("change", found.change + sure)
    if found.fixed_in:
        takes = "takes this launch" if found.rule else "does not say this any more"
        show_detail("or", f"{found.engine_name} {found.fixed_in} {takes}")
