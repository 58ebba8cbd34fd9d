"""`why` on what releases really print: `nox -s logs -- vllm@0.11.0=TREE sglang@0.4.9=TREE`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from quantmap import why

_FOLDER = os.environ.get("QUANTMAP_START_UP_LOGS", "")


def _cases() -> list[Any]:
    found = []
    for file in sorted(Path(_FOLDER).glob("*@*.json")) if _FOLDER else []:
        for number, case in enumerate(json.loads(file.read_text(encoding="utf-8"))):
            found.append(pytest.param(file.stem, case, id=f"{file.stem}-{number}"))
    return found or [pytest.param("", {}, marks=pytest.mark.skip(reason="no logs were made"))]


@pytest.mark.parametrize(("release", "case"), _cases())
def test_the_argument_behind_a_real_refusal_is_found(release: str, case: dict[str, Any]) -> None:
    engine, _, version = release.partition("@")
    assert case["code"] != 0, case["log"][-500:]
    found = why(case["log"], engine, version)
    assert found, case["log"][-500:]
    assert (found.engine, found.version) == (engine, version)
    assert case["argument"] in found.arguments[:2]
    assert found.change, found.message
