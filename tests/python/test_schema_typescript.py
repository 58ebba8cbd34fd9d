"""The TypeScript types compile, take good configs, find mistakes; the example reads the tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import quantmap
from jsonschema import Draft202012Validator

from tests.python import tsc
from tests.python.support import FOUR, four_field_configs

STRICT = ["--strict", "--target", "es2020", "--module", "commonjs"]
SAMPLES = tsc.ROOT / "tests" / "typescript" / "samples.ts"
GROUPS = ("good", "goodTasks", "bad", "badTasks")
EXAMPLE = tsc.ROOT / "examples" / "web_form.ts"

# Prints, for each pair of engine and kind of checkpoint asked, the answers to all choices.
DRIVER = """\
const { answer, launchOfPreset, placesOf } = require("./web_form.js");
const { ui, asked, choices, presets } = require("./input.json");
console.log(JSON.stringify(asked.map(([engine, version, checkpoint]) => {
  const places = placesOf(ui, engine, version, checkpoint);
  return {
    choices: choices.map((choice) => answer(ui, places, choice)),
    presets: presets.map((preset) => launchOfPreset(ui, places, preset)),
  };
})));
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated types, the samples and the example."""
    made = tmp_path_factory.mktemp("typescript")
    (made / "quantmap.ts").write_text(quantmap.typescript_types(), encoding="utf-8")
    shutil.copy(SAMPLES, made)
    shutil.copy(EXAMPLE, made)
    return made


def compiled(folder: Path, *words: str) -> str:
    """What the compiler says; nothing when it is content."""
    return tsc.run([*tsc.compiler(), *STRICT, *words], folder).stdout.strip()


def test_samples_good_and_bad(folder: Path) -> None:
    """An @ts-expect-error without an error below it is an error itself."""
    text = SAMPLES.read_text(encoding="utf-8")
    assert text.count("@ts-expect-error") > 20
    assert compiled(folder, "--noEmit", "--exactOptionalPropertyTypes", SAMPLES.name) == ""
    assert compiled(folder, "--noEmit", SAMPLES.name) == ""


def test_samples_are_to_the_validator_what_they_are_to_the_types(folder: Path) -> None:
    assert compiled(folder, SAMPLES.name) == ""
    done = tsc.run([tsc.node(), "-p", "JSON.stringify(require('./samples.js'))"], folder)
    samples = json.loads(done.stdout)
    task = Draft202012Validator(quantmap.json_schema("task"))
    assert {key: len(found) > 5 for key, found in samples.items()} == dict.fromkeys(GROUPS, True)
    for config in samples["good"]:
        assert quantmap.validate_quant_config(config)[0], config
    for config in samples["bad"]:
        assert not quantmap.validate_quant_config(config)[0], config
    assert all(task.is_valid(item) for item in samples["goodTasks"])
    assert not any(task.is_valid(item) for item in samples["badTasks"])


def test_types_emit_no_code(folder: Path) -> None:
    assert compiled(folder, "quantmap.ts") == ""
    emitted = (folder / "quantmap.js").read_text(encoding="utf-8")
    assert "function" not in emitted and "const" not in emitted


def test_the_example_answers_as_the_core_does(folder: Path) -> None:
    """All combinations, through the program that a web form would be."""
    assert compiled(folder, EXAMPLE.name) == ""
    targets = ["vllm", "sglang@0.5.6", "tensorrt_llm@latest"]
    ui = quantmap.ui_table(targets)
    methods = {"unquantized": None, "awq": "awq"}
    asked = [
        (entry["engine"], entry["version"], kind) for entry in ui["engines"] for kind in methods
    ]
    choices = list(four_field_configs())
    presets = list(quantmap.QUANTIZATION_PRESETS)
    given = {"ui": ui, "asked": asked, "choices": choices, "presets": presets}
    (folder / "input.json").write_text(json.dumps(given), encoding="utf-8")
    (folder / "driver.js").write_text(DRIVER, encoding="utf-8")
    done = tsc.run([tsc.node(), "driver.js"], folder)
    assert done.returncode == 0, done.stdout[-2000:]
    answers = json.loads(done.stdout)
    for (engine, version, kind), found in zip(asked, answers):
        for choice, shown in zip(choices, found["choices"]):
            mapping = quantmap.explain(engine, choice, None, methods[kind], engine_version=version)
            assert list(shown["launch"]["args"].items()) == list(mapping.args.items())
            assert shown["launch"]["env"] == mapping.env
            assert shown["launch"]["files"] == mapping.files
            assert shown["precision"] == mapping.precision
            outcomes = {d.field: [d.outcome, d.sentence] for d in mapping.decisions}
            assert {key: [*d.values()] for key, d in shown["decisions"].items()} == outcomes
        assert len(found["choices"]) == len(choices) == 2352
        for preset, launch in zip(presets, found["presets"]):
            mapping = quantmap.explain(
                engine, {"preset": preset}, None, methods[kind], engine_version=version
            )
            assert launch == {"args": mapping.args, "env": mapping.env, "files": mapping.files}


def test_the_example_refuses_what_is_no_option(folder: Path) -> None:
    assert compiled(folder, EXAMPLE.name) == ""
    ui = quantmap.ui_table(["vllm"])
    for asked, choice in (
        (("vllm", None, "unquantized"), {field["key"]: "fp16" for field in FOUR}),
        (("vllm", "9.9.9", "unquantized"), {}),
        (("vllm", None, "no such kind"), {}),
    ):
        given = {"ui": ui, "asked": [asked], "choices": [choice], "presets": []}
        (folder / "input.json").write_text(json.dumps(given), encoding="utf-8")
        (folder / "driver.js").write_text(DRIVER, encoding="utf-8")
        done = tsc.run([tsc.node(), "driver.js"], folder)
        assert done.returncode != 0 and "RangeError: " in done.stdout
