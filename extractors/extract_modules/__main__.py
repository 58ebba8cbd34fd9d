"""Write how sglang-jax names the modules of each architecture, and from which tensors they come.

    PYTHONPATH=TREE python extractors/extract_modules OUT.json

TREE holds the unpacked wheel; jax, flax and transformers are installed, of every other package a
stand-in is imported. Each model of the release is built with a small config, walked as the engine
walks it to quantize it, and asked for the tensors that it would load. Nothing is loaded.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import json
import os
import pkgutil
import re
import sys
import types
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from configs import COMMON, MORE

PACKAGE = "sgl_jax"
KEPT = ("GateLogit", "Embed", "ParallelLMHead")
EXPERTS = "__MOE_EXPERTS__"


class _Anything(type):
    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Stand

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__


class Stand(metaclass=_Anything):
    """Whatever a missing package has."""

    def __init__(self, *parts: Any, **named: Any) -> None:
        pass

    def __call__(self, *parts: Any, **named: Any) -> Any:
        return parts[0] if len(parts) == 1 and callable(parts[0]) else self

    __getattr__ = _Anything.__getattr__


class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds packages that are not installed."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        """A stand-in for everything that nothing else finds."""
        if name.split(".")[0] in (PACKAGE, "jax", "flax", "numpy"):
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec: Any) -> Any:
        """A module that has everything."""
        out: Any = types.ModuleType(spec.name)
        out.__path__ = []
        out.__getattr__ = lambda name: getattr(Stand, name)
        return out

    def exec_module(self, module: Any) -> None:
        """There is nothing to run."""


class Config:
    """The config of a model: what the engine asks for and does not find has its default."""

    def __init__(self, architecture: str) -> None:
        self.__dict__.update(COMMON)
        self.__dict__.update(MORE.get(architecture, {}))
        if self.__dict__.pop("nested", False):
            self.text_config = self

    def get(self, key: str, default: Any = None) -> Any:
        """As a dict has it."""
        return getattr(self, key, default)

    def get_text_config(self) -> Any:
        """Itself."""
        return self

    def is_kda_layer(self, index: int) -> bool:
        """Every other layer."""
        return index % 2 == 0


class Asked(Exception):
    """Raised with the mapping of tensors."""


class ModelConfig:
    """The engine's config around the model's."""

    num_hidden_layers = 4
    quantization_config = None
    model_path = "."

    def __init__(self, config: Config) -> None:
        self.hf_config = self.hf_text_config = config

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__dict__.get("hf_config"), name, None)

    def get_total_num_kv_heads(self) -> int:
        """As the config has it."""
        return 2

    def needs_kv_head_replication(self, *parts: Any) -> bool:
        """One device needs no copies."""
        return False


def walk(model: Any) -> dict[str, str]:
    """Path → class, of what `apply_linear_quantization` and `apply_moe_quantization` look at."""
    from flax import nnx
    from sgl_jax.srt.layers.linear import LinearBase
    from sgl_jax.srt.layers.moe import EPMoE, FusedEPMoE

    out: dict[str, str] = {}
    seen = set()

    def into(item: Any, path: str) -> None:
        if id(item) in seen:
            return
        seen.add(id(item))
        if isinstance(item, (LinearBase, EPMoE, FusedEPMoE)) or type(item).__name__ in KEPT:
            out[path] = type(item).__name__
            return
        for name, value in list(getattr(item, "__dict__", {}).items()):
            place = f"{path}/{name}" if path else name
            if isinstance(value, nnx.Module):
                into(value, place)
            elif isinstance(value, list):
                for index, part in enumerate(value):
                    if isinstance(part, nnx.Module):
                        into(part, f"{place}[{index}]")

    into(model, "")
    return out


def read(architecture: str, kind: Any) -> list[dict[str, Any]]:
    """The modules of one architecture, with numbers left out."""
    import jax
    import jax.numpy as jnp
    import sgl_jax.srt.utils.weight_utils as utils

    def ask(loader: Any, mappings: dict[str, Any], *parts: Any, **named: Any) -> None:
        raise Asked(dict(mappings))

    def start(loader: Any, *parts: Any, **named: Any) -> None:
        more = {"dummy_mode": True, "_weight_info_cache": {}, "_scan_weight_info": dict}
        loader.__dict__.update(named, **more)

    utils.WeightLoader.__init__ = start
    utils.WeightLoader.load_weights_from_safetensors = ask
    types_ = (jax.sharding.AxisType.Explicit,) * 2
    mesh = jax.make_mesh((1, 1), ("data", "tensor"), axis_types=types_)
    config = Config(architecture)
    with jax.set_mesh(mesh):
        model = kind(config, mesh=mesh, dtype=jnp.bfloat16)
        found = walk(model)
        mappings: dict[str, Any] = {}
        try:
            model.load_weights(ModelConfig(config))
        except Asked as asked:
            mappings = asked.args[0]
    return rows(found, mappings)


def rows(found: dict[str, str], mappings: dict[str, Any]) -> list[dict[str, Any]]:
    """Tensor name → paths and kind, each once for all layers and experts."""
    by_dots = {re.sub(r"\[(\d+)\]", r".\1", path).replace("/", "."): path for path in found}
    out: dict[str, dict[str, Any]] = {}
    for name, mapping in mappings.items():
        target = getattr(mapping, "target_path", mapping)
        targets = [target] if isinstance(target, str) else list(target)
        names = [name]
        if name.startswith(EXPERTS):
            names, targets = targets[1:], targets[:1]
        paths = [by_dots.get(one.rpartition(".")[0]) for one in targets]
        for one in names:
            if not one.endswith(".weight") or None in paths or not paths:
                continue
            pattern = re.sub(r"(?<=\.)\d+(?=\.|$)", "{}", one[: -len(".weight")])
            places = [re.sub(r"(?<=\[)\d+(?=\])|(?<=/)\d+(?=/|$)", "{}", path) for path in paths]
            kind = found[paths[0]]
            word = "linear" if kind == "LinearBase" else "kept" if kind in KEPT else "experts"
            out.setdefault(pattern, {"name": pattern, "paths": places, "kind": word})
    return list(out.values())


def main() -> int:
    """The command."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import flax  # noqa: F401
    import jax  # noqa: F401
    import transformers  # noqa: F401

    stand_ins = Missing()
    sys.meta_path.append(stand_ins)
    flax_utils = "transformers.modeling_flax_utils"  # it needs more than its names
    spec = importlib.machinery.ModuleSpec(flax_utils, stand_ins)
    sys.modules[flax_utils] = stand_ins.create_module(spec)
    package = importlib.import_module(f"{PACKAGE}.srt.models")
    models: list[dict[str, Any]] = []
    for _, name, _ in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        try:
            module = importlib.import_module(name)
            entries = getattr(module, "EntryClass", [])
        except Exception as error:
            print(f"not read: {name}: {error}", file=sys.stderr)
            continue
        for kind in entries if isinstance(entries, list) else [entries]:
            try:
                modules = read(kind.__name__, kind)
            except Exception as error:
                print(f"not read: {kind.__name__}: {error}", file=sys.stderr)
                continue
            same = [model for model in models if model["modules"] == modules]
            if same:
                same[0]["architectures"].append(kind.__name__)
                continue
            file = name.replace(".", "/") + ".py"
            models.append({"architectures": [kind.__name__], "file": file, "modules": modules})
    write(models, Path(sys.argv[1]))
    return 0


def write(models: list[dict[str, Any]], path: Path) -> None:
    """One line for each module."""
    lines = []
    for model in models:
        head = {key: model[key] for key in ("architectures", "file")}
        inner = ",\n".join("      " + json.dumps(module) for module in model["modules"])
        lines.append(f'    {json.dumps(head)[:-1]}, "modules": [\n{inner}\n    ]}}')
    old = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept = {key: old.get(key, "") for key in ("schema", "read", "artifact")}
    head = ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in kept.items())
    path.write_text("{\n  " + head + ',\n  "models": [\n' + ",\n".join(lines) + "\n  ]\n}\n")


if __name__ == "__main__":
    sys.exit(main())
