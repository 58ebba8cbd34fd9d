"""What is served where: facts of the model reach every rule, in every verb."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core

MLA = {
    "architectures": ["DeepseekV3ForCausalLM"],
    "model_type": "deepseek_v3",
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "num_key_value_heads": 128,
    "vocab_size": 129280,
    "torch_dtype": "bfloat16",
    "q_lora_rank": 1536,
    "kv_lora_rank": 512,
    "qk_nope_head_dim": 128,
    "qk_rope_head_dim": 64,
    "v_head_dim": 128,
    "n_routed_experts": 256,
    "num_experts_per_tok": 8,
    "moe_intermediate_size": 2048,
    "first_k_dense_replace": 3,
}
DENSE = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "torch_dtype": "bfloat16",
}
SINKS = {
    "architectures": ["GptOssForCausalLM"],
    "model_type": "gpt_oss",
    "hidden_size": 2880,
    "intermediate_size": 2880,
    "num_hidden_layers": 4,
    "num_attention_heads": 64,
    "num_key_value_heads": 8,
    "head_dim": 64,
    "num_local_experts": 32,
    "num_experts_per_tok": 4,
    "vocab_size": 201088,
    "torch_dtype": "bfloat16",
    "quantization_config": {"quant_method": "mxfp4"},
}
FP8_BLOCK = {"quant_method": "fp8", "weight_block_size": [128, 128]}
AWQ = {"quant_method": "awq", "bits": 4, "group_size": 128}
NVFP4 = {"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}
MODELOPT_FP8 = {"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}


def quantized(config: dict[str, Any], section: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**config, "quantization_config": section, **more}


def packed(bits: int, kind: str, activations: dict[str, Any] | None = None) -> dict[str, Any]:
    weights = {"num_bits": bits, "type": kind, "strategy": "group", "group_size": 128}
    group: dict[str, Any] = {"targets": ["Linear"], "weights": weights}
    if activations is not None:
        group["input_activations"] = activations
    return {"quant_method": "compressed-tensors", "config_groups": {"group_0": group}}


def args(engine: str, config: dict[str, Any], **ground: Any) -> dict[str, Any]:
    return dict(quantmap.explain(engine, config, **ground).args)


# ------------------------------------------------- the model's own dtype and KV cache


def test_a_16_bit_kv_cache_follows_the_models_own_dtype() -> None:
    half = quantized(DENSE, AWQ, torch_dtype="float16")
    asked = {"kvcache_dtype": "bfloat16"}
    assert args("vllm@0.33.0", asked, checkpoint=half, gpu="H100")["--kv-cache-dtype"] == "auto"
    full = args("vllm@0.33.0", asked, checkpoint=DENSE, gpu="H100")
    assert full["--kv-cache-dtype"] == "bfloat16"


def test_a_declared_kv_cache_is_what_auto_means() -> None:
    model = quantized(DENSE, MODELOPT_FP8)
    mapping = quantmap.explain("vllm@0.33.0", {}, checkpoint=model, gpu="H100")
    assert mapping.precision["kv"].startswith("FP8")
    assert mapping.precision["attention"] == "FP8 attention compute"
    plain = quantmap.explain("vllm@0.33.0", {}, checkpoint=DENSE, gpu="H100")
    assert plain.precision["kv"].startswith("16-bit")


def test_a_declared_kv_cache_gives_way_where_the_gpu_has_none() -> None:
    model = quantized(DENSE, NVFP4)
    found = args("vllm@0.33.0", {}, checkpoint=model, gpu="T4")
    assert found["--kv-cache-dtype"] == "float16"


@pytest.mark.parametrize("word", ["float", "float32"])
def test_aliases_of_a_value_meet_the_same_rules(word: str) -> None:
    line = f"vllm serve m --dtype {word}"
    result = quantmap.check(line, engine_version="0.33.0", model_quantization="awq")
    assert result.verdicts[0].refused


def test_auto_is_bfloat16_where_the_gpu_has_none_before_0_9_1() -> None:
    line = "vllm serve m"
    for version, ok in (("0.6.3", False), ("0.9.2", True)):
        result = quantmap.check(line, engine_version=version, gpu="T4", checkpoint=DENSE)
        assert result.ok is ok
    assert (
        "bfloat16"
        in quantmap.check(line, engine_version="0.6.3", gpu="T4", checkpoint=DENSE)
        .refusals[0]
        .message
    )


def test_a_launch_that_the_checkpoint_makes_impossible_cannot_be_served() -> None:
    """This release takes the KV cache from the checkpoint whatever is said."""
    eight = {"num_bits": 8, "type": "float"}
    section = {**packed(8, "float", eight), "kv_cache_scheme": eight}
    model = quantized({**SINKS, "quantization_config": None}, section)
    for gpu, served in (("A100", False), ("H100", True)):
        for config in ({}, {"kvcache_dtype": "bfloat16", "gemm_dtype": "bfloat16"}):
            mapping = quantmap.explain("vllm@0.20.0", config, checkpoint=model, gpu=gpu)
            assert bool(mapping.args) is served
            assert {d.outcome == "cannot-serve" for d in mapping.decisions} == {not served}
        result = quantmap.check("vllm serve m", engine_version="0.20.0", gpu=gpu, checkpoint=model)
        assert result.ok is served


def test_a_dtype_is_set_where_the_checkpoints_own_is_refused() -> None:
    model = {**SINKS, "torch_dtype": "float16"}
    found = args("vllm@0.33.0", {}, checkpoint=model, gpu="H100")
    assert found["--dtype"] == "bfloat16"


# ------------------------------------------------------------ every spelling of a target


@pytest.mark.parametrize(
    "words",
    [
        "--attention-backend FLASHMLA",
        "--attention-backend flashmla",
        '--attention-config \'{"backend": "FLASHMLA"}\'',
        '-ac \'{"backend": "FLASHMLA"}\'',
        "--attention-config.backend FLASHMLA",
        "--attention_config.backend=FLASHMLA",
    ],
)
def test_every_spelling_of_a_backend_meets_the_same_judgement(words: str) -> None:
    for model, ok in ((DENSE, False), (MLA, True)):
        line = f"vllm serve m {words}"
        result = quantmap.check(line, engine_version="0.33.0", gpu="H100", checkpoint=model)
        assert result.ok is ok
        if not ok:
            assert "FLASHMLA is not valid here" in result.verdicts[0].reason


def test_each_part_of_a_launch_is_judged() -> None:
    ground: dict[str, Any] = {"engine_version": "0.5.23", "gpu": "H100", "checkpoint": DENSE}
    start = "python -m sglang.launch_server --model m"
    whole = quantmap.check(f"{start} --attention-backend trtllm_mla", **ground)
    reason = next(v.reason for v in whole.verdicts if v.refused)
    for part in ("prefill", "decode"):
        result = quantmap.check(f"{start} --{part}-attention-backend trtllm_mla", **ground)
        assert [v.reason for v in result.verdicts if v.refused] == [reason]
        assert part in next(v.argument for v in result.verdicts if v.refused)
    both = f"{start} --prefill-attention-backend fa3 --decode-attention-backend triton"
    assert quantmap.check(both, **ground).ok


# --------------------------------------------------------------- attention kinds, sinks


@pytest.mark.parametrize("backend", ["fa3", "flashinfer", "triton"])
@pytest.mark.parametrize("version", ["0.11.0", "0.20.0", "0.33.0"])
def test_mla_models_get_no_backend_of_heads(backend: str, version: str) -> None:
    mapping = quantmap.explain(
        f"vllm@{version}", {"attention": {"backend": backend}}, checkpoint=MLA, gpu="H100"
    )
    assert "--attention-backend" not in mapping.args and not mapping.env


def test_mla_models_on_ampere_keep_a_16_bit_kv_cache() -> None:
    found = args("vllm@0.33.0", {"kvcache_dtype": "fp8"}, checkpoint=MLA, gpu="A100")
    assert found["--kv-cache-dtype"] == "auto"
    found = args("vllm@0.33.0", {"kvcache_dtype": "fp8"}, checkpoint=MLA, gpu="H100")
    assert found["--kv-cache-dtype"] == "fp8"


def test_mla_models_have_no_integer_kv_cache_and_no_32_bit_compute() -> None:
    asked = {"kvcache_dtype": "int8", "gemm_dtype": "float32"}
    found = args("vllm@0.33.0", asked, checkpoint=MLA, gpu="H100")
    assert found["--kv-cache-dtype"] == "auto" and found["--dtype"] != "float32"


def test_sinks_decide_backend_and_kv_cache() -> None:
    asked = {"kv_cache": {"dtype": "fp8_e4m3"}, "attention": {"backend": "flashinfer"}}
    found = args("vllm@0.33.0", asked, checkpoint=SINKS, gpu="A100")
    assert found["--kv-cache-dtype"] == "auto" and "--attention-backend" not in found
    result = quantmap.check(
        "vllm serve openai/gpt-oss-20b --attention-backend FLASHINFER",
        engine_version="0.33.0",
        gpu="A100",
    )
    assert not result.ok and "sinks" in result.verdicts[0].reason


# ------------------------------------------------------------- schemes, methods, loaders


def test_a_scheme_is_what_the_checkpoint_holds() -> None:
    line = "vllm serve m"
    w4a16 = quantized(DENSE, packed(4, "int"))
    assert not quantmap.check(line, engine_version="0.10.2", gpu="T4", checkpoint=w4a16).ok
    assert quantmap.check(line, engine_version="0.12.0", gpu="T4", checkpoint=w4a16).ok
    fp8 = {"num_bits": 8, "type": "float", "dynamic": True, "strategy": "token"}
    w4afp8 = quantized(DENSE, packed(4, "int", fp8))
    assert not quantmap.check(line, engine_version="0.15.1", gpu="B200", checkpoint=w4afp8).ok
    assert quantmap.check(line, engine_version="0.15.1", gpu="H100", checkpoint=w4afp8).ok


def test_a_section_is_read_by_what_it_holds() -> None:
    mapping = quantmap.explain("vllm@0.33.0", {}, model_quantization=NVFP4)
    assert mapping.checkpoint == "nvfp4"
    mapping = quantmap.explain("vllm@0.33.0", {}, model_quantization=MODELOPT_FP8)
    assert mapping.checkpoint == "modelopt_fp8"


@pytest.mark.parametrize("method", ["inc", "quark", "fp8", "nvfp4_per_token", "torchao"])
def test_every_other_method_contradicts_an_awq_checkpoint(method: str) -> None:
    line = f"vllm serve m --quantization {method}"
    result = quantmap.check(line, engine_version="0.33.0", model_quantization="awq")
    assert result.verdicts[0].verdict == "refused-at-start"


def test_a_method_of_modelopt_is_replaced_in_silence() -> None:
    line = "vllm serve m --quantization mxfp4"
    result = quantmap.check(line, engine_version="0.17.0", model_quantization=NVFP4)
    assert result.verdicts[0].verdict == "no-effect" and result.ok
    result = quantmap.check(line, engine_version="0.9.2", model_quantization=NVFP4)
    assert result.verdicts[0].refused or result.verdicts[0].verdict == "value-not-accepted"


def test_sglang_is_told_what_it_would_take_for_fp8() -> None:
    model = quantized(DENSE, NVFP4)
    for version, told in (("0.5.6", True), ("0.5.9", True), ("0.5.10", False)):
        found = args(f"sglang@{version}", {}, checkpoint=model, gpu="B200")
        assert found.get("--quantization") == ("modelopt_fp4" if told else None)


# ------------------------------------------------------------------------------- shapes


def test_a_size_that_does_not_divide_is_refused_with_those_that_do() -> None:
    model = quantized(MLA, FP8_BLOCK)
    result = quantmap.check(
        "vllm serve m -tp 32", engine_version="0.20.0", gpu="H100", checkpoint=model
    )
    (verdict,) = result.verdicts
    assert verdict.verdict == "refused-at-start"
    assert "18432" in verdict.reason and "576" in verdict.reason and "128" in verdict.reason
    assert verdict.hint.startswith("use tensor parallelism of 1, 2, 4, 8, 16")


def test_spreading_experts_is_named_where_it_helps() -> None:
    model = quantized(MLA, FP8_BLOCK, moe_intermediate_size=1536, intermediate_size=24576)
    ground = {"engine_version": "0.8.5", "gpu": "H100", "checkpoint": model}
    refused = quantmap.check("vllm serve m -tp 8", **ground)
    assert "--enable-expert-parallel" in refused.verdicts[0].hint
    assert quantmap.check("vllm serve m -tp 8 --enable-expert-parallel", **ground).ok


def test_groups_divide_rows() -> None:
    model = quantized(DENSE, AWQ, intermediate_size=29568, hidden_size=8192)
    result = quantmap.check(
        "vllm serve m -tp 2", engine_version="0.7.2", gpu="A100", checkpoint=model
    )
    assert not result.ok and "14784" in result.verdicts[0].reason


def test_kv_heads_are_copied_as_often_as_gpus_go_into_them() -> None:
    """With more GPUs than KV heads each head is on as many of them as any other."""
    model = dict(DENSE, num_attention_heads=24, num_key_value_heads=4, intermediate_size=12288)
    for line in ("vllm serve m -tp", "python -m sglang.launch_server --model-path m --tp-size"):
        for tp, fits in ((2, True), (4, True), (6, False), (8, True), (12, True)):
            verdict = quantmap.check(f"{line} {tp}", gpu="H100", checkpoint=model).verdicts[-1]
            assert verdict.refused is not fits, (line, tp)
            assert fits or verdict.reason == "4 KV heads over 6 GPUs do not divide evenly"


def test_what_is_a_matter_of_division_is_none_on_one_gpu() -> None:
    """Rows of 192 are no multiple of the block's 128: that counts where they are divided."""
    section = {**FP8_BLOCK, "weight_block_size": [64, 128]}
    heads = {"num_attention_heads": 3, "num_key_value_heads": 3, "hidden_size": 192}
    model = quantized(DENSE, section, **heads, intermediate_size=384, head_dim=64)
    for line in ("vllm serve m -tp", "python -m sglang.launch_server --model-path m --tp-size"):
        for tp in (1, 3):
            result = quantmap.check(f"{line} {tp}", gpu="H100", checkpoint=model)
            assert result.ok is (tp == 1), (line, tp)
            told = [verdict.reason for verdict in result.verdicts if verdict.refused]
            assert tp == 1 or told == ["192 attention rows over 3 GPUs are 64, no multiple of 128"]


