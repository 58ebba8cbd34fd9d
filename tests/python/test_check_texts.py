"""Launches in web pages, in logs of records, and in lists of Python that are put together."""

from __future__ import annotations

import pytest
from quantmap import CheckResult, check_script


def one(text: str) -> CheckResult:
    """The only launch of a text."""
    (launch,) = check_script(text).launches
    return launch


def verdicts(launch: CheckResult) -> dict[str, str]:
    """What is said of each argument."""
    return {verdict.argument: verdict.verdict for verdict in launch.verdicts}


PAGE = """\
<!DOCTYPE html>
<html><body><p>The vllm serve command is good.</p>
<pre><code><span class="k">vllm</span> serve a/b \\
  --kv-cache-dtype fp9 &amp;&amp; echo done</code></pre>
<pre>nothing</pre></body></html>
"""


def test_a_web_page() -> None:
    launch = one(PAGE)
    assert (launch.line, launch.model) == (3, "a/b")
    assert [(v.argument, v.value) for v in launch.verdicts] == [("--kv-cache-dtype", "fp9")]


RECORDS = """\
{"time": 1, "msg": "starting: vllm serve a/b --seed 42"}
{'time': 2, 'cmd': ['python3', '-m', 'sglang.launch_server', '--model-path', 'c/d', '--nosuch']}
Traceback: none
vllm serve e/f
"""


def test_lines_that_are_records() -> None:
    found = check_script(RECORDS).launches
    assert [(launch.line, launch.model) for launch in found] == [(1, "a/b"), (2, "c/d"), (4, "e/f")]
    assert verdicts(found[0]) == {"--seed": "accepted"}
    assert verdicts(found[1])["--nosuch"] == "unknown-flag"


def test_a_record_that_is_a_container_is_one() -> None:
    launch = one('{"image": "vllm/vllm-openai:v0.9.0", "args": ["--model", "m"]}')
    assert (launch.version, launch.model) == ("0.9.0", "m")


def test_a_sentence_of_a_program_is_no_launch() -> None:
    text = "import x\nraise ValueError('vllm serve --enable-it to switch them on.')\n"
    assert check_script(text).launches == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a = ['vllm', 'serve', 'm']\nb = ['--port', '1']\nrun(a + b)", {"--port"}),
        ("a = ['vllm', 'serve', 'm']\nb = ['--port', '1']\nrun([*a, *b])", {"--port"}),
        ("a = ['vllm', 'serve', 'm']\na = a + ['--port', '1']\nrun(a)", {"--port"}),
        ("b = ['--port', '1']\nb.append('--seed=2')\nrun(['vllm', 'serve', 'm'] + b)", None),
        ("b = []\nb = b + c\nrun(['vllm', 'serve', 'm'] + b)", {"{*c}"}),
        ("a = [*b]\nb = [*a]\nrun(['vllm', 'serve', 'm', *a])", {"{*a}"}),
    ],
    ids=["a sum", "stars", "itself and more", "what is appended", "a name", "each other"],
)
def test_lists_of_python_that_others_are_put_together_from(
    text: str, words: set[str] | None
) -> None:
    assert set(verdicts(one(text))) == (words or {"--port", "--seed"})


def test_a_sum_of_three_lists_is_one_launch() -> None:
    launch = one("a = ['vllm', 'serve', 'm']\nrun(a + ['--port', '1'] + more + [*rest])")
    assert set(verdicts(launch)) == {"--port", "{*more}", "{*rest}"}


def test_sums_that_grow_without_end_are_read_once() -> None:
    rows = [f"a{n} = " + " + ".join([f"a{n - 1}"] * 30) for n in range(1, 12)]
    text = "\n".join(["a0 = []", *rows, "run(['vllm', 'serve', 'm'] + a11)"])
    assert one(text).model == "m"


@pytest.mark.parametrize(
    "text",
    [
        "<html><pre>vllm serve m</pre>" + "<!--" * 200_000,
        "<html><pre>vllm serve m</pre>" + "<a x='" * 100_000,
        "<html><pre>vllm serve m</pre>" + "<pre" * 200_000,
        "```\nvllm serve m\n```\n" + "> " * 40 + "x```\n",
    ],
    ids=["comments", "quotes", "tags", "a quoted fence"],
)
def test_what_is_never_closed_ends(text: str) -> None:
    """Each of these took the square of its length, or worse."""
    assert one(text).model == "m"


def test_lists_that_double_each_other_end() -> None:
    rows = [f"a{n} = [*a{n - 1}, *a{n - 1}]" for n in range(1, 40)]
    text = "\n".join(["a0 = ['--x', 1]", *rows, "run(['vllm', 'serve', 'm', *a39])"])
    assert one(text).model == "m"
