"""check_script: every launch of a script, judged at its own release."""

from __future__ import annotations

import time

import pytest
import quantmap
from quantmap import _core


def launches(text: str, version: str | None = "0.22.0") -> list[quantmap.CheckResult]:
    """The launches of a script."""
    return quantmap.check_script(text, version).launches


def one(text: str, version: str | None = "0.22.0") -> quantmap.CheckResult:
    """The only launch of a script."""
    (launch,) = launches(text, version)
    return launch


def verdicts(launch: quantmap.CheckResult) -> dict[str, str]:
    """Argument → verdict."""
    return {verdict.argument: verdict.verdict for verdict in launch.verdicts}


SCRIPT = """#!/bin/bash
set -e
export MODEL=my/model
pip install trtllm-serve vllm serve
if ! pgrep -f vllm serve; then
  nohup vllm serve "$MODEL" --port ${PORT:-8000} > log 2>&1 &
fi
until curl -X POST localhost:8000/health -d '{"vllm serve": 1}'; do sleep 1; done
echo vllm serve x
sudo -E timeout 5 numactl -m 0 /opt/bin/vllm serve b --dtype fp9 || exit 1
"""


def test_every_launch_with_its_line() -> None:
    result = quantmap.check_script(SCRIPT, "0.22.0")
    assert [(found.line, found.model, found.ok) for found in result.launches] == [
        (6, "my/model", True),
        (10, "b", False),
    ]
    assert not result.ok and result.to_dict()["ok"] is False
    assert [note.code for note in result.notes] == []


@pytest.mark.parametrize(
    "text",
    [
        "bash -lc 'vllm serve m --port 1'",
        'ssh host "cd x && vllm serve m --port 1"',
        'srun -N 1 --export=ALL bash -c "vllm serve m --port 1"',
        "mpirun -n 2 -x A=1 vllm serve m --port 1",
        "docker exec -it c vllm serve m --port 1",
        "kubectl exec pod -- sh -c 'exec vllm serve m --port 1'",
        "tmux new-session -d 'vllm serve m --port 1'",
        'sbatch --wrap="vllm serve m --port 1"',
        "conda run -n env vllm serve m --port 1",
        "singularity exec --nv x.sif vllm serve m --port 1",
        "bash <<EOF\nvllm serve m --port 1\nEOF",
        "cat > run.sh <<'EOF'\nvllm serve m --port 1\nEOF\nbash run.sh",
        "python3 -u -m vllm.entrypoints.cli.main serve m --port 1",
        "f() { vllm serve m --port 1; }\nf",
        "ARGS='--port 1'\nvllm serve m $ARGS",
        'ARGS=(m --port 1)\nvllm serve "${ARGS[@]}"',
    ],
)
def test_launches_inside_other_commands(text: str) -> None:
    launch = one(text)
    assert launch.model == "m" and verdicts(launch)["--port"] == "accepted"


def test_variables_are_unknown_values_not_wrong_ones() -> None:
    launch = one('vllm serve "$M" --port $PORT -tp "${TP}" --dtype $(cat d) $EXTRA "${ARGS[@]}"')
    assert launch.ok and launch.model is None
    assert verdicts(launch) == {
        "--port": "assumed",
        "-tp": "assumed",
        "--dtype": "assumed",
        "$EXTRA": "assumed",
        "${ARGS[@]}": "assumed",
    }
    assert "shell" in launch.verdicts[0].reason


def test_what_the_script_says_counts() -> None:
    launch = one("TP=2\nDTYPE=fp9\nvllm serve ${M:-m} -tp $TP --dtype=$DTYPE")
    assert launch.model == "m"
    assert verdicts(launch) == {"-tp": "accepted", "--dtype": "value-not-accepted"}


def test_variables_of_the_environment() -> None:
    script = "export A=1\nVLLM_USE_V1=1\nB=2 env C=3 vllm serve m\n"
    found = {v.argument: v.value for v in one(script).verdicts}
    assert found == {"A": "1", "B": "2", "C": "3"}
    assert verdicts(one("export A=1; unset A; vllm serve m")) == {}
    launch = one("export A=1\nssh h vllm serve m")
    assert verdicts(launch) == {}
    launch = one("A=1\ndocker run -e A -e B vllm/vllm-openai:v0.11.0 --model m", None)
    assert [(v.argument, v.value) for v in launch.verdicts[:2]] == [("A", "1"), ("B", "$B")]
    launch = one("docker run -e A=1 lmsysorg/sglang:v0.5.9 sglang serve --model-path m", None)
    assert verdicts(launch) == {"A": "accepted", "--model-path": "accepted"}


