"""What leads to a recipe: the names of recipes.json, and the modules.json of an engine."""

from __future__ import annotations

from typing import Any

from common import Writer, text


def compile_recipe_names(document: dict[str, Any], out: Writer) -> str:
    """The `RecipeName` rows."""
    rows = []
    for row in document.get("names", []):
        parts = [text(row["who"]), text(row.get("since", "")), text(row.get("until", ""))]
        parts += [text(row["at"]), out.texts(row["values"]), text(row["part"])]
        parts += [text(row.get(key, "")) for key in ("scheme", "outside", "instead_of")]
        rows.append("{" + ", ".join([*parts, out.texts(row["evidence"])]) + "}")
    return out.array("RecipeName", rows)


def compile_modules(documents: dict[str, dict[str, Any]], out: Writer) -> str:
    """The `ModelModules` rows of every engine that has them."""
    rows = []
    for engine, document in documents.items():
        for model in document["models"]:
            modules = (
                f"{{{text(m['name'])}, {out.texts(m['paths'])}, {text(m['kind'])}}}"
                for m in model["modules"]
            )
            source = f"{document['artifact']} {model['file']}"
            parts = [text(engine), text(document["read"]), text(source)]
            parts += [out.texts(model["architectures"]), out.array("ModuleName", modules)]
            rows.append("{" + ", ".join(parts) + "}")
    return out.array("ModelModules", rows)
