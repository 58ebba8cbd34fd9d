"""Bad files on the command line: a clear message that names the place, and exit code 2."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("click")


def task(config: str = "{}", parameters: str = "{}") -> bytes:
    """The text of a task with these parts."""
    text = f'{{"base_runtime": "sglang", "quant_config": {config}, "parameters": {parameters}}}'
    return text.encode()


BAD = {
    "empty": (b"", "line 1"),
    "not JSON": (b"preset: default", "line 1"),
    "comma": (b'{\n"base_runtime": "vllm",\n}', "line 3"),
    "cut": (b'{"base_runtime": "vl', "line 1"),
    "two values": (b"{} {}", "line 1"),
    "list": (b"[1]", "$"),
    "duplicate": (task('{"gemm_dtype": "fp8", "gemm_dtype": "int8"}'), "gemm_dtype"),
    "duplicate parameter": (task("{}", '{"x": 1, "x": 2}'), "x"),
    "both wrappers": (b'{"quant_config": {}, "quantization_config": {}}', "quant_config"),
    "not UTF-8": (task('{"gemm_dtype": "\xff"}').decode().encode("latin-1"), "Unicode"),
    "UTF-16": ("{}".encode("utf-16"), "$"),
    "lone surrogate": (task("{}", '{"x": "\\ud800"}'), "surrogate"),
    "NaN": (task("{}", '{"x": NaN}'), "line 1"),
    "infinite": (task("{}", '{"x": 1e999}'), "$"),
    "digits": (task("{}", f'{{"x": {"9" * 5000}}}'), "$"),
    "deep": (task("{}", f'{{"x": {"[" * 1000}{"]" * 1000}}}'), "nested"),
    "very deep": (b"[" * 1_000_000, "nested"),
    "10 MB": (task(json.dumps({"gemm_dtype": "x" * 10_000_000})), "gemm_dtype"),
    "10 MB key": (task("{}", json.dumps({"x" * 10_000_000: 1})), "parameters"),
    "value": (task('{"gemm_dtype": "fp16"}'), "'float16'"),
    "key": (task('{"gemm_dtyp": "fp8"}'), "'gemm_dtype'"),
    "preset": (task('{"preset": "kv-cache-fp9"}'), "'kv-cache-fp8'"),
    "engine": (b'{"base_runtime": "sglan"}', "'sglang'"),
    "no engine": (b'{"quant_config": {}}', "runtime"),
    "NUL": (task("{}", '{"x": "a\\u0000b"}'), "x"),
}


def run(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "quantmap", *arguments],
        input=text,
        capture_output=True,
        timeout=60,
    )


@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_files(name: str, tmp_path: Path) -> None:
    content, word = BAD[name]
    path = tmp_path / "task.json"
    path.write_bytes(content)
    for done in (run("map", str(path)), run("map", "-", text=content)):
        message = done.stderr.decode()
        assert done.returncode == 2, message
        assert done.stdout == b""
        assert word in message
        assert "Traceback" not in message
        assert len(message) < 5000


def test_files_that_are_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.json"):
        done = run("map", str(path))
        assert done.returncode == 2
        assert done.stdout == b""
        assert path.name in done.stderr.decode()
        assert "Traceback" not in done.stderr.decode()
