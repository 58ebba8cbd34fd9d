"""``quantmap matrix``: every setting of the four-field form on one release."""

from __future__ import annotations

import json

import click

from .. import _core
from ..checkpoint import inspect_checkpoint
from ..mapping import Mapping, explain
from .help import command
from .inputs import model_options, read_checkpoint

EPILOGUE = """\b
Examples:
  quantmap matrix --engine vllm --engine-version 0.11.0
  quantmap matrix --engine sglang --engine-version 0.5.18 --gpu B200 --json
  quantmap matrix --engine vllm@0.33.0 --gpu A100 --kernels
  quantmap matrix --engine sglang@0.5.9 --gpu B200 --trouble
"""


@command("matrix", epilog=EPILOGUE, short_help="Every setting on one release.")
@click.option(
    "--engine",
    "--runtime",
    "engine",
    required=True,
    metavar="ENGINE[@VERSION]",
    help="The engine.",
)
@click.option("--engine-version", metavar="VERSION", help="The release; default: the newest known.")
@click.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@model_options
@click.option("--kernels", is_flag=True, help="The attention backends, and what each takes.")
@click.option("--trouble", is_flag=True, help="What starts and then goes wrong, or is not loaded.")
@click.option("--json", "as_json", is_flag=True, help="The matrix as JSON on stdout.")
def matrix_command(
    engine: str,
    engine_version: str | None,
    gpu: str | None,
    model_quantization: str | None,
    checkpoint: str | None,
    kernels: bool,
    trouble: bool,
    as_json: bool,
) -> int:
    """Show what each value of each field becomes on a release, all other fields at their default.

    The same table for every release is in the documentation, one page per engine.
    """
    ground = explain(engine, {}, engine_version=engine_version)
    if ground.version is None:  # nothing names a release
        ground = explain(engine, {}, engine_version="latest")
    name, version = ground.engine, ground.version
    model = None if checkpoint is None else inspect_checkpoint(read_checkpoint(checkpoint))
    if kernels or trouble:
        place = explain(name, {}, engine_version=version, gpu=gpu)
        return (_show_kernels if kernels else _show_trouble)(place, as_json)
    rows = []
    for field in _core.fields():
        if field["form"] != "four_field":
            continue
        for option in field["options"]:
            config = {field["key"]: option}
            mapping = explain(
                name,
                config,
                None,
                model_quantization,
                engine_version=version,
                gpu=gpu,
                checkpoint=model,
            )
            decision = next(d for d in mapping.decisions if d.field == field["key"])
            rows.append(decision.to_dict())
    if as_json:
        click.echo(json.dumps({"engine": name, "version": version, "rows": rows}, indent=2))
        return 0
    from .style import release_words
    from .tables import show_matrix

    show_matrix(release_words(ground.engine_name, version, ground.diagnostics), rows)
    return 0


def _show_kernels(place: Mapping, as_json: bool) -> int:
    """Print what the attention backends of a release take, on one GPU or on each."""
    found = _core.attention_backends(place.engine, place.version)
    rows = [
        {"backend": backend["backend"], **row}
        for backend in found
        for row in backend["takes"]
        if row["models"] and (place.gpu is None or place.gpu in row["gpus"])
    ]
    if as_json:
        head = {"engine": place.engine, "version": place.version, "gpu": place.gpu}
        click.echo(json.dumps({**head, "rows": rows}, indent=2))
        return 0
    from .tables import show_kernels

    show_kernels(f"{place.engine_name} {place.version}", rows)
    return 0


def _show_trouble(place: Mapping, as_json: bool) -> int:
    """Print what is known to go wrong with a release, on one GPU or on all."""
    found = _core.known_troubles(place.engine, place.version)
    rows = [
        row for row in found if place.gpu is None or not row["gpus"] or place.gpu in row["gpus"]
    ]
    if as_json:
        head = {"engine": place.engine, "version": place.version, "gpu": place.gpu}
        click.echo(json.dumps({**head, "rows": rows}, indent=2))
        return 0
    from .tables import show_trouble

    show_trouble(f"{place.engine_name} {place.version}", rows)
    return 0
