"""The planner against the slow one: the same experiments in the same order, the same accounting."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings

from tests.python.plan_tasks import Task, several_engines, tasks
from tests.python.support import pairs
from tests.reference import plan as reference


def shown(experiment: Any) -> dict[str, Any]:
    """What must be the same of an experiment."""
    return {
        "index": experiment.index,
        "engine": experiment.engine,
        "version": experiment.version,
        "args": pairs(experiment.args),
        "env": experiment.env,
        "files": experiment.files,
        "signature": experiment.signature,
        "points": experiment.points,
        "presets": experiment.presets,
        "configs": experiment.configs,
        "parameters": experiment.parameters,
    }


def agree(task: Task, keywords: dict[str, Any]) -> None:
    """Asserts that both planners say the same."""
    slow = reference.plan(task, **keywords)
    fast = quantmap.plan(task, **keywords)
    skips: dict[tuple[str, str], int] = {}
    for skip in fast.skips:
        skips[skip.code, skip.path] = skips.get((skip.code, skip.path), 0) + skip.count
    assert skips == slow.skips
    accounting = (fast.asked, fast.distinct, fast.merged, fast.skipped)
    assert accounting == (slow.asked, slow.distinct, slow.merged, slow.skipped)
    assert fast.asked == fast.distinct + fast.merged + fast.skipped
    assert [shown(one) for one in fast] == [shown(one) for one in slow.experiments]
    assert sum(one.points for one in fast) == fast.distinct + fast.merged


@settings(max_examples=300, deadline=None)
@given(tasks())
def test_any_small_task(case: tuple[Task, dict[str, Any]]) -> None:
    agree(*case)


@settings(max_examples=60, deadline=None)
@given(several_engines())
def test_several_engines(case: tuple[Task, dict[str, Any]]) -> None:
    agree(*case)


def task(asked: dict[str, Any], engine: str = "sglang", /, **parameters: Any) -> Task:
    """A task; underscores of a parameter's name become dashes."""
    named = {name.replace("_", "-"): value for name, value in parameters.items()}
    return {"base_runtime": engine, "quant_config": asked, "parameters": named}


TWO_CACHES = {"kvcache_dtype": ["fp8", "int8"]}
# Task, keywords; asked, points of each experiment in order, skipped points by cause.
HAND: dict[str, tuple[Task, dict[str, Any], int, list[int], dict[tuple[str, str], int]]] = {
    "nothing asked": (task({}), {}, 1, [1], {}),
    "no axis but one": (task({"gemm_dtype": ["auto", None, "bfloat16"]}), {}, 3, [2, 1], {}),
    "aliases: the last that is given counts": (
        task({}, tp_size=[1, 2], tensor_parallel_size=[None, 2, "2"]),
        {},
        6,
        [1, 5],
        {},
    ),
    "documented: a default makes a difference, a number is its text": (
        task({}, "vllm", gpu_memory_utilization=[0.9, "0.90", None]),
        {},
        3,
        [1, 1, 1],
        {},
    ),
    "checked: a default makes none, a number is a number": (
        task({}, "vllm", gpu_memory_utilization=[0.9, "0.90", None, 0.8, ".80"]),
        {"engine_version": "0.11.0"},
        5,
        [3, 2],
        {},
    ),
    "checked: beside a config file a default counts again": (
        task({}, "vllm", gpu_memory_utilization=[0.9, "0.90", None], config="c.yaml"),
        {"engine_version": "0.11.0"},
        3,
        [2, 1],
        {},
    ),
    "checked: false is nothing": (
        task({}, enable_metrics=[False, None, True, False]),
        {"engine_version": "0.5.2"},
        4,
        [3, 1],
        {},
    ),
    "an override hides what the config asks": (
        task(TWO_CACHES, kv_cache_dtype="auto"),
        {},
        2,
        [2],
        {},
    ),
    "presets, one twice, one unknown": (
        task({"presets": ["default", "kv-cache-fp8", "default", "nope"]}, tp_size=[1, 2]),
        {},
        8,
        [2, 2, 1, 1],
        {("unknown-preset", "$.quant_config.presets[3]"): 2},
    ),
    "the first cause counts": (
        task({"gemm_dtype": ["fp16", "auto"], "moe_dtype": ["auto", "nope"]}, x=["a\0b", "c"]),
        {},
        8,
        [1],
        {
            ("unknown-value", "$.quant_config.gemm_dtype[0]"): 4,
            ("unknown-value", "$.quant_config.moe_dtype[1]"): 2,
            ("nul-character", "$.parameters.x[0]"): 1,
        },
    ),
    "cannot serve": (
        task({"kvcache_dtype": ["auto", "fp8", "fp16"]}, "vllm", x=[1, 2]),
        {"engine_version": "0.33.0", "model_quantization": "gguf"},
        6,
        [],
        {("cannot-serve", "$"): 6},
    ),
    "a unified preset among four fields": (
        task({"presets": ["default", "universal-fp8"], "gemm_dtype": ["auto", "fp8"]}),
        {},
        4,
        [1, 1],
        {("mixed-forms", "$.quant_config.presets[1]"): 2},
    ),
    "the user's own file": (
        task(
            {"kvcache_dtype": ["fp8", "auto"]},
            "tensorrt_llm",
            extra_llm_api_options=[None, "mine.yaml"],
        ),
        {"engine_version": "1.0.0"},
        4,
        [1, 2, 1],
        {},
    ),
    "the same engine twice": (
        task({}, tp_size=[1, 2]),
        {"engines": ["sglang@0.5.2", "vllm@0.11.0", "sglang@v0.5.2"]},
        6,
        [2, 2, 1, 1],
        {},
    ),
}


@pytest.mark.parametrize("name", HAND)
def test_by_hand(name: str) -> None:
    case, keywords, asked, points, skips = HAND[name]
    slow = reference.plan(case, **keywords)
    assert slow.asked == asked and slow.skips == skips
    assert [one.points for one in slow.experiments] == points
    agree(case, keywords)


def test_a_signature_by_hand() -> None:
    case = task({"kvcache_dtype": "fp8_e4m3"}, "vllm", gpu_memory_utilization="0.80", x=True)
    case.update(model={"id_or_path": "org/é"}, benchmark={"b": [1, 2.5], "a": {"d": 1, "c": None}})
    items = [
        '["plan",1,"vllm","0.11.0",{"id":"org/\\u00e9","revision":null},null,'
        '{"a":{"c":null,"d":1},"b":[1,2.5]}]',
        '["arg","--kv-cache-dtype","fp8_e4m3"]',
        '["arg","--gpu-memory-utilization","0.8"]',
        '["arg","--x",true]',
    ]
    total = sum(int(hashlib.sha256(item.encode()).hexdigest()[:32], 16) for item in items)
    (only,) = reference.plan(case, engine_version="0.11.0").experiments
    assert only.signature == f"{total % 2**128:032x}"
    agree(case, {"engine_version": "0.11.0"})
