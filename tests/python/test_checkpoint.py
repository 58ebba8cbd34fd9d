"""Checkpoints of every format, written by the field's libraries, and what is read of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

pytest.importorskip("safetensors", reason="the fixtures are written with safetensors and numpy")

from tests.python import model_files as files
from tests.python.model_files import build, build_gguf
from tests.python.model_formats import FORMATS


@pytest.mark.parametrize("name", FORMATS)
def test_format(name: str, tmp_path: Path) -> None:
    linear, quantization, others, kind, scheme, kv_dtype = FORMATS[name]
    info = quantmap.inspect_checkpoint(build(tmp_path, linear, quantization, files=others))
    found = info.quantization
    assert (found.kind, found.schemes[0].name if found.schemes else None) == (kind, scheme)
    assert found.kv_dtype == kv_dtype
    assert info.evidence == "headers" and info.format == "safetensors"
    assert not info.disagreements and not info.notes
    weights = info.weights
    assert weights is not None and weights.complete and weights.has_head
    assert weights.parameters == files.PARAMETERS
    assert weights.parts["linear"].parameters == files.LINEAR_PARAMETERS
    stored = sum(array.nbytes for array in files.tensors(linear).values())
    assert weights.bytes == stored == sum(item["bytes"] for item in weights.dtypes)
    quantized = sum(part.quantized_bytes for part in weights.parts.values())
    rest = 2 * (files.PARAMETERS - files.LINEAR_PARAMETERS)
    assert quantized == (stored - rest if found.quantized else 0)
    assert weights.parts["head"].quantized_bytes == weights.parts["embedding"].quantized_bytes == 0


def test_mxfp4_experts(tmp_path: Path) -> None:
    """gpt-oss keeps its experts as blocks of bytes with scales beside them."""
    from safetensors.numpy import save_file

    experts = "model.layers.0.mlp.experts."
    save_file(
        {
            f"{experts}gate_up_proj_blocks": files.zeros("uint8", 4, 128, 2, 16),
            f"{experts}gate_up_proj_scales": files.zeros("uint8", 4, 128, 2),
            f"{experts}gate_up_proj_bias": files.zeros("float16", 4, 128),
            "model.layers.0.mlp.router.weight": files.zeros("float16", 4, 64),
        },
        tmp_path / "model.safetensors",
    )
    config = {**files.CONFIG, "model_type": "gpt_oss", "num_local_experts": 4}
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": ["lm_head"]}
    files.write_json(tmp_path / "config.json", config)
    info = quantmap.inspect_checkpoint(tmp_path)
    assert info.quantization.kind == "mxfp4" and info.quantization.excluded == ["lm_head"]
    assert info.quantization.bits == 4 and info.quantization.group_size == 32
    assert info.weights is not None
    assert info.weights.parts["experts"].parameters == 4 * 128 * 64 + 4 * 128
    assert info.weights.parts["other"].parameters == 4 * 64
    assert info.architecture is not None and info.architecture.experts is not None
    assert info.architecture.experts.routed == 4


@pytest.mark.parametrize(("kind", "bits"), [("Q4_0", 4.5), ("Q8_0", 8.5), ("F16", 16)])
def test_gguf(kind: str, bits: float, tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    info = quantmap.inspect_checkpoint(build_gguf(tmp_path / "model.gguf", kind))
    assert info.quantization.kind == "gguf" and info.format == "gguf"
    assert info.weights is not None and info.architecture is not None
    linear = info.weights.parts["linear"]
    assert linear.parameters == files.LINEAR_PARAMETERS
    assert linear.bytes * 8 / linear.parameters == bits
    assert info.weights.parameters == files.PARAMETERS
    assert kind in {item["dtype"] for item in info.weights.dtypes}
    shape = info.architecture
    assert (shape.hidden, shape.heads, shape.kv_heads, shape.max_length) == (64, 8, 4, 512)
    assert shape.vocabulary == files.VOCABULARY and len(shape.layers) == files.LAYERS
    assert info.weights.has_head


def test_gguf_in_a_folder_and_in_parts(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    build_gguf(tmp_path / "a-00001-of-00002.gguf")
    whole = quantmap.inspect_checkpoint(tmp_path)
    (tmp_path / "a-00002-of-00002.gguf").write_bytes(
        (tmp_path / "a-00001-of-00002.gguf").read_bytes()
    )
    both = quantmap.inspect_checkpoint(tmp_path)
    assert whole.weights is not None and both.weights is not None
    assert both.weights.bytes == 2 * whole.weights.bytes
    build_gguf(tmp_path / "b.gguf")
    with pytest.raises(quantmap.ConfigError, match="several GGUF models"):
        quantmap.inspect_checkpoint(tmp_path)


def test_a_projector_of_images_is_no_second_model(tmp_path: Path) -> None:
    pytest.importorskip("gguf")
    model = build_gguf(tmp_path / "model.gguf")
    alone = quantmap.inspect_checkpoint(tmp_path)
    (tmp_path / "mmproj-model.gguf").write_bytes(model.read_bytes())
    assert quantmap.inspect_checkpoint(tmp_path).weights == alone.weights


def test_bytes_hold_as_many_weights_as_their_bits_leave_room_for(tmp_path: Path) -> None:
    """HQQ keeps two 4-bit weights in a byte, and of 8 bits one."""

    def hqq8(name: str, rows: int, columns: int) -> files.Tensors:
        return {
            **files.hqq(name, rows, columns),
            f"{name}.W_q": files.zeros("uint8", rows, columns),
        }

    for bits, linear in ((4, files.hqq), (8, hqq8)):
        config = {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": bits}}}
        info = quantmap.inspect_checkpoint(build(tmp_path / str(bits), linear, config))
        assert info.quantization.bits == bits and info.weights is not None
        assert info.weights.parts["linear"].parameters == files.LINEAR_PARAMETERS


def test_convolutions_are_no_linear_layers(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    mixer = "model.layers.0."
    sizes = {"conv.conv.weight": (8, 1, 4), "A_log": (8,), "x_proj.weight": (8, 4)}
    save_file(
        {mixer + name: files.zeros("float16", *shape) for name, shape in sizes.items()},
        tmp_path / "model.safetensors",
    )
    weights = quantmap.inspect_checkpoint(tmp_path).weights
    assert weights is not None
    counts = {name: part.tensors for name, part in weights.parts.items() if part.tensors}
    assert counts == {"linear": 1, "other": 2}


def test_a_kv_cache_type_that_only_a_side_file_names(tmp_path: Path) -> None:
    side = {"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}}
    others = {"hf_quant_config.json": side}
    folder = build(tmp_path, files.fp8, {"quant_method": "fp8"}, files=others)
    info = quantmap.inspect_checkpoint(folder)
    assert (info.quantization.kind, info.quantization.kv_dtype) == ("fp8", "fp8")
    assert info.quantization.source == "config.json#quantization_config"


def test_groups_of_other_bits_are_not_of_the_formats_type() -> None:
    """Beside 4-bit layers in NVFP4 there may be 8-bit ones: floats too, and in no groups of 16."""
    groups = {
        "a": {"weights": {"num_bits": 4, "type": "float"}, "targets": ["Linear"]},
        "b": {"weights": {"num_bits": 8, "type": "float"}, "targets": ["re:.*o_proj"]},
    }
    section = {"quant_method": "modelopt", "quant_algo": "NVFP4", "config_groups": groups}
    info = quantmap.inspect_checkpoint({**files.CONFIG, "quantization_config": section})
    found = [(s.weight_bits, s.weight_type, s.group_size) for s in info.quantization.schemes]
    assert found == [(4, "nvfp4", 16), (8, "float", None)]


def layers(count: int, **config: Any) -> list[tuple[str, int | None, bool]]:
    """Kind, width of the MLP, and whether there are experts, by layer."""
    given = {**files.CONFIG, "num_hidden_layers": count, **config}
    shape = quantmap.inspect_checkpoint(given).architecture
    assert shape is not None
    return [(layer.kind, layer.intermediate, layer.experts) for layer in shape.layers]


def test_where_mlps_are_layers_the_others_have_none() -> None:
    kinds = ["mamba", "attention", "mlp", "mamba"]
    found = layers(4, model_type="nemotron_h", layers_block_type=kinds)
    assert [width for _, width, _ in found] == [None, None, files.INTERMEDIATE, None]
    kinds = ["mamba", "attention"]
    found = layers(2, model_type="jamba", layers_block_type=kinds)
    assert [width for _, width, _ in found] == [files.INTERMEDIATE] * 2


def test_a_block_may_leave_out_its_mlp_or_its_attention() -> None:
    blocks = [{"ffn": {"no_op": True}}, {"attention": {"no_op": True}}, {"ffn": {"no_op": False}}]
    assert layers(3, block_configs=blocks) == [
        ("full", None, False),
        ("absent", files.INTERMEDIATE, False),
        ("full", files.INTERMEDIATE, False),
    ]


def test_experts_end_where_the_config_says() -> None:
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
    bounds = {"moe_layer_start_index": 1, "moe_layer_end_index": 3}
    found = layers(6, model_type="ernie4_5_moe", **experts, **bounds)
    assert [has for _, _, has in found] == [False, True, True, True, False, False]


def test_kv_scales(tmp_path: Path) -> None:
    without = quantmap.inspect_checkpoint(build(tmp_path / "a", files.fp8))
    info = quantmap.inspect_checkpoint(build(tmp_path / "b", files.fp8, kv_scales=True))
    assert without.quantization.kv_scales is False
    assert info.quantization.kv_scales is True
    config = quantmap.inspect_checkpoint(dict(files.CONFIG))
    assert config.quantization.kv_scales is None


def test_shards_are_one_model(tmp_path: Path) -> None:
    one = quantmap.inspect_checkpoint(build(tmp_path / "one", files.awq))
    many = quantmap.inspect_checkpoint(build(tmp_path / "many", files.awq, shards=5))
    assert one.weights == many.weights
    assert len(many.files) == 7 and many.bytes_read < 40_000


def test_experts_shared_experts_and_router(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    layer = "model.layers.0.mlp."
    names = {
        "experts.0.up_proj.weight": (8, 4),
        "shared_expert.up_proj.weight": (8, 4),
        "shared_expert_gate.weight": (1, 4),
        "gate.weight": (2, 4),
    }
    save_file(
        {layer + name: files.zeros("float16", *shape) for name, shape in names.items()}
        | {
            "model.visual.blocks.0.proj.weight": files.zeros("float16", 4, 4),
            "model.layers.0.self_attn.q_proj.bias": files.zeros("float16", 4),
            "model.layers.0.self_attn.q_norm.weight": files.zeros("float16", 4),
        },
        tmp_path / "model.safetensors",
    )
    info = quantmap.inspect_checkpoint(tmp_path)
    assert info.weights is not None and info.architecture is None
    counts = {name: part.parameters for name, part in info.weights.parts.items()}
    assert counts["experts"] == 32 and counts["linear"] == 32 and counts["norm"] == 4
    assert counts["other"] == 4 + 8 + 16 + 4


def test_cache_folder(tmp_path: Path) -> None:
    """Hugging Face keeps files as links into a folder of blobs, by revision."""
    real = build(tmp_path / "real", files.awq, FORMATS["awq"][1])
    cache = tmp_path / "models--org--name"
    (cache / "blobs").mkdir(parents=True)
    for revision in ("aaaa", "bbbb"):
        snapshot = cache / "snapshots" / revision
        snapshot.mkdir(parents=True)
        for file in real.iterdir():
            blob = cache / "blobs" / f"{revision}{file.name}"
            blob.write_bytes(file.read_bytes())
            (snapshot / file.name).symlink_to(blob)
    with pytest.raises(quantmap.ConfigError, match="without a snapshot"):
        quantmap.inspect_checkpoint(cache)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("bbbb\n")
    info = quantmap.inspect_checkpoint(cache)
    assert info.revision == "bbbb" and info.quantization.kind == "awq"
    assert quantmap.inspect_checkpoint(cache / "snapshots" / "aaaa").quantization.kind == "awq"
    (cache / "refs" / "main").write_text("../../real")
    with pytest.raises(quantmap.ConfigError, match="names no snapshot"):
        quantmap.inspect_checkpoint(cache)


@pytest.mark.parametrize("where", ["text_config", "llm_config"])
def test_text_part(where: str) -> None:
    inner = {**files.CONFIG, "quantization_config": {"quant_method": "awq", "bits": 4}}
    info = quantmap.inspect_checkpoint({"model_type": "outer", where: inner})
    assert info.quantization.kind == "awq" and info.architecture is not None
    assert info.quantization.source == f".{where}/quantization_config"
    assert info.architecture.text_type == "llama" and info.architecture.model_type == "outer"


def test_to_dict_is_json(tmp_path: Path) -> None:
    info = quantmap.inspect_checkpoint(build(tmp_path, files.awq, FORMATS["awq"][1]))
    again = json.loads(json.dumps(info.to_dict()))
    assert again["quantization"]["kind"] == "awq"
    assert again["architecture"]["layers"][0]["kind"] == "full"
    assert list(again) == list(info.printed())
