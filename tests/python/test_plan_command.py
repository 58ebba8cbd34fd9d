"""``quantmap plan``: the table, every form of output, files that are whole, what has been run."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import shlex
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.ledger import Ledger

pytest.importorskip("click")

ROOT = Path(__file__).resolve().parents[2]
TASK = {
    "task_name": "caches",
    "base_runtime": "sglang",
    "model": {"id_or_path": "org/model"},
    "quant_config": {"kvcache_dtype": ["auto", "fp8", "nope"], "moe_dtype": ["auto", "int8"]},
    "parameters": {"tp-size": [1, 2], "x": "it's\n$HOME"},
}


@pytest.fixture(name="task")
def _task(tmp_path: Path) -> Path:
    path = tmp_path / "task.json"
    path.write_text(json.dumps(TASK), encoding="utf-8")
    return path


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if "QUANTMAP" not in name}
    return {**kept, "NO_COLOR": "1", "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"}


def run(*words: Any, stdin: str = "", code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "quantmap", "plan", *map(str, words)],
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=120,
        check=False,
    )
    assert done.returncode == code, done.stderr
    return done


def test_the_table_tells_everything(task: Path) -> None:
    out = run(task, "--minutes-per-experiment", "10").stdout
    lines = out.splitlines()
    assert lines[0] == "caches · SGLang (documented)"
    rows = {line[:20].strip(): line[20:].split(None, 1) for line in lines[2:6]}
    assert rows == {
        "asked": ["12", "2 h"],
        "the same as another": ["4", "40 min"],
        "left out": ["4", "40 min"],
        "to run": ["4", "40 min"],
    }
    assert "saved by merging: 40 min" in lines
    assert "in each: --dtype auto --x 'it'\"'\"'s\\n$HOME'" in lines
    assert next(line for line in lines if line.startswith("3 ")).split() == [
        *("3", "--kv-cache-dtype", "fp8", "--tp-size", "2", "2"),
        *("kvcache_dtype", "fp8,", "moe_dtype", "auto|int8"),
    ]
    assert "$.quant_config.kvcache_dtype[2]" in out and "'nope' is not a value" in out
    assert "kvcache_dtype=nope moe_dtype=auto tp-size=1" in out


def test_the_table_is_short(task: Path) -> None:
    task.write_text(
        json.dumps({"base_runtime": "vllm", "parameters": {"x": list(range(500))}}),
        encoding="utf-8",
    )
    lines = run(task).stdout.splitlines()
    assert len(lines) < 40 and lines[-1].startswith("and 480 more: --max 500 shows all")
    assert (
        sum(line.startswith("--x ", 4) for line in run(task, "--max", 3).stdout.splitlines()) == 3
    )


def test_standard_input_and_options_reach_the_planner() -> None:
    words = ["-", "--engine", "sglang@0.5.2", "--engine", "vllm@0.11.0", "--gpu", "H100"]
    words += ["--policy", "strict", "--model-quantization", "awq", "--jsonl"]
    header = json.loads(run(*words, stdin=json.dumps(TASK)).stdout.splitlines()[0])["plan"]
    assert header["arguments"] == {
        "engines": ["sglang@0.5.2", "vllm@0.11.0"],
        "engine_version": None,
        "gpu": "H100",
        "checkpoint": None,
        "model_quantization": "awq",
        "policy": "strict",
    }


@pytest.mark.parametrize("where", ["stdout", "file"])
def test_every_form(task: Path, tmp_path: Path, where: str) -> None:
    plan = quantmap.plan(TASK)

    def output(form: str, ending: str) -> str:
        if where == "stdout":
            return run(task, form).stdout
        path = tmp_path / f"plan.{ending}"
        done = run(task, "--out", path)
        assert done.stdout == "" and "12 launches asked, 4 differ" in done.stderr
        return path.read_text(encoding="utf-8")

    assert output("--jsonl", "jsonl") == plan.to_jsonl()
    assert output("--csv", "csv") == plan.to_csv()
    rows = list(csv.DictReader(io.StringIO(output("--csv", "csv"))))
    assert [row["signature"] for row in rows] == [one.signature for one in plan]
    data = json.loads(output("--json", "json"))
    assert [one["signature"] for one in data["experiments"]] == [one.signature for one in plan]
    assert data["asked"] == 12
    shell = output("--shell", "sh")
    assert shell == "".join(
        f"# {one.index} {one.signature}\n{one.shell('org/model')}\n" for one in plan
    )
    words = shlex.split(shell, comments=True)
    assert words.count("it's\n$HOME") == len(plan) and "org/model" in words


def test_shell_needs_a_model_and_writes_nothing_without(task: Path, tmp_path: Path) -> None:
    task.write_text(json.dumps({"base_runtime": "vllm"}), encoding="utf-8")
    out = tmp_path / "launch.sh"
    out.write_text("old", encoding="utf-8")
    assert "model" in run(task, "--out", out, code=2).stderr
    assert out.read_text(encoding="utf-8") == "old"


def test_what_has_been_run_is_left_out(task: Path, tmp_path: Path) -> None:
    plan = quantmap.plan(TASK)
    results = tmp_path / "results.jsonl"
    done = run(task, "--done", results)
    assert "does not exist yet" in done.stderr and "done already" not in done.stdout
    ledger = Ledger(results)
    ledger.record(plan[0].signature, "success")
    ledger.record(plan[2].signature, "failed")
    with results.open("ab") as handle:
        handle.write(b'{"signature": "')

    def indices(*words: Any) -> list[int]:
        done = run(task, "--done", results, *words)
        assert "cut off" in done.stderr
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return [line["index"] for line in lines if "index" in line]

    assert indices("--jsonl") == [1, 3]
    assert indices("--jsonl", "--rerun", "failed") == [1, 2, 3]
    assert indices("--jsonl", "--rerun", "failed", "--rerun", "finished") == [0, 1, 2, 3]
    assert indices("--jsonl", "--max", 1) == [1]
    shell = run(task, "--done", results, "--shell", "--max", 1).stdout
    assert shell.startswith(f"# 1 {plan[1].signature}\n")
    table = run(task, "--done", results).stdout
    assert "done already         2" in table and "to run               2" in table
    assert "--done" in run(task, "--rerun", "failed", code=2).stderr


def test_strict_is_an_exit_code(task: Path) -> None:
    run(task, "--strict", code=1)
    good = json.dumps({"base_runtime": "vllm", "parameters": {"x": [1, 2]}})
    run("-", "--strict", stdin=good)


def test_wrong_input_is_one_message_and_exit_code_2(tmp_path: Path) -> None:
    for words, stdin, message in (
        ((tmp_path / "none.json",), "", "none.json"),
        (("-",), "{", "not JSON"),
        (("-",), '{"base_runtime": "vlm"}', "did you mean 'vllm'"),
        (("-",), '{"base_runtime": "vllm", "parameters": {"x": []}}', "$.parameters.x"),
        (("-", "--out", tmp_path / "no" / "x"), '{"base_runtime": "vllm"}', "No such file"),
        (("-", "--done", tmp_path), '{"base_runtime": "vllm"}', "cannot be read"),
        (("-", "--max", "0"), "{}", "--max"),
    ):
        done = run(*words, stdin=stdin, code=2)
        assert done.stdout == "" and message in done.stderr, done.stderr
        assert "Traceback" not in done.stderr


def test_a_pipe_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """Replaced like a file, a device such as the null device would be gone for everybody."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    run("-", "--jsonl", "--out", pipe, stdin='{"base_runtime": "vllm"}')
    assert stat.S_ISFIFO(pipe.lstat().st_mode)
    lines = os.read(reader, 100_000).splitlines()
    os.close(reader)
    assert "plan" in json.loads(lines[0]) and b"signature" in lines[-1]


