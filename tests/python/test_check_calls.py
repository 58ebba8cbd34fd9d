"""Launches in functions and branches of scripts, and in texts that others than a shell fill in."""

from __future__ import annotations

import pytest
import quantmap


def launches(text: str, **ground: str) -> list[tuple[int, str | None, dict[str, str]]]:
    """Line, model and verdicts of each launch."""
    return [
        (found.line, found.model, {v.argument: v.verdict for v in found.verdicts})
        for found in quantmap.check_script(text, "0.22.0", **ground).launches
    ]


def test_a_function_is_read_with_the_words_of_each_call() -> None:
    text = """
serve() {
  local name=$1 port=$2
  shift 2
  vllm serve "$name" --port "$port" "$@" &
}
serve org/a 1 --dtype half
serve org/b 2
"""
    assert launches(text) == [
        (5, "org/a", {"--port": "accepted", "--dtype": "accepted"}),
        (5, "org/b", {"--port": "accepted"}),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f() { vllm serve org/a; }", [(1, "org/a", {})]),  # nothing calls it here
        ("function f { vllm serve $1; }\nmain() { f org/a; }\nmain", [(1, "org/a", {})]),
        ('run() { echo + $*; "$@"; }\nrun vllm serve org/a', [(1, "org/a", {})]),
        ("say() { echo $1; }\nsay vllm serve org/a", [(2, "org/a", {})]),
        ("f() { f; vllm serve org/a; }\nf", None),
        ("f() { vllm serve $1 --port ${2:-7}; }\nf org/a", [(1, "org/a", {"--port": "accepted"})]),
        ("f() { vllm serve $M; }\nM=org/b f", [(1, "org/b", {"M": "accepted"})]),
    ],
)
def test_functions(text: str, expected: list[object] | None) -> None:
    found = launches(text)
    assert found and (expected is None or found == expected)


def test_calls_that_call_each_other_end() -> None:
    text = "".join(f"f{n}() {{ f{n + 1}; f{n + 1}; f{n + 1}; }}\n" for n in range(30))
    assert launches(text + "f30() { vllm serve org/a; }\nf0\n")


def test_a_command_in_a_variable_that_branches_add_to() -> None:
    text = """
CMD="vllm serve org/a \\
  --port 1"
[ -n "$H" ] && CMD+=" --host $H"
if [ "$Q" = 1 ]; then CMD="$CMD --dtype half"; fi
exec $CMD
"""
    ((line, model, verdicts),) = launches(text)
    assert (line, model) == (6, "org/a")
    assert verdicts == {"--port": "accepted", "$CMD": "assumed", **BRANCHES}


BRANCHES = {"--host": "assumed", "--dtype": "assumed"}
SHARED = {"gpu": "H100", "checkpoint": "MiniMaxAI/MiniMax-M2.5"}  # experts of 1,536, blocks of 128


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("vllm serve m -tp 8", "refused-at-start"),
        ("vllm serve m -tp 8 $MORE", "assumed"),
        ('vllm serve m -tp 8 "${MORE[@]}"', "assumed"),
        ("vllm serve m -tp 7 $MORE", "refused-at-start"),  # no argument helps 48 heads over 7
        (
            'if a; then E=" --enable-expert-parallel"; else E=" "; fi; vllm serve m -tp 8 $E',
            "accepted",
        ),
        ('A=(-tp 8); [ a ] && A+=(--enable-expert-parallel); vllm serve m "${A[@]}"', "accepted"),
        ('A=(-tp 8); [ a ] && A+=(--port 1); vllm serve m "${A[@]}"', "assumed"),
    ],
)
def test_what_an_unread_argument_could_change_is_not_certain(text: str, size: str) -> None:
    ((_, _, verdicts),) = launches(text, **SHARED)
    assert verdicts["-tp"] == size


def test_what_a_branch_adds_is_judged_and_refuses_nothing() -> None:
    text = 'E=""; if a; then E="--kv-cache-dtype fq8 --nope"; fi; vllm serve m --port 1 $E'
    (found,) = quantmap.check_script(text, "0.22.0").launches
    told = {verdict.argument: verdict for verdict in found.verdicts}
    assert found.ok and told["--kv-cache-dtype"].hint == "did you mean 'fp8'?"
    assert told["--nope"].reason.startswith("a branch of the script adds it: ")
    assert told["--port"].verdict == "accepted"


def test_branches_of_branches_end() -> None:
    text = "".join(
        f'if a; then V{n + 1}=("${{V{n}[@]}}" --port {n}); else V{n + 1}=("${{V{n}[@]}}"); fi\n'
        for n in range(40)
    )
    assert launches(text + 'vllm serve org/a "${V40[@]}"\n')


