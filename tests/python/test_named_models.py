"""What a launch line says of its models: a GGUF file by its name, a draft, sizes of methods."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_own_method import LLAMA

FLOATS = {"num_bits": 8, "type": "float", "strategy": "channel"}


def refused(line: str, release: str, gpu: str = "H100", **more: Any) -> list[str]:
    """Return the reasons of what is refused, of the launch as a whole as well."""
    engine, _, version = release.partition("@")
    found = quantmap.check(line, engine=engine, engine_version=version, gpu=gpu, **more)
    return [str(v.reason) for v in found.verdicts if v.refused] + [
        note.message for note in found.refusals
    ]


@pytest.mark.parametrize(
    "named",
    ["models/any.gguf", "/srv/x/Q.GGUF", "https://h.co/a/b/resolve/main/x.gguf", "a/b-GGUF:Q4_K_M"],
)
def test_a_gguf_file_is_one_by_its_name(named: str) -> None:
    assert any("GGUF left" in reason for reason in refused(f"vllm serve {named}", "vllm@0.27.0"))
    reasons = refused(f"vllm serve {named} --dtype bfloat16", "vllm@0.13.0", "RTX 5090")
    assert any("float16 on Blackwell" in reason for reason in reasons)
    assert refused(f"vllm serve {named}", "vllm@0.13.0") == []


def test_a_type_behind_a_repository_is_read_from_0_12_on() -> None:
    for name, releases in (
        ("a/b:UD-Q4_K_XL", ("0.11.0", "0.12.0")),
        ("a/b:IQ2_XXS", ("0.10.0", "0.13.0")),
    ):
        old, new = releases
        assert any("named by its path" in r for r in refused(f"vllm serve {name}", f"vllm@{old}"))
        assert refused(f"vllm serve {name}", f"vllm@{new}") == []
    line = "python -m sglang.launch_server --model-path a/b:Q8_0"
    assert any("named by its path" in reason for reason in refused(line, "sglang@0.5.10"))


@pytest.mark.parametrize(
    "named", ["a/b:latest", "a/b/c:Q4_K_M", "b:Q4_K_M", "a/b:Q4", "a/b:", ":Q4_K_M", "gguf"]
)
def test_other_names_are_no_gguf(named: str) -> None:
    assert refused(f"vllm serve {named}", "vllm@0.27.0") == []


def test_a_draft_is_judged_by_its_own_files(tmp_path: Path) -> None:
    draft = {**LLAMA, "num_attention_heads": 6, "num_key_value_heads": 2, "hidden_size": 768}
    (tmp_path / "config.json").write_text(json.dumps(draft), encoding="utf-8")
    config = {"model": str(tmp_path), "num_speculative_tokens": 3, "method": "draft_model"}
    line = ["vllm", "serve", "any/model", "--speculative-config", json.dumps(config)]

    def said(**more: Any) -> str:
        words = [*line[:4], json.dumps({**config, **more}), "--tensor-parallel-size", "4"]
        found = quantmap.check(words, engine="vllm", engine_version="0.28.0", checkpoint=LLAMA)
        return str(next(v.reason for v in found.verdicts if v.argument == "--speculative-config"))

    assert said().startswith("the draft model, ") and "6 attention heads over 4 GPUs" in said()
    assert "heads" not in said(draft_tensor_parallel_size=1)


def test_what_is_assumed_of_a_draft_is_assumed() -> None:
    line = (
        "vllm serve m/x --tensor-parallel-size 2 --num-speculative-tokens 5"
        " --speculative-model Qwen/Qwen2.5-Coder-0.5B-Instruct-AWQ"
    )
    found = quantmap.check(
        line, engine="vllm", engine_version="0.6.4.post1", gpu="RTX 3090", checkpoint=LLAMA
    )
    verdict = next(v for v in found.verdicts if v.argument == "--speculative-model")
    assert verdict.verdict == "assumed" and "448" in str(verdict.reason)


def test_a_method_that_quantizes_while_loading_has_sizes() -> None:
    model = "vllm serve Qwen/Qwen3-30B-A3B --tensor-parallel-size"
    for line, release, gpu, share in (
        (f"{model} 32 --quantization mxfp8", "vllm@0.33.0", "B200", "24"),
        (f"{model} 4 --quantization fp8_per_block", "vllm@0.22.1", "H100", "192"),
        (f"{model} 8 --quantization fp8", "vllm@0.20.0", "RTX 3090", "96"),
    ):
        assert any(share in reason for reason in refused(line, release, gpu)), line
        assert refused(f"{line} --enable-expert-parallel", release, gpu) == []
    assert refused(f"{model} 8 --quantization fp8", "vllm@0.25.0", "RTX 3090") == []
    assert refused(f"{model} 8", "vllm@0.20.0", "RTX 3090") == []
    sglang = (
        "python -m sglang.launch_server --model-path Qwen/Qwen3-30B-A3B --quantization mxfp8 --tp"
    )
    assert any("24" in reason for reason in refused(f"{sglang} 32", "sglang@0.5.20", "B200"))
    assert refused(f"{sglang} 8", "sglang@0.5.20", "B200") == []


def quantized(ignore: list[str]) -> dict[str, Any]:
    group = {
        "targets": ["Linear"],
        "weights": {**FLOATS, "dynamic": False},
        "input_activations": FLOATS,
    }
    section = {"quant_method": "compressed-tensors", "format": "float-quantized", "ignore": ignore}
    return {
        **LLAMA,
        "intermediate_size": 10944,
        "quantization_config": {**section, "config_groups": {"group_0": group}},
    }


def test_sizes_of_modules_that_are_not_quantized_do_not_count() -> None:
    line = "vllm serve m/x --tensor-parallel-size 4"
    wide = refused(line, "vllm@0.20.0", "A100", checkpoint=quantized(["lm_head"]))
    assert any("2736" in reason for reason in wide)
    for ignore in ("re:.*mlp.*", "mlp.down_proj", "re:.*down_proj"):
        assert refused(line, "vllm@0.20.0", "A100", checkpoint=quantized([ignore])) == []
    first = quantized([f"model.layers.{i}.mlp.down_proj" for i in range(31)])
    assert any(
        "2736" in reason for reason in refused(line, "vllm@0.20.0", "A100", checkpoint=first)
    )


HEADS: dict[str, tuple[dict[str, Any], list[tuple[str, bool]]]] = {
    "auto-round": (
        {
            "quant_method": "auto-round",
            "bits": 4,
            "group_size": 128,
            "sym": True,
            "packing_format": "auto_round:auto_gptq",
            "extra_config": {"lm_head": {"bits": 4}},
        },
        [
            ("vllm@0.25.1", True),
            ("vllm@0.33.0", True),
            ("sglang@0.5.10", True),
            ("sglang@0.5.18", False),
        ],
    ),
}


@pytest.mark.parametrize("method", HEADS)
def test_a_quantized_output_layer_is_known_by_release(method: str) -> None:
    section, releases = HEADS[method]
    for release, no in releases:
        line = (
            "vllm serve m/x"
            if release.startswith("vllm")
            else "python -m sglang.launch_server --model-path m/x"
        )
        found = refused(line, release, checkpoint={**LLAMA, "quantization_config": section})
        assert any("lm_head" in reason for reason in found) == no, release
    kept = {**section, "ignore": ["lm_head"], "extra_config": {"lm_head": {"bits": 16}}}
    assert (
        refused("vllm serve m/x", "vllm@0.22.0", checkpoint={**LLAMA, "quantization_config": kept})
        == []
    )


PARAMS = {
    "dim": 5120,
    "n_layers": 40,
    "head_dim": 128,
    "hidden_dim": 32768,
    "n_heads": 32,
    "n_kv_heads": 8,
    "vocab_size": 131072,
}


def test_params_json_is_read_as_the_config_that_it_stands_for(tmp_path: Path) -> None:
    params = {**PARAMS, "quantization": {"qformat_weight": "fp8_e4m3", "qscheme_act": "TENSOR"}}
    (tmp_path / "params.json").write_text(json.dumps(params), encoding="utf-8")
    for given in (str(tmp_path), params):
        found = quantmap.inspect_checkpoint(given)
        assert found.quantization.method == "fp8" and found.architecture is not None
        assert (found.architecture.hidden, len(found.architecture.layers)) == (5120, 40)
    assert any(
        "heads" in r
        for r in refused(f"vllm serve {tmp_path} --tensor-parallel-size 3", "vllm@0.20.0")
    )
    groups = quantized(["lm_head"])["quantization_config"]
    assert (
        quantmap.inspect_checkpoint({**PARAMS, "quantization": groups}).quantization.method
        == "compressed-tensors"
    )
    experts = {**PARAMS, "moe": {"num_experts": 8, "num_experts_per_tok": 2}}
    found = quantmap.inspect_checkpoint(experts)
    assert found.architecture is not None and found.architecture.model_type == "mixtral"


@pytest.mark.parametrize(
    "broken", [{}, {"dim": 1}, {"dim": [], "n_layers": "x"}, {"dim": 4, "n_layers": 1, "moe": 3}]
)
def test_other_params_say_nothing(broken: dict[str, Any]) -> None:
    assert not quantmap.inspect_checkpoint({**broken, "quantization": 5}).quantization.method


def test_an_id_whose_sizes_are_assumed_is_no_blank() -> None:
    line = "python3 -m sglang.launch_server --model-path Qwen/Qwen3-Next-80B-A3B-Instruct --tp"
    found = quantmap.check(f"{line} 4", engine="sglang", engine_version="0.5.2", gpu="L20")
    told = [str(v.reason) for v in found.verdicts] + [note.message for note in found.notes]
    assert any("FlashAttention 3" in reason for reason in told)
    odd = quantmap.check(f"{line} 3", engine="sglang", engine_version="0.5.10", gpu="H100")
    verdict = next(v for v in odd.verdicts if "heads" in str(v.reason))
    assert verdict.verdict == "assumed" and odd.ok


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ('{"architectures": [', "not JSON"),
        ("", "not JSON"),
        (None, "no config.json"),
        ("[]", "an object"),
    ],
)
def test_a_model_that_is_here_and_cannot_be_read_is_told(
    tmp_path: Path, config: str | None, reason: str
) -> None:
    if config is not None:
        (tmp_path / "config.json").write_text(config)
    good = tmp_path / "other" / "good"
    good.mkdir(parents=True)
    (good / "config.json").write_text(json.dumps(LLAMA))
    draft = "--speculative-algorithm EAGLE3 --speculative-draft-model-path"
    for line in (
        f"vllm serve {tmp_path}",
        f"python -m sglang.launch_server --model-path {good} {draft} {tmp_path}",
    ):
        found = quantmap.check(line)
        (told,) = [note for note in found.notes if note.code == "model-not-read"]
        assert str(tmp_path)[:30] in told.message and reason in told.message
        assert not found.refusals
    elsewhere = quantmap.check(f"vllm serve {tmp_path}/not/here")
    assert "model-not-read" not in {note.code for note in elsewhere.notes}
