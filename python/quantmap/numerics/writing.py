"""Writing a quantized checkpoint in the compressed-tensors format, shard by shard."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil

from .. import _core
from ..checkpoint import inspect_checkpoint
from ..errors import ConfigError
from . import stored
from .arrays import _BEST, _threads, problem
from .chosen import plan_of
from .files import SIZES, TYPES, Tensor, read_header, refusal
from .modules import INDEX, WEIGHT, Module, config_of, read_modules, weight_files
from .quality import named
from .recipes import Recipe, find_recipe

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, BinaryIO

    from .chosen import Plan
    from .stored import Part

    Asked = tuple[str | Recipe | None, str | None, Any, dict[str, Any] | None]

__all__ = ["quantize_checkpoint", "quantize_shards"]

_PROGRESS = ".quantmap-progress.json"
_CHUNK = 8 << 20  # bytes of weights at a time
_ALIGNED = 128  # rows of a chunk: whole tiles of every recipe
if TYPE_CHECKING:
    Report = Callable[[int, int], None]


def quantize_checkpoint(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    scheme: str | Recipe | None = None,
    *,
    engine: str | None = None,
    rules: Any = None,
    config: dict[str, Any] | None = None,
    threads: int | None = None,
    progress: Report | None = None,
) -> dict[str, Any]:
    """Write a checkpoint whose linear layers are quantized, in the compressed-tensors format.

    Shards are written one by one under a name of their own, then renamed; a run that was stopped
    goes on where it was, and the result is the same. config.json comes last, so a folder that is
    not complete is no model.

    Args:
        model: a folder with safetensors files of 16-bit or 32-bit floats.
        out: a new folder, or one in which the same run was stopped.
        scheme: a recipe for weights that the format can hold, such as
            ``compressed_tensors:FP8_DYNAMIC``; None where rules or a config say it.
        engine: whose rules or config they are, such as ``vllm@0.33.0``.
        rules: a rules file of sglang-jax, as `quality` takes it.
        config: a quantization config, as `quality` takes it.
        threads: how many; the bytes do not depend on it. None: one for each processor.
        progress: called with bytes done and bytes in all.

    Returns:
        dict[str, Any]: ``recipe``, ``format``, ``quantized`` and ``left_out`` (names of modules),
        ``bytes_before`` and ``bytes_after``.

    Raises:
        ConfigError: something cannot be read, written or held by the format, or a weight is not
            finite: the message names the tensor.

    Example:
        >>> quantmap.quantize_checkpoint("m", "m-fp8", "vllm:fp8_per_channel")  # doctest: +SKIP
        {'recipe': 'vllm@0.33.0:fp8_per_channel', 'format': 'float-quantized', ...}
    """
    job = _Job(os.fspath(model), os.fspath(out), (scheme, engine, rules, config), _threads(threads))
    done = 0
    for file in job.files:
        if progress is not None:
            progress(done, job.size)
        _shard(*job.task(file))
        done += os.path.getsize(file)
    if progress is not None:
        progress(done, job.size)
    return job.finish()


def quantize_shards(
    model: str | os.PathLike[str],
    out: str | os.PathLike[str],
    scheme: str | Recipe | None,
    executor: Any,
    *,
    engine: str | None = None,
    rules: Any = None,
    config: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Write a quantized checkpoint, one task for each shard, on an executor that you have.

    The folders must be seen by every worker. See `quantize_checkpoint`.

    Args:
        model: a folder with safetensors files.
        out: the folder to write.
        scheme: a recipe for weights; None where rules or a config say it.
        executor: anything with the ``submit`` of ``concurrent.futures``.
        engine: as `quantize_checkpoint` takes it.
        rules: as `quantize_checkpoint` takes them.
        config: as `quantize_checkpoint` takes it.

    Returns:
        dict[str, Any]: what `quantize_checkpoint` returns; the bytes are the same.

    Raises:
        ConfigError: something cannot be read, written or held by the format.

    Example:
        >>> from concurrent.futures import ProcessPoolExecutor
        >>> with ProcessPoolExecutor() as pool:  # doctest: +SKIP
        ...     quantmap.quantize_shards("m", "m-int8", "compressed_tensors:INT8", pool)
    """
    job = _Job(os.fspath(model), os.fspath(out), (scheme, engine, rules, config), 1)
    waiting = [executor.submit(_shard, *job.task(file)) for file in job.files]
    for future in waiting:
        future.result()
    return job.finish()


