"""The README and docs/: tables are up to date, examples run and print what the pages say."""

from __future__ import annotations

import ast
import doctest
import importlib.util
import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
CURE = "run:  python docs/generate.py write"


def load(name: str) -> ModuleType:
    """A module of docs/, which is not a package."""
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


blocks = load("_blocks")
PAGES = blocks.pages()
COMMANDS = [
    pytest.param(command, printed, id=f"{page.name}:{block.line}:{command}")
    for page in PAGES
    for block in blocks.blocks(page.read_text(encoding="utf-8"), "console")
    for command, printed in blocks.commands(block)
]


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    found = set()
    for line in FENCED.sub("", page.read_text(encoding="utf-8")).splitlines():
        if line.startswith("#"):
            text = re.sub(r"[^\w\- ]", "", line.lstrip("#").strip().lower())
            found.add(text.replace(" ", "-"))
    return found


def test_generated_parts_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, "docs/generate.py", "check"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**blocks.environment(), "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{CURE}"


def test_the_generator_notices_a_stale_page_an_unknown_and_an_open_region() -> None:
    generate = load_generate()
    page = ROOT / "docs" / "index.md"
    text = "<!-- generated: engines -->\nold\n<!-- end generated -->\n"
    used: set[str] = set()
    assert "tensorrt_llm" in generate.regenerate(text, page, used)
    assert used == {"engines"}
    with pytest.raises(generate.PageError, match="no region 'engine'"):
        generate.regenerate(text.replace("engines", "engine"), page, used)
    with pytest.raises(generate.PageError, match="not closed"):
        generate.regenerate("<!-- generated: engines -->\nold\n", page, used)


def test_neighbouring_releases_with_the_same_answer_are_one_stretch() -> None:
    load_generate()
    checked = sys.modules["_checked"]
    known = checked.releases("vllm")
    answers = dict.fromkeys(known, "a") | {known[3]: "b", known[4]: "b"}
    found = checked.stretches("vllm", answers.__getitem__)
    assert found == [
        (known[0], known[2], "a"),
        (known[3], known[4], "b"),
        (known[5], known[-1], "a"),
    ]
    words = [checked.span("vllm", first, last) for first, last, _ in found]
    assert words == [
        f"{known[0]} to {known[2]}",
        f"{known[3]} to {known[4]}",
        f"from {known[5]}",
    ]
    assert checked.span("vllm", known[0], known[-1]) == "all"
    assert checked.span("vllm", known[-1], known[-1]) == known[-1]
    assert checked.span("vllm", known[1], known[1]) == known[1]


def test_every_engine_has_a_page_that_shows_all_its_tables() -> None:
    from quantmap import _core

    for engine in _core.engines():
        text = (ROOT / "docs" / "engines" / f"{engine['id']}.md").read_text(encoding="utf-8")
        for name in ("releases", "matrix", "presets", "precision", "checkpoints"):
            region = f"{engine['id'].replace('_', '-')}-{name}"
            assert f"<!-- generated: {region} -->" in text


def load_generate() -> Any:
    before = list(sys.path)
    try:
        return load("generate")
    finally:
        sys.path[:] = before


@pytest.fixture
def as_before() -> Iterator[None]:
    """An example may set the level of the logger: it is set back."""
    logger = logging.getLogger("quantmap")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.mark.usefixtures("as_before")
@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_python_blocks_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    parser = doctest.DocTestParser()
    for block in blocks.blocks(page.read_text(encoding="utf-8"), "python"):
        where = f"{page_name(page)}:{block.line}"
        if ">>>" not in block.text:
            exec(compile(ast.parse(block.text), where, "exec"), namespace)
            continue
        test = parser.get_doctest(block.text, namespace, where, str(page), block.line - 1)
        report: list[str] = []
        runner = doctest.DocTestRunner()
        runner.run(test, out=report.append, clear_globs=False)
        assert runner.summarize(verbose=False).failed == 0, "".join(report)
        namespace = test.globs


@pytest.mark.parametrize(("command", "printed"), COMMANDS)
def test_commands_print_what_the_pages_say(command: str, printed: str) -> None:
    assert blocks.run(command).strip() == printed.strip(), CURE


# Shell blocks that another test runs; all others are run here.
RUN_ELSEWHERE = {
    "README.md": "tests/package/new_user.py",
    "docs/quickstart.md": "tests/package/new_user.py",
    "docs/cpp-api.md": "tests/package/test_build.py",
    "docs/experiments.md": "tests/python/test_pytest_plugin.py",
}


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_shell_blocks_run(page: Path) -> None:
    found = blocks.blocks(page.read_text(encoding="utf-8"), "sh")
    elsewhere = RUN_ELSEWHERE.get(page_name(page))
    if elsewhere is not None:
        reader = (ROOT / elsewhere).read_text(encoding="utf-8")
        assert found and page.name in reader, f"{elsewhere} does not read the page"
        return
    for block in found:
        done = subprocess.run(
            ["bash", "-euc", block.text],
            cwd=ROOT,
            capture_output=True,
            text=True,
            env=blocks.environment(),
            check=False,
        )
        assert done.returncode == 0, f"{page_name(page)}:{block.line}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_links_lead_somewhere(page: Path) -> None:
    for match in LINK.finditer(FENCED.sub("", page.read_text(encoding="utf-8"))):
        target = match["target"]
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), f"{page_name(page)}: {target}"
        if anchor:
            assert anchor in anchors(other), f"{page_name(page)}: {target}"


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    for page in (ROOT / "docs").rglob("*.md"):
        name = page.relative_to(ROOT / "docs").as_posix()
        assert name == "index.md" or f"]({name})" in index, name


def test_every_option_of_the_command_is_described() -> None:
    click = pytest.importorskip("click")
    from quantmap.cli.app import app

    context = click.Context(app)
    text = (ROOT / "docs" / "command-line.md").read_text(encoding="utf-8")
    for name in app.list_commands(context):
        assert f"## quantmap {name}" in text
        command = app.get_command(context, name)
        assert command is not None
        for option in (word for parameter in command.params for word in parameter.opts):
            assert not option.startswith("--") or f"`{option}" in text, option
