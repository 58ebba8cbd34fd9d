"""Run the engines' own functions and write what they give.

    python tests/oracles/run.py LIBRARY OUT [--large]

LIBRARY is compressed_tensors (with torch), or sglang_jax (with jax), vllm or sglang (with torch):
the functions of these are cut out of the unpacked wheels that SGLANG_JAX_TREE, VLLM_TREE and
SGLANG_TREE name. OUT is a JSON file; tests/python/test_numerics_oracles.py compares it with
quantmap, and takes a folder of them in QUANTMAP_ORACLES. With --large the arrays are larger and
only hashes are kept. Nothing of quantmap is imported.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from inputs import bits

TYPES = ("bf16", "f16", "f32")
_KEPT = 4096  # numbers up to which codes are kept as they are


def entry(
    recipe: str, kind: str, shape: tuple[int, int], seed: int, codes: Any, scale: Any, **more: Any
) -> dict[str, Any]:
    """One case: the codes as bytes, the scales as floats or bytes."""
    data = np.ascontiguousarray(codes).view(np.uint8).tobytes()
    out: dict[str, Any] = {"recipe": recipe, "type": kind, "shape": list(shape), "seed": seed}
    out["codes_sha256"] = hashlib.sha256(data).hexdigest()
    if len(data) <= _KEPT:
        out["codes"] = base64.b64encode(zlib.compress(data, 9)).decode()
    flat = np.ascontiguousarray(scale)
    out["scale_type"] = str(flat.dtype)
    out["scale_sha256"] = hashlib.sha256(flat.tobytes()).hexdigest()
    if flat.size <= _KEPT:
        out["scale"] = base64.b64encode(zlib.compress(flat.tobytes(), 9)).decode()
    return {**out, **more}


def sglang_jax(large: bool) -> list[dict[str, Any]]:
    """The functions of sgl_jax that quantize weights and activations."""
    import itertools
    from types import SimpleNamespace

    import jax
    import jax.numpy as jnp
    import ml_dtypes
    from jax.sharding import NamedSharding, PartitionSpec

    tree = f"{os.environ['SGLANG_JAX_TREE']}/sgl_jax/srt"
    space: dict[str, Any] = {"jax": jax, "jnp": jnp, "itertools": itertools}
    space.update(NamedSharding=NamedSharding, P=PartitionSpec)
    names = ("_get_block_reshape_sharding", "_get_safe_block_quant_input_sharding")
    names += ("quantize_tensor_simple", "quantize_tensor")
    exec(cut(f"{tree}/utils/quantization/quantization_utils.py", *names), space)
    blocks = f"{tree}/kernels/quantized_matmul/quantized_matmul_kernels/util.py"
    exec(cut(blocks, "get_max_min", "quantize_block"), space)
    utils = SimpleNamespace(**space)
    numbers = {"bf16": ml_dtypes.bfloat16, "f16": np.float16, "f32": np.float32}
    dtypes = {"int8": jnp.int8, "fp8": jnp.float8_e4m3fn, "fp8_e5m2": jnp.float8_e5m2}
    shape = (96, 2048) if large else (6, 512)
    out = []
    for kind in TYPES:
        array = jnp.asarray(bits(kind, shape, 1).view(numbers[kind]))
        for word, dtype in dtypes.items():
            codes, scale = utils.quantize_tensor(dtype, array, 1)
            again = jax.jit(lambda x, d=dtype: utils.quantize_tensor(d, x, 1))(array)
            assert (np.asarray(again[0]).view(np.uint8) == np.asarray(codes).view(np.uint8)).all()
            out.append(entry(f"{word}/channel", kind, shape, 1, codes, np.asarray(scale)))
            if word == "fp8_e5m2":
                continue
            out.append(entry(f"{word}/moe", kind, shape, 1, codes, np.asarray(scale)))
            experts = jnp.swapaxes(array, 0, 1)[None]  # [E, k, n]
            fused, scales = utils.quantize_tensor(dtype, experts, 1, 256)
            place = np.asarray(fused)[0].T
            grid = np.asarray(scales).reshape(-1, shape[0]).T
            out.append(entry(f"{word}/moe_fused", kind, shape, 1, place, grid))
            token, scales = utils.quantize_tensor_simple(array, dtype)
            out.append(entry(f"{word}/token", kind, shape, 1, token, np.asarray(scales)))
            block = (300, 520) if large else (130, 200)
            square = jnp.asarray(bits(kind, block, 2).view(numbers[kind]))
            codes2, scale2 = utils.quantize_tensor(dtype, square, (0, 1), [128, 128], True)
            inner = np.asarray(codes2)[: block[0], : block[1]]
            out.append(entry(f"{word}/block128", kind, block, 2, inner, np.asarray(scale2)))
            parts = array.reshape(shape[0], -1, 128)
            coded, scales = utils.quantize_block(parts, -1, dtype)
            grid = np.asarray(scales).reshape(shape[0], -1).astype(np.float32)
            coded = np.asarray(coded).reshape(shape)
            out.append(entry(f"{word}/token_block128", kind, shape, 1, coded, grid))
    return out


def compressed_tensors(large: bool) -> list[dict[str, Any]]:
    """calculate_qparams and quantize of the library, for its preset schemes."""
    import torch
    from compressed_tensors.quantization.lifecycle.forward import quantize
    from compressed_tensors.quantization.quant_scheme import PRESET_SCHEMES
    from compressed_tensors.quantization.utils import calculate_qparams, generate_gparam

    numbers = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
    names = ("INT8", "FP8", "FP8_DYNAMIC", "FP8_BLOCK", "W4A16", "W4A16_ASYM", "W8A16")
    names += ("NVFP4A16", "MXFP4A16", "MXFP8A16")
    levels = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    out = []
    for kind in TYPES:
        for name in names:
            args = PRESET_SCHEMES[name]["weights"]
            shape = (96, 2048) if large else (6, 512)
            if name == "FP8_BLOCK":
                shape = (300, 520) if large else (130, 200)
            raw = bits(kind, shape, 3)
            if name in ("NVFP4A16",):
                raw[1] = raw[0]
            array = torch.from_numpy(raw.view(np.int32 if kind == "f32" else np.int16)).view(
                numbers[kind]
            )
            strategy = str(getattr(args.strategy, "value", args.strategy))
            more: dict[str, Any] = {}
            total = None
            if strategy == "block":
                tall, wide = args.block_structure
                padded = torch.nn.functional.pad(array, (0, -shape[1] % wide, 0, -shape[0] % tall))
                tiles = padded.reshape(-1, tall, padded.shape[1] // wide, wide)
                low, high = tiles.amin(dim=(1, 3)), tiles.amax(dim=(1, 3))
            elif "group" in strategy:
                tiles = array.unflatten(-1, (-1, args.group_size))
                low, high = tiles.amin(-1), tiles.amax(-1)
            elif strategy == "channel":
                low, high = array.amin(-1, keepdim=True), array.amax(-1, keepdim=True)
            else:
                low, high = array.amin().reshape(1), array.amax().reshape(1)
            if strategy == "tensor_group":
                total = generate_gparam(array.amin(), array.amax())
                more["global"] = float(total[0])
            scale, zero = calculate_qparams(low, high, args, total)
            coded = quantize(array, scale, zero, args, global_scale=total)
            if str(getattr(args.type, "value", args.type)) == "int":
                codes = coded.to(torch.int8).numpy()
            elif args.num_bits == 8:
                codes = coded.to(torch.float8_e4m3fn).view(torch.uint8).numpy()
            else:
                magnitude = coded.abs().float().numpy()
                codes = np.searchsorted(levels, magnitude).astype(np.uint8)
                codes |= (np.signbit(coded.float().numpy()).astype(np.uint8) << 3).astype(np.uint8)
            if not args.symmetric:
                more["zero"] = zero.flatten().tolist()
            out.append(entry(name, kind, shape, 3, codes, scale.float().numpy(), **more))
    return out


def cut(path: str, *names: str) -> str:
    """Functions and classes of a source file, as text; decorators are left out."""
    source = Path(path).read_text(encoding="utf-8")
    out = []
    for name in names:
        found = re.search(rf"^(?:def|class) {name}\b.*?(?=^\S(?<!\))|\Z)", source, re.M | re.S)
        assert found, f"{path} has no {name}"
        out.append(found[0])
    return "\n".join(out)


def torch_case(recipe: str, kind: str, shape: tuple[int, int], seed: int) -> Any:
    """A torch tensor of a case."""
    import torch

    numbers = {"bf16": torch.bfloat16, "f16": torch.float16, "f32": torch.float32}
    raw = bits(kind, shape, seed)
    return torch.from_numpy(raw.view(np.int32 if kind == "f32" else np.int16)).view(numbers[kind])


def vllm(large: bool) -> list[dict[str, Any]]:
    """Functions of vLLM's online quantization that are plain torch."""
    import torch

    tree = os.environ["VLLM_TREE"]
    layers = f"{tree}/vllm/model_executor/layers/quantization"
    space: dict[str, Any] = {"torch": torch}
    space["get_fp8_min_max"] = lambda: (-448.0, 448.0)
    space["_QUANT_CHUNK_ELEMS"] = 1 << 24
    space["current_platform"] = type(
        "P", (), {"fp8_dtype": staticmethod(lambda: torch.float8_e4m3fn)}
    )
    names = ("_fp8_max", "_fp8_scale", "_fp8_channel_scale", "_fp8_quant_per_channel")
    exec(cut(f"{layers}/online/fp8.py", *names), space)
    space["DEFAULT_BLOCK_SIZE"] = [128, 128]
    space["cdiv"] = lambda a, b: -(-a // b)
    exec(cut(f"{tree}/vllm/utils/deep_gemm.py", "_align", "per_block_cast_to_fp8"), space)
    space["MXFP8_BLOCK_SIZE"], space["MXFP8_VALUE_DTYPE"] = 32, torch.float8_e4m3fn
    exec(cut(f"{layers}/utils/mxfp8_utils.py", "_mxfp8_e4m3_quantize_torch"), space)
    space["FLOAT4_E2M1_MAX_RECIPROCAL"] = 1 / 6
    names = ("get_reciprocal", "cast_to_fp4", "ref_nvfp4_quant")
    exec(cut(f"{layers}/utils/nvfp4_emulation_utils.py", *names), space)
    levels = [0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]
    out = []
    for kind in TYPES:
        shape = (96, 2048) if large else (6, 512)
        array = torch_case("", kind, shape, 4)
        scale = space["_fp8_channel_scale"](array.abs().amax(-1, keepdim=True))
        codes = space["_fp8_quant_per_channel"](array, scale).view(torch.uint8).numpy()
        out.append(entry("fp8_per_channel", kind, shape, 4, codes, scale.numpy()))
        codes8, bits8 = space["_mxfp8_e4m3_quantize_torch"](array)
        out.append(entry("mxfp8", kind, shape, 4, codes8.view(torch.uint8).numpy(), bits8.numpy()))
        total = 2688.0 / array.abs().amax().float().clamp_min(1e-8)
        fp4, block = space["ref_nvfp4_quant"](array, total, 16)
        coded = np.searchsorted(levels, fp4.abs().numpy()).astype(np.uint8)
        coded |= (np.signbit(fp4.numpy()).astype(np.uint8) << 3).astype(np.uint8)
        out.append(entry("nvfp4", kind, shape, 4, coded, block.numpy(), **{"global": float(total)}))
        square = (300, 520) if large else (130, 200)
        array = torch_case("", kind, square, 5)
        codes2, scale2 = space["per_block_cast_to_fp8"](array)
        out.append(
            entry(
                "fp8_per_block", kind, square, 5, codes2.view(torch.uint8).numpy(), scale2.numpy()
            )
        )
    return out


def sglang(large: bool) -> list[dict[str, Any]]:
    """Functions of SGLang that are plain torch."""
    from typing import Optional

    import torch

    tree = os.environ["SGLANG_TREE"]
    base = f"{tree}/sglang/srt/layers/quantization"
    space: dict[str, Any] = {"torch": torch, "Optional": Optional, "Tuple": tuple}
    space.update(fp8_dtype=torch.float8_e4m3fn, _is_fp8_fnuz=False)
    exec(cut(f"{base}/fp8_utils.py", "input_to_float8"), space)
    exec(cut(f"{base}/mxfp4_tensor.py", "MXFP4QuantizeUtil"), space)

    class Utility(space["MXFP4QuantizeUtil"]):  # type: ignore[misc]
        """Keeps what it is made of."""

        def __init__(self, *parts: Any) -> None:
            self.parts = parts

    utility: Any = Utility
    out = []
    for kind in TYPES:
        shape = (96, 2048) if large else (6, 512)
        array = torch_case("", kind, shape, 6)
        codes, scale = space["input_to_float8"](array)
        out.append(
            entry(
                "fp8_per_tensor",
                kind,
                shape,
                6,
                codes.view(torch.uint8).numpy(),
                scale.reshape(1).numpy(),
            )
        )
        kept, bits8 = utility.quantize(array, 32)
        data = kept.parts[2].numpy()
        both = np.stack([data & 15, data >> 4], -1).reshape(shape)
        exponents = bits8.reshape(shape[0], -1).numpy()
        out.append(entry("mxfp4", kind, shape, 6, both, exponents))
    return out


def main() -> int:
    """The command."""
    library, path = sys.argv[1:3]
    run = {
        "sglang_jax": sglang_jax,
        "compressed_tensors": compressed_tensors,
        "vllm": vllm,
        "sglang": sglang,
    }
    cases = run[library]("--large" in sys.argv[3:])
    lines = ",\n".join(json.dumps(case, sort_keys=True) for case in cases)
    Path(path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"{library}: {len(cases)} cases")
    return 0


if __name__ == "__main__":
    sys.exit(main())
