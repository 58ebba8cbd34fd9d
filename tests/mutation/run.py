"""Does the suite notice small changes of the core? Builds all mutants at once, runs it for each.

    python tests/mutation/run.py                  all of them; what was decided before is kept
    python tests/mutation/run.py walk-group ...   some, whatever was decided
    python tests/mutation/run.py --room plan      those of one room

A copy of the tree is built in build/mutation with every mutant in it behind a switch, so one build
serves them all. A mutant is killed by the C++ tests or, when they notice nothing, by the Python
files of its room; the first failure ends it. Results are kept in build/mutation/results.jsonl. With
QUANTMAP_MUTANT=number and PYTHONPATH=build/mutation/tree/python any other command meets one too.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mutation.mutants import ROOT, Mutant, read, stale

WHERE = ROOT / "build" / "mutation"
TREE, LEDGER = WHERE / "tree", WHERE / "results.jsonl"
BUILD = TREE / "build" / "mutants"  # as deep as any other build: a compiler cache knows its files
PYTEST = (sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider")
WANTED = 0.9  # of all
# The Python files that are run for a room, the nearest first.
SUITES = {
    "mapping": "checked_golden golden deployment user_parameters methods_and_checkpoints result "
    "reference explain context_length checkpoint_mapping versions render plan_reference",
    "judgement": "check own_method check_words check_values checked_model command_refusals "
    "unseen_text kernels_taken context_length quantized_modules deployment checked_golden fit plan "
    "plan_reference",
    "plan": "plan plan_reading plan_reference plan_input preset_selector plan_hostile search_space",
    "memory": "fit_limits memory_cases fit fit_files fit_command",
    "model": "checkpoint checkpoint_configs checkpoint_detection hostile_headers "
    "checkpoint_hostile checkpoint_mapping context_length quantized_parts quantized_modules "
    "fit",
}


def copy_tree(mutants: list[Mutant]) -> None:
    """The tree as it is now, with the mutants in it; what did not change is not touched."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    by_file: dict[str, list[tuple[int, Mutant]]] = {}
    for number, mutant in enumerate(mutants):
        by_file.setdefault(mutant.file, []).append((number, mutant))
    known = set()
    for name in filter(None, listed.stdout.decode().split("\0")):
        if not (ROOT / name).is_file():
            continue
        data = (ROOT / name).read_bytes()
        if name in by_file:
            source = data.decode("utf-8")
            for number, mutant in by_file[name]:
                source = mutant.applied(source, number)
            data = f'#include "mutant.hpp"\n{source}'.encode()
        known.add(TREE / name)
        put(TREE / name, data)
    put(TREE / "cpp/src/mutant.hpp", Path(__file__).with_name("mutant.hpp").read_bytes())
    for folder in ("cpp", "tests", "python"):
        for path in (TREE / folder).rglob("*.?pp"):
            if path not in known and path.name != "mutant.hpp":
                path.unlink()


def put(path: Path, data: bytes) -> None:
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def build() -> None:
    """The C++ tests and the Python module of the copy."""
    if not (BUILD / "build.ninja").is_file():
        options = {
            "CMAKE_BUILD_TYPE": "Release",
            "CMAKE_CXX_FLAGS_RELEASE": "-O1",
            "QUANTMAP_BUILD_TESTS": "ON",
            "QUANTMAP_BUILD_PYTHON": "ON",
            "Python_EXECUTABLE": sys.executable,
            "Python3_EXECUTABLE": sys.executable,
        }
        words = [f"-D{name}={value}" for name, value in options.items()]
        subprocess.run(["cmake", "-S", TREE, "-B", BUILD, "-G", "Ninja", *words], check=True)
    targets = ["quantmap_tests", "_core"]
    subprocess.run(["cmake", "--build", BUILD, "--target", *targets], check=True)
    for made in BUILD.glob("python/bindings/_core*"):
        if made.is_file() and made.suffix in (".so", ".pyd"):
            shutil.copy2(made, TREE / "python" / "quantmap" / made.name)


def fails(command: list[str], number: int, limit: float) -> bool:
    """Whether the command notices the mutant: it fails, or does not end in time."""
    environment = {
        **os.environ,
        "QUANTMAP_MUTANT": str(number),
        "PYTHONPATH": str(TREE / "python"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            command,
            cwd=TREE,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return True
    return done.returncode != 0


@functools.cache
def is_sound(name: str) -> bool:
    """Whether a Python file passes without any mutant: else it says nothing of one."""
    sound = (TREE / name).is_file() and not fails([*PYTEST, name], -1, 3600)
    if not sound:
        print(f"{name} is left out: without any mutant it fails, or no test of it runs", flush=True)
    return sound


def killer(mutant: Mutant, number: int) -> str:
    """What notices the mutant; empty when nothing does."""
    cpp = str(next(BUILD.glob("tests/cpp/quantmap_tests*")))
    if fails([cpp, "--abort-after=1"], number, 300):
        return "C++"
    for short in SUITES[mutant.room].split():
        name = f"tests/python/test_{short}.py"
        if is_sound(name) and fails([*PYTEST, name], number, 1200):
            return name.rpartition("/")[2]
    return ""


def decided() -> dict[str, str]:
    """What earlier runs found, by the mutants' keys: a survivor is tried again."""
    out = {}
    if LEDGER.is_file():
        for line in LEDGER.read_text(encoding="utf-8").splitlines():
            item = json.loads(line)
            if item["by"]:
                out[item["key"]] = item["by"]
    return out


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ids", nargs="*", help="mutants; all by default")
    parser.add_argument("--room", choices=SUITES, help="those of one room")
    arguments = parser.parse_args()
    gone = stale(read())
    mutants = [mutant for mutant in read() if mutant.id not in gone]
    for name in gone:
        print(f"stale: {name} has no place in the core any more")
    copy_tree(mutants)
    build()
    if fails([str(next(BUILD.glob("tests/cpp/quantmap_tests*")))], -1, 900):
        print("the C++ tests fail without any mutant")
        return 2
    known = {} if arguments.ids else decided()
    survivors, count = [], 0
    for number, mutant in enumerate(mutants):
        chosen = not arguments.ids or mutant.id in arguments.ids
        if not chosen or (arguments.room and mutant.room != arguments.room):
            continue
        key = mutant.key((ROOT / mutant.file).read_text(encoding="utf-8"))
        begin = time.monotonic()
        by = known.get(key, "") or killer(mutant, number)
        seconds = round(time.monotonic() - begin, 1)
        if key not in known:
            with LEDGER.open("a", encoding="utf-8") as ledger:
                ledger.write(json.dumps({"key": key, "by": by, "seconds": seconds}) + "\n")
        state = f"killed by {by}" if by else "SURVIVES"
        print(f"{number:3} {mutant.id}: {state} ({seconds} s): {mutant.what}", flush=True)
        count += 1
        survivors += [] if by else [mutant.id]
    killed = count - len(survivors)
    print(f"{killed} of {count} killed; survivors: {', '.join(survivors) or 'none'}")
    return 0 if killed >= WANTED * count else 1


if __name__ == "__main__":
    sys.exit(main())
