"""Who follows the recipes of docs/contributing.md: a copy of the tree, a function for each step.

The functions are what a person does in a step; the commands are on the page. `test_recipes.py`
brings both together.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", ".ci-venv", "build", "dist", "__pycache__", ".*_cache", "*.so"
)
PRESET, RELEASE, ENGINE = "Add a preset", "Add an engine release", "Add an engine"
GPU, FORMAT, FAULT = "Add a GPU", "Add a checkpoint format", "Fix a fault in the core"
RECIPES = (PRESET, RELEASE, ENGINE, GPU, FORMAT, FAULT)
MODEL = "sglang_jax"  # the engine that gets a release
TOY, TOY_VERSION = "toy", "0.1.0"  # examples/engine
NEW_PRESET, NEW_VERSION = "kv-cache-e4m3", "0.2.0"
NEWEST = json.loads((ROOT / f"cpp/catalog/engines/{MODEL}/surface.json").read_text("utf-8"))[
    "releases"
][-1]["version"]


class Desk:
    """A copy of the tree and the environment of the one who works in it."""

    def __init__(self, place: Path) -> None:
        self.tree = place / "tree"
        self.installed = place / "installed"
        shutil.copytree(ROOT, self.tree, ignore=IGNORED)
        kept = {name: value for name, value in os.environ.items() if name != "CMAKE_ARGS"}
        self.environment = {
            **kept,
            "PYTHONPATH": str(self.installed),
            "QUANTMAP_SURFACE_CACHE": str(place / "cache"),
            "CCACHE_BASEDIR": str(self.tree),
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONIOENCODING": "utf-8",
        }
        self.cache = place / "cache" / "src"

    def run(self, command: str, code: int = 0) -> str:
        """Runs a command in the tree to this exit code; `python` is this one."""
        words = shlex.split(command)
        if words[0] == "extract_surface":
            words = ["python", f"extractors/{words[0]}", *words[1:]]
        done = subprocess.run(
            [sys.executable if words[0] == "python" else words[0], *words[1:]],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == code, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done.stdout

    def edit(self, name: str, change: Callable[[str], str]) -> None:
        """Changes a file of the tree, which must become another."""
        path = self.tree / name
        before = path.read_text(encoding="utf-8")
        after = change(before)
        assert after != before, f"{name}: nothing to change"
        path.write_text(after, encoding="utf-8")

    def edit_json(self, name: str, change: Callable[[Any], None]) -> None:
        """Changes the data of a JSON file."""

        def changed(text: str) -> str:
            data = json.loads(text)
            change(data)
            return json.dumps(data, indent=1, ensure_ascii=False) + "\n"

        self.edit(name, changed)

    def copy(self, source: str, target: str, change: Callable[[str], str] = str) -> None:
        """A new file after the model of another."""
        path = self.tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change((self.tree / source).read_text("utf-8")), encoding="utf-8")


def renamed(text: str) -> str:
    """A sister's page under the new engine's name."""
    for old, new in (("sglang_jax", TOY), ("sglang-jax", TOY), ("sgl-jax", TOY), ("sgl_jax", TOY)):
        text = text.replace(old, new)
    return text.replace(f'["{TOY}", "{TOY}", "{TOY}"]', f'["{TOY}"]')


def source_of(flags: dict[str, Any]) -> str:
    """A made-up release: a module whose parser takes these flags."""
    lines = ["import argparse", "import json", "class ServerArgs:", "    @staticmethod"]
    lines.append("    def add_cli_args(parser):")
    kinds = {"int": "int", "float": "float", "str": "str", "json": "json.loads"}
    for name, record in flags.items():
        options = [repr(spelling) for spelling in (name, *record.get("aliases", []))]
        if record["type"] == "bool":
            action = "store_false" if record.get("value") is False else "store_true"
            options.append(f"action={action!r}")
        elif record.get("nargs"):
            options.append(f"nargs={record['nargs']!r}")
        kind = kinds.get(record.get("item", record["type"]))
        options += [f"type={kind}"] if kind else []
        for key in ("choices", "default", "required"):
            if key in record and not (key == "default" and record["type"] == "bool"):
                options.append(f"{key}={record[key]!r}")
        lines.append(f"        parser.add_argument({', '.join(options)})")
    return "\n".join(lines) + "\n"


def put_release(desk: Desk, engine: str, root: str, version: str, source: str) -> None:
    """A release as the extractor keeps it after downloading."""
    folder = desk.cache / engine / version
    module = folder / root / "srt" / "server_args.py"
    module.parent.mkdir(parents=True)
    for package in (module.parent, module.parent.parent):
        (package / "__init__.py").touch()
    module.write_text(source, encoding="utf-8")
    artifact = {"artifact": f"{engine}-{version}.tar.gz", "sha256": "0" * 64, "date": "2026-12-01"}
    (folder / ".artifact.json").write_text(json.dumps({**artifact, "files": 3}), encoding="utf-8")


def flags_at(version: str) -> dict[str, Any]:
    """The model's flags in a release."""
    sys.path.insert(0, str(ROOT / "extractors"))
    try:
        from extract_surface import merge, output
    finally:
        del sys.path[0]
    document = output.load(ROOT / "cpp" / "catalog", MODEL)
    assert document is not None
    return dict(merge.flags_at(document, version))


