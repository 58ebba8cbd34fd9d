"""Quality by rules files, configs and activations: which module gets what, and what is told."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import quantmap
from quantmap import _core
from safetensors.numpy import save_file

from tests.python.test_quality import FILE, command, model, weights

ENGINE = "sglang_jax@0.1.0rc0"
INT8, FP8 = f"{ENGINE}:int8/channel", f"{ENGINE}:fp8/channel"
Q = "model.layers.0.self_attn.q_proj"
UP, DOWN = (f"model.layers.0.mlp.experts.0.{name}_proj" for name in ("up", "down"))


def rules(*patterns: tuple[str, str], moe: str | None = None, **more: Any) -> dict[str, Any]:
    """A rules file of patterns and dtypes."""
    linear = [{"module_path": pattern, "weight_dtype": dtype} for pattern, dtype in patterns]
    body = {"linear": {"rules": linear}, "moe": {"weight_dtype": moe, "activation_dtype": None}}
    return {"quantization": {**body, **more}}


def named(folder: Path, architecture: str, *names: str) -> Path:
    """A checkpoint of one architecture with modules of these names."""
    folder.mkdir()
    drawn = {f"{name}.weight": weights(64, 256, seed) for seed, name in enumerate(names)}
    save_file({name: np.ascontiguousarray(item) for name, item in drawn.items()}, folder / FILE)
    (folder / "config.json").write_text(json.dumps({"architectures": [architecture]}))
    return folder


def test_the_first_rule_that_matches_the_engine_s_own_name(tmp_path: Path) -> None:
    o_proj = "model.layers.3.self_attn.o_proj"
    folder = named(tmp_path / "m", "Qwen3MoeForCausalLM", o_proj, "model.layers.3.self_attn.q_proj")
    file = rules((".*o_proj", "int8"), (r".*layers\[3\].*c_proj", "float8_e4m3fn"), (".*", "int8"))
    found = quantmap.quality(folder, rules=file, engine=ENGINE)
    by_name = {module.name: list(module.results) for module in found.modules}
    assert by_name == {o_proj: [FP8], "model.layers.3.self_attn.q_proj": [INT8]}
    assert found.rules is not None
    assert [len(rule["modules"]) for rule in found.rules] == [0, 1, 1]
    assert any("'.*o_proj') takes no module" in note for note in found.notes)
    assert found.plan == "the rules" and found.totals["the rules"]["modules"] == 2
    both = [found.totals[name]["sqnr_db"] for name in (INT8, FP8)]
    assert min(both) < found.totals["the rules"]["sqnr_db"] < max(both)


def test_experts_routers_and_other_numbers_are_told(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    found = quantmap.quality(folder, rules=rules((".*", "int8"), moe="int8"))
    results = {module.name: list(module.results) for module in found.modules}
    assert results[UP] == results[DOWN] == [f"{ENGINE}:int8/moe"] and results[Q] == [INT8]
    reasons = {item["name"]: item["reason"] for item in found.left_out}
    assert "never quantizes model/layers[0]/moe_gate" in reasons["model.layers.0.mlp.gate"]
    assert "never quantizes" in reasons["lm_head"]
    assert any("--moe-backend fused" in note and "groups of 256" in note for note in found.notes)
    grok = "model.layers.0.block_sparse_moe."
    names = (grok + "gate", grok + "experts.0.w1", "lm_head")
    found = quantmap.quality(
        named(tmp_path / "g", "Grok1ForCausalLM", *names), rules=rules((".*", "int8"))
    )
    assert {module.name for module in found.modules} == {grok + "gate", "lm_head"}
    told = " ".join(found.notes)
    assert f"also quantizes the router {grok}gate" in told and "the head lm_head" in told
    assert "leave experts" in found.left_out[0]["reason"]


def test_blocks_ignored_layers_and_names_that_nobody_read(tmp_path: Path) -> None:
    file = rules((".*", "int8"), weight_block_size=[128, 128], ignored_layers=["self_attn.q_proj"])
    names = ("model.layers.0.self_attn.q_proj", "model.layers.0.mlp.up_proj")
    found = quantmap.quality(named(tmp_path / "m", "LlamaForCausalLM", *names), rules=file)
    assert list(found.modules[0].results) == [f"{ENGINE}:int8/block128"]
    assert "ignored" in found.left_out[0]["reason"]
    file["quantization"]["weight_block_size"] = [64, 64]
    with_other = quantmap.quality(tmp_path / "m", rules=file)
    assert not with_other.modules and "not read" in with_other.left_out[0]["reason"]
    unknown = named(tmp_path / "x", "NobodyForCausalLM", *names)
    notes = quantmap.quality(unknown, rules=rules((r"model/layers\[0\]/mlp", "int8"))).notes
    assert any("was not read: rules are matched with the names" in note for note in notes)
    wrong = named(tmp_path / "w", "LlamaForCausalLM", "model.layers.0.mlp.other")
    reason = quantmap.quality(wrong, rules=rules((".*", "int8"))).left_out[0]["reason"]
    assert reason == "the engine loads no tensor of this name"


def test_a_config_is_what_the_engine_does_with_it(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    config = {"gemm_dtype": "fp8", "moe_dtype": "mxfp4"}
    found = quantmap.quality(folder, engine="vllm@0.33.0", config=config)
    names = {module.kind: next(iter(module.results)) for module in found.modules}
    assert names == {"linear": "vllm@0.33.0:fp8_per_tensor", "experts": "vllm@0.33.0:mxfp4"}
    found = quantmap.quality(folder, engine=ENGINE, config={"gemm_dtype": "int8"})
    assert [recipe.name for recipe in found.recipes] == [INT8] and found.recipes[0].truncates
    done = command("quality", folder, "--engine", ENGINE, "--set", "gemm_dtype=int8")
    assert done.returncode == 0, done.stderr
    assert "rounds toward zero" in done.stdout and "with this config" in done.stdout
    old = quantmap.quality(folder, engine="vllm@0.8.0", config={"gemm_dtype": "fp8"})
    assert {recipe.name for recipe in old.recipes} == {"vllm@0.8.0:fp8_per_tensor"}
    with pytest.raises(quantmap.ConfigError, match="no engine"):
        quantmap.quality(folder, engine="", config={"gemm_dtype": "fp8"})
    with pytest.raises(quantmap.ConfigError, match="NF4 by the bitsandbytes library"):
        quantmap.quality(
            folder, engine="vllm@0.8.0", config={"quantization": {"method": "bitsandbytes"}}
        )
    with pytest.raises(quantmap.ConfigError, match="quantizes no weights"):
        quantmap.quality(folder, engine="vllm@0.33.0", config={"gemm_dtype": "bfloat16"})
    for more in ({"schemes": [INT8]}, {"rules": rules((".*", "int8"))}):
        with pytest.raises(quantmap.ConfigError, match="more than one thing"):
            quantmap.quality(folder, engine=ENGINE, config=config, **more)
    with pytest.raises(quantmap.ConfigError, match="only sglang_jax reads"):
        quantmap.quality(folder, engine="vllm", rules=rules((".*", "int8")))


@pytest.mark.parametrize("tokens", [False, True])
def test_the_error_of_outputs(tokens: bool, tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    drawn = np.random.default_rng(0).standard_t(3, (40, 128)).astype(np.float32)
    given = drawn if tokens else np.square(drawn).mean(0)
    save_file({Q: given}, tmp_path / "x.safetensors")
    np.savez(tmp_path / "x.npz", **{Q: given})
    found = quantmap.quality(folder, [INT8, "vllm:mxfp4"], activations=tmp_path / "x.safetensors")
    again = quantmap.quality(folder, [INT8, "vllm:mxfp4"], activations=tmp_path / "x.npz")
    assert found.to_dict() == again.to_dict()
    assert any("2 modules have no activations" in note for note in found.notes)
    loaded = quantmap.quantize(folder / FILE, INT8, tensor=f"{Q}.weight")
    raw = (folder / FILE).read_bytes()
    size = int.from_bytes(raw[:8], "little")
    begin, end = json.loads(raw[8 : 8 + size])[f"{Q}.weight"]["data_offsets"]
    bits = np.frombuffer(raw[8 + size + begin : 8 + size + end], np.uint16).astype(np.uint32)
    was = (bits << 16).view(np.float32).reshape(96, 128).astype(np.float64)
    error = was - np.asarray(loaded.dequantize(), np.float64)
    if tokens:
        signal, noise = ((drawn @ one.T) ** 2 for one in (was, error))
    else:
        signal, noise = (one**2 * given for one in (was, error))
    result = next(module for module in found.modules if module.name == Q).results[INT8]
    assert result["output_sqnr_db"] == pytest.approx(
        10 * math.log10(signal.sum() / noise.sum()), abs=1e-3
    )
    if tokens:
        lost = quantmap.quantize_activations(drawn, f"{ENGINE}:int8/token").sqnr_db
        assert result["activation_sqnr_db"] == pytest.approx(lost)
        shares = sum(10 ** (-value / 10) for value in (result["output_sqnr_db"], lost))
        assert result["both_sqnr_db"] == pytest.approx(-10 * math.log10(shares))
    else:
        assert "both_sqnr_db" not in result
    wrong = {Q: given[..., :100].copy()}
    save_file(wrong, tmp_path / "y.safetensors")
    with pytest.raises(quantmap.ConfigError, match="100 inputs are given for the 128"):
        quantmap.quality(folder, [INT8], activations=tmp_path / "y.safetensors")


def legacy_imatrix(path: Path, entries: dict[str, tuple[int, Any]]) -> None:
    """The form that llama.cpp wrote first."""
    data = struct.pack("<i", len(entries))
    for name, (calls, values) in entries.items():
        data += struct.pack("<i", len(name)) + name.encode()
        data += struct.pack("<ii", calls, len(values)) + values.astype(np.float32).tobytes()
    path.write_bytes(data + struct.pack("<i", 7))


def gguf_imatrix(path: Path, entries: dict[str, tuple[Any, Any]]) -> None:
    """The form that it writes now, by its own library."""
    writer = gguf.GGUFWriter(path, "")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["a.txt"])
    for name, (sums, counts) in entries.items():
        writer.add_tensor(f"{name}.in_sum2", sums.astype(np.float32))
        writer.add_tensor(f"{name}.counts", counts.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_an_imatrix_of_either_form(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    squares = np.random.default_rng(1).random(128).astype(np.float32) + 1
    experts = np.concatenate([squares * 2, squares[::-1]])  # of two experts
    attn, up = "blk.0.attn_q.weight", "blk.0.ffn_up_exps.weight"
    legacy_imatrix(tmp_path / "a.dat", {attn: (4, squares * 4), up: (2, experts * 2)})
    gguf_imatrix(
        tmp_path / "a.gguf",
        {
            attn: (squares[None] * 10, np.array([[10.0]])),
            up: (experts.reshape(2, 128) * 3, np.array([[3.0], [3.0]])),
        },
    )
    save_file({Q: squares, UP: experts[:128].copy()}, tmp_path / "a.safetensors")
    results = []
    for name in ("a.dat", "a.gguf", "a.safetensors"):
        found = quantmap.quality(folder, [INT8], activations=tmp_path / name)
        known = {m.name: m.results[INT8].get("output_sqnr_db") for m in found.modules}
        assert known[Q] and known[UP] and known[DOWN] is None
        results.append(known)
    for other in results[1:]:
        assert other == pytest.approx(results[0], abs=1e-3)
    for name in ("a.dat", "a.gguf"):
        whole = (tmp_path / name).read_bytes()
        for size in (2, 9, 40, 200, len(whole) // 2):
            (tmp_path / "cut").write_bytes(whole[:size])
            with pytest.raises(quantmap.ConfigError, match=r"activations|cut"):
                quantmap.quality(folder, [INT8], activations=tmp_path / "cut")


def test_a_checkpoint_by_rules_and_by_config(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps(rules((".*", "float8_e4m3fn"), moe="float8_e4m3fn")))
    done = command("quantize", folder, tmp_path / "one", "--rules", file, "--engine", ENGINE)
    assert done.returncode == 0, done.stderr
    assert "rules.yaml as float-quantized" in done.stdout
    section = json.loads((tmp_path / "one" / "config.json").read_text())["quantization_config"]
    assert list(section["config_groups"]) == ["group_0"] and len(section["ignore"]) == 2
    config = {"gemm_dtype": "fp8", "moe_dtype": "mxfp4"}
    done2 = quantmap.quantize_checkpoint(
        folder, tmp_path / "two", engine="vllm@0.33.0", config=config
    )
    assert done2["format"] == "mixed-precision"
    section = json.loads((tmp_path / "two" / "config.json").read_text())["quantization_config"]
    targets = [group["targets"] for group in section["config_groups"].values()]
    assert sorted(targets) == [[DOWN, UP], [Q]]
    with pytest.raises(quantmap.ConfigError, match="more than one scheme"):
        quantmap.quantize_checkpoint(folder, tmp_path / "no", engine="vllm@0.33.0")


def test_names_of_modules_are_the_engine_s() -> None:
    """Every path can be one of a rules file, and every architecture has linear layers."""
    known = {"Qwen3MoeForCausalLM", "LlamaForCausalLM", "DeepseekV3ForCausalLM", "Grok1ForCausalLM"}
    for architecture in known:
        found = _core.module_names("sglang_jax", architecture)
        assert found is not None and found[0] == "0.1.0rc0"
        paths = [path for _, paths, kind in found[2] for path in paths if kind == "linear"]
        assert paths
        for path in paths:
            file = quantmap.read_rules(rules((".*", "int8")))
            assert file.winner(path.replace("{}", "1").replace("/1/", "/")).rule is not None
    assert _core.module_names("sglang_jax", "Nobody") is None


def test_a_scale_that_is_the_power_of_two_below_the_largest() -> None:
    values = np.zeros((1, 32), np.float32)
    values[0, :3] = [7.9, -4.0, 0.03]
    old = quantmap.quantize(values, "vllm@0.26.0:mxfp8")
    new = quantmap.quantize(values, "vllm@0.27.0:mxfp8")
    assert np.ravel(np.asarray(old.scale_bits)).tolist() == [127 + 2]
    assert np.ravel(np.asarray(new.scale_bits)).tolist() == [127 - 5]
    assert np.asarray(old.dequantize())[0, 1] == np.asarray(new.dequantize())[0, 1] == -4.0


def test_a_rule_for_an_item_of_a_list_that_is_a_module() -> None:
    """Grok's layers are such a list: their paths are model/layers/0/…, not model/layers[0]/…."""
    file = quantmap.read_rules(rules((r"model/layers/0/self_attn/.*", "int8")))
    assert not [note for note in file.notes if note.code == "matches-nothing"]
    assert file.winner("model/layers/0/self_attn/q_proj").rule is not None
    file = quantmap.read_rules(rules((r"model\.layers\.0", "int8")))
    assert [note for note in file.notes if note.code == "matches-nothing"]
