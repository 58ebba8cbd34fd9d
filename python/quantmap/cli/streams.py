"""What the command writes to and how it ends: readers that go away, full disks, signals.

A verdict's exit code holds whether or not somebody reads to the end. Code 3 says that there is no
verdict: nothing could be written, somebody interrupted, or quantmap itself is at fault.
"""

from __future__ import annotations

import contextlib
import io
import os
import signal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, Callable

UNTOLD = 3


class Output(io.RawIOBase):
    """A file descriptor to write to.

    Attributes:
        gone: whether nobody reads any more, or nothing more can be written.
        failure: why what was written is lost; None also when a reader has had enough.
    """

    def __init__(self, descriptor: int, usable: bool) -> None:
        self._descriptor = descriptor
        self._usable = usable
        self.gone = False
        self.failure: str | None = None

    def writable(self) -> bool:
        """It is written to."""
        return True

    def fileno(self) -> int:
        """The descriptor, for who asks for the width of a terminal."""
        if not self._usable:
            raise OSError("closed")
        return self._descriptor

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._usable and os.isatty(self._descriptor)

    def write(self, data: Any) -> int:
        """All of it, or nothing more from now on."""
        view = memoryview(data).cast("B")
        at = 0
        try:
            while at < len(view) and not self.gone:
                if not self._usable:
                    raise OSError("it is closed")
                at += os.write(self._descriptor, view[at:])
        except BrokenPipeError:
            self.gone = True
        except OSError as error:
            self.gone = True
            self.failure = error.strerror or str(error)
        return len(view)


def _wrapped(stream: Any, descriptor: int) -> tuple[Any, Output]:
    """A stream of text over a descriptor, with the encoding of the one that Python made."""
    output = Output(descriptor, stream is not None)
    text = io.TextIOWrapper(
        io.BufferedWriter(output),
        encoding=getattr(stream, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=output.isatty(),
    )
    return text, output


def write_out(pieces: Iterable[bytes]) -> None:
    """A long output, piece by piece, as far as somebody reads it."""
    raw = getattr(sys.stdout.buffer, "raw", None)
    for piece in pieces:
        sys.stdout.buffer.write(piece)
        if isinstance(raw, Output) and raw.gone:
            return
    sys.stdout.buffer.flush()


def leave_at_once(_number: int = 0, _frame: object = None) -> None:
    """End here; while modules are loaded an exception would be shown as a fault."""
    os._exit(UNTOLD)


def interrupt(_number: int, _frame: object) -> None:
    """Unwind once, so that half files are removed; whoever insists is obeyed at once."""
    on_signals(leave_at_once)
    raise KeyboardInterrupt


def on_signals(action: Callable[..., None]) -> None:
    """What SIGINT and SIGTERM do; elsewhere than in the main thread they belong to others."""
    with contextlib.suppress(ValueError):
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) is not signal.SIG_IGN:  # nohup, a shell's background
                signal.signal(number, action)


def guarded(verb: Callable[[], int]) -> int:
    """Run a verb to its exit code, whatever happens to the streams meanwhile.

    Args:
        verb: what is to be done.

    Returns:
        int: its code, or 3 when it could not tell.
    """
    own = sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__
    outputs: list[Output] = []
    if own:
        sys.stdout, output = _wrapped(sys.__stdout__, 1)
        sys.stderr, errors = _wrapped(sys.__stderr__, 2)
        outputs = [output, errors]
    sys.unraisablehook = lambda _: None  # an interrupt in a destructor
    try:
        on_signals(interrupt)
        try:
            code = verb()
            sys.stdout.flush()
            on_signals(leave_at_once)
        except KeyboardInterrupt:
            code = UNTOLD
        except Exception as error:
            code = UNTOLD
            _tell(f"this is a fault of quantmap, please report it: {_described(error)}")
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(Exception):
                stream.flush()
        if outputs and outputs[0].failure is not None:
            _tell(f"the output cannot be written: {outputs[0].failure}")
            code = UNTOLD
    except KeyboardInterrupt:
        code = UNTOLD
    return code


def _tell(text: str) -> None:
    from .style import printable

    with contextlib.suppress(Exception):
        sys.stderr.write(f"quantmap: error: {printable(text)}\n")
        sys.stderr.flush()


def _described(error: Exception) -> str:
    """What went wrong and where, on one line."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = ""
    if place is not None:
        where = f" at {os.path.basename(place.tb_frame.f_code.co_filename)}:{place.tb_lineno}"
    return f"{type(error).__name__}: {str(error)[:500]}{where}"
