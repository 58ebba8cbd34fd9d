"""A mapping told as a colleague would: asked, done, refused and why, the fix, the source."""

from __future__ import annotations

from .. import _core
from ..errors import Diagnostic, refuses_whole
from ..mapping import Decision, Mapping
from ..task import Task
from . import declare
from .advice import EXACT, Ground, default_of
from .style import (
    INDENT,
    as_typed,
    folded_command,
    marked,
    paint,
    printable,
    release_words,
    show_detail,
    show_line,
    wrap,
)
from .tables import reason_of, setting_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_NUMBERS = {"linear": "linear layers", "experts": "experts", "cache": "KV cache",
            "linear_activation": "inputs of linear layers",
            "expert_activation": "inputs of experts"}  # fmt: skip
_IN_TABLE = ("degraded", "dropped", "not-separate")  # diagnostics that the settings tell already
_FINE = (*EXACT, "replaced")


def tell(ground: Ground, task: Task, gpu: str, *, evidence: bool) -> None:
    """Print the whole story of one mapping of a task on stdout."""
    mapping = ground.mapping
    _head(mapping, task.name, gpu)
    serves = not any(refuses_whole(item) for item in mapping.diagnostics)
    if serves:
        _settings(ground, evidence)
        _effect(mapping)
        _numbers(mapping)
    _refusals(ground)
    _notes(mapping)
    if serves:
        _launch(mapping, task.model_path())


def _head(mapping: Mapping, name: str | None, gpu: str) -> None:
    release = release_words(mapping.engine_name, mapping.version, mapping.diagnostics)
    _, _, meant = release.partition(" in place of ")
    if meant:
        release = f"{mapping.engine_name} {meant} ({mapping.version} in its place)"
    place = f" on {gpu}" if gpu else ""
    if mapping.gpu and mapping.gpu.lower() != gpu.lower():
        place += f" ({mapping.gpu})"
    asked = [f"{item.field} {item.asked}" for item in mapping.decisions if _is_wish(mapping, item)]
    wish = ", ".join(asked) or "its own defaults"
    if mapping.preset:
        wish = f"the preset {mapping.preset} ({wish})"
    title = f"{name}: you asked" if name else "You asked"
    declare.echo(paint(wrap(f"{title} {release}{place} for {wish}."), bold=True))
    if mapping.mode == "documented":
        declare.echo(
            wrap(
                "No release is named, so this is the documented mapping and nothing is checked: "
                "name yours with --engine-version, or latest."
            )
        )


def _is_wish(mapping: Mapping, decision: Decision) -> bool:
    set_by_someone = decision.given or bool(mapping.preset)
    return set_by_someone and decision.asked != default_of(decision.field)


def _settings(ground: Ground, evidence: bool) -> None:
    mapping = ground.mapping
    declare.echo("\nWhat it will do:")
    left = []
    for decision in mapping.decisions:
        if decision.code == "nothing-asked":
            left.append(decision.field)
            continue
        show_line(decision.outcome, setting_of(decision))
        if decision.outcome not in _FINE:
            show_detail("why", reason_of(_reason(mapping, decision), decision.assumed))
            if mapping.version:
                for fix in ground.fixes(decision):
                    show_detail("fix", fix)
        elif decision.code not in ("applied", "renamed"):
            show_detail("why", _reason(mapping, decision))
        shown = decision.evidence if evidence else decision.evidence[:1]
        for source in shown if evidence or decision.outcome not in EXACT else ():
            show_detail("source", source)
    if left:
        show_line("not-set", f"{', '.join(left)} ({mapping.engine_name} and the model decide)")


def _reason(mapping: Mapping, decision: Decision) -> str:
    """Why, without repeating what the line above says already."""
    for item in mapping.diagnostics:
        if item.message == decision.sentence and item.context.get("reason"):
            return f"{item.context['reason']}."
    return decision.sentence


def _effect(mapping: Mapping) -> None:
    if not mapping.precision:
        return
    declare.echo("\nWhat it will really be:")
    for part, precision in mapping.precision.items():
        declare.echo(wrap(f"{_core.precision_parts.get(part, part)}: {precision}", "  ", INDENT))


def _numbers(mapping: Mapping) -> None:
    """How what is quantized while loading is computed."""
    from ..numerics.named import Named

    named = Named.of(mapping)
    if mapping.version and (named.parts or named.outside or named.unread):
        declare.echo("\nHow the numbers are computed:")
    else:
        return
    for part, recipe in named.parts.items():
        rounding = ""
        if recipe.rounds_whole:
            way = "toward zero" if recipe.truncates else "to the nearest"
            rounding = f"; integers are rounded {way} in this release"
        words = f"{_NUMBERS[part]}: {recipe.name}: {recipe.formula}{rounding}"
        declare.echo(wrap(words, "  ", INDENT))
    for part, words in named.outside.items():
        declare.echo(wrap(f"{_NUMBERS[part]}: {words}", "  ", INDENT))
    if named.unread:
        words = "not read in the source of this release; quantmap.recipes() lists what was"
        declare.echo(wrap(words, "  ", INDENT))


def _refusals(ground: Ground) -> None:
    mapping = ground.mapping
    refused = [item for item in mapping.diagnostics if item.severity == "error"]
    if not refused:
        if mapping.version:
            declare.echo(f"\nWhat {mapping.engine_name} {mapping.version} will refuse: nothing.")
        return
    declare.echo(f"\nWhat {mapping.engine_name} {mapping.version} will refuse:")
    for item in refused:
        declare.echo(paint(wrap(item.message, f"  {marked('refused')}  ", INDENT), "red"))
        other = ground.serving() if refuses_whole(item) else ""
        if other or item.hint:
            show_detail("fix", other or f"{item.hint}.")
        for source in _sources(mapping, item):
            show_detail("source", source)


def _sources(mapping: Mapping, item: Diagnostic) -> list[str]:
    """The first source of the decisions that a refusal speaks about."""
    found = [d.evidence[:1] for d in mapping.decisions if d.sentence == item.message]
    return found[0] if found else []


def _notes(mapping: Mapping) -> None:
    told = {decision.sentence for decision in mapping.decisions}
    notes = [
        item
        for item in mapping.diagnostics
        if item.severity != "error" and item.code not in _IN_TABLE and item.message not in told
    ]
    if notes:
        declare.echo("\nWorth knowing:")
    for item in notes:
        word = {"warning": "warning: ", "info": ""}[item.severity]
        hint = f" ({as_typed(item.hint)})" if item.hint else ""
        declare.echo(wrap(f"- {word}{item.message}{hint}", "  ", INDENT))


def _launch(mapping: Mapping, model: Any) -> None:
    known = isinstance(model, str)
    declare.echo("\nLaunch it:" if known else "\nLaunch it (MODEL is yours):")
    line = mapping.shell(model if known else "MODEL")
    for part in folded_command(line, "  ").split("\n"):
        declare.echo(printable(part))
