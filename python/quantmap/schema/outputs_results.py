"""The schema of what ``quantmap results --json`` prints."""

from __future__ import annotations

from ..results.printed import PrintedResults
from .described import described
from .outputs_parts import config_definitions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema


def results_output() -> Schema:
    """One object: what was asked, what came of it, and a row for each experiment."""
    return {**described(PrintedResults), "$defs": config_definitions()}
