"""What `quantmap.check_script` gives."""

from __future__ import annotations

from .result import Result, fresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .check import CheckResult
    from .errors import Diagnostic
    from .words import Count

__all__ = ["ScriptResult", "WrittenFile"]


class WrittenFile(Result):
    """A file that a script writes.

    Attributes:
        name: as it is named; empty when a program reads it as it is written.
        text: what stands in it.
        line: of its first line in the script.
        open: whether a shell fills in some of it.
    """

    name: str
    text: str
    line: Count
    open: bool

    _shown = ("name", "line")


class ScriptResult(Result):
    """Every launch of a script. It is true when nothing is refused in any of them.

    Attributes:
        launches: a `CheckResult` for each, in the order of the script.
        notes: what was not read, and launches that could not be judged.
    """

    launches: list[CheckResult]
    notes: list[Diagnostic]
    _written: list[WrittenFile] = fresh(list)  # that it does not run itself

    _shown = ("launches",)
    _also = ("ok",)

    def __bool__(self) -> bool:
        """The same as `ok`."""
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether nothing is refused in any launch."""
        return all(launch.ok for launch in self.launches)
