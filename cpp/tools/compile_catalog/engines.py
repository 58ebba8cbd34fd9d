"""One engine's mapping: targets, rows, rules, effective precision."""

from __future__ import annotations

import json
from typing import Any

from common import ALL, CatalogError, Writer, ident, mask_of, text
from fields import Fields
from kernels import compile_kernels
from launchers import (
    Releases,
    compile_callables,
    compile_container,
    compile_launchers,
    compile_old_variables,
    compile_plugins,
)
from memory import compile_memory
from rules import (
    compile_meanings,
    compile_precision,
    compile_rules,
    compile_terms,
    compile_troubles,
)
from surface import compile_surface
from taken import taken_rows

RESERVED = ("as", "code", "why")  # keys of a candidate that are no targets


class Facts:
    """Sets that rows and rules range over: checkpoint kinds, facts of models, GPU classes."""

    def __init__(self, checkpoints: dict[str, Any], hardware: dict[str, Any]) -> None:
        self.kinds = [kind["id"] for kind in checkpoints["kinds"]]
        self.models = [model["id"] for model in checkpoints["models"]]
        self.gpus = [gpu["id"] for gpu in hardware["classes"]]
        self.traits = [trait["id"] for trait in checkpoints["traits"]]
        self.section = [fact["id"] for fact in checkpoints["section"]]
        self.schemes = [scheme["id"] for scheme in checkpoints["schemes"]]
        self.dtypes = list(checkpoints["dtypes"])
        self.kv_dtypes = list(checkpoints["kv_dtypes"])

    def masks(self, when: dict[str, Any]) -> str:
        """Takes checkpoint, GPU and the model out of the conditions; their masks, in order."""
        checkpoint = self.checkpoint_mask(when.pop("checkpoint", None))
        gpu = self.gpu_mask(when.pop("gpu", None))
        model = mask_of(when.pop("model", None), self.models, "0xFFU")
        has = mask_of(when.pop("has", []), self.traits)
        lacks = mask_of(when.pop("lacks", []), self.traits)
        scheme = mask_of(when.pop("scheme", None), self.schemes, "0xFFFFFFFFU")
        dtype = mask_of(when.pop("model_dtype", None), self.dtypes, "0xFFU")
        kv_dtype = mask_of(when.pop("declared_kv", None), self.kv_dtypes, "0xFFU")
        return f"{checkpoint}, {gpu}, {model}, {has}, {lacks}, {scheme}, {dtype}, {kv_dtype}"

    def checkpoint_mask(self, names: list[str] | None) -> str:
        if names is None:
            return "0xFFFFFFFFU"
        bits = 0
        for name in names:
            if name == "quantized":
                bits |= sum(1 << i for i, kind in enumerate(self.kinds) if kind != "unquantized")
            elif name in self.kinds:
                bits |= 1 << self.kinds.index(name)
            else:
                raise CatalogError(f"unknown checkpoint kind {name!r}")
        return f"{hex(bits)}U"

    def gpu_mask(self, names: list[str] | None) -> str:
        """`sm80+` and `-sm75` are ranges; a range never includes the unknown GPU."""
        if names is None:
            return "0xFFFFU"
        bits = 0
        for name in names:
            if name.endswith("+"):
                start = self.gpus.index(name[:-1])
                bits |= sum(1 << i for i in range(start, len(self.gpus)))
            elif name.startswith("-"):
                end = self.gpus.index(name[1:])
                bits |= sum(1 << i for i in range(1, end + 1))
            else:
                bits |= 1 << self.gpus.index(name)
        return f"{hex(bits)}U"


def emission_row(targets: list[str], target: str, value: Any) -> str:
    if target not in targets:
        raise CatalogError(f"unknown target {target!r}")
    asked = str(value == "=").lower()
    shown = text("" if value == "=" or value is None else value)
    return f"{{{targets.index(target)}, {asked}, {str(value is None).lower()}, {shown}}}"


def candidate_row(
    candidate: dict[str, Any], row: dict[str, Any], targets: list[str], out: Writer
) -> str:
    emissions = out.array(
        "Assignment",
        (emission_row(targets, t, v) for t, v in candidate.items() if t not in RESERVED),
    )
    outcome = candidate.get("as", row.get("outcome", "applied"))
    code = candidate.get("code", row.get("code", default_code(outcome)))
    return (
        f"{{{emissions}, Outcome::{ident(outcome)}, Code::{ident(code)}, "
        f"{text(candidate.get('why', row.get('why', '')))}}}"
    )


def default_code(outcome: str) -> str:
    codes = {"applied", "renamed", "degraded", "dropped", "not-supported"}
    return outcome if outcome in codes else "applied"


