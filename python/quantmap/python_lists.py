"""Lists and dicts of Python source, with what is added to them by their names."""

from __future__ import annotations

import ast

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .python_calls import Settings

__all__: list[str] = []

_MOST_WORDS = 2_000  # of a list that others are put together to


class Lists:
    """What the names of a source hold: a base of its reader.

    Attributes:
        nodes: the nodes of the source.
        lists: names that are given a list once.
        added: what is added to a list, by its name.
    """

    nodes: list[ast.AST]
    lists: dict[str, ast.expr]
    added: dict[str, list[ast.expr]]
    _changed: set[str] | None

    def _lists(self) -> dict[str, ast.expr]:
        """Names that are given a list once."""
        given: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
                if isinstance(target, ast.Name) and grown_by(node) is None:
                    given.setdefault(target.id, []).append(node.value)
        return {name: values[0] for name, values in given.items() if len(values) == 1}

    def items(self, value: ast.expr) -> list[ast.expr]:
        """The elements of a list, with those of the lists that it is put together from."""
        out: list[ast.expr] = []
        open_ = [value]
        inside: set[str] = (
            set()
        )  # names whose lists are put in: each once, so that none holds itself
        while open_ and len(out) < _MOST_WORDS:
            item = open_.pop()
            if isinstance(item, ast.Starred):
                open_.append(item.value)
            elif isinstance(item, ast.BinOp) and isinstance(item.op, ast.Add):
                open_ += [item.right, item.left]
            elif isinstance(item, (ast.List, ast.Tuple)):
                elements = (e if isinstance(e, ast.Starred) else Element(e) for e in item.elts)
                open_ += reversed(list(elements))
            elif isinstance(item, ast.Name) and self.is_list(item.id) and item.id not in inside:
                inside.add(item.id)
                added = [
                    e if isinstance(e, ast.Starred) else Element(e)
                    for e in self.added.get(item.id, [])
                ]
                open_ += [*reversed(added), self.lists[item.id]]
            else:
                out.append(item.element if isinstance(item, Element) else ast.Starred(item))
        return out

    def is_list(self, name: str) -> bool:
        """Whether a name is given a list once, as far as the source tells."""
        return isinstance(self.lists.get(name), (ast.List, ast.Tuple, ast.BinOp))

    def _additions(self) -> dict[str, list[ast.expr]]:
        """What is added to lists by name: ``+=``, ``a = a + b``, ``extend`` and ``append``."""
        out: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                out.setdefault(node.target.id, []).extend(elements(node.value))
            elif isinstance(node, ast.Assign) and (more := grown_by(node)) is not None:
                out.setdefault(name_in(node.targets[0]), []).extend(elements(more))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name, verb = node.func.value, node.func.attr
                if isinstance(name, ast.Name) and verb in ("extend", "append") and node.args:
                    given = elements(node.args[0]) if verb == "extend" else [node.args[0]]
                    out.setdefault(name.id, []).extend(given)
        return out

    def settings(self, value: ast.expr) -> Settings:
        """The names and values of a dict, by its name too; and whether that is all of it."""
        from .python_calls import settings_in

        name = value.id if isinstance(value, ast.Name) else ""
        known, is_all = settings_in(self.lists.get(name) if name else value)
        return known, is_all and name not in self.changed()

    def changed(self) -> set[str]:
        """Names of which an item is set, or more is put in, somewhere."""
        if self._changed is None:
            self._changed = set()
            for node in self.nodes:
                holder = node.value if isinstance(node, ast.Subscript) else None
                if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Store):
                    holder = None
                if isinstance(node, ast.Attribute) and node.attr in ("update", "setdefault", "pop"):
                    holder = node.value
                if isinstance(holder, ast.Name):
                    self._changed.add(holder.id)
        return self._changed

    def put_together(self) -> set[int]:
        """Lists that are part of others, which are the launch: of sums, and by their names."""
        grown = {
            id(node.value)
            for node in self.nodes
            if isinstance(node, ast.Assign) and grown_by(node) is not None
        }
        inner = set(grown)
        for node in self.nodes:
            parts: list[ast.expr] = []
            if id(node) in grown:
                continue
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
                parts = [node.left, node.right]
            elif isinstance(node, (ast.List, ast.Tuple)):
                parts = [item.value for item in node.elts if isinstance(item, ast.Starred)]
            for part in parts:
                inner.add(id(part))
                if isinstance(part, ast.Name) and part.id in self.lists:
                    inner.add(id(self.lists[part.id]))
        return inner


class Element(ast.expr):
    """An expression that is one element, whatever it is."""

    def __init__(self, element: ast.expr) -> None:
        super().__init__()
        self.element = element


def grown_by(node: ast.Assign) -> ast.expr | None:
    """What an assignment adds to the list that it assigns to, as ``a = a + b`` does."""
    target, value = node.targets[0], node.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return None
    if isinstance(target, ast.Name) and isinstance(value.left, ast.Name):
        return value.right if target.id == value.left.id else None
    return None


def elements(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else [ast.Starred(value)]


def name_in(item: ast.expr) -> str:
    """A name for what is not known: the last one in the expression."""
    names = [
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(item)
        if isinstance(node, (ast.Name, ast.Attribute))
    ]
    return names[0] if names else "value"
