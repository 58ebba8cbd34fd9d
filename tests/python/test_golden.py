"""The golden cases through the Python API: values, order, types, variables and warnings."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core

from tests.python.support import REGISTRY, fill, logged, pairs

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
Case = dict[str, Any]


def load() -> list[Any]:
    """Every case as a pytest parameter."""
    out = []
    for path in sorted(GOLDEN.glob("*.json")):
        if path.name.startswith("checked_"):
            continue  # see test_checked_golden.py
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            out.append(pytest.param(case, id=f"{path.stem}-{case['id']}"))
    return out


CASES = load()


def call(given: dict[str, Any]) -> Any:
    """The call of a case; its arguments come back unchanged."""
    arguments = copy.deepcopy(given)
    name = arguments.pop("function")
    if name == "merge_parameters":
        arguments["quant_args"] = dict(arguments["quant_args"])
    elif name == "expand_preset":
        arguments["preset_name"] = arguments.pop("preset")
    elif name not in ("get_runtime_args", "should_apply_dynamic_fp8"):
        arguments["config"] = arguments.pop("quant_config")
    before = copy.deepcopy(arguments)
    result = getattr(quantmap, name)(**arguments)
    assert arguments == before, "the call changed its input"
    return result


def explanation(given: dict[str, Any]) -> quantmap.Mapping:
    """The same mapping with its reasons."""
    arguments = {key: value for key, value in given.items() if key != "function"}
    if "runtime" in arguments:
        arguments["engine"] = arguments.pop("runtime")
    return quantmap.explain(**arguments)


def check_arguments(case: Case, result: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    """Arguments in order, variables, and the warnings that were logged."""
    expect = case["expect"]
    messages = logged(caplog)
    assert pairs(result) == pairs(dict(expect["args"]))
    assert len(expect["args"]) == len(result)
    if case["call"]["function"] == "merge_parameters":
        assert len(messages) == len(expect["warnings"])
        for message, code in zip(messages, expect["warnings"]):
            start = REGISTRY[code]["template"].split("{", 1)[0]
            assert message.startswith(start)
        return
    mapping = explanation(case["call"])
    assert [diagnostic.code for diagnostic in mapping.diagnostics] == expect["warnings"]
    assert messages == [diagnostic.message for diagnostic in mapping.diagnostics]
    assert len(logged(caplog)) == len(messages), "explain logged something"
    assert mapping.env == expect.get("env", {})
    for diagnostic in mapping.diagnostics:
        entry = REGISTRY[diagnostic.code]
        assert diagnostic.severity == entry["severity"] == "warning"
        assert diagnostic.message == fill(entry["template"], diagnostic.context)


@pytest.mark.parametrize("case", CASES)
def test_golden(case: Case, caplog: pytest.LogCaptureFixture) -> None:
    expect = case["expect"]
    if "error" in expect:
        with pytest.raises(quantmap.ConfigError) as caught:
            call(case["call"])
        got = sorted([problem.code, problem.path] for problem in caught.value.diagnostics)
        assert got == sorted(expect["error"])
        assert logged(caplog) == []
        return
    result = call(case["call"])
    if "args" in expect:
        check_arguments(case, result, caplog)
    elif case["call"]["function"] == "validate_quant_config":
        valid, text = result
        assert valid is expect["value"]
        assert text.startswith("Valid") is valid
        problems = _core.check_config(case["call"]["quant_config"])
        codes = [problem.code for problem in problems if problem.severity == "error"]
        assert sorted(codes) == sorted(expect.get("codes", []))
    else:
        assert type(result) is type(expect["value"])
        assert json.dumps(result) == json.dumps(expect["value"])


def test_ids_are_unique() -> None:
    ids = [case.values[0]["id"] for case in CASES]
    assert len(CASES) > 1000
    assert len(ids) == len(set(ids))


def test_every_case_names_its_source() -> None:
    for case in CASES:
        assert set(case.values[0]["source"]) >= {"document", "section"}
