"""What quantization does to the weights of a checkpoint, module by module."""

from __future__ import annotations

import json
import os

from .. import _core
from ..errors import ConfigError
from .arrays import _BEST, _threads, problem
from .files import TYPES, refusal
from .modules import EXPERTS, LINEAR, Module, read_modules
from .recipes import Recipe, find_recipe, recipes
from .sums import relative_error, share, shrink, sqnr_db

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

__all__ = ["ModuleQuality", "Quality", "quality"]

NOTES = (
    "These are errors of weights. They say nothing of accuracy or perplexity.",
    "Within one scheme they do not say which layer matters; give --sensitivity for that.",
    "Codes are the nearest ones; AWQ and GPTQ choose them with data and do better.",
)
_QUANTIZED = (LINEAR, EXPERTS)


class ModuleQuality:
    """What each scheme does to one module.

    Attributes:
        name: as the checkpoint has it.
        kind: what it is in the model.
        shape: of its weights.
        dtype: as the file has it.
        results: recipe → ``sqnr_db``, ``relative_error``, ``shrink``, ``zeros_created``,
            ``clipped``, ``worst_row``, ``worst_row_error``, ``dead_rows``, ``lost_rows``,
            ``small_rows``, ``peak``, ``bits_per_weight``.
        refused: recipe → why it cannot take the module.
    """

    __slots__ = ("dtype", "kind", "name", "refused", "results", "shape")

    def __init__(self, module: Module) -> None:
        self.name = module.name
        self.kind = module.kind
        self.shape = module.tensor.shape
        self.dtype = module.tensor.dtype
        self.results: dict[str, dict[str, Any]] = {}
        self.refused: dict[str, str] = {}

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        return {slot: getattr(self, slot) for slot in self.__slots__}

    def __repr__(self) -> str:
        return f"ModuleQuality({self.name!r}, {self.shape!r})"


class Quality:
    """What schemes do to the weights of a checkpoint.

    Attributes:
        model: as given.
        recipes: what was compared.
        modules: each module that is quantized.
        left_out: the matrices that were left as they are, with the reason.
        totals: recipe → the same as of a module, over all of them, and ``modules``, ``bytes``.
        predicted: recipe → the sum of coefficient times relative error, relative to the first
            recipe; None without coefficients.
        ranking: modules by what they are predicted to cost, for each recipe; None without
            coefficients.
        notes: what these numbers do not say.
    """

    __slots__ = (
        "left_out",
        "model",
        "modules",
        "notes",
        "predicted",
        "ranking",
        "recipes",
        "totals",
    )

    def __init__(self, model: str, chosen: list[Recipe]) -> None:
        self.model = model
        self.recipes = chosen
        self.modules: list[ModuleQuality] = []
        self.left_out: list[dict[str, str]] = []
        self.totals: dict[str, dict[str, Any]] = {}
        self.predicted: dict[str, float] | None = None
        self.ranking: dict[str, list[str]] | None = None
        self.notes = list(NOTES)

    def to_dict(self) -> dict[str, Any]:
        """As plain data, for JSON.

        Returns:
            dict: the attributes by name.
        """
        out = {slot: getattr(self, slot) for slot in self.__slots__}
        out["recipes"] = [recipe.to_dict() for recipe in self.recipes]
        out["modules"] = [module.to_dict() for module in self.modules]
        return out

    def to_rows(self) -> list[dict[str, Any]]:
        """One row for each module and scheme, for a table or CSV.

        Returns:
            list[dict]: ``module``, ``kind``, ``rows``, ``columns``, ``recipe`` and the numbers.
        """
        out = []
        for module in self.modules:
            rows = 1
            for size in module.shape[:-1]:
                rows *= size
            place = {"module": module.name, "kind": module.kind, "rows": rows}
            for name, result in module.results.items():
                out.append({**place, "columns": module.shape[-1], "recipe": name, **result})
        return out

    def __repr__(self) -> str:
        names = [recipe.name for recipe in self.recipes]
        return f"Quality({self.model!r}, {names!r}, {len(self.modules)} modules)"


