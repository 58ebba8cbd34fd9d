"""Quantization: codes and error sums of a bf16 matrix, against memcpy, torch and jitted XLA.

    python tests/bench/bench_quantize.py [--rows N] [--columns N] [--rounds N]

Candidates take turns; what is printed are medians of processor time, one thread; then what two
threads take against one: by the wall, and in processor time. On a machine with other work the wall
says little: threads that do not wait for each other take no more processor time than one.
torch and jax are measured where they are installed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from quantmap import _core

TARGETS = {
    "sglang_jax:int8/channel": 0.7,
    "vllm:fp8_per_tensor": 0.45,
    "sglang_jax:fp8/channel": 0.45,
    "vllm:mxfp4": 0.45,
    "vllm:nvfp4": 0.3,
}
PAIRS = (
    ("sglang_jax:int8/channel", ("torch int8", "XLA int8")),
    ("sglang_jax:fp8/channel", ("torch fp8", "XLA fp8")),
)


def torch_candidates(weights: Any) -> dict[str, Callable[[], Any]]:
    """The same as torch does it on a CPU."""
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    tensor = torch.from_numpy(weights.view(np.int16)).view(torch.bfloat16)

    def whole() -> None:
        scale = tensor.abs().amax(1, keepdim=True).float() / 127
        codes = (tensor / scale).round().clamp(-128, 127).to(torch.int8)
        (tensor.float() - codes * scale).square().sum()

    def small() -> None:
        scale = tensor.abs().amax(1, keepdim=True).float() / 448
        codes = (tensor / scale).clamp(-448, 448).to(torch.float8_e4m3fn)
        (tensor.float() - codes.float() * scale).square().sum()

    return {"torch int8": whole, "torch fp8": small}


def xla_candidates(weights: Any) -> dict[str, Callable[[], Any]]:
    """The same as jitted XLA does it."""
    try:
        import jax
        import jax.numpy as jnp
        import ml_dtypes
    except ImportError:
        return {}
    tensor = jnp.asarray(weights.view(ml_dtypes.bfloat16))

    def make(dtype: Any, limit: float) -> Callable[[], Any]:
        @jax.jit
        def run(x: Any) -> Any:
            wide = x.astype(jnp.float32)
            scale = jnp.max(jnp.abs(wide), axis=1, keepdims=True) / limit
            codes = jnp.clip(wide / scale, -limit, limit).astype(dtype)
            return codes, scale, jnp.sum((wide - codes.astype(jnp.float32) * scale) ** 2)

        return lambda: jax.block_until_ready(run(tensor))

    return {"XLA int8": make(jnp.int8, 127.0), "XLA fp8": make(jnp.float8_e4m3fn, 448.0)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--columns", type=int, default=14336)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    shape = (options.rows, options.columns)
    drawn = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    weights = (drawn.view(np.uint32) >> 16).astype(np.uint16)
    target = np.empty_like(weights)

    def ours(name: str, threads: int = 1) -> Callable[[], Any]:
        return lambda: _core.measure_buffer(weights, "bf16", *shape, [name], threads, 99)

    candidates: dict[str, Callable[[], Any]] = {"memcpy": lambda: np.copyto(target, weights)}
    candidates.update({name: ours(name) for name in TARGETS})
    candidates.update(torch_candidates(weights))
    candidates.update(xla_candidates(weights))
    times: dict[str, list[float]] = {name: [] for name in candidates}
    walls: dict[int, list[float]] = {1: [], 2: []}
    used_by: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(options.rounds):
        for name, run in candidates.items():
            begin = time.process_time()
            run()
            times[name].append(time.process_time() - begin)
        for threads in walls:
            begin, used = time.perf_counter(), time.process_time()
            ours("sglang_jax:int8/channel", threads)()
            walls[threads].append(time.perf_counter() - begin)
            used_by[threads].append(time.process_time() - used)
    gigabytes = weights.nbytes / 1e9
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{options.rows} x {options.columns} bf16, {_core.kernel_names()[-1]} kernels")
    for name, median in medians.items():
        ratio = medians["memcpy"] / median
        goal = f"  (target {TARGETS[name]})" if name in TARGETS else ""
        print(f"{name:28} {gigabytes / median:6.2f} GB/s  {ratio:5.2f} of memcpy{goal}")
    for ours_, theirs in PAIRS:
        for name in theirs:
            if name in medians:
                print(f"{ours_:28} {medians[name] / medians[ours_]:6.1f}x {name}")
    wall = statistics.median(walls[1]) / statistics.median(walls[2])
    used = statistics.median(used_by[2]) / statistics.median(used_by[1])
    best = min(walls[1]) / min(walls[2])
    print(f"two threads against one: {wall:.2f}x by the wall, best {best:.2f}x")
    print(
        f"processor time of two threads over one: {used:.2f}, so {2 / used:.2f}x on free processors"
    )


if __name__ == "__main__":
    main()
