"""What to run: legal sizes, precisions that really run, memory, and a line that starts."""

from __future__ import annotations

import json

from . import _core
from .checkpoint import CheckpointInfo, inspect_checkpoint
from .errors import ConfigError
from .fit import Fit
from .result import Result, fresh

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike
    from typing import Any

    from .words import Config, Count, Positive

__all__ = ["Advice", "advise", "servable"]

GOALS = ("memory", "speed", "quality")
FORM = "four_field"
NEWEST = "latest"
TROUBLE = "known-trouble"
_PLAIN = "16-bit"  # bfloat16 or as the model says, which is the same for nearly all


class Advice(Result):
    """One way to serve a model on a GPU, which fits and which the release starts.

    Attributes:
        fit: its memory: engine, release, sizes, verdict.
        config: the quantization config.
        precision: what GEMM, KV cache, attention and experts really are.
        gpus: how many GPUs it takes.
        bytes_per_token: what one GPU moves to make one token of one sequence: weights that take
            part, and half of the cache of `context` tokens. A relative cost, not a speed.
        command: the line to paste.
        warnings: what the release does otherwise than asked.
        reasons: why it stands where it stands.
    """

    fit: Fit
    config: Config
    precision: dict[str, str]
    gpus: Positive
    bytes_per_token: Count
    command: str
    warnings: list[str]
    reasons: list[str] = fresh(list)

    def __repr__(self) -> str:
        return f"Advice({self.fit.engine!r}, gpus={self.gpus}, {self.fit.verdict!r})"


def advise(
    checkpoint: str | PathLike[str] | dict[str, Any] | CheckpointInfo,
    gpu: str | float | dict[str, Any],
    *,
    gpus: int = 8,
    engines: Sequence[str] | None = None,
    context: int | None = None,
    concurrency: int = 1,
    goal: str = "memory",
    model: str | None = None,
) -> list[Advice]:
    """The ways to serve a model on this GPU that fit, best first.

    For each engine the presets are mapped on the release; those that come to the same launch are
    one. Each gets the fewest GPUs that divide its heads and hold it by the careful guess.

    Args:
        checkpoint: a folder, a ``.gguf`` file, the content of a config.json, or what
            `inspect_checkpoint` returned.
        gpu: a product such as ``H100``, or ``local``.
        gpus: how many there are at most.
        engines: engines with or without a release; None takes all, each at its newest release.
        context: tokens of one sequence; None is the longest that the model is made for.
        concurrency: sequences at the same time.
        goal: ``memory`` (fewest GPUs, then least memory), ``speed`` (least bytes moved for a
            token), or ``quality`` (most bits).
        model: how the model is named in the command; None is a placeholder.

    Returns:
        list: `Advice`, best first; empty when nothing fits.

    Raises:
        ConfigError: the checkpoint cannot be read, or the GPU's memory is not known.
        ValueError: the goal is not known.

    Example:
        >>> from quantmap import advise
        >>> shape = {
        ...     "model_type": "llama",
        ...     "num_hidden_layers": 32,
        ...     "hidden_size": 4096,
        ...     "intermediate_size": 14336,
        ...     "num_attention_heads": 32,
        ...     "num_key_value_heads": 8,
        ...     "vocab_size": 128256,
        ...     "max_position_embeddings": 8192,
        ...     "tie_word_embeddings": False,
        ... }
        >>> best = advise(shape, "L40S", goal="quality", engines=["vllm@0.19.0"])[0]
        >>> best.gpus, best.fit.verdict
        (1, 'fits')
    """
    if goal not in GOALS:
        raise ValueError(f"goal {goal!r}: one of {', '.join(GOALS)}")
    found: list[Advice] = []
    if not isinstance(checkpoint, CheckpointInfo):
        checkpoint = inspect_checkpoint(checkpoint)
    for engine in engines if engines is not None else _engines():
        found += _of_engine(checkpoint, engine, gpu, gpus, context, concurrency, model)
    found.sort(key=lambda advice: _rank(advice, goal))
    for place, advice in enumerate(found):
        reasons = _reasons(advice, found[place - 1] if place else None, goal)
        found[place] = advice.replace(reasons=reasons)
    return found


def servable(
    gpu: str | float | dict[str, Any],
    *,
    gpus: int = 8,
    engines: Sequence[str] | None = None,
    context: int | None = None,
    concurrency: int = 1,
    goal: str = "memory",
) -> Iterator[tuple[str, Advice | None]]:
    """What this GPU can serve: the best way for each well-known model, one after the other.

    Args:
        gpu: a product such as ``H100``, or ``local``.
        gpus: how many there are at most.
        engines: engines with or without a release; None takes all, each at its newest release.
        context: tokens of one sequence; None is the longest that each model is made for.
        concurrency: sequences at the same time.
        goal: as for `advise`.

    Returns:
        Iterator[tuple[str, Advice | None]]: one after the other, the model's id and its best
            `Advice`; None when nothing fits.

    Raises:
        ConfigError: the GPU's memory is not known.
        ValueError: the goal is not known.

    Example:
        >>> from quantmap import servable
        >>> found = dict(servable("L4", gpus=1, engines=["vllm@0.19.0"], context=8192))
        >>> found["Qwen/Qwen3-8B"].precision["kv"], found["Qwen/Qwen3-235B-A22B"]
        ('FP8 e4m3 storage', None)
    """
    best: dict[str, Advice | None] = {}  # by config: many models have one shape
    for model, config, _ in _core.known_models():
        if config not in best:
            found = advise(
                json.loads(config),
                gpu,
                gpus=gpus,
                engines=engines,
                context=context,
                concurrency=concurrency,
                goal=goal,
                model=model,
            )
            best[config] = found[0] if found else None
        yield model, best[config]


