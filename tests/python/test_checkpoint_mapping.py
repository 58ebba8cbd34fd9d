"""A checkpoint decides what the mapper may emit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap

pytest.importorskip("safetensors", reason="the fixtures are written with safetensors and numpy")

from tests.python import model_files as files
from tests.python.model_files import build

AWQ = {"quant_method": "awq", "bits": 4, "group_size": 32}
DENSE = dict(files.CONFIG)
EXPERTS = {**files.CONFIG, "num_local_experts": 8, "num_experts_per_tok": 2}


def codes(mapping: quantmap.Mapping) -> set[str]:
    """The codes of what a mapping tells."""
    return {item.code for item in mapping.diagnostics}


@pytest.mark.parametrize(
    "runtime", ["vllm", "sglang", "tensorrt_llm", "vllm@0.11.0", "sglang@0.5.6"]
)
def test_as_model_quantization(runtime: str, tmp_path: Path) -> None:
    """A path, its text, a config and what was inspected decide as the method's name does."""
    folder = build(tmp_path, files.awq, AWQ)
    config = {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e4m3"}
    expected = quantmap.get_runtime_args(runtime, config, None, "awq")
    inspected = quantmap.inspect_checkpoint(folder)
    quantized = {**files.CONFIG, "quantization_config": AWQ}
    for checkpoint in (folder, str(folder), AWQ, quantized, inspected):
        assert quantmap.get_runtime_args(runtime, config, checkpoint=checkpoint) == expected
        mapping = quantmap.explain(runtime, config, checkpoint=checkpoint)
        assert mapping.checkpoint == "awq"
        assert "checkpoint-not-given" not in codes(mapping)


def test_inspected_is_not_read_again(tmp_path: Path) -> None:
    folder = build(tmp_path, files.awq, AWQ)
    inspected = quantmap.inspect_checkpoint(folder)
    for file in folder.iterdir():
        file.unlink()
    assert quantmap.explain("vllm", None, checkpoint=inspected).checkpoint == "awq"


def test_modelopt_is_what_its_algorithm_says() -> None:
    for algorithm, kind in (
        ("NVFP4", "nvfp4"),
        ("FP8", "modelopt_fp8"),
        ("MIXED_PRECISION", "other"),
    ):
        config = {"quant_method": "modelopt", "quant_algo": algorithm}
        assert quantmap.explain("vllm@0.17.0", None, checkpoint=config).checkpoint == kind


@pytest.mark.parametrize(
    "runtime", ["vllm", "sglang", "tensorrt_llm", "sglang@0.5.6", "vllm@0.23.0"]
)
def test_dense_model_has_no_use_for_experts(runtime: str) -> None:
    config = {"gemm_dtype": "bfloat16", "moe_dtype": "fp8"}
    mapping = quantmap.explain(runtime, config, checkpoint=DENSE)
    assert mapping.args == quantmap.explain(runtime, {"gemm_dtype": "bfloat16"}).args
    moe = next(item for item in mapping.decisions if item.field == "moe_dtype")
    assert (moe.asked, moe.outcome, moe.code, moe.emitted) == ("fp8", "ignored", "dense-model", {})
    assert mapping.config["moe_dtype"] == "fp8"
    notes = [item for item in mapping.diagnostics if item.code == "dense-model"]
    assert [(item.severity, item.path) for item in notes] == [("info", "$.moe_dtype")]
    assert "dense-model" not in codes(quantmap.explain(runtime, config, checkpoint=EXPERTS))
    quiet = quantmap.explain(runtime, {"gemm_dtype": "bfloat16"}, checkpoint=DENSE)
    assert "dense-model" not in codes(quiet)


def test_dense_model_in_the_unified_form() -> None:
    config = {
        "moe": {"runner_backend": "flashinfer_mxfp4", "expert_parallel_size": 2},
        "dtype": "bfloat16",
    }
    mapping = quantmap.explain("sglang@0.5.6", config, checkpoint=DENSE)
    assert mapping.args == quantmap.explain("sglang@0.5.6", {"dtype": "bfloat16"}).args
    assert {item.path for item in mapping.diagnostics if item.code == "dense-model"} == {
        "$.moe.runner_backend",
        "$.moe.expert_parallel_size",
    }
    strict = {"engine_version": "0.5.6", "policy": "strict"}
    assert quantmap.explain("sglang", config, checkpoint=DENSE, **strict).args == mapping.args


def test_files_count_more_than_the_caller() -> None:
    fp8: dict[str, Any] = {"quant_method": "fp8"}
    mapping = quantmap.explain("vllm@0.11.0", None, None, "awq", checkpoint=fp8)
    assert mapping.checkpoint == "fp8"
    told = [item for item in mapping.diagnostics if item.code == "checkpoint-differs"]
    assert len(told) == 1 and "AWQ" in told[0].message and "FP8" in told[0].message
    same = quantmap.explain("vllm@0.11.0", None, None, "fp8", checkpoint=fp8)
    assert "checkpoint-differs" not in codes(same)


def test_the_caller_counts_more_than_a_name() -> None:
    mapping = quantmap.explain("vllm@0.11.0", None, None, "awq", checkpoint="org/Model-FP8")
    assert mapping.checkpoint == "awq" and "checkpoint-differs" not in codes(mapping)
    mapping = quantmap.explain("vllm@0.11.0", None, checkpoint="org/Model-FP8")
    assert mapping.checkpoint == "fp8" and "only-a-name" in codes(mapping)


def test_what_files_say_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = build(tmp_path, files.whole, {"quant_method": "fp8"})
    quantmap.get_runtime_args("vllm", None, checkpoint=folder)
    assert any("disagree about weights" in record.message for record in caplog.records)


def test_what_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for checkpoint, code in ((tmp_path / "no", "unreadable-file"), (3, "wrong-type")):
        with pytest.raises(quantmap.ConfigError) as caught:
            quantmap.get_runtime_args("vllm", None, checkpoint=checkpoint)  # type: ignore[arg-type]
        found = [(item.code, item.path) for item in caught.value.diagnostics]
        assert found == [(code, "checkpoint")]
