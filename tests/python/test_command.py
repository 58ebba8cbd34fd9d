"""The command as a person meets it: help that works, exit codes, colours, completion."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

click = pytest.importorskip("click")

import quantmap  # noqa: E402
from quantmap.cli import style  # noqa: E402
from quantmap.cli.app import VERBS, app  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
ESCAPE = "\x1b"


def environment(**more: str) -> dict[str, str]:
    dropped = (
        "NO_COLOR",
        "FORCE_COLOR",
        "COLUMNS",
        "QUANTMAP_ENGINE_VERSIONS",
        "_QUANTMAP_COMPLETE",
    )
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, "PYTHONIOENCODING": "utf-8", **more}


def run(
    line: str, *, cwd: Path = ROOT, stdin: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    """A command line without a shell; a leading ``quantmap`` may be left out."""
    words = shlex.split(line)
    return subprocess.run(
        [sys.executable, "-m", "quantmap", *words[words[:1] == ["quantmap"] :]],
        cwd=cwd,
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        env=environment(**more),
        timeout=60,
        check=False,
    )


def on_terminal(line: str, **more: str) -> str:
    """What a command writes when its output is a terminal."""
    master, slave = pty.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "quantmap", *shlex.split(line)],
        cwd=ROOT,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=environment(TERM="xterm-256color", COLUMNS="120", **more),
    )
    os.close(slave)
    parts = []
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        parts.append(part)
    os.close(master)
    running.wait(timeout=60)
    return b"".join(parts).decode()


def verbs() -> dict[str, Any]:
    context = click.Context(app)
    return {name: app.get_command(context, name) for name in app.list_commands(context)}


def needs(name: str) -> list[Any]:
    """What a verb's examples cannot do without."""
    page = Path(quantmap.__file__).parent / "page" / "quantmap.html"
    missing = name == "page" and not page.exists()
    return [pytest.mark.skip(reason="the page was not built: scripts/page")] if missing else []


