"""A few SVG shapes as text: small files that are the same on every machine."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

# Light and dark: an image follows the reader's scheme by itself. No variables: not every viewer of
# pictures knows them.
_LIGHT = ("#2a6fc9", "#c9581f", "#18865b", "#7b57c2")
_DARK = ("#6ba8f5", "#f0935f", "#4cc391", "#ae93ec")


def _colours(palette: Sequence[str]) -> str:
    return " ".join(
        f".line.c{i} {{ stroke: {colour} }} .fill.c{i}, .ink.c{i} {{ fill: {colour} }}"
        for i, colour in enumerate(palette)
    )


_STYLE = f"""\
  text {{ font: 13px system-ui, sans-serif; fill: #33373d }}
  .title {{ font-weight: 600; font-size: 15px }} .soft {{ fill: #6a717a }}
  .grid {{ stroke: #d9dde2; stroke-width: 1 }} .edge {{ stroke: #33373d; stroke-width: 1.5 }}
  .line {{ fill: none; stroke-width: 2.5 }} .light {{ opacity: .35 }} .ink {{ font-weight: 600 }}
  .on {{ fill: #fff; font-weight: 600; font-size: 11px }}
  .end {{ text-anchor: end }} .mid {{ text-anchor: middle }}
  {_colours(_LIGHT)}
  @media (prefers-color-scheme: dark) {{
    text {{ fill: #dfe3e8 }} .soft {{ fill: #9aa3ad }} .grid {{ stroke: #3b4149 }}
    .edge {{ stroke: #dfe3e8 }}
    {_colours(_DARK)}
  }}
"""


class Drawing:
    """Shapes in the order drawn; `alt` says in words what the picture shows."""

    def __init__(self, width: int, height: int, title: str, alt: str) -> None:
        self._size = (width, height)
        self._shapes = [f"<title>{escape(title)}</title>", f"<desc>{escape(alt)}</desc>"]
        self.text(0, 18, title, "title")

    def text(self, x: float, y: float, words: str, kind: str = "") -> None:
        """Words with their baseline at y."""
        self._add("text", x=x, y=y, kind=kind, inner=escape(words))

    def line(self, x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> None:
        """A line of the grid, or an edge."""
        self._add("line", x1=x1, y1=y1, x2=x2, y2=y2, kind=kind)

    def bar(self, x: float, y: float, width: float, height: float, kind: str) -> None:
        """A filled rectangle."""
        self._add("rect", x=x, y=y, width=width, height=height, kind=kind)

    def steps(self, points: Sequence[tuple[float, float]], kind: str) -> None:
        """A line that keeps its height until the next point."""
        path = f"M{_number(points[0][0])} {_number(points[0][1])}"
        path += "".join(f"H{_number(x)}V{_number(y)}" for x, y in points[1:])
        self._add("path", d=path, kind=f"line {kind}")

    def _add(self, name: str, *, kind: str = "", inner: str = "", **values: float | str) -> None:
        given = {key: _number(value) for key, value in values.items()}
        shown = {**given, **({"class": kind} if kind else {})}
        attributes = "".join(f' {key}="{value}"' for key, value in shown.items())
        end = f">{inner}</{name}>" if inner else "/>"
        self._shapes.append(f"<{name}{attributes}{end}")

    def svg(self) -> str:
        """The file's text."""
        width, height = self._size
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        return "\n".join([head, f"<style>\n{_STYLE}</style>", *self._shapes, "</svg>", ""])


def _number(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")


def apart(heights: Iterable[float], least: float) -> list[float]:
    """Heights of labels, moved down where they would touch the one above."""
    placed: dict[int, float] = {}
    below = float("-inf")
    for place, height in sorted(enumerate(heights), key=lambda item: item[1]):
        below = placed[place] = max(height, below + least)
    return [placed[place] for place in range(len(placed))]
