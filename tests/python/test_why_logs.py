"""`why` on logs as machines keep them: prefixes, cut ends, several starts, memory that ends."""

from __future__ import annotations

import pytest
import quantmap
from quantmap import why

HEADS = "ValueError: Total number of attention heads (28) must be divisible by tensor parallel size"


def explained(text: str) -> quantmap.WhyResult:
    found = why(text)
    assert found is not None, text
    return found


@pytest.mark.parametrize(
    ("before", "behind", "end"),
    [
        (
            "Jun 03 11:20:07 gpu01 vllm[2214]: ",
            "#015",
            "Jun 03 11:20:08 gpu01 systemd[1]: vllm.service: ended",
        ),
        ("2025-04-17T15:10:09.1Z stderr F ", "", "Process SpawnProcess-1:"),
        ("[llm]        | ", "", "[llm] exited with code 1"),
        ("llm-1  | (APIServer pid=1) ", "", "llm-1 exited with code 1"),
        ("ERROR 06-03 11:21:00 [core.py:500] ", "", "[rank0]:[W603 11:21:02] Warning: x"),
        ("Jun  3 11:20:07 h vllm[1]: #033[31m", "#033[0m#015", "INFO 06-03 11:20:01 [a.py:1] b"),
    ],
)
def test_what_a_keeper_of_logs_adds_is_no_message(before: str, behind: str, end: str) -> None:
    frame = '  File "/v/vllm/config.py", line 1000, in verify_with_parallel_config'
    text = "\n".join(f"{before}{line}{behind}" for line in (frame, f"{HEADS} (3).")) + f"\n{end}\n"
    found = explained(text)
    assert found.message == f"{HEADS} (3)."[12:]
    assert found.template is not None and found.change == "write --tensor-parallel-size 2"


def test_sizes_that_go_are_those_of_machines() -> None:
    assert explained(f"{HEADS} (8).").change == "write --tensor-parallel-size 4"
    line = "vllm serve Qwen/Qwen2.5-7B-Instruct --tensor-parallel-size 8"
    found = explained(f"$ {line}\n{HEADS} (8).")
    assert (found.change, found.certain) == ("write --tensor-parallel-size 4", True)


def test_the_last_start_counts() -> None:
    text = (
        "+ vllm serve a/b --kv-cache-dtype fp9\n"
        "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'fp9' (choose from auto)\n"
        "+ vllm serve a/b --max-model-len 999999\n"
        "ValueError: User-specified max_model_len (999999) is greater than the derived "
        "max_model_len (max_position_embeddings=40960 or model_max_length=None in model's "
        "config.json).\n"
    )
    found = explained(text)
    assert (found.line, found.arguments[:1]) == (4, ["--max-model-len"])
    assert explained(text[: text.index("+ vllm serve a/b --max")]).arguments == ["--kv-cache-dtype"]


def test_an_end_that_is_cut_off_is_told_by_the_last_place() -> None:
    text = (
        'odel_executor/layers/quantization/awq.py", line 96, in create_weights\n'
        "ValueError: The input size is not aligned with the quantized weight shape. This can be "
        "caused by too large ten"
    )
    found = explained(text)
    assert found.source is not None and "awq.py" in found.source
    assert found.template is not None and found.template.endswith("tensor parallel size.")
    assert found.arguments == ["--tensor-parallel-size"]


def test_a_text_of_several_files_is_of_the_one_that_raised_it() -> None:
    text = (
        '  File "/w/sglang/srt/layers/quantization/fp8.py", line 1, '
        "in validate_block_quant_shapes\n"
        "ValueError: Weight output_partition_size = 320 is not divisible by weight quantization "
        "block_n = 128."
    )
    assert explained(text).source == (
        "sglang/srt/layers/quantization/fp8.py, validate_block_quant_shapes"
    )


@pytest.mark.parametrize(
    ("function", "flag"),
    [
        ("create_weights", "--tensor-parallel-size"),
        ("_allocate_kv_cache_tensors", "--gpu-memory-utilization"),
        ("capture_model", "--max-num-seqs"),
        ("forward", "--gpu-memory-utilization"),
    ],
)
def test_where_memory_ends_tells_what_decides_it(function: str, flag: str) -> None:
    text = (
        "$ vllm serve a/b --max-num-seqs 900\n"
        f'  File "/v/vllm/v1/worker/gpu_model_runner.py", line 1, in {function}\n'
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.74 GiB. GPU 1 has a total"
    )
    found = explained(text)
    assert flag in found.arguments
    if function == "capture_model":
        assert found.arguments[0] == "--max-num-seqs"


def test_a_value_that_an_error_advises_is_written() -> None:
    text = (
        "$ vllm serve a/b --dtype half\nvLLM API server version 0.8.4\n"
        "ValueError: The model type 'gemma3' does not support float16. Reason: Numerical "
        "instability. Please use bfloat16 or float32 instead."
    )
    assert explained(text).change == "write --dtype bfloat16"


def test_backends_that_do_not_go_name_their_flag() -> None:
    for text in (
        "vllm/x.py\nNotImplementedError: FlashInfer backend currently does not support attention "
        "sinks, please use trtllm on blackwell or flash attention on earlier GPUs.",
        "vllm/x.py\nValueError: Selected backend AttentionBackendEnum.ROCM_ATTN is not valid for "
        "this configuration. Reason: ['attention sinks not supported']",
    ):
        found = explained(text)
        assert "--attention-backend" in found.arguments and "attention backend" in found.change


def test_an_error_that_points_above_itself_is_not_the_cause() -> None:
    text = (
        "$ vllm serve deepseek-ai/DeepSeek-V4-Flash --kv-cache-dtype fp8_ds_mla -tp 4\n"
        "(Worker_TP0 pid=1) KeyError: 'float8_e8m0fnu'\n"
        "(EngineCore pid=2) RuntimeError: Worker failed with error 'x', please check the stack "
        "trace above for the root cause\n"
    )
    found = explained(text)
    assert (found.error, found.source) == ("KeyError", "triton")
