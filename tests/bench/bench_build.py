"""What an installation costs, in units of compiling one small file, on one machine in one run.

Clones the tree, runs `pip install ".[cli]"` in a new environment, changes one source, installs
again. Nothing is cached between runs.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = 27.0
CHANGED = Path("cpp/src/mapping/render.cpp")
SMALL = """#include <iostream>
#include <map>
#include <regex>
int main(int count, char** words) {
  std::map<std::string, int> seen;
  const std::regex pattern("a+b");
  for (int i = 0; i < count; ++i) seen[words[i]] += std::regex_match(words[i], pattern) ? 1 : 0;
  for (const auto& [word, times] : seen) std::cout << word << times << "\\n";
}
"""


def cost(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[float, float, str]:
    """Processor seconds, seconds on the clock, and what was printed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, time.monotonic() - begun, done.stdout + done.stderr


def small_file(folder: Path, environment: dict[str, str]) -> float:
    """The least of three compilations of the small file."""
    source = folder / "small.cpp"
    source.write_text(SMALL)
    command = [
        environment.get("CXX", "g++"),
        "-O2",
        "-std=c++20",
        "-c",
        str(source),
        "-o",
        str(folder / "small.o"),
    ]
    return min(cost(command, folder, environment)[0] for _ in range(3))


def main() -> None:
    """Print one row for the first installation and one for the second."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", default=sys.executable, help="the interpreter to install for")
    python = parser.parse_args().python
    environment = {
        k: v for k, v in os.environ.items() if not k.startswith(("CMAKE_", "SKBUILD", "PYTHONPATH"))
    }
    environment["CCACHE_DISABLE"] = "1"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unit = small_file(folder, environment)
        clone = folder / "clone"
        cost(["git", "clone", "-q", str(ROOT), str(clone)], folder, environment)
        cost([python, "-m", "venv", str(folder / "env")], folder, environment)
        install = [str(folder / "env/bin/python"), "-m", "pip", "install", "-v", ".[cli]"]
        first, first_clock, _ = cost(install, clone, environment)
        unit = min(unit, small_file(folder, environment))
        source = clone / CHANGED
        source.write_text(source.read_text() + "// changed\n")
        second, second_clock, printed = cost(
            [*install, "--force-reinstall", "--no-deps"], clone, environment
        )
        compiled = re.findall(r"Building CXX object \S*?(\w+\.cpp)\.o", printed)
    print(f"one small file: {unit:.2f} s of processor time")
    for what, used, clock in (
        (f"first installation (target {TARGET:.0f}x)", first, first_clock),
        ("second installation", second, second_clock),
    ):
        print(f"{what}: {used / unit:.1f}x  ({used:.0f} s, {clock:.0f} s on the clock)")
    print(f"compiled by the second: {', '.join(compiled) or 'nothing'} (changed: {CHANGED.name})")


if __name__ == "__main__":
    main()