def compile_rows(
    table: dict[str, Any], targets: list[str], fields: Fields, facts: Facts, out: Writer
) -> str:
    """The rows of one mode, grouped by field, and the ranges of the groups."""
    general = table.get("never_accepted", {})
    groups: dict[str, list[str]] = {field["id"]: [] for field in fields.list}
    for row in table["rows"]:
        field_id = row["field"]
        when = dict(row.get("when", {}))
        masks = facts.masks(when)
        activations = when.pop("activations", None)
        activation_mask = 3 if activations is None else 2 if activations else 1
        same_as = when.pop("same_as", None)
        conditions = out.array(
            "Condition",
            (f"{{FieldId::{ident(f)}, {fields.mask(f, o)}}}" for f, o in when.items()),
        )
        marks: dict[str, str] = {}
        for candidate in row["try"]:
            marks.update({t: general[t] for t in candidate if t in general})
        marks.update(row.get("never_accepted", {}))
        never = out.array(
            "NeverAccepted", (f"{{{targets.index(t)}, {text(i)}}}" for t, i in marks.items())
        )
        candidates = out.array(
            "Alternative", (candidate_row(c, row, targets, out) for c in row["try"])
        )
        groups[field_id].append(
            f"{{{fields.mask(field_id, row['is'])}, {masks}, "
            f"{activation_mask}, {f'FieldId::{ident(same_as)}' if same_as else 'kNoField'}, "
            f"{conditions}, "
            f"{candidates}, {never}, {out.texts(row.get('evidence', []))}}}"
        )
    rows, ranges = [], []
    for field in fields.list:
        group = groups[field["id"]]
        ranges.append(f"{{{len(rows)}, {len(rows) + len(group)}}}")
        rows.extend(group)
    return f"{out.array('MappingRule', rows)}, {out.array('RowRange', ranges)}"


def compile_targets(targets: dict[str, Any], releases: Releases, out: Writer) -> str:
    rows = []
    for target, routes in targets.items():
        route_rows = []
        for route in routes:
            kind = next(k for k in ("flag", "env", "file") if k in route)
            route_rows.append(
                f"{{ChannelKind::{ident(kind)}, {text(route[kind])}, {text(route.get('at', ''))}, "
                f"{text(route.get('through', ''))}, "
                f"{releases.flag(route.get('flag', route.get('through', '')))}}}"
            )
        rows.append(f"{{{text(target)}, {out.array('Channel', route_rows)}}}")
    return out.array("Target", rows)


def compile_spellings(rows: list[dict[str, Any]], targets: list[str], out: Writer) -> str:
    return out.array(
        "Spelling",
        (
            f"{{{targets.index(row['target'])}, {text(row['flag'])}, {text(row.get('at', ''))}}}"
            for row in rows
        ),
    )


SIZES = (
    "heads",
    "kv_heads",
    "query_width",
    "kv_width",
    "output_width",
    "mlp",
    "expert_mlp",
    "shared_mlp",
    "experts",
    "layers",
    "hidden",
    "state_width",
    "state_heads",
    "stated_length",
    "length",
    "first_length",
    "yarn_length",
)
OVER = ("tp", "pp", "ep", "expert_tp", "none", "context")
UNITS = ("one", "number", "block_out", "block_in", "group")


def compile_shapes(
    rows: list[dict[str, Any]], targets: list[str], facts: Facts, releases: Releases, out: Writer
) -> str:
    compiled = []
    for row in rows:
        unit = row.get("multiple_of", "one")
        number = unit if isinstance(unit, int) else 0
        unit = "number" if number else unit
        compiled.append(
            f"{{{text(row['id'])}, {releases.interval(row)}, {facts.masks(dict(row))}, "
            f"static_cast<ShapeSize>({SIZES.index(row['size'])}), "
            f"static_cast<ShapeOver>({OVER.index(row['over'])}), "
            f"static_cast<ShapeUnit>({UNITS.index(unit)}), {number}, "
            f"{str(row.get('divided', False)).lower()}, "
            f"{compile_terms(row.get('when', {}), targets, out)}, Stage::{ident(row['stage'])}, "
            f"{str(row.get('assumed', False)).lower()}, {out.texts(row['evidence'])}}}"
        )
    return out.array("Shape", compiled)


def compile_parallel(parallel: dict[str, Any], targets: list[str], out: Writer) -> str:
    def place(name: str) -> str:
        return str(targets.index(parallel[name])) if name in parallel else "-1"

    switch = str(parallel.get("ep_is_switch", False)).lower()
    spread = compile_terms(parallel.get("spread", {}), targets, out)
    places = ", ".join(place(name) for name in ("tp", "pp", "ep", "context", "overrides", "dp"))
    return f"{{{places}, {spread}, {switch}}}"


