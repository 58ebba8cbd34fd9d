"""Quantization: codes and error sums of a bf16 matrix, against memcpy, torch and jitted XLA.

    python tests/bench/bench_quantize.py [--rows N] [--columns N] [--rounds N]

One process; candidates take turns, and what is printed are medians of processor time, one thread.
memcpy is the one of the C library, into memory that was touched before: writing to new pages takes
ten times as long, and memory that the system gives in small pages copies more slowly than in huge
ones, so both are arranged alike for everybody and the share of huge pages is printed. "codes" means
that they are written to memory as well, else they stay in the cache and only the sums are kept.

Then two threads against one by the wall: first what this machine itself gives, for memcpy and for
a loop that only computes (SHA-256 of what stays in the cache), then a matrix in memory and one that
stays in the cache.
torch and jax are measured where they are installed.
"""

from __future__ import annotations

import argparse
import ctypes
import hashlib
import mmap
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from quantmap import _core

INT8, FP8 = "sglang_jax:int8/channel", "sglang_jax:fp8/channel"
TARGETS = {INT8: 0.7, FP8: 0.45, "vllm:fp8_per_tensor": 0.0, "vllm:mxfp4": 0.45, "vllm:nvfp4": 0.3}
PAIRS = ((INT8, "torch int8", 15), (INT8, "XLA int8", 8))
PAIRS += ((FP8, "torch fp8", 15), (FP8, "XLA fp8", 8))
_COPY = ctypes.CDLL(None).memcpy
_COPY.argtypes = (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
_COPY.restype = ctypes.c_void_p

Run = Callable[[], Any]


def room(count: int) -> Any:
    """Touched memory for so many 16-bit numbers, in huge pages where the system gives them."""
    size = -(-2 * count // (1 << 21)) << 21
    region = mmap.mmap(-1, size + (1 << 21), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        region.madvise(mmap.MADV_HUGEPAGE)
    whole = np.frombuffer(region, np.uint8)
    begin = -whole.ctypes.data % (1 << 21)
    out = whole[begin : begin + 2 * count].view(np.uint16)
    out[:] = 1
    return out


def huge_pages() -> str:
    """How much of the process' memory is in huge pages."""
    path = Path("/proc/self/smaps_rollup")
    if not path.exists():
        return "unknown"
    lines = [line for line in path.read_text().splitlines() if line.startswith("AnonHugePages")]
    return f"{int(lines[0].split()[1]) // 1024} MB" if lines else "unknown"


def torch_candidates(weights: Any) -> dict[str, Run]:
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


def xla_candidates(weights: Any) -> dict[str, Run]:
    """The same as jitted XLA does it."""
    try:
        import jax
        import jax.numpy as jnp
        import ml_dtypes
    except ImportError:
        return {}
    tensor = jnp.asarray(weights.view(ml_dtypes.bfloat16))

    def make(dtype: Any, limit: float) -> Run:
        @jax.jit
        def run(x: Any) -> Any:
            wide = x.astype(jnp.float32)
            scale = jnp.max(jnp.abs(wide), axis=1, keepdims=True) / limit
            codes = jnp.clip(wide / scale, -limit, limit).astype(dtype)
            return codes, scale, jnp.sum((wide - codes.astype(jnp.float32) * scale) ** 2)

        run(tensor)  # compiled here, not in the first round
        return lambda: jax.block_until_ready(run(tensor))

    return {"XLA int8": make(jnp.int8, 127.0), "XLA fp8": make(jnp.float8_e4m3fn, 448.0)}


def measured(values: Any, shape: tuple[int, int], name: str, threads: int = 1) -> Run:
    """Codes in the cache, and the sums."""
    return lambda: _core.measure_buffer(values, "bf16", *shape, [name], threads, 99)


def written(values: Any, shape: tuple[int, int], name: str) -> Run:
    """Codes in new memory."""
    return lambda: _core.quantize_buffer(values, "bf16", *shape, name, 1, 99)


def copied(target: Any, source: Any, pool: ThreadPoolExecutor | None = None) -> Run:
    """memcpy, of two halves at once with a pool."""
    half = source.nbytes // 2
    to, of = target.ctypes.data, source.ctypes.data
    if pool is None:
        return lambda: _COPY(to, of, source.nbytes)
    halves = ((to, of, half), (to + half, of + half, source.nbytes - half))
    return lambda: list(pool.map(lambda part: _COPY(*part), halves))


def hashed(data: Any, pool: ThreadPoolExecutor | None = None) -> Run:
    """Nothing but computing: SHA-256 of four parts, two at a time with a pool."""
    parts = [data[place::4].copy() for place in range(4)]
    if pool is None:
        return lambda: [hashlib.sha256(part) for part in parts]
    return lambda: list(pool.map(hashlib.sha256, parts))


def timed(rounds: int, clock: Callable[[], float], runs: dict[Any, Run]) -> dict[Any, list[float]]:
    """What each takes, in turns."""
    times: dict[Any, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            begin = clock()
            run()
            times[name].append(clock() - begin)
    return times


def one_thread(weights: Any, target: Any, shape: tuple[int, int], rounds: int) -> None:
    """Processor time, against memcpy, torch and XLA."""
    runs: dict[Any, Run] = {"memcpy": copied(target, weights)}
    runs.update({name: measured(weights, shape, name) for name in TARGETS})
    runs.update({f"{name}, codes": written(weights, shape, name) for name in (INT8, FP8)})
    square = weights.reshape(shape)
    runs.update({**torch_candidates(square), **xla_candidates(square)})
    times = timed(rounds, time.process_time, runs)
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        ratios = (a / b for a, b in zip(times["memcpy"], times[name]))
        target_ = TARGETS.get(name, 0)
        goal = f"  (target {target_})" if target_ else ""
        speed = weights.nbytes / 1e9 / median
        print(f"{name:32} {speed:6.2f} GB/s  {statistics.median(ratios):5.2f} of memcpy{goal}")
    for ours, theirs, goal in PAIRS:
        if theirs in times:
            ratios = (a / b for a, b in zip(times[theirs], times[ours]))
            print(f"{ours:32} {statistics.median(ratios):6.1f}x {theirs}  (target {goal})")


def two_threads(weights: Any, target: Any, shape: tuple[int, int], rounds: int) -> None:
    """By the wall: one thread over two."""
    inside = (1024, 4096)  # 8 MB: it stays in the last cache
    kept = weights[: inside[0] * inside[1]].copy()
    with ThreadPoolExecutor(2) as pool:
        runs: dict[Any, Run] = {}
        for threads in (1, 2):
            both = pool if threads == 2 else None
            runs["memcpy", threads] = copied(target, weights, both)
            runs["SHA-256", threads] = hashed(kept, both)
            for name in (INT8, FP8, "vllm:mxfp4"):
                runs[name, threads] = measured(weights, shape, name, threads)
                runs[f"{name}, in cache", threads] = measured(kept, inside, name, threads)
        times = timed(rounds, time.perf_counter, runs)
    print("two threads over one, by the wall (target 1.8): median of rounds, best against best")
    for name in dict.fromkeys(name for name, _ in runs):
        one, two = times[name, 1], times[name, 2]
        median = statistics.median(a / b for a, b in zip(one, two))
        print(f"  {name:40} {median:5.2f}x   {min(one) / min(two):5.2f}x")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--columns", type=int, default=14336)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    shape = (options.rows, options.columns)
    weights, target = (room(options.rows * options.columns) for _ in range(2))
    drawn = np.random.default_rng(0).standard_normal(shape, dtype=np.float32)
    weights[:] = (drawn.view(np.uint32) >> 16).astype(np.uint16).ravel()
    del drawn
    kernel = _core.kernel_names()[-1]
    print(f"{shape[0]} x {shape[1]} bf16, {kernel} kernels, huge pages: {huge_pages()}")
    one_thread(weights, target, shape, options.rounds)
    two_threads(weights, target, shape, options.rounds)


if __name__ == "__main__":
    main()
