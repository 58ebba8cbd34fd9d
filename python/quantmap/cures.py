"""What would let a launch start: another value, another flag, another release."""

from __future__ import annotations

import difflib
import re

from . import _core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .check import Verdict
    from .launch_log import LaunchLog
    from .log_reader import Failure
    from .messages import Message, Messages

_DIVIDED = re.compile(r"\((\d{1,5})\) (?:must|should) be divisible by [a-z_ ]{1,40}\((\d{1,5})\)")
_OF_SHARES = re.compile(
    r"(?:partition|weight|(?:in|out)put[_ ]size)\b.{0,120}\b(?:not aligned|divisible by)|"
    r"(?:in|out)put_size_per_partition|(?:in|out)put_partition_size"
)
_SHARE = re.compile(r"= (\d{1,7}) is not divisible by [\w -]{1,60}= (\d{1,6})")
_ADVICE = re.compile(
    r"(?:please|for [\w -]{2,40}, use|try|consider|set|use|either|increase|decrease|"
    r"you (?:can|should|may|must|need)|reduce|pass|specify|add|adjust|raise|lower|choose|install|"
    r"upgrade|remove|change|make sure|ensure|enable|disable|to (?:allow|avoid|fix|use)|if you|"
    r"instead)\b",
    re.IGNORECASE,
)


def of_shares(failure: Failure) -> bool:
    """Whether an error is about the share of a weight that one GPU holds: the sizes decide it."""
    return bool(_OF_SHARES.search(failure.text))


def rank_of(verdict: Verdict, flags: list[str]) -> int:
    """The place of a verdict's argument among flags; their number when it is none of them."""
    names = (verdict.canonical, verdict.argument)
    return min((flags.index(name) for name in names if name in flags), default=len(flags))


def change_for(log: LaunchLog, words: list[str], rule: Verdict | None) -> tuple[str, bool]:
    """The smallest change that no rule refuses, and whether the whole launch is taken then."""
    if rule is None or log.engine is None:
        return "", False
    known = _core.surface(log.engine, log.version or "latest")
    choices = known.get(rule.canonical, {}).get("choices") or []
    for flag, change, changed in _edits(words, rule, choices):
        judged = log.judge(changed)
        if judged is None or any(v.refused and v.argument == flag for v in judged.verdicts):
            continue
        return change, judged.ok
    return rule.hint, False


def _edits(words: list[str], rule: Verdict, choices: list[str]) -> list[tuple[str, str, list[str]]]:
    """Changes of one argument, smaller ones first: another value, another flag, none at all."""
    flag, value = rule.argument, rule.value
    if flag not in words:
        return []
    at = words.index(flag)
    size = 1 if value == "true" or at + 1 >= len(words) else 2
    tried: list[tuple[str, list[str]]] = []
    for name, other in re.findall(r"(?<![\w-])(--[\w-]+)(?:[ =]([\w.-]+))?", rule.hint):
        if name != flag or other:
            given = words[at + 1 : at + size] if not other else [other]
            tried.append((name, given))
    tried += [(flag, [other]) for other in [*_sizes(value, rule.hint), *_near(value, choices)]]
    out = [
        (name, " ".join(["write", name, *given]), [*words[:at], name, *given, *words[at + size :]])
        for name, given in tried
    ]
    return [*out, (flag, f"leave out {flag}", [*words[:at], *words[at + size :]])]


def _sizes(value: str, hint: str) -> list[str]:
    """The sizes that a rule says go, the largest that is no larger than the one given first."""
    told = re.search(r"parallelism of ((?:\d+, )*\d+)", hint)
    if not told or not value.isdecimal() or len(value) > 6:
        return []
    sizes = sorted(map(int, told[1].split(", ")), reverse=True)
    fits = [str(size) for size in sizes if 1 < size <= int(value)]
    return fits or [str(size) for size in reversed(sizes)][:1]


