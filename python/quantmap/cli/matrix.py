"""``quantmap matrix``: every setting of the four-field form on one release."""

from __future__ import annotations

import json

import click

from .. import _core
from ..mapping import explain

EPILOGUE = """\b
Examples:
  quantmap matrix --engine vllm --engine-version 0.11.0
  quantmap matrix --engine sglang --engine-version 0.5.18 --gpu B200 --json
"""


@click.command("matrix", epilog=EPILOGUE, short_help="Every setting on one release.")
@click.option("--engine", required=True, metavar="ENGINE", help="The engine.")
@click.option("--engine-version", default="latest", metavar="VERSION", help="The release.")
@click.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@click.option("--model-quantization", metavar="METHOD", help="The model's own method, such as awq.")
@click.option("--json", "as_json", is_flag=True, help="The matrix as JSON on stdout.")
def matrix_command(
    engine: str,
    engine_version: str,
    gpu: str | None,
    model_quantization: str | None,
    as_json: bool,
) -> int:
    """Show what each value of each field becomes on a release, all other fields at their default.

    The same table for every release is in the documentation, one page per engine.
    """
    rows = []
    version = engine_version
    for field in _core.fields():
        if field["form"] != "four_field":
            continue
        for option in field["options"]:
            mapping = explain(
                engine,
                {field["key"]: option},
                None,
                model_quantization,
                engine_version=engine_version,
                gpu=gpu,
            )
            version = mapping.version or engine_version
            decision = next(d for d in mapping.decisions if d.field == field["key"])
            rows.append(decision.to_dict())
    if as_json:
        click.echo(json.dumps({"engine": engine, "version": version, "rows": rows}, indent=2))
        return 0
    from .tables import show_matrix

    show_matrix(f"{engine} {version}", rows)
    return 0
