"""Ledgers: what was recorded is read again, whatever else stands in the file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import ledger as module
from quantmap.ledger import Ledger, done_signatures

A, B, C = "a" * 32, "b" * 32, "0123456789abcdef" * 2


def codes(contents: module.LedgerContents) -> list[tuple[str, str]]:
    """What the reading told, with its places."""
    return [(item.code, item.path) for item in contents.diagnostics]


def write(path: Path, *lines: Any) -> Ledger:
    """A ledger of these lines; a dict becomes JSON, bytes stay."""
    data = b"".join(
        line if isinstance(line, bytes) else json.dumps(line).encode() + b"\n" for line in lines
    )
    path.write_bytes(data)
    return Ledger(path)


def test_what_is_recorded_is_read(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "results.jsonl")
    assert ledger.read().exists is False and ledger.read().statuses == {}
    ledger.record(A, "running")
    ledger.record(B, "Failed", reason="out of memory\nsecond line", peak=1.5)
    ledger.record(A, "success", throughput={"tokens": [1, 2]})
    contents = ledger.read()
    assert contents.exists and contents.diagnostics == []
    assert contents.statuses == {A: "success", B: "failed"}
    assert (contents.finished, contents.failed) == ({A}, {B})
    lines = (tmp_path / "results.jsonl").read_bytes().splitlines()
    assert json.loads(lines[1]) == {
        "signature": B,
        "status": "failed",
        "reason": "out of memory\nsecond line",
        "peak": 1.5,
    }


@pytest.mark.parametrize(
    ("statuses", "group"),
    [(module.FINISHED, "finished"), (module.FAILED, "failed"), (module.WAITING, None)],
)
def test_every_status_is_of_one_kind(statuses: frozenset[str], group: str | None) -> None:
    for status in statuses:
        done, notes = done_signatures({A: status.upper()})
        assert notes == [] and done == ({A} if group else set())
        if group:
            assert done_signatures({A: status}, rerun=group)[0] == set()
            other = "failed" if group == "finished" else "finished"
            assert done_signatures({A: status}, rerun=(other,))[0] == {A}


def test_the_last_status_counts(tmp_path: Path) -> None:
    ledger = write(
        tmp_path / "l",
        {"signature": A, "status": "success"},
        {"signature": A, "status": "running"},
        {"signature": B, "status": "running"},
        {"signature": B, "status": "success"},
    )
    assert done_signatures(ledger)[0] == {B}


def test_done_in_every_form(tmp_path: Path) -> None:
    path = tmp_path / "l"
    ledger = write(path, {"signature": A, "status": "ok"}, {"signature": B, "status": "error"})
    forms = [ledger, ledger.read(), path, str(path), ledger.read().statuses]
    for done in forms:
        assert done_signatures(done) == ({A, B}, [])
        assert done_signatures(done, rerun=("failed",)) == ({A}, [])
        assert done_signatures(done, rerun=("failed", "finished")) == (set(), [])
    for signatures in ({A, C}, [A, C, A], (A, C), iter([A, C])):
        assert done_signatures(signatures)[0] == {A, C}
    assert done_signatures(tmp_path / "none yet") == (set(), [])


@pytest.mark.parametrize("cut", range(1, 20))
def test_a_torn_last_line_is_told_and_the_next_record_is_whole(tmp_path: Path, cut: int) -> None:
    ledger = Ledger(tmp_path / "results.jsonl")
    ledger.record(A, "success")
    ledger.record(B, "success", value="x" * 40)
    whole = (tmp_path / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(whole[: -cut * 5])
    contents = ledger.read()
    assert contents.finished == {A}
    assert codes(contents) == [("torn-line", "results.jsonl:2")]
    assert "results.jsonl" in contents.diagnostics[0].message
    ledger.record(C, "failed")
    contents = ledger.read()
    assert contents.statuses == {A: "success", C: "failed"}
    assert codes(contents) == [("unreadable-line", "results.jsonl:2")]


def test_a_whole_last_line_without_its_end_counts(tmp_path: Path) -> None:
    ledger = write(tmp_path / "l", json.dumps({"signature": A, "status": "ok"}).encode())
    assert (ledger.read().statuses, codes(ledger.read())) == ({A: "ok"}, [])
    ledger.record(B, "ok")
    assert (ledger.read().statuses, codes(ledger.read())) == ({A: "ok", B: "ok"}, [])


def line(signature: object = A, status: object = "success") -> dict[str, object]:
    """A line of a ledger."""
    return {"signature": signature, "status": status}


HOSTILE = [
    b"[]\n",
    b"null\n",
    b"not json\n",
    b"\xff\xfe\n",
    b"\0\0\0\n",
    b'{"signature": "' + A.encode() + b'", "status": "success", "status": "failed"}\n',
    b'{"signature": "' + A.encode() + b'", "status": NaN}\n',
    b'{"signature": "\\ud800", "status": "success"}\n',
    b"[" * 5000 + b"]" * 5000 + b"\n",
    b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"\n",
    b'{"signature": 1' + b"0" * 5000 + b"}\n",
    {},
    {"signature": A},
    {"status": "success"},
    line(status=None),
    line(status=1),
    line(status=["success"]),
    line(status={"a": 1}),
    line(status="fnished"),
    line(signature=None),
    line(signature=A[:-1]),
    line(signature=A + "a"),
    line(signature=A.upper()),
    line(signature=A[:-1] + "\n"),
    line(signature=[A]),
]


def test_hostile_lines_are_told_and_skipped(tmp_path: Path) -> None:
    ledger = write(tmp_path / "l", line(B), *HOSTILE, line(C))
    contents = ledger.read()
    assert contents.statuses == {B: "success", C: "success"}
    told = codes(contents)
    assert told[:20] == [("unreadable-line", f"l:{number}") for number in range(2, 22)]
    assert told[20:] == [("unreadable-lines", "l")]
    assert contents.diagnostics[20].message.endswith(f": {len(HOSTILE) - 20}.")
    for item in contents.diagnostics:
        assert item.severity == "warning" and item.hint and len(item.message) < 400
    assert all(len(write(tmp_path / "one", each).read().diagnostics) == 1 for each in HOSTILE)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_huge_line_is_never_held_in_memory(tmp_path: Path, end: bytes) -> None:
    path = tmp_path / "l"
    with path.open("wb") as handle:
        handle.write(json.dumps(line(B)).encode() + b"\n")
        handle.write(b'{"signature": "')
        for _ in range(64):
            handle.write(b"a" * module.MAX_LINE)
        handle.write(end)
    tracemalloc.start()
    contents = Ledger(path).read()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert contents.statuses == {B: "success"} and codes(contents) == [("unreadable-line", "l:2")]
    assert peak < 8 * module.MAX_LINE


def test_as_many_signatures_as_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_SIGNATURES", 2)
    assert len(write(tmp_path / "l", line(A), line(B), line(A)).read().statuses) == 2
    with pytest.raises(quantmap.ConfigError) as caught:
        write(tmp_path / "l", line(A), line(B), line(C)).read()
    assert caught.value.diagnostics[0].code == "over-limit"


def test_what_is_no_file_is_refused_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "secret").touch(0)
    names = [tmp_path, tmp_path / "pipe", Path("/dev/zero")]
    for path in names + ([tmp_path / "secret"] if os.geteuid() else []):
        with pytest.raises(quantmap.ConfigError) as caught:
            Ledger(path).read()
        assert caught.value.diagnostics[0].code == "unreadable-file"
    with pytest.raises(OSError):
        Ledger(tmp_path).record(A, "ok")
    with pytest.raises(OSError):
        Ledger(tmp_path / "no folder" / "l").record(A, "ok")


@pytest.mark.parametrize(
    ("signature", "status", "details", "path"),
    [
        ("x", "ok", {}, "signature"),
        (A + "\n", "ok", {}, "signature"),
        (None, "ok", {}, "signature"),
        (A, "fnished", {}, "status"),
        (A, None, {}, "status"),
        (A, [], {}, "status"),
        (A, "ok", {"x": float("nan")}, "details"),
        (A, "ok", {"x": {1, 2}}, "details"),
        (A, "ok", {"x": "x" * module.MAX_LINE}, "details"),
    ],
)
def test_what_cannot_be_recorded_leaves_no_trace(
    tmp_path: Path, signature: Any, status: Any, details: dict[str, Any], path: str
) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        Ledger(tmp_path / "l").record(signature, status, **details)
    assert caught.value.diagnostics[0].path == path
    assert not (tmp_path / "l").exists()


def test_what_to_run_again_is_named() -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        done_signatures(set(), rerun=("faild",))
    assert caught.value.diagnostics[0].path == "rerun"
    with pytest.raises(quantmap.ConfigError):
        done_signatures({A: "fnished"})


def test_a_full_disk_is_an_error_and_spoils_one_line_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = Ledger(tmp_path / "l")
    ledger.record(A, "ok")
    whole = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: whole(handle, data[:10]))
    with pytest.raises(OSError, match="10 of"):
        ledger.record(B, "ok")
    monkeypatch.undo()
    ledger.record(C, "ok")
    assert ledger.read().statuses == {A: "ok", C: "ok"}


WRITER = """
import sys
from quantmap.ledger import Ledger
ledger = Ledger(sys.argv[1])
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 300):
    ledger.record(f"{number:032x}", "success", filler="x" * (number % 7000))
