"""Detection of formats, layout of weights and parallel sizes as tables."""

from __future__ import annotations

import json
from typing import Any

from common import CatalogError, Writer, text

PARTS = ("linear", "experts", "embedding", "head", "norm", "other")  # ModuleClass


def _terms(when: dict[str, Any], out: Writer) -> str:
    return out.array(
        "FactTerm",
        (
            f"{{{text(fact)}, {'{}' if values == '*' else out.texts(values)}}}"
            for fact, values in when.items()
        ),
    )


def _pairs(pairs: dict[str, str], out: Writer) -> str:
    return out.array("FactPair", (f"{{{text(k)}, {text(v)}}}" for k, v in pairs.items()))


def compile_detection(document: dict[str, Any], kinds: list[str], out: Writer) -> str:
    sources: list[str] = document["sources"]
    formats = [
        f"{{{_terms(row['when'], out)}, {kinds.index(row['kind']) if 'kind' in row else -1}, "
        f"{_pairs(row.get('fill', {}), out)}}}"
        for row in document["formats"]
    ]
    engines = []
    for engine in document["engines"]:
        rows = []
        for row in engine["rows"]:
            name = row.get("as", "")
            name = "=method" if name == "=" else name
            refused = str(row.get("refused", False)).lower()
            rows.append(
                f"{{{_terms(row['when'], out)}, {text(name)}, {refused}, "
                f"{text(row.get('why', ''))}, {out.texts(row.get('evidence', []))}}}"
            )
        try:
            order = out.array("std::uint8_t", (str(sources.index(s)) for s in engine["order"]))
        except ValueError as error:
            raise CatalogError(f"detection.json: {error}") from None
        engines.append(
            f"{{{text(engine['engine'])}, {order}, {out.array('DetectionRow', rows)}, "
            f"{out.texts(engine['evidence'])}}}"
        )
    signatures = (
        f"{{{out.texts(row['tensors'])}, {text(row['means'])}}}" for row in document["signatures"]
    )
    words = {row["word"]: row["method"] for row in document["names"]["words"]}
    parts = [
        out.texts(sources),
        _pairs(document["implied"], out),
        _pairs(document["producers"], out),
        out.array("FormatRow", formats),
        out.array("Signature", signatures),
        _pairs(words, out),
        out.texts(document["names"]["after"]),
        out.array("EngineDetection", engines),
    ]
    return "{" + ", ".join(parts) + "}"


def compile_weights(document: dict[str, Any], out: Writer) -> str:
    stored = (
        f"{{{text(d['name'])}, -1, {d['bits']}, 1, 0, {str(d['quantized']).lower()}}}"
        for d in document["safetensors"]
    )
    gguf = (
        f"{{{text(d['name'])}, {d['id']}, 0, {d['block']}, {d['bytes']}, "
        f"{str(d['quantized']).lower()}}}"
        for d in document["gguf"]
    )
    rows = []
    for row in document["parts"]:
        lists = (out.texts(row.get(key, [])) for key in ("names", "words", "contains", "last"))
        rows.append(f"{{{PARTS.index(row['part'])}, {', '.join(lists)}}}")
    keys = {row["key"]: row["as"] for row in document["gguf_keys"]}
    parts = [
        out.array("StoredDtype", stored),
        out.array("StoredDtype", gguf),
        out.array("PartRow", rows),
    ]
    for key in ("scales", "scale_endings", "scale_contains", "kv_scales"):
        parts.append(out.texts(document[key]))
    parts += [out.texts(document["packed"]), out.texts(document["packed_endings"])]
    return "{" + ", ".join([*parts, _pairs(keys, out)]) + "}"


def compile_parallel(document: dict[str, Any], out: Writer) -> str:
    engines = []
    for engine in document["engines"]:
        fields = (
            f"{{{text(row['key'])}, {text(row['flag'])}, {row.get('unset', 0)}, "
            f"{str(row.get('switch', False)).lower()}}}"
            for row in engine["fields"]
        )
        presets = (
            f"{{{text(row['id'])}, "
            + out.array("ParallelSize", (f"{{{text(k)}, {v}}}" for k, v in row["sizes"].items()))
            + "}"
            for row in engine["presets"]
        )
        engines.append(
            f"{{{text(engine['engine'])}, {out.array('ParallelField', fields)}, "
            f"{out.array('ParallelPreset', presets)}}}"
        )
    return out.array("ParallelEngine", engines)


