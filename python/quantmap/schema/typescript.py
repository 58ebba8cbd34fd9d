"""TypeScript types of configs, the task, the tables behind a web form, and every output.

A type refuses what a value of that shape can never be: an unknown key or value, keys of both forms
in one config, an FP8 format against the dtype, a section without the key that it must hold.
"""

from __future__ import annotations

import json

from .. import _core
from .configs import FORMS, PRESET, PRESETS, WRAPPER, fields_of, keys_of, preset_names
from .inputs import CONFIG_KEYS, PARAMETER_PRESETS
from .typescript_results import results

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_MOST_NUMBERS = 16  # a range this small becomes a union of its numbers


def module() -> str:
    """The text of the module."""
    made_by = f"// Made by quantmap {_core.__version__}, catalogue {_core.catalog_version}."
    forms = [_form(form) for form in FORMS]
    parts = [made_by, *forms, _config(), _task(), _edited(), _tables(), results()]
    return "\n\n".join(parts) + "\n"


def camel(*words: str) -> str:
    """``kv_cache`` and ``dtype`` as ``KvCacheDtype``."""
    return "".join(part.capitalize() for word in words for part in word.split("_"))


def union(values: Iterable[Any]) -> str:
    """A union of literals."""
    return " | ".join(json.dumps(value) for value in values) or "never"


def type_of(field: dict[str, Any]) -> str:
    """The type of a field's values."""
    kind = field["kind"]
    if kind == "option":
        return union(field["options"])
    if kind == "integer" and field["maximum"] <= _MOST_NUMBERS:
        return union(range(field["minimum"], field["maximum"] + 1))
    return {"boolean": "boolean", "label": "string"}.get(kind, "number")


def name_of(field: dict[str, Any]) -> str:
    """The name of a field's type."""
    return camel(field["section"], field["key"])


def _interface(name: str, title: str, members: list[str]) -> str:
    return f"/** {title} */\nexport interface {name} {{\n" + "".join(members) + "}"


def _member(field: dict[str, Any]) -> str:
    return f"  /** {field['title']} */\n  {field['key']}?: {name_of(field)} | null;\n"


def _form(form: str) -> str:
    """The types of the fields of a form, and its presets."""
    name = camel(form)
    types, members = [], []
    sections: dict[str, list[str]] = {}
    for field in fields_of(form):
        types.append(f"/** {field['title']} */\nexport type {name_of(field)} = {type_of(field)};")
        if not field["section"]:
            members.append(_member(field))
            continue
        if field["section"] not in sections:
            members.append(f"  {field['section']}?: {camel(field['section'])}Section | null;\n")
        sections.setdefault(field["section"], []).append(_member(field))
    for section, inside in sections.items():
        types.append(_interface(f"{camel(section)}Section", f"Keys of {section}.", inside))
    types.append(f"export type {name}Preset = {union(preset_names(form))};")
    types.append(_interface(f"{name}Fields", "Fields that a config may set.", members))
    return "\n\n".join(types)


def _agreeing(field: dict[str, Any]) -> str:
    """The section of a field that another completes: the two must not contradict each other."""
    pairs = field["completion"]["with"]
    other = next(
        item for item in fields_of(field["form"]) if item["id"] == field["completion"]["by"]
    )
    whole = list(dict.fromkeys(pairs.values()))
    free = union(value for value in field["options"] if value not in whole)
    kinds = [f"{{ {field['key']}?: {free} | null; {other['key']}?: {name_of(other)} | null }}"]
    for value in whole:
        fitting = union(name for name, completed in pairs.items() if completed == value)
        kinds.append(f'{{ {field["key"]}: "{value}"; {other["key"]}?: {fitting} | null }}')
    return " | ".join(kinds)


def _config() -> str:
    """A config of either form, bare or in its wrapper."""
    parts = [
        f"export type PresetName = {' | '.join(f'{camel(form)}Preset' for form in FORMS)};",
        "type Without<Key extends string> = { [key in Key]?: never };",
        f"type NoPreset = {{ {PRESET}?: null; {PRESETS}?: null }};",
        f"type OnePreset<Name> =\n  | {{ {PRESET}: Name; {PRESETS}?: null }}\n"
        f"  | {{ {PRESET}?: null; {PRESETS}: readonly [Name] }};",
    ]
    for form in FORMS:
        name = camel(form)
        fields = fields_of(form)
        agreeing = [(field["section"], _agreeing(field)) for field in fields if field["completion"]]
        over = f"{name}Fields"
        for section, kinds in agreeing:
            over = f'Omit<{over}, "{section}"> & {{ {section}?: {kinds} | null }}'
        plain = [
            f"{{ {field['section']}?: {{ {field['key']}: {name_of(field)} }} | null }}"
            for field in fields
            if field["required"]
        ]
        others = union(key for other in FORMS if other != form for key in keys_of(other))
        parts.append(f"type {name}Over = {over};")
        parts.append(
            f"export type {name}Config = Without<{others}> &\n"
            f"  {{ {WRAPPER}?: null }} & {name}Over &\n"
            f"  ({' & '.join(['NoPreset', *plain])} | OnePreset<{name}Preset>);"
        )
    either = " | ".join(f"{camel(form)}Config" for form in FORMS)
    beside = union([*(key for form in FORMS for key in keys_of(form)), PRESET, PRESETS])
    parts.append(
        f"/** A config for one launch. */\nexport type QuantConfig =\n  | {either}\n"
        f"  | (Without<{beside}> & {{ {WRAPPER}: {either} }});"
    )
    return "\n\n".join(parts)


