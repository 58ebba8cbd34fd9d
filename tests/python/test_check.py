"""check: verdicts on launch lines that someone else wrote."""

from __future__ import annotations

import random
import shlex
from typing import Any

import pytest
import quantmap
from quantmap import _core

JAX_LINE = r"""JAX_COMPILATION_CACHE_DIR=/tmp/jit_cache \
uv run python -u -m sgl_jax.launch_server \
  --model-path Qwen/Qwen-7B-Chat \
  --trust-remote-code \
  --dist-init-addr=0.0.0.0:10011 \
  --nnodes=1 \
  --tp-size=4 \
  --device=tpu \
  --random-seed=3 \
  --node-rank=0 \
  --mem-fraction-static=0.8 \
  --max-prefill-tokens=8192 \
  --download-dir=/tmp \
  --dtype=bfloat16 \
  --skip-server-warmup \
  --quantization-config-path=int8.yaml
"""
JAX_GOLDEN = [
    ("JAX_COMPILATION_CACHE_DIR", "/tmp/jit_cache"),
    ("--model-path", "Qwen/Qwen-7B-Chat"),
    ("--trust-remote-code", "true"),
    ("--dist-init-addr", "0.0.0.0:10011"),
    ("--nnodes", "1"),
    ("--tp-size", "4"),
    ("--device", "tpu"),
    ("--random-seed", "3"),
    ("--node-rank", "0"),
    ("--mem-fraction-static", "0.8"),
    ("--max-prefill-tokens", "8192"),
    ("--download-dir", "/tmp"),
    ("--dtype", "bfloat16"),
    ("--skip-server-warmup", "true"),
    ("--quantization-config-path", "int8.yaml"),
]


def verdicts(result: quantmap.CheckResult) -> dict[str, str]:
    """Flag → verdict; of a repeated flag the last."""
    return {verdict.argument: verdict.verdict for verdict in result.verdicts}


def problem(command: Any, **call: Any) -> list[tuple[str, str]]:
    """Code and path of what is wrong with a call."""
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.check(command, **call)
    return [(d.code, d.path) for d in caught.value.diagnostics]


def test_the_documented_launch_of_sglang_jax() -> None:
    result = quantmap.check(JAX_LINE)
    assert (result.engine, result.model) == ("sglang_jax", "Qwen/Qwen-7B-Chat")
    assert result.version == _core.releases("sglang_jax")[-1]["version"]
    assert [(v.argument, v.value) for v in result.verdicts] == JAX_GOLDEN
    assert {v.verdict for v in result.verdicts} == {"accepted"}
    assert result.ok


def test_the_documented_launch_before_the_flag_existed() -> None:
    result = quantmap.check(JAX_LINE, engine_version="0.0.2")
    found = verdicts(result)
    assert found["--quantization-config-path"] == "unknown-flag"
    assert not result.ok
    (refused,) = [v for v in result.verdicts if v.argument == "--quantization-config-path"]
    assert "added in 0.0.3rc0" in refused.reason
    assert refused.evidence


@pytest.mark.parametrize(
    ("line", "engine", "model"),
    [
        ("vllm serve m --dtype auto", "vllm", "m"),
        ("/usr/bin/vllm serve m --dtype auto", "vllm", "m"),
        ("python -m vllm.entrypoints.openai.api_server --model m --dtype auto", "vllm", "m"),
        ("python3 -u -m vllm.entrypoints.openai.api_server --model=m", "vllm", "m"),
        ("A=1 B='x y' CUDA_VISIBLE_DEVICES=0,1 vllm serve m", "vllm", "m"),
        ("python -m sglang.launch_server --model-path m --tp 2", "sglang", "m"),
        ("python3 -m sglang.launch_server --model-path=m", "sglang", "m"),
        ("uv run --with sglang python -m sglang.launch_server --model-path m", "sglang", "m"),
        ("trtllm-serve m --tp_size 2", "tensorrt_llm", "m"),
        ("trtllm-serve serve m --tp_size 2", "tensorrt_llm", "m"),
        ("python -u -m sgl_jax.launch_server --model-path m", "sglang_jax", "m"),
        ("vllm \\\n  serve m \\\r\n  --dtype auto  # a remark", "vllm", "m"),
    ],
)
def test_forms(line: str, engine: str, model: str) -> None:
    result = quantmap.check(line)
    assert (result.engine, result.model) == (engine, model)
    assert result.ok, [v.to_dict() for v in result.verdicts if v.refused]
    words = quantmap.check(shlex.split(line.replace("\r", "").replace("\\\n", ""), comments=True))
    assert [v.to_dict() for v in words.verdicts] == [v.to_dict() for v in result.verdicts]


