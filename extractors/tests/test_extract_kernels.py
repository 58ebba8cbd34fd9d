"""The kernel tables are what a release's own predicates say, followed as text."""

from __future__ import annotations

from pathlib import Path

import pytest
from extract_kernels import document, sglang, vllm
from extract_kernels.boxes import boxes, runs

from extractors.tests.extract_support import write

GPUS = {"sm80": 80, "sm90": 90}
TOY = {
    "vllm/v1/attention/backends/registry.py": """
        from enum import Enum
        class AttentionBackendEnum(Enum):
            FAST = "vllm.v1.fast.FastBackend"
            SLOW = "vllm.v1.slow.SlowBackend"
            NOWHERE = "vllm.v1.nowhere.Backend"
            OTHER_GPU = "vllm.v1.slow.OtherBackend"
    """,
    "vllm/v1/backend.py": """
        import torch
        class AttentionBackend:
            supported_dtypes = [torch.float16, torch.bfloat16]
            @classmethod
            def supports_dtype(cls, dtype):
                return dtype in cls.supported_dtypes
            @classmethod
            def supports_head_size(cls, head_size):
                return True
            @classmethod
            def supports_kv_cache_dtype(cls, kv_cache_dtype):
                return kv_cache_dtype in ("auto", "fp8")
            @classmethod
            def is_mla(cls):
                return False
            @classmethod
            def is_sparse(cls):
                return False
            @classmethod
            def supports_sink(cls):
                return False
            @classmethod
            def supports_compute_capability(cls, capability):
                return True
    """,
    "vllm/v1/fast.py": """
        from vllm.platforms import current_platform
        from vllm.platforms.interface import DeviceCapability
        from vllm.v1.backend import AttentionBackend
        from elsewhere import installed
        class FastBackend(AttentionBackend):
            @staticmethod
            def get_impl_cls():
                return FastImpl
            @classmethod
            def supports_head_size(cls, head_size):
                return head_size % 32 == 0 and head_size <= 256
            @classmethod
            def supports_sink(cls):
                return installed()
            @classmethod
            def supports_compute_capability(cls, capability):
                return capability >= DeviceCapability(8, 0)
            @classmethod
            def supports_combination(cls, head_size, kv_cache_dtype, device_capability):
                if kv_cache_dtype == "fp8" and head_size > 128 and device_capability.major == 9:
                    return "too large"
        class FastImpl:
            def __init__(self, num_heads, kv_cache_dtype, sinks=None):
                self.kv_cache_dtype = kv_cache_dtype
                if self.kv_cache_dtype.startswith("fp8"):
                    if not current_platform.has_device_capability(89):
                        raise ValueError(f"{self.kv_cache_dtype} needs a newer GPU")
    """,
    "vllm/v1/slow.py": """
        import torch
        from vllm.v1.backend import AttentionBackend
        class SlowBackend(AttentionBackend):
            supported_dtypes = [torch.float16, torch.bfloat16, torch.float32]
        class OtherBackend(SlowBackend):
            pass
    """,
    "vllm/platforms/cuda.py": """
        from vllm.v1.attention.backends.registry import AttentionBackendEnum
        def _get_backend_priorities(use_mla, device_capability):
            if use_mla:
                return []
            if device_capability.major == 9:
                return [AttentionBackendEnum.FAST, AttentionBackendEnum.SLOW]
            return [AttentionBackendEnum.SLOW]
        class CudaPlatformBase:
            @classmethod
            def support_deep_gemm(cls):
                return cls.is_device_capability(90) or cls.is_device_capability_family(100)
    """,
    "vllm/platforms/rocm.py": "name = 'AttentionBackendEnum.OTHER_GPU'",
    "vllm/model_executor/layers/quantization/utils/quant_utils.py": """
        kFp8Static128BlockSym = "blocks"
        kFp8Dynamic128Sym = "groups"
        kFp8StaticTensorSym = kFp8StaticChannelSym = kFp8DynamicTokenSym = "others"
        kFp8DynamicTensorSym = kFp8StaticTokenSym = "others"
    """,
    "vllm/model_executor/layers/fused_moe/experts.py": """
        from vllm.platforms import current_platform
        class Experts:
            @staticmethod
            def is_supported_config(cls, config, weight_key, activation_key):
                if not cls._supports_current_device():
                    return False, "device"
                if not cls._supports(weight_key, activation_key):
                    return False, "scheme"
                return not config.is_lora_enabled, None
            @staticmethod
            def _supports(weights, activations):
                return True
        class NewExperts(Experts):
            @staticmethod
            def _supports_current_device():
                return current_platform.support_deep_gemm()
        class BlockExperts(Experts):
            @staticmethod
            def _supports_current_device():
                return True
            @staticmethod
            def _supports(weights, activations):
                return (weights, activations) == ("blocks", "groups")
        class OddExperts(Experts):
            @staticmethod
            def _supports_current_device():
                from elsewhere import compiled
                return compiled()
    """,
    "vllm/model_executor/layers/fused_moe/oracle/fp8.py": """
        from enum import Enum
        from vllm.model_executor.layers.fused_moe.experts import *
        class Backend(Enum):
            NEW = "NEW"
            ODD = "ODD"
            BLOCK = "BLOCK"
        def map_fp8_backend(name):
            mapping = {"new": Backend.NEW, "odd": Backend.ODD, "block": Backend.BLOCK}
            if backend := mapping.get(name):
                return backend
            raise ValueError("unknown")
        def backend_to_kernel_cls(backend):
            if backend == Backend.NEW:
                return [NewExperts]
            return [BlockExperts] if backend == Backend.BLOCK else [OddExperts]
        def select_fp8_moe_backend(config, weight_key, activation_key, allow_vllm_cutlass=False):
            available = [Backend.NEW, Backend.ODD, Backend.BLOCK]
            if config.moe_backend != "auto":
                backend = map_fp8_backend(config.moe_backend)
                if backend == Backend.ODD and not allow_vllm_cutlass:
                    raise ValueError("disabled")
                available = [backend]
            for backend in available:
                for kernel in backend_to_kernel_cls(backend):
                    supported, reason = kernel.is_supported_config(
                        kernel, config, weight_key, activation_key)
                    if supported:
                        return backend, kernel
            raise NotImplementedError("none")
    """,
    "vllm/model_executor/kernels/linear/__init__.py": """
        from vllm.model_executor.kernels.linear.kernels import *
        from vllm.platforms import PlatformEnum
        _POSSIBLE_FP8_BLOCK_KERNELS = {
            PlatformEnum.ROCM: [ThirdKernel],
            PlatformEnum.CUDA: [FirstKernel, SecondKernel, ThirdKernel],
        }
    """,
    "vllm/platforms/__init__.py": """
        from enum import Enum
        class PlatformEnum(Enum):
            CUDA = 1
            ROCM = 2
    """,
    "vllm/model_executor/kernels/linear/kernels.py": """
        class Kernel:
            @classmethod
            def is_supported(cls, compute_capability=None):
                return True, None
            @classmethod
            def can_implement(cls, config):
                return True, None
        class FirstKernel(Kernel):
            @classmethod
            def is_supported(cls, compute_capability=None):
                return compute_capability >= 90, "needs a newer GPU"
            @classmethod
            def can_implement(cls, config):
                return config.weight_shape[0] % 64 == 0, None
        class SecondKernel(Kernel):
            @classmethod
            def can_implement(cls, config):
                return config.activation_quant_key != "groups", "other activations"
        class ThirdKernel(Kernel):
            pass
    """,
    "vllm/model_executor/layers/quantization/__init__.py": """
        import torch
        QUANTIZATION_METHODS = ["m8", "m4"]
        def get_quantization_config(name):
            if name not in QUANTIZATION_METHODS:
                raise ValueError("unknown")
            return {"m8": M8, "m4": M4}[name]
        class M8:
            @classmethod
            def get_min_capability(cls):
                return 89
            @classmethod
            def get_supported_act_dtypes(cls):
                return [torch.bfloat16, torch.half]
        class M4(M8):
            def get_min_capability(self):
                return self.least
            def get_supported_act_dtypes(self):
                return self.types
    """,
}
CHOICES = {
    "--kv-cache-dtype": ["auto", "bfloat16", "fp8"],
    "--quantization": ["m8", "gone"],
    "--moe-backend": ["auto", "new", "odd", "block", "other"],
}
TOY_SGLANG = {
    "sglang/srt/server_args.py": """
        ATTENTION_BACKEND_CHOICES = [
            # NVIDIA specific
            "plain",
            # AMD specific
            "amd",
        ]
    """,
    "sglang/srt/layers/attention/attention_registry.py": """
        from sglang.srt.utils import get_device_capability
        from sglang.srt.layers.attention.plain import Plain, Latent
        def register_attention_backend(name):
            return lambda fn: fn
        @register_attention_backend("plain")
        def create_plain(runner):
            if runner.use_mla_backend:
                raise ValueError("not for MLA")
            return Plain(runner)
        @register_attention_backend("latent")
        def create_latent(runner):
            major, minor = get_device_capability()
            assert major == 9, "Hopper only"
            return Latent(runner)
        @register_attention_backend("amd")
        def create_amd(runner):
            return Plain(runner)
    """,
    "sglang/srt/layers/attention/plain.py": """
        class Plain:
            def __init__(self, runner):
                assert runner.never_known
                self.rank = runner.model_config.kv_lora_rank if runner.latent else 0
        class Latent:
            def __init__(self, runner):
                self.rank = runner.model_config.kv_lora_rank
    """,
}


