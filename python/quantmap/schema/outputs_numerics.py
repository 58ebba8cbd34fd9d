"""The schema of what ``quantmap quality --json`` prints."""

from __future__ import annotations

from ..numerics.quality import Quality
from .described import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema


def quality_output() -> Schema:
    """Recipes, modules, totals, what was left out, and what the numbers do not say."""
    return described(Quality)
