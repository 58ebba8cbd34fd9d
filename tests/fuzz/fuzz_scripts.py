#!/usr/bin/env python3
"""Made-up scripts, containers and logs through check_script and why: no crash, no hang.

Usage: fuzz_scripts.py [--count N] [--seed S]; a million by default, the same ones every time.

Each text is made of pieces of real ones, joined, cut and doubled. Batches run in a process of their
own: one that dies is told with the numbers of its texts, and `--first K --count 1` runs one again.
"""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path

import quantmap

sys.path.insert(0, str(Path(__file__).resolve().parent))
import batches
from script_forms import FORMS
from script_seeds import SEEDS

BATCH = 5_000
PIECES = (
    *SEEDS,
    "services:\n  a:\n    image: vllm/vllm-openai:v0.11.0\n    command: --model m --dtype fp16\n",
    "FROM lmsysorg/sglang:v0.5.6\nENV A=1\nCMD python3 -m sglang.launch_server --model-path m\n",
    '["vllm", "serve", "m", "--port", "1"]',
    'f() { local m=$1; shift; vllm serve $m "$@"; }\nf m --port 1\nf m2\n',
    'C="vllm serve m"\nif a; then C="$C --port 1"; else C="x"; fi\neval "$C" --dtype half\n',
    "image: vllm/vllm-openai:v0.11.0\nargs:\n  - --model={{ .m | quote }}\n  {{- toYaml .x }}\n",
    "@echo off\nset M=m\ndocker run ^\n vllm/vllm-openai:v0.11.0 ^\n --model %M% --port __P__\n",
    "```bash\nexport M=m\npip install vllm==0.8.5\n```\n```\nvllm serve $M --x {a b}\n```\n",
    "cat > c.yaml <<EOF\nmodel: $M\nkv-cache-dtype: $K\nEOF\nvllm serve --config c.yaml\n",
    "cat <<EOF | kubectl apply -f -\nimage: vllm/vllm-openai\nargs: [--model, $M]\nEOF\n",
    "M=a; while [ $# -gt 0 ]; do case $1 in -m) M=$2; shift;; esac; done; vllm serve $M -tp 1\n",
    "apptainer pull v.sif docker://vllm/vllm-openai:v0.11.0; apptainer run v.sif vllm --help\n",
    "git clone https://github.com/a/vllm-b\npip install git+https://github.com/c/sglang@d\n",
    "[Service]\nEnvironment=A=1\nExecStart=vllm serve m \\\n --nosuch\n",
    "<!DOCTYPE html><html><pre><b>vllm</b> serve m &amp;&amp; x</pre><br></html>",
    "{\"t\": 1, \"cmd\": \"vllm serve m --seed 42\"}\n{'cmd': ['vllm', 'serve', 'm']}\n",
    "import x\na = ['vllm', 'serve', 'm']\nb = [*a, '--port', '1']\nrun(b + [*a, c])\na = a + b\n",
    *FORMS,
    "ValueError: Invalid kv_cache_dtype: 'x'. Valid values are: []\n",
    "vllm serve: error: argument --kv-cache-dtype: invalid choice: 'fp9'\n",
    '  File "/x/vllm/config/model.py", line 3, in verify\n',
    "non-default args: {'model': 'm', 'kv_cache_dtype': 'fp8', 'x': {'y': [1]}}\n",
)
JOINTS = " \n\t\\\"'`$(){}[]<>|&;#=*?~!%^,:-0\u2014\u202e\x00é"
WORDS = tuple(word for piece in PIECES for word in piece.split())


def made(number: int, seed: int) -> str:
    """The text of a number."""
    chance = random.Random(f"{seed}/{number}")
    parts: list[str] = []
    for _ in range(chance.randint(1, 6)):
        source = chance.choice(PIECES) if chance.random() < 0.5 else chance.choice(WORDS)
        begin, end = sorted(chance.randint(0, len(source)) for _ in range(2))
        parts.append(source if chance.random() < 0.5 else source[begin:end])
        parts.append("".join(chance.choices(JOINTS, k=chance.randint(0, 3))))
        if chance.random() < 0.05:
            parts[-1] *= chance.choice((2, 50, 500, 20_000))
    return "".join(parts)


def try_one(text: str) -> None:
    """Every reader of pasted text on one text: a ConfigError is an answer."""
    for read in (quantmap.check_script, quantmap.why):
        try:
            found = read(text)
        except quantmap.ConfigError:
            continue
        if found is not None:
            found.to_dict()


def main(arguments: list[str] | None = None) -> int:
    """The command: 0 when every text was read."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    batches.options_of(parser)
    options = parser.parse_args(arguments)
    for piece in PIECES:  # what is loaded once is loaded here, for all children
        try_one(piece)
    return batches.run(options, BATCH, "text", lambda number: try_one(made(number, options.seed)))


if __name__ == "__main__":
    sys.exit(main())
