"""What several tests share: the fields, every four-field config, and the logger's messages."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from quantmap import _core, list_diagnostics

CATALOGUE = Path(__file__).resolve().parents[2] / "cpp" / "catalog"


def document(engine: str, name: str) -> Any:
    """A file of an engine's folder."""
    path = CATALOGUE / "engines" / engine / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))


ALL_ENGINES = [engine["id"] for engine in _core.engines()]
ENGINES = [name for name in ALL_ENGINES if document(name, "mapping")["documented"]["rows"]]
RELEASES = {
    name: [release["version"] for release in document(name, "surface")["releases"]]
    for name in ALL_ENGINES
}
FIELDS = {field["id"]: field for field in _core.fields()}
FOUR = [field for field in FIELDS.values() if field["form"] == "four_field"]
UNIFIED = [field for field in FIELDS.values() if field["form"] == "unified"]
REGISTRY = {entry["code"]: entry for entry in list_diagnostics()}
QUANTIZED = "awq"


def four_field_configs() -> Iterator[dict[str, str]]:
    """Every four-field config with all four keys."""
    keys = [field["key"] for field in FOUR]
    for values in itertools.product(*(field["options"] for field in FOUR)):
        yield dict(zip(keys, values))


def pairs(arguments: dict[str, Any]) -> list[list[Any]]:
    """Arguments in order, with the type beside each value: True is not 1."""
    return [[flag, type(value).__name__, value] for flag, value in arguments.items()]


def logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The messages of the logger `quantmap`, which all must be warnings."""
    records = [record for record in caplog.records if record.name == "quantmap"]
    assert all(record.levelname == "WARNING" for record in records)
    return [record.getMessage() for record in records]


def placeholders(template: str) -> set[str]:
    """The names in braces."""
    return set(re.findall(r"\{(\w+)\}", template))


def fill(template: str, context: dict[str, str]) -> str:
    """A template with its placeholders replaced."""
    return re.sub(r"\{(\w+)\}", lambda match: context.get(match[1], ""), template)
