"""Plans as files: written whole or not at all, and read back one experiment at a time."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
from array import array

from . import _core
from .compared import Compared
from .errors import ConfigError, Diagnostic
from .experiment import Experiment, Skip, explained
from .plan import FORMAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any, SupportsIndex, overload

    from .mapping import Mapping
    from .plan import Plan

__all__ = ["StoredPlan", "csv_lines", "write_file"]

MAX_LINE = 64 * 1024 * 1024  # bytes; a group of a large grid is one line
_SHOWN_SKIPS = 8
_COLUMNS = ("index", "signature", "engine", "version", "points", "args", "env", "files", "command")


def write_file(pieces: Iterable[bytes], path: str | os.PathLike[str]) -> None:
    """Write a file atomically: the old file stays until the new one is whole.

    Args:
        pieces: the content, in order.
        path: the file; its folder must exist. A pipe or a device is written to as it is: renaming a
            file to the null device would take it away from everybody.

    Raises:
        OSError: the file cannot be written; nothing is left behind.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp(), "plan.txt")
        >>> write_file([b"one ", b"two"], path)
        >>> path.read_text()
        'one two'
    """
    target = os.path.realpath(path)
    if os.path.exists(target) and not os.path.isfile(target) and not os.path.isdir(target):
        with open(target, "wb") as device:
            device.writelines(pieces)
        return
    handle, name = tempfile.mkstemp(
        dir=os.path.dirname(target), prefix=f".{os.path.basename(target)[:100]}."
    )
    try:
        with os.fdopen(handle, "wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(name, _mode_of(target))
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _mode_of(path: str) -> int:
    """The permissions of the file there; of a new one, what the process gives its files."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask


def write_or_join(pieces: Iterable[bytes], path: str | os.PathLike[str] | None) -> str | None:
    """The pieces in a file, or as text when there is none."""
    if path is None:
        return b"".join(pieces).decode()
    write_file(pieces, path)
    return None


