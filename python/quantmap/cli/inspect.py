"""``quantmap inspect``: what the files of a model say."""

from __future__ import annotations

import json
import os

import click

from ..checkpoint import Architecture, CheckpointInfo, Weights, inspect_checkpoint
from .help import command
from .tables import say, show_table

EPILOGUE = """\b
Examples:
  quantmap inspect ./my-model
  quantmap inspect ./my-model --evidence --json
"""


@command("inspect", epilog=EPILOGUE, short_help="What the files of a model say.")
@click.argument("model", metavar="MODEL")
@click.option("--evidence", is_flag=True, help="Show where each engine's detection is written.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def inspect_command(model: str, evidence: bool, as_json: bool) -> int:
    """Read what MODEL is: quantization, shape, size, and what each engine would make of it.

    MODEL is a folder, a folder of the Hugging Face cache, a .gguf or .safetensors file, or an id.
    Only headers are read.
    """
    if "/" not in model and not os.path.exists(model):
        raise click.ClickException(
            f"{model}: no such folder or file (an id is written ORGANIZATION/MODEL)"
        )
    info = inspect_checkpoint(model)
    if as_json:
        click.echo(json.dumps(info.to_dict(), indent=2))
        return 0
    _show(info)
    if evidence:
        for detection in info.detections:
            for source in detection.evidence:
                say(f"source for {detection.engine_name}: {source}")
    return 0


def _show(info: CheckpointInfo) -> None:
    show_table(info.source or "config", ["what", "value"], _rows(info))
    if info.detections:
        _show_detections(info)
    for note in info.notes:
        # A hint to look here is for who met the note elsewhere.
        hint = f" — {note.hint}" if note.hint and "quantmap inspect" not in note.hint else ""
        say(f"{note.severity}: {note.message}{hint}")


def _rows(info: CheckpointInfo) -> list[list[str]]:
    rows = [["quantization", info.quantization.title], *_scheme_rows(info)]
    if info.quantization.source:
        rows.append(["said by", info.quantization.source])
    if info.quantization.kv_dtype:
        scales = {True: ", with scales", False: ", without scales", None: ""}
        kv = info.quantization.kv_dtype + scales[info.quantization.kv_scales]
        rows.append(["KV cache", kv])
    if info.architecture is not None:
        rows += _shape_rows(info.architecture)
    if info.weights is not None:
        rows += _weight_rows(info.weights)
    read = f"{len(info.files)} files, {_size(info.bytes_read)} read"
    rows.append(["evidence", info.evidence + (f" ({read})" if info.files else "")])
    return rows


def _show_detections(info: CheckpointInfo) -> None:
    say()
    rows = [
        [
            detection.engine_name,
            "refused" if detection.refused else detection.method or "not quantized",
            detection.source or "-",
            detection.reason or "",
        ]
        for detection in info.detections
    ]
    columns = ["engine", "method", "decided by", "remark"]
    show_table("what each engine makes of it", columns, rows)


def _scheme_rows(info: CheckpointInfo) -> list[list[str]]:
    rows = []
    for scheme in info.quantization.schemes:
        targets = f" ({len(scheme.targets)} targets)" if scheme.targets else ""
        bits = f", {scheme.weight_bits:.2f} bits a weight" if info.format == "gguf" else ""
        rows.append(["scheme", scheme.name + bits + targets])
    if info.quantization.excluded:
        rows.append(
            ["not quantized", f"{len(info.quantization.excluded)} patterns of modules (--json)"]
        )
    return rows


def _shape_rows(shape: Architecture) -> list[list[str]]:
    kinds = [layer.kind for layer in shape.layers]
    layers = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    rows = [["model", shape.model_type or "-"], ["layers", f"{len(kinds)} ({layers})"]]
    rows.append(["attention", _heads(shape) + (f", window {shape.window}" if shape.window else "")])
    if shape.experts is not None:
        experts = shape.experts
        shared = f", {experts.shared} shared" if experts.shared else ""
        rows.append(["experts", f"{experts.routed}, {experts.per_token} per token{shared}"])
    for name, value in (("hidden size", shape.hidden), ("vocabulary", shape.vocabulary)):
        rows.append([name, str(value) if value else "-"])
    if shape.max_length:
        rows.append(["longest context", str(shape.max_length)])
    return rows


def _heads(shape: Architecture) -> str:
    if shape.mla is not None:
        return f"{shape.heads or '?'} heads, MLA with a vector of {shape.mla.kv_rank}"
    if not (shape.heads or shape.kv_heads):
        return "-"
    size = f" of {shape.head_size}" if shape.head_size else ""
    return f"{shape.heads or '?'} heads, {shape.kv_heads or '?'} KV heads{size}"


def _weight_rows(weights: Weights) -> list[list[str]]:
    rows = [
        ["parameters", f"{weights.parameters / 1e9:.3f} billion ({weights.parameters})"],
        ["weights", f"{_size(weights.bytes)} in {weights.tensors} tensors"],
    ]
    for name, part in weights.parts.items():
        if part.tensors:
            share = f"{_size(part.bytes)}, {_size(part.quantized_bytes)} quantized"
            rows.append([f"  {name}", share])
    stored = ", ".join(f"{item['dtype']} {_size(item['bytes'])}" for item in weights.dtypes)
    return [*rows, ["stored as", stored]]


def _size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.2f} {unit}"
        count /= 1024
    return f"{count:.2f} TiB"
