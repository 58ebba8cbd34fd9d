"""``quantmap plan``: the experiments of a comparison task that really differ."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator
from itertools import islice
from typing import Any, Callable

import click

from ..experiment import Experiment
from ..ledger import Ledger, done_signatures
from ..plan import Plan, plan
from ..plan_file import csv_lines, write_file
from .inputs import engine_names, read_json_file
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap plan examples/quant_multi_preset_task.json
  quantmap plan task.json --engine sglang@0.5.2 --engine vllm@0.11.0 --gpu H100
  quantmap plan task.json --jsonl --out plan.jsonl
  quantmap plan task.json --done results.jsonl --rerun failed --shell

\b
results.jsonl holds one object per line with the signature of an experiment and its status, such as
  {"signature": "0f1e...", "status": "success"}
"""

_LONG = 10_000  # from so many experiments on, a terminal sees how far the work is
_SIGNATURE = re.compile(rb'\{"index":\d+,"signature":"([0-9a-f]{32})"')
_ENDINGS = {"csv": "csv", "sh": "shell", "json": "json"}
Tick = Callable[[int], None]


@click.command("plan", epilog=EPILOGUE, short_help="The experiments of a task that really differ.")
@click.argument("task", metavar="TASK.json | -")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="ENGINE[@VERSION]",
    shell_complete=engine_names,
    help="Plan for this engine, not the task's; repeat it to compare several.",
)
@click.option("--engine-version", metavar="VERSION", help="The engine release, such as 0.11.0.")
@click.option("--gpu", metavar="GPU", help="A product such as H100, or a capability such as 9.0.")
@click.option(
    "--policy",
    type=click.Choice(["degrade", "strict", "literal"]),
    default="degrade",
    show_default=True,
    help="What to do with a setting that the release does not take; strict leaves it out.",
)
@click.option("--model-quantization", metavar="METHOD", help="The model's own method, such as awq.")
@click.option("--max", "most", type=click.IntRange(1), metavar="N", help="The first N only.")
@click.option("--done", metavar="RESULTS.jsonl", help="Leave out what this file says was run.")
@click.option(
    "--rerun",
    multiple=True,
    type=click.Choice(["failed", "finished"]),
    help="With --done: what to run again nevertheless.",
)
@click.option("--jsonl", "form", flag_value="jsonl", help="Experiments as JSON lines.")
@click.option("--csv", "form", flag_value="csv", help="Experiments as a table for a spreadsheet.")
@click.option("--shell", "form", flag_value="shell", help="Experiments as launch commands.")
@click.option("--json", "form", flag_value="json", help="The accounting as JSON.")
@click.option("--out", metavar="FILE", help="Write to FILE; its ending says the form.")
@click.option(
    "--minutes-per-experiment",
    "minutes",
    type=click.FloatRange(0),
    default=5.0,
    show_default=True,
    metavar="MINUTES",
    help="To tell the time saved.",
)
@click.option("--strict", is_flag=True, help="Exit code 1 when anything is left out.")
def plan_command(
    task: str,
    engines: tuple[str, ...],
    most: int | None,
    done: str | None,
    rerun: tuple[str, ...],
    form: str | None,
    out: str | None,
    minutes: float,
    strict: bool,
    **ground: Any,
) -> int:
    """Reduce TASK.json, a comparison task, to the launches that really differ.

    Lists of presets, field values and parameters ask for every combination. Most of them come to
    the same launch: each is planned once, and every combination is accounted for.
    """
    if rerun and done is None:
        raise click.UsageError("--rerun says what of --done to run again: give --done as well")
    data = read_json_file(task)
    planned = plan(data, engines=list(engines) or None, **ground)
    for diagnostic in planned.diagnostics:
        if diagnostic.severity != "info":
            say(f"{diagnostic.severity}: {diagnostic}", error=True)
    todo = Todo(planned, _signatures(done, rerun), most)
    form = form or (_ENDINGS.get(out.rpartition(".")[2], "jsonl") if out else None)
    if form is None:
        _show(todo, minutes)
    else:
        writers = {"jsonl": _jsonl, "json": _json, "csv": _csv, "shell": _shell(data)}
        with progress(todo.size) as tick:
            _write(writers[form](todo, tick), out)
        if out:
            from .plan_story import in_words

            say(f"{out}: {in_words(planned, minutes)}", error=True)
    return 1 if strict and planned.skipped else 0


