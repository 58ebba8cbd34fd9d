"""A number of tokens as people write it."""

from __future__ import annotations

import re

import click

WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kKmM]?)\s*")
THOUSANDS = {"": 1, "k": 1024, "m": 1024**2}


def read_tokens(text: str) -> int:
    """The number that is meant by ``32768`` or ``32k``."""
    match = WRITTEN.fullmatch(text)
    if match is None:
        raise click.BadParameter(f"{text!r} is no number of tokens, such as 32768 or 32k.")
    return int(float(match[1]) * THOUSANDS[match[2].lower()])
