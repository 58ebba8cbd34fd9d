"""The recipes of docs/contributing.md, followed step by step on a copy of the tree.

A preset, a release and an engine that do not exist are added to one copy, which is built once. The
commands are taken from the page and run; what a person does in a step is a function here, and a
step of the page that has neither fails the test.
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

import pytest

pytest.importorskip("scikit_build_core")
pytestmark = pytest.mark.xdist_group("recipes")  # one worker makes the copy

ROOT = Path(__file__).resolve().parents[2]
IGNORED = shutil.ignore_patterns(
    ".git", ".venv*", ".ci-venv", "build", "dist", "__pycache__", ".*_cache", "*.so"
)
COMMAND = re.compile(r"`((?:python |pip |cmake |extract_surface |scripts/test)[^`]*)`")
PRESET, RELEASE, ENGINE = "Add a preset", "Add an engine release", "Add an engine"
MODEL, TOY = "sglang_jax", "toy"  # the engine that gets a release, and serves as a model
NEW_PRESET, NEW_VERSION = "kv-cache-e4m3", "0.2.0"
NEWEST = json.loads((ROOT / f"cpp/catalog/engines/{MODEL}/surface.json").read_text("utf-8"))[
    "releases"
][-1]["version"]
# What the page's example names, and what stands for it here.
MEANT = {
    "add vllm 0.34.0": f"add {MODEL} {NEW_VERSION} --offline",
    "diff vllm 0.33.0 0.34.0": f"diff {MODEL} {NEWEST} {NEW_VERSION}",
}
NOT_HERE = {
    'pip install ".[test]"': "the fixture builds, once for all recipes",
    "scripts/test": "it runs this test",
    "cmake --workflow --preset dev": "the C++ tests take minutes, and count every outcome",
    "python docs/generate.py write": "the fixture runs it, once for all recipes",
}


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

    def run(self, command: str) -> str:
        """Runs a command in the tree; `python` is this one."""
        words = shlex.split(command)
        if words[0] == "extract_surface":
            words = ["python", f"cpp/tools/{words[0]}", *words[1:]]
        done = subprocess.run(
            [sys.executable if words[0] == "python" else words[0], *words[1:]],
            cwd=self.tree,
            env=self.environment,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
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

    def copy(self, source: str, target: str, change: Callable[[str], str]) -> None:
        """A new file after the model of another."""
        path = self.tree / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change((self.tree / source).read_text("utf-8")), encoding="utf-8")


def renamed(text: str) -> str:
    """The model's files under the new engine's name."""
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


def put_release(desk: Desk, engine: str, root: str, version: str, flags: dict[str, Any]) -> None:
    """A release as the extractor keeps it after downloading."""
    folder = desk.cache / engine / version
    module = folder / root / "srt" / "server_args.py"
    module.parent.mkdir(parents=True)
    for package in (module.parent, module.parent.parent):
        (package / "__init__.py").touch()
    module.write_text(source_of(flags), encoding="utf-8")
    artifact = {"artifact": f"{engine}-{version}.tar.gz", "sha256": "0" * 64, "date": "2026-12-01"}
    (folder / ".artifact.json").write_text(json.dumps({**artifact, "files": 3}), encoding="utf-8")


def flags_at(version: str) -> dict[str, Any]:
    """The model's flags in a release."""
    sys.path.insert(0, str(ROOT / "cpp" / "tools"))
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
    put_release(desk, MODEL, "sgl_jax", NEW_VERSION, flags)


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
    folder = "cpp/catalog/engines"
    desk.copy(f"{folder}/{MODEL}/mapping.json", f"{folder}/{TOY}/mapping.json", renamed)


def engine_releases(desk: Desk) -> None:
    entry = (
        f'        Engine("{TOY}", "{TOY}", "{TOY}", "0.0.1", (*_RELEASED, "pre"),\n'
        f'               read_server_args("{TOY}.srt.server_args")),\n    )\n'
    )
    desk.edit("cpp/tools/extract_surface/engines.py", lambda text: text.replace("    )\n", entry))
    surface = json.loads((ROOT / f"cpp/catalog/engines/{MODEL}/surface.json").read_text("utf-8"))
    for release in surface["releases"]:
        put_release(desk, TOY, TOY, release["version"], flags_at(release["version"]))
    desk.run(f"extract_surface --engine {TOY} --offline")
    folder = "cpp/catalog/engines"
    desk.copy(f"{folder}/{MODEL}/checked.json", f"{folder}/{TOY}/checked.json", renamed)
    desk.edit_json(
        f"{folder}/{TOY}/checked.json", lambda data: data.update(verified_through=NEWEST)
    )


