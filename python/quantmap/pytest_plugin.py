"""Experiments as pytest items: what `pytest_quantmap` does once a test asks for one.

Each experiment of a task is one item. It leaves lines in a ledger: ``running`` when it begins,
``benchmarking`` with each measurement, then ``success`` or ``failed`` with the reason. A run that
is killed leaves an experiment that is not done, so that the next run takes it up again.
"""

from __future__ import annotations

import json
import os
import socket
import time
import uuid

import pytest

from .errors import ConfigError
from .ledger import FAILED, FINISHED, Ledger
from .plan import Plan, plan
from .results.memory import expected_memory, shortage
from .results.metrics import read_metrics
from .results.naming import Names
from .results.records import last_runs
from .results.story import summary_lines
from .task import load_task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from typing import Any, Callable

    from .experiment import Experiment

_GROUND = ("gpu", "checkpoint", "engines", "policy", "engine_version", "model_quantization")
DOOR = "pytest_quantmap"  # where the fixtures are
MAX_REASON = 500


class Suite:
    """The experiments of one task with one ledger."""

    def __init__(self, source: Any, ledger: str, ground: dict[str, Any]) -> None:
        self.source = source
        self.ledger = Ledger(ledger)
        self.ground = ground
        self.plan: Plan = plan(source, **ground)
        self.names = Names(self.plan)

    def described(self) -> str:
        """As text that another process makes the same suite of."""
        return json.dumps([self.source, self.ledger.path, self.ground], default=str)

    def params(self) -> list[Any]:
        """What a test is parametrized with: each experiment, then what was left out."""
        out = []
        for number, experiment in enumerate(self.plan):
            name = f"{experiment.signature[:8]}-{self.names.label(experiment)}"
            out.append(pytest.param(Case(self, number, experiment.signature), id=name))
        for number, skip in enumerate(self.plan.skips):
            hint = f" ({skip.hint})" if skip.hint else ""
            reason = f"{skip.path}: {skip.message}{hint}; {skip.count} combinations"
            mark = pytest.mark.skip(reason=reason)
            out.append(pytest.param(None, id=f"left-out-{number}-{skip.code}", marks=mark))
        return out


class Case:
    """One experiment as a parameter of a test."""

    __slots__ = ("began", "number", "signature", "suite")

    def __init__(self, suite: Suite, number: int, signature: str) -> None:
        self.suite = suite
        self.number = number
        self.signature = signature
        self.began: float | None = None

    @property
    def experiment(self) -> Experiment:
        """The experiment, made when it is asked for."""
        found: Experiment = self.suite.plan[self.number]
        return found

    def hindrance(self, experiment: Experiment) -> str:
        """Why it need not be tried; empty when nothing is known against it."""
        errors = [item for item in experiment.explain().diagnostics if item.severity == "error"]
        if errors:
            return "; ".join(item.message for item in errors)
        return shortage(expected_memory(experiment, experiment.parameters, self.suite.ground))


