"""Estimates of checkpoints with files: weights are what the headers say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import estimate

ENGINE = "vllm@0.13.0"
CONFIG = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "num_hidden_layers": 2,
    "hidden_size": 256,
    "intermediate_size": 512,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "vocab_size": 1024,
    "max_position_embeddings": 2048,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
LINEAR = {
    "self_attn.q_proj": (256, 256),
    "self_attn.k_proj": (64, 256),
    "self_attn.v_proj": (64, 256),
    "self_attn.o_proj": (256, 256),
    "mlp.gate_proj": (512, 256),
    "mlp.up_proj": (512, 256),
    "mlp.down_proj": (256, 512),
}
SIZES = {"BF16": 2, "F16": 2, "I32": 4, "F8_E4M3": 1, "F32": 4}
Tensors = dict[str, tuple[str, tuple[int, ...]]]


def plain_tensors() -> Tensors:
    """The tensors of the model with 16 bits."""
    out: Tensors = {
        "model.embed_tokens.weight": ("BF16", (1024, 256)),
        "lm_head.weight": ("BF16", (1024, 256)),
        "model.norm.weight": ("BF16", (256,)),
    }
    for layer in range(2):
        at = f"model.layers.{layer}."
        out[f"{at}input_layernorm.weight"] = ("BF16", (256,))
        out[f"{at}post_attention_layernorm.weight"] = ("BF16", (256,))
        for name, shape in LINEAR.items():
            out[f"{at}{name}.weight"] = ("BF16", shape)
    return out


def awq_tensors() -> Tensors:
    """The same with 4-bit linear layers in groups of 128, eight weights to an integer."""
    out: Tensors = {}
    for name, (dtype, shape) in plain_tensors().items():
        base = name.removesuffix(".weight")
        if base.rpartition(".layers.")[2][2:] not in LINEAR:
            out[name] = (dtype, shape)
            continue
        rows, columns = shape
        out[f"{base}.qweight"] = ("I32", (columns, rows // 8))
        out[f"{base}.qzeros"] = ("I32", (columns // 128, rows // 8))
        out[f"{base}.scales"] = ("F16", (columns // 128, rows))
    return out


def bytes_of(tensors: Tensors) -> int:
    """What the tensors take."""
    total = 0
    for dtype, shape in tensors.values():
        count = 1
        for size in shape:
            count *= size
        total += count * SIZES[dtype]
    return total


def write(folder: Path, config: dict[str, Any], tensors: Tensors) -> Path:
    """A checkpoint with real headers and holes for data."""
    header: dict[str, Any] = {}
    at = 0
    for name, item in tensors.items():
        end = at + bytes_of({name: item})
        header[name] = {"dtype": item[0], "shape": list(item[1]), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + at)
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


def test_headers_and_config_agree(tmp_path: Path) -> None:
    folder = write(tmp_path, CONFIG, plain_tensors())
    for config in (None, {"gemm_dtype": "fp8"}):
        for tp in (1, 2, 4):
            options: dict[str, Any] = {"tp": tp, "engine": ENGINE, "gpu": "H100"}
            exact = estimate(folder, config, **options)
            counted = estimate(CONFIG, config, **options)
            assert exact.weights_exact and not counted.weights_exact
            assert exact.parameters == counted.parameters
            assert exact.weight_bytes == pytest.approx(counted.weight_bytes, abs=1)
            assert exact.kv_token_bytes == counted.kv_token_bytes
    assert estimate(str(folder), engine=ENGINE).weight_bytes == bytes_of(plain_tensors())


def test_what_is_stored_quantized_is_taken_as_it_is(tmp_path: Path) -> None:
    quantization = {"quant_method": "awq", "bits": 4, "group_size": 128, "version": "gemm"}
    config = {**CONFIG, "quantization_config": {**quantization, "zero_point": True}}
    folder = write(tmp_path, config, awq_tensors())
    fit = estimate(folder, engine=ENGINE)
    assert fit.weights_exact and fit.weight_bytes == bytes_of(awq_tensors())
    plain = estimate(CONFIG, engine=ENGINE)
    assert fit.parameters == plain.parameters
    assert "weights: as stored, from the headers of the files" in fit.assumptions
    ignored = estimate(folder, {"gemm_dtype": "fp8"}, engine=ENGINE)
    assert ignored.weight_bytes == fit.weight_bytes
    counted = estimate(config, engine=ENGINE)
    assert counted.weight_bytes == pytest.approx(fit.weight_bytes, rel=0.01)


def test_the_cache_that_a_checkpoint_asks_for(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    quantization = {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}
    content = {"producer": {"name": "modelopt"}, "quantization": quantization}
    (tmp_path / "hf_quant_config.json").write_text(json.dumps(content), encoding="utf-8")
    assert estimate(tmp_path, engine="vllm@0.13.0").kv_bits == 8
    assert estimate(tmp_path, {"kvcache_dtype": "bfloat16"}, engine="vllm@0.20.1").kv_bits == 16


def test_an_inspected_checkpoint_is_not_read_again(tmp_path: Path) -> None:
    folder = write(tmp_path, CONFIG, plain_tensors())
    info = quantmap.inspect_checkpoint(folder)
    (folder / "model.safetensors").unlink()
    fit = estimate(info, engine=ENGINE)
    assert fit.weights_exact and fit.weight_bytes == bytes_of(plain_tensors())


def test_a_model_id_has_no_size() -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        estimate("my-org/my-model", engine=ENGINE)
    assert [d.code for d in caught.value.diagnostics] == ["model-shape-unknown"]
