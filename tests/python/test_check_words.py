"""check: how the words of a line are told apart, as the parser of the release would."""

from __future__ import annotations

import pytest
import quantmap


def one(line: str, version: str = "latest") -> quantmap.Verdict:
    """The last verdict on a line."""
    return quantmap.check(line, engine_version=version).verdicts[-1]


@pytest.mark.parametrize(
    ("line", "wrong", "right"),
    [
        ("trtllm-serve m --tp-size 2", "--tp-size", "--tp_size"),
        ("python -m sglang.launch_server --model_path m", "--model_path", "--model-path"),
        ("python -m sgl_jax.launch_server --model_path=m", "--model_path", "--model-path"),
    ],
)
def test_dashes_and_underscores_differ(line: str, wrong: str, right: str) -> None:
    verdict = one(line)
    assert (verdict.argument, verdict.verdict, verdict.refused) == (wrong, "unknown-flag", True)
    assert verdict.hint == f"write {right}"


def test_dashes_and_underscores_are_equal_where_the_parser_makes_them_so() -> None:
    verdict = one("vllm serve m --tensor_parallel_size 2")
    assert (verdict.verdict, verdict.canonical) == ("accepted", "--tensor-parallel-size")
    # The names of a dict are no words of a line.
    result = quantmap.check({"tp-size": 2}, "tensorrt_llm")
    assert result.ok and result.verdicts[0].canonical == "--tp_size"


@pytest.mark.parametrize(
    ("line", "version", "when"),
    [
        ("python -m sglang.launch_server --model-path m --pp-size 2", "0.4.6", "added in"),
        ("vllm serve m --guided-decoding-backend auto", "latest", "removed in"),
    ],
)
def test_no_guess_where_the_history_is_known(line: str, version: str, when: str) -> None:
    verdict = one(line, version)
    assert verdict.verdict == "unknown-flag"
    assert when in verdict.reason
    assert "did you mean" not in verdict.hint


@pytest.mark.parametrize(
    ("words", "flag", "value"),
    [
        ("-O3", "-O", "3"),
        ("-O2", "-O", "2"),
        ("-O 3", "-O", "3"),
        ("-tp=2", "-tp", "2"),
        ("-tp 2", "-tp", "2"),
        ("-q=fp8", "-q", "fp8"),
        ("-O.level=3", "-O.level", "3"),
    ],
)
def test_values_of_short_flags(words: str, flag: str, value: str) -> None:
    verdict = one(f"vllm serve m {words}", "0.11.0")
    assert (verdict.argument, verdict.value) == (flag, value)
    assert verdict.verdict in ("accepted", "assumed")


@pytest.mark.parametrize("version", ["0.6.5", "0.9.2", "0.12.0", "latest"])
def test_a_level_of_optimization(version: str) -> None:
    assert not one("vllm serve m -O3", version).refused


@pytest.mark.parametrize(
    ("words", "place"),
    [
        ("--kv-cache-dtype", 0),
        ("--tensor-parallel-size --enforce-eager", 0),
        ("--enforce-eager --max-model-len", 1),
    ],
)
def test_a_flag_without_its_value(words: str, place: int) -> None:
    verdict = quantmap.check(f"vllm serve m {words}", engine_version="0.11.0").verdicts[place]
    assert (verdict.verdict, verdict.refused) == ("value-not-accepted", True)
    assert "expected one argument" in verdict.reason


def test_a_list_without_its_values() -> None:
    assert "at least one" in one("vllm serve m --served-model-name", "0.11.0").reason


def test_flags_that_may_go_without_a_value() -> None:
    assert not one("vllm serve m --hf-token", "0.11.0").refused
    for words in ("--enable-chunked-prefill", "--enable-chunked-prefill true"):
        result = quantmap.check(f"vllm serve m {words}", engine_version="0.8.4")
        assert result.ok and len(result.verdicts) == 1


def test_a_switch_takes_no_value() -> None:
    verdict = one("vllm serve m --enforce-eager=true", "0.11.0")
    assert (verdict.verdict, verdict.value) == ("value-not-accepted", "true")
    result = quantmap.check("vllm serve m --enforce-eager true --dtype auto")
    assert [(v.argument, v.verdict) for v in result.verdicts] == [
        ("--enforce-eager", "accepted"),
        ("--dtype", "accepted"),
        ("true", "unknown-flag"),
    ]
    assert result.model == "m" and not result.ok


def test_a_model_by_itself_where_a_flag_names_it() -> None:
    verdict = one("python -m sglang.launch_server my/model")
    assert (verdict.argument, verdict.refused) == ("my/model", True)


def test_a_number_below_zero_is_a_value_and_no_flag() -> None:
    for number in ("-1", "-.5", "-0.5"):
        result = quantmap.check(f"vllm serve m --gpu-memory-utilization {number}")
        (verdict,) = result.verdicts
        assert (verdict.value, verdict.verdict) == (number, "refused-at-start")
        assert "more than 0" in verdict.reason


def test_a_value_that_a_shell_puts_in_is_not_judged() -> None:
    for value in ("$TYPE", "fp${BITS}", "`type`"):
        (verdict,) = quantmap.check(f"vllm serve m --kv-cache-dtype {value}").verdicts
        assert (verdict.verdict, verdict.canonical) == ("assumed", "--kv-cache-dtype")
        assert "not in the text" in verdict.reason
    assert one("vllm serve m --kv-cache-dtype '$TYPE'").refused  # in quotes it is the text


def test_of_many_accepted_values_the_nearest_are_shown() -> None:
    from quantmap.cli.verdicts import in_short

    verdict = one("vllm serve m --kv-cache-dtype fp9", "0.33.0")
    assert "int8_per_token_head" in verdict.reason
    assert in_short(verdict.reason, verdict.value).endswith(
        "does not accept 'fp9'; accepted: fp8, nvfp4, fp8_inc and 19 more (--json lists them)"
    )
    short = one("vllm serve m --kv-cache-dtype fp9", "0.11.0")
    assert in_short(short.reason, short.value) == short.reason


def test_a_comment_among_the_arguments_cuts_the_launch() -> None:
    text = "vllm serve a/b \\\n  # --quantization fp8 \\\n  --nosuch\nvllm serve c/d # plain\n"
    found = quantmap.check_script(text)
    told = [note.message for note in found.notes if note.code == "comment-after-backslash"]
    assert len(told) == 1 and told[0].startswith("Line 2 ")
    assert [launch.model for launch in found.launches] == ["a/b", "c/d"]
