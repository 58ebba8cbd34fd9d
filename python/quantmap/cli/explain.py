"""``quantmap explain``: what a release will do with a config, and why."""

from __future__ import annotations

from . import declare
from .inputs import map_all, shared_options, task_of
from .rendering import chosen_form, exit_code, render, rendering_options
from .style import wrap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

EPILOGUE = """\b
Examples:
  quantmap explain --runtime sglang --engine-version 0.5.6 --gpu H100 --preset dynamic-fp8
  quantmap explain task.json --engine-version 0.5.6 --policy strict
"""


@declare.command(
    "explain", epilog=EPILOGUE, short_help="What a release will do with a config, and why."
)
@shared_options
@declare.option("--evidence", is_flag=True, help="Show where every fact is written.")
@rendering_options
def explain_command(evidence: bool, **options: Any) -> int:
    """Explain what becomes of each setting on an engine release, and what to do about it.

    Without a version the documented mapping is explained; with one, nothing derived is refused by
    that release. "-" reads standard input. Exit code 1 when something stays refused.
    """
    form = chosen_form(options)
    task, situation = task_of(options)
    mappings = map_all(task, situation)
    if form is not None and form != "json":
        render(form, mappings, task, options)
        return exit_code(mappings)
    from .memory import memory_data, memory_of, memory_words

    fits = [
        memory_of(mapping.engine, config, task.parameters, situation)
        for mapping, config in zip(mappings, task.configs())
    ]
    if form is not None:
        render(form, mappings, task, options, [memory_data(fit) for fit in fits])
    else:
        from .advice import Ground
        from .story import tell

        for index, (mapping, config) in enumerate(zip(mappings, task.configs())):
            if index:
                declare.echo()
            ground = Ground(mapping, config, task.parameters, situation)
            tell(ground, task, str(options["gpu"] or ""), evidence=evidence)
            fit = fits[index]
            if fit is not None:
                declare.echo()
                declare.echo(wrap(f"Memory: {memory_words(fit)}."))
    return exit_code(mappings)
