"""``quantmap results``: what came of a plan."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
from collections.abc import Iterator
from typing import Any

import click

from .. import _core
from ..errors import ConfigError
from ..files import write_file
from ..ledger import Ledger
from ..plan import plan
from ..results.importers import best_load, read_benchmark
from ..results.table import Results
from ..stored_plan import StoredPlan
from .help import command
from .inputs import model_facts, planned_options, read_json_file
from .streams import write_out
from .style import paint, printable, wrap
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap results task.json runs.jsonl
  quantmap results task.json machine1.jsonl machine2.jsonl --best ttft
  quantmap results task.json runs.jsonl --import 3=bench.json
  quantmap results task.json runs.jsonl --html --out results.html

\b
Without a ledger, PLAN.ledger.jsonl is read, which pytest writes. --import
reads what vllm bench serve, SGLang, GuideLLM and AIPerf write.
"""
SHOWN = 5
_ENDINGS = {"csv": "csv", "json": "json", "html": "html"}


@command("results", epilog=EPILOGUE, short_help="What came of a plan's experiments.")
@click.argument("plan_name", metavar="PLAN")
@click.argument("ledgers", metavar="[LEDGER...]", nargs=-1)
@planned_options
@click.option("--best", metavar="METRIC", help="Compare by this, not the task's objective.")
@click.option("--by", multiple=True, metavar="SETTING", help="Only the effects of this setting.")
@click.option(
    "--import",
    "imports",
    multiple=True,
    metavar="NO=FILE",
    help="Record a benchmark's result file for experiment NO.",
)
@click.option("--max", "most", type=click.IntRange(1), default=SHOWN, metavar="N", help="Rows.")
@click.option("--csv", "form", flag_value="csv", help="One row for each experiment.")
@click.option("--json", "form", flag_value="json", help="Everything as JSON.")
@click.option("--html", "form", flag_value="html", help="One page with the picture.")
@click.option("--out", metavar="FILE", help="Write to FILE; its ending says the form.")
@click.option("--strict", is_flag=True, help="Exit code 1 while nothing keeps every limit.")
def results_command(
    plan_name: str,
    ledgers: tuple[str, ...],
    best: str | None,
    by: tuple[str, ...],
    imports: tuple[str, ...],
    most: int,
    form: str | None,
    out: str | None,
    strict: bool,
    **ground: Any,
) -> int:
    """Compare what was measured of PLAN, a task or a file of quantmap plan --jsonl.

    Tells how far it is, the best under the task's service levels, what nothing
    beats, what each setting does with everything else equal, and why
    experiments failed.
    """
    form = form or (_ENDINGS.get(out.rpartition(".")[2]) if out else None)
    if out and form is None:
        raise click.UsageError("--out needs --csv, --json or --html, or a name that ends so")
    planned = plan_of(plan_name, ground)
    names = list(ledgers) or [f"{plan_name}.ledger.jsonl"]
    _import(planned, names[0], imports)
    results = Results(planned, names, best)
    for name in results.missing:
        say(f"note: {name} does not exist yet: nothing was measured", error=True)
    for diagnostic in results.diagnostics:
        say(f"warning: {diagnostic}", error=True)
    if results.strangers:
        count = len(results.strangers)
        say(f"note: {count} results are of experiments that this plan has not", error=True)
    if form is None:
        _tell(results, most, by)
    else:
        _write(_pieces(results, form), out)
    return 1 if strict and results.best() is None else 0


def plan_of(name: str, ground: dict[str, Any]) -> Any:
    """The plan of a task, or the one that a file holds."""
    engines = list(ground.pop("engines"))
    with contextlib.suppress(OSError):
        if os.path.isfile(name):  # a pipe is read once
            with open(name, "rb") as handle:
                if handle.read(8) == b'{"plan":':
                    return StoredPlan(name)
    data = read_json_file(name)
    facts = model_facts(ground, data.get("model") if isinstance(data, dict) else None)
    return plan(data, engines=engines or None, **{**ground, **facts})


