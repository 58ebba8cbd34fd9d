"""hardware.json as tables."""

from __future__ import annotations

import json
from typing import Any

from common import Writer, text


def compile_hardware(document: dict[str, Any], out: Writer) -> str:
    """The `Hardware` object: everything but the classes, which rules refer to by number."""
    architectures = (
        f"{{{text(a['id'])}, {text(a['name'])}, {a['compute_capability']}}}"
        for a in document["architectures"]
    )
    capabilities = (
        f"{{{c['capability']}, {text(c['cuda'])}, {text(c.get('last_cuda', ''))}}}"
        for c in document["capabilities"]
    )
    others = (
        f"{{{text(o['maker'])}, {out.texts(o['words'])}, {out.texts(o['image_words'])}, "
        f"{out.texts(o.get('marks', []))}, {text(o['reason'])}}}"
        for o in document["others"]
    )
    claims = (
        f"{{{text(c['id'])}, {text(c['title'])}, {out.texts(c['documented'])}, "
        f"{text(c.get('cuda', ''))}, {text(json.dumps(c.get('config', {})))}, "
        f"{text(c.get('checkpoint', ''))}, {text(c['source'])}}}"
        for c in document["claims"]
    )
    parts = [
        out.array("GpuArchitecture", architectures),
        out.array("GpuCapability", capabilities),
        out.texts(document["vendor_words"]),
        out.texts(document["form_words"]),
        out.array("GpuProduct", (_product(p, out) for p in document["products"])),
        out.array("OtherMaker", others),
        out.array("HardwareClaim", claims),
    ]
    return "{" + ", ".join(parts) + "}"


def _product(product: dict[str, Any], out: Writer) -> str:
    memory = out.array(
        "GpuMemory",
        (
            f"{{{m['gb']}, {m.get('reported_mib', 0)}, {out.texts(m.get('words', []))}}}"
            for m in product["memory"]
        ),
    )
    return (
        f"{{{text(product['id'])}, {text(product['name'])}, {product['capability']}, "
        f"{out.texts(product['names'])}, {memory}, {out.texts(product['evidence'])}}}"
    )
