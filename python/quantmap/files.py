"""Files that are whole or not there, and files that make no reader wait."""

from __future__ import annotations

import contextlib
import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

__all__ = ["open_regular", "read_file", "write_file"]

MAX_BYTES = 1_000_000  # of a text that is read as data
_PATIENCE = 1000  # milliseconds that somebody has to begin writing to a pipe


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """A file for reading; a pipe or a device, which would make the reader wait, is an error.

    Args:
        path: the file.

    Returns:
        BinaryIO: the open file.

    Raises:
        OSError: it cannot be read, or is no regular file.
        ValueError: no file can have this name.

    Example:
        >>> open_regular(os.devnull)
        Traceback (most recent call last):
        OSError: it is not a regular file
    """
    import stat

    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError("it is not a regular file")
    return open(handle, "rb")


def read_file(path: str | os.PathLike[str], most: int) -> bytes:
    """What somebody gave as a file: a regular file, a device, or a pipe such as `<(command)`.

    Args:
        path: the file.
        most: at most so many bytes are read.

    Returns:
        bytes: the content, or its beginning.

    Raises:
        OSError: it cannot be read, or is a pipe to which nobody writes.
        ValueError: no file can have this name.

    Example:
        >>> read_file(os.devnull, 100)
        b''
    """
    import stat

    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    with open(handle, "rb") as file:
        piped = stat.S_ISFIFO(os.fstat(handle).st_mode)
        first = _first_byte(handle) if piped else b""
        os.set_blocking(handle, True)
        return first + file.read(most - len(first))


def is_given(name: str) -> bool:
    """Whether a text names a file or a pipe, and is not the content itself."""
    import stat

    try:
        mode = os.stat(name).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _first_byte(pipe: int) -> bytes:
    """What a pipe holds first; nothing when its writer has not written yet."""
    import select

    waiting = select.poll()
    waiting.register(pipe, select.POLLIN)
    came = waiting.poll(_PATIENCE)
    with contextlib.suppress(BlockingIOError):  # it is open at the other end
        first = os.read(pipe, 1)
        if not first and not came:
            raise OSError("nobody writes to this pipe")
        return first
    return b""


def sync_folder(path: str | os.PathLike[str]) -> None:
    """Wait until the name of a new file is on the disk."""
    with contextlib.suppress(OSError):  # some file systems know no such thing
        handle = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
    folder, base = os.path.split(target)
    name = os.path.join(folder, f".{base[:100]}.{os.urandom(8).hex()}")
    try:  # the name is known before the file is there: whatever comes between, it is removed
        handle = _unnamed(folder)
        named = handle is None
        if handle is None:
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
            if not named:
                own = f"/proc/self/fd/{out.fileno()}"  # with a folder Python's link follows it
                os.link(own, name, src_dir_fd=out.fileno())
        os.chmod(name, _mode_of(target))
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(target)


def _unnamed(folder: str) -> int | None:
    """A file without a name, of which a process that is killed leaves nothing; None where the file
    system has no such thing, or it could not be named later."""
    kind = getattr(os, "O_TMPFILE", 0)
    if not kind or not os.path.exists("/proc/self/fd"):
        return None
    try:
        return os.open(folder or ".", os.O_WRONLY | os.O_CLOEXEC | kind, 0o600)
    except OSError:
        return None


def _mode_of(path: str) -> int:
    """The permissions of the file there; of a new one, what the process gives its files."""
    try:
        return os.stat(path).st_mode & 0o777
    except FileNotFoundError:
        mask = os.umask(0o077)
        os.umask(mask)
        return 0o666 & ~mask
