"""Mappings with their reasons."""

from __future__ import annotations

from . import _core
from .errors import Diagnostic, Unseen
from .rendered import Rendered
from .result import Answer, Result, fresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from .checkpoint import CheckpointInfo
    from .words import (
        Arguments,
        CheckpointKind,
        Config,
        Engine,
        Gpu,
        Mode,
        Outcome,
        Policy,
        Preset,
    )

__all__ = ["Decision", "Mapping", "explain"]


class Decision(Result):
    """What became of one field of a config.

    Attributes:
        field: the key, such as ``gemm_dtype`` or ``quantization.method``.
        asked: the value asked, as it is spelt in a config.
        given: whether the config names the field; otherwise `asked` is its default.
        emitted: the arguments and variables that the field contributes.
        outcome: ``applied``, ``replaced``, ``ignored``, ``falls-back`` or ``not-supported``; in
            checked mode also ``renamed`` (the same precision under another name), ``degraded``
            (the nearest thing), ``dropped`` or ``cannot-serve``.
        code: slug of the diagnostic that explains the outcome.
        sentence: that diagnostic in words.
        evidence: where the facts behind it are written.
        assumed: what it gives way to was read in a source, and not seen to happen.
    """

    field: str
    asked: str
    given: bool
    emitted: Arguments
    outcome: Outcome
    code: str
    sentence: str
    evidence: list[str] = fresh(list)
    assumed: bool = False

    _shown = ("field", "asked", "outcome", "emitted")


class Mapping(Answer, Rendered):
    """Launch arguments of one engine, with a decision for every field.

    Attributes:
        engine: the engine's id, such as ``sglang``.
        engine_name: its name, such as ``SGLang``.
        mode: ``documented`` or ``checked``.
        version: the engine release in checked mode, else None.
        verified_through: newest release whose start-up rules were read.
        gpu: the GPU class in checked mode, such as ``sm90``, or None when no GPU was given.
        checkpoint: the kind of checkpoint that was assumed, such as ``unquantized`` or ``awq``.
        precision: in checked mode, what GEMM, KV cache, attention and experts will really be.
        preset: the preset that the config was expanded from, or None.
        config: the config with presets expanded.
        args: flags and values in launch order; True is a bare switch.
        env: environment variables that the launch needs.
        files: file contents by relative name that the launch needs.
        decisions: one per field, in mapping order.
        diagnostics: the warnings of this mapping.
        not_looked_at: in checked mode, what could not be judged, and the parameter that would
            change that.
    """

    engine: Engine
    engine_name: str
    mode: Mode
    version: str | None
    verified_through: str
    gpu: Gpu | None
    checkpoint: CheckpointKind
    precision: dict[str, str]
    preset: Preset | None
    config: Config
    args: Arguments
    env: dict[str, str]
    files: dict[str, str]
    decisions: list[Decision]
    diagnostics: list[Diagnostic]
    not_looked_at: list[Unseen]

    _shown = ("engine", "args")
    _kept = ("engine_name",)
    _also = ("argv", "catalog")


def explain(
    engine: str | None = None,
    quant_config: dict[str, Any] | None = None,
    user_parameters: dict[str, Any] | None = None,
    model_quantization: str | dict[str, Any] | None = None,
    *,
    engine_version: str | None = None,
    gpu: str | None = None,
    checkpoint: str | os.PathLike[str] | dict[str, Any] | CheckpointInfo | None = None,
    policy: Policy | None = None,
    activations: bool = True,
    runtime_image_tag: str | None = None,
    runtime: str | None = None,
) -> Mapping:
    """Map a config and say what became of every field.

    ``get_runtime_args`` returns the ``args`` of the same mapping. Nothing is logged: the warnings
    are in ``diagnostics``.

    Args:
        engine: the engine, as the ``runtime`` of ``get_runtime_args``.
        quant_config: a four-field or unified config, a preset, or None for all defaults.
        user_parameters: arguments by name; they win over derived ones.
        model_quantization: the model's own quantization method, or its quantization_config.
        engine_version: the engine release; with it, nothing derived is refused by that release.
        gpu: a product such as ``H100``, a compute capability such as ``9.0``, or ``local`` for a
            GPU of this machine.
        checkpoint: the model's folder, ``.gguf`` file or config, or what ``inspect_checkpoint``
            returned; its files decide what the model is.
        policy: ``degrade``; ``strict`` raises when anything is not applied at the precision
            asked; ``literal`` keeps the documented output and adds the release's verdicts. None is
            what ``QUANTMAP_POLICY`` says, else ``degrade``.
        activations: for sglang-jax: whether activations are quantized as well.
        runtime_image_tag: a container tag that names the release, such as ``v0.5.2-cu126``.
        runtime: the old name of `engine`; it warns, and goes with the next minor version.

    Returns:
        Mapping: arguments, variables, decisions and warnings.

    Raises:
        ConfigError: all problems of the input at once, each with its path.

    Example:
        >>> import quantmap
        >>> mapping = quantmap.explain("vllm", {"attention_dtype": "fp8"})
        >>> mapping.decisions[2].outcome, mapping.decisions[2].code
        ('falls-back', 'falls-back-to-gemm')
    """
    if runtime is not None:
        import warnings

        warnings.warn("runtime= is now called engine=", DeprecationWarning, stacklevel=2)
        engine = runtime
    return _core.explain(
        engine,
        quant_config,
        user_parameters,
        model_quantization,
        engine_version,
        gpu,
        checkpoint,
        policy,
        runtime_image_tag,
        activations,
    )
