"""The evaluator of ``extract_surface``, in front of one GPU that is not there.

A release's own predicates ("does this backend take that KV cache?") are followed as text for one
compute capability. What a released build answers by compiled code or by an installed package
stands in ``answers``; everything else that the text does not determine stays ``Unknown``.
Unlike a parser, a predicate refuses: ``raise`` and a failing ``assert`` end an evaluation.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Callable

from extract_surface.calls import Returned
from extract_surface.execute import Interpreter, Scope
from extract_surface.objects import ParserBase
from extract_surface.tree import Module, SourceTree
from extract_surface.values import (
    ClassValue,
    External,
    Function,
    Instance,
    Method,
    Unknown,
    is_unknown,
)

TYPES = {f"torch.{name}" for name in (
    "float16", "half", "bfloat16", "float32", "float", "float64", "uint8", "int8", "int32",
    "float8_e4m3fn", "float8_e5m2", "float4_e2m1fn_x2")}  # fmt: skip

_PLATFORM, _PLATFORM_CLASS = "vllm.platforms.cuda", "CudaPlatformBase"
_FOLLOWED = ("support_deep_gemm",)  # methods of that class that look at nothing but the capability

Answer = Callable[["World", list[Any], dict[str, Any]], Any]


class Refused(Exception):
    """The release's own code raises, whatever is not known."""


class Capability(tuple):  # type: ignore[type-arg]
    """A compute capability: major and minor, compared as the engines do."""

    __slots__ = ()

    @property
    def number(self) -> int:
        """The capability times ten."""
        return int(self[0] * 10 + self[1])


class Platform(ParserBase):
    """``current_platform`` of a CUDA build on one GPU."""

    def __init__(self, capability: Capability) -> None:
        self.capability = capability

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Answer a question about the platform."""
        own = self.capability
        if name in ("is_cuda", "is_cuda_alike", "is_fp8_fnuz"):
            return name != "is_fp8_fnuz"
        asked = args[0] if args else kwargs.get("capability")
        if name == "get_device_capability":
            return own
        if name in ("has_device_capability", "is_device_capability"):
            if isinstance(asked, tuple):
                return own >= asked if name.startswith("has") else own == asked
            if isinstance(asked, int):
                return own.number >= asked if name.startswith("has") else own.number == asked
        if name == "is_device_capability_family" and isinstance(asked, int):
            return own.number // 10 == asked // 10
        if name == "fp8_dtype":
            return "torch.float8_e4m3fn"
        if name == "get_device_name":
            return "this GPU"
        if name == "supports_fp8":
            return own.number >= 89
        if name.startswith("is_") and not args and not kwargs:
            return False  # another platform
        return self._own(name, args, kwargs, interp)

    def _own(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Follow what the release's own class of CUDA platforms answers from its capability."""
        cls = interp.module_name(_PLATFORM, _PLATFORM_CLASS) if name in _FOLLOWED else None
        found = interp.class_attribute(cls, name) if isinstance(cls, ClassValue) else None
        if found and isinstance(found[0], Function):
            return interp.call(found[0].bind(self, found[1]), args, kwargs)
        return Unknown(f"current_platform.{name}()")


