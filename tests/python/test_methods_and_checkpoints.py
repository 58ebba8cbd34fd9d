"""Methods named for checkpoints that have another, or none: what each engine says at start-up."""

from __future__ import annotations

import pytest
import quantmap

LINES = {
    "vllm": "vllm serve org/model --quantization {}",
    "sglang": "python3 -m sglang.launch_server --model-path org/model --quantization {}",
}
CASES = [
    # engine, release, checkpoint, method, refused
    *(("vllm", "0.11.0", "none", method, True) for method in ("awq", "gptq_marlin", "modelopt")),
    *(("vllm", "0.33.0", "none", method, True) for method in ("awq", "gptq", "auto_gptq")),
    *(("vllm", "0.33.0", "none", method, False) for method in ("fp8", "fp8_per_tensor")),
    *(("vllm", "0.11.0", "awq", method, False) for method in ("awq", "awq_marlin", "moe_wna16")),
    *(("vllm", "0.11.0", "awq", method, True) for method in ("gptq", "fp8", "bitsandbytes")),
    *(("vllm", "0.11.0", "gptq", method, True) for method in ("awq", "awq_marlin", "fp8")),
    *(("vllm", "0.11.0", "gptq", method, False) for method in ("gptq", "gptq_marlin")),
    *(("vllm", "0.33.0", "fp8", method, True) for method in ("awq", "gptq", "fp8_per_tensor")),
    ("vllm", "0.33.0", "fp8", "fp8", False),
    ("vllm", "0.33.0", "compressed-tensors", "fp8_per_block", True),
    ("vllm", "0.19.0", "mxfp4", "fp8", True),
    ("vllm", "0.20.0", "mxfp4", "fp8", False),  # the checkpoint's own method takes over
    ("sglang", "0.5.9", "none", "awq", True),
    ("sglang", "0.5.9", "awq", "awq_marlin", False),
    ("sglang", "0.5.9", "awq", "gptq", True),
]


@pytest.mark.parametrize(("engine", "version", "checkpoint", "method", "refused"), CASES)
def test_a_method_against_a_checkpoint(
    engine: str, version: str, checkpoint: str, method: str, refused: bool
) -> None:
    line = LINES[engine].format(method)
    found = quantmap.check(line, engine_version=version, model_quantization=checkpoint)
    verdicts = {item.argument: item for item in found.verdicts}
    verdict = verdicts["--quantization"]
    assert verdict.refused is refused, verdict.reason
    if refused:
        assert verdict.verdict == "refused-at-start" and verdict.evidence
        with pytest.raises(quantmap.ConfigError, match="checkpoint"):
            quantmap.explain(
                f"{engine}@{version}", {}, {"quantization": method}, checkpoint, policy="strict"
            )


MODELOPT = {"quant_method": "modelopt", "quant_algo": "NVFP4"}


@pytest.mark.parametrize(
    ("engine", "version", "method"),
    [
        ("vllm", "0.33.0", "fp_quant"),  # not even in the registry
        ("vllm", "0.11.0", "gptq"),  # which takes no bfloat16 model
        ("sglang", "0.5.23", "mlx_q4"),  # registered on Apple machines only
        ("sglang", "0.5.23", "gptq"),
    ],
)
def test_what_the_engine_replaces_is_not_looked_at(engine: str, version: str, method: str) -> None:
    line = LINES[engine].format(method)
    ground = {"engine_version": version, "gpu": "B200", "model_quantization": MODELOPT}
    verdict = quantmap.check(line, **ground).verdicts[-1]
    assert (verdict.argument, verdict.verdict) == ("--quantization", "no-effect"), verdict.reason
    assert "the checkpoint's own method" in verdict.reason
    mapping = quantmap.explain(
        f"{engine}@{version}", {}, {"quantization": method}, MODELOPT, gpu="B200"
    )
    assert not [d for d in mapping.diagnostics if d.severity == "error"]
    assert "NVFP4" in mapping.precision["gemm"]


def test_what_a_line_says_of_two_flags_is_told_also_where_one_is_replaced() -> None:
    line = LINES["sglang"].format("gptq_marlin") + " --moe-runner-backend flashinfer_trtllm"
    found = quantmap.check(line, engine_version="0.5.23", gpu="B200", model_quantization=MODELOPT)
    assert any("flashinfer_trtllm takes" in verdict.reason for verdict in found.verdicts)
    assert not found.ok
