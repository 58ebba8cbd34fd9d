"""What is wrong with an input, or worth knowing about a mapping."""

from __future__ import annotations

from .result import Result, fresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .words import Code, Severity

__all__ = ["ConfigError", "Diagnostic", "Unseen", "list_diagnostics"]

_SHOWN = 20  # problems in the text of an error; all of them are in its list


class Diagnostic(Result):
    """One message about an input or a mapping.

    Attributes:
        code: slug of the message in the registry, such as ``unknown-value``.
        severity: ``error``, ``warning`` or ``info``.
        path: where it is: ``$.kv_cache.dtype`` in the config, or the name of another argument.
        message: one sentence for a reader.
        hint: what to do about it; may be empty.
        context: the values that the message names.

    Example:
        >>> from quantmap.errors import Diagnostic
        >>> Diagnostic("too-deep", "error", "$", "nested deeper than 64 levels").code
        'too-deep'
    """

    code: Code
    severity: Severity
    path: str
    message: str
    hint: str = ""
    context: dict[str, str] = fresh(dict)

    _shown = ("code", "severity", "path", "message")

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.path}: {self.message}{hint}"


def refuses_whole(item: Diagnostic) -> bool:
    """Whether a diagnostic refuses the launch as a whole, at start-up or later."""
    whole = ("cannot-serve", "needs-another-argument")
    return item.code in whole or (item.code == "fails-later" and item.path == "$")


class Unseen(Result):
    """Something that could not be judged, and what to give so that it can. It unpacks into both.

    Attributes:
        what: the thing, in words.
        give: the parameter that would change it, such as ``gpu``.
    """

    what: str
    give: str

    def __iter__(self) -> Iterator[str]:
        return iter((self.what, self.give))

    def __getitem__(self, place: int) -> str:
        return (self.what, self.give)[place]


class ConfigError(ValueError):
    """An input that cannot be mapped; carries every problem, not only the first.

    Attributes:
        diagnostics: the problems, each with its path.

    Example:
        >>> import quantmap
        >>> try:
        ...     quantmap.get_runtime_args("sglang", {"gemm_dtype": "fp16"})
        ... except quantmap.ConfigError as error:
        ...     print(error.diagnostics[0].code, error.diagnostics[0].hint)
        unknown-value did you mean 'float16'?
    """

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = list(diagnostics)
        super().__init__(self.diagnostics)

    def __str__(self) -> str:
        shown = [str(diagnostic) for diagnostic in self.diagnostics[:_SHOWN]]
        if len(self.diagnostics) > _SHOWN:
            shown.append(f"and {len(self.diagnostics) - _SHOWN} more")
        return "; ".join(shown)


def log(told: list[Diagnostic]) -> None:
    """Log messages as warnings of the logger ``quantmap``."""
    import logging

    for diagnostic in told:
        logging.getLogger("quantmap").warning("%s", diagnostic.message)


def list_diagnostics() -> list[dict[str, str]]:
    """The registry of every message that quantmap can give.

    Returns:
        list[dict[str, str]]: one entry per code, with ``code``, ``severity``, ``template``,
        ``hint`` and ``since`` (the first version that has it).

    Example:
        >>> from quantmap import list_diagnostics
        >>> [entry["severity"] for entry in list_diagnostics() if entry["code"] == "unknown-key"]
        ['error']
    """
    from . import _core

    return _core.diagnostics()
