"""Attributes, classes, enumerations and dataclass fields for the evaluator."""

from __future__ import annotations

import ast
from typing import Any

from . import methods
from .values import (
    MISSING,
    NONE_TYPE,
    PLAIN,
    ClassValue,
    EnumMember,
    External,
    FieldSpec,
    Function,
    Instance,
    Lazy,
    Method,
    ModuleValue,
    Part,
    Super,
    TypeForm,
    Unknown,
    is_unknown,
    same,
)

_ENUM_BASES = {"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"}


class ParserBase:
    """Base of the objects that record ``add_argument`` calls."""

    def method(self, name: str) -> Any:
        """Return a bound recorder method."""
        return Method(self, name)

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Record a method call; subclasses say what it means."""
        raise NotImplementedError


class Objects(Part):
    """Object part of the interpreter."""

    def bases(self, cls: ClassValue) -> list[Any]:
        """Return the evaluated bases of a class."""
        if cls.bases is None:
            cls.bases = []
            if cls.node is not None:
                found = [self.eval(base, cls.scope) for base in cls.node.bases]
                cls.bases = [b.origin if isinstance(b, TypeForm) else b for b in found]
        return cls.bases

    def mro(self, cls: Any, depth: int = 20) -> list[Any]:
        """Return the class and its ancestors, nearest first."""
        out = [cls]
        if isinstance(cls, ClassValue) and depth:
            for base in self.bases(cls):
                for item in self.mro(base, depth - 1):
                    if not any(item is seen for seen in out):
                        out.append(item)
        return out

    def is_enum(self, cls: ClassValue) -> bool:
        """True for an enumeration."""
        return any(isinstance(b, External) and b.name in _ENUM_BASES for b in self.mro(cls))

    def body(self, cls: ClassValue) -> dict[str, Any]:
        """Return the attributes that a class defines itself, reading its body once."""
        if cls.attrs is not None:
            return cls.attrs
        cls.attrs = {}
        if cls.node is None:
            return cls.attrs
        scope = cls.scope.child("class")
        scope.names = cls.attrs
        enum = self.is_enum(cls)
        for statement in cls.node.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                name = statement.target.id
                cls.annotations[name] = Lazy(statement.annotation, scope)
                if statement.value is not None:
                    cls.attrs[name] = Lazy(statement.value, scope)
            elif (
                isinstance(statement, ast.Assign)
                and len(statement.targets) == 1
                and isinstance(statement.targets[0], ast.Name)
                and not enum
            ):
                cls.attrs[statement.targets[0].id] = Lazy(statement.value, scope)
            elif isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
                cls.attrs[statement.name] = Function(statement, cls.scope, None, cls)
            else:
                self.exec(statement, scope)
        if enum:
            self._make_members(cls)
        return cls.attrs

    def _make_members(self, cls: ClassValue) -> None:
        assert cls.attrs is not None
        text = any(isinstance(b, External) and b.name == "enum.StrEnum" for b in self.mro(cls))
        count = 0
        for name, raw in list(cls.attrs.items()):
            if name.startswith("_") or isinstance(raw, (Function, ClassValue)):
                continue
            value = self.force(raw)
            count += 1
            if isinstance(value, Instance) and value.cls == External("enum.auto"):
                value = name.lower() if text else count
            seen = [
                m for m in cls.members.values() if not is_unknown(value) and same(m.value, value)
            ]
            member = seen[0] if seen else EnumMember(cls, name, value)
            cls.members[name] = member
            cls.attrs[name] = member

    def members(self, cls: ClassValue) -> list[Any] | None:
        """Return an enumeration's members without aliases; ``None`` for other classes."""
        if not self.is_enum(cls):
            return None
        self.body(cls)
        return [m for name, m in cls.members.items() if m.name == name]

    # -- attributes -----------------------------------------------------------

    def class_attribute(self, cls: Any, name: str, after: ClassValue | None = None) -> Any:
        """Look a name up along the class's ancestors; ``None`` if it is not there."""
        skip = after is not None
        for owner in self.mro(cls):
            if skip:
                skip = owner is not after
                continue
            attrs = self.body(owner) if isinstance(owner, ClassValue) else {}
            if name in attrs:
                value = self.force(attrs[name])
                attrs[name] = value
                self._set_name(value, owner, name)
                return (value, owner)
        return None

    def _set_name(self, value: Any, owner: ClassValue, name: str) -> None:
        if isinstance(value, Instance) and isinstance(value.cls, ClassValue):
            if "__named__" in value.attrs:
                return
            value.attrs["__named__"] = True
            hook = self.class_attribute(value.cls, "__set_name__")
            if hook and isinstance(hook[0], Function):
                self.call(hook[0].bind(value, value.cls), [owner, name], {})

    def attribute(self, base: Any, name: str) -> Any:
        """Return ``base.name``."""
        base = self.force(base)
        if isinstance(base, Unknown):
            return base
        if isinstance(base, External):
            return self._external_attribute(base, name)
        if isinstance(base, ModuleValue):
            return self.module_name(base.name, name)
        if isinstance(base, ClassValue):
            return self._of_class(base, name)
        if isinstance(base, EnumMember):
            return self._of_member(base, name)
        if isinstance(base, Instance):
            return self._of_instance(base, name)
        if isinstance(base, FieldSpec):
            table = {"name": base.name, "type": base.type, "default": base.default,
                     "default_factory": base.factory}  # fmt: skip
            return table.get(name, Unknown(f"field attribute {name}"))
        if isinstance(base, Super):
            found = self.class_attribute(self.class_of(base.target), name, base.owner)
            if found and isinstance(found[0], Function):
                return found[0].bind(base.target, found[1])
            return found[0] if found else Unknown(f"super().{name}")
        if isinstance(base, ParserBase):
            return base.method(name)
        if isinstance(base, Function):
            if name in ("__name__", "__qualname__"):
                return base.name
            return Unknown(f"function attribute {name}")
        if isinstance(base, TypeForm):
            return self._of_form(base, name)
        if isinstance(base, (*PLAIN, list, dict, tuple, set, frozenset)):
            return Method(base, name) if methods.is_method(base, name) else Unknown(f".{name}")
        return Unknown(f".{name}")

    def class_of(self, target: Any) -> Any:
        """Return the class of an object, or the class itself."""
        return target if isinstance(target, ClassValue) else getattr(target, "cls", target)

    def _external_attribute(self, base: External, name: str) -> Any:
        if name == "__module__":
            return base.name.rpartition(".")[0]
        if name in ("__name__", "__qualname__"):
            return base.name.rpartition(".")[2]
        return self.external(f"{base.name}.{name}")

    def _of_form(self, base: TypeForm, name: str) -> Any:
        if name == "__args__":
            return base.args
        if name == "__origin__":
            return base.origin
        if name == "__module__":
            return (
                "builtins"
                if str(getattr(base.origin, "name", "")).startswith("builtins.")
                else "typing"
            )
        return Unknown(f"type attribute {name}")

    def _of_class(self, cls: ClassValue, name: str) -> Any:
        fixed = {"__name__": cls.name, "__qualname__": cls.name, "__module__": cls.module}
        if name in fixed:
            return fixed[name]
        if name == "__annotations__":
            self.body(cls)
            return cls.annotations
        if name == "__members__" and self.is_enum(cls):
            self.body(cls)
            return dict(cls.members)
        if name == "__doc__":
            return ""
        if name == "__mro__":
            return tuple(self.mro(cls))
        found = self.class_attribute(cls, name)
        if not found:
            return Unknown(f"{cls.name}.{name}")
        value, owner = found
        if isinstance(value, Function):
            return value.bind(cls, owner) if value.kind == "classmethod" else value
        if isinstance(value, FieldSpec):
            return value.default if not same(value.default, MISSING) else Unknown("default factory")
        return value

    def _of_member(self, member: EnumMember, name: str) -> Any:
        if name in ("value", "_value_"):
            return member.value
        if name in ("name", "_name_"):
            return member.name
        found = self.class_attribute(member.cls, name)
        if found and isinstance(found[0], Function):
            function = found[0].bind(member, found[1])
            return (
                self.call(function, [], {}) if function_kind(found[0]) == "property" else function
            )
        if isinstance(member.value, str) and methods.is_method(member.value, name):
            return Method(member.value, name)
        return found[0] if found else Unknown(f".{name}")

    def _of_instance(self, base: Instance, name: str) -> Any:
        if name in base.attrs:
            return self.force(base.attrs[name])
        if name == "__class__":
            return base.cls
        found = self.class_attribute(base.cls, name) if isinstance(base.cls, ClassValue) else None
        if not found:
            return Unknown(f".{name}")
        value = found[0]
        if isinstance(value, Function):
            if value.kind == "staticmethod":
                return value
            function = value.bind(base.cls if value.kind == "classmethod" else base, found[1])
            return self.call(function, [], {}) if value.kind == "property" else function
        if isinstance(value, FieldSpec):
            return self.field_default(value)
        return value

    # -- dataclasses ----------------------------------------------------------

    def field_default(self, spec: FieldSpec) -> Any:
        """Return the default that a field gives to a new object."""
        if not same(spec.default, MISSING):
            return spec.default
        if same(spec.factory, MISSING):
            return Unknown("no default")
        return self.call(spec.factory, [], {})

    def fields(self, cls: Any) -> list[FieldSpec] | None:
        """Return the fields of a dataclass-like class in their order."""
        cls = self.class_of(cls)
        if not isinstance(cls, ClassValue):
            return None
        found: dict[str, FieldSpec] = {}
        for owner in reversed(self.mro(cls)):
            if not isinstance(owner, ClassValue):
                continue
            attrs = self.body(owner)
            for name, annotation in list(owner.annotations.items()):
                kind = self._annotation(annotation)
                if _is_class_variable(kind):
                    continue
                raw = self.force(attrs[name]) if name in attrs else MISSING
                found[name] = self._field(name, kind, raw)
        return list(found.values())

    def _annotation(self, value: Any) -> Any:
        if isinstance(value, Lazy):
            return self.annotation(value.node, value.scope)
        return value

    def _field(self, name: str, kind: Any, raw: Any) -> FieldSpec:
        if isinstance(raw, FieldSpec):
            spec = FieldSpec("field", raw.default, raw.factory)
            if raw.kind == "pydantic":
                # The dataclass machinery keeps pydantic's object as the default.
                inner = FieldSpec(
                    "pydantic", raw.default, None if same(raw.factory, MISSING) else raw.factory
                )
                spec = FieldSpec("field", inner, MISSING)
        else:
            spec = FieldSpec("field", raw, MISSING)
        spec.name = name
        spec.type = NONE_TYPE if kind is None else kind
        return spec


def function_kind(function: Function) -> str:
    """Return ``function``, ``staticmethod``, ``classmethod`` or ``property``."""
    return function.kind


def _is_class_variable(kind: Any) -> bool:
    origin = kind.origin if isinstance(kind, TypeForm) else kind
    return isinstance(origin, External) and origin.name.endswith((".ClassVar", ".InitVar"))
