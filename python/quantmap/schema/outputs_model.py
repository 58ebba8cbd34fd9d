"""The JSON Schema of what ``inspect`` prints: what the files of a model say.

What they do not say is null, never an empty text or 0.
"""

from __future__ import annotations

from ..checkpoint import CheckpointInfo
from .described import described
from .outputs_parts import SAID

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .parts import Schema


def inspect_output() -> Schema:
    """A checkpoint, by its files or by its name alone."""
    return described(CheckpointInfo, source=SAID)  # the verb always has a model to name
