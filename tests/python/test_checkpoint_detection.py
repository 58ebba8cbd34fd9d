"""What each engine makes of a checkpoint's files, in its own order; names; where files differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap

pytest.importorskip("safetensors", reason="the fixtures are written with safetensors and numpy")

from tests.python import model_files as files
from tests.python.model_files import build, write_json

ENGINES = ("vllm", "sglang", "tensorrt_llm", "sglang_jax")
REFUSED = "(refused)"


def hf_quant(algorithm: str | None, **more: Any) -> dict[str, Any]:
    """A hf_quant_config.json of ModelOpt."""
    return {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": algorithm, **more}}


def ct(strategy: str, activations: str, **more: Any) -> dict[str, Any]:
    """FP8 of compressed-tensors."""
    side = {"num_bits": 8, "type": "float", **more}
    weights, inputs = {**side, "strategy": strategy}, {**side, "strategy": activations}
    return {
        "quant_method": "compressed-tensors",
        "format": "float-quantized",
        "config_groups": {"g": {"weights": weights, "input_activations": inputs}},
    }


BLOCKS = {"quant_method": "fp8", "weight_block_size": [128, 128]}
HF = "hf_quant_config.json"
SLIM = "quant_model_description.json"
# files → what vLLM, SGLang, TensorRT-LLM and sglang-jax make of it. The orders and names are those
# of the engines' sources, named in cpp/catalog/detection.json.
GOLDEN: list[tuple[dict[str, Any], tuple[str | None, ...]]] = [
    ({}, (None, None, None, None)),
    ({"quantization_config": {"quant_method": "awq"}}, ("auto_awq", "awq_marlin", REFUSED, None)),
    ({"quantization_config": {"quant_method": "AWQ"}}, ("auto_awq", "awq_marlin", REFUSED, None)),
    ({"compression_config": {"quant_method": "gptq"}}, ("auto_gptq", "gptq_marlin", None, None)),
    (
        {"quantization_config": {"quant_method": "fp8"}},
        ("fp8", "fp8", REFUSED, "fp8"),
    ),
    ({"quantization_config": BLOCKS}, ("fp8", "fp8", "FP8_BLOCK_SCALES", "fp8")),
    (
        {"quantization_config": ct("channel", "token")},
        (
            "compressed-tensors",
            "compressed-tensors",
            "FP8_PER_CHANNEL_PER_TOKEN",
            "compressed-tensors",
        ),
    ),
    (
        {"quantization_config": ct("tensor", "tensor")},
        ("compressed-tensors", "compressed-tensors", REFUSED, "compressed-tensors"),
    ),
    (
        {"quantization_config": {"quant_method": "mxfp4"}, "model_type": "gpt_oss"},
        ("gpt_oss_mxfp4", "mxfp4", "W4A16_MXFP4", None),
    ),
    ({"quantization_config": {"quant_method": "auto-round"}}, ("inc", "auto-round", REFUSED, None)),
    ({"quantization_config": {"quant_method": "hqq"}}, (REFUSED, REFUSED, REFUSED, None)),
    ({"quantization_config": {"quant_method": "mine"}}, (REFUSED, REFUSED, REFUSED, None)),
    ({"quantization_config": {"bits": 4}}, (REFUSED, None, REFUSED, None)),
    # hf_quant_config.json: vLLM and SGLang ask it when config.json is silent, TensorRT-LLM first,
    # sglang-jax never.
    ({HF: hf_quant("FP8")}, ("modelopt", "modelopt_fp8", "FP8", None)),
    ({HF: hf_quant("FP8_PB_WO")}, ("modelopt", "modelopt_fp8", "FP8_BLOCK_SCALES", None)),
    ({HF: hf_quant("NVFP4")}, ("modelopt_fp4", "modelopt_fp4", "NVFP4", None)),
    ({HF: hf_quant("MXFP8")}, ("modelopt_mxfp8", "mxfp8", "MXFP8", None)),
    ({HF: hf_quant("W4A8_AWQ")}, (REFUSED, None, "W4A8_AWQ", None)),
    ({HF: hf_quant(None)}, (REFUSED, None, REFUSED, None)),
    (
        {HF: hf_quant("MIXED_PRECISION", quantized_layers={"a": {"quant_algo": "NVFP4"}})},
        ("modelopt_mixed", "modelopt_mixed", "MIXED_PRECISION", None),
    ),
    (
        {HF: hf_quant("MIXED_PRECISION", quantized_layers={"a": {"quant_algo": "W4A8_AWQ"}})},
        ("modelopt_mixed", "w4afp8", "MIXED_PRECISION", None),
    ),
    (
        {"quantization_config": {"quant_method": "awq"}, HF: hf_quant("FP8")},
        ("auto_awq", "awq_marlin", "FP8", None),
    ),
    # vLLM asks hf_quant_config.json before compression_config, SGLang after it.
    (
        {"compression_config": {"quant_method": "gptq"}, HF: hf_quant("FP8")},
        ("modelopt", "gptq_marlin", "FP8", None),
    ),
    # quant_model_description.json goes before all others, on SGLang only.
    (
        {"quantization_config": BLOCKS, SLIM: {"model_quant_type": "W8A8_DYNAMIC"}},
        ("fp8", "modelslim", "FP8_BLOCK_SCALES", "fp8"),
    ),
    # Files of old tools: no engine asks them which method it is.
    ({"quantize_config.json": {"bits": 4, "group_size": 128}}, (None, None, None, None)),
    # A text part: only vLLM looks there.
    (
        {"text_config": {"num_hidden_layers": 2, "quantization_config": {"quant_method": "awq"}}},
        ("auto_awq", None, None, None),
    ),
]


@pytest.mark.parametrize("number", range(len(GOLDEN)))
def test_detection(number: int, tmp_path: Path) -> None:
    given, expected = GOLDEN[number]
    config = {key: value for key, value in given.items() if not key.endswith(".json")}
    write_json(tmp_path / "config.json", {**files.CONFIG, **config})
    for name in given.keys() - config.keys():
        write_json(tmp_path / name, given[name])
    info = quantmap.inspect_checkpoint(tmp_path)
    assert tuple(item.engine for item in info.detections) == ENGINES
    found = tuple(REFUSED if item.refused else item.method for item in info.detections)
    assert found == expected
    for item in info.detections:
        assert item.evidence and (item.reason or not item.refused)


def test_gguf_detection(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    info = quantmap.inspect_checkpoint(files.build_gguf(tmp_path / "x.gguf"))
    assert [item.refused for item in info.detections] == [False, False, True, False]
    assert [item.method for item in info.detections] == ["gguf", "gguf", None, None]


NAMES = {
    "org/Model-7B-AWQ": "awq",
    "org/Model-7B-Instruct-GPTQ-Int4": "gptq",
    "org/Model-8B-FP8": "fp8",
    "org/Model-8B-FP8-dynamic": "fp8",
    "org/Model-8B-FP8-KV": "fp8",
    "org/Model-NVFP4": "nvfp4",
    "org/Model-MXFP4": "mxfp4",
    "org/Model.Q4-GGUF": "gguf",
    "org/Model-bnb-4bit": "bitsandbytes",
    "org/Model-quantized.w4a16": "other",
    # Names that only look like it.
    "my-fp8-notes": "unquantized",
    "org/fp8": "unquantized",
    "org/awq-benchmarks-for-all": "unquantized",
    "org/gptqmodel-tools": "unquantized",
    "org/Model-NVFP40": "unquantized",
    "org/hawq-7b": "unquantized",
    "fp8-lab/Model-8B": "unquantized",
    "org/Model-8B": "unquantized",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_the_lowest_evidence(name: str) -> None:
    info = quantmap.inspect_checkpoint(name)
    assert info.quantization.kind == NAMES[name]
    assert info.evidence == "name" and not info.detections and not info.files
    assert [note.code for note in info.notes] == ["only-a-name"]


def test_files_count_and_names_do_not(tmp_path: Path) -> None:
    """A folder's name is no evidence where its files speak."""
    plain = quantmap.inspect_checkpoint(build(tmp_path / "Model-8B-FP8"))
    assert plain.quantization.kind == "unquantized"
    assert [item.subject for item in plain.disagreements] == ["name"]
    (note,) = (note for note in plain.notes if note.code == "name-differs")
    told = "The name 'Model-8B-FP8' says FP8, but the files hold no quantization."
    assert note.message == told
    awq = {"quant_method": "awq", "bits": 4}
    other = quantmap.inspect_checkpoint(build(tmp_path / "Model-GPTQ", files.awq, awq))
    assert other.quantization.kind == "awq"
    notes = quantmap.inspect_checkpoint(build(tmp_path / "my-fp8-notes"))
    assert notes.quantization.kind == "unquantized" and not notes.disagreements


