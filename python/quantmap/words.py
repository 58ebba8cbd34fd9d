"""The words that results and arguments are made of, for type checkers: nothing imports this."""

from __future__ import annotations

from typing import Literal

__all__ = ["Judgement", "Mode", "Outcome", "Policy", "Severity"]

Mode = Literal["documented", "checked"]
Policy = Literal["degrade", "strict", "literal"]
Severity = Literal["error", "warning", "info"]
Outcome = Literal[
    "applied",
    "replaced",
    "ignored",
    "falls-back",
    "not-supported",
    "renamed",
    "degraded",
    "dropped",
    "cannot-serve",
]
Judgement = Literal[
    "accepted",
    "unknown-flag",
    "value-not-accepted",
    "refused-at-start",
    "fails-later",
    "no-effect",
    "assumed",
    "deprecated",
    "known-trouble",
]
