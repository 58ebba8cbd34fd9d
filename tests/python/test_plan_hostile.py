"""A plan file is not trusted: what stands in it is read, or one clear error says where not."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.plan_file import csv_lines

TASK = {"base_runtime": "tensorrt_llm@1.0.0", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}


def lines_of_plan() -> list[dict[str, Any]]:
    """A plan of two experiments of which one has a file."""
    text = quantmap.plan(TASK).to_jsonl()
    assert text is not None
    return [json.loads(line) for line in text.splitlines()]


def read(path: Path, lines: list[Any]) -> list[quantmap.Experiment]:
    """Everything that a plan of these lines can be asked for."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    stored = quantmap.Plan.from_jsonl(path)
    found = list(stored)
    for one in found:
        assert one.argv("m") and one.shell("m") and one.configs is not None
        one.to_dict()
    assert stored.summary() and b"".join(csv_lines(found))
    return found


def places() -> list[tuple[int, tuple[Any, ...]]]:
    """Line and keys of everything in the plan that quantmap reads."""
    out: list[tuple[int, tuple[Any, ...]]] = []

    def walk(line: int, at: Any, keys: tuple[Any, ...]) -> None:
        if keys and keys[:2] not in (
            ("plan", "task"),
            ("plan", "task_name"),
            ("plan", "arguments"),
        ):
            out.append((line, keys))
        if not isinstance(at, (dict, list)):
            return
        for key, value in at.items() if isinstance(at, dict) else enumerate(at):
            walk(line, value, (*keys, key))

    for number, line in enumerate(lines_of_plan()):
        walk(number, line, ())
    return out


def replaced(lines: list[Any], line: int, keys: tuple[Any, ...], value: Any) -> None:
    """Put a value in a place."""
    place = lines[line]
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value


WRONG: list[Any] = [
    None,
    True,
    -1,
    1.5,
    "x",
    "../x",
    "a\0b",
    [],
    [1],
    [{}],
    {},
    {"a": 1},
    {"a=1;b": "c"},
]


def test_a_plan_reads_itself(tmp_path: Path) -> None:
    found = read(tmp_path / "p", lines_of_plan())
    assert [one.signature for one in found] == [one.signature for one in quantmap.plan(TASK)]
    assert any(one.files for one in found)


@pytest.mark.parametrize(("line", "keys"), places())
def test_wrong_types_are_one_error_or_harmless(
    tmp_path: Path, line: int, keys: tuple[Any, ...]
) -> None:
    for value in WRONG:
        lines = lines_of_plan()
        replaced(lines, line, keys, value)
        try:
            read(tmp_path / "p", lines)
        except quantmap.ConfigError as error:
            assert error.diagnostics[0].code == "not-a-plan"


@pytest.mark.parametrize(
    "change",
    [
        {"env": {"A=1; touch pwned; B": "x"}},
        {"env": {"A\ntouch pwned": "x"}},
        {"env": {"": "x"}},
        {"env": {"A": 5}},
        {"args": None},
        {"args": []},
        {"args": {"--x": 1}},
        {"args": {"x; touch pwned": "1"}},
        {"args": {"--x": "a\0b"}},
        {"engine": "nobody"},
        {"group": [1]},
        {"files": 5},
        {"files": {"../../etc/cron.d/x": "0"}},
        {"files": {"/etc/passwd": "0"}},
        {"files": {".bashrc": "0"}},
        {"files": {"nowhere.yaml": "0"}},
        {"signature": "0"},
        {"index": True},
    ],
)
def test_a_hostile_experiment_is_not_a_plan(tmp_path: Path, change: dict[str, Any]) -> None:
    lines = lines_of_plan()
    line = next(number for number, data in enumerate(lines) if "signature" in data)
    lines[line].update(change)
    with pytest.raises(quantmap.ConfigError, match=rf"not a plan at line {line + 1}: "):
        read(tmp_path / "p", lines)


