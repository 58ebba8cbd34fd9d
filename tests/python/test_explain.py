"""explain: the same arguments as get_runtime_args, and a decision for every field."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import quantmap

from tests.python.support import (
    ENGINES,
    FOUR,
    QUANTIZED,
    REGISTRY,
    RELEASES,
    four_field_configs,
    logged,
    pairs,
)

OUTCOMES = {"applied", "replaced", "ignored", "falls-back", "not-supported"}
LOGGER = logging.getLogger("quantmap")


class Collector(logging.Handler):
    """Keeps the messages it gets."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.fixture
def collector() -> Iterator[Collector]:
    """The logger, on, with its messages collected and going nowhere else."""
    handler = Collector()
    LOGGER.addHandler(handler)
    LOGGER.propagate = False
    yield handler
    LOGGER.removeHandler(handler)
    LOGGER.propagate = True


def same_value(decision: quantmap.Decision, config: dict[str, Any]) -> bool:
    """Whether the decision tells what the config asks of its field."""
    place: Any = config
    for key in decision.field.split("."):
        place = place.get(key) if isinstance(place, dict) else None
    return place is None or str(place) == decision.asked


@pytest.mark.parametrize("model", [None, QUANTIZED])
@pytest.mark.parametrize("engine", ENGINES)
def test_fast_path_equals_explain(
    engine: str, model: str | None, collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    for config in four_field_configs():
        mapping = quantmap.explain(engine, config, None, model)
        assert collector.messages == []
        wanted = pairs(mapping.args)
        monkeypatch.setattr(LOGGER, "disabled", True)
        assert pairs(quantmap.get_runtime_args(engine, config, None, model)) == wanted
        assert collector.messages == []
        monkeypatch.setattr(LOGGER, "disabled", False)
        assert pairs(quantmap.get_runtime_args(engine, config, None, model)) == wanted
        assert collector.messages == [item.message for item in mapping.diagnostics]
        collector.messages.clear()
        check_decisions(mapping)
        assert [decision.field for decision in mapping.decisions] == [f["key"] for f in FOUR]
        assert [decision.asked for decision in mapping.decisions] == list(config.values())
        assert all(decision.given for decision in mapping.decisions)


def check_decisions(mapping: quantmap.Mapping) -> None:
    """What every mapping's decisions keep."""
    emitted: dict[str, Any] = {}
    for decision in mapping.decisions:
        entry = REGISTRY[decision.code]
        assert decision.outcome in OUTCOMES
        assert entry["severity"] in ("warning", "info")
        assert decision.sentence and "{" not in decision.sentence
        assert decision.outcome == "applied" or decision.code != "applied"
        if decision.outcome == "not-supported":
            assert decision.emitted == {} and entry["severity"] == "warning"
        if decision.outcome == "falls-back":
            assert entry["severity"] == "warning"
        assert not set(emitted) & set(decision.emitted), "two decisions claim one argument"
        emitted.update(decision.emitted)
    given = {**mapping.args, **mapping.env}
    assert {flag: given[flag] for flag in emitted} == emitted
    warned = {item.code for item in mapping.diagnostics}
    for decision in mapping.decisions:
        if REGISTRY[decision.code]["severity"] == "warning":
            assert decision.code in warned


@pytest.mark.parametrize("engine", ENGINES)
def test_every_argument_belongs_to_a_decision(engine: str) -> None:
    for preset in quantmap.QUANTIZATION_PRESETS:
        mapping = quantmap.explain(engine, {"preset": preset})
        claimed: dict[str, Any] = {}
        for decision in mapping.decisions:
            claimed.update(decision.emitted)
        assert claimed == {**mapping.args, **mapping.env}
        assert mapping.preset == preset
        assert mapping.config == quantmap.expand_preset(preset)
        assert (mapping.engine, mapping.mode, mapping.files) == (engine, "documented", {})
        check_decisions(mapping)
        assert all(same_value(decision, mapping.config) for decision in mapping.decisions)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_unified_field_that_maps_is_decided(engine: str) -> None:
    config = {
        "quantization": {"method": "fp8"},
        "kv_cache": {"dtype": "fp8"},
        "parallelism": {"tensor_parallel_size": 2, "pipeline_parallel_size": 2},
        "moe": {
            "quantization": "fp8",
            "runner_backend": "auto",
            "expert_tp_size": 2,
            "expert_parallel_size": 2,
        },
        "attention": {"backend": "fa3"},
        "dtype": "float16",
    }
    mapping = quantmap.explain(engine, config)
    wanted = {"dtype"} | {
        f"{section}.{key}"
        for section, inner in config.items()
        if isinstance(inner, dict)
        for key in inner
    }
    assert {decision.field for decision in mapping.decisions} == wanted
    check_decisions(mapping)


def test_defaults_are_not_given() -> None:
    mapping = quantmap.explain("vllm", {"gemm_dtype": "auto"})
    assert [decision.given for decision in mapping.decisions] == [True, False, False, False]
    assert [decision.asked for decision in mapping.decisions] == ["auto"] * 4
    assert quantmap.explain("vllm").args == mapping.args


def test_field_that_gives_way_to_a_later_field() -> None:
    mapping = quantmap.explain("sglang", {"gemm_dtype": "fp8", "moe_dtype": "w4afp8"})
    gemm, *_, moe = mapping.decisions
    assert (gemm.outcome, gemm.code) == ("replaced", "replaced-by-field")
    assert gemm.emitted == {"--dtype": "auto"}
    assert "moe_dtype" in gemm.sentence and "--quantization w4afp8" in gemm.sentence
    assert moe.outcome == "applied"
    assert moe.emitted["--quantization"] == "w4afp8"
    assert next(iter(mapping.args)) == "--quantization"


@pytest.mark.parametrize("key", ["kv-cache-dtype", "kv_cache_dtype", "--kv-cache-dtype"])
def test_field_that_gives_way_to_a_parameter(key: str) -> None:
    mapping = quantmap.explain("sglang", {"kvcache_dtype": "fp8"}, {key: "auto"})
    decision = mapping.decisions[1]
    assert (decision.outcome, decision.code) == ("replaced", "replaced-by-user")
    assert "--kv-cache-dtype auto" in decision.sentence
    assert mapping.args == {"--dtype": "auto", "--kv-cache-dtype": "auto"}
    assert mapping.diagnostics == [], "a derived value that is not passed on is no concern"


def test_what_a_parameter_replaced_is_no_longer_emitted() -> None:
    mapping = quantmap.explain("vllm", {"gemm_dtype": "fp8"}, {"quantization": "awq"})
    assert mapping.decisions[0].emitted == {"--dtype": "auto"}


def test_outcome_of_a_fallback_chain() -> None:
    quantization = {"method": "qoq", "fallback_method": "awq"}
    mapping = quantmap.explain("vllm", {"quantization": quantization})
    method = mapping.decisions[0]
    assert (method.outcome, method.code) == ("falls-back", "method-falls-back")
    assert method.asked == "qoq" and method.emitted == {"--quantization": "awq"}
    assert "qoq -> awq" in method.sentence


def test_variable_is_in_env_only() -> None:
    config = {"attention": {"backend": "flashinfer"}}
    mapping = quantmap.explain("vllm", config)
    assert mapping.env == {"VLLM_ATTENTION_BACKEND": "FLASHINFER"}
    assert quantmap.get_runtime_args("vllm", config) == mapping.args == {"--dtype": "auto"}


def test_argv() -> None:
    parameters = {"enforce-eager": True, "quiet": False, "tensor-parallel-size": 2, "-x": "y z"}
    mapping = quantmap.explain("vllm", None, parameters)
    head = ["--dtype", "auto", "--kv-cache-dtype", "auto"]
    tail = ["--enforce-eager", "--tensor-parallel-size", "2", "-x", "y z"]
    assert mapping.argv() == head + tail
    assert mapping.args["--quiet"] is False


def test_to_dict_is_json() -> None:
    mapping = quantmap.explain("sglang", {"preset": "aggressive-moe"}, {"tp": 2}, QUANTIZED)
    data = json.loads(json.dumps(mapping.to_dict()))
    assert data["args"] == mapping.args
    assert data["argv"] == mapping.argv()
    assert [item["code"] for item in data["diagnostics"]] == [d.code for d in mapping.diagnostics]
    assert [item["field"] for item in data["decisions"]] == [f["key"] for f in FOUR]
    assert set(data["catalog"]) == {"version", "hash"}


def test_reprs_say_what_they_are() -> None:
    mapping = quantmap.explain("vllm", {"gemm_dtype": "int8"})
    assert repr(mapping).startswith("Mapping('vllm', {'--quantization': 'int8'")
    assert repr(mapping.decisions[0]).startswith("Decision('gemm_dtype', 'int8', 'applied'")
    assert repr(mapping.diagnostics[0]).startswith("Diagnostic('never-accepted', 'warning', '$'")


def test_results_are_fresh() -> None:
    config = {"gemm_dtype": "fp8"}
    first = quantmap.get_runtime_args("vllm", config)
    first["--quantization"] = "changed"
    assert quantmap.get_runtime_args("vllm", config)["--quantization"] == "fp8"
    mapping = quantmap.explain("vllm", {"preset": "universal-fp8"})
    mapping.config["quantization"]["method"] = "changed"
    assert quantmap.expand_preset("universal-fp8")["quantization"]["method"] == "fp8"


def test_no_output_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR, logger="quantmap")
    quantmap.get_runtime_args("vllm", {"gemm_dtype": "int8"})
    assert logged(caplog) == []


