"""The words that only the catalogue may know: of every file of it, each with what it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.python.sources import ROOT, files

CATALOG = ROOT / "cpp" / "catalog"
# Parts of a row that are prose, or say where a fact is written.
_PROSE = {"evidence", "text", "code", "hint", "source", "title", "id", "sha256", "artifact", "date"}
_PROSE |= {"via", "since", "until", "schema"}
# A value that is no common word of English or of programs: it holds a digit or an underscore.
_TELLING = re.compile(r"(?=[\w.+-]*[_\d])(?=[\w.+-]*[a-z])[A-Za-z][\w.+-]{3,}")


def _load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _values(data: Any) -> Iterator[str]:
    """The texts of rows that are data and tell something by themselves."""
    if isinstance(data, str):
        if _TELLING.fullmatch(data):
            yield data
    elif isinstance(data, list):
        for item in data:
            yield from _values(item)
    elif isinstance(data, dict):
        for key, item in data.items():
            if key not in _PROSE:
                yield from _values(item)


def _documented(data: Any) -> Iterator[tuple[str, str]]:
    """Of a mapping.json: names, flags, variables, and every value that its rows emit."""
    for name in (data["id"], data["name"], *data["runtime_names"]):
        yield name, "engine"
    for flag in data["flags"]:
        for name in (flag["id"], *flag.get("aliases", [])):
            yield name, "flag"
    for route in (route for routes in data["targets"].values() for route in routes):
        for kind in ("flag", "env"):
            if kind in route:
                yield route[kind], kind
    for row in data["documented"]["rows"]:
        for value in (value for candidate in row["try"] for value in candidate.values()):
            if value != "=":
                yield value, "value of an engine"


def _released(folder: Path) -> Iterator[tuple[str, str]]:
    """What the releases of an engine accept, and what decides about them."""
    surface, checked = _load(folder / "surface.json"), _load(folder / "checked.json")
    routes = (route for routes in checked["targets"].values() for route in routes)
    steered = {route.get("flag") for route in routes}  # the flags that a mapping may set
    for release in surface["releases"]:
        yield release["version"], "release"
    for name in surface.get("env", {}):
        yield name, "env"
    for name, history in surface["flags"].items():
        if name[:2] == "--":
            yield name, "flag"
        for interval in history:
            yield from (
                (alias, "flag") for alias in interval.get("aliases", []) if alias[:2] == "--"
            )
            if name in steered:
                yield from ((value, "choice") for value in _values(interval.get("choices", [])))
    for part in ("rows", "rules", "precision"):
        yield from ((value, "value of checked mode") for value in _values(checked[part]))
    for target in checked["targets"]:
        if "_" in target:
            yield target, "target"
    for path in folder.glob("kernels*.json"):
        yield from ((value, "kernel") for value in _values(_load(path)))


def _shared() -> Iterator[tuple[str, str]]:
    """Presets, options, number formats, fields and GPUs."""
    for preset in _load(CATALOG / "presets.json")["presets"]:
        yield preset["id"], "preset"
    for field in _load(CATALOG / "fields.json")["fields"]:
        for option in field.get("options", []):
            if "number" not in option:
                yield option["id"], f"option of {field['id']}"
        if "_" in field["key"]:
            yield field["key"], "field"
    for dtype in _load(CATALOG / "dtypes.json")["dtypes"]:
        yield dtype["id"], "dtype"
    hardware = _load(CATALOG / "hardware.json")
    for gpu in hardware["classes"][1:]:
        yield gpu["id"], "GPU class"
    for gpu in hardware["products"]:
        yield gpu["id"], "GPU"


def own_options() -> set[str]:
    """The options of quantmap's own command, which engines may have as well."""
    found: set[str] = set()
    for path in files("python/quantmap/cli/*.py", "python/quantmap/pytest_plugin.py"):
        found |= set(re.findall(r'"(?:[^"]*/)?(--[a-z-]+)', path.read_text(encoding="utf-8")))
    return found


def catalogue_words() -> dict[str, str]:
    """Word → what it is."""
    words: dict[str, str] = {}
    for folder in sorted((CATALOG / "engines").iterdir()):
        words.update(_documented(_load(folder / "mapping.json")))
    first = {word for word in words if word[:2] == "--"}  # theirs whatever our options are called
    for word, kind in _shared():
        words.setdefault(word, kind)
    ours = own_options() - first
    for folder in sorted((CATALOG / "engines").iterdir()):
        for word, kind in _released(folder):
            if word not in ours and word[:1] != "_":
                words.setdefault(word, kind)
    return words


WORDS = catalogue_words()
PATTERN = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True))
    + r")(?![\w-])"
)
