"""The long runs of tests/fuzz in their short form: the same files and instants every time."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import quantmap

FUZZ = Path(__file__).resolve().parents[1] / "fuzz"
PACKAGE = str(Path(quantmap.__file__).parents[1])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("fuzz_files.py plan --count 250", "0 batches with a fault"),
        ("fuzz_files.py ledger --count 400", "0 batches with a fault"),
        ("fuzz_files.py yaml --count 250", "0 batches with a fault"),
        ("kill_writers.py ledger --count 12", "0 lost"),
        ("kill_writers.py plan --count 6", "the file was whole each time"),
        ("flat_memory.py --count 20000", "20000 calls"),
    ],
)
def test_a_short_run_finds_nothing(words: str, told: str) -> None:
    script, *rest = words.split()
    done = subprocess.run(
        [sys.executable, str(FUZZ / script), *rest],
        env={**os.environ, "PYTHONPATH": PACKAGE},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0 and told in done.stdout, done.stdout + done.stderr
