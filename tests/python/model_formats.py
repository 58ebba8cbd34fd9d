"""Every format: how its layers are stored, what its files say, and what should be read of it."""

from __future__ import annotations

from typing import Any

from tests.python import model_files as files


def group(weights: dict[str, Any], activations: dict[str, Any] | None = None) -> dict[str, Any]:
    """A group of compressed-tensors."""
    return {"targets": ["Linear"], "weights": weights, "input_activations": activations}


def compressed(
    format: str, weights: dict[str, Any], activations: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A quantization_config of compressed-tensors."""
    groups = {"group_0": group(weights, activations)}
    return {
        "quant_method": "compressed-tensors",
        "format": format,
        "config_groups": groups,
        "ignore": ["lm_head"],
        **more,
    }


def weight(bits: int, type: str, strategy: str, **more: Any) -> dict[str, Any]:
    """One side of a group."""
    return {"num_bits": bits, "type": type, "strategy": strategy, "symmetric": True, **more}


FP8_KV = {"num_bits": 8, "type": "float", "strategy": "tensor"}
MODELOPT = {"producer": {"name": "modelopt", "version": "0.40"}}
# name → linear layers, quantization_config, other files, kind, first scheme, KV dtype
FORMATS: dict[str, tuple[Any, ...]] = {
    "plain": (files.whole, None, {}, "unquantized", None, None),
    "awq": (
        files.awq,
        {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm"},
        {},
        "awq",
        "W4A16 int, groups of 32",
        None,
    ),
    "gptq": (
        files.gptq,
        {"quant_method": "gptq", "bits": 4, "group_size": 32, "sym": True, "desc_act": False},
        {},
        "gptq",
        "W4A16 int, groups of 32",
        None,
    ),
    "gptq-8bit": (
        files.gptq8,
        {"quant_method": "gptq", "bits": 8, "group_size": -1, "sym": True},
        {},
        "gptq",
        "W8A16 int, per channel",
        None,
    ),
    "marlin": (
        files.gptq,
        {"quant_method": "gptq", "bits": 4, "group_size": 32, "checkpoint_format": "marlin"},
        {},
        "gptq",
        "W4A16 int, groups of 32",
        None,
    ),
    "fp8": (
        files.fp8,
        {"quant_method": "fp8", "activation_scheme": "static"},
        {},
        "fp8",
        "W8A8 float",
        None,
    ),
    "fp8-blocks": (
        files.fp8_blocks,
        {"quant_method": "fp8", "weight_block_size": [128, 128], "activation_scheme": "dynamic"},
        {},
        "fp8",
        "W8A8 float, blocks of 128x128",
        None,
    ),
    "ct-fp8": (
        files.fp8,
        compressed(
            "float-quantized",
            weight(8, "float", "channel"),
            weight(8, "float", "token", dynamic=True),
            kv_cache_scheme=FP8_KV,
        ),
        {},
        "compressed_tensors",
        "W8A8 float, per channel",
        "fp8",
    ),
    "ct-int8": (
        files.int8,
        compressed(
            "int-quantized",
            weight(8, "int", "channel"),
            weight(8, "int", "token", dynamic=True),
        ),
        {},
        "compressed_tensors",
        "W8A8 int, per channel",
        None,
    ),
    "ct-w4a16": (
        files.packed,
        compressed("pack-quantized", weight(4, "int", "group", group_size=32)),
        {},
        "compressed_tensors",
        "W4A16 int, groups of 32",
        None,
    ),
    "ct-w4a8": (
        files.packed,
        compressed(
            "pack-quantized",
            weight(4, "int", "group", group_size=32),
            weight(8, "float", "token", dynamic=True),
        ),
        {},
        "compressed_tensors",
        "W4A8 int, groups of 32",
        None,
    ),
    "ct-nvfp4": (
        files.nvfp4_packed,
        compressed(
            "nvfp4-pack-quantized",
            weight(4, "float", "tensor_group", group_size=16),
            weight(4, "float", "tensor_group", group_size=16, dynamic="local"),
        ),
        {},
        "compressed_tensors",
        "W4A4 float, groups of 16",
        None,
    ),
    "modelopt-fp8": (
        files.fp8,
        None,
        {
            "hf_quant_config.json": {
                **MODELOPT,
                "quantization": {
                    "quant_algo": "FP8",
                    "kv_cache_quant_algo": "FP8",
                    "exclude_modules": ["lm_head"],
                },
            }
        },
        "modelopt_fp8",
        "W8A8 float",
        "fp8",
    ),
    "modelopt-nvfp4": (
        files.nvfp4,
        None,
        {
            "hf_quant_config.json": {
                **MODELOPT,
                "quantization": {"quant_algo": "NVFP4", "group_size": 16},
            }
        },
        "nvfp4",
        "W4A4 nvfp4, groups of 16",
        None,
    ),
    "modelopt-mixed": (
        files.nvfp4,
        {
            **MODELOPT,
            "quant_method": "modelopt",
            "quant_algo": "MIXED_PRECISION",
            "quantized_layers": {"model.layers.0.mlp.up_proj": {"quant_algo": "NVFP4"}},
        },
        {},
        "other",
        None,
        None,
    ),
    "modelopt-mxfp8": (
        files.fp8,
        {**MODELOPT, "quant_method": "modelopt", "quant_algo": "MXFP8"},
        {},
        "other",
        "W8A8 mxfp8, groups of 32",
        None,
    ),
    "bitsandbytes": (
        files.bnb,
        {"quant_method": "bitsandbytes", "load_in_4bit": True, "bnb_4bit_quant_type": "nf4"},
        {},
        "bitsandbytes",
        "W4A16 nf4",
        None,
    ),
    "auto-round": (
        files.gptq,
        {
            "quant_method": "auto-round",
            "bits": 4,
            "group_size": 32,
            "sym": True,
            "packing_format": "auto_round:auto_gptq",
        },
        {},
        "auto_round",
        "W4A16 int, groups of 32",
        None,
    ),
    "quark": (
        files.fp8,
        {
            "quant_method": "quark",
            "global_quant_config": {
                "weight": {"dtype": "fp8_e4m3", "qscheme": "per_tensor"},
                "input_tensors": {"dtype": "fp8_e4m3", "is_dynamic": False},
            },
            "exclude": ["lm_head"],
        },
        {},
        "other",
        "W8A8 float",
        None,
    ),
    "torchao": (
        files.int8,
        {
            "quant_method": "torchao",
            "quant_type": {"default": {"_type": "Int8WeightOnlyConfig", "_data": {}}},
        },
        {},
        "other",
        "W8A16 int",
        None,
    ),
    "hqq": (
        files.hqq,
        {
            "quant_method": "hqq",
            "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}},
        },
        {},
        "other",
        "W4A16 int, groups of 64",
        None,
    ),
}
