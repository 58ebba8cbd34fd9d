"""Calls every public function with arbitrary Python objects.

Whatever goes in: only ConfigError comes out, the inputs stay as they are, results are fresh and
sound, the fast and the slow way agree, and nothing is written to standard output or error.

    python tests/fuzz/fuzz_objects.py --seconds 10 --seed 1
    python tests/fuzz/fuzz_objects.py --seed 1 --only 4711    # one round again
    python tests/fuzz/fuzz_objects.py --seconds 60 --atheris  # coverage of the Python code guides
"""

from __future__ import annotations

import argparse
import ctypes
import faulthandler
import gc
import logging
import mmap
import os
import random
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import hostile
import quantmap
from quantmap import integration

CODES = {entry["code"] for entry in quantmap.list_diagnostics()}
LOGGER = logging.getLogger("quantmap")
WARM_UP = 500  # rounds after which memory should no longer grow
MAY_GROW = 32 * 1024  # KiB


class Call(NamedTuple):
    """One call of one public function."""

    name: str
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]


def _checked_mode(rng: random.Random) -> dict[str, Any]:
    if rng.random() < 0.9:
        return {}
    names = ("engine_version", "gpu", "checkpoint", "policy")
    return {name: hostile.anything(rng) for name in names if rng.random() < 0.5}


def calls(rng: random.Random) -> Iterator[Call]:
    """A round: each function once, on the same objects."""
    config, parameters = hostile.config(rng), hostile.parameters(rng)
    runtime, model = hostile.runtime(rng), hostile.model(rng)
    extra = _checked_mode(rng)
    q = quantmap
    for launcher in (q.get_runtime_args, q.explain):
        yield Call(launcher.__name__, launcher, (runtime, config, parameters, model), extra)
    for mapper in (q.map_to_vllm_args, q.map_to_sglang_args, q.map_to_tensorrt_llm_args):
        yield Call(mapper.__name__, mapper, (config, model), {})
    for mapper in (q.map_to_vllm, q.map_to_sglang, q.map_to_tensorrt_llm):
        yield Call(mapper.__name__, mapper, (config,), {})
    for checker in (q.map_to_engine_args, q.validate_config_for_engine):
        yield Call(checker.__name__, checker, (config, runtime), {})
    for reader in (q.resolve_quant_config, q.validate_quant_config):
        yield Call(reader.__name__, reader, (config,), {})
    name = rng.choice(hostile.PRESETS) if rng.random() < 0.5 else hostile.anything(rng)
    yield Call("expand_preset", q.expand_preset, (name,), {})
    gemm = rng.choice(hostile.WORDS) if rng.random() < 0.5 else hostile.anything(rng)
    yield Call("should_apply_dynamic_fp8", q.should_apply_dynamic_fp8, (gemm, model), {})
    derived = {"--dtype": "auto", "--tp-size": 2} if rng.random() < 0.5 else hostile.parameters(rng)
    keyword = {"runtime": runtime} if rng.random() < 0.5 else {}
    yield Call("merge_parameters", q.merge_parameters, (derived, parameters), keyword)
    yield from entry_points(rng, runtime, config, parameters, model)


def entry_points(
    rng: random.Random, runtime: Any, config: Any, parameters: Any, model: Any
) -> Iterator[Call]:
    """The autotuner's functions on the same objects."""
    path = "org/model" if rng.random() < 0.8 else hostile.anything(rng)
    known = {"quantization": model} if rng.random() < 0.8 else model
    marked = parameters
    if isinstance(config, dict) and rng.random() < 0.5:
        marked = {f"__quant__{key}": value for key, value in dict.items(config) if type(key) is str}
    task = {"base_runtime": runtime, "quant_config": config, "model": known, "parameters": marked}
    prepared = (runtime, config, parameters, path, known)
    for name, arguments in {
        "detect_model_quantization": (path, known),
        "prepare_experiment_parameters": prepared,
        "prepare_runtime_parameters": (runtime, marked, path, known),
        "merge_parameters_with_quant_config": (parameters, config),
        "extract_quant_config_from_params": (marked,),
        "expand_quantization_presets": (config,),
        "get_quant_config_summary": (config,),
        "validate_task_quant_config": (config,),
        "generate_experiment_configs": (task,),
    }.items():
        yield Call(name, getattr(integration, name), arguments, {})


