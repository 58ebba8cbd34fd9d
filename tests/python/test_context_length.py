"""A context longer than the model's: judged as the engines read a config, release by release."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest
from quantmap import check, explain

from tests.python.published_models import LLAMA

if TYPE_CHECKING:
    from pathlib import Path

LENGTHS = [2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 1048576]
KEYS = ["n_positions", "max_seq_len", "seq_length", "model_max_length", "max_sequence_length"]
TYPES = ["linear", "dynamic", "yarn", "llama3", "longrope", "default", "mrope"]


def some_config(dice: random.Random) -> dict[str, Any]:
    config = {**LLAMA, "max_position_embeddings": dice.choice(LENGTHS[:7])}
    if dice.random() < 0.3:
        config[dice.choice(KEYS)] = dice.choice(LENGTHS[:7])
    if dice.random() < 0.7:
        rope: dict[str, Any] = {"rope_type": dice.choice(TYPES)}
        if rope["rope_type"] in ("linear", "dynamic", "yarn", "llama3"):
            rope["factor"] = dice.choice([1.0, 2.0, 4.0, 8.0])
        if rope["rope_type"] in ("yarn", "llama3"):
            rope["original_max_position_embeddings"] = dice.choice(LENGTHS[:3])
        config[dice.choice(["rope_scaling", "rope_parameters"])] = rope
    return config


def longest_of_vllm(config: dict[str, Any], *, before_0_30: bool) -> float:
    """What `_get_and_verify_max_len` of vLLM lets be."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    whole = config.get("model_max_length", 0)
    length = whole or min(
        config[key] for key in ("max_position_embeddings", *KEYS) if key in config
    )
    factor = rope.get("factor", 1.0)
    if rope.get("rope_type") == "yarn":
        stretched = rope["original_max_position_embeddings"] * factor if before_0_30 else length
        return max(whole, stretched)
    return length if rope.get("rope_type") in ("llama3", "longrope") else length * factor


def longest_of_sglang(config: dict[str, Any]) -> float:
    """What `get_context_length` of SGLang says."""
    rope = config.get("rope_scaling") or config.get("rope_parameters") or {}
    factor = 1 if "original_max_position_embeddings" in rope else rope.get("factor", 1)
    order = ["max_sequence_length", "seq_length", "max_seq_len", "model_max_length"]
    order += ["max_position_embeddings"]
    return factor * next(config[key] for key in order if key in config)


def is_refused(flag: str, asked: int, engine: str, config: dict[str, Any]) -> bool:
    found = check({flag: asked}, engine=engine, checkpoint=config).verdicts[-1]
    assert found.verdict in ("accepted", "refused-at-start")
    return found.verdict == "refused-at-start"


@pytest.mark.parametrize("release", ["0.6.3.post1", "0.11.0", "0.29.0", "0.30.0", "0.33.0"])
def test_vllm_refuses_what_its_own_function_refuses(release: str) -> None:
    dice = random.Random(release)
    for _ in range(200):
        config, asked = some_config(dice), dice.choice(LENGTHS) + dice.choice([-1, 0, 1])
        before = release.split(".")[1].rjust(2, "0") < "30"
        refused = asked > longest_of_vllm(config, before_0_30=before)
        found = is_refused("max-model-len", asked, f"vllm@{release}", config)
        assert found == refused, (asked, config)


@pytest.mark.parametrize("release", ["0.4.3.post4", "0.5.1", "0.5.23"])
def test_sglang_refuses_what_its_own_function_refuses(release: str) -> None:
    dice = random.Random(release)
    for _ in range(200):
        config, asked = some_config(dice), dice.choice(LENGTHS) + dice.choice([-1, 0, 1])
        config.pop("n_positions", None)
        refused = asked > longest_of_sglang(config)
        found = is_refused("context-length", asked, f"sglang@{release}", config)
        assert found == refused, (asked, config)


