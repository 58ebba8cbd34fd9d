"""Classes of models by release are read as text, and written as rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from extract_classes import cli

from extractors.tests.extract_support import write

ROW = '    {"id": "class-of-0-1", "until": "0.1", "types": ["OldForCausalLM"]},'
OTHER = '    {"id": "another", "types": []}'


def test_a_registry_names_classes_and_their_helpers(tmp_path: Path) -> None:
    table = """
        _MODELS = {
            "AForCausalLM": ("a", "AForCausalLM"),
            "BForConditionalGeneration": ("b", "B"),
            "AMTPForCausalLM": ("a", "Draft"),
            "Reward": ("a", "Reward"),
        }
        _WORDS = {"CForCausalLM": "none of them"}
    """
    at = write(tmp_path / "0.2", {"vllm/model_executor/models/registry.py": table})
    assert cli.classes_of("vllm", at) == {"AForCausalLM", "BForConditionalGeneration"}
    first = write(tmp_path / "0.1", {"vllm/model_executor/models/__init__.py": table})
    assert cli.classes_of("vllm", first) == cli.classes_of("vllm", at)
    assert cli.place_in("vllm", first).endswith("models/__init__.py")


def test_modules_offer_one_class_or_several(tmp_path: Path) -> None:
    at = write(
        tmp_path,
        {
            "sglang/srt/models/a.py": "class AForCausalLM: pass\nEntryClass = AForCausalLM\n",
            "sglang/srt/models/b.py": "EntryClass = [BForCausalLM, CForCausalLM]\n",
            "sglang/srt/models/d.py": "class DForCausalLM: pass\n",
        },
    )
    assert cli.classes_of("sglang", at) == {"AForCausalLM", "BForCausalLM", "CForCausalLM"}


def test_a_row_holds_what_a_release_is_the_first_to_know() -> None:
    known = {"0.10.0": {"A", "B", "C"}, "0.9.0": {"A"}, "0.9.1": {"A", "B"}, "0.9.2": {"B"}}
    rows = [json.loads(row) for row in cli.rows_of(known, {version: version for version in known})]
    assert [(row["until"], row["types"], row["evidence"]) for row in rows] == [
        ("0.9.1", ["B"], ["0.9.1"]),
        ("0.10.0", ["C"], ["0.10.0"]),
    ]


def test_rows_replace_those_that_were_there() -> None:
    document = "\n".join(["[", ROW, ROW, OTHER, "]"])
    assert cli.replaced(document, ['{"id": "class-of-0-2"}']).split("\n") == [
        "[",
        '    {"id": "class-of-0-2"},',
        OTHER,
        "]",
    ]
    with pytest.raises(ValueError, match="class-of-"):
        cli.replaced(OTHER, [])


def test_the_catalogue_has_the_rows_as_the_tool_writes_them() -> None:
    for engine in ("vllm", "sglang"):
        path = cli._CATALOG / "engines" / engine / "loaders.json"
        text = path.read_text(encoding="utf-8")
        rows = [row for row in json.loads(text)["loaders"] if row["id"].startswith("class-of-")]
        lines = [json.dumps(row, ensure_ascii=False) for row in rows]
        assert len(rows) > 40 and cli.replaced(text, lines) == text
