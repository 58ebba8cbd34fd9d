"""Presets are valid configs; texts, names, spellings and evidence have their form."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from compile_catalog.common import Cited

from .model import METHOD, Catalog, Finding

# What the core fills in for a row's code (map.cpp), and for any code.
ROW_PLACEHOLDERS = frozenset({"label", "key", "value", "engine", "gemm", "method", "emitted"})
ROW_PLACEHOLDERS |= {"version", "reason"}
PLACEHOLDERS = ROW_PLACEHOLDERS | {"got", "expected", "hint", "field", "known", "count", "section"}
PLACEHOLDERS |= {"wrapper", "first", "second", "dtype", "line", "column", "chain", "list", "with"}
PLACEHOLDERS |= {"four_field", "unified", "route", "message", "offset"}
# Codes that map.cpp gives without a row naming them, or that are the defaults of a key.
DEFAULT_CODES = ("applied", "inconsistent-with-method")

DOCUMENTS = (
    "four-field-schema.md",
    "unified-scheme.md",
    "usage-guide.md",
    "quick-reference.md",
    "sglang-jax-quantization.md",
)
_DOCUMENT = rf"(?:{'|'.join(re.escape(name) for name in DOCUMENTS)})"
EVIDENCE = re.compile(
    r"https://\S+"
    r"|[\w.-]+/[\w.-]+ [\w./-]+@[\w.+-]+(?:\.\.[\w.+-]+)?(?: \([^()]+\))?"
    rf"|{_DOCUMENT}(?:, .+)?"
)
SOURCE = re.compile(rf"(?:{_DOCUMENT}|decisions: |facts: ).*")


def presets_valid(catalog: Catalog) -> list[Finding]:
    """A preset is a config of its form, complete if four-field, that needs no warning anywhere."""
    out = []
    fields = catalog.documents["fields"]["fields"]
    for preset in catalog.documents["presets"]["presets"]:
        place = f"presets ({preset['id']}).config"

        def report(key: str, problem: str, cure: str, place: str = place) -> None:
            out.append(Finding("presets-valid", "presets.json", f"{place}.{key}", problem, cure))

        known = {(f.get("section"), f["key"]): f for f in fields if f["form"] == preset["form"]}
        flat = dict(_flatten(preset["config"], {f.get("section") for f in known.values()}))
        chosen: dict[str, str] = {}
        for (section, key), value in flat.items():
            dotted = f"{section}.{key}" if section else key
            if (section, key) not in known:
                report(dotted, "not a key of this form", "take it out")
                continue
            field = known[section, key]
            problem = _wrong_value(catalog, field, value)
            if problem:
                report(dotted, problem, f"see {field['id']} in fields.json")
            else:
                chosen[field["id"]] = str(value)
        for section, key in known:
            if preset["form"] == "four_field" and (section, key) not in flat:
                report(key, "missing", "a four-field preset sets all four fields")
        method = chosen.get(METHOD, catalog.fields.get(METHOD, {}).get("default", ""))
        for name, value in chosen.items():
            if not catalog.fits(name, value, method):
                report(
                    name, f"{value!r} does not fit method {method!r}", "choose a value that fits"
                )
    return out


def _flatten(
    config: dict[str, Any], sections: set[str | None]
) -> Iterator[tuple[tuple[str | None, str], Any]]:
    for key, value in config.items():
        if key in sections and isinstance(value, dict):
            yield from (((key, inner), item) for inner, item in value.items())
        else:
            yield (None, key), value


def _wrong_value(catalog: Catalog, field: dict[str, Any], value: Any) -> str:
    """What is wrong with a value of a field, or nothing."""
    kind = field["kind"]
    if kind == "option":
        options = field if "options" in field else catalog.fields[field["options_of"]]
        known = [o.get("number", o["id"]) for o in options["options"]]
        same = [o for o in known if o == value and type(o) is type(value)]
        return "" if same else f"{value!r} is none of {known}"
    if kind == "integer":
        inside = type(value) is int and field["min"] <= value <= field["max"]
        return (
            "" if inside else f"{value!r} is not an integer from {field['min']} to {field['max']}"
        )
    if kind == "fraction":
        inside = isinstance(value, float) and 0 < value <= 1
        return "" if inside else f"{value!r} is not above 0 and at most 1"
    wanted = bool if kind == "boolean" else str
    return "" if type(value) is wanted else f"{value!r} is not a {kind}"


def templates_fillable(catalog: Catalog) -> list[Finding]:
    """Templates and hints use only placeholders that the core fills."""
    in_rows = set().union(*(engine.codes() for engine in catalog.engines))
    out = []
    for code, item in catalog.diagnostics.items():
        allowed = ROW_PLACEHOLDERS if code in in_rows else PLACEHOLDERS
        for part in ("template", "hint"):
            place = f"diagnostics ({code}).{part}"
            names = re.findall(r"\{(\w+)\}", item[part])
            rest = re.sub(r"\{\w+\}", "", item[part])
            for name in names:
                if name not in allowed:
                    problem = f"nothing fills {{{name}}}"
                    cure = f"use one of: {', '.join(sorted(allowed))}"
                    out.append(
                        Finding("templates-fillable", "diagnostics.json", place, problem, cure)
                    )
            if "{" in rest or "}" in rest:
                problem = "a brace that belongs to no placeholder"
                out.append(
                    Finding(
                        "templates-fillable",
                        "diagnostics.json",
                        place,
                        problem,
                        "close it, or drop it",
                    )
                )
    return out


def codes_used(catalog: Catalog) -> list[Finding]:
    """Every diagnostic is given by a row, a field or the code."""
    used = set(DEFAULT_CODES).union(*(engine.codes() for engine in catalog.engines))
    used |= {item["unfit"]["code"] for item in catalog.fields.values() if "unfit" in item}
    in_code = set(re.findall(r"Code::(k\w+)", catalog.sources))
    out = []
    for code in catalog.diagnostics:
        name = "k" + "".join(part.capitalize() for part in code.split("-"))
        if code not in used and name not in in_code and f'"{code}"' not in catalog.scripts:
            place = f"diagnostics ({code})"
            out.append(
                Finding("codes-used", "diagnostics.json", place, "nothing gives it", "drop it")
            )
    return out


def unique(catalog: Catalog) -> list[Finding]:
    """Ids, keys, flags and spellings are unique where a look-up needs it."""
    out: list[Finding] = []

    def check(file: str, place: str, names: list[Any]) -> None:
        for name in dict.fromkeys(name for name in names if names.count(name) > 1):
            problem = f"{name!r} is given more than once"
            out.append(Finding("unique", file, place, problem, "keep one of them"))

    documents = catalog.documents
    fields = documents["fields"]["fields"]
    sections = [section["id"] for section in documents["fields"]["sections"]]
    check("fields.json", "fields[].id", [f["id"] for f in fields])
    check("fields.json", "sections[].id", sections)
    top = [f["key"] for f in fields if "section" not in f]
    check(
        "fields.json",
        "keys at the top",
        [*top, *sections, *documents["fields"]["config_keys"].values()],
    )
    for section in sections:
        check(
            "fields.json",
            f"keys in {section}",
            [f["key"] for f in fields if f.get("section") == section],
        )
    for item in fields:
        check(
            "fields.json",
            f"fields ({item['id']}).options",
            [o["id"] for o in item.get("options", [])],
        )
    dtypes = documents["dtypes"]["dtypes"]
    check("dtypes.json", "dtypes[].id", [d["id"] for d in dtypes])
    check("dtypes.json", "dtypes[].spellings", [s for d in dtypes for s in d["spellings"]])
    check("presets.json", "presets[].id", [p["id"] for p in documents["presets"]["presets"]])
    check(
        "hardware.json",
        "architectures[].id",
        [a["id"] for a in documents["hardware"]["architectures"]],
    )
    hardware = documents["hardware"]
    check("hardware.json", "products[].id", [p["id"] for p in hardware["products"]])
    names = [name for product in hardware["products"] for name in product["names"]]
    check("hardware.json", "products[].names", names)
    check("hardware.json", "claims[].id", [c["id"] for c in hardware["claims"]])
    codes = [d["code"] for d in documents["diagnostics"]["diagnostics"]]
    check("diagnostics.json", "diagnostics[].code", codes)
    names = [name for engine in catalog.engines for name in engine.data["runtime_names"]]
    check("engines", "runtime_names of all engines", names)
    for engine in catalog.engines:
        flags = [
            name for flag in engine.data["flags"] for name in [flag["id"], *flag.get("aliases", [])]
        ]
        check(engine.file, "flags with aliases", flags)
    return out


def dtypes_known(catalog: Catalog) -> list[Finding]:
    """A dtype is among its own spellings, and its family is a dtype."""
    dtypes = catalog.documents["dtypes"]["dtypes"]
    ids = [item["id"] for item in dtypes]
    out = []
    for item in dtypes:
        place = f"dtypes ({item['id']})"
        if item["id"] not in item["spellings"]:
            problem = "the id is not a spelling"
            out.append(
                Finding("dtypes-known", "dtypes.json", place, problem, "add it to spellings")
            )
        if item.get("family", item["id"]) not in ids:
            problem = f"there is no dtype {item['family']!r}"
            out.append(
                Finding(
                    "dtypes-known", "dtypes.json", place, problem, f"use one of: {', '.join(ids)}"
                )
            )
    return out


def sorted_tables(catalog: Catalog) -> list[Finding]:
    """Hardware rises by compute capability; diagnostics go errors, warnings, info."""
    out = []
    tables = {"architectures": "compute_capability", "classes": "floor"}
    tables |= {"capabilities": "capability", "products": "capability"}
    for table, key in tables.items():
        rows = [row[key] for row in catalog.documents["hardware"][table]]
        if rows != sorted(rows):
            problem = f"not in order of {key}"
            out.append(Finding("sorted-tables", "hardware.json", table, problem, "sort them"))
    ranks = [
        ("error", "warning", "info").index(d["severity"]) for d in catalog.diagnostics.values()
    ]
    if ranks != sorted(ranks):
        problem = "severities are mixed"
        cure = "errors first, then warnings, then info"
        out.append(Finding("sorted-tables", "diagnostics.json", "diagnostics", problem, cure))
    return out


def _evidence(value: Any, place: str) -> Iterator[tuple[str, str, str]]:
    """(place, kind, text) of every evidence entry and source below a value."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from _evidence(item, f"{place}[{index}]")
    elif isinstance(value, dict):
        for key, item in value.items():
            if key == "evidence":
                yield from ((f"{place}.{key}", key, entry) for entry in item)
            elif key == "source":
                yield from ((f"{place}.{key}", key, part.strip()) for part in item.split(";"))
            else:
                yield from _evidence(item, f"{place}.{key}")


