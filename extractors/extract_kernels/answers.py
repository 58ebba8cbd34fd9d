"""What a released build answers by compiled code, or by a package that its image brings.

A function of the release with one of these names is answered and not followed. Everything here is
about the public CUDA 12.8+ builds: their kernels are compiled for every GPU that they name.
"""

from __future__ import annotations

from typing import Any

from extract_surface.values import ClassValue, External, Instance, Unknown

from .world import World


def _flash_attention(world: World, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Which FlashAttention kernels are built for the GPU: 2 from SM80, 3 for SM90, 4 from SM90."""
    asked = args[0] if args else kwargs.get("fa_version")
    capability = world.capability.number
    if asked == 2:
        return capability >= 80
    if asked == 3:
        return 90 <= capability < 100
    if asked == 4:
        has_it = world.module_name("vllm.vllm_flash_attn.flash_attn_interface", "_is_fa4_supported")
        return 90 <= capability < 120 and not isinstance(has_it, Unknown)
    return Unknown("FlashAttention version")


def between(least: int, below: int = 10_000) -> Any:
    """Return an answer: whether the capability is one of these."""

    def answer(world: World, args: list[Any], kwargs: dict[str, Any]) -> bool:
        return least <= world.capability.number < below

    return answer


def _configuration(world: World, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The configuration of a launch without attention options; its model is not known here."""
    attention: Any = Unknown("attention configuration")
    for module in ("vllm.config.attention", "vllm.config"):
        found = world.module_name(module, "AttentionConfig")
        if isinstance(found, ClassValue):
            attention = Instance(found, {})
            break
    return Instance(External("world.VllmConfig"), {"attention_config": attention})


def _by_name(world: World, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Return the class that a dotted name means."""
    name = args[0] if args else Unknown("name")
    if not isinstance(name, str):
        return Unknown("name")
    module, _, base = name.rpartition(".")
    return world.module_name(module, base)


def _capability(world: World, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Return the capability of the GPU: what a platform's own class asks the driver for."""
    return world.capability


COMMON: dict[str, Any] = {
    "is_fa_version_supported": _flash_attention,
    "has_flashinfer": True,
    "has_nvidia_artifactory": Unknown("whether the machine reaches NVIDIA's server"),
    "_is_flashmla_available": (True, None),
    "get_current_vllm_config_or_none": None,
    "get_current_vllm_config": _configuration,
    "get_attention_config": Unknown("the configuration"),
    "cutlass_fp8_supported": between(89),
    "cutlass_block_fp8_supported": between(90),
    "cutlass_group_gemm_supported": between(90, 110),
    "get_device_capability": _capability,
    "resolve_obj_by_qualname": _by_name,
    "set_kv_cache_layout": None,
    "is_cuda": True,
    "is_cuda_alike": True,
    **{
        name: False
        for name in ("is_hip", "is_npu", "is_cpu", "is_xpu", "is_hpu", "is_mps", "is_musa",
                     "is_rocm", "is_gfx95_supported", "use_intel_amx_backend")
    },
}  # fmt: skip
