"""``quantmap map``: launch arguments of a task or of a config typed on the command line."""

from __future__ import annotations

from . import declare
from .inputs import map_all, shared_options, task_of
from .rendering import chosen_form, exit_code, render, rendering_options

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..mapping import Mapping
    from ..task import Task

EPILOGUE = """\b
Examples:
  quantmap map examples/quant_preset_task.json
  quantmap map --runtime vllm --preset kv-cache-fp8 --set gemm_dtype=bfloat16 --param tp-size=2
  quantmap map task.json --engine-version 0.11.0 --docker my/model
"""


@declare.command("map", epilog=EPILOGUE, short_help="Launch arguments of a task or config.")
@shared_options
@rendering_options
def map_command(**options: Any) -> int:
    """Map a quantization config to launch arguments, with the reason for each.

    TASK.json is an autotuner task (base_runtime, quant_config, parameters) or a bare config; "-"
    reads standard input. A task that compares several presets gives one mapping for each. Exit code
    1 when the release refuses something that was passed on as given.
    """
    form = chosen_form(options)
    task, situation = task_of(options)
    mappings = map_all(task, situation)
    if form is None:
        _show(task, mappings)
    else:
        render(form, mappings, task, options)
    return exit_code(mappings)


def _show(task: Task, mappings: list[Mapping]) -> None:
    from .style import release_words
    from .tables import show_mapping, show_problems

    for index, mapping in enumerate(mappings):
        release = release_words(mapping.engine_name, mapping.version, mapping.diagnostics)
        parts = [task.name, release, mapping.preset]
        title = " · ".join(part for part in parts if part)
        if index:
            declare.echo()
        show_mapping(mapping, title)
        show_problems(mapping, mapping.preset or mapping.engine_name)
