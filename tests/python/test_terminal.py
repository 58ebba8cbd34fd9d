"""Every verb on a terminal of 80 and of 60 columns: folded at words, never inside a flag."""

from __future__ import annotations

import io
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

click = pytest.importorskip("click")

from quantmap.cli import app  # noqa: E402
from quantmap.cli.style import folded_command, wrap  # noqa: E402

from tests.python.test_command import desk, needs, verbs  # noqa: E402

__all__ = ["desk"]  # a fixture

WIDE, WIDTHS = 400, (80, 60)
VERBS = [pytest.param(name, marks=needs(name)) for name in app.VERBS]


class Terminal(io.TextIOWrapper):
    """A stream that is a terminal, as far as a program can tell."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", write_through=True)

    def isatty(self) -> bool:
        return True

    def text(self) -> str:
        data: bytes = self.buffer.getvalue()  # type: ignore[attr-defined]
        return re.sub(r"\x1b\[[?\d;]*[a-zA-Z]", "", data.decode())


def shown(words: list[str], columns: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command writes on a terminal."""
    streams = [Terminal(), Terminal()]
    with monkeypatch.context() as patch:
        patch.setattr("quantmap.cli.style._WIDEST", WIDE)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("NO_COLOR", "1")
        patch.setattr(sys, "argv", ["quantmap", *words])
        patch.setattr(sys, "stdin", io.StringIO(""))
        patch.setattr(sys, "stdout", streams[0])
        patch.setattr(sys, "stderr", streams[1])
        app.run()
    return "".join(stream.text() for stream in streams)


def plain_words(text: str) -> set[str]:
    """The words of a text, whatever it was folded with; a bar that was drawn over is none of it."""
    kept = " ".join(line.rpartition("\r")[2] for line in text.split("\n"))
    kept = re.sub(r"\[[#-]+\]  +\d+%(  [\d:]+)?", "", kept)
    return {word.rstrip(":") for word in kept.split() if word != "\\"}


def check(narrow: str, wide: str, columns: int) -> None:
    """No line is too long, unless one word nearly fills it; no word is new."""
    for line in narrow.splitlines():
        longest = max(map(len, line.split()), default=0)
        assert len(line) <= columns or longest > columns - 20, line
    assert plain_words(narrow) - plain_words(wide) == set()


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", app.VERBS)
def test_help_is_folded_at_words(name: str, columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quantmap.cli.help.WIDEST", WIDE)
    wide = shown([name, "--help"], WIDE, monkeypatch)
    narrow = shown([name, "--help"], columns, monkeypatch)
    assert max(map(len, narrow.splitlines())) <= columns
    check(narrow, wide, columns)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize("name", VERBS)
def test_output_is_folded_at_words(
    name: str, columns: int, desk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epilog = verbs()[name].epilog or ""
    for line in re.findall(r"^  quantmap (.*)$", epilog.replace("\\\n    ", ""), re.MULTILINE):
        words = shlex.split(line)
        if {"--json", "--jsonl", "--argv", "|", ">", "completion", "--ui", "schema"} & set(words):
            continue  # for programs
        if (name == "plan" and "--shell" in words) or "--log" in words:
            continue  # a line for each experiment; lines for a file of cases
        texts = []
        for width in (WIDE, columns):  # each on a desk of its own: what is written stays there
            place = tmp_path / str(width)
            shutil.copytree(desk, place)
            monkeypatch.chdir(place)
            texts.append(shown(words, width, monkeypatch))
            shutil.rmtree(place)
        check(texts[1], texts[0], columns)


@pytest.mark.parametrize("columns", WIDTHS)
@pytest.mark.parametrize(
    "line",
    [
        "",
        "--help",
        "map --runtime vllm --set gemm_dtyp=fp8",
        "map --no-such-option",
        "fit config.json --gpu H100 --tp 1 --why",
        "fit config.json --gpu L4 --tp 2 --preset default --preset dynamic-fp8",
        "fit config.json",
        "matrix --engine vllm@0.33.0 --gpu A100 --kernels",
        "inspect my-model --evidence",
        "explain --runtime vllm@0.11.0 --set kvcache_dtype=int4 --param nonsense=1 --evidence",
        "plan task.json --gpu H100 --checkpoint my-model",
        "check launch.sh --all",
    ],
)
def test_other_output_is_folded_as_well(
    line: str, columns: int, desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(desk)
    monkeypatch.setattr("quantmap.cli.help.WIDEST", WIDE)
    wide = shown(shlex.split(line), WIDE, monkeypatch)
    check(shown(shlex.split(line), columns, monkeypatch), wide, columns)


def test_a_folded_command_is_the_same_command() -> None:
    line = "A=1 vllm serve 'my model' --json '{\"a b\": 1}' " + "--kv-cache-dtype fp8_e4m3 " * 9
    folded = folded_command(line.strip(), "  ", 60)
    assert all(len(part) <= 60 for part in folded.splitlines())
    assert "--kv-cache-dtype fp8_e4m3" in folded and len(folded.splitlines()) > 4
    assert shlex.split(folded.replace("\\\n", " ")) == shlex.split(line)


def test_a_word_is_never_broken() -> None:
    text = wrap("a " + "x" * 300 + " b")
    assert "x" * 300 in text.splitlines()
