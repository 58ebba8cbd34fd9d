"""Memory against what engines printed in public boot logs."""

from __future__ import annotations

import pytest

from tests.python.memory_cases import Judged, judge, read_cases, within

CASES = read_cases()
JUDGED = [judge(case) for case in CASES]
HELD_OUT = [one for one in JUDGED if not one.case["calibrates"]]


def test_the_set_is_large_and_half_of_it_is_held_out() -> None:
    assert len(CASES) >= 40
    assert len(HELD_OUT) >= len(CASES) / 2
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert {case["kind"] for case in CASES} >= {"dense", "moe", "vision", "window", "state"}
    assert all(case["source"].startswith("https://") for case in CASES)


@pytest.mark.parametrize("group", [JUDGED, HELD_OUT], ids=["all", "held out"])
@pytest.mark.parametrize(
    ("part", "limit", "share"),
    [("weights_gib", 0.03, 0.9), ("tokens", 0.08, 0.75), ("tokens", 0.15, 0.95)],
)
def test_errors_are_within_limits(
    group: list[Judged], part: str, limit: float, share: float
) -> None:
    good, of = within(group, part, limit)
    assert good >= share * of, f"{good} of {of}"


def test_never_fits_where_the_log_says_it_did_not() -> None:
    wrong = [one.case["id"] for one in JUDGED if one.case["starts"] is False and one.fit.fits]
    assert wrong == []


def test_a_launch_that_started_is_not_said_to_be_impossible() -> None:
    wrong = [
        one.case["id"]
        for one in JUDGED
        if one.case["starts"] and one.fit.verdict in ("does-not-fit", "refused")
    ]
    assert wrong == []


def test_bands_hold_most_logs() -> None:
    inside = [
        one.fit.tokens_band[0] <= one.case["measured"]["tokens"] <= one.fit.tokens_band[1]
        for one in JUDGED
        if "tokens" in one.case["measured"]
    ]
    assert sum(inside) >= 0.8 * len(inside)


def test_table() -> None:
    print()
    for one in JUDGED:
        errors = [
            "    -   " if error is None else f"{error:+8.1%}"
            for error in map(one.error, ("weights_gib", "kv_gib", "tokens"))
        ]
        case = one.case
        print(f"{case['engine']:22} {case['kind']:7} {' '.join(errors)} {case['id']}")
    for name, group in (("all", JUDGED), ("held out", HELD_OUT)):
        limits = (("weights_gib", 0.03), ("tokens", 0.08), ("tokens", 0.15))
        shares = [within(group, part, limit) for part, limit in limits]
        print(name, [f"{good}/{of}" for good, of in shares])