class World(Interpreter):
    """Reads one release on one GPU."""

    def __init__(self, tree: SourceTree, capability: Capability, answers: dict[str, Any]) -> None:
        super().__init__(tree)
        self.capability = capability
        self.platform = Platform(capability)
        self.answers = answers

    # -- what the world says --------------------------------------------------

    def module_name(self, module_name: str, name: str) -> Any:
        """Return a name of a module of the release, or what stands for it here."""
        if name == "current_platform":
            return self.platform
        if name == "DeviceCapability":
            return External("world.DeviceCapability")
        found = super().module_name(module_name, name)
        if is_unknown(found) and name in self.answers:
            return External(f"world.{name}")  # of a file that the source archive lacks
        return found

    def external(self, name: str) -> Any:
        """Return a name from outside of the release; types of numbers are known by their names."""
        return name if name in TYPES else super().external(name)

    def truth(self, value: Any) -> bool | None:
        """Return the truth of a value; a class of the release may say it itself."""
        value = self.force(value)
        if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
            found = self.class_attribute(value.cls, "__bool__")
            if found and isinstance(found[0], Function):
                return self.truth(self.call(found[0].bind(value, found[1]), [], {}))
        return super().truth(value)

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a value; some functions are answered instead of followed."""
        if isinstance(function, Function) and function.name in self.answers:
            answer = self.answers[function.name]
            return answer(self, args, kwargs) if callable(answer) else answer
        return super().call(function, args, kwargs)

    def native(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call an external function."""
        if name == "world.DeviceCapability":
            parts = [*args, *kwargs.values()]
            return Unknown("capability") if any(is_unknown(p) for p in parts) else Capability(parts)
        name = name[6:] if name.startswith("world.") else name
        if name in self.answers:
            answer = self.answers[name]
            return answer(self, args, kwargs) if callable(answer) else answer
        if name.endswith(".get_device_capability"):
            return self.capability
        if name.startswith(("functools.", "logging.")):
            return args[0] if args and isinstance(args[0], Function) else Unknown(name)
        return super().native(name, args, kwargs)

    def attribute(self, base: Any, name: str) -> Any:
        """Return ``base.name``."""
        base = self.force(base)
        if isinstance(base, Capability):
            if name in ("major", "minor"):
                return base[name == "minor"]
            return Method(base, name)
        if isinstance(base, External) and base.name == "world.DeviceCapability":
            return Unknown(name)
        return super().attribute(base, name)

    def _Call(self, node: Any, scope: Any) -> Any:
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("to_int", "as_version_str"):
            base = self.eval(node.func.value, scope)
            if isinstance(base, Capability):
                return base.number if node.func.attr == "to_int" else f"{base[0]}.{base[1]}"
        return super()._Call(node, scope)

    # -- refusals -------------------------------------------------------------

    def _do_Raise(self, node: ast.Raise, scope: Scope) -> None:
        if not self.uncertain:
            raise Refused(_words(node, self, scope))
        raise Returned(Unknown("raise under an unknown condition"))

    def _do_Assert(self, node: ast.Assert, scope: Scope) -> None:
        if not self.uncertain and self.truth(self.eval(node.test, scope)) is False:
            raise Refused("assertion")

    def _do_Try(self, node: ast.Try, scope: Scope) -> None:
        try:
            self.block(node.body, scope)
            self.block(node.orelse, scope)
        except Refused:
            if not node.handlers:
                raise
            self.block(node.handlers[0].body, scope)
        finally:
            self.block(node.finalbody, scope)

    def ask(self, target: Any, name: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method of a class; ``Unknown`` if it is none or cannot be followed."""
        function = self.attribute(target, name)
        if not isinstance(function, Function):
            return Unknown(name)
        self.steps = 0
        spec = function.node.args
        names = {a.arg for a in [*spec.args, *spec.kwonlyargs]}
        known = kwargs if spec.kwarg else {k: v for k, v in kwargs.items() if k in names}
        try:
            return self.call(function, list(args), known)
        except Refused:
            return False
        except RuntimeError as error:
            return Unknown(str(error))

    def construct_or_refuse(self, cls: Any, kwargs: dict[str, Any]) -> str | None:
        """Make an object; return why the release refuses, ``None`` if it is not known to."""
        found = self.class_attribute(cls, "__init__")
        if not found or not isinstance(found[0], Function):
            return None
        spec = found[0].node.args
        names = {a.arg for a in [*spec.args, *spec.kwonlyargs]}
        chosen = {k: v for k, v in kwargs.items() if k in names or spec.kwarg}
        self.steps = 0
        try:
            self.call(found[0].bind(Instance(cls, {}), found[1]), [], chosen)
        except Refused as refusal:
            return str(refusal)
        except RuntimeError:
            return None
        return None


def _words(node: ast.Raise, world: World, scope: Scope) -> str:
    call = node.exc
    if isinstance(call, ast.Call) and call.args:
        found = world.eval(call.args[0], scope)
        if isinstance(found, str):
            return found
    return "raised"


def open_world(folder: Path, capability: int, answers: dict[str, Any]) -> World:
    """Return a world for a release's sources; the capability is given times ten."""
    return World(SourceTree(folder), Capability(divmod(capability, 10)), answers)


__all__ = ["Answer", "Capability", "ClassValue", "Module", "Refused", "World", "open_world"]
