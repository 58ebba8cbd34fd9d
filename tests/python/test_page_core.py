"""The page's core without a browser: compiled for it, run by node, the same answers as Python's.

`nox -s page` compiles it; elsewhere the test is skipped.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.python import tsc
from tests.python.page_answers import ROOT, compare, questions

FOLDER = ROOT / "python" / "quantmap" / "page"
PAGE = FOLDER / "quantmap.html"
# The page's own program opens the module that the page holds; of a browser it wants one element.
RUN = """
const fs = require("fs"), vm = require("vm");
const [page, program] = process.argv.slice(2).map((name) => fs.readFileSync(name, "utf8"));
const packed = page.match(/id="module">([^<]*)</)[1];
globalThis.document = { getElementById: () => ({ textContent: packed }) };
vm.runInThisContext(program + "; globalThis.door = { openCore, ask };");
door.openCore().then(() => {
  const asked = JSON.parse(fs.readFileSync(0, "utf8"));
  console.log(JSON.stringify(asked.map((one) => door.ask("explain", one))));
});
"""


@pytest.mark.skipif(not PAGE.exists(), reason="the page was not built: nox -s page does")
def test_the_compiled_core_answers_as_python_does(tmp_path: Path) -> None:
    program = tmp_path / "run.js"
    program.write_text(RUN, encoding="utf-8")
    asked = questions(2000)
    done = subprocess.run(
        [tsc.node(), program, PAGE, FOLDER / "core.js"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert len(answers) == len(asked)
    for question, answer in zip(asked, answers):
        compare(question, answer)
