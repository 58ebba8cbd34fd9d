"""The page in a real browser: Python's answers, by keyboard, at any width; nothing leaves it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import quantmap

from tests.python.browser import (
    AXE,
    HOSTILE,
    KNOWN,
    MARKS,
    PAGE,
    SHAPE,
    Seen,
    browser,
    patience,
    seen,
    some_results,
)
from tests.python.page_answers import compare, questions

pytestmark = MARKS
__all__ = ["browser", "seen"]  # fixtures


def test_the_answers_are_pythons(seen: Seen) -> None:
    page = seen.open()
    asked = questions(2000)
    answers = page.evaluate("(all) => all.map((one) => ask('explain', one))", asked)
    for question, answer in zip(asked, answers):
        compare(question, answer)


def test_memory_is_pythons(seen: Seen) -> None:
    page = seen.open()
    for model, gpu, tp in (
        (SHAPE, "H100", 2),
        (SHAPE, "A100", 8),
        (KNOWN, "L4", 1),
        (KNOWN, "", 4),
    ):
        question: dict[str, Any] = {
            "runtime": "vllm",
            "tp": tp,
            "checkpoint": model,
            "quant_config": {"kvcache_dtype": "fp8"},
        }
        if gpu:
            question["gpu"] = gpu
        found = page.evaluate("(one) => ask('fit', one)", question)["answer"]
        config = {"kvcache_dtype": "fp8"}
        fit = quantmap.estimate(model, config, engine="vllm", gpu=gpu or None, tp=tp)
        data = json.loads(json.dumps(fit.to_dict()))
        same = [name for name in found if name in data and "band" not in name]
        assert len(same) > 15
        assert {name: found[name] for name in same} == {name: data[name] for name in same}
        for name in ("tokens_band", "kv_budget_band"):
            # Bytes, of which the last may be rounded otherwise.
            assert found[name] == pytest.approx(getattr(fit, name), abs=2)


SCRIPT = """
export KV=fp8
vllm serve m --kv-cache-dtype "$KV" --nope 1 \\
  --gpu-memory-utilization 0.9
