"""What is wrong with an input, or worth knowing about a mapping."""

from __future__ import annotations

__all__ = ["ConfigError", "Diagnostic", "list_diagnostics"]

_SHOWN = 20  # problems in the text of an error; all of them are in its list


class Diagnostic:
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

    __slots__ = ("code", "context", "hint", "message", "path", "severity")

    def __init__(
        self,
        code: str,
        severity: str,
        path: str,
        message: str,
        hint: str = "",
        context: dict[str, str] | None = None,
    ) -> None:
        self.code = code
        self.severity = severity
        self.path = path
        self.message = message
        self.hint = hint
        self.context = dict(context or {})

    def to_dict(self) -> dict[str, object]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        return {
            name: getattr(self, name)
            for name in ("code", "severity", "path", "message", "hint", "context")
        }

    def __str__(self) -> str:
        hint = f" ({self.hint})" if self.hint else ""
        return f"{self.path}: {self.message}{hint}"

    def __repr__(self) -> str:
        return f"Diagnostic({self.code!r}, {self.severity!r}, {self.path!r}, {self.message!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Diagnostic) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.code, self.path, self.message))

    def __reduce__(self) -> tuple[object, ...]:
        arguments = (self.code, self.severity, self.path, self.message, self.hint, self.context)
        return (Diagnostic, arguments)


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