@pytest.mark.parametrize("verb", ["map", "explain", "matrix"])
def test_the_release_that_was_asked_is_in_the_first_line(
    verb: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from quantmap.cli import app

    monkeypatch.setattr("sys.argv", ["quantmap", verb, "--engine", "vllm@99.0.0"])
    app.run()
    first = capsys.readouterr().out.splitlines()[0]
    assert "99.0.0" in first and "in" in first and "place" in first


def _decision(engine: str, version: str, gpu: str, **config: str) -> quantmap.mapping.Decision:
    mapping = quantmap.explain(engine, config, engine_version=version, gpu=gpu)
    return next(decision for decision in mapping.decisions if decision.given)


def test_what_rests_on_an_assumption_says_so() -> None:
    """A refusal that was read and not seen to happen is told as one, whatever gives way to it."""
    assert _decision("sglang", "0.5.10", "B200", kvcache_dtype="fp8_e5m2").assumed
    assert not _decision("vllm", "0.33.0", "B200", kvcache_dtype="fp8_e5m2").assumed
    assert not _decision("vllm", "0.33.0", "B200", kvcache_dtype="fp8").assumed
    nothing_served = _decision("vllm", "0.33.0", "V100", kvcache_dtype="fp8")
    assert nothing_served.outcome == "cannot-serve" and nothing_served.assumed


def test_the_reason_is_what_stands_against_the_wish() -> None:
    """Of the ways that were passed over, the first is what was asked: its reason is told."""
    config = {"kvcache_dtype": "fp8_e5m2", "attention_dtype": "bfloat16"}
    mapping = quantmap.explain("sglang", config, None, "mxfp4", engine_version="0.5.23", gpu="B200")
    kv = next(item for item in mapping.decisions if item.field == "kvcache_dtype")
    assert (kv.outcome, kv.emitted) == ("degraded", {"--kv-cache-dtype": "fp8_e4m3"})
    assert "knows FP8 KV as fp8_e4m3 only" in kv.sentence


def test_a_release_is_verified_up_to_and_with_the_last_that_was_read() -> None:
    for engine, releases in RELEASES.items():
        last = quantmap.explain(engine, {}, engine_version="latest").verified_through
        for number, version in enumerate(releases):
            told = quantmap.explain(engine, {}, engine_version=version).diagnostics
            codes = [item.code for item in told]
            assert ("release-not-verified" in codes) == (number > releases.index(last)), version


def test_strict_takes_a_size_of_one() -> None:
    """Nothing is lost where an engine has no argument for what is not divided."""
    one = {"parallelism": {"pipeline_parallel_size": 1}}
    two = {"parallelism": {"pipeline_parallel_size": 2}}
    strict = {"engine_version": "latest", "policy": "strict"}
    assert quantmap.explain("sglang_jax", one, **strict).args is not None
    with pytest.raises(quantmap.ConfigError) as refused:
        quantmap.explain("sglang_jax", two, **strict)
    assert [item.code for item in refused.value.diagnostics] == ["refused-by-policy"]


def test_what_no_kernel_takes_is_left_out_and_the_rest_is_served() -> None:
    config = {"gemm_dtype": "bfloat16", "kvcache_dtype": "fp8_e4m3"}
    ground = {"engine_version": "0.27.1", "gpu": "H100", "checkpoint": "deepseek-ai/DeepSeek-V3.2"}
    mapping = quantmap.explain("vllm", config, **ground)
    outcomes = {item.field: item.outcome for item in mapping.decisions}
    assert outcomes["kvcache_dtype"] in ("dropped", "degraded")
    assert "cannot-serve" not in outcomes.values()
