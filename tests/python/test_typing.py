"""The typed face: strict mypy on the package, the stub against the module, and what users see."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TYPING = ROOT / "tests" / "typing"
# mypy names builtins and classes in full; the comments do not.
PREFIX = re.compile(r"\b(?:builtins|typing|collections\.abc|quantmap\.\w+)\.(?=\w)")


def run(
    tmp_path: Path, module: str, *arguments: str, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Runs a module of this Python with a cache of its own."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={"MYPY_CACHE_DIR": str(tmp_path), "PATH": "/usr/bin:/bin", "NO_COLOR": "1"},
    )


@pytest.mark.parametrize(
    "sources",
    [
        ("python/quantmap",),
        # jsonschema comes without stubs; of the extractor only the order of versions is used
        (
            "cpp/tools/lint_catalog.py",
            "cpp/tools/lint",
            "--disable-error-code=import-untyped",
            "--follow-imports=silent",
        ),
    ],
    ids=["package", "linter"],
)
def test_strict(tmp_path: Path, sources: tuple[str, ...]) -> None:
    done = run(tmp_path, "mypy", "--strict", *sources)
    assert done.returncode == 0, done.stdout + done.stderr


def test_stub_is_the_module(tmp_path: Path) -> None:
    done = run(tmp_path, "mypy.stubtest", "quantmap._core", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def expected(path: Path) -> dict[int, str]:
    """The comment of each line that has one."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {
        number: line.split("  # ", 1)[1] for number, line in enumerate(lines, 1) if "  # " in line
    }


def check(tmp_path: Path, path: Path) -> str:
    """mypy's words on a file, as a user's project sees the installed package."""
    return run(tmp_path, "mypy", "--strict", "--config-file=", str(path), cwd=tmp_path).stdout


REVEALED = sorted(path.stem for path in TYPING.glob("*.py") if path.stem != "mistakes")


@pytest.mark.parametrize("name", REVEALED)
def test_revealed_types(tmp_path: Path, name: str) -> None:
    output = check(tmp_path, TYPING / f"{name}.py")
    assert ": error:" not in output, output
    found = re.findall(r':(\d+): note: Revealed type is "(.*)"', output)
    assert {int(line): PREFIX.sub("", kind) for line, kind in found} == expected(
        TYPING / f"{name}.py"
    )


def test_mistakes_are_found(tmp_path: Path) -> None:
    output = check(tmp_path, TYPING / "mistakes.py")
    found = re.findall(r":(\d+): error: .*  \[([\w-]+)\]", output)
    assert {int(line): code for line, code in found} == expected(TYPING / "mistakes.py"), output


def test_package_is_marked_as_typed() -> None:
    import quantmap

    directory = Path(quantmap.__file__).parent
    assert (directory / "py.typed").exists() and (directory / "_core.pyi").exists()
