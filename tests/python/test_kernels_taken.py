"""Which kernels a release takes by itself: named where its sources say, else left out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_deployment import DENSE, MLA, SINKS

GPT_OSS: dict[str, Any] = {
    **DENSE,
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "quantization_config": {"quant_method": "mxfp4"},
}
MIXTRAL = {**DENSE, "architectures": ["MixtralForCausalLM"], "model_type": "mixtral"}


def named(version: str, gpu: str, model: dict[str, Any], **parameters: str) -> str:
    mapping = quantmap.explain(f"sglang@{version}", {}, parameters, gpu=gpu, checkpoint=model)
    return mapping.precision.get("backend", "").partition(",")[0]


@pytest.mark.parametrize(
    ("version", "gpu", "model", "backend"),
    [
        ("0.5.23", "A100", DENSE, "flashinfer"),
        ("0.5.23", "H100", DENSE, "fa3"),
        ("0.5.23", "B200", DENSE, "trtllm_mha"),
        ("0.5.23", "RTX 5090", DENSE, "flashinfer"),
        ("0.5.6", "B200", DENSE, "flashinfer"),
        ("0.5.6.post1", "RTX 5090", DENSE, "trtllm_mha"),  # whatever the kernels are for
        ("0.5.6", "H100", MIXTRAL, "flashinfer"),  # not among the models that got fa3 then
        ("0.5.8", "H100", MIXTRAL, "fa3"),
        ("0.4.4", "H100", DENSE, "flashinfer"),
        ("0.5.23", "H100", MLA, "fa3"),
        ("0.5.23", "B200", MLA, "trtllm_mla"),
        ("0.5.1", "B200", MLA, "flashinfer"),
        ("0.5.23", "A100", MLA, "triton"),
        ("0.5.23", "A100", GPT_OSS, "triton"),
        ("0.5.23", "H100", GPT_OSS, "fa3"),
        ("0.5.23", "B200", GPT_OSS, "trtllm_mha"),
    ],
)
def test_the_attention_backend_of_sglang(
    version: str, gpu: str, model: dict[str, Any], backend: str
) -> None:
    assert named(version, gpu, model) == backend


def test_sglangs_typed_choices_are_what_its_functions_choose() -> None:
    """Rows that were read by hand, against the function of each release, followed as text."""
    root = Path(__file__).resolve().parents[2] / "cpp/catalog/engines/sglang"
    tables = json.loads((root / "kernels.json").read_text())
    models = {
        "heads": {**DENSE, "architectures": ["SomeForCausalLM"], "model_type": "some"},
        "heads_named": DENSE,
        "mla": {**MLA, "architectures": ["SomeForCausalLM"], "model_type": "some"},
    }
    order, compared = tables["releases"], 0
    for kind, intervals in tables["attention_taken"].items():
        for interval in intervals:
            end = order.index(interval["until"]) if "until" in interval else len(order)
            for version in (order[order.index(interval["since"])], order[end - 1]):
                for row in interval["takes"]:
                    for gpu in row["gpus"]:
                        found = named(version, gpu, models[kind])
                        assert found in ("", row["order"][0]), (version, gpu, kind)
                        compared += bool(found)
    assert compared > 150


def test_fa3_gives_way_to_triton_for_e5m2() -> None:
    assert named("0.5.23", "H100", DENSE, kv_cache_dtype="fp8_e5m2") == "triton"
    given = {"kv_cache_dtype": "fp8_e5m2", "attention_backend": "fa3"}
    assert named("0.5.23", "H100", DENSE, **given) == "triton"
    assert named("0.5.23", "H100", DENSE, attention_backend="flashinfer") == "flashinfer"


def test_what_is_not_known_is_not_named() -> None:
    assert named("0.5.23", "H100", {**DENSE, "architectures": ["MiMoV2ForCausalLM"]}) == ""
    assert "backend" not in quantmap.explain("sglang@0.5.23", {}, checkpoint=DENSE).precision
    assert "backend" not in quantmap.explain("sglang@0.5.23", {}, gpu="H100").precision


@pytest.mark.parametrize(
    ("version", "gpu", "backend"),
    [("0.5.6", "A100", "triton_kernel"), ("0.5.23", "B200", "flashinfer_mxfp4"),
     ("0.5.12", "RTX 5090", "triton_kernel"), ("0.5.15", "RTX 5090", "marlin")],
)  # fmt: skip
def test_the_experts_backend_of_gpt_oss(version: str, gpu: str, backend: str) -> None:
    mapping = quantmap.explain(f"sglang@{version}", {}, gpu=gpu, checkpoint=GPT_OSS)
    assert mapping.precision["experts_backend"] == f"{backend}, the choice of SGLang {version}"


def told(version: str, gpu: str, model: dict[str, Any], key: str, **parameters: str) -> str:
    mapping = quantmap.explain(f"vllm@{version}", {}, parameters, gpu=gpu, checkpoint=model)
    return mapping.precision.get(key, "").partition(",")[0]


BLOCK = {"quant_method": "fp8", "activation_scheme": "dynamic", "weight_block_size": [128, 128]}
EXPERTS = {
    **DENSE, "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe",
    "num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 768,
}  # fmt: skip
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": False, "sym": True}


@pytest.mark.parametrize(
    ("version", "gpu", "scheme", "backend"),
    [
        ("0.33.0", "A100", BLOCK, "MARLIN"),
        ("0.33.0", "H100", BLOCK, "TRITON"),
        ("0.13.0", "H100", BLOCK, "DEEPGEMM"),
        ("0.33.0", "B200", BLOCK, "FLASHINFER_TRTLLM"),
        ("0.33.0", "H100", None, "TRITON"),
        ("0.33.0", "B200", None, "FlashInfer TRTLLM"),
    ],
)
def test_what_vllm_takes_for_experts(
    version: str, gpu: str, scheme: dict[str, Any] | None, backend: str
) -> None:
    model = {**EXPERTS, "quantization_config": scheme} if scheme else EXPERTS
    assert told(version, gpu, model, "experts_backend") == backend
    # What is named is no choice, and models without experts have none.
    if version == "0.33.0":
        assert told(version, gpu, model, "experts_backend", moe_backend="triton") == ""
    assert told(version, gpu, DENSE, "experts_backend") == ""


@pytest.mark.parametrize(
    ("version", "gpu", "scheme", "kernel"),
    [
        ("0.33.0", "A100", BLOCK, "MarlinFP8ScaledMMLinearKernel"),
        ("0.33.0", "H100", BLOCK, "FlashInferFp8DeepGEMMDynamicBlockScaledKernel"),
        ("0.33.0", "B200", BLOCK, "DeepGemmFp8BlockScaledMMKernel"),
        ("0.33.0", "H100", GPTQ, "MacheteLinearKernel"),
        ("0.10.0", "A100", GPTQ, "MarlinLinearKernel"),
        ("0.33.0", "A100", None, ""),
    ],
)
def test_what_vllm_takes_for_linear_layers(
    version: str, gpu: str, scheme: dict[str, Any] | None, kernel: str
) -> None:
    model = {**DENSE, "quantization_config": scheme} if scheme else DENSE
    assert told(version, gpu, model, "linear_kernel") == kernel


def test_what_no_kernel_takes_in_float32_ran_on_flex_attention_in_0_11_0() -> None:
    assert told("0.11.0", "A100", DENSE, "backend", dtype="float32") == "FLEX_ATTENTION"
    assert told("0.11.0", "A100", DENSE, "backend").startswith("FLASH_ATTN")


def test_vllms_cutlass_experts_are_for_compressed_tensors() -> None:
    fp8 = {**EXPERTS, "quantization_config": BLOCK}
    line = "vllm serve m --moe-backend cutlass"
    found = quantmap.check(line, engine_version="0.20.0", gpu="H100", checkpoint=fp8)
    assert [v.verdict for v in found.verdicts if v.refused] == ["refused-at-start"]
    plain = quantmap.check(line, engine_version="0.20.0", gpu="H100", checkpoint=DENSE)
    assert not [v for v in plain.verdicts if v.refused]


def test_fa3_with_e5m2_is_replaced_whatever_the_gpu() -> None:
    """The engine looks at the pair before it looks at the GPU, and only where it is the whole's."""
    line = "python -m sglang.launch_server --model-path m --kv-cache-dtype fp8_e5m2"
    for version, gpu in (("0.5.6", "B200"), ("0.5.23", "RTX 5090"), ("0.4.6", "A100")):

        def check(flag: str, version: str = version, gpu: str = gpu) -> list[str]:
            found = quantmap.check(
                f"{line} {flag} fa3", engine_version=version, gpu=gpu, checkpoint=DENSE
            )
            return [v.verdict for v in found.verdicts if v.value == "fa3"]

        assert check("--attention-backend") == ["no-effect"]
    found = quantmap.check(
        f"{line} --prefill-attention-backend fa3",
        engine_version="0.5.6", gpu="B200", checkpoint=DENSE,
    )  # fmt: skip
    assert [v.verdict for v in found.verdicts if v.value == "fa3"] == ["refused-at-start"]


