"""The TypeScript types compile, take good configs, find mistakes; the example reads the tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import quantmap
from jsonschema import Draft202012Validator
from quantmap import _core

from tests.python import tsc
from tests.python.support import FOUR, four_field_configs

STRICT = ["--strict", "--target", "es2020", "--module", "commonjs"]
SAMPLES = tsc.ROOT / "tests" / "typescript" / "samples.ts"
GROUPS = ("good", "goodTasks", "bad", "badTasks")
EXAMPLE = tsc.ROOT / "examples" / "web_form.ts"

# For each pair of engine and kind of checkpoint asked, the answers to all choices.
ANSWERS = """(() => {
  const { answer, launchOfPreset, placesOf } = require("./web_form.js");
  const { ui, asked, choices, presets } = require("./input.json");
  return asked.map(([engine, version, checkpoint]) => {
    const places = placesOf(ui, engine, version, checkpoint);
    return {
      choices: choices.map((choice) => answer(ui, places, choice)),
      presets: presets.map((preset) => launchOfPreset(ui, places, preset)),
    };
  });
})()"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the types, the samples, real tables and the example, compiled.

    An @ts-expect-error without an error below it is an error itself.
    """
    made = tmp_path_factory.mktemp("typescript")
    (made / "quantmap.ts").write_text(quantmap.typescript_types(), encoding="utf-8")
    tables = json.dumps(quantmap.ui_table(["tensorrt_llm", "sglang_jax"]))
    text = f'import type {{ UiTable }} from "./quantmap";\nexport const ui: UiTable = {tables};\n'
    (made / "tables.ts").write_text(text, encoding="utf-8")
    (made / "results.ts").write_text(_outputs(), encoding="utf-8")
    shutil.copy(SAMPLES, made)
    shutil.copy(EXAMPLE, made)
    files = ["quantmap.ts", "tables.ts", "results.ts", SAMPLES.name, EXAMPLE.name]
    done = tsc.run([*tsc.compiler(), *STRICT, *files], made)
    assert (done.returncode, done.stdout) == (0, "")
    return made


def _outputs() -> str:
    """Outputs of verbs as values of their types; one key more or less would not compile."""
    line = "vllm serve m --kv-cache-dtype fp16 --port 80"
    shown: dict[str, Any] = {
        "map": quantmap.explain("vllm@0.11.0", {"kvcache_dtype": "fp8"}, gpu="H100"),
        "check": quantmap.check(line, engine_version="0.11.0"),
        "fit": quantmap.estimate("Qwen/Qwen3-8B", gpu="L40S"),
        "inspect": quantmap.inspect_checkpoint("Qwen/Qwen3-8B"),
    }
    texts = ['import type { Results } from "./quantmap";']
    for verb, result in shown.items():
        data = json.dumps(result.to_dict())
        texts.append(f"export const {verb}: Results.{verb.capitalize()}Output = {data};")
    return "\n".join(texts) + "\n"


def evaluated(folder: Path, script: str) -> Any:
    """The data that a script makes, run by node beside the compiled files."""
    (folder / "script.js").write_text(f"console.log(JSON.stringify({script}));", encoding="utf-8")
    done = tsc.run([tsc.node(), "script.js"], folder)
    assert done.returncode == 0, done.stdout[-2000:]
    return json.loads(done.stdout)


def test_samples_are_to_the_validator_what_they_are_to_the_types(folder: Path) -> None:
    samples = evaluated(folder, 'require("./samples.js")')
    task = Draft202012Validator(quantmap.json_schema("task"))
    assert {key: len(found) > 5 for key, found in samples.items()} == dict.fromkeys(GROUPS, True)
    marks = SAMPLES.read_text(encoding="utf-8").count("@ts-expect-error")
    assert marks == len(samples["bad"]) + len(samples["badTasks"])
    for config in samples["good"]:
        assert quantmap.validate_quant_config(config)[0], config
    for config in samples["bad"]:
        assert not quantmap.validate_quant_config(config)[0], config
    assert all(task.is_valid(item) for item in samples["goodTasks"])
    assert not any(task.is_valid(item) for item in samples["badTasks"])


def test_types_emit_the_lists_of_a_form_and_no_other_code(folder: Path) -> None:
    emitted = (folder / "quantmap.js").read_text(encoding="utf-8")
    assert "function" not in emitted and "const" not in emitted
    lists = evaluated(folder, 'require("./quantmap.js")')
    options = {f"{field['key'].upper()}S": field["options"] for field in FOUR}
    presets = lists.pop("FOUR_FIELD_PRESETS")
    assert lists == options
    assert [row["id"] for row in presets] == [
        row["id"] for row in _core.presets() if row["form"] == "four_field"
    ]


# What a form does with its value: the shape of the autotuner's own.
FORM = """
import { FOUR_FIELD_PRESETS, KVCACHE_DTYPES } from "./quantmap";
import type { FourFieldForm } from "./quantmap";

