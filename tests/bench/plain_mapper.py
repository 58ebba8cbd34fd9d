"""Two yardsticks for the benchmark, in plain Python.

``plain_get_runtime_args`` is the mapper a careful person would write by hand: it checks every
field, maps four fields for three engines and normalises user parameters. ``floor_get_runtime_args``
knows the answer already and only has to add the user parameters: no mapper in Python is faster.

Neither is imported by anything but the benchmark and its check.
"""

from __future__ import annotations

import json
import logging
import math
from typing import Any

logger = logging.getLogger("plain_mapper")

GEMM = ["auto", "float16", "bfloat16", "float32", "fp8", "int8"]
KVCACHE = ["auto", "fp16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "int8", "int4"]
ATTENTION = ["auto", "float16", "bfloat16", "fp8", "fp8_e5m2", "fp8_e4m3", "fp8_block"]
MOE = ["auto", "float16", "bfloat16", "fp8", "w4afp8", "mxfp4", "int8"]
FIELDS = ["gemm_dtype", "kvcache_dtype", "attention_dtype", "moe_dtype"]


def is_quantized(model_quantization: Any) -> bool:
    """Say whether the model's weights are quantized already."""
    if isinstance(model_quantization, dict):
        model_quantization = model_quantization.get("quant_method")
    if not isinstance(model_quantization, str):
        return False
    return model_quantization.lower() not in ["", "none", "auto", "unquantized"]


def check(config: dict[str, Any], key: str, allowed: list) -> str:
    """Return the value of one field, ``auto`` when it is left out."""
    value = config.get(key)
    if value is None:
        return "auto"
    if value not in allowed:
        raise ValueError(f"{key}: {value!r} is not one of {', '.join(allowed)}")
    return value


def map_sglang(
    gemm: str, kvcache: str, attention: str, moe: str, quantized: bool
) -> dict[str, Any]:
    args: dict[str, Any] = {}
    if quantized and gemm != "auto":
        logger.warning("Ignoring gemm_dtype=%r", gemm)
        args["--dtype"] = "auto"
    elif gemm in ["fp8", "int8"]:
        args["--quantization"] = gemm
        args["--dtype"] = "auto"
    else:
        args["--dtype"] = gemm
    if kvcache == "int4":
        logger.warning("KV cache dtype %r falls back to 'auto'", kvcache)
        kvcache = "auto"
    elif kvcache == "int8":
        logger.warning("KV cache dtype %r has limited support", kvcache)
    args["--kv-cache-dtype"] = kvcache
    if attention in ["fp8", "fp8_e5m2", "fp8_e4m3"]:
        args["--attention-backend"] = "flashinfer"
    elif attention == "fp8_block":
        logger.warning("Attention dtype %r is not supported", attention)
    if moe == "fp8":
        args["--moe-runner-backend"] = "flashinfer_cutlass"
    elif moe in ["w4afp8", "mxfp4"]:
        if not quantized:
            args["--quantization"] = moe
        args["--moe-runner-backend"] = "flashinfer_mxfp4"
    elif moe == "int8":
        logger.warning("MoE dtype %r is not supported", moe)
    return args


def map_vllm(gemm: str, kvcache: str, attention: str, moe: str, quantized: bool) -> dict[str, Any]:
    args: dict[str, Any] = {}
    if quantized and gemm != "auto":
        logger.warning("Ignoring gemm_dtype=%r", gemm)
        args["--dtype"] = "auto"
    elif gemm in ["fp8", "int8"]:
        args["--quantization"] = gemm
        args["--dtype"] = "auto"
    else:
        args["--dtype"] = gemm
    if kvcache == "int4":
        logger.warning("KV cache dtype %r falls back to 'auto'", kvcache)
        kvcache = "auto"
    args["--kv-cache-dtype"] = kvcache
    if attention != "auto" and (quantized or attention != gemm):
        logger.warning("Attention dtype %r falls back to %r", attention, gemm)
    if moe != "auto" and (quantized or moe != gemm):
        logger.warning("MoE dtype %r falls back to %r", moe, gemm)
    return args


def map_tensorrt_llm(
    gemm: str, kvcache: str, attention: str, moe: str, quantized: bool
) -> dict[str, Any]:
    args: dict[str, Any] = {}
    if quantized and gemm != "auto":
        logger.warning("Ignoring gemm_dtype=%r", gemm)
    elif gemm == "fp8":
        args["--quant-algo"] = "FP8"
    elif gemm == "int8":
        args["--quant-algo"] = "INT8"
    elif gemm == "float32":
        logger.warning("GEMM dtype %r is not supported", gemm)
    if kvcache in ["fp8", "fp8_e5m2", "fp8_e4m3"]:
        args["--kv-cache-quant-algo"] = "FP8"
    elif kvcache == "int8":
        args["--kv-cache-quant-algo"] = "INT8"
    elif kvcache == "int4":
        args["--kv-cache-quant-algo"] = "INT4"
    elif kvcache == "bfloat16":
        logger.warning("KV cache dtype %r is not supported", kvcache)
    if quantized:
        if attention != "auto":
            logger.warning("Attention dtype %r follows the model", attention)
    elif attention in ["fp8", "fp8_e5m2", "fp8_e4m3"]:
        args["--fmha-quant-algo"] = "FP8"
    elif attention == "fp8_block":
        args["--fmha-quant-algo"] = "FP8_BLOCK"
    if moe != "auto" and (quantized or moe != gemm):
        logger.warning("MoE dtype %r falls back to %r", moe, gemm)
    return args


def plain_value(value: Any) -> Any:
    """Normalise one user value; ``None`` means: leave it out."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (str, int)):
        return str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ValueError(f"{value!r} is not a finite number")
        return str(value)
    if isinstance(value, (list, tuple)):
        if not value:
            return None
        if isinstance(value[0], (list, tuple)):
            return json.dumps(value, separators=(",", ":"), allow_nan=False)
        return plain_value(value[0])
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), allow_nan=False)
    raise ValueError(f"a parameter cannot be a {type(value).__name__}")


def plain_get_runtime_args(
    runtime: str,
    quant_config: dict[str, Any] | None,
    user_parameters: dict[str, Any] | None = None,
    model_quantization: Any = None,
) -> dict[str, Any]:
    """Check and map four fields, then add the user parameters."""
    config = quant_config or {}
    for key in config:
        if key not in FIELDS:
            raise ValueError(f"unknown key {key!r}")
    gemm = check(config, "gemm_dtype", GEMM)
    kvcache = check(config, "kvcache_dtype", KVCACHE)
    attention = check(config, "attention_dtype", ATTENTION)
    moe = check(config, "moe_dtype", MOE)
    quantized = model_quantization is not None and is_quantized(model_quantization)
    if runtime == "vllm":
        args = map_vllm(gemm, kvcache, attention, moe, quantized)
    elif runtime == "sglang":
        args = map_sglang(gemm, kvcache, attention, moe, quantized)
    elif runtime == "tensorrt_llm":
        args = map_tensorrt_llm(gemm, kvcache, attention, moe, quantized)
    else:
        raise ValueError(f"unknown engine {runtime!r}")
    if user_parameters:
        for key, value in user_parameters.items():
            flag = key if key.startswith("-") else "--" + key
            value = plain_value(value)
            if value is None:
                continue
            if flag not in args:
                spelled = "--" + flag.lstrip("-").replace("_", "-")
                if spelled in args:
                    flag = spelled
            args[flag] = value
    return args


def floor_get_runtime_args(
    runtime: str,
    quant_config: dict[str, Any] | None,
    user_parameters: dict[str, Any] | None = None,
    model_quantization: Any = None,
) -> dict[str, Any]:
    """Return the known answer for the benchmark's config plus ``str()`` of each user value."""
    args: dict[str, Any] = {
        "--quantization": "fp8",
        "--dtype": "auto",
        "--kv-cache-dtype": "fp8_e5m2",
        "--attention-backend": "flashinfer",
    }
    if user_parameters:
        for key, value in user_parameters.items():
            args["--" + key] = str(value)
    return args
