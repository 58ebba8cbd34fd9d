"""The tables behind a web form: every combination of the four fields, mapped beforehand.

What depends on few fields is indexed by those only: a table names the fields in ``by``, and its
``index`` has one number for each combination of their options, the last field fastest. Equal tables
stand once, so that kinds of checkpoints and engines share them.
"""

from __future__ import annotations

import itertools
import json
from functools import partial

from .. import _core
from ..errors import ConfigError
from .configs import FORMS, PRESET, fields_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..mapping import Mapping

FORMAT = 1
GRID = FORMS[0]  # the four fields, whose combinations can be counted


def ui_table(engines: list[str] | None, gpu: str | None) -> dict[str, Any]:
    """The data of `quantmap.ui_table`."""
    words = _core.vocabulary()
    pools = {name: _Pool() for name in ("launches", "decisions", "precision")}
    grounds: dict[tuple[str, str | None], Mapping] = {}
    asked = _asked(engines)
    for runtime, version in asked:
        ground = _ground(runtime, version, gpu)
        grounds.setdefault((ground.engine, ground.version), ground)
    if gpu is not None and asked and not any(ground.gpu for ground in grounds.values()):
        _explained(*asked[0], gpu, None, {})  # raises: nothing that was asked knows a GPU
    targets = [_target(ground, gpu, words["checkpoints"], pools) for ground in grounds.values()]
    return {
        "format": FORMAT,
        "catalog": {"version": _core.catalog_version, "hash": _core.catalog_hash},
        "fields": [_field(field) for form in FORMS for field in fields_of(form)],
        "presets": [_preset(preset) for preset in _core.presets()],
        "checkpoints": [
            {key: kind[key] for key in ("id", "title")} for kind in words["checkpoints"]
        ],
        "engines": targets,
        "tables": {name: pool.tables for name, pool in pools.items()},
    }


def _asked(engines: list[str] | None) -> list[tuple[str, str | None]]:
    if engines is not None:
        if not isinstance(engines, (list, tuple)):
            context = {"expected": "a list of engines", "got": _core.describe(engines)}
            context["hint"] = "write a list, even of one engine"
            raise ConfigError([_core.make_diagnostic("wrong-type", "engines", context)])
        return [(runtime, None) for runtime in engines]
    known = [engine["id"] for engine in _core.engines()]
    return [(engine, version) for engine in known for version in (None, "latest")]


def _field(field: dict[str, Any]) -> dict[str, Any]:
    titles = field["option_titles"]
    out = {
        key: field[key] for key in ("form", "section", "key", "label", "title", "kind", "default")
    }
    if field["kind"] == "option":
        out["options"] = [{"value": v, "title": titles.get(str(v), "")} for v in field["options"]]
    elif field["kind"] == "integer":
        out.update(minimum=field["minimum"], maximum=field["maximum"])
    return out


def _preset(preset: dict[str, Any]) -> dict[str, Any]:
    keys = ("id", "form", "use_case", "recommended_for", "claims", "engines", "hardware", "config")
    return {key: preset[key] for key in keys}


def _ground(runtime: str, version: str | None, gpu: str | None) -> Mapping:
    """An engine in the documented mapping or in a release: a mapping in which nothing is asked."""
    mapping = _explained(runtime, version, None, None, {})
    if mapping.mode != "checked":  # the documented mapping knows no GPU, and refuses one
        return mapping
    return _explained(runtime, version, gpu, None, {})


def _target(
    ground: Mapping,
    gpu: str | None,
    kinds: list[dict[str, Any]],
    pools: dict[str, _Pool],
) -> dict[str, Any]:
    """The tables of an engine and release for every kind of checkpoint."""
    engine, version = ground.engine, ground.version
    gpu = gpu if ground.gpu else None
    checkpoints = []
    for kind in kinds:
        # The first kind is not quantized; one without names is any other.
        method = None if kind is kinds[0] else (kind["names"] or ["another method"])[0]
        launch = partial(_explained, engine, version, gpu, method)
        looks = _core.grid_looks(engine, method, version, gpu)
        checkpoints.append({"checkpoint": kind["id"], **_tables(launch, looks, pools)})
    return {
        **{key: getattr(ground, key) for key in ("engine", "mode", "version", "gpu")},
        "name": ground.engine_name,
        "checkpoints": checkpoints,
    }


def _explained(
    runtime: str, version: str | None, gpu: str | None, method: str | None, config: dict[str, Any]
) -> Mapping:
    return _core.explain(runtime, config, None, method, version, gpu, None, "degrade", None, True)