def _import(planned: Any, ledger: str, imports: tuple[str, ...]) -> None:
    """Record result files of benchmark programs."""
    from ..results.scoring import read_goal

    for item in imports:
        number, mark, name = item.partition("=")
        if not mark or not number.isdigit() or int(number) >= len(planned):
            last = len(planned) - 1
            raise click.UsageError(f"--import {item!r}: write NO=FILE, with NO from 0 to {last}")
        loads = read_benchmark(name)
        load = best_load(loads, read_goal(planned.task))
        Ledger(ledger).record(
            planned[int(number)].signature,
            "success",
            metrics=load.metrics,
            program=load.program,
            load=load.described,
            file=os.path.basename(name),
        )
        more = f", the best of {len(loads)} loads" if len(loads) > 1 else ""
        say(f"{name}: recorded for experiment {number}{more}", error=True)


def _pieces(results: Results, form: str) -> Iterator[bytes]:
    if form == "json":
        yield from _json_lines(results.to_dict())
    elif form == "html":
        from ..results.html import to_html

        for piece in to_html(results):
            yield piece.encode()
    else:
        text = io.StringIO()
        rows = results.to_rows()
        if rows:
            writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        yield text.getvalue().encode()


def _json_lines(data: dict[str, Any]) -> Iterator[bytes]:
    """An object with a line for each key, and for each item of its lists: there may be many."""
    before = "{"
    for key, value in data.items():
        if isinstance(value, list) and value:
            text = "[\n    " + ",\n    ".join(map(json.dumps, value)) + "\n  ]"
        else:
            text = json.dumps(value)
        yield f"{before}\n  {json.dumps(key)}: {text}".encode()
        before = ","
    yield b"\n}\n"


def _write(pieces: Iterator[bytes], out: str | None) -> None:
    if out is None or out == "-":
        write_out(pieces)
        return
    try:
        write_file(pieces, out)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from None


def _tell(results: Results, most: int, by: tuple[str, ...]) -> None:
    from ..results.story import effect_line, failure_lines, goal_line, heading

    planned = results.plan
    title = planned.task_name or "results"
    click.echo(paint(printable(str(title)), bold=True))
    same = f"{planned.asked} asked, {planned.merged} the same as another"
    click.echo(wrap(f"{heading(results)} ({same}, {planned.skipped} left out)", "  ", "    "))
    click.echo(wrap(goal_line(results), "  ", "    "))
    _ranking(results, most)
    effects = results.effects(parts=by or None)
    if by and not effects:
        known = sorted({item.part for item in results.effects()})
        found = ", ".join(known) or "nothing yet"
        context = {"value": repr(by[0]), "field": "--by", "known": found, "hint": ""}
        raise ConfigError([_core.make_diagnostic("unknown-value", "--by", context)])
    _section("what one change does", [effect_line(item) for item in effects], most * 3)
    _section("failed", list(failure_lines(results)), most)


def _section(title: str, lines: list[str], most: int) -> None:
    if not lines:
        return
    click.echo(f"\n{title}")
    for line in lines[:most]:
        click.echo(wrap(line, "  ", "    "))
    if len(lines) > most:
        click.echo(f"  and {len(lines) - most} more: --json has all")


def _ranking(results: Results, most: int) -> None:
    from ..results.story import hidden_line, memory_line, precision_lines, row_values

    ranked = results.ranked()
    front = {row.index for row in results.front()}
    rival = results.rival(results.goal.metric)
    if not ranked:
        return
    runs = precision_lines(results, ranked[:most])
    click.echo(f"\nthe best {min(most, len(ranked))} of {len(ranked)}")
    for place, row in enumerate(ranked[:most], start=1):
        label = row.label.replace("+", " ")
        click.echo(wrap(f"{place}. experiment {row.index}, {label}", "  ", "     "))
        click.echo(wrap(row_values(results, row, further=True), "     "))
        for limit, excess in row.score.broken:
            click.echo(wrap(f"✗ breaks {limit.metric} by {excess:.1%}", "     "))
        if row.score.unjudged:
            names = ", ".join(row.score.unjudged)
            click.echo(wrap(f"not judged, because not measured: {names}", "     "))
        if row.index in front and rival:
            text = f"nothing beats it in {results.goal.metric} and {rival}"
            click.echo(wrap(text, "     "))
        if row.experiment.points > 1:
            click.echo(wrap(f"stands for {row.experiment.points} combinations", "     "))
        for line in filter(None, (runs[row.index], memory_line(results, row))):
            click.echo(wrap(line, "     "))
    if hidden_line(results):
        click.echo(f"  {hidden_line(results)}")
