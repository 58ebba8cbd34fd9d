"""Configs that nobody here wrote: those that a public package carries."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import quantmap
from jsonschema import Draft202012Validator

PACKAGE = "aiconfigurator-core==0.12.0"
SIDE = "_hf_quant_config.json"


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Name → JSON, from the package's archive; nothing of it is installed."""
    folder = tmp_path_factory.mktemp("package")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--python-version=3.11", "-d", str(folder), PACKAGE]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    archives = list(folder.glob("*.whl"))
    if not archives:
        pytest.skip(f"{PACKAGE} cannot be downloaded: {answer.stderr.strip()[-200:]}")
    with zipfile.ZipFile(archives[0]) as archive:
        names = [name for name in archive.namelist() if "/model_configs/" in name]
        return {Path(name).name: archive.read(name) for name in names if name.endswith(".json")}


def test_every_config_is_read(configs: dict[str, bytes], tmp_path: Path) -> None:
    models = [name for name in configs if name.endswith("_config.json") and SIDE not in name]
    assert len(models) > 80
    quantized = 0
    printed = Draft202012Validator(quantmap.output_schema("inspect"))
    for name in models:
        folder = tmp_path / name[: -len("_config.json")]
        folder.mkdir()
        (folder / "config.json").write_bytes(configs[name])
        side = configs.get(folder.name + SIDE)
        if side is not None:
            (folder / "hf_quant_config.json").write_bytes(side)
        info = quantmap.inspect_checkpoint(folder)
        printed.validate(json.loads(json.dumps(info.to_dict())))
        shape = info.architecture
        assert shape is not None and shape.hidden and shape.vocabulary and shape.heads, name
        config = json.loads(configs[name])
        text = config.get("text_config") or config
        assert len(shape.layers) == text.get("num_hidden_layers", len(shape.layers)), name
        assert {note.code for note in info.notes} <= {"files-disagree"}, name
        assert any(layer.kv_heads > 0 for layer in shape.layers), name
        quantized += info.quantization.quantized
        # Nothing else in this package says how a model is quantized.
        assert info.quantization.quantized == (
            "quantization_config" in str(config) or side is not None
        )
        if side is not None and "NVFP4" in json.loads(side)["quantization"]["quant_algo"]:
            assert info.quantization.kind == "nvfp4" and info.quantization.bits == 4, name
    assert quantized > 40


def test_some_shapes(configs: dict[str, bytes]) -> None:
    """A few that everybody knows."""

    def shape(name: str) -> Any:
        found = quantmap.inspect_checkpoint(json.loads(configs[f"{name}_config.json"]))
        return found.architecture

    deepseek = shape("deepseek-ai--DeepSeek-V3")
    assert deepseek.mla.kv_rank == 512 and deepseek.experts.routed == 256
    assert [layer.experts for layer in deepseek.layers].count(True) == 58
    llama = shape("meta-llama--Meta-Llama-3.1-70B")
    assert (len(llama.layers), llama.kv_heads, llama.head_size, llama.experts) == (80, 8, 128, None)
    oss = shape("openai--gpt-oss-120b")
    assert [layer.kind for layer in oss.layers[:2]] == ["sliding", "full"] and oss.window == 128
    hybrid = shape("Qwen--Qwen3.5-35B-A3B")
    assert [layer.kind for layer in hybrid.layers].count("linear") == 30
    flash = shape("XiaomiMiMo--MiMo-V2-Flash")
    assert {(layer.kind, layer.kv_heads) for layer in flash.layers} == {("full", 4), ("sliding", 8)}
