"""What a plan is written as: CSV, and its accounting in words."""

from __future__ import annotations

import csv
import io
import json

from . import _core
from .errors import ConfigError
from .files import write_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator

    from .experiment import Experiment
    from .plan import Plan
    from .stored_plan import StoredPlan

__all__ = ["csv_lines"]

MAX_VALUES = 16_000_000  # values and keys of one line of a plan file
_SHOWN_SKIPS = 8
_FIRST = ("index", "signature", "engine", "version", "points")
_LAST = ("args", "env", "files", "command")


def write_or_join(pieces: Iterable[bytes], path: str | os.PathLike[str] | None) -> str | None:
    """The pieces in a file, or as text when there is none."""
    if path is None:
        return b"".join(pieces).decode()
    write_file(pieces, path)
    return None


def header_line(plan: Plan) -> bytes:
    """The first line of a plan file; a task that no reader would take back is a ConfigError."""
    try:
        line = json.dumps(plan.header(), default=str, allow_nan=False).encode() + b"\n"
        _core.load_json(line, MAX_VALUES)
    except ConfigError as error:
        reason = error.diagnostics[0].message
    except (TypeError, ValueError, RecursionError) as error:
        reason = str(error) or "too deep"
    else:
        return line
    context = {"expected": "a task that JSON can hold", "got": reason, "hint": ""}
    raise ConfigError([_core.make_diagnostic("wrong-type", "task", context)])


def csv_lines(plan: Iterable[Experiment]) -> Iterator[bytes]:
    """The experiments as CSV, a header first.

    Each setting and each parameter of the task has a column, and so has the preset; arguments,
    variables and files are JSON; ``command`` is the shell line, with the task's model.

    Args:
        plan: a plan, or some of its experiments.

    Returns:
        Iterator[bytes]: pieces of the file, in order.

    Example:
        >>> import quantmap
        >>> planned = quantmap.plan({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> b"".join(csv_lines(planned)).decode().split(",")[0]
        'index'
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    axes: list[str] | None = None
    for experiment in plan:
        if axes is None:
            axes = [name for name in experiment.axes if name not in (*_FIRST, *_LAST)]
            writer.writerow([*_FIRST, *axes, *_LAST])
        row = [getattr(experiment, name) for name in _FIRST]
        row += [_cell(experiment.setting(name)) for name in axes]
        row += [json.dumps(getattr(experiment, name)) for name in _LAST[:3]]
        writer.writerow([*row, experiment.shell(experiment.model)])
        if out.tell() > 1 << 20:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    if axes is None:
        writer.writerow([*_FIRST, *_LAST])
    yield out.getvalue().encode()


def _cell(value: object) -> object:
    """What a column holds: nothing for what is not given, JSON for what is no scalar."""
    return json.dumps(value) if isinstance(value, (bool, dict, list)) else value


def summary(plan: Plan | StoredPlan) -> str:
    """The accounting of a plan, in a few lines.

    Args:
        plan: the plan.

    Returns:
        str: what was asked, what is distinct, merged and skipped, and why.

    Example:
        >>> import quantmap
        >>> planned = quantmap.plan({"base_runtime": "vllm", "quant_config": {"preset": "default"}})
        >>> summary(planned).splitlines()[0]
        'vLLM documented mapping'
    """
    lines = []
    for target in plan.targets:
        release = target.version or "documented mapping"
        times = f", asked for {target.times} times" if target.times > 1 else ""
        lines.append(f"{target.engine_name} {release}{times}")
    lines.append(f"asked     {plan.asked:>14,}")
    lines.append(f"distinct  {plan.distinct:>14,}")
    lines.append(f"merged    {plan.merged:>14,}  the same launch as an earlier one")
    lines.append(f"skipped   {plan.skipped:>14,}")
    for skip in plan.skips[:_SHOWN_SKIPS]:
        lines.append(f"          {skip.count:>14,}  {skip.path}: {skip.message}")
    if len(plan.skips) > _SHOWN_SKIPS:
        lines.append(f"          and {len(plan.skips) - _SHOWN_SKIPS} more causes")
    if plan.limited:
        rest = plan.distinct - len(plan)
        lines.append(f"planned   {len(plan):>14,}  max_iterations leaves out {rest:,}")
    return "\n".join(lines)
