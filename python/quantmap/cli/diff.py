"""``quantmap diff``: what changes between two releases."""

from __future__ import annotations

import json
from typing import Any

from ..changes import ConfigChanges, LineChanges, diff
from ..changes import diff_command as diff_lines
from ..fit import Fit
from ..task import Task
from . import declare
from .inputs import read_checkpoint, shared_options, task_of
from .memory import memory_data, memory_of, memory_words
from .tables import say

EPILOGUE = """\b
Examples:
  quantmap diff 0.5.2 0.5.18 --runtime sglang --preset bf16-stable
  quantmap diff 0.9.0 0.33.0 --command 'vllm serve m --quantization gguf'
"""


@declare.command("diff", epilog=EPILOGUE, short_help="What changes between two releases.")
@declare.argument("before")
@declare.argument("after")
@shared_options
@declare.option("--command", metavar="LINE", help="Compare the verdicts on a launch line instead.")
@declare.option("--json", "as_json", is_flag=True, help="The differences as JSON on stdout.")
def diff_command(
    before: str, after: str, command: str | None, as_json: bool, **options: object
) -> int:
    """Compare a config, a task file or a launch line between releases BEFORE and AFTER."""
    if options["engine_version"] is not None or options["policy"] is not None:
        raise declare.UsageError("diff takes its releases as BEFORE and AFTER, and no policy")
    model: Any = options["checkpoint"]
    found: list[ConfigChanges | LineChanges]
    if command is not None:
        found = [
            diff_lines(
                command,
                before,
                after,
                engine=options["runtime"],  # type: ignore[arg-type]
                gpu=options["gpu"],  # type: ignore[arg-type]
                model_quantization=options["model_quantization"],  # type: ignore[arg-type]
                checkpoint=None if model is None else read_checkpoint(model),
            )
        ]
    else:
        task, situation = task_of(options)
        keep = {key: situation[key] for key in ("gpu", "model_quantization", "checkpoint")}
        found = [
            diff(config, task.runtime, before, after, user_parameters=task.parameters, **keep)
            for config in task.configs()
        ]
    memory = [] if command is not None else _memory(before, after, task, situation)
    return _show(found, memory, as_json=as_json)


def _show(
    found: list[ConfigChanges | LineChanges], memory: list[list[Fit | None]], *, as_json: bool
) -> int:
    """The differences, and what each config takes of the memory before and after."""
    if as_json:
        data = [changes.to_dict() for changes in found]
        for one, fits in zip(data, memory):
            one["memory"] = [memory_data(fit) for fit in fits] if all(fits) else None
        declare.echo(json.dumps(data[0] if len(data) == 1 else data, indent=2))
        return 0
    from .tables import show_changes

    for index, changes in enumerate(found):
        show_changes(changes.to_dict())
        words = [memory_words(fit) for each in memory[index : index + 1] for fit in each if fit]
        if len(words) == len(("before", "after")):
            say(f"memory: {words[0]} → {words[1]}")
    return 0


def _memory(
    before: str, after: str, task: Task, situation: dict[str, Any]
) -> list[list[Fit | None]]:
    """What each config takes of the GPU's memory on both releases; None where it is not known."""
    return [
        [
            memory_of(task.runtime, config, task.parameters, {**situation, "engine_version": each})
            for each in (before, after)
        ]
        for config in task.configs()
    ]
