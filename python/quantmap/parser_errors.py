"""What a parser of arguments says when it stops: about a flag, a word, or one that is missing."""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log_reader import Failure

__all__: list[str] = []

_ABOUT_A_FLAG = (
    r"argument (?P<flag>[^:\s]+?)(?:/[^:\s]+)*: (?P<rest>.+)",
    r"(?:unrecognized arguments|ambiguous option): (?P<flag>\S+)(?P<rest>.*)",
    r"No such option:? (?P<flag>\S+?)[.,]?(?P<rest>$| .*)",
    r"(?:Invalid value for|Option) '(?P<flag>-[^'\s]+)[^']*':?(?P<rest>.*)",
)
_CHOICE = re.compile(r"(?:invalid choice: '|^\s*')([^']{0,200})'")
_MISSING = re.compile(
    r"(?:the following arguments are required: |Missing (?:argument|option) ')([^\s,/']+)"
)
_OFFERED = re.compile(r"(?:Possible options:|Did you mean) '?(--?[A-Za-z][\w-]{0,80})")
_MODEL = re.compile(r"-{0,2}model(?:[-_](?:tag|path|name))?", re.IGNORECASE)


class Told(NamedTuple):
    """What is known of an error that no release's rule is about.

    Attributes:
        means: what it means.
        change: what lets the launch start.
        arguments: what it is about.
    """

    means: str
    change: str
    arguments: list[str]


def flag_and_value(text: str) -> tuple[str, str | None]:
    """The flag that a parser's message is about, and the value.

    Args:
        text: the message.

    Returns:
        tuple[str, str | None]: an empty flag where it is about none.

    Example:
        >>> flag_and_value("argument --dtype: invalid choice: 'fp9'")
        ('--dtype', 'fp9')
    """
    for pattern in _ABOUT_A_FLAG:
        match = re.match(pattern, text)
        if match:
            choice = _CHOICE.search(match["rest"])
            return match["flag"].partition("=")[0], choice[1] if choice else None
    return "", None


def offered(failure: Failure) -> Told | None:
    """What a parser itself offers for an option that it does not know.

    Args:
        failure: the error.

    Returns:
        Told: None when it offers none.

    Example:
        >>> from quantmap.log_reader import Failure
        >>> text = "No such option: --tp (Possible options: --tp_size, --x)"
        >>> offered(Failure("", text, 1, [])).change
        'write --tp_size'
    """
    match = None if failure.kind else _OFFERED.search(failure.text)
    if not match:
        return None
    flag = flag_and_value(failure.text)[0]
    means = f"the parser knows no {flag}, and offers {match[1]}"
    return Told(means, f"write {match[1]}", [flag])


def of_other_program(failure: Failure, launchers: list[list[str]]) -> Told | None:
    """What a parser means that is not the server's, such as that of ``vllm bench serve``.

    Args:
        failure: the error.
        launchers: the words that start the engine's server.

    Returns:
        Told: None for an error of the server's own parser.

    Example:
        >>> from quantmap.log_reader import Failure
        >>> error = "argument --backend: invalid choice: 'vlm' (choose from vllm)"
        >>> error = Failure("", error, 1, [])
        >>> error.program = "vllm bench serve"
        >>> of_other_program(error, [["vllm", "serve"]]).change
        'write --backend vllm'
    """
    words = failure.program.rpartition("/")[2].split(" ")
    own = any(words == start[: len(words)] for start in launchers)
    if len(words) < 2 or own or words[0] not in {start[0] for start in launchers}:
        return None
    flag, value = flag_and_value(failure.text)
    choices = re.findall(r"[\w./+-]+", failure.text.partition("choose from")[2])
    near = difflib.get_close_matches(value or "", choices, 1, 0.3) or choices[:1]
    means = f"it is an argument of {failure.program}, which starts no server"
    if flag and near:
        return Told(means, f"write {flag} {near[0]}", [flag])
    return Told(means, f"leave out {flag}" if flag else "", [flag] if flag else [])


def without_flag(failure: Failure, engine_name: str | None) -> Told | None:
    """What a parser means that stops at a word without a flag, or misses an argument.

    Args:
        failure: the error.
        engine_name: the engine's name, or None.

    Returns:
        Told: None for any other error.

    Example:
        >>> from quantmap.log_reader import Failure
        >>> text = "the following arguments are required: model_tag"
        >>> without_flag(Failure("", text, 1, []), "vLLM").change
        'name the model'
    """
    if failure.kind or engine_name is None:
        return None
    missing = _MISSING.match(failure.text)
    if missing:
        word = missing[1]
        is_model = _MODEL.fullmatch(word) is not None
        means = f"{engine_name} starts only with {word}, which the launch does not give"
        return Told(means, "name the model" if is_model else f"give {word}", [word])
    word = flag_and_value(failure.text)[0]
    if not word or word.startswith("-"):
        return None
    means = f"{engine_name} takes no word there that belongs to no flag"
    change = f"leave out {word}, or write the flag that it belongs to in front of it"
    return Told(means, change, [word])
