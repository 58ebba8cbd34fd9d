"""Reading what a command line or a file gives."""

from __future__ import annotations

import os
import sys

from .. import _core
from ..files import read_file
from ..task import Task, model_path, read_task
from . import declare
from .tables import say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ..mapping import Mapping

_JSON_STARTS = tuple("-0123456789 \t\r\n")  # of a number; a word is one of the others
_JSON_WORDS = ("true", "false", "null", "NaN", "Infinity")
MAX_FILE = 64 * 1024 * 1024


def read_json_file(name: str) -> Any:
    """JSON data of a file, or of standard input for ``-``; read strictly."""
    try:
        most = MAX_FILE + 1
        data = read_input(most) if name == "-" else read_file(name, most)
    except OSError as error:
        raise declare.ClickException(f"{name}: {error.strerror or error}") from None
    if len(data) > MAX_FILE:
        raise declare.ClickException(f"{name}: larger than {MAX_FILE // 1024 // 1024} MB")
    return _core.load_json(data)


def read_input(most: int) -> bytes:
    """What stands on standard input, at most so many bytes."""
    if sys.stdin is None:
        raise declare.ClickException("stdin is closed: name a file")
    return sys.stdin.buffer.read(most)


def split_assignment(text: str, option: str) -> tuple[str, str | None]:
    """``key=value`` in two; the value is None when there is no ``=``."""
    key, mark, value = text.partition("=")
    if not key:
        raise declare.UsageError(f"{option} {text!r}: expected key=value")
    return key, value if mark else None


def parse_setting(value: str) -> Any:
    """A config value as typed: true, false, null and numbers are JSON, the rest is text."""
    if value[:1] not in _JSON_STARTS and value not in _JSON_WORDS:
        return value
    import json

    try:
        parsed = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return parsed if parsed is None or isinstance(parsed, (bool, int, float)) else value


def apply_settings(config: dict[str, Any], settings: tuple[str, ...]) -> None:
    """Put ``field=value`` or ``section.key=value`` into a config."""
    for setting in settings:
        key, value = split_assignment(setting, "--set")
        if value is None:
            raise declare.UsageError(f"--set {setting!r}: expected field=value")
        section, mark, inner = key.partition(".")
        if not mark:
            config[key] = parse_setting(value)
            continue
        place = config.get(section)
        config[section] = {
            **(place if isinstance(place, dict) else {}),
            inner: parse_setting(value),
        }


def parameters_of(items: tuple[str, ...]) -> dict[str, Any]:
    """User parameters of ``key=value`` or ``key``; the text is kept as typed."""
    parameters: dict[str, Any] = {}
    for item in items:
        key, value = split_assignment(item, "--param")
        parameters[key] = True if value in (None, "true") else False if value == "false" else value
    return parameters


def engine_names(_context: object, _option: object, typed: str) -> list[str]:
    """Engines, for a shell to complete."""
    return [engine["id"] for engine in _core.engines() if engine["id"].startswith(typed)]


