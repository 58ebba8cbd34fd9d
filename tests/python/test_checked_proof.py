"""No field that was asked ends at another precision in silence, by a table of its own.

The table below says what each emitted value stores or computes in. It was written from the engines'
documentation; a mapping whose outcome is ``applied`` or ``renamed`` must deliver, by this table,
what was asked. Every other outcome says by itself that something else happened.
"""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

import pytest
import quantmap
import yaml

from tests.python.support import FIELDS, FOUR

RELEASES = {
    "vllm": ["0.6.0", "0.6.6", "0.8.5", "0.10.2", "0.11.0", "0.14.1", "0.18.0", "0.20.1", "latest"],
    "sglang": ["0.4.0", "0.4.6", "0.5.2", "0.5.4", "0.5.6", "0.5.18", "latest"],
    "tensorrt_llm": ["0.18.2", "0.20.0", "1.0.0", "1.2.1", "latest"],
    "sglang_jax": ["0.0.2", "latest"],
}
PLACES: list[tuple[str | None, str | None]] = [
    (None, None),
    (None, "sm75"),
    (None, "sm80"),
    (None, "sm90"),
    (None, "sm100"),
    ("fp8", None),
    ("awq", "sm90"),
    ("compressed-tensors", "sm89"),
    ("modelopt_fp4", "sm100"),
]
# What a spelling means, as (bits, format). A kind without a format takes every format of its width.
ASKED = {
    "float16": (16, "fp16"),
    "fp16": (16, "fp16"),
    "bfloat16": (16, "bf16"),
    "float32": (32, "fp32"),
    "fp8": (8, "float"),
    "fp8_e4m3": (8, "e4m3"),
    "fp8_e5m2": (8, "e5m2"),
    "fp8_block": (8, "block"),
    "int8": (8, "int"),
    "int4": (4, "int"),
    "fp4_e2m1": (4, "float"),
    "mxfp4": (4, "mx"),
    "w4afp8": (4, "w4afp8"),
    "moe_wna16": (4, "int"),
    "bitsandbytes": (4, "nf4"),
}
KV = {
    "fp8": (8, "e4m3"),
    "fp8_e4m3": (8, "e4m3"),
    "fp8_e5m2": (8, "e5m2"),
    "float16": (16, "fp16"),
    "bfloat16": (16, "bf16"),
    "bf16": (16, "bf16"),
    "int8_per_token_head": (8, "int"),
    "int4_per_token_head": (4, "int"),
    "nvfp4": (4, "float"),
    "fp4_mx_block16": (4, "float"),
    "fp4_e2m1": (4, "float"),
}
DTYPE = {
    "float16": (16, "fp16"),
    "half": (16, "fp16"),
    "bfloat16": (16, "bf16"),
    "float32": (32, "fp32"),
}
FP8 = (8, "e4m3")
# --quantization on an unquantized model: linear layers and experts; None: as --dtype says.
METHOD: dict[str, tuple[Any, Any]] = {
    "fp8": (FP8, FP8),
    "w8a8_fp8": (FP8, FP8),
    "fp8_per_channel": (FP8, FP8),
    "bitsandbytes": ((4, "nf4"), (4, "nf4")),
    "experts_int8": (None, (8, "int")),
    "mxfp4": (None, (4, "mx")),
}
# Values of the JSON in --quantization-config, by part.
CONFIG = {
    "fp8_per_tensor": FP8,
    "fp8_per_channel": FP8,
    "int8_per_channel_weight_only": (8, "int"),
    "mxfp4": (4, "mx"),
}
JAX = {"float8_e4m3fn": FP8, "int8": (8, "int"), None: None}
JAX_FILES = {
    "fp8.yaml": ("float8_e4m3fn", None),
    "fp8_w8a8.yaml": ("float8_e4m3fn", "float8_e4m3fn"),
    "int8.yaml": ("int8", None),
    "int8_w8a8.yaml": ("int8", "int8"),
}
FP8_ATTENTION = {"fa3", "trtllm_mha", "trtllm_mla", "FLASH_ATTN"}
DELIVERED = {"applied", "renamed"}
KINDS = {"fp8": (8, "e4m3"), "awq": (4, "int"), "modelopt_fp4": (4, "float")}


def fits(asked: tuple[int, str], got: tuple[int, str] | None) -> bool:
    """Whether what is delivered is what was asked."""
    if got is None:
        return False
    if asked == (8, "float"):
        return got in ((8, "e4m3"), (8, "e5m2"))
    return got == asked


def jax_file(mapping: quantmap.Mapping) -> dict[str, Any]:
    """The rules file of a launch, by name or by content."""
    name = mapping.args.get("--quantization-config-path")
    if name is None:
        return {"linear": None, "moe": None}
    if name in mapping.files:
        data = yaml.safe_load(mapping.files[str(name)])["quantization"]
        rule = data["linear"]["rules"][0]
        everywhere = rule["module_path"] == ".*"
        assert everywhere or rule["module_path"] == "(?!)"
        linear = rule["weight_dtype"] if everywhere else None
        return {"linear": JAX[linear], "moe": JAX[data["moe"]["weight_dtype"]]}
    weights = JAX[JAX_FILES[str(name).rsplit("/", 1)[-1]][0]]
    return {"linear": weights, "moe": weights}


