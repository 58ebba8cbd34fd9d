"""Every name that a file uses exists, and none is given twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from .model import FORMS, Catalog, Engine, Finding, Row


def _missing(
    rule: str, file: str, place: str, kind: str, name: str, known: Iterable[str]
) -> Finding:
    names = ", ".join(known)
    return Finding(rule, file, place, f"there is no {kind} {name!r}", f"use one of: {names}")


def fields_refer(catalog: Catalog) -> list[Finding]:
    """Sections, options and codes that fields.json names exist."""
    document = catalog.documents["fields"]
    sections = [section["id"] for section in document["sections"]]
    out = []

    def check(place: str, kind: str, name: str, known: list[str]) -> None:
        if name not in known:
            out.append(_missing("fields-refer", "fields.json", place, kind, name, known))

    for section in document["sections"]:
        keys = [f["key"] for f in document["fields"] if f.get("section") == section["id"]]
        if "requires" in section:
            check(f"sections ({section['id']})", "key", section["requires"], keys)
    for item in document["fields"]:
        place = f"fields ({item['id']})"
        if "section" in item:
            check(place, "section", item["section"], sections)
        if "options_of" in item:
            check(place, "field", item["options_of"], list(catalog.fields))
        options = catalog.options(item["id"])
        if "default" in item:
            check(place, "option", item["default"], options)
        for option in item.get("options", []):
            if "plain" in option:
                check(place, "option", option["plain"], options)
            if "completed_by" not in option:
                continue
            by = option["completed_by"]
            check(place, "field", by["field"], list(catalog.fields))
            if by["field"] in catalog.fields:
                others = catalog.options(by["field"])
                check(place, f"option of {by['field']}", by["default"], others)
                for other in [*others, *by["with"]]:
                    check(
                        f"{place}.completed_by.with",
                        "pair",
                        other,
                        [o for o in by["with"] if o in others],
                    )
            for name in by["with"].values():
                check(place, "option", name, options)
        for fit in item.get("fits", []):
            for method in fit["method"]:
                check(f"{place}.fits", "method", method, catalog.options("method"))
            for name in fit["options"] if fit["options"] != "*" else []:
                check(f"{place}.fits", "option", name, options)
        if "unfit" in item:
            check(place, "diagnostic", item["unfit"]["code"], list(catalog.diagnostics))
    return out


def _row_references(
    catalog: Catalog, engine: Engine, row: Row
) -> Iterator[tuple[str, str, Iterable[str]]]:
    """(kind, name, known names) for everything that a row names, fields first."""
    fields = list(catalog.fields)
    yield "field", row["field"], fields
    when = row.get("when", {})
    conditions = {
        name: value for name, value in when.items() if name not in ("checkpoint", "same_as")
    }
    for name in [*conditions, *([when["same_as"]] if "same_as" in when else [])]:
        yield "field", name, fields
    for name, wanted in [(row["field"], row["is"]), *conditions.items()]:
        if name in catalog.fields and wanted != "*":
            for option in wanted:
                yield f"option of {name}", option, catalog.options(name)
    targets = list(engine.data["targets"])
    for target in chain(chain.from_iterable(row["try"]), row.get("replaces", [])):
        yield "target", target, targets
    for code in [row["code"]] if "code" in row else []:
        yield "diagnostic", code, list(catalog.diagnostics)


def rows_refer(catalog: Catalog) -> list[Finding]:
    """Fields, options, targets and codes that rows name exist."""
    out = []
    for engine in catalog.engines:
        for index, row in enumerate(engine.rows):
            for kind, name, known in _row_references(catalog, engine, row):
                if name not in known:
                    place = engine.place(index)
                    out.append(_missing("rows-refer", engine.file, place, kind, name, known))
        for item in engine.data["documented"]["unsupported"]:
            place = "documented.unsupported"
            sections = [section["id"] for section in catalog.documents["fields"]["sections"]]
            if "section" in item and item["section"] not in sections:
                out.append(
                    _missing("rows-refer", engine.file, place, "section", item["section"], sections)
                )
            if "field" not in item:
                continue
            if item["field"] not in catalog.fields:
                known = list(catalog.fields)
                out.append(
                    _missing("rows-refer", engine.file, place, "field", item["field"], known)
                )
                continue
            known = catalog.options(item["field"])
            for option in item["is"] if item["is"] != "*" else []:
                if option not in known:
                    out.append(_missing("rows-refer", engine.file, place, "option", option, known))
    return out


def engines_agree(catalog: Catalog) -> list[Finding]:
    """engines.json, the folders and the ids agree; flags of targets are listed."""
    order = catalog.documents["engines"]["order"]
    rule, out = "engines-agree", []
    folders = [engine.file.split("/")[1] for engine in catalog.engines]
    for name in order:
        if name not in folders:
            cure = f"add engines/{name}/mapping.json"
            out.append(Finding(rule, "engines.json", "order", f"no engine {name!r}", cure))
    for engine, folder in zip(catalog.engines, folders):
        data = engine.data
        if data["id"] != folder:
            out.append(
                Finding(
                    rule,
                    engine.file,
                    "id",
                    f"id {data['id']!r} in folder {folder!r}",
                    "make them equal",
                )
            )
        if folder not in order:
            out.append(
                Finding(
                    rule, engine.file, "id", f"{folder!r} is not in engines.json", "add it to order"
                )
            )
        if data["runtime_names"][0] != data["id"]:
            problem = "the first runtime name is not the id"
            out.append(
                Finding(rule, engine.file, "runtime_names", problem, f"put {data['id']!r} first")
            )
        flags = [flag["id"] for flag in data["flags"]]
        for target, routes in data["targets"].items():
            for route in routes:
                if "flag" in route and route["flag"] not in flags:
                    problem = f"{route['flag']} is not in flags"
                    out.append(
                        Finding(
                            rule, engine.file, f"targets.{target}", problem, "list it with evidence"
                        )
                    )
    return out


def order_complete(catalog: Catalog) -> list[Finding]:
    """`order` holds each four-field field once and every field with rows, of the right form."""
    rule, out = "order-complete", []
    for engine in catalog.engines:
        for form in FORMS:
            order, place = engine.data["order"][form], f"order.{form}"
            for name in order:
                if name not in catalog.fields or catalog.fields[name]["form"] != form:
                    problem = f"{name!r} is not a field of this form"
                    out.append(Finding(rule, engine.file, place, problem, "take it out"))
            expected = {row["field"] for row in engine.rows}
            if form == "four_field":
                expected |= set(catalog.fields)
            for name in sorted(expected - set(order)):
                if name in catalog.fields and catalog.fields[name]["form"] == form:
                    out.append(
                        Finding(
                            rule,
                            engine.file,
                            place,
                            f"{name!r} is missing",
                            "add it, or drop its rows",
                        )
                    )
    return out


def presets_refer(catalog: Catalog) -> list[Finding]:
    """Presets name every engine of documented mode once, and a known hardware floor."""
    documented = {engine.data["id"] for engine in catalog.engines if engine.rows}
    engines = [name for name in catalog.documents["engines"]["order"] if name in documented]
    hardware = [item["id"] for item in catalog.documents["hardware"]["architectures"]]
    out = []
    for preset in catalog.documents["presets"]["presets"]:
        place = f"presets ({preset['id']})"
        if list(preset["engines"]) != engines:
            problem = f"engines are {list(preset['engines'])}"
            cure = f"name them in this order: {engines}"
            out.append(Finding("presets-refer", "presets.json", f"{place}.engines", problem, cure))
        if preset["hardware"] not in hardware:
            finding = _missing(
                "presets-refer", "presets.json", place, "architecture", preset["hardware"], hardware
            )
            out.append(finding)
    return out


RULES = (fields_refer, rows_refer, engines_agree, order_complete, presets_refer)
