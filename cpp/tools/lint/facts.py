"""What checked rows and rules range over: checkpoints, models, GPUs, releases, options."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as member
from typing import Any

from packaging.version import Version as sort_key

from .model import ANY, METHOD, Catalog, Engine, Row, Setting

WORLD = ("has", "lacks", "scheme", "model_dtype", "declared_kv")  # of a model, beside its kind
SITUATION = ("checkpoint", "gpu", "model", "activations", *WORLD)
ACTIVATIONS = (True, False)
RESERVED = ("as", "why", "code")  # keys of a candidate that are no targets


def kinds_of(catalog: Catalog) -> list[str]:
    """The ids of the checkpoint kinds, in order; the first is unquantized."""
    return [kind["id"] for kind in catalog.documents["checkpoints"].get("kinds", [])]


def gpus_of(catalog: Catalog) -> list[str]:
    """The ids of the GPU classes, in order; the first is "no GPU given"."""
    return [item["id"] for item in catalog.documents["hardware"].get("classes", [])]


def models_of(catalog: Catalog) -> list[str]:
    """The ids of the kinds of models, in order; the first is "no model inspected"."""
    return [item["id"] for item in catalog.documents["checkpoints"].get("models", [])]


def model_set(names: list[str] | None, models: list[str]) -> frozenset[str]:
    """The kinds of models that a list means; raises KeyError for a name that is none."""
    for name in names or ():
        if name not in models:
            raise KeyError(name)
    return frozenset(models if names is None else names)


def kind_set(names: list[str] | None, kinds: list[str]) -> frozenset[str]:
    """The kinds that a list means; raises KeyError for a name that is none."""
    if names is None:
        return frozenset(kinds)
    out: set[str] = set()
    for name in names:
        if name == "quantized":
            out |= set(kinds[1:])
        elif name in kinds:
            out.add(name)
        else:
            raise KeyError(name)
    return frozenset(out)


def gpu_set(names: list[str] | None, gpus: list[str]) -> frozenset[str]:
    """The classes that a list means, ranges included; raises KeyError for a name that is none."""
    if names is None:
        return frozenset(gpus)
    out: set[str] = set()
    for name in names:
        plain = name.strip("+-")
        if plain not in gpus or (plain != name and plain == gpus[0]):
            raise KeyError(name)
        at = gpus.index(plain)
        if name.endswith("+"):
            out |= set(gpus[at:])
        elif name.startswith("-"):
            out |= set(gpus[1 : at + 1])
        else:
            out.add(plain)
    return frozenset(out)


class Releases:
    """The releases of an engine by number."""

    def __init__(self, surface: dict[str, Any]) -> None:
        self.versions = [release["version"] for release in surface["releases"]]
        self.keys = [sort_key(version) for version in self.versions]

    def __len__(self) -> int:
        return len(self.versions)

    def knows(self, version: str) -> bool:
        return sort_key(version) in self.keys

    def span(self, item: dict[str, Any]) -> tuple[int, int]:
        """First number, and the number after the last."""
        since, until = item.get("since"), item.get("until")
        begin = bisect.bisect_left(self.keys, sort_key(since)) if since else 0
        return begin, bisect.bisect_left(self.keys, sort_key(until)) if until else len(self)

    def covers(self, item: dict[str, Any], number: int) -> bool:
        begin, end = self.span(item)
        return begin <= number < end


def names_of(catalog: Catalog, key: str) -> list[str]:
    """The facts of models that a condition may name; the first says that nothing is known."""
    document = catalog.documents["checkpoints"]
    if key in ("has", "lacks"):
        return [trait["id"] for trait in document.get("traits", [])]
    if key == "section":
        return [fact["id"] for fact in document.get("section", [])]
    if key == "scheme":
        return [scheme["id"] for scheme in document.get("schemes", [])]
    return list(document.get("dtypes" if key == "model_dtype" else "kv_dtypes", []))


@dataclass(frozen=True)
class World:
    """What is known of a model beside its kind."""

    has: str = ""  # one trait; every other one is known to be missing
    read: bool = False  # whether anything of the model was read
    scheme: str = "unknown"
    dtype: str = "unknown"
    kv: str = "none"

    def holds(self, when: dict[str, Any]) -> bool:
        """Whether the conditions about a model hold."""
        if not all(name == self.has for name in when.get("has", ())):
            return False
        if not all(self.read and name != self.has for name in when.get("lacks", ())):
            return False
        return (
            self.scheme in when.get("scheme", [self.scheme])
            and self.dtype in when.get("model_dtype", [self.dtype])
            and self.kv in when.get("declared_kv", [self.kv])
        )


def worlds_of(catalog: Catalog, items: list[dict[str, Any]], read: bool) -> list[World]:
    """The worlds that conditions tell apart: dtype and KV cache together, the rest one by one."""

    def named(*keys: str) -> list[str]:
        return sorted({name for item in items for key in keys for name in item.get(key, ())})

    if not read:
        return [World()]
    dtypes = sorted({"unknown", *named("model_dtype")})
    kvs = sorted({"none", *named("declared_kv")})
    out = [World("", True, "unknown", dtype, kv) for dtype in dtypes for kv in kvs]
    out += [World(trait, True) for trait in named("has", "lacks")]
    out += [
        World(trait, True, "unknown", "unknown", kv) for trait in named("has") for kv in kvs[:2]
    ]
    return out + [World("", True, scheme) for scheme in named("scheme") if scheme != "unknown"]


@dataclass(frozen=True)
class CheckedRow:
    """A row of checked mode with its lists as sets."""

    index: int
    row: Row
    kinds: frozenset[str]
    gpus: frozenset[str]
    models: frozenset[str]
    activations: tuple[bool, ...]
    conditions: dict[str, frozenset[str]]
    same_as: str
    world: dict[str, Any] = member(default_factory=dict, compare=False, hash=False)

    def takes(self, value: str, setting: Setting) -> bool:
        """Whether the row matches, checkpoint, GPU, model and activations apart."""
        wanted = self.row["is"]
        if wanted != "*" and value not in wanted:
            return False
        if self.same_as and setting.get(self.same_as) != value:
            return False
        return all(setting.get(name, "") in wanted for name, wanted in self.conditions.items())

    def holds(self, kind: str, gpu: str, model: str, activations: bool) -> bool:
        here = kind in self.kinds and gpu in self.gpus and model in self.models
        return here and activations in self.activations

    def candidates(self) -> list[dict[str, Any]]:
        return list(self.row["try"])


def emissions(candidate: dict[str, Any]) -> dict[str, Any]:
    """Target → value of a candidate."""
    return {target: value for target, value in candidate.items() if target not in RESERVED}


def read_rows(catalog: Catalog, engine: Engine) -> dict[str, list[CheckedRow]]:
    """The rows of checked mode by field, in order."""
    kinds, gpus, models = kinds_of(catalog), gpus_of(catalog), models_of(catalog)
    out: dict[str, list[CheckedRow]] = {}
    for index, row in enumerate(engine.checked["rows"] if engine.checked else []):
        when = dict(row.get("when", {}))
        kind = kind_set(when.pop("checkpoint", None), kinds)
        gpu = gpu_set(when.pop("gpu", None), gpus)
        model = model_set(when.pop("model", None), models)
        world = {key: when.pop(key) for key in WORLD if key in when}
        chosen = when.pop("activations", None)
        same = when.pop("same_as", "")
        conditions = {name: frozenset(options) for name, options in when.items()}
        activations = ACTIVATIONS if chosen is None else (chosen,)
        item = CheckedRow(index, row, kind, gpu, model, activations, conditions, same, world)
        out.setdefault(row["field"], []).append(item)
    return out


def place_of(row: CheckedRow) -> str:
    return f"rows[{row.index}] ({row.row['field']} is {row.row['is']})"


def alike(names: Iterable[str], sets: Iterable[frozenset[str]]) -> list[str]:
    """One name of each class that the sets do not tell apart."""
    every = list(sets)
    seen: dict[tuple[bool, ...], str] = {}
    for name in names:
        seen.setdefault(tuple(name in members for members in every), name)
    return list(seen.values())


def support(catalog: Catalog, name: str, rows: list[CheckedRow]) -> set[str]:
    """The fields that decide which row of a field matches, the field itself included."""
    out = {name}
    for row in rows:
        out |= set(row.conditions) | ({row.same_as} if row.same_as else set())
    if any(catalog.fields[field].get("unfit", {}).get("drops") for field in out):
        out.add(METHOD)
    return out


def option_classes(
    catalog: Catalog, rows: dict[str, list[CheckedRow]], whole: bool = False
) -> dict[str, dict[str, list[str]]]:
    """Field → an option of each class that rows do not tell apart → the options of its class.

    The empty option is "absent", for a field without default. With `whole`, options that a row
    passes on as they are asked count as different.
    """
    every = [row for items in rows.values() for row in items]
    out: dict[str, dict[str, list[str]]] = {}
    for name in catalog.fields:
        sets = [row.conditions[name] for row in every if name in row.conditions]
        own = rows.get(name, [])
        sets += [frozenset(row.row["is"]) for row in own if row.row["is"] != "*"]
        for field in catalog.fields.values() if name == METHOD else ():
            sets += [frozenset(fit["method"]) for fit in field.get("fits", [])]
        fits = catalog.fields[name].get("fits", [])
        sets += [frozenset(fit["options"]) for fit in fits if fit["options"] != "*"]
        asked = any("=" in emissions(c).values() for row in own for c in row.candidates())
        same = any(row.same_as in (name, *catalog.fields) and row.same_as for row in own)
        same = same or any(row.same_as == name for row in every)
        options = catalog.asked(name)
        if same or (whole and asked and options != [ANY]):
            classes = {option: [option] for option in options}
        else:
            classes = {}
            for option in alike(options, sets):
                mark = [option in members for members in sets]
                classes[option] = [o for o in options if [o in m for m in sets] == mark]
        if "default" not in catalog.fields[name]:
            classes[""] = [""]
        out[name] = classes
    return out


def settings(
    catalog: Catalog, names: list[str], classes: dict[str, dict[str, list[str]]]
) -> Iterator[Setting]:
    """Every way to set these fields, up to options that no row tells apart."""
    if not names:
        yield {}
        return
    for rest in settings(catalog, names[1:], classes):
        for option in classes[names[0]]:
            setting = {names[0]: option, **rest}
            if fitting(catalog, setting):
                yield setting


def fitting(catalog: Catalog, setting: Setting) -> bool:
    """Whether no field is dropped for its method; a dropped field is the same as an absent one."""
    if METHOD not in setting:
        return True
    return not any(
        value
        and catalog.fields[name].get("unfit", {}).get("drops")
        and not catalog.fits(name, value, setting[METHOD])
        for name, value in setting.items()
    )
