"""What provokes the diagnostics of checked mode, as independent of single rows as can be."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import quantmap
from quantmap.hardware import local_gpu

from tests.python.support import ALL_ENGINES, FOUR, RELEASES, document

Told = Callable[[], list[quantmap.Diagnostic]]


def launch(*arguments: Any, **keywords: Any) -> Told:
    """The errors, else the warnings and notes, of a launch."""

    def run() -> list[quantmap.Diagnostic]:
        try:
            return quantmap.explain(*arguments, **keywords).diagnostics
        except quantmap.ConfigError as error:
            return error.diagnostics

    return run


def check(*arguments: Any, **keywords: Any) -> Told:
    """The errors of reading a launch line."""

    def run() -> list[quantmap.Diagnostic]:
        try:
            return quantmap.check(*arguments, **keywords).notes
        except quantmap.ConfigError as error:
            return error.diagnostics

    return run


# Conditions of a rule beside its release and values.
GROUND = {"gpu", "checkpoint", "model", "has", "lacks", "scheme", "model_dtype", "declared_kv"}


def refused(stage: str) -> Iterator[Told]:
    """Launches with user parameters that a rule of the catalogue refuses at this stage."""
    for engine in ALL_ENGINES:
        checked = document(engine, "checked")
        flags = {
            target: routes[0]["flag"]
            for target, routes in checked["targets"].items()
            if routes and "flag" in routes[0] and "at" not in routes[0]
        }
        for rule in checked["rules"]:
            if rule["stage"] != stage or rule.keys() & GROUND:
                continue
            if any(isinstance(values, dict) for values in rule["refuse"].values()):
                continue
            terms = {flags.get(target, ""): values[0] for target, values in rule["refuse"].items()}
            if terms and "" not in terms and "" not in terms.values():
                version = rule.get("since", RELEASES[engine][0])
                yield launch(engine, None, terms, engine_version=version)


def every_field() -> Iterator[Told]:
    """Each option of each four-field field alone, over engines and their first and last release."""
    for engine in ALL_ENGINES:
        for version in (RELEASES[engine][0], RELEASES[engine][-1]):
            for field in FOUR:
                for option in field["options"]:
                    yield launch(engine, {field["key"]: option}, engine_version=version)


def mappings() -> Iterator[quantmap.Mapping]:
    """Each option of each four-field field alone, on plain and on FP8 models; FP8 attention."""
    fp8 = {"kvcache_dtype": "fp8", "attention_dtype": "fp8"}
    yield quantmap.explain("vllm", fp8, engine_version="0.20.1", gpu="sm90")
    for engine in ALL_ENGINES:
        for field in FOUR:
            for option in field["options"]:
                for model in (None, "fp8"):
                    config = {field["key"]: option}
                    yield quantmap.explain(engine, config, None, model, engine_version="latest")


def first(code: str, launches: Iterator[Told]) -> Told:
    """What the first of these launches tells that has this code at all."""

    def run() -> list[quantmap.Diagnostic]:
        answers = (told() for told in launches)
        return next((out for out in answers if code in {item.code for item in out}), [])

    return run


def between() -> str:
    """A version between two releases of vLLM."""
    return f"{RELEASES['vllm'][0]}.post99"


SHAPE = {
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 100,
}


def fit(**keywords: Any) -> Told:
    """The errors, else the warnings, of an estimate."""

    def run() -> list[quantmap.Diagnostic]:
        try:
            return quantmap.estimate(keywords.pop("checkpoint", SHAPE), **keywords).diagnostics
        except quantmap.ConfigError as error:
            return error.diagnostics

    return run


def without_gpu() -> list[quantmap.Diagnostic]:
    """What a machine without NVIDIA's tools says of its GPU."""
    local_gpu.cache_clear()
    with mock.patch.dict("sys.modules", pynvml=None), mock.patch.dict("os.environ", PATH="/none"):
        return launch("vllm@latest", gpu="local")()


PROVOKED: dict[str, Told] = {
    "not-separate": launch("vllm@0.20.1", {"gemm_dtype": "bfloat16", "moe_dtype": "float16"}),
    "not-a-version": launch("vllm", engine_version="half past nine"),
    "version-too-old": launch("vllm", engine_version="0.0.1"),
    "unknown-gpu": launch("vllm", engine_version="latest", gpu="H1000"),
    "not-an-nvidia-gpu": launch("vllm", engine_version="latest", gpu="MI300X"),
    "no-local-gpu": without_gpu,
    "gpu-memory-unknown": fit(gpu="sm90"),
    "model-shape-unknown": fit(checkpoint={}),
    "uneven-parallelism": fit(tp=3),
    "gpus-differ": launch(
        "vllm@latest", gpu={"name": "NVIDIA L4", "capability": "8.9", "others": ["NVIDIA H100"]}
    ),
    "refused-by-policy": launch("sglang@0.5.6", {"kvcache_dtype": "int4"}, policy="strict"),
    "needs-version": launch("vllm", gpu="H100", policy="strict"),
    "cannot-serve": launch("sglang@latest", gpu="sm60"),
    "needs-another-argument": check(
        "vllm serve m",
        engine_version="0.11.0",
        gpu="A100",
        checkpoint={
            "model_type": "llama",
            "torch_dtype": "bfloat16",
            "hidden_size": 4096,
            "num_attention_heads": 32,
            "num_hidden_layers": 2,
            "quantization_config": {"quant_method": "gptq", "bits": 4, "sym": False},
        },
    ),
    "argument-unknown": launch("vllm@latest", None, {"kv-cache-dtyp-no": 1}),
    "value-not-accepted": launch("sglang@latest", None, {"kv-cache-dtype": "fp17"}),
    "refused-at-start": first("refused-at-start", refused("start")),
    "fails-later": first("fails-later", refused("run")),
    "image-tag-not-read": check("docker run vllm/vllm-openai:nightly --model m"),
    "may-not-serve": check("trtllm-serve m", engine_version="latest", gpu="V100"),
    "invalid-command": check("vllm serve 'm"),
    "unknown-launcher": check("ls -l"),
    "other-launcher": check("vllm serve m", "sglang"),
    "version-newer": launch("vllm@999.0"),
    "unreadable-image-tag": launch("vllm", runtime_image_tag="nightly-abc"),
    "degraded": first("degraded", every_field()),
    "dropped": first("dropped", every_field()),
    "file-replaced": launch(
        "sglang_jax@latest",
        {"gemm_dtype": "int8", "moe_dtype": "fp8"},
        {"quantization-config-path": "mine.yaml"},
    ),
}
# Notes: told beside a mapping, never logged.
NOTES: dict[str, Told] = {
    "newest-release": check("vllm serve m"),
    "version-between": launch("vllm", engine_version=between()),
    "release-not-verified": first(
        "release-not-verified", (launch(engine, engine_version="latest") for engine in ALL_ENGINES)
    ),
    "checkpoint-not-given": launch("vllm@latest"),
    "depends-on-gpu": first("depends-on-gpu", every_field()),
}
DECISIONS = ("renamed", "follows-checkpoint", "follows-setting")
LOGGED = {"needs-explain": ("tensorrt_llm@1.0.0", {"kvcache_dtype": "fp8"})}
