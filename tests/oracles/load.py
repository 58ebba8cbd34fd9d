"""Load a checkpoint with sglang-jax's own loader, and write what it holds then.

    SGLANG_JAX_TREE=TREE python tests/oracles/load.py MODEL OUT.npz

The engine's ModelConfig reads config.json and finds the quantization, and its loader makes the
layers ready for it and fills them. OUT has the codes (as bytes) and the scales of each layer by
the engine's own paths. Nothing of quantmap is imported; of packages that are not installed and
that loading does not need, a stand-in is.
"""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


def stand_ins(tree: str) -> None:
    """What the engine imports, is not installed, and loading does not use."""
    folder = ROOT / "cpp" / "tools" / "extract_modules"
    sys.path.insert(0, str(folder))
    spec = importlib.util.spec_from_file_location("extract_modules", folder / "__main__.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    wanted: set[str] = set()
    for path in Path(tree, "sgl_jax").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        wanted.update(re.findall(r"^\s*(?:import|from)\s+([A-Za-z]\w*)", text, re.M))
    absent = {name for name in wanted if importlib.util.find_spec(name) is None}

    class Absent(module.Missing):  # type: ignore[name-defined,misc]
        """Only these."""

        def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
            """A stand-in for a package that is not installed, and for what is in it."""
            return super().find_spec(name, path) if name.split(".")[0] in absent else None

    sys.meta_path.append(Absent())


def load(folder: str) -> Any:
    """The model as the engine has it after loading."""
    import jax
    from sgl_jax.srt.configs.load_config import LoadConfig
    from sgl_jax.srt.configs.model_config import ModelConfig
    from sgl_jax.srt.model_loader.loader import JAXModelLoader

    types_ = (jax.sharding.AxisType.Explicit,) * 2
    mesh = jax.make_mesh((1, 1), ("data", "tensor"), axis_types=types_)
    config = ModelConfig(folder, dtype="bfloat16", moe_backend="epmoe")
    loader = JAXModelLoader(LoadConfig(), mesh)
    return loader.load_model(model_config=config)


def main() -> int:
    """The command."""
    folder, out = sys.argv[1:3]
    sys.path.insert(0, os.environ["SGLANG_JAX_TREE"])
    stand_ins(os.environ["SGLANG_JAX_TREE"])
    from flax import nnx

    arrays = {}
    for path, value in nnx.to_flat_state(nnx.state(load(folder))):
        array = np.asarray(value.get_value() if hasattr(value, "get_value") else value.value)
        kept = array.view(np.uint8) if array.dtype.itemsize == 1 else array.astype(np.float32)
        arrays["/".join(str(part) for part in path)] = kept
    np.savez(out, **arrays)
    print(f"{len(arrays)} arrays")
    return 0


if __name__ == "__main__":
    sys.exit(main())
