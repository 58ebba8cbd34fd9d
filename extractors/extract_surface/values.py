"""The values that the closed evaluator works with.

Plain Python constants, lists, dicts, tuples and sets stand for themselves. Everything
else is one of the classes below. What cannot be known from the text is ``Unknown``,
and whatever is computed from it is unknown too.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any


class Part:
    """A part of the interpreter: it may use what the other parts define."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """Stand for the attributes of the other parts."""


class Unknown:
    """A value that the source text does not determine."""

    __slots__ = ("reason",)

    def __init__(self, reason: str = "") -> None:
        self.reason = reason

    def __repr__(self) -> str:
        return f"Unknown({self.reason})"


class External:
    """Something outside of the release: a standard or third-party name."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __eq__(self, other: object) -> bool:
        return isinstance(other, External) and other.name == self.name

    def __hash__(self) -> int:
        return hash(("external", self.name))

    def __repr__(self) -> str:
        return f"<{self.name}>"


_SOLID = {
    "argparse", "ast", "builtins", "collections", "dataclasses", "enum", "functools", "itertools",
    "json", "math", "pathlib", "pydantic", "msgspec", "re", "types", "typing", "typing_extensions",
    "orjson", "yaml",
}  # fmt: skip


def is_solid(value: Any) -> bool:
    """False for an outside name that may be data, such as ``torch.version.hip``."""
    return not isinstance(value, External) or value.name.partition(".")[0] in _SOLID


class TypeForm:
    """A subscripted type: ``origin[args]``; unions are flat and without repeats."""

    __slots__ = ("args", "origin")

    def __init__(self, origin: Any, args: tuple[Any, ...]) -> None:
        self.origin = origin
        self.args = args

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TypeForm)
            and same(other.origin, self.origin)
            and len(other.args) == len(self.args)
            and all(same(a, b) for a, b in zip(other.args, self.args))
        )

    def __hash__(self) -> int:
        return hash(("form", repr(self.origin), len(self.args)))

    def __repr__(self) -> str:
        return f"{self.origin!r}{list(self.args)!r}"


class ModuleValue:
    """A module of the release."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name


class Function:
    """A function of the release, perhaps bound to an object."""

    __slots__ = ("bound", "defaults", "kind", "name", "node", "owner", "scope")

    def __init__(self, node: Any, scope: Any, bound: Any = None, owner: Any = None) -> None:
        self.node = node
        self.scope = scope
        self.bound = bound
        self.owner = owner
        self.name: str = getattr(node, "name", "<lambda>")
        self.kind = "function"
        self.defaults: dict[int, Any] = {}
        for item in getattr(node, "decorator_list", []):
            text = ast.unparse(item) if hasattr(ast, "unparse") else ""
            if text in ("staticmethod", "classmethod", "property") or text.endswith("property"):
                self.kind = "property" if text.endswith("property") else text

    def bind(self, target: Any, owner: Any) -> Function:
        """Return a copy bound to ``target``; ``owner`` is the class that holds it."""
        copy = Function(self.node, self.scope, target, owner)
        copy.defaults = self.defaults
        return copy


class ClassValue:
    """A class of the release; its body is read when an attribute is first needed."""

    def __init__(self, node: ast.ClassDef | None, scope: Any, module: str, name: str) -> None:
        self.node = node
        self.scope = scope
        self.module = module
        self.name = name
        self.bases: list[Any] | None = None
        self.attrs: dict[str, Any] | None = None
        self.annotations: dict[str, Any] = {}
        self.members: dict[str, EnumMember] = {}

    def __repr__(self) -> str:
        return f"<class {self.module}.{self.name}>"


class EnumMember:
    """A member of an enumeration."""

    __slots__ = ("cls", "name", "value")

    def __init__(self, cls: ClassValue, name: str, value: Any) -> None:
        self.cls = cls
        self.name = name
        self.value = value

    def __repr__(self) -> str:
        return f"{self.cls.name}.{self.name}"


class Instance:
    """An object of a class of the release."""

    __slots__ = ("attrs", "cls")

    def __init__(self, cls: Any, attrs: dict[str, Any]) -> None:
        self.cls = cls
        self.attrs = attrs

    def __repr__(self) -> str:
        return f"<{getattr(self.cls, 'name', self.cls)} object>"


class Lazy:
    """An expression that is evaluated when its value is first needed."""

    __slots__ = ("node", "scope")

    def __init__(self, node: ast.expr, scope: Any) -> None:
        self.node = node
        self.scope = scope


class FieldSpec:
    """The result of ``dataclasses.field``, pydantic's ``Field`` and their kin."""

    __slots__ = ("default", "factory", "kind", "name", "type")

    def __init__(self, kind: str, default: Any, factory: Any) -> None:
        self.kind = kind
        self.default = default
        self.factory = factory
        self.name = ""
        self.type: Any = None


class Method:
    """A bound method of a built-in value or of a modelled object."""

    __slots__ = ("name", "target")

    def __init__(self, target: Any, name: str) -> None:
        self.target = target
        self.name = name


class Super:
    """The result of ``super()``."""

    __slots__ = ("owner", "target")

    def __init__(self, owner: ClassValue, target: Any) -> None:
        self.owner = owner
        self.target = target


NONE_TYPE = External("builtins.NoneType")
MISSING = External("dataclasses.MISSING")
PLAIN = (str, int, float, bool, type(None), bytes, complex)


def is_unknown(value: Any) -> bool:
    """True if the value itself is not known (its parts may still be unknown)."""
    return isinstance(value, (Unknown, Lazy))


def has_unknown(value: Any, depth: int = 6) -> bool:
    """True if the value or a part of it is not known."""
    if is_unknown(value):
        return True
    if depth and isinstance(value, (list, tuple, set, frozenset)):
        return any(has_unknown(item, depth - 1) for item in value)
    if depth and isinstance(value, dict):
        return any(has_unknown(k, depth - 1) or has_unknown(v, depth - 1) for k, v in value.items())
    return False


def same(left: Any, right: Any) -> bool:
    """Equality of two known values."""
    if isinstance(left, (External, TypeForm)) or isinstance(right, (External, TypeForm)):
        return type(left) is type(right) and left == right
    if isinstance(left, EnumMember) or isinstance(right, EnumMember):
        if isinstance(left, EnumMember) and isinstance(right, EnumMember):
            return left.cls is right.cls and left.name == right.name
        member, other = (left, right) if isinstance(left, EnumMember) else (right, left)
        return isinstance(other, (str, int)) and same(member.value, other)
    if isinstance(left, (*PLAIN, list, dict, tuple, set, frozenset)):
        return bool(left == right)
    return left is right


def flatten_union(origin: str, parts: list[Any]) -> Any:
    """Build a union: flat, without repeats; a union of one is that one."""
    flat: list[Any] = []
    for part in parts:
        inner = [NONE_TYPE] if part is None else [part]
        if isinstance(part, TypeForm) and part.origin in (
            External("typing.Union"),
            External("types.UnionType"),
        ):
            inner = list(part.args)
        for item in inner:
            if not any(same(item, seen) for seen in flat if not is_unknown(seen)):
                flat.append(item)
    return flat[0] if len(flat) == 1 else TypeForm(External(origin), tuple(flat))
