"""Every file has the shape that its JSON Schema describes."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from .model import LISTS, TOP_FILES, Catalog, Finding, load_json

SCHEMAS = Path(__file__).resolve().parents[2] / "catalog" / "schema"


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of one kind of file."""
    document: dict[str, Any] = load_json(SCHEMAS / f"{name}.schema.json")
    return document


def schema_valid(catalog: Catalog) -> list[Finding]:
    """Reports each place where a document breaks its schema."""
    from jsonschema import Draft202012Validator

    kinds = [(name, f"{name}.json", name) for name in TOP_FILES]
    for engine in catalog.engines:
        names = ("mapping", "surface", "checked", "kernels", "messages", "modules", *LISTS)
        files = [(engine.beside(f"{name}.json"), name) for name in names]
        files.append((engine.beside("memory.json"), "engine_memory"))
        kinds += [(file, file, name) for file, name in files]
    out = []
    for key, file, kind in kinds:
        if key not in catalog.documents:
            continue
        for error in Draft202012Validator(schema(kind)).iter_errors(catalog.documents[key]):
            problem = error.message if len(error.message) < 200 else error.message[:200] + "..."
            cure = f"write what catalog/schema/{kind}.schema.json describes"
            out.append(Finding("schema-valid", file, error.json_path, problem, cure))
    return out


RULES = (schema_valid,)