def compile_hosts(document: dict[str, Any], out: Writer) -> str:
    programs = out.array(
        "HostProgram",
        (
            f"{{{text(row['name'])}, {str(row.get('commas', False)).lower()}}}"
            for row in document["programs"]
        ),
    )
    options = (
        out.texts(document["options"][part])
        for part in ("image", "arguments", "program", "line", "variables")
    )
    return "{" + ", ".join([programs, *options]) + "}"


NUMBERS = (
    "experts",
    "window_layers",
    "state_layers",
    "largest_head",
    "section_in_config",
    "ordered_groups",
    "asymmetric_groups",
    "layers",
    "file_in_repository",
)  # by TraitNumber, after none


def compile_traits(traits: list[dict[str, Any]], section: list[str], out: Writer) -> str:
    """What rules ask of a model: by its type, keys of its config, a number of its shape."""
    rows = []
    for trait in traits:
        number = NUMBERS.index(trait["number"]) + 1 if "number" in trait else 0
        rows.append(
            f"{{{text(trait['id'])}, {text(trait['title'])}, "
            f"{out.texts(trait.get('model_types', []))}, {out.texts(trait.get('keys', []))}, "
            f"static_cast<TraitNumber>({number}), {trait.get('least', 0)}, {trait.get('most', 0)}, "
            f"{section.index(trait['section']) if 'section' in trait else -1}, "
            f"{out.texts(trait.get('quantized', []))}}}"
        )
    return out.array("Trait", rows)


def compile_section_facts(facts: list[dict[str, Any]], out: Writer) -> str:
    """What loaders ask of a section of quantization."""

    def term(item: dict[str, Any]) -> str:
        others = "not" in item
        values = out.texts(item.get("not" if others else "is", []))
        absent = str(item.get("absent", False)).lower()
        return f"{{{out.texts(item['at'].split('/'))}, {values}, {str(others).lower()}, {absent}}}"

    rows = []
    for fact in facts:
        place = out.texts(fact["in"].split("/") if "in" in fact else [])
        terms = out.array("SectionTerm", [term(item) for item in fact["where"]])
        rows.append(f"{{{text(fact['id'])}, {text(fact['title'])}, {place}, {terms}}}")
    return out.array("SectionFact", rows)


def compile_schemes(schemes: list[dict[str, Any]], kinds: list[str], out: Writer) -> str:
    """How a group of modules is quantized; the first that holds is taken."""
    rows = []
    for scheme in schemes:
        mask = sum(1 << kinds.index(kind) for kind in scheme.get("kinds", kinds))
        weights = ", ".join(str(bits) for bits in scheme.get("weight_bits", [0, 64]))
        activations = ", ".join(str(bits) for bits in scheme.get("activation_bits", [0, 64]))
        rows.append(
            f"{{{text(scheme['id'])}, {text(scheme['title'])}, {hex(mask)}U, "
            f"{weights}, {out.texts(scheme.get('weight_types', []))}, "
            f"{activations}, {out.texts(scheme.get('activation_types', []))}, "
            f"{str(scheme.get('blocks', False)).lower()}}}"
        )
    return out.array("SchemeKind", rows)


def compile_models(document: dict[str, Any], out: Writer) -> str:
    """Well-known models by id, each with its config as compact JSON."""
    configs = {model["id"]: model for model in document["models"]}
    rows = {}
    for model in document["models"]:
        config = dict(configs[model["like"]]["config"]) if "like" in model else {}
        config.update(model.get("config", {}))
        shown = json.dumps(config, separators=(",", ":"))
        source = document["sources"][model["read_in"]]
        told = str(model.get("assumed", False)).lower()
        row = f"{{{text(model['id'])}, {text(shown)}, {text(source)}, {told}}}"
        rows[model["id"].lower()] = row
    return out.array("KnownModel", (rows[name] for name in sorted(rows)))
