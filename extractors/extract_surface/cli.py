"""The command line of the extractor."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from . import build, compare, fetch, merge, oracle, output
from .engines import ENGINES
from .readers import ReadError
from .versions import sort_key

_HERE = Path(__file__).resolve()
_DEFAULT_CATALOG = _HERE.parents[2] / "cpp" / "catalog"
_TEXT = """\
Reads every server flag of engine releases from their own sources and keeps them as
version intervals in <catalog>/engines/<engine>/surface.json. Sources come from the
package index, one at a time, are parsed as text, and are never imported or run.

  build everything that the index offers, resuming from the cache:
      python extractors/extract_surface --engine vllm
  add tomorrow's release, and print what changed in it:
      python extractors/extract_surface add vllm 0.34.0
  what changed between two releases (from the catalogue, no network):
      python extractors/extract_surface diff vllm 0.23.0 0.24.0
  one flag through time:
      python extractors/extract_surface show vllm --kv-cache-dtype
  does the catalogue still match the sources? (exit status 1 if not)
      python extractors/extract_surface --engine sglang --check --offline
"""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="extract_surface",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="COMMAND",
                        help="add ENGINE VERSION... | diff ENGINE FROM TO | show ENGINE FLAG; "
                        "without a command: build")  # fmt: skip
    parser.add_argument("--engine", action="append", choices=sorted(ENGINES),
                        help="engine to build; may be repeated; default: all")  # fmt: skip
    parser.add_argument("--version", action="append", default=[], metavar="X",
                        help="read only this release; may be repeated")  # fmt: skip
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get(
        "QUANTMAP_SURFACE_CACHE", Path.home() / ".cache" / "quantmap" / "surface")),
        help="folder for unpacked sources, outside of the tree (default: %(default)s, "
        "or QUANTMAP_SURFACE_CACHE)")  # fmt: skip
    parser.add_argument(
        "--catalog", type=Path, default=_DEFAULT_CATALOG, help="the catalogue's folder"
    )
    parser.add_argument(
        "--index-url", help="simple package index (default: PIP_INDEX_URL, else PyPI)"
    )
    parser.add_argument("--offline", action="store_true", help="use only what the cache holds")
    parser.add_argument("--check", action="store_true",
                        help="write nothing; exit status 1 if the catalogue differs")  # fmt: skip
    parser.add_argument("--parser", choices=("auto", "always", "never"), default="auto",
                        help="add: ask the release's own parser before anything is written; auto: "
                        "where its environment is there (default: %(default)s)")  # fmt: skip
    parser.add_argument("--prune", action="store_true",
                        help="delete a release's unpacked sources after reading them")  # fmt: skip
    return parser


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _build(engine_id: str, versions: list[str], args: argparse.Namespace, announce: bool) -> int:
    engine = ENGINES[engine_id]
    options = build.Options(args.cache, args.index_url, args.offline, _report)
    existing = output.load(args.catalog, engine_id)
    folders = build.obtain(engine, versions, options)
    readings = build.read_all(engine, folders, options)
    if not readings:
        raise ReadError(f"{engine_id}: no release could be read")
    base = existing if versions or args.offline else None
    document = build.update(engine, base, readings)
    if args.prune:
        for version, _ in folders:
            fetch.drop(args.cache, engine_id, version)
    if args.check:
        same = existing is not None and output.render(existing) == output.render(document)
        print(f"{engine_id}: {'as in the catalogue' if same else 'differs from the catalogue'}")
        if not same and existing is not None:
            _print_drift(existing, document)
        return 0 if same else 1
    if announce and not all([_is_witnessed(document, version, args) for version in versions]):
        _report("nothing is written; --parser never writes what the text says")
        return 1
    path = output.save(args.catalog, engine_id, document)
    _report(
        f"wrote {path} ({path.stat().st_size // 1024} KiB, {len(document['releases'])} releases)"
    )
    if announce:
        for version in versions:
            _announce(document, version)
        return _add_kernels(engine_id, versions, args)
    return 0


def _is_witnessed(document: dict[str, Any], version: str, args: argparse.Namespace) -> bool:
    """Whether the release's own parser agrees, or could not be asked."""
    if args.parser == "never" or (args.parser == "auto" and not oracle.is_ready(args.cache)):
        return True
    engine = document["engine"]
    try:
        flags = merge.flags_at(document, version)
        about, result = oracle.witness(engine, version, flags, args.cache)
    except RuntimeError as error:
        _report(f"{engine} {version}: its own parser cannot be asked here: {error}")
        return args.parser == "auto"
    _report("\n".join([f"{about}, beside the release's own parser", *oracle.told(result)]))
    return not oracle.disagrees(result)