docker run --gpus all vllm/vllm-openai:v0.11.0 --model org/m --kv-cache-dtype fp16
python -m sglang.launch_server --model-path m --kv-cache-dtype fp8_e5m2 --tp 2
"""


def test_checks_are_pythons(seen: Seen) -> None:
    page = seen.open()
    lines = ["vllm serve m --kv-cache-dtype fp16", SCRIPT, "echo hello", "vllm serve 'm"]
    for line in lines:
        found = page.evaluate("(line) => ask('check', {command: line})", line)
        try:
            result = quantmap.check_script(line)
        except quantmap.ConfigError as error:
            assert [item["message"] for item in found["errors"]] == [
                item.message for item in error.diagnostics
            ]
            continue
        answer = found["answer"]
        for launch, same in zip(answer["launches"], result.launches):
            assert (launch["version"], launch["line"]) == (same.version, same.line)
            assert [(v["argument"], v["verdict"], v["reason"]) for v in launch["verdicts"]] == [
                (v.argument, v.verdict, v.reason) for v in same.verdicts
            ]
        assert len(answer["launches"]) == len(result.launches)
        assert [note["message"] for note in answer["notes"]] == [
            note.message for note in result.notes
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


def test_an_example_is_one_click_away(seen: Seen) -> None:
    page = seen.open()
    page.click("#example")
    assert f"vllm serve {KNOWN}" in page.inner_text("#launch")
    assert "✓ fits" in page.inner_text("#fit") and not page.locator("#example").count()
    assert page.evaluate("document.activeElement.id") == "launch"  # where the keyboard goes on


def test_a_model_says_what_fits(seen: Seen) -> None:
    page = seen.open("#engine=vllm&gpu=L4")
    page.fill("#model", json.dumps(SHAPE))
    assert "does not fit" in page.inner_text("#fit")
    page.fill("#gpu", "H100")
    page.fill("#tp", "8")
    assert "✓ fits" in page.inner_text("#fit")
    label = page.get_attribute(".bar", "aria-label")
    assert "weights" in label and "GB" in label and " to " in label
    band = page.locator(".bar .band").bounding_box()
    assert band and 0 < band["width"] < page.locator(".bar").bounding_box()["width"] / 4
    page.fill("#model", "{broken")
    assert "not JSON" in page.inner_text("#answer")


def test_what_makes_it_fit_is_a_button(seen: Seen) -> None:
    page = seen.open("#engine=vllm&gpu=H100&tp=1")
    page.fill("#model", json.dumps(SHAPE))
    assert "✗ does not fit" in page.inner_text("#fit")
    cure = page.locator(".acts button", has_text="parallel")
    count = cure.inner_text().split()[-1]
    cure.click()
    assert page.input_value("#tp") == count and f"tp={count}" in page.url
    assert "✗" not in page.inner_text("#fit")


def test_a_model_that_is_known_needs_no_file(seen: Seen) -> None:
    page = seen.open("#engine=vllm&gpu=H200&tp=8")
    assert page.locator(f"#models option[value='{KNOWN}']").count() == 1
    page.fill("#model", KNOWN)
    assert f"vllm serve {KNOWN}" in page.inner_text("#launch")
    assert "✓ fits" in page.inner_text("#fit")
    page.fill("#model", f"nobody/{'x' * 20}")
    assert "not known" in page.inner_text("#answer")


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


# Words that stand on each other: the first two of a row.
OVERLAPS = """[...document.querySelectorAll("ul.plain > li")].filter((row) => {
  const [one, two] = [...row.children].map((child) => child.getBoundingClientRect());
  return two && one.width && one.right > two.left && one.bottom > two.top;
}).map((row) => row.textContent)"""


def test_every_launch_of_a_script_is_judged(seen: Seen) -> None:
    page = seen.open("#view=check")
    page.fill("#line", SCRIPT)
    assert page.inner_text("#launches").startswith("✗ 3 launches, ")
    assert page.locator(".launch").count() == 3
    assert "0.11.0" in page.locator(".launch").nth(1).inner_text()
    assert "value not accepted" in page.inner_text(".launch:nth-of-type(2)")
    assert not page.evaluate(OVERLAPS)
    page.fill("#line", "echo hello")
    assert page.locator("#verdicts .bad").count() and not page.locator(".launch").count()


def test_checking_a_line(seen: Seen) -> None:
    page = seen.open("#view=check&line=vllm+serve+m+--kv-cache-dtype+fp16")
    page.fill("#check-release", "0.11.0")
    assert "✗ refused" in page.inner_text("#judged")
    page.fill("#line", "vllm serve m --kv-cache-dtype fp8")
    assert "✓ accepted" in page.inner_text("#judged")
    page.fill("#line", HOSTILE)
    page.fill("#line", f"vllm serve '{HOSTILE}' --x '{HOSTILE}'")
    assert page.title() == "quantmap"


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
    assert page.is_visible("#glance") and "vLLM" in page.inner_text("#glance")
    for tab in ("choose", "check", "compare", "words"):
        page.click(f"#tab-{tab}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, scheme: str, tmp_path: Path) -> None:
    if not AXE.exists():
        pytest.skip("no axe-core: scripts/test-page installs it")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    page = Seen(context.new_page()).open("#engine=vllm&gpu=H100&preset=dynamic-fp8")
    page.fill("#model", json.dumps(SHAPE))
    page.wait_for_selector("#fields[data-judged]")
    page.add_script_tag(path=AXE)
    page.set_input_files("#results", [some_results(tmp_path)])
    page.wait_for_selector("#table", state="attached")
    for tab in ("choose", "check", "compare", "words"):
        page.click(f"#tab-{tab}")
        if tab == "check":
            page.fill("#line", SCRIPT)
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
    assert min(first) < 300 * patience()
    page.fill("#model", json.dumps(SHAPE))
    taken = page.evaluate(
        "Array.from({length: 15}, (_, i) => { const began = performance.now();"
        " change({tp: String(1 + i % 2)}); return performance.now() - began; })"
    )
    assert sorted(taken)[len(taken) // 2] < 30 * patience()


def test_beside_the_documentation_it_links_to_it(seen: Seen, tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not seen.open().locator("a[href$='.html']").count()
    mark = '<meta name="quantmap-docs" content="">'
    assert text.count(mark) == 1
    place = tmp_path / "quantmap.html"
    place.write_text(text.replace(mark, mark.replace('""', '"./"')), encoding="utf-8")
    page = seen.open(page=place)
    assert page.get_attribute("#about a", "href") == "./index.html"
    page.click("#tab-words")
    assert "dry run" in page.inner_text("#view-words")


def test_a_hostile_address_and_hostile_names_are_text(seen: Seen, tmp_path: Path) -> None:
    names = ("engine", "release", "gpu", "tp", "context", "preset", "model", "parameters", "view")
    page = seen.open("#" + "&".join(f"{name}={quote(HOSTILE)}" for name in names))
    assert page.title() == "quantmap" and not page.locator("main img, main script").count()
    page = seen.open("#engine=vllm")
    page.fill("#model", HOSTILE)
    page.fill("#parameters", f"x={HOSTILE}")
    odd = tmp_path / "<img src=x onerror=alert(1)>.json"
    odd.write_text("{")
    page.set_input_files("#files", [odd])
    page.locator("#dropped", has_text="1 file").wait_for()
    assert page.title() == "quantmap" and not page.locator("main img, main script").count()