def test_a_parameter_may_set_what_the_model_alone_is_refused_for() -> None:
    """The file's own method needs a newer GPU; the one that a parameter names does not."""
    weights = {"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": True}
    section = {
        "quant_method": "compressed-tensors", "format": "float-quantized", "ignore": ["lm_head"],
        "config_groups": {"group_0": {
            "targets": ["Linear"], "weights": weights,
            "input_activations": {**weights, "strategy": "token", "dynamic": True}}},
    }  # fmt: skip
    model = {**DENSE, "quantization_config": section}

    def errors(parameters: dict[str, str]) -> list[str]:
        mapping = quantmap.explain("sglang@0.5.23", {}, parameters, gpu="T4", checkpoint=model)
        return [d.code for d in mapping.diagnostics if d.severity == "error"]

    assert errors({}) == ["cannot-serve"] == errors({"dtype": "float16"})
    assert errors({"quantization": "w8a8_int8"}) == []


def test_gptq_of_a_model_whose_method_sglang_names_on_blackwell() -> None:
    """The name in the file is taken as it stands: plain gptq, and later one that is not known."""
    model = {**EXPERTS, "torch_dtype": "bfloat16", "quantization_config": GPTQ}

    def check(version: str, gpu: str, flags: str = "") -> bool:
        line = f"python -m sglang.launch_server --model-path m {flags}"
        return quantmap.check(line, engine_version=version, gpu=gpu, checkpoint=model).ok

    assert not check("0.5.23", "B200") and check("0.5.23", "H100")
    assert check("0.5.23", "B200", "--quantization gptq_marlin")
    assert not check("0.5.6", "B200") and check("0.5.6", "B200", "--dtype float16")