def test_each_launch_at_its_images_release() -> None:
    script = (
        "docker run vllm/vllm-openai:v0.11.0 --model a --moe-backend auto\n"
        "docker run mirror.org/vllm/vllm-openai:v0.20.1 b --moe-backend auto\n"
        "podman run lmsysorg/sglang:v0.5.9-cu130 sglang serve --model-path c\n"
        "apptainer exec docker://vllm/vllm-openai:v0.11.0 vllm serve d\n"
    )
    found = launches(script, None)
    assert [(x.engine, x.version, x.model, x.ok) for x in found] == [
        ("vllm", "0.11.0", "a", False),
        ("vllm", "0.20.1", "b", True),
        ("sglang", "0.5.9", "c", True),
        ("vllm", "0.11.0", "d", True),
    ]


def test_an_image_that_starts_the_server_itself() -> None:
    launch = one("docker run vllm/vllm-openai:v0.11.0 vllm serve m", None)
    assert not launch.ok
    assert launch.verdicts[0].argument == "vllm serve"
    assert "starts the server itself" in launch.verdicts[0].reason
    # Its entrypoint takes the model by itself only where it is `vllm serve`.
    assert not one("docker run vllm/vllm-openai:v0.8.5 m", None).ok
    assert one("docker run vllm/vllm-openai:v0.12.0 m", None).ok


def test_where_the_model_may_stand_by_itself() -> None:
    line = "python -m vllm.entrypoints.openai.api_server m"
    assert not one(line, "0.8.5").ok
    assert verdicts(one(line, "0.11.0")) == {"m": "no-effect"}
    assert not one("sglang serve m", "0.5.13").ok
    assert one("sglang serve m --model-type llm", "0.5.23").model == "m"
    assert one("vllm serve --model m").model == "m"


@pytest.mark.parametrize(
    ("line", "platform"),
    [
        ("docker run vllm/vllm-openai-rocm:v0.20.2 m --swap-space 4", "AMD"),
        (
            "docker run lmsysorg/sglang-rocm:v0.5.9-rocm700 sglang serve --model-path m --nosuch",
            "AMD",
        ),
        ("docker run vllm/vllm-openai-cpu:v0.20.2 m --swap-space 4", "a processor"),
        ("HIP_VISIBLE_DEVICES=0 vllm serve m --swap-space 4", "AMD"),
    ],
)
def test_other_platforms_are_judged_by_arguments_alone(line: str, platform: str) -> None:
    launch = one(line, None)
    assert launch.platform == platform and not launch.ok
    assert {note.code for note in launch.notes} <= {"other-platform", "newest-release"}
    assert "other-platform" in {note.code for note in launch.notes}


def test_an_image_that_others_publish_starts_what_it_is_told() -> None:
    launch = one(
        "docker run --device=/dev/kfd rocm/vllm:rocm6.3.1_vllm_0.8.5_20250513 vllm serve m", None
    )
    assert (launch.version, launch.model, launch.platform, launch.ok) == ("0.8.5", "m", "AMD", True)


def test_a_gpu_of_another_maker() -> None:
    launch = quantmap.check("vllm serve m", engine_version="0.22.0", gpu="MI300X")
    assert launch.platform == "AMD" and launch.ok
    jax = quantmap.check("python -m sgl_jax.launch_server --model-path m", gpu="TPU v6e")
    assert jax.platform is None


def test_a_nightly_image_is_judged_at_its_day() -> None:
    line = (
        "docker run lmsysorg/sglang:nightly-dev-20260605-3f2a91bc sglang serve --model-path m --x 1"
    )
    launch = one(line, None)
    assert launch.version == "0.5.12.post1" and launch.asked == "nightly-dev-20260605-3f2a91bc"
    assert set(verdicts(launch).values()) == {"assumed"} and launch.ok
    assert "image-of-a-day" in {note.code for note in launch.notes}


def test_no_engine_in_the_text() -> None:
    result = quantmap.check_script("echo hello; docker run my/image --gpus all m")
    assert result.launches == [] and result.ok
    assert [note.code for note in result.notes] == ["unknown-image"]
    with pytest.raises(quantmap.ConfigError, match="my/image"):
        quantmap.check("docker run my/image m")
    launch = quantmap.check("docker run --gpus all my/image m --dtype half", "vllm")
    assert (launch.model, launch.ok) == ("m", True)


def test_the_first_of_several_launches() -> None:
    result = quantmap.check("vllm serve a\nvllm serve b", engine_version="0.22.0")
    assert result.model == "a"
    assert "several-launches" in {note.code for note in result.notes}


def test_a_launch_that_cannot_be_judged_is_a_note() -> None:
    result = quantmap.check_script("true\ndocker run vllm/vllm-openai:v0.1.0 --model m")
    assert result.launches == []
    (note,) = result.notes
    assert (note.code, note.path) == ("version-too-old", "runtime_image_tag at line 2")


