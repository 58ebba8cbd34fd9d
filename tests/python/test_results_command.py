"""`quantmap results`, its page, and the result files of benchmark programs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import quantmap
from quantmap.ledger import Ledger
from quantmap.results.importers import benchmark_metrics, read_benchmark

pytest.importorskip("click")

TASK: dict[str, Any] = {
    "task_name": "which <script>alert(1)</script>",
    "base_runtime": "vllm@0.11.0",
    "quant_config": {"kvcache_dtype": ["auto", "fp8"]},
    "parameters": {"max-num-seqs": [64, 128]},
    "optimization": {"objective": "maximize_throughput"},
    "slo": {"ttft": {"threshold": 1.0}},
}
# Made up, in the shapes that the programs write.
BENCH_SERVE = {
    "date": "20261128-101500", "endpoint_type": "openai", "label": None, "model_id": "org/m",
    "num_prompts": 100, "request_rate": "inf", "burstiness": 1.0, "max_concurrency": 16,
    "duration": 10.0, "completed": 100, "failed": 0, "total_input_tokens": 1000,
    "total_output_tokens": 9000, "request_throughput": 10.0, "request_goodput": None,
    "output_throughput": 900.0, "total_token_throughput": 1000.0, "mean_ttft_ms": 41.5,
    "median_ttft_ms": 40.0, "std_ttft_ms": 2.0, "p99_ttft_ms": 80.0, "mean_tpot_ms": 9.0,
    "p99_tpot_ms": 12.0, "mean_itl_ms": 9.5, "mean_e2el_ms": 900.0, "p99_e2el_ms": 1200.0,
    "input_lens": [10], "ttfts": [0.04], "generated_texts": ["mean_ttft_ms"], "errors": [""],
}  # fmt: skip
BENCH_SERVING = {
    "backend": "sglang", "dataset_name": "random", "request_rate": 4.0, "max_concurrency": 8,
    "duration": 5.0, "completed": 20, "total_input_tokens": 100, "total_output_tokens": 400,
    "request_throughput": 4.0, "input_throughput": 20.0, "output_throughput": 80.0,
    "total_throughput": 100.0, "mean_e2e_latency_ms": 2000.0, "median_e2e_latency_ms": 1900.0,
    "p99_e2e_latency_ms": 3000.0, "mean_ttft_ms": 50.0, "p99_ttft_ms": 99.0, "mean_tpot_ms": 10.0,
    "mean_itl_ms": 10.5, "concurrency": 7.9, "accept_length": None,
}  # fmt: skip


def summary(mean: float, p99: float) -> dict[str, Any]:
    spread = {"p50": mean, "p90": p99, "p95": p99, "p99": p99, "p999": p99}
    one = {"mean": mean, "median": mean, "std_dev": 0.1, "count": 5, "percentiles": spread}
    return {"successful": one, "incomplete": one, "errored": one, "total": one}


def guide(rate: float, first_token: float) -> dict[str, Any]:
    return {
        "config": {"strategy": {"type_": "concurrent", "streams": 4}},
        "metrics": {
            "request_totals": {"successful": 5, "incomplete": 0, "errored": 1, "total": 6},
            "requests_per_second": summary(2.0, 3.0),
            "output_tokens_per_second": summary(rate, rate),
            "tokens_per_second": summary(rate * 2, rate),
            "request_latency": summary(1.5, 2.5),
            "time_to_first_token_ms": summary(first_token, first_token),
            "inter_token_latency_ms": summary(8.0, 9.0),
            "time_per_output_token_ms": summary(9.0, 9.0),
        },
    }


GUIDELLM = {"metadata": {"version": 1}, "benchmarks": [guide(100.0, 90.0), guide(700.0, 5000.0)]}
AIPERF = {
    "schema_version": "1.4", "aiperf_version": "0.13.0", "input_config": {"endpoint": {}},
    "request_throughput": {"unit": "requests/sec", "avg": 3.0},
    "output_token_throughput": {"unit": "tokens/sec", "avg": 333.0},
    "request_latency": {"unit": "ms", "avg": 500.0, "p50": 480.0, "p99": 900.0, "std": 3.0},
    "time_to_first_token": {"unit": "ms", "avg": 30.0, "p99": 60.0},
    "inter_token_latency": {"unit": "ms", "avg": 7.0, "p99": 8.0},
    "request_count": {"unit": "requests", "avg": 50.0}, "was_cancelled": False,
}  # fmt: skip
GENAI_PERF = {key: value for key, value in AIPERF.items() if "version" not in key}
FILES = {
    "bench serve": (json.dumps(BENCH_SERVE), {
        "throughput [tok/s]": 900.0, "total_throughput [tok/s]": 1000.0, "ttft [s]": 0.0415,
        "request_throughput [req/s]": 10.0, "ttft_p50 [s]": 0.04, "ttft_p99 [s]": 0.08,
        "tpot [s]": 0.009, "latency [s]": 0.9, "latency_p99 [s]": 1.2, "itl [s]": 0.0095}),
    "bench_serving": (json.dumps(BENCH_SERVING) + "\n", {
        "throughput [tok/s]": 80.0, "total_throughput [tok/s]": 100.0, "latency_p50 [s]": 1.9,
        "latency [s]": 2.0, "ttft_p99 [s]": 0.099}),
    "guidellm": (json.dumps(GUIDELLM), {
        "throughput [tok/s]": 100.0, "ttft [s]": 0.09, "tpot [s]": 0.008, "latency [s]": 1.5,
        "latency_p99 [s]": 2.5, "request_throughput [req/s]": 2.0}),
    "aiperf": (json.dumps(AIPERF), {
        "throughput [tok/s]": 333.0, "ttft [s]": 0.03, "ttft_p99 [s]": 0.06, "tpot [s]": 0.007,
        "latency_p50 [s]": 0.48, "request_throughput [req/s]": 3.0}),
    "genai-perf": (json.dumps(GENAI_PERF), {
        "throughput [tok/s]": 333.0, "ttft_p99 [s]": 0.06, "latency [s]": 0.5}),
}  # fmt: skip


def run_command(*words: str) -> subprocess.CompletedProcess[str]:
    """The command in the folder, 80 columns wide."""
    environment = {
        **{name: value for name, value in os.environ.items() if "QUANTMAP" not in name},
        "PYTHONPATH": str(Path(quantmap.__file__).parents[1]),
        "PYTHONIOENCODING": "utf-8",
        "COLUMNS": "80",
    }
    command = [sys.executable, "-m", "quantmap", *words]
    return subprocess.run(
        command, capture_output=True, encoding="utf-8", env=environment, check=False
    )


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "task.json").write_text(json.dumps(TASK))
    return tmp_path


def fill(path: str = "task.json.ledger.jsonl") -> list[Any]:
    planned = list(quantmap.plan(TASK))
    for one, (tokens, seconds) in zip(
        planned, [(2000, 0.4), (2500, 0.7), (2400, 0.4), (3100, 1.3)]
    ):
        metrics = {"throughput [tok/s]": tokens, "ttft [s]": seconds}
        Ledger(path).record(one.signature, "success", metrics=metrics)
    return planned


@pytest.mark.parametrize("program", FILES)
def test_result_files_of_benchmark_programs(program: str, tmp_path: Path) -> None:
    text, expected = FILES[program]
    path = tmp_path / "result.json"
    path.write_text(text)
    loads = read_benchmark(path)
    assert {load.program for load in loads} == {program}
    found = benchmark_metrics(path, TASK)  # of two loads the one that keeps its limit
    assert {key: found[key] for key in expected} == expected
    assert loads[0].described["completed"]


def test_several_lines_are_several_loads(tmp_path: Path) -> None:
    path = tmp_path / "result.jsonl"
    path.write_text(
        f"{json.dumps(BENCH_SERVING)}\n{json.dumps({**BENCH_SERVING, 'output_throughput': 95})}\n"
    )
    assert len(read_benchmark(path)) == 2
    assert benchmark_metrics(path)["throughput [tok/s]"] == 95


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"benchmarks": 3}', '{"benchmarks": [{"metrics": {}}]}', "{", "\0", "1\n2",
     json.dumps({**BENCH_SERVE, "completed": 0}), '{"request_throughput": {"unit": 3}}',
     '{"benchmarks": [{"metrics": {"request_latency": {"successful": {"mean": "x"}}}}]}'],
)  # fmt: skip
def test_other_files_are_an_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text(text)
    with pytest.raises(quantmap.ConfigError) as caught:
        read_benchmark(path)
    assert str(path) in str(caught.value)


def test_the_command_tells_the_best_effects_and_failures(folder: Path) -> None:
    planned = fill()
    Ledger("task.json.ledger.jsonl").record(planned[2].signature, "failed", reason="out of memory")
    done = run_command("results", "task.json")
    assert done.returncode == 0, done.stderr
    assert "4 experiments: 3 measured, 1 failed, 0 to run" in done.stdout
    assert "1. experiment 1, kv-cache-dtype:auto max-num-seqs:128" in done.stdout
    assert "✗ breaks ttft by 30.0%" in done.stdout
    assert "max-num-seqs: 64 → 128  +25.0% throughput" in done.stdout
    assert "1x  out of memory  (experiment 2)" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    done = run_command(
        "results", "task.json", "--best", "ttft", "--by", "kvcache_dtype", "--max", "1"
    )
    assert "1. experiment 0" in done.stdout and "max-num-seqs: 64" not in done.stdout


def test_measured_memory_stands_beside_what_was_expected(folder: Path) -> None:
    ledger = Ledger("task.json.ledger.jsonl")
    for number, one in enumerate(quantmap.plan(TASK)):
        metrics = {"throughput": 9 - number, "memory_usage [GB]": 70}
        ledger.record(one.signature, "success", metrics=metrics)
    ground = ("--gpu", "H100", "--checkpoint", "meta-llama/Llama-3.1-8B-Instruct")
    done = run_command("results", "task.json", *ground)
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "memory 70 GB measured, " in text and "GB expected (" in text
    assert text.count("runs KV cache FP8 e4m3 storage; attention FP8") == 2
    assert text.count("runs KV cache 16-bit") == 2 and "linear layers" not in text  # all alike
    page = run_command("results", "task.json", *ground, "--html").stdout
    assert page.count("GB expected (") == page.count("runs KV cache") == 4
    table = run_command("results", "task.json", *ground, "--csv").stdout
    assert "memory_usage [GB] expected" in table.splitlines()[0]


def test_machine_forms(folder: Path) -> None:
    fill("one.jsonl")
    data = json.loads(run_command("results", "task.json", "one.jsonl", "--json").stdout)
    assert data["best"] == 1 and data["front"] == {
        "metrics": ["throughput", "ttft"],
        "rows": [3, 1, 2],
    }
    assert data["counts"] == {"success": 4, "failed": 0, "unfinished": 0, "not-run": 0}
    table = run_command("results", "task.json", "one.jsonl", "--csv").stdout.splitlines()
    assert table[0].startswith("index,signature,label,status") and len(table) == 5
    run_command("plan", "task.json", "--jsonl", "--out", "plan.jsonl")
    again = json.loads(run_command("results", "plan.jsonl", "one.jsonl", "--json").stdout)
    assert again["rows"][1]["metrics"] == data["rows"][1]["metrics"] and again["best"] == 1


def test_import_and_strict(folder: Path) -> None:
    (folder / "bench.json").write_text(json.dumps(GUIDELLM))
    done = run_command("results", "task.json", "--strict")
    assert done.returncode == 1 and "does not exist yet" in done.stderr
    done = run_command("results", "task.json", "--import", "2=bench.json", "--strict")
    assert done.returncode == 0 and "the best of 2 loads" in done.stderr
    assert "experiment 2" in done.stdout and "throughput 100 tok/s" in done.stdout
    assert "ttft_p99" not in done.stdout and "percentiles and deviations" in done.stdout
    for wrong in ("9=bench.json", "x=bench.json", "bench.json"):
        assert run_command("results", "task.json", "--import", wrong).returncode == 2
    assert run_command("results", "task.json", "--import", "1=task.json").returncode == 2
    assert run_command("results", "task.json", "--by", "nope").returncode == 2
    assert run_command("results", "task.json", "--out", "x.txt").returncode == 2


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_holds_the_table_and_injects_nothing(folder: Path) -> None:
    planned = fill()
    hostile = "<img src=x onerror=alert(1)>\"'"
    ledger = Ledger("task.json.ledger.jsonl")
    ledger.record(planned[0].signature, "failed", reason=hostile)
    ledger.record(planned[1].signature, "success", metrics={f"{hostile} [s]": 5})
    done = run_command("results", "task.json", "--html", "--out", "page.html")
    assert done.returncode == 0, done.stderr
    page = Page()
    text = (folder / "page.html").read_text()
    page.feed(text)
    assert "script" not in page.tags and "img" not in page.tags
    assert not [name for name in page.attributes if name.startswith("on")]
    assert not re.search(r"https?://|url\(", text)
    assert hostile in page.text and "Nothing beats in both" in page.text


def test_a_hundred_thousand_lines_are_read(folder: Path) -> None:
    task = {**TASK, "parameters": {"max-num-seqs": list(range(1, 501))}}
    planned = quantmap.plan(task)
    line = (
        '{"signature":"%s","status":"success","metrics":{"throughput [tok/s]":%d,"ttft [s]":0.5}}\n'
    )
    lines = [line % (one.signature, 900 + i) for i in range(100) for one in planned]
    assert len(lines) == 100_000
    (folder / "big.jsonl").write_text("".join(lines))
    results = planned.results(folder / "big.jsonl")
    assert [row.metrics["ttft"].count for row in results.rows] == [100] * len(results.rows)
    assert len(results.rows) == 1000