class _Job:
    """What is to be done, and what is written when all shards are there."""

    def __init__(self, model: str, out: str, asked: Asked, threads: int) -> None:
        if os.path.realpath(model) == os.path.realpath(out):
            raise problem(repr(out), "it is the model itself", "name another folder")
        self.model, self.out, self.threads = model, out, threads
        self.files = weight_files(model)
        self.size = sum(os.path.getsize(file) for file in self.files)
        self.config = config_of(model)
        if "quantization_config" in self.config:
            hint = "give the model before it was quantized"
            raise problem(repr(model), "it is quantized already", hint)
        modules = read_modules(model)
        self.plan = _plan(asked, str((self.config.get("architectures") or [""])[0]), modules)
        self.chosen: dict[str, Recipe] = {}
        self.left: list[str] = []
        for module in modules:
            recipe = _takes(self.plan, module)
            if recipe is not None:
                self.chosen[module.tensor.name] = recipe
            elif module.kind != "embedding":
                self.left.append(module.name)
        if not self.chosen:
            hint = "recipes with groups take rows of whole groups only"
            raise problem(repr(self.model), "no module of it can be quantized", hint)
        names = {name: recipe.name for name, recipe in self.chosen.items()}
        self.state = {
            "recipes": sorted(set(names.values())),
            "modules": hashlib.sha256(json.dumps(names).encode()).hexdigest(),
            "files": {os.path.basename(f): os.path.getsize(f) for f in self.files},
        }
        self._begin()

    def _begin(self) -> None:
        state = os.path.join(self.out, _PROGRESS)
        try:
            os.makedirs(self.out, exist_ok=True)
            there = [name for name in os.listdir(self.out) if not name.startswith(".")]
            known = None
            with contextlib.suppress(OSError, ValueError), open(state, encoding="utf-8") as file:
                known = json.load(file)
            if known != self.state:
                if there or known is not None:
                    hint = "name a new folder, or finish the run that was stopped"
                    raise problem(repr(self.out), "it holds something else", hint)
                _write_json(state, self.state)
        except OSError as error:
            reason = error.strerror or str(error)
            raise problem(repr(self.out), reason, "name a folder that can be written") from None

    def task(self, file: str) -> tuple[str, str, dict[str, str], int]:
        """The arguments of `_shard`."""
        target = os.path.join(self.out, os.path.basename(file))
        own = [tensor.name for tensor in read_header(file)[0] if tensor.name in self.chosen]
        return file, target, {name: self.chosen[name].name for name in own}, self.threads

    def finish(self) -> dict[str, Any]:
        """Write the index, the other files and config.json; read all of it back."""
        places: dict[str, str] = {}
        after = 0
        for file in self.files:
            name = os.path.basename(file)
            written, _ = read_header(os.path.join(self.out, name))
            places.update((tensor.name, name) for tensor in written)
            after += sum(tensor.size for tensor in written)
        if len(self.files) > 1:
            index = {"metadata": {"total_size": after}, "weight_map": dict(sorted(places.items()))}
            _write_json(os.path.join(self.out, INDEX), index)
        for name in sorted(os.listdir(self.model)):
            source = os.path.join(self.model, name)
            other = not name.endswith(".safetensors") and name not in (INDEX, "config.json")
            if other and os.path.isfile(source) and not name.startswith("."):
                shutil.copyfile(source, os.path.join(self.out, name))
        section = stored.section(self.chosen, sorted(self.left))
        config = os.path.join(self.out, "config.json")
        _write_json(config, {**self.config, "quantization_config": section})
        found = inspect_checkpoint(self.out).quantization
        if not found.quantized:
            raise problem(repr(self.out), "what was written is not read back", "report this")
        os.unlink(os.path.join(self.out, _PROGRESS))
        return {
            "recipe": self.plan.title or self.plan.recipes[0].name,
            "format": section["format"],
            "quantized": [name[: -len(WEIGHT)] for name in self.chosen],
            "left_out": self.left,
            "bytes_before": self.size,
            "bytes_after": after,
        }


def _plan(asked: Asked, architecture: str, modules: list[Module]) -> Plan:
    """One recipe for each module, all of them with a place in the format."""
    scheme, engine, rules, config = asked
    for recipe in [] if scheme is None else [find_recipe(scheme)]:
        _stored(recipe)
    plan = plan_of([scheme] if scheme else None, engine, rules, config, architecture, modules)
    if plan.title is None and len(plan.recipes) != 1:
        raise problem("the model", "more than one scheme is asked for", "name one")
    for recipe in plan.recipes:
        _stored(recipe)
    return plan


