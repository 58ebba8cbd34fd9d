"""Known trouble, what loaders cannot load, and flags that set a part of what another one sets."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core

from tests.python.test_command_refusals import run

GEMMA = {
    "architectures": ["Gemma3ForCausalLM"],
    "model_type": "gemma3_text",
    "hidden_size": 3840,
    "intermediate_size": 15360,
    "num_hidden_layers": 48,
    "num_attention_heads": 16,
    "num_key_value_heads": 8,
    "head_dim": 256,
    "vocab_size": 262208,
    "torch_dtype": "bfloat16",
}
NVFP4 = {
    **GEMMA,
    "architectures": ["NemotronHForCausalLM"],
    "model_type": "nemotron_h",
    "num_local_experts": 128,
    "num_experts_per_tok": 6,
    "moe_intermediate_size": 1856,
    "quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"},
}
BNB = {
    **GEMMA,
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True},
}


def gguf(path: Path, architecture: str) -> Path:
    """A GGUF file that holds nothing but the name of its architecture."""

    def text(word: str) -> bytes:
        return struct.pack("<Q", len(word)) + word.encode()

    head = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
    path.write_bytes(
        head + text("general.architecture") + struct.pack("<I", 8) + text(architecture)
    )
    return path


def test_it_is_told_at_the_argument_and_refuses_nothing() -> None:
    result = quantmap.check(
        "vllm serve m --dtype float16", engine_version="0.8.5", gpu="A100", checkpoint=GEMMA
    )
    verdict = result.verdicts[0]
    assert (verdict.verdict, verdict.refused) == ("known-trouble", False)
    assert "empty text" in verdict.reason and "seen in 0.8.3" in verdict.reason
    assert verdict.hint == "use --dtype bfloat16"
    assert verdict.evidence[0].startswith("https://github.com/vllm-project/vllm/issues/")
    assert result.ok


def test_it_is_a_note_where_no_argument_is_about_it() -> None:
    result = quantmap.check("vllm serve m", engine_version="0.27.0", gpu="B200", checkpoint=NVFP4)
    notes = [note for note in result.notes if note.code == "known-trouble"]
    assert len(notes) == 1 and result.ok
    assert "experts without a gate" in notes[0].message
    assert notes[0].hint == "use --moe-backend flashinfer_cutlass"


@pytest.mark.parametrize(
    ("line", "version", "gpu"),
    [
        ("vllm serve m --moe-backend flashinfer_cutlass", "0.27.0", "B200"),  # the cure
        ("vllm serve m", "0.27.0", "RTX 5090"),  # another GPU
        ("vllm serve m", "0.25.1", "B200"),  # a release before
        ("vllm serve m", "0.27.0", None),  # no GPU: nobody asked
    ],
)
def test_it_holds_where_all_of_its_conditions_do(line: str, version: str, gpu: str | None) -> None:
    result = quantmap.check(line, engine_version=version, gpu=gpu, checkpoint=NVFP4)
    assert not [n for n in result.notes if "without a gate" in n.message]
    assert not [v for v in result.verdicts if v.verdict == "known-trouble"]


def test_a_mapping_is_told_and_keeps_its_arguments() -> None:
    ground: dict[str, Any] = {"engine_version": "0.8.5", "gpu": "A100", "checkpoint": GEMMA}
    mapping = quantmap.explain("vllm", {"gemm_dtype": "float16"}, **ground)
    assert mapping.args["--dtype"] == "float16"
    codes = {note.code: note for note in mapping.diagnostics}
    assert codes["known-trouble"].severity == "warning"


def test_strict_makes_it_an_exit_code(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps(GEMMA), encoding="utf-8")
    words = ["check", "--engine-version", "0.8.5", "--checkpoint", config]
    line = "vllm serve m --dtype float16"
    assert "known-trouble" in run(*words, line).stdout
    run(*words, "--strict", line, code=1)


def test_matrix_lists_it() -> None:
    listed = run("matrix", "--engine", "sglang@0.5.9", "--gpu", "H100", "--trouble", "--json")
    rows = json.loads(listed.stdout)["rows"]
    assert {"minimax-fa3-fp8-kv"} <= {row["id"] for row in rows}
    assert all(not row["gpus"] or "sm90" in row["gpus"] for row in rows)
    shown = run("matrix", "--engine", "sglang@0.5.9", "--gpu", "H100", "--trouble")
    assert "--attention-backend (not set)|fa3" in shown.stdout


@pytest.mark.parametrize(
    ("engine", "version", "architecture", "ok"),
    [
        ("vllm", "0.8.1", "deepseek2", False),
        ("vllm", "0.11.0", "qwen3vlmoe", False),
        ("vllm", "0.11.0", "qwen3moe", True),
        ("vllm", "0.10.0", "qwen3moe", False),
        ("vllm", "0.6.1", "llama", True),
        ("sglang", "0.5.9", "gemma3", True),
        ("sglang", "0.5.9", "gpt-oss", False),
        ("sglang", "0.5.12", "gpt-oss", True),
    ],
)
def test_gguf_architectures(
    tmp_path: Path, engine: str, version: str, architecture: str, ok: bool
) -> None:
    model = str(gguf(tmp_path / "model.gguf", architecture))
    start = "vllm serve" if engine == "vllm" else "python -m sglang.launch_server --model-path"
    result = quantmap.check(f"{start} {model}", engine, version, gpu="A100")
    refused = [note for note in result.refusals if "GGUF files" in note.message]
    assert bool(refused) is not ok


def test_a_config_of_its_own_goes_round_the_gguf_reader(tmp_path: Path) -> None:
    model = str(gguf(tmp_path / "model.gguf", "deepseek2"))
    result = quantmap.check(f"vllm serve {model} --hf-config-path x", "vllm", "0.11.0", gpu="A100")
    assert not [note for note in result.refusals if "GGUF files" in note.message]


def test_bitsandbytes_loader() -> None:
    line = "vllm serve m"
    assert "experts are named" in str(
        quantmap.check(line, "vllm", "0.10.2", checkpoint=BNB).refusals
    )
    assert not quantmap.check(line, "vllm", "0.11.1", checkpoint=BNB).refusals
    divided = quantmap.check(f"{line} -tp 2", "vllm", "0.11.1", checkpoint=BNB)
    assert [v.verdict for v in divided.verdicts] == ["refused-at-start"]
    assert divided.verdicts[0].hint == "use --pipeline-parallel-size"
    assert quantmap.check(f"{line} -tp 1", "vllm", "0.11.1", checkpoint=BNB).ok


@pytest.mark.parametrize(
    ("flag", "value", "version", "gpu", "verdict"),
    [
        ("--attention-backend", "fa3", "0.5.9", "B200", "refused-at-start"),
        ("--prefill-attention-backend", "fa3", "0.5.9", "B200", "refused-at-start"),
        ("--decode-attention-backend", "fa3", "0.5.9", "B200", "refused-at-start"),
        ("--decode-attention-backend", "fa3", "0.5.9", "H100", "accepted"),
        ("--prefill-attention-backend", "trtllm_mha", "0.5.18", "GB10", "refused-at-start"),
        ("--decode-attention-backend", "trtllm_mha", "0.5.18", "GB10", "accepted"),
        ("--decode-attention-backend", "trtllm_mha", "0.5.9", "GB10", "refused-at-start"),
    ],
)
def test_a_part_is_held_against_what_holds_of_the_whole(
    flag: str, value: str, version: str, gpu: str, verdict: str
) -> None:
    line = f"python -m sglang.launch_server --model-path m {flag} {value}"
    result = quantmap.check(line, "sglang", version, gpu=gpu)
    assert {v.argument: v.verdict for v in result.verdicts}[flag] == verdict


def test_every_entry_says_what_to_read() -> None:
    found = {engine: _core.known_troubles(engine) for engine in ("vllm", "sglang", "tensorrt_llm")}
    told = [row for rows in found.values() for row in rows if row["verdict"] == "known-trouble"]
    threads = [row for row in told if row["evidence"][0].startswith("https://")]
    assert len(threads) >= 80
    assert all(row["what"] and row["effect"] for row in told)
    assert _core.known_troubles("vllm", "no release") == []


def test_a_variable_that_goes_is_deprecated_where_a_flag_takes_its_place() -> None:
    line = "VLLM_ATTENTION_BACKEND=FLASH_ATTN vllm serve m"
    worn = quantmap.check(line, engine_version="0.14.1", gpu="A100").verdicts[0]
    assert (worn.verdict, worn.hint) == ("deprecated", "write --attention-backend")
    assert "0.15.0" in worn.reason
    assert (
        quantmap.check(line, engine_version="0.12.0", gpu="A100").verdicts[0].verdict == "accepted"
    )
