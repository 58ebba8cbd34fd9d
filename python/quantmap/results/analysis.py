"""Comparing results: the front that nothing beats, and the effect of one change by itself."""

from __future__ import annotations

from ..result import Result
from .metrics import better

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ..words import Positive
    from .row import Row

__all__ = ["Effect", "effects", "front"]

MOST_PAIRED = 16  # values of one part that are all compared with each other


class Effect(Result):
    """What one change does to one metric, everything else equal.

    Attributes:
        part: what is changed: a field of the config or an argument.
        before: its value; empty when it is not there.
        after: the value that it is changed to.
        metric: what was measured.
        pairs: how many pairs of experiments differ in nothing else.
        change: the mean relative change; 0.1 is 10 % more.
        low: the smallest change of a pair.
        high: the largest.
        noise: the widest relative spread of repeated runs among them, or None without repeats.
    """

    part: str
    before: str
    after: str
    metric: str
    pairs: Positive
    change: float
    low: float
    high: float
    noise: float | None

    _also = ("clear",)

    @property
    def clear(self) -> bool | None:
        """Whether every pair agrees on the sign, by more than repeats differ.

        Returns:
            bool | None: None when nothing was repeated, so that nobody can tell.
        """
        if self.noise is None:
            return None
        return self.low > self.noise or self.high < -self.noise

    def __repr__(self) -> str:
        return f"Effect({self.part} {self.before!r} → {self.after!r}: {self.change:+.1%})"


def front(rows: Iterable[Row], first: str, second: str) -> list[Row]:
    """The results that no other beats in both metrics.

    Args:
        rows: results.
        first: a metric.
        second: another one.

    Returns:
        list[Row]: best by `first` at the start. More is better, unless it is known to be worse.
    """
    signs = [-1.0 if better(name) == "less" else 1.0 for name in (first, second)]
    points = []
    for row in rows:
        if first in row.metrics and second in row.metrics:
            one, two = row.metrics[first].mean, row.metrics[second].mean
            points.append((one * signs[0], two * signs[1], row))
    points.sort(key=lambda point: (-point[0], -point[1], point[2].index))
    out: list[Row] = []
    best: tuple[float, float] | None = None
    for one, two, row in points:
        if best is None or two > best[1] or (one, two) == best:
            out.append(row)
            best = (one, two)
    return out


def effects(
    rows: Sequence[Row],
    metric: str,
    described: Callable[[Row], Iterable[dict[str, str]]],
    parts: Sequence[str],
) -> list[Effect]:
    """What each change of one part does, with all the others equal.

    Args:
        rows: results, in the order of the plan.
        metric: what to compare.
        described: the descriptions of a result; one that stands for several has several.
        parts: the parts to look at.

    Returns:
        list[Effect]: by part, in the order given; the value that the plan has first is the one that
        is compared with. Of more than 16 values each is compared with the first and with the one
        before it, else all with all.
    """
    found = [(row, list(described(row))) for row in rows if metric in row.metrics]
    out: list[Effect] = []
    for part in parts:
        out += _of_part(found, part, metric)
    return out


def _of_part(found: list[tuple[Row, list[dict[str, str]]]], part: str, metric: str) -> list[Effect]:
    alike: dict[frozenset[tuple[str, str]], dict[str, Row]] = {}
    order: dict[str, None] = {}
    for row, descriptions in found:
        for description in descriptions:
            value = description.get(part, "")
            order.setdefault(value)
            others = frozenset(item for item in description.items() if item[0] != part)
            alike.setdefault(others, {}).setdefault(value, row)
    pairs: dict[tuple[str, str], dict[tuple[int, int], tuple[Row, Row]]] = {}
    for group in alike.values():
        for before, after in _compared(group, order):
            one, two = group[before], group[after]
            if one is not two:
                pairs.setdefault((before, after), {})[one.index, two.index] = (one, two)
    place = {value: number for number, value in enumerate(order)}
    found_pairs = sorted(pairs, key=lambda pair: (place[pair[1]], place[pair[0]]))
    made = (_effect(part, *pair, metric, list(pairs[pair].values())) for pair in found_pairs)
    return [effect for effect in made if effect is not None]


def _compared(group: dict[str, Row], order: dict[str, None]) -> Iterator[tuple[str, str]]:
    """The pairs of values to compare among results that differ in nothing else.

    Args:
        group: the results by value.
        order: every value of the part, as the plan has them.

    Yields:
        tuple: the earlier value and the later one: all pairs of few values; of many, each with the
        plan's first and with the one before it, for their pairs would be more than anybody reads.
    """
    if len(order) <= MOST_PAIRED:
        present = [value for value in order if value in group]
        for place, after in enumerate(present):
            for before in present[:place]:
                yield before, after
        return
    first = last = next(iter(order))
    for value in order:
        if value in group:
            for before in dict.fromkeys((first, last)):
                if before in group and before != value:
                    yield before, value
        last = value


def _effect(
    part: str, before: str, after: str, metric: str, pairs: list[tuple[Row, Row]]
) -> Effect | None:
    changes, spreads = [], []
    for one, two in pairs:
        first, second = one.metrics[metric], two.metrics[metric]
        if first.mean == 0:
            continue
        changes.append(second.mean / first.mean - 1)
        spreads += [item.spread for item in (first, second) if item.spread is not None]
    if not changes:
        return None
    mean = sum(changes) / len(changes)
    noise = max(spreads, default=None)
    ends = min(changes), max(changes)
    return Effect(part, before, after, metric, len(changes), mean, *ends, noise)