def _stored(recipe: Recipe) -> None:
    if recipe.use != "weight" or recipe.format is None:
        hint = "quantmap.recipes() says which have a format"
        raise problem(recipe.name, "compressed-tensors has no format for it", hint)


def _takes(plan: Plan, module: Module) -> Recipe | None:
    """The recipe of a matrix, or None when it stays as it is."""
    given = plan.of(module)
    if isinstance(given, str) or len(module.tensor.shape) != 2 or not module.tensor.size:
        return None
    return given[0] if refusal(given[0], module.tensor) is None else None


def _write_json(path: str, data: dict[str, Any]) -> None:
    """A JSON file, complete or not there."""
    with open(path + ".partial", "w", encoding="utf-8") as file:
        json.dump(data, file, indent=2)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".partial", path)


def _shard(source: str, target: str, names: dict[str, str], threads: int) -> None:
    """Quantize one file; nothing is done when it is there."""
    if os.path.exists(target):
        return
    tensors, metadata = read_header(source)
    chosen = {tensor: find_recipe(name) for tensor, name in names.items()}
    parts: list[Part] = []
    for tensor in tensors:
        recipe = chosen.get(tensor.name)
        parts += stored.parts(tensor, recipe) if recipe else [_same(tensor)]
    header: dict[str, Any] = {"__metadata__": {**metadata, "format": "pt"}}
    place = 0
    places = {}
    for part, dtype, shape, size in parts:
        header[part] = {"dtype": dtype, "shape": shape, "data_offsets": [place, place + size]}
        places[part] = place
        place += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    partial = f"{target}.partial"
    try:
        with open(source, "rb") as file, open(partial, "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text)
            start = out.tell()
            for tensor in tensors:
                recipe = chosen.get(tensor.name)
                if recipe:
                    at = {part: start + places[part] for part, *_ in stored.parts(tensor, recipe)}
                    _write_quantized(out, file, tensor, recipe, at, threads)
                else:
                    out.seek(start + places[tensor.name])
                    _copy(out, file, tensor)
            out.flush()
            os.fsync(out.fileno())
        os.replace(partial, target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise problem(os.path.basename(target), reason, "make room, then run it again") from None


def _same(tensor: Tensor) -> Part:
    return tensor.name, tensor.dtype, list(tensor.shape), tensor.size


def _chunks(tensor: Tensor) -> Iterator[tuple[int, int]]:
    """First row and number of rows, a few megabytes at a time."""
    rows, columns = tensor.shape
    width = max(columns * SIZES[tensor.dtype], 1)
    step = max(_CHUNK // width // _ALIGNED, 1) * _ALIGNED
    for first in range(0, rows, step):
        yield first, min(step, rows - first)


def _write_quantized(
    out: BinaryIO, file: BinaryIO, tensor: Tensor, recipe: Recipe, at: dict[str, int], threads: int
) -> None:
    kind, columns = TYPES[tensor.dtype], tensor.shape[1]
    width = columns * SIZES[tensor.dtype]
    codes, scales, *_ = at
    points = at.get(f"{tensor.name}_zero_point", 0)
    made: dict[str, Any] = {}
    try:
        most = None
        if recipe.tile == (0, 0) or recipe.two_levels:
            source = (file.fileno(), tensor.offset)
            most = _core.absmax_buffer(source, kind, tensor.shape[0], columns, threads)
        for first, rows in _chunks(tensor):
            source = (file.fileno(), tensor.offset + first * width)
            made = _core.quantize_buffer(
                source, kind, rows, columns, recipe.name, threads, _BEST, most
            )
            out.seek(at[codes])
            at[codes] += out.write(stored.coded(made["codes"], recipe))
            if recipe.tile != (0, 0) or first == 0:
                out.seek(at[scales])
                at[scales] += out.write(stored.scaled(made, recipe, kind))
            if recipe.zero_points:
                out.seek(points)
                points += out.write(stored.zero_points(made["zero"], rows))
    except ConfigError as error:
        raise named(error, tensor.name) from None
    for part, place in at.items():
        out.seek(place)
        if part.endswith("_global_scale"):
            out.write(stored.as_float(made["global"]))
        elif part.endswith("_shape"):
            out.write(b"".join(size.to_bytes(8, "little") for size in tensor.shape))


def _copy(out: BinaryIO, file: BinaryIO, tensor: Tensor) -> None:
    file.seek(tensor.offset)
    left = tensor.size
    while left:
        data = file.read(min(_CHUNK, left))
        if not data:
            hint = "give a file that nobody writes to"
            raise problem(repr(tensor.name), "the file ended before its data", hint)
        left -= out.write(data)
