"""Ledgers read back with what was measured."""

from __future__ import annotations

import json
import os
from itertools import islice
from math import isfinite

from ..errors import ConfigError
from ..files import open_regular
from ..ledger import FAILED, FINISHED, WAITING, _error, _lines, _Reader
from .metrics import Metric, as_number, metric

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, BinaryIO

    from ..errors import Diagnostic

__all__ = ["Record", "Records", "last_runs", "read_records"]

_BATCH = 512  # lines that are read at once
_STATUSES = FINISHED | FAILED | WAITING
_STARTED = "running"  # begins a run: what an interrupted one before it measured does not count
# Of a line without "metrics" every number is a metric but these.
_NOT_MEASURED = frozenset({"seconds", "time", "index", "attempt", "started", "ended", "pid"})
_HEX = "0123456789abcdef"
_SHOWN = 20  # metrics that cannot be read, one by one
MAX_REASON = 500
MAX_KEYS = 100_000  # names of metrics that are remembered


class Record:
    """What became of one experiment.

    Attributes:
        status: its last status, in lower case.
        reason: why it failed, in its own words; empty when it did not or does not say.
        values: the measurements of its successful runs, by metric.
        units: their units.
        seconds: how long its last run took, or None.
    """

    __slots__ = ("_pending", "reason", "seconds", "status", "units", "values")

    def __init__(self) -> None:
        self.status = ""
        self.reason = ""
        self.values: dict[str, list[float]] = {}
        self.units: dict[str, str] = {}
        self.seconds: float | None = None
        self._pending: list[tuple[Metric, float]] = []

    def take(self, status: str, data: dict[str, Any], measured: list[tuple[Metric, float]]) -> None:
        """Go on with the next line of the experiment.

        Args:
            status: the line's status.
            data: the line.
            measured: its measurements.
        """
        self.status = status
        if status in WAITING:
            self._pending = measured if status == _STARTED else self._pending + measured
            return
        seconds = data.get("seconds")
        self.seconds = None if seconds is None else as_number(seconds)
        if status in FAILED:
            reason = data.get("reason") or data.get("error") or data.get("message") or ""
            self.reason = str(reason)[:MAX_REASON]
        else:
            self.reason = ""
            for how, value in self._pending + measured if self._pending else measured:
                self.values.setdefault(how.name, []).append(value)
                self.units.setdefault(how.name, how.unit)
        self._pending = []

    def __repr__(self) -> str:
        return f"Record({self.status!r}, {list(self.values)!r})"


class Records:
    """What ledgers say, by signature.

    Attributes:
        by_signature: what became of each experiment, in order of first appearance.
        diagnostics: lines that are no results, and metrics that could not be read.
        missing: the files that are not there.
    """

    __slots__ = ("by_signature", "diagnostics", "missing")

    def __init__(self) -> None:
        self.by_signature: dict[str, Record] = {}
        self.diagnostics: list[Diagnostic] = []
        self.missing: list[str] = []

    def __repr__(self) -> str:
        return f"Records({len(self.by_signature)} signatures)"


def read_records(paths: Iterable[str | os.PathLike[str]]) -> Records:
    """Read ledgers, one after the other.

    Args:
        paths: their files; the last line of a signature in the last file counts.

    Returns:
        Records: by signature, and what could not be read.

    Raises:
        ConfigError: a file may not be read, or has more than two million signatures.

    Example:
        >>> import tempfile
        >>> from quantmap.ledger import Ledger
        >>> path = tempfile.mktemp()
        >>> Ledger(path).record("0" * 32, "success", metrics={"ttft [s]": 0.12})
        >>> read_records([path]).by_signature["0" * 32].values
        {'ttft': [0.12]}
    """
    out = Records()
    for path in paths:
        reader = _RecordReader(os.fspath(path), out)
        if not _read(os.fspath(path), reader):
            out.missing.append(os.fspath(path))
        out.diagnostics += reader.diagnostics()
    return out


