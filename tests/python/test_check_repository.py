"""check FOLDER, --against, and what runs it for a repository."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import repository

yaml: Any = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A repository with launches of every kind."""
    files = {
        "run.sh": "vllm serve a --swap-space 4\n",
        "start": "#!/usr/bin/env bash\nvllm serve b --swap-space 4\n",
        "docs/page.md": "# x\n\n```bash\n$ vllm serve c --dtype fp9\n```\n\n"
        "```python\nvllm serve d --dtype fp9\n```\n",
        "k8s/values.yaml": "image: {repository: vllm/vllm-openai, tag: v0.11.0}\n"
        "args: [--model, e, --swap-space, 4]\n",
        "plain.sh": "echo vllm\n",
        "big.sh": "vllm serve f --dtype fp9 #" + "x" * 1_000_000,
        ".git/x.sh": "vllm serve g --dtype fp9\n",
        "data.bin": "vllm serve h --dtype fp9\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def run(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command."""
    return subprocess.run(
        [sys.executable, "-m", "quantmap", "check", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(Path(quantmap.__file__).parents[1]), "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


def test_every_file_that_holds_a_launch(desk: Path) -> None:
    found = repository.check_directory(str(desk), engine_version="0.22.0")
    assert [(file.path, [(x.line, x.model) for x in file.result.launches]) for file in found] == [
        ("run.sh", [(1, "a")]),
        ("start", [(2, "b")]),
        ("docs/page.md", [(4, "c")]),
        ("k8s/values.yaml", [(1, "e")]),
    ]


def test_refusals_are_told_once(desk: Path) -> None:
    done = run(".", "--engine-version", "0.22.0", cwd=desk)
    assert done.returncode == 1 and not done.stderr
    assert done.stdout.count("--swap-space") >= 1
    assert "run.sh:1, start:2" in done.stdout
    assert done.stdout.rstrip().endswith("4 launches in 4 files, 4 of them refused")
    data = json.loads(run(".", "--json", cwd=desk).stdout)
    assert data["ok"] is False and "run.sh" in data["files"]


def test_files_by_name(desk: Path) -> None:
    assert run("--files", "plain.sh", cwd=desk).returncode == 0
    assert run("run.sh", "plain.sh", "--engine-version", "0.11.0", cwd=desk).returncode == 0
    missing = run("--files", "nosuch.sh", cwd=desk)
    assert missing.returncode == 2 and "no such file" in missing.stderr


def test_what_another_release_makes_of_it(desk: Path) -> None:
    done = run("run.sh", "--engine-version", "0.11.0", "--against", "vllm@0.33.0", cwd=desk)
    assert done.returncode == 1
    assert "vLLM 0.11.0 → 0.33.0" in done.stdout and "--swap-space breaks" in done.stdout
    assert "--gpu-memory-utilization has another default: 0.9 → 0.92" in done.stdout
    done = run("k8s", "--against", "vllm@0.12.0", "--json", cwd=desk)
    data = json.loads(done.stdout)
    assert (data["ok"], data["launches"][0]["from"], data["launches"][0]["to"]) == (
        True,
        "0.11.0",
        "0.12.0",
    )
    assert run("run.sh", "--against", "vllm", cwd=desk).returncode == 2


def test_a_value_that_becomes_the_default() -> None:
    line = "vllm serve m --gpu-memory-utilization 0.92"
    before, after = (quantmap.check(line, engine_version=v) for v in ("0.11.0", "0.33.0"))
    kinds = {change.argument: change.kind for change in repository.changes_between(before, after)}
    assert kinds["--gpu-memory-utilization"] == "redundant"


def test_the_hook_and_the_action_run_the_command() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"].split()[:2] == ["quantmap", "check"]
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    script = action["runs"]["steps"][-1]["run"]
    done = subprocess.run(
        ["bash", "-c", f"quantmap() {{ printf '%s|' \"$@\"; }}\n{script}"],
        env={**os.environ, "CHECK_PATH": "a b", "CHECK_GPU": "", "CHECK_AGAINST": "vllm@0.33.0"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == "check|--files|--against|vllm@0.33.0|--|a b|"
    assert set(action["inputs"]) == {"path", "gpu", "against"}


@pytest.mark.parametrize(("word", "code"), [("half", 0), ("fp9", 1)])
def test_the_hook_and_the_action_judge_files(tmp_path: Path, word: str, code: int) -> None:
    """Their own commands, run on a repository: only what installs the package is left out."""
    (tmp_path / "a b.sh").write_text(f"vllm serve m --dtype {word}\n", encoding="utf-8")
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    python = f'quantmap() {{ {sys.executable} -m quantmap "$@"; }}\n'
    package = str(Path(quantmap.__file__).parents[1])
    for script in (f"{hook['entry']} 'a b.sh'", action["runs"]["steps"][-1]["run"]):
        done = subprocess.run(
            ["bash", "-c", python + script],
            cwd=tmp_path,
            env={**os.environ, "CHECK_PATH": ".", "CHECK_GPU": "H100", "PYTHONPATH": package},
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert ("--dtype fp9" in done.stdout) == bool(code)


def test_another_release_changes_precision_and_kernel_in_silence() -> None:
    line = "vllm serve Qwen/Qwen3-30B-A3B-FP8 --kv-cache-dtype fp8 -tp 2"
    ground = {"gpu": "B200"}
    before, after = (
        quantmap.check(line, engine_version=version, **ground) for version in ("0.9.0", "0.33.0")
    )
    found = repository.changes_between(before, after, **ground)
    assert ("precision", "attention") in [(change.kind, change.argument) for change in found]
    same = repository.changes_between(after, after, **ground)
    assert not [change for change in same if change.kind in ("precision", "kernel")]
    refused = quantmap.check(f"{line} --nosuch", engine_version="0.33.0", **ground)
    found = repository.changes_between(before.replace(verdicts=refused.verdicts), refused, **ground)
    assert not [change for change in found if change.kind in ("precision", "kernel")]


def test_only_launches_of_the_other_releases_engine_are_compared(tmp_path: Path) -> None:
    (tmp_path / "s.sh").write_text("python -m sglang.launch_server --model-path a/b --tp 2\n")
    run_file = (
        "docker run vllm/vllm-openai:v0.8.5 --model a/b --kv-cache-dtype fp9 --swap-space 4\n"
    )
    (tmp_path / "v.sh").write_text(run_file)
    (tmp_path / "n.sh").write_text("vllm serve a/b --seed 1\n")
    done = run(".", "--against", "vllm@0.33.0", cwd=tmp_path)
    assert "s.sh" not in done.stdout and "1 of other engines left out" in done.stdout
    assert "--swap-space breaks" in done.stdout and done.returncode == 1
    assert "--kv-cache-dtype" not in done.stdout  # it was refused before
    assert "no release is named" in done.stdout and "2 launches compared" in done.stdout
    assert "--model has" not in done.stdout
