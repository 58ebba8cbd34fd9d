"""The autotuner's task JSON, as far as a mapping needs it."""

from __future__ import annotations

from . import _core
from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Task", "model_path", "read_task"]

_CONFIG_KEYS = ("quant_config", "quantization_config")
_MODEL_KEYS = ("id_or_path", "id", "name")
_TASK_KEYS = (*_CONFIG_KEYS, "base_runtime", "parameters", "model", "task_name")


class Task:
    """One task: an engine, a config that may name several presets, and user parameters.

    Attributes:
        name: the task's name, or None.
        runtime: the engine it names, or None.
        config: the quantization config as given.
        config_path: where the config stands in the task: ``$.quant_config``, or ``$`` by itself.
        parameters: the user parameters as given; a list counts with its first element.
        image_tag: the container tag (``runtime_image_tag``), which may name the release, or None.
        model: the model as given: an object, or its path or id; or None.
    """

    __slots__ = ("config", "config_path", "image_tag", "model", "name", "parameters", "runtime")

    def __init__(
        self,
        name: str | None = None,
        runtime: Any = None,
        config: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        image_tag: Any = None,
        model: Any = None,
        config_path: str = "$",
    ) -> None:
        self.name = name
        self.runtime = runtime
        self.config = dict(config or {})
        self.parameters = dict(parameters or {})
        self.image_tag = image_tag
        self.model = model
        self.config_path = config_path

    def model_path(self) -> Any:
        """The model's path or id, as the task gives it.

        Returns:
            Any: as of `model_path`.

        Example:
            >>> Task(model={"id_or_path": "org/model"}).model_path()
            'org/model'
        """
        return model_path(self.model)

    def configs(self) -> list[dict[str, Any]]:
        """One config for each preset that the task names, overrides kept.

        Returns:
            list[dict]: the config itself when it does not name several presets.

        Example:
            >>> task = Task(config={"presets": ["default", "kv-cache-fp8"]})
            >>> [config["preset"] for config in task.configs()]
            ['default', 'kv-cache-fp8']
        """
        presets = self.config.get("presets")
        if not isinstance(presets, (list, tuple)) or not presets or self.config.get("preset"):
            return [self.config]
        rest = {key: value for key, value in self.config.items() if key != "presets"}
        return [{"preset": preset, **rest} for preset in presets]


def model_path(model: Any) -> Any:
    """The path or id of a task's model.

    Args:
        model: what the task says: an object, or the path or id itself.

    Returns:
        Any: ``id_or_path``, ``id`` or ``name`` of an object, the first that is there; None without
        one. What a plan's signatures call the model.

    Example:
        >>> model_path({"id_or_path": "org/model", "revision": "main"}), model_path("org/model")
        ('org/model', 'org/model')
    """
    if not isinstance(model, dict):
        return model
    found = (model.get(key) for key in _MODEL_KEYS)
    return next((value for value in found if value is not None), None)


def _object(value: Any, path: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        got = _core.describe(value)
        raise ConfigError([_core.make_diagnostic("not-an-object", path, {"got": got})])
    return dict(value)


def read_task(data: Any) -> Task:
    """A task from JSON data: the autotuner's task, or a bare quantization config.

    Args:
        data: what the JSON text holds.

    Returns:
        Task: the parts that decide launch arguments; everything else is left alone.

    Raises:
        ConfigError: the data or a part of it is not an object, or the config is given twice.

    Example:
        >>> task = read_task({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> task.runtime, task.config
        ('vllm', {'preset': 'default'})
    """
    task = _object(data, "$")
    if not any(key in task for key in _TASK_KEYS):
        return Task(config=task)
    given = [key for key in _CONFIG_KEYS if task.get(key) is not None]
    if len(given) > 1:
        context = {"first": given[0], "second": given[1]}
        raise ConfigError([_core.make_diagnostic("duplicate-wrapper", f"$.{given[1]}", context)])
    config = _object(task[given[0]], f"$.{given[0]}") if given else {}
    parameters = _object(task.get("parameters"), "$.parameters")
    presets = parameters.pop("quantization_preset", None)
    if presets is not None:
        if config.get("preset") is not None or config.get("presets") is not None:
            raise ConfigError(
                [
                    _core.make_diagnostic(
                        "preset-beside-presets", "$.parameters.quantization_preset", {}
                    )
                ]
            )
        config["presets"] = presets if isinstance(presets, (list, tuple)) else [presets]
    name = task.get("task_name")
    return Task(
        str(name) if name is not None else None,
        task.get("base_runtime"),
        config,
        parameters,
        task.get("runtime_image_tag"),
        task.get("model"),
        f"$.{given[0]}" if given else "$",
    )
