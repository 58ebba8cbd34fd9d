"""Threads that hammer one process: the same answers, every warning once, no crash."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import sysconfig
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import quantmap

THREADS = 8
ENGINES = ["vllm", "sglang", "tensorrt_llm"]
CONFIGS: list[Any] = [
    None,
    {"gemm_dtype": "fp8", "kvcache_dtype": "fp8_e5m2", "attention_dtype": "fp8"},
    {"gemm_dtype": "int8", "kvcache_dtype": "int4", "moe_dtype": "w4afp8"},
    {"preset": "aggressive-moe", "gemm_dtype": "float32"},
    {"preset": "sglang-marlin-moe"},
    {"quantization_config": {"quantization": {"method": "qoq", "base_quantization": "awq"}}},
    {"gemm_dtype": "fp16", "preset": "no-such-preset"},
    {"presets": ["default", "kv-cache-fp8"]},
]
PARAMETERS: list[Any] = [
    None,
    {"tp-size": 2, "mem-fraction-static": 0.85, "enable-metrics": True},
    {"kv_cache_dtype": ["auto", "fp8"], "json": {"a": [1, 2.5, None]}, "none": None},
    {"bad": float("nan")},
]
MODELS: list[Any] = [None, "AWQ", {"quant_method": "gptq"}, 7]
CASES = [
    (engine, config, parameters, model)
    for engine in ENGINES
    for config in CONFIGS
    for parameters in PARAMETERS
    for model in MODELS
]


@pytest.fixture(autouse=True)
def _switch_often() -> Iterator[None]:
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(interval)


class Counting(logging.Handler):
    """Counts messages; a list would keep every record."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        self.messages[record.getMessage()] += 1


@pytest.fixture(name="counting")
def _counting() -> Iterator[Counting]:
    """A handler of our own in place of all others."""
    logger = logging.getLogger("quantmap")
    handler = Counting()
    before, propagate = list(logger.handlers), logger.propagate
    logger.handlers[:] = [handler]
    logger.propagate = False
    yield handler
    logger.handlers[:] = before
    logger.propagate = propagate


def answer(case: tuple[Any, ...]) -> Any:
    """The arguments in order, or the text of the error."""
    engine, config, parameters, model = case
    try:
        args = quantmap.get_runtime_args(
            runtime=engine,
            quant_config=config,
            user_parameters=parameters,
            model_quantization=model,
        )
    except ValueError as error:
        return str(error)
    return list(args.items())


def in_threads(work: Callable[[int], None], threads: int = THREADS) -> None:
    """Run work(number) in every thread at once and raise what any of them raised."""
    start = threading.Barrier(threads)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait()
            work(number)
        except BaseException as error:
            failures.append(error)

    running = [threading.Thread(target=run, args=(number,)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    if failures:
        raise failures[0]


def test_the_same_answers_and_warnings(counting: Counting) -> None:
    expected = [answer(case) for case in CASES]
    once = Counter(counting.messages)
    assert once
    counting.messages.clear()

    def work(number: int) -> None:
        for offset in range(len(CASES)):
            place = (offset + number * 37) % len(CASES)
            assert answer(CASES[place]) == expected[place]

    in_threads(work)
    assert counting.messages == Counter({text: n * THREADS for text, n in once.items()})


@pytest.mark.usefixtures("counting")
def test_other_functions_at_the_same_time() -> None:
    def everything() -> list[Any]:
        out: list[Any] = [quantmap.expand_preset(name) for name in quantmap.QUANTIZATION_PRESETS]
        for config in CONFIGS[:6]:
            out.append(quantmap.resolve_quant_config(config))
            out.append(quantmap.validate_quant_config(config))
            for engine in ENGINES:
                out.append(quantmap.map_to_engine_args(config, engine))
                out.append(quantmap.validate_config_for_engine(config, engine))
                out.append(quantmap.explain(engine, config, PARAMETERS[1]).to_dict())
                derived = quantmap.map_to_engine_args(config, engine)
                out.append(quantmap.merge_parameters(derived, PARAMETERS[2], runtime=engine))
        out.append(quantmap.validate_quant_config(CONFIGS[6]))
        out.append(quantmap.list_diagnostics())
        return out

    expected = everything()

    def work(_: int) -> None:
        for _ in range(10):
            assert everything() == expected

    in_threads(work)


@pytest.mark.usefixtures("counting")
def test_inputs_that_change_under_way() -> None:
    """Someone else's hands on the dicts: some mapping of some moment comes out, never a crash."""
    config: dict[str, Any] = {"gemm_dtype": "fp8"}
    parameters: dict[str, Any] = {"x": 1}
    nested: list[Any] = [[1]]
    done = threading.Event()

    def change() -> None:
        number = 0
        while not done.is_set():
            number += 1
            config["moe_dtype"] = "fp8" if number % 2 else "auto"
            parameters[f"n{number % 50}"] = number
            parameters.pop(f"n{(number * 7) % 50}", None)
            nested.append([number])
            if len(nested) > 20:
                del nested[1:]

    def work(_: int) -> None:
        for _ in range(2000):
            args = quantmap.get_runtime_args("sglang", config, parameters)
            assert args["--quantization"] == "fp8"
            assert args["--x"] == "1"
            args = quantmap.get_runtime_args("sglang", config, {"list": nested, "plain": 0.5})
            assert json.loads(args["--list"])[0] == [1]

    changing = threading.Thread(target=change)
    changing.start()
    try:
        in_threads(work, 3)
    finally:
        done.set()
        changing.join()


FIRST_CALLS = """\
import json, sys, threading
sys.setswitchinterval(1e-6)
import quantmap
start = threading.Barrier(12)
found = []
def work():
    start.wait()
    args = quantmap.get_runtime_args("tensorrt_llm", {"gemm_dtype": "fp8"}, {"tp-size": 2}, "none")
    presets = dict(quantmap.QUANTIZATION_PRESETS)
    try:
        quantmap.get_runtime_args("vllm", {"gemm_dtype": "fp9"})
    except quantmap.ConfigError as error:
        found.append(json.dumps([args, presets, str(error)]))
import logging
logging.getLogger("quantmap").addHandler(logging.NullHandler())
threads = [threading.Thread(target=work) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(found) == 12, len(found)
assert len(set(found)) == 1
"""


def test_one_plan_for_all_threads() -> None:
    task = {
        "base_runtime": "sglang",
        "quant_config": {"presets": ["default", "kv-cache-fp8", "dynamic-fp8"]},
        "parameters": {"tp-size": [1, 2], "mem-fraction-static": [0.8, 0.85, 0.9]},
    }
    alone = [item.to_dict() for item in quantmap.plan(task)]
    shared = quantmap.plan(task)

    def work(number: int) -> None:
        for turn in range(5):
            assert [item.to_dict() for item in shared] == alone
            place = (number + turn) % len(alone)
            assert shared[place].to_dict() == alone[place]
            assert quantmap.plan(task).distinct == shared.distinct == len(alone)

    in_threads(work)


@pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this interpreter has the GIL"
)
def test_the_module_leaves_the_gil_off() -> None:
    program = "import sys, quantmap; print(sys._is_gil_enabled())"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"


def test_first_calls_from_many_threads() -> None:
    """What is made at the first call is made once, whoever comes first."""
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", FIRST_CALLS],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout == done.stderr == ""
