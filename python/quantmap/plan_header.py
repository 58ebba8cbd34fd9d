"""What every plan says of itself, a fresh one and a stored one: the first line of its file."""

from __future__ import annotations

from .result import Described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .errors import Diagnostic
    from .experiment import Skip, Target
    from .words import Catalog, Count, PlanArguments, PlanFormat, Positive

__all__ = ["FORMAT", "PlanHeader"]

FORMAT: PlanFormat = 1  # of the JSON lines


class PlanHeader(Described):
    """The accounting of a plan, and what it was made of.

    Attributes:
        format: of the file.
        catalog: the tables that the plan rests on.
        task_name: whatever the task calls itself.
        asked: points of the task.
        distinct: launches that differ.
        merged: points that are the same launch as an earlier one.
        skipped: points that are left out.
        limited: whether fewer experiments are run than differ.
        max_iterations: the task's limit.
        targets: the engines and releases.
        skips: why points are left out.
        diagnostics: what to know of the task.
        arguments: what it was made with.
        task: the task as it was given.
    """

    format: PlanFormat
    catalog: Catalog
    task_name: Any
    asked: Count
    distinct: Count
    merged: Count
    skipped: Count
    limited: bool
    max_iterations: Positive | None
    targets: list[Target]
    skips: list[Skip]
    diagnostics: list[Diagnostic]
    arguments: PlanArguments
    task: dict[str, Any]

    _least = (("targets", 1),)

    def header(self) -> dict[str, Any]:
        """The first line of the JSON lines: what the plan was made of, and its accounting.

        Returns:
            dict: with the key ``plan``.
        """
        return {"plan": PlanHeader.to_dict(self)}