class _Grid:
    """The combinations of the four fields; those are mapped that come to something new."""

    def __init__(self, launch: Callable[[dict[str, Any]], Mapping]) -> None:
        self._launch = launch
        self._mapped: dict[tuple[int, int], tuple[dict[str, Any], dict[str, Any]]] = {}
        self._decided: dict[tuple[object, ...], dict[str, Any]] = {}
        self.launches: list[dict[str, Any]] = []
        self.precision: list[dict[str, Any]] = []
        self.decisions: dict[str, list[dict[str, Any]]] = {}

    def add(self, config: dict[str, str], looks: tuple[int, ...]) -> None:
        """Take up a combination, by what it comes to and what each field looks at."""
        end, order, *looked = looks
        # A sentence may name the first field's value, at which its row need not look.
        first = next(iter(config.values()))
        marks = {key: (key, end, order, look, first) for key, look in zip(config, looked)}
        if not all(mark in self._decided for mark in marks.values()):
            mapping = self._launch(config)
            self._mapped.setdefault((end, order), (_launch(mapping), mapping.precision))
            for decision in mapping.decisions:
                kept = {"outcome": decision.outcome, "sentence": decision.sentence}
                self._decided.setdefault(marks[decision.field], kept)
        launched, ran = self._mapped[end, order]
        self.launches.append(launched)
        self.precision.append(ran)
        for key, mark in marks.items():
            self.decisions.setdefault(key, []).append(self._decided[mark])


def _tables(
    launch: Callable[[dict[str, Any]], Mapping],
    looks: Iterable[tuple[int, ...]],
    pools: dict[str, _Pool],
) -> dict[str, Any]:
    fields = fields_of(GRID)
    keys = [field["key"] for field in fields]
    options = [field["options"] for field in fields]
    radices = [len(values) for values in options]
    grid = _Grid(launch)
    for values, looked in zip(itertools.product(*options), looks):
        grid.add(dict(zip(keys, values)), looked)
    presets = [preset["id"] for preset in _core.presets()]
    of_presets = [_launch(launch({PRESET: preset})) for preset in presets]
    return {
        "launches": pools["launches"].add(keys, radices, grid.launches),
        "decisions": {
            key: pools["decisions"].add(keys, radices, decided)
            for key, decided in grid.decisions.items()
        },
        "precision": pools["precision"].add(keys, radices, grid.precision),
        "presets": pools["launches"].add([PRESET], [len(presets)], of_presets),
    }


def _launch(mapping: Mapping) -> dict[str, Any]:
    return {key: getattr(mapping, key) for key in ("args", "env", "files")}


class _Pool:
    """Tables, each once."""

    def __init__(self) -> None:
        self.tables: list[dict[str, Any]] = []
        self._places: dict[str, int] = {}

    def add(self, keys: list[str], radices: list[int], found: list[dict[str, Any]]) -> int:
        """The place of the table of `found`, one for each combination."""
        numbers: dict[object, int] = {}
        seen: dict[int, int] = {}  # the same object is looked at once
        index = []
        for value in found:
            number = seen.get(id(value))
            if number is None:
                number = seen[id(value)] = numbers.setdefault(_frozen(value), len(numbers))
            index.append(number)
        firsts = dict(zip(reversed(index), reversed(found)))
        by, index = _projected(keys, radices, index)
        values = [firsts[number] for number in range(len(numbers))]
        table = {"by": by, "index": index, "values": values}
        place = self._places.setdefault(json.dumps(table), len(self.tables))
        if place == len(self.tables):
            self.tables.append(table)
        return place


def _frozen(value: dict[str, Any]) -> object:
    """Equal for equal data in equal order."""
    parts = (part if isinstance(part, str) else tuple(part.items()) for part in value.values())
    return (*value, *parts)


def _projected(
    keys: list[str], radices: list[int], index: list[int]
) -> tuple[list[str], list[int]]:
    """The index without the fields that make no difference."""
    by = list(keys)
    sizes = list(radices)
    for place in reversed(range(len(keys))):
        step = 1
        for size in sizes[place + 1 :]:
            step *= size
        block = step * sizes[place]
        starts = range(0, len(index), block)
        first = [number for start in starts for number in index[start : start + step]]
        spread = [
            number
            for start in range(0, len(first), step)
            for number in first[start : start + step] * sizes[place]
        ]
        if spread == index:
            index = first
            del by[place], sizes[place]
    return by, index
