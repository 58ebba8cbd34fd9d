"""What a script writes and hands on, the options it takes, and commands that start no server."""

from __future__ import annotations

import time

import pytest
import quantmap

pytest.importorskip("yaml")


def found(text: str) -> list[tuple[int, str, str | None]]:
    """Line, release and model of each launch."""
    launches = quantmap.check_script(text).launches
    return [(each.line, each.version, each.model) for each in launches]


def verdicts(text: str) -> dict[str, str]:
    """Argument → verdict, of the only launch of a script."""
    (launch,) = quantmap.check_script(text, "0.22.0").launches
    return {verdict.argument: verdict.verdict for verdict in launch.verdicts}


POD = """apiVersion: v1
kind: Pod
spec:
  containers:
  - image: vllm/vllm-openai:v0.11.0
    args: ["--model", "$MODEL", "--dtype", "half"]
"""


@pytest.mark.parametrize(
    ("script", "at"),
    [
        (f"cat <<EOF | kubectl apply -f -\n{POD}EOF\n", 6),
        (f"kubectl apply -f - <<EOF\n{POD}EOF\n", 6),
        (f"cat > pod.yaml <<EOF\n{POD}EOF\nkubectl apply -f pod.yaml\n", 6),
        (
            "cat > Dockerfile <<EOF\nFROM vllm/vllm-openai:v0.11.0\n"
            'CMD ["--model", "$MODEL"]\nEOF\n',
            3,
        ),
        ("cat > a.service <<EOF\n[Service]\nExecStart=vllm serve $MODEL\nEOF\n", 3),
        (
            "sudo tee a.service >/dev/null <<EOF\n[Service]\nExecStart=vllm serve $MODEL\nEOF\n",
            3,
        ),
        ("cat > start.sh <<EOF\nvllm serve $MODEL --port 1\nEOF\nchmod +x start.sh\n", 2),
        ("echo '#!/bin/sh' > a\necho vllm serve $MODEL --port 1 >> a\nscp a host:\n", 2),
    ],
)
def test_what_a_script_writes_is_looked_into(script: str, at: int) -> None:
    ((line, _, model),) = found(f"MODEL=my/model\n{script}")
    assert (line, model) == (at + 1, "my/model")


def test_a_script_that_is_written_and_run_is_one_launch() -> None:
    text = "cat > a.sh <<'EOF'\nvllm serve m --port 1\nEOF\nbash a.sh\n"
    assert [line for line, *_ in found(text)] == [2]
    assert found("#!/bin/sh\ncat > page.md <<E\n```\nvllm serve m --port 1\n```\nE\n") == []


def test_files_of_arguments_are_filled_in_as_a_shell_would() -> None:
    body = "model: $M\ntensor-parallel-size: ${TP}\nkv-cache-dtype: $KV\nmax-model-len: ${L:-8k}\n"
    launch = "vllm serve --config c.yaml"
    told = verdicts(f"M=a/b\nTP=2\ncat > c.yaml <<EOF\n{body}EOF\n{launch}")
    assert told["tensor-parallel-size"] == told["max-model-len"] == "accepted"
    assert told["kv-cache-dtype"] == "assumed"  # nobody says what it is
    (known,) = quantmap.check_script(f"M=a/b\ncat > c.yaml <<EOF\n{body}EOF\n{launch}").launches
    assert known.model == "a/b"
    told = verdicts(f"TP=2\ncat > c.yaml <<'EOF'\n{body}EOF\n{launch}")
    assert told["tensor-parallel-size"] == "value-not-accepted"  # as written


def test_settings_that_a_shell_fills_in_meet_no_rule() -> None:
    def ask(dtype: str) -> bool:
        text = f"cat > o.yml <<EOF\nkv_cache_config:\n  dtype: {dtype}\nEOF\n"
        line = "trtllm-serve m --extra_llm_api_options o.yml"
        (launch,) = quantmap.check_script(text + line, "1.3.0rc3", "A100").launches
        return launch.ok

    assert ask("$KV")
    assert not ask("nvfp4")


def test_many_launches_of_one_long_file_cost_one_reading() -> None:
    text = f"cat > c.yaml <<E\nx: {'y' * 400_000}\nE\n" + "vllm serve --config c.yaml\n" * 500
    begin = time.process_time()
    assert len(quantmap.check_script(text).launches) == 500
    assert time.process_time() - begin < 2
    pods = f"cat <<E | kubectl apply -f -\n{POD}E\n" * 3_000
    begin = time.process_time()
    result = quantmap.check_script(pods)
    assert time.process_time() - begin < 3
    assert len(result.launches) == 1_000
    assert [note.code for note in result.notes] == ["launches-left-out"]
    again = "cat > a.sh <<E\n" + "true\n" * 60_000 + "E\n" + "bash a.sh\n" * 30_000
    begin = time.process_time()
    quantmap.check_script(again)
    assert time.process_time() - begin < 3


OPTIONS = """MODEL=a/b
TP=2
KV=
while [ $# -gt 0 ]; do
  case $1 in
    --model) MODEL=$2; shift 2;;
    --tp=*) TP="${1#*=}"; shift;;
    --kv) KV="$2"; shift 2;;
    --eager) EAGER=--enforce-eager; shift;;
  esac
done
vllm serve "$MODEL" -tp $TP --kv-cache-dtype $KV $EAGER --port 1
"""