def evidence_formed(catalog: Catalog) -> list[Finding]:
    """Evidence is a URL, ``owner/repository path@ref`` or a document of the specification."""
    out = []
    for name, document in catalog.documents.items():
        cites = (
            "surface.json",
            "checked.json",
            "kernels.json",
            "/memory.json",
            "loaders.json",
            "recipes",
        )
        if name.endswith(cites):
            continue  # they name artifacts: see sources_formed
        file = name if name.endswith(".json") else f"{name}.json"
        for place, kind, text in _evidence(document, "$"):
            form = EVIDENCE if kind == "evidence" else SOURCE
            if form.fullmatch(text):
                continue
            cure = "write https://..., 'owner/repository path@ref', or 'document.md, section'"
            if kind == "source":
                cure = "write 'document.md, section' or 'decisions: topic', parts divided by ';'"
            out.append(Finding("evidence-formed", file, place, f"{text!r} names no source", cure))
    return out


def evidence_named(catalog: Catalog) -> list[Finding]:
    """A source that has a name is cited by it, and each name is cited."""
    rule, out = "evidence-named", []
    for name, document in catalog.documents.items():
        names = document.get("evidence") if isinstance(document, dict) else None
        if not isinstance(names, dict):
            continue
        cited = set()
        rest = {key: item for key, item in document.items() if key != "evidence"}
        for place, kind, text in _evidence(rest, "$"):
            if isinstance(text, Cited):
                cited.add(text.name)
            elif kind == "evidence" and text in names.values():
                out.append(
                    Finding(rule, name, place, f"{text!r} has a name", "cite it by its name")
                )
        for unused in sorted(set(names) - cited):
            cure = "cite it, or drop it"
            out.append(Finding(rule, name, f"$.evidence.{unused}", "nothing cites it", cure))
        texts = list(names.values())
        for twice in sorted({text for text in texts if texts.count(text) > 1}):
            cure = "keep one name"
            out.append(Finding(rule, name, "$.evidence", f"{twice!r} has two names", cure))
    return out


RULES = (
    presets_valid,
    templates_fillable,
    codes_used,
    unique,
    dtypes_known,
    sorted_tables,
    evidence_formed,
    evidence_named,
)
