"""The planner, spelt out: every point of the product is mapped by the public API and compared.

Nothing here is clever: `itertools.product` over the axes, one mapping for each point, one dict of
the launches seen so far. Tasks must be small and well formed.
"""

from __future__ import annotations

import copy
import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import quantmap
from quantmap import _core

from .release import Release
from .signature import normalized, signature

FIELDS = _core.fields()
FOUR = [item["key"] for item in FIELDS if item["form"] == "four_field"]
UNIFIED = [
    (item["section"], item["key"]) if item["section"] else (item["key"],)
    for item in FIELDS
    if item["form"] == "unified"
]
WRAPPERS = ("quant_config", "quantization_config")
SHORT = {"degraded", "dropped", "cannot-serve", "not-supported", "ignored"}


@dataclass
class Experiment:
    """A launch that differs from every other one."""

    index: int
    engine: str
    version: str | None
    args: dict[str, str | bool]
    env: dict[str, str]
    files: dict[str, str]
    signature: str
    parameters: dict[str, Any]
    points: int = 0
    presets: list[str] = field(default_factory=list)
    configs: list[dict[str, Any]] = field(default_factory=list)  # as the task asks for them


@dataclass
class Plan:
    """The experiments in order of their first point, and what became of all the points."""

    experiments: list[Experiment]
    asked: int
    skips: dict[tuple[str, str], int]

    @property
    def distinct(self) -> int:
        return len(self.experiments)

    @property
    def skipped(self) -> int:
        return sum(self.skips.values())

    @property
    def merged(self) -> int:
        return self.asked - self.distinct - self.skipped


@dataclass
class Axis:
    """One place of the task and the values that it goes through."""

    keys: tuple[str, ...]  # where in the config, or the name of the parameter
    values: list[Any]
    listed: bool
    path: str

    def path_of(self, number: int) -> str:
        return f"{self.path}[{number}]" if self.listed else self.path


def step(key: str) -> str:
    """A key in a path."""
    return f".{key}" if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key) else f"['{key}']"


def axis(keys: tuple[str, ...], value: Any, path: str) -> Axis:
    listed = isinstance(value, (list, tuple))
    return Axis(keys, list(value) if listed else [value], listed, path)


# ---------------------------------------------------------------- the axes of a task


def config_axes(task: dict[str, Any]) -> tuple[str, dict[str, Any], list[Axis]]:
    """Where the config stands, the config without its presets, the axes that go through it."""
    key = next((key for key in WRAPPERS if task.get(key) is not None), WRAPPERS[0])
    config = copy.deepcopy(task.get(key) or {})
    base = f"$.{key}"
    if config.get(WRAPPERS[1]) is not None:
        config = config[WRAPPERS[1]]
        base += f".{WRAPPERS[1]}"
    axes = []
    for name in ("presets", "preset"):
        if config.get(name) is not None:
            axes.append(axis(("preset",), config[name], f"{base}.{name}"))
        config.pop(name, None)
    presets = (task.get("parameters") or {}).get("quantization_preset")
    if presets is not None:
        axes.append(axis(("preset",), presets, "$.parameters.quantization_preset"))
    for place in [(key,) for key in FOUR] + UNIFIED:
        holder = config
        for outer in place[:-1]:
            inner = holder.get(outer)
            holder = inner if isinstance(inner, dict) else {}
        if holder.get(place[-1]) is None:
            if len(place) > 1:  # a null key of the config itself still has a form
                holder.pop(place[-1], None)
        else:
            path = base + "".join(step(key) for key in place)
            axes.append(axis(place, holder[place[-1]], path))
    return base, config, axes


def parameter_axes(task: dict[str, Any]) -> list[Axis]:
    return [
        axis((name,), value, f"$.parameters{step(name)}")
        for name, value in (task.get("parameters") or {}).items()
        if name != "quantization_preset"
    ]


