"""The command line of the second extraction."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Callable

from extract_surface import build, merge, output
from extract_surface.engines import ENGINES as SOURCES
from extract_surface.readers import ReadError
from extract_surface.versions import sort_key

from . import document, sglang, vllm

_HERE = Path(__file__).resolve()
_CATALOG = _HERE.parents[2] / "cpp" / "catalog"
READERS: dict[str, Callable[[Path, dict[str, int], dict[str, list[str]]], dict[str, Any]]] = {
    "vllm": vllm.read,
    "sglang": sglang.read,
}
_OUTSIDE = ("cli.py", "document.py", "compare.py", "output.py")  # what reads no release
_TEXT = """\
Reads which kernels each release can take, and for what: attention backends and the order in
which they are tried, MoE backends, quantization methods with the least GPU. A release's own
predicates are followed as text, for one GPU after the other; nothing of it is imported or run.
Results are kept by release in the cache, so that only what is new is read.

  python extractors/extract_kernels --engine vllm
  python extractors/extract_kernels diff vllm 0.32.0 0.33.0
  python extractors/extract_kernels --check --offline
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="extract_kernels",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="COMMAND",
                        help="diff ENGINE FROM TO; without a command: build")  # fmt: skip
    parser.add_argument("--engine", action="append", choices=sorted(READERS))
    parser.add_argument("--version", action="append", default=[], metavar="X")
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get(
        "QUANTMAP_SURFACE_CACHE", Path.home() / ".cache" / "quantmap" / "surface")))  # fmt: skip
    parser.add_argument("--catalog", type=Path, default=_CATALOG)
    parser.add_argument("--index-url")
    parser.add_argument("--offline", action="store_true", help="use only what the cache holds")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 on drift")
    return parser


def _digest() -> str:
    """Return a number for the tools' own text: what was read by other tools is read again."""
    found = hashlib.sha256()
    for folder in ("extract_kernels", "extract_surface"):
        for path in sorted((_HERE.parents[1] / folder).glob("*.py")):
            if path.name not in _OUTSIDE:
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


def _gpus(catalog: Path) -> dict[str, int]:
    classes = json.loads((catalog / "hardware.json").read_text(encoding="utf-8"))["classes"]
    return {row["id"]: row["floor"] for row in classes if row["floor"]}


def _choices(surface: dict[str, Any], version: str) -> dict[str, list[str]]:
    flags = merge.flags_at(surface, version)
    found = {name: row.get("choices") for name, row in flags.items()}
    return {name: values for name, values in found.items() if isinstance(values, list)}


def read_one(engine: str, version: str, folder: Path, catalog: Path, cache: Path) -> dict[str, Any]:
    """Read a release, or take from the cache what these very tools have read of it before."""
    surface = output.load(catalog, engine)
    choices = _choices(surface, version) if surface else {}
    gpus = _gpus(catalog)
    key = hashlib.sha256(json.dumps([choices, gpus], sort_keys=True).encode()).hexdigest()[:16]
    kept = cache / "kernels" / engine / f"{version}-{_digest()}-{key}.json"
    if kept.is_file():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    sys.setrecursionlimit(max(sys.getrecursionlimit(), 20_000))
    found = json.loads(json.dumps(READERS[engine](folder, gpus, choices)))
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(found), encoding="utf-8")
    return dict(found)


def read_releases(
    engine: str, versions: list[str], args: argparse.Namespace
) -> dict[str, dict[str, Any]]:
    """Return what was read of releases, of all offered ones if none is named."""
    options = build.Options(args.cache, args.index_url, args.offline, _report)
    folders = build.obtain(SOURCES[engine], versions, options)
    jobs = [(engine, v, folder, args.catalog, args.cache) for v, folder in folders]
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            found = list(pool.map(read_one, *zip(*jobs)))
    else:
        found = [read_one(*job) for job in jobs]
    return {version: reading for (version, _), reading in zip(folders, found)}


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def update(engine: str, versions: list[str], args: argparse.Namespace) -> int:
    """Build or extend an engine's tables; return the exit status."""
    existing = document.load(args.catalog, engine)
    readings = read_releases(engine, versions, args)
    made = document.update(engine, existing if versions else None, readings)
    if args.check:
        same = existing is not None and document.render(existing) == document.render(made)
        print(f"{engine}: {'as in the catalogue' if same else 'differs from the catalogue'}")
        return 0 if same else 1
    path = document.path_of(args.catalog, engine)
    path.write_text(document.render(made), encoding="utf-8")
    _report(f"wrote {path} ({path.stat().st_size // 1024} KiB, {len(made['releases'])} releases)")
    return 0


def announce(engine: str, version: str, catalog: Path) -> None:
    """Print what a release changes against the one before it."""
    made = document.load(catalog, engine)
    if made is None:
        return
    earlier = [v for v in made["releases"] if sort_key(v) < sort_key(version)]
    if earlier:
        _difference(made, earlier[-1], version)


def _difference(made: dict[str, Any], first: str, second: str) -> None:
    print(f"{made['engine']} kernels {first} -> {second}")
    lines = document.compare(document.at(made, first), document.at(made, second))
    print("\n".join("  " + line for line in lines) or "  no difference")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = _parser()
    args = parser.parse_args(arguments)
    try:
        return _run(args, parser)
    except (ReadError, OSError, ValueError) as error:
        print(f"extract_kernels: {error}", file=sys.stderr)
        return 2


def _run(args: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    if not args.words:
        engines = args.engine or sorted(READERS)
        return max(update(engine, args.version, args) for engine in engines)
    if len(args.words) == 4 and args.words[0] == "diff":
        made = document.load(args.catalog, args.words[1])
        if made is not None:
            _difference(made, args.words[2], args.words[3])
            return 0
    parser.error("expected: diff ENGINE FROM TO, or no command")
