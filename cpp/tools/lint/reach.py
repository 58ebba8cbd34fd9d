"""What checked mode can ever do: which candidates are taken, and which rules refuse one.

The rows are followed through every release, checkpoint, GPU and config, up to what no row, rule or
surface tells apart. Fields come in mapping order, and of what earlier fields did only that is kept
which a later row or an active rule looks at, so that states stay few.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import dataclass, field
from typing import Any

from .facts import (
    ACTIVATIONS,
    CheckedRow,
    Releases,
    alike,
    emissions,
    fitting,
    gpu_set,
    gpus_of,
    kind_set,
    kinds_of,
    model_set,
    models_of,
    place_of,
    read_rows,
    worlds_of,
)
from .model import FORMS, Catalog, Engine, Finding, Setting
from .plan import OTHER, Plan, Routes, RuleSet, parts, routes_at

STEPS = 1_000_000  # states looked at per engine, far more than it takes to see all that happens
# Fields of a part at most, states to follow at once (0: all), whether for rules as well, steps.
# Small parts and samples soon show most of what happens; what they do not show needs every case.
PASSES = (
    (4, 0, False, STEPS // 4),
    (99, 20, False, STEPS // 2),
    (99, 20, True, STEPS * 3 // 4),
    (99, 0, True, STEPS),
)
Taken = tuple[int, int]  # row, candidate
State = tuple[tuple[str, ...], tuple[str, ...]]  # options still needed, values that rules look at


@dataclass
class Reach:
    """What was found to happen, and what was looked at."""

    taken: set[Taken] = field(default_factory=set)
    refusing: set[str] = field(default_factory=set)
    steps: int = 0

    @property
    def whole(self) -> bool:
        """Whether every case was looked at."""
        return self.steps < STEPS


class Search:
    """Follows every config in one situation."""

    def __init__(self, plan: Plan, rules: RuleSet, routes: Routes, reach: Reach) -> None:
        self.plan, self.rules, self.routes, self.reach = plan, rules, routes, reach
        self.only_arguments = False

    def looked_at(self, number: int) -> list[bool]:
        """Which values of targets still decide something after this field."""
        later = set().union(*self.plan.emits[number + 1 :])
        targets: set[str] = set()
        for _, terms in self.rules.rules:
            names = {self.rules.targets[place] for place, *_ in terms}
            targets |= names if names & later else set()
        return [target in targets for target in self.rules.targets]

    def may_emit(self, target: str, wanted: frozenset[str]) -> bool:
        """Whether some candidate could set a target to one of these values, as far as is plain."""
        for row in (row for rows in self.plan.rows.values() for row in rows):
            for candidate in row.candidates():
                value = emissions(candidate).get(target, OTHER)
                said = "" if value is None else value
                said = self.rules.means.get((target, said), said)
                values = wanted if value == "=" else {said} & wanted
                if value != "=" and values:
                    return target in self.routes.kinds
                if any(self.routes.accepts(target, v) for v in values):
                    return target in self.routes.kinds
        return False

    def awaits(self) -> bool:
        """Whether a candidate that nothing took so far could be taken here."""
        return any(
            (row.index, number) not in self.reach.taken and self.may_take(row, number)
            for rows in self.plan.rows.values()
            for row in rows
            for number in range(len(row.candidates()))
        )

    def may_take(self, row: CheckedRow, number: int) -> bool:
        """Whether a candidate could be taken, as far as is plain without following anything."""
        judged = set(self.rules.at)
        before = [emissions(candidate) for candidate in row.candidates()[:number]]
        if any(
            not judged & emitted.keys() and not self.refused(emitted, row) for emitted in before
        ):
            return False
        return not self.refused(emissions(row.candidates()[number]), row)

    def refused(self, emitted: dict[str, Any], row: CheckedRow) -> bool:
        """Whether the release refuses this whatever is asked, files and variables allowed."""
        options = row.row["is"]
        for target, value in emitted.items():
            values = [value or ""] if value != "=" else [] if options == "*" else options
            if target not in self.routes.kinds:
                return True
            if values and not any(self.routes.accepts(target, v) for v in values):
                return True
        return False

    def may_refuse(self, rule: str) -> bool:
        """Whether a rule could refuse something, as far as is plain."""
        terms = next(terms for name, terms in self.rules.rules if name == rule)
        names = [(self.rules.targets[place], *rest) for place, *rest in terms]
        return all(
            others or self.stands(target, wanted) or self.may_emit(target, wanted)
            for target, wanted, others in names
        )

    def stands(self, target: str, wanted: frozenset[str]) -> bool:
        """Whether a target that nothing sets stands for one of these values."""
        return self.rules.means.get((target, ""), "") in wanted

    def follow(self, only_arguments: bool, most: int) -> None:
        """Field by field, all states at once; with `most`, a sample of so many of them."""
        self.only_arguments = only_arguments
        plan = self.plan
        states: set[State] = {(("?",) * len(plan.names), self.rules.start())}
        for number, name in enumerate(plan.order):
            later = set().union(*plan.needs[number + 1 :])
            keep = [n in later for n in plan.names]
            looked = self.looked_at(number)
            following: set[State] = set()
            memo: dict[tuple[int, str, tuple[str, ...]], tuple[str, ...]] = {}
            by_options: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
            for options, values in states:
                by_options.setdefault(options, []).append(values)
            for options, every in by_options.items():
                for setting in self.expand(options, plan.needs[number]):
                    row = self.match(number, setting)
                    kept = tuple(
                        setting.get(n, options[i]) if keep[i] else "?"
                        for i, n in enumerate(plan.names)
                    )
                    for values in every:
                        self.reach.steps += 1
                        key = (row.index if row else -1, setting[name], values)
                        if key not in memo:
                            after = self.take(row, setting[name], values) if row else values
                            memo[key] = tuple(
                                v if looked[i] else OTHER for i, v in enumerate(after)
                            )
                        following.add((kept, memo[key]))
            states = following
            if most and len(states) > most:
                states = set(random.Random(number).sample(sorted(states), most))

    def expand(self, options: tuple[str, ...], needed: set[str]) -> list[Setting]:
        """The options that are set, and every way to set those that are needed now."""
        out: list[Setting] = [{n: o for n, o in zip(self.plan.names, options) if o != "?"}]
        for name in self.plan.names:
            if name in needed and name not in out[0]:
                out = [{**s, name: option} for s in out for option in self.plan.classes[name]]
        return [setting for setting in out if fitting(self.plan.catalog, setting)]

    def match(self, number: int, setting: Setting) -> CheckedRow | None:
        """The row that decides a field, or none when the field is absent."""
        plan, name = self.plan, self.plan.order[number]
        value = setting[name]
        key = (number, tuple(setting[n] for n in sorted(plan.needs[number])))
        if key not in plan.row_memo:
            able = (row for row in plan.rows[name] if row.takes(value, setting))
            plan.row_memo[key] = next(able, None) if value else None
        return plan.row_memo[key]

    def take(self, row: CheckedRow, asked: str, values: tuple[str, ...]) -> tuple[str, ...]:
        """Takes the first candidate that is not refused; the values of targets afterwards."""
        rules, routes = self.rules, self.routes
        for number, candidate in enumerate(row.candidates()):
            emitted = {
                target: asked if value == "=" else "" if value is None else value
                for target, value in emissions(candidate).items()
            }
            refused = any(
                target not in routes.kinds
                or (self.only_arguments and routes.kinds[target] in ("env", "file"))
                or not routes.accepts(target, value)
                for target, value in emitted.items()
            )
            if refused:
                continue
            after = rules.set(values, emitted)
            if emitted:
                refusing = rules.refusing(after)
                self.reach.refusing |= refusing
                if refusing:
                    continue
            self.reach.taken.add((row.index, number))
            return after
        return values


def reach_of(catalog: Catalog, engine: Engine) -> Reach:
    """What the checked rows of an engine can do in any release, on any checkpoint and GPU."""
    out = Reach()
    checked, releases = engine.checked or {}, Releases(engine.surface or {})
    kinds, gpus, models = kinds_of(catalog), gpus_of(catalog), models_of(catalog)
    by_field = read_rows(catalog, engine)
    rows = [row for items in by_field.values() for row in items]
    reads = [
        (
            rule,
            kind_set(rule.get("checkpoint"), kinds),
            gpu_set(rule.get("gpu"), gpus),
            model_set(rule.get("model"), models),
        )
        for rule in checked["rules"]
    ]
    models = alike(models, [row.models for row in rows] + [of_models for *_, of_models in reads])
    models = models if len(models) > 1 else models_of(catalog)[:2]
    mortal = {rule["id"] for rule, *_ in reads if rule["refuse"] and not rule.get("user_only")}
    stretches: dict[Any, tuple[Routes, list[Any], int]] = {}
    meanings = checked.get("meanings", [])
    key: Any
    for number in range(len(releases)):
        routes = routes_at(engine, releases, number)
        current = [item for item in reads if releases.covers(item[0], number)]
        key = (
            tuple(sorted(routes.kinds.items())),
            tuple(sorted(routes.choices.items(), key=str)),
            tuple(rule["id"] for rule, *_ in current),
            tuple(i for i, item in enumerate(meanings) if releases.covers(item, number)),
        )
        stretches[key] = (routes, current, number)
    situations = list(itertools.product(stretches.values(), kinds, gpus, models, ACTIVATIONS))
    random.Random(0).shuffle(situations)  # most things are seen soon; the rest needs them all
    orders = [[n for n in engine.data["order"][form] if n in by_field] for form in FORMS]
    cases: dict[Any, tuple[Search, frozenset[str], bool]] = {}
    plans: dict[Any, Plan] = {}
    divided: dict[Any, list[tuple[Plan, RuleSet, frozenset[str], frozenset[int]]]] = {}
    for (routes, current, number), kind, gpu, model, activations in situations:
        rules_here = [
            rule
            for rule, of_kinds, of_gpus, of_models in current
            if kind in of_kinds and gpu in of_gpus and model in of_models
        ]
        rows_here = [row for row in rows if row.holds(kind, gpu, model, activations)]
        means_here = [
            item
            for item in meanings
            if releases.covers(item, number)
            and kind in kind_set(item.get("checkpoint"), kinds)
            and gpu in gpu_set(item.get("gpu"), gpus)
        ]
        looks = [*rules_here, *means_here, *(row.world for row in rows_here)]
        for world in worlds_of(catalog, looks, model != models[0]):
            if kind == kinds[0] and (world.kv != "none" or world.scheme != "unknown"):
                continue  # only a quantized checkpoint says so
            here = [rule for rule in rules_here if world.holds(rule)]
            if any(not rule["refuse"] for rule in here):
                continue
            means: dict[tuple[str, str], str] = {}
            for item in (item for item in means_here if world.holds(item)):
                for value in item["is"]:
                    means.setdefault((item["target"], value), item["means"])
            active = frozenset(row.index for row in rows_here if world.holds(row.world))
            meant = tuple(sorted(means.items()))
            key = (tuple(rule["id"] for rule in here), active, meant)
            if key not in divided:
                divided[key] = []
                rules = RuleSet(here, means)
                able = {n: [r for r in of if r.index in active] for n, of in by_field.items()}
                for part in (p for order in orders for p in parts(catalog, order, able, rules)):
                    own = frozenset(row.index for name in part for row in able[name])
                    if (part, own) not in plans:
                        plans[part, own] = Plan(catalog, engine, part, able)
                    plan = plans[part, own]
                    near = rules.about(plan.targets)
                    divided[key].append((plan, rules, near, own))
            for plan, rules, near, own in divided[key]:
                ways = tuple((t, routes.kinds.get(t), routes.choices.get(t)) for t in plan.targets)
                files = any(way[1] in ("env", "file") for way in ways)
                found = (Search(plan, rules, routes, out), near & mortal, files)
                cases.setdefault((plan.order, own, near, ways, meant), found)
    done: set[Any] = set()
    for fields, most, rules_too, limit in PASSES:
        for key, (search, near, files) in cases.items():
            if key in done or out.steps >= limit or len(search.plan.order) > fields:
                continue
            open_rules = near - out.refusing if rules_too else ()
            if not search.awaits() and not any(map(search.may_refuse, open_rules)):
                continue
            if not most:
                done.add(key)
            for only_arguments in {False, files}:
                search.follow(only_arguments, most)
    return out


# Rules that are user_only although a row could meet them. The exhaustive proof shows that nothing
# derived is refused; each is to be read again, and the mark taken out where that changes nothing.
MET_BY_ROWS = {
    "bitsandbytes-checkpoint-loader",
    "method-kept-modelopt",
    "nvfp4kv-backend",
    "triton-v1-name",
}


def _is_met(name: str) -> bool:
    return name in MET_BY_ROWS or name.startswith("method-of-")


def reach_complete(catalog: Catalog) -> list[Finding]:
    """Every candidate is taken, and every rule refuses one, in some release and situation."""
    rule, out = "reach-complete", []
    for engine in [engine for engine in catalog.engines if engine.checked and engine.surface]:
        reach, file = reach_of(catalog, engine), engine.beside("checked.json")
        seen = "" if reach.whole else f" among the {STEPS} states seen"
        for row in [row for rows in read_rows(catalog, engine).values() for row in rows]:
            for number in range(len(row.candidates())):
                # A bound on the states says nothing of a candidate that it left unseen.
                if reach.whole and (row.index, number) not in reach.taken:
                    problem = f"no case{seen} takes this candidate"
                    cure = "move it up, mend it, or drop it"
                    place = f"{place_of(row)}.try[{number}]"
                    out.append(Finding(rule, file, place, problem, cure))
        for item in (engine.checked or {})["rules"]:
            alive = item["id"] in reach.refusing
            place = f"rules ({item['id']})"
            if item.get("user_only"):
                if alive and not _is_met(item["id"]):
                    problem = "refuses what rows emit, although it is user_only"
                    out.append(Finding(rule, file, place, problem, "take the mark out"))
            elif reach.whole and item["refuse"] and not alive:  # nor of a rule
                problem = f"in no case{seen} it refuses what a row emits"
                cure = "drop it, or mark it user_only when it judges what others write"
                out.append(Finding(rule, file, place, problem, cure))
    return out


RULES = (reach_complete,)
