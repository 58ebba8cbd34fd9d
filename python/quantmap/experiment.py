"""Experiments: the launches of a plan, and what was left out of it."""

from __future__ import annotations

from .rendered import Rendered
from .result import Keyed, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from .mapping import Mapping
    from .words import (
        Arguments,
        Asked,
        Code,
        Config,
        Count,
        Engine,
        Given,
        Gpu,
        Mode,
        Parameters,
        PlanArguments,
        Positive,
        Preset,
        Signature,
    )

    class Source(Protocol):
        """What an experiment asks of its plan."""

        @property
        def task(self) -> Any: ...
        @property
        def axes(self) -> list[str]: ...
        def group(self, number: int) -> list[tuple[dict[str, Any], int]]: ...
        def explain(self, experiment: Experiment) -> Mapping: ...


__all__ = ["Experiment", "Skip", "SkippedPoint", "Target"]


class SkippedPoint(Keyed):
    """A point of a task that is left out.

    Attributes:
        engine: the engine's id.
        config: as the task asks for it.
        parameters: likewise.
    """

    engine: Engine
    config: Asked
    parameters: Given


class Skip(Result):
    """Points that are left out for one cause.

    Attributes:
        code: slug of the cause in the registry, such as ``unknown-value`` or ``cannot-serve``.
        path: the value in the task that causes it.
        message: the cause in words.
        hint: what to do about it; may be empty.
        count: how many points it accounts for. A point that has several causes counts for the
            first.
        example: the first such point: its engine, config and parameters.
    """

    code: Code
    path: str
    message: str
    hint: str
    count: Positive
    example: SkippedPoint

    _shown = ("code", "path", "count")


class Target(Keyed):
    """An engine and release that a plan is made for.

    Attributes:
        engine: the engine's id.
        engine_name: its name.
        mode: ``documented`` or ``checked``.
        version: the release in checked mode, else None.
        gpu: the GPU class in checked mode, or None when no GPU was given.
        times: how often the same one was asked for.
    """

    engine: Engine
    engine_name: str
    mode: Mode
    version: str | None
    gpu: Gpu | None
    times: Positive


class Experiment(Result, Rendered):
    """One launch that a plan asks for, and what it stands for.

    Attributes:
        index: its number in the plan.
        engine: the engine's id.
        version: the release, or None in documented mode.
        args: flags and values of its first point, as ``get_runtime_args`` gives them.
        env: environment variables that the launch needs.
        files: file contents by relative name that the launch needs.
        signature: 32 hexadecimal digits; the same for the same effective launch on any machine
            and in any later run.
        group: the group of configs it stands for; see ``configs``.
        points: how many points of the task it stands for.
        config: the config of its first point.
        parameters: the user parameters of its first point.
    """

    index: Count
    engine: Engine
    version: str | None
    args: Arguments
    env: dict[str, str]
    files: dict[str, str]
    signature: Signature
    group: Count
    points: Positive
    config: Config
    parameters: Parameters
    if not TYPE_CHECKING:
        _plan: object

    _also = ("mode", "presets", "configs")
    _least = (("configs", 1),)

    def _of_plan(self, plan: Source) -> Experiment:
        """This experiment, which asks a plan for what it does not hold itself.

        Args:
            plan: the plan.

        Returns:
            Experiment: it.
        """
        object.__setattr__(self, "_plan", plan)
        return self

    @property
    def _source(self) -> Source:
        found: Source = object.__getattribute__(self, "_plan")
        return found

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._values(), Kept(self, self._source))

    @property
    def mode(self) -> Mode:
        """``documented`` or ``checked``.

        Returns:
            str: checked when the release is known.
        """
        return "documented" if self.version is None else "checked"

    @property
    def model(self) -> str | None:
        """The model that the task names.

        Returns:
            str | None: its path or id, for `argv` and `shell`.
        """
        from .task import model_path

        task = self._source.task
        found = model_path(task.get("model")) if isinstance(task, dict) else None
        return found if isinstance(found, str) else None

    @property
    def axes(self) -> list[str]:
        """What varies or is given in its plan: ``preset``, keys of the config, parameters.

        Returns:
            list[str]: each once; of a stored plan empty, which keeps no parameters.
        """
        return self._source.axes

    def setting(self, axis: str) -> Any:
        """What its first point has for one of its `axes`.

        Args:
            axis: such as ``kvcache_dtype``, ``kv_cache.dtype`` or a parameter's name.

        Returns:
            Any: the value; None where it is not given.
        """
        if axis in self.parameters:
            return self.parameters[axis]
        section, mark, key = axis.partition(".")
        place = self.config.get(section) if mark else None
        if isinstance(place, dict):
            return place.get(key)
        return self.config.get(axis)

    @property
    def configs(self) -> list[Config]:
        """The configs it stands for, in the order of their points.

        Returns:
            list[dict]: as the task asks for them: a preset, and the fields that are given.
        """
        return [config for config, _ in self._source.group(self.group)]

    @property
    def presets(self) -> list[Preset]:
        """The presets it stands for.

        Returns:
            list[str]: each once; empty when the task names none.
        """
        found: dict[str, None] = {}
        for config in self.configs:
            if isinstance(config.get("preset"), str):
                found[config["preset"]] = None
        return list(found)

    def explain(self) -> Mapping:
        """The decisions behind its first point.

        Returns:
            Mapping: what `quantmap.explain` says of its config and parameters.
        """
        return self._source.explain(self)

    def __repr__(self) -> str:
        return f"Experiment({self.index}, {self.engine!r}, {self.args!r}, points={self.points})"


class Kept:
    """What an experiment takes along when it leaves its plan, to a copy or another process."""

    def __init__(self, experiment: Experiment, plan: Source) -> None:
        self.task = {"model": experiment.model}
        self.axes = list(plan.axes)
        self._configs = plan.group(experiment.group)
        self._arguments: PlanArguments | None = getattr(plan, "ground", None)

    def group(self, number: int) -> list[tuple[dict[str, Any], int]]:
        """The configs of the experiment's own group.

        Args:
            number: the group; there is only one.

        Returns:
            list[tuple[dict, int]]: each config and how many points it has.
        """
        return list(self._configs)

    def explain(self, experiment: Experiment) -> Mapping:
        """The decisions behind an experiment's first point.

        Args:
            experiment: the one that took this along.

        Returns:
            Mapping: what `quantmap.explain` says of its config and parameters.
        """
        return explained(experiment, self._arguments)

    @property
    def ground(self) -> PlanArguments | None:
        """What the plan was made with; None when it was read from a file."""
        return self._arguments


def _restored(values: tuple[Any, ...], kept: Kept) -> Experiment:
    return Experiment(*values)._of_plan(kept)


def explained(experiment: Experiment, arguments: PlanArguments | None) -> Mapping:
    """The decisions behind an experiment's first point.

    Args:
        experiment: of a plan.
        arguments: what the plan was made with; None when it was read from a file.

    Returns:
        Mapping: what `quantmap.explain` says of its config and parameters.

    Raises:
        ValueError: the plan was read from a file, which keeps no ground for decisions.
    """
    if arguments is None:
        raise ValueError("a stored plan has no decisions: plan its task again to explain it")
    from . import _core
    from .mapping import explain

    policy = arguments["policy"]
    if (policy or _core.default_policy) == "strict":
        policy = "degrade"  # what it refuses is not here
    return explain(
        experiment.engine,
        experiment.config,
        experiment.parameters,
        engine_version=experiment.version,
        policy=policy,
        model_quantization=arguments["model_quantization"],
        gpu=arguments["gpu"],
        checkpoint=arguments["checkpoint"],
    )