def examples() -> Iterator[Any]:
    for name, command in verbs().items():
        for line in (command.epilog or "").splitlines():
            if line.startswith("  quantmap "):
                yield pytest.param(line.strip(), id=f"{name}: {line.strip()}", marks=needs(name))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the examples name."""
    place = tmp_path_factory.mktemp("desk")
    shutil.copytree(ROOT / "examples", place / "examples")
    shutil.copy(ROOT / "examples" / "quant_preset_task.json", place / "task.json")
    shutil.copy(ROOT / "examples" / "sglang_jax_rules.yaml", place / "rules.yaml")
    launch = "python3 -m sglang.launch_server --model-path my/model --tp 2\n"
    (place / "launch.sh").write_text(launch, encoding="utf-8")
    compose = "services: {a: {image: 'vllm/vllm-openai:v0.11.0', command: --model m}}\n"
    (place / "deploy").mkdir()
    for path in (place / "compose.yaml", place / "deploy" / "compose.yaml"):
        path.write_text(compose, encoding="utf-8")
    (place / "my-model").mkdir()
    shutil.copy(ROOT / "examples" / "llama_3_70b.json", place / "my-model" / "config.json")
    shutil.copy(ROOT / "examples" / "llama_3_70b.json", place / "config.json")
    boot = "INFO gpu_worker.py:298] Available KV cache memory: 30.00 GiB\n"
    (place / "boot.log").write_text(boot, encoding="utf-8")
    matrix = {"model.layers.0.mlp.up_proj.weight": np.ones((128, 256), np.float32)}
    save_file(matrix, place / "my-model" / "model.safetensors")
    bench = {"completed": 1, "request_throughput": 1.0, "output_throughput": 50.0}
    (place / "bench.json").write_text(json.dumps(bench), encoding="utf-8")
    result = {"signature": "0" * 32, "status": "success"}
    (place / "results.jsonl").write_text(json.dumps(result) + "\n", encoding="utf-8")
    return place


@pytest.mark.parametrize("line", list(examples()))
def test_examples_of_the_help_work(line: str, desk: Path) -> None:
    before = set(desk.iterdir())
    done = subprocess.run(
        ["bash", "-c", f'quantmap() {{ "{sys.executable}" -m quantmap "$@"; }}\n{line}'],
        cwd=desk,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "error:" not in done.stderr.lower()
    assert done.stdout or any(path.stat().st_size for path in set(desk.iterdir()) - before)


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_has_help_with_two_examples(name: str) -> None:
    done = run(f"{name} --help")
    assert done.returncode == 0 and not done.stderr
    assert len(re.findall(rf"^    quantmap {name} ", done.stdout, re.MULTILINE)) >= 2
    assert verbs()[name].short_help.endswith(".")
    assert all(option.help for option in verbs()[name].params if isinstance(option, click.Option))


def test_alone_it_says_what_to_do_next(desk: Path) -> None:
    done = run("")
    assert done.returncode == 0 and not done.stderr
    shown = re.findall(r"^  .*?  (quantmap .*)$", done.stdout, re.MULTILINE)
    assert len(shown) >= 3
    for command in shown:
        assert command.split()[1] in VERBS
        assert run(command, cwd=desk).returncode in (0, 1), command


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("map --runtime vllm --preset default", 0),
        ("explain --runtime vllm@0.11.0 --preset default", 0),
        ("explain --runtime vllm@0.11.0 --preset default --param nonsense=1", 1),
        ("explain --runtime vllm@0.11.0 --set kvcache_dtype=int4 --policy strict", 1),
        ("map --runtime vllm@0.11.0 --set kvcache_dtype=int4 --policy strict", 1),
        ("map --runtime vllm --set kvcache_dtype=int5 --policy strict", 2),
        ("check --engine-version 0.11.0 'vllm serve m --kv-cache-dtype fp8'", 0),
        ("check --engine-version 0.11.0 'vllm serve m --kv-cache-dtype fp16'", 1),
        ("check 'vllm serve m | tee log'", 0),
        ("check 'echo hello'", 2),
        ("map", 2),
        ("map --runtime vllm --set gemm_dtype", 2),
        ("map --runtime vlm --preset default", 2),
        ("map no-such-file.json", 2),
        ("map --no-such-option", 2),
        ("no-such-verb", 2),
        ("completion tcsh", 2),
    ],
)
def test_exit_codes(line: str, code: int) -> None:
    done = run(line)
    assert done.returncode == code, done.stdout + done.stderr
    if code == 2:
        assert not done.stdout and done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "map --runtime vllm --set attention_dtype=fp8_block --json",
        "explain --runtime vllm@0.11.0 --set kvcache_dtype=int4 --param nonsense=1 --json",
        "check --engine-version 0.11.0 'vllm serve m --kv-cache-dtype fp16' --json",
        "diff 0.5.2 0.5.6 --runtime sglang --preset dynamic-fp8 --json",
        "matrix --engine vllm --json",
        "rules examples/sglang_jax_rules.yaml --json",
    ],
)
def test_json_is_all_that_stands_on_stdout(line: str) -> None:
    done = run(line)
    assert isinstance(json.loads(done.stdout), dict)
    assert not done.stderr


def test_warnings_stand_on_stderr_and_only_there() -> None:
    done = run("map --runtime vllm --set attention_dtype=fp8_block")
    assert "warning:" in done.stderr and "warning:" not in done.stdout


SHOWN = [
    "map --runtime vllm --set gemm_dtype=fp8 --set kvcache_dtype=int4",
    "explain --runtime vllm@0.11.0 --set kvcache_dtype=int4 --param nonsense=1",
    "check --engine-version 0.11.0 'vllm serve m --kv-cache-dtype fp16 --tp 2'",
]


@pytest.mark.parametrize("line", SHOWN)
def test_colours_only_on_a_terminal_that_wants_them(line: str) -> None:
    assert ESCAPE in on_terminal(line)
    assert "\x1b[3" not in on_terminal(line, NO_COLOR="1")
    done = run(line)
    assert ESCAPE not in done.stdout + done.stderr


@pytest.mark.parametrize("line", SHOWN)
def test_every_symbol_stands_before_its_word(line: str) -> None:
    symbols = {symbol for symbol, _ in style.MARKS.values()} | {style.marked("dropped")[0]}
    for text in (run(line).stdout, on_terminal(line, NO_COLOR="1")):
        found = re.findall(f"([{''.join(symbols)}]) ([a-z-]+)", text)
        assert found
        assert sum(text.count(symbol) for symbol in symbols) == len(found)
        assert all(style.marked(word) == f"{symbol} {word}" for symbol, word in found)


def test_nothing_in_an_input_steers_the_terminal() -> None:
    hostile = "\x1b]0;title\x07\x1b[2J\r"
    line = f"check --engine-version 0.11.0 {shlex.quote(f'vllm serve m --nonsense {hostile!r}')}"
    assert ESCAPE not in run(line).stdout
    shown = run(f"explain --runtime vllm@0.11.0 --param {shlex.quote(f'nonsense={hostile}')}")
    assert ESCAPE not in shown.stdout and "\\x1b" in shown.stdout


@pytest.mark.parametrize("line", SHOWN)
def test_off_a_terminal_nothing_heavy_is_imported(line: str) -> None:
    program = (
        "import sys; from quantmap.cli import main; main();"
        "print('|', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *shlex.split(line)],
        capture_output=True,
        encoding="utf-8",
        env=environment(),
        check=True,
    )
    loaded = done.stderr.rsplit("|", 1)[1].split()
    heavy = {"click", "yaml", "quantmap.rules", "quantmap.cli.matrix"}
    assert heavy.isdisjoint(loaded) and "quantmap.cli.app" in loaded


@pytest.mark.parametrize("line", [SHOWN[0], SHOWN[2]])
def test_on_a_terminal_sentences_stand_below_what_they_explain(line: str) -> None:
    lines = [text.rstrip() for text in on_terminal(line, NO_COLOR="1").splitlines()]
    assert max(map(len, lines)) <= 120
    marks = "".join({symbol for symbol, _ in style.MARKS.values()} | {style.marked("dropped")[0]})
    at = [number for number, text in enumerate(lines) if re.match(f"  [{marks}] [a-z-]+ +", text)]
    assert len(at) > 1
    for number in at:
        following = lines[number + 1]
        assert re.match("    (why|instead): ", following) or number + 1 in at or not following
    whole = " ".join(" ".join(lines).split())
    for row in run(line).stdout.splitlines()[2:]:
        if "✓ applied" in row and row.split()[0] not in line:
            continue  # what nobody asked for needs no sentence
        cells = [cell for cell in re.split("  +", row) if len(cell) > 1]
        assert all(cell in whole for cell in cells if cell not in ("-", "")), row


SHELLS = {"bash": "bash -n", "zsh": "zsh -n", "fish": "fish --no-execute"}


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_script(shell: str, tmp_path: Path) -> None:
    done = run(f"completion {shell}")
    assert done.returncode == 0 and "_QUANTMAP_COMPLETE" in done.stdout
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(done.stdout, encoding="utf-8")
    checked = subprocess.run(
        [*SHELLS[shell].split(), str(script)], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("quantmap e", {"explain"}),
        ("quantmap map --preset kv", {"kv-cache-fp8"}),
        ("quantmap map --runtime sg", {"sglang", "sglang_jax"}),
        ("quantmap explain --ev", {"--evidence"}),
        ("quantmap completion z", {"zsh"}),
        ("quantmap schema --output m", {"map", "matrix"}),
        ("quantmap schema --json-schema t", {"task"}),
    ],
)
def test_completion_offers(typed: str, offered: set[str]) -> None:
    words = typed.split(" ")
    done = run(
        "", _QUANTMAP_COMPLETE="bash_complete", COMP_WORDS=typed, COMP_CWORD=str(len(words) - 1)
    )
    assert {line.partition(",")[2] for line in done.stdout.splitlines()} == offered
