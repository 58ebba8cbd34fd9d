"""Estimates beside something else: a mapping, a need, a boot log."""

from __future__ import annotations

from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .boot_log import BootLog, Part
    from .fit import Fit
    from .words import Count, FitVerdict, Positive

__all__: list[str] = []


class MemoryUse(Result):
    """What a launch takes of a GPU's memory, in the output of verbs about something else.

    Attributes:
        verdict: whether it fits.
        gpus: how many it takes.
        weight_bytes: weights on one GPU.
        kv_budget_bytes: room for the KV cache on one GPU.
        kv_token_bytes: what a token takes of it.
        tokens: of the KV cache.
        tokens_band: the least and the most, as far as the estimate can tell.
        cures: what makes it fit.
    """

    verdict: FitVerdict
    gpus: Positive
    weight_bytes: Count
    kv_budget_bytes: Count
    kv_token_bytes: Count
    tokens: Count
    tokens_band: tuple[Count, Count]
    cures: list[str]

    @classmethod
    def by(cls, fit: Fit) -> MemoryUse:
        """The short form of an estimate.

        Args:
            fit: the estimate.

        Returns:
            MemoryUse: it.
        """
        shared = {name: getattr(fit, name) for name in cls.__match_args__ if name != "gpus"}
        return cls(**shared, gpus=fit.tp * fit.pp)


class NeededFit(Result):
    """The smallest launch for a need, with one type of KV cache.

    Attributes:
        kv: the type.
        tp: the fewest GPUs.
        share: the least share of their memory.
        fit: the estimate.
    """

    kv: str
    tp: Positive
    share: float
    fit: Fit


class LoggedFit(Result):
    """A boot log beside the estimate of its launch.

    Attributes:
        log: what the engine printed.
        fit: the estimate.
        parts: those that the log tells, measured and estimated.
        kept: the file that keeps the difference for the next estimate on this GPU and release.
        case: the model's shape and the case, as the shared set of measurements has them.
    """

    log: BootLog
    fit: Fit
    parts: list[Part]
    kept: str | None
    case: tuple[dict[str, Any], dict[str, Any]]
