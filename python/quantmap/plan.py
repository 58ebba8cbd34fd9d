"""Plans: a comparison task reduced to the experiments that really differ."""

from __future__ import annotations

from . import _core
from .compared import Compared
from .errors import Diagnostic
from .experiment import Experiment, Skip, Target, explained
from .plan_header import FORMAT, PlanHeader
from .task import load_task

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator
    from typing import Any, SupportsIndex, overload

    from .mapping import Mapping
    from .stored_plan import StoredPlan
    from .words import PlanArguments, Policy

__all__ = ["Pending", "Plan", "plan"]

_CHUNK = 1 << 20  # bytes written at a time


class Pending:
    """The experiments of a plan that have not been run.

    Attributes:
        diagnostics: what was odd about the results file, such as a cut-off last line.
    """

    def __init__(self, plan: Plan, done: set[str], diagnostics: list[Diagnostic]) -> None:
        self._plan = plan
        self._done = done
        self.diagnostics = diagnostics

    def __iter__(self) -> Iterator[Experiment]:
        for number, signature in enumerate(self._plan.iter_signatures()):
            if signature not in self._done:
                yield self._plan[number]

    def __len__(self) -> int:
        return sum(signature not in self._done for signature in self._plan.iter_signatures())


class Plan(PlanHeader, Compared):
    """A task reduced to the experiments that differ; every point of it is accounted for.

    Nothing is enumerated until it is read: a plan of 10^12 points is made as fast as one of ten.
    ``len(plan)`` is what is iterated: the distinct experiments, at most ``max_iterations``.

    Attributes:
        asked: points of the task: the product of its axes.
        distinct: launches that differ; ``asked == distinct + merged + skipped``.
        merged: points that are the same launch as an earlier one.
        skipped: points that are left out; ``skips`` says why.
        limited: whether the task's ``max_iterations`` is below ``distinct``: then experiments are
            spread over all of them. A Bayesian task is planned as its whole space.
        max_iterations: that limit, or None.
        skips: the causes of skipped points, with counts and one example each.
        targets: the engines and releases, each with ``engine``, ``engine_name``, ``mode``,
            ``version``, ``gpu`` and ``times`` (how often the same one was asked for).
        diagnostics: warnings, such as a key of the task that nobody reads.
        task_name: the task's name, or None.
        axes: what varies or is given: ``preset``, keys of the config, parameters.
        task: the task itself.
        arguments: what it was made with: engines, GPU, checkpoint and policy.
        catalog: version and hash of the catalogue that the plan rests on.
    """

    def __init__(self, core: _core.Plan, task: Any, arguments: PlanArguments) -> None:
        self._core = core
        self.task = task
        self.arguments = self.ground = arguments
        self.format = FORMAT
        self.asked = core.asked
        self.distinct = core.distinct
        self.merged = core.merged
        self.skipped = core.skipped
        self.max_iterations = core.max_iterations
        self.limited = core.size < core.distinct
        self.task_name = core.task_name
        self.axes: list[str] = core.axes
        self.diagnostics = core.diagnostics
        self.catalog = {"version": _core.catalog_version, "hash": _core.catalog_hash}

    @property
    def skips(self) -> list[Skip]:  # type: ignore[override]
        """The causes of skipped points.

        Returns:
            list[Skip]: in the order in which they are looked for.
        """
        return self._core.skips

    @property
    def targets(self) -> list[Target]:  # type: ignore[override]
        """The engines and releases of the plan.

        Returns:
            list[Target]: in the order of their experiments.
        """
        return self._core.targets

    def __reduce__(self) -> tuple[Any, ...]:
        """Made again of its task where it is unpickled: a plan keeps no list that could be sent."""
        return _remade, (self.task, self.arguments)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plan) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash((self.asked, self.distinct, self.skipped))

    def __len__(self) -> int:
        return self._core.size

    if TYPE_CHECKING:

        @overload
        def __getitem__(self, index: SupportsIndex) -> Experiment: ...
        @overload
        def __getitem__(self, index: slice) -> list[Experiment]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Experiment | list[Experiment]:
        size = self._core.size
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(size))]
        number = index.__index__()
        if not -size <= number < size:
            raise IndexError(f"no experiment {number}: the plan has {size}")
        return self._core.experiment(number % size)._of_plan(self)

    def __iter__(self) -> Iterator[Experiment]:
        for number in range(self._core.size):
            yield self._core.experiment(number)._of_plan(self)

    def group(self, number: int) -> list[tuple[dict[str, Any], int]]:
        """The configs that the experiments of a group stand for.

        Args:
            number: an experiment's ``group``.

        Returns:
            list[tuple[dict, int]]: each config, and how many points of the config side it is.
        """
        return self._core.group(number)

    def explain(self, experiment: Experiment) -> Mapping:
        """The decisions behind an experiment's first point.

        Args:
            experiment: one of this plan.

        Returns:
            Mapping: what `quantmap.explain` says of its config and parameters.
        """
        return explained(experiment, self.arguments)

    def iter_lines(self, begin: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int]]:
        """JSON lines of experiments, in pieces of about a megabyte.

        Args:
            begin: number of the first experiment.
            end: number after the last; None is ``len(plan)``.

        Returns:
            Iterator[tuple[bytes, int]]: whole lines, and the number of the experiment after them.
            A group's line stands before its first experiment.
        """
        stop = self._core.size if end is None else min(end, self._core.size)
        number, groups = begin, 1
        while number < stop:
            lines, number = self._core.lines(number, stop, _CHUNK, groups)
            groups = 2
            yield lines, number

    def to_jsonl(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """The plan as JSON lines: a header, groups, experiments.

        Args:
            path: a file to write, atomically; None returns the text.

        Returns:
            str | None: the text, unless it was written.

        Raises:
            ConfigError: the task holds what JSON cannot.
            OSError: the file cannot be written; an older file of the name is left as it is.
        """
        from .plan_file import write_or_join

        return write_or_join(self._jsonl(), path)

    def _jsonl(self) -> Iterator[bytes]:
        from .plan_file import header_line

        yield header_line(self)
        for lines, _ in self.iter_lines():
            yield lines

    def to_csv(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """The experiments as CSV with a header line.

        Args:
            path: a file to write, atomically; None returns the text.

        Returns:
            str | None: the text, unless it was written. Arguments, variables and files are JSON
            in one column each; ``command`` is the shell line.

        Raises:
            OSError: the file cannot be written; an older file of the name is left as it is.
        """
        from .plan_file import csv_lines, write_or_join

        return write_or_join(csv_lines(self), path)

    def to_dict(self) -> dict[str, Any]:
        """The whole plan as plain data, for JSON; every experiment is in it.

        Returns:
            dict: the header's keys and ``experiments``.
        """
        experiments = [experiment.to_dict() for experiment in self]
        return {**self.header()["plan"], "experiments": experiments}

    @staticmethod
    def from_jsonl(path: str | os.PathLike[str]) -> StoredPlan:
        """A plan as it was written by `to_jsonl`, whatever the catalogue says today.

        Args:
            path: the file.

        Returns:
            StoredPlan: the same experiments, read from the file when they are asked for. A torn
            last line is left out and reported in its ``diagnostics``.

        Raises:
            ConfigError: the file cannot be read, or is not a plan.
        """
        from .stored_plan import StoredPlan

        return StoredPlan(path)

    def pending(self, done: Any, rerun: Iterable[str] = ()) -> Pending:
        """The experiments that have not been run.

        Args:
            done: signatures, a `Ledger`, or a results file (JSON lines with ``signature`` and
                ``status``).
            rerun: statuses to run again, such as ``("failed",)``.

        Returns:
            Pending: the experiments, lazily and in order, and what was odd about the file.

        Raises:
            ConfigError: the results file cannot be read.
        """
        from .ledger import done_signatures

        signatures, diagnostics = done_signatures(done, rerun)
        return Pending(self, signatures, diagnostics)

    def iter_signatures(self) -> Iterator[str]:
        """The signatures of the experiments, in order.

        Returns:
            Iterator[str]: much cheaper than the experiments themselves.
        """
        number, size = 0, self._core.size
        while number < size:
            text, number = self._core.signatures(number, size, _CHUNK)
            for at in range(0, len(text), 32):
                yield text[at : at + 32]

    def summary(self) -> str:
        """The accounting as text.

        Returns:
            str: some lines.
        """
        from .plan_file import summary

        return summary(self)

    def __repr__(self) -> str:
        return f"Plan(asked={self.asked}, distinct={self.distinct}, skipped={self.skipped})"


def _remade(task: Any, arguments: PlanArguments) -> Plan:
    return plan(task, **arguments)


def plan(
    task: Any,
    *,
    engine_version: str | None = None,
    gpu: str | None = None,
    checkpoint: Any = None,
    policy: Policy | None = None,
    engines: list[str] | None = None,
    model_quantization: str | dict[str, Any] | None = None,
) -> Plan:
    """Reduce a task to the experiments that really differ.

    The points are the product of the task's axes: presets, the four fields, then parameters in
    file order, the last one fastest. Points with the same effective launch are one experiment,
    represented by the first. In checked mode (a version, or the task's ``runtime_image_tag``) an
    argument equal to the release's own default makes no difference.

    Args:
        task: the autotuner's task: data, JSON text, or the name of a file.
        engine_version: the engine release, when one engine is planned for.
        gpu: a product such as ``H100``, or a compute capability such as ``9.0``.
        checkpoint: the checkpoint to serve.
        policy: as for ``get_runtime_args``; ``strict`` skips what is not served as asked.
        engines: engines to plan for instead of the task's own, such as
            ``["sglang@0.5.2", "vllm@0.11.0"]``.
        model_quantization: the model's own quantization method.

    Returns:
        Plan: experiments, accounting and causes of skips.

    Raises:
        ConfigError: the task itself is wrong; a wrong value in a list is a skip instead.

    Example:
        >>> import quantmap
        >>> task = {
        ...     "base_runtime": "vllm@0.11.0",
        ...     "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
        ...     "parameters": {"gpu-memory-utilization": [0.9, "0.90"]},
        ... }
        >>> plan = quantmap.plan(task)
        >>> plan.asked, plan.distinct, plan.merged
        (4, 2, 2)
        >>> plan[1].args["--kv-cache-dtype"]
        'fp8'
    """
    data = load_task(task)
    arguments: PlanArguments = {
        "engines": engines,
        "engine_version": engine_version,
        "gpu": gpu,
        "checkpoint": checkpoint,
        "model_quantization": model_quantization,
        "policy": policy,
    }
    return Plan(_core.make_plan(data, **arguments), data, arguments)
