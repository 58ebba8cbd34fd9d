"""``quantmap plan``: the experiments of a comparison task that really differ."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..errors import ConfigError, Diagnostic
from ..files import write_file
from ..ledger import Ledger, done_signatures
from ..plan import Plan, plan
from . import declare
from .inputs import engine_names, model_facts, model_options, read_json_file
from .memory import misfits
from .plan_forms import Tick, Todo, Writer
from .streams import write_out
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap plan examples/quant_multi_preset_task.json
  quantmap plan task.json --engine sglang@0.5.2 --engine sglang@0.5.6 --gpu H100
  quantmap plan task.json --jsonl --out plan.jsonl
  quantmap plan task.json --done results.jsonl --rerun failed --shell
  quantmap plan task.json --config-file --out configs/

\b
results.jsonl holds one object per line with the signature of an experiment and its status, such as
  {"signature": "0f1e...", "status": "success"}
"""

_LONG = 10_000  # from so many experiments on, a terminal sees how far the work is
_MOST_MINUTES = 1_000_000
_LOOKED_AT = 100  # experiments whose arguments are judged one by one
_ENDINGS = {"csv": "csv", "sh": "shell", "json": "json", "yaml": "config_file"}


@declare.command(
    "plan", epilog=EPILOGUE, short_help="The experiments of a task that really differ."
)
@declare.argument("task", metavar="TASK.json | -")
@declare.option(
    "--engine",
    "--runtime",
    "engines",
    multiple=True,
    metavar="ENGINE[@VERSION]",
    shell_complete=engine_names,
    help="Plan for this engine, not the task's; repeat it to compare several.",
)
@declare.option("--engine-version", metavar="VERSION", help="The engine release, such as 0.11.0.")
@declare.option("--gpu", metavar="GPU", help="A product such as H100, or a capability such as 9.0.")
@declare.option(
    "--policy",
    type=declare.Choice(["degrade", "strict", "literal"]),
    help="What to do with a setting that the release does not take; strict leaves it out, and "
    "the default is to degrade.",
)
@model_options
@declare.option(
    "--max", "most", type=declare.IntRange(1, 2**62), metavar="N", help="The first N only."
)
@declare.option("--done", metavar="RESULTS.jsonl", help="Leave out what this file says was run.")
@declare.option(
    "--rerun",
    multiple=True,
    type=declare.Choice(["failed", "finished"]),
    help="With --done: what to run again nevertheless.",
)
@declare.option("--jsonl", "form", flag_value="jsonl", help="Experiments as JSON lines.")
@declare.option("--csv", "form", flag_value="csv", help="Experiments as a table for a spreadsheet.")
@declare.option("--argv", "form", flag_value="argv", help="Arguments: a JSON array per line.")
@declare.option("--shell", "form", flag_value="shell", help="Experiments as launch commands.")
@declare.option("--docker", "form", flag_value="docker", help="Experiments as docker commands.")
@declare.option("--image", metavar="IMAGE", help="The image of the docker commands.")
@declare.option(
    "--config-file",
    "form",
    flag_value="config_file",
    help="The YAML files that engines take; with --out FOLDER/ one file per experiment.",
)
@declare.option("--json", "form", flag_value="json", help="The accounting as JSON.")
@declare.option("--out", metavar="FILE", help="Write to FILE; its ending says the form.")
@declare.option(
    "--minutes-per-experiment",
    "minutes",
    type=declare.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="To tell the time saved.",
)
@declare.option(
    "--strict", is_flag=True, help="Exit code 1 when anything is left out, or will be refused."
)
def plan_command(
    task: str,
    engines: tuple[str, ...],
    most: int | None,
    done: str | None,
    rerun: tuple[str, ...],
    form: str | None,
    image: str | None,
    out: str | None,
    minutes: float,
    strict: bool,
    **ground: Any,
) -> int:
    """Reduce TASK.json, a comparison task, to the launches that really differ.

    Lists of presets, field values and parameters ask for every combination. Most of them come to
    the same launch: each is planned once, and every combination is accounted for.
    """
    form = form or (_ENDINGS.get(out.rpartition(".")[2], "jsonl") if out else None)
    wrong = _wrong_options(done, rerun, form, image, out, minutes)
    if wrong:
        raise declare.UsageError(wrong)
    data = read_json_file(task)
    ground.update(model_facts(ground, data.get("model") if isinstance(data, dict) else None))
    planned = plan(data, engines=list(engines) or None, **ground)
    _say_warnings(planned.diagnostics)
    unfit = misfits(planned) if ground["gpu"] and ground["checkpoint"] else set()
    if unfit:
        text = f"{len(unfit)} experiments do not fit into the memory of {ground['gpu']}"
        say(f"note: {text}: left out, `quantmap fit` says why", error=True)
    finished = _signatures(done, rerun)
    done_or_unfit = unfit | (finished or set()) if unfit else finished
    todo = Todo(planned, done_or_unfit, most, len(unfit))
    refused = _say_refused(todo)
    if form is None:
        _show(todo, minutes, unfit)
        _hint(planned)
    else:
        with progress(todo.size) as tick:
            _write(Writer(data, form, image), todo, tick, out)
        _say_written(planned, minutes, out)
    return int(strict and any((planned.skipped, refused, unfit)))


