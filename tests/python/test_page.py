"""The page in a real browser: Python's answers, by keyboard, at any width; nothing gets in or out.

Needs what `scripts/page` wrote, Chromium and playwright (the extra `page`); skipped without them.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap import _core

playwright = pytest.importorskip("playwright.sync_api")

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(quantmap.__file__).parent / "page" / "quantmap.html"
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(os.environ.get("QUANTMAP_AXE", ROOT / "build/page/node_modules/axe-core/axe.min.js"))
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
SHAPE = json.loads((ROOT / "examples" / "llama_3_70b.json").read_text(encoding="utf-8"))

pytestmark = [
    pytest.mark.skipif(not PAGE.exists(), reason="the page was not built: scripts/page"),
    pytest.mark.skipif(BROWSER is None, reason="no chromium"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        yield opened
        opened.close()


class Seen:
    """A page, and what it said and asked for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.problems: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("request", lambda request: self.requests.append(request.url))

    def open(self, fragment: str = "") -> Any:
        self.page.goto("about:blank")
        self.page.goto(PAGE.as_uri() + fragment)
        self.page.wait_for_selector("html[data-ready]")
        return self.page


@pytest.fixture
def seen(browser: Any) -> Iterator[Seen]:
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    found = Seen(context.new_page())
    yield found
    context.close()
    assert found.problems == []
    assert all(url.startswith(("file://", "about:", "blob:")) for url in found.requests)
    assert len({url.partition("#")[0] for url in found.requests if url[:4] == "file"}) == 1


def questions(count: int) -> list[dict[str, Any]]:
    """Deployments from all over the catalogue."""
    rng = random.Random(11)
    engines = [engine["id"] for engine in _core.engines()]
    releases = {engine: [row["version"] for row in _core.releases(engine)] for engine in engines}
    fields = [field for field in _core.fields() if not field["section"]]
    fields = [field for field in fields if field["form"] == _core.presets()[0]["form"]]
    gpus = [None, *(product["name"] for product in _core.gpu_products())]
    out = []
    for _ in range(count):
        engine = rng.choice(engines)
        config: dict[str, Any] = {}
        if rng.random() < 0.3:
            config["preset"] = rng.choice(_core.presets())["id"]
        else:
            for field in fields:
                if rng.random() < 0.6:
                    config[field["key"]] = rng.choice(field["options"])
        asked = {
            "runtime": engine,
            "engine_version": rng.choice(releases[engine]),
            "quant_config": config,
        }
        gpu = rng.choice(gpus)
        if gpu is not None:
            asked["gpu"] = gpu
        if rng.random() < 0.3:
            asked["checkpoint"] = SHAPE
        out.append(asked)
    return out


def test_the_answers_are_pythons(seen: Seen) -> None:
    page = seen.open()
    asked = questions(2000)
    answers = page.evaluate("(all) => all.map((one) => ask('explain', one))", asked)
    for question, answer in zip(asked, answers):
        given = dict(question)
        runtime, config = given.pop("runtime"), given.pop("quant_config")
        try:
            mapping = quantmap.explain(runtime, config, **given)
        except quantmap.ConfigError as error:
            told = [item["message"] for item in answer["errors"] if item["severity"] == "error"]
            assert told == [item.message for item in error.diagnostics], question
            continue
        found = answer["answer"]
        assert (found["args"], found["env"], found["files"]) == (
            mapping.args,
            mapping.env,
            mapping.files,
        )
        assert found["precision"] == mapping.precision
        assert [(one["field"], one["outcome"], one["sentence"]) for one in found["decisions"]] == [
            (one.field, one.outcome, one.sentence) for one in mapping.decisions
        ]
        assert [item["message"] for item in found["diagnostics"]] == [
            item.message for item in mapping.diagnostics
        ]
        if not mapping.files:
            assert found["line"] == mapping.shell("MODEL")


