"""The command line of the third extraction."""

from __future__ import annotations

import argparse
import ast
import os
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from extract_surface import build, merge, output
from extract_surface.engines import ENGINES
from extract_surface.readers import ReadError

from . import document
from .read import Message, read

_CATALOG = Path(__file__).resolve().parents[2] / "cpp" / "catalog"
_TEXT = """\
Reads what each release says when it refuses: the texts of its `raise` and `assert` statements,
the condition that each stands under, and the server's arguments that this condition looks at.
Sources are read as text; nothing of a release is imported or run.

  python extractors/extract_messages --engine vllm
  python extractors/extract_messages --check --offline
"""
# Below the package: where a server starts. What answers requests says other things.
_PARTS: dict[str, str] = {
    "vllm": r"(config|engine|platforms|worker|executor|attention|v1|distributed|compilation|lora|"
    r"quantization|transformers_utils|plugins|utils|vllm_flash_attn|model_executor|usage|ray|"
    r"kernels|models|envs\.py|_custom_ops\.py|entrypoints/(cli|utils|openai/(cli_args|api_server)))",
    "sglang": r"(srt/(?!entrypoints/openai|function_call|parser|multimodal|sampling|grpc)|cli|"
    r"utils|launch_server)",
    "sglang_jax": r"(srt|launch_server)",
}
_LEFT_OUT = re.compile(
    r"(^|/)(tests?|benchmarks?|third_party|examples|deprecated|ops|\w+_ops|"
    r"kv_connector|ec_connector|"
    r"weight_transfer|kv_offload|processors|storage|pool_host|disaggregation|debug_utils|npu|mlx|"
    r"kv_canary|multiplex|dllm|expert_pack|layer_boundary|weight_cache|elastic_ep|hisparse)/"
)
# Of these only what an argument decides: the rest is about shapes and files of single models.
_INNER = re.compile(
    r"(^|/)(models/(?!(registry|config|utils|interfaces|vision)\.py)|configs/|layers/mamba/|"
    r"lora/(?!(\w*helper|\w*manager|request|utils)\.py))"
)
# What every layer calls for its sizes over GPUs: the names in it are of two numbers.
_DIVIDES = re.compile(r"\bensure_divisibility$")
_NAMES = re.compile(r"\b[a-z]\w*_\w+\b")
_LONG = 60  # letters of an assertion's text that are words enough to be known by
_START = re.compile(
    r"init|config|verify|valid|check|create|load|select|resolve|adjust|determine|profile|backend|"
    r"process_weights|infer|alloc|main|parse|launch|setup|build|post_init|supported|method|assert|choose|scheme|kernel"
)


def read_one(engine: str, version: str, folder: Path, catalog: Path) -> document.Reading:
    """Read a release: messages by their text, each with its file and arguments."""
    root = folder / ENGINES[engine].root
    surface = output.load(catalog, engine)
    flags = _flags(surface, version) if surface else {}
    flags.update({name: flags[flag] for name, flag in _renames(root).items() if flag in flags})
    part = re.compile(_PARTS[engine])
    found: document.Reading = {}
    for path in sorted(root.rglob("*.py")):
        below = path.relative_to(root).as_posix()
        if not part.match(below) or _LEFT_OUT.search(below):
            continue
        for message in _read_text(path.read_text(encoding="utf-8", errors="replace")):
            named = [*message.names, *_NAMES.findall(message.text)]
            if _DIVIDES.search(message.place):
                named = ["tensor_parallel_size", "tp_size"]
            arguments = list(dict.fromkeys(flags[n] for n in named if n in flags))
            if not (arguments or "--" in message.text or _is_of_start(below, message)):
                continue
            if message.text.startswith("assert ") and not _asks_for(message.text, flags):
                continue
            name = path.relative_to(folder).as_posix()
            found.setdefault(message.text, (name, message, arguments))
    return found


def _asks_for(text: str, flags: dict[str, str]) -> bool:
    """Whether an assertion without words looks at an argument by its name, on its first line."""
    return any(name in flags and "_" in name for name in re.findall(r"\.(\w+)", text))


def _is_of_start(path: str, message: Message) -> bool:
    """Whether a message that no argument decides may still be what ends a start."""
    if _INNER.search(path):
        return False
    if message.kind == "AssertionError":  # most are about what no user gives
        words = message.text.replace("{}", "")
        return not message.text.startswith("assert ") and len(words) >= _LONG
    return bool(_START.search(message.place.rpartition(".")[2].lower()))


@lru_cache(maxsize=20_000)
def _read_text(source: str) -> list[Message]:
    """Releases share files."""
    return read(source)


def _flags(surface: dict[str, Any], version: str) -> dict[str, str]:
    """Each flag of a release by the name that its value has in the source."""
    out = {}
    for flag, row in merge.flags_at(surface, version).items():
        for spelling in (flag, *row.get("aliases", [])):
            if spelling.startswith("--"):
                out[spelling[2:].replace("-", "_")] = flag
    for flag, row in merge.flags_at(surface, version).items():
        for key in row["keys"] if isinstance(row.get("keys"), list) else ():
            if "_" in key:  # of a JSON value
                out.setdefault(key, flag)
    return out


def _renames(root: Path) -> dict[str, str]:
    """What the values of arguments are called in the configs made of them: ``new=self.old``."""
    out: dict[str, str] = {}
    for path in (
        root / "engine" / "arg_utils.py",
        root / "srt" / "model_executor" / "model_runner.py",
    ):
        if not path.is_file():
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.keyword) and isinstance(node.value, ast.Attribute) and node.arg:
                out.setdefault(node.arg, node.value.attr)
    return out


def update(engine: str, args: argparse.Namespace) -> int:
    """Build an engine's messages; return the exit status."""
    options = build.Options(args.cache, args.index_url, args.offline, _report)
    folders = build.obtain(ENGINES[engine], [], options)
    jobs = [(engine, version, folder, args.catalog) for version, folder in folders]
    if args.jobs > 1:
        with ProcessPoolExecutor(args.jobs) as pool:
            found = list(pool.map(read_one, *zip(*jobs)))
    else:
        found = [read_one(*job) for job in jobs]
    readings = {version: reading for (version, _), reading in zip(folders, found)}
    existing = document.load(args.catalog, engine)
    made = document.build(engine, existing, readings)
    if args.check:
        same = document.render(existing) == document.render(made)
        print(f"{engine}: {'as in the catalogue' if same else 'differs from the catalogue'}")
        return 0 if same else 1
    path = document.path_of(args.catalog, engine)
    path.write_text(document.render(made), encoding="utf-8")
    _report(f"wrote {path} ({path.stat().st_size // 1024} KiB, {len(made['messages'])} messages)")
    return 0


def _report(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="extract_messages",
        description=_TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--engine", action="append", choices=sorted(_PARTS))
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get(
        "QUANTMAP_SURFACE_CACHE", Path.home() / ".cache" / "quantmap" / "surface")))  # fmt: skip
    parser.add_argument("--catalog", type=Path, default=_CATALOG)
    parser.add_argument("--index-url")
    parser.add_argument("--offline", action="store_true", help="use only what the cache holds")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--check", action="store_true", help="write nothing; status 1 on drift")
    args = parser.parse_args(arguments)
    try:
        return max(update(engine, args) for engine in args.engine or sorted(_PARTS))
    except (ReadError, OSError, ValueError) as error:
        print(f"extract_messages: {error}", file=sys.stderr)
        return 2