@pytest.mark.parametrize(
    "script",
    [
        OPTIONS,
        OPTIONS.replace("while", "parse() { while").replace("done", 'done\n}\nparse "$@"'),
        "MODEL=a/b; TP=2; while getopts m:t: o; do case $o in m) MODEL=$OPTARG;; t) TP=$OPTARG;;\n"
        "esac; done\nvllm serve $MODEL -tp $TP --kv-cache-dtype $KV --port 1\n",
        'MODEL=a/b; TP=2; [ -n "$1" ] && MODEL=$1; if [ $2 ]; then TP=$2; fi\n'
        "vllm serve $MODEL -tp $TP --kv-cache-dtype $KV --port 1\n",
    ],
)
def test_defaults_stand_where_a_script_takes_options(script: str) -> None:
    assert {"-tp": "assumed", "--kv-cache-dtype": "assumed", "--port": "accepted"}.items() <= (
        verdicts(script).items()
    )
    (launch,) = quantmap.check_script(script).launches
    assert launch.model == "a/b"
    given = {verdict.argument: verdict for verdict in launch.verdicts}
    assert (given["-tp"].value, given["-tp"].reason) == (
        "2",
        "the script's own value: whoever starts it may give another",
    )


def test_a_default_that_is_refused_is_refused_still() -> None:
    text = 'KV=fp9\nif [ "$1" ]; then KV=$1; fi\nvllm serve m --kv-cache-dtype $KV\n'
    assert verdicts(text) == {"--kv-cache-dtype": "value-not-accepted"}


@pytest.mark.parametrize(
    ("command", "code", "says"),
    [
        ("vllm --version", "prints-only", "'vllm --version' of vLLM prints"),
        ("sglang version", "prints-only", "'sglang version' of SGLang prints"),
        ("vllm", "prints-only", "'vllm' of vLLM prints"),
        ("docker run --entrypoint vllm vllm/vllm-openai --help", "prints-only", "'vllm --help'"),
        ("python3 -m sglang.bench_serving --port 1", "other-command", "-m sglang.bench_serving'"),
        ("vllm bench serve --model m", "other-command", "'vllm bench' is a command of vLLM"),
        ("trtllm-bench --model m throughput", "other-command", "'trtllm-bench' is a command"),
        ("vllm-omni serve m", "other-command", "'vllm-omni serve' is a command of vllm-omni"),
        ("python -c 'import vllm; print(vllm.__version__)'", "engine-named-only", "line 1"),
        ("cat vllm", "engine-named-only", "line 1"),
    ],
)
def test_commands_that_start_no_server_are_named(command: str, code: str, says: str) -> None:
    result = quantmap.check_script(command)
    ((note),) = result.notes
    assert (result.launches, note.code) == ([], code)
    assert says in note.message
    assert quantmap.check_script(f"{command}\nvllm serve m --port 1").notes == []


def test_an_image_in_a_file() -> None:
    run = "apptainer exec --nv $SIF vllm serve m --port 1\n"
    pull = "SIF=$HOME/v.sif\napptainer pull $SIF docker://vllm/vllm-openai:v0.11.0\n"
    assert found(pull + run) == [(3, "0.11.0", "m")]
    by_default = "singularity pull docker://vllm/vllm-openai:v0.11.0\nSIF=vllm-openai_v0.11.0.sif\n"
    assert found(by_default + run) == [(3, "0.11.0", "m")]
    inside = run.replace("vllm serve m", "bash -c 'vllm serve m").replace("1\n", "1'\n")
    assert found(pull + inside) == [(3, "0.11.0", "m")]
    page = f"```\n{pull}```\n\n```sh\n{run}```\n"
    assert found(page) == [(7, "0.11.0", "m")]


def test_units_and_dockerfiles_are_what_says_so_itself() -> None:
    unit = "[Service]\nExecStart=vllm serve m --port 1\n"
    assert found(f"Text\n\n```ini\n{unit}```\n\n```sh\nvllm serve n --port 1\n```\n") == [
        (5, "0.33.0", "m"),
        (9, "0.33.0", "n"),
    ]
    python = 'from a.b import c\ncmd = ["vllm", "serve", "m", "--port", "1"]\nsubprocess.run(cmd)\n'
    assert [model for *_, model in found(python)] == ["m"]
    ((_, version, model),) = found("curl localhost:80\n\n" + POD)
    assert (version, model) == ("0.11.0", None)


def test_manifests_in_the_code_of_a_page_are_no_data_behind_a_script() -> None:
    values = (
        "modelSpec:\n- name: a\n  repository: vllm/vllm-openai\n  tag: v0.11.0\n  modelURL: m\n"
    )
    page = f"Text\n\n```yaml\n{values}```\n\n```yaml\napiVersion: v1\nkind: Service\n```\n"
    assert [model for *_, model in found(page)] == ["m"]


def test_what_documentation_leaves_out_is_any_number_of_arguments() -> None:
    for words in ("[options]", "[OPTIONS] --port 1", "... --port 1"):
        told = verdicts(f"vllm serve m {words}")
        assert set(told.values()) <= {"assumed", "accepted"}, words


def test_functions_that_call_each_other_over_and_over_end() -> None:
    """Each script inside of the script had calls of its own to spend: this was read for minutes."""
    script = (
        'f() { trtle $ $2}; "f() { f(A2}; "f() { f(A=1 vllm serve m --p\x19\0 fp8"(f) u I\0\0\x008'
    )
    found = quantmap.check_script(script + '"(f) | n ')
    assert 0 < len(found.launches) <= 1000
