"""The command's verbs and what they share: exit codes and error messages."""

from __future__ import annotations

import sys

import click

from .. import __version__
from ..errors import ConfigError
from .check import check_command
from .diff import diff_verb
from .explain import explain_command
from .map import map_command
from .matrix import matrix_command
from .rules import rules_command

INTRODUCTION = """Quantization settings to engine launch arguments, before any GPU is used.

\b
Start with a config you have in mind:
  quantmap map --runtime sglang --preset kv-cache-fp8
or with a task file:
  quantmap map task.json
To see what a release makes of it, and why:
  quantmap explain task.json --engine-version 0.5.6 --gpu H100
"""


@click.group(help=INTRODUCTION, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="quantmap")
def app() -> None:
    """The group of all verbs."""


for verb in (map_command, explain_command, check_command, diff_verb, matrix_command, rules_command):
    app.add_command(verb)


def run() -> int:
    """Parse the command line and run the verb; problems become one message and exit code 2."""
    try:
        result = app.main(prog_name="quantmap", standalone_mode=False)
    except ConfigError as error:
        for diagnostic in error.diagnostics:
            click.echo(f"quantmap: error: {diagnostic}", err=True)
        return 2
    except click.UsageError as error:
        error.show()
        return 2
    except click.ClickException as error:
        click.echo(f"quantmap: error: {error.format_message()}", err=True)
        return 2
    except (click.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    return result if isinstance(result, int) else 0
