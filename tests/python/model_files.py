"""Tiny checkpoints that are true to their formats, written with the field's own libraries."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from safetensors.numpy import save_file

HIDDEN, INTERMEDIATE, VOCABULARY, LAYERS = 64, 128, 256, 2
LINEAR = {
    "self_attn.q_proj": (HIDDEN, HIDDEN),
    "self_attn.k_proj": (HIDDEN // 2, HIDDEN),
    "self_attn.v_proj": (HIDDEN // 2, HIDDEN),
    "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (INTERMEDIATE, HIDDEN),
    "mlp.up_proj": (INTERMEDIATE, HIDDEN),
    "mlp.down_proj": (HIDDEN, INTERMEDIATE),
}
CONFIG: dict[str, Any] = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": HIDDEN,
    "intermediate_size": INTERMEDIATE,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "vocab_size": VOCABULARY,
    "max_position_embeddings": 512,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
LINEAR_PARAMETERS = LAYERS * sum(rows * columns for rows, columns in LINEAR.values())
# Embedding, output layer, and two norms a layer with the last one.
PARAMETERS = LINEAR_PARAMETERS + 2 * VOCABULARY * HIDDEN + (2 * LAYERS + 1) * HIDDEN

Array = numpy.ndarray[Any, Any]
Tensors = dict[str, Array]
Linear = Callable[[str, int, int], Tensors]


def zeros(dtype: str, *shape: int) -> Array:
    """An array of zeros; numpy has no 8-bit floats, so those are written as bytes and renamed."""
    out: Array = numpy.zeros(shape, dtype=dtype)
    return out


def whole(name: str, rows: int, columns: int) -> Tensors:
    """A linear layer that is not quantized."""
    return {f"{name}.weight": zeros("float16", rows, columns)}


def awq(name: str, rows: int, columns: int) -> Tensors:
    """4 bits, eight to a word along the outputs, groups of 32 inputs, zero points."""
    return {
        f"{name}.qweight": zeros("int32", columns, rows // 8),
        f"{name}.qzeros": zeros("int32", columns // 32, rows // 8),
        f"{name}.scales": zeros("float16", columns // 32, rows),
    }


def gptq(name: str, rows: int, columns: int) -> Tensors:
    """4 bits, eight to a word along the inputs, and the order of the groups."""
    return {
        f"{name}.qweight": zeros("int32", columns // 8, rows),
        f"{name}.qzeros": zeros("int32", columns // 32, rows // 8),
        f"{name}.scales": zeros("float16", columns // 32, rows),
        f"{name}.g_idx": zeros("int32", columns),
    }


def gptq8(name: str, rows: int, columns: int) -> Tensors:
    """8 bits, four to a word."""
    return {**gptq(name, rows, columns), f"{name}.qweight": zeros("int32", columns // 4, rows)}


def fp8(name: str, rows: int, columns: int) -> Tensors:
    """8-bit floats with one scale for the tensor, and one for its inputs."""
    return {
        f"{name}.weight": zeros("uint8", rows, columns),
        f"{name}.weight_scale": zeros("float32", 1),
        f"{name}.input_scale": zeros("float32", 1),
    }


def fp8_blocks(name: str, rows: int, columns: int) -> Tensors:
    """8-bit floats with a scale for each block."""
    return {
        f"{name}.weight": zeros("uint8", rows, columns),
        f"{name}.weight_scale_inv": zeros("float32", -(-rows // 128), -(-columns // 128)),
    }


def int8(name: str, rows: int, columns: int) -> Tensors:
    """8-bit integers with a scale for each output."""
    return {
        f"{name}.weight": zeros("int8", rows, columns),
        f"{name}.weight_scale": zeros("float32", rows, 1),
    }


def packed(name: str, rows: int, columns: int) -> Tensors:
    """compressed-tensors, 4 bits, eight to a word."""
    return {
        f"{name}.weight_packed": zeros("int32", rows, columns // 8),
        f"{name}.weight_scale": zeros("float16", rows, columns // 32),
        f"{name}.weight_shape": zeros("int64", 2),
    }


def nvfp4(name: str, rows: int, columns: int) -> Tensors:
    """ModelOpt NVFP4: two weights to a byte, a scale for 16, and one for the tensor."""
    return {
        f"{name}.weight": zeros("uint8", rows, columns // 2),
        f"{name}.weight_scale": zeros("uint8", rows, columns // 16),
        f"{name}.weight_scale_2": zeros("float32"),
        f"{name}.input_scale": zeros("float32"),
    }


def nvfp4_packed(name: str, rows: int, columns: int) -> Tensors:
    """compressed-tensors NVFP4."""
    return {
        f"{name}.weight_packed": zeros("uint8", rows, columns // 2),
        f"{name}.weight_scale": zeros("uint8", rows, columns // 16),
        f"{name}.weight_global_scale": zeros("float32", 1),
    }


def bnb(name: str, rows: int, columns: int) -> Tensors:
    """bitsandbytes NF4: two weights to a byte in one long row."""
    return {
        f"{name}.weight": zeros("uint8", rows * columns // 2, 1),
        f"{name}.weight.absmax": zeros("uint8", rows * columns // 64),
        f"{name}.weight.quant_map": zeros("float32", 16),
        f"{name}.weight.quant_state.bitsandbytes__nf4": zeros("uint8", 90),
    }


def hqq(name: str, rows: int, columns: int) -> Tensors:
    """HQQ, 4 bits, two to a byte."""
    return {
        f"{name}.W_q": zeros("uint8", rows * columns // 2),
        f"{name}.scale": zeros("float16", rows * columns // 64),
        f"{name}.zero": zeros("float16", rows * columns // 64),
    }


def tensors(linear: Linear, kv_scales: bool = False) -> Tensors:
    """All tensors of the model."""
    out = {
        "model.embed_tokens.weight": zeros("float16", VOCABULARY, HIDDEN),
        "model.norm.weight": zeros("float16", HIDDEN),
        "lm_head.weight": zeros("float16", VOCABULARY, HIDDEN),
    }
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        for norm in ("input_layernorm", "post_attention_layernorm"):
            out[f"{prefix}{norm}.weight"] = zeros("float16", HIDDEN)
        for name, (rows, columns) in LINEAR.items():
            out |= linear(prefix + name, rows, columns)
        if kv_scales:
            out[f"{prefix}self_attn.k_proj.k_scale"] = zeros("float32", 1)
            out[f"{prefix}self_attn.v_proj.v_scale"] = zeros("float32", 1)
    return out


def rename_dtypes(path: Path, linear: Linear) -> None:
    """Call the bytes of 8-bit floats what they are: numpy cannot, the header can."""
    if linear not in (fp8, fp8_blocks, nvfp4, nvfp4_packed):
        return
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    for name, entry in header.items():
        eight = name.endswith(".weight" if linear in (fp8, fp8_blocks) else ".weight_scale")
        if eight and entry["dtype"] == "U8":
            entry["dtype"] = "F8_E4M3"
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])


def write_json(path: Path, data: Any) -> None:
    """A JSON file."""
    path.write_text(json.dumps(data), encoding="utf-8")


def build(
    folder: Path,
    linear: Linear = whole,
    quantization: dict[str, Any] | None = None,
    *,
    config: dict[str, Any] | None = None,
    key: str = "quantization_config",
    kv_scales: bool = False,
    files: dict[str, Any] | None = None,
    shards: int = 1,
) -> Path:
    """A checkpoint: config.json, weights in one or several files, and other files of JSON."""
    folder.mkdir(parents=True, exist_ok=True)
    content = dict(CONFIG if config is None else config)
    if quantization is not None:
        content[key] = quantization
    write_json(folder / "config.json", content)
    for name, data in (files or {}).items():
        write_json(folder / name, data)
    every = tensors(linear, kv_scales)
    if shards == 1:
        save_file(every, folder / "model.safetensors", metadata={"format": "pt"})
        rename_dtypes(folder / "model.safetensors", linear)
        return folder
    names = sorted(every)
    weight_map = {}
    for shard in range(shards):
        file = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: every[name] for name in names[shard::shards]}
        weight_map |= dict.fromkeys(part, file)
        save_file(part, folder / file, metadata={"format": "pt"})
        rename_dtypes(folder / file, linear)
    index = {"metadata": {"total_size": 1}, "weight_map": weight_map}
    write_json(folder / "model.safetensors.index.json", index)
    return folder


def build_gguf(path: Path, kind: str = "Q4_0", vocabulary: int = VOCABULARY) -> Path:
    """A GGUF file, its linear layers quantized by the gguf library."""
    from gguf import GGMLQuantizationType, GGUFWriter, quantize

    writer = GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(512)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INTERMEDIATE)
    writer.add_head_count(8)
    writer.add_head_count_kv(4)
    writer.add_file_type(2)
    writer.add_rope_freq_base(10000.0)
    writer.add_bool("general.test", True)
    writer.add_array("general.tags", ["a", "b"])
    writer.add_tokenizer_model("llama")
    writer.add_token_list([f"token {number}" for number in range(vocabulary)])
    writer.add_token_scores([0.0] * vocabulary)
    rows = {
        "token_embd.weight": (VOCABULARY, HIDDEN),
        "output.weight": (VOCABULARY, HIDDEN),
    }
    names = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    for layer in range(LAYERS):
        for name, shape in zip(names, LINEAR.values()):
            rows[f"blk.{layer}.{name}.weight"] = shape
    for name, shape in rows.items():
        whole_weight = numpy.zeros(shape, dtype=numpy.float32)
        if name.startswith("blk."):
            dtype = GGMLQuantizationType[kind]
            writer.add_tensor(name, quantize(whole_weight, dtype), raw_dtype=dtype)
        else:
            writer.add_tensor(name, whole_weight.astype(numpy.float16))
    for layer in range(LAYERS):
        for name in ("attn_norm", "ffn_norm"):
            writer.add_tensor(f"blk.{layer}.{name}.weight", numpy.zeros(HIDDEN, numpy.float32))
    writer.add_tensor("output_norm.weight", numpy.zeros(HIDDEN, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
