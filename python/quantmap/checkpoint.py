"""What a checkpoint is: read from the headers of its files, never guessed where a file speaks."""

from __future__ import annotations

import os

from . import _core
from .architecture import Architecture, Experts, Layer, Mla
from .result import Keyed, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .errors import Diagnostic
    from .words import (
        Bits,
        CheckpointKind,
        Count,
        Engine,
        Evidence,
        GroupSize,
        Positive,
        Said,
        Subject,
        WeightPart,
    )

__all__ = [
    "Architecture",
    "CheckpointInfo",
    "Detection",
    "Disagreement",
    "DtypeShare",
    "Experts",
    "FileRead",
    "Layer",
    "Mla",
    "QuantizationInfo",
    "Scheme",
    "WeightShare",
    "Weights",
    "inspect_checkpoint",
]


class FileRead(Result):
    """One file that was opened.

    Attributes:
        name: its name, relative to the checkpoint's folder.
        size: its size in bytes.
        bytes_read: how much of it was read.
    """

    name: Said
    size: Count
    bytes_read: Count


class Scheme(Result):
    """How one group of modules is quantized.

    Attributes:
        name: in short, such as ``W4A16 int, groups of 128``.
        targets: the modules, as the file names them; empty: every linear layer.
        weight_bits: bits of a weight; of GGUF the average over the file.
        weight_type: ``int``, ``float``, ``nvfp4``, ``mxfp4``, ``nf4`` and so on.
        group_size: inputs that share a scale; -1 for a whole channel.
        block: rows and columns that share a scale.
        symmetric: whether there are no zero points.
        activation_bits: 16 when activations are kept.
        activation_type: ``int``, ``float``; None when they are kept.
        dynamic: whether scales of activations are computed at run time.
    """

    name: Said
    targets: list[str]
    weight_bits: Bits
    weight_type: Said | None
    group_size: GroupSize | None
    block: tuple[Positive, Positive] | None
    symmetric: bool | None
    activation_bits: Bits
    activation_type: Said | None
    dynamic: bool | None


class QuantizationInfo(Result):
    """How a checkpoint is quantized.

    Attributes:
        kind: the catalogue's id, such as ``awq``; ``unquantized`` when it is not quantized.
        title: the same in words.
        method: ``quant_method`` in lower case, or what the file's format means.
        algorithm: the finer name beside it: ModelOpt's ``quant_algo``, a format, a GGUF type.
        source: where that is written, such as ``config.json#quantization_config``.
        schemes: one for each group of modules that is quantized in its own way.
        excluded: modules that are left as they are, as the file names them.
        kv_dtype: the KV cache that the checkpoint asks for, such as ``fp8``.
        kv_scales: whether scales for the KV cache are among the weights; None: headers not read.
    """

    kind: CheckpointKind
    title: Said
    method: Said | None
    algorithm: Said | None
    source: Said | None
    schemes: list[Scheme]
    excluded: list[str]
    kv_dtype: Said | None
    kv_scales: bool | None

    @property
    def quantized(self) -> bool:
        """Whether the weights are quantized."""
        return self.kind != "unquantized"

    @property
    def bits(self) -> float | None:
        """Bits of a weight; None when they are not known or differ between groups."""
        bits = {scheme.weight_bits for scheme in self.schemes}
        return bits.pop() if len(bits) == 1 else None

    @property
    def group_size(self) -> int | None:
        """Inputs that share a scale; None when not known or different between groups."""
        sizes = {scheme.group_size for scheme in self.schemes}
        return sizes.pop() if len(sizes) == 1 else None


class WeightShare(Result):
    """The weights of one part of the model.

    Attributes:
        tensors: how many tensors.
        parameters: numbers of the model: packed ones unpacked, scales not counted.
        bytes: all of it, scales included.
        quantized_bytes: those of modules that are stored quantized, with their scales.
    """

    tensors: Count
    parameters: Count
    bytes: Count
    quantized_bytes: Count


class DtypeShare(Keyed):
    """The weights that are stored in one dtype.

    Attributes:
        dtype: as the file spells it, such as ``BF16``, ``F8_E4M3`` or ``Q4_K``.
        tensors: how many tensors.
        bytes: all of them.
    """

    dtype: Said
    tensors: Positive
    bytes: Count


