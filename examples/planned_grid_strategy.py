"""A strategy for the autotuner's loop that runs equal launches once: the experiments of a plan.

It has the methods of the autotuner's strategies. A point is a dict as its grid makes them, with
``__quant__...`` for the settings, so the rest of the loop stays as it is.
"""

from __future__ import annotations

from typing import Any

import quantmap


class PlannedGridStrategy:
    """Suggests each experiment of a plan that has no result yet."""

    def __init__(self, task: dict[str, Any], history: list[dict[str, Any]] | None = None) -> None:
        self.task = task
        self.plan = quantmap.plan(task)
        self.history = list(history or [])
        done = {entry["signature"] for entry in self.history}
        self._todo = list(self.plan.pending(done))
        self._running: dict[str, Any] = {}

    def suggest_parameters(self) -> dict[str, Any] | None:
        """The next point, or None at the end."""
        if not self._todo:
            return None
        experiment = self._todo.pop(0)
        settings = {f"__quant__{field}": value for field, value in experiment.config.items()}
        self._running = {"signature": experiment.signature}
        return {**settings, **experiment.parameters}

    def tell_result(
        self, parameters: dict[str, Any], objective_score: float, metrics: dict[str, Any]
    ) -> None:
        """Keep what came of the point that was suggested last."""
        self.history.append(
            {
                **self._running,
                "parameters": parameters,
                "objective_score": objective_score,
                "metrics": metrics,
            }
        )

    def should_stop(self) -> bool:
        """Whether every experiment has been suggested."""
        return not self._todo

    def get_state(self) -> dict[str, Any]:
        """What a checkpoint of the loop keeps."""
        return {"task": self.task, "history": self.history}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> PlannedGridStrategy:
        """The strategy as it was; experiments with a result are not suggested again."""
        return cls(state["task"], state["history"])
