"""Detection of formats, layout of weights and parallel sizes as tables."""

from __future__ import annotations

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
