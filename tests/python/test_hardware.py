"""GPUs: names, this machine, and the specification's hardware matrices answered."""

from __future__ import annotations

import itertools
import os
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core, gpu_info
from quantmap.hardware import GpuInfo, local_gpu, requirements

NAMES = {
    "H100": ("h100", "9.0", 80),
    "Tesla M40 24GB": ("m40", "5.2", 24),
    "NVIDIA GeForce GTX 1060 6GB": ("gtx_1060", "6.1", 6),
    "NVIDIA GeForce RTX 2060": ("rtx_2060", "7.5", 6),
    "NVIDIA GeForce RTX 3070 Laptop GPU": ("rtx_3070", "8.6", 8),
    "NVIDIA RTX A4500": ("rtx_a4500", "8.6", 20),
    "NVIDIA RTX 4000 Ada Generation": ("rtx_4000_ada", "8.9", 20),
    "NVIDIA Thor": ("thor", "11.0", 128),
    "NVIDIA GeForce RTX 5060": ("rtx_5060", "12.0", 8),
    "NVIDIA RTX PRO 4500 Blackwell": ("rtx_pro_4500", "12.0", 32),
    "h100": ("h100", "9.0", 80),
    "NVIDIA H100 80GB HBM3": ("h100", "9.0", 80),
    "NVIDIA H100 PCIe": ("h100", "9.0", 80),
    "NVIDIA H100 NVL": ("h100", "9.0", 94),
    "RTX 4090": ("rtx_4090", "8.9", 24),
    "rtx4090": ("rtx_4090", "8.9", 24),
    "RTX-4090": ("rtx_4090", "8.9", 24),
    "NVIDIA GeForce RTX 4090": ("rtx_4090", "8.9", 24),
    "NVIDIA GeForce RTX 4090 Laptop GPU": ("rtx_4090_laptop", "8.9", 16),
    "NVIDIA A100-SXM4-80GB": ("a100", "8.0", 80),
    "NVIDIA A100-SXM4-40GB": ("a100", "8.0", 40),
    "NVIDIA A100 80GB PCIe": ("a100", "8.0", 80),
    "NVIDIA A800-SXM4-80GB": ("a100", "8.0", 80),
    "A100-40G": ("a100", "8.0", 40),
    "Tesla V100-SXM2-32GB": ("v100", "7.0", 32),
    "Tesla T4": ("t4", "7.5", 16),
    "T4": ("t4", "7.5", 16),
    "NVIDIA A10G": ("a10", "8.6", 24),
    "NVIDIA RTX A6000": ("rtx_a6000", "8.6", 48),
    "NVIDIA RTX 6000 Ada Generation": ("rtx_6000_ada", "8.9", 48),
    "NVIDIA L4": ("l4", "8.9", 24),
    "NVIDIA L40S": ("l40s", "8.9", 48),
    "NVIDIA H20": ("h20", "9.0", 96),
    "NVIDIA H200": ("h200", "9.0", 141),
    "NVIDIA GH200 480GB": ("gh200", "9.0", 96),
    "B200": ("b200", "10.0", 180),
    "NVIDIA B300 SXM6 AC": ("b300", "10.3", 288),
    "GB200": ("gb200", "10.0", 186),
    "RTX PRO 6000": ("rtx_pro_6000", "12.0", 96),
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": ("rtx_pro_6000", "12.0", 96),
    "NVIDIA GeForce RTX 5090": ("rtx_5090", "12.0", 32),
    "NVIDIA GeForce RTX 5070": ("rtx_5070", "12.0", 12),
    "NVIDIA GeForce RTX 5070 Ti": ("rtx_5070_ti", "12.0", 16),
    "NVIDIA GeForce RTX 5060 Ti": ("rtx_5060_ti", "12.0", 16),
    "NVIDIA GeForce RTX 4070 Ti SUPER": ("rtx_4070_ti_super", "8.9", 16),
    "NVIDIA GeForce RTX 4070": ("rtx_4070", "8.9", 12),
    "NVIDIA GeForce RTX 4060 Ti": ("rtx_4060_ti", "8.9", 16),
    "NVIDIA GeForce RTX 3060": ("rtx_3060", "8.6", 12),
    "NVIDIA GB10": ("gb10", "12.1", 128),
}


