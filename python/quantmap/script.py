"""What `quantmap.check_script` gives."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .check import CheckResult
    from .errors import Diagnostic

__all__ = ["ScriptResult"]


class ScriptResult:
    """Every launch of a script.

    Attributes:
        launches: a `CheckResult` for each, in the order of the script.
        notes: what was not read, and launches that could not be judged.
    """

    __slots__ = ("launches", "notes")

    def __init__(self, launches: list[CheckResult], notes: list[Diagnostic]) -> None:
        self.launches = launches
        self.notes = notes

    @property
    def ok(self) -> bool:
        """Whether nothing is refused in any launch."""
        return all(launch.ok for launch in self.launches)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: ``ok``, the launches, and the notes.
        """
        return {
            "ok": self.ok,
            "launches": [launch.to_dict() for launch in self.launches],
            "notes": [note.to_dict() for note in self.notes],
        }

    def __repr__(self) -> str:
        return f"ScriptResult({self.launches!r})"