class Session:
    """The hooks that only a run with experiments needs."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.suites: dict[str, Suite] = {}
        self.failed: dict[tuple[str, str], str] = {}
        worker = getattr(config, "workerinput", None)
        self.run = worker["testrunuid"] if worker else uuid.uuid4().hex
        self.worker = worker["workerid"] if worker else "main"

    def suite(self, source: Any, ledger: str, ground: dict[str, Any]) -> Suite:
        """The suite of a task, made once."""
        key = json.dumps([source, ledger, ground], sort_keys=True, default=str)
        if key not in self.suites:
            self.suites[key] = Suite(source, ledger, ground)
        return self.suites[key]

    def record(self, item: pytest.Item, case: Case, status: str, **details: Any) -> None:
        """One line of the ledger."""
        written = {
            "time": round(time.time(), 3),
            "test": _test_of(item),
            "run": self.run,
            "worker": f"{socket.gethostname()}:{self.worker}",
        }
        case.suite.ledger.record(case.signature, status, **{**written, **details})

    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what was run, and the other machines' part."""
        part, parts = _shard(config.getoption("quantmap_shard"))
        rerun = config.getoption("quantmap_rerun")
        runs: dict[str, dict[tuple[str, str], str]] = {}
        kept: list[pytest.Item] = []
        out: list[pytest.Item] = []
        for item in items:
            case = _case_of(item)
            if case is None:
                left_out = parts > 1 and part > 1 and _is_left_out(item)
                (out if left_out else kept).append(item)
                continue
            path = case.suite.ledger.path
            if path not in runs:
                runs[path] = last_runs(path, but=self.run)
            status = runs[path].get((case.signature, _test_of(item)))
            status = status or runs[path].get((case.signature, ""))
            mine = int(case.signature, 16) % parts == part - 1
            (kept if mine and _wanted(status, rerun) else out).append(item)
        if out:
            config.hook.pytest_deselected(items=out)
            items[:] = kept

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Write how the experiment ended."""
        report = yield
        case = _case_of(item)
        if case is None or case.began is None or report.when == "teardown" or report.skipped:
            return report
        key = (case.suite.ledger.path, case.signature)
        seconds = round(time.monotonic() - case.began, 3)
        if report.failed:
            said = call.excinfo.exconly(tryshort=True) if call.excinfo else ""
            self.failed[key] = (said.splitlines() or ["unknown"])[0][:MAX_REASON]
            self.record(
                item, case, "failed", reason=self.failed[key], phase=report.when, seconds=seconds
            )
        elif report.when == "call" and key in self.failed:
            # Another test of the same experiment failed: its last line has to say so.
            self.record(item, case, "success", seconds=seconds)
            self.record(item, case, "failed", reason=self.failed[key], test="")
        elif report.when == "call":
            self.record(item, case, "success", seconds=seconds)
        return report

    def pytest_sessionfinish(self) -> None:
        """Tell the process that prints the summary what this one ran."""
        output = getattr(self.config, "workeroutput", None)
        if output is not None:
            output["quantmap"] = [suite.described() for suite in self.suites.values()]

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """How far each plan is, and the best so far."""
        if self.config.getoption("collectonly"):
            return
        for suite in self.suites.values():
            terminalreporter.section("quantmap", sep="=")
            for line in summary_lines(suite.plan, suite.ledger.path):
                terminalreporter.write_line(line)


def _test_of(item: pytest.Item) -> str:
    """A test without its parameters: what runs of several machines have in common."""
    return item.nodeid.partition("[")[0]


def _param_of(item: pytest.Item) -> Any:
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("experiment", item) if callspec is not None else item


def _case_of(item: pytest.Item) -> Case | None:
    found = _param_of(item)
    return found if isinstance(found, Case) else None


def _is_left_out(item: pytest.Item) -> bool:
    return _param_of(item) is None


def _wanted(status: str | None, rerun: str | None) -> bool:
    if rerun == "all":
        return True
    return status in FAILED if rerun == "failed" else status not in FINISHED


def _shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 1, 1
    first, _, second = text.partition("/")
    if not (first.isdigit() and second.isdigit()) or not 1 <= int(first) <= int(second) <= 10**6:
        raise pytest.UsageError(f"--quantmap-shard {text}: write the part and their number, as 1/4")
    return int(first), int(second)


def _session(config: pytest.Config) -> Session:
    found: Session | None = config.pluginmanager.get_plugin("quantmap-session")
    if found is None:
        found = Session(config)
        config.pluginmanager.register(found, "quantmap-session")
    return found


def _ledger(config: pytest.Config, base: Path, given: Any, named: str) -> str:
    """The ledger: of the option, else of the marker, else beside the task or the test."""
    option: str | None = config.getoption("quantmap_ledger")
    if option:
        return os.fspath(config.invocation_params.dir / option)
    return os.fspath(base / given) if given else f"{named}.ledger.jsonl"


def _ground(config: pytest.Config, settings: dict[str, Any]) -> dict[str, Any]:
    """What a plan is made with: of the options, else of the marker."""
    ground = {name: settings.pop(name) for name in _GROUND if name in settings}
    if settings:
        raise pytest.UsageError(f"@pytest.mark.quantmap does not know {', '.join(settings)}")
    options = {"gpu": "gpu", "checkpoint": "checkpoint", "engines": "engine"}
    given = {name: config.getoption(f"quantmap_{option}") for name, option in options.items()}
    ground.update({name: value for name, value in given.items() if value is not None})
    checkpoint = ground.get("checkpoint")
    if isinstance(checkpoint, str) and checkpoint.endswith(".json"):
        ground["checkpoint"] = load_task(checkpoint)
    return ground


def generate(metafunc: pytest.Metafunc) -> None:
    """Parametrize a test with the experiments of its task.

    Args:
        metafunc: the test. Without marker and option it is left alone, and the fixture says what
            to give.
    """
    config = metafunc.config
    definitions = getattr(metafunc, "_arg2fixturedefs", {}).get("experiment")
    if definitions and definitions[-1].func.__module__ != DOOR:
        return  # a fixture of the user's own
    marker = metafunc.definition.get_closest_marker("quantmap")
    settings = dict(marker.kwargs) if marker else {}
    task = marker.args[0] if marker and marker.args else settings.pop("task", None)
    base = metafunc.definition.path.parent
    if task is None:
        task = config.getoption("quantmap_task")
        base = config.invocation_params.dir
    if task is None:
        return
    source = os.fspath(base / task) if isinstance(task, (str, os.PathLike)) else task
    named = source if isinstance(source, str) else os.fspath(metafunc.definition.path)
    ledger = _ledger(config, base, settings.pop("ledger", None), named)
    ground = _ground(config, settings)
    try:
        suite = _session(config).suite(source, ledger, ground)
        metafunc.parametrize("experiment", suite.params(), indirect=True)
    except ConfigError as error:
        where = source if isinstance(source, str) else "the task"
        raise pytest.UsageError(f"{where}: {error}") from None


def start(request: pytest.FixtureRequest) -> Experiment:
    """Begin the experiment of a test, unless it cannot start.

    Args:
        request: the fixture's.

    Returns:
        Experiment: which the ledger now calls running.
    """
    case = getattr(request, "param", None)
    if not isinstance(case, Case):
        pytest.fail(
            "which experiments? Give --quantmap-task FILE, or @pytest.mark.quantmap('FILE')",
            pytrace=False,
        )
    experiment = case.experiment
    hindrance = case.hindrance(experiment)
    if hindrance:
        pytest.skip(hindrance)
    case.began = time.monotonic()
    _session(request.config).record(request.node, case, "running", launch=experiment.shell())
    return experiment


def recorder(request: pytest.FixtureRequest) -> Callable[..., None]:
    """What writes measurements of a test's experiment.

    Args:
        request: the fixture's.

    Returns:
        Callable: takes metrics by name; a value may be a pair of number and unit.
    """
    session = _session(request.config)
    item = request.node
    case = _case_of(item)
    assert case is not None

    def record(**metrics: Any) -> None:
        values = read_metrics(metrics)
        session.record(item, case, "benchmarking", metrics=values)
        item.user_properties.extend(values.items())

    return record


def gather(config: pytest.Config, plans: list[str]) -> None:
    """Take over what a worker ran, for the summary.

    Args:
        config: of the process that prints it.
        plans: as the worker's session wrote them.
    """
    session = _session(config)
    for text in plans:
        session.suite(*json.loads(text))