@pytest.fixture(autouse=True)
def _asked_anew() -> Iterator[None]:
    local_gpu.cache_clear()
    yield
    local_gpu.cache_clear()


def code_of(gpu: Any) -> str:
    """The code of the one error that a GPU gives."""
    with pytest.raises(quantmap.ConfigError) as caught:
        gpu_info(gpu)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.path == "gpu" and diagnostic.hint
    return diagnostic.code


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_names_as_people_and_nvidia_smi_write_them(
    name: str, expected: tuple[str, str, int]
) -> None:
    found = gpu_info(name)
    assert (found.product, found.capability, found.memory_gb) == expected
    for spelt in (name.upper(), f"  {name} ", name.replace(" ", "-"), name.replace(" ", "_")):
        assert gpu_info(spelt).to_dict() == found.to_dict()


@pytest.mark.parametrize("given", ["9.0", 9.0, 90, "90", "sm90", "SM_90a", "compute_90", "cc 9.0"])
def test_a_capability(given: Any) -> None:
    found = gpu_info(given)
    assert (found.capability, found.gpu_class, found.name) == ("9.0", "sm90", None)
    assert found.memory_bytes is None and found.cuda == "11.8"


def test_memory_is_what_the_driver_reports_where_that_is_known() -> None:
    assert gpu_info("H100 80GB").memory_bytes == 81559 * 2**20
    assert gpu_info("H100 80GB").memory_reported
    sold = gpu_info("RTX 4080")
    assert (sold.memory_bytes, sold.memory_reported) == (16 * 10**9, False)
    assert gpu_info("A100").memory_assumed and not gpu_info("A100 80GB").memory_assumed


def test_a_mig_slice_has_its_own_memory() -> None:
    found = gpu_info("NVIDIA A100-SXM4-40GB MIG 1g.5gb")
    assert (found.memory_gb, found.capability) == (5, "8.0")


@pytest.mark.parametrize(
    "name",
    ["MI300X", "AMD Instinct MI355X", "Gaudi 3", "Intel Arc B60", "TPU v6e", "Trainium2", "cpu"],
)
def test_what_is_no_nvidia_gpu_is_a_clear_no(name: str) -> None:
    assert code_of(name) == "not-an-nvidia-gpu"
    with pytest.raises(quantmap.ConfigError, match="no NVIDIA GPU"):
        quantmap.get_runtime_args("vllm", None, engine_version="latest", gpu=name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "H1000", "A100 banana", "H100 123GB", "9", "9.0.0", "5.0", "-9.0", "1e3", "sm"),
        *("80GB", "unknown", "\0", "x" * 100_000, -1, 10**30, 1e300, "H100\nH100"),
    ],
)
def test_unknown_names(name: Any) -> None:
    assert code_of(name) == "unknown-gpu"


@pytest.mark.parametrize("given", [True, [], ["H100"], {}, {"name": "H100"}, {1, 2}])
def test_other_types(given: Any) -> None:
    assert code_of(given) == "wrong-type"


def test_hints_name_what_is_near() -> None:
    for wrong, hint in (("H1O0", "H100"), ("L40T", "L40"), ("A100 41GB", "80, 40, 64 GB")):
        with pytest.raises(quantmap.ConfigError) as caught:
            gpu_info(wrong)
        assert hint in caught.value.diagnostics[0].hint


def test_products_are_complete() -> None:
    products = _core.gpu_products()
    assert len(products) > 40
    for product in products:
        assert product["evidence"] and product["memory"] and product["names"]
        assert (
            gpu_info(product["name"].partition(" (")[0].partition(",")[0]).product == product["id"]
        )


# This machine


