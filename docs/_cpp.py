"""Generated parts of the page about the C++ core."""

from __future__ import annotations

from pathlib import Path

from _render import code, table

ROOT = Path(__file__).resolve().parent.parent


def headers() -> str:
    """Every public header with the sentence it begins with."""
    rows = []
    for path in sorted((ROOT / "cpp" / "include" / "quantmap").rglob("*.hpp")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        rows.append([code(f"quantmap/{path.parent.name}/{path.name}"), first.removeprefix("// ")])
    return table(["header", "what it is for"], rows)


def example() -> str:
    """The program of examples/embed_cpp, which a test builds and runs."""
    folder = ROOT / "examples" / "embed_cpp"
    parts = (("cmake", "CMakeLists.txt"), ("cpp", "main.cpp"))
    return "\n\n".join(
        f"`{name}`:\n\n```{language}\n{(folder / name).read_text(encoding='utf-8').rstrip()}\n```"
        for language, name in parts
    )
