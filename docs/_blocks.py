"""Fenced blocks of a Markdown page: Python that runs, and commands with their output."""

from __future__ import annotations

import contextlib
import io
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROMPT = "$ "
COMMAND = "quantmap"
COLUMNS = 80  # of the terminal on which samples are printed


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
    plain = {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": str(COLUMNS)}
    return {**kept, **plain, "PYTHONIOENCODING": "utf-8", "PYTHONUNBUFFERED": "1"}


def run(command: str) -> str:
    """What a quantmap command prints on a terminal, in the root of the repository."""
    words = shlex.split(command)
    if words[0] != COMMAND:
        raise ValueError(f"only {COMMAND} commands are run, not {command!r}")
    return on_terminal([sys.executable, "-m", COMMAND, *words[1:]], ROOT, environment())


def on_terminal(words: list[str], folder: Path, variables: dict[str, str]) -> str:
    """What a program prints on a terminal, errors with it."""
    here, there = pty.openpty()
    running = subprocess.Popen(
        words,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=there,
        stderr=there,
    )
    os.close(there)
    with os.fdopen(here, "rb", buffering=0) as terminal:
        text = b"".join(_pieces(terminal)).decode("utf-8", "replace")
    running.wait(timeout=60)
    return "".join(line.rstrip() + "\n" for line in text.splitlines())


def _pieces(terminal: io.RawIOBase) -> Iterator[bytes]:
    """What comes until the other end is closed, which Linux reports as an error."""
    with contextlib.suppress(OSError):
        while piece := terminal.read(65536):
            yield piece


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
