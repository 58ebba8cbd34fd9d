"""The autotuner's task JSON, as far as a mapping needs it."""

from __future__ import annotations

from . import _core
from .errors import ConfigError
from .files import read_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .errors import Diagnostic

__all__ = ["Task", "load_task", "model_path", "read_task"]

MAX_FILE = 64 * 1024 * 1024  # bytes of a task
_MODEL_KEYS = ("id_or_path", "id", "name")


class Task:
    """One task: an engine, a config that may name several presets, and user parameters.

    Attributes:
        name: the task's name, or None.
        runtime: the engine it names, or None.
        config: the quantization config as given.
        config_path: where the config stands in the task: ``$.quant_config``, or ``$`` by itself.
        presets_path: where its presets stand; empty without one.
        parameters: the user parameters; a list counts with its first element.
        image_tag: the container tag (``runtime_image_tag``), which may name the release, or None.
        model: the model as given: an object, or its path or id; or None.
        notes: what of it nobody reads.
    """

    __slots__ = (
        "config",
        "config_path",
        "image_tag",
        "model",
        "name",
        "notes",
        "parameters",
        "presets_path",
        "runtime",
    )

    def __init__(
        self,
        name: str | None = None,
        runtime: Any = None,
        config: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
        image_tag: Any = None,
        model: Any = None,
        config_path: str = "$",
        presets_path: str = "",
        notes: list[Diagnostic] | None = None,
    ) -> None:
        self.name = name
        self.runtime = runtime
        self.config = dict(config or {})
        self.parameters = dict(parameters or {})
        self.image_tag = image_tag
        self.model = model
        self.config_path = config_path
        self.presets_path = presets_path
        self.notes = notes or []

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


def read_task(data: Any, runtime: Any = None) -> Task:
    """A task from JSON data: the autotuner's task, or a bare quantization config.

    Args:
        data: what the JSON text holds.
        runtime: the engine that is mapped to, when it is not the task's own.

    Returns:
        Task: the parts that decide launch arguments; everything else is left alone.

    Raises:
        ConfigError: all problems of the task at once. Values of the config are not judged here.

    Example:
        >>> task = read_task({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> task.runtime, task.config
        ('vllm', {'preset': 'default'})
    """
    read = _core.read_task(data, runtime)
    config, presets = read["config"], read["presets"]
    if presets:
        listed = read["presets_listed"]
        several = listed or read["presets_path"].endswith(".presets")
        config = {"presets" if several else "preset": presets if listed else presets[0], **config}
    name = read["name"]
    return Task(
        str(name) if name is not None else None,
        read["runtime"],
        config,
        {key: values[0] for key, values in read["parameters"].items() if values[0] is not None},
        read["image_tag"],
        read["model"],
        read["config_path"],
        read["presets_path"],
        read["notes"],
    )


def load_task(task: Any) -> Any:
    """A task's data from a dict, JSON text, or the name of a file.

    Args:
        task: data is returned as it is; text that begins with ``{`` is JSON; other text, and a
            path, names a file.

    Returns:
        Any: JSON data.

    Raises:
        ConfigError: the file cannot be read, or is not JSON.

    Example:
        >>> from quantmap.task import load_task
        >>> load_task('{"task_name": "kv"}')
        {'task_name': 'kv'}
    """
    if isinstance(task, (bytes, bytearray)):
        return _core.load_json(bytes(task))
    if isinstance(task, str) and task.lstrip()[:1] in ("{", "["):
        return _core.load_json(task.encode("utf-8", "surrogatepass"))
    import os

    if not isinstance(task, (str, os.PathLike)):
        return task
    try:
        data = read_file(task, MAX_FILE + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        context = {"value": repr(os.fspath(task))[:200], "reason": reason}
        raise ConfigError([_core.make_diagnostic("unreadable-file", "$", context)]) from None
    if len(data) > MAX_FILE:
        context = {"got": "the file", "known": f"{MAX_FILE} bytes"}
        raise ConfigError([_core.make_diagnostic("over-limit", "$", context)])
    return _core.load_json(data)
