"""Measure inspecting a checkpoint of 200 files against reading the same headers with safetensors.

Run with the installed package: ``python tests/bench/bench_inspect.py``. The files are sparse, their
headers are real: a mixture-of-experts model with block scales, some ninety thousand tensors. Both
sides take turns; the figure is the median of the ratios of the rounds. A clock never fails it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import tempfile
import time
from pathlib import Path

import quantmap
from safetensors import safe_open

FILES, LAYERS, EXPERTS, HIDDEN, INNER = 200, 61, 256, 7168, 2048
BITS = {"F8_E4M3": 8, "F32": 32, "BF16": 16}


def names() -> dict[str, tuple[str, list[int]]]:
    """Tensor → dtype and shape."""
    out: dict[str, tuple[str, list[int]]] = {
        "model.embed_tokens.weight": ("BF16", [129280, HIDDEN]),
        "lm_head.weight": ("BF16", [129280, HIDDEN]),
    }
    for layer in range(LAYERS):
        prefix = f"model.layers.{layer}."
        out[f"{prefix}input_layernorm.weight"] = ("BF16", [HIDDEN])
        for expert in range(EXPERTS):
            for part in ("gate_proj", "up_proj", "down_proj"):
                module = f"{prefix}mlp.experts.{expert}.{part}."
                out[f"{module}weight"] = ("F8_E4M3", [INNER, HIDDEN])
                out[f"{module}weight_scale_inv"] = ("F32", [INNER // 128, HIDDEN // 128])
    return out


def build(folder: Path) -> int:
    """Write the checkpoint; returns the number of tensors."""
    every = list(names().items())
    weight_map = {}
    for number in range(FILES):
        header, end = {}, 0
        file = f"model-{number + 1:05d}-of-{FILES:05d}.safetensors"
        for name, (dtype, shape) in every[number::FILES]:
            size = BITS[dtype] // 8
            for extent in shape:
                size *= extent
            header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
            end += size
            weight_map[name] = file
        text = json.dumps(header, separators=(",", ":")).encode()
        (folder / file).write_bytes(struct.pack("<Q", len(text)) + text)
        os.truncate(folder / file, 8 + len(text) + end)
    index = {"metadata": {}, "weight_map": weight_map}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    quantization = {"quant_method": "fp8", "weight_block_size": [128, 128]}
    config = {"num_hidden_layers": LAYERS, "quantization_config": quantization}
    (folder / "config.json").write_text(json.dumps(config))
    return len(every)


def by_package(folder: Path) -> int:
    """Every header through the safetensors package; returns the number of tensors."""
    count = 0
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            count += len(file.keys())
    return count


def timed(call: object, *arguments: object) -> tuple[tuple[float, float], object]:
    """Seconds by the clock and of the processor, and what the call returned."""
    start, busy = time.perf_counter(), time.process_time()
    result = call(*arguments)  # type: ignore[operator]
    return (time.perf_counter() - start, time.process_time() - busy), result


def milliseconds(times: list[tuple[float, float]]) -> str:
    """The medians in words."""
    clock, busy = (statistics.median(column) * 1000 for column in zip(*times))
    return f"{clock:.1f} ms, of which {busy:.1f} ms of the processor"


def main() -> None:
    """Print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tensors = build(folder)
        ours, theirs = [], []
        for _ in range(rounds):
            seconds, info = timed(quantmap.inspect_checkpoint, folder)
            assert isinstance(info, quantmap.CheckpointInfo) and info.weights is not None
            assert info.weights.tensors == tensors
            ours.append(seconds)
            seconds, count = timed(by_package, folder)
            assert count == tensors
            theirs.append(seconds)
        ratio = statistics.median(b[0] / a[0] for a, b in zip(ours, theirs))
        print(f"{FILES} files, {tensors} tensors, {info.bytes_read / 2**20:.1f} MiB read")
        print(f"inspect_checkpoint: {milliseconds(ours)} (target: below 100)")
        print(f"safetensors, the same headers: {milliseconds(theirs)}")
        print(f"safetensors / quantmap: {ratio:.1f}x (target: above 1)")


if __name__ == "__main__":
    main()
