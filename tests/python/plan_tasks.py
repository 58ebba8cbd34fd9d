"""Small comparison tasks at random: what the fast planner and the slow one are both asked."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from quantmap import _core

from tests.python.support import ALL_ENGINES, ENGINES, FOUR, RELEASES, UNIFIED, document

MOST_POINTS = 100
Task = dict[str, Any]

PRESETS = {
    form: [preset["id"] for preset in _core.presets() if preset["form"] == form]
    for form in ("four_field", "unified")
}
KEYS = {
    form: sorted({field["section"] or field["key"] for field in fields})
    for form, fields in (("four_field", FOUR), ("unified", UNIFIED))
}
FLAGS = {name: document(name, "surface")["flags"] for name in ALL_ENGINES}
# What tasks really hold: several spellings of a flag, and flags that a config derives too.
USUAL: dict[str, list[str]] = {
    "vllm": [
        *("tensor-parallel-size", "tensor_parallel_size", "-tp", "--tensor-parallel-size"),
        *("kv-cache-dtype", "kv_cache_dtype", "quantization", "-q", "dtype", "config"),
        *("gpu-memory-utilization", "max-num-seqs", "enable-prefix-caching", "enforce-eager"),
        *("attention-config", "attention-config.backend", "quantization-config", "swap-space"),
    ],
    "sglang": [
        *("tp-size", "tp_size", "tp", "tensor-parallel-size", "-tp", "kv-cache-dtype", "config"),
        *("kv_cache_dtype", "quantization", "dtype", "attention-backend", "mem-fraction-static"),
        *("schedule-policy", "max-running-requests", "enable-metrics", "schedule-conservativeness"),
        *("moe-runner-backend", "page-size"),
    ],
    "tensorrt_llm": [
        *("tp_size", "tp-size", "extra_llm_api_options", "extra-llm-api-options", "quant-algo"),
        *("kv_cache_free_gpu_memory_fraction", "kv_cache_dtype", "max_batch_size", "backend"),
        *("kv-cache-quant-algo", "config"),
    ],
    "sglang_jax": [
        *("quantization-config-path", "quantization_config_path", "tp-size", "dtype"),
        *("mem-fraction-static", "page-size", "disable-radix-cache"),
    ],
}
STRANGE = ["no-such-flag", "no_such_flag", "x.y"]
ANYTHING = [
    *(None, True, False, 0, 1, 2, "1", "01", "+2", "-0", "2", 0.9, "0.90", 0.5, "5e-1", ".5", "1."),
    *("auto", "fp8", "fp8_e4m3", "bfloat16", "float16", "true", "false", "none", "", " ", "4k"),
    *([], [1], ["2", 3], [[1, 2]], {}, {"a": [1.5]}, 10**30, "1" + "0" * 30, -1, 1.0, 1e22),
]
INVALID = [float("nan"), float("inf"), "a\0b", "x" * 140_000, b"1", [float("nan")], {"a": {1}}]


def defaults_of(engine: str, name: str) -> list[Any]:
    """The values that releases have as default, in several spellings."""
    flag = name if name.startswith("-") else f"--{name}"
    found: list[Any] = []
    for spelling in (flag, "--" + flag[2:].replace("_", "-"), "--" + flag[2:].replace("-", "_")):
        for interval in FLAGS[engine].get(spelling, []):
            value = interval.get("default")
            if isinstance(value, (str, int, float)):
                found += [value, str(value) if isinstance(value, bool) else json.dumps(value)]
            if isinstance(value, str):
                found.append(value)
            if isinstance(value, (int, float)) and not isinstance(value, bool):
                found += [str(value) + ("0" if "." in str(value) else ""), f"+{value}", -value]
            choices = interval.get("choices")
            found += choices[:3] if isinstance(choices, list) else []
    return found


@st.composite
def mostly(draw: st.DrawFn, usual: list[Any], rare: list[Any], odds: int = 12) -> Any:
    """One of the usual things; once in so many times a rare one."""
    return draw(st.sampled_from(usual if draw(st.integers(0, odds)) else rare))


@st.composite
def parameters(draw: st.DrawFn, engine: str) -> dict[str, Any]:
    """Parameters by name; a list is an axis."""
    any_flag = [flag.lstrip("-") for flag in sorted(FLAGS[engine])]
    pool = mostly(USUAL[engine], [*any_flag, *STRANGE * 20], 3)
    out: dict[str, Any] = {}
    for name in draw(st.lists(pool, min_size=draw(st.integers(0, 3)), max_size=4, unique=True)):
        near = defaults_of(engine, name) or [1]
        value = mostly(draw(st.sampled_from([near, ANYTHING])), INVALID, 30)
        out[name] = draw(axis(value))
    return out


def option(field: dict[str, Any]) -> st.SearchStrategy[Any]:
    """A value of a field, mostly a good one."""
    good = list(field["options"])
    if field["kind"] == "boolean":
        good = [True, False]
    elif field["kind"] == "integer":
        good = [1, 2, 4]
    elif field["kind"] == "fraction":
        good = [0.5, 0.75]
    elif not good:
        good = ["a name"]
    bad = ["fp16", "bf16", 3, 9, True, ["auto"], {}, "", 0.5]
    return mostly([*good, None], bad, 30)


def axis(values: st.SearchStrategy[Any], most: int = 4) -> st.SearchStrategy[Any]:
    """One value, or more often a list of some."""
    one = values.filter(lambda value: not isinstance(value, list))
    several = st.lists(values, min_size=2, max_size=most)
    return st.one_of(one, several, st.lists(values, min_size=most, max_size=most))


@st.composite
def fields(draw: st.DrawFn, form: str) -> dict[str, Any]:
    """The fields of one form, most of them left out."""
    out: dict[str, Any] = {}
    if form == "four_field":
        for field in FOUR:
            if draw(st.integers(0, 2)):
                out[field["key"]] = draw(axis(option(field)))
        return out
    for field in draw(st.lists(st.sampled_from(UNIFIED), min_size=1, max_size=4)):
        place = out.setdefault(field["section"], {}) if field["section"] else out
        place[field["key"]] = draw(axis(option(field), 2))
    if "quantization" in out and draw(st.integers(0, 9)):
        method = next(field for field in UNIFIED if field["id"] == "method")
        out["quantization"].setdefault("method", draw(axis(option(method), 2)))
    return out


@st.composite
def configs(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """A config, and presets that stand among the parameters instead."""
    form = draw(st.sampled_from(["four_field", "four_field", "unified"]))
    config = draw(fields(form))
    if draw(st.integers(0, 7)) == 0:  # a key that says nothing, perhaps not of the preset's form
        config.setdefault(draw(st.sampled_from(KEYS[form])), None)
    others = ["nope", None, 3]
    name = mostly(PRESETS[form], [*PRESETS["unified"], *PRESETS["four_field"], *others])
    kind = draw(st.sampled_from(["none", "none", "preset", "preset list", "presets", "parameter"]))
    if kind == "preset":
        config = {"preset": draw(name), **config}
    elif kind == "preset list":
        config = {**config, "preset": draw(st.lists(name, min_size=2, max_size=3))}
    elif kind == "presets":
        config = {"presets": draw(st.lists(name, min_size=1, max_size=4)), **config}
    elif kind == "parameter":
        return config, draw(axis(name, 3))
    return config, None


def trim(value: Any, left: int) -> tuple[Any, int]:
    """The value with its lists cut so that at most `left` points remain; and what is left then."""
    if isinstance(value, list):
        kept = value[: max(1, left)]
        return kept, left // len(kept) if kept else left
    if isinstance(value, dict):
        out = {}
        for key, inner in value.items():
            out[key], left = trim(inner, left)
        return out, left
    return value, left


BENCHMARK = {"num_concurrency": [16, 4], "b": {"z": 1.5, "a": "é"}, "a": None}


@st.composite
def tasks(draw: st.DrawFn) -> tuple[Task, dict[str, Any]]:
    """A task, and the keyword arguments of `quantmap.plan`."""
    engine = draw(st.sampled_from(ALL_ENGINES))
    config, preset = draw(configs())
    given = draw(parameters(engine))
    if preset is not None:
        given = {"quantization_preset": preset, **given}
    config, left = trim(config, MOST_POINTS)
    given, _ = trim(given, left)
    task: Task = {"base_runtime": engine}
    if config or draw(st.booleans()):
        config = {"quantization_config": config} if draw(st.integers(0, 9)) == 9 else config
        task[draw(st.sampled_from(["quant_config", "quantization_config"]))] = config
    if given or draw(st.booleans()):
        task["parameters"] = given
    model = st.sampled_from(
        [None, "org/m", {"id_or_path": "é", "revision": "r1"}, {"name": "n"}, {"id": "i"}]
    )
    task.update(draw(st.sampled_from([{}, {"benchmark": BENCHMARK}, {"task_name": "t"}])))
    if draw(st.booleans()):
        task["model"] = draw(model)
    keywords: dict[str, Any] = {}
    checked = engine not in ENGINES
    if draw(st.integers(0, 2)):
        checked = True
        version = draw(st.sampled_from(RELEASES[engine]))
        how = draw(st.sampled_from(["keyword", "runtime", "tag"]))
        if how == "keyword":
            keywords["engine_version"] = version
        elif how == "runtime":
            task["base_runtime"] = f"{engine}@{version}"
        else:
            task["runtime_image_tag"] = f"v{version}-cu126"
    if checked:
        keywords["policy"] = draw(st.sampled_from(["degrade", "degrade", "strict", "literal"]))
        keywords["gpu"] = draw(st.sampled_from([None, "H100", "7.5", "sm80", "B200"]))
    keywords["model_quantization"] = draw(
        st.sampled_from([None, None, None, "awq", "FP8", "gguf", {"quant_method": "mxfp4"}])
    )
    return task, {key: value for key, value in keywords.items() if value is not None}


@st.composite
def several_engines(draw: st.DrawFn) -> tuple[Task, dict[str, Any]]:
    """A task for several engines and releases, some of them twice."""
    names = draw(st.lists(st.sampled_from(ALL_ENGINES), min_size=1, max_size=3))
    engines = []
    for name in names:
        version = draw(st.sampled_from(["", *RELEASES[name][-3:]]))
        engines.append(f"{name}@{version}" if version else name)
    config, preset = draw(configs())
    given = draw(parameters(names[0]))
    if preset is not None:
        given["quantization_preset"] = preset
    config, left = trim(config, MOST_POINTS // len(engines))
    given, _ = trim(given, left)
    task = {"quant_config": config, "parameters": given, "base_runtime": names[0]}
    return task, {"engines": engines}
