"""What a launch takes of a GPU's memory, for the verbs that are about something else."""

from __future__ import annotations

from itertools import islice

from ..errors import ConfigError
from ..fitted import MemoryUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..fit import Fit
    from ..plan import Plan

GIGABYTE = 1e9
MOST_EXPERIMENTS = 20_000


def memory_of(
    engine: str, config: dict[str, Any], parameters: dict[str, Any], situation: dict[str, Any]
) -> Fit | None:
    """The estimate, where GPU and model are known and the engine's way with memory is."""
    if situation.get("gpu") is None or situation.get("checkpoint") is None:
        return None
    from ..fit import estimate

    try:
        return estimate(
            *(situation["checkpoint"], config),
            engine=engine,
            engine_version=situation.get("engine_version"),
            gpu=situation["gpu"],
            user_parameters=parameters,
        )
    except ConfigError:  # which the mapping reports
        return None


def memory_words(fit: Fit) -> str:
    """An estimate in a line."""
    words = (
        f"{fit.verdict}: weights {fit.weight_bytes / GIGABYTE:.1f} GB on each of {fit.tp * fit.pp} "
        f"x {fit.gpu}, KV cache of {fit.tokens:,} tokens"
    )
    return f"{words}; what makes it fit: {', '.join(fit.cures)}" if fit.cures else words


def memory_data(fit: Fit | None) -> dict[str, Any] | None:
    """An estimate in the JSON of verbs that are about something else."""
    return None if fit is None else MemoryUse.by(fit).to_dict()


def misfits(planned: Plan) -> set[str]:
    """Signatures of the experiments whose weights leave no room for a single token."""
    found: set[str] = set()
    for one in islice(planned, MOST_EXPERIMENTS):
        situation = {**planned.arguments, "engine_version": one.version}
        fit = memory_of(one.engine, one.config, one.parameters, situation)
        if fit is None:
            if not found and (planned.arguments["gpu"] is None or not situation["checkpoint"]):
                break
        elif fit.verdict == "does-not-fit":
            found.add(one.signature)
    return found
