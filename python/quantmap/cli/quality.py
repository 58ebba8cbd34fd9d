"""``quantmap quality``: what quantization does to the weights of a checkpoint."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable
from typing import Any

import click

from ..numerics.page import page, picture
from ..numerics.quality import Quality, quality
from .help import command
from .inputs import apply_settings
from .style import progress_bar
from .tables import say, show_table

WORST = 10

EPILOGUE = """\b
Examples:
  quantmap quality ./my-model --scheme vllm:fp8_per_channel --scheme vllm:mxfp4
  quantmap quality ./my-model --engine sglang_jax@0.1.0rc0 --json
  quantmap quality ./my-model --scheme compressed_tensors:INT8 --html report.html
  quantmap quality ./my-model --rules rules.yaml
  quantmap quality ./my-model --engine vllm@0.33.0 --set gemm_dtype=fp8

\b
Only files are read; no GPU is used. SQNR is signal to quantization noise of the weights in dB:
6 dB less is twice the error. It says nothing of accuracy.
"""


def bytes_bar(label: str) -> tuple[Callable[[int, int], None] | None, Callable[[], None]]:
    """A progress bar by bytes on a terminal, and how to end it."""
    if not sys.stderr.isatty():
        return None, lambda: None
    bars: list[Any] = []

    def report(done: int, total: int) -> None:
        if not bars:
            bars.append(progress_bar(total, label))
            bars[0].__enter__()
        bars[0].update(done - bars[0].pos)

    return report, lambda: bars[0].__exit__(None, None, None) if bars else None


@command("quality", epilog=EPILOGUE, short_help="What quantization does to the weights.")
@click.argument("model", metavar="MODEL")
@click.option(
    "--scheme",
    "schemes",
    multiple=True,
    metavar="RECIPE",
    help="Such as vllm:mxfp4 or sglang_jax@0.1.0rc0:int8/channel; repeat it to compare.",
)
@click.option(
    "--engine",
    metavar="ENGINE",
    help="All recipes of an engine, such as vllm@0.33.0; with --set or --rules, whose they are.",
)
@click.option(
    "--rules", metavar="FILE", help="A rules file of sglang-jax: what it does, by module."
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="FIELD=VALUE",
    help="A setting, such as gemm_dtype=fp8: what the engine does with it while loading.",
)
@click.option(
    "--activations",
    metavar="FILE",
    help="Inputs of the modules, or their mean squares (safetensors, npz), or an imatrix.",
)
@click.option(
    "--sensitivity",
    metavar="FILE",
    help="JSON: module to coefficient, measured with one scheme; gives a ranking.",
)
@click.option("--threads", type=click.IntRange(1), metavar="N", help="Default: every processor.")
@click.option("--all", "show_all", is_flag=True, help="Every module, not only the worst.")
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
@click.option("--csv", "as_csv", is_flag=True, help="A line for each module and scheme.")
@click.option("--html", metavar="FILE", help="Write one page with the picture and all numbers.")
@click.option("--svg", metavar="FILE", help="Write the picture alone.")
def quality_command(
    model: str,
    schemes: tuple[str, ...],
    engine: str | None,
    rules: str | None,
    settings: tuple[str, ...],
    activations: str | None,
    sensitivity: str | None,
    threads: int | None,
    show_all: bool,
    as_json: bool,
    as_csv: bool,
    html: str | None,
    svg: str | None,
) -> int:
    """Say what quantization does to the weights of MODEL, a folder of safetensors files.

    Every module and the whole model, by scheme: signal to noise, the worst output channel, how
    much smaller the weights became, what became zero, bits per weight.
    """
    report, end = bytes_bar("reading")
    try:
        found = quality(
            model,
            schemes,
            engine=engine,
            rules=rules,
            config=config_of(settings),
            activations=activations,
            sensitivity=sensitivity,
            threads=threads,
            progress=report,
        )
    finally:
        end()
    for name, text in ((html, page(found)), (svg, picture(found))):
        if name is not None:
            _write(name, text)
    if as_json:
        click.echo(json.dumps(_finite(found.to_dict()), indent=2))
    elif as_csv:
        click.echo(_csv(found), nl=False)
    else:
        _show(found, show_all)
    return 0


def config_of(settings: tuple[str, ...]) -> dict[str, Any] | None:
    """The config of ``--set``, or None."""
    config: dict[str, Any] = {}
    apply_settings(config, settings)
    return config or None


def _write(name: str, text: str) -> None:
    try:
        with open(name, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror or error}") from None


def _finite(value: Any) -> Any:
    """The same without infinities, which JSON has none of: no noise is null."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return None if value in (float("inf"), float("-inf")) else value


