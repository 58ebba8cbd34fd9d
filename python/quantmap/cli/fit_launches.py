"""``quantmap fit`` of what somebody else wrote: a launch line, a script, or a task."""

from __future__ import annotations

import json
import os
from itertools import islice
from typing import Any

import click

from ..check import CheckResult
from ..errors import ConfigError
from ..files import is_given, read_file
from ..fit import Fit, estimate
from ..launch_fit import estimate_script
from ..plan import Plan, plan
from ..task import model_path, read_task
from .check import text_of
from .fit_story import GOOD, show_fits
from .inputs import read_json_file
from .tables import say, words_of

MOST_EXPERIMENTS = 20
TASK_KEYS = ("base_runtime", "parameters", "quant_config", "quantization_config", "model")
CONFIG_KEYS = ("architectures", "model_type", "num_hidden_layers", "text_config")


def kind_of(given: str) -> tuple[str, Any]:
    """What is given: ``model``, ``launch`` or ``task``, with its content where it was read."""
    if given == "-" or (given.endswith(".json") and not os.path.isdir(given)):
        data = read_json_file(given)
        is_task = (
            isinstance(data, dict)
            and any(key in data for key in TASK_KEYS)
            and not any(key in data for key in CONFIG_KEYS)
        )
        return ("task" if is_task else "model"), data
    if os.path.isdir(given) or _is_binary(given):
        return "model", None
    if is_given(given) or len(given.split()) > 1:
        return "launch", text_of(given)
    return "model", None


def _is_binary(given: str) -> bool:
    """Whether this is a file of weights and no text."""
    try:
        return os.path.isfile(given) and b"\0" in read_file(given, 4096)
    except (OSError, ValueError):
        return False


def fit_launches(
    text: str, checkpoint: Any, options: dict[str, Any], why: bool, as_json: bool
) -> int:
    """An estimate for each launch of a line or script."""
    more = {
        key: value
        for key, value in options.items()
        if key in ("tp", "pp", "memory_fraction") and value is not None
    }
    found = estimate_script(
        text,
        gpu=options["gpu"],
        engine=options["engine"],
        engine_version=options["engine_version"],
        checkpoint=checkpoint,
        context=options["context"],
        concurrency=options["concurrency"],
        **more,
    )
    fits = [fit for _, fit in found]
    if as_json:
        data = [fit.to_dict() for fit in fits]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
    else:
        _show_launches(found, why)
    return 0 if all(fit.verdict in GOOD for fit in fits) else 1


def _show_launches(found: list[tuple[CheckResult, Fit]], why: bool) -> None:
    for number, (launch, fit) in enumerate(found):
        if number:
            say()
        name = f"line {launch.line}"
        show_fits(launch.model or "the model", [name], [fit], why)
        for note in launch.refusals:
            say(f"{name}: refused: {note.message}")
        for verdict in launch.verdicts:
            if verdict.refused:
                say(f"{name}: refused: {verdict.argument}: {verdict.reason}")


def fit_task(data: Any, checkpoint: Any, options: dict[str, Any], why: bool, as_json: bool) -> int:
    """An estimate for each of a task's experiments, the first ones of many."""
    if checkpoint is None:
        checkpoint = model_path(read_task(data).model)
    if not checkpoint:
        raise click.UsageError("the task names no model: give it with --checkpoint")
    planned = _plan(data, checkpoint, options)
    names, fits = [], []
    shown = list(islice(planned, MOST_EXPERIMENTS))
    common = _common([one.args for one in shown])
    for one in shown:
        fits.append(
            estimate(
                *(checkpoint, one.config),
                engine=one.engine,
                engine_version=one.version,
                gpu=options["gpu"],
                context=options["context"],
                concurrency=options["concurrency"],
                user_parameters=one.parameters,
            )
        )
        own = {key: value for key, value in one.args.items() if key not in common}
        names.append(words_of(own) or "-")
    if as_json:
        click.echo(json.dumps([fit.to_dict() for fit in fits], indent=2))
    else:
        _show(names, fits, common, len(planned), why)
    return 0 if all(fit.verdict in GOOD for fit in fits) else 1


def _plan(data: Any, checkpoint: Any, options: dict[str, Any]) -> Plan:
    """The task's experiments on the release that it names, else on the newest."""
    ground = {"checkpoint": checkpoint, "gpu": options["gpu"]}
    engines = [options["engine"]] if options["engine"] else None
    version = options["engine_version"]
    try:
        return plan(data, engines=engines, engine_version=version, **ground)
    except ConfigError as error:
        if version is not None or all(d.code != "needs-version" for d in error.diagnostics):
            raise
    return plan(data, engines=engines, engine_version="latest", **ground)


def _common(all_args: list[dict[str, Any]]) -> dict[str, Any]:
    first = all_args[0] if all_args else {}
    return {k: v for k, v in first.items() if all(args.get(k) == v for args in all_args)}


def _show(names: list[str], fits: list[Fit], common: dict[str, Any], size: int, why: bool) -> None:
    if common:
        say(f"in each: {words_of(common)}")
    show_fits("task", names, fits, why)
    if size > len(fits):
        say(
            f"and {size - len(fits)} experiments more: `quantmap plan` leaves out what does not fit"
        )
