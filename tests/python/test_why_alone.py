"""`why` on one error that stands alone, cut off, or comes from beneath the engine."""

from __future__ import annotations

import json
from typing import Any

import pytest
import quantmap
from quantmap import _core, why


def explained(text: str, **ground: str) -> quantmap.WhyResult:
    found = why(text, **ground)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("text", "engine", "also", "flag"),
    [
        (
            "ValueError: Total number of attention heads (40) must be divisible by tensor parallel"
            " size (16).",
            "vllm",
            [],
            "--tensor-parallel-size",
        ),
        (
            "ValueError: torch.bfloat16 is not supported for quantization method awq. Supported"
            " dtypes: [torch.float16]",
            "vllm",
            ["sglang"],
            "--dtype",
        ),
        (
            "RuntimeError: Not enough memory. Please try to increase --mem-fraction-static.",
            "sglang",
            ["sglang_jax"],
            "--mem-fraction-static",
        ),
        ("api_server.py: error: unrecognized arguments: --enable-reasoning", "vllm", [], ""),
        ("launch_server.py: error: unrecognized arguments: --enable-ep-moe", "sglang", [], ""),
        (
            "launch_server.py: error: argument --tp-size: invalid int value: 'two'",
            "sglang",
            ["sglang_jax"],
            "--tp-size",
        ),
    ],
)
def test_an_error_alone_tells_its_engine(
    text: str, engine: str, also: list[str], flag: str
) -> None:
    found = explained(text)
    assert (found.engine, found.also) == (engine, also)
    assert found and (not flag or flag in found.arguments)


def test_what_no_engine_says_has_no_engine() -> None:
    found = explained("ValueError: the cat sat on the mat, and it is not supported yet")
    assert (found.engine, found.also, bool(found)) == (None, [], False)


@pytest.mark.parametrize(
    "row", json.loads(_core.library_messages())["messages"], ids=lambda row: row["text"]
)
def test_a_library_beneath_the_engine_is_known(row: dict[str, Any]) -> None:
    function = row.get("where", ["start"])[0]
    frame = f'  File "/x/vllm/v1/worker/gpu_worker.py", line 1, in {function}\n'
    error = f"{row.get('kind', 'RuntimeError')}: {row['text']} 12"
    found = explained(f"Traceback (most recent call last):\n{frame}{error}")
    assert found and found.engine == "vllm"
    assert (found.template, found.source) == (row["text"], row["package"])
    assert found.change == row["change"]
    told = " (assumed: read in public threads)" if row.get("assumed") else ""
    assert found.rule == row["means"] + told
    assert found.evidence == row["evidence"] and not found.certain


def test_a_message_that_the_log_cuts_off_is_known() -> None:
    whole = (
        "Exception: Capture cuda graph failed: CUDA out of memory. Tried to allocate 1.96 GiB."
        "\nPossible solutions:\n1. set --mem-fraction-static to a smaller value (e.g., 0.8 or 0.7)"
    )
    found = explained(whole, engine="sglang", engine_version="0.4.6")
    assert found.template is not None and found.template.startswith("Capture cuda graph failed")
    assert "--mem-fraction-static" in found.arguments


def test_an_error_of_a_logger_of_another_language_is_read() -> None:
    found = explained(
        "[01/13/2026-08:14:11] [TRT-LLM] [E] Failed to initialize the executor\n"
        "[TensorRT-LLM][ERROR] Assertion failed: this format needs a newer GPU"
    )
    assert (found.engine, found.error) == ("tensorrt_llm", "RuntimeError")
    assert found.message in (
        "Failed to initialize the executor",
        "Assertion failed: this format needs a newer GPU",
    )


