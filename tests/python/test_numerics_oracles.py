"""quantmap against the engines' own functions: what tests/oracles/run.py wrote when it ran them."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import quantmap

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "oracles"))
from inputs import bits  # noqa: E402

# The releases whose functions ran.
RAN = {"sglang_jax": "0.1.0rc0", "compressed_tensors": "0.20.1", "vllm": "0.33.0"}
RAN["sglang"] = "0.5.23"
# A folder with the results of a larger run, else the small ones of the repository.
FOLDER = Path(os.environ.get("QUANTMAP_ORACLES", ROOT / "tests" / "golden" / "numerics"))
NUMPY = {"bf16": np.uint16, "f16": np.float16, "f32": np.float32}


def cases() -> list[Any]:
    """Every case of every library."""
    out = []
    for library, release in RAN.items():
        path = FOLDER / f"{library}.json"
        if not path.exists():  # a session runs those whose packages it has
            continue
        for case in json.loads(path.read_text(encoding="utf-8")):
            name = f"{library}@{release}:{case['recipe']}"
            out.append(pytest.param(name, case, id=f"{name} {case['type']}"))
    return out


def unpacked(text: str) -> bytes:
    """Bytes as the files keep them."""
    return zlib.decompress(base64.b64decode(text))


def quantized(name: str, case: dict[str, Any]) -> quantmap.Quantized:
    """The case in quantmap."""
    raw = bits(case["type"], tuple(case["shape"]), case["seed"])
    if name.endswith("NVFP4A16"):
        raw[1] = raw[0]
    return quantmap.quantize(raw.view(NUMPY[case["type"]]), name)


@pytest.mark.parametrize(("name", "case"), cases())
def test_codes_are_the_engine_s(name: str, case: dict[str, Any]) -> None:
    ours = quantized(name, case)
    codes = np.asarray(ours.codes).view(np.uint8)
    if name.startswith("sglang@") and case["recipe"] == "mxfp4":
        codes = signless_zeros(codes)
    if hashlib.sha256(codes.tobytes()).hexdigest() == case["codes_sha256"]:
        return
    if "codes" not in case:
        pytest.fail("the hash of the codes differs")
    theirs = np.frombuffer(unpacked(case["codes"]), np.uint8).reshape(case["shape"])
    if name.startswith("sglang@") and case["recipe"] == "mxfp4":
        theirs = signless_zeros(theirs)
    places = np.argwhere(codes != theirs)
    assert not len(places), (len(places), places[:3], codes[codes != theirs][:5])


def signless_zeros(codes: Any) -> Any:
    """SGLang gives the sign of a zero to what was zero before; both are zero."""
    return np.where(codes == 8, np.uint8(0), codes)


@pytest.mark.parametrize(("name", "case"), cases())
def test_scales_are_the_engine_s(name: str, case: dict[str, Any]) -> None:
    ours = quantized(name, case)
    if "global" in case:
        assert ours.global_scale == case["global"]
    if "zero" in case:
        assert np.asarray(ours.zero).flatten().tolist() == case["zero"]
    if "scale" not in case:
        return
    theirs = np.frombuffer(unpacked(case["scale"]), case["scale_type"])
    if case["scale_type"] == "uint8":
        assert np.asarray(ours.scale_bits).flatten().tolist() == theirs.tolist()
        return
    mine = np.asarray(ours.scale).flatten()
    # XLA computes amax / limit as a product: within one unit in the last place of the quotient.
    assert np.array_equal(mine, theirs), np.abs(mine / theirs - 1).max()
