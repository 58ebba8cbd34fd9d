"""Engines that Python source starts by calling them: ``LLM(...)``, engine arguments, containers."""

from __future__ import annotations

import ast
import json
import re
import shlex
from functools import lru_cache
from typing import NamedTuple

from . import _core
from .launch_lines import names_an_engine
from .platforms import ENGINE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .words import Engine

__all__: list[str] = []

if TYPE_CHECKING:
    Settings = tuple[list[tuple[str, ast.expr]], bool]

_IMAGE = ("image", "image_name", "docker_image", "image_uri")
_WORDS = ("command", "args", "docker_args", "cmd", "docker_start_cmd", "container_args")
_INSTALLED = re.compile(r"[A-Za-z][\w.-]*(?:\[[\w, -]*\])?[ ]?(?:[=~<>!]=?=?[ ]?[\w.*]+,?[ ]?)+")
_METADATA = re.compile(r"^# /// script\s*\n((?:#.*\n)*?)# ///", re.MULTILINE)
_MOST_PARAMETERS = 500  # of one call
_BASES = ("from_registry", "from_image")
_OPEN = "{%s}"


def imported_names(nodes: list[ast.AST]) -> dict[str, str]:
    """Names of a source that come from an engine's package, with where they come from.

    Args:
        nodes: the nodes of the source.

    Returns:
        dict[str, str]: a module, or a module's name, by the name that it has here.

    Example:
        >>> imported_names(list(ast.walk(ast.parse("import sglang as sgl"))))
        {'sgl': 'sglang'}
    """
    out: dict[str, str] = {}
    known = _starters()
    for node in nodes:
        if isinstance(node, ast.Import):
            for name in (one for one in node.names if one.name.partition(".")[0] in known):
                whole = name.name if name.asname else name.name.partition(".")[0]
                out[name.asname or whole] = whole
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = node.names if node.module.partition(".")[0] in known else []
            out.update({name.asname or name.name: f"{node.module}.{name.name}" for name in names})
    return out


def called_launches(
    nodes: list[ast.AST],
    text_of: Callable[[ast.expr], str],
    word_of: Callable[[ast.expr], str],
    settings_of: Callable[[ast.expr], Settings],
) -> Iterator[tuple[int, str]]:
    """The launches that calls of a source are, as lines of a shell.

    Args:
        nodes: the nodes of the source.
        text_of: the text of an expression; what is not known is marked in it.
        word_of: the same as a word of a shell.
        settings_of: the names and values of a dict, and whether that is all of it.

    Yields:
        tuple[int, str]: a launch with its line.
    """
    imported = imported_names(nodes)
    for node in nodes:
        if not isinstance(node, ast.Call):
            continue
        starter = _called(node.func, imported)
        if starter is not None:
            yield node.lineno, _constructed(starter, node, word_of, settings_of)
            continue
        given = {word.arg: word.value for word in node.keywords if word.arg}
        if "engine_kwargs" in given:
            line = _of_settings(given, word_of)
        else:
            line = _of_container(given, text_of, word_of)
        if line:
            yield node.lineno, line


def installed_by(text: str, nodes: list[ast.AST]) -> list[tuple[int, str]]:
    """The releases of engines that a source asks to be installed, each with its line.

    Args:
        text: the source.
        nodes: its nodes.

    Returns:
        list[tuple[int, str]]: requirements as installers take them.

    Example:
        >>> source = 'image.pip_install("vllm==0.9.1")'
        >>> installed_by(source, list(ast.walk(ast.parse(source))))
        [(1, 'vllm==0.9.1')]
    """
    found: list[tuple[int, str]] = []
    header = _METADATA.search(text)
    if header:
        found += [(1, one) for one in re.findall(r"\"([^\"\n]{1,200})\"", header[1])]
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) < 200:
            found.append((node.lineno, node.value.strip()))
    return [
        (line, said) for line, said in found if _INSTALLED.fullmatch(said) and names_an_engine(said)
    ]


def base_images(nodes: list[ast.AST], text_of: Callable[[ast.expr], str]) -> list[tuple[int, str]]:
    """Images that functions of a source run in, each with its line."""
    found = []
    for node in nodes:
        function = node.func if isinstance(node, ast.Call) and node.args else None
        if isinstance(function, ast.Attribute) and function.attr in _BASES:
            image = text_of(node.args[0])  # type: ignore[attr-defined]
            if re.fullmatch(r"[\w./:@-]+", image):
                found.append((function.lineno, image))
    return sorted(found)


class _Starter(NamedTuple):
    engine: Engine
    names: frozenset[str]
    model: str
    renamed: dict[str, str]


@lru_cache(maxsize=1)
def _starters() -> dict[str, _Starter]:
    """What takes an engine's arguments by name, by the package that it is of."""
    return {
        package: _Starter(row["id"], frozenset(names), model, renamed)
        for row in _core.engines()
        for package, names, model, renamed in row["callables"]
    }


def _called(function: ast.expr, imported: dict[str, str]) -> _Starter | None:
    """What a call starts an engine with; None for any other call."""
    name = function.attr if isinstance(function, ast.Attribute) else ""
    base = function.value if isinstance(function, ast.Attribute) else function
    if not isinstance(base, ast.Name) or base.id not in imported:
        return None
    package, _, rest = f"{imported[base.id]}.{name}".rstrip(".").partition(".")
    starter = _starters()[package]
    return starter if rest.rpartition(".")[2] in starter.names else None