def point_config(config: dict[str, Any], axes: list[Axis], numbers: tuple[int, ...]) -> Any:
    """The config of one point: one value for every list; null leaves the key out."""
    out = copy.deepcopy(config)
    for one, number in zip(axes, numbers):
        holder = out
        for outer in one.keys[:-1]:
            holder = holder[outer]
        holder[one.keys[-1]] = one.values[number]
        if one.values[number] is None:
            del holder[one.keys[-1]]
    return out


# ---------------------------------------------------------------- why a point is skipped


def errors(problems: list[quantmap.Diagnostic]) -> list[quantmap.Diagnostic]:
    return [problem for problem in problems if problem.severity == "error"]


def config_cause(
    base: str, config: Any, axes: list[Axis], numbers: tuple[int, ...]
) -> tuple[str, str] | None:
    """The first axis whose value is wrong by itself; else what is wrong with the whole."""
    for one, number in zip(axes, numbers):
        alone: Any = one.values[number]
        for key in reversed(one.keys):
            alone = {key: alone}
        inside = "$" + "".join(step(key) for key in one.keys)
        for problem in errors(_core.check_config(alone)):
            if problem.path.startswith(inside):
                return problem.code, one.path_of(number)
    for problem in errors(_core.check_config(config)):
        path = base + problem.path[1:]
        # Forms are mixed by the preset, a method is missing because its axis leaves it out.
        place = {"mixed-forms": "$.preset", "missing-method": "$.quantization.method"}
        for one, number in zip(axes, numbers):
            inside = "$" + "".join(step(key) for key in one.keys)
            if place.get(problem.code, problem.path) == inside:
                path = one.path_of(one.values.index(one.values[number]))  # equal ones are one cause
        return problem.code, path
    return None


def parameter_cause(
    engine: str, axes: list[Axis], numbers: tuple[int, ...]
) -> tuple[str, str] | None:
    """The first parameter whose value is no argument."""
    for one, number in zip(axes, numbers):
        try:
            quantmap.explain(engine, None, {one.keys[0]: one.values[number]})
        except quantmap.ConfigError as error:
            problem = error.diagnostics[0]
            inside = problem.path[len("user_parameters" + step(one.keys[0])) :]
            return problem.code, one.path_of(number) + inside
    return None


def falls_short(decision: quantmap.Decision) -> bool:
    """Whether strict refuses it: asking for the default, or a size of one, loses nothing."""
    item = next(
        item
        for item in FIELDS
        if decision.field
        == (f"{item['section']}.{item['key']}" if item["section"] else item["key"])
    )
    default = item["default"]
    if default is None and item["kind"] == "integer":
        default = "1"
    lost = decision.outcome in SHORT and decision.code != "dense-model"
    return decision.given and decision.asked != default and lost


def refused_argument(
    release: Release,
    mapping: quantmap.Mapping,
    axes: list[Axis],
    numbers: tuple[int, ...],
) -> str | None:
    """Path of the first user value, in file order, that stands in the end and is refused by itself.

    Equal values are one cause, under the path of the first of them.
    """
    last: dict[str, str] = {}
    for one, number in zip(axes, numbers):
        if left_out(one.values[number]):
            continue
        texts = [as_text(one.keys[0], value) for value in one.values]
        name = release.identity(one.keys[0])
        last.pop(name, None)  # the value that stands is at the place of its parameter
        last[name] = one.path_of(texts.index(texts[number]))
    values = {release.identity(flag): (flag, value) for flag, value in mapping.args.items()}
    return next((path for name, path in last.items() if release.refuses(*values[name])), None)


def as_text(name: str, value: Any) -> Any:
    """A value as it would be typed, to find equal ones; None when it is left out or no argument."""
    try:
        ((_, given),) = quantmap.merge_parameters({}, {name: value}).items()
    except ValueError:  # a ConfigError, or nothing given
        return None
    return given if isinstance(given, str) else json.dumps(given)


def left_out(value: Any) -> bool:
    """As in get_runtime_args: null, an empty list, or a list that begins with such a thing."""
    if isinstance(value, (list, tuple)):
        return not value or (not isinstance(value[0], (list, tuple)) and left_out(value[0]))
    return value is None