def compile_draft(draft: dict[str, Any], targets: list[str]) -> str:
    def place(name: str) -> str:
        return str(targets.index(draft[name])) if name in draft else "-1"

    leaves = sum(1 << targets.index(target) for target in draft.get("leaves", []))
    return f"{{{place('model')}, {place('tp')}, {place('method')}, {leaves}ULL}}"


def compile_files(files: list[dict[str, Any]], releases: Releases, out: Writer) -> str:
    return out.array(
        "BuiltinFile",
        (
            f"{{{text(f['name'])}, {releases.interval(f)}, "
            f"{text(json.dumps(f['content'], separators=(',', ':')))}}}"
            for f in files
        ),
    )


def compile_mode(
    table: dict[str, Any], fields: Fields, facts: Facts, releases: Releases, out: Writer
) -> str:
    targets = list(table["targets"])
    if not table["rows"]:
        return "{}"
    return (
        f"{{{compile_targets(table['targets'], releases, out)}, "
        f"{compile_spellings(table.get('spellings', []), targets, out)}, "
        f"{compile_rows(table, targets, fields, facts, out)}, "
        f"{compile_meanings(table.get('meanings', []), targets, facts, releases, out)}, "
        f"{compile_rules(table.get('rules', []), targets, facts, releases, out)}, "
        f"{compile_precision(table.get('precision', []), targets, facts, releases, out)}, "
        f"{compile_files(table.get('files', []), releases, out)}, "
        f"{compile_shapes(table.get('shapes', []), targets, facts, releases, out)}, "
        f"{compile_parallel(table.get('parallel', {}), targets, out)}, "
        f"{compile_draft(table.get('draft', {}), targets)}, "
        f"{text(table.get('verified_through', ''))}}}"
    )


def compile_engine(
    engine: dict[str, Any],
    checked: dict[str, Any] | None,
    surface: dict[str, Any] | None,
    kernels: dict[str, Any] | None,
    memory: dict[str, Any] | None,
    troubles: list[dict[str, Any]],
    fields: Fields,
    facts: Facts,
    out: Writer,
) -> str:
    flags = out.array(
        "Flag", (f"{{{text(f['id'])}, {out.texts(f.get('aliases', []))}}}" for f in engine["flags"])
    )
    if checked is not None:
        rows = [*checked["precision"], *taken_rows(kernels, checked, surface)]
        checked = {**checked, "precision": rows}
    releases = Releases(surface)
    launchers = compile_launchers(engine["launchers"], releases, out)
    orders = ", ".join(
        out.array("FieldId", (f"FieldId::{ident(f)}" for f in engine["order"][form]))
        for form in ("four_field", "unified")
    )
    names = list((checked or {}).get("targets", {}))
    documented = {**engine["documented"], "targets": engine["targets"]}
    unsupported = []
    for item in engine["documented"]["unsupported"]:
        if "section" in item:
            unsupported.append(f"{{{text(item['section'])}, kNoField, 0}}")
        else:
            mask = fields.mask(item["field"], item["is"])
            unsupported.append(f"{{{{}}, FieldId::{ident(item['field'])}, {mask}}}")
    rewrites = out.array(
        "Pair", (f"{{{text(r['from'])}, {text(r['to'])}}}" for r in engine.get("rewrites", []))
    )
    modes = compile_mode(documented, fields, facts, releases, out)
    modes += ", " + (compile_mode(checked, fields, facts, releases, out) if checked else "{}")
    return (
        f"{{{text(engine['id'])}, {text(engine['name'])}, {out.texts(engine['runtime_names'])}, "
        f"{out.texts(engine.get('owners', []))}, "
        f"{launchers}, {str(bool(engine.get('abbreviates'))).lower()}, "
        f"{str(bool(engine.get('equates_dashes'))).lower()}, {rewrites}, "
        f"{text(engine.get('config_flag', ''))}, {out.texts(engine.get('makers', []))}, "
        f"{compile_plugins(engine.get('plugins', []), out)}, "
        f"{compile_callables(engine.get('callables', []), out)}, "
        f"{compile_old_variables(engine.get('old_variables'), releases)}, "
        f"{compile_container(engine.get('container', {}), releases, out)}, "
        f"{flags}, {{{orders}}}, {modes}, "
        f"{out.array('Unsupported', unsupported)}, {compile_surface(surface, checked, out)}, "
        f"{compile_kernels(kernels, checked, facts, releases, out)}, "
        f"{compile_memory(memory, facts, releases, out)}, "
        f"{compile_troubles(troubles, names, facts, releases, out)}}}"
    )


__all__ = ["ALL", "Facts", "compile_engine"]
