"""vLLM's experts: which of the named backends each scheme of weights has, GPU by GPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from extract_surface.tree import Module
from extract_surface.values import ClassValue, EnumMember, Function, is_unknown

from .world import Refused, World

_FOLDER = "vllm/model_executor/layers/fused_moe/oracle"
_MAP, _NAMES, _CLASSES = "map_", "_BACKEND_NAME_MAP", "backend_to_kernel_cls"
AUTO = "auto"
_KEYS_MODULE = "vllm.model_executor.layers.quantization.utils.quant_utils"
# What the weights and activations of a scheme may be: a kernel takes it if it takes one of them.
_KEYS = {"fp8": (("kFp8Static128BlockSym", "kFp8Dynamic128Sym"),
                 ("kFp8StaticTensorSym", "kFp8StaticTensorSym"),
                 ("kFp8StaticChannelSym", "kFp8DynamicTokenSym")),
         "nvfp4": (("kNvfp4Static", "kNvfp4Dynamic"),)}  # fmt: skip

Record = dict[str, list[str]]


def schemes(folder: Path) -> list[str]:
    """Return the schemes that a release has a choice of backends for."""
    found = sorted(path.stem for path in (folder / _FOLDER).glob("*.py"))
    return [name for name in found if name not in ("__init__", "base")]


def module_of(scheme: str) -> str:
    """Return the module that chooses for a scheme."""
    return f"{_FOLDER.replace('/', '.')}.{scheme}"


def record(world: World, scheme: str, names: list[str]) -> Record | None:
    """Return the named backends that a scheme takes on this GPU, and those not known."""
    module = world.tree.module(module_of(scheme))
    if module is None:
        return None
    chooser, classes = _chooser(world, module), _classes(world, module)
    if chooser is None or not isinstance(classes, Function):
        return None
    keys = [
        tuple(world.module_name(_KEYS_MODULE, name) for name in pair)
        for pair in _KEYS.get(scheme, ())
    ]
    out: Record = {"backends": [], "maybe": []}
    for name in names:
        answer = _ask(world, chooser, classes, name, keys)
        if answer is not False and name != AUTO:
            out["backends" if answer else "maybe"].append(name)
    return out


def _chooser(world: World, module: Module) -> Function | dict[Any, Any] | None:
    """The function that makes a backend, or several, of a name; or the table of them."""
    maps = [name for name in module.events if name.startswith(_MAP)]
    if not maps and _NAMES in module.events:
        table = world.global_name(module, _NAMES)
        return table if isinstance(table, dict) else None
    found = world.global_name(module, maps[0]) if len(maps) == 1 else None
    return found if isinstance(found, Function) else None


def _classes(world: World, module: Module) -> Any:
    """The function that tells the classes of a backend: the module's own before an imported one."""
    own = [name for name in module.events if name.endswith(f"_{_CLASSES}")]
    return world.global_name(module, own[0] if len(own) == 1 else _CLASSES)


def _ask(world: World, chooser: Any, classes: Function, name: str, keys: list[Any]) -> bool | None:
    """Whether a named backend exists for the scheme and runs on the GPU; ``None``: not known."""
    world.steps = 0
    try:
        found = chooser.get(name) if isinstance(chooser, dict) else world.call(chooser, [name], {})
    except Refused:
        return False
    except RuntimeError:
        return None
    if found is None:
        return False
    backends = found if isinstance(found, list) else [found]
    answers = [_runs(world, classes, backend, keys) for backend in backends]
    return any(answers) or (None if None in answers else False)


def _runs(world: World, classes: Function, backend: Any, keys: list[Any]) -> bool | None:
    """Whether any class of a backend is for the GPU; ``None``: not known."""
    if not isinstance(backend, EnumMember):
        return None
    try:
        found = world.call(classes, [backend], {})
    except Refused:
        return False
    except RuntimeError:
        return None
    kernels = found if isinstance(found, list) else [found]
    if is_unknown(found) or not all(isinstance(kernel, ClassValue) for kernel in kernels):
        return None
    answers = [_takes(world, kernel, keys) for kernel in kernels]
    if any(answer is True for answer in answers):
        return True
    return None if any(is_unknown(answer) for answer in answers) else False


def _takes(world: World, kernel: ClassValue, keys: list[Any]) -> Any:
    """Whether a class is for the GPU and takes one of the pairs of keys, as far as it is known."""
    fits = world.ask(kernel, "_supports_current_device")
    if fits is False or not keys:
        return fits
    answers = [world.ask(kernel, "_supports_quant_scheme", *pair) for pair in keys]
    return False if all(answer is False for answer in answers) else fits
