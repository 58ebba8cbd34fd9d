"""The memory that a launch should take, beside what was measured."""

from __future__ import annotations

from functools import lru_cache

from ..errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..experiment import Experiment
    from ..fit import Fit
    from ..mapping import Mapping

__all__ = ["estimated", "expected_memory", "shortage", "taken_bytes"]

_SIZES = ("tensor_parallel_size", "pipeline_parallel_size")


@lru_cache(maxsize=256)
def _flag_of(engine: str, version: str | None, size: str) -> str | None:
    """The flag by which a release takes a size; the mapper is asked."""
    from ..mapping import explain

    args = explain(engine, {"parallelism": {size: 2}}, engine_version=version).args
    return next((flag for flag, value in args.items() if value == "2"), None)


def _sizes(launch: Experiment | Mapping) -> list[int | None]:
    """How many GPUs share layers, and how many stages there are, by a launch's own arguments."""
    out: list[int | None] = []
    for size in _SIZES:
        flag = _flag_of(launch.engine, launch.version, size)
        value = str(launch.args.get(flag, "")) if flag else ""
        out.append(int(value) if value.isdigit() and len(value) < 6 and int(value) else None)
    return out


def expected_memory(
    launch: Experiment | Mapping, parameters: dict[str, Any], ground: dict[str, Any]
) -> Fit | None:
    """What `quantmap.estimate` says of a launch.

    Args:
        launch: an experiment of a plan, or a mapping.
        parameters: the user parameters that it was made with.
        ground: what it was made on; ``checkpoint`` and ``gpu`` are needed.

    Returns:
        Fit | None: None when the model or the GPU is not given, or its size is not known.
    """
    if ground.get("checkpoint") is None or ground.get("gpu") is None:
        return None
    try:
        tp, pp = _sizes(launch)
    except ConfigError:
        return None
    release = (launch.engine, launch.version)
    return estimated(launch.config, parameters, release, ground, tp=tp, pp=pp)


def estimated(
    config: dict[str, Any],
    parameters: dict[str, Any],
    release: tuple[str, str | None],
    ground: dict[str, Any],
    **sizes: int | None,
) -> Fit | None:
    """What `quantmap.estimate` says of a config with parameters.

    Args:
        config: the config.
        parameters: the user parameters.
        release: engine and version.
        ground: with ``checkpoint`` and ``gpu``.
        sizes: ``tp`` and ``pp`` where the parameters do not hold them.

    Returns:
        Fit | None: None when the size of the model or of the GPU is not known.
    """
    from ..fit import estimate

    engine, version = release
    try:
        return estimate(
            ground["checkpoint"],
            config,
            engine=engine,
            engine_version=version,
            gpu=ground["gpu"],
            user_parameters=parameters,
            tp=sizes.get("tp"),
            pp=sizes.get("pp"),
        )
    except ConfigError:  # a shape that is not known says nothing
        return None


def shortage(fit: Fit | None) -> str:
    """Why a launch cannot fit.

    Args:
        fit: an estimate, or None.

    Returns:
        str: empty when it fits, at least with less context, or when nobody knows.
    """
    if fit is None or fit.verdict != "does-not-fit":
        return ""
    held = (fit.weight_bytes + fit.activation_bytes) / 1e9
    have = (fit.memory_bytes or 0) / 1e9
    return f"does not fit: {held:.1f} GB of weights and activations on a GPU of {have:.0f} GB"


def taken_bytes(fit: Fit) -> int:
    """What a running server holds of one GPU's memory: it fills what it may take with cache.

    Args:
        fit: an estimate.

    Returns:
        int: weights, cache, activations and buffers.
    """
    return fit.weight_bytes + fit.kv_budget_bytes + fit.activation_bytes
