"""The laws as functions of a file's name and source: what they find, with its line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tests.laws.words import PATTERN, WORDS
from tests.python.sources import Token, cpp_strings, cpp_tokens, python_strings

LONGEST = 400  # lines of a file of code
MOST_BRANCHES = 15  # cyclomatic complexity of a function
# Folder → floor: a file includes its own folder and floors below (docs/design.md, Rooms).
FLOORS = {
    **{"catalog": 0, "base": 1, "pattern": 2, "config": 2, "shell": 2, "release": 3, "model": 3},
    **{"deployment": 4, "mapping": 5, "memory": 6, "plan": 7, "check": 7, "quantize": 7},
    **{"quantmap": 8, "results": 8, "embed": 9},  # the public header stands above all rooms
}
THROWING = {"throw", "abort", "exit", "terminate", "stoi", "stol", "stoll", "stoul", "stoull"}
THROWING |= {"stof", "stod", "stold", "any_cast", "rethrow_exception"}
PRINTING = {"cerr", "cout", "clog", "printf", "puts"}
PYTHON = {"Python", "pybind11", "PyObject"}
# Rooms in which a field may be named: what a field means is decided there.
DECIDING = {"config", "mapping", "plan", "memory"}

Finding = tuple[int, str]


def words(name: str, source: str) -> list[tuple[str, int]]:
    """Law 1: the catalogue's words in string literals, also in ones that code joins."""
    tokens = python_strings(source) if name.endswith((".py", ".pyi")) else cpp_strings(source)
    found = [(match[0], token.line) for token in tokens for match in PATTERN.finditer(token.text)]
    for joined in _joined_python(source) if name.endswith(".py") else _joined_cpp(source):
        found += [(match[0], joined.line) for match in PATTERN.finditer(joined.text)]
    return sorted(set(found), key=lambda item: item[1])


def _joined_cpp(source: str) -> Iterator[Token]:
    """Literals with nothing but `+` and the names of string types between them, as one."""
    between = {"+", "std", ":", "string", "string_view", "(", ")"}
    text, line, plus = "", 0, False
    for token in cpp_tokens(source):
        if token.kind == "string":
            if text and plus:
                text += token.text
                yield Token("string", text, line)
            else:
                text, line = token.text, token.line
            plus = False
        elif token.text in between:
            plus = plus or token.text == "+"
        else:
            text, plus = "", False


def _joined_python(source: str) -> Iterator[Token]:
    import ast

    def text_of(node: ast.AST) -> str | None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left, right = text_of(node.left), text_of(node.right)
            return None if left is None or right is None else left + right
        return None

    for node in ast.walk(ast.parse(source)):
        text = text_of(node) if isinstance(node, ast.BinOp) else None
        if isinstance(node, ast.BinOp) and text:
            yield Token("string", text, node.lineno)


def decisions(name: str, source: str) -> list[Finding]:
    """Law 1: decisions that need no word: an engine by its number or a letter, a field."""
    found = []
    tokens = cpp_tokens(source)
    texts = [token.text for token in tokens]
    room = name.split("/")[-2]
    for i, token in enumerate(tokens):
        if (
            token.text == "engines"
            and texts[i + 1 : i + 2] == ["["]
            and tokens[i + 2].kind == "number"
        ):
            found.append((token.line, "an engine by its number"))
        if (
            token.text == "id"
            and texts[i - 1] == "."
            and "char" in {t.kind for t in tokens[i : i + 9]}
        ):
            found.append((token.line, "a letter of an id"))
        is_field = token.text == "FieldId" and texts[i + 1 : i + 3] == [":", ":"]
        if is_field and texts[i + 3][:1] == "k" and room not in DECIDING:
            found.append((token.line, f"the field {texts[i + 3]}"))
        if token.text == "using" and texts[i + 1 : i + 2] == ["enum"]:
            found.append((token.line, "using enum hides what is named"))
    return found


def core(name: str, source: str) -> list[Finding]:
    """Law 2: the core returns, never throws, prints nothing, keeps nothing, knows no Python."""
    found = [(line, "a variable that outlives the call") for line in globals_of(source)]
    tokens = cpp_tokens(source)
    for i, token in enumerate(tokens):
        after = tokens[i + 1].text if i + 1 < len(tokens) else ""
        if token.kind == "word" and token.text in THROWING | PRINTING | PYTHON:
            found.append((token.line, token.text))
        is_call = token.text == "at" and after == "(" and tokens[i - 1].text in (".", ">")
        if is_call and tokens[i + 2].text != ")" and name not in OWN_AT:
            found.append((token.line, "at() throws"))
    if "nlohmann/json" in source and not name.endswith("base/json_io.cpp"):
        found.append((1, "JSON is read by base/json_io"))
    return found


