"""Versions in order, flags as intervals, and what changed in words."""

from __future__ import annotations

import json

import pytest
from extract_surface import build, compare, merge, output, versions
from extract_surface.readers import Engine, Surface


def test_versions_order_as_pep440_does():
    names = [
        "1.0",
        "1.0.dev1",
        "1.0a1",
        "1.0rc2",
        "1.0rc10",
        "1.0.post1",
        "1.0.post1.dev2",
        "0.9.10",
        "0.9.9",
    ]
    expected = [
        "0.9.9",
        "0.9.10",
        "1.0.dev1",
        "1.0a1",
        "1.0rc2",
        "1.0rc10",
        "1.0",
        "1.0.post1.dev2",
        "1.0.post1",
    ]
    assert sorted(names, key=versions.sort_key) == expected
    assert versions.sort_key("1.0") == versions.sort_key("1.0.0") == versions.sort_key("v1.0+cu130")
    assert [versions.kind(v) for v in ("1.0", "1.0.post1", "1.0rc1", "1.0.dev3", "nonsense")] == [
        "final",
        "post",
        "pre",
        "dev",
        None,
    ]
    with pytest.raises(ValueError, match="not a version"):
        versions.sort_key("latest")


def test_intervals_keep_gaps_and_ends():
    pairs = [("1", "a"), ("2", "a"), ("3", None), ("4", "a"), ("5", "b")]
    assert merge.intervals(pairs) == [("1", "3", "a"), ("4", "5", "a"), ("5", None, "b")]


def test_a_flag_keeps_one_name_when_its_first_spelling_changes():
    old = {"--tensor-size": {"aliases": ["--tp"], "type": "int"}}
    new = {"--tp": {"aliases": ["--tensor-size"], "type": "int"}}
    table = merge.merge_flags([("1", old), ("2", new)])
    assert table == {"--tp": [{"since": "1", "aliases": ["--tensor-size"], "type": "int"}]}
    split = {"--tp": {"type": "int"}, "--tensor-size": {"type": "int"}}
    assert sorted(merge.merge_flags([("1", old), ("2", split)])) == ["--tensor-size", "--tp"]


def make_document() -> dict:
    """Return a made-up document of three releases."""
    engine = Engine("toy", "toy", "toy", "1.0", ("final",), lambda folder: Surface({}))
    rows = [
        {"version": v, "date": "2026-01-01", "artifact": f"toy-{v}.tar.gz", "sha256": "0"}
        for v in "123"
    ]
    a = {"type": "choice", "default": "x", "choices": ["x", "y"], "checked": "parser"}
    b = {"type": "choice", "default": "z", "choices": ["x", "z"], "checked": "parser"}
    parts = {
        "1": Surface({"--a": a}, ["E"]),
        "2": Surface({"--a": b}, ["E"]),
        "3": Surface({"--b": {"type": "int", "aliases": ["--a"]}}, []),
    }
    return build.document(engine, rows, parts)


def test_document_round_trip_is_stable(tmp_path):
    document = make_document()
    output.save(tmp_path, "toy", document)
    text = output.path_of(tmp_path, "toy").read_text()
    again = output.load(tmp_path, "toy")
    assert again == json.loads(text) == document
    parts = build.unmerge(again)
    engine = Engine("toy", "toy", "toy", "1.0", ("final",), lambda folder: Surface({}))
    assert output.render(build.document(engine, again["releases"], parts)) == text
    assert document["env"] == {"E": [{"since": "1", "until": "3"}]}


def test_difference_in_words():
    document = make_document()
    first, second, third = (merge.flags_at(document, v) for v in "123")
    assert compare.compare(first, second) == ['~ --a: choices +{z} -{y}; default "x" -> "z"']
    assert compare.compare(second, third) == ["+ --b", "- --a (now a spelling of --b)"]
    assert compare.compare(first, first) == []
