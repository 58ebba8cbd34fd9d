"""The memory that a launch should take, beside what was measured."""

from __future__ import annotations

from ..errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..experiment import Experiment
    from ..fit import Fit

__all__ = ["expected_memory", "taken_bytes"]


def expected_memory(experiment: Experiment, ground: dict[str, Any]) -> Fit | None:
    """What `quantmap.estimate` says of an experiment.

    Args:
        experiment: one of a plan.
        ground: what the plan was made with; ``checkpoint`` and ``gpu`` are needed.

    Returns:
        Fit | None: None when the model or the GPU is not given, or its size is not known.
    """
    if ground.get("checkpoint") is None or ground.get("gpu") is None:
        return None
    from ..fit import estimate

    try:
        return estimate(
            ground["checkpoint"],
            experiment.config,
            engine=experiment.engine,
            engine_version=experiment.version,
            gpu=ground["gpu"],
            user_parameters=experiment.parameters,
        )
    except ConfigError:  # a shape that is not known says nothing
        return None


def taken_bytes(fit: Fit) -> int:
    """What a running server holds of one GPU's memory: it fills what it may take with cache.

    Args:
        fit: an estimate.

    Returns:
        int: weights, cache, activations and buffers.
    """
    return fit.weight_bytes + fit.kv_budget_bytes + fit.activation_bytes
