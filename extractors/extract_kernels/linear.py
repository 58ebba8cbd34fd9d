"""vLLM's linear layers: the kernel that a release takes by itself, scheme by scheme, GPU by GPU.

A release has a list of kernels for each scheme, in the order in which they are tried; each class
says whether it is for the GPU and whether it can compute the layer. They are asked for a plain
layer.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from extract_surface.values import ClassValue, EnumMember, Unknown

from .choice import KEYS_MODULE, Asked, Choosing, Setup, possible
from .rows import grouped
from .world import World

_NEW = "vllm.model_executor.kernels.linear"
_OLD = "vllm.model_executor.layers.quantization.kernels"
_SCALED = (_NEW, f"{_OLD}.scaled_mm")
_MIXED = (_NEW, f"{_OLD}.mixed_precision")
_ABSENT = ("bitblas", "conch")


class Linear(NamedTuple):
    """A scheme of linear layers: the list that holds its kernels, and what the layer is."""

    modules: tuple[str, ...]
    tables: tuple[str, ...]  # the newest name first
    keys: tuple[str, str] = ("", "")
    weight: str = ""
    zero_points: bool = False


LINEAR = {
    "fp8_tensor": Linear(
        _SCALED, ("_POSSIBLE_FP8_KERNELS",), ("kFp8StaticTensorSym", "kFp8StaticTensorSym")
    ),
    "fp8_online": Linear(
        _SCALED, ("_POSSIBLE_FP8_KERNELS",), ("kFp8StaticTensorSym", "kFp8DynamicTokenSym")
    ),
    "fp8_channel": Linear(
        _SCALED, ("_POSSIBLE_FP8_KERNELS",), ("kFp8StaticTokenSym", "kFp8DynamicTokenSym")
    ),
    "fp8_block": Linear(
        _SCALED, ("_POSSIBLE_FP8_BLOCK_KERNELS",), ("kFp8Static128BlockSym", "kFp8Dynamic128Sym")
    ),
    "nvfp4": Linear((_NEW,), ("_POSSIBLE_NVFP4_KERNELS",)),
    "mxfp8": Linear((_NEW,), ("_POSSIBLE_MXFP8_KERNELS",)),
    "mxfp4_online": Linear((_NEW,), ("_POSSIBLE_MXFP4_KERNELS",), ("", "kMxfp4Dynamic")),
    "int8": Linear(_SCALED, ("_POSSIBLE_INT8_KERNELS", "_POSSIBLE_KERNELS")),
    "gptq": Linear(_MIXED, ("_POSSIBLE_KERNELS",), weight="uint4b8"),
    "awq": Linear(_MIXED, ("_POSSIBLE_KERNELS",), weight="uint4", zero_points=True),
}


def _table_of(world: World, module: str, scheme: Linear) -> list[ClassValue]:
    """Return the kernels of a scheme that a module lists, in the order in which they are tried."""
    for table in scheme.tables if module != _NEW else scheme.tables[:1]:
        found = world.module_name(module, table)
        if isinstance(found, dict):  # by platform
            found = next((kernels for key, kernels in found.items() if _is_cuda(key)), None)
        if isinstance(found, list):
            return [kernel for kernel in found if isinstance(kernel, ClassValue)]
    return []


def _table(world: World, scheme: Linear) -> list[ClassValue]:
    tables = (_table_of(world, module, scheme) for module in scheme.modules)
    return next((table for table in tables if table), [])


def _is_cuda(key: Any) -> bool:
    return isinstance(key, EnumMember) and key.name == "CUDA"


def _layer(world: World, scheme: Linear) -> Setup:
    keys = [world.module_name(KEYS_MODULE, key) if key else Unknown("key") for key in scheme.keys]
    types = world.module_name("vllm.scalar_type", "scalar_types")
    weight = world.attribute(types, scheme.weight) if scheme.weight else Unknown("type")
    dtype = "torch.bfloat16" if world.capability.number >= 80 else "torch.float16"
    return Setup({"weight_quant_key": keys[0], "activation_quant_key": keys[1],
                  "input_dtype": dtype, "out_dtype": dtype,
                  "weight_shape": (4096, 4096), "full_weight_shape": (4096, 4096),
                  "partition_weight_shape": (4096, 4096), "weight_type": weight,
                  "act_type": dtype, "group_size": 128,
                  "zero_points": scheme.zero_points, "has_g_idx": False,
                  "is_channelwise": True, "is_static_input_scheme": False,
                  "input_symmetric": True})  # fmt: skip


def _is_absent(kernel: ClassValue) -> bool:
    """Whether a kernel is of a package that images do not bring."""
    return kernel.module.rpartition(".")[2] in _ABSENT


def _serves(world: World, kernel: ClassValue, layer: Setup) -> Any:
    """Whether a kernel is for the GPU and can compute the layer, as far as it is known."""
    if _is_absent(kernel):
        return False
    least = world.ask(kernel, "get_min_capability")
    if isinstance(least, int) and least > world.capability.number:
        return False
    answers = []
    for question, argument in (("is_supported", world.capability.number), ("can_implement", layer)):
        if not world.class_attribute(kernel, question):
            continue
        found = world.ask(kernel, question, argument)
        answers.append(world.truth(found[0]) if isinstance(found, tuple) and found else found)
    if any(answer is False for answer in answers):
        return False
    return True if answers and all(answer is True for answer in answers) else None


def asked(world: World, scheme: Linear) -> list[Asked]:
    """Return the kernels of a scheme in their order, and whether each serves a plain layer."""
    layer = _layer(world, scheme)
    return [Asked(kernel.name, _serves(world, kernel, layer)) for kernel in _table(world, scheme)]


def read(worlds: dict[str, Choosing]) -> dict[str, Any]:
    """Return, for each kind of linear layer, the kernel that is taken on each GPU."""
    out: dict[str, Any] = {}
    for name, scheme in LINEAR.items():
        orders = {gpu: possible(asked(world, scheme)) for gpu, world in worlds.items()}
        if not any(orders.values()):
            continue
        rows = {gpu: [{"order": order}] if order else [] for gpu, order in orders.items()}
        module = next(
            m for m in scheme.modules if _table_of(next(iter(worlds.values())), m, scheme)
        )
        out[name] = {"module": module, "takes": grouped(rows)}
    return out
