"""The C++ that puts every field of a result, from the annotations of its class."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "cpp" / "tools" / "compile_results"
WORDS = """
Count = Annotated[int, {"minimum": 0}]
Said = Annotated[str, {"minLength": 1}]
Arguments = Annotated["dict[str, str | bool]", "arguments"]
"""
SHAPES = '''
class Helper:
    """No result."""

    name: str

class Shape(Result):
    """A result."""

    LIMIT: ClassVar[int] = 3
    name: Said | None
    sides: Count
    band: tuple[Count, Count]
    ends: tuple[float, float]
    args: Arguments
    weights: dict[str, float] | None
    default: bool = False
    case: int = 1
    _source: str
'''


@pytest.fixture(name="header")
def _header(tmp_path: Path) -> Path:
    package = tmp_path / "package"
    (package / "numerics").mkdir(parents=True)
    (package / "words.py").write_text(WORDS)
    (package / "shapes.py").write_text(SHAPES)
    (package / "numerics" / "more.py").write_text("class Other(Answer):\n    kind: str\n")
    run(package, tmp_path)
    return tmp_path / "include" / "quantmap" / "results" / "classes.hpp"


def run(package: Path, out: Path) -> None:
    subprocess.run([sys.executable, TOOL, package, out], check=True)


def test_each_field_is_put_as_its_annotation_says(header: Path) -> None:
    text = header.read_text()
    body = text[text.index("struct Shape") :]
    put = [line.strip() for line in body.splitlines() if "out." in line]
    assert put == [
        'out.put("name", or_none(get_name(from)));',
        'out.put("sides", whole(get_sides(from)));',
        'out.put("band", whole(get_band(from)));',
        'out.put("ends", get_ends(from));',
        'out.put("args", by_name(get_args(from)));',
        'out.put("weights", or_none(by_name(get_weights(from))));',
        'out.put("default", get_default(from));',
        'out.put("case", whole(get_case(from)));',
        'out.keep("_source", Read<From>::_source(from));',
    ]
    assert "kFields = 8;" in body and 'kModule = "quantmap.shapes"' in body


def test_only_results_are_described(header: Path) -> None:
    text = header.read_text()
    assert "Helper" not in text and "LIMIT" not in text
    assert 'kModule = "quantmap.numerics.more"' in text


def test_a_name_that_cpp_cannot_have_is_written_with_an_underscore(header: Path) -> None:
    text = header.read_text()
    assert "return (from.default_);" in text and "return (from.case_);" in text


def test_what_is_the_same_is_not_written_again(header: Path, tmp_path: Path) -> None:
    before = header.stat().st_mtime_ns
    run(tmp_path / "package", tmp_path)
    assert header.stat().st_mtime_ns == before
    (tmp_path / "package" / "shapes.py").write_text(SHAPES.replace("sides", "corners"))
    run(tmp_path / "package", tmp_path)
    assert "get_corners" in header.read_text()
