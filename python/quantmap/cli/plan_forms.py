"""The experiments of a plan for another program: what ``quantmap plan`` writes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import islice
from typing import Any, Callable

import click

from .. import _core
from ..experiment import Experiment
from ..plan import Plan
from ..plan_file import csv_lines, header_line
from ..task import model_path
from .rendering import tagged_image
from .style import printable

_SIGNATURE = re.compile(rb'\{"index":\d+,"signature":"([0-9a-f]{32})"')
Tick = Callable[[int], None]


class Todo:
    """The experiments of a plan that are to be run.

    Attributes:
        plan: the plan.
        done: signatures to leave out, or None.
        most: how many at most, or None.
        size: how many experiments are looked at.
        unfit: how many of those that are left out do not fit into the GPU's memory.
    """

    def __init__(
        self, planned: Plan, done: set[str] | None, most: int | None, unfit: int = 0
    ) -> None:
        self.plan = planned
        self.unfit = unfit
        self.done = done
        self.most = most
        self.size = len(planned) if done is not None or most is None else min(most, len(planned))

    def __iter__(self) -> Iterator[Experiment]:
        found = iter(self.plan) if self.done is None else self.plan.pending(self.done)
        return islice(found, self.most)


class Writer:
    """Writes experiments in one form.

    Attributes:
        form: ``jsonl``, ``json``, ``csv``, ``argv``, ``shell``, ``docker`` or ``config_file``.
    """

    def __init__(self, task: Any, form: str, image: str | None) -> None:
        self.form = form
        self._task = task if isinstance(task, dict) else {}
        self._image = image
        if form in ("shell", "docker"):
            self._model = self._model_of_task()

    def pieces(self, todo: Todo, tick: Tick) -> Iterator[bytes]:
        """The whole output, in order."""
        if self.form == "jsonl":
            return _jsonl(todo, tick)
        if self.form == "json":
            return _json(todo, tick)
        experiments = _ticking(todo, tick)
        if self.form == "csv":
            return csv_lines(experiments)
        if self.form == "argv":
            return ((json.dumps(one.argv()) + "\n").encode() for one in experiments)
        return self._remarked(experiments)

    def files(self, todo: Todo, tick: Tick) -> Iterator[tuple[str, bytes]]:
        """Name and content of a file for each experiment that needs one."""
        for one in _ticking(todo, tick):
            text = _settings(one)
            if text:
                yield f"{one.signature}.yaml", _encoded(_remark(one) + text)

    def _remarked(self, experiments: Iterator[Experiment]) -> Iterator[bytes]:
        """Each experiment behind a comment with the signature to record."""
        for one in experiments:
            between = "---\n" if self.form == "config_file" and one.index else ""
            yield _encoded(between + _remark(one) + self._text(one))

    def _text(self, one: Experiment) -> str:
        if self.form == "config_file":
            return _settings(one) or "{}\n"  # a comment alone is no document
        if self.form == "shell":
            return one.shell(self._model) + "\n"
        task = self._task
        image = tagged_image(one, task.get("base_runtime"), task.get("runtime_image_tag"))
        return one.docker(self._model, self._image or image) + "\n"

    def _model_of_task(self) -> str:
        model = model_path(self._task.get("model"))
        if not isinstance(model, str):
            raise click.UsageError(f"--{self.form} needs the model in the task: model.id_or_path")
        return model


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _remark(one: Experiment) -> str:
    return f"# {one.index} {one.signature}\n"


def _settings(one: Experiment) -> str:
    """The file of an experiment; empty where the engine takes none and the launch needs none."""
    takes = next(row["config_flag"] for row in _core.engines() if row["id"] == one.engine)
    if not takes and not one.files and one.version is not None:
        return ""
    needs = "".join(
        f"# needs the variable {printable(f'{name}={shlex.quote(value)}')}\n"
        for name, value in one.env.items()
    )
    return needs + one.config_file()


def _ticking(todo: Todo, tick: Tick) -> Iterator[Experiment]:
    for experiment in todo:
        if experiment.index % 1000 == 0:
            tick(experiment.index)
        yield experiment


def _jsonl(todo: Todo, tick: Tick) -> Iterator[bytes]:
    yield header_line(todo.plan)
    if todo.done is None:
        for lines, number in todo.plan.iter_lines(0, todo.size):
            yield lines
            tick(number)
        return
    left = len(todo.plan) if todo.most is None else todo.most
    for lines, number in todo.plan.iter_lines():
        kept = []
        for line in lines.splitlines(keepends=True):
            found = _SIGNATURE.match(line)
            if found and (left == 0 or found[1].decode() in todo.done):
                continue
            left -= found is not None
            kept.append(line)
        yield b"".join(kept)
        tick(number)
        if left == 0:
            return


def _json(todo: Todo, tick: Tick) -> Iterator[bytes]:
    experiments = [experiment.to_dict() for experiment in _ticking(todo, tick)]
    header = todo.plan.header()["plan"]
    data = {**header, "too_large": todo.unfit, "experiments": experiments}
    yield (json.dumps(data, indent=2, default=str) + "\n").encode()