def test_gemma_is_not_served_in_float16() -> None:
    gemma = {**DENSE, "architectures": ["Gemma3ForCausalLM"], "model_type": "gemma3_text"}

    def verdicts(version: str) -> list[str]:
        line = "vllm serve m --dtype float16"
        found = quantmap.check(line, engine_version=version, gpu="A100", checkpoint=gemma)
        return [v.verdict for v in found.verdicts if v.refused]

    assert verdicts("0.33.0") == ["refused-at-start"] and verdicts("0.9.0") == []
    mapping = quantmap.explain(
        "vllm@0.33.0", {"gemm_dtype": "float16"}, gpu="A100", checkpoint=gemma
    )
    assert mapping.args.get("--dtype") != "float16"


def test_named_experts_of_a_quantization_config_in_its_long_form() -> None:
    short = '{"linear": "fp8_per_tensor"}'
    long = '{"linear": {"weight": "fp8_per_tensor_static"}}'
    found = []
    for config in (short, long):
        line = f"vllm serve m --quantization online --quantization-config '{config}'"
        result = quantmap.check(line, engine_version="0.33.0", gpu="H100", checkpoint=DENSE)
        assert result.ok
        parameters = {"quantization": "online", "quantization_config": config}
        mapping = quantmap.explain("vllm@0.33.0", {}, parameters, gpu="H100", checkpoint=DENSE)
        found.append(dict(mapping.precision))
    assert found[0] == found[1] and found[0]["gemm"].startswith("FP8")


