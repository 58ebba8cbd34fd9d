"""A checkpoint that quantmap wrote, loaded by sglang-jax itself (`nox -s oracles_jax`)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import quantmap
from safetensors.numpy import save_file

from tests.python.test_quality import FILE, weights

ROOT = Path(__file__).resolve().parents[2]
SCHEME = "sglang_jax@0.1.0rc0:fp8/channel"
# A small model of an architecture whose loader takes FP8 checkpoints with one scale for a channel.
CONFIG = {
    "architectures": ["Glm4MoeForCausalLM"],
    "model_type": "glm4_moe",
    "hidden_size": 256,
    "intermediate_size": 512,
    "moe_intermediate_size": 256,
    "num_hidden_layers": 2,
    "first_k_dense_replace": 1,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "n_routed_experts": 4,
    "num_experts_per_tok": 2,
    "n_shared_experts": 1,
    "n_group": 1,
    "topk_group": 1,
    "vocab_size": 512,
    "max_position_embeddings": 256,
    "use_qk_norm": True,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}
ATTENTION = {"q_proj": (512, 256), "k_proj": (256, 256), "v_proj": (256, 256)}
ATTENTION["o_proj"] = (256, 512)
MLP = {"gate_proj": "wi_0", "up_proj": "wi_1", "down_proj": "wo"}


def linears() -> dict[str, tuple[int, int]]:
    """Module → its shape."""
    out = {}
    for layer, wide in ((0, 512), (1, 256)):
        place = f"model.layers.{layer}"
        out.update({f"{place}.self_attn.{name}": size for name, size in ATTENTION.items()})
        experts = [f"experts.{index}." for index in range(4)]
        for part in [""] if layer == 0 else [*experts, "shared_experts."]:
            for name in MLP:
                size = (256, wide) if name == "down_proj" else (wide, 256)
                out[f"{place}.mlp.{part}{name}"] = size
    return out


def model(folder: Path) -> Path:
    """The checkpoint before it is quantized."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG))
    tensors: dict[str, Any] = {}
    for seed, (name, size) in enumerate(linears().items()):
        tensors[f"{name}.weight"] = weights(*size, seed)
    for name in ("model.embed_tokens", "lm_head"):
        tensors[f"{name}.weight"] = weights(512, 256, 99)
    ones = {"model.norm": 256}
    for layer in range(2):
        place = f"model.layers.{layer}"
        ones.update({f"{place}.{name}_layernorm": 256 for name in ("input", "post_attention")})
        ones.update({f"{place}.self_attn.{name}_norm": 128 for name in "qk"})
    for name, size in ones.items():
        tensors[f"{name}.weight"] = np.ones(size, ml_dtypes.bfloat16)
    tensors["model.layers.1.mlp.gate.weight"] = weights(4, 256, 98)
    tensors["model.layers.1.mlp.gate.e_score_correction_bias"] = np.zeros(4, np.float32)
    save_file(tensors, folder / FILE)
    return folder


def loaded(arrays: Any, name: str) -> tuple[Any, Any]:
    """Codes, outputs by inputs, and scales of a module where the engine keeps them."""
    place = name.replace(".", "/").replace("o_proj", "c_proj")
    if "shared_experts" in place:  # a sibling of the experts there
        place = place.replace("mlp/shared", "shared")
    if "/experts/" not in place:
        return arrays[f"{place}/weight_q"].T, arrays[f"{place}/weight_scale"]
    head, _, rest = place.partition("/experts/")
    index, _, kind = rest.partition("/")
    codes, scale = arrays[f"{head}/{MLP[kind]}"], arrays[f"{head}/{MLP[kind]}_scale"]
    return codes[int(index)].T, scale[int(index)].ravel()


def test_loader_of_the_engine(tmp_path: Path) -> None:
    """Every code and every scale that the engine holds after loading is the one of the recipe."""
    pytest.importorskip("jax")
    if "SGLANG_JAX_TREE" not in os.environ:
        pytest.skip("SGLANG_JAX_TREE names no unpacked wheel")
    folder = model(tmp_path / "m")
    quantmap.quantize_checkpoint(folder, tmp_path / "out", SCHEME)
    script = ROOT / "tests" / "oracles" / "load.py"
    line = [sys.executable, str(script), str(tmp_path / "out"), str(tmp_path / "held.npz")]
    done = subprocess.run(line, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(tmp_path / "held.npz") as arrays:
        for name in linears():
            ours = quantmap.quantize(folder / FILE, SCHEME, tensor=f"{name}.weight")
            codes, scale = loaded(arrays, name)
            assert np.array_equal(codes, np.asarray(ours.codes).view(np.uint8)), name
            assert np.array_equal(scale, np.ravel(np.asarray(ours.scale))), name
