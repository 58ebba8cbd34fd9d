"""Every diagnostic of the registry: provoked, complete in its words, faithful as an exception."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core
from quantmap.integration import expand_quantization_presets

from tests.python import checked_cases
from tests.python.support import REGISTRY, fill, logged, placeholders

CATALOGUE = Path(__file__).resolve().parents[2] / "cpp" / "catalog" / "diagnostics.json"


def deep(levels: int) -> Any:
    """A list in a list in a list."""
    out: Any = []
    for _ in range(levels):
        out = [out]
    return out


def errors(call: Callable[[Any], Any], *inputs: Any) -> Callable[[], list[quantmap.Diagnostic]]:
    """A function that gives what the call raises for each of the inputs."""

    def run() -> list[quantmap.Diagnostic]:
        found = []
        for item in inputs:
            with pytest.raises(quantmap.ConfigError) as caught:
                call(item)
            found += caught.value.diagnostics
        return found

    return run


def config(*configs: Any) -> Callable[[], list[quantmap.Diagnostic]]:
    """The errors of resolving each of these."""
    return errors(quantmap.resolve_quant_config, *configs)


def parameter(*parameters: Any) -> Callable[[], list[quantmap.Diagnostic]]:
    """The errors of each of these user parameters."""
    return errors(lambda item: quantmap.get_runtime_args("vllm", None, item), *parameters)


def text(*texts: bytes) -> Callable[[], list[quantmap.Diagnostic]]:
    """The errors of each of these JSON texts."""
    return errors(_core.load_json, *texts)


def launch(*arguments: Any, **keywords: Any) -> Callable[[], list[quantmap.Diagnostic]]:
    """The errors, else the warnings, of a launch."""

    def run() -> list[quantmap.Diagnostic]:
        try:
            return quantmap.explain(*arguments, **keywords).diagnostics
        except quantmap.ConfigError as error:
            return error.diagnostics

    return run


def config_file_of(value: str) -> str:
    """The file of arguments of a launch with such a parameter."""
    return quantmap.explain("vllm", {}, {"x": value}).config_file()


def method(name: str, **more: Any) -> dict[str, Any]:
    """A unified config with a quantization section."""
    return {"quantization": {"method": name, **more}}


CONFLICT = {"kv_cache": {"dtype": "fp8_e4m3", "fp8_format": "e5m2"}}
PROVOKED: dict[str, Callable[[], list[quantmap.Diagnostic]]] = {
    "not-an-object": config([], 1, {"quantization_config": "x"}),
    "wrong-type": config({"gemm_dtype": 8}, {"quantization": 1}, {"gemm_dtype": {1, 2}}),
    "unknown-key": config({"gemm_dytpe": "fp8"}, {"method": "awq"}, {"zzzzzzzzz": 1}),
    "unknown-value": config({"gemm_dtype": "fp16"}, {"gemm_dtype": "zzzzzzzzz"}),
    "list-of-values": config({"gemm_dtype": ["fp8"]}, {"preset": ["default"]}),
    "mixed-forms": config({"gemm_dtype": "fp8", "dtype": "auto"}),
    "unknown-preset": config({"preset": "defualt"}, {"presets": ["zzzzzzzzz"]}),
    "several-presets": config({"presets": ["default", "dynamic-fp8"]}),
    "empty-presets": config({"presets": []}),
    "empty-list": errors(expand_quantization_presets, {"gemm_dtype": []}),
    "preset-beside-presets": config({"preset": "default", "presets": ["default"]}),
    "wrapper-beside-fields": config({"quantization_config": {}, "gemm_dtype": "fp8"}),
    "duplicate-wrapper": config({"quantization_config": {"quantization_config": {}}}),
    "missing-method": config({"quantization": {}}),
    "conflicting-fp8-format": config(CONFLICT),
    "out-of-range": config({"parallelism": {"tensor_parallel_size": 9}}),
    "unknown-engine": launch("sglan"),
    "too-deep": parameter({"x": deep(80)}),
    "too-large": parameter({"x": "x" * 200_000}, {"x": [[0] * 1_100_000]}),
    "not-finite": parameter({"x": float("nan")}, {"x": [float("inf")]}),
    "unprintable-integer": parameter({"x": 10**5000}),
    "non-string-key": parameter({1: 2}, {"x": {None: 1}}),
    "invalid-unicode": parameter({"x": "\ud800"}),
    "invalid-json": text(b"{", b"", b'{"a": 1,}'),
    "duplicate-key": text(b'{"a": 1, "a": 2}'),
    "bad-parameter-name": parameter({"a b": 1}, {"--": 1}),
    "nul-character": parameter({"x": "a\0b"}),
    "no-image": errors(lambda name: quantmap.explain(name).docker("m"), "sglang_jax"),
    "no-config-file": errors(lambda name: quantmap.explain(name).config_file(), "sglang@0.5.2"),
    "not-in-config-file": errors(config_file_of, "-x"),
    "bad-policy": launch("vllm", policy="strikt"),
    "ignored-model-quantized": launch("vllm", {"gemm_dtype": "fp8"}, None, "awq"),
    "follows-quantized-model": launch("vllm", {"moe_dtype": "fp8"}, None, "awq"),
    "falls-back-to-gemm": launch("vllm", {"attention_dtype": "fp8"}),
    "falls-back-to-default": launch("sglang", {"kvcache_dtype": "int4"}),
    "not-supported": launch("sglang", {"moe_dtype": "int8"}),
    "limited-support": launch("sglang", {"kvcache_dtype": "int8"}),
    "fp8-variant-unsupported": launch("vllm", method("fp8", fp8_variant="w8a8_fp8")),
    "fp8-variant-ignored": launch("vllm", method("awq", fp8_variant="ptpc_fp8")),
    "method-falls-back": launch("tensorrt_llm", method("awq_marlin")),
    "moe-section-ignored": launch("vllm", {"moe": {"quantization": "fp8"}}),
    "moe-quantization-ignored": launch("sglang", {**method("awq"), "moe": {"quantization": "fp8"}}),
    "inconsistent-with-method": launch("vllm", method("awq", weight_bits=2)),
    "fp8-format-ignored": launch("vllm", {"kv_cache": {"dtype": "auto", "fp8_format": "e5m2"}}),
    "duplicate-parameter": launch("vllm", None, {"tp-size": 1, "tp_size": 2}),
    "unreadable-model-quantization": launch("vllm", None, None, 3),
    "never-accepted": launch("sglang", {"kvcache_dtype": "fp8"}),
    **checked_cases.PROVOKED,
}
TOLD = {**PROVOKED, **checked_cases.NOTES}

DECISIONS: dict[str, tuple[Any, ...]] = {
    "applied": ("vllm", {"gemm_dtype": "fp8"}),
    "nothing-asked": ("vllm", None),
    "follows-model": ("tensorrt_llm", {"gemm_dtype": "float16"}),
    "no-flag-needed": ("sglang", {"attention_dtype": "float16"}),
    "same-as-gemm": ("vllm", {"gemm_dtype": "fp8", "attention_dtype": "fp8"}),
    "replaced-by-field": ("sglang", {"gemm_dtype": "fp8", "moe_dtype": "mxfp4"}),
    "replaced-by-user": ("sglang", None, {"dtype": "half"}),
}


def test_registry_is_the_catalogue() -> None:
    document = json.loads(CATALOGUE.read_text(encoding="utf-8"))
    assert quantmap.list_diagnostics() == [
        {key: item[key] for key in ("code", "severity", "template", "hint", "since")}
        for item in document["diagnostics"]
    ]


# What the reader of rules files says is provoked in its own tests.
RULES_FILES = {
    *("unreadable-file", "missing-package", "invalid-yaml", "over-limit", "missing-key"),
    *("bad-pattern", "bad-module-path", "key-renamed", "key-not-read", "matches-nothing"),
    *("part-matches-nothing", "rule-never-wins"),
}

# What readers of checkpoints say is provoked in the tests of checkpoints.
CHECKPOINTS = {
    *("unusable-in-checkpoint", "bad-model-file", "leaves-folder", "only-a-name", "dense-model"),
    *("files-disagree", "name-differs", "shard-missing", "index-differs", "checkpoint-differs"),
}


@pytest.mark.parametrize("code", sorted(CHECKPOINTS))
def test_checkpoints_provoke(code: str) -> None:
    tests = Path(__file__).resolve().parents[1]
    words = [tests / "cpp" / "test_architecture.cpp", *tests.glob("python/test_checkpoint*.py")]
    assert any(f'"{code}' in path.read_text(encoding="utf-8") for path in words)


# What readers of ledgers say is provoked in their own tests.
LEDGERS = {"torn-line", "unreadable-line", "unreadable-lines"}


# What the planner says is provoked in its own tests.
PLANS = {
    *("too-many-points", "axis-given-twice", "unknown-dimension", "no-engine", "not-a-plan"),
    *("one-version-for-several", "unknown-task-key", "nothing-to-plan", "torn-plan"),
}


# What the numerics say is provoked in their own tests.
NUMERICS = {"unknown-recipe", "recipe-not-read", "non-finite-weights", "bad-matrix"}


@pytest.mark.parametrize("code", sorted(NUMERICS))
def test_numerics_provoke(code: str) -> None:
    assert f'"{code}"' in Path(__file__).with_name("test_numerics.py").read_text(encoding="utf-8")


# What the autotuner's entry points log is provoked in their own test.
INTEGRATION = {"config-left-out"}


@pytest.mark.parametrize("code", sorted(INTEGRATION))
def test_integration_provokes(code: str) -> None:
    test = Path(__file__).with_name("test_integration.py").read_text(encoding="utf-8")
    assert f'REGISTRY["{code}"]' in test


@pytest.mark.parametrize("code", sorted(RULES_FILES | LEDGERS | PLANS))
def test_files_provoke(code: str) -> None:
    names = ["test_rules.py", "test_rules_yaml.py"]
    if code in LEDGERS | PLANS:
        names = ["test_ledger.py"] if code in LEDGERS else ["test_plan.py"]
    tests = [Path(__file__).with_name(name) for name in names]
    assert any(f'"{code}"' in path.read_text(encoding="utf-8") for path in tests)


# What is said of scripts is provoked in their own test.
DEPLOYMENTS = {"known-model", "known-trouble", "model-differs", "model-not-read"}
DEPLOYMENTS |= {"only-assumed-model", "size-does-not-go"}
SCRIPTS = {"blank-after-backslash", "built-from-sources", "file-not-read", "image-of-a-day"}
SCRIPTS |= {"image-of-others", "launches-left-out", "other-platform", "several-launches"}
SCRIPTS |= {"engine-named-only", "image-by-name", "image-not-judged", "printed-blank"}
SCRIPTS |= {
    "release-of-range",
    "other-command",
    "prints-only",
    "unknown-image",
    "yaml-in-parts",
    "comment-after-backslash",
}


@pytest.mark.parametrize("code", sorted(SCRIPTS))
def test_scripts_provoke(code: str) -> None:
    tests = [test.read_text("utf-8") for test in Path(__file__).parent.glob("test_check_*.py")]
    assert any(f'"{code}"' in test for test in tests)


def test_registry_is_complete() -> None:
    told = set(DECISIONS) | set(checked_cases.DECISIONS)
    groups = [set(PROVOKED), told, set(checked_cases.NOTES), set(checked_cases.LOGGED)]
    groups += [
        RULES_FILES,
        CHECKPOINTS,
        LEDGERS,
        PLANS,
        INTEGRATION,
        SCRIPTS,
        NUMERICS,
        DEPLOYMENTS,
    ]
    assert set().union(*groups) == set(REGISTRY)
    assert sum(map(len, groups)) == len(REGISTRY)
    for code, entry in REGISTRY.items():
        if (
            code
            in RULES_FILES
            | CHECKPOINTS
            | LEDGERS
            | PLANS
            | INTEGRATION
            | SCRIPTS
            | NUMERICS
            | DEPLOYMENTS
        ):
            continue
        quiet = code in told or code in checked_cases.NOTES
        assert (entry["severity"] == "info") is quiet


def test_registry_is_fresh() -> None:
    quantmap.list_diagnostics()[0]["code"] = "changed"
    assert quantmap.list_diagnostics()[0]["code"] != "changed"


@pytest.mark.parametrize("code", TOLD)
def test_provoked(code: str) -> None:
    entry = REGISTRY[code]
    found = [item for item in TOLD[code]() if item.code == code]
    assert found, "not provoked"
    for item in found:
        assert item.severity == entry["severity"]
        for name in placeholders(entry["template"]) | placeholders(entry["hint"]):
            if name == "hint" and re.search(r"\{(reason|known)\}", entry["template"]):
                continue  # the reason, or what is known, may be all there is to say
            assert item.context.get(name), f"nothing fills {{{name}}} of {item.message!r}"
        assert item.message == fill(entry["template"], item.context)
        assert item.hint == fill(entry["hint"], item.context)
        assert item.message.strip() == item.message != ""
        assert item.hint.strip() == item.hint
        told = re.search(r"\{(reason|known)\}", entry["template"])
        assert item.hint or entry["severity"] == "info" or told
        assert item.path.startswith("$") or item.path.split(".")[0].split("[")[0] in (
            "runtime",
            "user_parameters",
            "model_quantization",
            "policy",
            "gpu",
            "engine_version",
            "checkpoint",
            "runtime_image_tag",
            "image",
            "command",
            "tp",
        )
        assert len(item.message) < 400
        assert str(item) == f"{item.path}: {item.message}" + (
            f" ({item.hint})" if item.hint else ""
        )


def test_too_large_says_how_much_is_allowed() -> None:
    long, many = (item for item in PROVOKED["too-large"]() if item.code == "too-large")
    assert long.message == "200000 bytes is more than the 131071 bytes allowed"
    assert "64" not in many.message, "the depth that is allowed has nothing to do with it"


@pytest.mark.parametrize("code", checked_cases.LOGGED)
def test_logged(code: str, caplog: pytest.LogCaptureFixture) -> None:
    quantmap.get_runtime_args(*checked_cases.LOGGED[code])
    words = [piece.split("}")[-1] for piece in REGISTRY[code]["template"].split("{")]
    told = [message for message in logged(caplog) if all(piece in message for piece in words)]
    assert told and "{" not in told[0]
    mapping = quantmap.explain(*checked_cases.LOGGED[code])
    assert code not in {item.code for item in mapping.diagnostics}


@pytest.mark.parametrize("code", DECISIONS)
def test_told_by_a_decision(code: str) -> None:
    check_sentences(code, quantmap.explain(*DECISIONS[code]).decisions)


@pytest.mark.parametrize("code", checked_cases.DECISIONS)
def test_told_by_a_checked_decision(code: str) -> None:
    mappings = checked_cases.mappings()
    check_sentences(code, [decision for mapping in mappings for decision in mapping.decisions])


def check_sentences(code: str, decisions: list[quantmap.Decision]) -> None:
    """What the decisions with this code say is complete and reads as its template."""
    sentences = [decision.sentence for decision in decisions if decision.code == code]
    assert sentences, "not told"
    pieces = [piece for piece in REGISTRY[code]["template"].split("{")]
    for sentence in sentences:
        assert sentence.endswith(".") and "{" not in sentence and "  " not in sentence
        assert "''" not in sentence
        for piece in pieces:
            assert piece.split("}")[-1] in sentence


def sample() -> quantmap.ConfigError:
    """An error with three problems."""
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.get_runtime_args("sglan", {"gemm_dtype": "fp16"}, {"a b": 1})
    return caught.value


def test_error_carries_every_problem() -> None:
    error = sample()
    assert isinstance(error, ValueError)
    assert [(item.code, item.path) for item in error.diagnostics] == [
        ("unknown-engine", "runtime"),
        ("unknown-value", "$.gemm_dtype"),
        ("bad-parameter-name", "user_parameters['a b']"),
    ]
    assert error.diagnostics[0].hint == "did you mean 'sglang'?"
    assert str(error) == "; ".join(str(item) for item in error.diagnostics)
    assert "did you mean 'float16'?" in str(error)
    assert "ConfigError" in repr(error)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_error_pickles(protocol: int) -> None:
    error = sample()
    again = pickle.loads(pickle.dumps(error, protocol))
    assert type(again) is quantmap.ConfigError
    assert again.diagnostics == error.diagnostics
    assert str(again) == str(error)
    assert copy.deepcopy(error).diagnostics == error.diagnostics


def test_diagnostics_compare_and_hash() -> None:
    first, second = sample().diagnostics[0], sample().diagnostics[0]
    assert first == second and first is not second
    assert len({first, second, sample().diagnostics[1]}) == 2
    assert first != sample().diagnostics[1]
    assert first != "unknown-engine"
    assert json.loads(json.dumps(first.to_dict()))["path"] == "runtime"


def test_errors_hide_no_warnings_and_warnings_raise_nothing() -> None:
    both = {"quantization": {"method": "awq", "weight_bits": 2}, "dtype": "half"}
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.get_runtime_args("vllm", both)
    assert {item.severity for item in caught.value.diagnostics} == {"error"}
    valid, words = quantmap.validate_quant_config(method("awq", weight_bits=2))
    assert valid and words.startswith("Valid, with a note: ") and "weight_bits=2" in words