def preset_row(desk: Desk) -> None:
    def add(data: Any) -> None:
        place = next(i for i, row in enumerate(data["presets"]) if row["id"] == "kv-cache-fp8")
        row = json.loads(json.dumps(data["presets"][place]))
        row["id"] = NEW_PRESET
        row["config"]["kvcache_dtype"] = "fp8_e4m3"
        data["presets"].insert(place + 1, row)

    desk.edit_json("cpp/catalog/presets.json", add)


def preset_tests(desk: Desk) -> None:
    def add(data: Any) -> None:
        for case in [case for case in data["cases"] if case["id"].startswith("args-kv-cache-fp8-")]:
            text = json.dumps(case).replace("kv-cache-fp8", NEW_PRESET)
            data["cases"].append(json.loads(text.replace("fp8_e5m2", "fp8_e4m3")))

    desk.edit_json("tests/golden/presets.json", add)

    def expect(text: str) -> str:
        old = '    "kv-cache-fp8": ("auto", "fp8_e5m2", "auto", "auto"),\n'
        new = f'    "{NEW_PRESET}": ("auto", "fp8_e4m3", "auto", "auto"),\n'
        return text.replace(old, old + new).replace("len(presets) == 10", "len(presets) == 11")

    desk.edit("tests/python/test_presets.py", expect)


def release_in_cache(desk: Desk) -> None:
    flags = {**flags_at(NEWEST), "--brand-new": {"type": "int", "default": 1}}
    put_release(desk, MODEL, "sgl_jax", NEW_VERSION, source_of(flags))


def release_verified(desk: Desk) -> None:
    name = f"cpp/catalog/engines/{MODEL}/checked.json"
    desk.edit_json(name, lambda data: data.update(verified_through=NEW_VERSION))


def release_golden(desk: Desk) -> None:
    def add(data: Any) -> None:
        old = [case for case in data["cases"] if case["call"].get("engine_version") == NEWEST]
        for case in old:
            text = json.dumps(case).replace(f'"{NEWEST}', f'"{NEW_VERSION}')
            data["cases"].append(json.loads(text))
        assert old

    desk.edit_json(f"tests/golden/checked_{MODEL}.json", add)


def engine_listed(desk: Desk) -> None:
    desk.edit_json("cpp/catalog/engines.json", lambda data: data["order"].append(TOY))


def engine_mapping(desk: Desk) -> None:
    desk.copy("examples/engine/mapping.json", f"cpp/catalog/engines/{TOY}/mapping.json")


def engine_releases(desk: Desk) -> None:
    entry = (
        f'        Engine("{TOY}", "{TOY}", "{TOY}", "0.0.1", (*_RELEASED, "pre"),\n'
        f'               read_server_args("{TOY}.srt.server_args")),\n    )\n'
    )
    desk.edit("extractors/extract_surface/engines.py", lambda text: text.replace("    )\n", entry))
    source = (desk.tree / "examples" / "engine" / "server_args.py").read_text(encoding="utf-8")
    put_release(desk, TOY, TOY, TOY_VERSION, source)
    desk.run(f"extract_surface --engine {TOY} --offline")
    desk.copy("examples/engine/checked.json", f"cpp/catalog/engines/{TOY}/checked.json")


def engine_member(desk: Desk) -> None:
    old = f'    SGLANG_JAX = "{MODEL}"\n'
    desk.edit(
        "python/quantmap/documented.py", lambda text: text.replace(old, f'{old}    TOY = "{TOY}"\n')
    )


def engine_golden(desk: Desk) -> None:
    outcomes = {"gemm_dtype": "applied", "kvcache_dtype": "applied"}
    outcomes |= {"attention_dtype": "dropped", "moe_dtype": "applied"}
    call = {"function": "explain", "runtime": TOY, "engine_version": TOY_VERSION}
    fields = {"gemm_dtype": "bfloat16", "kvcache_dtype": "int8", "attention_dtype": "fp8"}
    args = [["--dtype", "bfloat16"], ["--quant-policy", "8"]]
    expect = {"args": args, "env": {}, "files": {}, "outcomes": outcomes}
    case = {"id": "policy-8", "evidence": ["toy-0.1.0.tar.gz toy/srt/server_args.py"]}
    case |= {"call": {**call, "quant_config": fields}, "expect": expect}
    target = desk.tree / "tests" / "golden" / f"checked_{TOY}.json"
    target.write_text(json.dumps({"cases": [case]}), encoding="utf-8")


