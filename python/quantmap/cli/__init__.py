"""The command ``quantmap``. Its parser and tables are the extra ``quantmap[cli]``."""

from __future__ import annotations

import gc
import sys

from .streams import guarded, leave_at_once, on_signals

__all__ = ["main"]


def main() -> int:
    """Run the command.

    Returns:
        int: exit code; 0 good, 1 a verdict, 2 usage or invalid input, 3 it could not tell.
    """
    on_signals(leave_at_once)
    gc.disable()  # while modules are loaded nothing becomes garbage; a verb has it back
    from .app import run

    try:
        return guarded(run)
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        print(
            f"quantmap: this needs {error.name}, which is not installed.\n"
            "Install it with:  pip install 'quantmap[cli]'",
            file=sys.stderr,
        )
        return 2
