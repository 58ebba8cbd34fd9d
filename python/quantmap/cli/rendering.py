"""A mapping for another program instead of a reader: what `map` and `explain` share."""

from __future__ import annotations

from .. import _core
from ..errors import ConfigError
from ..mapping import Mapping, explain
from ..task import Task
from . import declare
from .style import folded_command, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    from ..render import Launch

FORMS = ("json", "argv", "shell", "docker", "config_file")


def rendering_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that choose a form; a model given as ``-`` is the task's."""
    options = [
        declare.option("--json", is_flag=True, help="The whole mapping as JSON."),
        declare.option("--argv", is_flag=True, help="Only the arguments: one JSON array."),
        declare.option("--shell", metavar="MODEL", help="Only the launch line for MODEL."),
        declare.option("--docker", metavar="MODEL", help="Only the docker line for MODEL."),
        declare.option("--image", metavar="IMAGE", help="The image of the docker line."),
        declare.option(
            "--config-file", is_flag=True, help="Only the YAML file that the engine takes."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def chosen_form(options: dict[str, Any]) -> str | None:
    """The form that was asked; None for a reader."""
    asked = [form for form in FORMS if options[form] not in (False, None)]
    if len(asked) > 1:
        names = " and ".join("--" + form.replace("_", "-") for form in asked)
        raise declare.UsageError(f"{names} exclude each other")
    if options["image"] is not None and asked != ["docker"]:
        raise declare.UsageError("--image belongs to --docker")
    return asked[0] if asked else None


def render(
    form: str,
    mappings: list[Mapping],
    task: Task,
    options: dict[str, Any],
    memory: list[Any] | None = None,
) -> None:
    """Print the mappings in one form; as JSON with what each takes of the memory, if given."""
    if form == "json":
        import json

        data = [mapping.to_dict() for mapping in mappings]
        for each, taken in zip(data, memory or []):
            each["memory"] = taken
        declare.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
        return
    from .tables import show_problems

    texts = [_text(form, mapping, task, options) for mapping in mappings]
    for mapping in mappings:
        name = mapping.preset or mapping.engine_name
        show_problems(mapping, name)
        for missing in _missing(form, mapping):
            declare.echo(f"{name}: note: the launch also needs {missing}", err=True)
    separator = "---\n" if form == "config_file" else "\n"
    # Bytes, whatever the terminal's encoding: these lines are for programs.
    if form in ("shell", "docker"):
        texts = [folded_command(text) for text in texts]
    text = separator.join(texts) + ("" if form == "config_file" else "\n")
    declare.echo(text.encode("utf-8", "backslashreplace"), nl=False)


def _text(form: str, mapping: Mapping, task: Task, options: dict[str, Any]) -> str:
    if form == "argv":
        import json

        return json.dumps(mapping.argv())
    if form == "shell":
        return mapping.shell(_model(options["shell"], task))
    if form == "docker":
        image = options["image"] or tagged_image(mapping, task.runtime, task.image_tag)
        return mapping.docker(_model(options["docker"], task), image)
    return mapping.config_file()


def _missing(form: str, mapping: Mapping) -> list[str]:
    """What a form cannot hold, and how to get it."""
    from .tables import words_of

    if form in ("shell", "docker"):
        return []
    found = [printable(f"the variable {name}={value}") for name, value in mapping.env.items()]
    in_file = form == "config_file" and mapping.config_file() in mapping.files.values()
    if in_file:  # of settings, not of arguments
        found += [f"the arguments {words_of(mapping.args)}"] if mapping.args else []
    else:
        found += [f"the file {name}, which --shell and --docker write" for name in mapping.files]
    return found


def exit_code(mappings: list[Mapping]) -> int:
    """1 when a release refuses something that was passed on as given."""
    from .tables import is_refused

    return 1 if any(is_refused(mapping) for mapping in mappings) else 0


def _model(given: str, task: Task) -> str:
    if given != "-":
        return given
    model = task.model_path()
    if not isinstance(model, str):
        raise declare.UsageError("the task names no model: write it instead of -")
    return model


def tagged_image(launch: Launch, runtime: Any, tag: Any) -> str | None:
    """The image that a task names: the engine's, with the task's own tag.

    None when there is no tag, or when it is of another engine or release than the launch.
    """
    image = _core.container(launch.engine, launch.version)["image"]
    if not isinstance(tag, str) or image is None:
        return None
    try:
        named = explain(runtime, {}, runtime_image_tag=tag)
    except ConfigError:  # of a release that is not known; the launch's own was given beside it
        return None
    if named.engine != launch.engine or named.version not in (None, launch.version):
        return None
    return f"{image.partition(':')[0]}:{tag}"