def test_mxfp4_is_not_nvfp4() -> None:
    kinds = [
        quantmap.inspect_checkpoint({"quant_method": method}).quantization.kind
        for method in ("mxfp4", "modelopt_fp4", "nvfp4")
    ]
    assert kinds == ["mxfp4", "nvfp4", "nvfp4"]


def disagreements(folder: Path, *arguments: Any, **more: Any) -> dict[str, list[tuple[str, str]]]:
    """Subject → claims, of a checkpoint that is built so."""
    info = quantmap.inspect_checkpoint(build(folder, *arguments, **more))
    told = [note.message for note in info.notes if note.code == "files-disagree"]
    assert len(told) == len(info.disagreements)
    assert all(item.consequence for item in info.disagreements)
    return {item.subject: item.claims for item in info.disagreements}


def test_files_that_disagree(tmp_path: Path) -> None:
    side = {HF: hf_quant("NVFP4", group_size=16, kv_cache_quant_algo="FP8")}
    found = disagreements(tmp_path / "a", files.fp8, BLOCKS, files=side)
    assert found["method"] == [
        ("config.json#quantization_config", "FP8"),
        (HF, "ModelOpt NVFP4"),
    ]
    assert found["weight bits"][1] == (HF, "4")
    assert found["KV cache"] == [("config.json#quantization_config", "nothing"), (HF, "fp8")]
    gptq = {"quant_method": "gptq", "bits": 4, "group_size": 32}
    old = {"quantize_config.json": {**gptq, "group_size": 128}}
    found = disagreements(tmp_path / "b", files.gptq, gptq, files=old)
    assert found == {
        "group size": [("config.json#quantization_config", "32"), ("quantize_config.json", "128")]
    }