def test_a_launch_that_starts_and_cannot_run_says_when() -> None:
    """What is compiled for no such GPU fails when the model runs: no start-up refuses it."""
    int8 = {
        "quant_method": "compressed-tensors", "format": "int-quantized", "ignore": ["lm_head"],
        "config_groups": {"group_0": {
            "targets": ["Linear"],
            "weights": {"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": True},
            "input_activations": {"num_bits": 8, "type": "int", "strategy": "token",
                                  "dynamic": True, "symmetric": True}}},
    }  # fmt: skip
    model = {**DENSE, "quantization_config": int8}
    mapping = quantmap.explain("vllm@0.33.0", {}, gpu="B200", checkpoint=model)
    assert [d.code for d in mapping.diagnostics if d.severity == "error"] == ["fails-later"]
    assert all(d.outcome == "cannot-serve" for d in mapping.decisions)
    found = quantmap.check("vllm serve m", engine_version="0.33.0", gpu="B200", checkpoint=model)
    assert [n.code for n in found.refusals] == ["fails-later"] and not found.ok
    assert found.refusals[0].hint == "choose another release, checkpoint or GPU"


def refused(version: str, gpu: str, model: dict[str, Any], kv: str) -> list[str]:
    line = f"vllm serve m --kv-cache-dtype {kv}"
    found = quantmap.check(line, engine_version=version, gpu=gpu, checkpoint=model)
    return [v.verdict for v in found.verdicts if v.refused]


def test_a_packed_kv_cache_leaves_the_outer_layers_alone() -> None:
    few = {**MLA, "num_hidden_layers": 2}  # nothing of it is left between the first and last two
    assert refused("0.33.0", "A100", MLA, "turboquant_4bit_nc") == ["refused-at-start"]
    assert refused("0.33.0", "A100", few, "turboquant_4bit_nc") == []
    assert refused("0.20.0", "A100", few, "turboquant_4bit_nc") == ["refused-at-start"]


def test_hopper_lets_any_fp8_pass_until_it_runs() -> None:
    for kv in ("fp8_ds_mla", "fp8_inc"):
        assert refused("0.13.0", "H100", DENSE, kv) == ["fails-later"]
        assert refused("0.13.0", "A100", DENSE, kv) == ["refused-at-start"]
        assert refused("0.33.0", "H100", DENSE, kv) == ["refused-at-start"]


def backend_verdict(version: str, gpu: str, model: dict[str, Any], line: str) -> quantmap.Verdict:
    found = quantmap.check(
        f"vllm serve m --attention-backend {line}",
        engine_version=version,
        gpu=gpu,
        checkpoint=model,
    )
    return found.verdicts[0]


def test_a_backend_without_attention_sinks_is_refused_to_a_model_that_has_them() -> None:
    flex = "FLEX_ATTENTION"
    assert backend_verdict("0.33.0", "A100", DENSE, flex).verdict == "accepted"
    verdict = backend_verdict("0.33.0", "A100", SINKS, flex)
    assert verdict.refused and "takes no attention sinks on sm80" in verdict.reason
    assert verdict.hint == "TRITON_ATTN"  # nor is another such one offered
    assert not backend_verdict("0.33.0", "A100", SINKS, verdict.hint).refused


