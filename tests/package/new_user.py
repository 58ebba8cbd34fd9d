#!/usr/bin/env python3
"""Play a new user: a clean clone, a fresh environment, and only what README and quick start say.

Usage: python tests/package/new_user.py

The commands are taken from the pages themselves, in their order, and run in one shell; what an
earlier command has done already, such as the installation, is not done again. What the
pages print below a command must be what comes out; a command without printed output must succeed.
The Python examples run in the environment that the pages made. Only what is committed is cloned.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))

from _blocks import ROOT, Block, blocks, commands, environment, on_terminal

PAGES = ("README.md", "docs/quickstart.md")
NOT_HERE = {"scripts/test": "it runs this program"}
MARK = "@@new-user"


def ordered(text: str) -> list[Block]:
    """The blocks of a page that a user types, in their order."""
    return sorted((*blocks(text, "sh"), *blocks(text, "console")), key=lambda block: block.line)


def steps(page: str) -> list[tuple[str, str | None]]:
    """Commands of a page with the output that they must have; None: whatever they print."""
    out: list[tuple[str, str | None]] = []
    for block in ordered((ROOT / page).read_text(encoding="utf-8")):
        if block.language == "console":
            out += commands(block)
        else:
            out += [(line, None) for line in block.text.splitlines() if line not in NOT_HERE]
    return [*out, (f"python -m doctest {page}", "")]


def session(lines: list[str], folder: Path) -> list[tuple[int, str]]:
    """Exit code and output of each line, all run in one shell."""
    script = "".join(f"{line}\nprintf '\\n{MARK} %d\\n' $?\n" for line in lines)
    active = str(Path(sys.prefix) / "bin")  # of the environment that runs this program
    path = [place for place in os.environ["PATH"].split(os.pathsep) if place != active]
    variables = {**environment(), "PATH": os.pathsep.join(path), "HOME": str(folder)}
    variables["CCACHE_BASEDIR"] = str(folder / "quantmap")  # where the caller compiles by a cache
    if cmake := shutil.which("cmake"):  # each version orders a compiler's words its own way
        variables["CMAKE_EXECUTABLE"] = cmake
    for name in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME"):
        variables.pop(name, None)
    printed = on_terminal(["bash", "-c", script], folder / "quantmap", variables)
    parts = f"\n{printed}".split(f"\n{MARK} ")
    found = []
    for number in range(1, len(parts)):
        code, _, _ = parts[number].partition("\n")
        output = parts[number - 1].partition("\n")[2]
        found.append((int(code), "".join(f"{line.rstrip()}\n" for line in output.splitlines())))
    return found


def main() -> int:
    """Run every step and name those that fail."""
    start = time.monotonic()
    todo: list[tuple[str, str, str | None]] = []
    for page in PAGES:
        for command, printed in steps(page):
            if not any(done.startswith(command) for _, done, _ in todo):  # installed is installed
                todo.append((page, command, printed))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "-q", ROOT, folder / "quantmap"], check=True)
        found = session([command for _, command, _ in todo], folder)
    failed = len(todo) - len(found)
    for (page, command, wanted), (code, output) in zip(todo, found):
        good = code == 0 if wanted is None else output.strip() == wanted.strip()
        print(f"{'ok' if good else 'FAILED'}  {page}: {command}")
        if not good:
            failed += 1
            print(f"--- exit code {code}, printed:\n{output}--- the page says:\n{wanted or ''}")
    print(f"{len(todo)} steps, {failed} failed, {time.monotonic() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
