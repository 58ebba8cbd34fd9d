"""Sessions that need more than a test machine has; `nox -l` lists them.

nox -s oracles               compare with compressed-tensors; installs torch for CPU
nox -s oracles -- vllm=TREE  and with vLLM's functions; TREE is its unpacked wheel
nox -s oracles_jax -- TREE   and with sglang-jax's; TREE is its unpacked wheel
nox -s ray                   shards of a checkpoint on a Ray cluster of this machine
"""

from __future__ import annotations

import os

import nox

nox.options.sessions = ["oracles"]
TESTS = "tests/python/test_numerics_oracles.py"
TORCH = ("torch>=2.5", "compressed-tensors==0.20.1")
TREES = {"vllm": "VLLM_TREE", "sglang": "SGLANG_TREE"}


def compare(session: nox.Session, runs: dict[str, dict[str, str]], more: tuple[str, ...]) -> None:
    """Run the libraries on larger arrays, and quantmap against what they gave."""
    session.install(".[test]", *more)
    folder = session.create_tmp()
    for library, variables in runs.items():
        out = os.path.join(folder, f"{library}.json")
        session.run("python", "tests/oracles/run.py", library, out, "--large", env=variables)
    session.run("pytest", "-q", TESTS, env={"QUANTMAP_ORACLES": folder})


@nox.session
def oracles(session: nox.Session) -> None:
    """compressed-tensors, and the engines whose trees are named, all in torch on a CPU."""
    runs: dict[str, dict[str, str]] = {"compressed_tensors": {}}
    for given in session.posargs:
        library, _, tree = given.partition("=")
        runs[library] = {TREES[library]: os.path.abspath(tree)}
    compare(session, runs, TORCH)
    session.run("pytest", "-q", "tests/python/test_quantize_checkpoint.py", "-k", "library")


@nox.session
def oracles_jax(session: nox.Session) -> None:
    """sglang-jax: its functions, and its loader on checkpoints that quantmap wrote."""
    (tree,) = session.posargs
    variables = {"SGLANG_JAX_TREE": os.path.abspath(tree), "JAX_PLATFORMS": "cpu"}
    compare(session, {"sglang_jax": variables}, ("jax[cpu]>=0.8", "flax>=0.12"))
    session.run("pytest", "-q", "tests/python/test_numerics_loader.py", env=variables)


@nox.session
def ray(session: nox.Session) -> None:
    """`quantize_shards` on Ray."""
    session.install(".[test]", "ray>=2.30")
    session.run("pytest", "-q", "tests/python/test_numerics_shards.py")
