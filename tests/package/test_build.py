"""What is shipped: the installed C++ core, the source archive and the wheel made of it.

`QUANTMAP_DIST` names a folder in which both archives lie already, as scripts/test makes them;
without it they are made here. Builds take place in a copy of the tree. The backend is the one that
is installed; if there is none, pip fetches it, as it would for `pip install quantmap`.
"""

from __future__ import annotations

import email.message
import email.parser
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import quantmap

ROOT = Path(__file__).resolve().parents[2]
BACKEND = {
    "scikit_build_core": "scikit-build-core>=0.10",
    "pybind11": "pybind11>=3",
    "nlohmann_json": "nlohmann-json>=3.11",
}
NOT_SOURCE = shutil.ignore_patterns(
    ".git", ".venv*", ".ci-venv", "build", "dist", "__pycache__", ".*_cache", "*.so"
)
DIST = os.environ.get("QUANTMAP_DIST")
MOST_BYTES = 3_000_000  # with what every release of four engines accepts, and says when it stops
# The test plugin, the library, the command (it starts before the library does), the old name.
PACKAGES = ("pytest_quantmap", "quantmap", "quantmap_command", "utils")
BUILD = """
import sys
import scikit_build_core.build
_, hook, place, *settings = sys.argv
getattr(scikit_build_core.build, hook)(place, dict(item.split("=", 1) for item in settings))
"""


def run(*command: object, cwd: Path, env: dict[str, str] | None = None, status: int = 0) -> str:
    """The standard output of a command that ends with `status`."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree without what was built in it."""
    place = tmp_path_factory.mktemp("source") / "quantmap"
    shutil.copytree(ROOT, place, ignore=NOT_SOURCE)
    return place


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables under which the build backend can be imported."""
    env = {
        key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "CMAKE_ARGS")
    }
    missing = [wanted for name, wanted in BACKEND.items() if importlib.util.find_spec(name) is None]
    if missing:
        place = tmp_path_factory.mktemp("backend")
        run(sys.executable, "-m", "pip", "install", "-q", "--target", place, *missing, cwd=place)
        env["PYTHONPATH"] = str(place)
    return env


def build(hook: str, tree: Path, place: Path, env: dict[str, str], *settings: str) -> Path:
    """Runs a hook of the backend, as pip does; the file that it made."""
    place.mkdir(parents=True, exist_ok=True)
    run(sys.executable, "-c", BUILD, hook, place, *settings, cwd=tree, env=env)
    (made,) = place.iterdir()
    return made


@pytest.fixture(scope="module")
def sdist(
    source: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The source archive."""
    if DIST:
        (archive,) = Path(DIST).glob("*.tar.gz")
        return archive
    return build("build_sdist", source, tmp_path_factory.mktemp("sdist"), environment)


