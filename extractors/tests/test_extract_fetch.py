"""Index pages, archives, and the command line, on a made-up index."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import textwrap
import zipfile

import pytest
from extract_surface import cli, fetch, index, oracle
from extract_surface.readers import Engine, read_server_args


def test_index_pages_json_and_html():
    page = '<a href="../f/toy-1.0.tar.gz#sha256=ab" data-upload-time="2026-01-02T00:00:00Z">x</a>'
    (file,) = index.parse_html(page, "https://host/simple/toy/")
    assert (file.url, file.sha256, file.date) == (
        "https://host/simple/f/toy-1.0.tar.gz",
        "ab",
        "2026-01-02",
    )
    text = json.dumps(
        {
            "files": [
                {
                    "filename": "toy-1.0-py3-none-any.whl",
                    "url": "w.whl",
                    "hashes": {"sha256": "cd"},
                    "yanked": "broken",
                }
            ]
        }
    )
    (wheel,) = index.parse_json(text, "https://host/simple/toy/")
    assert (wheel.version, wheel.url, wheel.yanked) == (
        "1.0",
        "https://host/simple/toy/w.whl",
        True,
    )
    assert index.choose([wheel, file]) is file


def test_index_url_comes_from_the_argument_or_the_environment(monkeypatch):
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple/")
    assert index.index_url() == "https://mirror/simple"
    assert index.index_url("https://other/simple") == "https://other/simple"
    monkeypatch.delenv("PIP_INDEX_URL")
    assert index.index_url() == index.DEFAULT_INDEX


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("toy-1.0/toy/a.py", "toy/a.py"),
        ("toy-1.0/python/toy/b/c.py", "toy/b/c.py"),
        ("toy/a.py", "toy/a.py"),
        ("toy-1.0/toy/a.so", None),
        ("toy-1.0/../toy/a.py", None),
        ("/toy/a.py", None),
        ("toy-1.0/tests/deep/er/toy/a.py", None),
    ],
)
def test_only_the_package_is_unpacked(name, path):
    found = fetch.wanted_path(name, "toy", (".py",))
    assert (None if found is None else str(found)) == path


def archive(kind: str) -> bytes:
    """Return a made-up archive with one wanted and one unwanted member."""
    buffer = io.BytesIO()
    members = {"toy-1.0/toy/a.py": b"A = 1\n", "toy-1.0/README": b"no"}
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as bundle:
            for name, data in members.items():
                bundle.writestr(name, data)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as bundle:
            for name, data in members.items():
                info = tarfile.TarInfo(name)
                info.size = len(data)
                bundle.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_unpacking(tmp_path, kind):
    count = fetch.unpack(io.BytesIO(archive(kind)), f"toy-1.0.{kind}", "toy", (".py",), tmp_path)
    assert count == 1 and (tmp_path / "toy" / "a.py").read_text() == "A = 1\n"


def test_a_wrong_hash_is_refused_and_nothing_stays(tmp_path):
    source = tmp_path / "toy-1.0.tar.gz"
    source.write_bytes(archive("tar.gz"))
    file = index.IndexFile("toy-1.0.tar.gz", source.as_uri(), "00", "2026-01-01", False)
    with pytest.raises(OSError, match="hash differs"):
        fetch.fetch("toy", "1.0", file, "toy", (".py",), tmp_path / "cache", lambda text: None)
    assert list(fetch.unpacked(tmp_path / "cache", "toy")) == []


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """An index with two releases of a made-up engine, and the options to use it."""

    def release(version: str, choices: str) -> None:
        text = textwrap.dedent(f"""
            class ServerArgs:
                @staticmethod
                def add_cli_args(parser):
                    parser.add_argument("--kind", choices={choices})
        """)
        path = tmp_path / "files" / f"toy-{version}.tar.gz"
        path.parent.mkdir(exist_ok=True)
        with tarfile.open(path, "w:gz") as bundle:
            for name, data in {"__init__": "", "server": text}.items():
                info = tarfile.TarInfo(f"toy-{version}/toy/{name}.py")
                info.size = len(data)
                bundle.addfile(info, io.BytesIO(data.encode()))

    def listing() -> None:
        page = "".join(
            f'<a href="{p.as_uri()}">x</a>' for p in sorted((tmp_path / "files").iterdir())
        )
        monkeypatch.setattr(index, "list_files", lambda project, url=None: group(page))

    def group(page: str) -> dict:
        found: dict = {}
        for file in index.parse_html(page, "file:///"):
            found.setdefault(file.version, []).append(file)
        return found

    engine = Engine("toy", "toy", "toy", "1.0", ("final", "post"), read_server_args("toy.server"))
    monkeypatch.setitem(cli.ENGINES, "toy", engine)
    release("1.0", ["a"])
    release("1.1rc1", ["a"])
    release("1.1", ["a", "b"])
    listing()
    options = ["--cache", str(tmp_path / "cache"), "--catalog", str(tmp_path / "catalog")]
    return release, listing, options


def test_build_add_check_diff_and_show(toy, capsys):
    release, listing, options = toy
    assert cli.main(["--engine", "toy", *options]) == 0
    assert cli.main(["--engine", "toy", "--check", *options]) == 0
    assert "as in the catalogue" in capsys.readouterr().out
    release("1.2", ["b", "c"])
    listing()
    assert cli.main(["--engine", "toy", "--check", *options]) == 1
    assert "1.2: not in the catalogue" in capsys.readouterr().out
    assert cli.main(["add", "toy", "1.2", *options]) == 0
    assert capsys.readouterr().out == "toy 1.1 -> 1.2\n  ~ --kind: choices +{c} -{a}\n"
    assert cli.main(["--engine", "toy", "--check", "--offline", *options]) == 0
    assert cli.main(["diff", "toy", "1.0", "1.1", *options]) == 0
    assert "choices +{b}" in capsys.readouterr().out
    assert cli.main(["show", "toy", "--kind", "--absent", *options]) == 0
    shown = capsys.readouterr().out
    assert "--kind 1.1 until 1.2: choices +{b}" in shown and "--absent: never a flag" in shown


def test_bad_requests_are_told(toy, capsys):
    _, _, options = toy
    assert cli.main(["add", "toy", "9.9", *options]) == 2
    assert "does not offer toy 9.9" in capsys.readouterr().err
    assert cli.main(["diff", "toy", "1.0", "1.1", *options]) == 2
    assert "no surface of toy" in capsys.readouterr().err
    for words in (["add"], ["add", "nothing", "1"], ["dance", "toy", "1.0"], ["--wrong"]):
        with pytest.raises(SystemExit):
            cli.main([*words, *options])
    assert "name an engine" in capsys.readouterr().err


def test_a_release_whose_own_parser_disagrees_is_not_written(toy, capsys, monkeypatch):
    release, listing, options = toy
    assert cli.main(["--engine", "toy", *options]) == 0
    release("1.2", ["b", "c"])
    listing()
    option = {"names": ["--kind"], "choices": ["b", "c", "d"], "nargs": None, "default": None}
    monkeypatch.setattr(oracle, "environment", lambda cache, torch: sys.executable)
    monkeypatch.setattr(
        oracle, "real_parser", lambda *_: {"options": [option], "replaced": ["torch"]}
    )
    add = ["add", "toy", "1.2", *options]
    assert cli.main([*add, "--parser", "always"]) == 1
    said = capsys.readouterr().err
    assert "stand-ins for torch" in said and "really ['b', 'c', 'd']" in said
    assert "nothing is written" in said
    assert cli.main(["diff", "toy", "1.1", "1.2", *options]) == 2
    option["choices"] = ["b", "c"]
    assert cli.main([*add, "--parser", "always"]) == 0
    assert "choices: 1 of 1 agree" in capsys.readouterr().err


def test_a_release_that_cannot_be_imported_is_read_as_text(toy, capsys, monkeypatch):
    _, _, options = toy

    def refuse(*_: object) -> dict:
        raise RuntimeError("no module named engine")

    monkeypatch.setattr(oracle, "environment", lambda cache, torch: sys.executable)
    monkeypatch.setattr(oracle, "is_ready", lambda cache: True)
    monkeypatch.setattr(oracle, "real_parser", refuse)
    assert cli.main(["add", "toy", "1.0", *options, "--parser", "always"]) == 1
    assert cli.main(["add", "toy", "1.0", *options]) == 0
    assert capsys.readouterr().err.count("its own parser cannot be asked here") == 2