@pytest.mark.parametrize(
    ("text", "flag", "change"),
    [
        ("ValueError: No attention backend fits at all", "", ""),
        (
            "vllm/x.py\nValueError: Selected backend AttentionBackendEnum.CUTLASS_MLA is not valid "
            "for this configuration. Reason: ['sparse not supported']",
            "--attention-backend",
            "leave the attention backend to vLLM",
        ),
        (
            "vllm serve org/a --tensor-parallel-size 8\n"
            "ValueError: Weight output_partition_size = 192 is not divisible by weight "
            "quantization block_n = 128.",
            "--tensor-parallel-size",
            "write --tensor-parallel-size 4",
        ),
        (
            "vllm/x.py\nRuntimeError: ('Weight input_size_per_partition = 96 is not divisible ', "
            "'by min_thread_k = 128.')",
            "--tensor-parallel-size",
            "give --tensor-parallel-size a smaller value",
        ),
    ],
)
def test_flags_that_an_error_names_in_words(text: str, flag: str, change: str) -> None:
    found = quantmap.why(text)
    assert found is not None
    assert found.arguments[:1] == ([flag] if flag else [])
    assert found.change.startswith(change) if change else not found.change


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ("triton.runtime.errors.OutOfResources: out of resource: shared memory, a", "triton"),
        ("KeyError: 'layers.0.mlp.down_proj.weight_scale'", "the checkpoint"),
        ("ValueError: 'layers.0.mlp.down_proj.weight_scale'", None),
        (
            "[x] [TRT-LLM] [RANK 1] [E] on rank 1: "
            "Executor creation failed due to insufficient GPU memory.",
            "tensorrt_llm",
        ),
        (
            "ERROR engine.py:158] RuntimeError('no kernel image is available for execution "
            "on the device')",
            "torch",
        ),
    ],
)
def test_how_errors_are_written(text: str, package: str | None) -> None:
    found = quantmap.why(text.removeprefix("[x] "))
    assert found is not None and found.source == package
    assert bool(found.change) == (package is not None)


@pytest.mark.parametrize(
    ("text", "argument", "change"),
    [
        ("vllm serve: error: the following arguments are required: model_tag", "model_tag", "name"),
        (
            "launch_server.py: error: the following arguments are required: --model-path/--model",
            "--model-path",
            "name the model",
        ),
        ("api_server.py: error: unrecognized arguments: /root/m", "/root/m", "leave out /root/m"),
        ("vllm serve m --omni\nvllm: error: unrecognized arguments: --omni", "--omni", "leave out"),
        (
            "ValidationError: 1 validation error for LoRAConfig\nmax_lora_rank\n  Input should be "
            "1, 8 or 16 [type=literal_error, input_value=48, input_type=int]",
            "--max-lora-rank",
            "write a value",
        ),
        (
            "ValidationError: 1 validation error for LoRAConfig\n  Value error, max_lora_rank (1) "
            "must be one of (8, 16, 32, 64, 128, 256, 320, 512). [type=value_error]",
            "--max-lora-rank",
            "--max-lora-rank",
        ),
        ("ValueError: LoRA rank 32 is greater than max_lora_rank 16.", "--max-lora-rank", "-rank"),
    ],
)
def test_what_parsers_and_classes_of_fields_say(text: str, argument: str, change: str) -> None:
    found = explained(text)
    assert found
    assert argument in found.arguments
    assert change in found.change


def test_a_model_that_the_release_does_not_know() -> None:
    text = "Model architectures ['X'] are not supported for now. Supported architectures: ['Y']"
    found = explained(f"ValueError: {text}")
    assert found and found.engine == "vllm"
    assert "knows the architecture" in found.change


def test_a_flag_that_only_later_releases_take() -> None:
    said = "api_server.py: error: unrecognized arguments: --moe-backend auto"
    line = f"$ docker run vllm/vllm-openai:v0.8.5 --model a/b --moe-backend auto\n{said}"
    found = why(line)
    assert found is not None and found.version == "0.8.5"
    assert found.change == "leave out --moe-backend" and found.fixed_in == "0.17.0"
    alone = why(f"vllm serve: {said.partition(': ')[2]}")
    assert alone is not None
    assert alone.change.startswith("leave out --moe-backend, or start vLLM ")
    assert "expected one argument" not in alone.rule
