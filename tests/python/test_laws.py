"""The laws of the house: what no compiler checks of the sources themselves."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.python.sources import (
    ROOT,
    Token,
    cpp_strings,
    cpp_tokens,
    files,
    python_strings,
)

CATALOG = ROOT / "cpp" / "catalog"
CORE = files("cpp/include/**/*.hpp", "cpp/src/**/*.cpp")
HAND_WRITTEN = [*CORE, *files("python/bindings/*.?pp", "python/**/*.py")]

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
    ("cpp/src/deployment/verdict.cpp", "none"): "how parsers spell that a number is not set",
}


def read_json(path: Path) -> dict[str, object]:
    """A JSON object."""
    document: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    return document


def catalogue_words() -> dict[str, str]:
    """Word → what it is, for every word that only the catalogue may know."""
    words: dict[str, str] = {}
    for path in files("cpp/catalog/engines/*/mapping.json"):
        data = json.loads(path.read_text(encoding="utf-8"))
        words.update(dict.fromkeys([data["id"], data["name"], *data["runtime_names"]], "engine"))
        for flag in data["flags"]:
            words.update(dict.fromkeys([flag["id"], *flag.get("aliases", [])], "flag"))
        for route in (route for routes in data["targets"].values() for route in routes):
            for kind in ("flag", "env"):
                if kind in route:
                    words[route[kind]] = kind
        for row in data["documented"]["rows"]:
            for value in (value for candidate in row["try"] for value in candidate.values()):
                words[value] = "value of an engine"
    words.pop("=")
    for preset in json.loads((CATALOG / "presets.json").read_text(encoding="utf-8"))["presets"]:
        words[preset["id"]] = "preset"
    for field in json.loads((CATALOG / "fields.json").read_text(encoding="utf-8"))["fields"]:
        ids = [option["id"] for option in field.get("options", []) if "number" not in option]
        words.update(dict.fromkeys(ids, f"option of {field['id']}"))
    for dtype in json.loads((CATALOG / "dtypes.json").read_text(encoding="utf-8"))["dtypes"]:
        words.setdefault(dtype["id"], "dtype")
    return words


WORDS = catalogue_words()
PATTERN = re.compile(
    r"(?<![\w-])(?:"
    + "|".join(re.escape(word) for word in sorted(WORDS, key=len, reverse=True))
    + r")(?![\w-])"
)


def literals(path: Path) -> list[Token]:
    """The string literals of a source file."""
    source = path.read_text(encoding="utf-8")
    return python_strings(source) if path.suffix == ".py" else cpp_strings(source)


def known_words(tokens: list[Token]) -> list[tuple[str, int]]:
    """The catalogue's words in literals, with their lines."""
    return [(match[0], token.line) for token in tokens for match in PATTERN.finditer(token.text)]


def test_law_1_no_mapping_decision_is_code() -> None:
    found = []
    for path in HAND_WRITTEN:
        name = path.relative_to(ROOT).as_posix()
        for word, line in known_words(literals(path)):
            if (name, word) not in EXEMPT:
                found.append(f"{name}:{line}: {word!r} ({WORDS[word]}) belongs in cpp/catalog")
    assert not found, "\n".join(found)


@pytest.mark.parametrize(("name", "word"), EXEMPT)
def test_law_1_exemption_is_needed(name: str, word: str) -> None:
    assert word in {found for found, _ in known_words(literals(ROOT / name))}


def test_law_1_looks_at_enough() -> None:
    kinds = {kind.split(" of ")[0] for kind in WORDS.values()}
    assert kinds >= {"engine", "flag", "env", "value", "preset", "option"}
    assert len(HAND_WRITTEN) > 30 and len(WORDS) > 100
    assert sum(len(literals(path)) for path in HAND_WRITTEN) > 300


