"""What changes between two releases, for a config or for a launch line."""

from __future__ import annotations

from .check import check
from .mapping import explain
from .result import Answer, Keyed

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from .check import Verdict
    from .checkpoint import CheckpointInfo
    from .mapping import Mapping
    from .words import Change, Engine

__all__ = ["ConfigChanges", "LineChanges", "diff", "diff_command"]


class ConfigChanges(Keyed, Answer):
    """What changes for a config between two releases.

    Each part maps what changed to ``[before, after]``, with None where there was or is nothing; it
    is empty where nothing changed.

    Attributes:
        engine: the engine's id.
        before: the release before; ``from`` in JSON.
        after: the release after; ``to`` in JSON.
        arguments: flags, with their values.
        environment: variables, with their values.
        files: files that the launch carries, with their contents.
        outcomes: what came of each field of the config.
        precision: what really runs, by subject.
        refusals: what is refused, by its place.
    """

    engine: Engine
    before: str
    after: str
    arguments: dict[str, Change]
    environment: dict[str, Change]
    files: dict[str, Change]
    outcomes: dict[str, Change]
    precision: dict[str, Change]
    refusals: dict[str, Change]

    _names = (("before", "from"), ("after", "to"))


class LineChanges(Keyed, Answer):
    """What changes for a launch line between two releases.

    Attributes:
        engine: the engine's id.
        before: the release before; ``from`` in JSON.
        after: the release after; ``to`` in JSON.
        verdicts: each argument whose verdict changes, with ``[before, after]``; what refuses the
            launch as a whole stands there by its code.
    """

    engine: Engine
    before: str
    after: str
    verdicts: dict[str, Change]

    _names = (("before", "from"), ("after", "to"))


def diff(
    config: dict[str, Any] | None,
    engine: str,
    from_version: str,
    to_version: str,
    *,
    user_parameters: dict[str, Any] | None = None,
    gpu: str | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
) -> ConfigChanges:
    """What changes for a config between two releases.

    Args:
        config: a config of either form, or a preset.
        engine: the engine.
        from_version: the release before.
        to_version: the release after.
        user_parameters: arguments by name, judged in both releases.
        gpu: the GPU.
        model_quantization: the model's own quantization method.
        checkpoint: the model, as for `check`.

    Returns:
        ConfigChanges: what changed, part by part; its fields can be read by name, too.

    Raises:
        ConfigError: the config or a version is wrong.

    Example:
        >>> changes = diff({"kvcache_dtype": "bfloat16"}, "sglang", "0.5.2", "0.5.6")
        >>> changes.arguments
        {'--kv-cache-dtype': ['auto', 'bf16']}
    """
    before, after = (
        explain(
            engine,
            config,
            user_parameters,
            model_quantization,
            engine_version=version,
            gpu=gpu,
            checkpoint=checkpoint,
        )
        for version in (from_version, to_version)
    )
    return ConfigChanges(
        before.engine,
        before.version or "",
        after.version or "",
        arguments=_changes(dict(before.args), dict(after.args)),
        environment=_changes(dict(before.env), dict(after.env)),
        files=_changes(dict(before.files), dict(after.files)),
        outcomes=_changes(_outcomes(before), _outcomes(after)),
        precision=_changes(dict(before.precision), dict(after.precision)),
        refusals=_changes(_refusals(before), _refusals(after)),
    )


def diff_command(
    command: str | list[str] | dict[str, Any],
    from_version: str,
    to_version: str,
    *,
    engine: str | None = None,
    gpu: str | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
) -> LineChanges:
    """What changes for a launch line between two releases.

    Args:
        command: a launch line, as for `check`.
        from_version: the release before.
        to_version: the release after.
        engine: the engine; read from the command when it names one.
        gpu: the GPU.
        model_quantization: the model's own quantization method.
        checkpoint: the model, as for `check`.

    Returns:
        LineChanges: each argument whose verdict changes.

    Raises:
        ConfigError: the command or a version is wrong.

    Example:
        >>> changes = diff_command("vllm serve m --moe-backend auto", "0.11.0", "0.20.1")
        >>> changes.verdicts["--moe-backend"][1]
        'accepted'
    """
    results = [
        check(
            command,
            engine,
            version,
            gpu=gpu,
            model_quantization=model_quantization,
            checkpoint=checkpoint,
        )
        for version in (from_version, to_version)
    ]
    before, after = (
        {
            **{verdict.argument: _words(verdict) for verdict in result.verdicts},
            **{refusal.code: refusal.message for refusal in result.refusals},
        }
        for result in results
    )
    first, second = results
    verdicts = _changes(dict(before), dict(after))
    return LineChanges(first.engine, first.version, second.version, verdicts)


def _words(verdict: Verdict) -> str:
    return f"{verdict.verdict}: {verdict.reason}" if verdict.reason else verdict.verdict


def _outcomes(mapping: Mapping) -> dict[str, Any]:
    return {decision.field: decision.outcome for decision in mapping.decisions}


def _refusals(mapping: Mapping) -> dict[str, Any]:
    errors = [d for d in mapping.diagnostics if d.severity == "error"]
    return {diagnostic.path: diagnostic.message for diagnostic in errors}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> dict[str, list[Any]]:
    keys = [*before, *(key for key in after if key not in before)]
    return {
        key: [before.get(key), after.get(key)] for key in keys if before.get(key) != after.get(key)
    }
