"""``quantmap page``: everything in one file that a browser opens."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from ..files import write_file
from .help import command
from .inputs import planned_options
from .streams import write_out
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap page --out quantmap.html
  quantmap page --plan task.json --results runs.jsonl --out measured.html
  quantmap page --out - > copy.html

\b
The file needs no server and no network. It holds the same core as this
command, so it gives the same answers; the address of a view is a link to it.
"""
BUILT = os.path.join(os.path.dirname(os.path.dirname(__file__)), "page", "quantmap.html")
BUILD = "pip install ziglang nlohmann-json && scripts/page && pip install ."


@command("page", epilog=EPILOGUE, short_help="The whole mapper as one HTML file.")
@click.option(
    "--out",
    metavar="FILE",
    default="quantmap.html",
    show_default=True,
    help="Where to write it; - is standard output.",
)
@click.option("--plan", "plan_name", metavar="PLAN", help="Show the results of this plan or task.")
@click.option(
    "--results",
    "ledgers",
    multiple=True,
    metavar="LEDGER",
    help="A results file; repeat it for several. Default: PLAN.ledger.jsonl.",
)
@planned_options
def page_command(out: str, plan_name: str | None, ledgers: tuple[str, ...], **ground: Any) -> int:
    """Write a page to choose a launch, check one, and compare results.

    Open the file in a browser. Models, launch lines and results that it is given
    stay in the browser. With --plan it opens with the results of a plan.
    """
    if plan_name is None and ledgers:
        raise click.UsageError("--results needs --plan: the plan or task that was measured")
    if plan_name is None and any(ground.values()):
        raise click.UsageError("engine, GPU and model belong to the plan of the results: --plan")
    try:
        with open(BUILT, "rb") as handle:
            content = handle.read()
    except FileNotFoundError:
        raise click.ClickException(
            "this installation was built without the page, which needs a compiler for "
            f"WebAssembly. Build both anew, in a clone of quantmap: {BUILD}"
        ) from None
    if plan_name is not None:
        content = with_results(content, plan_name, ledgers, ground)
    if out == "-":
        write_out([content])
        return 0
    try:
        write_file([content], out)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from None
    say(f"{out}: {len(content) / 1e6:.1f} MB; open it in a browser", error=True)
    return 0


def with_results(
    page: bytes, plan_name: str, ledgers: tuple[str, ...], ground: dict[str, Any]
) -> bytes:
    """The page with the results of a plan in it, as data that cannot end its element."""
    from ..results.table import Results
    from .results import plan_of

    found = Results(plan_of(plan_name, ground), ledgers or [f"{plan_name}.ledger.jsonl"])
    data = json.dumps(found.to_dict(), separators=(",", ":")).replace("<", "\\u003c")
    return page.replace(b'id="given"></script>', f'id="given">{data}</script>'.encode(), 1)
