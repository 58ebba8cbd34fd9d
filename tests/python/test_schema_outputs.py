"""What every verb prints with --json, against its published JSON Schema."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantmap
from jsonschema import Draft202012Validator
from quantmap.ledger import Ledger
from safetensors.numpy import save_file

click = pytest.importorskip("click")
pytest.importorskip("yaml")

from quantmap.cli.app import app  # noqa: E402
from quantmap.schema.outputs import OUTPUTS  # noqa: E402

from tests.python.schema_places import Walk  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
PRESET = str(ROOT / "examples" / "quant_preset_task.json")
SEVERAL = str(ROOT / "examples" / "quant_multi_preset_task.json")
SHAPE = str(ROOT / "examples" / "llama_3_70b.json")
MODEL = ("--checkpoint", SHAPE)
RULES = str(ROOT / "examples" / "sglang_jax_rules.yaml")
LINE = (
    "VLLM_ATTENTION_BACKEND=FLASHINFER vllm serve m --kv-cache-dtype fp16 --nope 3 --enforce-eager"
)

MAPPINGS = [
    [PRESET],
    [SEVERAL],
    ["--runtime", "vllm", "--preset", "universal-fp8", "--param", "enforce-eager"],
    ["--runtime", "vllm", "--set", "attention.backend=fa3"],
    ["--runtime", "tensorrt_llm@latest", "--set", "kvcache_dtype=fp8", "--gpu", "H100"],
    ["--runtime", "sglang@0.5.6", "--preset", "dynamic-fp8", "--gpu", "B200"],
    ["--runtime", "sglang@0.5.6", "--preset", "default", "--model-quantization", "awq"],
    ["--runtime", "sglang-jax", "--set", "gemm_dtype=fp8"],
    ["--runtime", "vllm@0.11.0", "--policy", "literal", "--param", "kv-cache-dtype=nope"],
    ["--runtime", "vllm@latest", "--preset", "default", "--gpu", "GTX 1080"],
]
QUALITY = tempfile.mkdtemp()
COEFFICIENTS = str(Path(QUALITY) / "coefficients.json")
MATRICES = {f"model.layers.0.{name}.weight": np.ones((8, 64), np.float32) for name in "ab"}
ODD = {
    "model.layers.0.c.weight": np.ones((8, 40), np.float32),
    "lm_head.weight": np.ones((8, 64), np.float32),
}
save_file({**MATRICES, **ODD}, Path(QUALITY) / "model.safetensors")
INPUTS = str(Path(QUALITY) / "inputs.safetensors")  # of one module; the others have none
save_file({"model.layers.0.a": np.ones((4, 64), np.float32)}, INPUTS)
Path(COEFFICIENTS).write_text('{"model.layers.0.a": 1.5, "coefficient": 2}', encoding="utf-8")
atexit.register(shutil.rmtree, QUALITY, ignore_errors=True)
TASK = str(Path(QUALITY) / "task.json")
MEASURED = str(Path(QUALITY) / "runs.jsonl")
LOG = str(ROOT / "examples" / "boot.log")
UNKNOWN_LOG = str(Path(QUALITY) / "unknown.log")
Path(UNKNOWN_LOG).write_text("TypeError: nobody knows this\n", encoding="utf-8")
_TASK = {
    "base_runtime": "vllm",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"max-num-seqs": [8, 16]},
    "slo": {"ttft": {"p99": {"threshold": 100}}},
}
Path(TASK).write_text(json.dumps(_TASK), encoding="utf-8")
for _one in quantmap.plan(_TASK)[:3]:
    if _one.index == 2:
        Ledger(MEASURED).record(_one.signature, "failed", reason="out of memory")
        continue
    for _speed in (100.0, 110.0):
        _metrics = {"throughput": _speed + _one.index, "ttft_p99": 90.0}
        Ledger(MEASURED).record(_one.signature, "success", metrics=_metrics)
RUNS = {
    "advise": [
        [SHAPE, "--gpu", "H100", "--engine", "vllm@0.20.1", "--context", "8192"],
    ],
    "map": MAPPINGS,
    "explain": [
        *MAPPINGS,
        ["--runtime", "vllm@0.20.1", "--preset", "dynamic-fp8", *("--gpu", "H100"), *MODEL],
    ],
    "check": [
        [LINE],
        [LINE, "--engine-version", "0.11.0", "--gpu", "H100", "--model-quantization", "fp8"],
        ["sglang serve --model-path m --kv-cache-dtype fp8_e4m3"],
        ["trtllm-serve m --tp_size 2 --max_seq_len x"],
        ["vllm serve a; docker run vllm/vllm-openai-rocm:nightly b"],
    ],
    "why": [
        [LOG],
        [LOG, "--engine-version", "0.33.0", "--gpu", "H100"],
        [UNKNOWN_LOG],
    ],
    "diff": [
        ["0.9.0", "latest", "--runtime", "vllm", "--preset", "dynamic-fp8", "--gpu", "H100"],
        ["0.5.2", "0.5.6", SEVERAL, "--runtime", "sglang"],
        ["0.5.2", "0.5.6", PRESET, "--runtime", "sglang", "--gpu", "H100", "--checkpoint", SHAPE],
        ["0.5.2", "0.5.6", PRESET, "--param", "attention-backend=nope"],
        ["0.9.0", "0.33.0", "--command", LINE],
        ["0.11.0", "0.11.0", "--runtime", "vllm", "--preset", "default"],
    ],
    "fit": [
        [SHAPE],
        [SHAPE, "--gpu", "H100", "--tp", "2", "--preset", "default", "--preset", "dynamic-fp8"],
        [SHAPE, "--gpu", "L4", "--engine", "sglang@0.5.18", "--preset", "universal-fp8"],
        [SHAPE, "--gpu", "H100", "--engine", "vllm@0.20.1", "--need", "8k x 2"],
        ["vllm serve Qwen/Qwen3-8B", "--gpu", "H100", "--engine-version", "0.20.1"],
    ],
    "inspect": [
        [str(ROOT / "examples" / "checkpoint")],
        ["some/my-fp8-notes"],
    ],
    "plan": [
        [SEVERAL],
        [PRESET, "--engine", "sglang@0.5.2", "--engine", "vllm@0.11.0", "--gpu", "H100"],
        [PRESET, "--engine", "tensorrt_llm@1.0.0"],
        [PRESET, "--engine", "vllm@0.20.1", "--gpu", "L4", "--checkpoint", SHAPE],
    ],
    "matrix": [
        ["--engine", "vllm", "--engine-version", "0.11.0"],
        ["--engine", "sglang", "--gpu", "H100", "--model-quantization", "awq"],
        ["--engine", "tensorrt_llm"],
        ["--engine", "sglang_jax"],
    ],
    "quality": [
        [QUALITY, "--scheme", "vllm:mxfp4", "--scheme", "sglang_jax:int8/channel"],
        [QUALITY, "--engine", "sglang", "--sensitivity", COEFFICIENTS],
        [QUALITY, "--scheme", "sglang_jax:int8/channel", "--activations", INPUTS],
    ],
    "results": [[TASK, MEASURED]],
    "rules": [
        [RULES],
        [RULES, "--module", "model/layers[0]/self_attn/q_proj", "--module", "lm_head"],
    ],
}


# What may hold any keys: names that a user, an engine or a release chooses, and the task itself.
MAPPED = {"args", "env", "files", "precision", "decisions.emitted", "diagnostics.context"}
DIFFERENCES = {"arguments", "environment", "files", "outcomes", "precision", "refusals", "verdicts"}
OPEN = {
    "advise": {"precision", "fit.precision", "fit.diagnostics.context"},
    "map": MAPPED,
    "explain": MAPPED,
    "check": {"notes.context"},
    "why": set(),
    "diff": DIFFERENCES,
    "fit": {"precision", "diagnostics.context"},
    "inspect": {"notes.context"},
    "matrix": {"rows.emitted"},
    "plan": {
        *("task_name", "task", "arguments.checkpoint", "arguments.model_quantization"),
        *("diagnostics.context", "skips.example.parameters", "experiments.parameters"),
        *("experiments.args", "experiments.env", "experiments.files"),
    },
    "quality": {"modules.results", "modules.refused", "totals", "predicted", "ranking"},
    "results": {
        *("task_name", "units", "diagnostics.context"),
        *("rows.args", "rows.env", "rows.parameters", "rows.metrics"),
        *("rows.precision", "rows.expected"),
    },
    "rules": {"moe", "notes.context"},
}


def printed(capsys: pytest.CaptureFixture[str], verb: str, arguments: list[str]) -> Any:
    """The JSON data that a verb prints."""
    code = app.main([verb, *arguments, "--json"], standalone_mode=False)
    assert code in (0, 1, 3)
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("verb", "arguments"), [(verb, run) for verb, runs in RUNS.items() for run in runs]
)
def test_output_is_as_published(
    capsys: pytest.CaptureFixture[str], verb: str, arguments: list[str]
) -> None:
    Draft202012Validator(quantmap.output_schema(verb)).validate(printed(capsys, verb, arguments))


@pytest.mark.parametrize("verb", OUTPUTS)
def test_a_key_more_a_key_less_or_another_type_is_drift(
    capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    walk = Walk(quantmap.output_schema(verb))
    schema = Draft202012Validator(walk.schema)
    for arguments in RUNS[verb]:
        data = printed(capsys, verb, arguments)
        assert schema.is_valid(data)
        for fault, spoiled in walk.spoiled(data):
            assert not schema.is_valid(spoiled), fault


@pytest.mark.parametrize("verb", OUTPUTS)
def test_keys_are_free_only_where_they_have_to_be(verb: str) -> None:
    schema = quantmap.output_schema(verb)
    assert Walk(schema.get("$defs", {}).get("result", schema)).open() == OPEN[verb]


def test_every_verb_with_json_has_a_schema_and_runs_here() -> None:
    context = click.Context(app)
    printing = set()
    for name in app.list_commands(context):
        command = app.get_command(context, name)
        assert command is not None
        if any("--json" in parameter.opts for parameter in command.params):
            printing.add(name)
    # A verb that is missing here needs a schema in quantmap/schema/outputs.py and runs above.
    assert printing == set(OUTPUTS) == set(RUNS)


@pytest.mark.parametrize("verb", OUTPUTS)
def test_it_is_a_schema(verb: str) -> None:
    schema = quantmap.output_schema(verb)
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == f"urn:quantmap:output-{verb}"


def test_the_runs_above_reach_what_is_rare(capsys: pytest.CaptureFixture[str]) -> None:
    seen = json.dumps([printed(capsys, verb, run) for verb in RUNS for run in RUNS[verb]])
    for part in ('"degraded"', '"cannot-serve"', '"refused": true', '"severity": "error"'):
        assert part in seen, part
    for part in ('"files": {"', '"env": {"', ": true}", '"rule": null', '"ok": true'):
        assert part in seen, part


def test_a_verb_without_json_output_is_an_error() -> None:
    with pytest.raises(quantmap.ConfigError, match="known: map, explain, check"):
        quantmap.output_schema("schema")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What quantmap schema prints."""
    assert app.main(["schema", *arguments], standalone_mode=False) == 0
    return str(capsys.readouterr().out)


def test_the_command_prints_what_the_functions_return(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(run(capsys, "--json-schema")) == quantmap.json_schema("config")
    assert json.loads(run(capsys, "--json-schema", "task")) == quantmap.json_schema("task")
    assert json.loads(run(capsys, "--output", "map")) == quantmap.output_schema("map")
    assert run(capsys, "--typescript") == quantmap.typescript_types()
    shown = run(capsys, "--ui", "--engine", "sglang@0.5.6", "--gpu", "H100")
    assert json.loads(shown) == quantmap.ui_table(["sglang@0.5.6"], gpu="H100")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--typescript", "--ui"],
        ["--json-schema", "task", "--output", "map"],
        ["--typescript", "--engine", "vllm"],
        ["--json-schema", "--gpu", "H100"],
    ],
)
def test_one_export_at_a_time(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        app.main(["schema", *arguments], standalone_mode=False)
