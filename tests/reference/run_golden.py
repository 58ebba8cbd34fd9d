"""Runs the golden cases against the reference mapper: `python tests/reference/run_golden.py`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":  # run as a file: the repository's root is not on the path
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.reference import mapper
from tests.reference.arguments import Result
from tests.reference.config import ReferenceConfigError

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def load_cases() -> list[dict[str, Any]]:
    """Every golden case, with the file it comes from under "file"."""
    cases: list[dict[str, Any]] = []
    for path in sorted(GOLDEN.glob("*.json")):
        if path.name.startswith("checked_"):
            continue  # the reference knows documented mode only
        for case in json.loads(path.read_text(encoding="utf-8"))["cases"]:
            cases.append({**case, "file": path.name})
    return cases


def same(left: Any, right: Any) -> bool:
    """Equality that tells True from 1 and 1 from 1.0."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)


def call_reference(call: dict[str, Any]) -> dict[str, Any]:
    """What the reference says, in the shape of "expect"."""
    given = dict(call)
    name = given.pop("function")
    if name == "merge_parameters":
        given["quant_args"] = dict(given["quant_args"])
    try:
        value = getattr(mapper, name)(**given)
    except ReferenceConfigError as error:
        return {"error": sorted([code, path] for code, path in error.problems)}
    if isinstance(value, Result):
        pairs = [[argument.flag, argument.value] for argument in value.arguments]
        return {"args": pairs, "env": value.env, "warnings": value.warnings}
    if name == "validate_quant_config":
        return {"value": value[0], "codes": sorted(value[1])}
    return {"value": value}


def check_case(case: dict[str, Any]) -> list[str]:
    """What differs between a case and the reference; empty when they agree."""
    got = call_reference(case["call"])
    expect = dict(case["expect"])
    if "args" in expect:
        expect.setdefault("env", {})
    if "error" in expect:
        expect["error"] = sorted(expect["error"])
    if case["call"]["function"] == "validate_quant_config" and "value" in expect:
        expect["codes"] = sorted(expect.get("codes", []))
    wrong = [key for key in sorted({*expect, *got}) if not same(expect.get(key), got.get(key))]
    return [
        f"{case['id']}: {key}: golden {expect.get(key)}, reference {got.get(key)}" for key in wrong
    ]


def main() -> int:
    cases = load_cases()
    ids = [case["id"] for case in cases]
    problems = [
        f"{name}: id used twice" for name in sorted({name for name in ids if ids.count(name) > 1})
    ]
    for case in cases:
        problems += check_case(case)
    print("\n".join([*problems, f"{len(cases)} cases, {len(problems)} disagreements"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
