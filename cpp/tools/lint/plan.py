"""What is the same for many cases: routes of a release, active rules, the fields of a part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .facts import CheckedRow, Releases, alike, emissions, option_classes, support
from .model import ANY, Catalog, Engine

OTHER = "\0"  # any value that no active rule names


@dataclass(frozen=True)
class Routes:
    """How a stretch of releases takes the targets."""

    kinds: dict[str, str]  # target → flag, env or file; missing: not at all
    choices: dict[str, tuple[frozenset[str], bool] | None]  # accepted values, whether case matters

    def accepts(self, target: str, value: str) -> bool:
        known = self.choices.get(target)
        if known is None:
            return True
        values, any_case = known
        return (value.lower() if any_case else value) in values


def _stretch(items: list[dict[str, Any]], releases: Releases, number: int) -> Any:
    return next((item for item in items if releases.covers(item, number)), None)


def routes_at(engine: Engine, releases: Releases, number: int) -> Routes:
    """The way in which one release takes each target."""
    surface = engine.surface or {}
    kinds: dict[str, str] = {}
    choices: dict[str, tuple[frozenset[str], bool] | None] = {}
    for target, routes in (engine.checked or {})["targets"].items():
        if not routes:
            kinds[target] = "mark"  # only rules look at it
        for route in routes:
            kind = next(k for k in ("flag", "env", "file") if k in route)
            table = surface.get("env" if kind == "env" else "flags", {})
            name = route.get("flag", route.get("through", route.get("env")))
            item = _stretch(table.get(name, []), releases, number)
            if item is None or item.get("refused"):
                continue
            kinds[target] = kind
            known = item.get("choices")
            if kind == "flag" and "at" not in route and isinstance(known, list):
                gone = item.get("deprecated_choices", [])
                if item.get("checked") != "open":
                    any_case = bool(item.get("any_case"))
                    values = [str(c) for c in known if c not in gone]
                    lowered = frozenset(v.lower() if any_case else v for v in values)
                    choices[target] = (lowered, any_case)
            break
    return Routes(kinds, choices)


def values_of(values: Any) -> list[str]:
    """The values that a term names, whether it means them or all others."""
    return list(values["not"] if isinstance(values, dict) else values)


def is_complement(values: Any) -> bool:
    return isinstance(values, dict)


class RuleSet:
    """The rules that are active somewhere, asked about the values of targets."""

    def __init__(self, rules: list[dict[str, Any]], means: dict[tuple[str, str], str]) -> None:
        self.means = means  # target and value → what it stands for here
        terms = [rule["refuse"] for rule in rules]
        self.targets = sorted({target for term in terms for target in term})
        at = {target: i for i, target in enumerate(self.targets)}
        self.at = at
        self.named = [
            frozenset(v for term in terms for v in values_of(term.get(target, ())))
            for target in self.targets
        ]
        self.rules = [
            (
                rule["id"],
                [
                    (at[t], frozenset(values_of(v)), is_complement(v))
                    for t, v in rule["refuse"].items()
                ],
            )
            for rule in rules
        ]
        self.known: dict[tuple[str, ...], frozenset[str]] = {}

    def start(self) -> tuple[str, ...]:
        return tuple(self.standing(target, "") for target in self.targets)

    def standing(self, target: str, value: str) -> str:
        """What a value stands for, as far as a rule names it."""
        value = self.means.get((target, value), value)
        return value if value in self.named[self.at[target]] else OTHER

    def set(self, values: tuple[str, ...], emitted: dict[str, str]) -> tuple[str, ...]:
        out = list(values)
        for target, value in emitted.items():
            if target in self.at:
                out[self.at[target]] = self.standing(target, value)
        return tuple(out)

    def about(self, targets: list[str]) -> frozenset[str]:
        """The rules that look at one of these targets."""
        return frozenset(
            name
            for name, terms in self.rules
            if any(self.targets[place] in targets for place, *_ in terms)
        )

    def refusing(self, values: tuple[str, ...]) -> frozenset[str]:
        """The ids of the rules that refuse these values."""
        if values not in self.known:
            self.known[values] = frozenset(
                name
                for name, terms in self.rules
                if all((values[place] in wanted) != others for place, wanted, others in terms)
            )
        return self.known[values]


def parts(
    catalog: Catalog, order: list[str], rows: dict[str, list[CheckedRow]], rules: RuleSet
) -> list[tuple[str, ...]]:
    """Fields in mapping order, parted where neither a row nor a rule of one looks at another."""
    touches: dict[str, set[str]] = {}
    for name in order:
        emits = {target for row in rows[name] for c in row.candidates() for target in emissions(c)}
        touches[name] = {f"field {other}" for other in support(catalog, name, rows[name])}
        touches[name] |= {f"target {target}" for target in emits}
        for rule, terms in rules.rules:
            if any(rules.targets[place] in emits for place, *_ in terms):
                touches[name].add(f"rule {rule}")
    out: list[tuple[list[str], set[str]]] = []
    for name in order:
        joined, seen = [name], set(touches[name])
        for part in [part for part in out if part[1] & seen]:
            out.remove(part)
            joined, seen = part[0] + joined, seen | part[1]
        out.append((joined, seen))
    return [tuple(sorted(joined, key=order.index)) for joined, _ in out]


class Plan:
    """Fields of one part in order, with the rows that are active, and what they look at."""

    def __init__(
        self, catalog: Catalog, engine: Engine, order: tuple[str, ...], rows: dict[str, Any]
    ) -> None:
        self.catalog = catalog
        self.order = order
        self.rows: dict[str, list[CheckedRow]] = {name: rows[name] for name in order}
        self.needs = [support(catalog, name, self.rows[name]) for name in self.order]
        self.names = sorted(set().union(*self.needs))
        self.classes = option_classes(catalog, self.rows, whole=True)
        for name in self.order:
            if self.classes[name].get(ANY):
                self.classes[name] |= {value: [value] for value in self.numbers(engine, name)}
        self.emits = [
            {t for row in self.rows[n] for c in row.candidates() for t in emissions(c)}
            for n in self.order
        ]
        self.targets = sorted(set().union(*self.emits))
        self.row_memo: dict[Any, CheckedRow | None] = {}

    def numbers(self, engine: Engine, name: str) -> list[str]:
        """The values of a field without options that rules name."""
        passed = {
            target
            for row in self.rows[name]
            for candidate in row.candidates()
            for target, value in emissions(candidate).items()
            if value == "="
        }
        terms = [rule["refuse"] for rule in (engine.checked or {})["rules"]]
        lists = [
            frozenset(values_of(term[target]))
            for term in terms
            for target in passed
            if target in term
        ]
        item = self.catalog.fields[name]
        low, high = item.get("min", 0), item.get("max", 0)
        named = sorted(set().union(*lists))
        return alike([v for v in named if v.isdigit() and low <= int(v) <= high], lists)
