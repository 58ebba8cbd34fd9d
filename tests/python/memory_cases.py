"""The shared cases of memory, and how far the estimates are from them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from quantmap import estimate
from quantmap.fit import Fit

from tests.python.sources import ROOT

FOLDER = ROOT / "tests" / "golden" / "memory"
GIBIBYTE = 1 << 30


@dataclass(frozen=True)
class Judged:
    """A case with its estimate."""

    case: dict[str, Any]
    fit: Fit

    def error(self, part: str) -> float | None:
        """Relative error of a part; None when the log does not tell it, or tells nothing sane."""
        measured = self.case["measured"].get(part)
        # Where the engine stopped, what it printed is a small rest: the verdict is judged.
        if measured is None or (part != "weights_gib" and self.case["starts"] is False):
            return None
        estimated = {
            "weights_gib": self.fit.weight_bytes / GIBIBYTE,
            "kv_gib": self.fit.kv_budget_bytes / GIBIBYTE,
            "tokens": float(self.fit.tokens),
        }[part]
        return estimated / measured - 1


def read_cases() -> list[dict[str, Any]]:
    """Every case with its model's config."""
    models = json.loads((FOLDER / "models.json").read_text(encoding="utf-8"))
    lines = (FOLDER / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    cases = [json.loads(line) for line in lines]
    return [{**case, "shape": models[case["model"]]} for case in cases]


def judge(case: dict[str, Any], **more: Any) -> Judged:
    """The estimate for a case."""
    fit = estimate(
        case["shape"],
        case.get("config"),
        engine=case["engine"],
        gpu=case["gpu"],
        user_parameters=case["parameters"],
        **more,
    )
    return Judged(case, fit)


def within(judged: Iterable[Judged], part: str, limit: float) -> tuple[int, int]:
    """How many errors of a part are within a limit, of how many."""
    errors = [error for one in judged if (error := one.error(part)) is not None]
    return sum(abs(error) <= limit for error in errors), len(errors)
