"""recipes.json as tables."""

from __future__ import annotations

import json
from typing import Any

from common import Writer, ident, text


def compile_recipes(document: dict[str, Any], out: Writer) -> str:
    """The `RecipeTables` object."""
    makers = (
        f"{{{text(m['id'])}, {text(m['name'])}, {text(m['read'])}}}" for m in document["makers"]
    )
    rows = (_recipe(row, out) for row in document["recipes"])
    return f"{{{out.array('RecipeMaker', makers)}, {out.array('Recipe', rows)}}}"


def _recipe(row: dict[str, Any], out: Writer) -> str:
    scale, code, stored = row["scale"], row["code"], row.get("stored", {})
    rows, columns = row["tile"]
    parts = [
        text(row["who"]),
        text(row["scheme"]),
        text(row["since"]),
        text(row.get("until", "")),
        _flag(row.get("assumed")),
        f"RecipeUse::{ident(row['use'])}",
        f"Element::{ident(row['element'])}",
        str(rows),
        str(columns),
        _flag(row.get("whole_tiles")),
        f"Arithmetic::{ident(row['arithmetic'])}",
        _flag(row.get("flush")),
        f"RangeRule::{ident(row['range'])}",
        f"ScaleRule::{ident(scale['rule'])}",
        f"ScaleType::{ident(scale['type'])}",
        _number(scale.get("limit", 1)),
        str(scale.get("offset", 0)),
        _number(scale.get("amax_floor", 0)),
        _number(scale.get("floor", 0)),
        f"ZeroRule::{ident(scale.get('zero', 'none'))}",
        f"CodeRule::{ident(code['rule'])}",
        f"Rounding::{ident(code['rounding'])}",
        _number(code["low"]),
        _number(code["high"]),
        text(row["title"]),
        text(row["formula"]),
        _stored(stored),
        out.texts(row["evidence"]),
    ]
    return "{" + ", ".join(parts) + "}"


def _stored(stored: dict[str, Any]) -> str:
    if not stored:
        return "{}"
    activation = json.dumps(stored["activation"]) if "activation" in stored else ""
    return (
        f"{{{text(stored['format'])}, {text(json.dumps(stored['weights']))}, {text(activation)}}}"
    )


def _flag(value: Any) -> str:
    return "true" if value else "false"


def _number(value: float) -> str:
    return repr(float(value))
