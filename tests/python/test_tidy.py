"""Law 2 by a compiler: what the rules of .clang-tidy must find, and what they let pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TIDY = Path(sys.executable).parent / "clang-tidy"
HEADERS = "#include <map>\n#include <optional>\n#include <string>\n#include <vector>\n"

pytestmark = pytest.mark.skipif(not TIDY.exists(), reason="clang-tidy is not installed")

BROKEN = {
    "a list asked by at": "int f(const std::vector<int>& v) { return v.at(3); }",
    "a text asked by at": "char f(const std::string& s) { return s.at(3); }",
    "a map asked by at": "int f(const std::map<int, int>& m) { return m.at(3); }",
    "a number read by stoi": "int f(const std::string& s) { return std::stoi(s); }",
    "a number read by stod": "double f(const std::string& s) { return std::stod(s); }",
    "an optional asked for its value": "int f(std::optional<int> o) { return o.value(); }",
    "a throw that nothing lets out": "void f() noexcept { throw 1; }",
    "a global": "int calls = 0;",
    "a global that its file hides": "namespace { std::vector<int> seen; }\nvoid f() { seen = {}; }",
    "a pointer that may be moved": "const char* name = nullptr;",
    "a text used after it was given away": (
        "void g(std::string&&);\nauto f(std::string s) { g(std::move(s)); return s.size(); }"
    ),
    "a fraction that is cut": "double f(int a, int b) { return a / b; }",
}
SOUND = """\
constexpr int kMost = 3;
const std::string_view kName = "name";
int f(const std::vector<int>& v, std::optional<int> o) noexcept {
  return v.empty() ? o.value_or(kMost) : v[0];
}
"""


def said(code: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    source = tmp_path / "core.cpp"
    source.write_text(HEADERS + code + "\n", encoding="utf-8")
    rules = f"--config-file={ROOT / '.clang-tidy'}"
    return subprocess.run(
        [TIDY, "--quiet", rules, source, "--", "-std=c++20"],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_found(name: str, tmp_path: Path) -> None:
    done = said(BROKEN[name], tmp_path)
    assert done.returncode != 0
    assert "error:" in done.stdout and "file not found" not in done.stdout, done.stdout


def test_what_passes(tmp_path: Path) -> None:
    done = said(SOUND, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
