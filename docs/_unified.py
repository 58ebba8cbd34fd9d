"""Generated tables about the unified form."""

from __future__ import annotations

from typing import Any

import quantmap
from _render import (
    NEVER,
    SYMBOLS,
    arguments,
    code,
    codes,
    config_with,
    decision_of,
    documented_engines,
    dotted,
    fields,
    refused,
    table,
)

METHOD = "quantization.method"
_FULL: dict[str, Any] = {
    METHOD: "fp8",
    "kv_cache.dtype": "fp8_e4m3",
    "parallelism.tensor_parallel_size": 4,
    "parallelism.pipeline_parallel_size": 2,
    "moe.runner_backend": "flashinfer_cutlass",
    "moe.expert_tp_size": 2,
    "moe.expert_parallel_size": 2,
    "attention.backend": "flashinfer",
    "dtype": "bfloat16",
}


def _field(name: str) -> dict[str, Any]:
    return next(field for field in fields("unified") if dotted(field) == name)


def _cell(engine: dict[str, Any], settings: dict[str, Any], name: str) -> str:
    config = config_with(settings)
    mapping = quantmap.explain(engine["id"], config)
    decision = decision_of(mapping, name)
    assert decision is not None, (engine["id"], settings, name)
    chain = [item for item in mapping.diagnostics if item.code == "method-falls-back"]
    shown = arguments(decision.emitted, refused(mapping))
    text = f"{SYMBOLS[decision.outcome]} {shown}"
    if chain and name == METHOD:
        text += f" ({chain[0].context['chain'].replace('->', '→')})"
    return text


def _rows(
    name: str, options: list[Any], rest: dict[str, Any] | None = None, at: str = METHOD
) -> list[list[str]]:
    rows = []
    for option in options:
        settings = {**(rest or {}), name: option}
        cells = (_cell(engine, settings, at) for engine in documented_engines())
        rows.append([code(option), *cells])
    return rows


def _header(first: str) -> list[str]:
    return [first, *(engine["name"] for engine in documented_engines())]


def methods() -> str:
    """Every method on every engine, with the chain where it was used."""
    rows = _rows(METHOD, _field(METHOD)["options"])
    for row in rows:
        for column, engine in enumerate(documented_engines(), start=1):
            config = {"quantization": {"method": row[0].strip("`")}}
            if not quantmap.validate_config_for_engine(config, engine["id"]):
                row[column] += " †"
    legend = (
        f"✓ applied · ↓ the chain was used, shown in brackets · {NEVER} no release accepts it · "
        "† `validate_config_for_engine` is False"
    )
    return table(_header("method"), rows) + f"\n\n{legend}"


def marlin() -> str:
    """Methods that enable_marlin changes."""
    rows = []
    for method in _field(METHOD)["options"]:
        plain = _rows(METHOD, [method])
        marlin_rows = _rows(METHOD, [method], {"quantization.enable_marlin": True})
        if marlin_rows != plain:
            rows += marlin_rows
    return table(_header("method"), rows)


def fallbacks(fallback: str = "fp8") -> str:
    """Methods that end at none somewhere, with a fallback method given."""
    rows = []
    for method in _field(METHOD)["options"]:
        plain = _rows(METHOD, [method])
        helped = _rows(METHOD, [method], {"quantization.fallback_method": fallback})
        if helped != plain:
            rows += helped
    return table(_header("method"), rows)


def variants() -> str:
    """Every FP8 variant on every engine."""
    name = "quantization.fp8_variant"
    return table(_header("fp8_variant"), _rows(name, _field(name)["options"], {METHOD: "fp8"}))


def settings() -> str:
    """Every other key that can emit something."""
    rows = []
    for field in fields("unified"):
        name = dotted(field)
        if field["section"] == "quantization" or field["kind"] not in ("option", "integer"):
            continue
        options = ["N"] if field["kind"] == "integer" else field["options"]
        for option in options:
            cells = []
            for engine in documented_engines():
                asked = 2 if option == "N" else option
                mapping = quantmap.explain(engine["id"], config_with({name: asked}))
                decision = decision_of(mapping, name)
                if decision is None:
                    break
                shown = arguments(decision.emitted, refused(mapping))
                shown = shown.replace(" 2`", " N`") if option == "N" else shown
                cells.append(f"{SYMBOLS[decision.outcome]} {shown}")
            if cells:
                rows.append([code(name), code(option), *cells])
    return table(["key", "value", *_header("")[1:]], rows)


def order() -> str:
    """The order of the arguments of a config that sets everything."""
    rows = []
    for engine in documented_engines():
        mapping = quantmap.explain(engine["id"], config_with(_FULL))
        env = codes(mapping.env) if mapping.env else "none"
        rows.append([engine["name"], codes(mapping.args), env])
    return table(["engine", "arguments in order", "environment"], rows)


def fits() -> str:
    """Keys that emit nothing and are compared with the method: which options fit which."""
    rows = []
    engine = documented_engines()[0]["id"]
    for field in fields("unified"):
        name = dotted(field)
        if field["kind"] not in ("option", "fraction") or name == METHOD:
            continue
        found: dict[str, list[str]] = {}
        reported = False
        for option in field["options"] or ["0.5"]:
            value = 0.5 if field["kind"] == "fraction" else option
            for method in _field(METHOD)["options"]:
                mapping = quantmap.explain(engine, config_with({METHOD: method, name: value}))
                unfit = {item.code for item in mapping.diagnostics}
                if unfit & {"inconsistent-with-method", "fp8-variant-ignored"}:
                    reported = True
                else:
                    found.setdefault(str(option), []).append(method)
        if not reported:
            continue
        if field["kind"] == "fraction":
            found = {"any": next(iter(found.values()), [])}
        groups: dict[str, list[str]] = {}
        for option, methods_found in found.items():
            groups.setdefault(codes(methods_found), []).append(option)
        rows += [[code(name), codes(items), text] for text, items in groups.items()]
    return table(["key", "value", "methods it fits"], rows)
