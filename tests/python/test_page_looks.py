"""How the page looks: screenshots beside kept pictures, compared loosely.

Letters differ between machines, so both are shrunk to blocks of some twenty pixels first. A picture
that is meant to change is written anew by `QUANTMAP_LOOKS=write scripts/test-page -k looks`.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.ledger import Ledger

from tests.python.browser import KNOWN, MARKS, ROOT, browser, page_at

pytestmark = MARKS
__all__ = ["browser"]  # a fixture

KEPT = ROOT / "docs" / "pictures" / "page"  # docs/page.md shows some of them
CHOICE = f"#engine=vllm&release=0.11.0&gpu=H200&tp=8&preset=dynamic-fp8&model={KNOWN}&context=32768"
SIZES = {"desk": (1280, 900), "phone": (390, 844)}
MOST = 0.05  # mean difference of a block, of all that is possible
# The blocks of a picture as numbers, and as a small picture that a person can look at.
SHRINK = """async ([png, width, block]) => {
  const whole = await createImageBitmap(await (await fetch("data:image/png;base64," + png)).blob());
  const drawn = (times) => {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(width * times);
    canvas.height = Math.round(width * times * whole.height / whole.width);
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    return [canvas, context];
  };
  const [canvas, context] = drawn(1 / block);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return [[...pixels], drawn(0.5)[0].toDataURL("image/png").split(",")[1]];
}"""


def shrunk(page: Any, png: bytes, width: int) -> tuple[list[int], bytes]:
    """The blocks of a screenshot, and a picture of half its size."""
    page.goto("about:blank")
    blocks, small = page.evaluate(SHRINK, [base64.b64encode(png).decode(), width, 20])
    return blocks, base64.b64decode(small)


def distance(one: list[int], two: list[int]) -> float:
    """How much two pictures differ: 0 is not at all, 1 is black beside white."""
    assert len(one) == len(two)
    return sum(abs(a - b) for a, b in zip(one, two)) / (255 * len(one) * 3 / 4)


def results_of_a_task(folder: Path) -> Path:
    """Three runs of each experiment, as the command writes them; the largest do not start."""
    task = {
        "task_name": "llama-8b-kv-cache",
        "base_runtime": "vllm@0.11.0",
        "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
        "parameters": {"max-num-seqs": [16, 32, 64, 128, 256, 512], "block-size": [16, 32]},
        "optimization": {"objective": "maximize_throughput"},
        "slo": {"ttft": {"threshold": 1.0, "weight": 2.0}},
    }
    plan = quantmap.plan(task)
    ledger = Ledger(folder / "runs.jsonl")
    for one in plan:
        size, block = one.parameters["max-num-seqs"], one.parameters["block-size"]
        fast = one.config.get("kvcache_dtype") == "fp8"
        if size == 512 and not fast:
            ledger.record(
                one.signature, "failed", reason="torch.OutOfMemoryError: CUDA out of memory"
            )
            continue
        for run in range(3):
            tokens = (
                size**0.6 * (130 if fast else 110) * (1 + 0.01 * run) * (1.03 if block == 32 else 1)
            )
            seconds = (0.06 + size / (340 if fast else 260)) * (1 + 0.02 * run)
            ledger.record(one.signature, "success", metrics={"throughput": tokens, "ttft": seconds})
    place = folder / "results.json"
    place.write_text(json.dumps(plan.results(folder / "runs.jsonl").to_dict()))
    return place


def shot(page: Any, view: str, folder: Path) -> bytes:
    """One view with something in it."""
    if view == "choose":
        page_at(page, CHOICE)
        page.wait_for_selector("#fields[data-judged]")
    else:
        page_at(page, "#view=compare")
        page.set_input_files("#results", [results_of_a_task(folder)])
        page.wait_for_selector("#table")
    return bytes(page.screenshot())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("view", ["choose", "compare"])
def test_it_looks_as_it_did(
    browser: Any, view: str, size: str, scheme: str, tmp_path: Path
) -> None:
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = context.new_page()
    blocks, small = shrunk(page, shot(page, view, tmp_path), width)
    place = KEPT / f"{view}-{size}-{scheme}.png"
    if os.environ.get("QUANTMAP_LOOKS") == "write":
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(small)
    kept, _ = shrunk(page, place.read_bytes(), width)
    (tmp_path / place.name).write_bytes(small)
    found = distance(blocks, kept)
    context.close()
    assert found < MOST, f"{found:.3f} from {place}; now: {tmp_path / place.name}"


def test_a_page_without_its_style_looks_otherwise(browser: Any, tmp_path: Path) -> None:
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    shot(page, "choose", tmp_path)
    page.evaluate("document.querySelector('style').remove()")
    blocks, _ = shrunk(page, bytes(page.screenshot()), 1280)
    kept, _ = shrunk(page, (KEPT / "choose-desk-light.png").read_bytes(), 1280)
    dark, _ = shrunk(page, (KEPT / "choose-desk-dark.png").read_bytes(), 1280)
    assert distance(blocks, kept) > MOST and distance(dark, kept) > MOST
