"""Where the command ``quantmap`` begins: an interrupt while it is loaded ends it quietly."""

from __future__ import annotations

import os
import signal

__all__ = ["main"]


def main() -> int:
    """Run the command; until it is loaded there is nothing to clean up.

    Returns:
        int: its exit code; 3 when it was interrupted.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: os._exit(3))
    from quantmap.cli import main as run

    return run()
