"""Spread a task's experiments over the machines of a Ray cluster, each launch once.

    python examples/ray_tune.py task.json

`measure` is what is yours: start the server, load it, return its metrics. Here it makes numbers up.
"""

from __future__ import annotations

import os
import sys

import quantmap
from quantmap.ledger import Ledger
from ray import tune

LEDGER = "runs.jsonl"  # on a file system that the machines share, or one for each machine


def measure(arguments: dict[str, str | bool]) -> dict[str, float]:
    """Made-up numbers; yours come from a server that was started with these arguments."""
    sequences = float(arguments.get("--max-num-seqs", 1))
    return {"throughput": 40 * sequences**0.5, "ttft": 0.01 * sequences}


def main(task: str) -> None:
    """Try every launch of the task once."""
    experiments = {one.signature: one.args for one in quantmap.plan(task)}
    ledger = os.path.abspath(LEDGER)  # each trial has a folder of its own

    def trial(config: dict[str, str]) -> None:
        metrics = measure(experiments[config["signature"]])
        Ledger(ledger).record(config["signature"], "success", metrics=metrics)
        tune.report(metrics)

    tuner = tune.Tuner(trial, param_space={"signature": tune.grid_search(list(experiments))})
    best = tuner.fit().get_best_result("throughput", "max")
    print(f"best: {best.config['signature']} {best.metrics['throughput']:.0f} tok/s")


if __name__ == "__main__":
    main(sys.argv[1])
