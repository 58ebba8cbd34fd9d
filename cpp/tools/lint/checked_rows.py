"""The rows of checked mode decide every case, and each of them decides one."""

from __future__ import annotations

import itertools

from .facts import (
    ACTIVATIONS,
    CheckedRow,
    alike,
    emissions,
    gpus_of,
    kinds_of,
    models_of,
    option_classes,
    place_of,
    read_rows,
    settings,
    support,
)
from .model import FORMS, Catalog, Engine, Finding


def _decide(
    catalog: Catalog, engine: Engine, name: str, rows: dict[str, list[CheckedRow]]
) -> tuple[dict[int, set[str]], dict[str, str]]:
    """Row → options that it decides; option → the case that no row matches, in words."""
    own = rows.get(name, [])
    classes = option_classes(catalog, {name: own})
    kinds = alike(kinds_of(catalog), [row.kinds for row in own])
    gpus = alike(gpus_of(catalog), [row.gpus for row in own])
    models = alike(models_of(catalog), [row.models for row in own])
    places = list(itertools.product(kinds, gpus, models, ACTIVATIONS))
    decided: dict[int, set[str]] = {row.index: set() for row in own}
    missing: dict[str, str] = {}
    for setting in settings(catalog, sorted(support(catalog, name, own)), classes):
        value = setting[name]
        if not value:
            continue
        able = [row for row in own if row.takes(value, setting)]
        for kind, gpu, model, activations in places:
            row = next((r for r in able if r.holds(kind, gpu, model, activations)), None)
            if row is not None:
                decided[row.index] |= set(classes[name][value])
                continue
            given = {k: v for k, v in setting.items() if v and k != name}
            words = f"checkpoint {kind}, gpu {gpu}, model {model}, activations {activations}"
            for option in classes[name][value]:
                missing.setdefault(option, f"{words}, {given}")
    return decided, missing


def checked_complete(catalog: Catalog) -> list[Finding]:
    """Every case of every mapped field has a row, and every row and option of it decides a case."""
    rule, out = "checked-complete", []
    for engine in catalog.engines:
        if engine.checked is None:
            continue
        file = engine.beside("checked.json")
        rows = read_rows(catalog, engine)
        order = [name for form in FORMS for name in engine.data["order"][form]]
        for name in sorted(set(rows) - set(order)):
            problem = f"{name!r} has rows and is not in order"
            out.append(Finding(rule, file, "rows", problem, "add it to order, or drop its rows"))
        for name in order:
            decided, missing = _decide(catalog, engine, name, rows)
            for option, words in missing.items():
                problem = f"no row matches {option!r}, as with {words}"
                out.append(Finding(rule, file, f"rows of {name}", problem, f"add a row for {name}"))
            for row in rows.get(name, []):
                if not decided[row.index]:
                    problem = "earlier rows match every case of this one"
                    cure = "move it up, or drop it"
                    out.append(Finding(rule, file, place_of(row), problem, cure))
                    continue
                for option in [] if row.row["is"] == "*" else row.row["is"]:
                    if option not in decided[row.index]:
                        problem = f"earlier rows match every case of {option!r}"
                        out.append(Finding(rule, file, place_of(row), problem, "drop the option"))
    return out


def _told(catalog: Catalog, row: CheckedRow, number: int) -> str:
    """What is wrong with the words that a candidate leaves behind, or nothing."""
    candidate = row.candidates()[number]
    outcome = candidate.get("as", row.row.get("outcome", "applied"))
    usual = outcome if outcome in catalog.diagnostics else "applied"
    code = candidate.get("code", row.row.get("code", usual))
    entry = catalog.diagnostics[code]
    if entry["severity"] == "error":
        return f"{code!r} is an error"
    if outcome != "applied" and code == "applied":
        return f"outcome {outcome!r} with code 'applied'"
    if outcome == "degraded" and entry["severity"] != "warning":
        return f"outcome {outcome!r} with code {code!r}, which nobody is told"
    if not emissions(candidate) and code == "applied":
        return "emits nothing and says it is passed on"
    reason = candidate.get("why", row.row.get("why"))
    if "{reason}" in entry["template"] and not reason and number == 0:
        return f"code {code!r} needs a reason, and nothing was refused before"
    if not candidate.keys() - {"why"} and outcome == "applied" and code == "applied":
        return "says nothing at all"
    return ""


def checked_told(catalog: Catalog) -> list[Finding]:
    """What is not done as asked is said, with a reason; a row never gives an error."""
    rule, out = "checked-told", []
    for engine in catalog.engines:
        for row in [row for rows in read_rows(catalog, engine).values() for row in rows]:
            for number in range(len(row.candidates())):
                problem = _told(catalog, row, number)
                if problem:
                    place = f"{place_of(row)}.try[{number}]"
                    cure = "name a code that explains it, and say why"
                    out.append(Finding(rule, engine.beside("checked.json"), place, problem, cure))
    return out


RULES = (checked_complete, checked_told)