@pytest.mark.parametrize(
    "change",
    [
        {"format": 1.0},
        {"format": True},
        {"asked": True},
        {"skips": [{"a": 1}]},
        {"diagnostics": ["x"]},
        {"targets": [{}]},
        {"catalog": {"hash": 1}},
        {"max_iterations": "1"},
    ],
)
def test_a_hostile_header_is_not_a_plan(tmp_path: Path, change: dict[str, Any]) -> None:
    lines = lines_of_plan()
    lines[0]["plan"].update(change)
    with pytest.raises(quantmap.ConfigError, match="not a plan at line 1: "):
        read(tmp_path / "p", lines)


def test_a_line_that_is_no_json_is_not_a_plan(tmp_path: Path) -> None:
    path = tmp_path / "p"
    quantmap.plan(TASK).to_jsonl(path)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"args":{', b'"args":{,'))
    with pytest.raises(quantmap.ConfigError, match="not a plan at line 3: "):
        list(quantmap.Plan.from_jsonl(path))
    path.write_bytes(b"\xff\n" + whole)
    with pytest.raises(quantmap.ConfigError, match="not a plan at line 1: "):
        quantmap.Plan.from_jsonl(path)


def test_a_pipe_and_a_file_that_went_away_are_errors(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(quantmap.ConfigError, match="it is not a regular file"):
        quantmap.Plan.from_jsonl(tmp_path / "pipe")
    quantmap.plan(TASK).to_jsonl(tmp_path / "p")
    stored = quantmap.Plan.from_jsonl(tmp_path / "p")
    (tmp_path / "p").unlink()
    with pytest.raises(quantmap.ConfigError) as caught:
        stored[0]
    assert caught.value.diagnostics[0].code == "unreadable-file"


def cyclic() -> list[Any]:
    """A list that holds itself."""
    out: list[Any] = []
    out.append(out)
    return out


@pytest.mark.parametrize("key", ["description", "metadata", "task_name"])
@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        10**309,
        "\udcff",
        {"a": "\ud800"},
        {1: "a", "1": "b"},
        {b"a": 1},
        cyclic(),
        json.loads("[" * 70 + "]" * 70),
    ],
    ids=str,
)
def test_what_a_plan_file_could_not_give_back_is_never_written(
    tmp_path: Path, key: str, value: Any
) -> None:
    path = tmp_path / "p"
    path.write_text("older")
    try:
        planned = quantmap.plan({**TASK, key: value})
        planned.to_jsonl(path)
    except quantmap.ConfigError:
        assert path.read_text() == "older" and os.listdir(tmp_path) == ["p"]
    else:
        assert len(list(quantmap.Plan.from_jsonl(path))) == len(planned)


class Launch:
    """A launch from elsewhere, with names that no engine has."""

    engine, version, args = "vllm", "0.11.0", {"--dtype": "auto"}

    def __init__(self, env: dict[str, str], files: dict[str, str]) -> None:
        self.env, self.files = env, files


@pytest.mark.parametrize("name", ["A=1; touch pwned; B", "A\ntouch pwned", "", "1A", "A-B", "Ä"])
def test_renderers_refuse_names_of_variables_that_no_shell_has(name: str) -> None:
    from quantmap import render

    launch = Launch({name: "x"}, {})
    for made in (lambda: render.shell(launch, "m"), lambda: render.docker(launch, "m")):
        with pytest.raises(quantmap.ConfigError, match="env: expected the name of a variable"):
            made()


@pytest.mark.parametrize("name", ["../x", "/etc/x", "", ".", "..", ".bashrc", "a\nb", "a/b"])
def test_renderers_refuse_names_of_files_that_lie_elsewhere(name: str) -> None:
    from quantmap import render

    launch = Launch({}, {name: "x"})
    for made in (lambda: render.shell(launch, "m"), lambda: render.docker(launch, "m")):
        with pytest.raises(quantmap.ConfigError, match="files: expected the name of a file"):
            made()


def test_a_line_of_a_plan_writes_nothing_but_its_files(tmp_path: Path) -> None:
    one = next(one for one in read(tmp_path / "p", lines_of_plan()) if one.files)
    desk = tmp_path / "desk"
    desk.mkdir()
    line = one.shell("m").replace("trtllm-serve", "true", 1)
    subprocess.run(["bash", "-c", line], cwd=desk, check=True)
    assert {path.name: path.read_text() for path in desk.iterdir()} == one.files