@pytest.fixture(name="reading", scope="module")
def _reading(tmp_path_factory: pytest.TempPathFactory) -> dict:
    return vllm.read(write(tmp_path_factory.mktemp("toy"), TOY), GPUS, CHOICES)


def test_a_backend_is_asked_on_each_gpu(reading: dict) -> None:
    """Predicates, combinations and what the constructor raises come together, by GPU."""
    common = {"kind": "heads", "dtypes": ["float16", "bfloat16"], "kv": ["auto", "fp8"]}
    sinks = {"heads": [[32, 256, 32]], "sinks": True, "unsure": ["sinks"]}
    large = [160, 192, 224, 256]
    assert reading["backends"]["FAST"] == {
        "class": "vllm.v1.fast.FastBackend",
        "takes": [
            {"gpus": ["sm80"], **common, **sinks, "refuses": [{"kv": ["fp8"]}]},
            {"gpus": ["sm90"], **common, **sinks, "refuses": [{"kv": ["fp8"], "heads": large}]},
        ],
    }
    slow = reading["backends"]["SLOW"]["takes"]
    assert [row["gpus"] for row in slow] == [["sm80", "sm90"]] and "heads" not in slow[0]


def test_names_without_code_and_other_platforms(reading: dict) -> None:
    assert reading["backends"]["NOWHERE"] == {"absent": True}
    assert reading["backends"]["OTHER_GPU"]["platform"] == "rocm"
    assert "takes" not in reading["backends"]["OTHER_GPU"]