@pytest.fixture(scope="module")
def wheel(
    sdist: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The wheel as it is shipped, built from the source archive alone."""
    if DIST:
        (made,) = Path(DIST).glob("*.whl")
        return made
    scratch = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extraction_filter = getattr(tarfile, "data_filter", None)  # type: ignore[assignment]
        archive.extractall(scratch)
    (tree,) = scratch.iterdir()
    return build("build_wheel", tree, tmp_path_factory.mktemp("wheel"), environment)


def contents(wheel: Path) -> dict[str, bytes]:
    """File names and bytes of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def metadata(wheel: Path) -> email.message.Message:
    """The METADATA of a wheel."""
    (text,) = (data for name, data in contents(wheel).items() if name.endswith("/METADATA"))
    return email.parser.BytesParser().parsebytes(text)


def test_wheel_holds_what_it_should(wheel: Path) -> None:
    names = set(contents(wheel))
    info = f"quantmap-{quantmap.__version__}.dist-info"
    assert {name.split("/")[0] for name in names} == {*PACKAGES, info}
    assert {name for name in names if name.startswith("utils/")} == {"utils/quantization_mapper.py"}
    assert f"{info}/licenses/LICENSE" in names
    assert "quantmap/py.typed" in names
    assert "quantmap/_core.pyi" in names
    (extension,) = (name for name in names if name.endswith(".so"))
    assert extension.startswith("quantmap/_core.")
    kinds = {Path(name).suffix for name in names if not name.startswith(info)}
    assert kinds == {
        ".py",
        ".pyi",
        ".so",
        ".typed",
        ".html",
    }  # a report's head, and the page if built
    assert wheel.stat().st_size < MOST_BYTES


def test_wheel_has_every_module_of_the_tree(wheel: Path) -> None:
    folder = ROOT / "python"
    modules = {
        path.relative_to(folder).as_posix()
        for package in PACKAGES
        for path in (folder / package).rglob("*.py")
    }
    packed = contents(wheel)
    assert {name for name in packed if name.endswith(".py")} == modules
    assert all(packed[name] == (folder / name).read_bytes() for name in modules)


def test_wheel_describes_itself(wheel: Path) -> None:
    data = metadata(wheel)
    assert data["Name"] == "quantmap"
    assert data["Version"] == quantmap.__version__
    assert data["License-Expression"] == "Apache-2.0"
    assert data["Requires-Python"] == ">=3.9"
    needed = [line for line in data.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert needed == []
    assert data.get_payload(decode=True) == (ROOT / "README.md").read_bytes()


def test_sdist_holds_the_sources(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    for folder in ("cpp/include", "cpp/src", "cpp/catalog", "cpp/cmake", "python"):
        wanted = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        missing = {
            path.relative_to(ROOT).as_posix()
            for path in wanted
            if path.suffix not in (".so", ".pyc")
        } - names
        assert not missing, folder
    assert {"CMakeLists.txt", "pyproject.toml", "README.md", "LICENSE", "PKG-INFO"} <= names
    assert not [name for name in names if name.endswith((".so", ".pyc", ".o", ".a"))]
    assert not [name for name in names if name.split("/")[0] in ("tests", "build", "dist", ".git")]
    assert sdist.stat().st_size < MOST_BYTES


def test_sdist_is_the_same_every_time(
    sdist: Path, source: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    again = build("build_sdist", source, tmp_path / "again", environment)
    assert again.name == sdist.name
    assert again.read_bytes() == sdist.read_bytes()


def test_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "installed"
    pip = (sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", place)
    run(*pip, wheel, cwd=tmp_path)
    program = (
        "import quantmap, utils.quantization_mapper as mapper; print(quantmap.__file__);"
        "print(mapper.get_runtime_args('sglang', {'preset': 'kv-cache-fp8'}))"
    )
    env = {"PYTHONPATH": str(place), "PATH": os.environ["PATH"]}
    where, arguments = run(sys.executable, "-S", "-c", program, cwd=tmp_path, env=env).splitlines()
    assert Path(where).is_relative_to(place)
    assert arguments == str(quantmap.get_runtime_args("sglang", {"preset": "kv-cache-fp8"}))


@pytest.fixture(scope="module")
def embedded(
    source: Path, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The example of `examples/embed_cpp`, made by the commands of the page about the C++ core."""
    place = tmp_path_factory.mktemp("embed")
    spec = importlib.util.spec_from_file_location("_blocks", ROOT / "docs" / "_blocks.py")
    assert spec is not None and spec.loader is not None
    pages = sys.modules["_blocks"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = (ROOT / "docs" / "cpp-api.md").read_text(encoding="utf-8")
    core, program = (block.text for block in pages.blocks(text, "sh"))
    generator = "-G Ninja" if shutil.which("ninja") else ""
    options = f"-DQUANTMAP_WERROR=ON -DPython3_EXECUTABLE={sys.executable} {generator}"
    env = {**environment, "CCACHE_BASEDIR": str(source)}
    for text, built in ((core, source / "build" / "core"), (program, None)):
        text = text.replace("/tmp/quantmap-build", "build/core").replace("/tmp/", f"{place}/")
        text = re.sub("^cmake -S .*", rf"\g<0> {options}", text, flags=re.MULTILINE)
        run("bash", "-e", "-c", text, cwd=source, env=env)
        if built:
            shutil.rmtree(built)  # the installation must stand alone
    return place / "embed" / "embed_quantmap"


def embed(program: Path, config: str, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """A run of the example, whose words before the arguments print what a shell makes of them."""
    words = [str(program), config, str(folder), sys.executable, "-c", PRINT_WORDS]
    return subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )


PRINT_WORDS = "import json, os, sys; print(json.dumps([sys.argv[1:], dict(os.environ)]))"


@pytest.mark.xdist_group("embedded")
@pytest.mark.parametrize(
    ("engine", "release"),
    [("vllm", ""), ("sglang", ""), ("vllm", "0.11.0"), ("tensorrt_llm", "1.0.0")],
)
def test_a_shell_runs_the_line_of_the_embedded_core(
    embedded: Path, tmp_path: Path, engine: str, release: str
) -> None:
    """What the program would be given is what Python answers: words, variables and files."""
    for preset, config in quantmap.QUANTIZATION_PRESETS.items():
        asked = {"QUANTMAP_ENGINE": engine, "QUANTMAP_RELEASE": release}
        done = embed(embedded, f'{{"preset": "{preset}"}}', tmp_path, **asked)
        assert done.returncode == 0, done.stderr
        words, env = json.loads(run("sh", "-c", done.stdout, cwd=tmp_path))
        mapping = quantmap.explain(engine, config, engine_version=release or None)
        assert words == mapping.argv()
        assert mapping.env.items() <= env.items()
        for file, text in mapping.files.items():
            assert (tmp_path / file).read_text(encoding="utf-8") == text
        assert done.stderr.splitlines() == [
            *(f"# {decision.sentence}" for decision in mapping.decisions),
            *(f"# {note.severity}: {note.message}" for note in mapping.diagnostics),
        ]


@pytest.mark.xdist_group("embedded")
def test_embedded_core_refuses_with_reasons(embedded: Path, tmp_path: Path) -> None:
    done = embed(embedded, '{"gemm_dtype": "fp16"}', tmp_path, QUANTMAP_ENGINE="vllm")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("$.gemm_dtype: 'fp16' is not a value of gemm_dtype")
    assert embed(embedded, "{", tmp_path, QUANTMAP_ENGINE="vllm").returncode == 1
    files = '{"kvcache_dtype": "fp8"}'
    release = {"QUANTMAP_ENGINE": "tensorrt_llm", "QUANTMAP_RELEASE": "1.0.0"}
    done = embed(embedded, files, tmp_path / "no such folder", **release)
    assert (done.returncode, done.stdout) == (1, "") and "cannot write into" in done.stderr


@pytest.mark.xdist_group("embedded")
def test_readme_of_the_example_prints_what_it_says(embedded: Path, tmp_path: Path) -> None:
    readme = (ROOT / "examples" / "embed_cpp" / "README.md").read_text(encoding="utf-8")
    command = next(line.strip() for line in readme.splitlines() if "QUANTMAP_ENGINE=" in line)
    command = command.replace("/tmp/embed/embed_quantmap", str(embedded))
    printed = run("sh", "-c", f"{command} 2>/dev/null", cwd=tmp_path).strip()
    assert f"    {printed}\n" in readme


@pytest.mark.xdist_group("embedded")
def test_only_the_public_header_is_installed(embedded: Path) -> None:
    installed = embedded.parent.parent / "quantmap" / "include"
    names = [path.relative_to(installed).as_posix() for path in installed.rglob("*.hpp")]
    assert names == ["quantmap/quantmap.hpp"]
