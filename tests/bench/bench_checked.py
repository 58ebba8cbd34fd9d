"""Measure a checked mapping against the plain mapper, in the style of bench_map.py.

Run with the installed package: ``python tests/bench/bench_checked.py``. The plain mapper knows no
releases, so the comparison favours it. A clock never fails it: the only error it can raise is that
what is measured does not return what it should.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import sysconfig
import timeit
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from bench_map import CONFIG, EXPECTED, PARAMETERS, Row, median_ratio, print_table
from plain_mapper import plain_get_runtime_args

VARIABLE = "QUANTMAP_ENGINE_VERSIONS"
DOCUMENTED_CALL = "f(runtime=r, quant_config=c, user_parameters=u, model_quantization=m)"
CHECKED_CALL = (
    "f(runtime=r, quant_config=c, user_parameters=u, model_quantization=m, engine_version=v)"
)
RELEASES = {"sglang": "0.5.2", "vllm": "0.11.0"}
# Parameters that the release has: a refused one would measure the search for its neighbour.
KNOWN = {
    "sglang": PARAMETERS,
    "vllm": """{"tensor-parallel-size": 2, "gpu-memory-utilization": 0.85,
                "enable-prefix-caching": true}""",
}


def timers(runtime: str, version: str, given: bool) -> tuple[timeit.Timer, timeit.Timer]:
    """The checked mapper and the plain one, each called as the autotuner calls it."""
    from quantmap.documented import get_runtime_args

    names: dict[str, Any] = {
        "r": json.loads(json.dumps(runtime)),
        "c": json.loads(CONFIG),
        "u": json.loads(KNOWN[runtime]),
        "m": None,
        "v": version,
    }
    ours = timeit.Timer(
        CHECKED_CALL if given else DOCUMENTED_CALL, globals={**names, "f": get_runtime_args}
    )
    plain = timeit.Timer(DOCUMENTED_CALL, globals={**names, "f": plain_get_runtime_args})
    return ours, plain


def prove_checked(runtime: str, version: str, given: bool) -> None:
    """Stop unless the call is in checked mode and gives what the release accepts."""
    import quantmap

    more = {"engine_version": version} if given else {}
    mapping = quantmap.explain(runtime, json.loads(CONFIG), json.loads(KNOWN[runtime]), **more)
    if (mapping.mode, mapping.version) != ("checked", version):
        raise SystemExit(f"not in checked mode of {version}: {mapping.mode} {mapping.version}")
    got = quantmap.get_runtime_args(runtime, json.loads(CONFIG), json.loads(KNOWN[runtime]), **more)
    if got != mapping.args:
        raise SystemExit(f"{got} is not {mapping.args}")
    plain = plain_get_runtime_args(
        runtime="sglang",
        quant_config=json.loads(CONFIG),
        user_parameters=json.loads(PARAMETERS),
        model_quantization=None,
    )
    if list(plain.items()) != list(EXPECTED.items()):
        raise SystemExit(f"the plain mapper returns {plain}")


def measure(runtime: str, version: str, given: bool, rounds: int, calls: int) -> Row:
    """One line: the median of round-by-round ratios."""
    prove_checked(runtime, version, given)
    ours, plain = timers(runtime, version, given)
    empty = timeit.Timer("pass")
    for one in (ours, plain):
        one.timeit(calls)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        loop = empty.timeit(calls)
        for one, found in zip((ours, plain), times):
            found.append((one.timeit(calls) - loop) / calls * 1e9)
    mine, theirs = times
    ratio = median_ratio(theirs, mine)
    how = "engine_version=" if given else VARIABLE
    shown = f"{statistics.median(theirs):.0f} / {statistics.median(mine):.0f} ns"
    what = f"plain mapper / checked quantmap, {runtime} {version}, {how}"
    return Row(what, ">= 2x", f"{ratio:.2f}x  ({shown})", ratio >= 2)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure checked mode against plain Python.")
    parser.add_argument("--quick", action="store_true", help="few repeats: a smoke run")
    parser.add_argument("--by-variable", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    rounds, calls = (5, 500) if options.quick else (51, 5_000)
    given = not options.by_variable
    import logging

    # The plain mapper never warns, and a warning's text is no part of the comparison.
    logging.getLogger("quantmap").setLevel(logging.ERROR)
    rows = [
        measure(runtime, version, given, rounds, calls) for runtime, version in RELEASES.items()
    ]
    if options.by_variable:
        print(json.dumps([list(row) for row in rows]))
        return
    # The variable is read once, at import: a fresh interpreter has it set.
    variable = ",".join(f"{runtime}={version}" for runtime, version in RELEASES.items())
    done = subprocess.run(
        [sys.executable, __file__, "--by-variable", *(["--quick"] if options.quick else [])],
        env={**os.environ, VARIABLE: variable},
        check=True,
        capture_output=True,
        text=True,
    )
    rows += [Row(*row) for row in json.loads(done.stdout)]
    platform_name = sysconfig.get_platform()
    print(f"{platform.python_implementation()} {platform.python_version()} on {platform_name}")
    print_table(rows)


if __name__ == "__main__":
    main()
