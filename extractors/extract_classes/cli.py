"""The command line: from which release on a model's class is known, as rows of ``loaders.json``."""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from extract_surface import build, output
from extract_surface.engines import ENGINES
from extract_surface.readers import ReadError
from extract_surface.versions import sort_key

_CATALOG = Path(__file__).resolve().parents[2] / "cpp" / "catalog"
_TEXT = """\
Reads which classes of models a release knows: vLLM's registry, the EntryClass of SGLang's models.
Sources are read as text; nothing of a release is imported or run. The rows of loaders.json whose
ids begin with class-of- are written anew: for each release the classes that came with it.

  python extractors/extract_classes --engine vllm
  python extractors/extract_classes --check --offline
"""
_TABLES = ("vllm/model_executor/models/registry.py", "vllm/model_executor/models/__init__.py")
_ENGINES = ("sglang", "vllm")
_ID = "class-of-"
_SERVED = re.compile(r"(?:ForCausalLM|ForConditionalGeneration|LMHeadModel|ChatModel|CausalLM)$")
_HELPERS = re.compile(r"MTP|Eagle|Medusa|Transformers|Embedding")  # of a model beside them
_SAID = (
    "this release does not know the model's class: what Transformers itself serves in its place "
    "has no parallel plan for every model, and methods and kernels are other ones"
)


def classes_of(engine: str, folder: Path) -> set[str]:
    """The classes of models that a release serves by code of its own.

    Args:
        engine: ``vllm`` or ``sglang``.
        folder: the release's unpacked source.

    Returns:
        set[str]: their names.
    """
    names = _registered(folder) if engine == "vllm" else _entries(folder)
    return {name for name in names if _SERVED.search(name) and not _HELPERS.search(name)}


def place_in(engine: str, folder: Path) -> str:
    """Where a release says which classes it knows: vLLM's first ones in the package itself."""
    if engine == "sglang":
        return "sglang/srt/models, EntryClass"
    return next(table for table in _TABLES if (folder / table).is_file())


def _registered(folder: Path) -> Iterator[str]:
    """The keys of vLLM's tables: names behind which a module and a class stand."""
    for node in ast.walk(ast.parse((folder / place_in("vllm", folder)).read_bytes())):
        if not isinstance(node, ast.Dict):
            continue
        for key, value in zip(node.keys, node.values):
            is_row = isinstance(value, (ast.Tuple, ast.Call))
            if is_row and isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value


def _entries(folder: Path) -> Iterator[str]:
    """What SGLang's modules of models offer, by name or in a list."""
    for path in sorted((folder / "sglang" / "srt" / "models").glob("*.py")):
        for node in ast.parse(path.read_bytes()).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if any(isinstance(name, ast.Name) and name.id == "EntryClass" for name in targets):
                yield from (name.id for name in ast.walk(node) if isinstance(name, ast.Name))


def rows_of(known: dict[str, set[str]], evidence: dict[str, str]) -> list[str]:
    """The rows, as lines: for each release but the first what no earlier one knows.

    Args:
        known: classes by release.
        evidence: where each release says so.

    Returns:
        list[str]: one JSON object each.
    """
    versions = sorted(known, key=sort_key)
    seen = set(known[versions[0]])
    rows = []
    for version in versions[1:]:
        new = sorted(known[version] - seen)
        seen |= known[version]
        if new:
            row = {
                "id": _ID + re.sub(r"\W", "-", version),
                "until": version,
                "types": new,
                "stage": "trouble",
                "effect": "no-load",
                "text": _SAID,
                "cure": f"use {version} or newer",
                "evidence": [evidence[version]],
            }
            rows.append(json.dumps(row, ensure_ascii=False))
    return rows


def replaced(document: str, rows: list[str]) -> str:
    """A loaders.json with these rows in place of those that it has.

    Args:
        document: its text, a row on each line.
        rows: the rows.

    Returns:
        str: its text.

    Raises:
        ValueError: it has no such row.
    """
    lines = document.split("\n")
    old = [at for at, line in enumerate(lines) if line.lstrip().startswith(f'{{"id": "{_ID}')]
    if not old:
        raise ValueError(f"no row's id begins with {_ID}")
    kept = [line for at, line in enumerate(lines) if at not in set(old)]
    kept[old[0] : old[0]] = [f"    {row}," for row in rows]
    return "\n".join(kept)


def update(engine: str, args: argparse.Namespace) -> int:
    """Write, or check, an engine's rows; return the exit status."""
    options = build.Options(args.cache, args.index_url, args.offline, _report)
    surface = output.load(args.catalog, engine) or {"releases": []}
    artifacts = {row["version"]: row["artifact"] for row in surface["releases"]}
    folders = build.obtain(ENGINES[engine], list(artifacts), options)
    known = {version: classes_of(engine, folder) for version, folder in folders}
    evidence = {v: f"{artifacts[v]} {place_in(engine, folder)}" for v, folder in folders}
    path = args.catalog / "engines" / engine / "loaders.json"
    before = path.read_text(encoding="utf-8")
    after = replaced(before, rows_of(known, evidence))
    json.loads(after)
    if args.check:
        print(f"{engine}: {'as in' if before == after else 'differs from'} the catalogue")
        return int(before != after)
    path.write_text(after, encoding="utf-8")
    _report(f"wrote {path}")
    return 0


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="extract_classes",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", action="append", choices=_ENGINES)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get(
        "QUANTMAP_SURFACE_CACHE", Path.home() / ".cache" / "quantmap" / "surface")))  # fmt: skip
    parser.add_argument("--catalog", type=Path, default=_CATALOG)
    parser.add_argument("--index-url")
    parser.add_argument("--offline", action="store_true", help="use only what the cache holds")
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 on drift")
    args = parser.parse_args(arguments)
    try:
        return max(update(engine, args) for engine in args.engine or _ENGINES)
    except (ReadError, OSError, ValueError) as error:
        print(f"extract_classes: {error}", file=sys.stderr)
        return 2
