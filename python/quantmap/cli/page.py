"""``quantmap page``: everything in one file that a browser opens."""

from __future__ import annotations

import os
import sys

import click

from ..files import write_file

EPILOGUE = """\b
Examples:
  quantmap page --out quantmap.html
  quantmap page --out - > quantmap.html

\b
The file needs no server and no network. It holds the same core as this command,
so it gives the same answers; the address of a view is a link to it.
"""
BUILD = "pip install ziglang && scripts/page"


@click.command("page", epilog=EPILOGUE, short_help="The whole mapper as one HTML file.")
@click.option(
    "--out",
    metavar="FILE",
    default="quantmap.html",
    show_default=True,
    help="Where to write it; - is standard output.",
)
def page_command(out: str) -> int:
    """Write a page to choose a launch, check one, and compare results.

    Open the file in a browser. Models, launch lines and results that it is given
    stay in the browser.
    """
    built = os.path.join(os.path.dirname(os.path.dirname(__file__)), "page", "quantmap.html")
    try:
        with open(built, "rb") as handle:
            content = handle.read()
    except FileNotFoundError:
        raise click.ClickException(
            "this installation was built without the page, which needs a compiler for "
            f"WebAssembly. In a clone of quantmap: {BUILD}"
        ) from None
    if out == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return 0
    try:
        write_file([content], out)
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror or error}") from None
    click.echo(f"{out}: {len(content) / 1e6:.1f} MB; open it in a browser", err=True)
    return 0
