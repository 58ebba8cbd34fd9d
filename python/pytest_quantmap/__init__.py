"""pytest's door to quantmap: options, marker and fixtures of experiments.

pytest imports this file in every run, so it imports nothing itself. What it does is in
`quantmap.pytest_plugin`, which is imported when a test asks for an experiment.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_OPTIONS = (
    ("task", "FILE", "The task whose experiments are run."),
    ("ledger", "FILE", "The results file; else <task file>.ledger.jsonl."),
    ("rerun", "WHICH", "Run again what failed there (failed), or everything (all)."),
    ("shard", "I/N", "Run the I-th of N parts: one for each machine."),
    ("engine", "ENGINE[@VERSION]", "Plan for this engine, not the task's; repeat it for several."),
    ("gpu", "GPU", "The GPU, such as a product's name or a compute capability."),
    ("checkpoint", "MODEL", "The model: a folder, a file of weights, a config.json."),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("quantmap", "experiments of a quantmap task")
    for name, metavar, help_text in _OPTIONS:
        more: dict[str, Any] = {}
        if name == "rerun":
            more["choices"] = ["failed", "all"]
        if name == "engine":
            more["action"] = "append"
        group.addoption(f"--quantmap-{name}", metavar=metavar, help=help_text, **more)


def pytest_configure(config: pytest.Config) -> None:
    """The marker."""
    config.addinivalue_line(
        "markers",
        "quantmap(task, ledger=None, gpu=None, checkpoint=None, engines=None, policy=None): "
        "run the test once for each experiment of the task, a file's name or the task itself.",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One item for each experiment."""
    if "experiment" in metafunc.fixturenames:
        from quantmap import pytest_plugin

        pytest_plugin.generate(metafunc)


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> Any:
    """The experiment to run: its arguments, environment, files and launch line."""
    from quantmap import pytest_plugin

    return pytest_plugin.start(request)


@pytest.fixture
def record_metrics(request: pytest.FixtureRequest, experiment: Any) -> Any:
    """Write measurements of the experiment into the ledger: ``record_metrics(ttft_ms=120)``."""
    from quantmap import pytest_plugin

    return pytest_plugin.recorder(request)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    """What a worker of pytest-xdist ran, for the summary."""
    plans = getattr(node, "workeroutput", {}).get("quantmap")
    if plans:
        from quantmap import pytest_plugin

        pytest_plugin.gather(node.config, plans)
