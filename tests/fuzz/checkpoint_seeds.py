"""Small true files to begin with: ``checkpoint_seeds.py OUT_DIR``. The first byte is the kind."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

CONFIG = {
    "model_type": "gpt_oss",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "layer_types": ["sliding_attention", "full_attention"],
    "sliding_window": 8,
    "num_local_experts": 4,
    "quantization_config": {
        "quant_method": "compressed-tensors",
        "config_groups": {
            "g": {
                "weights": {"num_bits": 8, "type": "float", "strategy": "channel"},
                "input_activations": {"num_bits": 8, "type": "float", "strategy": "token"},
            }
        },
        "ignore": ["lm_head"],
        "kv_cache_scheme": {"num_bits": 8, "type": "float"},
    },
}
HEADER = {
    "__metadata__": {"format": "pt"},
    "a.weight": {"dtype": "F16", "shape": [4, 4], "data_offsets": [0, 32]},
    "a.weight_scale": {"dtype": "F32", "shape": [8], "data_offsets": [32, 64]},
}
SIDE = {"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "NVFP4"}}
INDEX = {"metadata": {}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}


def text(value: str) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(value)) + value.encode()


def gguf() -> bytes:
    """A GGUF file with a text, a number, an array and a tensor."""
    out = b"GGUF" + struct.pack("<IQQ", 3, 1, 3)
    out += text("general.architecture") + struct.pack("<I", 8) + text("llama")
    out += text("llama.block_count") + struct.pack("<II", 4, 2)
    out += text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 2) + text("a") + text("b")
    out += text("output.weight") + struct.pack("<IQQIQ", 2, 32, 2, 2, 0)
    return out + bytes(-len(out) % 32) + bytes(36)


def main(folder: Path) -> None:
    """Write one file for each kind."""
    folder.mkdir(parents=True, exist_ok=True)
    header = json.dumps(HEADER).encode()
    seeds = [
        json.dumps(CONFIG).encode(),
        struct.pack("<Q", len(header)) + header + bytes(64),
        header,
        gguf(),
        json.dumps(SIDE).encode(),
        json.dumps(INDEX).encode(),
        b'{"bits": 4, "group_size": 128, "quant_method": "gptq"}',
    ]
    for kind, seed in enumerate(seeds):
        (folder / f"kind-{kind}").write_bytes(bytes([kind]) + seed)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
