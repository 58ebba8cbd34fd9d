"""The tables behind a web form: every combination looked up, and compared with the core."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import pytest
import quantmap
from quantmap import _core

from tests.python.support import ALL_ENGINES, ENGINES, FIELDS, FOUR, four_field_configs

# What ui_table() shows: the documented mapping, and the newest release of every engine.
TARGETS = [
    (engine, version)
    for engine in ALL_ENGINES
    for version in ((None, "latest") if engine in ENGINES else ("latest",))
]
KINDS = _core.vocabulary()["checkpoints"]
# All combinations are compared for these kinds, one in eleven for the others.
COMPARED = {"unquantized", "awq", "other"}
OPTIONS = {field["key"]: field["options"] for field in FOUR}
MOST_BYTES, MOST_SENT = 2_000_000, 100_000  # of text, and of compressed text


@pytest.fixture(scope="module")
def tables() -> Any:
    """The tables of every engine, as a browser reads them."""
    return json.loads(json.dumps(quantmap.ui_table()))


def looked_up(tables: Any, table: Any, choice: dict[str, str]) -> Any:
    """The entry of a choice: the options' numbers as digits of a number in mixed radix."""
    presets = [preset["id"] for preset in tables["presets"]]
    place = 0
    for key in table["by"]:
        options = presets if key == "preset" else OPTIONS[key]
        place = place * len(options) + options.index(choice[key])
    return table["values"][table["index"][place]]


def model_of(kind: dict[str, Any]) -> str | None:
    """A method that makes a checkpoint of this kind."""
    if kind["id"] == "unquantized":
        return None
    return kind["names"][0] if kind["names"] else "another method"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind["id"])
@pytest.mark.parametrize("target", TARGETS, ids=str)
def test_every_combination_is_what_the_core_says(
    tables: Any, target: tuple[str, str | None], kind: dict[str, Any]
) -> None:
    engine, version = target
    entry = tables["engines"][TARGETS.index(target)]
    places = next(item for item in entry["checkpoints"] if item["checkpoint"] == kind["id"])
    launches = tables["tables"]["launches"][places["launches"]]
    precision = tables["tables"]["precision"][places["precision"]]
    decisions = {
        key: tables["tables"]["decisions"][place] for key, place in places["decisions"].items()
    }
    step = 1 if kind["id"] in COMPARED else 11
    count = 0
    for config in itertools.islice(four_field_configs(), 0, None, step):
        mapping = quantmap.explain(engine, config, None, model_of(kind), engine_version=version)
        found = looked_up(tables, launches, config)
        assert list(found["args"].items()) == list(mapping.args.items()), config
        assert (found["env"], found["files"]) == (mapping.env, mapping.files), config
        assert looked_up(tables, precision, config) == mapping.precision
        for decision in mapping.decisions:
            expected = {"outcome": decision.outcome, "sentence": decision.sentence}
            assert looked_up(tables, decisions[decision.field], config) == expected
        count += 1
    assert count == -(-2352 // step)


def test_presets_have_launches_of_their_own(tables: Any) -> None:
    for (engine, version), entry in zip(TARGETS, tables["engines"]):
        for kind, places in zip(KINDS, entry["checkpoints"]):
            table = tables["tables"]["launches"][places["presets"]]
            for preset in quantmap.QUANTIZATION_PRESETS:
                config = {"preset": preset}
                mapping = quantmap.explain(
                    engine, config, None, model_of(kind), engine_version=version
                )
                found = looked_up(tables, table, {"preset": preset})
                assert found == {"args": mapping.args, "env": mapping.env, "files": mapping.files}


def test_tables_are_no_larger_than_they_have_to_be(tables: Any) -> None:
    for group in tables["tables"].values():
        texts = [json.dumps(table) for table in group]
        assert len(set(texts)) == len(texts)
        for table in group:
            size = 1
            for key in table["by"]:
                size *= len(tables["presets"]) if key == "preset" else len(OPTIONS[key])
            assert len(table["index"]) == size
            values = [json.dumps(value) for value in table["values"]]
            assert len(set(values)) == len(values)
            assert set(table["index"]) == set(range(len(values)))


def test_a_field_that_makes_no_difference_is_not_in_by(tables: Any) -> None:
    entry = next(item for item in tables["engines"] if item["engine"] == ENGINES[0])
    decisions = entry["checkpoints"][0]["decisions"]
    by = {key: tables["tables"]["decisions"][place]["by"] for key, place in decisions.items()}
    assert by["gemm_dtype"] == ["gemm_dtype"]
    assert by["attention_dtype"] == ["gemm_dtype", "attention_dtype"]


def test_fields_and_presets_are_the_catalogue(tables: Any) -> None:
    assert tables["catalog"] == {"version": _core.catalog_version, "hash": _core.catalog_hash}
    assert [field["key"] for field in tables["fields"]] == [f["key"] for f in FIELDS.values()]
    for shown, field in zip(tables["fields"], FIELDS.values()):
        assert shown["title"] == field["title"] and shown["default"] == field["default"]
        if field["kind"] == "option":
            assert [option["value"] for option in shown["options"]] == field["options"]
            titles = {str(option["value"]): option["title"] for option in shown["options"]}
            assert {key: title for key, title in titles.items() if title} == field["option_titles"]
    for preset in tables["presets"]:
        assert preset["config"] == quantmap.expand_preset(preset["id"])


def test_without_names_every_engine_is_there_and_small_enough_for_a_browser(tables: Any) -> None:
    found = [(entry["engine"], entry["mode"], entry["version"]) for entry in tables["engines"]]
    for (engine, version), entry in zip(TARGETS, found):
        newest = _core.releases(engine)[-1]["version"]
        assert entry == (engine, *(("checked", newest) if version else ("documented", None)))
    assert len(found) == len(TARGETS)
    text = json.dumps(tables, separators=(",", ":")).encode()
    assert len(text) < MOST_BYTES and len(gzip.compress(text)) < MOST_SENT


def test_releases_by_name_and_each_once() -> None:
    names = ["vllm@0.11.0", "vllm==v0.11.0-cu126"]
    found = [(entry["engine"], entry["version"]) for entry in quantmap.ui_table(names)["engines"]]
    assert found == [("vllm", "0.11.0")]


def test_a_gpu_is_asked_of_releases_only() -> None:
    tables = quantmap.ui_table(["sglang", "sglang@latest"], gpu="H100")
    assert [entry["gpu"] for entry in tables["engines"]] == [None, "sm90"]
    places = tables["engines"][1]["checkpoints"][0]
    config = {**dict.fromkeys(OPTIONS, "auto"), "kvcache_dtype": "fp8", "attention_dtype": "fp8"}
    found = looked_up(tables, tables["tables"]["launches"][places["launches"]], config)
    assert found["args"]["--attention-backend"] == "fa3"


@pytest.mark.parametrize(
    "engines", [["vlm"], ["vllm@0.0.1"], ["vllm@"], [""], [None], [[]], "vllm", 5, {"vllm": 1}]
)
def test_an_unknown_engine_is_an_error(engines: Any) -> None:
    with pytest.raises(quantmap.ConfigError):
        quantmap.ui_table(engines)
    with pytest.raises(quantmap.ConfigError):
        quantmap.ui_table(["vllm@latest"], gpu="H1000")
    with pytest.raises(quantmap.ConfigError, match="gpu"):
        quantmap.ui_table(["vllm"], gpu="H100")
