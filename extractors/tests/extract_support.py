"""What the tests of the surface extractor share: made-up sources. No network, no engine code."""

from __future__ import annotations

import textwrap
from pathlib import Path

from extract_surface.argparse_reader import ParserModel, to_flags
from extract_surface.readers import interpreter


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write made-up modules below ``folder``."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        for parent in path.relative_to(folder).parents:
            if str(parent) != ".":
                (folder / parent / "__init__.py").touch()
    return folder


def flags_of(tmp_path: Path, body: str, **others: str) -> dict:
    """Return the flags that a made-up ``build(parser)`` adds."""
    files = {"toy/args.py": body, **{f"toy/{k}.py": v for k, v in others.items()}}
    interp = interpreter(write(tmp_path, files))
    parser = ParserModel()
    interp.call(interp.module_name("toy.args", "build"), [parser], {})
    return to_flags(parser, interp)
