"""Rows of models.json are made of published files by a tool, and held against them."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from fold_models import __main__ as tool
from fold_models import fold

ROOT = Path(__file__).resolve().parents[2]

GATES = [f"model.layers.{i}.mlp.gate" for i in range(1, 9)]


def test_modules_of_many_layers_are_one_pattern() -> None:
    names = ["lm_head", *GATES, "model.layers.0.self_attn", "model.layers.8.experts.3.up"]
    assert fold.folded(names) == [
        "lm_head",
        "model.layers.0.self_attn",  # of one layer: it stays
        "model.layers.8.experts.3.up",  # an expert's number is no layer's
        "model.layers.*.mlp.gate",
    ]


def test_a_row_keeps_what_decides() -> None:
    config = {"model_type": "m", "bos_token_id": 1, "text_config": {"hidden_size": 8, "note": ""},
              "vision_config": {"depth": 2, "note": ""}}  # fmt: skip
    beside = {"quantization": {"quant_algo": "NVFP4", "exclude_modules": GATES}}
    assert fold.row(fold.with_section(config, beside)) == {
        "model_type": "m",
        "text_config": {"hidden_size": 8},
        "vision_config": {"depth": 2},
        "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4",
                                "exclude_modules": ["model.layers.*.mlp.gate"]},
    }  # fmt: skip
    own = {**config, "quantization_config": {"quant_method": "fp8"}}
    assert fold.with_section(own, beside) == own


def test_rows_are_held_against_a_wheel(tmp_path: Path, monkeypatch, capsys) -> None:
    """A row that the file does not give, and a row without a file, are told."""
    files = {"a--one": {"model_type": "m", "vocab_size": 9}, "a--two": {"model_type": "n"}}
    wheel = tmp_path / "some.whl"
    with zipfile.ZipFile(wheel, "w") as out:
        for name, config in files.items():
            out.writestr(f"pkg/model_configs/{name}_config.json", json.dumps(config))
    rows = [{"id": "a/one", "read_in": "here", "config": {"model_type": "m", "vocab_size": 8}},
            {"id": "a/two", "read_in": "here", "config": {"model_type": "n"}},
            {"id": "a/three", "read_in": "here", "config": {}},
            {"id": "a/four", "read_in": "elsewhere", "config": {}}]  # fmt: skip
    catalog = tmp_path / "models.json"
    catalog.write_text(json.dumps({"models": rows}))
    monkeypatch.setattr(tool, "_CATALOG", catalog)
    monkeypatch.setattr(tool, "_facts", lambda config: config["model_type"])
    assert tool.check(tool.read(wheel), "here") == 2
    said = capsys.readouterr().out
    assert "a/one: vocab_size" in said and "a/three: no file" in said
    assert said.endswith("1 rows hold, 1 differ, 1 have no file\n")


def test_every_row_of_that_source_is_such_a_row() -> None:
    """What the tool keeps is what stands in the catalogue: nothing was added by hand."""
    rows = json.loads((ROOT / "cpp/catalog/models.json").read_text())["models"]
    read = [item["config"] for item in rows if item["read_in"] == "aiconfigurator"]
    assert len(read) > 70
    assert [config for config in read if fold.differing(fold.row(config), config)] == []
