"""diff: what changes for a config between two releases; policies and parameters on the way."""

from __future__ import annotations

import logging

import pytest
import quantmap
from quantmap import _core

PARTS = ("arguments", "environment", "files", "outcomes", "precision", "refusals")


def test_a_changed_name() -> None:
    changes = quantmap.diff({"kvcache_dtype": "bfloat16"}, "sglang", "0.5.2", "0.5.6")
    assert (changes["engine"], changes["from"], changes["to"]) == ("sglang", "0.5.2", "0.5.6")
    assert changes["arguments"] == {"--kv-cache-dtype": ["auto", "bf16"]}
    assert changes["outcomes"]["kvcache_dtype"][1] == "renamed"


def test_changes_are_a_result() -> None:
    changes = quantmap.diff({"kvcache_dtype": "bfloat16"}, "sglang", "0.5.2", "0.5.6")
    assert (changes.before, changes.after) == ("0.5.2", "0.5.6")
    data = changes.to_dict()
    assert list(data)[:3] == ["engine", "from", "to"]
    assert {name: changes[name] for name in data} == data
    with pytest.raises(KeyError):
        changes["before"]
    line = quantmap.diff_command("vllm serve m --moe-backend auto", "0.11.0", "0.20.1")
    assert line["verdicts"] == line.verdicts == line.to_dict()["verdicts"]


def test_nothing_changes_between_a_release_and_itself() -> None:
    for engine in ("vllm", "sglang", "tensorrt_llm", "sglang_jax"):
        newest = _core.releases(engine)[-1]["version"]
        changes = quantmap.diff({"preset": "dynamic-fp8"}, engine, newest, "latest")
        assert all(changes[part] == {} for part in PARTS)


def test_both_directions_mirror() -> None:
    there = quantmap.diff({"preset": "dynamic-fp8"}, "vllm", "0.6.6", "latest", gpu="H100")
    back = quantmap.diff({"preset": "dynamic-fp8"}, "vllm", "latest", "0.6.6", gpu="H100")
    for part in PARTS:
        assert {k: v[::-1] for k, v in there[part].items()} == back[part]
    assert any(there[part] for part in PARTS)


def test_a_users_flag_that_goes_away() -> None:
    changes = quantmap.diff(
        {}, "vllm", "0.10.2", "latest", user_parameters={"guided-decoding-backend": "auto"}
    )
    before, after = next(iter(changes["refusals"].values()))
    assert before is None
    assert "removed in" in after


def test_strict_refuses_what_degrades() -> None:
    config = {"kvcache_dtype": "int4"}
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.explain("sglang", config, engine_version="0.5.2", policy="strict")
    (problem,) = caught.value.diagnostics
    assert (problem.code, problem.path) == ("refused-by-policy", "$.kvcache_dtype")


def test_strict_takes_a_renaming() -> None:
    mapping = quantmap.explain(
        "sglang", {"kvcache_dtype": "bfloat16"}, engine_version="0.5.6", policy="strict"
    )
    assert mapping.args["--kv-cache-dtype"] == "bf16"


def test_strict_refuses_a_users_mistake() -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.explain("vllm", {}, {"no-such-flag": 1}, engine_version="0.11.0", policy="strict")
    assert [d.code for d in caught.value.diagnostics] == ["refused-by-policy"]


@pytest.mark.parametrize("field", ["moe", "kv_cache"])
def test_strict_refuses_what_is_lost_in_the_unified_form(field: str) -> None:
    configs = {
        "moe": {"moe": {"quantization": "fp8"}},
        "kv_cache": {"kv_cache": {"dtype": "fp4_e2m1"}},
    }
    mapping = quantmap.explain("tensorrt_llm", configs[field], engine_version="1.0.0", gpu="sm80")
    assert {d.outcome for d in mapping.decisions if d.given} <= {"dropped", "degraded"}
    with pytest.raises(quantmap.ConfigError):
        quantmap.explain(
            "tensorrt_llm", configs[field], engine_version="1.0.0", gpu="sm80", policy="strict"
        )


@pytest.mark.parametrize("engine", ["vllm", "sglang", "tensorrt_llm"])
def test_literal_is_the_documented_output_with_verdicts(engine: str) -> None:
    config = {"gemm_dtype": "int8", "kvcache_dtype": "int4", "attention_dtype": "fp8"}
    documented = quantmap.explain(engine, config)
    literal = quantmap.explain(engine, config, engine_version="latest", policy="literal")
    assert list(literal.args.items()) == list(documented.args.items())
    assert literal.mode == "checked"
    assert any(diagnostic.severity == "error" for diagnostic in literal.diagnostics)


def test_a_users_spelling_becomes_the_releases_flag() -> None:
    mapping = quantmap.explain("sglang", {}, {"tensor_parallel_size": 2}, engine_version="0.5.2")
    assert mapping.args["--tp-size"] == "2" or mapping.args["--tensor-parallel-size"] == "2"
    assert not [d for d in mapping.diagnostics if d.severity == "error"]
    own = quantmap.explain("vllm", {}, {"kv_cache_dtype": "fp8"}, engine_version="0.11.0")
    assert own.args["--kv-cache-dtype"] == "fp8"
    assert list(own.args).count("--kv-cache-dtype") == 1
    assert "replaced" in [d.outcome for d in own.decisions]


def test_a_users_refused_flag_is_passed_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="quantmap")
    args = quantmap.get_runtime_args(
        "vllm", {}, {"no-such-flag": 1, "kv-cache-dtype": "int7"}, engine_version="0.11.0"
    )
    assert args["--no-such-flag"] == "1"
    assert args["--kv-cache-dtype"] == "int7"
    texts = " ".join(record.getMessage() for record in caplog.records)
    assert "no-such-flag" in texts
    assert "int7" in texts


def test_derived_decisions_never_look_at_parameters() -> None:
    config = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8"}
    alone = quantmap.explain("vllm", config, engine_version="0.11.0")
    beside = quantmap.explain("vllm", config, {"max-model-len": 1}, engine_version="0.11.0")
    assert [d.outcome for d in alone.decisions] == [d.outcome for d in beside.decisions]
    assert list(beside.args.items()) == [*alone.args.items(), ("--max-model-len", "1")]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (({"gemm": 1}, "vllm", "0.11.0", "latest"), "unknown-key"),
        (({}, "vlm", "0.11.0", "latest"), "unknown-engine"),
        (({}, "vllm", "zero", "latest"), "not-a-version"),
        (({}, "vllm", "0.11.0", "0.0.1"), "version-too-old"),
    ],
)
def test_wrong_input(call: tuple[dict[str, int], str, str, str], code: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.diff(*call)
    assert code in [d.code for d in caught.value.diagnostics]
