"""Downloads a release and keeps only the source files that the readers need.

The cache holds ``src/<engine>/<version>/<package>/...`` and a small receipt beside
it; the archive itself is deleted after unpacking. A release with a receipt is never
downloaded again. Nothing of a release is imported or run.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Callable

from .index import TIMEOUT, IndexFile

RECEIPT = ".artifact.json"
_CHUNK = 1 << 20
_RANGE_FROM = 120 * 1024 * 1024
_MAX_FILE = 8 * 1024 * 1024


class RangeFile(io.RawIOBase):
    """A remote file read by HTTP range requests, as ``zipfile`` needs it."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.position = 0
        self.fetched = 0
        with self._open("bytes=0-0") as answer:
            if answer.status != 206:
                raise OSError("the server does not support range requests")
            self.size = int(answer.headers["Content-Range"].rpartition("/")[2])

    def _open(self, span: str) -> Any:
        request = urllib.request.Request(self.url, headers={"Range": span})
        return urllib.request.urlopen(request, timeout=TIMEOUT)

    def seekable(self) -> bool:
        """Range requests make the file seekable."""
        return True

    def readable(self) -> bool:
        """The file is read only."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move the read position; nothing is transferred."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.size}[whence]
        self.position = max(0, start + offset)
        return self.position

    def tell(self) -> int:
        """Return the read position."""
        return self.position

    def readinto(self, buffer: Any) -> int:
        """Fill ``buffer`` from the server."""
        end = min(self.size, self.position + len(buffer))
        if end <= self.position:
            return 0
        with self._open(f"bytes={self.position}-{end - 1}") as answer:
            data = answer.read()
        buffer[: len(data)] = data
        self.position += len(data)
        self.fetched += len(data)
        return len(data)


def wanted_path(name: str, root: str, suffixes: Sequence[str]) -> PurePosixPath | None:
    """Return the path below the cache for an archive member, or ``None``.

    The package may lie at the top, below ``<name>-<version>/`` or below ``python/``.
    """
    parts = PurePosixPath(name).parts
    if ".." in parts or name.startswith("/") or not name.endswith(tuple(suffixes)):
        return None
    for depth in range(min(3, len(parts) - 1)):
        if parts[depth] == root:
            return PurePosixPath(*parts[depth:])
    return None


def _read_tar(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    stream = tar.extractfile(member)
    return stream.read() if stream else b""


def _members(file: BinaryIO, name: str) -> Iterator[tuple[str, int, Callable[[], bytes]]]:
    """Yield (name, size, reader) of the regular files in an archive."""
    if name.endswith(".tar.gz"):
        with tarfile.open(fileobj=file, mode="r|gz") as tar:
            for member in tar:
                if member.isfile():
                    yield member.name, member.size, partial(_read_tar, tar, member)
        return
    with zipfile.ZipFile(file) as archive:
        # Neighbours in the file are read one after the other.
        for info in sorted(archive.infolist(), key=lambda i: i.header_offset):
            if not info.is_dir():
                yield info.filename, info.file_size, partial(archive.read, info)


def unpack(file: BinaryIO, name: str, root: str, suffixes: Sequence[str], target: Path) -> int:
    """Write the wanted members of an archive below ``target``; return their count."""
    count = 0
    for member, size, read in _members(file, name):
        path = wanted_path(member, root, suffixes)
        if path is None or size > _MAX_FILE:
            continue
        out = target / path
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(read())
        count += 1
    return count


def _download(file: IndexFile, path: Path, report: Callable[[str], None]) -> None:
    """Fetch a whole file and verify its hash."""
    digest = hashlib.sha256()
    with urllib.request.urlopen(file.url, timeout=TIMEOUT) as answer, path.open("wb") as out:
        while True:
            block = answer.read(_CHUNK)
            if not block:
                break
            digest.update(block)
            out.write(block)
    if file.sha256 and digest.hexdigest() != file.sha256:
        path.unlink()
        raise OSError(f"{file.filename}: the hash differs from the index's")
    report(f"{file.filename}: {path.stat().st_size / 1e6:.1f} MB")


def _size(file: IndexFile) -> int:
    request = urllib.request.Request(file.url, method="HEAD")
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        return int(answer.headers.get("Content-Length") or 0)


def fetch(
    engine: str,
    version: str,
    file: IndexFile,
    root: str,
    suffixes: Sequence[str],
    cache: Path,
    report: Callable[[str], None],
) -> Path:
    """Make a release's sources available below the cache.

    Args:
        engine: engine id, the folder in the cache.
        version: release number, the folder below it.
        file: which artifact to read.
        root: name of the package folder to keep.
        suffixes: endings of the files to keep.
        cache: the cache folder.
        report: takes one line of progress.

    Returns:
        The folder that holds ``root``.
    """
    target = cache / "src" / engine / version
    if (target / RECEIPT).exists():
        return target
    work = cache / "part" / engine / version
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    partial = False
    if not file.is_sdist and _size(file) > _RANGE_FROM:
        remote = RangeFile(file.url)
        count = unpack(io.BufferedReader(remote, 1 << 18), file.filename, root, suffixes, work)
        partial = True
        report(f"{file.filename}: {remote.fetched / 1e6:.1f} of {remote.size / 1e6:.0f} MB")
    else:
        archive = cache / "part" / file.filename
        _download(file, archive, report)
        with archive.open("rb") as stream:
            count = unpack(stream, file.filename, root, suffixes, work)
        archive.unlink()
    receipt: dict[str, object] = {
        "artifact": file.filename,
        "sha256": file.sha256,
        "date": file.date,
        "files": count,
    }
    if partial:
        receipt["partial"] = True
    if file.yanked:
        receipt["yanked"] = True
    (work / RECEIPT).write_text(json.dumps(receipt, indent=1) + "\n", encoding="utf-8")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    os.replace(work, target)
    return target


def receipt(folder: Path) -> dict[str, object]:
    """Return what is recorded about an unpacked release."""
    found: dict[str, object] = json.loads((folder / RECEIPT).read_text(encoding="utf-8"))
    return found


def unpacked(cache: Path, engine: str) -> Iterable[str]:
    """Return the versions of an engine that the cache holds."""
    base = cache / "src" / engine
    if not base.is_dir():
        return []
    return [item.name for item in base.iterdir() if (item / RECEIPT).exists()]


def drop(cache: Path, engine: str, version: str) -> None:
    """Delete the unpacked sources of a release."""
    shutil.rmtree(cache / "src" / engine / version, ignore_errors=True)
