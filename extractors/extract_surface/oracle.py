"""The engine's own argument parser as a witness of what was read from its text.

    python extractors/extract_surface/oracle.py vllm 0.33.0

The real parser is built in an environment of its own (made below the cache on first use), from
the release's unpacked sources, without a GPU. `extract_surface add` asks it before it writes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

if not __package__:
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from extract_surface import merge, output
from extract_surface.argparse_reader import UNKNOWN, Record
from extract_surface.engines import ENGINES

_HERE = Path(__file__).resolve().parent
_NEEDS = [
    "torch",
    "msgspec",
    "pydantic",
    "regex",
    "huggingface_hub",
    "typing_extensions",
    "numpy",
    "orjson",
    "psutil",
    "pyzmq",
    "requests",
    "cloudpickle",
    "pyyaml",
    "cachetools",
    "packaging",
    "transformers",
    "fastapi",
    "uvicorn",
    "pybase64",
    "pillow",
    "openai",
    "openai-harmony",
    "aiohttp",
    "prometheus_client",
    "py-cpuinfo",
    "setproctitle",
    "blake3",
    "cbor2",
    "einops",
    "partial-json-parser",
    "python-multipart",
]


def environment(cache: Path, torch: str) -> Path:
    """Return the Python of the oracle's environment, making it on first use."""
    home = cache / "oracle_env"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        needs = [torch if name == "torch" else name for name in _NEEDS]
        subprocess.run([str(python), "-m", "pip", "install", "-q", *needs], check=True)
    return python


def real_parser(python: Path, source: Path, package: str, version: str) -> dict[str, Any]:
    """Run the worker and return what it prints.

    Raises:
        RuntimeError: the engine's parser cannot be imported there; the message says why.
    """
    command = [
        str(python),
        str(_HERE / "oracle_worker.py"),
        str(source.resolve()),
        package,
        version,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    lines = [line for line in done.stdout.splitlines() if line.startswith('{"options"')]
    if done.returncode or not lines:
        raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr else "no output")
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def _choices(option: dict[str, Any]) -> list[Any] | None:
    found = option["choices"]
    if found is None:
        return None
    return sorted((item for item in found if item != "None"), key=str)


def compare(flags: dict[str, Record], options: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return, per property, the agreements ("") and the disagreements (a line each)."""
    by_name = {s: name for name, record in flags.items() for s in merge.spellings(name, record)}
    kinds = ("flag", "spellings", "choices", "nargs", "default", "unknown here")
    out: dict[str, list[str]] = {kind: [] for kind in kinds}
    seen = set()
    for option in options:
        name = next((by_name[n] for n in option["names"] if n in by_name), None)
        if name is None:
            out["flag"].append(f"{option['names'][0]}: not extracted")
            continue
        seen.add(name)
        out["flag"].append("")
        record = flags[name]
        mine, real = merge.spellings(name, record), set(option["names"])
        out["spellings"].append("" if mine == real else f"{name}: {sorted(mine ^ real)}")
        _compare_values(name, record, option, out)
    out["flag"] += [f"{name}: not in the real parser" for name in sorted(set(flags) - seen)]
    return out


def _compare_values(
    name: str, record: Record, option: dict[str, Any], out: dict[str, list[str]]
) -> None:
    real = _choices(option)
    mine = record.get("choices") if record.get("checked") == "parser" else None
    if mine == UNKNOWN:
        out["unknown here"].append(f"{name}: choices, really {real}")
    elif record.get("type") != "bool" or real is not None:
        mine = None if mine is None else sorted(mine, key=str)
        out["choices"].append("" if mine == real else f"{name}: {mine} here, really {real}")
    nargs = record.get("nargs")
    out["nargs"].append(
        "" if nargs == option["nargs"] else f"{name}: {nargs} here, really {option['nargs']}"
    )
    default = record.get("default")
    if default == UNKNOWN or option["default"] == UNKNOWN:
        if default != option["default"]:
            out["unknown here"].append(
                f"{name}: default, really {json.dumps(option['default'])[:60]}"
            )
        return
    out["default"].append(
        ""
        if default == option["default"]
        else f"{name}: {default!r} here, really {option['default']!r}"
    )


def is_ready(cache: Path) -> bool:
    """Whether the environment of the oracle was made before."""
    return (cache / "oracle_env" / "bin" / "python").exists()


def witness(
    engine: str, version: str, flags: dict[str, Record], cache: Path, torch: str = "torch"
) -> tuple[str, dict[str, list[str]]]:
    """What the release's own parser says of the flags: a line about it, and `compare`'s answer.

    Raises:
        RuntimeError: the release cannot be imported there, or its sources are not unpacked.
    """
    source = cache / "src" / engine / version
    if not source.is_dir():
        raise RuntimeError(f"first extract {engine} {version}")
    try:
        python = environment(cache, torch)
        real = real_parser(python, source, ENGINES[engine].root, version)
    except subprocess.SubprocessError as error:
        raise RuntimeError(str(error)) from error
    stand_ins = ", ".join(real["replaced"]) or "nothing"
    return f"{engine} {version}: stand-ins for {stand_ins}", compare(flags, real["options"])


def told(result: dict[str, list[str]]) -> list[str]:
    """The answer of `compare` for people."""
    out = []
    for key, lines in result.items():
        wrong = [line for line in lines if line]
        agree = f"{len(lines) - len(wrong)} of {len(lines)} agree"
        out.append(f"  {key}: {len(wrong) if key == 'unknown here' else agree}")
        out += [f"    {line}" for line in wrong]
    return out


def disagrees(result: dict[str, list[str]]) -> bool:
    """Whether the parser says something else; what the text leaves open is no disagreement."""
    return any(line for key, lines in result.items() if key != "unknown here" for line in lines)


def main() -> int:
    """Run the comparison; the exit status is 1 if anything disagrees."""
    parser = argparse.ArgumentParser(prog="oracle", description=__doc__.split("\n\n")[0])
    parser.add_argument("engine", choices=sorted(ENGINES))
    parser.add_argument("version")
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get(
        "QUANTMAP_SURFACE_CACHE", Path.home() / ".cache" / "quantmap" / "surface")))  # fmt: skip
    parser.add_argument("--catalog", type=Path, default=_HERE.parents[1] / "cpp" / "catalog")
    parser.add_argument(
        "--torch", default="torch", help="requirement for torch; a CPU build is enough"
    )
    args = parser.parse_args()
    document = output.load(args.catalog, args.engine)
    if document is None:
        print(f"oracle: no surface of {args.engine} in {args.catalog}", file=sys.stderr)
        return 2
    flags = merge.flags_at(document, args.version)
    try:
        about, result = witness(args.engine, args.version, flags, args.cache, args.torch)
    except RuntimeError as error:
        print(f"{args.engine} {args.version} cannot be imported here: {error}")
        return 2
    print("\n".join([about, *told(result)]))
    return int(disagrees(result))


if __name__ == "__main__":
    sys.exit(main())
