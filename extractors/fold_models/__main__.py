"""Rows of models.json from published config.json files, and whether those of the catalogue hold.

    python extractors/fold_models FILES --source aiconfigurator --check
    python extractors/fold_models FILES --source aiconfigurator org/model ...

FILES is a wheel (it is not installed) or a folder with files named org--model_config.json, and
org--model_hf_quant_config.json beside it where there is one. With --check every row of that source
is made again and compared, and with quantmap installed the whole file is held against the row: they
must come to the same weights, KV cache, precision and refusals.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fold_models import fold

_CATALOG = Path(__file__).resolve().parents[2] / "cpp" / "catalog" / "models.json"
_GPUS = ("H100", "B200")
_ENGINES = ("vllm", "sglang")

Files = dict[str, str]


def read(path: Path) -> Files:
    """Return the texts of the configs of a wheel or a folder, by file name."""
    if path.is_dir():
        return {p.name: p.read_text(encoding="utf-8") for p in path.rglob("*_config.json")}
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if name.endswith("_config.json")]
        return {name.rpartition("/")[2]: wheel.read(name).decode() for name in names}


def whole(files: Files, model: str) -> fold.Config | None:
    """Return a model's config.json, with the section of the file beside it put in."""
    name = model.replace("/", "--")
    if f"{name}_config.json" not in files:
        return None
    config: fold.Config = json.loads(files[f"{name}_config.json"])
    beside = files.get(f"{name}_hf_quant_config.json")
    return fold.with_section(config, json.loads(beside) if beside else None)


def _facts(config: fold.Config) -> Any:
    """Return what quantmap makes of a config: what differs in these decides."""
    import quantmap

    out: list[Any] = []
    for engine, gpu in itertools.product(_ENGINES, _GPUS):
        newest = json.loads((_CATALOG.parent / "engines" / engine / "surface.json").read_text())
        engine = f"{engine}@{newest['releases'][-1]['version']}"
        mapping = quantmap.explain(engine, {}, gpu=gpu, checkpoint=config)
        fit = quantmap.estimate(config, tp=8, engine=engine, gpu=gpu)
        out += [dict(mapping.precision), [d.message for d in mapping.diagnostics], fit.to_dict()]
    return out


def check(files: Files, source: str) -> int:
    """Print what differs; return how many rows do."""
    try:
        import quantmap  # noqa: F401
    except ImportError:
        print("quantmap is not installed: rows are compared by their text only")
        facts = None
    else:
        facts = _facts
    wrong = missing = held = 0
    for item in json.loads(_CATALOG.read_text(encoding="utf-8"))["models"]:
        if item["read_in"] != source:
            continue
        config = whole(files, item["id"])
        if config is None:
            print(f"{item['id']}: no file")
            missing += 1
            continue
        keys = fold.differing(fold.row(config), item["config"])
        if keys:
            print(f"{item['id']}: {', '.join(keys)}")
        elif facts is not None and facts(config) != facts(item["config"]):
            print(f"{item['id']}: the row and the whole file come to different things")
            keys = ["facts"]
        wrong += bool(keys)
        held += not keys
    print(f"{held} rows hold, {wrong} differ, {missing} have no file")
    return wrong + missing


def main() -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", type=Path, metavar="FILES")
    parser.add_argument("ids", nargs="*", metavar="org/model")
    parser.add_argument("--source", required=True, help="a key of `sources` of models.json")
    parser.add_argument("--check", action="store_true", help="exit status 1 if a row differs")
    args = parser.parse_args()
    files = read(args.files)
    if args.check:
        return 1 if check(files, args.source) else 0
    for model in args.ids:
        config = whole(files, model)
        if config is None:
            print(f"{model}: no file", file=sys.stderr)
            return 2
        row = {"id": model, "read_in": args.source, "config": fold.row(config)}
        print(f"    {json.dumps(row, ensure_ascii=False)},")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