def delivered(mapping: quantmap.Mapping) -> dict[str, Any]:
    """What GEMM, KV cache and experts are set to by the launch; None is "as the model says"."""
    args = mapping.args
    dtype = DTYPE.get(str(args.get("--dtype", "auto")))
    if mapping.engine == "sglang" and mapping.gpu in ("sm70", "sm75"):
        dtype = DTYPE["float16"]  # below SM80 its model runner overrides every dtype
    if mapping.engine == "tensorrt_llm":
        kv = args.get("--kv_cache_dtype")
        for text in mapping.files.values():
            kv = yaml.safe_load(text)["kv_cache_config"]["dtype"]
        return {"gemm": None, "kv": KV.get(str(kv)), "moe": None}
    if mapping.engine == "sglang_jax":
        rules = jax_file(mapping)
        kv = KV.get(str(args.get("--kv-cache-dtype")))
        return {"gemm": rules["linear"] or dtype, "kv": kv, "moe": rules["moe"] or dtype}
    gemm, moe = None, None
    method = args.get("--quantization")
    if method == "online":
        config = json.loads(str(args["--quantization-config"]))
        gemm = CONFIG[config["linear"]] if "linear" in config else None
        moe = CONFIG[config["moe"]] if "moe" in config else None
    elif method is not None:
        gemm, moe = METHOD[str(method)]
    # A cache left to the engine has the model's dtype.
    kv = KV.get(str(args.get("--kv-cache-dtype", "auto")), dtype)
    return {"gemm": gemm or dtype, "kv": kv, "moe": moe or dtype}


def wrong(mapping: quantmap.Mapping, kind: str | None) -> list[str]:
    """Fields that say they were delivered, and were not."""
    got = delivered(mapping)
    places = {
        "gemm_dtype": "gemm",
        "kvcache_dtype": "kv",
        "moe_dtype": "moe",
        "quantization.method": "gemm",
        "kv_cache.dtype": "kv",
        "moe.quantization": "moe",
    }
    out = []
    for decision in mapping.decisions:
        asked = ASKED.get(decision.asked)
        if asked is None or not decision.given or decision.outcome not in DELIVERED:
            continue
        if decision.code == "follows-checkpoint":
            if kind in KINDS and not fits(asked, KINDS[kind]):
                out.append(f"{decision.field}={decision.asked} is not what {kind} has")
            continue
        if decision.code == "same-as-gemm":
            if mapping.config["gemm_dtype"] != decision.asked:
                out.append(f"{decision.field}={decision.asked} is not what gemm_dtype asks")
            continue
        if decision.code.startswith("follows-"):
            continue
        if decision.field in ("attention_dtype",):
            backend = mapping.args.get("--attention-backend")
            # FP8 compute needs an FP8 e4m3 cache and a backend that computes in it.
            over = got["kv"] == FP8
            in_fp8 = over and backend in FP8_ATTENTION
            by_itself = over and mapping.engine == "vllm" and mapping.gpu in ("sm90", "sm100")
            if in_fp8 != (asked[0] == 8) or (asked[0] == 16 and by_itself):
                out.append(f"attention_dtype={decision.asked} with {backend} over {got['kv']}")
            continue
        if decision.field == "dtype":
            if DTYPE.get(str(mapping.args.get("--dtype"))) != asked:
                out.append(f"dtype={decision.asked}")
            continue
        place = places.get(decision.field)
        part = got[place] if place else None
        if decision.field == "quantization.method" and decision.asked == "mxfp4":
            part = got["moe"]
        if place and not fits(asked, part):
            out.append(f"{decision.field}={decision.asked} ended at {part}: {mapping.args}")
    return out


def four_field(seed: int, count: int) -> list[dict[str, Any]]:
    """A sample of the combinations, the same for the same seed."""
    keys = [field["key"] for field in FOUR]
    every = [dict(zip(keys, v)) for v in itertools.product(*(f["options"] for f in FOUR))]
    return random.Random(seed).sample(every, count)


def unified() -> list[dict[str, Any]]:
    """Every method with every KV dtype; every expert setting beside a few methods."""
    out: list[dict[str, Any]] = []
    for method in FIELDS["method"]["options"]:
        for kv in FIELDS["kv_dtype"]["options"]:
            config = {"quantization": {"method": method}, "kv_cache": {"dtype": kv}}
            out.append({**config, "dtype": "bfloat16"} if method == "none" else config)
    for method in ("none", "fp8", "awq"):
        for moe in FIELDS["moe_quantization"]["options"]:
            out.append({"quantization": {"method": method}, "moe": {"quantization": moe}})
    return out


@pytest.mark.parametrize("form", ["four_field", "unified"])
@pytest.mark.parametrize("engine", RELEASES)
def test_nothing_asked_is_lost_in_silence(engine: str, form: str) -> None:
    found: dict[str, str] = {}
    delivered_some = 0
    for number, release in enumerate(RELEASES[engine]):
        configs = four_field(number, 300) if form == "four_field" else unified()
        for (kind, gpu), config in itertools.product(PLACES, configs):
            mapping = quantmap.explain(engine, config, None, kind, engine_version=release, gpu=gpu)
            delivered_some += any(d.given and d.outcome in DELIVERED for d in mapping.decisions)
            for problem in wrong(mapping, kind):
                found.setdefault(problem.split(":")[0], f"{release} {kind} {gpu} {config}")
    assert not found, found
    assert delivered_some > 100


def test_the_table_would_notice() -> None:
    mapping = quantmap.explain("vllm", {"kvcache_dtype": "fp8_e5m2"}, engine_version="0.10.2")
    told = [
        one.replace(outcome="applied", code="applied") if one.field == "kvcache_dtype" else one
        for one in mapping.decisions
    ]
    mapping = mapping.replace(decisions=told)
    mapping.args["--kv-cache-dtype"] = "auto"
    assert wrong(mapping, None)
    mapping.args["--kv-cache-dtype"] = "fp8_e5m2"
    assert not wrong(mapping, None)
