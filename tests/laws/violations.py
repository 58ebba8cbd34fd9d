"""Small violations, each of which a law must catch; the first ones were tried by an outsider.

Those of the catalogue (law 3) are in tests/catalog.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.laws import checks

CORE = "cpp/src/model/weights.hpp"
BINDING = "python/bindings/register_config.cpp"
PYTHON = "python/quantmap/mapping.py"


@dataclass(frozen=True)
class Violation:
    """A piece of a source file that breaks a law."""

    law: str
    what: str
    source: str
    name: str = CORE


def caught(violation: object) -> bool:
    """Whether the law finds something in it."""
    assert isinstance(violation, Violation)
    return bool(getattr(checks, violation.law)(violation.name, violation.source))


def _inside(statement: str) -> str:
    return f"namespace q {{\nint f(int a) {{\n  {statement}\n  return a;\n}}\n}}\n"


def _branching(ways: int) -> str:
    lines = "".join(f"  if (a == {i}) b += {i};\n" for i in range(ways))
    return f"int f(int a) {{\n  int b = 0;\n{lines}  return b;\n}}\n"


OUTSIDE = [
    Violation("words", "a flag in a source", 'f("--kv-cache-dtype");', "cpp/src/mapping/map.cpp"),
    Violation("words", "a flag in a header of the core", 'f("--kv-cache-dtype");'),
    Violation("words", "a value of checked mode", 'f("trtllm_mla");'),
    Violation("words", "a flag of a release only", 'f("--speculative-algorithm");'),
    Violation("words", "a flag that only checked mode emits", 'f("--moe-backend");'),
    Violation("words", "another such flag", 'f("--load-format");'),
    Violation("words", "a class of GPU", 'f("sm90");'),
    Violation("words", "a release", 'f("0.11.0");'),
    Violation("words", "a flag in two pieces", 'f(std::string("--kv-cache") + "-dtype");'),
    Violation("decisions", "an engine by its first letter", "if (e.id.front() == 'v') g();"),
    Violation("core", "throw in a header", "inline void f() { throw 1; }"),
    Violation("core", "a counter in a header", "namespace q {\ninline int counter = 0;\n}\n"),
    Violation("core", "a static with arguments", _inside("static std::vector<int> cache(10);")),
    Violation(
        "core", "a global with arguments", "namespace q {\nstd::vector<int> g_cache(10);\n}\n"
    ),
    Violation("core", "a number read by stoi", _inside('a = std::stoi("1");')),
    Violation("core", "an element by at", _inside("list.at(100);")),
    Violation("words", "a field's key in a binding", 'c.contains("kvcache_dtype");', BINDING),
    Violation("bindings", "a field by using enum", "using enum FieldId; f(kGemm);", BINDING),
    Violation("words", "a release in a source", 'since("0.20.0");', "cpp/src/plan/plan.cpp"),
    Violation("size", "a long source", "\n" * 401, "cpp/src/plan/plan.cpp"),
    Violation("size", "a long script", "\n" * 494, "scripts/test"),
    Violation("core", "JSON read elsewhere", "#include <nlohmann/json.hpp>\n"),
]
OURS = [
    Violation("words", "a flag in Python", 'FLAG = "--tensor-parallel-size"\n', PYTHON),
    Violation("words", "a flag joined in Python", 'FLAG = "--tensor" + "-parallel-size"\n', PYTHON),
    Violation("words", "an engine in a message", 'text = f"{a} on vllm"\n', PYTHON),
    Violation("words", "a variable", 'f("VLLM_ATTENTION_BACKEND");'),
    Violation("words", "a preset in a raw string", 'f(R"(kv-cache-fp8)");'),
    Violation("words", "a product", 'f("h100");'),
    Violation("words", "a dtype", 'f("bfloat16");'),
    Violation("words", "literals side by side", 'f("--kv-cache" "-dtype");'),
    Violation("decisions", "an engine by its number", "if (&e == &catalog().engines[0]) g();"),
    Violation("decisions", "a field in the room of models", "if (f == FieldId::kKvcache) g();"),
    Violation("decisions", "a field in check", "f(FieldId::kGemm);", "cpp/src/check/check.cpp"),
    Violation("bindings", "an outcome in a binding", "if (o == Outcome::kDropped) g();", BINDING),
    Violation("bindings", "a field in a binding", "f(FieldId::kMoe);", BINDING),
    Violation("core", "a static without a value", _inside("static int calls;")),
    Violation("core", "a static in braces", _inside("static std::string name{};")),
    Violation("core", "one for each thread", _inside("thread_local int depth = 0;")),
    Violation("core", "a global without a value", "namespace q {\nstd::string name;\n}\n"),
    Violation("core", "a global list", "namespace {\nint list[] = {1};\n}\n"),
    Violation("core", "a static of a call", _inside("static auto table = make_table(a);")),
    Violation("core", "a member of all objects", "struct A {\n  static int count;\n};\n"),
    Violation("core", "the end of the program", _inside("std::abort();")),
    Violation("core", "printing", _inside('std::cerr << "x";')),
    Violation("core", "Python in the core", "#include <Python.h>\nPyObject* f();\n"),
    Violation("core", "a value of any", _inside("std::any_cast<int>(b);")),
    Violation("includes", "an include that goes up", '#include "quantmap/plan/plan.hpp"\n'),
    Violation(
        "includes",
        "a shell that knows launches",
        '#include "quantmap/check/check.hpp"\n',
        "cpp/src/shell/lexer.cpp",
    ),
    Violation("includes", "an include of a neighbour", '#include "quantmap/release/gpu.hpp"\n'),
    Violation("branches", "a ladder", _branching(16), "cpp/src/plan/plan.cpp"),
    Violation("size", "a long page of Python", "\n" * 401, PYTHON),
]
VIOLATIONS = [*OUTSIDE, *OURS]
