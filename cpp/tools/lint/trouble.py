"""Known trouble and what loaders cannot load: whatever an entry names exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .facts import (
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
from .model import LISTS, Catalog, Engine, Finding

THREAD = re.compile(r"https://github\.com/[\w.-]+/[\w.-]+/(?:issues|pull|discussions)/\d+")


def troubles(engine: Engine) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """File, place and content of every entry of an engine."""
    for kind in LISTS:
        file = engine.beside(f"{kind}.json")
        for item in (getattr(engine, kind) or {}).get(kind, []):
            yield file, f"{kind} ({item['id']})", item


def trouble_refers(catalog: Catalog) -> list[Finding]:
    """Targets, checkpoints, kinds of models, GPUs and facts of models exist."""
    rule, out = "trouble-refers", []
    readers = (
        ("checkpoint", kind_set, kinds_of(catalog)),
        ("gpu", gpu_set, gpus_of(catalog)),
        ("model", model_set, models_of(catalog)),
    )
    for engine in catalog.engines:
        targets = list((engine.checked or {}).get("targets", {}))
        for file, place, item in troubles(engine):
            wrong = [("target", name, targets) for name in item.get("when", {})]
            wrong += [
                (key, n, names_of(catalog, key))
                for key in (*WORLD, "section")
                for n in item.get(key, ())
            ]
            for kind, name, known in wrong:
                if name not in known:
                    problem, cure = (
                        f"there is no {kind} {name!r}",
                        f"use one of: {', '.join(known)}",
                    )
                    out.append(Finding(rule, file, place, problem, cure))
            for key, read, known in readers:
                try:
                    read(item.get(key), known)
                except KeyError as error:
                    cure = f"use one of: {', '.join(known)}"
                    out.append(Finding(rule, file, place, f"there is no {key} {error}", cure))
    return out


def trouble_dated(catalog: Catalog) -> list[Finding]:
    """The interval holds a known release; what no release is named for is assumed."""
    rule, out = "trouble-dated", []
    for engine in [engine for engine in catalog.engines if engine.surface]:
        releases = Releases(engine.surface or {})
        for file, place, item in troubles(engine):
            for key in ("since", "until"):
                if key in item and not releases.knows(item[key]):
                    problem = f"{key} {item[key]} is no known release"
                    out.append(Finding(rule, file, place, problem, "name one of surface.json"))
            begin, end = releases.span(item)
            if begin >= end:
                problem = "no release lies between since and until"
                out.append(Finding(rule, file, place, problem, "mend the interval, or drop it"))
            if "dated" in item and not item.get("assumed"):
                problem = "its thread names no release, and yet it is not assumed"
                out.append(Finding(rule, file, place, problem, 'write "assumed": true'))
    return out


def trouble_read(catalog: Catalog) -> list[Finding]:
    """Each entry of `trouble` names the public threads it was read in, and no entry is twice."""
    rule, out = "trouble-read", []
    for engine in catalog.engines:
        seen: set[str] = set()
        for file, place, item in troubles(engine):
            if item["id"] in seen:
                out.append(Finding(rule, file, place, "the id is given twice", "rename one"))
            seen.add(item["id"])
            for text in item["evidence"]:
                if file.endswith("trouble.json") and not THREAD.fullmatch(text):
                    cure = "write https://github.com/OWNER/NAME/issues/NUMBER, or pull"
                    out.append(Finding(rule, file, place, f"{text!r} names no thread", cure))
            if "unquantized" in item.get("checkpoint", []) and not item.get("types"):
                problem = "a model of which nothing is known would be told of this"
                cure = "name the setting that quantizes in `when`"
                out.append(Finding(rule, file, place, problem, cure))
    return out


RULES = (trouble_refers, trouble_dated, trouble_read)
