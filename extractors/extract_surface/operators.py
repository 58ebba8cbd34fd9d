"""Operators, comparisons and conditions, for the evaluator."""

from __future__ import annotations

import ast
import operator
from typing import Any, Callable

from .values import (
    ClassValue,
    External,
    Part,
    TypeForm,
    Unknown,
    flatten_union,
    has_unknown,
    is_solid,
    is_unknown,
    same,
)

_BINARY: dict[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitAnd: operator.and_,
    ast.BitOr: operator.or_,
    ast.BitXor: operator.xor,
}
_ORDER: dict[type, Callable[[Any, Any], Any]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_LIMIT = 1_000_000
_TYPE_NODES = (External, TypeForm, ClassValue, type(None))


class Operators(Part):
    """Operator part of the interpreter."""

    def _BoolOp(self, node: ast.BoolOp, scope: Any) -> Any:
        stop = isinstance(node.op, ast.Or)
        value: Any = None
        unknown = False
        for part in node.values:
            value = self.eval(part, scope)
            truth = self.truth(value)
            if truth is stop:
                return Unknown("or") if unknown and stop and value is not True else value
            unknown = unknown or truth is None
        return Unknown("condition") if unknown else value

    def _UnaryOp(self, node: ast.UnaryOp, scope: Any) -> Any:
        value = self.eval(node.operand, scope)
        if isinstance(node.op, ast.Not):
            truth = self.truth(value)
            return Unknown("not") if truth is None else not truth
        if isinstance(value, (int, float)):
            return -value if isinstance(node.op, ast.USub) else value
        return Unknown("unary operator")

    def _BinOp(self, node: ast.BinOp, scope: Any) -> Any:
        return self.binary(node.op, self.eval(node.left, scope), self.eval(node.right, scope))

    def binary(self, kind: ast.operator, left: Any, right: Any) -> Any:
        """Apply a binary operator to two values."""
        both = isinstance(left, _TYPE_NODES) or isinstance(right, _TYPE_NODES)
        if isinstance(kind, ast.BitOr) and both:
            return flatten_union("types.UnionType", [left, right])
        if isinstance(left, Unknown) or isinstance(right, Unknown):
            return Unknown("operator on an unknown value")
        if isinstance(kind, ast.Pow):
            small = isinstance(left, (int, float)) and isinstance(right, int) and abs(right) < 100
            return left**right if small else Unknown("power")
        repeats = isinstance(kind, ast.Mult) and not isinstance(left, (int, float))
        shifts = isinstance(kind, ast.LShift)
        if (repeats or shifts) and isinstance(right, int) and right > (_LIMIT if repeats else 64):
            return Unknown("too large")
        try:
            return _BINARY[type(kind)](left, right)
        except Exception:  # unsupported operands
            return Unknown("operator")

    def _Compare(self, node: ast.Compare, scope: Any) -> Any:
        left = self.eval(node.left, scope)
        for kind, part in zip(node.ops, node.comparators):
            right = self.eval(part, scope)
            found = self.compare(kind, left, right)
            if found is not True:
                return found
            left = right
        return True

    def compare(self, kind: ast.cmpop, left: Any, right: Any) -> Any:
        """Compare two values; the answer may be ``Unknown``."""
        if isinstance(kind, (ast.In, ast.NotIn)):
            return self._contains(left, right, isinstance(kind, ast.In))
        if is_unknown(left) or is_unknown(right):
            return Unknown("comparison")
        outside = isinstance(left, External) and isinstance(right, External)
        if not outside and not (is_solid(left) and is_solid(right)):
            return Unknown("comparison with an outside value")
        if isinstance(kind, (ast.Eq, ast.NotEq)):
            if has_unknown(left) or has_unknown(right):
                return Unknown("comparison")
            return same(left, right) is isinstance(kind, ast.Eq)
        if isinstance(kind, (ast.Is, ast.IsNot)):
            return same(left, right) is isinstance(kind, ast.Is)
        try:
            return bool(_ORDER[type(kind)](left, right))
        except Exception:  # not orderable
            return Unknown("order")

    def _contains(self, item: Any, box: Any, wanted: bool) -> Any:
        if is_unknown(item) or not is_solid(item):
            return Unknown("membership")
        if isinstance(item, str) and isinstance(box, str):
            return (item in box) is wanted
        found = self.iterate(box)
        if found is None:
            return Unknown("membership")
        if any(same(item, other) for other in found if not is_unknown(other)):
            return wanted
        return Unknown("membership") if has_unknown(found, 1) else not wanted

    def _IfExp(self, node: ast.IfExp, scope: Any) -> Any:
        truth = self.truth(self.eval(node.test, scope))
        if truth is None:
            left, right = self.eval(node.body, scope), self.eval(node.orelse, scope)
            known = not has_unknown(left) and not has_unknown(right)
            return left if known and same(left, right) else Unknown("choice")
        return self.eval(node.body if truth else node.orelse, scope)
