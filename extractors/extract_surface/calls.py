"""Calls of a release's own functions, for the evaluator."""

from __future__ import annotations

import ast
from typing import Any

from .values import Function, Lazy, Part, Super, Unknown, has_unknown, same


class Returned(Exception):
    """Carries the value of a ``return`` statement."""

    def __init__(self, value: Any) -> None:
        super().__init__()
        self.value = value


class Break(Exception):
    """A ``break`` statement."""


class Continue(Exception):
    """A ``continue`` statement."""


class Calls(Part):
    """Function part of the interpreter."""

    depth: int
    uncertain: int
    maybe_returned: list[Any]
    running: list[Any]
    endless: set[Any]

    def run(self, function: Function, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Call a function of the release."""
        if self.depth > 60:
            self.endless.add(function.node)
        if function.node in self.endless or (self.uncertain and function.node in self.running):
            return Unknown("recursion without a known end")
        scope = function.scope.child()
        scope.function = function
        if function.bound is not None:
            args = [function.bound, *args]
        self._bind(function, scope, args, kwargs)
        if isinstance(function.node, ast.Lambda):
            return self.eval(function.node.body, scope)
        kept, self.maybe_returned = self.maybe_returned, []
        self.depth += 1
        self.running.append(function.node)
        value: Any = None
        try:
            self.block(function.node.body, scope)
        except Returned as found:
            value = found.value
        finally:
            self.depth -= 1
            self.running.pop()
            maybe, self.maybe_returned = self.maybe_returned, kept
        for other in maybe:
            if has_unknown(other) or has_unknown(value) or not same(other, value):
                return Unknown(f"{function.name} returns by an unknown condition")
        return value

    def _bind(
        self, function: Function, scope: Any, args: list[Any], kwargs: dict[str, Any]
    ) -> None:
        spec = function.node.args
        names = [a.arg for a in getattr(spec, "posonlyargs", []) + spec.args]
        rest = dict(kwargs)
        for name, value in zip(names, args):
            scope.names[name] = value
        defaults = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults))
        for name, node in zip([a.arg for a in spec.kwonlyargs], spec.kw_defaults):
            names.append(name)
            if node is not None:
                defaults[name] = node
        for name in names:
            if name in rest:
                scope.names[name] = rest.pop(name)
            elif name not in scope.names:
                node = defaults.get(name)
                scope.names[name] = (
                    Lazy(node, function.scope) if node else Unknown(f"argument {name}")
                )
        if spec.vararg:
            scope.names[spec.vararg.arg] = tuple(args[len(spec.args) :])
        if spec.kwarg:
            scope.names[spec.kwarg.arg] = rest

    def _default(self, function: Function, node: ast.expr | None, name: str) -> Any:
        if node is None:
            return Unknown(f"argument {name}")
        if id(node) in function.defaults:
            return function.defaults[id(node)]
        return Lazy(node, function.scope)

    def super_of(self, scope: Any) -> Any:
        """Return what ``super()`` means in a function."""
        inner: Any = scope
        while inner is not None:
            function = inner.function
            if function is not None and function.owner is not None:
                return Super(function.owner, function.bound)
            inner = inner.parent
        return Unknown("super()")