def last_runs(path: str, but: str) -> dict[tuple[str, str], str]:
    """How each test of each experiment ended.

    Args:
        path: the ledger; it need not be there.
        but: a run that does not count: one that goes on, whose workers have to agree.

    Returns:
        dict[tuple[str, str], str]: the last status by signature and test; a line that names no
        test stands under the empty name.

    Raises:
        ConfigError: the file may not be read.

    Example:
        >>> last_runs("/does/not/exist", "")
        {}
    """
    out: dict[tuple[str, str], str] = {}

    class Runs(_Reader):
        def keep(self, signature: str, status: str, data: dict[str, Any]) -> None:
            if not but or data.get("run") != but:
                test = data.get("test")
                out[signature, test if isinstance(test, str) else ""] = status

    _read(path, Runs(path))
    return out


def _read(path: str, reader: _Reader) -> bool:
    """Let a reader go through a ledger; whether there is one."""
    try:
        handle = open_regular(path)
    except FileNotFoundError:
        return False
    except OSError as error:
        context = {"value": path, "reason": error.strerror or str(error)}
        raise _error("unreadable-file", path, **context) from None
    with handle:
        reader.read(handle)
    return True


class _RecordReader(_Reader):
    """Reads many lines at once; a batch with anything odd is read line by line, and told."""

    def __init__(self, path: str, out: Records) -> None:
        super().__init__(path)
        self.out = out
        self.metrics: dict[str, Metric | None] = {}

    def read(self, handle: BinaryIO) -> None:
        numbered = enumerate(_lines(handle), start=1)
        while batch := list(islice(numbered, _BATCH)):
            results = _results(batch)
            if results is None:
                for number, (line, cut) in batch:
                    self.one(number, line, cut)
            else:
                for data in results:
                    self.keep(data["signature"], data["status"], data)

    def keep(self, signature: str, status: str, data: dict[str, Any]) -> None:
        records = self.out.by_signature
        record = records.get(signature)
        if record is None:
            super().keep(signature, status, data)  # which counts them
            record = records.setdefault(signature, Record())
        record.take(status, data, self.measured(data))

    def measured(self, data: dict[str, Any]) -> list[tuple[Metric, float]]:
        """The measurements of a line; a metric that cannot be read is told once and left out."""
        given = data.get("metrics")
        named = isinstance(given, dict)
        items: dict[str, Any] = given if isinstance(given, dict) else data
        out: list[tuple[Metric, float]] = []
        for key, value in items.items():
            kind = type(value)
            if (kind is not float and kind is not int) or (not named and key in _NOT_MEASURED):
                continue
            how = self.metrics[key] if key in self.metrics else self.how(key)
            number = value if kind is float and isfinite(value) else as_number(value)
            if how is not None and number is not None:
                out.append((how, number * how.factor))
        return out

    def how(self, key: str) -> Metric | None:
        """How a metric's name is read; None when it is not."""
        found = None
        try:
            found = metric(key)
        except ConfigError as error:
            if len(self.out.diagnostics) < _SHOWN:
                self.out.diagnostics += error.diagnostics
        if len(self.metrics) < MAX_KEYS:
            self.metrics[key] = found
        return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


_decode = json.JSONDecoder(parse_constant=_no_constant).decode


def _results(batch: list[tuple[int, tuple[bytes, bool]]]) -> list[dict[str, Any]] | None:
    """The lines of a batch as data; None when any of them is not as this program writes it."""
    lines = [line for _, (line, cut) in batch if not cut and line.endswith(b"\n")]
    if len(lines) != len(batch):
        return None
    try:
        found = _decode(f"[{b','.join(lines).decode()}]")
    except (ValueError, RecursionError):
        return None
    if len(found) != len(batch) or not all(map(_is_result, found)):
        return None
    results: list[dict[str, Any]] = found
    return results


def _is_result(data: Any) -> bool:
    if (
        type(data) is not dict
        or not isinstance(data.get("status"), str)
        or data["status"] not in _STATUSES
    ):
        return False
    signature = data.get("signature")
    return type(signature) is str and len(signature) == 32 and not signature.strip(_HEX)
