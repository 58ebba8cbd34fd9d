"""What each release accepts: flag histories as intervals over release numbers."""

from __future__ import annotations

import json
from typing import Any

from common import Writer, ident, text

END = 0xFFFF


def shown(value: Any) -> str:
    """A default as an argument would spell it; empty when there is none or it is not known."""
    if value is None or isinstance(value, (dict, list)):
        return ""
    return value if isinstance(value, str) else json.dumps(value)


def negations(name: str, item: dict[str, Any]) -> list[str]:
    """Aliases that switch off what the flag switches on."""
    if item["type"] != "bool":
        return []
    names = {name, *item.get("aliases", [])}
    off = {alias for alias in names if alias.startswith("--no-") and "--" + alias[5:] in names}
    return sorted((off | set(item.get("off", []))) - {name})


def arity(item: dict[str, Any]) -> str:
    """How many words a flag takes; what is not known to need one may go without."""
    if item["type"] == "unknown" or (item["type"] == "bool" and "nargs" not in item):
        return "kMaybeOne"
    count = item.get("nargs", 1)
    if isinstance(count, int):
        return ("kNone", "kOne", "kMany")[min(count, 2)]
    return {"*": "kAny", "+": "kMany"}.get(count if isinstance(count, str) else "", "kMaybeOne")


def number_form(item: dict[str, Any]) -> tuple[str, str]:
    """Whether sizes such as 16k are numbers, and the word that stands for any."""
    via = item.get("via", "")
    form = "kSize" if via.startswith("human_readable_int") else "kPlain"
    form = "kIecSize" if via.endswith("_iec") else form
    return form, "auto" if via.endswith("_or_auto") else ""


def json_form(item: dict[str, Any]) -> str:
    """What a flag takes besides JSON."""
    via = item.get("via", "")
    if via == "union_dict_and_str":
        return "kOrText"
    if via == "json_or_pairs":
        return "kOrPairs"
    return "kStrict" if item["type"] == "json" and via in ("", "from_json") else "kOrPython"


def limits(item: dict[str, Any]) -> str:
    """The bounds of a number."""
    given = item.get("bounds", {})

    def end(shut: str, open_: str) -> str:
        value = given.get(shut, given.get(open_))
        has, is_open = value is not None, open_ in given
        return f"{str(has).lower()}, {str(is_open).lower()}, {value or 0}"

    return f"{{{end('ge', 'gt')}, {end('le', 'lt')}}}"


def more_of(item: dict[str, Any], out: Writer) -> str:
    """What a value may look like, and what takes the flag's place."""
    keys = item.get("keys")
    known = isinstance(keys, list)
    form, automatic = number_form(item)
    flags = [item.get("none"), item.get("deprecated")]
    closed = [known, item.get("closed")]
    return ", ".join(
        [
            *(str(bool(flag)).lower() for flag in flags),
            text(item.get("use", "")),
            f"NumberForm::{form}",
            text(automatic),
            f"JsonForm::{json_form(item)}",
            *(str(bool(flag)).lower() for flag in closed),
            out.texts(keys if known else []),
            limits(item),
            f"FlagType::{ident(item.get('item', 'str'))}",
            str(item["nargs"] if item["type"] == "list" and isinstance(item["nargs"], int) else 0),
        ]
    )


def flag_names(flags: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Every name and alias of any release, in order, beside the number of its flag."""
    found = {
        (spelt, number)
        for number, (name, intervals) in enumerate(sorted(flags.items()))
        for item in intervals
        for spelt in (name, *item.get("aliases", []))
    }
    return [f"{{{text(spelt)}, {number}}}" for spelt, number in sorted(found)]


def compile_surface(
    surface: dict[str, Any] | None, checked: dict[str, Any] | None, out: Writer
) -> str:
    if surface is None:
        return "{}"
    numbers = {release["version"]: i for i, release in enumerate(surface["releases"])}

    def bounds(item: dict[str, Any]) -> str:
        return f"{numbers[item['since']]}, {numbers.get(item.get('until', ''), END)}"

    # What takes a flag's place where its own source does not say it, or not as one flag.
    uses = {row["flag"]: row["use"] for row in (checked or {}).get("successors", [])}
    flags = []
    for name, intervals in sorted(surface["flags"].items()):
        rows = []
        for item in intervals:
            if name in uses and item is intervals[-1]:
                item = {**item, "use": uses[name]}
            # A switch with a word for on and off takes it in any case: their parsers lower it.
            any_case = bool(item.get("any_case")) or item["type"] == "bool"
            choices = item.get("choices")
            known = isinstance(choices, list) and item.get("checked") != "open"
            gone = item.get(
                "deprecated_choices", []
            )  # refused without the release's permission flag
            values = out.texts(str(c) for c in choices if c not in gone) if known else "{}"
            rows.append(
                f"{{{bounds(item)}, FlagType::{ident(item['type'])}, Arity::{arity(item)}, "
                f"{str(known).lower()}, {str(item.get('checked') == 'startup').lower()}, "
                f"{str(any_case).lower()}, "
                f"{str(bool(item.get('refused'))).lower()}, {text(shown(item.get('default')))}, "
                f"{values}, {out.texts(item.get('aliases', []))}, "
                f"{out.texts(negations(name, item))}, {more_of(item, out)}}}"
            )
        flags.append(f"{{{text(name)}, {out.array('FlagInterval', rows)}}}")
    variables = [
        f"{{{text(name)}, {bounds(item)}}}"
        for name, intervals in sorted(surface.get("env", {}).items())
        for item in intervals
    ]
    spelling = surface.get("spelling", {}).get("dotted", [])
    dotted = bounds(spelling[0]) if spelling else "0, 0"
    releases = (
        f"{{{text(r['version'])}, {text(r.get('date') or '')}, {text(r.get('artifact') or '')}, "
        f"{text(r.get('sha256') or '')}, {str(r.get('whole', True)).lower()}}}"
        for r in surface["releases"]
    )
    return (
        f"{{{out.array('Release', releases)}, {out.array('FlagHistory', flags)}, "
        f"{out.array('FlagName', flag_names(surface['flags']))}, "
        f"{out.array('Variable', variables)}, {out.texts(surface.get('never', []))}, {{{dotted}}}}}"
    )
