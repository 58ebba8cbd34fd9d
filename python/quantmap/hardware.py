"""GPUs: what a name means, what this machine has, and what engines do with it."""

from __future__ import annotations

import functools

from . import _core
from .errors import ConfigError
from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["GpuInfo", "Requirement", "gpu_info", "local_gpu", "requirements"]

_SECONDS = 20.0  # that nvidia-smi may take; a machine with eight sleeping GPUs needs several


class GpuInfo(Result):
    """A GPU as the catalogue knows it, or as the machine reports it.

    Attributes:
        name: as it is sold or reported; None for a bare compute capability.
        product: its id in the catalogue, or None.
        capability: the compute capability, such as ``9.0``.
        gpu_class: the class that rules tell apart, such as ``sm90``.
        architecture: that class in words, such as ``Hopper``.
        memory_bytes: its memory, or None when it is not known.
        memory_gb: the size as it is sold, in GB, or None.
        memory_reported: whether `memory_bytes` is what the driver reports; otherwise it is 10^9
            for each GB sold, a lower bound.
        memory_assumed: whether the name leaves the size open and the usual one was taken.
        cuda: the first CUDA toolkit that supports the capability.
        last_cuda: the last major CUDA version that does, or None.
        evidence: where that is written.
    """

    name: str | None
    product: str | None
    capability: str
    gpu_class: str
    architecture: str
    memory_bytes: int | None
    memory_gb: int | None
    memory_reported: bool
    memory_assumed: bool
    cuda: str | None
    last_cuda: str | None
    evidence: list[str]

    _shown = ("name", "capability", "memory_bytes")


class Requirement(Result):
    """What one engine release does with one setting on one class of GPU.

    Attributes:
        id: the row of the specification's hardware matrices, such as ``fp8``.
        title: that row in words.
        gpu_class: the class of GPU, such as ``sm89``.
        architecture: that class in words.
        documented: what the specification says for it; None when its matrices leave it out.
        outcome: what checked mode answers: ``applied``, ``renamed``, ``degraded``, ``dropped`` or
            ``cannot-serve``.
        reason: why, in words; empty when there is nothing to say.
        precision: what GEMM, KV cache, attention and experts will really be.
        engine: the engine's id.
        version: the release.
    """

    id: str
    title: str
    gpu_class: str
    architecture: str
    documented: bool | None
    outcome: str
    reason: str
    precision: dict[str, str]
    engine: str
    version: str | None

    _shown = ("id", "gpu_class", "outcome")


def gpu_info(gpu: str | float | dict[str, Any]) -> GpuInfo:
    """What a GPU's name means.

    Args:
        gpu: a product as people or nvidia-smi write it (``H100``, ``NVIDIA GeForce RTX 4090``,
            ``A100-SXM4-80GB``), a compute capability (``9.0``, ``sm90``), ``local`` for a GPU of
            this machine, or what `local_gpu` returned.

    Returns:
        GpuInfo: capability, memory and CUDA versions. Capabilities are NVIDIA's
        (https://developer.nvidia.com/cuda-gpus), sizes those of the data sheets.

    Raises:
        ConfigError: nothing known has that name, it is no NVIDIA GPU, or this machine has none.

    Example:
        >>> from quantmap.hardware import gpu_info
        >>> gpu = gpu_info("NVIDIA A100-SXM4-40GB")
        >>> gpu.capability, gpu.gpu_class, gpu.memory_gb
        ('8.0', 'sm80', 40)
    """
    return _core.gpu_info(gpu)


def requirements(engine: str, engine_version: str = "latest") -> list[Requirement]:
    """The specification's hardware matrices, answered by an engine release.

    Each row is asked of checked mode for every class of GPU: nothing here is a table of its own.

    Args:
        engine: the engine.
        engine_version: the release; ``latest`` is the newest known.

    Returns:
        list[Requirement]: every row of the matrices on every class of GPU, in that order.

    Raises:
        ConfigError: engine or version are not known.

    Example:
        >>> from quantmap.hardware import requirements
        >>> answers = {(r.id, r.gpu_class): r for r in requirements("vllm", "0.11.0")}
        >>> answer = answers["fp8", "sm80"]
        >>> answer.documented, answer.outcome
        (True, 'degraded')
    """
    from .mapping import explain

    out = []
    for claim in _core.hardware_claims():
        for gpu in _core.gpu_classes():
            mapping = explain(
                engine,
                claim["config"],
                None,
                claim["checkpoint"],
                engine_version=engine_version,
                gpu=gpu["id"],
            )
            refused = [d.message for d in mapping.diagnostics if d.severity == "error"]
            asked = [decision for decision in mapping.decisions if decision.given]
            worst = max(asked, key=lambda decision: _rank(decision.outcome), default=None)
            outcome, reason = (worst.outcome, worst.sentence) if worst else ("applied", "")
            if refused:
                outcome, reason = "cannot-serve", refused[0]
            out.append(
                Requirement(
                    id=claim["id"],
                    title=claim["title"],
                    gpu_class=gpu["id"],
                    architecture=gpu["title"],
                    documented=_documented(claim["documented"], gpu["architecture"]),
                    outcome=outcome,
                    reason=reason,
                    precision=mapping.precision,
                    engine=mapping.engine,
                    version=mapping.version,
                )
            )
    return out


