"""Cells of notebooks that write a file, or start an engine from Python."""

from __future__ import annotations

import re

from .container_words import Container
from .launch_lines import looks_like_python, names_an_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .container_words import Places
    from .data_walk import Ground

__all__: list[str] = []

_WRITTEN = re.compile(r"%%(?:writefile|file)[ \t]+(?:-a[ \t]+)?(\S+)[ \t]*\n")
_OF_SHELL = re.compile(r"^[ \t]*[%!]", re.MULTILINE)


def read_cell(text: str, places: Places, ground: Ground) -> list[Container] | None:
    """What a cell of a notebook writes to a file, or starts from Python.

    Args:
        text: the cell.
        places: where texts stand in the notebook.
        ground: what stands around it.

    Returns:
        list[Container] | None: None for a script.
    """
    from .containers import find_written, python_launches

    written = _WRITTEN.match(text)
    if written:
        found = find_written(written[1], "\n" + text[written.end() :])
    elif looks_like_python(text) and names_an_engine(text):
        found = [
            Container(ground.before + words, line, is_script=True, of_python=True, of_call=call)
            for line, words, call in python_launches(_OF_SHELL.sub("#", text)) or ()
        ]
    else:
        found = []
    if not (written or found):
        return None
    line = places.line_of("source", "")
    for container in found:
        container.line += line
    return found
