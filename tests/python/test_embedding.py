"""Where quantmap is loaded: subinterpreters are told, workers of every kind work, threads go on."""

from __future__ import annotations

import gc
import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import quantmap

PACKAGE = str(Path(quantmap.__file__).parents[1])
SUBINTERPRETER = """
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
code = '''
try:
    import quantmap
except ImportError as error:
    told = str(error)
else:
    told = "imported"
import os
os.write(1, told.encode() + b"\\\\n")
'''
run = getattr(interpreters, "run_string")
first = interpreters.create()
run(first, code)
import quantmap
run(interpreters.create(), code)
print(quantmap.get_runtime_args("vllm", {})["--dtype"])
"""


def test_a_subinterpreter_is_told_and_never_waits() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SUBINTERPRETER],
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and len(lines) == 3, done.stderr
    assert lines[2] == "auto"
    assert all("subinterpreter" in line for line in lines[:2])


def worked(config: dict[str, str]) -> tuple[dict[str, object], str]:
    """What a worker does with what it was sent."""
    mapping = quantmap.explain("vllm@0.11.0", config)
    try:
        quantmap.get_runtime_args("vllm", {"gemm_dtype": "nothing"})
    except quantmap.ConfigError as error:
        return dict(mapping.args), str(error)
    return {}, ""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_workers_of_every_kind(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = [PACKAGE, str(Path(__file__).parent)]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(folders))
    configs = [{"kvcache_dtype": value} for value in ("auto", "fp8")]
    with multiprocessing.get_context(method).Pool(2) as pool:
        found = pool.map(worked, configs)
    assert found == [worked(config) for config in configs]


def test_new_names_from_many_threads_while_garbage_is_collected() -> None:
    """On a build without the GIL a lock held while Python's texts are made would never be free."""
    stop = threading.Event()
    wrong: list[object] = []

    def call(number: int) -> None:
        for turn in range(300):
            name = f"new-{number % 4}-{turn}"
            got = quantmap.get_runtime_args("vllm", {}, {name: 1})
            if got[f"--{name}"] != "1":
                wrong.append(got)

    def collect() -> None:
        while not stop.is_set():
            gc.collect()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(8)]
    collector = threading.Thread(target=collect)
    collector.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    stop.set()
    collector.join(60)
    assert not wrong and not any(thread.is_alive() for thread in (*threads, collector))