def _children(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        for pair in dict.items(item):
            yield from pair
    elif isinstance(item, list):
        yield from list.__iter__(item)
    elif isinstance(item, tuple):
        yield from tuple.__iter__(item)


def snapshot(inputs: list[Call]) -> list[tuple[int, str]]:
    """Which objects hang together how; the same list later means that nothing was changed."""
    out: list[tuple[int, str]] = []
    seen: set[int] = set()
    rest: list[Any] = [item for call in inputs for item in (call.args, call.kwargs)]
    while rest:
        item = rest.pop()
        out.append((id(item), bytes(item).hex() if isinstance(item, bytearray) else ""))
        if id(item) not in seen:
            seen.add(id(item))
            rest.extend(_children(item))
    return out


def _check_arguments(arguments: Any, types_allowed: tuple[type, ...]) -> None:
    assert type(arguments) is dict, type(arguments)
    for flag, value in arguments.items():
        assert type(flag) is str and flag[:1] == "-", flag
        assert type(value) in types_allowed, (flag, type(value))
        text = str(value)
        assert "\0" not in text, flag
        assert len(text.encode()) <= hostile.LONGEST_ARGUMENT, flag


def check_result(call: Call, result: Any) -> None:
    """What must hold for every result."""
    if call.name == "get_runtime_args":
        _check_arguments(result, (str, bool))
    elif call.name.startswith("map_to_"):
        _check_arguments(result, (str, int))
    elif call.name == "explain":
        _check_arguments(result.args, (str, bool))
        assert all(type(word) is str for word in result.argv())
        assert all(decision.code in CODES for decision in result.decisions)
        if result.version:
            assert result.docker("org/model", "own:1").startswith("docker run ")
        repr(result.to_dict()).encode()
    elif call.name == "merge_parameters" or call.name.startswith("prepare_"):
        assert type(result) is dict
    elif call.name in integration.__all__:
        assert result is None or type(result) in (str, tuple, list, dict)
    elif call.name == "validate_quant_config":
        assert type(result) is tuple and type(result[0]) is bool and result[1].encode()
    elif call.name in ("should_apply_dynamic_fp8", "validate_config_for_engine"):
        assert type(result) is bool
    else:
        assert type(result) is dict
        assert quantmap.resolve_quant_config(result) == result or result == {}


def check_error(error: quantmap.ConfigError) -> None:
    """A ConfigError says what is wrong, in words that can be printed."""
    assert error.diagnostics
    assert len(str(error).encode()) > 0
    for item in error.diagnostics:
        assert item.code in CODES and item.severity == "error", item.code
        assert item.path and item.message, item.code


class Silence:
    """Standard output and error, sent into a file while calls are made."""

    def __init__(self) -> None:
        self._file = os.memfd_create("output")
        self._saved = [os.dup(1), os.dup(2)]
        faulthandler.enable(file=self._saved[1])

    def __enter__(self) -> None:
        for number in (1, 2):
            os.dup2(self._file, number)

    def __exit__(self, *error: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number in (1, 2):
            os.dup2(self._saved[number - 1], number)
        written = os.pread(self._file, 400, 0)
        assert not written, f"written: {written!r}"


def _attempt(call: Call) -> Any:
    """The result, or the text of the ConfigError."""
    try:
        result = call.function(*call.args, **call.kwargs)
    except quantmap.ConfigError as error:
        check_error(error)
        return "refused: " + str(error)
    check_result(call, result)
    return result


def _comparable(result: Any) -> Any:
    if isinstance(result, dict):
        return [(flag, type(value), value) for flag, value in result.items()]
    return result


def run_round(rng: random.Random, silence: Silence) -> None:
    """One round; the function whose promise was broken is named by the error."""
    inputs = list(calls(rng))
    before = snapshot(inputs)
    mapped: Any = None
    for call in inputs:
        try:
            with silence:
                LOGGER.disabled = True  # the fast way
                result = _attempt(call)
                LOGGER.disabled = False  # every message is made
                again = _attempt(call)
            if call.name == "explain":  # the same mapping as get_runtime_args gave before
                if not isinstance(again, str) and again.mode == "checked":
                    continue  # arguments alone leave out what needs a file
                result, again = mapped, again if isinstance(again, str) else again.args
            assert result is not again or not isinstance(result, dict), "not a fresh object"
            if not isinstance(result, dict) or result == result:  # a NaN equals nothing
                assert _comparable(result) == _comparable(again), (result, again)
        except BaseException as error:
            raise RuntimeError(call.name) from error
        if call.name == "get_runtime_args":
            mapped = result
    assert snapshot(inputs) == before, "an input was changed"


class Messages(logging.Handler):
    """Formats every message, as a real handler would."""

    def emit(self, record: logging.LogRecord) -> None:
        assert record.getMessage().encode()


def _memory() -> int:
    """What the process holds now, in KiB, with everything free given back."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize() // 1024


def work(seed: str, first: int, seconds: float, place: mmap.mmap) -> int:
    """Rounds from `first` on until the time is over; `place` holds the number of this one."""
    silence = Silence()
    end = time.monotonic() + seconds
    number = first
    warm = 0
    while True:
        place[:8] = number.to_bytes(8, "little")
        run_round(random.Random(f"{seed}:{number}"), silence)
        number += 1
        if number == first + WARM_UP:
            warm = _memory()
        if time.monotonic() >= end:
            break
    grown = _memory() - warm if warm else 0
    print(f"{number - first} rounds, memory grew by {grown} KiB after the first {WARM_UP}")
    assert grown <= MAY_GROW, "memory grows"
    return 0


def guard(seed: str, first: int, seconds: float) -> int:
    """Runs `work` in a child, so that a crash can still be told with its round."""
    place = mmap.mmap(-1, 8)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = work(seed, first, seconds, place)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    if status == 0:
        return 0
    if os.WIFSIGNALED(status):
        print(f"killed by {signal.Signals(os.WTERMSIG(status)).name}")
    number = int.from_bytes(place[:8], "little")
    print(f"broken; again with: python {sys.argv[0]} --seed {seed} --only {number}")
    return 1


class FromBytes(random.Random):
    """Random numbers read from bytes, so that a small change of the bytes is a small one here."""

    def __init__(self, data: bytes) -> None:
        super().__init__(0)
        self._data = data

    def getrandbits(self, count: int, /) -> int:
        size = (count + 7) // 8
        taken, self._data = self._data[:size], self._data[size:]
        return int.from_bytes(taken, "little") & ((1 << count) - 1)

    def random(self) -> float:
        return self.getrandbits(16) / 65536


def with_atheris(seconds: float, seed: int) -> None:
    """The same rounds, their random numbers chosen by libFuzzer."""
    import atheris  # type: ignore[import-not-found]

    atheris.instrument_all()
    silence = Silence()

    def one_round(data: bytes) -> None:
        run_round(FromBytes(data), silence)

    options = [sys.argv[0], f"-max_total_time={int(seconds)}", f"-seed={seed}", "-max_len=1024"]
    atheris.Setup(options, one_round)
    atheris.Fuzz()


def main() -> int:
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--seed", default=None, help="random when left out, and printed")
    parser.add_argument("--only", type=int, help="the number of one round")
    parser.add_argument("--atheris", action="store_true", help="needs the package atheris")
    options = parser.parse_args()
    seed = options.seed or str(random.SystemRandom().randrange(2**32))
    print(f"seed {seed}", flush=True)
    LOGGER.addHandler(Messages())
    LOGGER.propagate = False
    if options.atheris:
        with_atheris(options.seconds, int(seed))
        return 0
    if options.only is not None:
        return guard(seed, options.only, 0)
    return guard(seed, 0, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
