"""``quantmap completion``: the script by which a shell completes the command."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from .help import command

EPILOGUE = """\b
Examples:
  quantmap completion bash
  quantmap completion fish

\b
To use it, read the script when the shell starts:
  bash, in ~/.bashrc: eval "$(quantmap completion bash)"
  zsh, in ~/.zshrc:   eval "$(quantmap completion zsh)"
  fish:               quantmap completion fish > ~/.config/fish/completions/quantmap.fish
"""


@command("completion", epilog=EPILOGUE, short_help="Completion for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion_command(shell: str) -> int:
    """Print the completion script for SHELL: verbs, options, presets and engines."""
    from .group import app

    kind = get_completion_class(shell)
    if kind is None:
        raise click.ClickException(f"the installed click has no completion for {shell}")
    script = kind(app, {}, "quantmap", "_QUANTMAP_COMPLETE")
    click.echo(script.source_template % script.source_vars())
    return 0
