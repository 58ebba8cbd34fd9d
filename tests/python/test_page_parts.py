"""The page without its compiled core: put together whole, it parses and has no way in or out."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from quantmap import _core

from tests.python import tsc

PARTS = sorted((tsc.ROOT / "python" / "quantmap" / "page").glob("*.js"))
# What makes markup or code of text, or reaches out of the page.
FORBIDDEN = [
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "eval",
    "Function(",
    "fetch(",
    "XMLHttpRequest",
    "WebSocket",
    "EventSource",
    "sendBeacon",
    "localStorage",
    "sessionStorage",
    "import(",
    "window.open",
]


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """`scripts/page` as a module."""
    path = str(tsc.ROOT / "scripts" / "page")
    loader = importlib.machinery.SourceFileLoader("page_script", path)
    spec = importlib.util.spec_from_loader("page_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def test_every_part_is_in_its_place(script: ModuleType) -> None:
    text = script.assemble(b"module")
    assert not re.search(r"/\*[A-Z]+\*/", text)
    assert "<dt>dry run</dt>" in text and "](" not in script.words()
    assert text.count('id="given"></script>') == 1
    assert text.count('<meta name="quantmap-docs" content="">') == 1
    assert "default-src 'none'" in text and "connect-src" not in text
    for path in PARTS:
        assert path.read_text(encoding="utf-8") in text


def test_the_program_parses(script: ModuleType, tmp_path: Path) -> None:
    program = script.assemble(b"").partition('"use strict";')[2].partition("</script>")[0]
    (tmp_path / "page.js").write_text(program, encoding="utf-8")
    done = tsc.run([tsc.node(), "--check", "page.js"], tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", PARTS, ids=lambda path: path.name)
def test_text_never_becomes_markup_and_nothing_is_sent(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [word for word in FORBIDDEN if word in text] == []
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


def test_an_installation_without_the_page_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testing = pytest.importorskip("click.testing")
    from quantmap.cli import page

    monkeypatch.setattr(page, "BUILT", str(tmp_path / "quantmap.html"))
    done = testing.CliRunner().invoke(page.page_command, ["--out", str(tmp_path / "q.html")])
    assert done.exit_code and not (tmp_path / "q.html").exists()
    said = " ".join(done.output.split())
    assert "built without the page" in said
    assert "pip install ziglang nlohmann-json && scripts/page && pip install ." in said


def test_results_are_put_into_a_page_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    testing = pytest.importorskip("click.testing")
    from quantmap.cli import page

    built = tmp_path / "quantmap.html"
    built.write_text('<script id="given"></script>')
    monkeypatch.setattr(page, "BUILT", str(built))
    task = {"task_name": "</script>", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
    (tmp_path / "task.json").write_text(json.dumps({"base_runtime": "vllm", **task}))
    words = ("--plan", str(tmp_path / "task.json"), "--engine", "vllm@0.12.0", "--gpu", "H200")
    done = testing.CliRunner().invoke(page.page_command, [*words, "--out", "-"])
    assert done.exit_code == 0, done.output
    data = done.output.partition('id="given">')[2].partition("</script>")[0]
    assert [row["version"] for row in json.loads(data)["rows"]] == ["0.12.0"] * 2


def test_every_outcome_and_verdict_has_a_kind() -> None:
    text = (PARTS[0].parent / "dom.js").read_text(encoding="utf-8")
    kinds = text[text.index("const KINDS") : text.index("const kindOf")]
    named = set(re.findall(r'"?([a-z-]+)"?: "', kinds))
    words = _core.vocabulary()
    assert {*words["outcomes"], *words["verdicts"]} - named == set()


def test_every_part_that_a_rule_of_precision_is_about_has_a_name() -> None:
    schema = json.loads((tsc.ROOT / "cpp/catalog/schema/checked.schema.json").read_text())
    assert list(_core.precision_parts) != [] and all(_core.precision_parts.values())
    assert set(schema["$defs"]["precision"]["properties"]["of"]["enum"]) == {*_core.precision_parts}