def test_a_mapping_reports_sizes_as_well() -> None:
    config = {"quantization": {"method": "none"}, "parallelism": {"tensor_parallel_size": 7}}
    mapping = quantmap.explain("vllm@0.33.0", config, checkpoint=DENSE, gpu="H100")
    (problem,) = [d for d in mapping.diagnostics if d.code == "size-does-not-go"][:1]
    assert problem.severity == "error" and "32 attention heads" in problem.message
    with pytest.raises(quantmap.ConfigError):
        quantmap.explain("vllm@0.33.0", config, checkpoint=DENSE, gpu="H100", policy="strict")


# ------------------------------------------------------------------------ which model it is


def test_well_known_models_are_known_by_exact_id() -> None:
    info = quantmap.inspect_checkpoint("deepseek-ai/DeepSeek-R1")
    assert info.evidence == "catalog" and info.quantization.kind == "fp8"
    assert info.architecture is not None and info.architecture.mla is not None
    assert quantmap.inspect_checkpoint("Qwen/Qwen3-32B-AWQ").quantization.kind == "awq"
    assert quantmap.inspect_checkpoint("org/unheard-of").evidence == "name"


def test_a_line_names_its_model() -> None:
    line = "vllm serve deepseek-ai/DeepSeek-R1 --kv-cache-dtype fp8"
    result = quantmap.check(line, engine_version="0.33.0", gpu="A100")
    assert result.checkpoint == "fp8" and not result.ok
    assert any(note.code == "known-model" for note in result.notes)


