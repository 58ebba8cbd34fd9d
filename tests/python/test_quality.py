"""Quality of a checkpoint's weights: numbers, honesty, files that are not what they say."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import quantmap
from safetensors.numpy import save_file

INT8, MXFP4 = "sglang_jax@0.1.0rc0:int8/channel", "vllm@0.33.0:mxfp4"


def weights(rows: int, columns: int, seed: int) -> Any:
    """A matrix in bfloat16."""
    drawn = np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
    return (drawn * np.float32(0.02)).astype(ml_dtypes.bfloat16)


def model(folder: Path, **more: Any) -> Path:
    """A small checkpoint with experts, a router, a head and an embedding."""
    tensors = {
        "model.embed_tokens.weight": weights(64, 128, 0),
        "model.layers.0.self_attn.q_proj.weight": weights(96, 128, 1),
        "model.layers.0.mlp.gate.weight": weights(8, 128, 2),
        "model.layers.0.mlp.experts.0.up_proj.weight": weights(256, 128, 3),
        "model.layers.0.mlp.experts.0.down_proj.weight": weights(128, 256, 4),
        "model.layers.0.input_layernorm.weight": weights(1, 128, 5)[0],
        "lm_head.weight": weights(64, 128, 6),
        **more,
    }
    folder.mkdir(exist_ok=True)
    save_file({name: np.ascontiguousarray(item) for name, item in tensors.items()}, folder / FILE)
    config = {"architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe"}
    (folder / "config.json").write_text(json.dumps({**config, "torch_dtype": "bfloat16"}))
    return folder


FILE = "model.safetensors"


def command(*words: Any) -> subprocess.CompletedProcess[str]:
    """The command, off a terminal."""
    line = [sys.executable, "-m", "quantmap", *map(str, words)]
    return subprocess.run(line, capture_output=True, encoding="utf-8", check=False)


def test_modules_and_totals(tmp_path: Path) -> None:
    found = quantmap.quality(model(tmp_path / "m"), [INT8, MXFP4], threads=2)
    assert [module.name.split(".")[-1] for module in found.modules] != []
    assert {module.kind for module in found.modules} == {"linear", "experts"}
    assert {item["kind"] for item in found.left_out} == {"embedding", "router", "head"}
    for name in (INT8, MXFP4):
        noise = signal = 0.0
        for module in found.modules:
            loaded = quantmap.quantize(tmp_path / "m" / FILE, name, tensor=f"{module.name}.weight")
            assert loaded.sqnr_db == module.results[name]["sqnr_db"]
            noise += loaded._sums["noise"]
            signal += loaded._sums["signal"]
        total = found.totals[name]
        assert total["sqnr_db"] == pytest.approx(10 * math.log10(signal / noise))
        assert total["modules"] == 3
    assert found.totals[MXFP4]["bits_per_weight"] == 4.25
    assert found.totals[INT8]["shrink"] < 0.995, "truncation makes weights smaller"
    assert json.loads(json.dumps(found.to_dict()))["model"] == str(tmp_path / "m")


def test_threads_change_nothing(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", **{"a.b.weight": weights(2000, 512, 9)})
    one = quantmap.quality(folder, engine="vllm@0.33.0", threads=1)
    many = quantmap.quality(folder, engine="vllm@0.33.0", threads=5)
    assert one.to_dict() == many.to_dict()
    assert all(recipe.use == "weight" for recipe in one.recipes) and len(one.recipes) >= 6


def test_a_release_of_an_engine_is_taken(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    old = quantmap.quality(folder, engine="sglang_jax@0.1.0rc0")
    new = quantmap.quality(folder, engine="sglang_jax@0.2.0")
    schemes = [recipe.scheme for recipe in old.recipes]
    place = schemes.index("int8/channel")
    lost = [found.totals[found.recipes[place].name]["sqnr_db"] for found in (old, new)]
    assert lost[1] - lost[0] > 5, "rounding is worth more than 5 dB"
    assert new.recipes[place].assumed


def test_nothing_is_said_that_weights_do_not_say(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    done = command("quality", folder, "--scheme", INT8, "--scheme", MXFP4)
    assert done.returncode == 0, done.stderr
    text = done.stdout.lower()
    for note in quantmap.quality(folder, [INT8]).notes:
        assert note.lower() in text
    without = "".join(line for line in text.splitlines(True) if not line.startswith("note:"))
    for word in ("accuracy", "perplexity", "sensitive", "best", "recommend", "predicted", "safe"):
        assert word not in without
    assert "rounds toward zero" in text and "left as it is: lm_head (head)" in text
    found = quantmap.quality(folder, [INT8, MXFP4])
    assert found.ranking is None and found.predicted is None


def test_coefficients_give_a_ranking(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    up, down = ("model.layers.0.mlp.experts.0." + name for name in ("up_proj", "down_proj"))
    file = tmp_path / "s.json"
    file.write_text(json.dumps({up: 1.0, down: 100.0}))
    found = quantmap.quality(folder, [INT8, MXFP4], sensitivity=file)
    assert found.ranking is not None and found.predicted is not None
    assert found.ranking[MXFP4] == [down, up]
    assert found.predicted[INT8] == 1 and found.predicted[MXFP4] > 10
    assert any("1 modules have no coefficient" in note for note in found.notes)
    for bad in ({"x": 1.0}, {up: -1}, {up: "1"}, [1]):
        file.write_text(json.dumps(bad))
        with pytest.raises(quantmap.ConfigError, match="coefficients"):
            quantmap.quality(folder, [INT8], sensitivity=file)


def test_forms_of_output(tmp_path: Path) -> None:
    hostile = "model.layers.<script>alert(1)</script>\x1b\u202e.up_proj.weight"
    folder = model(tmp_path / "m", **{hostile: weights(32, 128, 8)})
    html, svg = tmp_path / "r.html", tmp_path / "r.svg"
    base = ("quality", folder, "--scheme", MXFP4, "--scheme", INT8)
    done = command(*base, "--csv", "--html", html, "--svg", svg)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 8 and float(rows[0]["sqnr_db"]) > 10
    picture = ElementTree.fromstring(svg.read_text(encoding="utf-8"))
    assert {"0"} <= {text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")}
    assert len(picture.findall("{http://www.w3.org/2000/svg}rect")) == 4
    page = html.read_text(encoding="utf-8")
    assert "\x1b" not in page and "\u202e" not in page
    assert "<script" not in page and not re.search(r"(?:src|href)\s*=", page)
    data = json.loads(command(*base, "--json").stdout)
    assert data["totals"][MXFP4]["modules"] == 4
    everything = command(*base, "--all").stdout
    assert "more with --all" not in everything and MXFP4 in everything


def test_numbers_whose_squares_are_no_floats(tmp_path: Path) -> None:
    tiny, large = weights(8, 128, 1), weights(8, 128, 1)
    tiny = (tiny.astype(np.float64) * 2.0**-100).astype(ml_dtypes.bfloat16)
    large = (large.astype(np.float64) * 2.0**100).astype(ml_dtypes.bfloat16)
    names = ("model.layers.1.x.weight", "model.layers.2.x.weight", "model.layers.3.x.weight")
    more = dict(zip(names, (weights(8, 128, 1), tiny, large)))
    found = quantmap.quality(model(tmp_path / "m", **more), [INT8, MXFP4])
    for scheme in (INT8, MXFP4):
        plain, small, huge = (
            next(m.results[scheme] for m in found.modules if f"{m.name}.weight" == name)
            for name in names
        )
        for other in (small, huge):
            assert other["sqnr_db"] == pytest.approx(plain["sqnr_db"], abs=1e-3)
            assert other["shrink"] == pytest.approx(plain["shrink"], abs=1e-5)
            assert other["lost_rows"] == 0


def test_what_is_quantized_already_is_told(tmp_path: Path) -> None:
    codes = np.zeros((64, 64), ml_dtypes.float8_e4m3fn)
    folder = model(tmp_path / "m", **{"model.layers.1.x.weight": codes})
    notes = quantmap.quality(folder, [INT8]).notes
    assert notes[0].endswith("quantized already, of which nothing is said here: 1 of F8_E4M3.")
    assert not any("already" in note for note in quantmap.quality(model(folder), [INT8]).notes)


def test_modules_without_activations_have_no_output(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    given = {"model.layers.0.mlp.experts.0.up_proj": np.ones((3, 128), np.float32)}
    save_file(given, tmp_path / "x.safetensors")
    done = command(
        "quality", folder, "--scheme", INT8, "--csv", "--activations", tmp_path / "x.safetensors"
    )
    assert done.returncode == 0, done.stderr
    known = {
        row["module"]: row["output_sqnr_db"] for row in csv.DictReader(io.StringIO(done.stdout))
    }
    assert [name for name, value in known.items() if value] == list(given)


def test_what_is_not_finite_names_the_tensor(tmp_path: Path) -> None:
    bad = weights(300, 128, 1)
    bad[250, 7] = np.inf
    folder = model(tmp_path / "m", **{"model.layers.3.mlp.up_proj.weight": bad})
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.quality(folder, [MXFP4])
    item = caught.value.diagnostics[0]
    assert item.code == "non-finite-weights" and "row 250" in item.message
    assert "model.layers.3.mlp.up_proj.weight" in item.message


def test_widths_that_a_scheme_does_not_take(tmp_path: Path) -> None:
    folder = model(tmp_path / "m", **{"model.layers.1.x.weight": weights(8, 120, 1)})
    found = quantmap.quality(folder, [MXFP4, INT8])
    odd = next(module for module in found.modules if module.name.endswith(".x"))
    assert list(odd.results) == [INT8] and "no multiple of 32" in odd.refused[MXFP4]
    assert found.totals[MXFP4]["modules"] == 3


@pytest.mark.parametrize("size", [0, 7, 8, 100, 5000])
def test_cut_files(tmp_path: Path, size: int) -> None:
    folder = model(tmp_path / "m")
    os.truncate(folder / FILE, size)
    with pytest.raises(quantmap.ConfigError):
        quantmap.quality(folder, [INT8])


def test_folders_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(quantmap.ConfigError, match="no folder"):
        quantmap.quality(tmp_path / "x", [INT8])
    with pytest.raises(quantmap.ConfigError, match="no safetensors file"):
        quantmap.quality(tmp_path, [INT8])
    with pytest.raises(quantmap.ConfigError, match="no scheme"):
        quantmap.quality(model(tmp_path / "m"))
    with pytest.raises(quantmap.ConfigError, match="recipe for activations"):
        quantmap.quality(model(tmp_path / "m"), ["sglang_jax:int8/token"])
