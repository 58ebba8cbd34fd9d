"""Checkpoints that are broken or hostile: an error with file and byte, and little of it read."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import quantmap

pytest.importorskip("safetensors", reason="the fixtures are written with safetensors and numpy")

from tests.python import model_files as files
from tests.python.model_files import build, build_gguf, write_json

GIB = 1 << 30


def problems(checkpoint: Any) -> list[tuple[str, str]]:
    """Code and message of everything that is wrong."""
    with pytest.raises(quantmap.ConfigError) as caught:
        quantmap.inspect_checkpoint(checkpoint)
    for item in caught.value.diagnostics:
        assert item.path.startswith("checkpoint") and item.hint
    return [(item.code, item.message) for item in caught.value.diagnostics]


def safetensors(header: Any, data: int = 0, length: int | None = None) -> bytes:
    """A file with this header and so many bytes of data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + bytes(data)


def tensor(begin: int, end: int, **more: Any) -> dict[str, Any]:
    """An entry of bytes."""
    return {"dtype": "U8", "shape": [end - begin], "data_offsets": [begin, end], **more}


SAFETENSORS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "byte 0: shorter than its header's length"),
    "length of 2^63": (safetensors({}, length=1 << 63), "byte 0: the header claims"),
    "length of 2^64-1": (safetensors({}, length=(1 << 64) - 1), "byte 0: the header claims"),
    "cut off": (safetensors({}, length=50), "byte 0: the header is longer than the file"),
    "not JSON": (safetensors(b"[1]"), "byte 8: the header is not JSON"),
    "not UTF-8": (safetensors(b'{"\xff": 1}'), "byte 8: the header is not UTF-8"),
    "overlap": (safetensors({"a": tensor(0, 4), "b": tensor(2, 6)}, 6), "overlap"),
    "gap": (safetensors({"a": tensor(0, 4), "b": tensor(6, 8)}, 8), "a gap before 'b'"),
    "more data": (safetensors({"a": tensor(0, 4)}, 9), "longer than its tensors"),
    "outside": (safetensors({"a": tensor(0, 4)}, 2), "outside the file"),
    "backwards": (safetensors({"a": {**tensor(0, 4), "data_offsets": [4, 0]}}, 4), "outside"),
    "wrong size": (safetensors({"a": tensor(0, 4, shape=[3])}, 4), "shape and size"),
    "huge shape": (safetensors({"a": tensor(0, 4, shape=[2**40, 2**40])}, 4), "larger than any"),
    "huge number": (safetensors({"a": tensor(0, 4, shape=[10**30])}, 4), "not JSON"),
    "negative": (safetensors({"a": tensor(0, 4, shape=[-4])}, 4), "not JSON"),
    "unknown dtype": (safetensors({"a": tensor(0, 4, dtype="F7")}, 4), "unknown dtype 'F7'"),
    "no offsets": (safetensors({"a": {"dtype": "U8", "shape": [1]}}, 1), "lacks dtype"),
    "tensor twice": (
        safetensors(
            b'{"a": {"dtype":"U8","shape":[0],"data_offsets":[0,0]}, "a": '
            b'{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
        ),
        "the tensor 'a' is given twice",
    ),
    "key twice": (safetensors(b'{"a": {"dtype":"U8","dtype":"I8"}}'), "is given twice"),
    "trailing": (safetensors(b"{}{}"), "more after the header's end"),
    "deep": (safetensors(b'{"__metadata__": ' + b"[" * 5000 + b"]" * 5000 + b"}"), "not JSON"),
}


@pytest.mark.parametrize("name", SAFETENSORS)
def test_broken_safetensors(name: str, tmp_path: Path) -> None:
    data, expected = SAFETENSORS[name]
    (tmp_path / "model.safetensors").write_bytes(data)
    ((code, message),) = problems(tmp_path)
    assert code == "bad-model-file" and "'model.safetensors', byte " in message
    assert expected in message