def preset_names(_context: object, _option: object, typed: str) -> list[str]:
    """Presets, for a shell to complete."""
    return [preset["id"] for preset in _core.presets() if preset["id"].startswith(typed)]


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that say what the model is."""
    command = declare.option(
        "--checkpoint",
        metavar="MODEL",
        help="The model: a folder, a .gguf file, a config.json, or the id of a well-known one.",
    )(command)
    return declare.option(
        "--model-quantization", metavar="METHOD", help="The model's own method, such as awq."
    )(command)


def planned_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which a plan was made, for what reads its results."""
    options: list[Callable[..., Any]] = [
        declare.option(
            "--engine",
            "engines",
            multiple=True,
            metavar="ENGINE[@VERSION]",
            shell_complete=engine_names,
            help="As the task was planned.",
        ),
        declare.option("--engine-version", metavar="VERSION", help="As the task was planned."),
        declare.option("--gpu", metavar="GPU", help="The GPU; with it, expected memory is shown."),
        model_options,
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_checkpoint(name: str) -> Any:
    """A model as `quantmap.inspect_checkpoint` takes it: a config.json is read here."""
    is_config = name == "-" or (name.endswith(".json") and not os.path.isdir(name))
    return read_json_file(name) if is_config else name


def model_facts(options: dict[str, Any], model: Any) -> dict[str, Any]:
    """What is known of the model: by the options, else by what the task says of it."""
    method, checkpoint = options["model_quantization"], options["checkpoint"]
    if checkpoint is not None:
        checkpoint = read_checkpoint(checkpoint)
    path = model_path(model)
    if method is None and checkpoint is None and isinstance(path, str):
        from ..integration import detect_model_quantization

        method = detect_model_quantization(path, model if isinstance(model, dict) else None)
        if method is not None:
            say(
                f"note: the task's model is served as {method}, by its name or files; "
                "--model-quantization or --checkpoint says otherwise",
                error=True,
            )
    return {"model_quantization": method, "checkpoint": checkpoint}


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options by which every verb takes a config and the ground it is mapped on."""
    options: list[Callable[..., Any]] = [
        declare.argument("task", required=False, metavar="[TASK.json | -]"),
        declare.option(
            "--engine",
            "--runtime",
            "runtime",
            metavar="ENGINE[@VERSION]",
            shell_complete=engine_names,
            help="The engine; wins over the task.",
        ),
        declare.option(
            "--preset",
            metavar="NAME",
            shell_complete=preset_names,
            help="A preset; wins over the task's preset.",
        ),
        declare.option(
            "--set",
            "settings",
            multiple=True,
            metavar="FIELD=VALUE",
            help="Set a field, such as gemm_dtype=fp8.",
        ),
        declare.option(
            "--param",
            "parameters",
            multiple=True,
            metavar="KEY[=VALUE]",
            help="A parameter of the engine.",
        ),
        model_options,
        declare.option(
            "--engine-version",
            metavar="VERSION",
            help="The engine release, such as 0.11.0 or latest.",
        ),
        declare.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local."),
        declare.option(
            "--policy",
            type=declare.Choice(["degrade", "strict", "literal"]),
            help="What to do with a setting that the release does not take; default: degrade.",
        ),
        declare.option(
            "--activations/--no-activations",
            default=True,
            help="sglang-jax: quantize activations as well.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def task_of(options: dict[str, Any]) -> tuple[Task, dict[str, Any]]:
    """The task that the options describe, and the keyword arguments of `quantmap.explain`."""
    name = options["task"]
    if name is None and not (options["preset"] or options["settings"] or options["runtime"]):
        raise declare.UsageError(
            "nothing to map: give a task file, or --runtime with --preset or --set"
        )
    task = Task() if name is None else read_task(read_json_file(name), options["runtime"])
    if options["runtime"] is not None:
        if task.image_tag is not None and not _same_engine(task.runtime, options["runtime"]):
            task.image_tag = None  # of another engine's container
        task.runtime = options["runtime"]
    if task.runtime is None:
        raise declare.UsageError("no engine: give --runtime, or base_runtime in the task")
    for note in task.notes:
        say(f"{note.severity}: {note}", error=True)
    if options["preset"] is not None:
        task.config.pop("presets", None)
        task.presets_path = ""
        task.config["preset"] = options["preset"]
    apply_settings(task.config, options["settings"])
    task.parameters.update(parameters_of(options["parameters"]))
    situation = {
        **model_facts(options, task.model),
        "engine_version": options["engine_version"],
        "gpu": options["gpu"],
        "policy": options["policy"],
        "activations": options["activations"],
        "runtime_image_tag": task.image_tag,
    }
    return task, situation


def _same_engine(one: Any, other: Any) -> bool:
    from ..errors import ConfigError
    from ..mapping import explain

    try:
        return explain(one, {}).engine == explain(other, {}).engine
    except ConfigError:  # which is reported when the launch itself is mapped
        return False


def map_all(task: Task, situation: dict[str, Any]) -> list[Mapping]:
    """A mapping for each config of a task; problems of all of them, where they are in the task."""
    from ..errors import ConfigError, Diagnostic
    from ..mapping import explain

    mappings: list[Mapping] = []
    problems: list[Diagnostic] = []
    configs = task.configs()
    for number, config in enumerate(configs):
        try:
            mappings.append(explain(task.runtime, config, task.parameters, **situation))
        except ConfigError as error:
            for problem in error.diagnostics:
                path = problem.path
                if path == "$.preset" and task.presets_path:
                    listed = "presets" in task.config
                    path = task.presets_path + (f"[{number}]" if listed else "")
                elif path[:1] == "$":
                    path = task.config_path + path[1:]
                problem = problem.replace(path=path)
                if problem not in problems:
                    problems.append(problem)
    if problems:
        raise ConfigError(problems)
    return mappings
