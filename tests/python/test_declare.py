"""What is parsed without click is what click makes of it, and the rest is for click."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

click = pytest.importorskip("click")

from quantmap.cli.app import VERBS, load  # noqa: E402
from quantmap.cli.declare import Verb  # noqa: E402

DECLARED = {verb: made for verb in VERBS if isinstance(made := load(verb), Verb)}
MEASURED = ("map", "explain", "check")


def by_click(verb: Verb, words: list[str]) -> dict[str, object] | None:
    """The values that click finds; None where it refuses or has something else to do."""
    try:
        return dict(verb.command().make_context(verb.name, list(words)).params)
    except (click.ClickException, click.exceptions.Exit):
        return None


def words_of(verb: Verb) -> st.SearchStrategy[list[str]]:
    names = [name for parameter in verb.parameters for name in parameter.spellings()]
    word = st.sampled_from(
        [*names, *(f"{name}=x" for name in names), "a.json", "-", "--", "", "x=y", "strict", "-h"]
    )
    return st.lists(word, max_size=6)


@pytest.mark.parametrize("name", MEASURED)
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_what_is_parsed_without_click_is_what_click_parses(name: str, data: st.DataObject) -> None:
    verb = DECLARED[name]
    words = data.draw(words_of(verb))
    found = verb.parse(words)
    assert found is None or found == by_click(verb, words)


@pytest.mark.parametrize(
    "words",
    [
        ["map", "task.json"],
        [
            "map",
            "--runtime",
            "e",
            "--set",
            "a=b",
            "--set=c=d",
            "--param",
            "p",
            "--policy",
            "strict",
        ],
        ["explain", "-", "--no-activations", "--evidence", "--shell", "-"],
        ["check", "--json", "line of words", "--gpu", "9.0"],
    ],
)
def test_plain_lines_need_no_click(words: list[str]) -> None:
    verb = DECLARED[words[0]]
    found = verb.parse(words[1:])
    assert found is not None
    assert found == by_click(verb, words[1:])


@pytest.mark.parametrize(
    "words",
    [
        ["map", "--help"],
        ["map", "--run", "e"],
        ["map", "one", "two"],
        ["map", "--runtime"],
        ["map", "--policy", "loose"],
        ["map", "--json=yes"],
        ["map", "--", "-x"],
        ["check", "-q"],
        ["plan"],
    ],
)
def test_the_rest_is_for_click(words: list[str]) -> None:
    assert DECLARED[words[0]].parse(words[1:]) is None


@pytest.mark.parametrize("verb", MEASURED)
def test_a_plain_call_imports_no_parser(verb: str) -> None:
    line = (
        ["check", "vllm serve m"]
        if verb == "check"
        else [verb, "--runtime", "vllm", "--set", "gemm_dtype=auto"]
    )
    script = (
        "import sys; from quantmap.cli import main; main();"
        "print([name for name in ('click', 'argparse', 'rich', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *line], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]", done.stderr


def test_a_verb_tells_its_usage_whoever_parsed_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantmap.cli.app import run

    monkeypatch.setattr(sys, "argv", ["quantmap", "map"])
    assert run() == 2
    plain = capsys.readouterr().err
    monkeypatch.setattr(sys, "argv", ["quantmap", "map", "--"])
    assert run() == 2
    assert plain == capsys.readouterr().err
    assert plain.startswith("Usage: quantmap map [OPTIONS] [TASK.json | -]\n")
    assert "nothing to map" in plain


def test_shared_options_serve_a_verb_of_click_too() -> None:
    from quantmap.cli.inputs import model_options

    @click.command()
    @model_options
    @click.option("--other")
    def verb(**options: object) -> None:
        """A verb."""

    options = dict(verb.make_context("verb", ["--checkpoint", "m"]).params)
    assert options == {"checkpoint": "m", "model_quantization": None, "other": None}
