"""Headers of safetensors files are JSON: two spellings of a name are one name."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest
import quantmap

TENSOR = '{"dtype":"F16","shape":[2],"data_offsets":[0,4]}'
SECOND = TENSOR.replace("[0,4]", "[4,8]")


def model(folder: Path, header: str, size: int = 4) -> Path:
    """A model of one file with this header."""
    (folder / "config.json").write_text("{}")
    data = header.encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(data)) + data + b"\0" * size)
    return folder


def theirs(folder: Path) -> bool:
    """Whether the engines' reader takes the file."""
    safetensors = pytest.importorskip("safetensors")
    try:
        with safetensors.safe_open(folder / "model.safetensors", framework="numpy") as file:
            return bool(file.keys())
    except Exception:  # its own type, and what its binding raises
        return False


def ours(folder: Path) -> bool:
    """Whether quantmap takes it."""
    try:
        quantmap.inspect_checkpoint(folder)
    except quantmap.ConfigError:
        return False
    return True


GOOD = {
    "escaped name": f'{{"\\u0061":{TENSOR}}}',
    "escaped key": '{"a":{"\\u0064type":"F16","shape":[2],"data_offsets":[0,4]}}',
    "escaped value": '{"a":{"dtype":"\\u0046\\u00316","shape":[2],"data_offsets":[0,4]}}',
    "escaped metadata": f'{{"__metadata\\u005f_":{{"a":"b"}},"a":{TENSOR}}}',
    "every escape": f'{{"\\"\\\\\\/\\b\\f\\n\\r\\t":{TENSOR}}}',
    "two halves": f'{{"\\ud83d\\ude00":{TENSOR}}}',
}
BAD = {
    "unknown escape": f'{{"a\\q":{TENSOR}}}',
    "half a character": f'{{"\\ud800":{TENSOR}}}',
    "other half": f'{{"\\udc00":{TENSOR}}}',
    "two first halves": f'{{"\\ud800\\ud800":{TENSOR}}}',
    "short escape": f'{{"\\u00":{TENSOR}}}',
    "bad digits": f'{{"\\u00g0":{TENSOR}}}',
    "word": f'{{"__metadata__":{{"a":nope}},"a":{TENSOR}}}',
    "half a literal": f'{{"__metadata__":{{"a":nul}},"a":{TENSOR}}}',
    "number": f'{{"__metadata__":{{"a":01}},"a":{TENSOR}}}',
    "point": f'{{"__metadata__":{{"a":1.}},"a":{TENSOR}}}',
    "sign": f'{{"__metadata__":{{"a":+1}},"a":{TENSOR}}}',
    "comma": f'{{"a":{TENSOR},}}',
    "no key": f'{{"__metadata__":{{1:"a"}},"a":{TENSOR}}}',
}


@pytest.mark.parametrize("name", GOOD)
def test_escapes_mean_what_they_say(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path, GOOD[name])
    assert ours(folder) and theirs(folder)


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_json_is_refused(tmp_path: Path, name: str) -> None:
    folder = model(tmp_path, BAD[name])
    assert not ours(folder) and not theirs(folder)


def test_a_tensor_in_two_spellings_is_given_twice(tmp_path: Path) -> None:
    model(tmp_path, f'{{"a":{TENSOR},"\\u0061":{SECOND}}}', 8)
    with pytest.raises(quantmap.ConfigError, match="'a' is given twice"):
        quantmap.inspect_checkpoint(tmp_path)


@pytest.mark.parametrize(
    ("key", "tensor", "file"),
    [
        ("weight_map", "a", "model.safetensors"),
        ("weight_ma\\u0070", "\\u0061", "model.\\u0073afetensors"),
    ],
)
def test_an_index_in_any_spelling(tmp_path: Path, key: str, tensor: str, file: str) -> None:
    model(tmp_path, f'{{"a":{TENSOR}}}')
    index = f'{{"metadata":{{"total_size":4}},"{key}":{{"{tensor}":"{file}"}}}}'
    assert json.loads(index)["weight_map"] == {"a": "model.safetensors"}
    (tmp_path / "model.safetensors.index.json").write_text(index)
    info = quantmap.inspect_checkpoint(tmp_path)
    assert info.notes == []


def test_an_index_names_a_tensor_once(tmp_path: Path) -> None:
    model(tmp_path, f'{{"a":{TENSOR}}}')
    (tmp_path / "model.safetensors.index.json").write_text(
        '{"weight_map":{"a":"model.safetensors","\\u0061":"model.safetensors"}}'
    )
    with pytest.raises(quantmap.ConfigError, match="given twice"):
        quantmap.inspect_checkpoint(tmp_path)
