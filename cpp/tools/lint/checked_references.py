"""Every name, version and source that checked.json uses exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from packaging.version import Version as sort_key

from .facts import (
    RESERVED,
    SITUATION,
    WORLD,
    Releases,
    gpu_set,
    gpus_of,
    kind_set,
    kinds_of,
    model_set,
    models_of,
    names_of,
)
from .model import Catalog, Engine, Finding
from .trouble import troubles

PARTS = ("gemm", "kv", "attention", "moe")
ARTIFACT = re.compile(
    r"([A-Za-z0-9_.-]+?)-(\d[A-Za-z0-9_.+-]*?)(?:\.tar\.gz|\.zip|-\S+\.whl|\.whl)"
)
SOURCES = re.compile(
    r"https://\S+"
    r"|[\w.-]+/[\w.-]+ [\w./*-]+@[\w.+-]+(?:\.\.[\w.+-]+)?(?:, .+| \([^()]+\))?"
    r"|(?P<artifact>\S+\.(?:tar\.gz|whl|zip)) \S+(?:, .+| \([^()]+\))?"
)


def _names(catalog: Catalog, engine: Engine) -> Iterator[tuple[str, str, str, list[str]]]:
    """(place, kind, name, known names) of whatever rows, rules and precision name."""
    checked = engine.checked or {}
    targets, codes = list(checked["targets"]), list(catalog.diagnostics)
    fields = list(catalog.fields)
    for index, row in enumerate(checked["rows"]):
        place = f"rows[{index}]"
        yield place, "field", row["field"], fields
        when = {k: v for k, v in row.get("when", {}).items() if k not in (*SITUATION, "same_as")}
        for name in [
            *when,
            *([row["when"]["same_as"]] if "same_as" in row.get("when", {}) else []),
        ]:
            yield place, "field", name, fields
        for name, wanted in [(row["field"], row["is"]), *when.items()]:
            for option in wanted if name in fields and wanted != "*" else []:
                yield place, f"option of {name}", option, catalog.options(name)
        for candidate in (row, *row["try"]):
            if "code" in candidate:
                yield place, "diagnostic", candidate["code"], codes
        for candidate in row["try"]:
            for target in candidate.keys() - set(RESERVED):
                yield place, "target", target, targets
        for target in row.get("replaces", []):
            yield place, "target", target, targets
    for rule in checked["rules"]:
        for target, values in rule["refuse"].items():
            yield f"rules ({rule['id']})", "target", target, targets
            for word in {"does_not_divide", "differs_from"} & set(values):
                yield f"rules ({rule['id']})", "target", values[word], targets
    for index, item in enumerate(checked.get("meanings", [])):
        for target in (item["target"], *item.get("beside", {})):
            yield f"meanings[{index}]", "target", target, targets
    for index, item in enumerate(checked["precision"]):
        for target in item.get("when", {}).keys() - {*SITUATION, "types"}:
            yield f"precision[{index}]", "target", target, targets
    for index, item in enumerate(checked.get("successors", [])):
        for key in ("flag", "use"):
            flags = list((engine.surface or {}).get("flags", {}))
            named = item[key].partition("=")[0].partition(".")[0]  # a key of a JSON value
            if named.startswith("--"):
                yield f"successors[{index}]", "flag", named, flags


def _situations(engine: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    """(place, conditions) of everything that may name checkpoints, models and GPUs."""
    checked = engine.checked or {}
    yield from ((f"rows[{i}]", row.get("when", {})) for i, row in enumerate(checked["rows"]))
    for kind in ("rules", "shapes"):
        yield from ((f"{kind} ({item['id']})", item) for item in checked.get(kind, []))
    yield from ((f"meanings[{i}]", item) for i, item in enumerate(checked.get("meanings", [])))
    for index, item in enumerate(checked["precision"]):
        yield f"precision[{index}]", item.get("when", {})


def checked_refer(catalog: Catalog) -> list[Finding]:
    """Fields, options, targets, codes, checkpoints, kinds of models and GPU classes exist."""
    rule, out = "checked-refer", []
    readers = (
        ("checkpoint", kind_set, kinds_of(catalog)),
        ("gpu", gpu_set, gpus_of(catalog)),
        ("model", model_set, models_of(catalog)),
    )
    for engine in [engine for engine in catalog.engines if engine.checked]:
        file = engine.beside("checked.json")
        for place, kind, name, known in _names(catalog, engine):
            if name not in known:
                problem, cure = f"there is no {kind} {name!r}", f"use one of: {', '.join(known)}"
                out.append(Finding(rule, file, place, problem, cure))
        for place, when in _situations(engine):
            for key in WORLD:
                for name in when.get(key, ()):
                    if name not in names_of(catalog, key):
                        problem = f"there is no {key} {name!r}"
                        cure = f"use one of: {', '.join(names_of(catalog, key))}"
                        out.append(Finding(rule, file, place, problem, cure))
            for key, read, known in readers:
                try:
                    read(when.get(key), known)
                except KeyError as error:
                    problem = f"there is no {key} {error}"
                    cure = f"use one of: {', '.join(known)}"
                    out.append(Finding(rule, file, place, problem, cure))
    return out


def routes_exist(catalog: Catalog) -> list[Finding]:
    """Some release has the flag or variable of each route, under the name that is written."""
    rule, out = "routes-exist", []
    for engine in [engine for engine in catalog.engines if engine.checked]:
        file = engine.beside("checked.json")
        surface = engine.surface
        if surface is None:
            out.append(Finding(rule, file, "$", "there is no surface.json", "extract the surface"))
            continue
        spelled = {
            alias: flag
            for flag, stretches in surface["flags"].items()
            for stretch in stretches
            for alias in stretch.get("aliases", [])
        }
        for target, routes in (engine.checked or {})["targets"].items():
            for route in routes:
                name = route.get("flag", route.get("through", route.get("env")))
                known = surface["env" if "env" in route else "flags"]
                if name not in known:
                    cure = "name one that surface.json lists"
                    if name in spelled:
                        cure = f"write {spelled[name]}, of which it is an alias"
                    problem = f"no release has {name}"
                    out.append(Finding(rule, file, f"targets.{target}", problem, cure))
        for i, item in enumerate((engine.checked or {}).get("spellings", [])):
            place = f"spellings[{i}]"
            if item["flag"] not in surface["flags"]:
                problem, cure = f"no release has {item['flag']}", "name one that surface.json lists"
                out.append(Finding(rule, file, place, problem, cure))
            if item["target"] not in (engine.checked or {})["targets"]:
                problem, cure = f"there is no target {item['target']}", "name one of targets"
                out.append(Finding(rule, file, place, problem, cure))
    return out


def _timed(engine: Engine) -> Iterator[tuple[str, dict[str, Any]]]:
    checked = engine.checked or {}
    for kind in ("rules", "shapes"):
        yield from ((f"{kind} ({item['id']})", item) for item in checked.get(kind, []))
    yield from ((f"meanings[{i}]", item) for i, item in enumerate(checked.get("meanings", [])))
    yield from ((f"precision[{i}]", item) for i, item in enumerate(checked["precision"]))
    yield from ((f"files ({item['name']})", item) for item in checked.get("files", []))


def _dated(engine: Engine) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """File, place and content of everything that holds for some releases."""
    yield from ((engine.beside("checked.json"), place, item) for place, item in _timed(engine))
    for image in engine.data.get("container", {}).get("images", []):
        yield engine.file, f"container.images ({image['name']})", image
    for key, rows in (engine.memory or {}).items():
        for i, row in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(row, dict):
                yield engine.beside("memory.json"), f"{key}[{i}]", row


def versions_known(catalog: Catalog) -> list[Finding]:
    """`since`, `until` and `verified_through` are known releases, and leave one between them."""
    rule, out = "versions-known", []
    for engine in [engine for engine in catalog.engines if engine.checked and engine.surface]:
        file, releases = engine.beside("checked.json"), Releases(engine.surface or {})
        named = [(file, "$", "verified_through", (engine.checked or {})["verified_through"])]
        for file, place, item in _dated(engine):
            named += [(file, place, key, item[key]) for key in ("since", "until") if key in item]
            begin, end = releases.span(item)
            if begin >= end:
                problem = "no release lies between since and until"
                out.append(Finding(rule, file, place, problem, "mend the interval, or drop it"))
        for file, place, key, version in named:
            if not releases.knows(version):
                problem = f"{key} {version} is no known release"
                near = max(
                    (v for v in releases.versions if sort_key(v) < sort_key(version)),
                    key=sort_key,
                    default=releases.versions[0],
                )
                cure = f"name a release, such as {near}"
                out.append(Finding(rule, file, place, problem, cure))
        if releases.versions != sorted(releases.versions, key=sort_key):
            problem = "the releases are not in order"
            out.append(
                Finding(rule, engine.beside("surface.json"), "releases", problem, "sort them")
            )
    return out


def sources_formed(catalog: Catalog) -> list[Finding]:
    """Evidence is a URL, `owner/repository path@ref`, or `artifact path, symbol` of a release."""
    rule, out = "sources-formed", []
    packages: dict[str, set[str]] = {}
    for engine in catalog.engines:
        for release in (engine.surface or {"releases": []})["releases"]:
            found = ARTIFACT.fullmatch(release["artifact"])
            if found:
                packages.setdefault(found[1].lower().replace("-", "_"), set()).add(found[2])
    for engine in [engine for engine in catalog.engines if engine.checked]:
        file, checked = engine.beside("checked.json"), engine.checked or {}
        items = [(f"rows[{i}]", row) for i, row in enumerate(checked["rows"])]
        loaders = [(place, item) for file, place, item in troubles(engine) if "loaders" in file]
        items.append(("parallel", checked.get("parallel", {})))
        for place, item in [*items, *_timed(engine), *loaders]:
            for text in item.get("evidence", []):
                found = SOURCES.fullmatch(text)
                if not found:
                    cure = (
                        "write https://..., 'owner/repository path@ref' or 'artifact path, symbol'"
                    )
                    out.append(Finding(rule, file, place, f"{text!r} names no source", cure))
                    continue
                artifact = ARTIFACT.fullmatch(found["artifact"] or "")
                known = packages.get(artifact[1].lower().replace("-", "_")) if artifact else None
                if artifact and known and artifact[2] not in known:
                    problem = f"{found['artifact']} is of no release in surface.json"
                    out.append(Finding(rule, file, place, problem, "name an artifact listed there"))
    return out


def checked_unique(catalog: Catalog) -> list[Finding]:
    """Ids of rules and names of files are given once; rows of a field stand together in order."""
    rule, out = "checked-unique", []
    for engine in [engine for engine in catalog.engines if engine.checked]:
        file, checked = engine.beside("checked.json"), engine.checked or {}
        for kind, key in (("rules", "id"), ("files", "name"), ("shapes", "id")):
            names = [item[key] for item in checked.get(kind, [])]
            for name in dict.fromkeys(name for name in names if names.count(name) > 1):
                problem = f"{name!r} is given more than once"
                out.append(Finding(rule, file, kind, problem, "keep one, or rename it"))
        used = {t for row in checked["rows"] for c in row["try"] for t in c if t not in RESERVED}
        for target in checked["targets"]:
            if target not in used:
                problem = "no row emits it"
                roles = (checked.get(key, {}).values() for key in ("parallel", "draft", "kernels"))
                spread = checked.get("parallel", {}).get("spread", {})
                if target in spread or any(target in role for role in roles):
                    continue  # shapes or kernels look at it
                if any(
                    target == row.get("unless") for row in checked.get("kernels", {}).get("own", [])
                ):
                    continue  # it lets methods through
                if any(target in item["refuse"] for item in checked["rules"]):
                    continue  # a rule judges what someone else wrote
                seen = [item for _, _, item in troubles(engine)] + checked.get("shapes", [])
                if any(target in item.get("when", {}) for item in seen):
                    continue  # it may start and then go wrong, or let a size be
                out.append(Finding(rule, file, f"targets.{target}", problem, "drop it"))
    return out


def precision_complete(catalog: Catalog) -> list[Finding]:
    """Each part of the model has a last row that always holds, and none behind it."""
    rule, out = "precision-complete", []
    for engine in [engine for engine in catalog.engines if engine.checked]:
        rows = (engine.checked or {})["precision"]
        for part in PARTS:
            own = [(i, row) for i, row in enumerate(rows) if row["of"] == part]
            always = [i for i, row in own if not row.keys() & {"when", "since", "until"}]
            file = engine.beside("checked.json")
            if not always:
                problem = f"no row of {part!r} holds always"
                cure = "end them with a row without conditions"
                out.append(Finding(rule, file, "precision", problem, cure))
            for index, _ in own:
                if always and index > always[0]:
                    problem = "a row before it holds always"
                    cure = "move it up, or drop it"
                    out.append(Finding(rule, file, f"precision[{index}]", problem, cure))
    return out


RULES = (
    checked_refer,
    routes_exist,
    versions_known,
    sources_formed,
    checked_unique,
    precision_complete,
)
