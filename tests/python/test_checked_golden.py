"""The hand-checked cases of checked mode: arguments, variables, files and outcomes per release."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENGINES = ("vllm", "sglang", "tensorrt_llm", "sglang_jax")
RELEASES = {
    "vllm": {"0.6.6", "0.10.2", "0.11.0", "0.14.1", "0.20.1", "0.33.0"},
    "sglang": {"0.4.6", "0.5.2", "0.5.6", "0.5.18", "0.5.23"},
}
Case = dict[str, Any]


def cases(engine: str) -> list[Case]:
    """The cases of one engine, in file order."""
    text = (GOLDEN / f"checked_{engine}.json").read_text(encoding="utf-8")
    found: list[Case] = json.loads(text)["cases"]
    return found


CASES = [
    pytest.param(case, id=f"{engine}-{case['id']}") for engine in ENGINES for case in cases(engine)
]


@pytest.mark.parametrize("case", CASES)
def test_checked_golden(case: Case) -> None:
    call = copy.deepcopy(case["call"])
    assert call.pop("function") == "explain"
    mapping = quantmap.explain(engine=call.pop("runtime"), **call)
    expect = case["expect"]
    outcomes = {decision.field: decision.outcome for decision in mapping.decisions}
    if expect.get("cannot_serve"):
        assert set(outcomes.values()) == {"cannot-serve"}
        codes = {item.code for item in mapping.diagnostics if item.severity == "error"}
        assert codes & {"cannot-serve", "fails-later"}  # at start-up, or when the model runs
    assert [list(pair) for pair in mapping.args.items()] == expect.get("args", [])
    assert mapping.env == expect.get("env", {})
    assert mapping.files == expect.get("files", {})
    asked = expect.get("outcomes", {})
    assert {field: outcomes.get(field) for field in asked} == asked


@pytest.mark.parametrize("case", CASES)
def test_arguments_alone_are_never_refused(case: Case) -> None:
    call = {k: v for k, v in case["call"].items() if k not in ("function", "activations")}
    args = quantmap.get_runtime_args(**call)
    if case["call"].get("activations", True):
        mapping = quantmap.explain(engine=call["runtime"], **{**call, "runtime": None})
        if not mapping.env and not mapping.files:
            assert list(args.items()) == list(mapping.args.items())
    result = quantmap.check(
        args,
        call["runtime"],
        call["engine_version"],
        gpu=call.get("gpu"),
        model_quantization=call.get("model_quantization"),
    )
    assert not [v.to_dict() for v in result.verdicts if v.refused]


@pytest.mark.parametrize("engine", ENGINES)
def test_cases_cover_what_was_asked(engine: str) -> None:
    found = cases(engine)
    assert len({case["id"] for case in found}) == len(found)
    assert all(case["evidence"] for case in found)
    assert {case["call"]["engine_version"] for case in found} >= RELEASES.get(engine, set())
