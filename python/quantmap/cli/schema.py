"""``quantmap schema``: exports for editors, web forms and other programs."""

from __future__ import annotations

import json
from typing import Any

import click

from .help import command
from .inputs import engine_names

EPILOGUE = """\b
Examples:
  quantmap schema --json-schema task > task.schema.json
  quantmap schema --ui --engine sglang@0.5.6 --gpu H100 > tables.json
  quantmap schema --arguments vllm@0.11.0 > flags.json
"""


def kinds(_context: object, _option: object, typed: str) -> list[str]:
    """Kinds of inputs, for a shell to complete."""
    from ..schema.inputs import KINDS

    return [kind for kind in KINDS if kind.startswith(typed)]


def verbs(_context: object, _option: object, typed: str) -> list[str]:
    """Verbs with JSON output, for a shell to complete."""
    from ..schema.outputs import OUTPUTS

    return [verb for verb in OUTPUTS if verb.startswith(typed)]


@command("schema", epilog=EPILOGUE, short_help="JSON Schemas, TypeScript, web form tables.")
@click.option(
    "--json-schema",
    "kind",
    metavar="[KIND]",
    shell_complete=kinds,
    is_flag=False,
    flag_value="config",
    help="The JSON Schema of an input: config (default), four-field, unified or task.",
)
@click.option(
    "--typescript", is_flag=True, help="TypeScript types of configs, task, --ui and outputs."
)
@click.option("--ui", is_flag=True, help="Fields, presets and all outcomes, for a web form.")
@click.option(
    "--engine",
    "engines",
    multiple=True,
    metavar="ENGINE[@VERSION]",
    shell_complete=engine_names,
    help="With --ui: an engine or release, may be repeated; default: all, and their newest.",
)
@click.option("--gpu", metavar="GPU", help="With --ui: the GPU that releases are asked about.")
@click.option(
    "--output",
    "verb",
    metavar="VERB",
    shell_complete=verbs,
    help="The JSON Schema of what VERB prints with --json.",
)
@click.option(
    "--arguments",
    "release",
    metavar="ENGINE[@VERSION]",
    shell_complete=engine_names,
    help="Every flag of a release: type, choices, default.",
)
def schema_command(
    kind: str | None,
    typescript: bool,
    ui: bool,
    engines: tuple[str, ...],
    gpu: str | None,
    verb: str | None,
    release: str | None,
) -> int:
    """Print what other programs need, made from the catalogue of this version.

    Choose one of --json-schema, --typescript, --ui, --output and --arguments.
    """
    if (kind is not None) + typescript + ui + (verb is not None) + (release is not None) != 1:
        raise click.UsageError(
            "choose one of --json-schema, --typescript, --ui, --output and --arguments"
        )
    if not ui and (engines or gpu is not None):
        raise click.UsageError("--engine and --gpu go with --ui")
    from .. import schema

    if typescript:
        click.echo(schema.typescript_types(), nl=False)
    elif ui:
        tables = schema.ui_table(list(engines) or None, gpu=gpu)
        click.echo(json.dumps(tables, separators=(",", ":")))
    elif release is not None:
        from ..flags import arguments

        _print([flag.to_dict() for flag in arguments(release)])
    elif verb is not None:
        _print(schema.output_schema(verb))
    elif kind is not None:
        _print(schema.json_schema(kind))
    return 0


def _print(data: Any) -> None:
    click.echo(json.dumps(data, indent=2))
