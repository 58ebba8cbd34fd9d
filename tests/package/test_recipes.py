"""The recipes of docs/contributing.md, followed step by step on a copy of the tree.

A preset, a release, an engine, a GPU and a checkpoint format that do not exist are added to one
copy, which is built once. The commands are taken from the page and run; what a person does in a
step is a function of `recipe_hands`, and a step of the page that has neither fails the test.
"""

from __future__ import annotations

import json
import re
import shlex

import pytest

pytest.importorskip("scikit_build_core")
from tests.package.recipe_hands import (
    HANDS,
    MODEL,
    NEW_PRESET,
    NEW_VERSION,
    NEWEST,
    RECIPES,
    ROOT,
    TOY,
    TOY_VERSION,
    Desk,
    reads_only,
)

pytestmark = pytest.mark.xdist_group("recipes")  # one worker makes the copy

COMMAND = re.compile(r"`((?:python |pip |cmake |extract_surface |scripts/test)[^`]*)`")
# What the page's example names, and what stands for it here.
MEANT = {
    "add vllm 0.34.0": f"add {MODEL} {NEW_VERSION} --offline",
    "diff vllm 0.33.0 0.34.0": f"diff {MODEL} {NEWEST} {NEW_VERSION}",
    "-k args-kv-cache-fp8-vllm": "-k the-fault",
}
NOT_HERE = {
    'pip install ".[test]"': "the fixture builds, once for all recipes",
    "scripts/test": "it runs this test",
    "cmake --workflow --preset dev": "the C++ tests take minutes, and count every outcome",
    "cmake --preset dev": "likewise",
    "cmake --build --preset dev": "likewise",
    "cmake --build --preset dev -t room_mapping": "likewise",
    "python extractors/extract_classes": "it reads every release, which it would download",
    "python extractors/extract_messages": "likewise",
    "python docs/generate.py write": "the fixture runs it, once for all recipes",
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


def installing(title: str) -> int:
    """The first step that needs the package as the recipe has made it."""
    needed = ("`pip install ", "`python -m pytest ")
    return next(n for n, text in recipe(title).items() if any(word in text for word in needed))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """The copy with all recipes followed to their end."""
    found = Desk(tmp_path_factory.mktemp("recipes"))
    for title in RECIPES:
        follow(found, title, range(1, installing(title)))
    found.run(
        "python -m pip install -q --no-build-isolation --no-deps --disable-pip-version-check "
        f"--target {shlex.quote(str(found.installed))} ."
    )
    for title in RECIPES:
        follow(found, title, range(installing(title), 100))
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
    words = f"--runtime {TOY}@{TOY_VERSION} --set kvcache_dtype=int8 --set moe_dtype=fp8"
    found = json.loads(desk.run(f"python -m quantmap explain {words} --gpu H100 --json"))
    assert found["engine"] == TOY and found["args"] == {"--quant-policy": "8"}
    assert found["precision"]["kv"] == "INT8 storage"
    old = json.loads(desk.run(f"python -m quantmap explain {words} --gpu V100 --json"))
    assert old["args"] == {}, "the rule of the example"
    line = "'python3 -m toy.srt.server --model-path m --quant-policy 3'"
    done = json.loads(desk.run(f"python -m quantmap check --json {line}", code=1))
    assert [item["verdict"] for item in done["verdicts"] if item["argument"] == "--quant-policy"]
    page = (desk.tree / "docs" / "engines" / f"{TOY}.md").read_text(encoding="utf-8")
    assert "generated: toy-matrix" in page and "`fp8`" in page


def test_the_gpu_works(desk: Desk) -> None:
    words = "--runtime vllm@0.33.0 --gpu B999 --preset kv-cache-fp8 --json"
    new = json.loads(desk.run(f"python -m quantmap explain {words}"))
    known = json.loads(desk.run(f"python -m quantmap explain {words.replace('B999', 'B200')}"))
    assert new["gpu"] == known["gpu"] and new["args"] == known["args"]
    assert "B999" in (desk.tree / "docs" / "hardware.md").read_text(encoding="utf-8")


def test_the_format_works(desk: Desk) -> None:
    (desk.tree / "toy.json").write_text('{"quantization_config": {"quant_method": "toyquant"}}')
    printed = json.loads(desk.run("python -m quantmap inspect toy.json --json"))
    assert printed["quantization"]["kind"] == "other"
    named = json.loads(desk.run("python -m quantmap inspect someone/Llama-toyq --json"))
    assert named["quantization"]["method"] == "toyquant"


def test_the_table_of_rooms_is_whole() -> None:
    page = (ROOT / "docs" / "contributing.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [^|]+ \| `([a-z]+)` \| ([^|]+) \| ([^|]+) \|$", page, re.MULTILINE)
    rooms = {path.name for path in (ROOT / "cpp" / "src").iterdir() if path.is_dir()}
    assert {room for room, _, _ in rows} == rooms
    for _, cpp, python in rows:
        for name in re.findall(r"`(\w+)`", cpp):
            assert (ROOT / "tests" / "cpp" / f"{name}.cpp").is_file(), name
        for name in re.findall(r"`(\w+)`", python):
            assert (ROOT / "tests" / "python" / f"{name}.py").is_file(), name
    test = re.search(r'quantmap_tests -tc="(.+?)\*?"', page)
    sources = (path.read_text("utf-8") for path in (ROOT / "tests" / "cpp").glob("test_*.cpp"))
    assert test and any(f'TEST_CASE("{test[1]}' in source for source in sources)


def test_the_tests_that_the_recipes_name_pass(desk: Desk) -> None:
    names = ("test_presets", "test_golden", "test_checked_golden", "test_hardware")
    names = (*names, "test_checkpoint_detection")
    files = " ".join(f"tests/python/{name}.py" for name in names)
    printed = desk.run(f"python -m pytest -q -p no:cacheprovider {files}")
    assert "passed" in printed
