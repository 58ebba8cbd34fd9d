"""Verdicts on launch lines that someone else wrote."""

from __future__ import annotations

from .errors import Diagnostic, Unseen
from .result import Answer, Result
from .script import ScriptResult

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from .checkpoint import CheckpointInfo
    from .script import WrittenFile
    from .words import CheckpointKind, Count, Engine, Judgement

__all__ = ["CheckResult", "ScriptResult", "Verdict", "check", "check_script"]


class Verdict(Result):
    """What a release makes of one argument.

    Attributes:
        argument: the flag or variable as given.
        value: its value as given; ``true`` for a bare switch.
        verdict: ``accepted``, ``unknown-flag``, ``value-not-accepted``, ``refused-at-start``,
            ``fails-later``, ``no-effect``, ``assumed``, ``deprecated`` or ``known-trouble`` (it
            starts, and people report that it then goes wrong; never a refusal).
        refused: whether the launch would stop or fail because of it.
        canonical: the release's own name for the flag; empty when it has none.
        reason: why; empty when the argument is simply accepted.
        hint: what to write instead; may be empty.
        evidence: where that is written.
    """

    argument: str
    value: str
    verdict: Judgement
    refused: bool
    canonical: str
    reason: str
    hint: str
    evidence: list[str]

    _shown = ("argument", "value", "verdict")


class CheckResult(Answer):
    """Verdicts on a whole launch line. It is true when nothing is refused.

    Attributes:
        engine: the engine's id.
        engine_name: the engine's name.
        version: the release that judges.
        asked: the release that was meant, when ``version`` only stands in for it, else None.
        platform: who makes what the launch runs on, when that is not NVIDIA, else None; then only
            the arguments are judged.
        line: the line on which the launch stands in its text.
        verified_through: the newest release whose start-up rules were read.
        model: the model that the line names, or None.
        checkpoint: the kind of checkpoint that the verdicts are for, such as ``fp8``.
        not_looked_at: what could not be judged, and the parameter that would change that.
        verdicts: one per argument, in order; leading variables first.
        notes: what to know about the ground that the verdicts stand on; an error among them, such
            as ``cannot-serve``, refuses the launch as a whole, whatever its arguments.
    """

    engine: Engine
    engine_name: str
    version: str
    asked: str | None
    platform: str | None
    line: Count
    verified_through: str
    model: str | None
    checkpoint: CheckpointKind
    not_looked_at: list[Unseen]
    verdicts: list[Verdict]
    notes: list[Diagnostic]
    _files: list[WrittenFile]  # of its script, that it names
    _config_flag: str  # that names a file of the launch's arguments
    _settings_flags: list[str]  # that name files which rules look into

    _shown = ("engine", "version", "verdicts")
    _kept = ("engine_name",)
    _also = ("ok", "catalog")

    def __bool__(self) -> bool:
        """The same as `ok`: ``if quantmap.check(line):`` asks whether the line would be taken."""
        return self.ok

    @property
    def ok(self) -> bool:
        """Whether nothing is refused, neither an argument nor the launch as a whole."""
        return not self.refusals and not any(verdict.refused for verdict in self.verdicts)

    @property
    def refusals(self) -> list[Diagnostic]:
        """The notes that refuse the launch as a whole."""
        return [note for note in self.notes if note.severity == "error"]


def check(
    command: str | list[str] | dict[str, Any],
    engine: str | None = None,
    engine_version: str | None = None,
    *,
    gpu: str | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
) -> CheckResult:
    """What a release makes of a launch line, without starting anything.

    Args:
        command: a shell line or script, of which the first launch counts, its words, or a dict of
            arguments. Nothing in it is run.
        engine: the engine; read from the command when it names one.
        engine_version: the release; None means that of the engine's image in the line, of
            ``QUANTMAP_ENGINE_VERSIONS``, or the newest known.
        gpu: a GPU, so that its rules count as well.
        model_quantization: the model's own quantization method, or its quantization_config.
        checkpoint: the model's folder, file or config, the id of a well-known model, or what
            ``inspect_checkpoint`` returned. Without it the model that the line names is read: a
            local folder, an id in the local model cache or of a well-known model.

    Returns:
        CheckResult: a verdict per argument.

    Raises:
        ConfigError: the command cannot be read, or engine, version or GPU are not known.

    Example:
        >>> result = check("vllm serve m --kv-cache-dtype fp16", engine_version="0.11.0")
        >>> result.verdicts[0].verdict
        'value-not-accepted'
    """
    ground = (engine, engine_version, gpu, model_quantization, checkpoint)
    from .launches import judge_one

    return judge_one(command, ground)


def check_script(
    text: str,
    engine_version: str | None = None,
    gpu: str | None = None,
    *,
    engine: str | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
) -> ScriptResult:
    """What releases make of every launch in a script or a file of containers.

    Commands end as in a shell. Variables are those that the script sets, or a default that it
    names; any other value is unknown, and its argument ``assumed``. Nothing is run.

    Args:
        text: a script, a compose file, a Kubernetes manifest, Helm values, a Dockerfile, Markdown,
            Python source, or a JSON list of words, also where a script writes it; at most 8 MB
            (data: 1 MB), of which 1,000 launches with 20,000 words in all are judged.
        engine_version: the release of every launch; None means that of its image, of
            ``QUANTMAP_ENGINE_VERSIONS``, or the newest known.
        gpu: a GPU, so that its rules count as well.
        engine: the engine, when the text holds arguments and no launch.
        model_quantization: the model's own quantization method.
        checkpoint: the model of every launch, as for `check`.

    Returns:
        ScriptResult: the launches, none when the text starts no engine that is known.

    Raises:
        ConfigError: engine, version or GPU are not known, or the text is too large.

    Example:
        >>> result = check_script("export TP=2; vllm serve m -tp $TP > log 2>&1 &", "0.11.0")
        >>> [(launch.line, launch.model, launch.ok) for launch in result.launches]
        [(1, 'm', True)]
    """
    ground = (engine, engine_version, gpu, model_quantization, checkpoint)
    from .launches import judge_text

    return ScriptResult(*judge_text(text, ground))
