"""``quantmap fit --need``: the question the other way round."""

from __future__ import annotations

import json
import re
from typing import Any

import click

from .. import _core
from ..errors import ConfigError
from ..fit import Fit, estimate
from ..fitted import NeededFit
from .fit_story import in_gb
from .tables import say, show_table
from .tokens import read_tokens

PARTS_OF_NEED = re.compile(r"\s*([\d.]+\s*[kKmM]?)\s*(?:[x*]\s*(\d+))?\s*")
MOST_GPUS = 64


def search(
    checkpoint: Any, config: dict[str, Any], need: str, options: dict[str, Any], as_json: bool
) -> int:
    """Fewest GPUs for a need, with each KV type, and the least share of their memory."""
    match = PARTS_OF_NEED.fullmatch(need)
    if match is None or not options["gpu"]:
        raise click.UsageError("--need takes tokens and sequences, such as '32k x 8', and --gpu")
    context = read_tokens(match[1])
    ground = {**options, "context": context, "concurrency": int(match[2] or 1)}
    found = search_types(checkpoint, config, ground)
    if as_json:
        answers = [NeededFit(kv, fit.tp, share, fit) for kv, fit, share in found]
        click.echo(json.dumps([answer.to_dict() for answer in answers], indent=2))
    else:
        rows = [
            [kv, str(fit.tp), f"{share:.2f}", in_gb(fit.weight_bytes), f"{fit.sequences:,}"]
            for kv, fit, share in found
        ]
        title = f"{ground['concurrency']} x {context:,} tokens on {options['gpu']}"
        if rows:
            title += f", {found[0][1].engine_name} {found[0][1].version}"
            show_table(title, ["KV cache", "tp", "least share", "weights", "sequences"], rows)
        else:
            say(f"{title}: does not fit on up to {MOST_GPUS} GPUs")
    return 0 if found else 1


def search_types(
    checkpoint: Any, config: dict[str, Any], ground: dict[str, Any]
) -> list[tuple[str, Fit, float]]:
    """The answer for the given mapping, or for the first preset of each size of KV number."""
    found: list[tuple[str, Fit, float]] = []
    for each in [config] if config else [{"preset": preset["id"]} for preset in _core.presets()]:
        try:
            answer = least_gpus(checkpoint, each, ground)
        except ConfigError:
            continue
        if answer is None:
            continue
        name = f"{answer[0].kv_bits:g} bits"
        if all(name != other for other, _, _ in found):
            found.append((name, *answer))
    return found


def least_gpus(
    checkpoint: Any, config: dict[str, Any], ground: dict[str, Any]
) -> tuple[Fit, float] | None:
    """The estimate with fewest GPUs that fits, and the least share of memory that is enough."""
    first = ground["tp"] or 1
    tp = first
    while tp <= (first if ground["tp"] else MOST_GPUS):
        fit = estimate(checkpoint, config, **{**ground, "tp": tp})
        if any(diagnostic.code == "uneven-parallelism" for diagnostic in fit.diagnostics):
            return None
        if fit.verdict == "fits":
            low, high = 0.0, fit.memory_fraction
            for _ in range(8):
                share = (low + high) / 2
                less = {**ground, "tp": tp, "memory_fraction": share}
                low, high = (
                    (low, share)
                    if estimate(checkpoint, config, **less).verdict == "fits"
                    else (share, high)
                )
            return fit, -(-high * 100 // 1) / 100
        tp *= 2
    return None