def test_a_closed_pipe_is_no_error() -> None:
    task = json.dumps({"base_runtime": "vllm", "parameters": {"x": list(range(50_000))}})
    running = subprocess.Popen(
        [sys.executable, "-m", "quantmap", "plan", "-", "--jsonl"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert running.stdin and running.stdout and running.stderr
    running.stdin.write(task.encode())
    running.stdin.close()
    running.stdout.read(100)
    running.stdout.close()
    assert running.stderr.read() == b""
    running.stderr.close()
    running.wait(timeout=60)


def test_a_terminal_sees_how_far_long_work_is(tmp_path: Path) -> None:
    path = tmp_path / "task.json"
    grid = {"x": list(range(300)), "y": list(range(300))}
    path.write_text(json.dumps({"base_runtime": "vllm", "parameters": grid}), encoding="utf-8")
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "quantmap", "plan", path, "--out", tmp_path / "plan.csv"],
        stdout=subprocess.DEVNULL,
        stderr=slave,
        env={**environment(), "TERM": "xterm"},
    )
    os.close(slave)
    seen = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(master)
    assert running.wait(timeout=120) == 0
    assert b"planning" in seen and b"%" in seen
    assert "90000 launches asked" in " ".join(seen.decode().split())


def test_a_hint_where_the_model_would_merge_launches(task: Path) -> None:
    data = {"base_runtime": "vllm@0.20.1", "parameters": {"max-num-seqs": [8, 16]}}
    experts = {"quant_config": {"moe_dtype": ["auto", "fp8", "int8"]}}
    task.write_text(json.dumps({**data, **experts}))
    out = run(task).stdout
    hint = next(line for line in out.splitlines() if line.startswith("note: of a model"))
    assert "of a model that is dense" in hint and "--checkpoint" in hint
    fewer = int(hint.partition("launches differ, ")[2].split()[0])
    known = run(task, "--checkpoint", "Qwen/Qwen3-8B", "--json").stdout
    assert json.loads(known)["distinct"] == fewer
    assert "note: of a model" not in run(task, "--checkpoint", "Qwen/Qwen3-8B").stdout
    task.write_text(json.dumps(data))
    assert "note: of a model" not in run(task).stdout


def test_long_planning_is_interrupted(tmp_path: Path) -> None:
    task = tmp_path / "task.json"
    values = {"seed": list(range(900_000))}
    task.write_text(json.dumps({"base_runtime": "vllm@0.11.0", "parameters": values}))
    code = (
        "import json, signal, threading, time, sys, quantmap\n"
        "begin = []\n"
        "def stop():\n"
        "    begin.append(time.process_time()); signal.raise_signal(signal.SIGINT)\n"
        "timer = threading.Timer(1.0, stop); timer.daemon = True\n"
        "data = json.load(open(sys.argv[1]))\n"
        "timer.start()\n"
        "try:\n    quantmap.plan(data); print('finished')\n"
        "except KeyboardInterrupt:\n    print(time.process_time() - begin[0])\n"
        "except quantmap.ConfigError:\n    print('refused')\n"
    )
    words = [sys.executable, "-c", code, str(task)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    last = done.stdout.strip()
    assert done.returncode == 0, done.stderr
    assert last in ("finished", "refused") or float(last) < 1.5  # of processor time
