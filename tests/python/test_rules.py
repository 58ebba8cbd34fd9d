"""Rules files: patterns as Python's `re` matches them, the format, and who wins."""

from __future__ import annotations

import json
import re
import time
import warnings
from pathlib import Path
from typing import Any

import pytest
import quantmap
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from quantmap import _core, rules, rules_format
from quantmap.rules import RulesFile, read_rules

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "sglang_jax_rules.yaml"
MOE = {"weight_dtype": None, "activation_dtype": None}


def data(*patterns: str, **more: Any) -> dict[str, Any]:
    """A file with a rule for each pattern."""
    found = [{"module_path": pattern, "weight_dtype": "int8"} for pattern in patterns]
    return {"quantization": {"linear": {"rules": found}, "moe": MOE, **more}}


def problems(source: Any) -> list[tuple[str, str]]:
    """Code and path of everything that is wrong."""
    with pytest.raises(quantmap.ConfigError) as caught:
        read_rules(source)
    for item in caught.value.diagnostics:
        assert item.severity == "error" and item.message and item.hint
        assert "{" not in item.message.replace("'{", "") or item.code == "bad-pattern"
    return [(item.code, item.path) for item in caught.value.diagnostics]


def notes(source: Any) -> list[tuple[str, str]]:
    """Code and path of every note."""
    found = read_rules(source).notes
    assert all(item.severity == "info" for item in found)
    return [(item.code, item.path) for item in found]


# Patterns


