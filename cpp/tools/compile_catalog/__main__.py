#!/usr/bin/env python3
"""Compile the JSON catalogue into C++ tables.

Usage: compile_catalog CATALOG_DIR OUT_DIR

Writes OUT_DIR/include/quantmap/catalog/{catalog_ids,codes}.hpp (enums), OUT_DIR/catalog_tables.cpp
(constexpr tables) and OUT_DIR/catalog_messages.cpp (what releases say, as text). Needs nothing but
Python. It stops at what it cannot express; everything subtler is the business of lint_catalog.py.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

from common import CatalogError, Writer, ident, load, text
from engines import Facts, compile_engine
from fields import Fields, compile_presets
from files import (
    compile_detection,
    compile_hosts,
    compile_models,
    compile_parallel,
    compile_schemes,
    compile_section_facts,
    compile_traits,
    compile_weights,
)
from hardware import compile_hardware
from memory import compile_cuda
from messages import compile_messages
from modules import compile_modules, compile_recipe_names
from recipes import compile_recipes

CATALOG_VERSION = "2026.11.0"


def compile_catalog(catalog: Path, out_dir: Path) -> None:
    files = sorted(catalog.glob("*.json")) + sorted(catalog.glob("engines/*/*.json"))
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.relative_to(catalog).as_posix().encode() + b"\0" + path.read_bytes())
    fields = Fields(load(catalog / "fields.json"))
    diagnostics = load(catalog / "diagnostics.json")["diagnostics"]
    dtypes = load(catalog / "dtypes.json")["dtypes"]
    checkpoints = load(catalog / "checkpoints.json")
    presets = load(catalog / "presets.json")
    order = load(catalog / "engines.json")["order"]
    hardware = load(catalog / "hardware.json")
    detection = load(catalog / "detection.json")
    facts = Facts(checkpoints, hardware)

    out = Writer()
    engines = []
    modules = {}
    for name in order:
        folder = catalog / "engines" / name
        surface = load(folder / "surface.json") if (folder / "surface.json").exists() else None
        checked = load(folder / "checked.json") if (folder / "checked.json").exists() else None
        kernels = load(folder / "kernels.json") if (folder / "kernels.json").exists() else None
        memory = load(folder / "memory.json") if (folder / "memory.json").exists() else None
        mapping = load(folder / "mapping.json")
        troubles = []
        for kind in ("loaders", "trouble"):
            path = folder / f"{kind}.json"
            troubles += load(path)[kind] if path.exists() else []
        if (folder / "modules.json").exists():
            modules[name] = load(folder / "modules.json")
        files = (mapping, checked, surface, kernels, memory, troubles)
        engines.append(compile_engine(*files, fields, facts, out))
    keys = fields.document["config_keys"]
    sections = out.array(
        "Section",
        (
            f"{{{text(s['id'])}, {text(s.get('requires', ''))}}}"
            for s in fields.document["sections"]
        ),
    )
    dtype_rows = out.array(
        "Dtype",
        (
            f"{{{text(d['id'])}, {text(d.get('family', ''))}, {out.texts(d['spellings'])}}}"
            for d in dtypes
        ),
    )
    diagnostic_rows = out.array(
        "DiagnosticText",
        (
            f"{{{text(d['code'])}, Severity::{ident(d['severity'])}, {text(d['template'])}, "
            f"{text(d['hint'])}, {text(d['since'])}}}"
            for d in diagnostics
        ),
    )
    catalog_row = ",\n    ".join(
        [
            text(CATALOG_VERSION),
            text(digest.hexdigest()),
            fields.table(out),
            sections,
            f"{{{text(keys['preset'])}, {text(keys['presets'])}, {text(keys['wrapper'])}}}",
            dtype_rows,
            compile_presets(presets, fields, out),
            diagnostic_rows,
            out.array("Engine", engines),
            text(checkpoints["method_key"]),
            out.texts(checkpoints["unquantized_names"]),
            out.array(
                "CheckpointKind",
                (
                    f"{{{text(k['id'])}, {text(k['title'])}, {out.texts(k['names'])}}}"
                    for k in checkpoints["kinds"]
                ),
            ),
            out.texts(facts.models),
            compile_traits(checkpoints["traits"], facts.section, out),
            compile_section_facts(checkpoints["section"], out),
            compile_schemes(checkpoints["schemes"], facts.kinds, out),
            out.texts(facts.dtypes),
            out.texts(facts.kv_dtypes),
            compile_models(load(catalog / "models.json"), out),
            out.array(
                "Pair",
                (
                    f"{{{text(c['variable'])}, {text(c['folder'])}}}"
                    for c in checkpoints["model_caches"]
                ),
            ),
            out.array(
                "GpuClass",
                (
                    f"{{{text(c['id'])}, {text(c['title'])}, {c['floor']}}}"
                    for c in hardware["classes"]
                ),
            ),
            compile_hardware(hardware, out),
            compile_detection(detection, facts.kinds, out),
            compile_weights(load(catalog / "weights.json"), out),
            compile_recipes(load(catalog / "recipes.json"), out),
            compile_cuda(load(catalog / "memory.json"), out),
        ]
    )
    parallel = compile_parallel(load(catalog / "parallel.json"), out)
    hosts = compile_hosts(load(catalog / "hosts.json"), out)
    recipes = load(catalog / "recipes.json")
    recipe_names = compile_recipe_names(recipes, out)
    if "imatrix" in recipes:
        modules[recipes["imatrix"]["id"]] = recipes["imatrix"]
    model_modules = compile_modules(modules, out)
    header = "\n".join(
        [
            "// Generated by compile_catalog.py from cpp/catalog. Do not edit.",
            "#pragma once",
            "#include <cstddef>",
            "#include <cstdint>",
            "namespace quantmap {",
            "enum class FieldId : std::uint8_t { "
            + ", ".join(ident(f["id"]) for f in fields.list)
            + " };",
            f"inline constexpr std::size_t kFieldCount = {len(fields.list)};",
            "enum class Code : std::uint8_t;  // names: codes.hpp, which fewer sources include",
            "enum class Source : std::uint8_t { "
            + ", ".join(ident(source) for source in detection["sources"])
            + " };",
            "enum class ModelKind : std::uint8_t { "
            + ", ".join(ident(model) for model in facts.models)
            + " };",
            "enum class TraitId : std::uint8_t { "
            + ", ".join(ident(trait) for trait in facts.traits)
            + " };",
            "}  // namespace quantmap",
            "",
        ]
    )
    codes = "\n".join(
        [
            "// Generated by compile_catalog.py from cpp/catalog. Do not edit.",
            "#pragma once",
            '#include "quantmap/catalog/catalog_ids.hpp"',
            "namespace quantmap {",
            "enum class Code : std::uint8_t { "
            + ", ".join(ident(d["code"]) for d in diagnostics)
            + " };",
            "}  // namespace quantmap",
            "",
        ]
    )
    source = "\n".join(
        [
            "// Generated by compile_catalog.py from cpp/catalog. Do not edit.",
            '#include "quantmap/catalog/catalog.hpp"',
            '#include "quantmap/catalog/codes.hpp"',
            '#include "quantmap/catalog/hosts.hpp"',
            '#include "quantmap/catalog/numeric_tables.hpp"',
            '#include "quantmap/catalog/parallel.hpp"',
            "namespace quantmap {",
            "namespace {",
            *out.lines,
            f"constexpr Catalog kCatalog = {{\n    {catalog_row}}};",
            f"constexpr std::span<const ParallelEngine> kParallel = {parallel};",
            f"constexpr Hosts kHosts = {hosts};",
            f"constexpr std::span<const RecipeName> kRecipeNames = {recipe_names};",
            f"constexpr std::span<const ModelModules> kModelModules = {model_modules};",
            "}  // namespace",
            "const Catalog& catalog() noexcept { return kCatalog; }",
            "std::span<const ParallelEngine> parallel_engines() noexcept { return kParallel; }",
            "const Hosts& hosts() noexcept { return kHosts; }",
            "std::span<const RecipeName> recipe_names() noexcept { return kRecipeNames; }",
            "std::span<const ModelModules> model_modules() noexcept { return kModelModules; }",
            "}  // namespace quantmap",
            "",
        ]
    )
    include = out_dir / "include" / "quantmap" / "catalog"
    write_if_changed(include / "catalog_ids.hpp", header)
    write_if_changed(include / "codes.hpp", codes)
    write_if_changed(out_dir / "catalog_tables.cpp", source)
    write_if_changed(out_dir / "catalog_messages.cpp", compile_messages(catalog, order))


def write_if_changed(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != content:
        path.write_text(content, encoding="utf-8")


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        compile_catalog(Path(arguments[0]), Path(arguments[1]))
    except (CatalogError, KeyError, ValueError, OSError) as error:
        print(f"compile_catalog: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