def _hint(planned: Plan) -> None:
    """What would be known of the model, where that merges launches."""
    if all(note.code != "checkpoint-not-given" for note in planned.diagnostics):
        return
    fewer = []
    for kind, model in _examples().items():
        arguments = planned.arguments.copy()
        arguments["checkpoint"], arguments["model_quantization"] = model, None
        with contextlib.suppress(ConfigError):  # no launch serves such a model
            size = plan(planned.task, **arguments).distinct
            if size < planned.distinct:
                fewer.append(f"{size} of a model that is {kind}")
    if fewer:
        say(
            f"note: of a model of which nothing is known {planned.distinct} launches differ, "
            f"{', '.join(fewer)}: give --checkpoint or --model-quantization"
        )


def _examples() -> dict[str, str]:
    """A well-known model without experts, and one whose weights are quantized already."""
    from .. import _core
    from ..checkpoint import inspect_checkpoint

    found: dict[str, str] = {}
    for model, _, _ in _core.known_models():
        info = inspect_checkpoint(model)
        if info.architecture is None or info.architecture.experts is not None:
            continue
        found.setdefault("quantized already" if info.quantization.quantized else "dense", model)
        if len(found) > 1:
            break
    return found


def _wrong_options(
    done: str | None,
    rerun: tuple[str, ...],
    form: str | None,
    image: str | None,
    out: str | None,
    minutes: float,
) -> str:
    """What of the options does not go together; empty when all do."""
    if rerun and done is None:
        return "--rerun says what of --done to run again: give --done as well"
    if not minutes <= _MOST_MINUTES:
        return f"--minutes-per-experiment takes at most {_MOST_MINUTES} minutes"
    if out == "" or done == "":
        return f"{'--out' if out == '' else '--done'} needs the name of a file"
    return "--image belongs to --docker" if image is not None and form != "docker" else ""


def _say_warnings(found: list[Diagnostic]) -> None:
    for told in found:
        if told.severity != "info":
            say(f"{told.severity}: {told}", error=True)


def _say_written(planned: Plan, minutes: float, out: str | None) -> None:
    if out:
        from .plan_story import in_words

        say(f"{out}: {in_words(planned, minutes)}", error=True)


def _say_refused(todo: Todo) -> bool:
    """Tell what releases refuse of the parameters, which a plan passes on as given."""
    counts: dict[str, int] = {}
    looked_at = 0
    for one in islice(todo, _LOOKED_AT):
        looked_at += 1
        found = [item for item in one.explain().diagnostics if item.severity == "error"]
        told = (f"{item.message}{f' ({item.hint})' if item.hint else ''}" for item in found)
        for item in dict.fromkeys(told):  # each once, in the order of the arguments
            counts[item] = counts.get(item, 0) + 1
    for message, count in counts.items():
        say(f"error: {message} - in {count} of the first {looked_at} experiments", error=True)
    return bool(counts)


def _signatures(done: str | None, rerun: tuple[str, ...]) -> set[str] | None:
    """What a results file says is done; what is odd about the file is told."""
    if done is None:
        return None
    contents = Ledger(done).read()
    if not contents.exists:
        say(f"note: {done} does not exist yet: nothing is done", error=True)
    for diagnostic in contents.diagnostics:
        say(f"warning: {diagnostic}", error=True)
    return done_signatures(contents, rerun)[0]


def _write(writer: Writer, todo: Todo, tick: Tick, out: str | None) -> None:
    """To standard output, to a file that is whole or not there, or to files in a folder."""
    if out is None or out == "-":
        write_out(writer.pieces(todo, tick))
        return
    try:
        if writer.form == "config_file" and (out.endswith(os.sep) or os.path.isdir(out)):
            os.makedirs(out, exist_ok=True)
            for name, text in writer.files(todo, tick):
                write_file([text], os.path.join(out, name))
        else:
            write_file(writer.pieces(todo, tick), out)
    except OSError as error:
        raise declare.ClickException(f"{out}: {error.strerror or error}") from None


@contextlib.contextmanager
def progress(size: int, what: str = "") -> Iterator[Tick]:
    """A bar on stderr while long work goes on, if somebody watches."""
    if (size < _LONG and not what) or not sys.stderr.isatty():
        yield lambda number: None
        return
    from .style import progress_bar

    with progress_bar(size, what or "planning") as bar:
        yield lambda number: bar.update(number - bar.pos)


def _show(todo: Todo, minutes: float, unfit: set[str]) -> None:
    from .plan_story import SHOWN, tell

    planned = todo.plan
    if todo.done is None:
        count, shown = len(planned), planned[: todo.most or SHOWN]
    else:
        count = len(planned.pending(todo.done))
        shown = list(islice(planned.pending(todo.done), todo.most or SHOWN))
    left = len(planned) - count
    tell(planned, shown, left - len(unfit), minutes, all_of=count, unfit=len(unfit))
