"""Writes libFuzzer's seed corpus of scripts.

Usage: script_seeds.py CORPUS_DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

SEEDS = (
    "A=1 vllm serve m --port $PORT > log 2>&1 &",
    'ARGS=(--a "b c")\nARGS+=(-d)\nvllm serve m "${ARGS[@]}" ${X:-1}',
    "cat > f.yml <<EOF\na: $B\nEOF\nvllm serve --config f.yml",
    "if [[ a < b ]]; then A=1; else A=2; fi; for x in 1 2; do vllm serve $A; done",
    "case $x in a|b) vllm serve m;; *) ;; esac",
    "bash -lc 'sglang serve --model-path m' && ssh h \"vllm serve m\"",
    "docker run -e A=1 --gpus all vllm/vllm-openai:v0.11.0 --model m \\\n  --dtype auto",
    "f() { trtllm-serve $1 --tp_size $(nvidia-smi | wc -l) `x`; }; (f) | tee log",
    "lmsysorg/sglang:nightly-dev-20260605-abc python3 -m sglang.launch_server --model-path <M>",
)


def main(corpus: Path) -> None:
    """One file a seed."""
    corpus.mkdir(parents=True, exist_ok=True)
    for number, text in enumerate(SEEDS):
        (corpus / str(number)).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
