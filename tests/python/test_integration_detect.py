"""Which quantization a model has already: its files, what is said of it, its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import integration as autotuner

from tests.python.test_integration import MODEL, QUANTIZED


@pytest.mark.parametrize(
    ("known", "method"),
    [
        (None, None),
        ({}, None),
        ({"quantization": " GPTQ "}, "gptq"),
        ({"quantization": "none"}, None),
        ({"id_or_path": "org/a-awq", "quantization": "none"}, None),
        ({"quantization": None, **QUANTIZED}, "awq"),
        ({"quantization": "fp8", **QUANTIZED}, "awq"),
        ({"compression_config": {"quant_method": "compressed-tensors"}}, "compressed-tensors"),
        ({"quantization_config": {"bits": 4}}, "other"),
        ({"architectures": ["LlamaForCausalLM"]}, None),
    ],
)
def test_what_is_known_of_a_model(known: Any, method: str | None) -> None:
    assert autotuner.detect_model_quantization(MODEL, known) == method


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("TheBloke/Llama-2-7B-AWQ", "awq"),
        ("org/Model-8B-FP8", "fp8"),
        ("org/Model-NVFP4", "nvfp4"),
        ("org/Model-MXFP4", "mxfp4"),
        ("/models/of another machine/Llama-2-7B-GPTQ/", "gptq"),
        ("/nowhere/llama.Q4_K_M.gguf", "gguf"),
        # names that only look like it
        ("my-fp8-notes", None),
        ("fp8-lab/Model-8B", None),
        ("org/hawq-7b", None),
        ("", None),
        ("\0", None),
        ("\ud800" * 1000 + "-awq", "awq"),
    ],
)
def test_a_name_is_asked_when_there_are_no_files(path: str, method: str | None) -> None:
    assert autotuner.detect_model_quantization(path) == method
    assert autotuner.detect_model_quantization(path, {"quantization": "none"}) is None


def test_files_win_over_names_and_words(tmp_path: Path) -> None:
    folder = tmp_path / "Model-8B-FP8"
    folder.mkdir()
    config: dict[str, Any] = {"model_type": "llama", "num_hidden_layers": 2}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert autotuner.detect_model_quantization(str(folder)) is None
    assert autotuner.detect_model_quantization(str(folder), {"quantization": "awq"}) is None
    config["quantization_config"] = {"quant_method": "gptq", "bits": 4}
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    for known in (None, QUANTIZED, {"quantization": "none"}):
        assert autotuner.detect_model_quantization(str(folder), known) == "gptq"
    nvfp4 = {"quant_method": "modelopt", "quant_algo": "NVFP4"}
    found = autotuner.detect_model_quantization(MODEL, {"quantization_config": nvfp4})
    assert found == "modelopt_fp4"
    (folder / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(quantmap.ConfigError):
        autotuner.prepare_experiment_parameters("vllm", {}, {}, str(folder))


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ((None,), "model_path"),
        ((["a"],), "model_path"),
        ((MODEL, ["fp8"]), "model_config"),
        ((MODEL, {"a": {1}}), "model_config.a"),
    ],
)
def test_what_is_no_model(arguments: Any, path: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        autotuner.detect_model_quantization(*arguments)
    assert [problem.path for problem in caught.value.diagnostics] == [path]