def _task() -> str:
    """The autotuner's task."""
    names = union(name for engine in _core.engines() for name in engine["runtime_names"])
    tried = []
    for form in FORMS:
        others = union(key for other in FORMS if other != form for key in keys_of(other))
        presets = f"PresetsToTry<{camel(form)}Preset>"
        tried.append(f"(Without<{others}> & {presets} & Tried<{camel(form)}Fields>)")
    every = union(key for form in FORMS for key in keys_of(form))
    tried.append(f"(Without<{every}> & PresetsToTry<PresetName>)")
    configs = "".join(f"  {key}?: TaskConfig | null;\n" for key in CONFIG_KEYS)
    return f"""\
/** One value, or a list of values to try. */
export type OneOrMore<Value> = Value | null | readonly [Value | null, ...(Value | null)[]];

type Tried<Fields> = {{
  [Key in keyof Fields]: [NonNullable<Fields[Key]>] extends [object]
    ? Tried<NonNullable<Fields[Key]>> | null
    : OneOrMore<NonNullable<Fields[Key]>>;
}};

type PresetsToTry<Name> = {{ {WRAPPER}?: null }} & (
  | {{ {PRESET}?: OneOrMore<Name>; {PRESETS}?: null }}
  | {{ {PRESET}?: null; {PRESETS}?: OneOrMore<Name> }}
);

/** A config that may name several values for a field. */
export type TaskConfig =
  | {(chr(10) + "  | ").join(tried)};

/** An engine by one of its names. */
export type EngineName = {names};

/** The autotuner's task; keys that quantmap does not read are passed on. */
export interface Task {{
  task_name?: string | null;
  base_runtime?: EngineName | `${{EngineName}}@${{string}}` | `${{EngineName}}==${{string}}`;
  runtime_image_tag?: string | null;
{configs}  parameters?:
    | {{ {PARAMETER_PRESETS}?: OneOrMore<PresetName>; [name: string]: unknown }}
    | null;
  optimization?: {{ max_iterations?: number | null; [key: string]: unknown }} | null;
  [key: string]: unknown;
}}"""


def _edited() -> str:
    """What a form holds while somebody edits it, and the lists of what it offers."""
    form = FORMS[0]
    fields = fields_of(form)
    parts = [
        f"/** {field['title']} */\n"
        f"export const {field['key'].upper()}S = {json.dumps(field['options'])} as const;"
        for field in fields
    ]
    rows = [
        {"id": preset["id"], "description": preset["use_case"]}
        for preset in _core.presets()
        if preset["form"] == form
    ]
    parts.append(
        "/** The presets of the four fields. */\n"
        f"export const {form.upper()}_PRESETS = {json.dumps(rows)} as const;"
    )
    members = "".join(f"  {field['key']}?: string | string[];\n" for field in fields)
    parts.append(
        "/** What a form edits: names as text, lists that may be empty, nothing null. Whether it\n"
        " * is valid, `TaskConfig` says to a compiler, `validate_quant_config` to a program. */\n"
        f"export interface {camel(form)}Form {{\n  {PRESETS}?: string[];\n{members}}}"
    )
    return "\n\n".join(parts)


def _tables() -> str:
    """The tables behind a web form."""
    words = _core.vocabulary()
    forms = union(FORMS)
    return f"""\
/** What an engine is started with: true is a bare switch. */
export interface Launch {{
  args: Record<string, string | boolean>;
  env: Record<string, string>;
  files: Record<string, string>;
}}

/** What becomes of a field. */
export interface Decision {{
  outcome: {union(words["outcomes"])};
  sentence: string;
}}

/** One number for each combination of the fields in `by`, the last field fastest. */
export interface Table<Value> {{
  by: string[];
  index: number[];
  values: Value[];
}}

export interface UiField {{
  form: {forms};
  section: string;
  key: string;
  label: string;
  title: string;
  kind: {union(dict.fromkeys(field["kind"] for field in _core.fields()))};
  default: string | null;
  options?: {{ value: string | number; title: string }}[];
  minimum?: number;
  maximum?: number;
}}

export interface UiPreset {{
  id: PresetName;
  form: {forms};
  use_case: string;
  recommended_for: string;
  claims: Record<string, string>;
  engines: Record<string, string>;
  hardware: string;
  config: Record<string, unknown>;
}}

/** Places of tables in `UiTable.tables`. */
export interface UiCheckpoint {{
  checkpoint: string;
  launches: number;
  decisions: Record<string, number>;
  precision: number;
  presets: number;
}}

export interface UiEngine {{
  engine: {union(engine["id"] for engine in _core.engines())};
  name: string;
  mode: "documented" | "checked";
  version: string | null;
  gpu: string | null;
  checkpoints: UiCheckpoint[];
}}

export interface UiTable {{
  format: number;
  catalog: {{ version: string; hash: string }};
  fields: UiField[];
  presets: UiPreset[];
  checkpoints: {{ id: string; title: string }}[];
  engines: UiEngine[];
  tables: {{
    launches: Table<Launch>[];
    decisions: Table<Decision>[];
    precision: Table<Record<string, string>>[];
  }};
}}"""
