#!/usr/bin/env python3
"""Draw the pictures of the documentation from the installed quantmap.

Usage: python docs/pictures.py write|check

Every figure is asked of the compiled module. The files are text, a few kilobytes each and the same
on every machine: `check` compares them byte by byte and exits 1 when one is stale.
"""

from __future__ import annotations

import datetime
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import _ways
import quantmap
from _models import BY_NAME
from _render import documented_engines, fields
from _svg import Drawing, apart
from quantmap import _core

FOLDER = Path(__file__).resolve().parent / "pictures"
CURE = "python docs/pictures.py write"
GPU = "H100"
MODEL, SMALL_GPU = "Meta-Llama-3-8B", "L4"


def acceptance() -> Drawing:
    """What share of the documented grid each release refuses."""
    left, top, width, height = 52, 66, 536, 230
    known = {engine["name"]: _refused(engine["id"]) for engine in documented_engines()}
    days = [day for line in known.values() for day, _ in line]
    first, last = min(days), max(days)

    def place(day: datetime.date, share: float) -> tuple[float, float]:
        x = left + width * (day - first).days / (last - first).days
        return x, top + height * (1 - share)

    ends = [f"{name} {100 * line[-1][1]:.0f} %" for name, line in known.items()]
    picture = Drawing(
        750,
        340,
        "Documented configs that a release refuses",
        f"Share of the configs of the four fields, by release date. Newest: {', '.join(ends)}.",
    )
    asked = _core.documented_refusals(*_newest(documented_engines()[0]["id"]), None)["asked"]
    picture.text(0, 40, f"of all {asked:,} configs of the four fields, unquantized model", "soft")
    for percent in range(0, 101, 25):
        y = top + height * (1 - percent / 100)
        picture.line(left, y, left + width, y)
        picture.text(left - 8, y + 4, f"{percent} %", "soft end")
    for year in range(first.year + 1, last.year + 1):
        x, _ = place(datetime.date(year, 1, 1), 0)
        picture.line(x, top, x, top + height)
        picture.text(x, top + height + 20, str(year), "soft mid")
    labels = apart([place(last, line[-1][1])[1] for line in known.values()], 18)
    for number, line in enumerate(known.values()):
        points = [place(day, share) for day, share in line]
        picture.steps([*points, (left + width, points[-1][1])], f"c{number}")
        picture.text(left + width + 8, labels[number] + 4, ends[number], f"ink c{number}")
    return picture


def _newest(engine: str) -> tuple[str, str]:
    return engine, _core.releases(engine)[-1]["version"]


def _refused(engine: str) -> list[tuple[datetime.date, float]]:
    """The share at every release's date, in the order of dates."""
    out = []
    for release in _core.releases(engine):
        found = _core.documented_refusals(engine, release["version"], None)
        day = datetime.date.fromisoformat(release["date"])
        out.append((day, found["refused"] / found["asked"]))
    return sorted(out)


def collapse() -> Drawing:
    """How many launches the whole grid of the four fields comes to, as one task."""
    left, top, width, height = 232, 62, 404, 16
    grid = {field["key"]: field["options"] for field in fields("four_field")}
    rows = []
    for engine in documented_engines():
        for version, gpu in ((None, None), (_newest(engine["id"])[1], GPU)):
            task = {"base_runtime": engine["id"], "quant_config": grid}
            found = quantmap.plan(task, engine_version=version, gpu=gpu)
            release = f"{version} on {gpu}" if version else "documented"
            rows.append((f"{engine['name']} {release}", found))
    told = "; ".join(f"{name}: {plan.distinct} of {plan.asked:,}" for name, plan in rows)
    picture = Drawing(750, 62 + 30 * len(rows), "One task, fewer launches", f"{told}.")
    picture.text(0, 40, f"{rows[0][1].asked:,} configs asked, and the launches that differ", "soft")
    for number, (name, plan) in enumerate(rows):
        y, colour = top + 30 * number, f"c{number // 2}"
        picture.text(left - 10, y + 13, name, "end")
        picture.bar(left, y, width, height, f"fill light {colour}")
        picture.bar(left, y, width * plan.distinct / plan.asked, height, f"fill {colour}")
        picture.text(left + width + 8, y + 13, f"{plan.distinct:,} launches", f"ink {colour}")
    return picture


def memory() -> Drawing:
    """What fills a GPU's memory under each preset: a small model on a small GPU."""
    left, top, width, height, most = 150, 104, 430, 20, 1.2  # `most`: of the GPU's memory
    context, at_once = 8192, 8
    presets = [row["id"] for row in _core.presets() if row["form"] == "four_field"]
    release = "@".join(_newest("vllm"))
    fits = [
        quantmap.estimate(
            BY_NAME[MODEL].config,
            {"preset": preset},
            engine=release,
            gpu=SMALL_GPU,
            context=context,
            concurrency=at_once,
        )
        for preset in presets
    ]
    told = [f"{preset}: {fit.sequences} sequences fit" for preset, fit in zip(presets, fits)]
    picture = Drawing(
        750, top + 32 * len(fits) + 40, f"{MODEL} on an {fits[0].gpu}", "; ".join(told)
    )
    wish = f"{at_once} sequences of {context:,} tokens, {fits[0].engine_name} {fits[0].version}"
    picture.text(0, 40, wish, "soft")
    names = ("weights", "activations and reserve", "KV cache that is wanted")
    x = float(left)
    for number, name in enumerate(names):
        picture.bar(x, 62, 12, 12, f"fill c{number}")
        picture.text(x + 18, 73, name)
        x += 34 + 7.4 * len(name)
    full = fits[0].memory_bytes or 0
    scale = width / (most * full)
    for number, (preset, fit) in enumerate(zip(presets, fits)):
        y, x = top + 32 * number, float(left)
        picture.text(left - 10, y + 15, preset, "end")
        reserve = fit.activation_bytes + fit.kept_free_bytes
        for colour, size in enumerate((fit.weight_bytes, reserve, fit.kv_needed_bytes)):
            shown = min(size * scale, left + width - x)
            picture.bar(x, y, shown, height, f"fill c{colour}")
            x += shown
        picture.text(left + width + 10, y + 15, f"{fit.sequences} sequences fit")
    x, below = left + full * scale, top + 32 * len(fits)
    picture.line(x, top - 8, x, below, "edge")
    picture.text(x, below + 16, f"{full / 1e9:.0f} GB", "soft mid")
    return picture


PICTURES: dict[str, Callable[[], Drawing]] = {
    "acceptance": acceptance,
    "collapse": collapse,
    "memory": memory,
    "ways": _ways.picture,
}


def main(arguments: list[str]) -> int:
    """Write or check every picture."""
    if arguments not in (["write"], ["check"]):
        print(f"usage: {CURE}|check", file=sys.stderr)
        return 2
    stale = 0
    for name, draw in PICTURES.items():
        path = FOLDER / f"{name}.svg"
        text = draw().svg()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        if arguments == ["write"]:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/pictures/{path.name}")
        else:
            stale += 1
            print(f"docs/pictures/{path.name} is stale; run:  {CURE}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
