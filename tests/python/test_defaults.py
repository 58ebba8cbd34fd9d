"""Variables of the environment: releases, the GPU and the policy of calls that name none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

ASK = """
import json, quantmap
config = {"attention_dtype": "fp8_block"}
release = {"engine_version": "0.11.0"}
def told(call, *args, **named):
    try:
        return call(*args, **named)
    except quantmap.ConfigError as error:
        return error.diagnostics[0].code
task = {"base_runtime": "vllm@0.11.0", "quant_config": {"attention_dtype": ["auto", "fp8_block"]}}
print(json.dumps({
    "args": told(quantmap.get_runtime_args, "vllm", config, **release),
    "named": told(quantmap.get_runtime_args, "vllm", config, **release, policy="degrade"),
    "documented": told(quantmap.get_runtime_args, "vllm", config),
    "explained": told(lambda: quantmap.explain("vllm@0.11.0", config).gpu),
    "plan": told(lambda: quantmap.plan(task).skipped),
    "documented plan": told(lambda: quantmap.plan({**task, "base_runtime": "vllm"}).skipped),
}))
"""


def asked(**variables: str) -> dict[str, Any]:
    """What the calls give where these variables are set."""
    kept = {name: value for name, value in os.environ.items() if name[:9] != "QUANTMAP_"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**kept, **variables},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_policy_of_checked_calls_that_name_none() -> None:
    plain = asked()
    strict = asked(QUANTMAP_POLICY="strict")
    assert strict["args"] == strict["explained"] == "refused-by-policy"
    assert strict["plan"] == 1 and plain["plan"] == 0
    for key in ("named", "documented", "documented plan"):
        assert strict[key] == plain[key], key
    assert plain["args"] == plain["named"]


def test_a_wrong_policy_is_told_by_the_first_call_that_it_means_something_to() -> None:
    wrong = asked(QUANTMAP_POLICY="strickt")
    assert wrong["args"] == wrong["explained"] == wrong["plan"] == "bad-policy"
    assert wrong["documented"] == asked()["documented"]


def test_the_gpu_of_checked_calls_that_name_none() -> None:
    assert asked()["explained"] is None
    assert asked(QUANTMAP_GPU="H100")["explained"] == "sm90"
