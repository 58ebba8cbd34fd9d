"""Evaluates expressions of a release's source in a closed world.

Nothing here calls Python's own ``eval``: each kind of expression has its own method,
and whatever is not understood becomes ``Unknown``.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from .operators import Operators
from .values import (
    ClassValue,
    EnumMember,
    External,
    Function,
    Lazy,
    TypeForm,
    Unknown,
    flatten_union,
    has_unknown,
    is_solid,
    is_unknown,
)


class Evaluator(Operators):
    """Expression part of the interpreter; the other parts are mixed in."""

    steps: int
    forcing: set[int]

    def eval(self, node: ast.expr, scope: Any) -> Any:
        """Return the value of an expression, or ``Unknown``."""
        self.steps += 1
        if self.steps > 20_000_000:
            raise RuntimeError("the evaluation takes too many steps")
        method = getattr(self, "_" + type(node).__name__, None)
        if method is None:
            return Unknown(type(node).__name__)
        return method(node, scope)

    def force(self, value: Any) -> Any:
        """Evaluate a delayed value."""
        while isinstance(value, Lazy):
            if id(value) in self.forcing:
                return Unknown("defined by itself")
            mark = id(value)
            self.forcing.add(mark)
            try:
                value = self.eval(value.node, value.scope)
            finally:
                self.forcing.discard(mark)
        return value

    def truth(self, value: Any) -> bool | None:
        """Return the truth of a value, or ``None`` if it is not known."""
        value = self.force(value)
        if is_unknown(value):
            return None
        if isinstance(value, EnumMember):
            return True
        if isinstance(value, External) and value.name.endswith("TYPE_CHECKING"):
            return False
        if isinstance(value, (External, TypeForm, Function)):
            return True if is_solid(value) else None
        try:
            return bool(value)
        except Exception:  # a modelled object without a truth value
            return None

    # -- leaves ---------------------------------------------------------------

    def _Constant(self, node: ast.Constant, scope: Any) -> Any:
        return node.value

    def _Name(self, node: ast.Name, scope: Any) -> Any:
        return self.force(scope.lookup(node.id))

    def _Attribute(self, node: ast.Attribute, scope: Any) -> Any:
        base = self.eval(node.value, scope)
        return self.force(self.attribute(base, node.attr))

    def _Lambda(self, node: ast.Lambda, scope: Any) -> Any:
        return self.define(Function(node, scope))

    def _NamedExpr(self, node: ast.NamedExpr, scope: Any) -> Any:
        value = self.eval(node.value, scope)
        scope.assign(node.target.id, value)
        return value

    # -- containers -----------------------------------------------------------

    def items(self, nodes: list[ast.expr], scope: Any) -> list[Any] | None:
        """Evaluate a display's items; ``None`` if a starred part is not known."""
        out: list[Any] = []
        for node in nodes:
            if isinstance(node, ast.Starred):
                part = self.iterate(self.eval(node.value, scope))
                if part is None:
                    return None
                out.extend(part)
            else:
                out.append(self.eval(node, scope))
        return out

    def _List(self, node: ast.List, scope: Any) -> Any:
        found = self.items(node.elts, scope)
        return Unknown("starred list") if found is None else found

    def _Tuple(self, node: ast.Tuple, scope: Any) -> Any:
        found = self.items(node.elts, scope)
        return Unknown("starred tuple") if found is None else tuple(found)

    def _Set(self, node: ast.Set, scope: Any) -> Any:
        found = self.items(node.elts, scope)
        return Unknown("starred set") if found is None else self.make_set(found)

    def make_set(self, found: list[Any]) -> Any:
        """Return a set of hashable, known values."""
        try:
            return set(found)
        except TypeError:
            return Unknown("set of unhashable values")

    def _Dict(self, node: ast.Dict, scope: Any) -> Any:
        out: dict[Any, Any] = {}
        for key, value in zip(node.keys, node.values):
            if key is None:
                part = self.eval(value, scope)
                if not isinstance(part, dict):
                    return Unknown("unknown ** in a dict")
                out.update(part)
                continue
            name = self.eval(key, scope)
            try:
                out[name] = self.eval(value, scope)
            except TypeError:
                return Unknown("unhashable key")
        return out

    def iterate(self, value: Any) -> list[Any] | None:
        """Return the items of an iterable, or ``None`` if they are not known."""
        value = self.force(value)
        if isinstance(value, set):
            return sorted(value, key=repr)
        if isinstance(value, (list, tuple, str, range, frozenset)):
            return list(value)
        if isinstance(value, dict):
            return list(value)
        if isinstance(value, ClassValue):
            members: list[Any] | None = self.members(value)
            return members
        return None

    def _generate(self, node: Any, scope: Any) -> Iterator[Any]:
        """Yield the inner scopes of a comprehension; raises LookupError if unknown."""

        def level(index: int, inner: Any) -> Iterator[Any]:
            if index == len(node.generators):
                yield inner
                return
            part = node.generators[index]
            found = self.iterate(self.eval(part.iter, inner))
            if found is None:
                raise LookupError("unknown iterable")
            for item in found:
                self.assign(part.target, item, inner)
                tests = [self.truth(self.eval(test, inner)) for test in part.ifs]
                if any(test is False for test in tests):
                    continue
                if any(test is None for test in tests):
                    raise LookupError("unknown condition")
                yield from level(index + 1, inner)

        return level(0, scope.child())

    def _ListComp(self, node: Any, scope: Any) -> Any:
        try:
            return [self.eval(node.elt, inner) for inner in self._generate(node, scope)]
        except LookupError as error:
            return Unknown(str(error))

    _GeneratorExp = _ListComp

    def _SetComp(self, node: ast.SetComp, scope: Any) -> Any:
        found = self._ListComp(node, scope)
        return found if is_unknown(found) else self.make_set(found)

    def _DictComp(self, node: ast.DictComp, scope: Any) -> Any:
        try:
            return {
                self.eval(node.key, inner): self.eval(node.value, inner)
                for inner in self._generate(node, scope)
            }
        except (LookupError, TypeError) as error:
            return Unknown(str(error))

    # -- text -----------------------------------------------------------------

    def _JoinedStr(self, node: ast.JoinedStr, scope: Any) -> Any:
        out = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                value = self.eval(part.value, scope)
                if not isinstance(value, (str, int, float)) or part.format_spec:
                    return Unknown("formatted text")
                out.append(repr(value) if part.conversion == 114 else str(value))
            else:
                out.append(str(getattr(part, "value", "")))
        return "".join(out)

    # -- subscripts -----------------------------------------------------------

    def _Subscript(self, node: ast.Subscript, scope: Any) -> Any:
        base = self.eval(node.value, scope)
        index: Any = node.slice
        if type(index).__name__ == "Index":  # Python 3.8 trees
            index = index.value
        if isinstance(index, ast.Slice):
            return self._slice(base, index, scope)
        if isinstance(base, (External, ClassValue, TypeForm)):
            return self._subscript_type(base, index, scope)
        return self.item(base, self.eval(index, scope))

    def item(self, base: Any, key: Any) -> Any:
        """Return ``base[key]`` of a known container."""
        if isinstance(base, (list, tuple, str, dict)) and not is_unknown(key):
            try:
                return self.force(base[key])
            except Exception:  # a missing key, an unhashable one
                return Unknown("missing item")
        return Unknown("subscript")

    def _slice(self, base: Any, part: ast.Slice, scope: Any) -> Any:
        ends = [
            self.eval(end, scope) if end else None for end in (part.lower, part.upper, part.step)
        ]
        if not isinstance(base, (list, tuple, str)) or has_unknown(ends):
            return Unknown("slice")
        try:
            return base[slice(*ends)]
        except Exception:  # a slice by something that is no number
            return Unknown("slice")

    def _subscript_type(self, base: Any, index: ast.expr, scope: Any) -> Any:
        nodes = list(index.elts) if isinstance(index, ast.Tuple) else [index]
        name = base.name if isinstance(base, External) else ""
        if isinstance(base, ClassValue) and self.is_enum(base):
            key = self.eval(index, scope)
            return self.attribute(base, key) if isinstance(key, str) else Unknown("member")
        literal = name.endswith(".Literal")
        parts: list[Any] = []
        for position, node in enumerate(nodes):
            plain = literal or (name.endswith(".Annotated") and position)
            found = self.items([node], scope) if plain else [self.annotation(node, scope)]
            parts.extend([Unknown("literal")] if found is None else found)
        if literal:
            flat: list[Any] = []
            for part in parts:
                nested = isinstance(part, TypeForm) and part.origin == base
                flat.extend(part.args if nested else [part])
            return TypeForm(base, tuple(flat))
        if name.endswith(".Optional"):
            return flatten_union("typing.Union", [*parts, None])
        if name.endswith(".SkipValidation"):
            return TypeForm(External("typing.Annotated"), (parts[0], base))
        if name.endswith(".Union"):
            return flatten_union("typing.Union", parts)
        return TypeForm(base, tuple(parts))

    def annotation(self, node: ast.expr, scope: Any) -> Any:
        """Evaluate a type annotation; text in quotes is read as an annotation."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                found = self.annotation(ast.parse(node.value, mode="eval").body, scope)
            except SyntaxError:
                return Unknown("annotation")
            return External("typing.ForwardRef") if is_unknown(found) else found
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            parts = [self.annotation(node.left, scope), self.annotation(node.right, scope)]
            return flatten_union("types.UnionType", parts)
        return self.eval(node, scope)