def test_both_ways_to_give_a_value() -> None:
    for line in (
        "vllm serve m --kv-cache-dtype fp16 --port=1",
        "vllm serve m --kv-cache-dtype=fp16 --port 1",
        "vllm serve m --kv_cache_dtype fp16 --port 1",
    ):
        result = quantmap.check(line, engine_version="0.11.0")
        assert list(verdicts(result).values()) == ["value-not-accepted", "accepted"]
        assert result.verdicts[0].value == "fp16"
        assert "accepted: auto" in result.verdicts[0].reason


def test_short_options_switches_and_lists() -> None:
    result = quantmap.check("vllm serve m -tp 2 -q fp8 --enforce-eager --dtype auto")
    assert result.ok
    assert [v.canonical for v in result.verdicts][:2] == [
        "--tensor-parallel-size",
        "--quantization",
    ]
    assert [v.value for v in result.verdicts] == ["2", "fp8", "true", "auto"]
    assert quantmap.check("vllm serve m --no-such -1 --seed -1").verdicts[1].value == "-1"


def test_the_last_of_a_repeated_flag_counts() -> None:
    result = quantmap.check(
        "vllm serve m --kv-cache-dtype fp8 --kv_cache_dtype=auto -tp 1 -tp 2",
        engine_version="0.11.0",
    )
    assert [v.verdict for v in result.verdicts] == ["no-effect", "accepted"] * 2
    assert "last" in result.verdicts[0].reason


def test_removed_and_added() -> None:
    gone = quantmap.check("vllm serve m --guided-decoding-backend auto").verdicts[0]
    assert (gone.verdict, gone.refused) == ("unknown-flag", True)
    assert "removed in" in gone.reason
    early = quantmap.check("vllm serve m --quantization-config {}", engine_version="0.11.0")
    assert "added in" in early.verdicts[0].reason


def test_a_near_miss_has_a_hint() -> None:
    verdict = quantmap.check("vllm serve m --tensor-paralel-size 2").verdicts[0]
    assert "--tensor-parallel-size" in verdict.hint
    number = quantmap.check("vllm serve m --tensor-parallel-size two").verdicts[0]
    assert (number.verdict, number.refused) == ("value-not-accepted", True)


def test_what_a_rule_refuses() -> None:
    line = "vllm serve m --quantization fp8 --kv-cache-dtype fp8_e5m2"
    result = quantmap.check(line, engine_version="0.10.2", model_quantization="none")
    assert not result.ok
    refused = [v for v in result.verdicts if v.refused]
    assert {v.verdict for v in refused} <= {"refused-at-start", "fails-later"}
    assert all(v.evidence and v.reason for v in refused)


def codes(result: quantmap.CheckResult) -> list[str]:
    """The codes of the notes."""
    return [note.code for note in result.notes]


@pytest.mark.parametrize(
    "arguments",
    [
        "--quantization awq_marlin",
        "--quantization gguf --load-format gguf",
        "--quantization modelopt_fp4",
        "--quantization w4afp8",
    ],
)
def test_what_depends_on_a_checkpoint_that_is_not_given(arguments: str) -> None:
    line = f"python -m sglang.launch_server --model-path x/Llama {arguments}"
    open_ = quantmap.check(line, engine_version="0.5.9")
    assert open_.ok
    (verdict,) = [v for v in open_.verdicts if v.argument == "--quantization"]
    assert (verdict.verdict, verdict.refused) == ("assumed", False)
    assert "depends on the checkpoint" in verdict.reason
    assert codes(open_).count("checkpoint-not-given") == 1
    plain = quantmap.check(line, engine_version="0.5.9", model_quantization="none")
    assert "checkpoint-not-given" not in codes(plain)
    (verdict,) = [v for v in plain.verdicts if v.argument == "--quantization"]
    assert "depends on the checkpoint" not in verdict.reason


