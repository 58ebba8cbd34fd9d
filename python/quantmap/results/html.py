"""Results as one page of HTML that needs nothing else: a table, the front as a picture, effects.

Everything that comes from a file is escaped, and the page runs no script.
"""

from __future__ import annotations

import math
import os
from html import escape

from .story import (
    effect_line,
    failure_lines,
    goal_line,
    heading,
    hidden_line,
    memory_line,
    number,
    precision_lines,
    row_values,
    shown_metrics,
    way_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .row import Row
    from .table import Results

__all__ = ["to_html"]

WIDTH, HEIGHT, LEFT, BOTTOM, MARGIN = 720, 360, 76, 48, 16
MAX_DRAWN = 10_000


def to_html(results: Results) -> Iterator[str]:
    """The page.

    Args:
        results: what came of a plan.

    Returns:
        Iterator[str]: pieces of the text, in order.
    """
    title = escape(str(results.plan.task_name or "Results"))
    head = os.path.join(os.path.dirname(__file__), "head.html")
    with open(head, encoding="utf-8") as handle:
        yield handle.read().replace("TITLE", title)
    plan = results.plan
    same = f"{plan.asked} combinations asked, {plan.merged} the same launch as another"
    yield f"<p>{escape(heading(results))}</p><p class=soft>{same}, {plan.skipped} left out</p>"
    yield f"<p class=soft>{escape(goal_line(results))}</p>"
    yield from _best(results)
    yield from _picture(results)
    yield from _ranked(results)
    yield from _list("What one change does", [effect_line(item) for item in results.effects()])
    yield from _list("Failed", list(failure_lines(results)))
    yield from _list("Notes", [str(item) for item in results.diagnostics])
    yield "</html>\n"


def _list(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        items = "".join(f"<li>{escape(line)}" for line in lines)
        yield f"<h2>{title}</h2><ul>{items}</ul>"


def _best(results: Results) -> Iterator[str]:
    best = results.best()
    if best is not None:
        values = escape(row_values(results, best, further=True))
        yield "<p class=best><strong class=good>✓ Best under the task's limits</strong> "
        yield f"<code>{escape(best.label.replace('+', ' '))}</code><br>{values}</p>"


def _ranked(results: Results) -> Iterator[str]:
    names = shown_metrics(results)
    heads = ["experiment", "launch", "stands for", *map(results.titled, names), "limits"]
    yield "<h2>Measured, the best first</h2><div class=wide tabindex=0 role=region "
    yield 'aria-label="Measured"><table><thead><tr>'
    yield "".join(f"<th scope=col>{escape(head)}" for head in heads)
    yield "</thead><tbody>"
    ranked = results.ranked()
    runs = precision_lines(results, ranked)
    for row in ranked:
        yield f"<tr><td>{row.index} <code>{row.experiment.signature[:8]}</code>"
        yield f"<td class=launch><code>{escape(row.label.replace('+', ' '))}</code>"
        for line in filter(None, (runs[row.index], memory_line(results, row))):
            yield f"<br><span class=soft>{escape(line)}</span>"
        yield "<td class=n>"
        yield str(row.experiment.points)
        for name in names:
            yield f"<td class=n>{_cell(row, name)}"
        yield f"<td>{_limits(row)}"
    yield f"</tbody></table></div><p class=soft>{hidden_line(results)}</p>"


def _cell(row: Row, name: str) -> str:
    item = row.metrics.get(name)
    if item is None:
        return "–"
    spread = "" if item.spread is None else f" <span class=soft>±{item.spread / 2:.1%}</span>"
    return number(item.mean) + spread


def _limits(row: Row) -> str:
    if not row.score.broken:
        return "<span class=good>✓ kept</span>"
    broken = ", ".join(f"{limit.metric} +{excess:.0%}" for limit, excess in row.score.broken)
    return f"<span class=bad>✗ {escape(broken)}</span>"


def _picture(results: Results) -> Iterator[str]:
    """The two metrics against each other; what nothing beats is joined by a line."""
    first, second = results.goal.metric, results.rival(results.goal.metric)
    if second is None:
        return
    rows = [row for row in results.rows if {first, second} <= row.metrics.keys()][:MAX_DRAWN]
    if len(rows) < 2:
        return
    across = _Scale([row.metrics[second].mean for row in rows], LEFT, WIDTH - MARGIN)
    up = _Scale([row.metrics[first].mean for row in rows], HEIGHT - BOTTOM, MARGIN)
    front = results.front(first, second)
    on = {row.index for row in front}
    label = f"{results.titled(first)} against {results.titled(second)}"
    yield f"<h2>{escape(label)}</h2>"
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}; the table'
    yield ' below holds the numbers">'
    yield from _axes(results, across, up, first, second)
    points = [(across.at(r.metrics[second].mean), up.at(r.metrics[first].mean), r) for r in rows]
    line = sorted((x, y) for x, y, row in points if row.index in on)
    yield f'<path class=front d="M{" L".join(f"{x:.1f} {y:.1f}" for x, y in line)}"/>'
    for x, y, row in sorted(points, key=lambda point: point[2].index in on):
        kind = "dot on" if row.index in on else "dot"
        told = f"<title>{escape(f'{row.index} {row.label}')}</title>"
        yield f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="5">{told}</circle>'
    yield "</svg>"
    names = ", ".join(f"{row.index} ({escape(row.label)})" for row in front[:12])
    yield f"<p>Nothing beats in both: {names}</p>"


def _axes(results: Results, across: _Scale, up: _Scale, first: str, second: str) -> Iterator[str]:
    """Both scales with their lines and numbers, and what they are of."""
    for value in across.ticks():
        place = across.at(value)
        yield f'<path class=axis d="M{place:.1f} {MARGIN}V{HEIGHT - BOTTOM}"/>'
        yield f'<text x="{place:.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">'
        yield f"{number(value)}</text>"
    for value in up.ticks():
        place = up.at(value)
        yield f'<path class=axis d="M{LEFT} {place:.1f}H{WIDTH - MARGIN}"/>'
        yield f'<text x="{LEFT - 8}" y="{place + 4:.1f}" text-anchor="end">{number(value)}</text>'
    for name, where, anchor in (
        (second, f'x="{WIDTH - MARGIN}" y="{HEIGHT - 8}"', "end"),
        (first, f'x="{LEFT - 60}" y="12"', "start"),
    ):
        way = f", {way_of(name)}" if way_of(name) else ""
        text = escape(results.titled(name) + way)
        yield f'<text {where} text-anchor="{anchor}">{text}</text>'


class _Scale:
    """Values on a line of pixels, from below the least to above the most."""

    def __init__(self, values: list[float], begin: float, end: float) -> None:
        low, high = min(values), max(values)
        pad = (high - low) * 0.06 or abs(high) * 0.1 or 1.0
        self.low, self.high, self.begin, self.end = low - pad, high + pad, begin, end

    def at(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        raw = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * times for times in (1, 2, 5, 10) if power * times >= raw)
        first = math.ceil(self.low / step)
        return [place * step for place in range(first, math.floor(self.high / step) + 1)]