def test_memory_and_checks_are_pythons(seen: Seen) -> None:
    page = seen.open()
    for gpu, tp in (("H100", 2), ("A100", 8), ("L4", 1)):
        question = {
            "runtime": "vllm",
            "gpu": gpu,
            "tp": tp,
            "checkpoint": SHAPE,
            "quant_config": {"kvcache_dtype": "fp8"},
        }
        found = page.evaluate("(one) => ask('fit', one)", question)["answer"]
        fit = quantmap.estimate(SHAPE, {"kvcache_dtype": "fp8"}, engine="vllm", gpu=gpu, tp=tp)
        for name in (
            "weight_bytes",
            "kv_budget_bytes",
            "activation_bytes",
            "tokens",
            "verdict",
            "assumptions",
        ):
            assert found[name] == getattr(fit, name)
    for line in (
        "vllm serve m --kv-cache-dtype fp16",
        "vllm serve m --nope 1 --gpu-memory-utilization 0.9",
    ):
        found = page.evaluate(
            "(line) => ask('check', {command: line, engine_version: '0.11.0'})", line
        )["answer"]
        result = quantmap.check(line, engine_version="0.11.0")
        assert [(one["argument"], one["verdict"], one["reason"]) for one in found["verdicts"]] == [
            (one.argument, one.verdict, one.reason) for one in result.verdicts
        ]


def test_choosing_changes_the_launch_and_the_address(seen: Seen) -> None:
    page = seen.open("#engine=vllm&release=0.11.0&gpu=H100")
    page.click("text=dynamic-fp8")
    assert "--quantization fp8" in page.inner_text("#launch")
    assert "preset=dynamic-fp8" in page.url
    page.fill("#tp", "4")
    assert "--tensor-parallel-size 4" in page.inner_text("#launch")
    page.wait_for_selector("#fields[data-judged]")
    refused = page.locator("#fields .chip.refused").first
    assert "✗" in refused.inner_text() and refused.get_attribute("title")
    link, line = page.url, page.inner_text("#launch")
    page = seen.open("#" + link.partition("#")[2])
    assert page.inner_text("#launch") == line


def test_a_model_says_what_fits(seen: Seen) -> None:
    page = seen.open("#engine=vllm&gpu=L4")
    page.fill("#model", json.dumps(SHAPE))
    assert "does not fit" in page.inner_text("#fit")
    page.fill("#gpu", "H100")
    page.fill("#tp", "8")
    assert "✓ fits" in page.inner_text("#fit")
    label = page.get_attribute(".bar", "aria-label")
    assert "weights" in label and "GB" in label
    page.fill("#model", "{broken")
    assert "not JSON" in page.inner_text("#answer")


def test_a_folder_of_weights_is_read_from_its_headers(seen: Seen, tmp_path: Path) -> None:
    header = json.dumps(
        {
            "model.embed_tokens.weight": {
                "dtype": "BF16",
                "shape": [100, 64],
                "data_offsets": [0, 12800],
            }
        }
    )
    weights = struct.pack("<Q", len(header)) + header.encode() + bytes(12800)
    (tmp_path / "model.safetensors").write_bytes(weights)
    (tmp_path / "config.json").write_text(json.dumps(SHAPE))
    page = seen.open("#engine=vllm&gpu=H100")
    page.set_input_files("#files", [tmp_path / "model.safetensors", tmp_path / "config.json"])
    page.locator("#dropped", has_text="2 files").wait_for()
    assert "llama" in page.inner_text("#dropped") and "of weights" in page.inner_text("#dropped")
    found = page.evaluate("ask('inspect', {checkpoint: 'dropped'}).answer")
    real = quantmap.inspect_checkpoint(tmp_path)
    assert found["weight_bytes"] == real.weights.bytes == 12800
    assert found["bytes_read"] == real.bytes_read


def test_checking_a_line(seen: Seen) -> None:
    page = seen.open("#view=check&line=vllm+serve+m+--kv-cache-dtype+fp16")
    page.fill("#check-release", "0.11.0")
    assert "✗ refused" in page.inner_text("#judged")
    page.fill("#line", "vllm serve m --kv-cache-dtype fp8")
    assert "✓ accepted" in page.inner_text("#judged")
    page.fill("#line", HOSTILE)
    page.fill("#line", f"vllm serve '{HOSTILE}' --x '{HOSTILE}'")
    assert page.title() == "quantmap"


def test_ten_thousand_results_are_drawn_in_a_second(seen: Seen, tmp_path: Path) -> None:
    rng = random.Random(2)
    line = '{"signature":"%032x","status":"success","metrics":{"throughput":%d,"ttft":%.3f}}\n'
    text = "".join(line % (i, rng.randrange(9000), rng.random()) for i in range(10_000))
    (tmp_path / "runs.jsonl").write_text(text + "{torn")
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "runs.jsonl"])
    page.wait_for_selector("#table")
    told = page.inner_text("#loaded")
    assert told.startswith("10000 experiments in ") and "1 lines are no results" in told
    assert int(told.split(" in ")[1].split(" ms")[0]) < 1000
    assert page.locator("svg circle").count() > 1
    assert not page.inner_text("#compared").startswith("null")
    assert "null" not in page.inner_text("#compared").partition("Measured")[0]


