"""What nobody would see, or a terminal would act on, is shown as its escape everywhere."""

from __future__ import annotations

import json
import os
import struct
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import quantmap
from quantmap import _core
from quantmap.cli.style import printable

UNSEEN = "\x1b\x9b\u202e\u2066\u2028\u200b\u00ad\u3164\ufe0f\U000e0041\ue000\ufeff\u2800"


PACKAGE = str(Path(quantmap.__file__).parents[1])


def is_seen(text: str) -> bool:
    """Whether nothing in it is hidden, as Python's own tables see it."""
    return all(part == "\n" or part.isprintable() for part in text) and not set(text) & set(UNSEEN)


@pytest.mark.parametrize("part", UNSEEN, ids=lambda part: f"{ord(part):x}")
def test_each_is_shown_as_python_writes_it(part: str) -> None:
    code = ord(part)
    form = "\\x%02x" if code < 0x100 else "\\u%04x" if code < 0x10000 else "\\U%08x"
    assert printable(f"a{part}b") == f"a{form % code}b"


def test_every_character_of_unicode() -> None:
    hidden = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}
    for code in range(sys.maxunicode + 1):
        part = chr(code)
        kind = unicodedata.category(part)
        if kind == "Cn":  # a later Unicode may give it a meaning
            continue
        shown = printable(part)
        if kind in hidden or (kind == "Zs" and part != " "):
            assert shown != part and shown.isascii(), hex(code)
        elif shown != part:  # drawn as nothing, or as a blank
            assert shown.isascii() and kind in ("Mn", "Lo", "So"), hex(code)


@pytest.mark.parametrize("value", ["\ud800", "a\udcffb", "\x1b", b"\xff", 5, None])
def test_a_diagnostic_takes_any_text(value: object) -> None:
    context: dict[str, str] = {"value": value, "field": value, "known": "x", "hint": ""}  # type: ignore[dict-item]
    made = _core.make_diagnostic("unknown-value", str(value), context)
    assert is_seen(str(made)) and str(made).isascii()
    json.dumps(made.to_dict()).encode()


def run(*words: str | bytes, cwd: Path) -> str:
    """What the command prints, both streams."""
    done = subprocess.run(
        [sys.executable, "-m", "quantmap", *words],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": PACKAGE},
        timeout=60,
        check=False,
    )
    text = done.stdout.decode()
    assert "Traceback" not in text
    return text


@pytest.mark.parametrize(
    "words",
    [
        ["map", "{}"],
        ["map", "x", "{}"],
        ["map", "--{}"],
        ["{}"],
        ["map", "--runtime", "{}", "--preset", "default"],
        ["map", "--runtime", "vllm", "--preset", "{}"],
        ["map", "--runtime", "vllm", "--set", "{}=1"],
        ["map", "--runtime", "vllm", "--set", "gemm_dtype={}"],
        ["map", "--runtime", "vllm", "--set", "a", "--gpu", "{}"],
        ["map", "--runtime", "vllm", "--preset", "default", "--engine-version", "{}"],
        ["map", "--runtime", "vllm", "--preset", "default", "--gpu", "{}"],
        ["map", "--runtime", "vllm", "--preset", "default", "--checkpoint", "{}"],
        ["map", "--runtime", "vllm", "--preset", "default", "--policy", "{}"],
        ["explain", "--runtime", "vllm@0.11.0", "--preset", "default", "--param", "a={}"],
        ["check", "--engine-version", "0.11.0", "vllm serve m --{} {}"],
        ["check", "--engine-version", "0.11.0", "vllm serve m --dtype {}"],
        ["check", "{}"],
        ["plan", "{}"],
        ["rules", "{}"],
        ["fit", "{}", "--gpu", "H100"],
        ["inspect", "{}"],
        ["matrix", "--engine", "{}"],
        ["schema", "--json-schema", "{}"],
        ["diff", "{}", "{}", "--runtime", "vllm"],
    ],
    ids=" ".join,
)
def test_no_word_of_a_command_line_steers_the_terminal(tmp_path: Path, words: list[str]) -> None:
    assert is_seen(run(*(word.replace("{}", UNSEEN) for word in words), cwd=tmp_path))


def test_no_file_steers_the_terminal(tmp_path: Path) -> None:
    name = f"t{UNSEEN}"
    header = json.dumps({name: {"dtype": "F16", "shape": [3], "data_offsets": [0, 4]}}).encode()
    (tmp_path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + b"0000")
    (tmp_path / "config.json").write_text(
        json.dumps(
            {
                "model_type": name,
                "architectures": [name],
                "quantization_config": {"quant_method": name, "modules_to_not_convert": [name]},
            }
        )
    )
    (tmp_path / "task.json").write_text(
        json.dumps({name: 1, "base_runtime": "vllm", "parameters": {f"a{UNSEEN}": [name]}})
    )
    (tmp_path / "rules.yaml").write_text(json.dumps({name: 1}))
    for words in (
        ["inspect", ".", "--evidence"],
        ["map", "task.json", "--checkpoint", "."],
        ["plan", "task.json"],
        ["plan", "task.json", "--engine", "vllm@0.11.0", "--checkpoint", "."],
        ["rules", "rules.yaml"],
    ):
        assert is_seen(run(*words, cwd=tmp_path)), words


def test_a_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    bad = b"a\xff.json"
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + bad))).write_text("{")
    for words in ([b"map", bad], [b"map", b"b\xff"], [b"plan", bad], [b"rules", bad]):
        assert "udcff" in run(*words, cwd=tmp_path) or words[1] == bad
    task = tmp_path / "task.json"
    task.write_text(json.dumps({"base_runtime": "vllm", "quant_config": {"preset": "default"}}))
    (Path(os.fsdecode(os.fsencode(tmp_path) + b"/l\xff"))).write_text("bad\n")
    assert "l\\udcff" in run(b"plan", b"task.json", b"--done", b"l\xff", cwd=tmp_path)


def test_an_empty_name_of_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text("{}")
    for option in ("--out", "--done"):
        told = run("plan", "task.json", option, "", cwd=tmp_path)
        assert f"{option} needs the name of a file" in told


def test_library_errors_hide_nothing() -> None:
    for config in ({UNSEEN: 1}, {"gemm_dtype": UNSEEN}, {"preset": UNSEEN}):
        with pytest.raises(quantmap.ConfigError) as caught:
            quantmap.get_runtime_args("vllm", config)
        assert is_seen(str(caught.value))
