"""A plan as it was written: read back one experiment at a time, and believed in nothing."""

from __future__ import annotations

import os
from array import array

from . import _core
from .compared import Compared
from .errors import ConfigError, Diagnostic
from .experiment import Experiment, Skip, SkippedPoint, Target, explained
from .files import open_regular
from .plan_file import MAX_VALUES, summary
from .plan_header import FORMAT, PlanHeader
from .plan_shape import EXPERIMENT, GROUP, HEADER, wrong_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, SupportsIndex, overload

    from .mapping import Mapping

__all__ = ["StoredPlan"]

MAX_LINE = 64 * 1024 * 1024  # bytes; a group of a large grid is one line


class StoredPlan(PlanHeader, Compared):
    """A plan as it was written: its experiments are read from the file when they are asked for.

    Attributes:
        asked, distinct, merged, skipped: the accounting, as it was.
        limited, max_iterations, task_name, targets, skips, catalog: as of `Plan`.
        same_catalog: whether the catalogue is still the one that the plan was made with.
        diagnostics: the plan's own, and what is wrong with the file's end.
        task: the task that the plan was made of.
        arguments: what it was made with.
        axes: nothing: a file keeps no parameters.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._offsets = array("Q")  # of experiments
        self._lines = array("Q")  # their numbers
        self._groups: dict[int, tuple[int, int]] = {}  # offset and line by number
        torn = self._read()
        header = self._header
        for name in PlanHeader.printed():
            setattr(self, name, header.get(name))
        self.targets = [Target(**data) for data in header["targets"]]
        self.skips = [
            Skip(**{**data, "example": SkippedPoint(**data["example"])}) for data in header["skips"]
        ]
        self.diagnostics = [Diagnostic(**data) for data in header["diagnostics"]]
        self.same_catalog = self.catalog.get("hash") == _core.catalog_hash
        self.axes: list[str] = []
        self.arguments = self.arguments if isinstance(self.arguments, dict) else {}
        if torn is not None:
            self.diagnostics.append(torn)

    def _fail(self, line: int, reason: str) -> ConfigError:
        context = {"line": str(line), "reason": reason}
        return ConfigError([_core.make_diagnostic("not-a-plan", "$", context)])

    def _unreadable(self, error: Exception) -> ConfigError:
        reason = getattr(error, "strerror", None) or str(error)
        context = {"value": repr(os.fspath(self._path))[:200], "reason": reason}
        return ConfigError([_core.make_diagnostic("unreadable-file", "$", context)])

    def _read(self) -> Diagnostic | None:
        offset = 0
        number = 0
        try:
            with open_regular(self._path) as handle:
                while line := handle.readline(MAX_LINE + 1):
                    number += 1
                    if not line.endswith(b"\n"):
                        if number == 1 or len(line) > MAX_LINE:
                            raise self._fail(number, "the line does not end")
                        return _core.make_diagnostic("torn-plan", "$", {"line": str(number)})
                    self._take(line, number, offset)
                    offset += len(line)
        except (OSError, ValueError) as error:
            if isinstance(error, ConfigError):
                raise
            raise self._unreadable(error) from None
        if number == 0:
            raise self._fail(1, "the file is empty")
        return None

    def _take(self, line: bytes, number: int, offset: int) -> None:
        if number == 1:
            data = self._data(line, 1)
            header = data.get("plan")
            if not isinstance(header, dict) or repr(header.get("format")) != str(FORMAT):
                raise self._fail(1, f"no header of format {FORMAT}")
            wrong = wrong_key(header, HEADER)
            if wrong is not None:
                raise self._fail(1, f"the header has no {wrong} that a plan can have")
            self._header = header
        elif line.startswith(b'{"index":'):
            self._offsets.append(offset)
            self._lines.append(number)
        elif line.startswith(b'{"group":'):
            group = line[len(b'{"group":') :].split(b",", 1)[0].strip()
            if not group.isdigit() or len(group) > 18:
                raise self._fail(number, "a group without a number")
            self._groups[int(group)] = (offset, number)
        else:
            raise self._fail(number, "neither a group nor an experiment")

    def _data(self, line: bytes, number: int) -> dict[str, Any]:
        """The object of a line; what is no JSON is no plan."""
        try:
            data = _core.load_json(line, MAX_VALUES)
        except ConfigError as error:
            raise self._fail(number, error.diagnostics[0].message) from None
        if not isinstance(data, dict):
            raise self._fail(number, "the line is no object")
        return data

    def _line(self, offset: int, number: int) -> dict[str, Any]:
        try:
            with open_regular(self._path) as handle:
                handle.seek(offset)
                line = handle.readline(MAX_LINE + 1)
        except OSError as error:
            raise self._unreadable(error) from None
        return self._data(line, number)

    def __len__(self) -> int:
        return len(self._offsets)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: SupportsIndex) -> Experiment: ...
        @overload
        def __getitem__(self, index: slice) -> list[Experiment]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Experiment | list[Experiment]:
        if isinstance(index, slice):
            return [self._experiment(place) for place in range(*index.indices(len(self)))]
        number = index.__index__()
        if not -len(self) <= number < len(self):
            raise IndexError(f"no experiment {number}: the file has {len(self)}")
        return self._experiment(number % len(self))

    def __iter__(self) -> Iterator[Experiment]:
        for place in range(len(self)):
            yield self._experiment(place)

    def _experiment(self, place: int) -> Experiment:
        number = self._lines[place]
        data = self._line(self._offsets[place], number)
        wrong = wrong_key(data, EXPERIMENT)
        if wrong is not None:
            raise self._fail(number, f"the experiment has no {wrong} that a plan can have")
        group = self._group(data["group"])
        missing = [name for name in data["files"] if name not in group["files"]]
        if missing:
            raise self._fail(number, f"the text of the file {missing[0]} is not in the plan")
        files = {name: group["files"][name] for name in data["files"]}
        first = group["configs"][0]["config"] if group["configs"] else {}
        more = {"files": files, "config": first, "parameters": {}}
        return Experiment.of({**data, **more})._of_plan(self)

    def _group(self, number: int) -> dict[str, Any]:
        if number not in self._groups:
            return {"configs": [], "files": {}}
        offset, line = self._groups[number]
        data = self._line(offset, line)
        wrong = wrong_key(data, GROUP)
        if wrong is not None:
            raise self._fail(line, f"the group has no {wrong} that a plan can have")
        return data

    def group(self, number: int) -> list[tuple[dict[str, Any], int]]:
        """The configs that the experiments of a group stand for.

        Args:
            number: an experiment's ``group``.

        Returns:
            list[tuple[dict, int]]: each config, and how many points of the config side it is.

        Raises:
            ConfigError: the line of the group is not what a plan has.
        """
        return [(item["config"], item["points"]) for item in self._group(number)["configs"]]

    def explain(self, experiment: Experiment) -> Mapping:
        """Not kept in a file: plan the task again for the decisions.

        Args:
            experiment: one of this plan.

        Returns:
            Mapping: never.

        Raises:
            ValueError: always.
        """
        return explained(experiment, None)

    def summary(self) -> str:
        """The accounting as text.

        Returns:
            str: some lines.
        """
        return summary(self)

    def __repr__(self) -> str:
        return f"StoredPlan({os.fspath(self._path)!r}, experiments={len(self)})"
