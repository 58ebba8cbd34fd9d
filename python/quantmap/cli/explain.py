"""``quantmap explain``: what a release will do with a config, and why."""

from __future__ import annotations

import json

import click

from ..mapping import Mapping, explain
from .inputs import shared_options, task_of

EPILOGUE = """\b
Examples:
  quantmap explain --runtime sglang --engine-version 0.5.6 --gpu H100 --preset dynamic-fp8
  quantmap explain task.json --engine-version 0.11.0 --policy strict
"""


@click.command(
    "explain", epilog=EPILOGUE, short_help="What a release will do with a config, and why."
)
@shared_options
@click.option("--evidence", is_flag=True, help="Show where each fact is written.")
@click.option("--json", "as_json", is_flag=True, help="The whole mapping as JSON on stdout.")
@click.option("--shell", "as_shell", metavar="MODEL", help="Only the launch line for MODEL.")
def explain_command(evidence: bool, as_json: bool, as_shell: str | None, **options: object) -> int:
    """Explain what becomes of each setting on an engine release.

    Without a version the documented mapping is explained; with one, nothing derived is refused by
    that release. "-" reads standard input.
    """
    task, situation = task_of(options)
    mappings = [
        explain(task.runtime, config, task.parameters, **situation) for config in task.configs()
    ]
    if as_json:
        data = [mapping.to_dict() for mapping in mappings]
        click.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
    elif as_shell is not None:
        for mapping in mappings:
            click.echo(mapping.shell(as_shell))
    else:
        for index, mapping in enumerate(mappings):
            if index:
                click.echo()
            _show(mapping, task.name, evidence)
    return _exit_code(mappings)


def _exit_code(mappings: list[Mapping]) -> int:
    """1 when something stays refused although the mapping was checked."""
    refused = any(d.severity == "error" for mapping in mappings for d in mapping.diagnostics)
    return 1 if refused else 0


def _show(mapping: Mapping, name: str | None, evidence: bool) -> None:
    from .tables import console, show_mapping, show_pairs

    release = f"{mapping.engine_name} {mapping.version or '(documented mapping)'}"
    parts = [name, release, mapping.gpu, mapping.preset]
    show_mapping(mapping, " · ".join(part for part in parts if part))
    if mapping.precision:
        show_pairs("what it will really be", mapping.precision)
    out = console()
    for diagnostic in mapping.diagnostics:
        if diagnostic.code in ("degraded", "dropped"):
            continue  # said in the table already
        hint = f" — {diagnostic.hint}" if diagnostic.hint else ""
        word = {"error": "refused", "warning": "warning", "info": "note"}[diagnostic.severity]
        out.print(f"{word}: {diagnostic.message}{hint}", markup=False, soft_wrap=True)
    if not evidence:
        return
    for decision in mapping.decisions:
        for source in decision.evidence:
            out.print(f"source of {decision.field}: {source}", markup=False, soft_wrap=True)
