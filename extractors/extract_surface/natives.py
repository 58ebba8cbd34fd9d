"""Standard-library and third-party names that the evaluator models: a closed table.

Only what argument parsers are built from: types and their parts, dataclass fields, a few
built-in functions, and an empty environment (no variables, no command line).
"""

from __future__ import annotations

import itertools
from typing import Any, Callable

from . import methods
from .native_types import NativeTypes
from .objects import ParserBase
from .values import (
    MISSING,
    PLAIN,
    ClassValue,
    EnumMember,
    External,
    FieldSpec,
    Function,
    Instance,
    Method,
    TypeForm,
    Unknown,
    has_unknown,
    is_unknown,
    same,
)

_BUILTIN_TYPES = {
    bool: "bool", int: "int", float: "float", str: "str", list: "list", dict: "dict",
    tuple: "tuple", set: "set", frozenset: "frozenset", bytes: "bytes", type(None): "NoneType",
}  # fmt: skip
_CONSTANTS: dict[str, Any] = {
    "builtins.True": True, "sys.argv": [], "sys.modules": {}, "sys.platform": "linux",
    "os.environ": {}, "os.name": "posix", "typing.TYPE_CHECKING": False,
    "math.inf": float("inf"), "sys.maxsize": 2**63 - 1, "sys.version_info": (3, 12, 0),
    "typing_extensions.TYPE_CHECKING": False, "ssl.CERT_NONE": 0,
}  # fmt: skip
_CASTS: dict[str, Callable[..., Any]] = {
    "int": int, "float": float, "str": str, "bool": bool, "abs": abs, "round": round,
    "repr": repr, "ord": ord, "chr": chr,
}  # fmt: skip
_COLLECT: dict[str, Callable[[list[Any]], Any]] = {
    "list": list, "tuple": tuple, "reversed": lambda x: x[::-1], "iter": list,
}  # fmt: skip
_BUILTIN_CALLS = {
    "dict", "len", "range", "zip", "enumerate", "any", "all", "next", "getattr", "vars", "type",
    "isinstance", "issubclass", "callable", "hasattr",
}  # fmt: skip
_PASS_THROUGH = {"typing.cast": 1, "copy.deepcopy": 0, "copy.copy": 0, "typing.NewType": 1}


