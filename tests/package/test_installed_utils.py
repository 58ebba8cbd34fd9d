"""What an install leaves of ``utils``: one module in a namespace that belongs to nobody."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import quantmap


def python(code: str, cwd: Path, *path: Path) -> str:
    """What code prints in a fresh interpreter with these folders first on its path."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if path:
        environment["PYTHONPATH"] = os.pathsep.join(str(folder) for folder in path)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        env=environment,
        cwd=cwd,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


MAP = """\
from utils.quantization_mapper import get_runtime_args
print(get_runtime_args(runtime="sglang", quant_config={"preset": "kv-cache-fp8"},
                       user_parameters={"tp-size": 2}))
"""
MAPPED = "{'--dtype': 'auto', '--kv-cache-dtype': 'fp8_e5m2', '--tp-size': '2'}\n"


def test_the_documented_import_works_anywhere(tmp_path: Path) -> None:
    assert python(MAP, tmp_path) == MAPPED


def test_installed_files() -> None:
    files = importlib.metadata.files("quantmap")
    assert files
    names = {file.as_posix() for file in files}
    assert "utils/quantization_mapper.py" in names
    assert "utils/__init__.py" not in names
    assert [name for name in names if name.startswith("utils/") and name.endswith(".py")] == [
        "utils/quantization_mapper.py"
    ]
    assert "quantmap/py.typed" in names
    assert "quantmap/_core.pyi" in names
    tops = {name.split("/")[0] for name in names if not name.startswith("..")}
    assert {top for top in tops if not top.endswith((".dist-info", ".libs"))} == {
        "pytest_quantmap",
        "quantmap",
        "quantmap_command",
        "utils",
    }
    assert importlib.metadata.version("quantmap") == quantmap.__version__


def test_no_dependencies_without_an_extra() -> None:
    required = importlib.metadata.requires("quantmap") or []
    assert [line for line in required if "extra ==" not in line] == []


def test_utils_is_a_namespace_that_others_share(tmp_path: Path) -> None:
    """Another distribution's portion of ``utils`` and ours are importable side by side."""
    other = tmp_path / "site"
    (other / "utils").mkdir(parents=True)
    (other / "utils" / "somebody_elses.py").write_text("ANSWER = 42\n", encoding="utf-8")
    code = (
        MAP
        + """\
import utils, utils.somebody_elses
assert utils.somebody_elses.ANSWER == 42
assert getattr(utils, "__file__", None) is None
assert len(list(utils.__path__)) >= 2
"""
    )
    assert python(code, tmp_path, other) == MAPPED


def test_somebodys_regular_utils_comes_first(tmp_path: Path) -> None:
    """A regular package ``utils`` earlier on the path stays whole, and quantmap works beside it."""
    own = tmp_path / "site"
    (own / "utils").mkdir(parents=True)
    (own / "utils" / "__init__.py").write_text("ANSWER = 42\n", encoding="utf-8")
    code = """\
import quantmap, utils
assert utils.ANSWER == 42
try:
    import utils.quantization_mapper
except ModuleNotFoundError:
    print(quantmap.get_runtime_args("tensorrt_llm", {}))
"""
    assert python(code, tmp_path, own) == "{}\n"


def test_imports_nothing_but_what_it_needs(tmp_path: Path) -> None:
    """Importing the mapper does not import logging, json, re or the command line."""
    code = """\
import sys
before = set(sys.modules)
import quantmap.documented
new = {name.split(".")[0] for name in set(sys.modules) - before}
print(sorted(new & {"logging", "json", "re", "typing", "click", "rich", "dataclasses"}))
"""
    assert python(code, tmp_path) == "[]\n"