def test_results_of_the_command_and_hostile_files(seen: Seen, tmp_path: Path) -> None:
    from quantmap.ledger import Ledger

    task = {
        "task_name": HOSTILE, "base_runtime": "vllm@0.11.0", "slo": {"ttft": {"threshold": 1}},
        "quant_config": {"kvcache_dtype": ["auto", "fp8"]}, "parameters": {"max-num-seqs": [1, 2]},
    }  # fmt: skip
    plan = quantmap.plan(task)
    ledger = Ledger(tmp_path / "a.jsonl")
    for one, (tokens, seconds) in zip(plan, [(10, 0.5), (20, 2), (15, 0.4)]):
        ledger.record(one.signature, "success", metrics={"throughput": tokens, "ttft": seconds})
    ledger.record(plan[3].signature, "failed", reason=HOSTILE, metrics={HOSTILE: 3})
    (tmp_path / "r.json").write_text(json.dumps(plan.results(ledger.path).to_dict()))
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "r.json"])
    page.wait_for_selector("#table")
    text = page.inner_text("#compared")
    assert "Best under the task's limits: kv-cache-dtype:fp8+max-num-seqs:1" in text
    assert HOSTILE in text and "1x" in text and "What one change does" in text
    odd = [
        *("[]", "{}", "null", "\0\1", '{"rows": 3}'),
        '{"rows": [3, null, {"metrics": {"x": 1}}], "units": 3, "effects": [null]}',
        '{"rows": [{"label": {}, "metrics": {"__proto__": {"mean": 1}, "a": {"mean": "x"}}}]}',
    ]
    for number, content in enumerate(odd):
        (tmp_path / f"{number}.json").write_text(content)
        page.set_input_files("#results", [tmp_path / f"{number}.json"])
        page.locator("#loaded", has_text="experiments in").wait_for()
    assert (
        page.title() == "quantmap" and page.locator("#compared img, #compared script").count() == 0
    )


def test_it_works_by_keyboard_and_at_phone_width(seen: Seen) -> None:
    page = seen.open()
    page.focus("#tab-choose")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-check"
    assert page.is_visible("#line") and not page.is_visible("#engine")
    page.keyboard.press("ArrowLeft")
    page.focus("#presets .chip")
    page.keyboard.press("Enter")
    assert page.get_attribute("#presets .chip", "aria-pressed") == "true"
    page.set_viewport_size({"width": 360, "height": 740})
    for tab in ("choose", "check", "compare"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, scheme: str, tmp_path: Path) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: npm install --prefix build/page axe-core")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = Seen(context.new_page()).open("#engine=vllm&gpu=H100&preset=dynamic-fp8")
    page.fill("#model", json.dumps(SHAPE))
    page.wait_for_selector("#fields[data-judged]")
    page.add_script_tag(path=AXE)
    for tab in ("choose", "check", "compare"):
        page.click(f"#tab-{tab}")
        found = page.evaluate("axe.run()")["violations"]
        assert [
            (one["id"], one["impact"]) for one in found if one["impact"] in ("serious", "critical")
        ] == []
    context.close()


def test_it_is_quick_and_small(seen: Seen) -> None:
    assert PAGE.stat().st_size < 1_500_000
    first = []
    for _ in range(5):
        page = seen.open("#engine=vllm&gpu=H100&preset=dynamic-fp8")
        first.append(int(page.evaluate("document.documentElement.dataset.ready")))
    assert min(first) < 300
    page.fill("#model", json.dumps(SHAPE))
    taken = page.evaluate(
        "Array.from({length: 15}, (_, i) => { const began = performance.now();"
        " change({tp: String(1 + i % 2)}); return performance.now() - began; })"
    )
    assert sorted(taken)[len(taken) // 2] < 30


def test_the_verb_writes_it(tmp_path: Path) -> None:
    import subprocess
    import sys

    began = time.monotonic()
    environment = {**os.environ, "PYTHONPATH": str(Path(quantmap.__file__).parents[1])}
    command = [sys.executable, "-m", "quantmap", "page", "--out", str(tmp_path / "q.html")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "MB; open it in a browser" in done.stderr
    assert (tmp_path / "q.html").read_bytes() == PAGE.read_bytes()
    assert time.monotonic() - began < 60