def test_sglang_let_it_pass_for_a_while() -> None:
    config = {**LLAMA, "max_position_embeddings": 8192}
    assert not is_refused("context-length", 9000, "sglang@0.4.4", config)
    assert not is_refused("context-length", 9000, "sglang@0.5.0rc2", config)


@pytest.mark.parametrize(
    "line",
    [
        "VLLM_ALLOW_LONG_MAX_MODEL_LEN=1 vllm serve m --max-model-len 9000",
        "vllm serve m --max-model-len 9000 --hf-overrides '{\"max_position_embeddings\": 9000}'",
        "vllm serve m --max-model-len 9000 --hf-overrides.max_position_embeddings 9000",
        "vllm serve m --max-model-len 8k",
        "vllm serve m --max-model-len 8K",
        "vllm serve m --max-model-len auto",
        "vllm serve m --max-model-len -1",
    ],
)
def test_what_lets_it_be_longer_and_what_is_not_longer(line: str) -> None:
    assert check(
        line, engine="vllm@0.33.0", checkpoint={**LLAMA, "max_position_embeddings": 8192}
    ).ok


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 8192}


@pytest.mark.parametrize(
    ("engine", "flag", "asked", "laid", "refused"),
    [
        ("vllm@0.33.0", "max-model-len", 9000, {"rope_theta": 1e6}, True),
        ("vllm@0.33.0", "max-model-len", 9000, {"max_position_embeddings": 16384}, False),
        ("vllm@0.33.0", "max-model-len", 8000, {"max_position_embeddings": 4096}, True),
        ("vllm@0.29.0", "max-model-len", 32768, {"rope_scaling": YARN}, False),
        ("vllm@0.29.0", "max-model-len", 32769, {"rope_scaling": YARN}, True),
        ("vllm@0.33.0", "max-model-len", 32768, {"rope_parameters": YARN}, True),
        ("vllm@0.33.0", "max-model-len", 9000, {"rope_parameters": None}, False),
        ("vllm@0.33.0", "max-model-len", 9000, [1], False),
        ("sglang@0.5.6", "context-length", 32768, {"rope_scaling": YARN}, True),
        ("sglang@0.5.6", "context-length", 32768, {"max_position_embeddings": 32768}, False),
    ],
)
def test_what_is_laid_over_the_config_counts(
    engine: str, flag: str, asked: int, laid: Any, *, refused: bool
) -> None:
    name = "hf-overrides" if engine.startswith("vllm") else "json-model-override-args"
    config = {**LLAMA, "max_position_embeddings": 8192}
    launch = {flag: asked, name: json.dumps(laid)}
    verdict = check(launch, engine=engine, checkpoint=config).verdicts[0].verdict
    assert verdict == ("refused-at-start" if refused else "accepted")


def test_the_cure_is_told() -> None:
    config = {**LLAMA, "max_position_embeddings": 8192}
    verdict = check({"max-model-len": "16K"}, engine="vllm@0.33.0", checkpoint=config).verdicts[-1]
    assert verdict.reason == "a context of 16384 tokens is longer than the model's 8192"
    assert verdict.hint == (
        "use --max-model-len 8192 or less, or set VLLM_ALLOW_LONG_MAX_MODEL_LEN=1"
    )
    launch = explain("vllm@0.33.0", {}, checkpoint=config, user_parameters={"max-model-len": 16384})
    told = [note for note in launch.diagnostics if note.code == "size-does-not-go"]
    assert [note.hint for note in told] == [verdict.hint]


@pytest.mark.parametrize("asked", ["99999999999999999999", "1T", "9" * 60])
def test_a_number_that_no_machine_holds_is_too_long(asked: str) -> None:
    config = {**LLAMA, "max_position_embeddings": 8192}
    for engine, flag in (("vllm@0.33.0", "max-model-len"), ("vllm@0.33.0", "tensor-parallel-size")):
        if flag != "max-model-len" and not asked.isdigit():
            continue
        found = check({flag: asked}, engine=engine, checkpoint=config).verdicts[-1]
        assert found.verdict == "refused-at-start", (flag, asked)


