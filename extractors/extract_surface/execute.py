"""Executes statements of a release's source in a closed world.

A condition that is not known runs both branches, and what they change is then unknown.
``raise`` is taken as not happening: the sources of a release start without errors.
"""

from __future__ import annotations

import ast
import contextlib
from typing import Any, Callable

from .calls import Break, Calls, Continue, Returned
from .evaluate import Evaluator
from .natives import Natives
from .objects import Objects
from .tree import Event, Module, SourceTree
from .values import (
    ClassValue,
    External,
    Function,
    Instance,
    ModuleValue,
    Unknown,
    has_unknown,
    is_unknown,
    same,
)


class Scope:
    """Names of a function, a class body, a comprehension or a module."""

    def __init__(self, interp: Interpreter, module: Module, parent: Scope | None, kind: str):
        self.interp = interp
        self.module = module
        self.parent = parent
        self.kind = kind
        self.names: dict[str, Any] = {}
        self.function: Function | None = None

    def child(self, kind: str = "function") -> Scope:
        """Return an inner scope."""
        return Scope(self.interp, self.module, self, kind)

    def lookup(self, name: str) -> Any:
        """Return the value of a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.parent
        return self.interp.global_name(self.module, name)

    def assign(self, name: str, value: Any) -> None:
        """Bind a name here; a comprehension writes through to its function."""
        self.names[name] = value


def _as_load(target: ast.expr) -> ast.expr:
    """Return an assignment target as an expression that reads it."""
    if isinstance(target, ast.Name):
        return ast.Name(id=target.id, ctx=ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
    assert isinstance(target, ast.Subscript)
    return ast.Subscript(value=target.value, slice=target.slice, ctx=ast.Load())


class Interpreter(Evaluator, Calls, Objects, Natives):
    """Reads one release."""

    def __init__(self, tree: SourceTree) -> None:
        self.tree = tree
        self.steps = 0
        self.forcing: set[int] = set()
        self.make_parser: Callable[[], Any] | None = None
        self.uncertain = 0
        self.depth = 0
        self.maybe_returned: list[Any] = []
        self.running: list[Any] = []
        self.endless: set[Any] = set()

    # -- modules --------------------------------------------------------------

    def module_scope(self, module: Module) -> Scope:
        """Return a fresh scope whose globals are the module's names."""
        return Scope(self, module, None, "module")

    def module_name(self, module_name: str, name: str) -> Any:
        """Return a name of a module of the release."""
        module = self.tree.module(module_name)
        inner = f"{module_name}.{name}"
        if module is not None and (name in module.events or module.stars):
            found = self.global_name(module, name)
            if not is_unknown(found):
                return found
        if self.tree.path(inner) or self.tree.is_folder(inner):
            return ModuleValue(inner)
        if module is not None and "__getattr__" in module.events and not name.startswith("__"):
            hook = self.global_name(module, "__getattr__")
            if isinstance(hook, Function) and hook.node not in self.running:
                return self.call(hook, [name], {})
        if module is not None and name in module.events:
            return self.global_name(module, name)
        return Unknown(f"{module_name} has no {name}")

    def global_name(self, module: Module, name: str) -> Any:
        """Return a module-level name, running the statements that make it."""
        if name in module.busy:
            return module.values.get(name, Unknown(f"{name} is being defined"))
        events = module.events.get(name)
        if events is None:
            return self._from_star(module, name)
        waiting = [
            event
            for event in events
            if event.index not in module.done and (event.index, name) not in module.bound
        ]
        if not waiting:
            return self.force(module.values.get(name, Unknown(name)))
        module.busy.add(name)
        depth, self.uncertain = self.uncertain, 0
        try:
            for event in waiting:
                self._run_event(module, name, event)
        finally:
            module.busy.discard(name)
            self.uncertain = depth
        return self.force(module.values.get(name, Unknown(f"{name} is not bound")))

    def _run_event(self, module: Module, name: str, event: Event) -> None:
        scope = self.module_scope(module)
        sure: bool | None = True
        for test, wanted in event.guards:
            truth = self.truth(self.eval(test, scope))
            if truth is None:
                sure = None
            elif truth is not wanted:
                return
        statement = event.statement
        if event.kind == "change":
            if event.index in module.done:
                return
            module.done.add(event.index)
            self.uncertain += sure is None
            self.exec(statement, scope)
            self.uncertain -= sure is None
            module.values.update(scope.names)
            scope.names.clear()  # functions made here must see later changes
            return
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            self._import_one(statement, scope, name)
        else:
            self.exec(statement, scope)
        value = scope.names.get(name, Unknown(name))
        scope.names.clear()
        old = module.values.get(name)
        if (
            sure is None
            and old is not None
            and not is_unknown(old)
            and (has_unknown(value) or has_unknown(old) or not same(old, value))
        ):
            value = Unknown(f"{name} depends on an unknown condition")
        module.values[name] = value
        module.bound.add((event.index, name))

    def _import_one(self, statement: ast.stmt, scope: Scope, name: str) -> None:
        """Run an import statement for one of its names only."""
        aliases = [
            alias
            for alias in getattr(statement, "names", [])
            if (alias.asname or alias.name.split(".")[0]) == name or alias.name == name
        ]
        if isinstance(statement, ast.Import):
            self.exec(ast.Import(names=aliases), scope)
        elif isinstance(statement, ast.ImportFrom):
            for alias in aliases:
                found = self.import_from(scope.module, statement, alias.name)
                scope.assign(alias.asname or alias.name, found)

    def _from_star(self, module: Module, name: str) -> Any:
        for statement in module.stars:
            source = self.tree.absolute(module, statement)
            found = self.tree.module(source)
            if found is not None and (name in found.events or found.stars):
                return self.global_name(found, name)
        if name == "__name__":
            return module.name
        return self.external(f"builtins.{name}")

    def import_from(self, module: Module, statement: ast.ImportFrom, name: str) -> Any:
        """Return what ``from ... import name`` gives."""
        source = self.tree.absolute(module, statement)
        if self.tree.is_inside(source):
            return self.module_name(source, name)
        return self.external(f"{source}.{name}")

    # -- statements -----------------------------------------------------------

    def block(self, body: list[ast.stmt], scope: Scope) -> None:
        """Execute statements in order."""
        for statement in body:
            self.exec(statement, scope)

    def exec(self, node: ast.stmt, scope: Scope) -> None:
        """Execute one statement; kinds without a method have no effect."""
        method = getattr(self, "_do_" + type(node).__name__, None)
        if method is not None:
            method(node, scope)

    def _do_Expr(self, node: ast.Expr, scope: Scope) -> None:
        self.eval(node.value, scope)

    def _do_Assign(self, node: ast.Assign, scope: Scope) -> None:
        value = self.eval(node.value, scope)
        for target in node.targets:
            self.assign(target, value, scope)

    def _do_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.assign(node.target, self.eval(node.value, scope), scope)

    def _do_AugAssign(self, node: ast.AugAssign, scope: Scope) -> None:
        load = _as_load(node.target)
        old, value = self.eval(load, scope), self.eval(node.value, scope)
        if isinstance(old, list) and isinstance(value, (list, tuple)):
            old.extend(value if not self.uncertain else [Unknown("condition")])
            return
        found = self.binary(node.op, old, value)
        self.assign(node.target, Unknown("condition") if self.uncertain else found, scope)

    def assign(self, target: ast.expr, value: Any, scope: Scope) -> None:
        """Bind a value to an assignment target."""
        if isinstance(target, ast.Name):
            if self.uncertain and scope.kind == "function" and target.id in scope.names:
                old = scope.names[target.id]
                if has_unknown(old) or has_unknown(value) or not same(old, value):
                    value = Unknown(f"{target.id} depends on an unknown condition")
            scope.assign(target.id, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            found = self.iterate(value)
            for position, item in enumerate(target.elts):
                known = found is not None and len(found) == len(target.elts)
                self.assign(item, (found or [])[position] if known else Unknown("unpacking"), scope)
        elif isinstance(target, ast.Subscript):
            base = self.eval(target.value, scope)
            key = self.eval(target.slice, scope)
            if isinstance(base, (dict, list)) and not is_unknown(key):
                with contextlib.suppress(TypeError, IndexError):
                    base[key] = Unknown("condition") if self.uncertain else value
        elif isinstance(target, ast.Attribute):
            base = self.eval(target.value, scope)
            if isinstance(base, Instance):
                base.attrs[target.attr] = value
            elif isinstance(base, ClassValue):
                attrs = self.body(base)
                if target.attr == "__annotations__" and isinstance(value, dict):
                    base.annotations = value
                else:
                    attrs[target.attr] = value

    def _do_If(self, node: ast.If, scope: Scope) -> None:
        truth = self.truth(self.eval(node.test, scope))
        if truth is not None:
            self.block(node.body if truth else node.orelse, scope)
            return
        self.uncertain += 1
        try:
            for body in (node.body, node.orelse):
                try:
                    self.block(body, scope)
                except Returned as found:
                    self.maybe_returned.append(found.value)
                except (Break, Continue):
                    pass
        finally:
            self.uncertain -= 1

    def _do_For(self, node: ast.For, scope: Scope) -> None:
        found = self.iterate(self.eval(node.iter, scope))
        if found is None:
            self.assign(node.target, Unknown("loop over an unknown iterable"), scope)
            self.uncertain += 1
            try:
                self.block(node.body, scope)
            except (Break, Continue):
                pass
            finally:
                self.uncertain -= 1
            return
        for item in found:
            self.assign(node.target, item, scope)
            try:
                self.block(node.body, scope)
            except Continue:
                continue
            except Break:
                return
        self.block(node.orelse, scope)

    def _do_With(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            value = self.eval(item.context_expr, scope)
            if item.optional_vars is not None:
                self.assign(item.optional_vars, value, scope)
        self.block(node.body, scope)

    def _do_Try(self, node: ast.Try, scope: Scope) -> None:
        self.block(node.body, scope)
        self.block(node.orelse, scope)
        self.block(node.finalbody, scope)

    def _do_Return(self, node: ast.Return, scope: Scope) -> None:
        raise Returned(self.eval(node.value, scope) if node.value else None)

    def _do_Break(self, node: ast.Break, scope: Scope) -> None:
        raise Break

    def _do_Continue(self, node: ast.Continue, scope: Scope) -> None:
        raise Continue

    def _do_Delete(self, node: ast.Delete, scope: Scope) -> None:
        for target in node.targets:
            if isinstance(target, ast.Subscript):
                base, key = self.eval(target.value, scope), self.eval(target.slice, scope)
                if isinstance(base, dict) and not is_unknown(key):
                    base.pop(key, None)

    def _do_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.assign(node.name, self.define(Function(node, scope)))

    def define(self, function: Function) -> Function:
        """Evaluate the defaults of a nested function now: a loop may rebind names later."""
        if function.scope.kind == "function":
            spec = function.node.args
            nodes = [*spec.defaults, *(d for d in spec.kw_defaults if d is not None)]
            function.defaults = {id(node): self.eval(node, function.scope) for node in nodes}
        return function

    def _do_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.assign(node.name, ClassValue(node, scope, scope.module.name, node.name))

    def _do_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            full = alias.name if alias.asname else alias.name.split(".")[0]
            inside = self.tree.is_inside(full)
            value = ModuleValue(full) if inside else self.external(full)
            scope.assign(alias.asname or full, value)

    def _do_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        for alias in node.names:
            scope.assign(
                alias.asname or alias.name, self.import_from(scope.module, node, alias.name)
            )

    def external(self, name: str) -> Any:
        """Return a name from outside of the release, as far as it is modelled."""
        return self.constant(name) if self.is_constant(name) else External(name)
