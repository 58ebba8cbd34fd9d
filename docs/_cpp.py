"""Generated parts of the page about the C++ core."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def header() -> str:
    """The public header, whole: it is its own reference."""
    text = (ROOT / "cpp" / "include" / "quantmap" / "quantmap.hpp").read_text(encoding="utf-8")
    return f"```cpp\n{text.rstrip()}\n```"


def example() -> str:
    """The program of examples/embed_cpp, which a test builds and runs."""
    folder = ROOT / "examples" / "embed_cpp"
    parts = (("cmake", "CMakeLists.txt"), ("cpp", "main.cpp"))
    return "\n\n".join(
        f"`{name}`:\n\n```{language}\n{(folder / name).read_text(encoding='utf-8').rstrip()}\n```"
        for language, name in parts
    )
