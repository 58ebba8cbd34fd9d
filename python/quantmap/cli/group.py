"""The verbs as click sees them: help, completion, and what is wrong with a command line."""

from __future__ import annotations

import click

from .. import __version__
from .app import VERBS, load
from .declare import Verb
from .help import Context
from .introduction import INTRODUCTION, introduce
from .style import printable
from .tables import say


class Verbs(click.Group):
    """The verbs; of the ones that are not called only the name is known."""

    context_class = Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order in which a reader needs them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a verb."""
        if cmd_name not in VERBS:
            return None
        verb = load(cmd_name)
        return verb.command() if isinstance(verb, Verb) else verb

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
        introduce()


def show(verb: Verb, problem: str) -> None:
    """What is wrong with the use of a verb, with its usage, on stderr."""
    context = Context(app, info_name="quantmap")
    _show(click.UsageError(problem, Context(verb.command(), context, verb.name)))


def _show(error: click.UsageError) -> None:
    if error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
    say(f"Error: {error.format_message()}", error=True)


def run_by_click() -> int:
    """Parse the command line by click and run the verb; errors of click become exit codes."""
    try:
        result = app.main(prog_name="quantmap", standalone_mode=False)
    except click.UsageError as error:
        _show(error)
        return 2
    except click.ClickException as error:
        say(f"quantmap: error: {error.format_message()}", error=True)
        return 2
    except click.Abort:  # the parser's name for an interrupt
        raise KeyboardInterrupt from None
    return result if isinstance(result, int) else 0