def test_the_order_of_choice(reading: dict) -> None:
    orders = {tuple(row["gpus"]): row["order"] for row in reading["orders"] if row["order"]}
    assert orders == {("sm80",): ["SLOW"], ("sm90",): ["FAST", "SLOW"]}


def test_methods_say_what_their_text_says(reading: dict) -> None:
    """What is not a literal of the class is not known, and an unknown method is left out."""
    assert set(reading["methods"]) == {"m8", "m4"}
    assert reading["methods"]["m8"]["capability"] == 89
    assert reading["methods"]["m8"]["dtypes"] == ["bfloat16", "float16"]
    assert set(reading["methods"]["m4"]) == {"class"}


def test_named_backends_of_experts(reading: dict) -> None:
    """A name that is not mapped or not allowed is refused, and what no class of it serves."""
    assert reading["experts"]["fp8_block"]["takes"] == [
        {"gpus": ["sm80"], "backends": ["block"], "maybe": []},
        {"gpus": ["sm90"], "backends": ["new", "block"], "maybe": []},
    ]
    assert reading["experts"]["fp8_channel"]["takes"] == [
        {"gpus": ["sm80"], "backends": [], "maybe": ["odd"]},
        {"gpus": ["sm90"], "backends": ["new"], "maybe": ["odd"]},
    ]