def csv_lines(plan: Iterable[Experiment]) -> Iterator[bytes]:
    """The experiments as CSV, a header first.

    Args:
        plan: a plan, or some of its experiments.

    Returns:
        Iterator[bytes]: pieces of the file, in order.

    Example:
        >>> import quantmap
        >>> planned = quantmap.plan({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> b"".join(csv_lines(planned)).decode().split(",")[0]
        'index'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for experiment in plan:
        row = [getattr(experiment, name) for name in _COLUMNS[:5]]
        row += [json.dumps(getattr(experiment, name)) for name in _COLUMNS[5:8]]
        writer.writerow([*row, experiment.shell()])
        if out.tell() > 1 << 20:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def summary(plan: Plan | StoredPlan) -> str:
    """The accounting of a plan, in a few lines.

    Args:
        plan: the plan.

    Returns:
        str: what was asked, what is distinct, merged and skipped, and why.

    Example:
        >>> import quantmap
        >>> planned = quantmap.plan({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> summary(planned).splitlines()[0]
        'vLLM documented mapping'
    """
    lines = []
    for target in plan.targets:
        release = target["version"] or "documented mapping"
        times = f", asked for {target['times']} times" if target["times"] > 1 else ""
        lines.append(f"{target['engine_name']} {release}{times}")
    lines.append(f"asked     {plan.asked:>14,}")
    lines.append(f"distinct  {plan.distinct:>14,}")
    lines.append(f"merged    {plan.merged:>14,}  the same launch as an earlier one")
    lines.append(f"skipped   {plan.skipped:>14,}")
    for skip in plan.skips[:_SHOWN_SKIPS]:
        lines.append(f"          {skip.count:>14,}  {skip.path}: {skip.message}")
    if len(plan.skips) > _SHOWN_SKIPS:
        lines.append(f"          and {len(plan.skips) - _SHOWN_SKIPS} more causes")
    if plan.limited:
        lines.append(f"limited to the first {len(plan):,} by max_iterations")
    return "\n".join(lines)


class StoredPlan(Compared):
    """A plan as it was written: its experiments are read from the file when they are asked for.

    Attributes:
        asked, distinct, merged, skipped: the accounting, as it was.
        limited, max_iterations, task_name, targets, skips, catalog: as of `Plan`.
        same_catalog: whether the catalogue is still the one that the plan was made with.
        diagnostics: the plan's own, and what is wrong with the file's end.
        task: the task that the plan was made of.
        arguments: what it was made with.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = path
        self._offsets = array("Q")  # of experiments
        self._groups: dict[int, int] = {}  # offset by number
        torn = self._read()
        header = self._header
        self.asked: int = header["asked"]
        self.distinct: int = header["distinct"]
        self.merged: int = header["merged"]
        self.skipped: int = header["skipped"]
        self.limited: bool = header["limited"]
        self.max_iterations: int | None = header["max_iterations"]
        self.task_name: Any = header["task_name"]
        self.targets: list[dict[str, Any]] = header["targets"]
        self.skips = [Skip(**data) for data in header["skips"]]
        self.diagnostics = [Diagnostic(**data) for data in header["diagnostics"]]
        self.catalog: dict[str, str] = header["catalog"]
        self.same_catalog = self.catalog.get("hash") == _core.catalog_hash
        self.task: Any = header["task"]
        given = header.get("arguments")
        self.arguments: dict[str, Any] = given if isinstance(given, dict) else {}
        if torn is not None:
            self.diagnostics.append(torn)

    def _fail(self, line: int, reason: str) -> ConfigError:
        context = {"line": str(line), "reason": reason}
        return ConfigError([_core.make_diagnostic("not-a-plan", "$", context)])

    def _read(self) -> Diagnostic | None:
        offset = 0
        number = 0
        try:
            with open(self._path, "rb") as handle:
                while True:
                    line = handle.readline(MAX_LINE + 1)
                    if not line:
                        break
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
            reason = getattr(error, "strerror", None) or str(error)
            context = {"value": repr(os.fspath(self._path))[:200], "reason": reason}
            raise ConfigError([_core.make_diagnostic("unreadable-file", "$", context)]) from None
        if number == 0:
            raise self._fail(1, "the file is empty")
        return None

    def _take(self, line: bytes, number: int, offset: int) -> None:
        if number == 1:
            data = _core.load_json(line)
            header = data.get("plan") if isinstance(data, dict) else None
            if not isinstance(header, dict) or header.get("format") != FORMAT:
                raise self._fail(1, f"no header of format {FORMAT}")
            missing = [name for name in _HEADER if not isinstance(header.get(name), _HEADER[name])]
            if missing:
                raise self._fail(1, f"the header has no {missing[0]}")
            self._header = header
        elif line.startswith(b'{"index":'):
            self._offsets.append(offset)
        elif line.startswith(b'{"group":'):
            group = line[len(b'{"group":') :].split(b",", 1)[0]
            if not group.isdigit():
                raise self._fail(number, "a group without a number")
            self._groups[int(group)] = offset
        else:
            raise self._fail(number, "neither a group nor an experiment")

    def _line(self, offset: int) -> Any:
        with open(self._path, "rb") as handle:
            handle.seek(offset)
            return _core.load_json(handle.readline(MAX_LINE + 1))

    def __len__(self) -> int:
        return len(self._offsets)

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: SupportsIndex) -> Experiment: ...
        @overload
        def __getitem__(self, index: slice) -> list[Experiment]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Experiment | list[Experiment]:
        if isinstance(index, slice):
            return [self._experiment(offset) for offset in self._offsets[index]]
        number = index.__index__()
        if not -len(self) <= number < len(self):
            raise IndexError(f"no experiment {number}: the file has {len(self)}")
        return self._experiment(self._offsets[number])

    def __iter__(self) -> Iterator[Experiment]:
        for offset in self._offsets:
            yield self._experiment(offset)

    def _experiment(self, offset: int) -> Experiment:
        data = self._line(offset)
        wanted = {"index", "signature", "engine", "version", "args", "env", "files", "group"}
        if not isinstance(data, dict) or not wanted | {"points"} <= set(data):
            raise self._fail(0, f"no experiment at byte {offset}")
        group = self._group(data["group"])
        files = {name: group["files"].get(name, "") for name in data["files"]}
        first = group["configs"][0]["config"] if group["configs"] else {}
        return Experiment.at(self, {**data, "files": files, "config": first, "parameters": {}})

    def _group(self, number: int) -> dict[str, Any]:
        if number not in self._groups:
            return {"configs": [], "files": {}}
        data: dict[str, Any] = self._line(self._groups[number])
        if not isinstance(data.get("configs"), list) or not isinstance(data.get("files"), dict):
            raise self._fail(0, f"group {number} without configs and files")
        return data

    def group(self, number: int) -> list[tuple[dict[str, Any], int]]:
        """The configs that the experiments of a group stand for.

        Args:
            number: an experiment's ``group``.

        Returns:
            list[tuple[dict, int]]: each config, and how many points of the config side it is.
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


_HEADER: dict[str, Any] = {
    "asked": int,
    "distinct": int,
    "merged": int,
    "skipped": int,
    "limited": bool,
    "max_iterations": (int, type(None)),
    "task_name": object,
    "targets": list,
    "skips": list,
    "diagnostics": list,
    "catalog": dict,
    "task": object,
}
