"""What is known of the inputs of layers: activations, their mean squares, or an imatrix."""

from __future__ import annotations

import os
import struct

from .. import _core
from ..files import open_regular
from .arrays import _FORMATS, Given, problem
from .files import TYPES, Tensor, read_header
from .named import ModuleNames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, BinaryIO

    from .modules import Module

_HINT = "give safetensors or npz by module, or an imatrix of llama.cpp"
_GGUF, _ZIP = b"GGUF", b"PK\x03\x04"
_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}  # GGUF's values
_TEXT, _ARRAY, _FLOAT = 8, 9, 0
_MOST = 1 << 20  # entries of a file, and bytes of a name
_WORD = "llama_cpp"


class Inputs:
    """The inputs of modules.

    Attributes:
        kind: ``activations`` or ``imatrix``, in words.
    """

    __slots__ = ("_arrays", "_names", "_tensors", "kind")

    def __init__(self, path: str | os.PathLike[str]) -> None:
        name = os.fspath(path)
        self._arrays: dict[str, Any] = {}
        self._tensors: dict[str, Tensor] = {}
        self._names = None
        self.kind = "activations"
        try:
            with open_regular(name) as file:
                start = file.read(4)
                file.seek(0)
                if start == _ZIP:
                    self._arrays = _numpy_arrays(name)
                elif name.endswith(".safetensors"):
                    self._tensors = {tensor.name: tensor for tensor in read_header(name)[0]}
                else:
                    self._arrays = _gguf(file) if start == _GGUF else _legacy(file)
                    self._names = ModuleNames(_WORD, "imatrix")
                    self.kind = "imatrix"
        except (OSError, struct.error, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "it is cut, or of another form"
            raise problem(os.path.basename(name), str(reason), _HINT) from None

    def of(self, module: Module) -> Given | None:
        """Mean squares of the inputs (one row), or inputs by tokens; None when nothing is known.

        Raises:
            ConfigError: they are of another size than the module's inputs.
        """
        columns = module.tensor.shape[-1]
        found = self._imatrix(module) if self._names is not None else self._own(module)
        if found is not None and found.columns != columns:
            reason = f"{found.columns} inputs are given for the {columns} of {module.name}"
            raise problem("the activations", reason, "give those of this model")
        return found

    def _own(self, module: Module) -> Given | None:
        for name in (module.name, module.tensor.name):
            if name in self._arrays:
                return self._arrays[name]  # type: ignore[no-any-return]
            tensor = self._tensors.get(name)
            if tensor is not None and tensor.dtype in TYPES:
                with open(tensor.file, "rb") as file:
                    file.seek(tensor.offset)
                    data = file.read(tensor.size)
                return _floats(memoryview(data), TYPES[tensor.dtype], tensor.shape)
        return None

    def _imatrix(self, module: Module) -> Given | None:
        assert self._names is not None
        found = self._names.of(module.name)
        if found is None:
            return None
        values = self._arrays.get(f"{found[0][0]}.weight")
        if values is None:
            return None
        columns = module.tensor.shape[-1]
        words = module.name.split(".")
        place = next((i for i, word in enumerate(words) if word == "experts"), None)
        start = 0
        if place is not None and words[place + 1 : place + 2] and words[place + 1].isdecimal():
            start = int(words[place + 1]) * columns
            values = values[start : start + columns]
        return Given(values, "f32", (len(values),))


def is_moments(given: Given) -> bool:
    """Whether it is one row of mean squares, and not inputs by tokens."""
    return len(given.shape) == 1


def _floats(view: Any, kind: str, shape: tuple[int, ...]) -> Given:
    """The same as 32-bit floats; all axes but the last are tokens."""
    if kind != "f32":
        view = memoryview(_core.cast_buffer(view, kind, "f32", False))
    values: Any = view.cast("B").cast("f") if view.nbytes else memoryview(b"").cast("f")
    if len(shape) > 2:
        shape = (values.nbytes // 4 // max(shape[-1], 1), shape[-1])
    return Given(values, "f32", shape or (1,))


def _numpy_arrays(name: str) -> dict[str, Given]:
    try:
        import numpy
    except ImportError:
        reason = "NumPy is not installed, which reads npz"
        raise problem(os.path.basename(name), reason, "install numpy") from None
    out = {}
    with numpy.load(name, allow_pickle=False) as arrays:
        for key in arrays.files:
            array: Any = numpy.ascontiguousarray(arrays[key])
            kind = _FORMATS.get(array.dtype.char)
            if kind is not None and array.ndim:
                out[key] = _floats(memoryview(array).cast("B"), kind, array.shape)
    return out


def _take(file: BinaryIO, form: str) -> Any:
    return struct.unpack("<" + form, _exactly(file, struct.calcsize("<" + form)))[0]


def _exactly(file: BinaryIO, size: int) -> bytes:
    if not 0 <= size <= 1 << 32:
        raise ValueError
    data = file.read(size)
    if len(data) != size:
        raise ValueError
    return data


def _text(file: BinaryIO, form: str) -> str:
    size = _take(file, form)
    if not 0 <= size <= _MOST:
        raise ValueError
    return _exactly(file, size).decode("utf-8", "replace")


def _legacy(file: BinaryIO) -> dict[str, Any]:
    """The first form of an imatrix: name, calls, and the sums of squares over the calls."""
    out: dict[str, Any] = {}
    count = _take(file, "i")
    if not 0 < count <= _MOST:
        raise ValueError
    for _ in range(count):
        name = _text(file, "i")
        calls = max(_take(file, "i"), 1)
        data = memoryview(_exactly(file, 4 * _take(file, "i"))).cast("f")
        out[name] = _divided(data, [calls])
    return out


def _gguf(file: BinaryIO) -> dict[str, Any]:
    """The newer form: a GGUF file with a pair of tensors for each weight."""
    _exactly(file, 4)
    if _take(file, "I") not in (2, 3):
        raise ValueError
    tensors, values = _take(file, "Q"), _take(file, "Q")
    if max(tensors, values) > _MOST:
        raise ValueError
    align = 32
    for _ in range(values):
        key = _text(file, "Q")
        value = _value(file, _take(file, "I"))
        if key == "general.alignment" and isinstance(value, int) and value > 0:
            align = value
    found = {}
    for _ in range(tensors):
        name = _text(file, "Q")
        size = 4
        for _axis in range(min(_take(file, "I"), 8)):
            size *= _take(file, "Q")
        kind, offset = _take(file, "I"), _take(file, "Q")
        if kind == _FLOAT:
            found[name] = (offset, size)
    start = -(-file.tell() // align) * align
    out = {}
    for name, (offset, size) in found.items():
        base, _, part = name.rpartition(".")
        counts = found.get(f"{base}.counts")
        if part != "in_sum2" or counts is None:
            continue
        file.seek(start + counts[0])
        calls = memoryview(_exactly(file, counts[1])).cast("f").tolist()
        file.seek(start + offset)
        out[base] = _divided(memoryview(_exactly(file, size)).cast("f"), calls)
    return out


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _TEXT:
        return _text(file, "Q")
    if kind == _ARRAY:
        inner, count = _take(file, "I"), _take(file, "Q")
        if count > _MOST:
            raise ValueError
        for _ in range(count):
            if inner == _ARRAY:
                raise ValueError
            _value(file, inner)
        return None
    size = _SIZES.get(kind)
    if size is None:
        raise ValueError
    return int.from_bytes(_exactly(file, size), "little")


def _divided(sums: Any, calls: Any) -> Any:
    """Sums over the number of inputs, of each expert its own; an expert without any has ones."""
    width = len(sums) // max(len(calls), 1)
    out = memoryview(bytearray(4 * len(sums))).cast("f")
    for index, value in enumerate(sums):
        count = calls[min(index // max(width, 1), len(calls) - 1)]
        out[index] = value / count if count > 0 else 1.0
    return out
