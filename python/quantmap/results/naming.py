"""Short names of a plan's experiments: what differs between them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..experiment import Experiment

__all__ = ["Names", "launch_parts"]

_UNSAFE = re.compile(r"[^\w.:/+-]+", re.ASCII)
MAX_VALUE = 32
MAX_LABEL = 120


def launch_parts(experiment: Experiment) -> dict[str, Any]:
    """What decides a launch, by name.

    Args:
        experiment: one of a plan.

    Returns:
        dict: engine and release as ``engine``, then arguments, variables and files.

    Example:
        >>> import quantmap
        >>> launch_parts(quantmap.plan({"base_runtime": "vllm", "quant_config": {}})[0])["engine"]
        'vllm'
    """
    release = f"@{experiment.version}" if experiment.version else ""
    return {
        "engine": experiment.engine + release,
        **experiment.args,
        **experiment.env,
        **experiment.files,
    }


class Names:
    """Names the experiments of one plan by the parts in which they differ.

    Attributes:
        parts: the names of these parts, in order of appearance.

    Example:
        >>> import quantmap
        >>> task = {"base_runtime": "vllm", "quant_config": {"kvcache_dtype": ["auto", "fp8"]}}
        >>> plan = quantmap.plan(task)
        >>> [Names(plan).label(experiment) for experiment in plan]
        ['kv-cache-dtype:auto', 'kv-cache-dtype:fp8']
    """

    __slots__ = ("_files", "parts")

    def __init__(self, experiments: Iterable[Experiment]) -> None:
        first: dict[str, Any] = {}
        seen: dict[str, int] = {}
        differ: set[str] = set()
        files: set[str] = set()
        known = list(experiments)
        for experiment in known:
            files.update(experiment.files)
            for name, value in launch_parts(experiment).items():
                seen[name] = seen.get(name, 0) + 1
                if first.setdefault(name, value) != value:
                    differ.add(name)
        self.parts = [name for name, times in seen.items() if name in differ or times < len(known)]
        self._files = files

    def differing(self, experiment: Experiment) -> dict[str, str]:
        """The parts in which an experiment may differ from the others.

        Args:
            experiment: one of the plan.

        Returns:
            dict[str, str]: their values as text, by flag without dashes or by name.
        """
        parts = launch_parts(experiment)
        out = {}
        for name in self.parts:
            if name in parts:
                value = "" if parts[name] is True else str(parts[name])
                out[name.lstrip("-")] = " ".join(value.split()) if name in self._files else value
        return out

    def label(self, experiment: Experiment) -> str:
        """A name for people, which `pytest -k` can match.

        Args:
            experiment: one of the plan.

        Returns:
            str: parts joined by ``+``; ``the-only-launch`` when nothing differs.
        """
        parts = []
        for name, value in self.differing(experiment).items():
            shown = _UNSAFE.sub("_", value)[:MAX_VALUE]
            parts.append(f"{_UNSAFE.sub('_', name)}:{shown}" if shown else name)
        return "+".join(parts)[:MAX_LABEL] or "the-only-launch"
