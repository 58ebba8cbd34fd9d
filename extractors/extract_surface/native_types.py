"""Modelled functions about types: ``typing``, ``dataclasses``, pydantic, msgspec, enum."""

from __future__ import annotations

import ast
from typing import Any

from .values import (
    MISSING,
    NONE_TYPE,
    ClassValue,
    External,
    FieldSpec,
    Instance,
    Part,
    TypeForm,
    Unknown,
    is_unknown,
)

_GENERIC = {"List": "list", "Dict": "dict", "Tuple": "tuple", "Set": "set", "Type": "type",
            "FrozenSet": "frozenset"}  # fmt: skip


class NativeTypes(Part):
    """Type part of the modelled functions."""

    def native_get_origin(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``typing.get_origin``."""
        value = args[0]
        if is_unknown(value):
            return value
        if not isinstance(value, TypeForm):
            return None
        base = value.origin
        if isinstance(base, External):
            short = base.name.rpartition(".")[2]
            if base.name.startswith("typing") and short in _GENERIC:
                return External(f"builtins.{_GENERIC[short]}")
            if base.name.startswith("typing_extensions."):
                return External(f"typing.{short}")
        return base

    def native_get_args(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``typing.get_args``."""
        value = args[0]
        if is_unknown(value):
            return value
        if not isinstance(value, TypeForm):
            return ()
        literal = isinstance(value.origin, External) and value.origin.name.endswith(".Literal")
        return value.args if literal else tuple(NONE_TYPE if a is None else a for a in value.args)

    def native_get_type_hints(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``typing.get_type_hints`` of a class."""
        specs = self.fields(args[0])
        return Unknown("hints") if specs is None else {s.name: s.type for s in specs}

    def native_fields(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``dataclasses.fields``, ``msgspec.structs.fields``."""
        specs = self.fields(args[0])
        return Unknown("fields") if specs is None else list(specs)

    def native_is_dataclass(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``dataclasses.is_dataclass``."""
        if is_unknown(args[0]):
            return Unknown("is_dataclass")
        for cls in self.mro(self.class_of(args[0])):
            for item in getattr(getattr(cls, "node", None), "decorator_list", []):
                names = [getattr(n, "id", getattr(n, "attr", "")) for n in ast.walk(item)]
                if "dataclass" in names or "config" in names:
                    return True
        return False

    def native_is_typeddict(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``typing.is_typeddict``."""
        bases = self.mro(args[0]) if isinstance(args[0], ClassValue) else []
        return any(isinstance(b, External) and b.name.endswith("TypedDict") for b in bases)

    def native_field(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``dataclasses.field``, ``msgspec.field``."""
        factory = kwargs.get("default_factory", MISSING)
        return FieldSpec("field", kwargs.get("default", MISSING), factory)

    def native_Field(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """pydantic's ``Field``."""
        default = args[0] if args else kwargs.get("default", MISSING)
        return FieldSpec("pydantic", default, kwargs.get("default_factory", MISSING))

    def native_auto(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``enum.auto``."""
        return Instance(External("enum.auto"), {})

    def native_ArgumentParser(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``argparse.ArgumentParser`` and the subclasses of a release."""
        maker = getattr(self, "make_parser", None)
        return maker() if maker else Unknown("parser")

    def native_partial(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``functools.partial``."""
        return Instance(External("functools.partial"), {"func": args[0], "args": args[1:]})

    def native_defstruct(self, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """``msgspec.defstruct(name, fields, namespace=...)``."""
        if len(args) < 2 or not isinstance(args[0], str) or not isinstance(args[1], list):
            return Unknown("defstruct")
        space = kwargs.get("namespace")
        made = ClassValue(None, None, "", args[0])
        made.bases, made.attrs = (
            [External("msgspec.Struct")],
            dict(space if isinstance(space, dict) else {}),
        )
        for item in args[1]:
            if isinstance(item, tuple) and len(item) in (2, 3):
                made.annotations[item[0]] = item[1]
                if len(item) == 3:
                    made.attrs[item[0]] = item[2]
        return made
