"""Experiments: the launches of a plan, and what was left out of it."""

from __future__ import annotations

from .rendered import Rendered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .mapping import Mapping
    from .plan import Plan
    from .stored_plan import StoredPlan

__all__ = ["Experiment", "Skip"]


class Skip:
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

    __slots__ = ("code", "count", "example", "hint", "message", "path")

    def __init__(
        self, code: str, path: str, message: str, hint: str, count: int, example: dict[str, Any]
    ) -> None:
        self.code = code
        self.path = path
        self.message = message
        self.hint = hint
        self.count = count
        self.example = example

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        names = ("code", "path", "message", "hint", "count", "example")
        return {name: getattr(self, name) for name in names}

    def __repr__(self) -> str:
        return f"Skip({self.code!r}, {self.path!r}, {self.count})"


class Experiment(Rendered):
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

    __slots__ = (
        "_plan",
        "args",
        "config",
        "engine",
        "env",
        "files",
        "group",
        "index",
        "parameters",
        "points",
        "signature",
        "version",
    )

    def __init__(self, plan: Plan | StoredPlan, data: dict[str, Any]) -> None:
        self._plan = plan
        self.index: int = data["index"]
        self.engine: str = data["engine"]
        self.version: str | None = data["version"]
        self.args: dict[str, str | bool] = data["args"]
        self.env: dict[str, str] = data["env"]
        self.files: dict[str, str] = data["files"]
        self.signature: str = data["signature"]
        self.group: int = data["group"]
        self.points: int = data["points"]
        self.config: dict[str, Any] = data["config"]
        self.parameters: dict[str, Any] = data["parameters"]

    @property
    def mode(self) -> str:
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

        task = self._plan.task
        found = model_path(task.get("model")) if isinstance(task, dict) else None
        return found if isinstance(found, str) else None

    @property
    def axes(self) -> list[str]:
        """What varies or is given in its plan: ``preset``, keys of the config, parameters.

        Returns:
            list[str]: each once; of a stored plan empty, which keeps no parameters.
        """
        return self._plan.axes

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
    def configs(self) -> list[dict[str, Any]]:
        """The configs it stands for, in the order of their points.

        Returns:
            list[dict]: as the task asks for them: a preset, and the fields that are given.
        """
        return [config for config, _ in self._plan.group(self.group)]

    @property
    def presets(self) -> list[str]:
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
        return self._plan.explain(self)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name, with ``mode``, ``presets`` and ``configs``.
        """
        names = ("index", "signature", "engine", "version", "mode", "args", "env", "files")
        more = ("group", "points", "config", "parameters", "presets", "configs")
        return {name: getattr(self, name) for name in (*names, *more)}

    def __repr__(self) -> str:
        return f"Experiment({self.index}, {self.engine!r}, {self.args!r}, points={self.points})"
