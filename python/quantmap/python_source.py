"""Launches in Python source: lists of words, and strings that a shell gets. Nothing is run."""

from __future__ import annotations

import ast
import bisect
import re
import shlex
import warnings

from . import _core
from .launch_lines import launch_lines, looks_like_python, names_an_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

_MOST_NODES = 50_000
_MOST_WORDS = 2_000  # of a list that others are put together to
# What stands behind a launcher in a launch, and in no sentence about one.
_SENTENCE = re.compile(r" [a-z]+ [a-z]+\.$")  # the end of one
_GOES_ON = re.compile(r"[\"']?[-$\"'{<.~/\\]|[\w.-]*[/\d]")


def is_python(text: str) -> bool:
    """Whether a text reads as Python that may start something.

    Args:
        text: the text.

    Returns:
        bool: whether it parses and has a statement that no shell has.

    Example:
        >>> is_python("import os"), is_python("vllm serve m")
        (True, False)
    """
    return looks_like_python(text) and _tree(text) is not None


def find_python_launches(text: str) -> list[tuple[int, str]]:
    """The launches of a Python source as lines of a shell.

    Names that are given a text or number once are put in; what else stands there is left open.

    Args:
        text: the source.

    Returns:
        list[tuple[int, str]]: each with its line; none when the text is no Python.

    Example:
        >>> find_python_launches("PORT = 80\\nrun(['vllm', 'serve', model, '--port', str(PORT)])")
        [(2, 'vllm serve "${model}" --port 80')]
    """
    tree = _tree(text)
    if tree is None:
        return []
    reader = _Reader(tree, text)
    found = sorted(set(reader.launches()))
    return [(line, reader.inside(line, words)) for line, words in found]


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree


