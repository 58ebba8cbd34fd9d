"""A launch as other programs read it: words, a shell line, a docker line, a file of arguments.

Every function takes whatever has ``engine``, ``version``, ``args``, ``env`` and ``files``: a
`quantmap.Mapping`, or an experiment of a plan.
"""

from __future__ import annotations

import functools

from . import _core
from .errors import ConfigError
from .plan_shape import is_file_name, is_variable_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn, Protocol

    class Launch(Protocol):
        """What is rendered."""

        @property
        def engine(self) -> str: ...
        @property
        def version(self) -> str | None: ...
        @property
        def args(self) -> dict[str, str | bool]: ...
        @property
        def env(self) -> dict[str, str]: ...
        @property
        def files(self) -> dict[str, str]: ...


def argv(launch: Launch, model: str | None = None) -> list[str]:
    """The words of a launch; with a model, of the whole command."""
    words: list[str] = []
    if model is not None:
        words = _start(launch, _text(model, "model"))
    for flag, value in launch.args.items():
        if value is True:
            words.append(flag)
        elif value is not False:
            words += _pair(flag, value)
    return words


def _pair(flag: str, value: str) -> list[str]:
    """A flag with its value; by itself, a value with a dash would be taken for a flag."""
    return [f"{flag}={value}"] if value.startswith("-") else [flag, value]


def _start(launch: Launch, model: str) -> list[str]:
    launcher, model_flag = _facts(launch.engine)["launchers"][0]
    if model_flag:
        return [*launcher, *_pair(model_flag, model)]
    # The id of a model begins with no dash, so this one is a path.
    return [*launcher, f"./{model}" if model.startswith("-") else model]


def shell(launch: Launch, model: str | None = None) -> str:
    """A launch as one line for a POSIX shell: files, variables, words."""
    import shlex

    _require_names(launch)
    parts = [
        f"printf %s {shlex.quote(text)} > {shlex.quote(name)} &&"
        for name, text in launch.files.items()
    ]
    parts += [f"{name}={shlex.quote(value)}" for name, value in launch.env.items()]
    return " ".join([*parts, shlex.join(argv(launch, model))])


def docker(
    launch: Launch,
    model: str,
    image: str | None = None,
    gpus: str | None = "all",
    options: Iterable[str] = (),
) -> str:
    """A launch as one ``docker run`` line for a POSIX shell."""
    import shlex

    _require_names(launch)
    container = _core.container(launch.engine, launch.version)
    command = argv(launch, model)
    if launch.files:  # the container writes them itself, so that nothing has to be on the host
        script = [f'printf %s "${i}" > {shlex.quote(n)}' for i, n in enumerate(launch.files, 1)]
        script += [f"shift {len(launch.files)}", 'exec "$@"']
        text = " && ".join(script)
        command = ["sh", "-c", text, "sh", *launch.files.values(), *command]
    words = ["docker", "run", "--rm", "--network", "host", "--ipc", "host"]
    if gpus is not None:
        words.append(f"--gpus={_text(gpus, 'gpus')}")
    words += container["options"]
    for name, value in launch.env.items():
        words += ["-e", f"{name}={value}"]
    words += [_text(option, "options") for option in options]
    if container["starts_server"]:
        words += ["--entrypoint", command.pop(0)]
    return shlex.join([*words, _image(launch, image, container["image"]), *command])


def _require_names(launch: Launch) -> None:
    """Names of variables stand in a line unquoted, and names of files say where is written."""
    for name in launch.env:
        if not is_variable_name(name):
            _bad_name("env", name, "the name of a variable", "letters, digits and _ make a name")
    for name in launch.files:
        if not is_file_name(name):
            _bad_name(
                "files",
                name,
                "the name of a file",
                "give a name without folders that begins with no dot",
            )


def _bad_name(path: str, name: object, expected: str, hint: str) -> NoReturn:
    _refuse("wrong-type", path, {"expected": expected, "got": repr(name)[:80], "hint": hint})


def _image(launch: Launch, given: str | None, known: str | None) -> str:
    if given is not None:
        plain = _text(given, "image")
        good = plain and all(letter.isalnum() or letter in "._-/:@" for letter in plain)
        if not good or not plain.isascii() or plain.startswith("-"):
            context = {"expected": "the name of a container image", "got": f"'{plain}'"}
            _refuse("wrong-type", "image", {**context, "hint": "write it as repository:tag"})
        return plain
    if launch.version is None:
        _refuse("needs-version", "image", {"value": "an image"})
    if known is None:
        name = _facts(launch.engine)["name"]
        _refuse("no-image", "image", {"value": f"{name} {launch.version}"})
    return known


def config_file(launch: Launch) -> str:
    """The YAML file by which an engine takes its arguments, or else its settings."""
    facts = _facts(launch.engine)
    flag, name = facts["config_flag"], facts["name"]
    if not flag and launch.files:
        return next(iter(launch.files.values()))
    if launch.version is not None:
        name = f"{name} {launch.version}"
        if flag not in _core.surface(launch.engine, launch.version):
            flag = ""
    if not flag:
        _refuse("no-config-file", "runtime", {"value": name})
    given: dict[str, str | bool] = {}
    for argument, value in launch.args.items():
        if value is False:
            continue
        if not argument.startswith("--"):
            _not_in_file(argument, "a name in it stands for a flag with two dashes")
        if value is not True and value.startswith("-") and not _is_number(value):
            _not_in_file(argument, f"the engine would read '{value[:80]}' as another argument")
        given[argument[2:]] = value
    return _core.to_yaml(given)


def _is_number(text: str) -> bool:
    """Whether argparse takes it for a negative number: digits, with one point before the last."""
    whole, point, rest = text[1:].partition(".")
    digits = rest if point else whole
    return text.isascii() and digits.isdigit() and (not point or not whole or whole.isdigit())


def _not_in_file(flag: str, reason: str) -> NoReturn:
    _refuse("not-in-config-file", f"user_parameters.{flag}", {"key": flag, "reason": reason})


@functools.cache
def _facts(engine: str) -> dict[str, Any]:
    return next(row for row in _core.engines() if row["id"] == engine)


def _text(value: Any, path: str) -> str:
    """A text that can be a word of a command line."""
    plain = _core.plain_object({path: value}, "$")[path]
    if not isinstance(plain, str):
        context = {"expected": "a string", "got": _core.describe(value), "hint": "write a string"}
        _refuse("wrong-type", path, context)
    if "\0" in plain:
        _refuse("nul-character", path, {})
    return plain


def _refuse(code: str, path: str, context: dict[str, str]) -> NoReturn:
    raise ConfigError([_core.make_diagnostic(code, path, context)])
