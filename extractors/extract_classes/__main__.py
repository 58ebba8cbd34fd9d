"""Entry point: ``python extractors/extract_classes``."""

import sys
from pathlib import Path

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from extract_classes.cli import main
else:
    from .cli import main

if __name__ == "__main__":
    sys.exit(main())
