"""``quantmap map``: launch arguments of a task or of a config typed on the command line."""

from __future__ import annotations

import json
from typing import Any

import click

from ..errors import ConfigError
from ..mapping import Mapping, explain
from ..task import Task
from .inputs import shared_options, task_of

EPILOGUE = """\b
Examples:
  quantmap map examples/quant_preset_task.json
  quantmap map --runtime vllm --preset kv-cache-fp8 --set gemm_dtype=bfloat16 --param tp-size=2
"""


@click.command("map", epilog=EPILOGUE, short_help="Launch arguments of a task or config.")
@shared_options
@click.option("--json", "as_json", is_flag=True, help="The whole mapping as JSON on stdout.")
@click.option(
    "--argv", "as_argv", is_flag=True, help="Only the arguments: one JSON array per mapping."
)
def map_command(as_json: bool, as_argv: bool, **options: object) -> int:
    """Map a quantization config to launch arguments, with the reason for each.

    TASK.json is an autotuner task (base_runtime, quant_config, parameters) or a bare config; "-"
    reads standard input. A task that compares several presets gives one mapping for each.
    """
    if as_json and as_argv:
        raise click.UsageError("--json and --argv exclude each other")
    task, situation = task_of(options)
    mappings = _map_all(task, situation)
    if as_json:
        data = [mapping.to_dict() for mapping in mappings]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
        return 0
    if as_argv:
        for mapping in mappings:
            click.echo(json.dumps(mapping.argv()))
        return 0
    _show(task, mappings)
    return 0


def _map_all(task: Task, situation: dict[str, Any]) -> list[Mapping]:
    mappings, problems = [], []
    for config in task.configs():
        try:
            mappings.append(explain(task.runtime, config, task.parameters, **situation))
        except ConfigError as error:
            problems += [problem for problem in error.diagnostics if problem not in problems]
    if problems:
        raise ConfigError(problems)
    return mappings


def _show(task: Task, mappings: list[Mapping]) -> None:
    from .tables import show_mapping, show_warnings

    for index, mapping in enumerate(mappings):
        parts = [task.name, mapping.engine_name, mapping.preset]
        title = " · ".join(part for part in parts if part)
        if index:
            click.echo()
        show_mapping(mapping, title)
        show_warnings(mapping, mapping.preset or mapping.engine_name)