OWN_AT = {"cpp/src/mapping/render.cpp": "Tree::at(path) is its own and makes what is missing"}
_FINE = {"const", "constexpr", "consteval", "constinit", "using", "static_assert", "extern"}
_FINE |= {"friend", "template", "typedef", "operator", "return"}


def globals_of(source: str) -> list[int]:
    """Lines with a variable that outlives a call and is not const, however it is initialised."""
    found: list[int] = []
    blocks: list[str] = []
    statement: list[Token] = []
    depth = 0
    for token in cpp_tokens(source):
        sign = token.text if token.kind == "sign" else ""
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 and sign == "{":
            kind = _block(statement)
            if kind == "value" and _outlives(statement, blocks):
                found.append(statement[0].line)
            blocks.append(kind)
            statement = []
        elif depth == 0 and sign == "}":
            if blocks:
                blocks.pop()
            statement = []
        elif depth == 0 and sign == ";":
            if _outlives(statement, blocks):
                found.append(statement[0].line)
            statement = []
        elif sign != "#":
            statement.append(token)
    return found


def _block(statement: list[Token]) -> str:
    """What a brace opens after these words: a namespace, a class, a body, or a value in braces."""
    texts = [token.text for token in statement]
    if "namespace" in texts or texts[:1] == ["extern"]:
        return "namespace"
    if {"class", "struct", "union", "enum"} & set(texts) and "=" not in texts:
        return "class"
    if not texts or ")" in texts or texts[-1] in ("else", "do", "try") or "]" in texts[-1:]:
        return "value" if "=" in texts and ")" not in texts else "body"
    return "value"


def _outlives(statement: list[Token], blocks: list[str]) -> bool:
    """Whether a statement declares a variable that is kept and may change."""
    texts = [token.text for token in statement]
    if not texts or "value" in blocks or set(texts) & _FINE:
        return False
    kept = {"static", "thread_local"} & set(texts[:3])
    at_namespace = all(block == "namespace" for block in blocks)
    if at_namespace and {"class", "struct", "enum", "union", "namespace"} & set(texts):
        return False
    if not (kept or at_namespace) or len([t for t in statement if t.kind == "word"]) < 2:
        return False
    if "(" not in texts or ("=" in texts and texts.index("=") < texts.index("(")):
        return True
    if "body" in blocks:
        return True  # no function is declared inside one
    first = statement[texts.index("(") + 1]
    return first.kind in ("number", "string", "char") or first.text in ("true", "false", "nullptr")


def bindings(name: str, source: str) -> list[Finding]:
    """Law 2: bindings translate; an enumerator of a field, option or row has no business there."""
    found = [item for item in decisions(name, source) if "using enum" in item[1]]
    texts = [token.text for token in cpp_tokens(source)]
    for i, token in enumerate(cpp_tokens(source)[:-3]):
        named = token.text in ("FieldId", "Form", "Outcome") and texts[i + 1 : i + 3] == [":", ":"]
        if named and texts[i + 3] != "kFourField":  # the fast path numbers that form's combinations
            found.append((token.line, texts[i + 3]))
    return found


def size(name: str, source: str) -> list[Finding]:
    """Law 6: no long file."""
    lines = len(source.splitlines())
    return [(lines, f"{lines} lines: divide the file")] if lines > LONGEST else []


def branches(name: str, source: str) -> list[tuple[str, int]]:
    """Law 6: functions with too many ways through them, and how many."""
    import lizard

    found = lizard.analyze_file.analyze_source_code(name, source).function_list
    return [
        (item.name, item.cyclomatic_complexity)
        for item in found
        if item.cyclomatic_complexity > MOST_BRANCHES
    ]


def includes(name: str, source: str) -> list[Finding]:
    """Law 7: includes go down."""
    own = name.split("/")[-2]
    found = []
    for match in re.finditer(r'#\s*include "([^"]+)"', source):
        folder = match[1].split("/")[-2] if "/" in match[1] else own
        if folder != own and FLOORS[folder] >= FLOORS.get(own, 9):
            found.append((source.count("\n", 0, match.start()) + 1, f"includes {match[1]}"))
    return found


__all__ = ["WORDS", "bindings", "branches", "core", "decisions", "includes", "size", "words"]