class Natives(NativeTypes):
    """Call part of the interpreter."""

    def is_constant(self, name: str) -> bool:
        """True if an external name has a fixed value."""
        return name in _CONSTANTS or name in ("dataclasses.MISSING", "msgspec.NODEFAULT")

    def constant(self, name: str) -> Any:
        """Return the value of an external name; containers are fresh."""
        if name in ("dataclasses.MISSING", "msgspec.NODEFAULT"):
            return MISSING
        value = _CONSTANTS[name]
        return value.copy() if isinstance(value, (list, dict)) else value

    def _Call(self, node: Any, scope: Any) -> Any:
        function = self.eval(node.func, scope)
        if function == External("builtins.super"):
            return self.super_of(scope)
        args = self.items(node.args, scope)
        kwargs: dict[str, Any] = {}
        whole = args is not None
        for item in node.keywords:
            value = self.eval(item.value, scope)
            if item.arg is not None:
                kwargs[item.arg] = value
            elif isinstance(value, dict):
                kwargs.update({k: v for k, v in value.items() if isinstance(k, str)})
            else:
                whole = False
                kwargs["**"] = value
        if not whole and not isinstance(getattr(function, "target", None), ParserBase):
            return Unknown("call with unknown arguments")
        return self.call(function, args or [], kwargs)

    def call(self, function: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a value."""
        if isinstance(function, Function):
            return self.run(function, args, kwargs)
        if isinstance(function, ClassValue):
            return self.construct(function, args, kwargs)
        if isinstance(function, Method):
            if isinstance(function.target, ParserBase):
                return function.target.call(function.name, args, kwargs, self)
            certain = not self.uncertain
            return methods.call(function.target, function.name, args, kwargs, certain)
        if isinstance(function, Instance) and function.cls == External("functools.partial"):
            return self.call(function.attrs["func"], function.attrs["args"] + args, kwargs)
        if isinstance(function, TypeForm):
            return self.call(function.origin, args, kwargs)
        if isinstance(function, External):
            return self.native(function.name, args, kwargs)
        return Unknown("call of an unknown value")

    def construct(self, cls: ClassValue, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Make an object of a class of the release."""
        if self.is_enum(cls):
            for member in self.members(cls) or []:
                if args and not is_unknown(args[0]) and same(member.value, args[0]):
                    return member
            return args[0] if args and isinstance(args[0], EnumMember) else Unknown("member")
        if any(b == External("argparse.ArgumentParser") for b in self.mro(cls)):
            return self.native_ArgumentParser(args, kwargs)
        made = Instance(cls, {})
        init = self.class_attribute(cls, "__init__")
        if init and isinstance(init[0], Function):
            self.call(init[0].bind(made, init[1]), args, kwargs)
            return made
        for spec, value in zip(self.fields(cls) or [], args):
            made.attrs[spec.name] = value
        made.attrs.update(kwargs)
        return made

    def native(self, name: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a modelled external function."""
        module, _, base = name.rpartition(".")
        method = getattr(self, "native_" + base, None)
        if method is not None and (base not in _BUILTIN_CALLS or module == "builtins"):
            try:
                return method(args, kwargs)
            except IndexError:
                return Unknown(f"{name} without arguments")
        if name in _PASS_THROUGH and len(args) > _PASS_THROUGH[name]:
            value = args[_PASS_THROUGH[name]]
            return _copied(value) if name == "copy.deepcopy" else value
        if name in ("os.getenv", "os.environ.get"):
            return args[1] if len(args) > 1 else kwargs.get("default")
        if not name.startswith("builtins."):
            return Unknown(f"{name}()")
        if base in _COLLECT or base in ("set", "frozenset", "sorted"):
            return self._collect(base, args, kwargs)
        if base in _CASTS:
            value = (
                args[0].value if args and isinstance(args[0], EnumMember) else (args or [None])[0]
            )
            if isinstance(value, (str, int, float)) and len(args) == 1:
                try:
                    return _CASTS[base](value)
                except ValueError:
                    return Unknown(base)
        return Unknown(f"{base}()")

    def _collect(self, base: str, args: list[Any], kwargs: dict[str, Any]) -> Any:
        found = self.iterate(args[0]) if args else []
        if found is None:
            return Unknown(f"{base} of an unknown iterable")
        if base in _COLLECT:
            return _COLLECT[base](found)
        if base in ("set", "frozenset"):
            return self.make_set(found)
        if has_unknown(found) or kwargs:
            return Unknown("sorted")
        try:
            key = lambda x: x.value if isinstance(x, EnumMember) else x  # noqa: E731
            return sorted(found, key=key)
        except TypeError:
            return Unknown("sorted")

    # -- built-in functions ---------------------------------------------------

    def native_dict(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``dict(...)``."""
        if args and isinstance(args[0], (list, tuple)):
            try:
                return {**dict(args[0]), **kwargs}
            except (TypeError, ValueError):
                return Unknown("dict()")
        if args and not isinstance(args[0], dict):
            return Unknown("dict()")
        return {**(args[0] if args else {}), **kwargs}

    def native_len(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``len(x)``."""
        found = self.iterate(args[0])
        return Unknown("len") if found is None else len(found)

    def native_range(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``range(...)`` of a sane size."""
        if all(isinstance(item, int) for item in args) and args:
            found = range(*args)
            return found if len(found) < 100_000 else Unknown("range")
        return Unknown("range")

    def native_zip(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``zip(...)``."""
        parts = [self.iterate(item) for item in args]
        return Unknown("zip") if any(p is None for p in parts) else list(zip(*parts))

    def native_enumerate(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``enumerate(x)``."""
        found = self.iterate(args[0])
        return Unknown("enumerate") if found is None else list(enumerate(found))

    def native_any(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``any(x)``."""
        return self._quantify(args, True)

    def native_all(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``all(x)``."""
        return self._quantify(args, False)

    def _quantify(self, args: list[Any], stop: bool) -> Any:
        found = self.iterate(args[0])
        if found is None:
            return Unknown("quantifier")
        truths = [self.truth(item) for item in found]
        if stop in truths:
            return stop
        return Unknown("quantifier") if None in truths else not stop

    def native_next(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``next(iterable, default)``."""
        found = self.iterate(args[0])
        if found is None:
            return Unknown("next")
        return found[0] if found else (args[1] if len(args) > 1 else Unknown("next"))

    def native_getattr(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``getattr(object, name, default)``."""
        if len(args) < 2 or not isinstance(args[1], str):
            return Unknown("getattr")
        found = self.attribute(args[0], args[1])
        return args[2] if is_unknown(found) and len(args) > 2 else found

    def native_hasattr(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``hasattr(class, name)``."""
        if isinstance(args[0], ClassValue) and isinstance(args[1], str):
            outside = any(isinstance(b, External) for b in self.mro(args[0])[1:])
            found = self.class_attribute(args[0], args[1])
            return True if found else Unknown("hasattr") if outside else False
        return Unknown("hasattr")

    def native_permutations(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``itertools.permutations`` of a few items."""
        found = self.iterate(args[0])
        size = args[1] if len(args) > 1 else kwargs.get("r")
        if found is None or len(found) > 6 or has_unknown(size):
            return Unknown("permutations")
        return list(itertools.permutations(found, size))

    def native_vars(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``vars(cls)``."""
        if args and isinstance(args[0], ClassValue):
            return dict(self.body(args[0]))
        return Unknown("vars")

    def native_type(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``type(x)``."""
        value = args[0] if len(args) == 1 else Unknown()
        if isinstance(value, (Instance, EnumMember)):
            return value.cls
        name = _BUILTIN_TYPES.get(type(value))
        return External(f"builtins.{name}") if name else Unknown("type")

    def native_isinstance(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``isinstance(x, classes)``."""
        kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
        answers = [self._is_instance(args[0], kind) for kind in kinds]
        return True if True in answers else Unknown("isinstance") if None in answers else False

    def _is_instance(self, value: Any, kind: Any) -> bool | None:
        if is_unknown(value) or is_unknown(kind):
            return None
        if isinstance(kind, ClassValue):
            return isinstance(value, (Instance, EnumMember)) and any(
                item is kind for item in self.mro(value.cls)
            )
        name = kind.name if isinstance(kind, External) else ""
        if name == "builtins.type":
            return isinstance(value, (ClassValue, External))
        if name.endswith(".FieldInfo"):
            return isinstance(value, FieldSpec) and value.kind == "pydantic"
        if name.startswith("builtins."):
            own = _BUILTIN_TYPES.get(type(value))
            return own == name[9:] or (own == "bool" and name[9:] == "int")
        return False if not isinstance(value, Instance) else None

    def native_callable(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``callable(x)``."""
        if isinstance(args[0], (Function, ClassValue, External, Method)):
            return True
        return (
            False if isinstance(args[0], (*PLAIN, list, dict, tuple, set)) else Unknown("callable")
        )

    def native_issubclass(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``issubclass(cls, classes)``."""
        kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
        if is_unknown(args[0]):
            return Unknown("issubclass")
        mro = self.mro(args[0])
        return any(same(item, kind) for item in mro for kind in kinds)


def _copied(value: Any) -> Any:
    """Copy the containers of a value, as ``copy.deepcopy`` would."""
    if isinstance(value, dict):
        return {k: _copied(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_copied(item) for item in value]
    return value
