"""The picture of a quality report, and one page with all of it."""

from __future__ import annotations

import html
import math
import re

from .. import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .quality import Quality

_WIDTH, _HEIGHT, _LEFT, _BOTTOM = 960, 372, 48, 52
_ROOM = 26  # between the numbers of two layers
_COLOURS = ("#1f77b4", "#d95f02", "#2a9d5c", "#c0399f", "#7570b3", "#8c6d1f", "#c0392b", "#555555")
_SHAPES = {"experts": "square"}

_STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem max(1rem, 50vw - 31rem); }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #8884; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
.wide { overflow-x: scroll; }
"""


def escape(text: str) -> str:
    """Text of a page or a picture: what XML cannot hold, or nobody would see, as its escape."""
    return html.escape(_core.printable(text))


def _layers(names: list[str], across: float) -> list[str]:
    """Where each layer begins, with its number where there is room for it."""
    begins: list[tuple[int, str]] = []
    for place, name in enumerate(names):
        number = re.search(r"\.(\d+)\.", name)
        layer = number[1] if number else ""
        if not begins or layer != begins[-1][1]:
            begins.append((place, layer))
    out = []
    told = -math.inf
    for place, layer in begins:
        x = _LEFT + 8 + (place - 0.5) * across
        if not layer or x - told < _ROOM:
            continue
        told = x
        out.append(
            f'<path d="M{x:.1f} 8V{_HEIGHT - _BOTTOM}" stroke="#888" stroke-opacity="0.25"/>'
            f'<text x="{x + 3:.1f}" y="{_HEIGHT - _BOTTOM + 14}" fill="#888">{layer}</text>'
        )
    return out


def picture(found: Quality) -> str:
    """SQNR of every module by layer and kind, one colour for each scheme.

    Args:
        found: the report.

    Returns:
        str: SVG.
    """
    points = []
    for place, module in enumerate(found.modules):
        for name, result in module.results.items():
            value = result["sqnr_db"]
            if value is not None and math.isfinite(value):
                points.append((place, name, value, module))
    names = [recipe.name for recipe in found.recipes]
    low = min((value for _, _, value, _ in points), default=0.0)
    high = max((value for _, _, value, _ in points), default=1.0)
    low, high = math.floor(low) - 1, math.ceil(high) + 1
    rows = 18 * len(names)
    height = _HEIGHT + rows
    across = (_WIDTH - _LEFT - 16) / max(len(found.modules) - 1, 1)
    down = (_HEIGHT - _BOTTOM - 16) / (high - low)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        'font-family="system-ui, sans-serif" font-size="12">',
        "<title>Signal to quantization noise of each module, in dB</title>",
    ]
    step = max(1, (high - low) // 8)
    for level in range(low, high + 1, step):
        y = _HEIGHT - _BOTTOM - (level - low) * down
        out.append(
            f'<line x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}" stroke="#888" '
            'stroke-opacity="0.35"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#888">{level}</text>'
        )
    out.append(
        f'<text x="{_LEFT}" y="{_HEIGHT - 12}" fill="#888">'
        "layer, with its modules in the order of the checkpoint: circles linear, squares experts; "
        "upwards dB</text>"
    )
    out += _layers([module.name for module in found.modules], across)
    for place, name, value, module in points:
        x = _LEFT + 8 + place * across
        y = _HEIGHT - _BOTTOM - (value - low) * down
        colour = _COLOURS[names.index(name) % len(_COLOURS)]
        title = f"<title>{escape(module.name)}: {escape(name)} {value:.2f} dB</title>"
        if module.kind in _SHAPES:
            mark = f'<rect x="{x - 3:.1f}" y="{y - 3:.1f}" width="6" height="6" fill="{colour}">'
            out.append(f"{mark}{title}</rect>")
        else:
            mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}">'
            out.append(f"{mark}{title}</circle>")
    for row, name in enumerate(names):
        y = _HEIGHT + 12 + 18 * row
        colour = _COLOURS[row % len(_COLOURS)]
        out.append(
            f'<circle cx="{_LEFT}" cy="{y - 4}" r="4" fill="{colour}"/>'
            f'<text x="{_LEFT + 10}" y="{y}" fill="{colour}">{escape(name)}</text>'
        )
    out.append("</svg>")
    return "\n".join(out) + "\n"


def page(found: Quality) -> str:
    """One page that needs nothing else: totals, picture, every module, what it does not say.

    Args:
        found: the report.

    Returns:
        str: HTML.
    """
    head = "<tr><th>scheme<th>SQNR dB<th>error<th>shrink<th>new zeros<th>bits<th>MB</tr>"
    totals = []
    for name, total in found.totals.items():
        if total["modules"]:
            totals.append(_row(name, total, f"{total['bytes'] / 1e6:.1f}"))
    rows = []
    for module in found.modules:
        for name, result in module.results.items():
            worst = f"{result['worst_row_error']:.2e}"
            rows.append(_row(f"{module.name} · {name}", result, worst))
    left = [
        f"<li>{escape(item['name'])} ({escape(item['kind'])}: {escape(item['reason'])})"
        for item in found.left_out
    ]
    left += [
        f"<li>rule {rule['rule']} ({escape(rule['pattern'])}): {len(rule['modules'])} modules"
        for rule in found.rules or ()
    ]
    notes = [f"<li>{escape(note)}" for note in found.notes]
    formulas = [
        f"<li><b>{escape(recipe.name)}</b>: {escape(recipe.formula)}" for recipe in found.recipes
    ]
    return "\n".join(
        [
            '<!doctype html><html lang="en"><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(found.model)}: quantization of weights</title>",
            f"<style>{_STYLE}</style>",
            f"<h1>{escape(found.model)}</h1>",
            f'<div class="wide"><table>{head}{"".join(totals)}</table></div>',
            picture(found),
            f"<h2>What this does not say</h2><ul>{''.join(notes)}</ul>",
            f"<h2>How codes are computed</h2><ul>{''.join(formulas)}</ul>",
            f"<h2>Left as they are</h2><ul>{''.join(left) or '<li>nothing'}</ul>",
            '<h2>Every module</h2><div class="wide"><table>',
            head.replace("scheme", "module · scheme").replace("MB", "worst channel"),
            "".join(rows),
            "</table></div></html>\n",
        ]
    )


def _row(name: str, result: dict[str, object], last: str) -> str:
    cells = [escape(name)]
    for key, form in (
        ("sqnr_db", ".2f"),
        ("relative_error", ".2e"),
        ("shrink", ".4f"),
        ("zeros_created", ".2%"),
        ("bits_per_weight", ".3f"),
    ):
        value = result[key]
        cells.append("-" if value is None else format(value, form))
    return "<tr><td>" + "<td>".join([*cells, last]) + "</tr>"