class FakeNvml(types.ModuleType):
    """NVML's Python bindings with given GPUs: (name, (major, minor), bytes or None)."""

    class NVMLError(Exception):
        pass

    def __init__(self, gpus: list[tuple[Any, tuple[int, int], int | None]], fails: bool = False):
        super().__init__("pynvml")
        self.gpus = gpus
        self.fails = fails
        self.open = 0

    def nvmlInit(self) -> None:
        if self.fails:
            raise self.NVMLError("Driver Not Loaded")
        self.open += 1

    def nvmlShutdown(self) -> None:
        self.open -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        return index

    def nvmlDeviceGetName(self, handle: int) -> Any:
        return self.gpus[handle][0]

    def nvmlDeviceGetCudaComputeCapability(self, handle: int) -> tuple[int, int]:
        return self.gpus[handle][1]

    def nvmlDeviceGetMemoryInfo(self, handle: int) -> Any:
        total = self.gpus[handle][2]
        if total is None:
            raise self.NVMLError("Not Supported")
        return types.SimpleNamespace(total=total)


H100 = ("NVIDIA H100 80GB HBM3", (9, 0), 85520809984)
L4 = (b"NVIDIA L4", (8, 9), 24152899584)


@pytest.fixture
def no_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    """`import pynvml` fails, as without the extra."""
    monkeypatch.setitem(sys.modules, "pynvml", None)


