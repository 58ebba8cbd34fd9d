"""Whether a model fits: weights, KV cache and the rest of memory, for a config on a release."""

from __future__ import annotations

from . import _core
from .errors import Diagnostic
from .result import Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from .checkpoint import CheckpointInfo
    from .script import WrittenFile
    from .words import Bits, Config, Count, Engine, FitVerdict, Positive, Preset, Share

__all__ = ["Fit", "estimate"]


class Fit(Answer):
    """What one GPU has to hold, and whether it can. All sizes are bytes of the fullest GPU.

    Attributes:
        engine: the engine's id.
        engine_name: its name.
        version: the release.
        preset: the preset of the config, or None.
        config: the config with presets expanded.
        precision: what GEMM, KV cache, attention and experts will really be.
        gpu: the GPU's name, or None when none was given.
        memory_bytes: its memory as the driver reports it, or None.
        cuda_bytes: its memory as CUDA reports it, a little less.
        tp: GPUs that share each layer.
        pp: stages that share the layers.
        context: tokens of one sequence.
        concurrency: sequences at the same time.
        parameters: of the whole model.
        active_share: of the weights that take part in one token: of experts only the chosen ones.
        weights_exact: whether weights come from the headers of the files, not from the config.
        weight_bytes: weights.
        kv_bits: of one cached number.
        kv_token_bytes: for each token, of the layers that keep every token.
        kv_window_bytes: for each sequence of `context` tokens, of sliding layers.
        state_bytes: for each sequence, of layers with a state of fixed size.
        kv_needed_bytes: of `concurrency` sequences of `context` tokens.
        kv_budget_bytes: what is left for the KV cache.
        kv_budget_band: the same, from the careful to the hopeful guess.
        activation_bytes: activations and buffers.
        graph_bytes: CUDA graphs, where the engine's share of memory holds them.
        kept_free_bytes: what the engine leaves alone.
        memory_fraction: the share of memory that the engine takes, as it counts it.
        batched_tokens: of one step.
        sequences_at_most: that the engine runs at the same time.
        tokens: of the KV cache, as the engine's log counts them.
        tokens_band: the same, from the careful to the hopeful guess.
        sequences: of `context` tokens that fit at the same time.
        longest_context: that fits `concurrency` times.
        verdict: ``fits``; ``tight`` when only the best guess fits and the careful one does not;
            ``fits-with-less-context``; ``does-not-fit``; ``refused`` when the release does not
            start like this; or ``unknown`` without a GPU.
        cures: options, each of which makes it fit.
        not_counted: parameters that the estimate knows no meaning of.
        assumptions: what the numbers rest on.
        diagnostics: the mapping's warnings.
    """

    engine: Engine
    engine_name: str
    version: str
    preset: Preset | None
    config: Config
    precision: dict[str, str]
    gpu: str | None
    memory_bytes: Count | None
    cuda_bytes: Count
    tp: Positive
    pp: Positive
    context: Positive
    concurrency: Positive
    parameters: Count
    active_share: Share
    weights_exact: bool
    weight_bytes: Count
    kv_bits: Bits
    kv_token_bytes: Count
    kv_window_bytes: Count
    state_bytes: Count
    kv_needed_bytes: Count
    kv_budget_bytes: Count
    kv_budget_band: tuple[Count, Count]
    activation_bytes: Count
    graph_bytes: Count
    kept_free_bytes: Count
    memory_fraction: Share
    batched_tokens: Count
    sequences_at_most: Count
    tokens: Count
    tokens_band: tuple[Count, Count]
    sequences: Count
    longest_context: Count
    verdict: FitVerdict
    cures: list[str]
    not_counted: list[str]
    assumptions: list[str]
    diagnostics: list[Diagnostic]

    _shown = ("engine", "gpu", "verdict")

    @property
    def fits(self) -> bool:
        """Whether `concurrency` sequences of `context` tokens fit, by the best guess."""
        return self.verdict in ("fits", "tight")


