"""`why`: from a log to the message, the argument, the change and the release."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import quantmap
from quantmap import _core, why
from quantmap.log_reader import call_arguments, find_failures, launch_blocks
from quantmap.messages import Message, messages_of

VLLM_BOOT = """\
INFO 09-12 10:00:01 [api_server.py:1896] vLLM API server version 0.10.2
INFO 09-12 10:00:01 [utils.py:328] non-default args: {'model_tag': 'org/m', 'model': 'org/m', \
'max_model_len': 100000, 'kv_cache_dtype': 'fp8', 'enable_prefix_caching': True}
(EngineCore_DP0 pid=272) ERROR 09-12 10:01:22 [core.py:718] Traceback (most recent call last):
(EngineCore_DP0 pid=272) ERROR 09-12 10:01:22 [core.py:718]   File "/usr/lib/vllm/v1/core/\
kv_cache_utils.py", line 683, in check_enough_kv_cache_memory
(EngineCore_DP0 pid=272) ERROR 09-12 10:01:22 [core.py:718]     raise ValueError(
(EngineCore_DP0 pid=272) ERROR 09-12 10:01:22 [core.py:718] ValueError: To serve at least one \
request with the models's max seq len (100000), (13.73 GiB KV cache is needed, which is larger \
than the available KV cache memory (5.02 GiB). Based on the available memory, the estimated \
maximum model length is 36544. Try increasing `gpu_memory_utilization` or decreasing \
`max_model_len` when initializing the engine.
(APIServer pid=1) RuntimeError: Engine core initialization failed. See root cause above. \
Failed core proc(s): {}
"""


def explained(text: str, **ground: str) -> quantmap.WhyResult:
    found = why(text, **ground)
    assert found is not None, text
    return found


def test_a_boot_log_is_followed_to_message_argument_and_value() -> None:
    found = explained(VLLM_BOOT)
    assert (found.engine, found.version, found.error) == ("vllm", "0.10.2", "ValueError")
    assert found.template is not None
    assert found.template.startswith("To serve at least one request")
    assert found.source == (
        "vllm 0.12.0: vllm/v1/core/kv_cache_utils.py, check_enough_kv_cache_memory"
    )
    assert found.condition == "needed_memory > available_memory"
    assert found.arguments[:2] == ["--max-model-len", "--gpu-memory-utilization"]
    assert found.launch[:3] == ["org/m", "--max-model-len", "100000"]
    assert found.change == "write --max-model-len 36544"
    assert found.line == 6
    assert found


@pytest.mark.parametrize(
    ("launch", "told", "version", "flag", "change", "fixed"),
    [
        (
            "vllm serve m --kv-cache-dtype fp9",
            "vllm: error: argument --kv-cache-dtype: invalid choice: 'fp9' (choose from 'auto')",
            "0.11.0",
            "--kv-cache-dtype",
            "write --kv-cache-dtype fp8",
            None,
        ),
        (
            "vllm serve m --attention-backend FLASH_ATTN",
            "vllm: error: unrecognized arguments: --attention-backend",
            "0.11.0",
            "--attention-backend",
            "leave out --attention-backend",
            "0.13.0",
        ),
        (
            "python -m vllm.entrypoints.openai.api_server --model m --block-size 48",
            "api_server.py: error: argument --block-size: invalid choice: 48 (choose from 8, 16)",
            "0.11.0",
            "--block-size",
            "write --block-size 32",
            "0.18.0",
        ),
        (
            "vllm serve m --port abc",
            "vllm serve: error: argument --port: invalid int value: 'abc'",
            "0.33.0",
            "--port",
            "leave out --port",
            None,
        ),
    ],
)
def test_what_a_parser_refuses(
    launch: str, told: str, version: str, flag: str, change: str, fixed: str | None
) -> None:
    found = explained(f"root@box:/w# {launch}\nusage: x [-h]\n{told}\n", engine_version=version)
    assert (found.error, found.arguments[0], found.change) == ("", flag, change)
    assert found.fixed_in == fixed
    assert found.certain
    assert found.rule
    assert found.evidence


def test_a_parsers_message_is_enough_without_the_command() -> None:
    found = explained(
        "launch_server.py: error: argument --kv-cache-dtype: invalid choice: 'int8'",
        engine="sglang",
        engine_version="0.5.6",
    )
    assert found.launch == ["--kv-cache-dtype", "int8"]
    assert "int8" in found.rule


def test_a_rule_is_told_with_what_the_log_says_and_a_change_that_no_rule_refuses() -> None:
    text = (
        "$ vllm serve m --quantization fp8 --kv-cache-dtype auto\n"
        "pydantic_core.ValidationError: 1 validation error for ModelConfig\n"
        "  Value error, Quantization method specified in the model config (awq) does not match "
        "the quantization method specified in the `quantization` argument (fp8). "
        "[type=value_error, input_value=ArgsKwargs((), {'stream_interval': 1})]\n"
    )
    found = explained(text, engine_version="0.11.0", model_quantization="awq")
    assert found.template is not None and "does not match" in found.template
    assert found.arguments[0] == "--quantization"
    assert "--stream-interval" not in found.arguments
    assert found.change == "leave out --quantization"
    assert found.certain


def test_the_root_cause_comes_before_what_it_brings_down() -> None:
    wrapped = "RuntimeError: Engine core initialization failed. See root cause above. Failed: {}\n"
    cause = "ValueError: Invalid kv_cache_dtype: 'x'. Valid values are: ['auto', 'fp8']\n"
    for text in (cause + wrapped, wrapped + cause):
        found = explained(text, engine="vllm", engine_version="0.33.0")
        assert found.arguments[0] == "--kv-cache-dtype", text


def test_an_error_that_nobody_knows_is_told_with_its_place() -> None:
    text = (
        '  File "/usr/lib/python3/dist-packages/vllm/v1/worker/w.py", line 3, in load\n'
        "TypeError: nobody ever wrote this sentence into a server\n"
    )
    found = explained(text)
    assert not found
    assert (found.engine, found.source) == ("vllm", "vllm/v1/worker/w.py, load")
    assert why("INFO all is well\n") is None


def test_prefixes_of_loggers_containers_and_ranks_are_no_part_of_a_message() -> None:
    for prefix in (
        "",
        "[rank0]: ",
        "(Worker_TP0 pid=77) ",
        "server-1  | ",
        "2026-11-28T10:00:00.123Z ",
        "[2026-11-28 10:00:00 TP0] ",
        "ERROR 11-28 10:00:00 [core.py:718] ",
        "(EngineCore pid=3) ERROR 11-28 10:00:00 [core.py:718] ",
    ):
        (found,) = find_failures(f"{prefix}ValueError: a thing is wrong")
        assert (found.kind, found.text) == ("ValueError", "a thing is wrong"), prefix


def test_arguments_are_read_from_what_python_shows() -> None:
    text = "x args: {'a': 'b, c', 'd': {'e': [1, 2]}, 'f': <Kind.G: 'g'>, 'h': None, 'i': 3}"
    found = call_arguments(text, ["args: {"])
    assert found == {
        "a": "'b, c'",
        "d": "{'e': [1, 2]}",
        "f": "<Kind.G: 'g'>",
        "h": "None",
        "i": "3",
    }
    assert call_arguments("Args(a='x', b=2)", ["Args("]) == {"a": "'x'", "b": "2"}
    assert call_arguments("Args(a='x", ["Args("]) == {"a": "'x"}
    assert call_arguments("nothing", ["Args("]) == {}


def test_an_assertion_without_words_is_told_by_what_it_asserts() -> None:
    text = (
        '  File "/usr/lib/sglang/srt/server_args.py", line 1498, in _handle_data_parallelism\n'
        "    assert self.tp_size % self.dp_size == 0\n"
        "           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n"
        "AssertionError\n"
    )
    found = explained(text, engine_version="0.5.6")
    assert (found.engine, found.message) == ("sglang", "assert self.tp_size % self.dp_size == 0")
    assert found.arguments[:2] == ["--tp-size", "--dp-size"]
    assert found.template == "assert self.tp_size % self.dp_size == 0"


def test_commands_are_found_behind_prompts_and_over_lines() -> None:
    text = "user@host:~$ vllm serve m \\\n  --port 1\nINFO vllm serve is up"
    assert launch_blocks(text, ["vllm serve"])[0] == "vllm serve m \\\n  --port 1"


@pytest.mark.parametrize("engine", [row["id"] for row in _core.engines()])
def test_every_message_is_found_again_by_what_it_says(engine: str) -> None:
    """Filled in with anything, a message is recognised, as itself or as one that says the same."""
    messages = messages_of(engine)
    if messages is None:
        return
    document = json.loads(_core.messages(engine))
    missed = []
    rows = list(zip(*document["messages"]))
    for row in rows:
        release = messages.number(row[5])
        said = row[0].format(*["17"] * 40)
        (failure,) = find_failures(f"{row[1] if 'Error' in row[1] else 'ValueError'}: {said}") or [
            None
        ]
        if failure is None or messages.find(failure, release) is None:
            missed.append(row[0])
    assert len(missed) <= len(rows) // 50, missed[:5]


def test_braces_of_a_message_are_told_from_its_places() -> None:
    row = ["No backend does it. Reasons: {{{}}}, {}.", "ValueError", "p.py, f", "", [], "1.0", ""]
    message = Message(row, {"1.0": 0})
    assert message.pieces == ["No backend does it. Reasons: {", "}, ", "."]
    assert message.reach("No backend does it. Reasons: {FAST: [a]}, b. And more") == (True, 34)
    assert message.reach("No backend does it. Reasons: FAST, b.") == (False, 0)


def test_a_template_is_known_by_words_enough_of_its_own() -> None:
    def reach(template: str, text: str) -> tuple[bool, int]:
        return Message([template, "ValueError", "p.py, f", "", [], "1.0", ""], {"1.0": 0}).reach(
            text
        )

    assert reach("{} is not supported yet.", "This is not supported yet.") == (True, 22)
    assert reach("{} is not supported yet.", f"{'a' * 60} is not supported yet.") == (False, 0)
    assert reach("This cannot be loaded: {}", f"This cannot be loaded: {'a' * 900}") == (True, 23)
    long = "The first sentence of it, which is known. {} Then a second: {}"
    assert reach(long, "The first sentence of it, which is known. But cut") == (False, 42)
    assert reach("Not long: {} and more", "Not long: but cut") == (False, 0)


def test_hostile_logs_are_read_in_linear_time() -> None:
    pieces = [
        "ValueError: " + "a" * 3000 + "\n",
        "Error" * 800 + "\n",
        "a " * 2000 + "Error: x\n",
        "[" * 4000 + "\n",
        "(pid=" + "1" * 3900 + "\n",
        "vllm serve '\n",
        "vllm serve $(\\\n",
        'File "' + "x" * 3000 + '", line 1, in f\n',
        "non-default args: {" + "'a': {" * 500 + "\n",
        "1.1" * 1000 + "\n",
        "\x00\x1b[31mValueError: \u202e\n",
    ]
    for piece in pieces:
        short, long = piece * 10, piece * 100
        start = time.process_time()
        why(short, engine="vllm")
        middle = time.process_time()
        why(long, engine="vllm")
        end = time.process_time()
        assert end - middle < 30 * (middle - start) + 2, piece[:40]


def test_it_is_told_what_text_is_expected() -> None:
    with pytest.raises(quantmap.ConfigError):
        why(3)  # type: ignore[arg-type]
    with pytest.raises(quantmap.ConfigError):
        why("ValueError: x", "nope")


def test_the_result_compares_and_is_plain_data() -> None:
    found = explained(VLLM_BOOT)
    assert found == explained(VLLM_BOOT)
    assert json.loads(json.dumps(found.to_dict()))["version"] == "0.10.2"
    with pytest.raises(AttributeError):
        found.change = ""  # type: ignore[misc]


def run(*words: str, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quantmap", "why", *words],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command_reads_a_file_or_standard_input(tmp_path: Path) -> None:
    log = tmp_path / "boot.log"
    log.write_text(VLLM_BOOT, encoding="utf-8")
    for done in (run(str(log)), run("-", text=VLLM_BOOT), run(text=VLLM_BOOT)):
        assert done.returncode == 0, done.stderr
        assert "change: write --max-model-len 36544" in done.stdout
        assert all(len(line) <= 100 for line in done.stdout.splitlines())
    assert json.loads(run("--json", str(log)).stdout)["line"] == 6
    assert run("-", text="all is well").returncode == 3
    assert run("-", text="KeyError: 'nobody knows'").returncode == 3
    assert run("a", "b").returncode == 2


def test_a_size_that_does_not_divide_is_answered_with_one_that_does() -> None:
    found = why(
        "ValueError: Total number of attention heads (52) must be divisible by tensor parallel "
        "size (8).",
        "vllm",
        "0.8.5",
    )
    assert found is not None
    assert found.change == "write --tensor-parallel-size 4"


@pytest.mark.parametrize(
    "text",
    [
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core "
        "proc(s): {}",
        "Exception: WorkerProc initialization failed due to an exception in a background process. "
        "See stack trace for root cause.",
    ],
)
def test_what_only_wraps_the_cause_says_where_to_look(text: str) -> None:
    found = why(text, "vllm")
    assert found is not None
    assert found.change.startswith("look above")
    assert found.fixed_in is None
    whole = why(f"ValueError: No available memory for the cache blocks.\n{text}", "vllm", "0.10.2")
    assert whole is not None
    assert whole.message.startswith("No available memory")


def test_the_error_inside_of_a_validation_counts() -> None:
    found = why(
        "ValidationError: 1 validation error for ModelConfig\n"
        "  Value error, User-specified max_model_len (9) is greater than the derived "
        "max_model_len (max_position_embeddings=8 or model_max_length=None in model's "
        "config.json). [type=value_error]",
        "vllm",
        "0.10.2",
    )
    assert found is not None
    assert found.arguments[:1] == ["--max-model-len"]


def test_a_parser_of_another_command_is_no_servers() -> None:
    said = "argument --backend: invalid choice: 'vlm' (choose from 'vllm', 'x')"
    found = why(f"vllm bench serve: error: {said}")
    assert found is not None
    assert (found.arguments, found.change) == (["--backend"], "write --backend vllm")
    assert "vllm bench serve, which starts no server" in found.rule


def test_lines_of_a_container_driver_are_read_as_they_were_said() -> None:
    log = (
        '{"log": "INFO [api_server.py:1] vLLM API server version 0.8.5\\n", "stream": "stderr"}\n'
        '{"log": "vllm serve: error: argument --dtype: invalid choice: \'fp16\'\\n", "time": "x"}\n'
    )
    found = why(log)
    assert found is not None
    assert (found.version, found.line) == ("0.8.5", 2)
    assert found.message == "argument --dtype: invalid choice: 'fp16'"


def test_an_image_in_a_log_tells_the_release() -> None:
    said = "vllm serve: error: argument --dtype: invalid choice: 'x'"
    found = why(f"With image: vllm/vllm-openai:v0.12.0\n{said}")
    assert found is not None and found.version == "0.12.0"


def test_a_flag_of_other_releases_is_told_with_them() -> None:
    found = why(
        "vLLM API server version 0.8.5\nvllm: error: unrecognized arguments: --moe-backend x"
    )
    assert found is not None and "0.17.0" in (found.rule + str(found.fixed_in))


def test_what_a_parser_offers_is_the_change() -> None:
    found = why("trtllm-serve\nError: No such option: --tp (Possible options: --tp_size, --x)")
    assert found is not None and found.change == "write --tp_size"


def test_a_size_that_does_not_divide_is_the_number_of_gpus() -> None:
    for package, flag in (("vllm", "--tensor-parallel-size"), ("sglang/srt", "--tp-size")):
        log = (
            f'  File "/x/site-packages/{package}/distributed/utils.py", line 50, in '
            "ensure_divisibility\nAssertionError: 28 is not divisible by 8\n"
        )
        assert explained(log).arguments == [flag]