@pytest.mark.parametrize("kind", ["safetensors", "gguf"])
def test_every_cut(kind: str, tmp_path: Path) -> None:
    """A file that ends anywhere too early is an error, never a crash."""
    if kind == "gguf":
        path = build_gguf(tmp_path / "model.gguf", vocabulary=4)
    else:
        path = build(tmp_path) / "model.safetensors"
    data = path.read_bytes()
    for end in [*range(0, 3000, 37), len(data) - 1]:
        path.write_bytes(data[:end])
        ((code, message),) = problems(path)
        assert code == "bad-model-file" and ", byte " in message


def gguf(version: int = 3, tensors: int = 0, pairs: int = 0, rest: bytes = b"") -> bytes:
    """The beginning of a GGUF file."""
    return b"GGUF" + struct.pack("<IQQ", version, tensors, pairs) + rest


def text(value: str) -> bytes:
    """A text as GGUF writes it."""
    return struct.pack("<Q", len(value)) + value.encode()


ONE = text("a") + struct.pack("<I", 1)  # name and number of dimensions
ARRAY = struct.pack("<IIQ", 9, 0, 2**60)
GGUF: dict[str, tuple[bytes, str]] = {
    "not GGUF": (b"GGML" + bytes(40), "does not begin with GGUF"),
    "version 9": (gguf(9), "version 9"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "version 50331648"),
    "many tensors": (gguf(tensors=2**62), "more entries"),
    "many pairs": (gguf(pairs=2**63), "more entries"),
    "long key": (gguf(pairs=1, rest=struct.pack("<Q", 2**62)), "in a shorter file"),
    "unknown type": (gguf(pairs=1, rest=text("k") + struct.pack("<I", 99)), "unknown type 99"),
    "long array": (gguf(pairs=1, rest=text("k") + ARRAY), "in a shorter file"),
    "nested arrays": (
        gguf(pairs=1, rest=text("k") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 9),
        "arrays in arrays",
    ),
    "key twice": (
        gguf(pairs=2, rest=(text("k") + struct.pack("<IB", 0, 1)) * 2),
        "the key 'k' is given twice",
    ),
    "dimensions": (gguf(tensors=1, rest=text("a") + struct.pack("<I", 99)), "99 dimensions"),
    "tensor type": (gguf(tensors=1, rest=ONE + struct.pack("<QIQ", 4, 999, 0)), "unknown type 999"),
    "part of a block": (
        gguf(tensors=1, rest=ONE + struct.pack("<QIQ", 33, 2, 0)),
        "within a block",
    ),
    "outside": (gguf(tensors=1, rest=ONE + struct.pack("<QIQ", 2**40, 0, 0)), "outside the file"),
    "far away": (gguf(tensors=1, rest=ONE + struct.pack("<QIQ", 4, 0, 2**63)), "outside the file"),
    "not aligned": (gguf(tensors=1, rest=ONE + struct.pack("<QIQ", 4, 0, 3)), "not aligned"),
    "no alignment": (
        gguf(pairs=1, rest=text("general.alignment") + struct.pack("<II", 4, 0)),
        "an alignment that cannot be",
    ),
    "overlap": (
        gguf(
            tensors=2,
            rest=ONE
            + struct.pack("<QIQ", 4, 0, 0)
            + ONE.replace(b"a", b"b")
            + struct.pack("<QIQ", 4, 0, 0)
            + bytes(99),
        ),
        "overlap",
    ),
}


@pytest.mark.parametrize("name", GGUF)
def test_broken_gguf(name: str, tmp_path: Path) -> None:
    data, expected = GGUF[name]
    path = tmp_path / "model.gguf"
    path.write_bytes(data)
    ((code, message),) = problems(path)
    assert code == "bad-model-file" and "'model.gguf', byte " in message and expected in message


@pytest.mark.parametrize("version", [1, 2, 3])
def test_gguf_versions(version: int, tmp_path: Path) -> None:
    """Version 1 has lengths of 32 bits."""
    size = "<I" if version == 1 else "<Q"
    name = struct.pack(size, 1) + b"a"
    data = b"GGUF" + struct.pack("<I", version) + struct.pack(size, 1) + struct.pack(size, 0)
    data += name + struct.pack("<I", 1) + struct.pack(size, 8) + struct.pack("<IQ", 0, 0)
    path = tmp_path / "model.gguf"
    path.write_bytes(data + bytes(-len(data) % 32) + bytes(32))
    info = quantmap.inspect_checkpoint(path)
    assert info.weights is not None and info.weights.parameters == 8


