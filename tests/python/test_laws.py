"""The laws of the house: what no compiler checks of the sources themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.laws import checks
from tests.laws.exempt import EXEMPT_KEYS
from tests.laws.violations import VIOLATIONS, caught
from tests.python.sources import ROOT, cpp_strings, files

CORE = files("cpp/include/**/*.hpp", "cpp/src/**/*.?pp")
BINDINGS = files("python/bindings/*.?pp")
PYTHON = files("python/**/*.py")
HAND_WRITTEN = [*CORE, *BINDINGS, *PYTHON]

# (file, word) → why a literal of hand-written code may hold it.
EXEMPT = {
    ("python/quantmap/documented.py", "vllm"): "a documented identifier: Engine.VLLM",
    ("python/quantmap/documented.py", "tensorrt_llm"): "a documented identifier: Engine",
    ("python/quantmap/documented.py", "sglang"): "a documented identifier: Engine.SGLANG",
    ("python/quantmap/documented.py", "sglang_jax"): "a documented identifier: Engine",
    ("python/quantmap/documented.py", "fp8"): "what should_apply_dynamic_fp8 is documented to test",
    ("python/quantmap/rules_format.py", "int8"): "the reader of rules files: their dtypes",
    ("python/quantmap/rules_format.py", "bfloat16"): "the reader of rules files: their dtypes",
    ("python/quantmap/rules_format.py", "float32"): "the reader of rules files: their dtypes",
    ("python/quantmap/cli/declare.py", "default"): "a key of click's declarations",
    ("python/quantmap/cli/advice.py", "default"): "a key: the default of a field",
    ("python/quantmap/schema/configs.py", "default"): "a keyword of JSON Schema",
    ("python/quantmap/schema/typescript.py", "default"): "a key: the default of a field",
    ("python/quantmap/schema/ui.py", "default"): "a key: the default of a field",
    ("python/bindings/register_numerics.cpp", "e4m3"): "a number format, not an option",
    ("python/bindings/register_numerics.cpp", "e5m2"): "a number format, not an option",
    ("cpp/include/quantmap/results/recipes.hpp", "e4m3"): "a number format, not an option",
    ("cpp/include/quantmap/results/recipes.hpp", "e5m2"): "a number format, not an option",
    ("python/quantmap/numerics/arrays.py", "bfloat16"): "the name of a NumPy dtype",
    ("python/quantmap/fit.py", "vllm"): "the engine that an estimate is for unless one is named",
    ("python/quantmap/cli/fit.py", "vllm"): "the same on the command line",
    ("python/bindings/register_catalog.cpp", "default"): "a key: the default of a field",
    ("python/bindings/register_check.cpp", "default"): "a key: the default of a flag",
    ("cpp/src/model/checkpoint.cpp", "gguf"): "the ending of a kind of weight file",
    ("cpp/src/model/declarations.cpp", "default"): "the reader of torchao's quant_type: its key",
    ("python/quantmap/cli/inspect.py", "gguf"): "a kind of weight file, not the method",
    (
        "cpp/src/mapping/request.cpp",
        "sglang",
    ): "an example in a hint: how to write a default version",
    ("python/quantmap/repository.py", "default"): "a key: the default of a flag",
    ("python/quantmap/cli/check_folder.py", "default"): "the default of a flag, in words",
}


def text_of(path: Path) -> tuple[str, str]:
    """A file's name in the tree, and what it holds."""
    return path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=str)
def test_law_1_no_mapping_decision_is_code(path: Path) -> None:
    name, source = text_of(path)
    found = [
        f"{name}:{line}: {word!r} ({checks.WORDS[word]}) belongs in cpp/catalog"
        for word, line in checks.words(name, source)
        if (name, word) not in EXEMPT and (name, word) not in EXEMPT_KEYS
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("name", "word"), EXEMPT)
def test_law_1_exemption_is_needed(name: str, word: str) -> None:
    assert word in {found for found, _ in checks.words(*text_of(ROOT / name))}


def test_law_1_looks_at_enough() -> None:
    kinds = {kind.split(" of ")[0] for kind in checks.WORDS.values()}
    assert kinds >= {"engine", "flag", "env", "value", "preset", "option", "release", "choice"}
    assert kinds >= {"GPU class", "GPU", "field", "target", "kernel"}
    assert len(HAND_WRITTEN) > 150 and len(checks.WORDS) > 2000


def test_law_1_reads_literals_only() -> None:
    source = """
    // "--dtype" in a comment is nothing
    emit("--dtype"); emit("--" "tp-size"); path = R"(use awq_marlin here)"; c = '"'; n = 1'000;
    PyDoc_STRVAR(kDocumentation, "how to say vllm");
    other("my--dtype", "vllm2", "\\"sglang\\"");
    """
    assert [token.text for token in cpp_strings(source)][:2] == ["--dtype", "--tp-size"]
    assert sorted(checks.words("a/b.cpp", source)) == [
        ("--dtype", 3),
        ("--tp-size", 3),
        ("awq_marlin", 3),
        ("sglang", 5),
    ]
    python = '''
"""A docstring that names vllm."""
HELP = "vllm or sglang"
@option("--x", help=HELP, epilog="awq")
def function():
    """Another with awq."""
    return f"{1} --tp-size={2}", "awq"
'''
    assert sorted(checks.words("a/b.py", python)) == [("--tp-size", 7), ("awq", 7)]


@pytest.mark.parametrize("path", CORE, ids=str)
def test_law_1_no_decision_hides(path: Path) -> None:
    assert checks.decisions(*text_of(path)) == []


@pytest.mark.parametrize("path", CORE, ids=str)
def test_law_2_core_throws_nothing_and_keeps_nothing(path: Path) -> None:
    assert checks.core(*text_of(path)) == []


@pytest.mark.parametrize("path", BINDINGS, ids=str)
def test_law_2_bindings_know_no_fields(path: Path) -> None:
    assert checks.bindings(*text_of(path)) == []


CODE = ("cpp", "python", "tests", "docs", "examples")
SUFFIXES = {".cpp", ".hpp", ".py", ".pyi", ".cmake", ".sh", ".js", ".ts"}


def hand_written_code() -> list[Path]:
    """Every file of code that a person wrote."""
    out = files(*(f"{directory}/**/*" for directory in CODE), "*.txt", "*.cmake")
    named = [path for path in out if path.suffix in SUFFIXES or path.name == "CMakeLists.txt"]
    return [*named, *files("scripts/*", ".ci/*")]


@pytest.mark.parametrize(
    "path", hand_written_code(), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_law_6_no_long_file(path: Path) -> None:
    assert checks.size(*text_of(path)) == []


@pytest.mark.parametrize("path", HAND_WRITTEN, ids=str)
def test_law_6_no_function_with_too_many_ways_through(path: Path) -> None:
    pytest.importorskip("lizard")
    name, source = text_of(path)
    found = checks.branches(name, source)
    assert not found, f"over {checks.MOST_BRANCHES} ways through it, divide: {found}"


@pytest.mark.parametrize("path", CORE, ids=str)
def test_law_7_includes_go_down(path: Path) -> None:
    assert checks.includes(*text_of(path)) == []


@pytest.mark.parametrize("violation", VIOLATIONS, ids=lambda violation: violation.what)
def test_a_violation_is_caught(violation: object) -> None:
    assert caught(violation), "the law that should catch this holds nothing"
