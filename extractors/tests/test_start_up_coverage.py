"""The number that says how much of start-up the catalogue knows."""

from __future__ import annotations

from pathlib import Path

import pytest
from start_up_coverage import __main__ as command
from start_up_coverage.judge import Judge, share
from start_up_coverage.statements import statements

SOURCE = """
class Config:
    def check(self, dtype):
        if dtype == "fp8":
            raise ValueError("fp8 needs more")
        elif dtype == "int4":
            raise ValueError("no int4")
        assert isinstance(dtype, str)

    def forward(self, x):
        assert x.dtype == "fp8", "a quantized input"

    async def other(self):
        raise NotImplementedError


def alone(color):
    raise ValueError("an unknown color")
"""
SCOPES = {
    "topics": "fp8|int4|dtype",
    "roots": "^one/",
    "out": [
        {"owner": "forward$", "reason": "runs"},
        {"kind": "assert", "text": "^isinstance", "reason": "an invariant"},
    ],
    "predicates": [{"text": "int4", "table": "a table"}],
}
RULES = [{"id": "known", "evidence": ["one-1.0.tar.gz one/config.py, Config.verify"]}]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("one/config.py", "two/config.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(SOURCE, encoding="utf-8")
    (tmp_path / "one" / "broken.py").write_text("def (", encoding="utf-8")
    return tmp_path


def test_statements_say_where_they_stand_and_when(tree: Path) -> None:
    found = list(statements(tree, lambda name: name.startswith("one/")))
    assert [(item.line, item.owner, item.kind) for item in found] == [
        (5, "Config.check", "raise"),
        (7, "Config.check", "raise"),
        (8, "Config.check", "assert"),
        (11, "Config.forward", "assert"),
        (14, "Config.other", "raise"),
        (18, "alone", "raise"),
    ]
    assert found[0].text == "ValueError('fp8 needs more') if dtype == 'fp8'"
    assert found[1].text.endswith("if not (dtype == 'fp8') and dtype == 'int4'")


def judged(tree: Path, rules: list[dict[str, object]]) -> list[tuple[int, str, str]]:
    judge = Judge(SCOPES, {"rules": rules})
    found = [item for item in statements(tree, judge.roots.search) if judge.is_about(item)]
    return [(j.statement.line, j.state, j.by) for j in map(judge.judge, found)]


def test_each_is_covered_out_of_scope_or_open(tree: Path) -> None:
    assert judged(tree, RULES) == [
        (5, "open", ""),
        (7, "covered", "a table"),
        (8, "out-of-scope", "an invariant"),
        (11, "out-of-scope", "runs"),
    ]


def test_evidence_that_names_the_place_covers_it(tree: Path) -> None:
    rules: list[dict[str, object]] = [
        {"id": "known", "evidence": ["one-1.0.tar.gz one/config.py, Config.check"]}
    ]
    assert judged(tree, rules)[0] == (5, "covered", "rules: known")


def test_share_leaves_out_what_is_out_of_scope(tree: Path) -> None:
    judge = Judge(SCOPES, {"rules": RULES})
    found = [item for item in statements(tree, judge.roots.search) if judge.is_about(item)]
    assert share([judge.judge(item) for item in found]) == (1, 2)


def test_command(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = {"rules": RULES}
    monkeypatch.setattr(command, "tables_of", lambda folder: tables)
    (tree / "vllm" / "config").mkdir(parents=True)
    (tree / "vllm" / "config" / "model.py").write_text(SOURCE, encoding="utf-8")
    assert command.main(["vllm", str(tree), "--open"]) == 0
    told = capsys.readouterr().out
    assert "in scope, 0 covered" in told
    assert "vllm/config/model.py:5 Config.check [raise] ValueError('fp8 needs more')" in told
    with pytest.raises(SystemExit):
        command.main(["vllm", str(tree / "none")])
