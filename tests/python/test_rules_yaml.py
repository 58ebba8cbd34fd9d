"""Rules files as text: YAML that is hostile, odd, or not there."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st
from quantmap import yaml_reader
from quantmap.rules import read_rules

from tests.python.test_rules import data, problems

yaml = pytest.importorskip("yaml")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: [\n", "invalid-yaml"),
        ("a: 1\na: 2\n", "invalid-yaml"),
        ("a: {b: 1, b: 2}\n", "invalid-yaml"),
        ("a: *b\n", "invalid-yaml"),
        ("a: &a [*a]\n", "invalid-yaml"),
        ("a: &a {b: *a}\n", "invalid-yaml"),
        ("[a]: 1\n", "invalid-yaml"),
        ("a: 1\n---\nb: 2\n", "invalid-yaml"),
        ("a: !!python/object:os.system x\n", "invalid-yaml"),
        ("a: !!python/tuple [x]\n", "invalid-yaml"),
        ("a: !!int x\n", "invalid-yaml"),
        ("a: !!bool x\n", "invalid-yaml"),
        ("a: !!timestamp x\n", "invalid-yaml"),
        ("a: !!int ''\n", "invalid-yaml"),
        ("a: 2001-99-99\n", "invalid-yaml"),
        ("a: \x01\n", "invalid-yaml"),
        ("<<: 3\n", "invalid-yaml"),
        ("\t- a\n", "invalid-yaml"),
        ("[" * 100_000 + "\n", "too-deep"),
        ("- " * 100_000 + "\n", "too-deep"),
        ("{a: " * 100_000 + "\n", "too-deep"),
        ("- a\n" * 30_000, "over-limit"),
        ("#\n" * 600_000, "over-limit"),
        ("a: '" + "x" * 900_000 + "'\n", "missing-key"),
        ("a: " + "1" * 900_000 + "\n", "missing-key"),
        ("a: !!int " + "1" * 900_000 + "\n", "invalid-yaml"),
        ("a: " + "1:" * 400_000 + "1\n", "missing-key"),
        ("\n", "wrong-type"),
        ("just text\n", "wrong-type"),
    ],
    ids=lambda value: value[:12],
)
def test_hostile_yaml(text: str, code: str) -> None:
    start = time.perf_counter()
    assert code in [found for found, _ in problems(text)]
    assert time.perf_counter() - start < 10


def test_alias_bombs_do_not_grow() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    lines += ["quantization: {linear: {rules: *a29}, moe: *a29, ignored_layers: *a29}"]
    start = time.perf_counter()
    assert ("wrong-type", "$.quantization.moe") in problems("\n".join(lines))
    merges = ["a0: &a0 {" + ", ".join(f"k{i}: 1" for i in range(50)) + "}"]
    merges += [f"a{i}: &a{i} {{<<: [{', '.join([f'*a{i - 1}'] * 9)}]}}" for i in range(1, 100)]
    assert problems("\n".join(merges)) == [("over-limit", "$")]
    assert time.perf_counter() - start < 5


def test_position_of_a_yaml_problem() -> None:
    for text in ("a: 1\nb: {c: 2,\n  c: 3}\n", "a: 1\nb: ]\n"):
        with pytest.raises(quantmap.ConfigError) as caught:
            read_rules(text)
        (item,) = caught.value.diagnostics
        line = "line 3, column 3" if "c" in text else "line 2, column 4"
        assert line in item.message


YAML_TEXTS = st.text("ab:-[]{}&*!<>'\"|#,?1 \n\t%@", max_size=40)


@given(YAML_TEXTS)
@settings(max_examples=800, deadline=None)
def test_reads_as_safe_load_or_refuses(text: str) -> None:
    try:
        ours = yaml_reader.read_yaml(text)
    except quantmap.ConfigError:
        return
    try:
        theirs = yaml.safe_load(text)
    except yaml.constructor.ConstructorError:  # a lone << is no text to it
        return
    assert repr(theirs) == repr(ours)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1}\nc: {<<: *x, d: 2}\n",
        "a: &x {b: 1}\nc: {<<: [*x, {b: 3, e: 4}], b: 5}\n",
        "a: [1, 1.5, true, null, ~, 0x1f, 2001-01-01, '1', \"x\", .inf]\n",
        "a: |\n  text\n  more\nb: >\n  folded\n  text\n",
        "a: !!str 1\nb: !!int '2'\nc: ! x\nd: !!map {}\ne: !!seq []\n",
        "2: a\ntrue: b\n? c\n: d\n",
    ],
)
def test_reads_as_safe_load(text: str) -> None:
    assert yaml_reader.read_yaml(text) == yaml.safe_load(text)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    assert problems(b"\xff\xfe\n") == [("invalid-unicode", "$")]
    assert problems(tmp_path / "missing.yaml") == [("unreadable-file", "$")]
    assert problems(str(tmp_path)) == [("unreadable-file", "$")]
    assert problems("a\0b") == [("unreadable-file", "$")]
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * 1_000_001)
    assert problems(large) == [("over-limit", "$")]


def test_without_pyyaml(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(quantmap.ConfigError, match=r"pip install 'quantmap\[cli\]'") as caught:
        read_rules("a: 1\n")
    assert caught.value.diagnostics[0].code == "missing-package"
    assert read_rules(data("a")).rules, "data needs no YAML reader"
