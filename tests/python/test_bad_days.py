"""Exit codes on bad days: 3 when the command could not tell, and never a traceback."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import quantmap

PACKAGE = str(Path(quantmap.__file__).parents[1])
CHECK = "check --engine-version 0.11.0 'vllm serve x --dtype {}'"
TASK = {
    "base_runtime": "vllm",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"seed": list(range(400)), "swap-space": list(range(400))},
}


def shell(line: str, cwd: Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """A line of bash in which `quantmap` is the package under test; pipes give the first code."""
    script = f'quantmap() {{ "{sys.executable}" -m quantmap "$@"; }}\n{line}'
    environment = {**os.environ, "PYTHONPATH": PACKAGE, **more.pop("env", {})}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
        **more,
    )
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr, done.stderr
    assert "fault of quantmap" not in done.stderr, done.stderr
    return done


FILES = ["small.json", "task.json"]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a task of many experiments."""
    (tmp_path / "task.json").write_text(json.dumps(TASK))
    (tmp_path / "small.json").write_text(json.dumps({**TASK, "parameters": {}}))
    return tmp_path


@pytest.mark.parametrize(("value", "code"), [("auto", 0), ("fp9", 1)])
def test_the_verdicts_code(desk: Path, value: str, code: int) -> None:
    line = f"quantmap {CHECK.format(value)}"
    assert shell(line, desk).returncode == code
    assert shell(line + " 2>&-", desk).returncode == code
    for reader in ("true", "head -c 1", "grep -q ''"):
        gone = shell(f"{line} | {reader}; exit ${{PIPESTATUS[0]}}", desk)
        assert gone.returncode == code, (reader, gone.stderr)
    slow = shell(f"(sleep 1; {line}) | true; exit ${{PIPESTATUS[0]}}", desk)
    assert slow.returncode == code
    for place in ("> /dev/full", ">&-"):
        full = shell(f"{line} {place}", desk)
        assert full.returncode == 3 and "the output cannot be written" in full.stderr


@pytest.mark.parametrize(
    "words",
    [
        "map --runtime vllm --preset default",
        "map --runtime vllm --preset default --json",
        "map --runtime vllm --preset default --shell m",
        "plan task.json",
        "plan small.json --jsonl",
        "plan small.json --json",
        "explain --runtime vllm@0.11.0 --preset default",
        "matrix --engine vllm --engine-version 0.11.0",
        "schema --json-schema",
        "completion bash",
        "--help",
        "--version",
        "",
    ],
)
def test_no_place_to_write_to(desk: Path, words: str) -> None:
    for place in ("> /dev/full", ">&-"):
        done = shell(f"quantmap {words} {place}", desk)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.count("the output cannot be written") == 1
    gone = shell(f"quantmap {words} | true; exit ${{PIPESTATUS[0]}}", desk)
    assert gone.returncode == 0 and gone.stderr.count("error") == 0


def test_a_plan_goes_to_its_file_without_any_stream(desk: Path) -> None:
    assert shell("quantmap plan task.json --out p.jsonl >&- 2>&- <&-", desk).returncode == 0
    assert len(list(quantmap.Plan.from_jsonl(desk / "p.jsonl")[:3])) == 3


@pytest.mark.parametrize("verb", ["map -", "plan -", "rules -", "check -", "check"])
def test_standard_input_is_closed(desk: Path, verb: str) -> None:
    done = shell(f"quantmap {verb} <&-", desk)
    assert done.returncode == 2 and "stdin is closed" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        f"map --runtime vllm --set gemm_dtype=$('{sys.executable}' -c 'print(\"[\" * 100000)')",
        "plan task.json --minutes-per-experiment nan",
        "plan task.json --minutes-per-experiment inf",
        "plan task.json --minutes-per-experiment 1e308",
        "plan task.json --max 99999999999999999999999999",
        "plan task.json --out /does/not/exist/x",
        "plan task.json --out /dev/full",
        r"""rules - <<< 'a: "\Uffffffff"'""",
        r"""rules - <<< 'a: "\U00110000"'""",
        "map $'a\\xff'",
    ],
)
def test_odd_words_are_usage_or_invalid(desk: Path, words: str) -> None:
    done = shell(f"quantmap {words}", desk)
    assert done.returncode == 2 and "rror" in done.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "ascii", "utf-16", "cp1252"])
