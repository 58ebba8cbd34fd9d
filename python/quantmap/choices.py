"""Configs that describe several launches: several presets, lists of values in the fields.

What one value of a field may be is the core's business: it is asked value by value.
"""

from __future__ import annotations

from . import _core
from .errors import ConfigError, Diagnostic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

PRESET, PRESETS, _WRAPPER = "preset", "presets", "quantization_config"
_MAX_LEAVES = 64  # a config has fewer keys; where there are more, each is wrong by itself
_MAX_SECTIONS = 100_000  # combinations of one section's values
_MAX_PROBLEMS = 1000  # as the core: nobody reads more


def read(quant_config: Any) -> dict[str, Any]:
    """A config as plain data without its wrapper and without nulls, which count as absent."""
    config = _core.plain_object(quant_config, "$")
    inner = config.pop(_WRAPPER, None)
    if inner is not None:
        beside = any(value is not None for value in config.values())
        if beside or not isinstance(inner, dict) or inner.get(_WRAPPER) is not None:
            _core.resolve_config({_WRAPPER: inner, **config})  # raises, with the words for it
        config = inner
    return {key: value for key, value in config.items() if value is not None}


def read_valid(quant_config: Any) -> dict[str, Any]:
    """A config as `read` gives it; all problems of it raised."""
    config = read(quant_config)
    errors = [problem for problem in problems_of(config) if problem.severity == "error"]
    if errors:
        raise ConfigError(errors)
    return config


def leaves(config: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every setting with its address: one key, or a section and a key in it."""
    for key, value in config.items():
        if isinstance(value, dict):
            yield from (((key, inner), setting) for inner, setting in value.items())
        else:
            yield (key,), value


def replaced(config: dict[str, Any], address: tuple[str, ...], value: Any) -> dict[str, Any]:
    """A copy with one setting replaced."""
    if len(address) == 1:
        return {**config, address[0]: value}
    return {**config, address[0]: {**config[address[0]], address[1]: value}}


def first_point(config: dict[str, Any]) -> dict[str, Any]:
    """The config of the first point: the first value of each list; an empty list is no value."""

    def first(value: Any) -> Any:
        if not isinstance(value, list):
            return value
        return value[0] if value else None

    single: dict[str, Any] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            single[key] = {inner: first(setting) for inner, setting in value.items()}
        else:
            single[key] = value[:1] if key == PRESETS and isinstance(value, list) else first(value)
    return single


def problems_of(config: dict[str, Any]) -> list[Diagnostic]:
    """What is wrong with any value of a config, or worth knowing: first as if each list were its
    first value, then with each other value in its place. Not every combination is tried."""
    listed = {address: value for address, value in leaves(config) if isinstance(value, list)}
    base = first_point(config)
    told = _core.check_config(base)
    found = [
        _core.make_diagnostic("empty-list", _path(address), {})
        for address, values in listed.items()
        if not values and address != (PRESETS,)
    ]
    places = dict(_place(address, 0) for address in listed)
    found += [_moved(problem, places) for problem in told]
    if sum(1 for _ in leaves(config)) > _MAX_LEAVES:
        return found
    for address, index, value in _later_values(listed):
        if len(found) >= _MAX_PROBLEMS:
            break
        here = {**places, **dict([_place(address, index)])}
        own = _core.check_config(replaced(base, address, value))
        found += [_moved(problem, here) for problem in own if problem not in told]
    return found


def _later_values(
    listed: dict[tuple[str, ...], list[Any]],
) -> Iterator[tuple[tuple[str, ...], int, Any]]:
    """The values behind the first of each list, each once, with its address and number."""
    for address, values in listed.items():
        seen: set[str] = set()
        for index in range(1, len(values)):
            same = repr(values[index])
            if same not in seen:
                seen.add(same)
                yield address, index, [values[index]] if address == (PRESETS,) else values[index]


def _path(address: tuple[str, ...]) -> str:
    return ".".join(("$", *address))


def _place(address: tuple[str, ...], index: int) -> tuple[str, str]:
    """The path that a value has when it stands alone, and the one it has in its list."""
    path = _path(address)
    return path + "[0]" if address == (PRESETS,) else path, f"{path}[{index}]"


def _moved(problem: Diagnostic, places: dict[str, str]) -> Diagnostic:
    """A problem of one value, with the value's place in its list."""
    path = places.get(problem.path)
    if path is None or problem.code == "unknown-key":
        return problem
    rest = (problem.message, problem.hint, problem.context)
    return Diagnostic(problem.code, problem.severity, path, *rest)


def preset_names(config: dict[str, Any]) -> list[str]:
    """The presets that a valid config names."""
    names = config.get(PRESETS, config.get(PRESET, []))
    return list(names) if isinstance(names, list) else [names]


def axes(config: dict[str, Any]) -> dict[str, list[Any]]:
    """The values of every key of a valid config, presets first, then in the catalogue's order."""
    axes: dict[str, list[Any]] = {}
    names = preset_names(config)
    if names:
        axes[PRESET] = names
    for key in dict.fromkeys(field["section"] or field["key"] for field in _core.fields()):
        if key in config:
            axes[key] = _choices(config[key], f"$.{key}")
    return axes


def _choices(value: Any, path: str) -> list[Any]:
    """The values that a setting stands for: of a list each, of a section every combination."""
    if not isinstance(value, dict):
        return list(value) if isinstance(value, list) else [value]
    import itertools
    import math

    lists = [_choices(inner, path) for inner in value.values()]
    count = math.prod(map(len, lists))
    if count > _MAX_SECTIONS:
        context = {"got": f"{count} combinations", "known": f"{_MAX_SECTIONS} combinations"}
        raise ConfigError([_core.make_diagnostic("over-limit", path, context)])
    return [dict(zip(value, values)) for values in itertools.product(*lists)]


def labelled(config: dict[str, Any], own_only: bool) -> Iterator[tuple[str, list[str]]]:
    """The label of every field with its values in words; `own_only`: no presets and no defaults."""
    own = dict(leaves(config))
    base = first_point(config)
    resolved = dict(leaves(_core.resolve_config(base)))
    for field in _core.fields():
        address = (field["section"], field["key"]) if field["section"] else (field["key"],)
        if address not in (own if own_only else resolved):
            continue
        values = own.get(address)
        if not isinstance(values, list):
            values = [resolved[address]]
        yield field["label"], [_word(value) for value in values]


def _word(value: Any) -> str:
    if value is None:
        return "left out"
    return str(value).lower() if isinstance(value, bool) else str(value)
