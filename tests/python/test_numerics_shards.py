"""Shards of a checkpoint on executors that people have: processes, and Ray if it is there."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.test_quantize_checkpoint import CT, digests, sharded


def test_processes_write_the_same_bytes(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "m")
    quantmap.quantize_checkpoint(folder, tmp_path / "one", CT + "NVFP4A16")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        done = quantmap.quantize_shards(folder, tmp_path / "many", CT + "NVFP4A16", pool)
    assert digests(tmp_path / "many") == digests(tmp_path / "one")
    assert len(done["quantized"]) == 6


def test_what_fails_in_a_process_is_told(tmp_path: Path) -> None:
    folder = sharded(tmp_path / "m")
    name = next(iter(sorted(folder.glob("*.safetensors"))))
    data = bytearray(name.read_bytes())
    data[-2:] = b"\x80\x7f"  # an infinity
    name.write_bytes(data)
    context = multiprocessing.get_context("spawn")
    named = pytest.raises(quantmap.ConfigError, match=r"model\.layers\.0\.b_proj\.weight")
    with ProcessPoolExecutor(1, mp_context=context) as pool, named:
        quantmap.quantize_shards(folder, tmp_path / "out", CT + "INT8", pool)


class RayExecutor:
    """What `concurrent.futures` calls an executor, on a Ray cluster."""

    def __init__(self, ray: Any) -> None:
        self._ray = ray

    def submit(self, function: Any, *arguments: Any) -> Any:
        """The call as a task."""
        return RayFuture(self._ray, self._ray.remote(function).remote(*arguments))


class RayFuture:
    """Its result."""

    def __init__(self, ray: Any, reference: Any) -> None:
        self._ray = ray
        self._reference = reference

    def result(self) -> Any:
        """What the task gave."""
        return self._ray.get(self._reference)


@pytest.mark.filterwarnings("default")
def test_ray_writes_the_same_bytes(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    folder = sharded(tmp_path / "m")
    quantmap.quantize_checkpoint(folder, tmp_path / "one", CT + "W4A16_ASYM")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        executor = RayExecutor(ray)
        quantmap.quantize_shards(folder, tmp_path / "ray", CT + "W4A16_ASYM", executor)
    finally:
        ray.shutdown()
    assert digests(tmp_path / "ray") == digests(tmp_path / "one")
