"""Reader for SGLang: attention backends and quantization methods.

SGLang's backends have no predicates. A function makes each of them, and refuses models and GPUs
that it is not for; some constructors read what only a model with latent attention has. Both are
followed as text.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from extract_surface.objects import ParserBase
from extract_surface.tree import SourceTree
from extract_surface.values import ClassValue, External, Function, Instance, Unknown

from . import answers, default, methods
from .attention import DTYPES
from .rows import grouped
from .world import Capability, Refused, Scope, World

_METHODS = "sglang.srt.layers.quantization"
_REGISTRY = "sglang.srt.layers.attention.attention_registry"
_REGISTER = "register_attention_backend"
_LATENT_ONLY = ("kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim")
_PLATFORMS = {"AMD": "ROCm", "Other": "other platforms"}
_CHOICES = re.compile(
    r"^ATTENTION_BACKEND_CHOICES\b[^\[\n]*=\s*\[(.*?)^\]", re.MULTILINE | re.DOTALL
)

Record = dict[str, Any]


class Missing(Exception):
    """The model has no such attribute."""


class ModelFacts(ParserBase):
    """A model's configuration: whether its attention is latent, and nothing else."""

    def __init__(self, world: Making) -> None:
        self.world = world

    def method(self, name: str) -> Any:
        """Return an attribute; what only latent attention has is missing in other models."""
        if name in _LATENT_ONLY and not self.world.latent and not self.world.uncertain:
            raise Missing(name)
        return False if name == "is_encoder_decoder" else Unknown(name)

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Nothing is known."""
        return Unknown(name)


class Making(World):
    """A release that makes a backend on one GPU; only the maker itself refuses."""

    latent = False
    deep = False  # constructors are followed

    def runner(self) -> Instance:
        """Return what backends are made from."""
        facts = {"use_mla_backend": self.latent, "model_config": ModelFacts(self)}
        return Instance(External("world.Runner"), facts)

    def construct(self, cls: ClassValue, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Make an object."""
        if self.deep or self.is_enum(cls):
            return super().construct(cls, args, kwargs)
        return Instance(cls, {})

    def _do_Raise(self, node: ast.Raise, scope: Scope) -> None:
        if self.depth == 1 and not self.deep:
            super()._do_Raise(node, scope)

    def _do_Assert(self, node: ast.Assert, scope: Scope) -> None:
        if self.depth == 1 and not self.deep:
            super()._do_Assert(node, scope)

    def _IfExp(self, node: ast.IfExp, scope: Any) -> Any:
        if self.truth(self.eval(node.test, scope)) is not None:
            return super()._IfExp(node, scope)
        self.uncertain += 1
        try:
            return super()._IfExp(node, scope)
        finally:
            self.uncertain -= 1

    def makes(self, maker: Function, latent: bool) -> bool:
        """Whether the maker makes its backend for this attention; False only if it refuses."""
        self.latent, self.deep, self.steps = latent, False, 0
        try:
            self.call(maker, [self.runner()], {})
        except Refused:
            return False
        except (Missing, RuntimeError):
            return True
        return True

    def needs_latent(self, maker: Function) -> bool:
        """Whether the constructor reads what only a model with latent attention has."""
        self.latent, self.deep, self.steps = False, True, 0
        try:
            self.call(maker, [self.runner()], {})
        except Missing:
            return True
        except (Refused, RuntimeError):
            return False
        finally:
            self.depth = self.uncertain = 0
        return False


def makers(world: World) -> dict[str, Function]:
    """Return the functions that make backends, by the name that a decorator gives them."""
    module = world.tree.module(_REGISTRY)
    out: dict[str, Any] = {}
    for name, events in (module.events if module else {}).items():
        for event in events:
            for item in getattr(event.statement, "decorator_list", []):
                if isinstance(item, ast.Call) and getattr(item.func, "id", "") == _REGISTER:
                    assert module is not None
                    out[str(ast.literal_eval(item.args[0]))] = world.global_name(module, name)
    return {name: found for name, found in out.items() if isinstance(found, Function)}


def platforms(folder: Path) -> dict[str, str]:
    """Return the platform of backends that are listed under a comment that names one."""
    out: dict[str, str] = {}
    srt = folder / "sglang" / "srt"
    for path in [srt / "server_args.py", *sorted((srt / "arg_groups").rglob("*.py"))]:
        found = _CHOICES.search(path.read_text(encoding="utf-8"))
        platform = ""
        for line in found[1].splitlines() if found else []:
            text = line.strip()
            if text.startswith("#"):
                platform = _PLATFORMS.get(text.strip("# ").partition(" ")[0], "")
            elif platform and text.startswith('"'):
                out[text.split('"')[1]] = platform
    return out


def _backends(worlds: dict[str, Making], folder: Path, kv: list[str]) -> dict[str, Any]:
    made = {gpu: makers(world) for gpu, world in worlds.items()}
    first = next(iter(worlds))
    foreign = platforms(folder)
    out: dict[str, Any] = {}
    for name in made[first]:
        place = f"{_REGISTRY}.{made[first][name].name}"
        if name in foreign:
            out[name] = {"class": place, "platform": foreign[name]}
            continue
        needs = worlds[first].needs_latent(made[first][name])
        rows: dict[str, list[Record]] = {}
        for gpu, world in worlds.items():
            kinds = [] if needs or not world.makes(made[gpu][name], False) else ["heads"]
            kinds += ["mla", "sparse_mla"] if world.makes(made[gpu][name], True) else []
            common = {"dtypes": list(DTYPES), "kv": kv, "sinks": True}
            rows[gpu] = [{"kind": kind, **common} for kind in kinds]
        out[name] = {"class": place, "takes": grouped(rows)}
    return out


def read(folder: Path, gpus: dict[str, int], choices: dict[str, list[str]]) -> dict[str, Any]:
    """Read one release: ``gpus`` are classes by name, ``choices`` the values of its flags."""
    tree = SourceTree(folder)
    worlds = {
        gpu: Making(tree.again(), Capability(divmod(number, 10)), answers.COMMON)
        for gpu, number in gpus.items()
    }
    newest = worlds[max(gpus, key=lambda gpu: gpus[gpu])]
    out: dict[str, Any] = {}
    found = _backends(worlds, folder, choices.get("--kv-cache-dtype", []))
    if found:
        out["backends"] = found
    out["methods"] = methods.read(newest, _METHODS, choices.get("--quantization", []))
    choosing = {
        gpu: default.Defaults(tree.again(), world.capability, default.ANSWERS)
        for gpu, world in worlds.items()
    }
    out["attention_taken"] = default.read(choosing)
    return out
