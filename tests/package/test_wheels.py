"""The configuration by which wheels are built, read by the tool that builds them."""

from __future__ import annotations

import importlib.resources
import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

pytest.importorskip("cibuildwheel", reason="cibuildwheel needs Python 3.11")
tomllib = pytest.importorskip("tomllib")

ROOT = Path(__file__).resolve().parents[2]
QUESTION = ("--print-build-identifiers", "--platform=linux", "--archs=x86_64")
PYTHONS = ("cp39", "cp310", "cp311", "cp312", "cp313", "cp314", "cp314t")


def identifiers(folder: Path) -> subprocess.CompletedProcess[str]:
    """What would be built for Linux; every option of the configuration is checked on the way."""
    return subprocess.run(
        [sys.executable, "-m", "cibuildwheel", *QUESTION, str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_python_is_built() -> None:
    done = identifiers(ROOT)
    assert done.returncode == 0, done.stderr
    wanted = {
        f"{python}-{libc}_x86_64" for python in PYTHONS for libc in ("manylinux", "musllinux")
    }
    assert set(done.stdout.split()) == wanted


def problems(table: object) -> list[str]:
    """What cibuildwheel's own schema says against a configuration."""
    schema = importlib.resources.files("cibuildwheel") / "resources" / "cibuildwheel.schema.json"
    checker = jsonschema.Draft7Validator(json.loads(schema.read_text(encoding="utf-8")))
    return [error.message for error in checker.iter_errors(table)]


def test_every_option_is_one_that_it_knows() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert problems(table["cibuildwheel"]) == []
    assert problems({**table["cibuildwheel"], "test-require": ["pytest"]})
    assert problems({**table["cibuildwheel"], "build-frontend": "biuld"})


def test_the_tests_of_a_wheel_exist() -> None:
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    words = table["cibuildwheel"]["test-command"].split()
    named = [word for word in words if word.startswith("{project}/")]
    assert named
    for name in named:
        assert (ROOT / name.removeprefix("{project}/")).exists()