class Weights(Result):
    """All weights, exactly as the headers of the weight files have them.

    Attributes:
        tensors: how many tensors.
        parameters: numbers of the model: packed ones unpacked, scales not counted.
        bytes: all of it.
        parts: by part: ``linear``, ``experts``, ``embedding``, ``head``, ``norm``, ``other``.
        dtypes: by stored dtype, most bytes first.
        has_head: whether there is an output layer of its own.
        complete: False when the index names a file that is missing.
    """

    tensors: Count
    parameters: Count
    bytes: Count
    parts: dict[WeightPart, WeightShare]
    dtypes: list[DtypeShare]
    has_head: bool
    complete: bool


class Detection(Result):
    """What one engine makes of the files, by its own order of detection.

    Attributes:
        engine: the engine's id.
        engine_name: the engine's name.
        method: as the engine names it; None: it sees no quantization.
        source: the file that decides.
        refused: whether the engine stops at start-up.
        reason: why, or what is notable.
        evidence: where that is written.
    """

    engine: Engine
    engine_name: Said
    method: Said | None
    source: Said | None
    refused: bool
    reason: Said | None
    evidence: list[str]


class Disagreement(Result):
    """Files that do not say the same.

    Attributes:
        subject: what about: ``method``, ``weight bits``, ``group size``, ``KV cache``, ``weights``
            or ``name``.
        claims: each source and what it says.
        consequence: what the engines make of it.
    """

    subject: Subject
    claims: list[tuple[str, str]]
    consequence: str

    _least = (("claims", 2),)


class CheckpointInfo(Result):
    """What the files of a checkpoint say.

    Attributes:
        source: the path or id that was given; None for a config.
        folder: where the files are.
        revision: of a Hugging Face cache folder.
        format: ``safetensors`` or ``gguf``; None when no weight file was read.
        evidence: the best there is: ``name`` (worth little), ``catalog`` (the id of a
            well-known model), ``config`` or ``headers``.
        files: every file that was opened.
        bytes_read: how much was read in all.
        quantization: how the weights are stored.
        architecture: the shape of the model; None when no file tells.
        weights: exact sizes; None when no weight file was read.
        detections: what each engine makes of it; empty when only a name is known.
        disagreements: where the files differ.
        notes: warnings about what was read.
    """

    source: Said | None
    folder: Said | None
    revision: Said | None
    format: Said | None
    evidence: Evidence
    files: list[FileRead]
    bytes_read: Count
    quantization: QuantizationInfo
    architecture: Architecture | None
    weights: Weights | None
    detections: list[Detection]
    disagreements: list[Disagreement]
    notes: list[Diagnostic]
    _inspected: _core.Inspected
    _given: Any

    def __reduce__(self) -> tuple[Any, ...]:
        """Read again where it is unpickled: what the core keeps of it is not sent."""
        return inspect_checkpoint, (self._given,)

    def __copy__(self) -> CheckpointInfo:
        """Itself: it cannot be changed."""
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> CheckpointInfo:
        """Itself: it cannot be changed."""
        return self


def _kept(given: Any) -> Any:
    """A path as it is found from any folder; anything else as it is."""
    if isinstance(given, (str, os.PathLike)) and os.path.exists(given):
        return os.path.abspath(given)
    return given


def inspect_checkpoint(path_or_config: str | os.PathLike[str] | dict[str, Any]) -> CheckpointInfo:
    """Read what a checkpoint is from the headers of its files.

    Only config files and the beginnings of weight files are read, never a tensor. Nothing of the
    checkpoint is executed, and links that lead out of its folder are refused.

    Args:
        path_or_config: a local folder, a folder of the Hugging Face cache, a ``.gguf`` or
            ``.safetensors`` file, the content of a ``config.json`` (or of its
            ``quantization_config``), or the id of a model. Of an id only the name is known: the
            result then has the evidence ``name``.

    Returns:
        CheckpointInfo: quantization, shape and weights, what each engine would make of it, and
        every disagreement between the files.

    Raises:
        ConfigError: a file cannot be read or is not what its format wants, with file and byte.

    Example:
        >>> from quantmap import inspect_checkpoint
        >>> info = inspect_checkpoint({"quant_method": "awq", "bits": 4, "group_size": 128})
        >>> info.quantization.kind, info.quantization.schemes[0].name
        ('awq', 'W4A16 int, groups of 128')
        >>> [detection.method for detection in info.detections if not detection.refused]
        ['auto_awq', 'awq_marlin', None]

    Source: each engine's order of detection is in the catalogue, ``cpp/catalog/detection.json``.
    """
    inspected = _core.inspect(path_or_config)
    info = inspected.data()
    object.__setattr__(info, "_inspected", inspected)
    object.__setattr__(info, "_given", _kept(path_or_config))
    return info