def _constructed(
    starter: _Starter,
    call: ast.Call,
    word_of: Callable[[ast.expr], str],
    settings_of: Callable[[ast.expr], Settings],
) -> str:
    given: list[tuple[str, ast.expr]] = []
    is_all = True
    for word in call.keywords:
        inside, known = ([(word.arg, word.value)], True) if word.arg else settings_of(word.value)
        given += inside
        is_all = is_all and known
    model = next((value for name, value in given if name == starter.model), None)
    if model is None and call.args:
        model = call.args[0]
    open_model = None if is_all else _OPEN % "model"
    words = _started(starter.engine, open_model if model is None else word_of(model))
    for name, value in given[:_MOST_PARAMETERS]:
        if name != starter.model:
            flag = starter.renamed.get(name) or flag_of(starter.engine, name)
            words += _argument(starter.engine, flag or flag_like(name), value, word_of)
    return " ".join(words if is_all else [*words, _OPEN % "options"])


def flag_like(name: str) -> str:
    """A parameter as a flag of that name would be spelt."""
    return "--" + name.replace("_", "-")


def _started(engine: Engine, model: str | None) -> list[str]:
    for row in _core.engines():
        if row["id"] == engine:
            words, flag = row["launchers"][0]
            given = [] if model is None else [*([flag] if flag else []), model]
            return [*words, *given]
    return []


def _argument(
    engine: Engine, flag: str | None, value: ast.expr, word_of: Callable[[ast.expr], str]
) -> list[str]:
    """A parameter as the words of its flag."""
    if flag is None:
        return []
    try:
        plain = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return [f"{flag}={word_of(value)}".replace("[@]", "")]
    if plain is ...:
        return [f"{flag}={_OPEN % 'value'}"]
    return _plain_argument(flag, plain, all_flags(engine))


def _plain_argument(flag: str, value: Any, known: frozenset[str]) -> list[str]:
    off = "--no-" + flag[2:]
    if value is None or (value is False and off not in known):
        return []
    if isinstance(value, bool):
        return [flag if value else off]
    if isinstance(value, (list, tuple)) and all(isinstance(one, (str, int)) for one in value):
        return [flag, *(shlex.quote(str(one)) for one in value)]
    try:
        text = json.dumps(value) if isinstance(value, (dict, list, tuple)) else str(value)
    except (TypeError, ValueError):
        text = _OPEN % "value"
    return [shlex.quote(f"{flag}={text}")]


@lru_cache(maxsize=1_000)
def flag_of(engine: Engine, name: str) -> str | None:
    """The flag of a parameter; also of one that is nearly spelt so, or begins so, which is none."""
    import difflib

    flags = all_flags(engine)
    for flag in ("--" + name.replace("_", "-"), "--" + name):
        if flag in flags:
            return flag
    flag = "--" + name.replace("_", "-")
    begins = any(known.startswith(flag + "-") for known in flags)
    near = len(name) < 40 and (begins or difflib.get_close_matches(flag, flags, 1, 0.88))
    return flag if near else None


@lru_cache(maxsize=8)
def all_flags(engine: Engine) -> frozenset[str]:
    """The flags of all releases of an engine."""
    versions = [row["version"] for row in _core.releases(engine)]
    return frozenset(flag for version in versions for flag in _core.surface(engine, version))


def _of_settings(given: dict[str, ast.expr], word_of: Callable[[ast.expr], str]) -> str:
    """Ray's LLMConfig, which hands ``engine_kwargs`` to the engine."""
    model = None
    for name, value in _items(given.get("model_loading_config")):
        if name == "model_source" or (name == "model_id" and model is None):
            model = word_of(value)
    words = _started(ENGINE, model)
    for name, value in _items(given["engine_kwargs"]):
        words += _argument(ENGINE, flag_of(ENGINE, name), value, word_of)
    return " ".join(words)


def settings_in(value: ast.expr | None) -> Settings:
    """Names and values of a dict that stands here, and whether that is all of it."""
    known = list(_items(value))
    if isinstance(value, ast.Dict):
        return known, len(known) == len(value.keys)
    is_dict = isinstance(value, ast.Call) and isinstance(value.func, ast.Name)
    if not is_dict or value.func.id != "dict" or value.args:  # type: ignore[union-attr]
        return [], False
    return known, len(known) == len(value.keywords)  # type: ignore[union-attr]


def _items(value: ast.expr | None) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, item
    elif isinstance(value, ast.Call):
        for word in value.keywords:
            if word.arg:
                yield word.arg, word.value


def _of_container(
    given: dict[str, ast.expr],
    text_of: Callable[[ast.expr], str],
    word_of: Callable[[ast.expr], str],
) -> str:
    """A container that a call starts of an engine's image, with the words that it is given."""
    image = next((text_of(given[name]) for name in _IMAGE if name in given), "")
    if not re.fullmatch(r"[\w./:@-]+", image) or not names_an_engine(image):
        return ""
    words = []
    for name in _WORDS:
        if name not in given:
            continue
        value = given[name]
        if isinstance(value, (ast.List, ast.Tuple)):
            words += [word_of(item) for item in value.elts]
        else:
            words.append(text_of(value))
    return " ".join(["docker", "run", image, *words]) if words else ""
