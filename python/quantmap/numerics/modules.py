"""The matrices of a checkpoint, and what each is in the model."""

from __future__ import annotations

import json
import os

from ..checkpoint import inspect_checkpoint
from .arrays import problem
from .files import TYPES, Tensor, read_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from ..words import ModuleKind

INDEX = "model.safetensors.index.json"
ENDING = ".safetensors"
WEIGHT = ".weight"
LINEAR: Final = "linear"
EXPERTS: Final = "experts"
_CODES = ("F8_E4M3", "F8_E5M2", "F8_E8M0", "F4", "I8", "U8", "I32")  # dtypes of quantized weights
_CODED = (WEIGHT, "weight_packed", "qweight", "_blocks")  # ends of the names of such tensors


class Module:
    """A matrix of weights.

    Attributes:
        name: the module's name in the checkpoint.
        kind: ``linear``, ``experts``, ``router``, ``head``, ``embedding`` or ``other``.
        tensor: where its weights are.
    """

    __slots__ = ("kind", "name", "tensor")

    def __init__(self, name: str, kind: ModuleKind, tensor: Tensor) -> None:
        self.name = name
        self.kind: ModuleKind = kind
        self.tensor = tensor


def kind_of(name: str) -> ModuleKind:
    """What a module is, by its name."""
    words = name.split(".")
    last = words[-1]
    if "lm_head" in words or last == "output_projection":
        return "head"
    if any("embed" in word or word in ("wte", "wpe") for word in words):
        return "embedding"
    if last in ("gate", "router", "shared_expert_gate") or words[-2:-1] == ["router"]:
        return "router"
    routed = any(word.endswith("experts") and not word.startswith("shared") for word in words)
    return EXPERTS if routed else LINEAR


def weight_files(folder: str) -> list[str]:
    """The safetensors files of a folder, as its index names them, else all of the model.

    Raises:
        ConfigError: there are none, one is missing, or the folder is no checkpoint.
    """
    hint = "give the folder of a model with safetensors files"
    if not os.path.isdir(folder):
        raise problem(repr(folder), "it is no folder", hint)
    index = os.path.join(folder, INDEX)
    if os.path.exists(index):
        inspect_checkpoint(folder)  # an index that is not one is refused there
        with open(index, encoding="utf-8") as file:
            names = sorted(set(json.load(file)["weight_map"].values()))
    else:
        names = sorted(name for name in os.listdir(folder) if name.endswith(ENDING))
        model = [name for name in names if name.startswith("model")]
        names = model or [name for name in names if not name.startswith("adapter")]
    missing = [name for name in names if not os.path.exists(os.path.join(folder, name))]
    if missing:
        raise problem(repr(folder), f"the file {missing[0]} is missing", "download it again")
    if not names:
        raise problem(repr(folder), "it has no safetensors file", hint)
    return [os.path.join(folder, name) for name in names]


def modules_of(tensors: list[Tensor]) -> list[Module]:
    """The matrices among tensors: what ends with ``.weight``, and experts in one tensor."""
    out = []
    for tensor in tensors:
        name = tensor.name[: -len(WEIGHT)] if tensor.name.endswith(WEIGHT) else tensor.name
        kind = kind_of(name)
        matrix = len(tensor.shape) == 2 and tensor.name.endswith(WEIGHT)
        if tensor.dtype in TYPES and (matrix or (len(tensor.shape) == 3 and kind == EXPERTS)):
            out.append(Module(name, kind, tensor))
    return out


def read_modules(folder: str) -> list[Module]:
    """The matrices of a checkpoint, in the order of its files."""
    out: list[Module] = []
    for path in weight_files(folder):
        tensors, _ = read_header(path)
        out += modules_of(tensors)
    if not out:
        reason = "it has no matrix of 16-bit or 32-bit floats"
        raise problem(repr(folder), reason, "give the model before it was quantized")
    return out


def quantized_already(folder: str) -> dict[str, int]:
    """The matrices of a checkpoint that are codes, by their dtype."""
    out: dict[str, int] = {}
    for path in weight_files(folder):
        for tensor in read_header(path)[0]:
            if tensor.dtype in _CODES and len(tensor.shape) > 1 and tensor.name.endswith(_CODED):
                out[tensor.dtype] = out.get(tensor.dtype, 0) + 1
    return out


def config_of(folder: str) -> dict[str, Any]:
    """The content of config.json, or nothing."""
    try:
        with open(os.path.join(folder, "config.json"), encoding="utf-8") as file:
            data = json.load(file)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise problem("config.json", "it is not JSON", "repair it") from None
    return data if isinstance(data, dict) else {}