def test_each_command_that_branches_choose_between() -> None:
    text = """
if [ $# = 0 ]; then RUN="vllm serve org/a"; else RUN="vllm serve org/b"; fi
eval "$RUN" --port 7
"""
    assert launches(text) == [
        (3, "org/a", {"--port": "accepted"}),
        (3, "org/b", {"--port": "accepted"}),
    ]


@pytest.mark.parametrize(
    "word",
    ["__PORT__", "%PORT%", "<0.8-0.9>", "{your port}", "$env:PORT", "{{ .Values.port }}"],
)
def test_what_others_fill_in_is_assumed(word: str) -> None:
    ((_, model, verdicts),) = launches(f"vllm serve org/a --port {word} --dtype half")
    assert (model, verdicts) == ("org/a", {"--port": "assumed", "--dtype": "accepted"})


def test_a_template_behind_a_flag() -> None:
    text = "vllm serve org/a --trust-remote-code{{- if .Values.x }} --no-{{ .flag }} 3 --dtype half"
    ((_, _, verdicts),) = launches(text)
    assert verdicts["--dtype"] == "accepted"
    assert set(verdicts.values()) == {"accepted", "assumed"}


def test_numbers_with_blanks_that_python_passes_over() -> None:
    ((_, _, verdicts),) = launches("vllm serve org/a --max-model-len 4096\u00a0 --seed 1\u3000")
    assert verdicts == {"--max-model-len": "accepted", "--seed": "accepted"} or (
        list(verdicts.values()) == ["accepted", "accepted"]
    )
    ((_, _, verdicts),) = launches("vllm serve org/a --max-model-len 4\u00a0096")
    assert verdicts == {"--max-model-len": "value-not-accepted"}


def test_a_comment_behind_a_backslash_is_one_row() -> None:
    text = "vllm serve org/a --port 1 \\  # the door of it\n  --dtype half\n"
    (found,) = quantmap.check_script(text, "0.22.0").launches
    refused = [verdict for verdict in found.verdicts if verdict.refused]
    assert len(refused) == 1 and "backslash" in refused[0].reason


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("git clone https://github.com/someone/vllm-fork\nvllm serve org/a", "someone/vllm-fork"),
        ("pip install git+https://github.com/a/vllm.git@x\nvllm serve org/a", "a/vllm@x"),
        ("pip install git+https://github.com/vllm-project/vllm\nvllm serve m", "vllm-project/vllm"),
        ("pip install ./my_vllm-*.whl\nvllm serve org/a", "my-vllm"),
        ("git clone https://github.com/vllm-project/vllm\nvllm serve org/a", None),
        ("pip install git+https://github.com/vllm-project/vllm-omni\nvllm serve org/a", None),
        ("pip install x/vllm_ascend-0.9.1-py3.whl\nvllm serve org/a", None),
    ],
)
def test_sources_that_are_no_release(text: str, asked: str | None) -> None:
    (found,) = quantmap.check_script(text + " --dtype fp9").launches
    assert found.asked == asked
    assert found.ok == (asked is not None)
    assert ("built-from-sources" in {note.code for note in found.notes}) == (asked is not None)


@pytest.mark.parametrize(
    ("image", "version", "asked"),
    [
        ("ghcr.io/llm-d/llm-d-cuda:v0.6.0", None, "v0.6.0"),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.8.0", None, "0.8.0"),
        ("nvcr.io/nvidia/vllm:25.09-py3", "0.10.1.1", "25.09-py3"),
        ("quay.io/ascend/vllm-ascend:v0.11.0rc1-a3", "0.11.0", "v0.11.0rc1-a3"),
        ("reg.io/x/vllm-openai:v0.8.5.self.post1", "0.8.5", "v0.8.5.self.post1"),
        ("reg.io/x/vllm:0.11.0", "0.11.0", None),
        ("reg.io/x/vllm-cu128:nixl-0.7.1", None, "nixl-0.7.1"),
        ("rocm/vllm:rocm6.2_py3.9_vllm_0.6.4", "0.6.4", None),
        ("python:3.12", None, None),
    ],
)
def test_tags_of_images(image: str, version: str | None, asked: str | None) -> None:
    newest = quantmap.check("vllm serve m").version
    (found,) = quantmap.check_script(f"docker run {image} vllm serve org/a").launches
    assert (found.version, found.asked) == (version or newest, asked)
    goes_on = image.endswith(("-a3", ".post1"))
    assert ("image-of-others" in {note.code for note in found.notes}) == goes_on


@pytest.mark.parametrize("piece", ["(", "[[ "])
def test_tests_that_nothing_closes_are_told_once(piece: str) -> None:
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.check(piece * 100_000, "vllm", "0.22.0")
    told = [problem for problem in caught.value.diagnostics if "never closed" in problem.message]
    assert len(told) == 1
