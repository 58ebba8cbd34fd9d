"""What `quantmap.check_script` gives."""

from __future__ import annotations

from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .check import CheckResult
    from .errors import Diagnostic

__all__ = ["ScriptResult"]


class ScriptResult(Result):
    """Every launch of a script. It is true when nothing is refused in any of them.

    Attributes:
        launches: a `CheckResult` for each, in the order of the script.
        notes: what was not read, and launches that could not be judged.
    """

    launches: list[CheckResult]
    notes: list[Diagnostic]

    _shown = ("launches",)
    _also = ("ok",)

    def __bool__(self) -> bool:
        """The same as `ok`."""
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether nothing is refused in any launch."""
        return all(launch.ok for launch in self.launches)