def estimate(
    checkpoint: str | PathLike[str] | dict[str, Any] | CheckpointInfo,
    config: dict[str, Any] | None = None,
    *,
    tp: int | None = None,
    pp: int | None = None,
    context: int | None = None,
    concurrency: int = 1,
    engine: str = "vllm",
    gpu: str | float | dict[str, Any] | None = None,
    engine_version: str | None = None,
    memory_fraction: float | None = None,
    user_parameters: dict[str, Any] | None = None,
    correction: dict[str, float] | None = None,
) -> Fit:
    """What a model and its KV cache take of each GPU's memory, and whether that fits.

    Weights: exact from the headers of a checkpoint's files, else counted from the config. Of a
    model that is quantized while loading, linear layers and experts shrink; embeddings, output
    layer, norms and routers do not. Tensor parallelism divides weights as Megatron-LM does
    (https://arxiv.org/abs/1909.08053).

    KV cache: for each token and layer, KV heads x (key size + value size) x bits / 8, in blocks
    as the release lays them out. KV heads are divided over GPUs down to one; the latent vector of
    MLA (https://arxiv.org/abs/2405.04434) is whole on each GPU; sliding layers keep their window
    where the release's cache manager does so; layers with a state of fixed size keep that.

    Memory: what the engine takes of it, less weights, activations and, where the release counts
    them, CUDA graphs, is left for the KV cache. `assumptions` lists what it rests on, and the bands
    say how far calibration logs were from it.

    Args:
        checkpoint: a folder, a ``.gguf`` file, the content of a config.json, or what
            `inspect_checkpoint` returned.
        config: a config of either form, or a preset; None for all defaults.
        tp: GPUs that share each layer; None takes what the config says, else 1.
        pp: stages that share the layers; likewise.
        context: tokens of one sequence; None is the longest that the model is made for.
        concurrency: sequences at the same time.
        engine: the engine, with a version suffix or without.
        gpu: a product such as ``H100``, or ``local``; without it there is no verdict.
        engine_version: the release; None is the newest known.
        memory_fraction: the share of memory that the engine may take, as its own flag counts it.
        user_parameters: arguments by name; those that move memory count, also in a file of
            further arguments that they name.
        correction: what a boot log of this GPU and release showed (`BootLog.correction`).

    Returns:
        Fit: sizes, how much context fits, a verdict and what they rest on.

    Raises:
        ConfigError: the checkpoint or the config cannot be read, the shape of the model or the
            memory of the GPU is not known, or a number is out of range.

    Example:
        >>> from quantmap import estimate
        >>> shape = {
        ...     "model_type": "llama",
        ...     "num_hidden_layers": 32,
        ...     "hidden_size": 4096,
        ...     "intermediate_size": 14336,
        ...     "num_attention_heads": 32,
        ...     "num_key_value_heads": 8,
        ...     "vocab_size": 128256,
        ...     "max_position_embeddings": 131072,
        ...     "tie_word_embeddings": False,
        ... }
        >>> fit = estimate(shape, {"preset": "kv-cache-fp8"}, gpu="L40S", engine="vllm@0.13.0")
        >>> fit.parameters, fit.kv_token_bytes, fit.verdict
        (8030261248, 65536, 'fits')
    """
    return _core.estimate(
        checkpoint,
        config,
        engine,
        engine_version,
        gpu,
        tp,
        pp,
        context,
        concurrency,
        memory_fraction,
        with_settings(engine, user_parameters),
        correction,
    )


def with_settings(
    engine: str, parameters: dict[str, Any] | None, written: list[WrittenFile] | None = None
) -> dict[str, Any] | None:
    """Parameters with what stands in the file of further arguments, where they name one.

    Args:
        engine: the engine.
        parameters: arguments by name.
        written: files that a script writes.

    Returns:
        dict: the same, the name of a file that can be read replaced by its content.
    """
    if not isinstance(parameters, dict):
        return parameters
    names = {_plain(flag) for flag in _core.settings_flags(engine)}
    out = dict(parameters)
    for key, value in parameters.items():
        if isinstance(key, str) and isinstance(value, str) and _plain(key) in names:
            from .settings_file import known_settings

            content = known_settings(value, written or [])
            out[key] = value if content is None else content
    return out


def _plain(flag: str) -> str:
    return flag.lstrip("-").replace("-", "_")
