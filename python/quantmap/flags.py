"""The arguments of an engine release, as its own sources declare them."""

from __future__ import annotations

from . import _core
from .mapping import explain
from .result import Result

__all__ = ["Argument", "arguments"]


class Argument(Result):
    """One flag of a release.

    Attributes:
        name: the flag, such as ``--kv-cache-dtype``.
        type: ``flag`` (takes no value), ``integer``, ``number``, ``text``, ``choice``, ``json``,
            ``list`` or ``unknown``.
        choices: the values that it takes, or None when others may be taken as well.
        default: what the release does without it, as it would be written; empty: nothing, or it is
            not known.
        minimum: the least number, or None.
        maximum: the greatest number, or None.
        aliases: other spellings.
        negations: those of the aliases that say the opposite.
        deprecated: whether the release warns of it.
        instead: what takes its place; may be empty.
    """

    name: str
    type: str
    choices: list[str] | None
    default: str
    minimum: float | None
    maximum: float | None
    aliases: list[str]
    negations: list[str]
    deprecated: bool
    instead: str

    _shown = ("name", "type")


def arguments(engine: str, engine_version: str | None = None) -> list[Argument]:
    """Every flag that an engine release takes: types, choices and defaults, from its own sources.

    Args:
        engine: the engine, which may name the release: ``vllm@0.11.0``.
        engine_version: the release; without one, the newest that is known.

    Returns:
        list[Argument]: by name. Flags that the release's parser knows only to refuse are left out.

    Raises:
        ConfigError: the engine or the release is not known.

    Example:
        >>> import quantmap
        >>> flags = {flag.name: flag for flag in quantmap.arguments("vllm@0.11.0")}
        >>> flags["--kv-cache-dtype"].choices
        ['auto', 'bfloat16', 'fp8', 'fp8_e4m3', 'fp8_e5m2', 'fp8_inc']
    """
    ground = explain(engine, {}, engine_version=engine_version)
    if ground.version is None:
        ground = explain(engine, {}, engine_version="latest")
    found = _core.surface(ground.engine, ground.version)
    return [Argument.of({"name": name, **row}) for name, row in found.items()]
