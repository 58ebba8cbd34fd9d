"""Models whose sizes are published, as the documentation has them."""

from __future__ import annotations

import importlib.util
import sys
from typing import Any

from tests.python.sources import ROOT


def load_models() -> Any:
    """The table of named models, which the documentation shows too."""
    spec = importlib.util.spec_from_file_location("_models", ROOT / "docs" / "_models.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["_models"] = module
    spec.loader.exec_module(module)
    return module


TABLE = load_models()
SHAPES = {name: model.config for name, model in TABLE.BY_NAME.items()}
LLAMA = SHAPES["Meta-Llama-3-8B"]