def test_law_1_finds_what_it_looks_for() -> None:
    source = """
    // "--dtype" in a comment is nothing
    emit("--dtype"); emit("--" "tp-size"); path = R"(use awq_marlin here)"; c = '"'; n = 1'000;
    PyDoc_STRVAR(kDocumentation, "how to say vllm");
    other("my--dtype", "vllm2", "\\"sglang\\"");
    """
    assert known_words(cpp_strings(source)) == [
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
    assert sorted(known_words(python_strings(python))) == [("--tp-size", 7), ("awq", 7)]


def statements(tokens: list[Token]) -> list[list[Token]]:
    """The tokens between the signs that end statements or open and close blocks."""
    out: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == "sign" and token.text in ";{}":
            out.append([])
        else:
            out[-1].append(token)
    return [statement for statement in out if statement]


def mutable_globals(source: str) -> list[int]:
    """Lines with a static or thread_local variable that is not const."""
    found = []
    for statement in statements(cpp_tokens(source)):
        words = [token.text for token in statement]
        head = words[: words.index("=")] if "=" in words else words
        for storage in ("static", "thread_local"):
            if storage not in head or {"const", "constexpr", "static_assert"} & set(head):
                continue
            if "(" not in head:  # a function has its parameters
                found.append(statement[head.index(storage)].line)
    return found


def namespace_variables(source: str) -> list[int]:
    """Lines with a variable at namespace scope that is not const."""
    found = []
    blocks: list[bool] = []  # for every open brace: whether it opens a namespace
    statement: list[Token] = []
    parentheses = 0
    passing = {"using", "namespace", "class", "struct", "enum", "template", "static_assert"}
    passing |= {"const", "constexpr", "extern", "friend", "("}
    for token in cpp_tokens(source):
        sign = token.text if token.kind == "sign" else ""
        parentheses += {"(": 1, ")": -1}.get(sign, 0)
        if parentheses == 0 and sign == "{":
            blocks.append(any(item.text == "namespace" for item in statement))
            statement = [] if blocks[-1] else statement
        elif parentheses == 0 and sign == "}":
            blocks.pop()
            if all(blocks) and any(item.text in passing for item in statement):
                statement = []
        elif not all(blocks):
            continue
        elif parentheses == 0 and sign == ";":
            if statement and not passing & {item.text for item in statement}:
                found.append(statement[0].line)
            statement = []
        elif sign != "#":
            statement.append(token)
    return found


@pytest.mark.parametrize("path", CORE, ids=lambda path: path.name)
def test_law_2_core_throws_nothing_and_keeps_nothing(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    words = [token for token in cpp_tokens(source) if token.kind == "word"]
    assert not [token.line for token in words if token.text in ("throw", "abort", "exit")]
    assert mutable_globals(source) == []
    assert namespace_variables(source) == []
    assert not [token.line for token in words if token.text in ("cerr", "cout", "printf")]
    assert not [token.line for token in words if token.text in ("Python", "pybind11", "PyObject")]


def test_law_2_finds_what_it_looks_for() -> None:
    bad = "namespace q {\nnamespace {\nint counter = 0;\nstd::string name;\nint list[] = {1};\n}\n"
    bad += "int f(int a) {\n  static int calls;\n  static const int fine = 1;\n  int x = 1;\n}\n}\n"
    assert namespace_variables(bad) == [3, 4, 5]
    assert mutable_globals(bad) == [8]
    good = (
        "namespace q {\nconstexpr int k[] = {1};\nclass A {\n  int x_ = 0;\n  static A m();\n};\n"
    )
    good += "enum class E : int { kA };\nint f(int a, B b = {});\nusing T = int;\n"
    good += "void f() { int x = 1; }\n}\n"
    assert namespace_variables(good) == [] and mutable_globals(good) == []


def test_law_2_bindings_know_no_fields() -> None:
    """Bindings translate; an enumerator of a field, option or row has no business there."""
    allowed = {"kFourField"}  # the fast path numbers the combinations of that form
    for path in files("python/bindings/*.?pp"):
        tokens = cpp_tokens(path.read_text(encoding="utf-8"))
        words = [token.text for token in tokens]
        named = [
            words[index + 3]
            for index, word in enumerate(words[:-3])
            if word in ("FieldId", "Form", "Outcome") and words[index + 1 : index + 3] == [":", ":"]
        ]
        assert set(named) <= allowed, path.name


CODE = ("cpp", "python", "tests", "docs", "examples")
SUFFIXES = {".cpp", ".hpp", ".py", ".pyi", ".cmake", ".sh", ".js", ".ts"}


def hand_written_code() -> list[Path]:
    """Every file of code that a person wrote."""
    out = files(*(f"{directory}/**/*" for directory in CODE), "*.txt", "*.cmake")
    return [path for path in out if path.suffix in SUFFIXES or path.name == "CMakeLists.txt"]


@pytest.mark.parametrize(
    "path", hand_written_code(), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_law_6_no_long_file(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{lines} lines: divide the file"


def test_law_6_json_is_read_in_one_place() -> None:
    including = [path.name for path in CORE if "nlohmann/json" in path.read_text(encoding="utf-8")]
    assert including == ["json_io.cpp"]


# Folder → floor: a file includes its own folder and floors below (docs/design.md, Rooms).
FLOORS = {
    "catalog": 0,
    "base": 1,
    "pattern": 2,
    "config": 2,
    "release": 3,
    "model": 3,
    "deployment": 4,
    "mapping": 5,
    "memory": 6,
    "plan": 7,
    "check": 7,
    "quantize": 7,
}


@pytest.mark.parametrize("path", files("cpp/include/**/*.hpp", "cpp/src/**/*.?pp"), ids=str)
def test_law_7_includes_go_down(path: Path) -> None:
    own = path.parent.name
    for included in re.findall(r'#include "([^"]+)"', path.read_text(encoding="utf-8")):
        folder = included.split("/")[-2] if "/" in included else own
        assert folder == own or FLOORS[folder] < FLOORS[own], f"{path} includes {included}"
