"""What a plan can say of its experiments together: what differs, and what came of them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable
    from typing import Any

    from .results.table import Results

__all__ = ["Compared"]


class Compared:
    """The base of plans, fresh ones and stored ones."""

    def results(
        self,
        ledgers: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
        best: str | None = None,
    ) -> Results:
        """What came of the experiments.

        Args:
            ledgers: a results file, or several.
            best: a metric to compare by; None is the task's objective.

        Returns:
            Results: measurements, scores, the front and effects.

        Raises:
            ConfigError: a file cannot be read, or the task's service levels cannot.
        """
        import os

        from .results.table import Results

        paths = [ledgers] if isinstance(ledgers, (str, os.PathLike)) else ledgers
        return Results(self, paths, best)  # type: ignore[arg-type]

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat dict for each experiment: what a table or a data frame is made of.

        Returns:
            list[dict]: number, signature, how many combinations it stands for, and the parts that
            differ.

        Example:
            >>> import quantmap
            >>> task = {"base_runtime": "vllm", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
            >>> [row["kv-cache-dtype"] for row in quantmap.plan(task).to_rows()]
            ['auto', 'fp8']
        """
        from .results.naming import Names

        experiments = list(self)  # type: ignore[call-overload]
        names = Names(experiments)
        return [
            {
                "index": one.index,
                "signature": one.signature,
                "label": names.label(one),
                "points": one.points,
                **names.differing(one),
            }
            for one in experiments
        ]

    def to_pandas(self) -> Any:
        """The experiments as a pandas DataFrame.

        Returns:
            Any: the frame of `to_rows`.

        Raises:
            ImportError: pandas is not installed.
        """
        import pandas

        return pandas.DataFrame(self.to_rows())