def _csv(found: Quality) -> str:
    rows = found.to_rows()
    out = io.StringIO()
    if rows:
        columns = dict.fromkeys(key for row in rows for key in row)  # not every row has an output
        writer = csv.DictWriter(out, list(columns), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return out.getvalue()


def _cells(result: dict[str, Any]) -> list[str]:
    sqnr, shrunk = result["sqnr_db"], result["shrink"]
    return [
        "-" if sqnr is None else f"{sqnr:.2f}",
        f"{result['relative_error']:.2e}",
        "-" if shrunk is None else f"{shrunk:.4f}",
        f"{result['zeros_created']:.2%}",
        f"{result['bits_per_weight']:.3f}",
    ]


def _known(result: dict[str, Any]) -> list[str]:
    """What is known of the output, in dB."""
    values = (result.get("output_sqnr_db"), result.get("both_sqnr_db"))
    return ["-" if value is None else f"{value:.2f}" for value in values]


def _show(found: Quality, show_all: bool) -> None:
    columns = ["scheme", "SQNR dB", "error", "shrink", "new zeros", "bits"]
    rows = []
    for name, total in found.totals.items():
        if not total["modules"]:
            rows.append([name, *["-"] * 5, "0", "-"])
            continue
        size = f"{total['bytes'] / 1e6:.1f} MB"
        rows.append([name, *_cells(total), str(total["modules"]), size])
    show_table(f"{found.model} · whole model", [*columns, "modules", "size"], rows)
    say()
    more = ["worst channel"]
    results = [result for module in found.modules for result in module.results.values()]
    if any("output_sqnr_db" in result for result in results):
        more += ["output dB", "with activations"]
    lines = []
    for module in found.modules:
        for name, result in module.results.items():
            cells = [module.name, name, *_cells(result), f"{result['worst_row_error']:.2e}"]
            lines.append((result, [*cells, *_known(result)][: 8 + len(more)]))
    lines.sort(key=lambda line: -line[0]["relative_error"])
    shown = lines if show_all else lines[:WORST]
    title = "modules, the largest error first"
    show_table(title, ["module", *columns, *more], [cells for _, cells in shown])
    if len(shown) < len(lines):
        say(f"{len(lines) - len(shown)} more with --all")
    say()
    _show_ground(found, show_all)


def _show_ground(found: Quality, show_all: bool) -> None:
    """What is notable of the schemes, what was left out, and what the numbers do not say."""
    _show_schemes(found)
    for rule in found.rules or ():
        names = rule["modules"]
        shown = ", ".join(names if show_all else names[:3])
        rest = f" and {len(names) - 3} more" if len(names) > 3 and not show_all else ""
        taken = f"{len(names)} modules: {shown}{rest}" if names else "no module"
        say(f"rule {rule['rule']} ({rule['pattern']}) takes {taken}")
    for item in found.left_out:
        reason = f": {item['reason']}" if found.plan else ""
        say(f"left as it is: {item['name']} ({item['kind']}){reason}")
    for module in found.modules:
        for name, reason in module.refused.items():
            say(f"not taken by {name}: {module.name}, {reason}")
    for note in found.notes:
        say(f"note: {note}")


def _show_schemes(found: Quality) -> None:
    for recipe in found.recipes:
        if recipe.truncates:
            say(f"{recipe.name} rounds toward zero: every weight shrinks ({recipe.evidence[0]})")
        if recipe.assumed:
            say(f"assumed: no release was seen to do {recipe.name}")
    for name, value in (found.predicted or {}).items():
        first = ", ".join((found.ranking or {}).get(name, [])[:3])
        say(f"predicted cost of {name}: {value:.2f} of the first; most of it in {first}")