class _Reader:
    def __init__(self, tree: ast.Module, text: str) -> None:
        self.text_ = text
        self.rows = text.split("\n")
        self.installed: list[tuple[int, str]] | None = None
        self.images: list[tuple[int, str]] | None = None
        self.nodes: list[ast.AST] = []
        for node in ast.walk(tree):
            if len(self.nodes) >= _MOST_NODES:
                break
            self.nodes.append(node)
        self.parts = {
            id(part)
            for node in self.nodes
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        self.known = self._constants()
        self.added = self._additions()
        self.lists = self._lists()
        self.starts = [list(words) for row in _core.engines() for words, _ in row["launchers"]]
        self.names = {id(n.value): n.targets[0] for n in self.nodes if isinstance(n, ast.Assign)}

    def _lists(self) -> dict[str, ast.expr]:
        """Names that are given a list once."""
        given: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.Assign) and len(node.targets) == 1:
                target = node.targets[0]
                if isinstance(target, ast.Name) and _grows(node) is None:
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
                elements = (e if isinstance(e, ast.Starred) else _Element(e) for e in item.elts)
                open_ += reversed(list(elements))
            elif isinstance(item, ast.Name) and self.is_list(item.id) and item.id not in inside:
                inside.add(item.id)
                added = [
                    e if isinstance(e, ast.Starred) else _Element(e)
                    for e in self.added.get(item.id, [])
                ]
                open_ += [*reversed(added), self.lists[item.id]]
            else:
                out.append(item.element if isinstance(item, _Element) else ast.Starred(item))
        return out

    def is_list(self, name: str) -> bool:
        """Whether a name is given a list once, as far as the source tells."""
        return isinstance(self.lists.get(name), (ast.List, ast.Tuple, ast.BinOp))

    def _constants(self) -> dict[str, str]:
        """Names that are given one text or number, and nothing else."""
        known: dict[str, str] = {}
        unsure: set[str] = set()
        for node in self.nodes:
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets, value = [node.target], node.value
            else:
                continue
            for target in targets:
                if not isinstance(target, ast.Name):
                    continue
                if target.id in known or not isinstance(value, ast.Constant):
                    unsure.add(target.id)
                elif isinstance(value.value, (str, int, float)):
                    known[target.id] = str(value.value)
        return {name: value for name, value in known.items() if name not in unsure}

    def _additions(self) -> dict[str, list[ast.expr]]:
        """What is added to lists by name: ``+=``, ``a = a + b``, ``extend`` and ``append``."""
        out: dict[str, list[ast.expr]] = {}
        for node in self.nodes:
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
                out.setdefault(node.target.id, []).extend(_items(node.value))
            elif isinstance(node, ast.Assign) and (more := _grows(node)) is not None:
                out.setdefault(_name(node.targets[0]), []).extend(_items(more))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                name, verb = node.func.value, node.func.attr
                if isinstance(name, ast.Name) and verb in ("extend", "append") and node.args:
                    given = _items(node.args[0]) if verb == "extend" else [node.args[0]]
                    out.setdefault(name.id, []).extend(given)
        return out

    def ground(self, line: int) -> str:
        """What is installed for a launch on this line, as commands in front of it."""
        from .python_calls import installed_by

        if self.installed is None:
            self.installed = sorted(installed_by(self.text_, self.nodes))
        last = _nearest(self.installed, line)
        return f"pip install {shlex.quote(last)}; " if last else ""

    def inside(self, line: int, words: str) -> str:
        """A launch on this line, with what is installed for it and the image that it runs in."""
        from .python_calls import base_images

        if self.images is None:
            self.images = base_images(self.nodes, self.text)
        image, words = _nearest(self.images, line), self.ground(line) + words
        if not image or not names_an_engine(image) or " docker run " in f" {words}":
            return words
        return f"docker run --entrypoint sh {image} -c {shlex.quote(words)}"

    def launches(self) -> Iterator[tuple[int, str]]:
        from .python_calls import called_launches

        yield from called_launches(self.nodes, self.text, self.word)
        inner = self.put_together()
        for node in self.nodes:
            if isinstance(node, (ast.List, ast.Tuple, ast.BinOp)):
                if id(node) in inner:
                    continue
                target = self.names.get(id(node))
                name = target.id if isinstance(target, ast.Name) else ""
                items = [*self.items(node), *self.added.get(name, [])]
                words = [self.word(item) for item in items]
                if self.starts_engine(words):
                    yield node.lineno, " ".join(words)
                elif line := self.joined(items):
                    self.parts.update(map(id, items))
                    yield node.lineno, line
            elif isinstance(node, (ast.JoinedStr, ast.Constant)) and id(node) not in self.parts:
                line = self.text(node)
                if self.is_line(line):
                    yield node.lineno, line
                elif (node.end_lineno or 0) > node.lineno:
                    yield from self.told(node, line)

    def joined(self, items: list[ast.expr]) -> str:
        """Parts of a line that a list holds to be joined; empty when they start no engine."""
        first = self.text(items[0]) if items else ""
        if " " not in first.strip():
            return ""
        texts = [self.text(item) for item in items if not isinstance(item, ast.Starred)]
        line = " ".join(text[1:-1] if text.startswith('"${') else text for text in texts)
        return line if self.is_line(line) else ""

    def put_together(self) -> set[int]:
        """Lists that are part of others, which are the launch: of sums, and by their names."""
        grown = {
            id(node.value)
            for node in self.nodes
            if isinstance(node, ast.Assign) and _grows(node) is not None
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

    def told(self, node: ast.expr, text: str) -> Iterator[tuple[int, str]]:
        """Launches that a text of several lines tells, as the description of a module does."""
        lines = iter(text.split("\n"))
        row = node.lineno - 1
        for line in lines:
            plain = line.strip()
            if not launch_lines().match(plain):
                continue
            while row + 1 < (node.end_lineno or 0) and plain[:30] not in self.rows[row]:
                row += 1
            block = [plain]
            while block[-1].endswith("\\"):
                block.append(next(lines, "").strip())
            yield row + 1, "\n".join(block)

    def starts_engine(self, words: list[str]) -> bool:
        return self.behind_launcher(words) > 0

    def behind_launcher(self, words: list[str]) -> int:
        """The place behind the words that start an engine; 0 when none do."""
        if words[:1] in (["docker"], ["podman"]) and names_an_engine(" ".join(words)):
            return 1
        plain = [word.rpartition("/")[2] if n == 0 else word for n, word in enumerate(words[:12])]
        for start in self.starts:
            for at in range(min(len(plain), 8)):
                if plain[at : at + len(start)] == start:
                    return at + len(start)
        return 0

    def is_line(self, line: str) -> bool:
        """Whether a text is a line of a shell that starts an engine, and no sentence about one."""
        first = line.lstrip()[:400].partition("\n")[0].split(None, 8)
        if len(first) < 2 or len(line) >= 20_000 or first[0][0] in "#`*":
            return False
        if _SENTENCE.search(line.rstrip()):
            return False
        if first[0] in ("docker", "podman") and first[1] == "run":
            return names_an_engine(line)
        behind = self.behind_launcher(first[:7])
        return 0 < behind < len(first) and (
            bool(_GOES_ON.match(first[behind])) or " --" in line or " -" in " ".join(first[behind:])
        )

    def word(self, item: ast.expr) -> str:
        if isinstance(item, (ast.Starred, ast.IfExp)):
            return f"${{{_name(item)}[@]}}"
        text = self.text(item)
        return text if text.startswith('"${') and text.endswith('}"') else self.quoted(item, text)

    def quoted(self, item: ast.expr, text: str) -> str:
        if isinstance(item, ast.JoinedStr) and "${" in text:
            return f'"{text}"' if '"' not in text else shlex.quote(text)
        return shlex.quote(text)

    def text(self, item: ast.expr) -> str:
        """The text of an expression; what is not known is a variable of a shell."""
        if isinstance(item, ast.Constant):
            return str(item.value)
        if isinstance(item, ast.Name) and item.id in self.known:
            return self.known[item.id]
        if isinstance(item, ast.JoinedStr):
            return "".join(self.filled(value) for value in item.values)
        if isinstance(item, ast.Call) and _name(item.func) == "str" and len(item.args) == 1:
            return self.text(item.args[0])
        return f'"${{{_name(item)}}}"'

    def filled(self, value: ast.expr) -> str:
        if isinstance(value, ast.Constant):
            return str(value.value)
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        text = self.text(inner)
        return text.strip('"') if text.startswith('"${') else text


class _Element(ast.expr):
    """An expression that is one element, whatever it is."""

    def __init__(self, element: ast.expr) -> None:
        super().__init__()
        self.element = element


def _nearest(found: list[tuple[int, str]], line: int) -> str:
    """What stands last above a line, else first below it; empty where there is nothing."""
    at = bisect.bisect_right(found, (line, "\U0010ffff"))
    return found[max(at - 1, 0)][1] if found else ""


def _grows(node: ast.Assign) -> ast.expr | None:
    """What an assignment adds to the list that it assigns to, as ``a = a + b`` does."""
    target, value = node.targets[0], node.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return None
    if isinstance(target, ast.Name) and isinstance(value.left, ast.Name):
        return value.right if target.id == value.left.id else None
    return None


def _items(value: ast.expr) -> list[ast.expr]:
    return list(value.elts) if isinstance(value, (ast.List, ast.Tuple)) else [ast.Starred(value)]


def _name(item: ast.expr) -> str:
    """A name for what is not known: the last one in the expression."""
    names = [
        node.attr if isinstance(node, ast.Attribute) else node.id
        for node in ast.walk(item)
        if isinstance(node, (ast.Name, ast.Attribute))
    ]
    return names[0] if names else "value"
