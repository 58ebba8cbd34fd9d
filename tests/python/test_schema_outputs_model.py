"""What inspect prints of models of every kind, against its published JSON Schema."""

from __future__ import annotations

import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import quantmap
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from quantmap import _core, checkpoint

pytest.importorskip("click")
pytest.importorskip("safetensors", reason="the fixtures are written with safetensors and numpy")
pytest.importorskip("gguf")

from quantmap.cli.app import app

from tests.python import model_files as files
from tests.python.model_files import build, build_gguf, write_json
from tests.python.model_formats import FORMATS, compressed, weight
from tests.python.schema_places import Walk, changed

SCHEMA = quantmap.output_schema("inspect")
VALIDATOR = Draft202012Validator(SCHEMA)
WALK = Walk(SCHEMA)
CORE = Path(__file__).resolve().parents[2] / "cpp" / "src" / "model"

EXPERTS = {"num_experts": 8, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
LATENT: dict[str, Any] = {
    **files.CONFIG,
    **EXPERTS,
    "model_type": "deepseek_v32",
    "num_hidden_layers": 4,
    "first_k_dense_replace": 1,
    "n_shared_experts": 1,
    "kv_lora_rank": 16,
    "q_lora_rank": 24,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 16,
    "v_head_dim": 16,
    "index_head_dim": 8,
}
# Configs alone, each with something that others have not.
SHAPES: dict[str, dict[str, Any]] = {
    "nothing": {},
    "layers alone": {"num_hidden_layers": 1},
    "latent vector and experts alone": {"n_layer": 1, "kv_lora_rank": 8, "num_experts": 2},
    "latent vector and experts": LATENT,
    "sliding": {**files.CONFIG, "layer_types": ["sliding_attention", "full_attention"]}
    | {"sliding_window": 128, "head_dim": 8},
    "blocks of one kind": {
        **files.CONFIG,
        "num_hidden_layers": 4,
        "hybrid_override_pattern": "M*-E",
    }
    | EXPERTS,
    "searched": {
        **files.CONFIG,
        "block_configs": [
            {"attention": {"no_op": True}, "ffn": {"ffn_mult": 1.5}},
            {"attention": {"n_heads_in_group": 4}, "ffn": {"no_op": True}},
        ],
    },
    "compressed": {**files.CONFIG, "compress_ratios": [0, 128], "sliding_window": 64},
    "chunked": {**files.CONFIG, "attention_chunk_size": 64},
    "two caches": {**files.CONFIG, "model_type": "longcat_flash"},
    "shared caches": {**files.CONFIG, "num_kv_shared_layers": 1},
    "text part": {"model_type": "outer", "text_config": files.CONFIG},
}
# Quantization configs alone: what the formats of real files leave out.
QUANTIZED: dict[str, dict[str, Any]] = {
    "several groups": {
        "quant_method": "compressed-tensors",
        "config_groups": {
            "a": {
                "targets": ["re:.*mlp.*"],
                "weights": {**weight(4, "int", "group", group_size=32)},
            },
            "b": {"targets": ["Linear"], "weights": {**weight(8, "float", "channel")}},
        },
    },
    "blocks of whole columns": {"quant_method": "fp8", "weight_block_size": [128, -1]},
    "zero points": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": True},
    "unknown method": {"quant_method": "mine", "bits": 3},
    "no method": {"bits": 4},
    "no bits": {"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {}}}},
}
QUANTIZED |= {
    kind["id"]: {"quant_method": kind["names"][0]}
    for kind in _core.vocabulary()["checkpoints"]
    if kind["names"]
}
SIDE = "hf_quant_config.json"
FP4 = {"quantization": {"quant_algo": "NVFP4", "group_size": 16, "kv_cache_quant_algo": "FP8"}}
FP8 = {"quant_method": "fp8", "weight_block_size": [128, 128]}
GPTQ = {"quant_method": "gptq", "bits": 4, "group_size": 32}


def cache_folder(folder: Path) -> Path:
    """A model in the cache of its hub."""
    build(folder / "snapshots" / "abc123", files.awq, FORMATS["awq"][1])
    return folder


def part_of_a_model(folder: Path) -> Path:
    """A model that misses one of its files."""
    build(folder, shards=3)
    (folder / "model-00002-of-00003.safetensors").unlink()
    return folder


def weights_alone(folder: Path) -> Path:
    """A model without a config."""
    (build(folder, files.fp8) / "config.json").unlink()
    return folder


def gguf_in_parts(folder: Path) -> Path:
    """A model in two files."""
    folder.mkdir()
    for number in (1, 2):
        build_gguf(folder / f"a-0000{number}-of-00002.gguf", vocabulary=4)
    return folder


def no_tensors(file: Path) -> Path:
    """A file with an empty header."""
    file.write_bytes(b"\x02" + bytes(7) + b"{}")
    return file


def config_alone(folder: Path, config: dict[str, Any]) -> Path:
    """A model whose weights are elsewhere."""
    folder.mkdir()
    write_json(folder / "config.json", config)
    return folder


def models(folder: Path) -> dict[str, Path | str]:
    """Models by name: folders, files, and names of models."""
    old = {"quantize_config.json": {**GPTQ, "group_size": 128}}
    out: dict[str, Path | str] = {
        "name": "org/Model-8B-AWQ",
        "name that says nothing": "org/Model-8B",
        "index": build(folder / "index", files.gptq, GPTQ, shards=3),
        "index, a file missing": part_of_a_model(folder / "missing"),
        "one file": build(folder / "one", files.fp8) / "model.safetensors",
        "no config": weights_alone(folder / "bare"),
        "no tensors": no_tensors(folder / "empty.safetensors"),
        "cache": cache_folder(folder / "models--org--name"),
        "kv scales": build(folder / "scales", files.fp8, FORMATS["fp8"][1], kv_scales=True),
        "a well-known id": Path("Qwen/Qwen3-8B"),
        "named after another format": build(folder / "Model-8B-FP8"),
        "experts and latent vector": build(folder / "latent", files.fp8_blocks, FP8, config=LATENT),
        "two methods": build(folder / "two", files.fp8, FP8, files={SIDE: FP4}),
        "two groups": build(folder / "groups", files.gptq, GPTQ, files=old),
        "quantized unsaid": build(folder / "unsaid", files.gptq),
        "no scales": build(folder / "none", files.whole, {"quant_method": "fp8"}),
        "gguf Q4_0": build_gguf(folder / "Q4_0.gguf", "Q4_0"),
        "gguf F16": build_gguf(folder / "F16.gguf", "F16"),
        "gguf in parts": gguf_in_parts(folder / "parts"),
    }
    for name, (linear, quantization, others, *_) in FORMATS.items():
        out[f"format {name}"] = build(folder / f"f-{name}", linear, quantization, files=others)
    for name, config in SHAPES.items():
        out[name] = config_alone(folder / name, config)
    for name, quantization in QUANTIZED.items():
        config = {**files.CONFIG, "quantization_config": quantization}
        out[name] = config_alone(folder / name, config)
    return out


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the verb prints of each model."""
    out = {}
    for name, model in models(tmp_path_factory.mktemp("models")).items():
        with contextlib.redirect_stdout(io.StringIO()) as text:
            assert app.main(["inspect", str(model), "--json"], standalone_mode=False) == 0
        out[name] = json.loads(text.getvalue())
    return out


def test_every_kind_of_model_is_as_published(printed: dict[str, Any]) -> None:
    for name, data in printed.items():
        assert not [error.message for error in VALIDATOR.iter_errors(data)], name


def test_the_models_reach_every_place(printed: dict[str, Any]) -> None:
    """Every object, every word of a closed list, and null wherever it may stand."""
    objects: set[str] = set()
    words: dict[str, set[Any]] = {}
    nulls: set[tuple[str, bool]] = set()
    for data in printed.values():
        for place in WALK.places(data):
            if place.closed:
                objects.add(place.name)
            if "enum" in place.schema:
                words.setdefault(place.name, set()).add(place.value)
            nulls.add((place.name, place.value is None))
    assert objects == WALK.closed()
    assert {name for name, is_null in nulls if is_null} == WALK.nullable()
    assert {name for name, is_null in nulls if not is_null} >= WALK.nullable()
    for name, known in WALK.words().items():
        assert words[name] == known or name.startswith("notes."), name


@pytest.mark.parametrize(
    "name", ["experts and latent vector", "two methods", "format fp8-blocks", "gguf Q4_0"]
)
def test_a_fault_anywhere_is_refused(printed: dict[str, Any], name: str) -> None:
    faults = list(WALK.spoiled(printed[name]))
    assert len(faults) > 150
    for fault, spoiled in faults:
        assert not VALIDATOR.is_valid(spoiled), fault


SCHEME = ("quantization", "schemes", 0)
LAYER = ("architecture", "layers", 0)
WRONG: list[tuple[tuple[str | int, ...], str | int, Any]] = [
    *(((), "evidence", word) for word in ("", "guess", None)),
    *(((), "source", word) for word in ("", None)),
    *(((), "folder", word) for word in ("", 5)),
    (("files", 0), "size", -1),
    (("files", 0), "name", None),
    *((("quantization",), "kind", word) for word in ("fp9", None)),
    (("quantization",), "kv_dtype", ""),
    (("quantization",), "kv_scales", 0),
    *((SCHEME, "group_size", size) for size in (0, -2, 0.5, True, "128")),
    *((SCHEME, "weight_bits", bits) for bits in (None, 0, -4, "4")),
    *((SCHEME, "activation_bits", bits) for bits in (None, 0)),
    *((SCHEME, "block", block) for block in ([], [128], [0, 128], [128, 1, 1], [128, None], "1x1")),
    (("architecture",), "hidden", 0),
    (("architecture",), "layers", []),
    (("architecture", "mla"), "kv_rank", None),
    (("architecture", "experts"), "routed", 1),
    *((LAYER, "kind", word) for word in ("half", None)),
    *((LAYER, "heads", number) for number in (None, -1)),
    *((LAYER, "compression", number) for number in (None, 0)),
    (LAYER, "window", 0),
    (("weights", "parts"), "router", {"tensors": 1}),
    (("weights", "parts", "norm"), "bytes", -1),
    (("weights", "dtypes", 0), "tensors", 0),
    (("detections", 0), "engine", "another"),
    (("detections", 0), "method", ""),
]


@pytest.mark.parametrize(("path", "key", "value"), WRONG)
def test_what_no_model_can_be(
    printed: dict[str, Any], path: tuple[str | int, ...], key: str | int, value: Any
) -> None:
    data = printed["experts and latent vector"]
    assert not VALIDATOR.is_valid(changed(data, path, key, value))


CLASSES: dict[str, Any] = {
    "": checkpoint.CheckpointInfo,
    "files": checkpoint.FileRead,
    "quantization": checkpoint.QuantizationInfo,
    "quantization.schemes": checkpoint.Scheme,
    "architecture": checkpoint.Architecture,
    "architecture.mla": checkpoint.Mla,
    "architecture.experts": checkpoint.Experts,
    "architecture.layers": checkpoint.Layer,
    "weights": checkpoint.Weights,
    "weights.parts.norm": checkpoint.WeightShare,
    "detections": checkpoint.Detection,
    "disagreements": checkpoint.Disagreement,
}
# The verb always has a model to name, and a scheme without bits is left out.
NEVER_NULL = {"source"}


def test_null_is_where_the_classes_have_none() -> None:
    """The classes are what programs in Python see of the same data."""
    shapes = {name: part for name, part in WALK.parts() if "properties" in part}
    nullable = set()
    for name, owner in CLASSES.items():
        printed = owner.printed()
        assert list(shapes[name]["properties"]) == list(printed), name
        maybe = [field for field, written in printed.items() if written.endswith("| None")]
        nullable |= {f"{name}.{key}".lstrip(".") for key in maybe}
    assert nullable - NEVER_NULL == WALK.nullable()
    assert nullable >= NEVER_NULL


def as_printed(config: Any) -> Any:
    """What the verb would print of a folder with this config."""
    data = json.loads(json.dumps(quantmap.inspect_checkpoint(config).to_dict()))
    assert data["source"] is None
    return {**data, "source": "folder"}


# Every word that the readers of configs know; a dot leads into an inner object.
READERS = ("architecture", "architecture_layers", "declarations")
KNOWN = sorted(
    {
        word
        for name in READERS
        for word in re.findall(r'"([a-z_][a-z0-9_.]+)"', (CORE / f"{name}.cpp").read_text("utf-8"))
    }
)
# Products of two sizes stay below 2^63.
NUMBERS = [-1, 0, 1, 2, 3, 64, 128, 2**31, 2.0, 0.5, 1e300, 10**40]
TEXTS = ["", "x", "128x", "0x8", "fp8", "int4", "float", "group", "-1", "4,5", "M*-E", "torch."]
VALUES = st.recursive(
    st.sampled_from([*NUMBERS, *TEXTS, *KNOWN, True, False, None]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KNOWN), inner, max_size=3)
    ),
    max_leaves=6,
)


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """Keys with dots as objects in objects."""
    out: dict[str, Any] = {}
    for name, value in flat.items():
        *steps, last = [step for step in name.split(".") if step]
        place = out
        for step in steps:
            inner = place.get(step)
            if not isinstance(inner, dict):
                inner = place[step] = {}
            place = inner
        place[last] = value
    return out


SOME = st.dictionaries(st.sampled_from(KNOWN), VALUES, max_size=12).map(nested)


@settings(max_examples=400, deadline=None)
@given(SOME, SOME, st.sampled_from(["quantization_config", "compression_config"]))
def test_any_config(shape: dict[str, Any], quantization: dict[str, Any], key: str) -> None:
    """Whatever a config holds, what is read of it is as published."""
    config = {
        "num_hidden_layers": 3,
        **shape,
        key: {"quant_method": "x", "bits": 4, **quantization},
    }
    VALIDATOR.validate(as_printed(config))


def test_the_readers_keys_are_found() -> None:
    assert {"kv_lora_rank", "num_experts", "block_configs", "group_size", "ignore"} <= set(KNOWN)
    assert len(KNOWN) > 200


def test_excluded_modules_and_targets(printed: dict[str, Any]) -> None:
    """Lists that are not empty somewhere: their items were looked at."""
    groups = printed["several groups"]["quantization"]["schemes"]
    assert [scheme["targets"] for scheme in groups] == [["re:.*mlp.*"], []]
    config = {"quantization_config": compressed("pack-quantized", weight(4, "int", "group"))}
    assert as_printed(config)["quantization"]["excluded"] == ["lm_head"]
    assert printed["experts and latent vector"]["architecture"]["classes"]
