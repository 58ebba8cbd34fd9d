"""Quantized checkpoints: what is in them, the same bytes whatever happens, read back."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantmap
from safetensors import safe_open
from safetensors.numpy import save_file

from tests.python.test_quality import FILE, model, weights

CT = "compressed_tensors@0.20.1:"
STORED = [recipe for recipe in quantmap.recipes() if recipe.format and recipe.use == "weight"]
LAYER = "model.layers.0.self_attn.q_proj"


def digests(folder: Path) -> dict[str, str]:
    """The files of a folder and their hashes."""
    names = sorted(os.listdir(folder))
    return {n: hashlib.sha256((folder / n).read_bytes()).hexdigest() for n in names}


def tensors(folder: Path) -> dict[str, tuple[str, list[int], bytes]]:
    """Every tensor as the format's own library finds it: dtype, shape, bytes."""
    out = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, "numpy") as file:
            names = list(file.keys())
        data = path.read_bytes()
        start = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:start])
        assert set(names) == set(header) - {"__metadata__"}
        for name in names:
            begin, end = header[name]["data_offsets"]
            entry = header[name]
            out[name] = (entry["dtype"], entry["shape"], data[start + begin : start + end])
    return out


@pytest.mark.parametrize("recipe", STORED, ids=lambda recipe: recipe.name)
def test_every_recipe_with_a_format(recipe: quantmap.Recipe, tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    done = quantmap.quantize_checkpoint(folder, tmp_path / "out", recipe)
    assert len(done["quantized"]) == 3 and done["bytes_after"] < done["bytes_before"]
    assert set(done["left_out"]) == {"lm_head", "model.layers.0.mlp.gate"}
    found = tensors(tmp_path / "out")
    expected = quantmap.quantize(folder / FILE, recipe, tensor=f"{LAYER}.weight")
    codes = np.asarray(expected.codes)
    if recipe.format in ("float-quantized", "int-quantized", "mxfp8-quantized"):
        assert found[f"{LAYER}.weight"][1] == [96, 128]
        assert found[f"{LAYER}.weight"][2] == codes.tobytes()
    else:
        low = codes.astype(np.int16).reshape(96, -1, 2)
        if recipe.element == "i4":
            low = low + 8
        packed = (low[..., 0] & 15) | ((low[..., 1] & 15) << 4)
        wanted = packed.astype(np.uint8).tobytes()
        if recipe.element == "i8":
            wanted = (codes.astype(np.int16) + 128).astype(np.uint8).tobytes()
        assert found[f"{LAYER}.weight_packed"][2] == wanted
    dtype, _, scale = found[f"{LAYER}.weight_scale"]
    if recipe.scale_bits == 8:
        assert expected.scale_bits is not None and scale == expected.scale_bits.tobytes()
    elif dtype == "F32":
        assert np.frombuffer(scale, np.float32).tolist() == np.ravel(expected.scale).tolist()
    else:
        wide = (np.frombuffer(scale, np.uint16).astype(np.uint32) << 16).view(np.float32)
        assert wide.tolist() == np.ravel(expected.scale).tolist()
    kept = "model.layers.0.mlp.gate.weight"
    assert found[kept] == tensors(folder)[kept]
    info = quantmap.inspect_checkpoint(tmp_path / "out").quantization
    assert info.quantized and info.method == "compressed-tensors"


def test_zero_points_are_packed_by_rows(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    quantmap.quantize_checkpoint(folder, tmp_path / "out", CT + "W4A16_ASYM")
    dtype, shape, data = tensors(tmp_path / "out")[f"{LAYER}.weight_zero_point"]
    assert (dtype, shape) == ("I32", [12, 1])
    words = np.frombuffer(data, np.uint32)
    zeros = [int(words[row // 8] >> (4 * (row % 8)) & 15) - 8 for row in range(96)]
    expected = quantmap.quantize(folder / FILE, CT + "W4A16_ASYM", tensor=f"{LAYER}.weight")
    assert zeros == np.ravel(expected.zero).tolist()


def sharded(folder: Path) -> Path:
    """A checkpoint of three files and an index, with a tokenizer beside it."""
    model(folder)
    (folder / FILE).unlink()
    places = {}
    for shard in range(3):
        name = f"model-0000{shard + 1}-of-00003.safetensors"
        part = {
            f"model.layers.{shard}.{k}.weight": weights(700, 256, shard) for k in ("a", "b_proj")
        }
        save_file(part, folder / name)
        places.update(dict.fromkeys(part, name))
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    (folder / "tokenizer.json").write_text("{}")
    return folder


@pytest.mark.parametrize("scheme", ["FP8_DYNAMIC", "FP8", "NVFP4A16", "W4A16_ASYM"])
def test_same_bytes_for_threads_executors_and_interruptions(scheme: str, tmp_path: Path) -> None:
    folder = sharded(tmp_path / "m")
    quantmap.quantize_checkpoint(folder, tmp_path / "one", CT + scheme, threads=1)
    expected = digests(tmp_path / "one")
    assert len(expected) == 6 and "tokenizer.json" in expected
    quantmap.quantize_checkpoint(folder, tmp_path / "many", CT + scheme, threads=7)
    with ThreadPoolExecutor(2) as pool:
        quantmap.quantize_shards(folder, tmp_path / "pool", CT + scheme, pool)
    assert digests(tmp_path / "many") == digests(tmp_path / "pool") == expected

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done > total / 2:
            raise Stopped

    with pytest.raises(Stopped):
        quantmap.quantize_checkpoint(folder, tmp_path / "again", CT + scheme, progress=stop)
    assert not (tmp_path / "again" / "config.json").exists()
    quantmap.quantize_checkpoint(folder, tmp_path / "again", CT + scheme)
    assert digests(tmp_path / "again") == expected


def test_killed_and_resumed(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "m")
    for shard in range(3):
        name = f"model-0000{shard + 1}-of-00003.safetensors"
        part = {f"model.layers.{shard}.{k}.weight": weights(6000, 1024, 1) for k in "ab"}
        save_file(part, folder / name)
    places = {
        f"model.layers.{shard}.{k}.weight": f"model-0000{shard + 1}-of-00003.safetensors"
        for shard in range(3)
        for k in "ab"
    }
    index = {"metadata": {}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    quantmap.quantize_checkpoint(folder, tmp_path / "one", CT + "NVFP4A16")
    line = [sys.executable, "-m", "quantmap", "quantize", str(folder), str(tmp_path / "out")]
    line += ["--scheme", CT + "NVFP4A16", "--threads", "1"]
    out = tmp_path / "out"
    killed = 0
    for files in (1, 2, 3):  # while the first file is written, the second, and the last
        with subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
            until = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < until:
                if out.is_dir() and len(os.listdir(out)) >= files:
                    break
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
        killed += process.returncode == -signal.SIGKILL and not (out / "config.json").exists()
    assert killed  # at least one found it in the middle
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode in (0, 2), done.stderr
    if done.returncode == 2:  # the last one was complete before it could be killed
        assert "holds something else" in done.stderr
    assert digests(out) == digests(tmp_path / "one")


def test_what_is_refused(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    for scheme, words in (("sglang_jax:int8/token", "no format"), ("vllm:mxfp5", "unknown")):
        with pytest.raises(quantmap.ConfigError, match=words):
            quantmap.quantize_checkpoint(folder, tmp_path / "o", scheme)
    with pytest.raises(quantmap.ConfigError, match="the model itself"):
        quantmap.quantize_checkpoint(folder, folder, CT + "INT8")
    full = tmp_path / "full"
    full.mkdir()
    (full / "x").write_text("")
    with pytest.raises(quantmap.ConfigError, match="something else"):
        quantmap.quantize_checkpoint(folder, full, CT + "INT8")
    quantmap.quantize_checkpoint(folder, tmp_path / "o", CT + "INT8")
    with pytest.raises(quantmap.ConfigError, match="quantized already"):
        quantmap.quantize_checkpoint(tmp_path / "o", tmp_path / "p", CT + "INT8")
    bad = weights(64, 128, 1)
    bad[3, 3] = np.nan
    folder = model(tmp_path / "bad", **{"model.layers.7.x.weight": bad})
    with pytest.raises(quantmap.ConfigError, match=r"model\.layers\.7\.x\.weight.*row 3"):
        quantmap.quantize_checkpoint(folder, tmp_path / "q", CT + "INT8")
    assert not (tmp_path / "q" / "config.json").exists()


def test_read_by_the_library_that_owns_the_format(tmp_path: Path) -> None:
    """Decompressed by compressed-tensors, each module is what quantmap says it is."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("compressed_tensors")
    from compressed_tensors.compressors.base import BaseCompressor
    from compressed_tensors.quantization import QuantizationScheme
    from safetensors.torch import load_file

    folder = model(tmp_path / "m")
    for recipe in STORED:
        out = tmp_path / recipe.name.replace("/", "_")
        quantmap.quantize_checkpoint(folder, out, recipe)
        section = json.loads((out / "config.json").read_text())["quantization_config"]
        group = dict(section["config_groups"]["group_0"])
        group.pop("format")
        scheme = QuantizationScheme(**group)
        state = load_file(out / FILE)
        local = {
            key[len(LAYER) + 1 :]: value for key, value in state.items() if key.startswith(LAYER)
        }
        compressor: Any = BaseCompressor.get_value_from_registry(section["format"])
        back = compressor.decompress(local, scheme)["weight"].float()
        expected = quantmap.quantize(folder / FILE, recipe, tensor=f"{LAYER}.weight").dequantize()
        ours = torch.from_numpy(np.asarray(expected))
        assert torch.allclose(back, ours, rtol=2**-7, atol=1e-6), recipe.name
