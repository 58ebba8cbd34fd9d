"""Every kind of argument that a release declares: what its parser takes, and what it does not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from quantmap import check

CATALOG = Path(__file__).resolve().parents[2] / "cpp" / "catalog" / "engines"


class Kind(NamedTuple):
    """How a parser reads an argument: its type, the function that converts, how many words."""

    type: str
    via: str = ""
    count: str = ""
    item: str = ""


CHOICE = "a choice"  # stands for the first value that the release declares
# Words behind the flag that the parser takes, and words that it does not (argparse, and the
# converting functions of the releases' sources).
WORDS: dict[Kind, tuple[list[str], list[str]]] = {
    Kind("bool", count="0"): (["{flag}"], ["{flag}=7"]),
    Kind("bool", count="?"): (["{flag}", "{flag}=true"], ["{flag}=maybe"]),
    Kind("bool"): (["{flag}=true"], []),
    Kind("str"): (["{flag} x", "{flag}=x"], ["{flag}"]),
    Kind("str", "union_dict_and_str"): (
        ["{flag} x", '{flag} {{"a":1}}'],
        ["{flag}", '{flag} {{"a"'],
    ),
    Kind("str", count="?"): (["{flag}", "{flag} x"], []),
    Kind("choice"): ([f"{{flag}} {CHOICE}"], ["{flag}", "{flag} no-such-word"]),
    Kind("choice", "lambda"): ([f"{{flag}} {CHOICE}"], ["{flag}", "{flag} no-such-word"]),
    Kind("choice", "parse_cuda_graph_backend_arg"): (
        [f"{{flag}} {CHOICE}"],
        ["{flag}", "{flag} no-such-word"],
    ),
    Kind("choice", count="?"): (["{flag}", f"{{flag}} {CHOICE}"], ["{flag} no-such-word"]),
    Kind("int"): (["{flag} 2", "{flag}=2"], ["{flag}", "{flag} two", "{flag} 2.5", "{flag} 2k"]),
    Kind("int", "human_readable_int"): (
        ["{flag} 20", "{flag} 2k", "{flag} 2K", "{flag} 2.5k", "{flag} 3G"],
        ["{flag}", "{flag} 2.5K", "{flag} 2.5", "{flag} 2Ki", "{flag} k", "{flag} 2kk"],
    ),
    Kind("int", "human_readable_int_or_auto"): (
        ["{flag} 20", "{flag} 2k", "{flag} auto", "{flag} AUTO", "{flag} 2.5k"],
        ["{flag}", "{flag} automatic", "{flag} 2.5K", "{flag} 2.5"],
    ),
    Kind("int", "human_readable_int_iec"): (
        ["{flag} 20", "{flag} 2k", "{flag} 2Ki", "{flag} 2.5M", "{flag} 3G"],
        ["{flag}", "{flag} 2K", "{flag} 2.5Ki", "{flag} 2m", "{flag} 2.5"],
    ),
    Kind("float"): (["{flag} 0.5", "{flag} 1"], ["{flag}", "{flag} half"]),
    Kind("float", count="?"): (["{flag}", "{flag} 0.5"], ["{flag} half"]),
    Kind("json"): (['{flag} {{"a":1}}'], ["{flag}", "{flag} word", '{flag} {{"a"', "{flag} 1k"]),
    Kind("json", "json_or_pairs"): (
        ['{flag} {{"a":1}}', "{flag} a=1", "{flag} a=1,b=2"],
        ["{flag}", "{flag} word", '{flag} {{"a"', "{flag} a=b", "{flag} a=1,b"],
    ),
    Kind("json", "from_json"): (["{flag} {{}}"], ["{flag}", "{flag} word", '{flag} {{"a"']),
    Kind("json", "from_cli"): (
        ["{flag} 3", "{flag} {{}}"],
        ["{flag}", "{flag} word", '{flag} {{"a"'],
    ),
    Kind("json", "lambda"): (["{flag} {{}}"], ["{flag}", "{flag} word", '{flag} {{"a"']),
    Kind("list", count="+", item="str"): (["{flag} a", "{flag} a b"], ["{flag}"]),
    Kind("list", count="*", item="str"): (["{flag}", "{flag} a b"], []),
    Kind("list", count="+", item="int"): (["{flag} 1 2"], ["{flag}", "{flag} 1 x", "{flag} 1.5"]),
    Kind("list", count="+", item="float"): (["{flag} 1 2.5"], ["{flag}", "{flag} 1 x"]),
    Kind("list", count="2", item="float"): (
        ["{flag} 1 2.5"],
        ["{flag}", "{flag} 1", "{flag} 1 2 3"],
    ),
}
# What these take is for the release's own code to say: nothing is told of them but that.
UNKNOWN = {"lambda", "nullable_kvs", "parse_cuda_graph_config_arg"}


def _kind(row: dict[str, Any]) -> Kind:
    count = str(row.get("nargs", ""))
    return Kind(row["type"], row.get("via", ""), count, row.get("item", ""))


SPECIAL = ("bounds", "refused", "deprecated", "keys", "none")


def _declared() -> dict[tuple[str, Kind], tuple[str, dict[str, Any]]]:
    """One argument of each kind for each engine, the plainest that there is."""
    found: dict[tuple[str, Kind], tuple[int, str, dict[str, Any]]] = {}
    for path in sorted(CATALOG.glob("*/surface.json")):
        flags = json.loads(path.read_text(encoding="utf-8"))["flags"]
        for flag, rows in flags.items():
            for row in rows if flag.startswith("-") else []:
                oddness = sum(key in row for key in SPECIAL)
                oddness += 9 * (row.get("checked") not in (None, "parser"))
                place = (path.parent.name, _kind(row))
                if place not in found or oddness < found[place][0]:
                    found[place] = (oddness, flag, row)
    return {place: (flag, row) for place, (_, flag, row) in found.items()}


DECLARED = _declared()


def test_no_kind_is_without_its_words() -> None:
    kinds = {kind for _, kind in DECLARED if kind.type != "unknown"}
    assert kinds == set(WORDS)
    assert {kind.via for _, kind in DECLARED if kind.type == "unknown"} == UNKNOWN


@pytest.mark.parametrize(("engine", "kind"), sorted(DECLARED), ids=str)
def test_a_parser_takes_what_it_takes(engine: str, kind: Kind) -> None:
    flag, row = DECLARED[engine, kind]
    if kind.type == "unknown":
        (verdict,) = check([flag, "anything"], engine, row["since"]).verdicts
        assert verdict.verdict == "assumed"
        return
    good, bad = WORDS[kind]
    choice = str((row.get("choices") or ["a"])[0])
    for line, refused in [*((line, False) for line in good), *((line, True) for line in bad)]:
        words = line.format(flag=flag).replace(CHOICE, choice).split(" ")
        if kind.type == "list" and row.get("choices"):
            words = [choice if word in ("a", "b") else word for word in words]
        (verdict,) = check(words, engine, row["since"]).verdicts
        told = f"{engine} {row['since']}: {' '.join(words)}: {verdict.verdict} {verdict.reason}"
        assert (verdict.verdict == "value-not-accepted") == refused, told
