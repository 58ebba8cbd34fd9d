"""Launches in Python source: lists of words, and strings that a shell gets. Nothing is run."""

from __future__ import annotations

import ast
import bisect
import re
import shlex
import textwrap
import warnings
from typing import NamedTuple

from . import _core
from .launch_lines import launch_lines, looks_like_python, names_an_engine
from .python_lists import Lists, name_in

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


__all__: list[str] = []

_MOST_NODES = 50_000
_DEEPEST_CHOICE = 8
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


class PythonLaunch(NamedTuple):
    """A launch of a Python source.

    Attributes:
        line: where it stands.
        words: as a shell writes it.
        is_call: whether it is a call, whose parameters are no flags.
    """

    line: int
    words: str
    is_call: bool


def find_python_launches(text: str) -> list[PythonLaunch]:
    """The launches of a Python source as lines of a shell.

    Names that are given a text or number once are put in; what else stands there is left open.

    Args:
        text: the source.

    Returns:
        list[PythonLaunch]: in the order of their lines; none when the text is no Python.

    Example:
        >>> source = "PORT = 80\\nrun(['vllm', 'serve', model, '--port', str(PORT)])"
        >>> [found.words for found in find_python_launches(source)]
        ['vllm serve "${model}" --port 80']
    """
    tree = _tree(text)
    if tree is None:
        return []
    reader = _Reader(tree, text)
    found = sorted(set(reader.launches()))
    return [
        PythonLaunch(line, reader.inside(line, words), words in reader.called)
        for line, words in found
    ]


def python_texts(text: str) -> list[tuple[int, int, str]]:
    """The texts of several lines in a Python source, which may be files of their own.

    Args:
        text: the source.

    Returns:
        list[tuple[int, int, str]]: first and last line, and the text without its indentation.

    Example:
        >>> python_texts("t = \'\'\'\\n  a: 1\\n  b: 2\\n\'\'\'")
        [(1, 4, '\\na: 1\\nb: 2\\n')]
    """
    tree = _tree(text)
    if tree is None:
        return []
    reader = _Reader(tree, text)
    return [
        (node.lineno, node.end_lineno or node.lineno, textwrap.dedent(reader.text(node)))
        for node in reader.nodes
        if isinstance(node, (ast.JoinedStr, ast.Constant))
        and (node.end_lineno or 0) > node.lineno
        and id(node) not in reader.parts
    ]


def _tree(text: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return tree


class _Reader(Lists):
    def __init__(self, tree: ast.Module, text: str) -> None:
        self.text_ = text
        self.rows = text.split("\n")
        self.installed: list[tuple[int, str]] | None = None
        self.images: list[tuple[int, str]] | None = None
        self.called: set[str] = set()  # launches that are calls
        self._changed: set[str] | None = None
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

        for at, call in called_launches(self.nodes, self.text, self.word, self.settings):
            self.called.add(call)
            yield at, call
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
        item = self.chosen(item)
        if isinstance(item, (ast.Starred, ast.IfExp)):
            return f"${{{name_in(item)}[@]}}"
        text = self.text(item)
        return text if text.startswith('"${') and text.endswith('}"') else self.quoted(item, text)

    def chosen(self, item: ast.expr) -> ast.expr:
        """Of two expressions the one that a name chooses, where what it is given is known."""
        for _ in range(_DEEPEST_CHOICE):
            test = item.test if isinstance(item, ast.IfExp) else None
            known = self.known.get(test.id) if isinstance(test, ast.Name) else None
            if not isinstance(item, ast.IfExp) or known not in ("True", "False"):
                break
            item = item.body if known == "True" else item.orelse
        return item

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
        if isinstance(item, ast.Call) and name_in(item.func) == "str" and len(item.args) == 1:
            return self.text(item.args[0])
        return f'"${{{name_in(item)}}}"'

    def filled(self, value: ast.expr) -> str:
        if isinstance(value, ast.Constant):
            return str(value.value)
        inner = value.value if isinstance(value, ast.FormattedValue) else value
        text = self.text(inner)
        return text.strip('"') if text.startswith('"${') else text


def _nearest(found: list[tuple[int, str]], line: int) -> str:
    """What stands last above a line, else first below it; empty where there is nothing."""
    at = bisect.bisect_right(found, (line, "\U0010ffff"))
    return found[max(at - 1, 0)][1] if found else ""
