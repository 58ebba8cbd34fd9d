"""The semantic difference between two surfaces, in words."""

from __future__ import annotations

import json
from typing import Any

from .argparse_reader import UNKNOWN, Record
from .merge import Flags, spellings

_PLAIN = ("type", "item", "nargs", "value", "required", "checked", "refused", "any_case")


def _text(value: Any) -> str:
    return "unknown" if value == UNKNOWN else json.dumps(value)


def _lists(key: str, old: Record, new: Record) -> list[str]:
    before, after = old.get(key), new.get(key)
    if before == after:
        return []
    if isinstance(before, list) and isinstance(after, list):
        added = [str(item) for item in after if item not in before]
        gone = [str(item) for item in before if item not in after]
        parts = ([f"+{{{', '.join(added)}}}"] if added else []) + (
            [f"-{{{', '.join(gone)}}}"] if gone else []
        )
        return [f"{key} {' '.join(parts)}"]
    words = [
        "none" if item is None else "unknown" if item == UNKNOWN else "a list of " + str(len(item))
        for item in (before, after)
    ]
    return [f"{key}: {words[0]} -> {words[1]}"]


def compare_record(old: Record, new: Record) -> list[str]:
    """Return what changed in one flag."""
    out = (
        _lists("choices", old, new)
        + _lists("keys", old, new)
        + _lists("deprecated_choices", old, new)
    )
    if old.get("default") != new.get("default"):
        out.append(f"default {_text(old.get('default'))} -> {_text(new.get('default'))}")
    for key in _PLAIN:
        if old.get(key) != new.get(key):
            out.append(f"{key} {_text(old.get(key))} -> {_text(new.get(key))}")
    if bool(old.get("deprecated")) != bool(new.get("deprecated")):
        out.append("now deprecated" if new.get("deprecated") else "no longer deprecated")
    return out


def compare(old: Flags, new: Flags) -> list[str]:
    """Return one line per difference: flags added and removed, values, defaults."""
    lines = []
    before = {s: name for name, record in old.items() for s in spellings(name, record)}
    for name in sorted(set(new) - set(old)):
        lines.append(
            f"+ {name}" + (f" (was a spelling of {before[name]})" if name in before else "")
        )
    after = {s: name for name, record in new.items() for s in spellings(name, record)}
    for name in sorted(set(old) - set(new)):
        lines.append(f"- {name}" + (f" (now a spelling of {after[name]})" if name in after else ""))
    for name in sorted(set(old) & set(new)):
        first, second = spellings(name, old[name]), spellings(name, new[name])
        changes = compare_record(old[name], new[name])
        changes += [f"+spelling {item}" for item in sorted(second - first)]
        changes += [f"-spelling {item}" for item in sorted(first - second)]
        if changes:
            lines.append(f"~ {name}: " + "; ".join(changes))
    return lines