export type Rest = Record<string, Omit<FourFieldForm, "preset" | "presets">>;

export function toggled(value: FourFieldForm, preset: string): FourFieldForm {
  const chosen = value.presets || [];
  const rest = chosen.filter((name) => name !== preset);
  return { presets: chosen.includes(preset) ? rest : [...chosen, preset] };
}

type Field = keyof FourFieldForm;

export function ticked(value: FourFieldForm, field: Field, item: string): FourFieldForm {
  const now = value[field];
  let list: string[];
  if (Array.isArray(now)) {
    list = now.includes(item) ? now.filter((one) => one !== item) : [...now, item];
  } else {
    list = now ? [now, item] : [item];
  }
  return { ...value, [field]: list.length === 1 ? list[0] : list };
}

const others = FOUR_FIELD_PRESETS.filter((one) => one.id !== "default");
export const offered: string[] = others.map((one) => one.description);
export const types: string[] = KVCACHE_DTYPES.map((name) => name);
export const empty: FourFieldForm = { presets: [], kvcache_dtype: [] };
"""


def test_a_form_compiles_with_the_plain_types(folder: Path) -> None:
    (folder / "form.ts").write_text(FORM, encoding="utf-8")
    done = tsc.run([*tsc.compiler(), *STRICT, "form.ts"], folder)
    assert (done.returncode, done.stdout) == (0, "")
    made = evaluated(
        folder,
        '(({ticked, toggled, empty}) => [ticked({}, "moe_dtype", "fp8"),'
        ' ticked({gemm_dtype: "fp8"}, "gemm_dtype", "int8"), toggled(empty, "default")])'
        '(require("./form.js"))',
    )
    assert made == [
        {"moe_dtype": "fp8"},
        {"gemm_dtype": ["fp8", "int8"]},
        {"presets": ["default"]},
    ]


def test_the_example_answers_as_the_core_does(folder: Path) -> None:
    """All combinations, through the program that a web form would be."""
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
    answers = evaluated(folder, ANSWERS)
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


@pytest.mark.parametrize(
    "call",
    [
        'answer(ui, placesOf(ui, "tensorrt_llm", null, "unquantized"), { gemm_dtype: "fp16" })',
        'placesOf(ui, "tensorrt_llm", "9.9.9", "unquantized")',
        'placesOf(ui, "tensorrt_llm", null, "no such kind")',
        'launchOfPreset(ui, placesOf(ui, "tensorrt_llm", null, "awq"), "fp8")',
    ],
)
def test_the_example_refuses_what_is_no_option(folder: Path, call: str) -> None:
    script = f"""(() => {{
      const {{ answer, launchOfPreset, placesOf }} = require("./web_form.js");
      const {{ ui }} = require("./tables.js");
      try {{ return {call}; }} catch (error) {{ return error.name; }}
    }})()"""
    assert evaluated(folder, script) == "RangeError"
