"""What the page is asked in tests, and Python's answer to the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import quantmap
from quantmap import _core

ROOT = Path(__file__).resolve().parents[2]
SHAPE = json.loads((ROOT / "examples" / "llama_3_70b.json").read_text(encoding="utf-8"))


def questions(count: int) -> list[dict[str, Any]]:
    """Deployments from all over the catalogue."""
    rng = random.Random(11)
    engines = [engine["id"] for engine in _core.engines()]
    releases = {engine: [row["version"] for row in _core.releases(engine)] for engine in engines}
    fields = [field for field in _core.fields() if not field["section"]]
    fields = [field for field in fields if field["form"] == _core.presets()[0]["form"]]
    gpus = [None, *(product["name"] for product in _core.gpu_products())]
    out = []
    for _ in range(count):
        engine = rng.choice(engines)
        config: dict[str, Any] = {}
        if rng.random() < 0.3:
            config["preset"] = rng.choice(_core.presets())["id"]
        else:
            for field in fields:
                if rng.random() < 0.6:
                    config[field["key"]] = rng.choice(field["options"])
        asked = {
            "runtime": engine,
            "engine_version": rng.choice(releases[engine]),
            "quant_config": config,
        }
        gpu = rng.choice(gpus)
        if gpu is not None:
            asked["gpu"] = gpu
        if rng.random() < 0.3:
            asked["checkpoint"] = SHAPE
        out.append(asked)
    return out


def compare(question: dict[str, Any], answer: dict[str, Any]) -> None:
    """Hold an answer of the page's core against Python's."""
    given = dict(question)
    runtime, config = given.pop("runtime"), given.pop("quant_config")
    try:
        mapping = quantmap.explain(runtime, config, **given)
    except quantmap.ConfigError as error:
        told = [item["message"] for item in answer["errors"] if item["severity"] == "error"]
        assert told == [item.message for item in error.diagnostics], question
        return
    found = answer["answer"]
    assert (found["args"], found["env"], found["files"]) == (
        mapping.args,
        mapping.env,
        mapping.files,
    )
    assert found["precision"] == mapping.precision
    assert [(one["field"], one["outcome"], one["sentence"]) for one in found["decisions"]] == [
        (one.field, one.outcome, one.sentence) for one in mapping.decisions
    ]
    assert [item["message"] for item in found["diagnostics"]] == [
        item.message for item in mapping.diagnostics
    ]
    if not mapping.files:
        assert found["line"] == mapping.shell("MODEL")