def test_a_method_needs_its_checkpoint() -> None:
    line = "python -m sglang.launch_server --model-path m --quantization awq_marlin"
    found = {
        kind: quantmap.check(line, engine_version="0.5.9", model_quantization=kind).ok
        for kind in ("none", "awq", "gptq")
    }
    assert found == {"none": False, "awq": True, "gptq": False}


def gpus(result: quantmap.CheckResult) -> list[str]:
    """The GPUs on which the launch would be refused, by note."""
    return [str(n.context["known"]) for n in result.notes if n.code == "depends-on-gpu"]


def test_what_holds_on_some_gpus_only_is_a_note() -> None:
    line = "vllm serve m --kv-cache-dtype fp8_e5m2"
    result = quantmap.check(line, engine_version="0.11.2")
    assert result.ok and verdicts(result) == {"--kv-cache-dtype": "accepted"}
    assert "sm90" in gpus(result)
    hopper = quantmap.check(line, engine_version="0.11.2", gpu="H100")
    assert not hopper.ok and gpus(hopper) == []
    assert quantmap.check(line, engine_version="0.11.2", gpu="A100").ok
    below = quantmap.check("vllm serve m --kv-cache-dtype fp8", engine_version="0.11.0")
    assert below.ok and "sm60, sm70, sm75, sm80" in gpus(below)
    everywhere = quantmap.check(line, engine_version="0.11.0")
    assert verdicts(everywhere) == {"--kv-cache-dtype": "fails-later"}


def test_a_refusal_that_rests_on_an_assumption_is_assumed() -> None:
    line = "vllm serve m --kv-cache-dtype fp8_e5m2"
    for call in ({"gpu": "RTX 5090"}, {"gpu": "H100"}):
        result = quantmap.check(line, engine_version="0.33.0", **call)
        assert result.ok and verdicts(result) == {"--kv-cache-dtype": "assumed"}
        assert "not known to work" in result.verdicts[0].reason and result.verdicts[0].evidence
    whole = quantmap.check("trtllm-serve m", engine_version="1.0.0", gpu="V100")
    assert whole.ok and "may-not-serve" in codes(whole)


@pytest.mark.parametrize(
    ("line", "call", "reason"),
    [
        (
            "python -m sglang.launch_server --model-path m",
            {"engine_version": "0.5.9", "gpu": "V100"},
            "SM75",
        ),
        ("vllm serve m", {"engine_version": "0.33", "model_quantization": "gguf"}, "GGUF"),
    ],
)
def test_nothing_can_be_served(line: str, call: dict[str, Any], reason: str) -> None:
    result = quantmap.check(line, **call)
    (refusal,) = result.refusals
    assert (refusal.code, refusal.severity) == ("cannot-serve", "error")
    assert reason in refusal.message
    assert not any(verdict.refused for verdict in result.verdicts)
    assert not result.ok and result.to_dict()["ok"] is False
    assert quantmap.check(line).ok


def test_a_dict_of_arguments() -> None:
    result = quantmap.check({"kv-cache-dtype": "fp16", "--dtype": "auto"}, "vllm", "0.11.0")
    assert verdicts(result) == {"--kv-cache-dtype": "value-not-accepted", "--dtype": "accepted"}
    assert result.model is None
    data = result.to_dict()
    assert data["ok"] is False
    assert set(data["catalog"]) == {"version", "hash"}


@pytest.mark.parametrize(
    "line",
    ["vllm serve 'm", 'vllm serve "m', "vllm serve $(cat m", "vllm serve ${M", "vllm serve `m"],
)
def test_lines_that_no_shell_could_read(line: str) -> None:
    assert problem(line) == [("invalid-command", "command")]


def test_the_place_of_an_open_quote() -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.check("vllm serve m \\\n  --dtype 'auto")
    assert "line 2, column 11" in str(caught.value)


def test_other_bad_input() -> None:
    assert problem("") == [("unknown-launcher", "command")]
    assert problem("echo hello") == [("unknown-launcher", "command")]
    assert problem("vllm serve m", engine="sglang") == [("other-launcher", "command")]
    assert problem("vllm serve m", engine="vlm") == [("unknown-engine", "runtime")]
    assert problem("vllm serve m", engine_version="x")[0][0] == "not-a-version"
    assert problem({"--dtype": "auto"}) == [("unknown-launcher", "command")]
    assert problem(3, engine="vllm") == [("wrong-type", "command")]
    assert problem(["vllm", 3], engine="vllm") == [("wrong-type", "command[1]")]
    assert problem(None, engine="vllm") == [("wrong-type", "command")]


