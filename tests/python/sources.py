"""Reading the repository's own sources: a C++ lexer, Python's strings, and lists of files."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HELP = ("help", "epilog", "short_help")

_CPP_TOKEN = re.compile(
    r"""
    (?P<comment>//(?:\\\n|[^\n])*|/\*.*?\*/)
  | (?P<raw>(?:u8|[uUL])?R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
  | (?P<string>(?:u8|[uUL])?"(?:\\.|[^"\\\n])*")
  | (?P<char>(?:u8|[uUL])?'(?:\\.|[^'\\\n])+')
  | (?P<include>^[ \t]*\#[ \t]*include[^\n]*)
  | (?P<number>\.?\d(?:[eEpP][+-]|'(?=\w)|[\w.])*)
  | (?P<word>[A-Za-z_]\w*)
  | (?P<space>\s+)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", '"': '"', "\\": "\\", "'": "'"}


@dataclass(frozen=True)
class Token:
    """One token of C++: its kind, its text, and its line."""

    kind: str
    text: str
    line: int


def cpp_tokens(source: str) -> list[Token]:
    """The tokens of C++ source without comments, includes and space; literals as their contents."""
    out = []
    line = 1
    for match in _CPP_TOKEN.finditer(source):
        kind, text = str(match.lastgroup), match[0]
        if match["raw"]:
            kind, text = "string", text[text.index("(") + 1 : text.rindex(")")]
        elif kind in ("string", "char"):
            body = text[text.index(text[-1]) + 1 : -1]
            text = re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[0]), body)
        if kind not in ("comment", "include", "space"):
            out.append(Token(kind, text, line))
        line += match[0].count("\n")
    return out


def cpp_strings(source: str) -> list[Token]:
    """The string literals of C++ source, adjacent ones joined; documentation strings are not among
    them."""
    out: list[Token] = []
    before = ""
    documentation = False
    for token in cpp_tokens(source):
        if token.kind == "word" and token.text == "PyDoc_STRVAR":
            documentation = True
        if token.text == ";" and token.kind == "sign":
            documentation = False
        if token.kind == "string" and not documentation:
            if before == "string":
                out[-1] = Token("string", out[-1].text + token.text, out[-1].line)
            else:
                out.append(token)
        before = token.kind
    return out


def _docstrings(tree: ast.Module) -> Iterator[ast.expr]:
    """Docstrings, and the texts of help."""
    named = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                yield first.value
        if isinstance(node, ast.keyword) and node.arg in HELP:
            yield from (part for part in ast.walk(node.value) if isinstance(part, ast.expr))
            named |= {part.id for part in ast.walk(node.value) if isinstance(part, ast.Name)}
    for statement in tree.body:
        target = statement.targets[0] if isinstance(statement, ast.Assign) else None
        if isinstance(target, ast.Name) and target.id in named:
            yield from (part for part in ast.walk(statement) if isinstance(part, ast.expr))


def python_strings(source: str) -> list[Token]:
    """The string literals of Python source that are neither docstrings nor help."""
    tree = ast.parse(source)
    passed_over = {id(node) for node in _docstrings(tree)}
    return [
        Token("string", node.value, node.lineno)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in passed_over
    ]


def files(*patterns: str) -> list[Path]:
    """The files below the repository's root that match."""
    out = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(path for path in out if "__pycache__" not in path.parts)