def test_sizes_that_go_are_about_gpus_alone() -> None:
    config = {**LLAMA, "max_position_embeddings": 8192}
    line = "vllm serve m --max-model-len 9000 --tensor-parallel-size 3"
    hints = [
        v.hint for v in check(line, engine="vllm@0.33.0", checkpoint=config).verdicts if v.hint
    ]
    assert any(hint.startswith("use tensor parallelism of 1, 2, 4") for hint in hints), hints


def test_another_model_of_the_same_architecture_may_be_longer(tmp_path: Path) -> None:
    (tmp_path / "Short-8B").mkdir()
    config = {**LLAMA, "max_position_embeddings": 8192}
    (tmp_path / "Short-8B" / "config.json").write_text(json.dumps(config))

    def verdict(model: str) -> str:
        line = f"vllm serve {model} --max-model-len 9000"
        checkpoint = str(tmp_path / "Short-8B")
        return check(line, engine="vllm@0.33.0", checkpoint=checkpoint).verdicts[-1].verdict

    assert verdict("owner/Long-8B-1M") == "assumed"
    assert verdict("owner/short-8b") == "refused-at-start"
    assert verdict(str(tmp_path / "Short-8B")) == "refused-at-start"


def test_of_a_well_known_model_it_is_assumed() -> None:
    model = "meta-llama/Llama-3.1-8B-Instruct"
    line = f"vllm serve {model} --max-model-len 200000"
    assert check(line, engine="vllm@0.33.0").verdicts[-1].verdict == "assumed"
    asked = {"max-model-len": 200000}
    launch = explain("vllm@0.33.0", {}, checkpoint=model, user_parameters=asked)
    assert not [note.code for note in launch.diagnostics if note.severity == "error"]


def test_a_draft_has_to_keep_up_with_the_model_of_sglang(tmp_path: Path) -> None:
    def folder(name: str, length: int) -> Path:
        (tmp_path / name).mkdir()
        config = {**LLAMA, "max_position_embeddings": length}
        (tmp_path / name / "config.json").write_text(json.dumps(config))
        return tmp_path / name

    model, short, long = folder("model", 32768), folder("short", 2048), folder("long", 32768)
    line = (
        f"python -m sglang.launch_server --model-path {model} --speculative-algorithm EAGLE3 "
        "--speculative-num-steps 3 --speculative-eagle-topk 1 --speculative-num-draft-tokens 4 "
        "--speculative-draft-model-path "
    )
    told = [
        verdict.reason
        for verdict in check(line + str(short), engine="sglang@0.5.6").verdicts
        if verdict.verdict == "refused-at-start"
    ]
    assert told and told[0].endswith("a context of 32768 tokens is longer than the model's 2048")
    assert check(line + str(long), engine="sglang@0.5.6").ok
    assert check(line + f"{short} --context-length 2048", engine="sglang@0.5.6").ok
    open_ = "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN=1 " + line + str(short)
    assert check(open_, engine="sglang@0.5.6").ok
    vllm = (
        f"vllm serve {model} --speculative-config "
        f'\'{{"model": "{short}", "num_speculative_tokens": 3, "method": "eagle3"}}\''
    )
    assert check(vllm, engine="vllm@0.33.0").ok


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -1.0, 0, 1e308, "8", None, [2.0]])
@pytest.mark.parametrize("kind", ["linear", "yarn", 7, None])
def test_a_stretch_that_is_no_number_is_left_out(factor: object, kind: object) -> None:
    rope = {"rope_type": kind, "factor": factor, "original_max_position_embeddings": 2**31}
    for key in ("rope_scaling", "rope_parameters"):
        config = {**LLAMA, "max_position_embeddings": 8192, key: {**rope, "full_attention": rope}}
        for release in ("vllm@0.29.0", "vllm@0.33.0"):
            found = check({"max-model-len": 8192}, engine=release, checkpoint=config)
            assert found.verdicts[-1].verdict == "accepted"