def _engines() -> Iterable[str]:
    """Engines that run on GPUs and tell their memory when they start, at their newest release."""
    known = {line[0] for line in _core.memory_log_lines()}
    return [f"{e['id']}@{NEWEST}" for e in _core.engines() if e["id"] in known]


def _of_engine(
    checkpoint: Any,
    engine: str,
    gpu: Any,
    gpus: int,
    context: int | None,
    concurrency: int,
    model: str | None,
) -> list[Advice]:
    out: list[Advice] = []
    launches = set()
    for preset in _core.presets():
        if preset["form"] != FORM:
            continue
        config = {"preset": preset["id"]}
        fit = _least(checkpoint, config, engine, gpu, gpus, context, concurrency)
        if fit is None:
            continue
        words = [_PLAIN if word.startswith(_PLAIN) else word for word in fit.precision.values()]
        same = (fit.tp, fit.weight_bytes, fit.kv_bits, *words)
        if same in launches:
            continue
        launches.add(same)
        out.append(_advice(checkpoint, config, fit, gpu, context, model))
    return out


def _least(
    checkpoint: Any,
    config: dict[str, Any],
    engine: str,
    gpu: Any,
    gpus: int,
    context: int | None,
    concurrency: int,
) -> Fit | None:
    """With the fewest GPUs that hold it; with more of them when the best guess alone fits."""
    tight = None
    largest = 1
    sizes = [(tp, 1) for tp in _divisors(checkpoint, gpus)]
    while sizes:
        tp, pp = sizes.pop(0)
        ground = (engine, None, gpu, tp, pp if pp > 1 else None, context, concurrency)
        fit = _core.estimate(checkpoint, config, *ground, None, None, None, cures=False)
        legal = fit.verdict != "refused" and not _is_uneven(fit)
        if legal and fit.verdict == "fits":
            return fit
        if legal and fit.verdict == "tight":
            tight = tight or fit
        if legal:
            largest = max(largest, tp)
        if not sizes and tight is None and 2 * pp * largest <= gpus:  # layers over stages then
            sizes = [(largest, 2 * pp)]
    return tight


def _divisors(checkpoint: CheckpointInfo, most: int) -> list[int]:
    """Over how many GPUs the heads divide, fewest first."""
    model = checkpoint.architecture
    heads = model.heads if model is not None and model.heads else 0
    if heads <= 0:
        return [1]
    return [size for size in range(1, min(most, heads) + 1) if heads % size == 0]


def _is_uneven(fit: Fit) -> bool:
    return any(diagnostic.code == "uneven-parallelism" for diagnostic in fit.diagnostics)


def _advice(
    checkpoint: Any,
    config: dict[str, Any],
    fit: Fit,
    gpu: Any,
    context: int | None,
    model: str | None,
) -> Advice:
    from .mapping import explain

    flags = _core.memory_flags(fit.engine, fit.version)
    parameters: dict[str, Any] = {}
    if fit.tp > 1 and "tensor" in flags:
        parameters[flags["tensor"]] = fit.tp
    if fit.pp > 1 and "pipeline" in flags:
        parameters[flags["pipeline"]] = fit.pp
    if context is not None and "context" in flags:
        parameters[flags["context"]] = context
    try:
        mapping = explain(
            *(fit.engine, config, parameters),
            engine_version=fit.version,
            gpu=gpu,
            checkpoint=checkpoint,
        )
        command = mapping.shell(model)
    except ConfigError as error:
        command = f"# {error}"
    others = (d for d in fit.diagnostics if d.severity == "warning" and d.code != TROUBLE)
    warnings = [*_troubles(fit), *(d.message for d in others)]
    moved = fit.weight_bytes * fit.active_share + fit.kv_token_bytes * fit.context / 2
    return Advice(fit, config, fit.precision, fit.tp * fit.pp, round(moved), command, warnings)


def _bits(advice: Advice) -> float:
    return advice.fit.weight_bytes * advice.gpus * 8 / max(advice.fit.parameters, 1)


def _troubles(fit: Fit) -> list[str]:
    return [d.message for d in fit.diagnostics if d.code == TROUBLE]


def _rank(advice: Advice, goal: str) -> tuple[Any, ...]:
    fit = advice.fit
    safe = 2 if _troubles(fit) else fit.verdict != "fits"
    if goal == "speed":
        return (safe, advice.bytes_per_token, advice.gpus)
    if goal == "quality":
        return (safe, -round(_bits(advice), 1), -fit.kv_bits, advice.gpus)
    return (safe, advice.gpus, fit.weight_bytes + fit.kv_needed_bytes)


def _reasons(advice: Advice, before: Advice | None, goal: str) -> list[str]:
    fit = advice.fit
    out = [f"{_bits(advice):.1f} bits a weight, {fit.kv_bits:g} bits a number of the KV cache"]
    if _troubles(fit):
        out.append("stands behind the others: what is known to go wrong is said below")
    if fit.verdict == "tight":
        out.append("only the best guess fits, the careful one does not")
    if goal == "speed":
        out.append(f"moves {advice.bytes_per_token / 1e9:.1f} GB for a token on each GPU")
    if before is not None and before.gpus < advice.gpus:
        out.append(f"takes {advice.gpus} GPUs, the one above {before.gpus}")
    return out