@pytest.mark.parametrize(
    ("size", "taken"), [(32, True), (80, False), (96, True), (128, True), (288, False)]
)
def test_sizes_of_heads_go_by_the_steps_of_the_kernel(size: int, taken: bool) -> None:
    """This one takes every 32nd size from 32 to 256."""
    verdict = backend_verdict("0.20.0", "H100", {**DENSE, "head_dim": size}, "TREE_ATTN")
    assert verdict.refused is not taken
    assert taken or f"no heads of size {size}" in verdict.reason


@pytest.mark.parametrize(
    ("gpu", "model", "line"),
    [
        ("B200", DENSE, "FLASHINFER --kv-cache-dtype nvfp4"),  # that type may be taken
        ("H100", SINKS, "FLASHINFER"),  # that the model's sinks are is left open
    ],
)
def test_what_the_sources_leave_open_is_no_refusal(
    gpu: str, model: dict[str, Any], line: str
) -> None:
    verdict = backend_verdict("0.33.0", gpu, model, line)
    assert (verdict.verdict, verdict.refused) == ("assumed", False)
    assert "do not say that it is" in verdict.reason


def test_a_choice_that_rests_on_what_is_open_says_so() -> None:
    chosen = {
        name: quantmap.explain("vllm@0.33.0", {}, gpu="B200", checkpoint=model).precision["backend"]
        for name, model in (("plain", DENSE), ("sinks", SINKS))
    }
    assert chosen["plain"] == "FLASHINFER, the choice of vLLM 0.33.0"
    assert chosen["sinks"] == (
        "FLASHINFER or FLASH_ATTN, the choice of vLLM 0.33.0 as far as known"
    )


def test_what_no_gpu_takes_does_not_depend_on_the_gpu() -> None:
    """fp8_inc is for Gaudi: it is an error without a GPU as with one, and nothing of some GPUs."""
    given = {"kv-cache-dtype": "fp8_inc"}
    for gpu in (None, "H100"):
        mapping = quantmap.explain("vllm@0.33.0", {}, given, gpu=gpu, model_quantization="none")
        told = [d.code for d in mapping.diagnostics if "Gaudi" in d.message]
        assert told == ["refused-at-start"], gpu


def test_a_backend_of_experts_is_asked_of_the_group_that_quantizes_them() -> None:
    """Experts in NVFP4 beside attention in FP8: DeepGEMM has kernels for FP8 alone."""
    nvfp4 = {"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}
    fp8 = {"num_bits": 8, "type": "float", "strategy": "block", "block_structure": [128, 128]}
    given = {"num_bits": 8, "type": "float", "strategy": "group", "group_size": 128}

    def refused(of_experts: dict[str, Any], of_others: dict[str, Any]) -> bool:
        dynamic = {True: {**nvfp4, "dynamic": "local"}, False: {**given, "dynamic": True}}
        groups = {
            f"group_{number}": {
                "targets": [targets],
                "weights": {**weights, "symmetric": True, "dynamic": False},
                "input_activations": {**dynamic[weights is nvfp4], "symmetric": True},
            }
            for number, (targets, weights) in enumerate(
                (("re:.*experts.*", of_experts), ("re:.*self_attn.*", of_others))
            )
        }
        section = {
            "quant_method": "compressed-tensors",
            "format": "mixed-precision",
            "config_groups": groups,
            "ignore": ["lm_head"],
        }
        found = quantmap.check(
            "vllm serve m --moe-backend deep_gemm",
            engine_version="0.33.0",
            gpu="H100",
            checkpoint={**EXPERTS, "quantization_config": section},
        )
        return any("deep_gemm" in verdict.reason for verdict in found.verdicts if verdict.refused)

    assert refused(nvfp4, fp8)
    assert not refused(fp8, nvfp4)