def test_odd_encodings(desk: Path, encoding: str) -> None:
    line = "quantmap map --runtime vllm --param a=日本"
    env = {"PYTHONIOENCODING": encoding}
    made = shell(f"{line} --shell m > line", desk, env=env)
    assert made.returncode == 0
    assert (desk / "line").read_bytes() == shell(f"{line} --shell m", desk).stdout.encode()
    assert shell(line, desk, env=env).returncode == 0
    assert shell("quantmap map --runtime 日本", desk, env=env).returncode == 2


# Tells when the command has taken the signals over: a machine may be busy before.
ENTERED = """
import os, signal, sys
take_over = signal.signal
def told(number, action):
    take_over(number, action)
    if number == signal.SIGTERM and signal.signal is told:
        signal.signal = take_over
        os.write(2, b".")
signal.signal = told
from quantmap_command import main
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_at_any_instant(desk: Path, number: signal.Signals) -> None:
    """From when the command has the signals: code 3, or the work was done; no half file."""
    words = [sys.executable, "-c", ENTERED, "plan", "task.json", "--out", "p.jsonl"]
    instants = random.Random(7)
    for _ in range(12):
        child = subprocess.Popen(
            words,
            cwd=desk,
            env={**os.environ, "PYTHONPATH": PACKAGE},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        assert child.stderr is not None and child.stderr.read(1) == b"."
        time.sleep(0.1 + instants.random() * 1.5)
        child.send_signal(number)
        _, told = child.communicate(timeout=60)
        # The interpreter itself, on its way in or out, ends by the signal.
        assert child.returncode in (0, 3, -number), told
        assert b"Traceback" not in told, told
        left = sorted(os.listdir(desk))
        assert left in (FILES, ["p.jsonl", *FILES]), left


def test_a_fault_is_one_line_and_code_three(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from quantmap.cli import streams

    monkeypatch.setattr(streams, "on_signals", lambda action: None)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)

    def broken() -> int:
        raise RuntimeError("a\nb\x1b")

    assert streams.guarded(broken) == 3
    told = capsys.readouterr().err
    assert told.startswith("quantmap: error: this is a fault of quantmap") and told.count("\n") == 1
    assert "RuntimeError: a\\nb\\x1b at test_bad_days.py:" in told


def test_a_mistyped_path_is_no_model(desk: Path) -> None:
    for name in ("nosuch", "./nosuch", "/no/such"):
        done = shell(f"quantmap inspect {name}", desk)
        assert (done.returncode, done.stdout) == (2, "") and "no such folder or file" in done.stderr


PIPED = {
    "map": "map --runtime vllm {}",
    "explain": "explain --runtime vllm {}",
    "plan": "plan {}",
    "rules": "rules {}",
    "check": "check {}",
    "why": "why {}",
    "fit": "fit {}",
    "results": "results small.json ledger.jsonl --import 1={}",
}


@pytest.mark.parametrize("verb", PIPED)
def test_a_pipe_without_a_writer_is_an_error(desk: Path, verb: str) -> None:
    """No verb waits for ever for somebody to write."""
    os.mkfifo(desk / "pipe")
    done = shell(f"quantmap {PIPED[verb].format('pipe')}", desk)
    assert done.returncode != 0
    assert "nobody writes to this pipe" in done.stderr


def test_a_pipe_with_a_writer_is_read(desk: Path) -> None:
    """What bash writes as <(command), and a pipe whose writer takes its time."""
    config = '{"kvcache_dtype": "fp8_e4m3"}'
    whole = shell(f"quantmap map --runtime vllm <(echo '{config}')", desk)
    assert whole.returncode == 0 and "--kv-cache-dtype" in whole.stdout, whole.stderr
    slow = f"(exec 3>pipe; sleep 2; echo '{config}' >&3) & quantmap map --runtime vllm pipe"
    os.mkfifo(desk / "pipe")
    assert shell(slow, desk).stdout == whole.stdout
    launch = "<(echo vllm serve x --kv-cache-dtype fp9)"
    refused = shell(f"quantmap check --engine-version 0.11.0 {launch}", desk)
    assert refused.returncode == 1 and "fp9" in refused.stdout
