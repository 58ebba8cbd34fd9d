"""Results in the page: ledgers, what the command writes, hostile files, and the verb itself."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import quantmap
from quantmap.ledger import Ledger

from tests.python.browser import (
    HOSTILE,
    MARKS,
    PAGE,
    ROOT,
    Seen,
    browser,
    measured,
    patience,
    seen,
)

pytestmark = MARKS
__all__ = ["browser", "seen"]  # fixtures


def test_ten_thousand_results_are_drawn_in_a_second(seen: Seen, tmp_path: Path) -> None:
    rng = random.Random(2)
    line = '{"signature":"%032x","status":"success","metrics":{"throughput":%d,"ttft":%.3f}}\n'
    text = "".join(line % (i, rng.randrange(9000), rng.random()) for i in range(10_000))
    (tmp_path / "runs.jsonl").write_text(text + "{torn")
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "runs.jsonl"])
    page.wait_for_selector("#table")
    told = page.inner_text("#loaded")
    assert told.startswith("10,000 experiments in ") and "1 line is no result" in told
    assert int(told.split(" in ")[1].split(" ms")[0]) < 1000 * patience()
    assert page.locator("svg circle").count() > 1
    assert not page.inner_text("#compared").startswith("null")
    assert "null" not in page.inner_text("#compared").partition("Measured")[0]


def test_results_of_the_command_and_hostile_files(seen: Seen, tmp_path: Path) -> None:
    task, ledger = measured(tmp_path, HOSTILE)
    (tmp_path / "r.json").write_text(json.dumps(quantmap.plan(task).results(ledger).to_dict()))
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "r.json"])
    page.wait_for_selector("#table")
    text = page.inner_text("#compared")
    assert "Best under the task's limits: kv-cache-dtype:fp8+max-num-seqs:1" in text
    assert HOSTILE in text and "1x" in text and "What one change does" in text
    assert "against the plan's first" in text and "limit: at most 1" in text
    assert "FP8 e4m3 storage" in text  # what runs in the best
    assert page.locator("svg .besttext").count() == 1 and page.locator("svg .beyond").count() == 1
    odd = [
        *("[]", "{}", "null", "\0\1", '{"rows": 3}', '{"rows": []}'),
        '{"signature": "'
        + "0" * 32
        + '", "status": "success", "metrics": {"__proto__": 1, "b": 2}}',
        '{"rows": [{"index": 0, "metrics": {"x": {"mean": 1}}, "expected": 3, "precision": [1]}],'
        ' "best": 0, "limits": [null, {"metric": {}, "bound": 1}], "objective": 4, "front": "x"}',
        '{"rows": [3, null, {"metrics": {"x": 1}}], "units": 3, "effects": [null]}',
        '{"signature": "' + "1" * 32 + '", "status": "success", "metrics": {"constructor": 1,'
        ' "toString": 2}}',
        '{"rows": [{"index": 0, "metrics": {"constructor": {"mean": 1}, "toString": {"mean": 2}},'
        ' "precision": {"constructor": "x", "": "y"}}], "best": 0, "units": {"valueOf": 1}}',
        '{"rows": [{"label": {}, "metrics": {"__proto__": {"mean": 1}, "a": {"mean": "x"}}}]}',
    ]
    for number, content in enumerate(odd):
        (tmp_path / f"{number}.json").write_text(content)
        page.set_input_files("#results", [tmp_path / f"{number}.json"])
        page.locator("#loaded", has_text=re.compile("experiments? in")).wait_for()
    assert (
        page.title() == "quantmap" and page.locator("#compared img, #compared script").count() == 0
    )


def test_the_tasks_objective_is_upwards_and_its_way_counts(seen: Seen, tmp_path: Path) -> None:
    task, ledger = measured(tmp_path)
    task["optimization"] = {"objective": "minimize_cost"}
    plan = quantmap.plan(task)
    for number, one in enumerate(plan):
        Ledger(ledger).record(one.signature, "success", metrics={"cost": 10 + number})
    (tmp_path / "r.json").write_text(json.dumps(plan.results(ledger).to_dict()))
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "r.json"])
    page.wait_for_selector("#table")
    assert page.input_value("#up") == "cost"
    assert "cost, less is better" in page.locator("svg.plot").text_content()
    assert page.locator("#table tbody tr").first.get_attribute("class") == "top"


def test_percentiles_are_there_when_they_are_looked_at(seen: Seen, tmp_path: Path) -> None:
    metrics = {"throughput [tok/s]": 1, "ttft [s]": 2, "ttft_p99 [s]": 3, "itl_p50 [s]": 4}
    for number in range(2):
        Ledger(tmp_path / "a").record(f"{number:032x}", "success", metrics=metrics)
    page = seen.open("#view=compare")
    page.set_input_files("#results", [tmp_path / "a"])
    page.wait_for_selector("#table")
    heads = "[...document.querySelectorAll('#table thead th')].map((head) => head.textContent)"
    assert {"ttft [s]", "itl_p50 [s]"} <= {*page.evaluate(heads)}
    assert "ttft_p99 [s]" not in page.evaluate(heads)
    page.select_option("#across", "ttft_p99 [s]")
    assert "ttft_p99 [s]" in page.evaluate(heads)


def test_a_ledger_that_has_grown_is_opened_again(seen: Seen, tmp_path: Path) -> None:
    _, ledger = measured(tmp_path)
    page = seen.open("#view=compare")
    for count in (4, 5):
        page.set_input_files("#results", [ledger])
        page.locator("#loaded", has_text=f"{count} experiments in").wait_for()
        Ledger(ledger).record("f" * 32, "success", metrics={"throughput": 1})


def command(*words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(Path(quantmap.__file__).parents[1])}
    line = [sys.executable, "-m", "quantmap", "page", *words]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=False)


def test_the_verb_writes_it(tmp_path: Path) -> None:
    done = command("--out", str(tmp_path / "q.html"))
    assert done.returncode == 0 and "MB; open it in a browser" in done.stderr
    assert (tmp_path / "q.html").read_bytes() == PAGE.read_bytes()
    assert command("--results", "x").returncode == 2
    assert command("--gpu", "H100").returncode == 2


def test_results_come_with_the_page(seen: Seen, tmp_path: Path) -> None:
    task, ledger = measured(tmp_path, HOSTILE)
    (tmp_path / "task.json").write_text(json.dumps(task))
    place = tmp_path / "q.html"
    words = ("--plan", str(tmp_path / "task.json"), "--results", str(ledger), "--out", str(place))
    done = command(*words)
    assert done.returncode == 0, done.stderr
    page = seen.open(page=place)
    assert page.is_visible("#table") and HOSTILE in page.inner_text("#compared")
    assert page.title() == "quantmap" and "came with this page" in page.inner_text("#loaded")


def test_expected_memory_stands_beside_what_was_measured(seen: Seen, tmp_path: Path) -> None:
    task, ledger = measured(tmp_path)
    shape = ROOT / "examples" / "llama_3_70b.json"
    ground = {
        "engines": ["vllm@0.12.0"],
        "gpu": "H200",
        "checkpoint": json.loads(shape.read_text()),
    }
    for one in quantmap.plan(task, **ground):
        metrics = {"throughput": one.index + 1, "memory_usage [GB]": 70}
        Ledger(ledger).record(one.signature, "success", metrics=metrics)
    (tmp_path / "task.json").write_text(json.dumps(task))
    place = tmp_path / "q.html"
    words = ("--plan", str(tmp_path / "task.json"), "--results", str(ledger), "--out", str(place))
    done = command(*words, "--engine=vllm@0.12.0", "--gpu=H200", f"--checkpoint={shape}")
    assert done.returncode == 0, done.stderr
    tiles = " ".join(seen.open(page=place).locator("#compared .tiles").all_inner_texts())
    assert "70" in tiles and "expected " in tiles and "KV cache" in tiles
