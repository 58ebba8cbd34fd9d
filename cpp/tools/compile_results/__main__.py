#!/usr/bin/env python3
"""Write the fields of the package's results as C++, from the annotations of their classes.

Usage: compile_results PACKAGE_DIR OUT_DIR

Reads each class of the package that is a Result, as text, and writes
OUT_DIR/include/quantmap/results/classes.hpp: for each class what puts all its fields, by name and
in their order, into whatever a writer makes of them. A field's value is the member of that name, or
what `Read` of the core's type says; with neither, nothing compiles. What an annotation says of
empty values, whole numbers and dicts is done to the value. Needs nothing but Python.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

BASES = {"Result", "Answer", "Keyed"}
WHOLE = {"int"}
NAMED = {"dict"}
# C++ cannot name a member so; the core's is written with an underscore behind it.
KEYWORDS = (
    "alignas alignof and asm auto bool break case catch char class compl concept const consteval "
    "constexpr constinit continue decltype default delete do double else enum explicit export "
    "extern false float for friend goto if inline int long mutable namespace new noexcept not "
    "nullptr operator or private protected public register requires return short signed sizeof "
    "static struct switch template this throw true try typedef typeid typename union unsigned "
    "using virtual void volatile while xor"
)


def classes(package: Path) -> Iterator[tuple[str, ast.ClassDef]]:
    """Every class that is a result, with its module."""
    for path in sorted([*package.glob("*.py"), *package.glob("numerics/*.py")]):
        module = ".".join(path.relative_to(package).with_suffix("").parts)
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef) or node.name in BASES:
                continue
            if BASES & {base.id for base in node.bases if isinstance(base, ast.Name)}:
                yield module, node


def words(path: Path) -> dict[str, str]:
    """The types that have names of their own: what each is made of."""
    out = {}
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Subscript):
            continue
        inside = node.value.slice
        if isinstance(inside, ast.Tuple) and ast.unparse(node.value.value) == "Annotated":
            base = inside.elts[0]
            text = base.value if isinstance(base, ast.Constant) else ast.unparse(base)
            out[ast.unparse(node.targets[0])] = str(text)
    return out


class Annotation:
    """What an annotation says of the values of a field."""

    def __init__(self, node: ast.expr, known: dict[str, str]) -> None:
        self.node, self.known, self.optional = node, known, False
        if isinstance(node, ast.BinOp):
            self.optional = ast.unparse(node.right) == "None"
            self.node = node.left

    def outer(self, node: ast.expr) -> str:
        """The type around all others: ``dict`` of ``dict[str, str]``."""
        text = ast.unparse(node)
        return self.known.get(text, text).partition("[")[0]

    def around(self, value: str) -> str:
        """The value, done to as the annotation says."""
        inside = self.node
        if isinstance(inside, ast.Subscript) and self.outer(inside) == "tuple":
            inside = inside.slice.elts[0] if isinstance(inside.slice, ast.Tuple) else inside
        if self.outer(inside) in WHOLE:
            value = f"whole({value})"
        if self.outer(self.node) in NAMED:
            value = f"by_name({value})"
        return f"or_none({value})" if self.optional else value


def fields(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr]]:
    """The annotated names of a class; one with an underscore is kept and not shown."""
    for line in node.body:
        if not isinstance(line, ast.AnnAssign) or not isinstance(line.target, ast.Name):
            continue
        if not ast.unparse(line.annotation).startswith("ClassVar"):
            yield line.target.id, line.annotation


def written(module: str, node: ast.ClassDef, known: dict[str, str]) -> str:
    """A class in C++."""
    lines, shown = [], 0
    for name, annotation in fields(node):
        value = Annotation(annotation, known).around
        if name.startswith("_"):
            kept = f"Read<From>::{name}(from)"
            lines.append(f"    if constexpr (requires {{ {kept}; }})")
            lines.append(f'      out.keep("{name}", {value(kept)});')
        else:
            shown += 1
            lines.append(f'    out.put("{name}", {value(f"get_{name}(from)")});')
    return "\n".join(
        [
            f"struct {node.name} {{",
            f'  static constexpr const char* kModule = "quantmap.{module}";',
            f'  static constexpr const char* kName = "{node.name}";',
            f"  static constexpr std::size_t kFields = {shown};",
            "  template <class From, class Out>",
            "  static void describe(const From& from, Out& out) {",
            *lines,
            "  }",
            "};",
        ]
    )


def getter(field: str) -> str:
    """What reads a field of any type of the core."""
    name = f"{field}_" if field in KEYWORDS.split() else field
    return "\n".join(
        [
            "template <class From>",
            f"decltype(auto) get_{field}(const From& from) {{",
            f"  if constexpr (requires {{ Read<From>::{name}(from); }}) "
            f"return Read<From>::{name}(from);",
            f"  else return (from.{name});",
            "}",
        ]
    )


def compile_results(package: Path) -> str:
    """The header."""
    known = words(package / "words.py")
    found = list(classes(package))
    names = {name for _, node in found for name, _ in fields(node) if not name.startswith("_")}
    return "\n".join(
        [
            "// Generated by compile_results from the classes of python/quantmap. Do not edit.",
            "#pragma once",
            "#include <cstddef>",
            '#include "quantmap/results/field.hpp"',
            "namespace quantmap::results {",
            *map(getter, sorted(names)),
            "namespace classes {",
            *(written(module, node, known) for module, node in found),
            "}  // namespace classes",
            "}  // namespace quantmap::results",
            "",
        ]
    )


def main(arguments: list[str]) -> int:
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    out = Path(arguments[1]) / "include" / "quantmap" / "results" / "classes.hpp"
    content = compile_results(Path(arguments[0]))
    out.parent.mkdir(parents=True, exist_ok=True)
    if not out.exists() or out.read_text(encoding="utf-8") != content:
        out.write_text(content, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
