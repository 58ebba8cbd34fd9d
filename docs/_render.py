"""What the generated tables share: Markdown, symbols, and questions to the compiled module."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import quantmap
from quantmap import _core

SYMBOLS = {
    "applied": "✓",
    "replaced": "↻",
    "ignored": "–",
    "falls-back": "↓",
    "not-supported": "✗",
    "renamed": "✓",
    "degraded": "↓",
    "dropped": "✗",
    "cannot-serve": "✗",
}
NEVER = "⊘"
_REFUSED = re.compile(r"(?P<flag>-\S+) (?P<value>\S+) \(it takes (?P<instead>.*?)\)(?:; (?=-)|$)")


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; cells are Markdown already."""
    lines = [list(header)]
    lines.append(["---"] * len(lines[0]))
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def code(value: object) -> str:
    """A value as Markdown code."""
    return f"`{value}`"


def codes(values: Iterable[object]) -> str:
    """Values as a list of Markdown code."""
    return ", ".join(code(value) for value in values)


def engines() -> list[dict[str, Any]]:
    """The engines in table order."""
    return _core.engines()


def documented_engines() -> list[dict[str, Any]]:
    """The engines that the specification documents; the others have checked mode only."""
    return [engine for engine in engines() if quantmap.explain(engine["id"]).mode == "documented"]


def fields(form: str) -> list[dict[str, Any]]:
    """The fields of one form."""
    return [field for field in _core.fields() if field["form"] == form]


def dotted(field: dict[str, Any]) -> str:
    """The name of a field as a decision spells it."""
    return f"{field['section']}.{field['key']}" if field["section"] else str(field["key"])


def config_with(settings: dict[str, Any]) -> dict[str, Any]:
    """A nested config from dotted names."""
    out: dict[str, Any] = {}
    for name, value in settings.items():
        section, mark, key = name.partition(".")
        if mark:
            out.setdefault(section, {})[key] = value
        else:
            out[name] = value
    return out


def decision_of(mapping: quantmap.Mapping, name: str) -> quantmap.Decision | None:
    """The decision about one field."""
    for decision in mapping.decisions:
        if decision.field == name:
            return decision
    return None


def refused(mapping: quantmap.Mapping) -> dict[tuple[str, str], str]:
    """The arguments that no release accepts, each with what the engine takes instead."""
    for diagnostic in mapping.diagnostics:
        if diagnostic.code == "never-accepted":
            found = _REFUSED.finditer(diagnostic.context["list"])
            return {(item["flag"], item["value"]): item["instead"] for item in found}
    return {}


def is_warning(name: str) -> bool:
    """Whether a diagnostic is logged."""
    return any(
        item["code"] == name and item["severity"] == "warning" for item in _core.diagnostics()
    )


def arguments(emitted: dict[str, Any], never: dict[tuple[str, str], str] | None = None) -> str:
    """Emitted arguments as Markdown, with a mark on those that no release accepts."""
    words = []
    for flag, value in emitted.items():
        joined = f"{flag} {value}" if flag.startswith("-") else f"{flag}={value}"
        mark = f" {NEVER}" if (flag, str(value)) in (never or {}) else ""
        words.append(code(joined) + mark)
    return " ".join(words) or "nothing"


def outcome(decision: quantmap.Decision) -> str:
    """The outcome as symbol and word."""
    return f"{SYMBOLS[decision.outcome]} {decision.outcome}"


LEGEND = (
    f"✓ applied · ↓ falls-back · – ignored · ✗ not-supported · {NEVER} emitted as documented, "
    "but no release of the engine accepts it"
)
