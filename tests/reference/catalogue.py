"""The catalogue as plain dictionaries, and the few questions that the reference asks it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CATALOG = Path(__file__).resolve().parents[2] / "cpp" / "catalog"


def _read(name: str) -> Any:
    return json.loads((CATALOG / name).read_text(encoding="utf-8"))


_FIELDS_FILE = _read("fields.json")
FIELDS: list[dict[str, Any]] = _FIELDS_FILE["fields"]
SECTIONS: dict[str, dict[str, Any]] = {item["id"]: item for item in _FIELDS_FILE["sections"]}
KEYS: dict[str, str] = _FIELDS_FILE["config_keys"]
PRESETS: dict[str, dict[str, Any]] = {item["id"]: item for item in _read("presets.json")["presets"]}
CHECKPOINTS: dict[str, Any] = _read("checkpoints.json")
ENGINES: dict[str, dict[str, Any]] = {
    name: _read(f"engines/{name}/mapping.json") for name in _read("engines.json")["order"]
}
SEVERITY: dict[str, str] = {
    item["code"]: item["severity"] for item in _read("diagnostics.json")["diagnostics"]
}


def oldest_release(engine: str) -> str:
    version: str = _read(f"engines/{engine}/surface.json")["releases"][0]["version"]
    return version


def field(field_id: str) -> dict[str, Any]:
    return next(item for item in FIELDS if item["id"] == field_id)


def options(item: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = field(item.get("options_of", item["id"]))["options"]
    return found


def path_of(item: dict[str, Any], root: str = "$") -> str:
    section = item.get("section")
    return f"{root}.{section}.{item['key']}" if section else f"{root}.{item['key']}"


def fields_of(form: str) -> list[dict[str, Any]]:
    return [item for item in FIELDS if item["form"] == form]


def find_top_field(key: str) -> dict[str, Any] | None:
    return next((item for item in FIELDS if "section" not in item and item["key"] == key), None)


def find_member(section: str, key: str) -> dict[str, Any] | None:
    return next(
        (item for item in FIELDS if item.get("section") == section and item["key"] == key), None
    )