def quality(
    model: str | os.PathLike[str],
    schemes: Iterable[str | Recipe] | None = None,
    *,
    engine: str | None = None,
    sensitivity: str | os.PathLike[str] | dict[str, float] | None = None,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Quality:
    """What quantization does to the weights of a checkpoint, before any GPU is used.

    Each tensor is read once for all schemes. Embeddings, the output head and routers are left as
    they are, and named.

    Args:
        model: a folder with safetensors files of 16-bit or 32-bit floats.
        schemes: recipes for weights, such as ``vllm:mxfp4``. See `recipes`.
        engine: such as ``sglang_jax@0.1.0rc0``: every recipe for weights that it has.
        sensitivity: coefficients by module, or a JSON file of them: what the output loses for each
            unit of relative error, measured once with any one scheme.
        threads: how many; the result does not depend on it. None: one for each processor.
        progress: called with bytes done and bytes in all.

    Returns:
        Quality: numbers of every module and of the whole model.

    Raises:
        ConfigError: the folder or a recipe cannot be used, or a weight is not finite: the message
            names the tensor.

    Example:
        >>> result = quantmap.quality("my-model", ["vllm:mxfp4"])  # doctest: +SKIP
        >>> result.totals["vllm@0.33.0:mxfp4"]["sqnr_db"]  # doctest: +SKIP
        18.85
    """
    folder = os.fspath(model)
    chosen = _chosen(schemes, engine)
    out = Quality(folder, chosen)
    found = read_modules(folder)
    taken = []
    for module in found:
        if module.kind in _QUANTIZED:
            taken.append(module)
        else:
            reason = f"engines leave a {module.kind} as it is"
            out.left_out.append({"name": module.name, "kind": module.kind, "reason": reason})
    total = sum(module.tensor.size for module in taken)
    done = 0
    sums: dict[str, dict[str, float]] = {recipe.name: {} for recipe in chosen}
    for module in taken:
        out.modules.append(_measure(module, chosen, _threads(threads), sums))
        done += module.tensor.size
        if progress is not None:
            progress(done, total)
    for recipe in chosen:
        out.totals[recipe.name] = _total(sums[recipe.name])
    if sensitivity is not None:
        _predict(out, _coefficients(sensitivity))
    return out


def _chosen(schemes: Iterable[str | Recipe] | None, engine: str | None) -> list[Recipe]:
    names: list[str | Recipe] = list(schemes or ())
    if engine is not None:
        who, at, release = engine.partition("@")
        own = dict.fromkeys(r.scheme for r in recipes(who) if r.use == "weight")
        for scheme in own:
            try:
                names.append(find_recipe(f"{who}{at}{release}:{scheme}"))
            except ConfigError as error:
                if error.diagnostics[0].code != "recipe-not-read":
                    raise
    chosen = list(dict.fromkeys(find_recipe(name) for name in names))
    hint = "quantmap.recipes() lists them; name an engine to take all of its own"
    if not chosen:
        raise problem("the model", "no scheme is named", hint)
    for recipe in chosen:
        if recipe.use != "weight":
            raise problem(recipe.name, f"it is a recipe for {recipe.use}s", hint)
    return chosen


def _measure(
    module: Module, chosen: list[Recipe], threads: int, sums: dict[str, dict[str, float]]
) -> ModuleQuality:
    out = ModuleQuality(module)
    tensor = module.tensor
    columns = tensor.shape[-1]
    rows = tensor.elements // columns if columns else 0
    fit = []
    for recipe in chosen:
        reason = refusal(recipe, tensor)
        if reason is None:
            fit.append(recipe)
        else:
            out.refused[recipe.name] = reason
    if not fit or not tensor.size:
        return out
    names = [recipe.name for recipe in fit]
    with open(tensor.file, "rb") as file:
        place = (file.fileno(), tensor.offset)
        try:
            kind = TYPES[tensor.dtype]
            found = _core.measure_buffer(place, kind, rows, columns, names, threads, _BEST)
        except ConfigError as error:
            raise named(error, tensor.name) from None
    for recipe, item in zip(fit, found):
        bits = recipe.bits_per_weight(rows, columns)
        out.results[recipe.name] = {**_result(item), "bits_per_weight": bits}
        total = sums[recipe.name]
        for key in ("signal", "noise", "dot", "created", "clipped", "elements"):
            total[key] = total.get(key, 0) + item[key]
        for key in ("dead_rows", "lost_rows", "small_rows"):
            total[key] = total.get(key, 0) + item[key]
        total["bits"] = total.get("bits", 0) + bits * item["elements"]
        total["modules"] = total.get("modules", 0) + 1
    return out


def named(error: ConfigError, tensor: str) -> ConfigError:
    """The same problems, of a tensor that is named."""
    out = []
    for item in error.diagnostics:
        context = {**item.context, "value": f"the tensor {tensor!r}"}
        out.append(_core.make_diagnostic(item.code, item.path, context))
    return ConfigError(out)


def _result(item: dict[str, Any]) -> dict[str, Any]:
    return {
        "sqnr_db": sqnr_db(item),
        "relative_error": relative_error(item),
        "shrink": shrink(item),
        "zeros_created": share(item, "created"),
        "clipped": share(item, "clipped"),
        **{key: item[key] for key in ("dead_rows", "lost_rows", "small_rows") if key in item},
        **{key: item[key] for key in ("worst_row", "worst_row_error", "peak") if key in item},
    }


def _total(sums: dict[str, float]) -> dict[str, Any]:
    keys = ("signal", "noise", "dot", "created", "clipped", "elements", "bits", "modules")
    whole: dict[str, Any] = dict.fromkeys((*keys, "dead_rows", "lost_rows", "small_rows"), 0)
    whole.update(sums)
    out = _result(whole)
    out["bits_per_weight"] = whole["bits"] / whole["elements"] if whole["elements"] else 0.0
    out["bytes"] = round(whole["bits"] / 8)
    out["modules"] = int(whole["modules"])
    return out


def _coefficients(given: str | os.PathLike[str] | dict[str, float]) -> dict[str, float]:
    hint = 'write {"module": coefficient, ...}'
    data: Any = given
    if isinstance(given, (str, os.PathLike)):
        try:
            with open(given, encoding="utf-8") as file:
                data = json.load(file)
        except (OSError, ValueError) as error:
            raise problem("the coefficients", str(error), hint) from None
    good = isinstance(data, dict) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        for value in data.values()
    )
    if not good:
        raise problem("the coefficients", "they are no object of numbers", hint)
    return dict(data)


def _predict(out: Quality, given: dict[str, float]) -> None:
    """Effects add up: coefficient times relative error, module by module."""
    known = {module.name for module in out.modules}
    if not known & set(given):
        hint = "name modules as the checkpoint does"
        raise problem("the coefficients", "they name no module of the model", hint)
    sums: dict[str, float] = {}
    out.ranking = {}
    for recipe in out.recipes:
        effects = {
            module.name: given[module.name] * module.results[recipe.name]["relative_error"]
            for module in out.modules
            if module.name in given and recipe.name in module.results
        }
        sums[recipe.name] = sum(effects.values())
        out.ranking[recipe.name] = sorted(effects, key=lambda name: -effects[name])
    first = sums[out.recipes[0].name]
    out.predicted = {name: value / first if first else 0.0 for name, value in sums.items()}
    missing = len(known - set(given))
    if missing:
        out.notes.append(f"{missing} modules have no coefficient and are not in the prediction.")
    out.notes.append("Predictions hold within a factor of about two; near zero they rank nothing.")
