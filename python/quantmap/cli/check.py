"""``quantmap check``: a verdict on every argument of every launch in a line or script."""

from __future__ import annotations

import os
import re

from ..check import ScriptResult, check_script
from ..errors import ConfigError
from ..files import is_given, read_file
from . import declare
from .inputs import MAX_FILE, model_options, read_checkpoint, read_input

TROUBLE = "known-trouble"
_FILE_NAME = re.compile(
    r"(?:[\w.~-]*/)*(?:[\w.-]+\.(?:sh|bash|zsh|ps1|bat|ya?ml|json|py|ipynb|md|toml|tf|ts|js|txt|service|"
    r"conf|ini|slurm|sbatch|env|log|dockerfile)|(?:Docker|Container|Make|just)file)",
    re.IGNORECASE,
)
EPILOGUE = """\b
Examples:
  quantmap check --engine-version 0.11.0 'vllm serve my/model --kv-cache-dtype fp16'
  quantmap check --gpu H100 launch.sh
  quantmap check compose.yaml
  quantmap check deploy/ --against vllm@0.33.0
  quantmap check --engine-version 0.5.6 --gpu H100 < launch.sh
  quantmap check --gpu A100 --checkpoint config.json 'vllm serve org/model --kv-cache-dtype fp8'
"""


@declare.command(
    "check", epilog=EPILOGUE, short_help="A verdict on every argument of a launch line or script."
)
@declare.argument("commands", nargs=-1, metavar="[COMMAND | FILE... | FOLDER... | -]")
@declare.option(
    "--engine",
    "--runtime",
    "engine",
    metavar="ENGINE[@VERSION]",
    help="The engine, when the line does not name it.",
)
@declare.option(
    "--engine-version",
    metavar="VERSION",
    help="The release; default: that of each launch's image, else the newest known.",
)
@declare.option("--gpu", metavar="GPU", help="Such as H100, 9.0, or local.")
@model_options
@declare.option(
    "--against", metavar="ENGINE@RELEASE", help="What another release makes of the same launches."
)
@declare.option("--files", is_flag=True, help="Every word is a file; one without a launch is good.")
@declare.option("--strict", is_flag=True, help="Known trouble is exit code 1 as well.")
@declare.option("--all", "show_all", is_flag=True, help="Show what is plainly accepted as well.")
@declare.option("--json", "as_json", is_flag=True, help="The verdicts as JSON on stdout.")
def check_command(
    commands: tuple[str, ...],
    engine: str | None,
    engine_version: str | None,
    gpu: str | None,
    model_quantization: str | None,
    checkpoint: str | None,
    against: str | None,
    files: bool,
    strict: bool,
    show_all: bool,
    as_json: bool,
) -> int:
    """Judge every launch in COMMAND, a line in quotes, or in a script, as a release would.

    A file may also be a compose file, a Kubernetes manifest or a Dockerfile; of a folder all its
    files are read. "-" or nothing reads standard input. Variables are taken from the script where
    it sets them; nothing is run. The model that a launch names is read when it is a folder here,
    an id in the local model cache, or well known. Exit code 1 when something is refused; what
    starts and is known to go wrong then is told first, and is exit code 1 with --strict.
    """
    ground = {
        "engine_version": engine_version,
        "gpu": gpu,
        "engine": engine,
        "model_quantization": model_quantization,
        "checkpoint": None if checkpoint is None else read_checkpoint(checkpoint),
    }
    if files or len(commands) > 1 or (commands and os.path.isdir(commands[0])):
        from .check_folder import check_paths

        return check_paths(commands, ground, against, as_json=as_json)
    text = text_of(commands[0] if commands else None)
    if against is not None:
        from .check_folder import compare_text

        return compare_text(text, ground, against, as_json=as_json)
    result = check_script(text, **ground)
    if not result.launches:
        raise nothing_judged(result)
    if as_json:
        import json

        declare.echo(json.dumps(data_of(result), indent=2))
    else:
        from .verdicts import show_script

        show_script(result, text, show_all=show_all)
    return 0 if result.ok and not (strict and has_trouble(result)) else 1


def looks_like_file(command: str) -> bool:
    """Whether a word is a file's name, and no command: it has an ending, or a folder in front."""
    return _FILE_NAME.fullmatch(command) is not None


def nothing_judged(result: ScriptResult) -> ConfigError:
    """Why no launch of a text is judged: what is wrong with it, or what was left out."""
    errors = [note for note in result.notes if note.severity == "error"]
    return ConfigError(errors or list(result.notes))


def has_trouble(result: ScriptResult) -> bool:
    """Whether something is known to go wrong with a launch that starts."""
    return any(
        any(verdict.verdict == TROUBLE for verdict in launch.verdicts)
        or any(note.code == TROUBLE for note in launch.notes)
        for launch in result.launches
    )


def data_of(result: ScriptResult) -> object:
    """One launch as itself, several as a script."""
    return result.launches[0].to_dict() if len(result.launches) == 1 else result.to_dict()


def text_of(command: str | None) -> str:
    """The text that is meant: a line, the content of a file, or standard input."""
    if command in (None, "-"):
        data = read_input(MAX_FILE + 1)
    elif command and is_given(command):
        try:
            data = read_file(command, MAX_FILE + 1)
        except OSError as error:
            raise declare.ClickException(f"{command}: {error.strerror or error}") from None
    elif command and looks_like_file(command):
        raise declare.ClickException(f"{command}: there is no such file")
    else:
        return command or ""
    if len(data) > MAX_FILE:
        raise declare.ClickException(f"{command}: larger than {MAX_FILE // 1024 // 1024} MB")
    return data.decode("utf-8-sig", errors="replace")
