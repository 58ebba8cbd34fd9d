"""Fields, options and presets as tables."""

from __future__ import annotations

from typing import Any

from common import ALL, CatalogError, Writer, ident, text


class Fields:
    """The fields of both forms, with option numbers and masks."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.list: list[dict[str, Any]] = document["fields"]
        self.by_id = {field["id"]: field for field in self.list}
        for field in self.list:
            if "options_of" in field:
                field["options"] = self.by_id[field["options_of"]]["options"]
        self.sections = [section["id"] for section in document["sections"]]

    def option(self, field_id: str, option: str) -> int:
        for index, candidate in enumerate(self.by_id[field_id].get("options", [])):
            if candidate["id"] == option:
                return index
        raise CatalogError(f"fields.json: {field_id} has no option {option!r}")

    def mask(self, field_id: str, options: Any) -> str:
        if options == "*":
            return ALL
        bits = 0
        for option in options:
            bits |= 1 << self.option(field_id, option)
        return f"{hex(bits)}ULL"

    def table(self, out: Writer) -> str:
        rows = []
        for field in self.list:
            options = field.get("options", [])
            names = [option["id"] for option in options]
            option_array = out.array(
                "Option",
                (
                    f"{{{text(o['id'])}, {text(o.get('title', ''))}, {o.get('number', -1)}, "
                    f"{names.index(o['plain']) if 'plain' in o else -1}}}"
                    for o in options
                ),
            )
            fits = out.array(
                "Fit",
                (
                    f"{{{self.mask('method', fit['method'])}, "
                    f"{self.mask(field['id'], fit['options'])}}}"
                    for fit in field.get("fits", [])
                ),
            )
            default = names.index(field["default"]) if "default" in field else -1
            section = field.get("section", "")
            unfit = field.get("unfit", {})
            rows.append(
                f"{{FieldId::{ident(field['id'])}, {text(field['id'])}, "
                f"Form::{ident(field['form'])}, "
                f"{text(section)}, {text(field['key'])}, {text(field['label'])}, "
                f"{text(field['title'])}, {text(field['source'])}, "
                f"FieldKind::{ident(field['kind'])}, {option_array}, {default}, "
                f"{field.get('min', 0)}, {field.get('max', 0)}, {fits}, "
                f"Code::{ident(unfit.get('code', 'inconsistent-with-method'))}, "
                f"{str(unfit.get('drops', False)).lower()}, {self.completion(field, out)}}}"
            )
        return out.array("Field", rows)

    def completion(self, field: dict[str, Any], out: Writer) -> str:
        for index, option in enumerate(field.get("options", [])):
            by = option.get("completed_by")
            if by is None:
                continue
            other = self.by_id[by["field"]]
            table = out.array(
                "std::int8_t",
                (str(self.option(field["id"], by["with"][o["id"]])) for o in other["options"]),
            )
            default = self.option(by["field"], by["default"])
            return f"{{true, {index}, FieldId::{ident(by['field'])}, {default}, {table}}}"
        return "{}"

    def settings(self, preset: dict[str, Any], out: Writer) -> str:
        """A preset's config as (field, number) pairs."""
        pairs = []
        for field in self.list:
            if field["form"] != preset["form"]:
                continue
            place = preset["config"]
            if "section" in field:
                place = place.get(field["section"], {})
            if field["key"] not in place:
                continue
            value = place[field["key"]]
            if field["kind"] == "boolean":
                number = int(value)
            elif field["kind"] == "integer":
                number = value
            else:
                number = self.option(field["id"], str(value))
            pairs.append(f"{{FieldId::{ident(field['id'])}, {number}}}")
        return out.array("PresetSetting", pairs)


def compile_presets(document: dict[str, Any], fields: Fields, out: Writer) -> str:
    rows = []
    for preset in document["presets"]:
        claims = out.array(
            "Pair", (f"{{{text(k)}, {text(v)}}}" for k, v in preset["claims"].items())
        )
        engines = out.array(
            "Pair", (f"{{{text(k)}, {text(v)}}}" for k, v in preset["engines"].items())
        )
        rows.append(
            f"{{{text(preset['id'])}, Form::{ident(preset['form'])}, "
            f"{fields.settings(preset, out)}, "
            f"{text(preset['use_case'])}, {text(preset['recommended_for'])}, {claims}, {engines}, "
            f"{text(preset['hardware'])}, {text(preset['source'])}}}"
        )
    return out.array("Preset", rows)
