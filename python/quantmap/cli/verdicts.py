"""What people read of `quantmap check`: what is not plainly accepted first, then a count."""

from __future__ import annotations

import sys

from ..check import CheckResult, ScriptResult, Verdict
from . import declare
from .style import marked, paint, show_detail, show_line
from .tables import Mark, say, show_table
from .underline import show_words

# Verdicts in the order in which they are shown; what is not named comes first.
_LONGEST = 300  # of a word that is shown
_MOST_CHOICES, _NEAREST = 8, 3  # of accepted values that are shown
_ORDER = ("known-trouble", "assumed", "deprecated", "no-effect", "accepted")


def show_script(result: ScriptResult, text: str, *, show_all: bool) -> None:
    """A verdict on every argument of every launch of a script, whose text is given."""
    several = len(result.launches) > 1
    for number, launch in enumerate(result.launches, 1):
        if number > 1:
            declare.echo()
        place = f"{number}. line {launch.line}: " if several else ""
        show_launch(launch, text, place, show_all=show_all)
    if several:
        refused = sum(not launch.ok for launch in result.launches)
        declare.echo(f"\n{len(result.launches)} launches, {refused} of them refused")
    for note in result.notes:
        hint = f" ({note.hint})" if note.hint else ""
        say(f"note: {note.message}{hint}")


def show_launch(result: CheckResult, text: str, number: str, *, show_all: bool) -> None:
    """A verdict on every argument of a launch."""
    title = f"{number}{result.engine_name} {result.version}"
    if result.asked:
        title += f" in place of {result.asked}"
    title = f"{title} · {result.model}" if result.model else title
    shown = sorted(
        (verdict for verdict in result.verdicts if show_all or not is_plain(verdict)), key=_place
    )
    if sys.stdout.isatty():
        _list_verdicts(shown, title)
    elif shown:
        rows = [
            (
                cut(verdict.argument),
                cut(verdict.value),
                Mark(verdict.verdict),
                cut(in_short(verdict.reason, verdict.value)) or "-",
                cut(verdict.hint) or "-",
            )
            for verdict in shown
        ]
        show_table(title, ("argument", "value", "verdict", "why", "instead"), rows)
    else:
        say(title)
    show_words(text, result)
    _count(result, len(shown))
    for note in result.notes:
        if note.severity != "error":
            say(f"note: {note.message}")


def in_short(reason: str, value: str) -> str:
    """A reason in which of a long list of accepted values stand those that are most like one."""
    before, mark, after = reason.partition("; accepted: ")
    choices = after.split(", ")
    if not mark or len(choices) <= _MOST_CHOICES:
        return reason
    import difflib

    near = difflib.get_close_matches(value[:80], choices, _NEAREST, 0.0)
    rest = len(choices) - len(near)
    return f"{before}{mark}{', '.join(near)} and {rest} more (--json lists them)"


def cut(text: str) -> str:
    """A text as long as somebody reads it; the whole of it is in the JSON."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"


def is_plain(verdict: Verdict) -> bool:
    """Whether there is nothing to say of it but that it is accepted."""
    return verdict.verdict == "accepted" and not verdict.reason


def _place(verdict: Verdict) -> int:
    return _ORDER.index(verdict.verdict) if verdict.verdict in _ORDER else -1


def _count(result: CheckResult, shown: int) -> None:
    for refusal in result.refusals:
        declare.echo()
        show_line(refusal.code, refusal.message)
        if refusal.hint:
            show_detail("instead", refusal.hint)
    refused = sum(verdict.refused for verdict in result.verdicts)
    count = f"{refused} refused of {len(result.verdicts)}"
    if result.refusals:
        arguments = f"of its {len(result.verdicts)} arguments {refused} are"
        count = f"the launch is refused, whatever its arguments; {arguments} refused"
    if not result.verdicts and not result.refusals:
        count = "0 refused: the line sets nothing"
    rest = len(result.verdicts) - shown
    if rest:
        count += f"; {rest} plainly accepted (--all shows them)"
    head, mark, tail = count.partition("refused")
    declare.echo(f"\n{paint(head + mark, 'green' if result.ok else 'red')}{tail}")


def _list_verdicts(verdicts: list[Verdict], title: str) -> None:
    say(title, bold=True)
    width = max((len(marked(verdict.verdict)) for verdict in verdicts), default=0)
    for verdict in verdicts:
        show_line(verdict.verdict, f"{cut(verdict.argument)} {cut(verdict.value)}".rstrip(), width)
        if verdict.reason:
            show_detail("why", cut(in_short(verdict.reason, verdict.value)))
        if verdict.hint:
            show_detail("instead", cut(verdict.hint))
