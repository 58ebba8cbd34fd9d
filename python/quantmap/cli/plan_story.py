"""A plan told on a terminal: what was asked, what differs, what is the same, what is left out."""

from __future__ import annotations

import shlex
import sys
from typing import Any

import click

from ..experiment import Experiment, Skip, Target
from ..plan import Plan
from .style import printable, release_words, show_detail, wrap
from .tables import say, show_table, words_of

_REFUSALS = ("cannot-serve", "fails-later", "refused-by-policy")  # codes of skips
SHOWN = 20  # experiments and causes in a table when nothing else is asked
_VALUES = 4  # values of a field that are named before the rest is counted


def tell(
    plan: Plan,
    shown: list[Experiment],
    done: int,
    minutes: float,
    *,
    all_of: int,
    unfit: int = 0,
) -> None:
    """Print the accounting, the experiments to run and what is left out on stdout."""
    _accounting(plan, done, minutes, unfit)
    if shown:
        click.echo()
        _experiments(plan, shown, all_of)
    if plan.skips:
        click.echo()
        _skips(plan.skips)


def in_words(plan: Plan, minutes: float) -> str:
    """The accounting in one line."""
    saved = duration(plan.merged * minutes)
    over = plan.distinct - len(plan)
    limit = f" {over} not planned (max_iterations {plan.max_iterations})," if over else ""
    return (
        f"{plan.asked} launches asked, {plan.distinct} differ, {plan.merged} the same as another,"
        f"{limit} {plan.skipped} refused or left out; "
        f"{saved} saved by merging at {minutes:g} minutes each"
    )


def duration(minutes: float) -> str:
    """Minutes in the two largest units that they fill."""
    whole = round(minutes)
    days, hours, rest = whole // 1440, whole // 60 % 24, whole % 60
    if days:
        return f"{days} d {hours} h" if hours and days < 100 else f"{days} d"
    if hours:
        return f"{hours} h {rest} min" if rest else f"{hours} h"
    return f"{whole} min" if whole >= 1 or minutes == 0 else f"{minutes:.2g} min"


def _release(plan: Plan, target: Target) -> str:
    version = target.version or "(documented)"
    return release_words(target.engine_name, version, plan.diagnostics)


def _accounting(plan: Plan, done: int, minutes: float, unfit: int) -> None:
    releases = list(dict.fromkeys(_release(plan, target) for target in plan.targets))
    title = " · ".join([*([plan.task_name] if plan.task_name else []), ", ".join(releases)])
    refused = sum(skip.count for skip in plan.skips if skip.code in _REFUSALS)
    rows = [
        ("asked", plan.asked, True),
        ("the same as another", plan.merged, True),
        ("refused by the release", refused, False),
        ("left out", plan.skipped - refused, True),
        (f"not planned (max_iterations {plan.max_iterations})", plan.distinct - len(plan), False),
        ("done already", done, False),
        ("too large for the GPU", unfit, False),
        ("to run", len(plan) - done - unfit, True),
    ]
    cells = [
        (name, str(count), duration(count * minutes))
        for name, count, always in rows
        if count or always
    ]
    show_table(title, ("what", "launches", f"at {minutes:g} minutes each"), cells)
    say(f"saved by merging: {duration(plan.merged * minutes)}")


def _experiments(plan: Plan, shown: list[Experiment], all_of: int) -> None:
    common = _common([experiment.args for experiment in shown])
    rows = _rows(shown, common, several=len(plan.targets) > 1)
    if sys.stdout.isatty():
        _list_experiments(rows, common, [bool(experiment.presets) for experiment in shown])
    else:
        if common:
            say(f"in each: {words_of(common)}")
        columns = ["no", "release", "arguments", "launches", "stands for"]
        if len(plan.targets) == 1:
            columns.remove("release")
        show_table("experiments to run", columns, rows)
    if all_of > len(shown):
        rest = all_of - len(shown)
        say(f"and {rest} more: --max {all_of} shows all, --jsonl --out FILE writes them")


def _rows(
    shown: list[Experiment], common: dict[str, str | bool], *, several: bool
) -> list[tuple[str, ...]]:
    """Of each experiment what it does not share, and what it stands for."""
    configs = [experiment.configs for experiment in shown]
    varied = _varied([config for group in configs for config in group])
    rows = []
    for experiment, group in zip(shown, configs):
        own = {k: v for k, v in experiment.args.items() if k not in common}
        words = [words_of(own), words_of(dict(experiment.env)), *experiment.files]
        release = f"{experiment.engine} {experiment.version or '-'}"
        rows.append(
            (
                str(experiment.index),
                *([release] if several else []),
                " ".join(word for word in words if word) or "-",
                str(experiment.points),
                _stands_for(experiment, group, varied) or "-",
            )
        )
    return rows


def _list_experiments(
    rows: list[tuple[str, ...]], common: dict[str, str | bool], by_preset: list[bool]
) -> None:
    """The experiments on a terminal: what differs, and what each stands for."""
    say("experiments to run", bold=True)
    if common:
        show_detail("in each", words_of(common))
    for (number, *release, words, points, stands_for), named in zip(rows, by_preset):
        head = " · ".join([*release, words])
        click.echo(wrap(f"{number:>3}  {head}", "", "       "))
        if points != "1":
            click.echo(wrap(f"{points} launches: {stands_for}", "     ", "       "))
        elif named:
            click.echo(wrap(f"preset {stands_for}", "     ", "       "))


def _common(all_args: list[dict[str, str | bool]]) -> dict[str, str | bool]:
    first, *others = all_args
    return {
        flag: value
        for flag, value in first.items()
        if all(flag in args and args[flag] == value for args in others)
    }


def _leaves(config: dict[str, Any]) -> dict[str, str]:
    out = {}
    for key, value in config.items():
        if isinstance(value, dict):
            out.update({f"{key}.{inner}": str(leaf) for inner, leaf in value.items()})
        elif key != "preset":
            out[key] = str(value)
    return out


def _varied(configs: list[dict[str, Any]]) -> list[str]:
    """The settings that are not the same in all of the configs."""
    values: dict[str, set[str]] = {}
    leaves = [_leaves(config) for config in configs]
    for key in {key: None for one in leaves for key in one}:
        values[key] = {one.get(key, "") for one in leaves}
    return [key for key, found in values.items() if len(found) > 1]


def _stands_for(experiment: Experiment, configs: list[dict[str, Any]], varied: list[str]) -> str:
    """Presets, or the values of the settings that differ anywhere in the plan."""
    if experiment.presets:
        return ", ".join(experiment.presets)
    leaves = [_leaves(config) for config in configs]
    parts = []
    for key in varied:
        found = list(dict.fromkeys(one[key] for one in leaves if key in one))
        more = [f"{len(found) - _VALUES} more"] if len(found) > _VALUES + 1 else []
        kept = found[:_VALUES] if more else found
        if kept:
            parts.append(f"{key} {'|'.join([*kept, *more])}")
    return ", ".join(parts)


def _skips(skips: list[Skip]) -> None:
    rows = []
    for skip in skips[:SHOWN]:
        example = {**skip.example["config"], **skip.example["parameters"]}
        words = " ".join(f"{key}={shlex.quote(str(value))}" for key, value in example.items())
        why = f"{skip.message} ({skip.hint})" if skip.hint else skip.message
        rows.append((str(skip.count), skip.path, why, printable(words)[:200] or "-"))
    show_table("left out", ("launches", "where", "why", "the first of them"), rows)
    if len(skips) > SHOWN:
        say(f"and {len(skips) - SHOWN} more causes: --json names all")