def test_a_suggestive_name_is_only_assumed() -> None:
    line = "vllm serve org/Some-Model-AWQ --quantization fp8"
    result = quantmap.check(line, engine_version="0.33.0")
    assert result.verdicts[0].verdict == "assumed" and result.ok
    assert "name says AWQ" in result.verdicts[0].reason


def test_a_checkpoint_given_wins_over_the_name() -> None:
    line = "vllm serve deepseek-ai/DeepSeek-R1"
    result = quantmap.check(line, engine_version="0.33.0", checkpoint=DENSE)
    assert result.checkpoint == "unquantized"
    assert [note.code for note in result.notes if note.code == "model-differs"]


def test_a_local_folder_and_the_local_cache_are_read(
    tmp_path: Path, run_python: Any = None
) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(quantized(DENSE, AWQ)))
    result = quantmap.check(f"vllm serve {folder} --quantization fp8", engine_version="0.33.0")
    assert result.checkpoint == "awq" and not result.ok


def test_a_config_file_of_any_name_is_read(tmp_path: Path) -> None:
    path = tmp_path / "other.json"
    path.write_text(json.dumps(quantized(DENSE, AWQ)))
    assert quantmap.inspect_checkpoint(path).quantization.kind == "awq"


def test_what_was_not_looked_at_is_in_every_result() -> None:
    result = quantmap.check("vllm serve m", engine_version="0.33.0")
    assert {give for _, give in result.not_looked_at} == {"gpu", "checkpoint"}
    full = quantmap.check("vllm serve m", engine_version="0.33.0", gpu="H100", checkpoint=DENSE)
    assert full.not_looked_at == []
    mapping = quantmap.explain("sglang@0.5.23", {})
    assert {give for _, give in mapping.not_looked_at} == {"gpu", "checkpoint"}
    assert mapping.to_dict()["not_looked_at"][0].keys() == {"what", "give"}


def test_diff_takes_a_checkpoint() -> None:
    changes = quantmap.diff(
        {"kvcache_dtype": "fp8"}, "vllm", "0.9.0", "0.33.0", gpu="H100", checkpoint=MLA
    )
    assert changes["arguments"]["--kv-cache-dtype"] == ["auto", "fp8"]


def test_every_known_model_can_be_read() -> None:
    document = json.loads(
        (Path(__file__).parents[2] / "cpp/catalog/models.json").read_text(encoding="utf-8")
    )
    assert len(document["models"]) >= 120
    for model in document["models"]:
        info = quantmap.inspect_checkpoint(model["id"])
        assert info.evidence == ("name" if "assumed" in model else "catalog"), model["id"]
        assert info.architecture is not None and info.architecture.hidden > 0, model["id"]
        assert not [note for note in info.notes if note.severity == "warning"], model["id"]
    assert _core.default_gpu == ""