PIECES = ["a", "b", "1", "/", ".", r"\d", r"\w", r"\W", r"\s", "[ab]", "[^a]", "[a-c1]", r"\."]
ZERO = ["^", "$", r"\b", r"\B", r"\A", r"\Z", "(?:)"]
REPEATS = ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{0}", "*?", "+?", "??", "{1,2}?"]


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Patterns that hold these."""
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
        st.tuples(st.sampled_from("=!"), inner).map(lambda pair: f"(?{pair[0]}{pair[1]})"),
    )


PATTERNS = st.recursive(st.sampled_from(PIECES + ZERO), larger, max_leaves=6)
TEXTS = st.text("aab1/\n", max_size=7)
TOKENS = st.lists(
    st.sampled_from(
        [*PIECES, *ZERO, *REPEATS, *"()[]{}|,-?", "(?:", "(?=", "(?!", "(?P<n>", r"\07", r"\x61"]
    ),
    max_size=8,
).map("".join)


@given(PATTERNS, st.lists(TEXTS, max_size=6))
@settings(max_examples=1500, deadline=None)
def test_matches_as_python(pattern: str, texts: list[str]) -> None:
    ours, theirs = _core.read_pattern(pattern, "$"), re.compile(pattern)
    for text in texts:
        if text or r"\B" not in pattern:  # Python 3.14 changed \B in an empty text
            assert ours.matches(text) is bool(theirs.match(text)), (pattern, text)


@given(TOKENS)
@settings(max_examples=1500, deadline=None)
def test_refuses_as_python(pattern: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            theirs: re.Pattern[str] | None = re.compile(pattern)
        except (FutureWarning, DeprecationWarning):
            theirs = None
            assume(False)
        except re.error:
            theirs = None
    try:
        ours: _core.Pattern | None = _core.read_pattern(pattern, "$")
    except quantmap.ConfigError as error:
        ours = None
        if "not supported" in error.diagnostics[0].message:
            return
    assert (ours is None) is (theirs is None)


SHIPPED = [
    ".*",
    r"^(?!.*(moe_gate|layers\.\d+\.mlp|logits_processor)).*$",
    r"^(?!.*(moe_gate|router|mlp/(wi_0|wi_1|wo|w1_shared)(/|$))).*$",
    r"model/layers\[[02468]\]/.*",
    r".*/(?:q|k|v|o)_proj$",
]
PATHS = [
    "lm_head",
    "model/layers[0]/self_attn/q_proj",
    "model/layers[12]/mlp/up_proj",
    "model/layers[3]/mlp/wi_0",
    "model/layers[3]/mlp/wo/inner",
    "model/layers[3]/moe_gate",
]


@pytest.mark.parametrize("pattern", SHIPPED)
@pytest.mark.parametrize("path", PATHS)
def test_real_patterns(pattern: str, path: str) -> None:
    assert _core.read_pattern(pattern, "$").matches(path) is bool(re.match(pattern, path))


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}$", "((((a*)*)*)*)*$", "(?:(?=(a+)+$)a|aa)*$"],
)
def test_no_pattern_is_slow(pattern: str) -> None:
    start = time.perf_counter()
    assert not _core.read_pattern(pattern, "$").matches("a" * 999 + "b")
    assert time.perf_counter() - start < 2


def test_the_worst_file_answers_soon() -> None:
    pattern = "(?:(?:a?){50}/?){40}b$"
    size = _core.read_pattern(pattern, "$").size()
    count = rules_format.MAX_STATES // size
    file = read_rules(data(*[pattern] * count))
    path = "a" * 999 + "c"
    start = time.perf_counter()
    assert file.winner(path).outcome == "unquantized"
    assert time.perf_counter() - start < 10
    assert problems(data(*[pattern] * (count + 1))) == [
        ("over-limit", "$.quantization.linear.rules")
    ]


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("a(?<=b)", "look-behind is not supported at position 1"),
        (r"(a)\1", "back-references are not supported at position 3"),
        ("a(", "missing ), unterminated subpattern at position 1"),
        ("(?i)a", "inline flags are not supported at position 0"),
        ("a" * 1001, "longer than 1000 characters at position 1000"),
        ("(?:a{1000}){1000}", "more than 5000 states at position 3"),
    ],
)
def test_bad_pattern(pattern: str, words: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        read_rules(data(".*", pattern))
    (item,) = caught.value.diagnostics
    assert item.code == "bad-pattern" and words in item.message
    assert item.path == "$.quantization.linear.rules[1].module_path"


def test_pattern_of_another_type() -> None:
    assert [code for code, _ in problems(data(3))] == ["wrong-type"]  # type: ignore[arg-type]
    assert [code for code, _ in problems(data("\ud800"))] == ["invalid-unicode"]


# Who wins


def test_first_match_wins_at_the_start() -> None:
    file = read_rules(data("layers", ".*mlp", ".*/up_proj", "lm_head$"))
    assert file.winner("model/layers[0]/mlp/up_proj").rule is file.rules[1]
    assert file.winner("model/layers[0]/self_attn/up_proj").rule is file.rules[2]
    assert file.winner("layers/x").rule is file.rules[0]
    assert file.winner("lm_head").rule is file.rules[3]
    nothing = file.winner("model/norm")
    assert nothing.outcome == "unquantized" and nothing.rule is None


def test_ignored_before_rules() -> None:
    names = ["model.layers.0.mlp.up_proj", "lm_head", "layers.1.a.2.b"]
    file = read_rules(data(".*", ignored_layers=names))
    for path in ("model/layers[0]/mlp/up_proj", "lm_head", "x/lm_head", "m/layers[1]/a[2]/b"):
        found = file.winner(path)
        assert found.outcome == "ignored" and found.ignored_by in names and found.rule is None
        assert "ignored_layers" in found.sentence
    for path in ("my_lm_head", "lm_head/x", "model/layers[10]/mlp/up_proj"):
        assert file.winner(path).outcome == "rule"


def test_dotted_and_walked_paths_are_one() -> None:
    file = read_rules(data(r"model/layers\[\d+\]/mlp"))
    for path in ("model.layers.0.mlp.up", "model/layers[0]/mlp/up", "model.layers[0].mlp.up"):
        found = file.winner(path)
        assert found.module_path == "model/layers[0]/mlp/up" and found.outcome == "rule"


@pytest.mark.parametrize(
    "path",
    ["", "a b", "a/b.c", "/a", "a/", "a//b", "0.a", "layers[0]", "a[x]/b", "é", "a\n", "a" * 1001],
)
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        read_rules(data(".*")).winner(path)
    assert [item.code for item in caught.value.diagnostics] == ["bad-module-path"]
    assert caught.value.diagnostics[0].path == "module_path"
    for other in (None, 3, ["a"]):
        with pytest.raises(quantmap.ConfigError):
            read_rules(data(".*")).winner(other)  # type: ignore[arg-type]


def test_block_sizes() -> None:
    source = data("a", "b", "c", weight_block_size=[128, 64])
    found = source["quantization"]["linear"]["rules"]
    found[1]["weight_block_size"] = None
    found[2]["weight_block_size"] = [32, 32]
    file = read_rules(source)
    assert [rule.weight_block_size for rule in file.rules] == [[128, 64], None, [32, 32]]
    assert "in blocks of 128x64" in file.winner("a").sentence
    assert read_rules(file.to_yaml()).to_dict() == file.to_dict()


# The format


def test_example() -> None:
    file = read_rules(EXAMPLE)
    assert file.notes == [] and isinstance(file, RulesFile)
    assert read_rules(str(EXAMPLE)).to_dict() == file.to_dict()
    assert read_rules(EXAMPLE.read_bytes()).to_dict() == file.to_dict()
    assert read_rules(EXAMPLE.read_text(encoding="utf-8")).to_dict() == file.to_dict()
    assert read_rules(yaml.safe_load(EXAMPLE.read_bytes())).to_dict() == file.to_dict()
    assert read_rules(file.to_yaml()).to_dict() == file.to_dict()
    assert json.loads(json.dumps(file.to_dict()))["moe"]["weight_dtype"] == "int8"


def test_dense_and_aliases() -> None:
    rule = {"module_path": "a", "weight_qtype": "int8", "act_qtype": "float8_e5m2"}
    source = {"quantization": {"dense": {"rules": [rule]}, "moe": MOE}}
    file = read_rules(source)
    assert file.rules[0].weight_dtype == "int8"
    assert file.rules[0].activation_dtype == "float8_e5m2"
    assert [item.code for item in file.notes] == ["key-renamed"]
    assert "linear:" in file.to_yaml() and "dense" not in file.to_yaml()
    both = data("a", dense={"rules": []})
    assert notes(both) == [("key-not-read", "$.quantization.dense")]
    # A key that is there, even null, hides its alias.
    rule["weight_dtype"] = None  # type: ignore[assignment]
    assert problems(source) == [("missing-key", "$.quantization.dense.rules[0].weight_dtype")]


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ([], [("wrong-type", "$")]),
        (None, [("wrong-type", "$")]),
        ({}, [("missing-key", "$.quantization")]),
        ({"quantization": 3}, [("wrong-type", "$.quantization")]),
        (
            {"quantization": {"x": 1}},
            [("missing-key", "$.quantization.linear"), ("missing-key", "$.quantization.moe")],
        ),
        (
            {"quantization": {"linear": {"rules": []}, "moe": MOE}},
            [("missing-key", "$.quantization.linear.rules")],
        ),
        (
            {"quantization": {"linear": {"rules": {}}, "moe": []}},
            [
                ("wrong-type", "$.quantization.linear.rules"),
                ("wrong-type", "$.quantization.moe"),
            ],
        ),
        (data("a", weight_block_size=[1]), [("wrong-type", "$.quantization.weight_block_size")]),
        (data("a", weight_block_size=[1, 0]), [("wrong-type", "$.quantization.weight_block_size")]),
        (
            data("a", weight_block_size=[True, 1]),
            [("wrong-type", "$.quantization.weight_block_size")],
        ),
        (
            data("a", is_static_checkpoint="no", allow_narrow_n_blockwise=1),
            [
                ("wrong-type", "$.quantization.is_static_checkpoint"),
                ("wrong-type", "$.quantization.allow_narrow_n_blockwise"),
            ],
        ),
        (data("a", ignored_layers="x"), [("wrong-type", "$.quantization.ignored_layers")]),
        (data("a", ignored_layers=[1]), [("wrong-type", "$.quantization.ignored_layers[0]")]),
        (
            data("a", ignored_layers=["x"] * 10_001),
            [("over-limit", "$.quantization.ignored_layers")],
        ),
        (
            data("a", ignored_layers=["x" * 1001]),
            [("over-limit", "$.quantization.ignored_layers[0]")],
        ),
        (data(*["a"] * 1001), [("over-limit", "$.quantization.linear.rules")]),
        (
            data("a", moe={"weight_dtype": "fp8", "activation_dtype": 8}),
            [
                ("unknown-value", "$.quantization.moe.weight_dtype"),
                ("wrong-type", "$.quantization.moe.activation_dtype"),
            ],
        ),
        (
            {"quantization": {"linear": {"rules": [3, {}]}, "moe": MOE}},
            [
                ("wrong-type", "$.quantization.linear.rules[0]"),
                ("missing-key", "$.quantization.linear.rules[1].module_path"),
                ("missing-key", "$.quantization.linear.rules[1].weight_dtype"),
            ],
        ),
    ],
)
def test_problems(source: Any, found: list[tuple[str, str]]) -> None:
    assert problems(source) == found


def test_notes() -> None:
    assert notes(data("a", scale_policy="x", ignored_layer=[])) == [
        ("key-not-read", "$.quantization"),
        ("key-not-read", "$.quantization"),
    ]
    place = "$.quantization.linear.rules[{}].module_path"
    assert notes(data(r"layers\.\d+", ".*", "model")) == [
        ("matches-nothing", place.format(0)),
        ("rule-never-wins", place.format(2)),
    ]
    assert notes(data(SHIPPED[1])) == [("part-matches-nothing", place.format(0))]
    assert notes(data("a", ignored_layers=["layers.0", "lm_head"])) == [
        ("matches-nothing", "$.quantization.ignored_layers[0]")
    ]
    assert notes(data(*SHIPPED[2:], ".*")) == []


# The command


def run(*arguments: str, given: bytes | None = None) -> Any:
    """What the command prints and returns."""
    from click.testing import CliRunner
    from quantmap.cli.rules import rules_command

    return CliRunner().invoke(
        rules_command, list(arguments), input=given, standalone_mode=False, catch_exceptions=True
    )


def test_command() -> None:
    shown = run(str(EXAMPLE), "--module", "lm_head", "--module", "model.layers.0.mlp.down_proj")
    assert shown.exit_code == 0, shown.exception
    assert "lm_head: unquantized: no rule matches" in shown.output
    assert "model/layers[0]/mlp/down_proj: ignored" in shown.output
    piped = run("-", "--json", "--module", "a.b", given=EXAMPLE.read_bytes())
    found = json.loads(piped.output)
    assert found["modules"][0]["rule"]["index"] == 1 and len(found["rules"]) == 2
    assert isinstance(run("-", given=b"a: [").exception, quantmap.ConfigError)


def test_command_is_registered() -> None:
    from quantmap.cli.app import VERBS

    assert "rules" in VERBS


def test_every_public_name_is_exported() -> None:
    assert set(rules.__all__) <= set(quantmap.__all__)
