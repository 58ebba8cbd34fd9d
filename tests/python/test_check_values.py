"""check: what the argument schema says of a value beside its type: bounds, keys, successors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import quantmap

VLLM = "vllm serve m"
SGLANG = "python -m sglang.launch_server --model-path m"


def one(line: str, version: str = "latest") -> quantmap.Verdict:
    """The last verdict on a line."""
    return quantmap.check(line, engine_version=version).verdicts[-1]


@pytest.mark.parametrize(
    ("line", "version", "refused"),
    [
        (f"{VLLM} --max-model-len auto", "0.13.0", True),
        (f"{VLLM} --max-model-len auto", "0.14.0", False),
        (f"{VLLM} --quantization None", "0.8.5", False),
        (f"{VLLM} --tensor-parallel-size None", "0.22.0", True),
        (f"{VLLM} --gpu-memory-utilization 90", "0.33.0", True),
        (f"{VLLM} --gpu-memory-utilization 1", "0.33.0", False),
        (f"{VLLM} -tp 0", "0.33.0", True),
        (f"{VLLM} --max-num-seqs -5", "0.33.0", True),
        (f"{VLLM} --compilation-config.nosuch 3", "0.33.0", True),
        (f"{VLLM} --compilation-config.mode 3", "0.33.0", False),
        (f"{VLLM} --compilation-config '{{\"nosuch\": 3}}'", "0.33.0", True),
        (f"{VLLM} --kv-transfer-config '{{\"kv_port\": 80k}}'", "0.33.0", False),
        (f"{VLLM} -O.level 3", "0.8.5", True),
        (f"{VLLM} --dtype.a 3", "0.33.0", True),
        (f"{SGLANG} --mm-process-config '{{bad'", "0.5.23", True),
        (f"{SGLANG} --max-total-tokens 4x", "0.5.23", True),
        ("python -m sgl_jax.launch_server --model-path m --multimodal", "0.1.0rc0", False),
        ("python -m sgl_jax.launch_server --model-path m --vae-precision bf16", "0.1.0rc0", False),
    ],
)
def test_values(line: str, version: str, refused: bool) -> None:
    verdict = one(line, version)
    assert verdict.refused is refused, verdict.to_dict()
    assert bool(verdict.reason) is refused or verdict.verdict == "accepted"


def test_bounds_are_told() -> None:
    assert "more than 0 and at most 1" in one(f"{VLLM} --gpu-memory-utilization 90").reason


def test_deprecated_arguments_name_what_takes_their_place() -> None:
    verdict = one(f"{SGLANG} --nsa-prefill-backend flashmla_sparse", "0.5.19")
    assert (verdict.verdict, verdict.refused) == ("deprecated", False)
    assert verdict.hint == "use --dsa-prefill-backend" and "0.5.20" in verdict.reason
    verdict = one(f"{SGLANG} --nsa-prefill-backend flashmla_sparse", "0.5.21")
    assert verdict.refused and verdict.hint == "use --dsa-prefill-backend"
    assert "0.5.19 was the last to take it" in verdict.reason
    assert one(f"{VLLM} --disable-log-requests", "0.14.0").verdict == "deprecated"


def test_history_is_that_of_the_spelling() -> None:
    for flag, version, when in (("-ep", "0.13.0", "0.14.0"), ("-cc", "0.11.2", "0.12.0")):
        verdict = one(f"{VLLM} {flag}", version)
        assert verdict.refused and f"added in {when}" in verdict.reason
        assert "removed" not in verdict.reason


def test_variables_of_the_engine() -> None:
    def found(line: str, version: str) -> quantmap.Verdict:
        return quantmap.check(line, engine_version=version).verdicts[0]

    gone = found("VLLM_ATTENTION_BACKEND=FLASHINFER vllm serve m", "0.26.0")
    assert (gone.verdict, gone.hint) == ("no-effect", "write --attention-backend")
    wrong = found("VLLM_ATENTION_BACKEND=FLASHINFER vllm serve m", "0.12.0")
    assert wrong.verdict == "no-effect" and "VLLM_ATTENTION_BACKEND" in wrong.hint
    for name in ("HF_TOKEN", "NCCL_DEBUG", "VLLM_OMNI_X", "CUDA_VISIBLE_DEVICES"):
        verdict = found(f"{name}=1 vllm serve m", "0.22.0")
        assert (verdict.verdict, verdict.reason, verdict.hint) == ("accepted", "", "")
    assert found(f"SGLANG_USE_AITER=1 {SGLANG}", "0.5.23").verdict == "accepted"
    assert "SGLANG_USE_AITER" in found(f"SGLANG_USE_AITR=1 {SGLANG}", "0.5.23").hint


def test_a_variable_of_an_old_prefix_is_read_by_its_new_name() -> None:
    verdict = quantmap.check(
        f"SGL_ENABLE_JIT_DEEPGEMM=1 {SGLANG}", engine_version="0.5.6"
    ).verdicts[0]
    assert verdict.verdict == "deprecated"
    assert verdict.hint == "write SGLANG_ENABLE_JIT_DEEPGEMM"


@pytest.mark.parametrize(
    ("line", "version", "hint"),
    [
        (f"{VLLM} --swap-space 4", "0.20.0", "leave it out: nothing is swapped any more"),
        (f"{VLLM} --device cuda", "0.20.0", "leave it out: the platform that is installed decides"),
        (f"{VLLM} --enable-chunked-prefill=false", "0.20.0", "write --no-enable-chunked-prefill"),
        (f"{SGLANG} --enable-flashmla", "0.5.2", "use --attention-backend=flashmla"),
        (f"{SGLANG} --nsa-decode x", "0.5.23", "use --dsa-decode-backend"),
        (f"{SGLANG} --impl auto", "0.5.2", "use --model-impl"),
    ],
)
def test_what_to_do_instead_of_an_argument_that_is_gone(line: str, version: str, hint: str) -> None:
    refused = [v for v in quantmap.check(line, engine_version=version).verdicts if v.refused]
    assert [v.hint for v in refused] == [hint]


def test_what_packages_beside_the_engine_add() -> None:
    result = quantmap.check(f"{VLLM} --omni --nosuch 1 --port 1", engine_version="0.22.0")
    assert result.ok
    assert [v.verdict for v in result.verdicts] == ["assumed", "assumed", "accepted"]
    assert "vllm-omni" in result.verdicts[0].reason
    assert "vllm-ascend" in one(f"{VLLM} --quantization ascend", "0.22.0").reason


def test_the_models_name_is_an_assumption() -> None:
    verdict = one("vllm serve a/B-7B-AWQ --quantization fp8", "0.22.0")
    assert verdict.verdict == "assumed" and "AWQ" in verdict.reason
    plain = quantmap.check(
        "vllm serve a/B-7B-AWQ --quantization fp8",
        engine_version="0.22.0",
        model_quantization="none",
    )
    assert plain.ok and plain.verdicts[0].verdict == "accepted"


def test_tensorrt_llm_refuses_nothing_where_not_every_flag_is_known() -> None:
    for flag in ("--host x", "--port 1", "--max_batch_size 2", "--tokenizer x"):
        assert one(f"trtllm-serve m {flag}", "0.18.2").verdict == "accepted"
        assert one(f"trtllm-serve m {flag}", "0.17.0").verdict == "assumed"
    for version in ("0.17.0", "0.18.2", "1.0.0", "1.2.0"):
        assert one("trtllm-serve m --ep_size 2 --nosuch 1", version).refused is False


@pytest.mark.parametrize(
    ("flag", "value", "use"),
    [
        ("--enable-reasoning", "", "--reasoning-parser"),
        ("--guided-decoding-backend", "xgrammar", "--structured-outputs-config"),
        ("--rope-scaling", "{}", "--hf-overrides"),
        ("--speculative-model", "m", "--speculative-config"),
        ("--task", "embed", "--runner"),
    ],
)
def test_successors_that_the_sources_name_elsewhere(flag: str, value: str, use: str) -> None:
    (verdict,) = quantmap.check(f"{VLLM} {flag} {value}", engine_version="0.33.0").verdicts
    assert (verdict.refused, verdict.hint) == (True, f"use {use}")


def test_a_switch_takes_its_words_in_any_case() -> None:
    for word in ("True", "false", "FALSE"):
        assert quantmap.check(f"{VLLM} --enable-chunked-prefill={word}", engine_version="0.7.3").ok
    assert not quantmap.check(f"{VLLM} --enable-chunked-prefill=no", engine_version="0.7.3").ok


def test_a_flag_that_is_known_only_to_be_refused_is_no_question_of_dashes() -> None:
    verdict = quantmap.check(f"{SGLANG} --enable-flashmla", engine_version="0.4.6").verdicts[-1]
    assert verdict.refused
    assert "dashes" not in verdict.reason
    assert verdict.hint != "write --enable-flashmla"


def test_of_a_substituted_release_nothing_is_certain() -> None:
    line = "docker run vllm/vllm-openai:v0.11.1rc2 m --port 1 --nosuch"
    (launch,) = quantmap.check_script(line).launches
    assert {verdict.verdict for verdict in launch.verdicts} == {"assumed"}


def test_an_image_that_is_known_is_not_called_unknown() -> None:
    line = "docker run -it --entrypoint /bin/bash lmsysorg/sglang:v0.5.6"
    (note,) = quantmap.check_script(line).notes
    assert note.code == "engine-named-only"


def test_numbers_that_sglang_checks_when_it_starts() -> None:
    line = f"{SGLANG} --base-gpu-id -1"
    assert one(line, "0.5.6").verdict == one(line).verdict == "refused-at-start"
    assert "at least 0" in one(line).reason
    assert one(f"{SGLANG} --schedule-conservativeness -0.5", "0.5.6").refused
    assert not one(f"{SGLANG} --schedule-conservativeness -0.5", "0.5.3").refused  # not checked
    assert one(f"{SGLANG} --disaggregation-decode-host-receive-threshold 1.5").refused
    assert not one(f"{SGLANG} --tokenizer-worker-num 1").refused


@pytest.mark.parametrize("engine", ["vllm", "sglang"])
def test_every_argument_that_goes_or_is_gone_says_what_to_do(engine: str) -> None:
    path = Path(__file__).parents[2] / "cpp" / "catalog" / "engines" / engine / "surface.json"
    flags = json.loads(path.read_text("utf-8"))["flags"]
    asked = [
        flag for flag, rows in flags.items() if "until" in rows[-1] or "deprecated" in rows[-1]
    ]
    verdicts = quantmap.check(asked, engine).verdicts
    told = {verdict.argument: verdict for verdict in verdicts}
    assert len(asked) > 60
    for flag in asked:
        verdict = told[flag]
        if verdict.verdict == "accepted":  # a spelling of another by now
            continue
        if "until" in flags[flag][-1] and verdict.verdict == "unknown-flag":
            assert "was the last to take it" in verdict.reason, flag
        assert verdict.hint, flag


def test_a_plus_before_a_number_is_part_of_it() -> None:
    line = f"{VLLM} -tp +2 --seed +5 --gpu-memory-utilization +0.5"
    assert quantmap.check(line, engine_version="0.22.0").ok
    assert one(f"{VLLM} --seed +", "0.22.0").refused
    assert one(f"{VLLM} --seed +x", "0.22.0").refused


def test_what_is_wrong_with_a_value_comes_before_what_is_old_of_its_flag() -> None:
    wrong = one(f"{SGLANG} --nsa-prefill-backend nosuch", "0.5.19")
    assert wrong.verdict == "value-not-accepted" and "'nosuch'" in wrong.reason
    switch = one(f"{VLLM} --disable-log-requests=3", "0.14.0")
    assert switch.verdict == "value-not-accepted" and "switch" in switch.reason


def test_the_release_after_the_last_names_it() -> None:
    verdict = one(f"{SGLANG} --nsa-prefill-backend flashmla_sparse", "0.5.20")
    assert verdict.refused and "0.5.19 was the last to take it" in verdict.reason


@pytest.mark.parametrize("version", ["0.20.0", "0.33.0"])
def test_what_the_parser_refuses_is_judged_no_further(version: str) -> None:
    """A rule has something to say of that value too: the engine stops before."""
    told = "does not accept 'tpu_int8'"
    mapping = quantmap.explain(
        "vllm", {}, {"quantization": "tpu_int8"}, engine_version=version, model_quantization="none"
    )
    assert [told in d.message for d in mapping.diagnostics if d.severity == "error"] == [True]
    assert told in one(f"{VLLM} --quantization tpu_int8", version).reason


def test_a_variable_that_the_release_does_not_read_sets_nothing() -> None:
    """No rule and no kernel looks at its value; the release that reads it refuses it."""
    for backend, gpu in (("FLASHINFER", "T4"), ("FLASHMLA", "A100"), ("FLASHINFER_MLA", "A100")):
        line = f"VLLM_ATTENTION_BACKEND={backend} vllm serve deepseek-ai/DeepSeek-V3"
        verdict = quantmap.check(line, engine_version="0.33.0", gpu=gpu).verdicts[0]
        assert verdict.verdict == "no-effect" and "does not read" in verdict.reason
    line = "VLLM_ATTENTION_BACKEND=FLASHINFER vllm serve m"
    assert quantmap.check(line, engine_version="0.14.0", gpu="V100").verdicts[0].refused


def test_a_method_is_taken_in_any_case_where_no_parser_lists_it() -> None:
    line = "vllm serve TheBloke/Llama-2-7b-Chat-AWQ --quantization AWQ"
    for release, taken in (("0.9.0", False), ("0.11.0", True), ("0.33.0", True)):
        assert quantmap.check(line, engine_version=release, gpu="A100").ok is taken
    wrong = line.replace("-AWQ --", " --")  # what rules make of it does not depend on its case
    results = [
        quantmap.check(one, engine_version="0.11.0", gpu="T4", checkpoint={"model_type": "llama"})
        for one in (wrong, wrong.lower())
    ]
    assert [result.verdicts[-1].refused for result in results] == [True, True]


def test_a_name_of_which_nothing_is_known_decides_nothing() -> None:
    """Whether it stands in the line or beside it."""
    told = []
    for line, model in (("vllm serve x/y", "org/Mod"), ("vllm serve org/Mod", None)):
        result = quantmap.check(
            f"{line} --quantization awq", engine_version="0.11.0", gpu="H100", checkpoint=model
        )
        told.append((result.ok, result.verdicts[-1].verdict))
    assert told == [(True, "assumed")] * 2


def test_rows_of_mlps_over_gpus() -> None:
    """13,824 columns go over eight GPUs and not over five, whatever the weights are."""
    for line in ("vllm serve x/y -tp", "python -m sglang.launch_server --model-path x/y --tp"):
        for tp, fits in ((1, True), (5, False), (8, True), (10, False)):
            result = quantmap.check(f"{line} {tp}", checkpoint="meta-llama/Llama-2-13b-hf")
            assert result.ok is fits, (line, tp)


def test_an_open_value_leaves_out_the_rules_of_its_own_target() -> None:
    """Of the 33rd target as well: none is taken for another that is so many places before it."""
    left = {}
    for flag in ("--block-size", "--quantization"):
        result = quantmap.check(f"vllm serve m {flag} $X", engine_version="0.13.0", gpu="B200")
        (told,) = (item.what for item in result.not_looked_at if flag in item.what)
        left[flag] = int(told.split()[0])
    assert 0 < left["--block-size"] < left["--quantization"]