def test_weights_that_disagree_with_the_config(tmp_path: Path) -> None:
    found = disagreements(tmp_path / "a", files.whole, {"quant_method": "fp8"})
    assert found["weights"][1] == ("weight files", "F16, without scales")
    found = disagreements(tmp_path / "b", files.gptq)
    assert found["weights"] == [("config files", "not quantized"), ("weight files", "GPTQ")]
    info = quantmap.inspect_checkpoint(tmp_path / "b")
    assert info.quantization.kind == "other" and info.quantization.source == "weight files"


def test_index_and_files(tmp_path: Path) -> None:
    folder = build(tmp_path / "a", shards=3)
    (folder / "model-00002-of-00003.safetensors").unlink()
    info = quantmap.inspect_checkpoint(folder)
    assert [note.code for note in info.notes] == ["shard-missing"]
    assert info.weights is not None and not info.weights.complete
    folder = build(tmp_path / "b", shards=3)
    first, second = (folder / f"model-0000{part}-of-00003.safetensors" for part in (1, 2))
    second.write_bytes(first.read_bytes())
    info = quantmap.inspect_checkpoint(folder)
    assert [note.code for note in info.notes] == ["index-differs"]


def test_config_of_quantization_alone() -> None:
    info = quantmap.inspect_checkpoint({"quant_method": "gptq", "bits": 3, "group_size": 64})
    assert info.quantization.schemes[0].name == "W3A16 int, groups of 64"
    assert info.architecture is None and info.evidence == "config"


def test_numbers_of_python(tmp_path: Path) -> None:
    """Python writes NaN and Infinity into JSON; the engines read them back."""
    text = (
        '{"num_hidden_layers": 2, "a": [NaN, -Infinity], "b": "NaN, \\" Infinity", "c": Infinity}'
    )
    (tmp_path / "config.json").write_text(text)
    info = quantmap.inspect_checkpoint(tmp_path)
    assert info.architecture is not None and len(info.architecture.layers) == 2
