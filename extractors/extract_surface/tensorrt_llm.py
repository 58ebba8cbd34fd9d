"""Reader for TensorRT-LLM: the options of ``trtllm-serve``.

The public index carries stubs without source, which fetch the real wheels from elsewhere.
For those, what is known by other evidence stands in ``facts/tensorrt_llm.json``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .click_reader import read_command
from .readers import ReadError, Surface, interpreter
from .versions import sort_key

_MODULE = "tensorrt_llm.commands.serve"
_FACTS = Path(__file__).with_name("facts") / "tensorrt_llm.json"


def read(folder: Path) -> Surface:
    """Read one TensorRT-LLM release: its source if the package carries it, else the facts."""
    if (folder / "tensorrt_llm").is_dir():
        return Surface(read_command(interpreter(folder), _MODULE, "serve"))
    return from_facts(json.loads(_FACTS.read_text(encoding="utf-8")), folder.name)


def from_facts(facts: dict[str, Any], version: str) -> Surface:
    """Return what the facts say about a release: the newest state that is not newer.

    Raises:
        ReadError: the release is older than the first state.
    """
    held: dict[str, Any] | None = None
    for state in facts["states"]:
        if sort_key(state["since"]) <= sort_key(version):
            held = state
    if held is None:
        raise ReadError(f"no facts as old as {version}")
    row = {"provenance": "facts", "evidence": held["evidence"], "whole": held["whole"]}
    return Surface(dict(held["flags"]), provenance=row, never=list(facts["never"]))