"""


def test_writers_side_by_side_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(b'{"signature": "torn')
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(start)])
        for start in (0, 300)
    ]
    ledger = Ledger(path)
    threads = [
        threading.Thread(target=lambda n=n: ledger.record(f"{n:032x}", "failed"))
        for n in range(600, 620)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0]
    contents = ledger.read()
    assert set(contents.statuses) == {f"{n:032x}" for n in range(620)}
    assert codes(contents) == [("unreadable-line", "results.jsonl:1")]
    assert len(path.read_bytes().splitlines()) == 621


def nested(depth: int) -> list[Any]:
    """A list in a list in a list."""
    out: list[Any] = []
    for _ in range(depth - 1):
        out = [out]
    return out


@pytest.mark.parametrize(
    "details",
    [
        {"log": b"x\xff".decode("utf-8", "surrogateescape")},
        {"n": 10**309},
        {"d": {1: "a", "1": "b"}},
        {"d": {True: "a", "true": "b"}},
        {"deep": nested(64)},
        {"deep": nested(50000)},
        {"lock": threading.Lock()},
    ],
    ids=lambda details: next(iter(details)),
)
def test_what_would_not_be_read_back_is_refused_before_it_is_written(
    tmp_path: Path, details: dict[str, Any]
) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        Ledger(tmp_path / "l").record(A, "success", **details)
    assert caught.value.diagnostics[0].path == "details"
    assert not (tmp_path / "l").exists()


@pytest.mark.parametrize("left", [0, 1, 60, 61])
def test_a_disk_that_is_full_keeps_nothing_of_a_record(tmp_path: Path, left: int) -> None:
    """The kernel's own limit on the size of a file, in a process of its own."""
    path = tmp_path / "l"
    Ledger(path).record(A, "ok")
    code = (
        "import resource, signal, sys\n"
        "from quantmap.ledger import Ledger\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "limit = int(sys.argv[2])\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))\n"
        f"Ledger(sys.argv[1]).record({B!r}, 'ok')\n"
    )
    before = path.read_bytes()
    limit = str(len(before) + left)
    done = subprocess.run([sys.executable, "-c", code, str(path), limit], capture_output=True)
    assert b"OSError" in done.stderr
    assert path.read_bytes() == before and Ledger(path).read().statuses == {A: "ok"}
    Ledger(path).record(C, "ok")
    assert codes(Ledger(path).read()) == []


def test_a_new_ledger_has_its_name_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    fsync = os.fsync

    def spy(handle: int) -> None:
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", spy)
    Ledger(tmp_path / "l").record(A, "ok")
    Ledger(tmp_path / "l").record(A, "ok")
    assert synced == [tmp_path / "l", tmp_path, tmp_path / "l"]


@pytest.mark.parametrize("done", [["AB.."], {1: "ok"}, [1, 2], {"x": "ok"}, [B[:-1]], None, 7])
def test_what_is_no_signature_is_told(done: Any) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        done_signatures(done)
    assert caught.value.diagnostics[0].path == "done"


def test_any_path_is_a_ledger(tmp_path: Path) -> None:
    os.mkdir(os.fsencode(tmp_path) + b"/a\xff")
    path = os.fsencode(tmp_path) + b"/a\xff/l\xfe"
    Ledger(path).record(A, "ok")
    assert done_signatures(path)[0] == {A}
    with open(path, "ab") as handle:
        handle.write(b"bad\n")
    contents = Ledger(os.fsdecode(path)).read()
    assert codes(contents) == [("unreadable-line", "l\\udcfe:2")]
    with pytest.raises(quantmap.ConfigError, match=r"l\\udcfe"):
        Ledger(path + b"/none").read()