class Todo:
    """The experiments of a plan that are to be run.

    Attributes:
        plan: the plan.
        done: signatures to leave out, or None.
        most: how many at most, or None.
        size: how many experiments are looked at.
    """

    def __init__(self, planned: Plan, done: set[str] | None, most: int | None) -> None:
        self.plan = planned
        self.done = done
        self.most = most
        self.size = len(planned) if done is not None or most is None else min(most, len(planned))

    def __iter__(self) -> Iterator[Experiment]:
        found = iter(self.plan) if self.done is None else self.plan.pending(self.done)
        return islice(found, self.most)


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


def _write(pieces: Iterator[bytes], out: str | None) -> None:
    """To standard output, or to a file that is whole or not there."""
    if out is None or out == "-":
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
        return
    try:
        write_file(pieces, out)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from None


@contextlib.contextmanager
def progress(size: int) -> Iterator[Tick]:
    """A bar on stderr while long work goes on, if somebody watches."""
    if size < _LONG or not sys.stderr.isatty():
        yield lambda number: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("planning", total=size)
        yield lambda number: bar.update(task, completed=number)


def _ticking(todo: Todo, tick: Tick) -> Iterator[Experiment]:
    for experiment in todo:
        if experiment.index % 1000 == 0:
            tick(experiment.index)
        yield experiment


def _show(todo: Todo, minutes: float) -> None:
    from .plan_story import SHOWN, tell

    planned = todo.plan
    if todo.done is None:
        count, shown = len(planned), planned[: todo.most or SHOWN]
    else:
        count = len(planned.pending(todo.done))
        shown = list(islice(planned.pending(todo.done), todo.most or SHOWN))
    tell(planned, shown, len(planned) - count, minutes, all_of=count)


def _jsonl(todo: Todo, tick: Tick) -> Iterator[bytes]:
    yield (json.dumps(todo.plan.header(), default=str) + "\n").encode()
    if todo.done is None:
        for lines, number in todo.plan.iter_lines(0, todo.size):
            yield lines
            tick(number)
        return
    left = len(todo.plan) if todo.most is None else todo.most
    for lines, number in todo.plan.iter_lines():
        kept = []
        for line in lines.splitlines(keepends=True):
            found = _SIGNATURE.match(line)
            if found and (left == 0 or found[1].decode() in todo.done):
                continue
            left -= found is not None
            kept.append(line)
        yield b"".join(kept)
        tick(number)
        if left == 0:
            return


def _json(todo: Todo, tick: Tick) -> Iterator[bytes]:
    experiments = [experiment.to_dict() for experiment in _ticking(todo, tick)]
    data = {**todo.plan.header()["plan"], "experiments": experiments}
    yield (json.dumps(data, indent=2, default=str) + "\n").encode()


def _csv(todo: Todo, tick: Tick) -> Iterator[bytes]:
    yield from csv_lines(_ticking(todo, tick))


def _shell(task: Any) -> Callable[[Todo, Tick], Iterator[bytes]]:
    """Writes launch commands, each behind a comment with the signature to record."""

    def write(todo: Todo, tick: Tick) -> Iterator[bytes]:
        model = task.get("model") if isinstance(task, dict) else None
        if isinstance(model, dict):
            model = next((model[key] for key in ("id_or_path", "id", "name") if key in model), None)
        if not isinstance(model, str):
            raise click.UsageError("--shell needs the model in the task: model.id_or_path")
        for one in _ticking(todo, tick):
            line = f"# {one.index} {one.signature}\n{one.shell(model)}\n"
            yield line.encode("utf-8", "backslashreplace")

    return write
