"""Fenced blocks of a Markdown page: Python that runs, and commands with their output."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "$ "
COMMAND = "quantmap"


@dataclass
class Block:
    """A fenced block; `line` is the number of its first inner line, from 1."""

    language: str
    line: int
    text: str


def pages() -> list[Path]:
    """The README and every page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str, language: str) -> list[Block]:
    """The fenced blocks of one language."""
    out: list[Block] = []
    fence: str | None = None
    inner: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.startswith("```"):
            inner.append(line)
        elif fence is None:
            fence, inner, start = line[3:].strip(), [], number + 1
        else:
            if fence == language:
                out.append(Block(fence, start, "\n".join(inner) + "\n"))
            fence = None
    return out


def commands(block: Block) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output printed below it."""
    out: list[tuple[str, str]] = []
    for line in block.text.splitlines():
        if line.startswith(PROMPT):
            out.append((line[len(PROMPT) :], ""))
        elif out:
            command, printed = out[-1]
            out[-1] = (command, printed + line + "\n")
    return out


def environment() -> dict[str, str]:
    """Variables under which output is the same everywhere."""
    dropped = ("_COLOR", "QUANTMAP_ENGINE_VERSIONS")
    kept = {name: value for name, value in os.environ.items() if not name.endswith(dropped)}
    return {**kept, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def run(command: str) -> str:
    """What a quantmap command prints, stdout and stderr together, in the root of the repository."""
    words = shlex.split(command)
    if words[0] != COMMAND:
        raise ValueError(f"only {COMMAND} commands are run, not {command!r}")
    done = subprocess.run(
        [sys.executable, "-m", COMMAND, *words[1:]],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines())


def refresh(text: str) -> str:
    """A page with the output of every quantmap command as it is now."""
    lines = text.splitlines(keepends=True)
    for block in reversed(blocks(text, "console")):
        shown = ""
        for command, printed in commands(block):
            runs = command.split()[:1] == [COMMAND]
            shown += f"{PROMPT}{command}\n" + (run(command) if runs else printed)
            shown = shown.rstrip("\n") + "\n\n"
        count = len(block.text.splitlines())
        lines[block.line - 1 : block.line - 1 + count] = [shown.rstrip("\n") + "\n"]
    return "".join(lines)