def _near(value: str, choices: list[str]) -> list[str]:
    """The values of a list that are most like another one."""
    if value.isdecimal() and len(value) < 10 and choices and all(map(str.isdecimal, choices)):
        return sorted(choices, key=lambda word: abs(int(word) - int(value)))[:1]
    return difflib.get_close_matches(value[:80], choices, 3, 0.4)


def advised(failure: Failure, message: Message | None, messages: Messages | None) -> str:
    """What the error itself advises: a value that would do, else its own sentence."""
    for row in messages.log.get("cures", []) if messages else []:
        _, mark, behind = failure.text.partition(row["says"])
        if mark and "change" in row:
            return str(row["change"])
        number = re.match(r"\d{1,12}", behind) if mark else None
        if number:
            return f"write {row['argument']} {number[0]}"
    sentences = re.split(r"(?<=[.!;]) +", failure.text) if message else []
    return " ".join(sentence for sentence in sentences if _ADVICE.match(sentence))


def value_in(said: str, flag: str, choices: list[str]) -> str:
    """A piece of advice; where it names values that the flag takes, the first of them is written.

    Args:
        said: the advice.
        flag: what it is about.
        choices: the values that the release takes.

    Returns:
        str: what to do.

    Example:
        >>> value_in("Please use bfloat16 instead.", "--dtype", ["auto", "bfloat16"])
        'write --dtype bfloat16'
    """
    named = [word for word in re.findall(r"[\w.]+", said) if word.strip(".") in choices]
    return f"write {flag} {named[0].strip('.')}" if named and "instead" in said else said


def without_rule(
    words: list[str], flags: list[str], message: Message | None, failure: Failure | None = None
) -> str:
    """What the condition of a message looks at, with a size that goes, left out or given."""
    size = _size_that_goes(failure) if failure and flags else 0
    if size:
        return f"write {flags[0]} {size}"
    if failure and flags and of_shares(failure):
        return _smaller(words, flags[0], failure)
    for flag in flags:
        if flag in words:
            return f"leave out {flag}"
    if flags and _wants(flags[0], message):
        return f"write {flags[0]}"
    return "" if words or not flags else f"give {flags[0]} another value, or leave it out"


def _size_that_goes(failure: Failure) -> int:
    """The largest power of two that divides what an error says is to be divided; 0: it says none.

    GPUs come so many in a machine, and what else is divided (KV heads, columns) mostly is one.
    """
    sizes = _DIVIDED.search(failure.text)
    if not sizes:
        return 0
    whole, most = int(sizes[1]), int(sizes[2])
    goes = [size for size in range(1, min(whole, most) + 1) if whole % size == 0]
    usual = [size for size in goes if size & (size - 1) == 0]
    return max(usual, default=0)


def _smaller(words: list[str], flag: str, failure: Failure) -> str:
    """The largest smaller size with which the share divides, or words where that is not known."""
    share = _SHARE.search(failure.text)
    given = words[words.index(flag) + 1 :][:1] if flag in words else []
    if share and given and given[0].isdecimal() and 1 < int(given[0]) < 1025:
        size = int(given[0])
        whole, block = int(share[1]) * size, int(share[2])
        goes = [n for n in range(size - 1, 0, -1) if size % n == 0 and whole // n % block == 0]
        if goes:
            return f"write {flag} {goes[0]}"
    return f"give {flag} a smaller value"


def _wants(flag: str, message: Message | None) -> bool:
    """Whether the condition of a message is that a switch is not given."""
    name = flag.lstrip("-").replace("-", "_")
    return message is not None and re.fullmatch(rf"not [\w.]*\b{name}", message.when) is not None


def fixed_in(log: LaunchLog, words: list[str], rule: Verdict) -> str | None:
    """The first later release that takes an argument."""
    if log.engine is None or log.version is None:
        return None
    versions: list[str] = [row["version"] for row in _core.releases(log.engine)]
    for version in versions[versions.index(log.version) + 1 :]:
        judged = log.judge(words, version)
        same = (
            [v for v in judged.verdicts if v.argument == rule.argument]
            if judged is not None
            else []
        )
        if same and not any(verdict.refused for verdict in same):
            return version
    return None