def test_what_a_release_takes_for_experts(reading: dict) -> None:
    """The first that serves; in front of it what may be, as the text leaves it open."""
    assert reading["experts_taken"]["fp8_block"] == {
        "module": "vllm.model_executor.layers.fused_moe.oracle.fp8",
        "takes": [
            {"gpus": ["sm80"], "order": ["ODD", "BLOCK"]},
            {"gpus": ["sm90"], "order": ["NEW"]},
        ],
    }
    # Where nothing is known to serve, nothing is said.
    assert reading["experts_taken"]["fp8_tensor"]["takes"] == [{"gpus": ["sm90"], "order": ["NEW"]}]


def test_what_a_release_takes_for_linear_layers(reading: dict) -> None:
    assert set(reading["linear_taken"]) == {"fp8_block"}
    assert reading["linear_taken"]["fp8_block"]["takes"] == [
        {"gpus": ["sm80"], "order": ["ThirdKernel"]},
        {"gpus": ["sm90"], "order": ["FirstKernel"]},
    ]


def test_sglang_backends_are_what_makes_them(tmp_path: Path) -> None:
    """The maker refuses models and GPUs; a constructor may need what a model does not have."""
    choices = {"--kv-cache-dtype": ["auto"]}
    found = sglang.read(write(tmp_path, TOY_SGLANG), GPUS, choices)["backends"]
    rows = {name: [(r["gpus"], r["kind"]) for r in b.get("takes", [])] for name, b in found.items()}
    assert rows["plain"] == [(["sm80", "sm90"], "heads")]
    assert rows["latent"] == [(["sm90"], "mla"), (["sm90"], "sparse_mla")]
    assert found["amd"]["platform"] == "ROCm"


def test_sets_of_points_are_covered_exactly() -> None:
    points = {(a, b, c) for a in "xyz" for b in range(4) for c in (True, False)}
    points -= {("x", 1, True), ("y", 2, False), ("z", 0, True), ("z", 0, False)}
    covered = [
        (a, b, c) for first, second, third in boxes(points)
        for a in first for b in second for c in third
    ]  # fmt: skip
    assert len(covered) == len(set(covered)) and set(covered) == points
    assert boxes([]) == []


@pytest.mark.parametrize(
    "sizes", [[], [64], [64, 128, 256], list(range(8, 257, 8)), [8, 16, 24, 100, 104, 576]]
)
def test_runs_hold_exactly_the_sizes(sizes: list[int]) -> None:
    inside = [
        size
        for size in range(4, 1025, 4)
        if any(a <= size <= b and size % c == 0 for a, b, c in runs(sizes))
    ]
    assert inside == sizes


def test_intervals_and_their_difference(reading: dict, tmp_path: Path) -> None:
    """A document gives back what was read, and says in words what changed."""
    newer = {**reading, "methods": {**reading["methods"], "m2": {"class": "a.M2"}}}
    made = document.build("vllm", {"1.0": reading, "1.1": reading, "1.2": newer})
    assert document.at(made, "1.1") == reading and document.at(made, "1.2") == newer
    assert made["backends"]["FAST"][0]["since"] == "1.0" and len(made["backends"]["FAST"]) == 1
    assert document.compare(document.at(made, "1.1"), document.at(made, "1.2")) == ["+ method m2"]
    assert document.update("vllm", made, {"1.2": newer}) == made
    assert document.render(made).count("\n") > 10