def names_config_file(release: Release, axes: list[Axis]) -> bool:
    """Whether some point has the engine's own file of arguments, which may set any default."""
    return any(
        release.identity(one.keys[0]) == release.config_flag
        and any(value is not None for value in one.values)
        for one in axes
    )


# ---------------------------------------------------------------- the plan


def targets_of(task: dict[str, Any], engines: list[str] | None) -> Iterator[tuple[str, Any]]:
    """Each runtime with the image tag that counts for it."""
    own = task.get("base_runtime")
    own_id = None if own is None else quantmap.explain(own).engine
    for name in [own] if engines is None else engines:
        same = engines is None or own_id == quantmap.explain(name).engine
        yield name, task.get("runtime_image_tag") if same else None


def plan(
    task: dict[str, Any],
    *,
    engine_version: str | None = None,
    gpu: str | None = None,
    policy: str = "degrade",
    engines: list[str] | None = None,
    model_quantization: Any = None,
) -> Plan:
    """The plan of a small, well-formed task."""
    base, config, axes = config_axes(task)
    parameters = parameter_axes(task)
    experiments: dict[str, Experiment] = {}
    skips: dict[tuple[str, str], int] = {}
    asked = 0

    def skip(code: str, path: str) -> None:
        skips[code, path] = skips.get((code, path), 0) + 1

    for runtime, tag in targets_of(task, engines):
        ground = {"engine_version": engine_version, "gpu": gpu, "runtime_image_tag": tag}

        def explain(
            config: Any, given: Any, how: str, runtime: Any = runtime, ground: Any = ground
        ) -> Any:
            return quantmap.explain(
                runtime, config, given, model_quantization, policy=how, **ground
            )

        # Strict raises; what it raises for is looked at one by one below.
        how = "degrade" if policy == "strict" else policy
        bare = explain(None, None, how)
        release = Release(bare.engine, bare.version, bare.gpu, bare.checkpoint, model_quantization)
        for numbers in itertools.product(*(range(len(a.values)) for a in [*axes, *parameters])):
            asked += 1
            first, second = numbers[: len(axes)], numbers[len(axes) :]
            chosen = point_config(config, axes, first)
            cause = config_cause(base, chosen, axes, first)
            cause = cause or parameter_cause(runtime, parameters, second)
            if cause is not None:
                skip(*cause)
                continue
            derived = explain(chosen, None, how)
            refused = [d for d in derived.decisions if d.outcome == "cannot-serve"]
            if refused:
                skip(refused[0].code, "$")  # at start-up, or when the model runs
                continue
            given = {a.keys[0]: a.values[n] for a, n in zip(parameters, second)}
            whole = explain(chosen, given, how)
            if policy == "strict":
                short = [d for d in derived.decisions if falls_short(d)]
                if short:
                    skip("refused-by-policy", f"{base}.{short[0].field}")
                    continue
                path = refused_argument(release, whole, parameters, second)
                if path is not None:
                    skip("refused-by-policy", path)
                    continue
            launch: dict[str, dict[str, Any]] = {
                "args": normalized(release, whole.args, names_config_file(release, parameters)),
                "env": whole.env,
                "files": whole.files,
            }
            same = json.dumps([release.engine, release.version, launch], sort_keys=True)
            if same not in experiments:
                experiments[same] = Experiment(
                    len(experiments),
                    release.engine,
                    release.version,
                    whole.args,
                    whole.env,
                    whole.files,
                    signature(task, release, launch),
                    {name: value for name, value in given.items() if not left_out(value)},
                )
            experiment = experiments[same]
            experiment.points += 1
            preset = chosen.get("preset")
            if preset is not None and preset not in experiment.presets:
                experiment.presets.append(preset)
            if chosen not in experiment.configs:
                experiment.configs.append(chosen)
    return Plan(list(experiments.values()), asked, skips)
