"""Generated tables about the four-field form."""

from __future__ import annotations

import itertools
from typing import Any

import quantmap
from _render import (
    LEGEND,
    NEVER,
    SYMBOLS,
    arguments,
    code,
    codes,
    decision_of,
    documented_engines,
    fields,
    is_warning,
    outcome,
    refused,
    table,
)

QUANTIZED = "awq"  # stands for every method: rows know only "quantized"


def _ask(
    engine: dict[str, Any], settings: dict[str, str], model: str | None = None
) -> quantmap.Mapping:
    return quantmap.explain(engine["id"], settings, None, model)


def support() -> str:
    """Engine by field: what becomes of each value, others at their default."""
    rows = []
    for field in fields("four_field"):
        cells = [code(field["key"])]
        for engine in documented_engines():
            groups: dict[str, list[str]] = {}
            for option in field["options"]:
                mapping = _ask(engine, {field["key"]: option})
                decision = decision_of(mapping, field["key"])
                assert decision is not None
                never = refused(mapping)
                if any((flag, str(value)) in never for flag, value in decision.emitted.items()):
                    groups.setdefault(f"{NEVER} never accepted", []).append(option)
                else:
                    groups.setdefault(outcome(decision), []).append(option)
            cells.append("<br>".join(f"{word}: {codes(found)}" for word, found in groups.items()))
        rows.append(cells)
    header = ["field", *(engine["name"] for engine in documented_engines())]
    return table(header, rows) + f"\n\n{LEGEND}"


def _notes(engine: dict[str, Any], key: str, option: str, base: quantmap.Decision) -> str:
    """The diagnostic, and what another gemm_dtype changes."""
    notes = [code(base.code) + (", logged" if is_warning(base.code) else "")]
    if key == "gemm_dtype":
        return notes[0]
    changed: dict[str, list[str]] = {}
    replaced: list[str] = []
    flags: set[str] = set()
    gemm = fields("four_field")[0]
    for other in gemm["options"]:
        mapping = _ask(engine, {gemm["key"]: other, key: option})
        decision = decision_of(mapping, key)
        first = decision_of(mapping, gemm["key"])
        assert decision is not None and first is not None
        if decision.code != base.code:
            changed.setdefault(f"{code(decision.code)}, nothing logged", []).append(other)
        if first.outcome == "replaced":
            replaced.append(other)
            before = _ask(engine, {gemm["key"]: other}).args
            flags |= {flag for flag in decision.emitted if flag in before}
    notes += [f"with gemm_dtype {codes(found)}: {text}" for text, found in changed.items()]
    if replaced:
        notes.append(f"replaces {codes(sorted(flags))} of gemm_dtype {codes(replaced)} in place")
    return "; ".join(notes)


def mapping_tables() -> str:
    """One table per engine for an unquantized model."""
    parts = []
    for engine in documented_engines():
        rows = []
        for field in fields("four_field"):
            for option in field["options"]:
                mapping = _ask(engine, {field["key"]: option})
                decision = decision_of(mapping, field["key"])
                assert decision is not None
                rows.append(
                    [
                        code(field["key"]),
                        code(option),
                        arguments(decision.emitted, refused(mapping)),
                        outcome(decision),
                        _notes(engine, field["key"], option, decision),
                    ]
                )
        header = ["field", "value", "arguments", "outcome", "note"]
        parts.append(f"### {engine['name']}\n\n{table(header, rows)}")
    return "\n\n".join(parts) + f"\n\n{LEGEND}"


def quantized_table() -> str:
    """What each value emits for a model that is quantized already, engines side by side."""
    rows = []
    for field in fields("four_field"):
        for option in field["options"]:
            cells = [code(field["key"]), code(option)]
            for engine in documented_engines():
                mapping = _ask(engine, {field["key"]: option}, QUANTIZED)
                decision = decision_of(mapping, field["key"])
                assert decision is not None
                mark = SYMBOLS[decision.outcome]
                logged = ", logged" if is_warning(decision.code) else ""
                shown = arguments(decision.emitted, refused(mapping))
                cells.append(f"{mark} {shown}{logged}")
            rows.append(cells)
    header = ["field", "value", *(engine["name"] for engine in documented_engines())]
    return table(header, rows)


def grid() -> str:
    """The whole grid of four-field configs: how many launches, how many that nobody accepts."""
    four = fields("four_field")
    rows = []
    for engine in documented_engines():
        total = never = warned = 0
        distinct = set()
        for values in itertools.product(*(field["options"] for field in four)):
            mapping = _ask(engine, {field["key"]: value for field, value in zip(four, values)})
            total += 1
            never += bool(refused(mapping))
            warned += bool(mapping.diagnostics)
            distinct.add(tuple(mapping.argv()))
        rows.append(
            [
                engine["name"],
                f"{total:,}",
                f"{len(distinct):,}",
                f"{never:,} ({100 * never / total:.1f} %)",
                f"{warned:,}",
            ]
        )
    header = [
        "engine",
        "four-field configs",
        "different launches",
        "with an argument that no release accepts",
        "with a warning",
    ]
    return table(header, rows)


def never_accepted() -> str:
    """Every mark: engine, argument, who asks for it, what the engine takes instead."""
    rows: dict[tuple[str, str, str], dict[str, list[tuple[str, str]]]] = {}
    for engine in documented_engines():
        for field in fields("four_field") + fields("unified"):
            for name, option, config in _probes(field):
                mapping = quantmap.explain(engine["id"], config)
                decision = decision_of(mapping, name)
                if decision is None:
                    continue
                for (flag, value), instead in refused(mapping).items():
                    if str(decision.emitted.get(flag)) != value:
                        continue
                    found = rows.setdefault((engine["name"], flag, instead), {})
                    shown = "N" if field["kind"] == "integer" else value
                    found.setdefault(shown, []).append((name, option))
    lines = []
    for (name, flag, instead), found in rows.items():
        asked: dict[str, list[str]] = {}
        for key, option in (item for items in found.values() for item in items):
            asked.setdefault(key, []).append(option)
        shown = "<br>".join(
            f"{code(key)}: {codes(options) if len(options) <= 6 else f'{len(options)} values'}"
            for key, options in asked.items()
        )
        lines.append([name, code(flag), codes(found), shown, instead])
    header = ["engine", "argument", "values", "asked by", "what the engine takes"]
    return table(header, lines)


def _probes(field: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Minimal configs that ask each value of a field."""
    name = f"{field['section']}.{field['key']}" if field["section"] else field["key"]
    if field["kind"] == "integer":
        return [(name, "N", {field["section"]: {field["key"]: 2}})]
    if field["kind"] != "option":
        return []
    out = []
    for option in field["options"]:
        inner = {field["key"]: option}
        if field["section"] == "quantization" and field["key"] != "method":
            inner = {"method": "fp8", **inner}
        out.append((name, str(option), {field["section"]: inner} if field["section"] else inner))
    return out
