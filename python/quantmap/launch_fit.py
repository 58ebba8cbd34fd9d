"""Whether the launches of a line, a script or a file of containers fit into a GPU's memory."""

from __future__ import annotations

from .check import CheckResult, check_script
from .errors import ConfigError
from .fit import Fit, estimate, with_settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from .checkpoint import CheckpointInfo

__all__ = ["estimate_script"]


def estimate_script(
    text: str,
    *,
    gpu: str | float | dict[str, Any] | None = None,
    engine: str | None = None,
    engine_version: str | None = None,
    checkpoint: str | PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
    context: int | None = None,
    concurrency: int = 1,
    **more: Any,
) -> list[tuple[CheckResult, Fit]]:
    """What each launch of a line or script takes of a GPU's memory.

    Every argument that moves memory counts, in its engine's spelling, also from a file of further
    arguments that the launch names; the rest is in `Fit.not_counted`. Nothing is run.

    Args:
        text: what `check_script` reads: a line, a script, a compose file and so on.
        gpu: a product such as ``H100``, or ``local``; without it there is no verdict.
        engine: the engine, when the text does not name it.
        engine_version: the release of every launch; None means that of its image, else the newest.
        checkpoint: the model of every launch; None reads the one that the launch names: a local
            folder, an id in the local model cache or of a well-known model.
        context: tokens of one sequence; None takes what the launch says.
        concurrency: sequences at the same time.
        **more: further arguments of `estimate`.

    Returns:
        list: each launch as `check` judges it, with its `Fit`; refused when the launch is.

    Raises:
        ConfigError: the text starts no engine that is known, or the shape of a model is not known.

    Example:
        >>> from quantmap import estimate_script
        >>> line = "vllm serve Qwen/Qwen3-32B -tp 2 --max-model-len 16384"
        >>> [(launch, fit)] = estimate_script(line, gpu="H100", engine_version="0.19.0")
        >>> launch.model, fit.tp, fit.context, fit.verdict
        ('Qwen/Qwen3-32B', 2, 16384, 'fits')
    """
    judged = check_script(
        text, engine_version, gpu if isinstance(gpu, str) else None, engine=engine
    )
    if not judged.launches:
        raise ConfigError([note for note in judged.notes if note.severity == "error"])
    found = []
    for launch in judged.launches:
        parameters, variables = _said(launch)
        fit = estimate(
            launch.model if checkpoint is None else checkpoint,  # type: ignore[arg-type]
            engine=f"{launch.engine}@{launch.version}",
            gpu=gpu,
            context=context,
            concurrency=concurrency,
            user_parameters=with_settings(launch.engine, parameters, getattr(launch, "_files", [])),
            **more,
        )
        changes: dict[str, Any] = {"not_counted": [*fit.not_counted, *variables]}
        if not launch.ok:
            known = {(note.code, note.message) for note in fit.diagnostics}
            new = [n for n in launch.refusals if (n.code, n.message) not in known]
            changes.update(verdict="refused", diagnostics=[*fit.diagnostics, *new])
        found.append((launch, fit.replace(**changes)))
    return found


def _said(launch: CheckResult) -> tuple[dict[str, Any], list[str]]:
    """The arguments of a launch by the release's names, and its variables."""
    parameters: dict[str, Any] = {}
    variables = []
    for verdict in launch.verdicts:
        name = verdict.canonical or verdict.argument
        if verdict.verdict == "no-effect":
            continue
        if name[:1] != "-":
            variables.append(verdict.argument)
        else:
            parameters[name] = True if verdict.value == "true" else verdict.value
    return parameters, [name for name in variables if name.isidentifier()]