def smi(path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program named nvidia-smi in front of PATH."""
    program = path / "nvidia-smi"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")


def test_local_by_nvml(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = FakeNvml([H100, H100])
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    found = gpu_info("local")
    assert (found.name, found.capability) == ("NVIDIA H100 80GB HBM3", "9.0")
    assert (found.memory_bytes, found.memory_reported) == (85520809984, True)
    assert nvml.open == 0


def test_local_names_gpus_of_other_kinds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml([H100, L4, H100]))
    found = gpu_info(" LOCAL ")
    assert (found.name, found.capability) == ("NVIDIA L4", "8.9")
    assert "NVIDIA L4 is taken; there is also NVIDIA H100 80GB HBM3" in caplog.text
    diagnostics = quantmap.explain("vllm@latest", gpu="local").diagnostics
    assert [d.severity for d in diagnostics if d.code == "gpus-differ"] == ["warning"]


def test_local_in_every_function(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml([L4]))
    config = {"gemm_dtype": "fp8"}
    options = {"engine_version": "0.13.0"}
    assert quantmap.explain("vllm", config, gpu="local", **options).gpu == "sm89"
    local = quantmap.get_runtime_args("vllm", config, gpu="local", **options)
    assert local == quantmap.get_runtime_args("vllm", config, gpu="L4", **options)
    line = "vllm serve m --kv-cache-dtype fp8"
    verdicts = quantmap.check(line, gpu="local", **options).to_dict()
    assert verdicts == quantmap.check(line, gpu="L4", **options).to_dict()


def test_local_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", FakeNvml([("NVIDIA GB10", (12, 1), None)]))
    found = gpu_info("local")
    assert (found.gpu_class, found.memory_bytes) == ("sm120", None)


@pytest.mark.parametrize("nvml", [FakeNvml([]), FakeNvml([H100], fails=True)])
def test_local_nvml_without_gpus(nvml: FakeNvml, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    assert code_of("local") == "no-local-gpu"


@pytest.mark.usefixtures("no_nvml")
def test_local_by_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    line = "NVIDIA GeForce RTX 4090, 24564 MiB, 8.9"
    smi(tmp_path, monkeypatch, f'echo "$*" > {tmp_path}/asked; echo "{line}"; echo "{line}"')
    found = gpu_info("local")
    assert (found.name, found.capability) == ("NVIDIA GeForce RTX 4090", "8.9")
    assert found.memory_bytes == 24564 * 2**20
    asked = (tmp_path / "asked").read_text().split()
    assert asked == ["--query-gpu=name,memory.total,compute_cap", "--format=csv,noheader"]


@pytest.mark.usefixtures("no_nvml")
def test_local_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, monkeypatch, f"echo x >> {tmp_path}/calls; echo 'NVIDIA L4, 23034 MiB, 8.9'")
    for _ in range(3):
        gpu_info("local")
    assert (tmp_path / "calls").read_text() == "x\n"


@pytest.mark.usefixtures("no_nvml")
def test_local_memory_that_the_machine_does_not_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(tmp_path, monkeypatch, "echo 'NVIDIA GB10, [N/A], 12.1'")
    assert gpu_info("local").memory_bytes is None


@pytest.mark.usefixtures("no_nvml")
@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo no devices were found; exit 6", "no devices were found"),
        ("echo 'Field \"compute_cap\" is not a valid field to query.'; exit 2", "compute_cap"),
        ("echo gibberish", "gibberish"),
        ("echo 'A, 1 MiB, 9.0; rm -rf /'", "printed"),
        ("exit 9", "exit code 9"),
        ("true", "no GPU is visible"),
    ],
)
def test_local_when_nvidia_smi_fails(
    script: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    smi(tmp_path, monkeypatch, script)
    with pytest.raises(quantmap.ConfigError, match=said) as caught:
        gpu_info("local")
    assert caught.value.diagnostics[0].code == "no-local-gpu"


@pytest.mark.usefixtures("no_nvml")
def test_local_when_nvidia_smi_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr("quantmap.hardware._SECONDS", 0.2)
    with pytest.raises(quantmap.ConfigError, match="did not answer"):
        gpu_info("local")


@pytest.mark.usefixtures("no_nvml")
def test_local_without_any_way_to_ask(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(quantmap.ConfigError, match="no nvidia-smi") as caught:
        quantmap.get_runtime_args("vllm", None, engine_version="latest", gpu="local")
    assert "nvidia-ml-py" in caught.value.diagnostics[0].hint


# The specification's matrices

FIRST = {  # engine → row of the matrices → the first class of GPU on which it is done as asked
    "vllm": {"fp8": "sm89", "bf16": "sm80", "awq": "sm75", "nvfp4": "sm75", "mxfp4": "sm80"},
    "sglang": {"fp8": "sm89", "bf16": "sm80", "gptq_marlin": "sm80", "nvfp4": "sm80"},
    "tensorrt_llm": {"fp8_kv": "sm80", "fp8_checkpoint": "sm89", "nvfp4": "sm100"},
}


@pytest.mark.parametrize("engine", FIRST)
def test_requirements_give_the_true_thresholds(engine: str) -> None:
    answers = requirements(engine)
    rows = {row: list(found) for row, found in itertools.groupby(answers, lambda r: r.id)}
    assert list(rows) == [claim["id"] for claim in _core.hardware_claims()]
    for row, first in FIRST[engine].items():
        done = [r.gpu_class for r in rows[row] if r.outcome in ("applied", "renamed")]
        assert done[0] == first, row


def test_requirements_stand_beside_what_is_documented() -> None:
    answers = {(r.id, r.gpu_class): r for r in requirements("vllm", "0.11.0")}
    fp8 = answers["fp8", "sm80"]
    assert (fp8.documented, fp8.outcome) == (True, "degraded")
    assert "W8A16" in fp8.precision["gemm"] and fp8.reason
    assert answers["fp8", "sm89"].documented is None
    assert (answers["awq", "sm70"].documented, answers["awq", "sm70"].outcome) == (
        True,
        "cannot-serve",
    )
    assert answers["fp8", "sm90"].to_dict()["version"] == "0.11.0"


def test_requirements_of_something_unknown() -> None:
    with pytest.raises(quantmap.ConfigError):
        requirements("llama.cpp")
    with pytest.raises(quantmap.ConfigError):
        requirements("vllm", "0.0.1")


def test_gpu_info_is_plain_data() -> None:
    found = gpu_info("H100")
    assert isinstance(found, GpuInfo) and found.to_dict()["name"] == "H100"
    assert repr(found) == "GpuInfo('H100', '9.0', 85520809984)"
