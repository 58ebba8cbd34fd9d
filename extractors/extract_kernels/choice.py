"""vLLM's experts: the backend that a release takes by itself, scheme by scheme, GPU by GPU.

A release chooses in a function of its own: it goes through backends in an order and takes the
first whose class says that it serves the layer. The function is followed for a plain layer on one
GPU (no expert or data parallelism, no LoRA); each class is asked, none is taken, so that the whole
order is seen with what each class answers.
"""

from __future__ import annotations

import ast
from typing import Any, NamedTuple

from extract_surface.objects import ParserBase
from extract_surface.values import ClassValue, EnumMember, External, Function, Instance, Unknown

from . import answers
from .rows import grouped
from .world import Refused, World

KEYS_MODULE = "vllm.model_executor.layers.quantization.utils.quant_utils"
AUTO = "auto"
_FUSED = "vllm.model_executor.layers.fused_moe"
_ORACLE = f"{_FUSED}.oracle"
_METHODS = "vllm.model_executor.layers.quantization"
_ASKED = "is_supported_config"
# Modules that have held the enumerations of activations and of ways to route.
_ACTIVATIONS = (f"{_FUSED}.activation", f"{_FUSED}.config")


def _launch(world: World, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """The configuration of a launch of some model; nothing is asked of its kernels."""
    text = Instance(External("world.TextConfig"), {"model_type": "a model"})
    model = Instance(External("world.ModelConfig"), {"hf_text_config": text, "hf_config": text})
    return Instance(External("world.VllmConfig"), {"model_config": model})


# What an image with every kernel package on CUDA answers, and a launch without options for experts.
ANSWERS: dict[str, Any] = {
    **answers.COMMON,
    "cutlass_scaled_mm_supports_fp4": answers.between(100),
    "get_current_vllm_config": _launch,
    "has_deep_gemm": True,
    "has_flashinfer_fp8_blockscale_gemm": answers.between(90, 100),
    "has_flashinfer_cutlass_fused_moe": True,
    "has_flashinfer_trtllm_fused_moe": True,
    "has_flashinfer_moe": True,
    "has_flashinfer_cutedsl_grouped_gemm_nt_masked": True,
    "has_quark": False,
    "is_torch_equal_or_newer": True,
    "has_triton_kernels": True,
    "is_fused_moe_enabled": False,
    "should_auto_disable_deep_gemm": False,
    "_user_moe_activation_override": None,
}


class Layer(NamedTuple):
    """A kind of layer of experts, and where the release chooses its backend."""

    functions: tuple[tuple[str, str], ...]  # module and function, the newest place first
    keys: tuple[str, str] = ("", "")  # weights and activations, by the release's own names
    cutlass: bool = False  # whether the method lets vLLM's own CUTLASS kernels be taken
    block: bool = False
    activation: str = "SILU"


def _oracle(scheme: str, *names: str) -> tuple[tuple[str, str], ...]:
    return tuple((f"{_ORACLE}.{scheme}", name) for name in names)


_FP8 = (*_oracle("fp8", "select_fp8_moe_backend"), (f"{_METHODS}.fp8", "get_fp8_moe_backend"))
_BLOCK = ("kFp8Static128BlockSym", "kFp8Dynamic128Sym")
_TENSOR = ("kFp8StaticTensorSym", "kFp8StaticTensorSym")
_ONLINE = ("kFp8StaticTensorSym", "kFp8DynamicTensorSym")
_CHANNEL = ("kFp8StaticChannelSym", "kFp8DynamicTokenSym")
LAYERS = {
    "unquantized": Layer(_oracle("unquantized", "select_unquantized_moe_backend")),
    "fp8_block": Layer(_FP8, _BLOCK, block=True),
    "fp8_tensor": Layer(_FP8, _TENSOR),
    "fp8_online": Layer(_FP8, _ONLINE),
    "fp8_channel": Layer(_FP8, _CHANNEL, cutlass=True),
    "nvfp4": Layer(_oracle("nvfp4", "select_nvfp4_moe_backend"), ("kNvfp4Static", "kNvfp4Dynamic")),
    "mxfp4_online": Layer(_oracle("mxfp4", "select_mxfp4_moe_backend"), ("", "kMxfp4Dynamic")),
    "mxfp4": Layer((*_oracle("mxfp4", "select_mxfp4_moe_backend"),
                    (f"{_METHODS}.mxfp4", "get_mxfp4_backend"))),
    "gpt_oss": Layer((*_oracle("mxfp4", "select_gpt_oss_mxfp4_moe_backend",
                               "select_mxfp4_moe_backend"),
                      (f"{_METHODS}.mxfp4", "get_mxfp4_backend")), activation="SWIGLUOAI"),
    "mxfp8": Layer(_oracle("mxfp8", "select_mxfp8_moe_backend")),
    "int8": Layer(_oracle("int8", "select_int8_moe_backend"),
                  ("kInt8StaticChannelSym", "kInt8DynamicTokenSym")),
    "int4": Layer(_oracle("int_wna16", "select_wna16_moe_backend"), ("kInt4Static", "")),
}  # fmt: skip
_ROUTINGS = ("Renormalize", "DeepSeekV3")


class Setup(ParserBase):
    """A layer's configuration, or its parallel one, in a plain launch."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def method(self, name: str) -> Any:
        """Return an attribute: nothing special is used, and there is one GPU."""
        if name in self.known:
            return self.known[name]
        if name.startswith(("use_", "is_", "has_", "require_", "enable_")):
            return False
        return 1 if name.endswith("_size") else Unknown(name)

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Nothing is known."""
        return Unknown(name)


class Rocm(ParserBase):
    """What asks for AMD's kernels: there are none."""

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Answer a question."""
        return False


class Asked(NamedTuple):
    """A backend that the function came to, and whether its classes serve the layer."""

    name: str
    serves: Any


class Choosing(World):
    """A release that chooses a backend; every class of it is asked."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.asked: list[Asked] = []
        self.at = ""
        self.asking = False  # a class may ask the one that it is derived from

    def module_name(self, module_name: str, name: str) -> Any:
        """Return a name of a module of the release, or what stands for it here."""
        return Rocm() if name == "rocm_aiter_ops" else super().module_name(module_name, name)

    def compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        """Compare two values; two objects of one class by what they hold, as keys are."""
        both = isinstance(left, Instance) and isinstance(right, Instance) and left is not right
        if not (both and left.cls is right.cls and isinstance(kind, (ast.Eq, ast.NotEq))):
            return super().compare(kind, left, right)
        wanted = isinstance(kind, ast.Eq)
        parts = [
            self.compare(ast.Eq(), left.attrs.get(name), right.attrs.get(name))
            for name in {*left.attrs, *right.attrs}
        ]
        if any(part is False for part in parts):
            return not wanted
        return wanted if parts and all(part is True for part in parts) else Unknown("comparison")

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a value; what a class answers is noted, and it is passed over."""
        if not isinstance(function, Function):
            return super().call(function, args, kwargs)
        if function.name == _ASKED and not self.asking:
            self.asking = True
            found = super().call(function, args, kwargs)
            self.asking = False
            serves = found[0] if isinstance(found, tuple) and found else Unknown("answer")
            serves = self.truth(serves)
            # A class that widens the question asks the one above it in words that are not followed.
            if serves is None and args and self.ask(args[0], "_supports_current_device") is False:
                serves = False
            self.asked.append(Asked(self.at, serves))
            return (False, "")
        if function.name.startswith("backend_to_kernel_cls") and args:
            backend = self.force(args[0])
            self.at = _name(backend) if isinstance(backend, EnumMember) else ""
        return super().call(function, args, kwargs)


def _enumeration(world: World, modules: tuple[str, ...], cls: str, member: str) -> Any:
    for module in modules:
        found = world.module_name(module, cls)
        for item in (world.members(found) or []) if isinstance(found, ClassValue) else []:
            if item.name == member:
                return item
    return Unknown(member)


def _setup(world: World, layer: Layer, routing: str, backend: str) -> Setup:
    activation = _enumeration(world, _ACTIVATIONS, "MoEActivation", layer.activation)
    if not isinstance(activation, EnumMember):  # a word before there was an enumeration
        activation = layer.activation.lower()
    method = _enumeration(world, (f"{_FUSED}.config",), "RoutingMethodType", routing)
    parallel = Setup({})
    return Setup({"moe_backend": backend, "moe_parallel_config": parallel, "swiglu_limit": None,
                  "is_act_and_mul": True, "activation": activation, "routing_method": method,
                  "router_logits_dtype": Unknown("dtype"), "hidden_dim": 4096,
                  "in_dtype": "torch.bfloat16", "experts_per_token": 8, "num_experts": 128,
                  "intermediate_size_per_partition": 2048})  # fmt: skip


def _arguments(
    world: World, function: Function, layer: Layer, routing: str, backend: str
) -> dict[str, Any]:
    keys = [world.module_name(KEYS_MODULE, key) if key else None for key in layer.keys]
    setup = _setup(world, layer, routing, backend)
    known = {"config": setup, "moe_config": setup, "weight_key": keys[0], "activation_key": keys[1],
             "allow_vllm_cutlass": layer.cutlass, "use_ep": False, "use_dp": False,
             "block_quant": layer.block, "tp_size": 1, "with_lora_support": False,
             "is_act_and_mul": True, "moe_parallel_config": setup.known["moe_parallel_config"],
             "weight_bits": 4, "may_have_zp": False, "may_have_bias": False}  # fmt: skip
    names = {item.arg for item in [*function.node.args.args, *function.node.args.kwonlyargs]}
    return {name: value for name, value in known.items() if name in names}


def _name(backend: EnumMember) -> str:
    """The name that the release's log says."""
    return backend.value if isinstance(backend.value, str) else backend.name


def _come_to(
    world: Choosing, layer: Layer, routing: str, backend: str = AUTO
) -> tuple[str, list[Asked]] | None:
    """Return the module that chooses and what it came to; ``None`` if it cannot be followed."""
    for module, name in layer.functions:
        function = world.module_name(module, name)
        if not isinstance(function, Function):
            continue
        world.asked, world.at, world.asking, world.steps = [], "", False, 0
        try:
            found = world.call(function, [], _arguments(world, function, layer, routing, backend))
        except Refused:
            return module, world.asked
        except RuntimeError:
            return None
        finally:
            world.depth = world.uncertain = 0
        if isinstance(found, tuple) and found:
            found = found[0]
        if isinstance(found, EnumMember):
            return module, [*world.asked, Asked(_name(found), True)]
        return (module, world.asked) if world.asked else None
    return None


def possible(asked: list[Asked]) -> list[str]:
    """Return what may be taken: up to the first that serves, without those that do not.

    Example:
        >>> possible([Asked("A", False), Asked("B", None), Asked("C", True), Asked("D", True)])
        ['B', 'C']
    """
    out: list[str] = []
    for name, serves in asked:
        if serves is not False and name not in out:
            out.append(name)
        if serves is True:
            return out
    return []


def takes(world: Choosing, layer: Layer, backend: str) -> bool | None:
    """Whether a named backend is taken for a layer; ``None``: not known.

    A release that refuses asks no class, or classes that do not serve the layer.
    """
    answers: list[bool | None] = []
    for routing in _ROUTINGS:
        found = _come_to(world, layer, routing, backend)
        served = [one.serves for one in found[1]] if found else [None]
        answers.append(True if True in served else None if None in served else False)
    return True if True in answers else None if None in answers else False


def taken(world: Choosing, layer: Layer) -> tuple[str, list[str]] | None:
    """Return the module that chooses and the backends that it may take, the likeliest first."""
    found = [_come_to(world, layer, routing) for routing in _ROUTINGS]
    if any(one is None for one in found):
        return None
    orders = [possible(one[1]) for one in found if one]
    return (found[0] or ("",))[0], list(dict.fromkeys(name for order in orders for name in order))


def named(worlds: dict[str, Choosing], names: list[str]) -> dict[str, Any]:
    """Return, for each kind of experts' layer, which of the named backends it may have."""
    out: dict[str, Any] = {}
    for name, layer in LAYERS.items():
        module = module_of(next(iter(worlds.values())), layer)
        if module is None:
            continue
        rows: dict[str, list[dict[str, Any]]] = {}
        for gpu, world in worlds.items():
            answers = {one: takes(world, layer, one) for one in names if one != AUTO}
            good = [one for one, answer in answers.items() if answer]
            open_to = [one for one, answer in answers.items() if answer is None]
            rows[gpu] = [{"backends": good, "maybe": open_to}]
        out[name] = {"module": module, "takes": grouped(rows)}
    return out


def module_of(world: World, layer: Layer) -> str | None:
    """Return the module that chooses a layer's backend in a release."""
    for module, name in layer.functions:
        if isinstance(world.module_name(module, name), Function):
            return module
    return None


def read(worlds: dict[str, Choosing]) -> dict[str, Any]:
    """Return, for each kind of experts' layer, what is taken on each GPU."""
    out: dict[str, Any] = {}
    for name, layer in LAYERS.items():
        found = {gpu: taken(world, layer) for gpu, world in worlds.items()}
        known = {gpu: one for gpu, one in found.items() if one is not None}
        if known:
            rows = {gpu: [{"order": one[1]}] if one[1] else [] for gpu, one in known.items()}
            out[name] = {"module": next(iter(known.values()))[0], "takes": grouped(rows)}
    return out
