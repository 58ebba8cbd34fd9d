"""Checkpoints that are larger than memory should be: what is read, and how much of it is kept."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_quality import FILE, INT8, MXFP4, model, weights

FOUR = [INT8, "vllm@0.33.0:fp8_per_channel", MXFP4, "vllm@0.33.0:mxfp8"]
MOST = 64 << 20  # bytes that a run may take, whatever the checkpoint


def sparse(folder: Path, shapes: list[tuple[int, int]]) -> Path:
    """A checkpoint of holes: zeros, and a one at the end of each matrix."""
    folder.mkdir()
    header: dict[str, Any] = {}
    place = 0
    for index, (rows, columns) in enumerate(shapes):
        end = place + rows * columns * 2
        entry = {"dtype": "BF16", "shape": [rows, columns], "data_offsets": [place, end]}
        header[f"model.layers.{index}.mlp.up_proj.weight"] = entry
        place = end
    text = json.dumps(header).encode()
    with open(folder / FILE, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + place)
        for entry in header.values():
            file.seek(8 + len(text) + entry["data_offsets"][1] - 2)
            file.write(b"\x80\x3f")
    (folder / "config.json").write_text('{"model_type": "llama"}')
    return folder


# Runs one call in a process of its own, after the same on a small checkpoint; prints what memory
# and reading it took more.
GROWTH = """
import json, sys
import quantmap

def read():
    with open("/proc/self/io") as file:
        return int(file.readline().split()[1])

def status(name):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(name))

def run(folder, out):
    if out is None:
        return quantmap.quality(folder, schemes, threads=2)
    return quantmap.quantize_checkpoint(folder, out, schemes[0], threads=2)

small, large, out, schemes = json.loads(sys.argv[1])
run(small, None if out is None else out + "-small")
now = status("VmRSS")
before = read()
run(large, out)
grown = status("VmHWM") - now  # of this program: getrusage counts who started it
print(json.dumps({"memory": grown << 10, "read": read() - before}))
"""


def growth(small: Path, large: Path, out: Path | None, schemes: list[str]) -> dict[str, int]:
    """What a call takes for a large checkpoint."""
    given = json.dumps([str(small), str(large), out and str(out), schemes])
    line = [sys.executable, "-c", GROWTH, given]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout)
    return found


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="the kernel does not count reads")
def test_two_gigabytes_are_priced_for_four_schemes_in_one_pass(tmp_path: Path) -> None:
    small = sparse(tmp_path / "small", [(256, 14336)])
    large = sparse(tmp_path / "large", [(4096, 14336)] * 17)
    size = (large / FILE).stat().st_size
    assert size > 1.9e9
    found = growth(small, large, None, FOUR)
    assert found["memory"] < MOST
    assert size < found["read"] < size * 1.01


@pytest.mark.skipif(not os.path.exists("/proc/self/io"), reason="the kernel does not count reads")
@pytest.mark.parametrize("scheme", ["FP8_BLOCK", "W4A16_ASYM", "NVFP4A16"])
def test_writing_does_not_take_more_for_larger_checkpoints(scheme: str, tmp_path: Path) -> None:
    small = sparse(tmp_path / "small", [(256, 14336)])
    large = sparse(tmp_path / "large", [(1 << 13, 14336), (128, 1 << 16)])
    name = f"compressed_tensors@0.20.1:{scheme}"
    assert growth(small, large, tmp_path / "out", [name])["memory"] < MOST


def test_rows_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    folder = sparse(tmp_path / "wide", [(128, 1 << 18), (1, 1 << 20)])
    found = quantmap.quality(folder, [INT8, "vllm@0.33.0:fp8_per_block"])
    first, second = found.modules
    assert list(first.results) == [INT8] and "do not fit" in next(iter(first.refused.values()))
    assert list(second.results) == [INT8]


def test_a_file_that_gets_shorter_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    """Where it is mapped, the process would be killed."""
    more = {f"model.layers.{i}.self_attn.q_proj.weight": weights(512, 512, i) for i in range(4)}
    folder = model(tmp_path / "m", **more)

    def cut(done: int, total: int) -> None:
        os.truncate(folder / FILE, 4096)

    with pytest.raises(quantmap.ConfigError, match="ended before its data") as caught:
        quantmap.quality(folder, [INT8], progress=cut)
    assert "the tensor 'model.layers" in str(caught.value)
    folder = model(tmp_path / "again", **more)
    os.rename(folder / FILE, folder / "model-1.safetensors")
    model(folder)
    os.rename(folder / FILE, folder / "model-2.safetensors")

    def cut_second(done: int, total: int) -> None:
        if done:
            os.truncate(folder / "model-2.safetensors", 4096)

    with pytest.raises(quantmap.ConfigError):
        scheme = "compressed_tensors@0.20.1:FP8_DYNAMIC"
        quantmap.quantize_checkpoint(folder, tmp_path / "out", scheme, progress=cut_second)
    assert not (tmp_path / "out" / "config.json").exists()


def test_more_than_two_to_the_31_numbers(tmp_path: Path) -> None:
    rows, columns = (1 << 15) + 1, 1 << 16
    found = quantmap.quality(sparse(tmp_path / "m", [(rows, columns)]), [FOUR[1]])
    result = found.modules[0].results[FOUR[1]]
    assert result["dead_rows"] == rows - 1 and result["sqnr_db"] == math.inf
    assert result["worst_row"] == 0 and result["peak"] == pytest.approx(math.sqrt(columns))