def test_the_same_words_as_shlex() -> None:
    random.seed(7)
    alphabet = "ab-=_./ \t\n'\"\\#é"
    read = 0
    for _ in range(20_000):
        tail = "".join(random.choice(alphabet) for _ in range(random.randrange(14)))
        line = "vllm serve m --seed " + tail
        # Where shlex is no shell: a remark inside a word, a new line, a backslash at the end.
        if "#" in tail or "\n" in tail or tail.endswith("\\"):
            continue
        try:
            words = shlex.split(line)
        except ValueError:
            assert problem(line) == [("invalid-command", "command")], line
            continue
        read += 1
        ours = quantmap.check(line)
        theirs = quantmap.check(words)
        assert [(v.argument, v.value) for v in ours.verdicts] == [
            (v.argument, v.value) for v in theirs.verdicts
        ], line
        assert ours.model == theirs.model
    assert read > 2000


def test_a_long_line_does_not_hang() -> None:
    result = quantmap.check("vllm serve m " + "--no-such-flag x " * 2000, engine_version="0.11.0")
    assert len(result.verdicts) == 2000
    assert result.verdicts[-1].verdict == "unknown-flag"


def test_a_refused_backend_comes_with_those_that_this_gpu_takes() -> None:
    line = "vllm serve deepseek-ai/DeepSeek-V3 --attention-backend FLASHMLA"
    found = quantmap.check(line, engine_version="0.20.0", gpu="B200")
    (verdict,) = (item for item in found.verdicts if item.argument == "--attention-backend")
    offered = verdict.hint.split(" or ")
    assert verdict.refused and offered[0] == "FLASHINFER_MLA" and "FLASHMLA" not in offered
    for name in offered:
        again = line.replace("FLASHMLA", name)
        assert quantmap.check(again, engine_version="0.20.0", gpu="B200").ok, name


def test_what_has_no_effect_on_some_gpus_is_no_refusal_there() -> None:
    """Without a GPU nothing is said of it; on one of those GPUs the verdict is."""
    line = "VLLM_ATTENTION_BACKEND=TRITON_MLA vllm serve meta-llama/Meta-Llama-3-8B"
    open_ = quantmap.check(line, engine_version="0.9.0")
    assert open_.ok and gpus(open_) == []
    hopper = quantmap.check(line, engine_version="0.9.0", gpu="H100")
    assert hopper.ok and verdicts(hopper)["VLLM_ATTENTION_BACKEND"] == "no-effect"


def test_of_two_assumptions_the_first_is_told() -> None:
    line = (
        "python -m sglang.launch_server --model-path meta-llama/Llama-3.1-8B-Instruct "
        "--attention-backend trtllm_mha --kv-cache-dtype fp8_e5m2"
    )
    told = []
    for gpu in ("B200", "B300", "H100"):
        result = quantmap.check(line, engine_version="0.5.10", gpu=gpu)
        (verdict,) = (v for v in result.verdicts if v.argument == "--kv-cache-dtype")
        told.append((verdict.verdict, verdict.refused, verdict.reason))
    first = "trtllm_mha, the default on SM100, knows FP8 KV as fp8_e4m3 only"
    assert told[:2] == [("assumed", False, first)] * 2
    assert told[2] != told[0]  # there the first of the two does not hold


def test_what_the_model_itself_causes_is_told_of_the_launch() -> None:
    """No argument of the line sets the KV cache type: the checkpoint asks for it."""
    section = {"quant_method": "modelopt", "quant_algo": "FP8"}
    told = []
    for kv in ({}, {"kv_cache_quant_algo": "FP8"}):
        model = {"model_type": "llama", "quantization_config": {**section, **kv}}
        result = quantmap.check(
            "vllm serve m", engine_version="0.33.0", gpu="V100", checkpoint=model
        )
        assert not result.ok and not result.verdicts
        told.append(sum("FP8 KV cache" in refusal.message for refusal in result.refusals))
    assert told == [0, 1]
