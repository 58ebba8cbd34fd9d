"""A task as a search space: what a tuner may try, what cannot start, and what is the same launch.

A tuner draws points; some cannot start, and many are one launch under several names. `Space` hands
its axes to Optuna or Ray Tune from one description, says of a point whether it starts and why not,
gives the nearest point that does, and names the launch, so that no trial is spent twice.
"""

from __future__ import annotations

import os

from . import _core
from .checkpoint import inspect_checkpoint
from .errors import ConfigError
from .mapping import explain
from .plan import plan
from .results.memory import estimated, shortage
from .task import load_task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from .mapping import Mapping

__all__ = ["Space", "space"]

MAX_MEMO = 1_000_000  # points that are remembered
MAX_TRIED = 20_000  # points that a repair looks at


class Space:
    """The points of a task.

    Attributes:
        axes: the choices by name: ``preset``, fields of the config, parameters. An axis of one
            value is fixed; it is in every point.

    Example:
        >>> import quantmap
        >>> task = {
        ...     "base_runtime": "vllm@0.11.0",
        ...     "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
        ...     "parameters": {"max-num-seqs": [64, "many"]},
        ... }
        >>> space = quantmap.space(task)
        >>> point = {"kvcache_dtype": "fp8", "max-num-seqs": "many"}
        >>> space.feasible(point)
        (False, '--max-num-seqs: vLLM 0.11.0 expects an integer')
        >>> space.repair(point)
        {'kvcache_dtype': 'fp8', 'max-num-seqs': 64}
    """

    def __init__(self, task: Any, ground: dict[str, Any]) -> None:
        data = load_task(task)
        parts = _core.read_task(data)
        self._task = data if isinstance(data, dict) else {}
        self._ground = ground
        self._runtime = parts["runtime"]
        self._tag = parts["image_tag"]
        self._fields: list[str] = []
        self.axes: dict[str, list[Any]] = {}
        presets = {"preset": parts["presets"]} if parts["presets"] else {}
        for name, value in {**presets, **parts["config"]}.items():
            self._take(name, value)
            self._fields.append(name)
        for name, value in parts["parameters"].items():
            self._take(name, value)
        self._names = list(self.axes)
        self._are_fields = [name in self._fields for name in self._names]
        self._model = _read(ground.get("checkpoint"))
        self._refusals = _core.refusals_on(
            self._runtime, ground.get("engine_version"), ground.get("gpu"), self._model, self._tag
        )
        self._release: tuple[str, str | None] | None = None  # as the first launch has it
        self._memo: dict[tuple[Any, ...], tuple[bool, str]] = {}
        self._signatures: dict[tuple[Any, ...], str] = {}

    def _take(self, name: str, value: Any) -> None:
        values = list(value) if isinstance(value, (list, tuple)) else [value]
        bad = [item for item in values if not isinstance(item, (str, int, float, type(None)))]
        if name in self.axes or not values or bad:
            context = {
                "expected": "a value or a list of values, once for each name",
                "got": _core.describe(bad[0]) if bad else _core.describe(value),
                "hint": "write a list of text and numbers",
            }
            raise ConfigError([_core.make_diagnostic("wrong-type", f"$.{name}", context)])
        self.axes[name] = values

    def __len__(self) -> int:
        size = 1
        for values in self.axes.values():
            size *= len(values)
        return size

    def _key(self, point: dict[str, Any]) -> tuple[Any, ...]:
        try:
            return tuple([point[name] for name in self._names])
        except KeyError as missing:
            known = ", ".join(self.axes)
            context = {"value": str(missing), "field": "point", "known": known, "hint": ""}
            raise ConfigError([_core.make_diagnostic("unknown-value", "point", context)]) from None

    def _parts(self, key: tuple[Any, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
        config: dict[str, Any] = {}
        parameters: dict[str, Any] = {}
        for name, value, is_field in zip(self._names, key, self._are_fields):
            if value is not None:
                (config if is_field else parameters)[name] = value
        return config, parameters

    def feasible(self, point: dict[str, Any]) -> tuple[bool, str]:
        """Whether a point starts, as far as is known.

        Args:
            point: a value for every axis.

        Returns:
            tuple[bool, str]: and why not: the release refuses it, or it does not fit into the
            memory of the GPU when model and GPU are given. The answer is remembered.

        Raises:
            ConfigError: an axis is missing.
        """
        key = self._key(point)
        found = self._memo.get(key)
        if found is None:
            found = self._judge(*self._parts(key))
            if len(self._memo) < MAX_MEMO:
                self._memo[key] = found
        return found

    def _judge(self, config: dict[str, Any], parameters: dict[str, Any]) -> tuple[bool, str]:
        reason = self._refusals.of(config, parameters)
        gpu = self._ground.get("gpu")
        if not reason and gpu is not None and self._model is not None:
            if self._release is None:
                launch = self._launch(config, parameters)
                self._release = (launch.engine, launch.version)
            given = {"checkpoint": self._model, "gpu": gpu}
            reason = shortage(estimated(config, parameters, self._release, given))
        return not reason, reason

    def _launch(self, config: dict[str, Any], parameters: dict[str, Any]) -> Mapping:
        return explain(
            self._runtime,
            config,
            parameters,
            engine_version=self._ground.get("engine_version"),
            gpu=self._ground.get("gpu"),
            checkpoint=self._model,
            runtime_image_tag=self._tag,
        )

    def explain(self, point: dict[str, Any]) -> Mapping:
        """The launch that a point comes to: what to start for a trial.

        Args:
            point: a value for every axis.

        Returns:
            Mapping: its arguments, variables and files, with what became of each setting.

        Raises:
            ConfigError: the point is no launch at all.

        Example:
            >>> import quantmap
            >>> task = {"base_runtime": "vllm@0.11.0", "quant_config": {"kvcache_dtype": ["fp8"]}}
            >>> space = quantmap.space(task)
            >>> space.explain({"kvcache_dtype": "fp8"}).argv("org/model")
            ['vllm', 'serve', 'org/model', '--dtype', 'auto', '--kv-cache-dtype', 'fp8']
        """
        return self._launch(*self._parts(self._key(point)))

    def repair(self, point: dict[str, Any]) -> dict[str, Any] | None:
        """The nearest point that starts.

        Args:
            point: a value for every axis.

        Returns:
            dict | None: the point itself when it starts; else the first with the fewest axes
            changed, each to a value near its own in the list. None when nothing near starts.
        """
        from itertools import combinations, islice, product

        if self.feasible(point)[0]:
            return dict(point)
        free = [name for name, values in self.axes.items() if len(values) > 1]
        for count in range(1, len(free) + 1):
            changes = (
                dict(zip(names, values))
                for names in combinations(reversed(free), count)
                for values in product(*(self._near(name, point[name]) for name in names))
            )
            for changed in islice(changes, MAX_TRIED):
                other = {**point, **changed}
                if self.feasible(other)[0]:
                    return other
        return None

    def _near(self, name: str, value: Any) -> list[Any]:
        """The other values of an axis, by their distance in the list."""
        values = self.axes[name]
        at = values.index(value) if value in values else 0
        order = sorted(range(len(values)), key=lambda place: (abs(place - at), place))
        return [values[place] for place in order if values[place] != value]

    def signature(self, point: dict[str, Any]) -> str:
        """The name of the launch that a point comes to: what a memo of results is keyed by.

        Args:
            point: a value for every axis, that starts.

        Returns:
            str: the signature of the plan's experiment; equal for points that are one launch.

        Raises:
            ConfigError: the point is no launch at all.
        """
        key = self._key(point)
        found = self._signatures.get(key)
        if found is None:
            config, parameters = self._parts(key)
            rest = {k: v for k, v in self._task.items() if k not in _REPLACED}
            task = {**rest, "quant_config": config, "parameters": parameters}
            planned = plan(task, **self._ground)
            if not len(planned):
                raise ConfigError(planned.diagnostics)
            found = next(planned.iter_signatures())
            if len(self._signatures) < MAX_MEMO:
                self._signatures[key] = found
        return found

    def points(self) -> Iterator[dict[str, Any]]:
        """Every point, the last axis fastest.

        Returns:
            Iterator[dict]: lazily.
        """
        from itertools import product

        for values in product(*self.axes.values()):
            yield dict(zip(self.axes, values))

    def optuna(self) -> dict[str, Any]:
        """The axes as distributions of Optuna.

        Returns:
            dict: by name, for ``study.ask(space.optuna())``.

        Raises:
            ImportError: Optuna is not installed.
        """
        from optuna.distributions import CategoricalDistribution

        return {name: CategoricalDistribution(values) for name, values in self.axes.items()}

    def suggest(self, trial: Any) -> dict[str, Any]:
        """The point of a trial of Optuna.

        Args:
            trial: what an objective gets.

        Returns:
            dict: a value for every axis.
        """
        return {name: trial.suggest_categorical(name, axis) for name, axis in self.axes.items()}

    def ray(self, choice: Callable[[list[Any]], Any] | None = None) -> dict[str, Any]:
        """The axes as a search space of Ray Tune.

        Args:
            choice: what makes a domain of a list; Ray's own by default. ``tune.grid_search`` makes
                a grid.

        Returns:
            dict: by name, for ``tune.Tuner(param_space=...)``.

        Raises:
            ImportError: Ray is not installed, and no `choice` is given.
        """
        if choice is None:
            from ray import tune

            choice = tune.choice
        return {name: choice(values) for name, values in self.axes.items()}

    def __repr__(self) -> str:
        return f"Space({len(self)} points, axes={list(self.axes)})"


def _read(checkpoint: Any) -> Any:
    """A checkpoint that is read once for all points; an id is left to whoever asks for it."""
    is_file = isinstance(checkpoint, (str, os.PathLike)) and os.path.exists(checkpoint)
    try:
        return (
            inspect_checkpoint(checkpoint)
            if is_file or isinstance(checkpoint, dict)
            else checkpoint
        )
    except ConfigError:
        return checkpoint


_REPLACED = frozenset(
    {"quant_config", "quantization_config", "parameters", "parallel_config", "optimization"}
)


def space(
    task: Any,
    *,
    engine_version: str | None = None,
    gpu: str | None = None,
    checkpoint: Any = None,
) -> Space:
    """The search space of a task.

    Args:
        task: the autotuner's task: data, JSON text, or the name of a file.
        engine_version: the engine release.
        gpu: a product such as ``H100``.
        checkpoint: the checkpoint to serve; with it and a GPU, what does not fit is not feasible.

    Returns:
        Space: its axes, and what starts.

    Raises:
        ConfigError: the task cannot be read, or an axis is no list of text and numbers.

    Example:
        >>> import quantmap
        >>> task = {"base_runtime": "vllm", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
        >>> len(quantmap.space(task))
        2
    """
    ground = {"engine_version": engine_version, "gpu": gpu, "checkpoint": checkpoint}
    return Space(task, {name: value for name, value in ground.items() if value is not None})
