"""The page in a browser, for the tests of the page.

`scripts/test-page` builds the page, brings what the tests need and runs them. Elsewhere what is
missing skips them, and says so.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quantmap

from tests.python.page_answers import ROOT, SHAPE

playwright = pytest.importorskip(
    "playwright.sync_api", reason="no playwright to drive a browser: scripts/test-page brings it"
)

PAGE = Path(quantmap.__file__).parent / "page" / "quantmap.html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(os.environ.get("QUANTMAP_AXE", ROOT / "build/page/node_modules/axe-core/axe.min.js"))
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
KNOWN = "Qwen/Qwen3-235B-A22B"

__all__ = ["ROOT", "SHAPE", "browser", "seen"]
MARKS = [
    pytest.mark.skipif(not PAGE.exists(), reason="the page was not built: scripts/test-page does"),
    pytest.mark.skipif(BROWSER is None, reason="no Chromium: scripts/test-page installs it"),
]


def patience() -> float:
    """How much longer things may take than on a quiet machine: as much as this one is busier."""
    return max(1.0, 2 * os.getloadavg()[0] / (os.cpu_count() or 1))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


def page_at(page: Any, fragment: str, file: Path = PAGE) -> None:
    """Load the page anew at an address, until its first answer is there."""
    page.goto("about:blank")
    page.goto(file.as_uri() + fragment)
    page.wait_for_selector("html[data-ready]")


class Seen:
    """A page, and what it said and asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        self.opened: set[str] = set()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, fragment: str = "", page: Path = PAGE) -> Any:
        self.opened.add(page.as_uri())
        page_at(self.page, fragment, page)
        return self.page


@pytest.fixture
def seen(browser: Any) -> Iterator[Seen]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = Seen(context.new_page())
    yield found
    context.close()
    assert not found.problems, found.problems
    assert all(url.startswith(("file://", "about:", "blob:")) for url in found.requests)
    files = {url.partition("#")[0] for url in found.requests if url.startswith("file")}
    assert files <= found.opened


def measured(folder: Path, name: str = "a task") -> tuple[dict[str, Any], Path]:
    """A task, and the ledger of its four experiments."""
    from quantmap.ledger import Ledger

    task = {
        "task_name": name, "base_runtime": "vllm@0.11.0", "slo": {"ttft": {"threshold": 1}},
        "quant_config": {"kvcache_dtype": ["auto", "fp8"]}, "parameters": {"max-num-seqs": [1, 2]},
    }  # fmt: skip
    plan = quantmap.plan(task)
    ledger = Ledger(folder / "a.jsonl")
    for one, (tokens, seconds) in zip(plan, [(10, 0.5), (20, 2), (15, 0.4)]):
        ledger.record(one.signature, "success", metrics={"throughput": tokens, "ttft": seconds})
    ledger.record(plan[3].signature, "failed", reason=name, metrics={name: 3})
    return task, folder / "a.jsonl"


def some_results(folder: Path) -> Path:
    """What the command writes of them."""
    task, ledger = measured(folder)
    data = quantmap.plan(task).results(ledger).to_dict()
    (folder / "some.json").write_text(json.dumps(data))
    return folder / "some.json"