def _add_kernels(engine_id: str, versions: list[str], args: argparse.Namespace) -> int:
    """Read the kernels of new releases too, and print what changed in them."""
    from extract_kernels import cli as kernels  # which is built upon this package

    if engine_id not in kernels.READERS:
        return 0
    args.jobs = 1
    status = kernels.update(engine_id, versions, args)
    for version in versions:
        kernels.announce(engine_id, version, args.catalog)
    return status


def _print_drift(old: dict[str, Any], new: dict[str, Any]) -> None:
    known = {row["version"] for row in old["releases"]}
    for row in new["releases"]:
        version = row["version"]
        if version not in known:
            print(f"  {version}: not in the catalogue")
            continue
        for line in compare.compare(merge.flags_at(old, version), merge.flags_at(new, version)):
            print(f"  {version}: {line}")


def _announce(document: dict[str, Any], version: str) -> None:
    """Print the difference of a release against the one before it."""
    earlier = [
        r["version"] for r in document["releases"] if sort_key(r["version"]) < sort_key(version)
    ]
    if not earlier:
        print(f"{version}: the first release of the catalogue")
        return
    _print_difference(document, earlier[-1], version)


def _print_difference(document: dict[str, Any], first: str, second: str) -> None:
    print(f"{document['engine']} {first} -> {second}")
    lines = compare.compare(merge.flags_at(document, first), merge.flags_at(document, second))
    for key in ("env", "spelling"):
        before, after = (set(merge.names_at(document, key, v)) for v in (first, second))
        lines += [f"+ {key} {name}" for name in sorted(after - before)]
        lines += [f"- {key} {name}" for name in sorted(before - after)]
    print("\n".join("  " + line for line in lines) or "  no difference")


def _load(engine: str, args: argparse.Namespace) -> dict[str, Any]:
    document = output.load(args.catalog, engine)
    if document is None:
        raise ReadError(f"no surface of {engine} in {args.catalog}")
    return document


def _show(document: dict[str, Any], names: list[str]) -> None:
    for name in names:
        rows = document["flags"].get(name)
        if rows is None:
            found = [
                n
                for n, r in document["flags"].items()
                if any(name in x.get("aliases", []) for x in r)
            ]
            print(f"{name}: " + (f"a spelling of {', '.join(found)}" if found else "never a flag"))
            continue
        previous: dict[str, Any] = {}
        for row in rows:
            record = {k: v for k, v in row.items() if k not in ("since", "until")}
            text = compare.compare_record(previous, record) if previous else [json.dumps(record)]
            end = f" until {row['until']}" if "until" in row else ""
            print(f"{name} {row['since']}{end}: " + ("; ".join(text) or "spellings"))
            previous = record


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = _parser()
    args, rest = parser.parse_known_args(arguments)
    words: list[str] = args.words + rest
    try:
        if rest and (not args.words or args.words[0] != "show"):
            parser.error(f"unknown arguments: {' '.join(rest)}")
        if not words:
            status = [_build(e, args.version, args, False) for e in args.engine or sorted(ENGINES)]
            return max(status)
        command, operands = words[0], words[1:]
        if not operands or operands[0] not in ENGINES:
            parser.error(f"after {command!r}, name an engine: {', '.join(sorted(ENGINES))}")
        engine, operands = operands[0], operands[1:]
        if command == "add" and operands:
            return _build(engine, operands, args, True)
        if command == "diff" and len(operands) == 2:
            document = _load(engine, args)
            known = {row["version"] for row in document["releases"]}
            if not known.issuperset(operands):
                unknown = ", ".join(v for v in operands if v not in known)
                raise ReadError(f"the catalogue has no {engine} {unknown}")
            _print_difference(document, *operands)
            return 0
        if command == "show" and operands:
            _show(_load(engine, args), operands)
            return 0
        parser.error("expected: add ENGINE VERSION... | diff ENGINE FROM TO | show ENGINE FLAG...")
    except BrokenPipeError:
        return 0
    except (ReadError, OSError, ValueError) as error:
        print(f"extract_surface: {error}", file=sys.stderr)
        return 2
    return 2
