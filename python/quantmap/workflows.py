"""Steps of workflows and jobs: scripts with variables of their own, and values of a matrix."""

from __future__ import annotations

import itertools
import re

from .container_words import Container, environment_of, image_of, run_words, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .container_words import Places
    from .data_walk import Ground

__all__: list[str] = []

_OF_MATRIX = re.compile(r"\$\{\{[ ]*matrix\.([\w.-]{1,80})[ ]*\}\}")
_MOST_TURNS = 8  # of one step, that are looked at one by one
_MOST_VALUES = 50  # of one key of a matrix


def has_command(item: dict[str, Any]) -> bool:
    keys = ("command", "args", "entrypoint")
    return any(isinstance(item.get(key), (str, list)) and item.get(key) for key in keys)


def is_step(item: dict[str, Any]) -> bool:
    """Whether a mapping is a script, and no container that has a command of its own.

    Args:
        item: the mapping.

    Returns:
        bool: whether `of_step` reads it.

    Example:
        >>> is_step({"run": "vllm serve m"}), is_step({"image": "a", "command": "b"})
        (True, False)
    """
    contained = image_of(item.get("image")) is not None and has_command(item)
    return isinstance(item.get("run"), str) and not contained


def variables_of(item: dict[str, Any], ground: Ground) -> dict[str, str]:
    return {**ground.variables, **environment_of(item.get("envs", item.get("env")))}


def of_step(item: dict[str, Any], places: Places, ground: Ground) -> Iterator[Container]:
    """A step as scripts: one, or one for each of the values that its job's matrix gives it.

    Args:
        item: the step.
        places: where texts stand in the file.
        ground: what stands around it.

    Yields:
        Container: a script.
    """
    before = ground.before
    if isinstance(item.get("setup"), str):
        from .markdown import Prelude

        setup = Prelude()
        setup.add(item["setup"])
        before += setup.text()
    line = places.line_of("run", "")
    variables = variables_of(item, ground)
    texts = [before, item["run"], ground.image or "", *variables.values()]
    for values in _turns(ground.matrix, texts):
        words = run_words(
            _filled(ground.image, values) if ground.image else None,
            ["sh", "-c", _filled(before + item["run"], values)],
            [],
            {name: _filled(value, values) for name, value in variables.items()},
        )
        yield Container(words, line + ("\n" in item["run"]), is_script=True)


def rows_of(strategy: Any) -> list[dict[str, str]]:
    """The rows of a job's matrix, as far as they are texts and numbers that stand in the file.

    Args:
        strategy: the job's strategy.

    Returns:
        list[dict[str, str]]: values by key; none where something else tells them.

    Example:
        >>> rows_of({"matrix": {"kv": ["fp8", "auto"], "n": [1]}})
        [{'kv': 'fp8', 'n': '1'}, {'kv': 'auto', 'n': '1'}]
    """
    matrix = strategy.get("matrix") if isinstance(strategy, dict) else None
    if not isinstance(matrix, dict):
        return []
    without = _listed(matrix.get("exclude"))
    rows = [
        row for row in _products(matrix) if not any(out.items() <= row.items() for out in without)
    ]
    fitting = list(rows)
    for row in _listed(matrix.get("include")):
        _include(row, fitting, rows)
    return rows


def _products(matrix: dict[str, Any]) -> list[dict[str, str]]:
    """The rows that the lists of a matrix come to."""
    keys = [
        [_flat(str(key), value) for value in values[:_MOST_VALUES]]
        for key, values in itertools.islice(matrix.items(), _MOST_VALUES)
        if isinstance(values, list) and values and key not in ("include", "exclude")
    ]
    turns = itertools.islice(itertools.product(*keys), _MOST_VALUES) if keys else ()
    rows = [{name: value for part in parts for name, value in part.items()} for parts in turns]
    return [row for row in rows if row]


def _listed(more: Any) -> list[dict[str, str]]:
    """Rows that a matrix lists itself."""
    rows = [_flat("", row) for row in more[:_MOST_VALUES]] if isinstance(more, list) else []
    return [row for row in rows if row]


def _include(
    more: dict[str, str], fitting: list[dict[str, str]], rows: list[dict[str, str]]
) -> None:
    """Add what a matrix includes: to the rows that it contradicts nowhere, else as one more."""
    fits = [one for one in fitting if all(one.get(key, more[key]) == more[key] for key in more)]
    for one in fits:
        one.update(more)
    if not fits:
        rows.append(more)


def _flat(key: str, value: Any) -> dict[str, str]:
    """A value of a matrix by the names that a step calls it, or its parts, by."""
    if isinstance(value, dict):
        start = f"{key}." if key else ""
        plain = {str(name): part for name, part in value.items()}
        return {
            f"{start}{name}": text_of(part)
            for name, part in plain.items()
            if not isinstance(part, (dict, list))
        }
    return {} if isinstance(value, list) or not key else {key: text_of(value)}


def _turns(rows: list[dict[str, str]], texts: list[str]) -> list[dict[str, str]]:
    """The different values that a step's texts ask a matrix for; one empty turn where none do."""
    asked = {name for text in texts for name in _OF_MATRIX.findall(text)}
    seen: dict[tuple[str | None, ...], dict[str, str]] = {}
    names = sorted(asked)
    for row in rows if names else ():
        seen.setdefault(tuple(row.get(name) for name in names), row)
    turns = list(seen.values())
    return turns if 0 < len(turns) <= _MOST_TURNS else [{}]


def _filled(text: str, values: dict[str, str]) -> str:
    return _OF_MATRIX.sub(lambda match: values.get(match[1], match[0]), text) if values else text
