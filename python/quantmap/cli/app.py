"""The command's verbs and what they share: exit codes and error messages."""

from __future__ import annotations

import gc
import importlib
import os
import sys

from ..errors import ConfigError
from .declare import ClickException, UsageError, Verb

TYPE_CHECKING = False
if TYPE_CHECKING:
    import click

# A verb is `<verb>_command` in the module of its name, imported when it is asked for. It is made
# by `declare.command`, which spares click where a call is plain, or by click itself.
VERBS = (
    "map",
    "plan",
    "results",
    "page",
    "explain",
    "check",
    "why",
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


def __getattr__(name: str) -> object:
    """The verbs as a command of click: `app`."""
    if name != "app":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .group import app

    return app


def load(verb: str) -> Verb | click.Command:
    """A verb by its name."""
    module = importlib.import_module(f"{__package__}.{verb}")
    gc.enable()
    found: Verb | click.Command = getattr(module, f"{verb}_command")
    return found


def _say(text: str) -> None:
    """A message; what a name or a file brings into it steers no terminal."""
    from .tables import say

    say(text, error=True)


def run() -> int:
    """Parse the command line and run the verb; problems become one message and exit code 2."""
    try:
        return _run(sys.argv[1:])
    except ConfigError as error:
        for diagnostic in error.diagnostics:
            _say(f"quantmap: error: {diagnostic}")
        by_policy = all(item.code == "refused-by-policy" for item in error.diagnostics)
        return REFUSED if by_policy else INVALID


def _run(words: list[str]) -> int:
    completes = "_QUANTMAP_COMPLETE" in os.environ
    if not words and not completes:
        from .introduction import introduce

        introduce()
        return 0
    is_verb = words and words[0] in VERBS and not completes
    verb = load(words[0]) if is_verb else None
    values = verb.parse(words[1:]) if isinstance(verb, Verb) else None
    if not isinstance(verb, Verb) or values is None:
        from .group import run_by_click

        try:
            return run_by_click()
        except ClickException as error:  # of what verbs of both kinds share
            _say(f"quantmap: error: {error}")
            return INVALID
    try:
        return int(verb.callback(**values) or 0)
    except UsageError as error:
        from .group import show

        show(verb, str(error))
    except ClickException as error:
        _say(f"quantmap: error: {error}")
    return INVALID