def engine_page(desk: Desk) -> None:
    def change(text: str) -> str:
        text = re.sub(
            r"^```(?:console|python)\n.*?^```\n", "", text, flags=re.DOTALL | re.MULTILINE
        )
        return renamed(text)

    desk.copy(f"docs/engines/{MODEL}.md", f"docs/engines/{TOY}.md", change)
    desk.edit("docs/index.md", lambda text: f"{text}\n[{TOY}](engines/{TOY}.md)\n")


def gpu_row(desk: Desk) -> None:
    memory = [{"gb": 200, "reported_mib": 200000}, {"gb": 100}]
    row = {"id": "b999", "name": "B999", "capability": 100, "names": ["b999"], "memory": memory}

    def add(data: Any) -> None:
        place = sum(item["capability"] <= row["capability"] for item in data["products"])
        data["products"].insert(place, {**row, "evidence": ["https://example.org/b999"]})

    desk.edit_json("cpp/catalog/hardware.json", add)


def gpu_memory(desk: Desk) -> None:
    seen = {"product": "b999", "gb": 200, "mib": 199500}
    desk.edit_json("cpp/catalog/memory.json", lambda data: data["products"].append(seen))


def gpu_name(desk: Desk) -> None:
    new = '    "NVIDIA B999 200GB HBM3e": ("b999", "10.0", 200),\n'
    desk.edit(
        "tests/python/test_hardware.py",
        lambda text: text.replace("NAMES = {\n", "NAMES = {\n" + new, 1),
    )


def format_kind(desk: Desk) -> None:
    fill = {"weight_bits": "4", "weight_type": "int", "group_size": "64", "activation_bits": "16"}
    row = {"when": {"method": ["toyquant"]}, "kind": "other", "fill": fill}
    desk.edit_json("cpp/catalog/detection.json", lambda data: data["formats"].insert(0, row))


def format_engines(desk: Desk) -> None:
    def add(data: Any) -> None:
        for engine in data["engines"]:
            if engine["engine"] == "vllm":
                row = {"when": {"method": ["toyquant"]}, "as": "toyquant", "why": "as a plugin"}
                engine["rows"].insert(0, row)

    desk.edit_json("cpp/catalog/detection.json", add)


def format_names(desk: Desk) -> None:
    word = {"word": "toyq", "method": "toyquant"}
    desk.edit_json("cpp/catalog/detection.json", lambda data: data["names"]["words"].append(word))


def format_golden(desk: Desk) -> None:
    new = (
        '    ({"quantization_config": {"quant_method": "toyquant"}}, '
        '("toyquant", REFUSED, REFUSED, None)),\n'
    )
    old = "GOLDEN: list[tuple[dict[str, Any], tuple[str | None, ...]]] = [\n"
    desk.edit(
        "tests/python/test_checkpoint_detection.py", lambda text: text.replace(old, old + new, 1)
    )


def fault_case(desk: Desk) -> None:
    """A case that the rows have fulfilled all along stands for one that they do not."""

    def add(data: Any) -> None:
        case = json.loads(json.dumps(data["cases"][0]))
        data["cases"].append({**case, "id": "the-fault"})

    desk.edit_json("tests/golden/four_field_vllm.json", add)


def reads_only(_: Desk) -> None:
    """A step in which a person reads, or that does not apply to the example."""


HANDS: dict[tuple[str, int], Callable[[Desk], None]] = {
    (PRESET, 1): preset_row,
    (PRESET, 4): preset_tests,
    (RELEASE, 1): release_in_cache,
    (RELEASE, 2): reads_only,
    (RELEASE, 3): release_verified,
    (RELEASE, 7): release_golden,
    (ENGINE, 1): engine_listed,
    (ENGINE, 2): engine_mapping,
    (ENGINE, 3): reads_only,
    (ENGINE, 4): engine_releases,
    (ENGINE, 5): engine_member,
    (ENGINE, 7): engine_golden,
    (ENGINE, 8): engine_page,
    (GPU, 1): gpu_row,
    (GPU, 2): gpu_memory,
    (GPU, 5): gpu_name,
    (FORMAT, 1): format_kind,
    (FORMAT, 2): format_engines,
    (FORMAT, 3): format_names,
    (FORMAT, 6): format_golden,
    (FAULT, 1): fault_case,
}
