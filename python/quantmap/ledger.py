"""A ledger: which experiments have been run, one JSON line for each thing that happened.

A line is an object with ``signature`` (an experiment's, 32 hexadecimal digits) and ``status``; what
else it holds is the writer's own. The last line of a signature counts. A status, in any case, is:

- finished: ``success``, ``succeeded``, ``completed``, ``finished``, ``done``, ``ok``
- failed: ``failed``, ``error``, ``timeout``, ``cancelled``
- not done: ``pending``, ``queued``, ``running``, ``deploying``, ``benchmarking``

A ledger is only ever appended to: a crash can cut off its last line and nothing else.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Mapping

from . import _core
from .errors import ConfigError, Diagnostic
from .files import open_regular, sync_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, BinaryIO

__all__ = ["Ledger", "LedgerContents", "done_signatures"]

FINISHED = frozenset({"success", "succeeded", "completed", "finished", "done", "ok"})
FAILED = frozenset({"failed", "error", "timeout", "cancelled"})
WAITING = frozenset({"pending", "queued", "running", "deploying", "benchmarking"})
_STATUSES = FINISHED | FAILED | WAITING
MAX_LINE = 1024 * 1024  # bytes; a longer line is no result, and is never held in memory
MAX_SIGNATURES = 2_000_000
_SHOWN = 20  # unreadable lines that are told one by one
_SIGNATURE = re.compile(r"[0-9a-f]{32}")


class LedgerContents:
    """What a ledger says.

    Attributes:
        statuses: the last status of each signature, in lower case, in order of first appearance.
        diagnostics: a cut-off last line, and lines that are no results; these count as not done.
        exists: whether there is a file yet.
    """

    __slots__ = ("diagnostics", "exists", "statuses")

    def __init__(
        self, statuses: dict[str, str], diagnostics: list[Diagnostic], exists: bool
    ) -> None:
        self.statuses = statuses
        self.diagnostics = diagnostics
        self.exists = exists

    @property
    def finished(self) -> set[str]:
        """Signatures whose last status means success."""
        return {key for key, status in self.statuses.items() if status in FINISHED}

    @property
    def failed(self) -> set[str]:
        """Signatures whose last status means failure."""
        return {key for key, status in self.statuses.items() if status in FAILED}

    def __repr__(self) -> str:
        return f"LedgerContents({len(self.statuses)} signatures, {len(self.diagnostics)} notes)"


class Ledger:
    """A results file that several processes may append to at the same time.

    Attributes:
        path: where the file is, or will be at the first record.

    Example:
        >>> import os, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     ledger = Ledger(os.path.join(folder, "results.jsonl"))
        ...     ledger.record("0" * 32, "failed", reason="out of memory")
        ...     ledger.read().statuses
        {'00000000000000000000000000000000': 'failed'}
    """

    __slots__ = ("path",)

    def __init__(self, path: str | bytes | os.PathLike[str]) -> None:
        self.path: str = os.fsdecode(path)

    def record(self, signature: str, status: str, **details: Any) -> None:
        """Append one line, whole or not at all, and wait until it is on the disk.

        A line that an interrupted writer left open is closed first, so that it spoils nothing else.

        Args:
            signature: the experiment's signature.
            status: one of the statuses above.
            details: anything JSON can hold, such as measurements. What a reader would not take
                back (half a character, a key given twice, NaN, lists in lists beyond 64) is refused
                before anything is written.

        Returns:
            None: nothing.

        Raises:
            ConfigError: signature or status are none, or the details cannot be written.
            OSError: the file cannot be written.
        """
        import fcntl

        line = _line(signature, status, details)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
        handle = os.open(self.path, flags, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            if size > 0 and os.pread(handle, 1, size - 1) != b"\n":
                line = b"\n" + line
            try:
                written = os.write(handle, line)
                if written != len(line):
                    raise OSError(f"{self.path}: {written} of {len(line)} bytes written")
                os.fsync(handle)
            except BaseException:  # a full disk, an interrupt: the piece that got there goes
                os.ftruncate(handle, size)
                raise
            if size == 0:
                sync_folder(self.path)
        finally:
            os.close(handle)  # and with it the lock

    def read(self) -> LedgerContents:
        """What has been recorded so far.

        The file is not trusted: what is no result is told and skipped. Memory grows with the number
        of signatures only.

        Returns:
            LedgerContents: the statuses and what could not be read; empty while there is no file.

        Raises:
            ConfigError: it is no file, may not be read, or has more than two million signatures.

        Example:
            >>> Ledger("/does/not/exist").read().exists
            False
        """
        reader = _Reader(self.path)
        try:
            handle = open_regular(self.path)
        except FileNotFoundError:
            return LedgerContents({}, [], False)
        except OSError as error:
            raise _error(
                "unreadable-file", self.path, value=self.path, reason=error.strerror or str(error)
            ) from None
        with handle:
            reader.read(handle)
        return LedgerContents(reader.statuses, reader.diagnostics(), True)

    def __repr__(self) -> str:
        return f"Ledger({self.path!r})"


def done_signatures(
    done: Iterable[str]
    | Mapping[str, str]
    | Ledger
    | LedgerContents
    | os.PathLike[str]
    | str
    | bytes,
    rerun: Iterable[str] = (),
) -> tuple[set[str], list[Diagnostic]]:
    """The signatures that need not be run again.

    Args:
        done: signatures, a mapping from signature to status, a ledger, or the path of one.
        rerun: ``failed``, ``finished``, or both: what to run again nevertheless.

    Returns:
        tuple[set[str], list[Diagnostic]]: the signatures, and what could not be read.

    Raises:
        ConfigError: the ledger cannot be read, or `rerun` names something else.

    Example:
        >>> done_signatures({"a" * 32: "failed", "b" * 32: "ok"}, rerun=["failed"])[0]
        {'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'}
    """
    again = [rerun] if isinstance(rerun, str) else list(rerun)
    for name in again:
        _one_of(name, ("finished", "failed"), "rerun")
    if isinstance(done, (str, bytes, os.PathLike)):
        done = Ledger(done)
    if isinstance(done, Ledger):
        done = done.read()
    if isinstance(done, LedgerContents):
        contents = done
    elif isinstance(done, Mapping):
        statuses = {_signature(key, "done"): _status(status) for key, status in done.items()}
        contents = LedgerContents(statuses, [], True)
    elif isinstance(done, Iterable):
        finished = {_signature(key, "done"): "finished" for key in done}
        contents = LedgerContents(finished, [], True)
    else:
        expected = "signatures, a ledger, or the path of one"
        raise _error("wrong-type", "done", expected=expected, got=_core.describe(done), hint="")
    out: set[str] = set()
    if "finished" not in again:
        out |= contents.finished
    if "failed" not in again:
        out |= contents.failed
    return out, contents.diagnostics


def _error(code: str, path: str, **context: str) -> ConfigError:
    return ConfigError([_core.make_diagnostic(code, path, context)])


def _one_of(value: object, known: Iterable[str], name: str) -> None:
    if not isinstance(value, str) or value not in known:
        raise _error(
            "unknown-value",
            name,
            value=repr(value),
            field=name,
            known=", ".join(sorted(known)),
            hint="choose one of them",
        )


def _status(value: object) -> str:
    """A status in lower case; an unknown one is an error, or a misspelt success would run again."""
    status = _plain(value)
    _one_of(status or value, _STATUSES, "status")
    return status


def _plain(value: object) -> str:
    """A status as it is compared; what is no text is none."""
    return sys.intern(value.strip().lower()) if isinstance(value, str) else ""


def _signature(value: object, path: str = "signature") -> str:
    """A signature; another text would match no experiment, and leave nothing out."""
    if not isinstance(value, str) or not _SIGNATURE.fullmatch(value):
        expected = "a signature: 32 hexadecimal digits in lower case"
        raise _error("wrong-type", path, expected=expected, got=repr(value)[:200], hint="")
    return value


def _line(signature: object, status: object, details: dict[str, Any]) -> bytes:
    data = {"signature": _signature(signature), "status": _status(status), **details}
    try:
        text = json.dumps(data, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        expected = "details that JSON can hold"
        raise _error(
            "wrong-type", "details", expected=expected, got=str(error) or "too deep", hint=""
        ) from None
    line = text.encode() + b"\n"
    if len(line) > MAX_LINE:
        known = f"{MAX_LINE} bytes"
        raise _error("over-limit", "details", got=f"{len(line)} bytes", known=known)
    _, reason = _core.read_json_line(line)
    if reason is not None:
        expected = "details that can be read back"
        raise _error("wrong-type", "details", expected=expected, got=reason, hint="")
    return line


class _Reader:
    """Goes through the lines of a ledger and keeps what they say."""

    def __init__(self, path: str) -> None:
        self.name = os.path.basename(path) or path
        self.statuses: dict[str, str] = {}
        self.shown: list[Diagnostic] = []
        self.more = 0
        self.torn: list[Diagnostic] = []

    def read(self, handle: BinaryIO) -> None:
        for number, (line, cut) in enumerate(_lines(handle), start=1):
            self.one(number, line, cut)

    def one(self, number: int, line: bytes, cut: bool) -> None:
        if line.isspace():
            return
        reason = "longer than a result may be" if cut else self.take(line)
        if not reason:
            return
        if not line.endswith(b"\n") and not cut:
            self.torn = [self.note("torn-line", number)]
        elif len(self.shown) < _SHOWN:
            self.shown.append(self.note("unreadable-line", number, reason=reason))
        else:
            self.more += 1

    def take(self, line: bytes) -> str:
        """Keep what a line says; or why it says nothing."""
        data, reason = _core.read_json_line(line)
        if reason is not None:
            return reason
        if not isinstance(data, dict):
            return "it is not an object"
        signature = data.get("signature")
        if not isinstance(signature, str) or not _SIGNATURE.fullmatch(signature):
            return "its signature is not 32 hexadecimal digits"
        status = _plain(data.get("status"))
        if status not in _STATUSES:
            return f"its status is not one of {', '.join(sorted(_STATUSES))}"
        self.keep(signature, status, data)
        return ""

    def keep(self, signature: str, status: str, data: dict[str, Any]) -> None:
        """A line that is a result; another reader keeps more of it."""
        if signature not in self.statuses and len(self.statuses) >= MAX_SIGNATURES:
            known = f"{MAX_SIGNATURES} signatures"
            raise _error("over-limit", self.name, got="what the file holds", known=known)
        self.statuses[signature] = status

    def note(self, code: str, number: int, **context: str) -> Diagnostic:
        return _core.make_diagnostic(code, f"{self.name}:{number}", {"value": self.name, **context})

    def diagnostics(self) -> list[Diagnostic]:
        out = list(self.shown)
        if self.more:
            context = {"value": self.name, "count": str(self.more)}
            out.append(_core.make_diagnostic("unreadable-lines", self.name, context))
        return out + self.torn


def _lines(handle: BinaryIO) -> Iterator[tuple[bytes, bool]]:
    """Each line, and whether it was too long to be kept."""
    while line := handle.readline(MAX_LINE + 1):
        cut = len(line) > MAX_LINE
        while cut and line and not line.endswith(b"\n"):
            line = handle.readline(MAX_LINE)
        yield line, cut