def engine_member(desk: Desk) -> None:
    old = f'    SGLANG_JAX = "{MODEL}"\n'
    desk.edit(
        "python/quantmap/documented.py", lambda text: text.replace(old, f'{old}    TOY = "{TOY}"\n')
    )


def engine_golden(desk: Desk) -> None:
    source = ROOT / "tests" / "golden" / f"checked_{MODEL}.json"  # before the release was added
    target = desk.tree / "tests" / "golden" / f"checked_{TOY}.json"
    target.write_text(renamed(source.read_text(encoding="utf-8")), encoding="utf-8")


def engine_page(desk: Desk) -> None:
    def change(text: str) -> str:
        text = re.sub(
            r"^```(?:console|python)\n.*?^```\n", "", text, flags=re.DOTALL | re.MULTILINE
        )
        return renamed(text)

    desk.copy(f"docs/engines/{MODEL}.md", f"docs/engines/{TOY}.md", change)
    desk.edit("docs/index.md", lambda text: f"{text}\n[{TOY}](engines/{TOY}.md)\n")


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
}


def recipe(title: str) -> dict[int, str]:
    """The numbered steps of a recipe."""
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    part = re.split(r"^## ", page.partition(f"## {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    found = re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |^$|\Z)", part, re.DOTALL | re.MULTILINE)
    return {int(number): " ".join(text.split()) for number, text in found}


def follow(desk: Desk, title: str, numbers: range) -> None:
    """Does the steps with these numbers."""
    steps = recipe(title)
    for number in numbers:
        if number not in steps:
            continue
        commands = COMMAND.findall(steps[number])
        hand = HANDS.get((title, number))
        assert hand or commands, f"{title}, step {number}: nobody does it"
        if hand:
            hand(desk)
        for command in commands:
            if command not in NOT_HERE:
                for example, meant in MEANT.items():
                    command = command.replace(example, meant)
                desk.run(command)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The copy with all three recipes followed to their end."""
    found = Desk(tmp_path_factory.mktemp("recipes"))
    for title in (PRESET, RELEASE, ENGINE):
        installs = next(n for n, text in recipe(title).items() if "`pip install " in text)
        follow(found, title, range(1, installs))
    found.run(
        "python -m pip install -q --no-build-isolation --no-deps --disable-pip-version-check "
        f"--target {shlex.quote(str(found.installed))} ."
    )
    for title in (PRESET, RELEASE, ENGINE):
        installs = next(n for n, text in recipe(title).items() if "`pip install " in text)
        follow(found, title, range(installs, 100))
    found.run("python docs/generate.py write")
    return found


def test_every_hand_has_its_step() -> None:
    for (title, number), hand in HANDS.items():
        text = recipe(title)[number]
        assert hand is reads_only or "`" in text, f"{title}, step {number}"


def test_the_preset_works(desk: Desk) -> None:
    printed = desk.run(f"python -m quantmap map --runtime vllm --preset {NEW_PRESET} --argv")
    assert json.loads(printed) == ["--dtype", "auto", "--kv-cache-dtype", "fp8_e4m3"]
    assert f"`{NEW_PRESET}`" in (desk.tree / "docs" / "presets.md").read_text(encoding="utf-8")


def test_the_release_works(desk: Desk) -> None:
    line = f"--engine-version {NEW_VERSION} --json"
    check = "python -m quantmap check"
    server = "'python3 -u -m sgl_jax.launch_server --model-path m --brand-new 2'"
    found = json.loads(desk.run(f"{check} {line} {server}"))
    assert {item["verdict"] for item in found["verdicts"]} == {"accepted"}
    assert NEW_VERSION in (desk.tree / "docs" / "checked-mode.md").read_text(encoding="utf-8")


def test_the_engine_works(desk: Desk) -> None:
    def mapping(engine: str) -> dict[str, Any]:
        words = f"--runtime {engine}@{NEWEST} --set gemm_dtype=fp8 --set moe_dtype=int8 --json"
        answer: dict[str, Any] = json.loads(desk.run(f"python -m quantmap explain {words}"))
        return answer

    toy, model = mapping(TOY), mapping(MODEL)
    assert toy["engine"] == TOY and toy["args"] and toy["files"]
    for key in ("args", "files", "precision"):
        assert toy[key] == model[key]
    page = (desk.tree / "docs" / "engines" / f"{TOY}.md").read_text(encoding="utf-8")
    assert "generated: toy-matrix" in page and "`fp8`" in page


def test_the_tests_that_the_recipes_name_pass(desk: Desk) -> None:
    names = ("test_presets", "test_golden", "test_checked_golden")
    files = " ".join(f"tests/python/{name}.py" for name in names)
    printed = desk.run(f"python -m pytest -q -p no:cacheprovider {files}")
    assert "passed" in printed
