"""The command's verbs and what they share: exit codes and error messages."""

from __future__ import annotations

import gc
import importlib

import click

from .. import __version__
from ..errors import ConfigError
from .style import printable

INTRODUCTION = """Quantization settings to engine launch arguments, before any GPU is used.

\b
What do you have?
  a config in mind   quantmap map --runtime sglang --preset kv-cache-fp8
  a release, a GPU   quantmap explain --preset dynamic-fp8 --runtime vllm@latest --gpu H100
  a launch line      quantmap check 'vllm serve my/model --kv-cache-dtype fp16'
  a model, a GPU     quantmap fit ./my-model --gpu H100 --preset kv-cache-fp8
  a task file        quantmap map task.json
  lists to compare   quantmap plan task.json
"""

NEXT = """
All verbs: quantmap --help. One verb, with examples: quantmap VERB --help."""

# A verb is the command `<verb>_command` of the module of its name, imported when it is asked for.
VERBS = (
    "map",
    "plan",
    "results",
    "page",
    "explain",
    "check",
    "diff",
    "inspect",
    "fit",
    "advise",
    "quality",
    "quantize",
    "matrix",
    "rules",
    "schema",
    "completion",
)
REFUSED, INVALID = 1, 2


class Verbs(click.Group):
    """The verbs; of the ones that are not called only the name is known."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a reader needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"{__package__}.{cmd_name}")
        gc.enable()
        command: click.Command = getattr(module, f"{cmd_name}_command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb; a mistyped one is told its nearest."""
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], VERBS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else f" Verbs: {', '.join(VERBS)}."
            ctx.fail(f"No such verb {printable(args[0])!r}.{hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=Verbs,
    help=INTRODUCTION,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="quantmap")
@click.pass_context
def app(context: click.Context) -> None:
    """Say what to do next when no verb is given."""
    if context.invoked_subcommand is None:
        click.echo(INTRODUCTION.replace("\b\n", "") + NEXT)


def _say(text: str) -> None:
    """A message of one line; what a name or a file brings into it steers no terminal."""
    click.echo(printable(text), err=True)


def run() -> int:
    """Parse the command line and run the verb; problems become one message and exit code 2."""
    try:
        result = app.main(prog_name="quantmap", standalone_mode=False)
    except ConfigError as error:
        for diagnostic in error.diagnostics:
            _say(f"quantmap: error: {diagnostic}")
        by_policy = all(item.code == "refused-by-policy" for item in error.diagnostics)
        return REFUSED if by_policy else INVALID
    except click.UsageError as error:
        if error.ctx is not None:
            click.echo(error.ctx.get_usage(), err=True)
        _say(f"Error: {error.format_message()}")
        return INVALID
    except click.ClickException as error:
        _say(f"quantmap: error: {error.format_message()}")
        return INVALID
    except click.Abort:  # the parser's name for an interrupt
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0
