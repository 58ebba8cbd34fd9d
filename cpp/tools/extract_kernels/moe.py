"""vLLM's experts: which of the named backends each scheme of weights has, GPU by GPU."""

from __future__ import annotations

from pathlib import Path

from extract_surface.values import ClassValue, EnumMember, Function, is_unknown

from .world import Refused, World

_FOLDER = "vllm/model_executor/layers/fused_moe/oracle"
_MAP, _CLASSES = "map_", "backend_to_kernel_cls"
AUTO = "auto"

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
    maps = [name for name in module.events if name.startswith(_MAP)]
    chooser = world.global_name(module, maps[0]) if len(maps) == 1 else None
    classes = world.global_name(module, _CLASSES)
    if not isinstance(chooser, Function) or not isinstance(classes, Function):
        return None
    out: Record = {"backends": [], "maybe": []}
    for name in names:
        answer = _ask(world, chooser, classes, name)
        if answer is not False and name != AUTO:
            out["backends" if answer else "maybe"].append(name)
    return out


def _ask(world: World, chooser: Function, classes: Function, name: str) -> bool | None:
    """Whether a named backend exists for the scheme and runs on the GPU; ``None``: not known."""
    world.steps = 0
    try:
        backend = world.call(chooser, [name], {})
        if not isinstance(backend, EnumMember):
            return None
        found = world.call(classes, [backend], {})
    except Refused:
        return False
    except RuntimeError:
        return None
    kernels = found if isinstance(found, list) else [found]
    if is_unknown(found) or not all(isinstance(kernel, ClassValue) for kernel in kernels):
        return None
    answers = [world.ask(kernel, "_supports_current_device") for kernel in kernels]
    if any(answer is True for answer in answers):
        return True
    return None if any(is_unknown(answer) for answer in answers) else False