CONFIGS: dict[str, tuple[bytes, str]] = {
    "cut off": (b'{"a": ', "invalid-json"),
    "empty": (b"", "invalid-json"),
    "a list": (b"[]", "not-an-object"),
    "key twice": (b'{"a": 1, "a": 2}', "duplicate-key"),
    "deep": (b'{"a": ' + b"[" * 9999 + b"]" * 9999 + b"}", "too-deep"),
    "not UTF-8": (b'{"a": "\xff"}', "invalid-unicode"),
    "a number beyond": (b'{"a": 1e999}', "not-finite"),
}


@pytest.mark.parametrize("name", CONFIGS)
def test_broken_config(name: str, tmp_path: Path) -> None:
    data, code = CONFIGS[name]
    (tmp_path / "config.json").write_bytes(data)
    assert [item[0] for item in problems(tmp_path)] == [code]


WRONG = [1, -1, 1.5, "x", True, None, [], [1], {}, {"a": 1}, 10**40, [[]], "9" * 300, "a\x00b"]


@pytest.mark.parametrize("value", WRONG, ids=repr)
def test_wrong_types_anywhere(value: Any) -> None:
    """Any key of a config may hold anything: at most it is not used, and that is said."""
    keys = [*files.CONFIG, "quantization_config", "text_config", "layer_types", "sliding_window"]
    keys += ["num_experts", "moe_layer_freq", "block_configs", "kv_lora_rank", "compress_ratios"]
    inner = ["quant_method", "bits", "group_size", "weight_block_size", "config_groups", "ignore"]
    inner += ["kv_cache_scheme", "quant_algo", "producer", "quantized_layers", "activation_scheme"]
    for key in keys:
        info = quantmap.inspect_checkpoint({**files.CONFIG, key: value})
        assert all(note.severity == "warning" for note in info.notes)
        json.dumps(info.to_dict())
    for key in inner:
        config = {"quant_method": "compressed-tensors", "bits": 4, key: value}
        quantmap.inspect_checkpoint({**files.CONFIG, "quantization_config": config})
        groups = {"config_groups": {"g": {"weights": {"num_bits": value, "type": value}}}}
        quantmap.inspect_checkpoint({**files.CONFIG, "quantization_config": groups})


def test_unusable_in_checkpoint_is_said() -> None:
    info = quantmap.inspect_checkpoint({**files.CONFIG, "hidden_size": "64"})
    assert [(note.code, note.path) for note in info.notes] == [
        ("unusable-in-checkpoint", "checkpoint.hidden_size")
    ]


INDEX = "model.safetensors.index.json"


@pytest.mark.parametrize(
    "name",
    [
        INDEX,
        "../x.safetensors",
        "/etc/passwd",
        "a/b.safetensors",
        "",
        ".safetensors",
        "config.json",
    ],
)
def test_index_names_files_of_its_folder_only(name: str, tmp_path: Path) -> None:
    """No cycles, no other folders."""
    write_json(tmp_path / INDEX, {"weight_map": {"a": name}})
    write_json(tmp_path / "config.json", files.CONFIG)
    ((code, message),) = problems(tmp_path)
    assert code == "bad-model-file" and "is not the name of a safetensors file" in message


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"{}", "weight_map is missing"),
        (b'{"weight_map": 1}', "not JSON"),
        (b'{"weight_map": {}, "weight_map": {}}', "given twice"),
        (b'{"weight_map": {"a": "x.safetensors", "a": "x.safetensors"}}', "given twice"),
        (b'{"weight_map": {"a": "x.safetensors"', "not JSON"),
    ],
)
def test_broken_index(data: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / INDEX).write_bytes(data)
    write_json(tmp_path / "config.json", files.CONFIG)
    ((code, message),) = problems(tmp_path)
    assert code == "bad-model-file" and INDEX in message and expected in message