def _rank(outcome: str) -> int:
    order = ("applied", "renamed", "replaced", "degraded", "ignored", "dropped", "cannot-serve")
    return order.index(outcome) if outcome in order else len(order)


def _documented(architectures: list[str], architecture: str) -> bool | None:
    """Whether the matrices say yes; they have no column for some architectures."""
    columns = {name for claim in _core.hardware_claims() for name in claim["documented"]}
    return architecture in architectures if architecture in columns else None


@functools.lru_cache(maxsize=1)
def local_gpu() -> dict[str, Any]:
    """The GPU of this machine; asked once in a process.

    NVML is asked when ``nvidia-ml-py`` is installed (the extra ``gpu``), else
    ``nvidia-smi``. Of GPUs of different kinds the weakest is taken, by capability and memory, and
    the others are named.

    Returns:
        dict[str, Any]: ``name``, ``capability``, ``memory_bytes`` (left out when the machine does
        not tell) and ``others``, as a ``gpu`` argument takes it.

    Raises:
        ConfigError: there is none, or neither way to ask works.

    Example:
        >>> from quantmap.hardware import gpu_info, local_gpu
        >>> gpu_info(local_gpu())  # doctest: +SKIP
        GpuInfo('NVIDIA L4', '8.9', 24152899584)
    """
    found = _ask_nvml()
    if found is None:
        found = _ask_nvidia_smi()
    if not found:
        raise _no_gpu("no GPU is visible")
    found.sort(key=lambda gpu: (float(gpu["capability"]), gpu.get("memory_bytes", 0)))
    weakest = found[0]
    kinds = {(gpu["name"], gpu.get("memory_bytes")) for gpu in found}
    kinds.discard((weakest["name"], weakest.get("memory_bytes")))
    return {**weakest, "others": sorted(name for name, _ in kinds)}


def _no_gpu(reason: str) -> ConfigError:
    return ConfigError([_core.make_diagnostic("no-local-gpu", "gpu", {"reason": reason})])


def _ask_nvml() -> list[dict[str, Any]] | None:
    """What NVML reports; None when its bindings are not installed."""
    import contextlib
    import importlib

    try:
        pynvml = importlib.import_module("pynvml")
    except ImportError:
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise _no_gpu(f"NVML: {error}") from None
    try:
        out = []
        for index in range(pynvml.nvmlDeviceGetCount()):
            handle = pynvml.nvmlDeviceGetHandleByIndex(index)
            name = pynvml.nvmlDeviceGetName(handle)
            major, minor = pynvml.nvmlDeviceGetCudaComputeCapability(handle)
            gpu: dict[str, Any] = {
                "name": name.decode(errors="replace") if isinstance(name, bytes) else name,
                "capability": f"{major}.{minor}",
            }
            with contextlib.suppress(pynvml.NVMLError):  # a GPU that shares the machine's memory
                gpu["memory_bytes"] = int(pynvml.nvmlDeviceGetMemoryInfo(handle).total)
            out.append(gpu)
        return out
    except pynvml.NVMLError as error:
        raise _no_gpu(f"NVML: {error}") from None
    finally:
        pynvml.nvmlShutdown()


def _ask_nvidia_smi() -> list[dict[str, Any]]:
    """What nvidia-smi prints, one line for each GPU."""
    import shutil
    import subprocess

    program = shutil.which("nvidia-smi")
    if program is None:
        raise _no_gpu("nvidia-ml-py is not installed and there is no nvidia-smi")
    query = "--query-gpu=name,memory.total,compute_cap"
    try:
        done = subprocess.run(
            [program, query, "--format=csv,noheader"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _no_gpu(f"nvidia-smi did not answer within {_SECONDS:g} seconds") from None
    except OSError as error:
        raise _no_gpu(f"nvidia-smi: {error.strerror or error}") from None
    printed = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        said = " ".join((printed + " " + done.stderr.decode(errors="replace")).split())
        raise _no_gpu(f"nvidia-smi: {said[:200] or f'exit code {done.returncode}'}")
    return [_smi_line(line) for line in printed.splitlines() if line.strip()]


def _smi_line(line: str) -> dict[str, Any]:
    """``NVIDIA H100 80GB HBM3, 81559 MiB, 9.0``"""
    parts = [part.strip() for part in line.rsplit(",", 2)]
    if len(parts) != 3 or not parts[2].replace(".", "", 1).isdigit():
        raise _no_gpu(f"nvidia-smi printed {line.strip()[:80]!r}")
    gpu: dict[str, Any] = {"name": parts[0], "capability": parts[2]}
    amount, _, unit = parts[1].partition(" ")
    if amount.isdigit() and unit == "MiB":
        gpu["memory_bytes"] = int(amount) * 1024 * 1024
    return gpu
