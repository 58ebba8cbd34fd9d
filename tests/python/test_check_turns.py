"""Launches that loops, matrices, tables and settings give their values; each value is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import CheckResult, check_script

IMAGE = "vllm/vllm-openai:v0.9.1"


def values(text: str, flag: str = "--kv-cache-dtype") -> list[tuple[str, bool]]:
    """What each launch gives a flag, and whether that is refused."""
    return [
        (verdict.value, verdict.refused)
        for launch in check_script(text).launches
        for verdict in launch.verdicts
        if verdict.canonical == flag
    ]


def only(text: str) -> CheckResult:
    (launch,) = check_script(text).launches
    return launch


def told(launch: CheckResult) -> dict[str, Any]:
    return {verdict.argument: verdict for verdict in launch.verdicts}


def test_each_turn_of_a_loop_is_a_launch() -> None:
    text = "for kv in fp8 auto fp9; do\n  vllm serve org/a --kv-cache-dtype $kv\ndone\n"
    assert values(text) == [("fp8", False), ("auto", False), ("fp9", True)]
    assert [launch.line for launch in check_script(text).launches] == [2, 2, 2]
    nested = (
        "for kv in fp8 fp9; do for q in awq gptq; do vllm serve a/b --kv-cache-dtype $kv "
        "--quantization $q; done; done; vllm serve a/b --kv-cache-dtype $kv"
    )
    assert [value for value, _ in values(nested)] == ["fp8", "fp8", "fp9", "fp9", "$kv"]


def test_a_loop_over_what_is_not_known_or_over_many_stays_open() -> None:
    for items in ("$ALL", " ".join(f"v{n}" for n in range(20))):
        text = f"for kv in {items}; do vllm serve org/a --kv-cache-dtype $kv; done"
        (verdict,) = only(text).verdicts
        assert verdict.verdict == "assumed"
    many = "for a in 1 2 3 4 5 6 7 8; do\n" + "vllm serve m --port $a\n" * 50 + "done\n"
    assert 50 < len(check_script(many).launches) < 200


@pytest.mark.parametrize(
    ("before", "item", "value"),
    [
        ("declare -A KV=([a]=fp8 [b]=fp9)", "${KV[b]}", "fp9"),
        ('declare -A KV=(["a"]="fp8")', "${KV['a']}", "fp8"),
        ("KV=(fp8 fp9)", "${KV[1]}", "fp9"),
        ("KV=()\nKV[a]=fp8\nKV[a]=fp9", '"${KV[a]}"', "fp9"),
    ],
)
def test_an_item_of_an_array_is_its_value(before: str, item: str, value: str) -> None:
    text = f"{before}\nvllm serve org/a --kv-cache-dtype {item}\n"
    assert values(text) == [(value, value == "fp9")]


@pytest.mark.parametrize(
    ("before", "item"),
    [
        ("KV=([a]=fp8)", "${KV[c]}"),
        ("KV=(fp8)", "${KV[7]}"),
        ("KV=([a]=fp8)\nKV[$i]=fp9", "${KV[a]}"),
        ("KV=(fp8)", "${KV[$i]}"),
    ],
)
def test_an_item_that_is_not_known_is_assumed(before: str, item: str) -> None:
    (verdict,) = only(f"{before}\nvllm serve org/a --kv-cache-dtype {item}\n").verdicts
    assert verdict.verdict == "assumed"


def workflow(matrix: str, *steps: str) -> str:
    rows = "".join(f"      - run: {step}\n" for step in steps)
    return f"jobs:\n  a:\n    strategy:\n      matrix:\n{matrix}    steps:\n{rows}"


def test_a_matrix_gives_a_step_each_of_its_values() -> None:
    text = workflow(
        "        kv: [fp8, fp9]\n        version: ['0.9.1']\n",
        "pip install vllm==${{ matrix.version }}",
        "vllm serve a/b --kv-cache-dtype ${{ matrix.kv }}",
    )
    found = check_script(text).launches
    assert [(one.version, one.line) for one in found] == [("0.9.1", 9), ("0.9.1", 9)]
    assert values(text) == [("fp8", False), ("fp9", True)]


def test_a_matrix_includes_rows_and_parts() -> None:
    text = workflow(
        "        include:\n          - {kv: fp9, port: 1}\n          - {kv: auto}\n",
        "vllm serve a/b --kv-cache-dtype ${{ matrix.kv }} --port ${{ matrix.port }}",
    )
    assert values(text) == [("fp9", True), ("auto", False)]
    parts = workflow(
        "        model: [{id: a/b, kv: fp9}]\n",
        "vllm serve ${{ matrix.model.id }} --kv-cache-dtype ${{ matrix.model.kv }}",
    )
    assert (only(parts).model, values(parts)) == ("a/b", [("fp9", True)])
    other = workflow("        kv: ${{ fromJSON(x) }}\n", "vllm serve a/b --dtype ${{ matrix.kv }}")
    assert only(other).verdicts[0].verdict == "assumed"


def test_a_justfile_fills_in_its_settings() -> None:
    text = (
        'model := "org/a"\nkv := \'fp9\'\n\nserve port="8001": check\n'
        "    @vllm serve {{model}} --kv-cache-dtype {{ kv }} --port {{port}}\n"
    )
    launch = only(text)
    assert (launch.model, launch.line) == ("org/a", 5)
    assert told(launch)["--kv-cache-dtype"].refused and told(launch)["--port"].value == "8001"


def test_a_definition_of_a_makefile_is_called() -> None:
    text = (
        "define SERVE\nvllm serve $(MODEL) --kv-cache-dtype $(1)\nendef\n\nMODEL := org/a\n"
        "run:\n\t@$(call SERVE,fp9)\n"
    )
    assert (only(text).model, values(text)) == ("org/a", [("fp9", True)])


def test_a_unit_has_comments_among_its_words() -> None:
    text = (
        "[Service]\nExecStart=/v/vllm serve a/b \\\n# why\n  --kv-cache-dtype fp9 \\\n; b\n"
        "  --port 1\n"
    )
    assert [v.argument for v in only(text).verdicts] == ["--kv-cache-dtype", "--port"]


def test_a_program_of_supervisor_has_comments_and_lists() -> None:
    text = (
        "[program:a]\ncommand=vllm serve a/b --port 1 ; the port\n"
        'environment=VLLM_USE_V1="1",HF_HOME="/a,b",\n    CUDA_VISIBLE_DEVICES="0,1"\n'
    )
    given = {name: verdict.value for name, verdict in told(only(text)).items()}
    assert given == {
        "VLLM_USE_V1": "1",
        "HF_HOME": "/a,b",
        "CUDA_VISIBLE_DEVICES": "0,1",
        "--port": "1",
    }


def test_a_manifest_writes_two_signs_for_one() -> None:
    text = (
        f"apiVersion: v1\nspec:\n  containers:\n  - image: {IMAGE}\n"
        "    env: [{name: Q, value: fp8}]\n"
        '    args: ["--model", "a/b", "--served-model-name", "$$(Q)", "--quantization", "$(Q)"]\n'
    )
    found = told(only(text))
    assert found["--served-model-name"].value == "$(Q)"
    assert found["--quantization"].value == "fp8"


def test_an_item_of_a_list_is_one_word() -> None:
    text = f"containers:\n- image: {IMAGE}\n  args:\n  - --model a/b\n  - --kv-cache-dtype fp9\n"
    for verdict in only(text).verdicts:
        assert verdict.verdict == "unknown-flag" and "one word" in verdict.reason


def test_compose_drops_a_backslash_in_double_quotes() -> None:
    text = (
        f'services:\n  a:\n    image: {IMAGE}\n    entrypoint: /bin/sh -c "vllm serve a/b \\\n'
        '      --port 1"\n'
    )
    assert [v.argument for v in only(text).verdicts] == ["--port"]


def test_a_file_of_arguments_meets_its_model_and_the_line(tmp_path: Path) -> None:
    path = tmp_path / "cfg.yaml"
    path.write_text("model: Qwen/Qwen2.5-7B-Instruct\ntensor-parallel-size: 3\n")
    launch = quantmap.check(["vllm", "serve", "--config", str(path)])
    assert told(launch)["tensor-parallel-size"].verdict == "refused-at-start"
    path.write_text("model: Qwen/Qwen2.5-7B-Instruct\n")
    launch = quantmap.check(["vllm", "serve", "--config", str(path), "-tp", "3"])
    assert told(launch)["-tp"].verdict == "refused-at-start"


def test_the_demo_server_takes_no_argument_of_the_other_one() -> None:
    text = "pip install vllm==0.6.3; python -m vllm.entrypoints.api_server --model a/b"
    assert only(f"{text} --ssl-keyfile k --log-level debug").ok
    assert not only(f"{text} --api-key k").ok


def test_an_image_that_only_its_command_tells_of_is_assumed() -> None:
    text = "docker run --entrypoint vllm my/image:1 serve a/b --kv-cache-dtype fp9"
    launch = only(text)
    assert launch.ok and launch.asked == "my/image:1"
    assert "image-by-name" in {note.code for note in launch.notes}