def test_links_may_not_leave(tmp_path: Path) -> None:
    build(tmp_path / "other")
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / name).symlink_to(tmp_path / "other" / name)
        assert [code for code, _ in problems(folder)] == ["leaves-folder"]
        (folder / name).unlink()
        (folder / name).write_bytes((tmp_path / "other" / name).read_bytes())
    (tmp_path / "linked").symlink_to(folder)
    assert quantmap.inspect_checkpoint(tmp_path / "linked").evidence == "headers"
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("model.safetensors")
    assert [code for code, _ in problems(folder)] == ["unreadable-file"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    assert [code for code, _ in problems(tmp_path)] == ["unreadable-file"]
    assert [code for code, _ in problems(tmp_path / "config.json")] == ["unreadable-file"]


def test_of_a_huge_file_little_is_read(tmp_path: Path) -> None:
    """100 GB of weights, one header."""
    header = json.dumps({"a": {"dtype": "F16", "shape": [50, GIB], "data_offsets": [0, 100 * GIB]}})
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(header)) + header.encode())
    os.truncate(path, 8 + len(header) + 100 * GIB)
    info = quantmap.inspect_checkpoint(tmp_path)
    assert info.weights is not None and info.weights.bytes == 100 * GIB
    assert info.bytes_read == 8 + len(header)
    build_gguf(tmp_path / "x.gguf", vocabulary=50_000)
    os.truncate(tmp_path / "x.gguf", 100 * GIB)
    info = quantmap.inspect_checkpoint(tmp_path / "x.gguf")
    assert info.bytes_read < 4 << 20 and info.files[0].size == 100 * GIB


def test_a_huge_config_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"{}")
    os.truncate(tmp_path / "config.json", GIB)
    assert [code for code, _ in problems(tmp_path)] == ["over-limit"]


@pytest.mark.parametrize(
    "given", ["", "\0", "a\0b", "/no/such", "./none", "a/b/c", "x.gguf", "~/x"]
)
def test_no_such_path(given: str) -> None:
    assert problems(given)[0][0] in ("wrong-type", "unreadable-file")


@pytest.mark.parametrize("given", [None, 1, [], True, 1.5, b"x", {1: 2}, {1, 2}, object()])
def test_not_a_checkpoint(given: Any) -> None:
    with pytest.raises(quantmap.ConfigError):
        quantmap.inspect_checkpoint(given)


MODEL = {"model_type": "mixtral", "hidden_size": 8, "num_hidden_layers": 2, "n_routed_experts": 4}


@pytest.mark.parametrize(
    ("given", "block"),
    [
        *(([128, 128], (128, 128)), ("64x32", (64, 32))),
        *(([128, -1], None), ([0, 4], None), ("128x", None), ("x128", None), ("0x5", None)),
    ],
)
def test_a_block_is_two_positive_numbers(given: Any, block: Any) -> None:
    claim = {"quant_method": "fp8", "weight_block_size": given}
    info = quantmap.inspect_checkpoint({**MODEL, "quantization_config": claim})
    assert [scheme.block for scheme in info.quantization.schemes] == [block]


@pytest.mark.parametrize("given", [{}, {"type": "float"}, {"num_bits": 8}, " ", "", [], 8])
def test_a_cache_that_cannot_be_named_has_no_name(given: Any) -> None:
    claim = {"quant_method": "fp8", "kv_cache_scheme": given}
    info = quantmap.inspect_checkpoint({**MODEL, "quantization_config": claim})
    assert info.quantization.kv_dtype is None


def test_no_product_of_sizes_overflows() -> None:
    most = 2**31 - 1
    sizes = {"n_shared_experts": most, "moe_intermediate_size": most, "num_experts_per_tok": most}
    model = {**MODEL, **sizes, "n_routed_experts": most, "vocab_size": most, "hidden_size": most}
    info = quantmap.inspect_checkpoint(model)
    assert info.architecture is not None and info.architecture.experts is not None
    assert info.architecture.experts.shared_intermediate == most
    fit = quantmap.estimate(model, gpu="H100")
    assert fit.verdict == "does-not-fit" and fit.parameters > most
    larger = quantmap.inspect_checkpoint({**MODEL, "hidden_size": most + 1})
    assert [note.code for note in larger.notes] == ["unusable-in-checkpoint"]