def test_what_a_line_says_wrongly_in_a_shell() -> None:
    result = quantmap.check_script("vllm serve m \\ \n  --port 1\n")
    assert [note.code for note in result.notes] == ["blank-after-backslash"]
    result = quantmap.check_script("vllm serve a\necho it's\nvllm serve b\n")
    assert [launch.model for launch in result.launches] == ["a", "b"]
    assert [note.code for note in result.notes] == ["invalid-command"]


def test_help_starts_nothing() -> None:
    launch = one("vllm serve m --help")
    assert launch.ok and "prints help" in launch.verdicts[0].reason


def test_limits() -> None:
    result = quantmap.check_script("vllm serve m\n" * 1200, "0.22.0")
    assert len(result.launches) == 1000
    assert "launches-left-out" in {note.code for note in result.notes}
    with pytest.raises(quantmap.ConfigError, match="bytes"):
        quantmap.check_script("#" * 8_000_001)


@pytest.mark.parametrize(
    "part",
    [
        "vllm serve m --nosuch 1 --kv-cache-dtype fp16\n",
        "A=$A$A\n",
        "export A$((i)) B=1\n",
        "if a; then A=1\n",
        "cat > f <<EOF\nx\nEOF\n",
        "echo $((\n",
        "((\n",
        "<a",
        "${A:-",
        "bash -c 'x y' ",
        "a\\\n",
        "\n",
        " \n",
        "FROM\n",
    ],
)
def test_a_megabyte_takes_less_than_a_second(part: str) -> None:
    text = "A=1\n" + part * (1_000_000 // len(part))
    begin = time.process_time()
    quantmap.check_script(text, "0.22.0")
    assert time.process_time() - begin < 1.0


@pytest.mark.parametrize("part", ["\n", "  A=1\n", "  A=1 B=2\n", "  vllm serve\n"])
def test_texts_in_data_are_searched_line_by_line(part: str) -> None:
    """What may cross lines takes the square of the text: minutes for this one."""
    text = "start_cmd: |\n" + part * (200_000 // len(part)) + "  vllm serve m/x --nosuch 1\n"
    begin = time.process_time()
    assert len(quantmap.check_script(text, "0.22.0").launches) >= 1
    assert time.process_time() - begin < 10.0


def test_words_of_a_list_are_literal_but_for_what_is_put_in() -> None:
    result = quantmap.check(
        ["vllm", "serve", "m", "--port", "$(PORT)", "a > b"], engine_version="0.22.0"
    )
    assert verdicts(result) == {"--port": "assumed", "a > b": "unknown-flag"}
    result = quantmap.check(["/bin/sh", "-c", "vllm serve m --port 1"], engine_version="0.22.0")
    assert (result.model, result.ok) == ("m", True)


def test_releases_of_images_are_known() -> None:
    newest = _core.releases("vllm")[-1]["version"]
    launch = one("docker run vllm/vllm-openai:latest m", None)
    assert launch.version == newest and launch.asked is None
    assert "newest-release" in {note.code for note in launch.notes}


def test_a_dash_of_printed_text_is_told() -> None:
    text = "vllm serve m \u2013port 1 \u2014dtype half"
    (launch,) = quantmap.check_script(text, "0.11.0").launches
    hints = [verdict.hint for verdict in launch.verdicts if verdict.refused]
    assert "write --port" in hints
    assert "write --dtype" in hints


def test_other_commands_of_a_launcher_are_no_models() -> None:
    text = "trtllm-serve disaggregated -c disagg.yaml --request_timeout 3"
    (launch,) = quantmap.check_script(text, "1.0.0").launches
    assert launch.model is None
    assert {verdict.verdict for verdict in launch.verdicts} == {"assumed"}
    assert any("disaggregated" in what for what, _ in launch.not_looked_at)
    assert [note.code for note in launch.notes if note.code == "file-not-read"]


def test_any_text_may_have_keys_behind_a_dot() -> None:
    text = "vllm serve m --hf-overrides.architectures '[\"A\"]' --port.a 3"
    (launch,) = quantmap.check_script(text, "0.11.0").launches
    assert [verdict.argument for verdict in launch.verdicts if verdict.refused] == ["--port.a"]


def test_refused_words_are_marked_in_their_line(capsys: pytest.CaptureFixture[str]) -> None:
    from quantmap.cli.underline import show_words

    text = "export A=1\nvllm serve m --kv-cache-dtype fp9 \\\n  --nosuch=1 --port 'abc' # \u202e\n"
    (launch,) = quantmap.check_script(text, "0.11.0").launches
    show_words(text, launch)
    shown = capsys.readouterr().out.splitlines()
    marked = [
        shown[row][place]
        for row in (0, 2)
        for place, letter in enumerate(shown[row + 1])
        if letter == "^"
    ]
    assert "".join(marked) == "fp9--nosuchabc"
    assert "\u202e" not in "".join(shown)
    show_words("x " * 400 + text.replace("export A=1\n", ""), launch.replace(line=1))
    assert all(len(line) <= 110 for line in capsys.readouterr().out.splitlines())
