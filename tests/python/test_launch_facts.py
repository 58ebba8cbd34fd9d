"""What a launch meets: its model, whatever form it is given in, and the files that it names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_deployment import DENSE, MLA, SINKS

TWO_HEAD_SIZES: dict[str, Any] = {
    **DENSE,
    "architectures": ["Gemma4ForCausalLM"],
    "model_type": "gemma4_text",
    "head_dim": 256,
    "global_head_dim": 512,
    "sliding_window": 1024,
}
SPARSE: dict[str, Any] = {
    **MLA,
    "architectures": ["DeepseekV32ForCausalLM"],
    "model_type": "deepseek_v32",
    "index_topk": 2048,
    "index_n_heads": 64,
    "index_head_dim": 128,
}
INT8 = {
    "quant_method": "compressed-tensors",
    "format": "int-quantized",
    "config_groups": {
        "group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "int", "strategy": "channel", "dynamic": False},
            "input_activations": {
                "num_bits": 8,
                "type": "int",
                "strategy": "token",
                "dynamic": True,
            },
        }
    },
}


def refusals(result: quantmap.CheckResult) -> list[str]:
    return [verdict.reason for verdict in result.verdicts if verdict.refused] + [
        note.message for note in result.refusals
    ]


def test_arguments_by_name_meet_the_checkpoint_as_a_line_does() -> None:
    ground: dict[str, Any] = {"engine_version": "0.33.0", "gpu": "H100", "checkpoint": SINKS}
    line = quantmap.check("vllm serve m --dtype half", **ground)
    names = quantmap.check({"--dtype": "half"}, engine="vllm", **ground)
    assert refusals(names) == refusals(line) != []
    assert names.not_looked_at == line.not_looked_at == []


def test_settings_in_a_file_meet_the_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "opts.yaml").write_text("attn_backend: FLASHINFER\n")
    line = "trtllm-serve openai/gpt-oss-20b --extra_llm_api_options opts.yaml"
    ground: dict[str, Any] = {"engine_version": "1.0.0", "gpu": "H100", "checkpoint": SINKS}
    assert any("sinks" in reason for reason in refusals(quantmap.check(line, **ground)))
    (tmp_path / "opts.yaml").write_text("attn_backend: TRTLLM\nkv_cache_config: {dtype: fp8}\n")
    assert refusals(quantmap.check(line, **ground)) == []


def test_a_file_that_a_script_writes_is_judged_too() -> None:
    script = (
        "cat > o.yaml <<EOF\nmoe_config:\n  backend: TRTLLM\nEOF\n"
        "trtllm-serve openai/gpt-oss-20b --extra_llm_api_options o.yaml\n"
    )
    (launch,) = quantmap.check_script(script, "1.0.0", "H100", checkpoint=SINKS).launches
    assert any("expert backend" in verdict.reason for verdict in launch.verdicts if verdict.refused)
    assert "file-not-read" not in {note.code for note in launch.notes}


def test_a_stand_in_for_a_release_says_nothing_for_certain() -> None:
    line = "vllm serve m"
    known = quantmap.check(line, engine_version="0.10.0", gpu="A100", checkpoint=SINKS)
    assert {note.code for note in known.refusals} == {"cannot-serve"}
    unknown = quantmap.check(line, engine_version="0.10.0.dev7", gpu="A100", checkpoint=SINKS)
    assert unknown.asked is not None and not unknown.refusals
    assert "may-not-serve" in {note.code for note in unknown.notes}


def test_known_trouble_that_could_not_be_looked_for_is_told() -> None:
    result = quantmap.check("vllm serve m", engine_version="0.20.0")
    told = [what for what, _ in result.not_looked_at if "known trouble" in what]
    assert len(told) == 2 and any("GPU" in what for what in told)


def test_a_named_backend_has_to_take_the_heads_of_every_layer() -> None:
    line = "vllm serve m --attention-backend FLASHINFER"
    ground: dict[str, Any] = {"engine_version": "0.19.1", "gpu": "RTX 5090"}
    assert any(
        "512" in reason
        for reason in refusals(quantmap.check(line, checkpoint=TWO_HEAD_SIZES, **ground))
    )
    assert refusals(quantmap.check(line, checkpoint=DENSE, **ground)) == []


@pytest.mark.parametrize("kv", ["fp8", "fp8_e4m3", "bfloat16"])
def test_deepseek_v32_turns_the_kv_cache_into_its_own(kv: str) -> None:
    result = quantmap.check(
        f"vllm serve deepseek-ai/DeepSeek-V3.2 -tp 8 --kv-cache-dtype {kv}",
        engine_version="0.13.0",
        gpu="H200",
        checkpoint=SPARSE,
    )
    assert refusals(result) == []


@pytest.mark.parametrize(("gpu", "refused"), [("L40S", False), ("RTX 5090", True), ("B200", True)])
def test_int8_products_end_with_hopper(gpu: str, refused: bool) -> None:
    checkpoint = {**DENSE, "quantization_config": INT8}
    result = quantmap.check("vllm serve m", engine_version="0.20.0", gpu=gpu, checkpoint=checkpoint)
    assert bool(refusals(result)) == refused
