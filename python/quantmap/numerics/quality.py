"""What quantization does to the weights of a checkpoint, module by module."""

from __future__ import annotations

import json
import math
import os

from .. import _core
from ..errors import ConfigError
from ..files import read_file
from ..result import Described, Keyed
from .arrays import _BEST, _threads, problem, quantize
from .chosen import RuleTaken, plan_of
from .files import TYPES, refusal
from .inputs import Inputs, is_moments
from .modules import Module, config_of, quantized_already, read_modules
from .named import activation_of
from .recipes import Recipe
from .sums import in_db, relative_error, share, shrink, sqnr_db

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from ..words import Count, ModuleFigures, ModuleKind, NotNegative, TotalFigures
    from .arrays import Given

__all__ = ["ModuleQuality", "Quality", "quality"]

_MOST = 64 * 1024 * 1024  # bytes of a file of coefficients
_COUNTED = ("dead_rows", "lost_rows", "small_rows")
_ADDED = ("signal", "noise", "dot", "created", "clipped", "elements", *_COUNTED)
NOTES = (
    "These are errors of weights. They say nothing of accuracy or perplexity.",
    "Within one scheme they do not say which layer matters; give --sensitivity for that.",
    "Codes are the nearest ones; AWQ and GPTQ choose them with data and do better.",
)
_OUTPUT = "Errors of outputs are those of single layers, for the inputs that were given."


class LeftOut(Keyed):
    """A matrix that is left as it is.

    Attributes:
        name: as the checkpoint has it.
        kind: what it is in the model.
        reason: why.
    """

    name: str
    kind: ModuleKind
    reason: str


class ModuleQuality(Described):
    """What each scheme does to one module.

    Attributes:
        name: as the checkpoint has it.
        kind: what it is in the model.
        shape: of its weights.
        dtype: as the file has it.
        results: recipe → ``sqnr_db``, ``relative_error``, ``shrink``, ``zeros_created``,
            ``clipped``, ``worst_row``, ``worst_row_error``, ``dead_rows``, ``lost_rows``,
            ``small_rows``, ``peak``, ``bits_per_weight``; with activations also
            ``output_sqnr_db``, and with whole ones ``activation_sqnr_db`` and ``both_sqnr_db``
            where the engine has a recipe for them.
        refused: recipe → why it cannot take the module.
    """

    name: str
    kind: ModuleKind
    shape: list[Count]
    dtype: str
    results: dict[str, ModuleFigures]
    refused: dict[str, str]

    __slots__ = ("dtype", "kind", "name", "refused", "results", "shape")

    def __init__(self, module: Module) -> None:
        self.name = module.name
        self.kind = module.kind
        self.shape = list(module.tensor.shape)
        self.dtype = module.tensor.dtype
        self.results = {}
        self.refused = {}

    def __repr__(self) -> str:
        return f"ModuleQuality({self.name!r}, {self.shape!r})"


class Quality(Described):
    """What schemes do to the weights of a checkpoint.

    Attributes:
        model: as given.
        recipes: what was compared.
        modules: each module that is quantized.
        left_out: the matrices that were left as they are, with the reason.
        totals: recipe → the same as of a module, over all of them, and ``modules``, ``bytes``.
        plan: what gives each module its one recipe: a rules file or a launch; it has a total too.
            None when schemes are compared.
        rules: the rules of a file, each with the modules that it takes; None without a file.
        predicted: recipe → the sum of coefficient times relative error, relative to the first
            recipe; None without coefficients.
        ranking: modules by what they are predicted to cost, for each recipe; None without
            coefficients.
        notes: what these numbers do not say.
    """

    model: str
    recipes: list[Recipe]
    modules: list[ModuleQuality]
    left_out: list[LeftOut]
    totals: dict[str, TotalFigures]
    plan: str | None
    rules: list[RuleTaken] | None
    predicted: dict[str, NotNegative] | None
    ranking: dict[str, list[str]] | None
    notes: list[str]

    __slots__ = (
        "left_out",
        "model",
        "modules",
        "notes",
        "plan",
        "predicted",
        "ranking",
        "recipes",
        "rules",
        "totals",
    )

    def __init__(self, model: str, chosen: list[Recipe]) -> None:
        self.model = model
        self.recipes = chosen
        self.modules = []
        self.left_out = []
        self.totals = {}
        self.predicted = None
        self.ranking = None
        self.plan = None
        self.rules = None
        self.notes = list(NOTES)

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
    rules: Any = None,
    config: dict[str, Any] | None = None,
    activations: str | os.PathLike[str] | None = None,
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
        engine: such as ``sglang_jax@0.1.0rc0``: every recipe for weights that it has, or the one
            that rules or a config ask for.
        rules: a rules file of sglang-jax, as `read_rules` takes it: each module gets the recipe of
            the first rule that matches the engine's own name for it.
        config: a quantization config, four fields or unified: each module gets what the engine does
            with it while loading.
        activations: what the layers are given: a safetensors or npz file with inputs (tokens by
            features) or mean squares of inputs (one for each feature) under the names of modules,
            or an imatrix of llama.cpp.
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
    found = read_modules(folder)
    names = config_of(folder).get("architectures") or [""]
    plan = plan_of(schemes, engine, rules, config, str(names[0]), found)
    inputs = None if activations is None else Inputs(activations)
    out = Quality(folder, plan.recipes)
    out.plan, out.rules = plan.title, plan.rules
    out.notes = [*plan.notes, *out.notes, *([] if inputs is None else [_OUTPUT])]
    codes = ", ".join(f"{count} of {kind}" for kind, count in quantized_already(folder).items())
    if codes:
        note = f"Matrices that are quantized already, of which nothing is said here: {codes}."
        out.notes.insert(0, note)
    given = {module: plan.of(module) for module in found}
    taken = {module: own for module, own in given.items() if not isinstance(own, str)}
    out.left_out += [
        LeftOut(module.name, module.kind, own)
        for module, own in given.items()
        if isinstance(own, str)
    ]
    _measure_all(out, taken, inputs, _threads(threads), progress)
    if sensitivity is not None:
        _predict(out, _coefficients(sensitivity))
    return out


def _measure_all(
    out: Quality,
    taken: dict[Module, list[Recipe]],
    inputs: Inputs | None,
    threads: int,
    progress: Callable[[int, int], None] | None,
) -> None:
    """Measure every module that is taken, and add up what was found."""
    total = sum(module.tensor.size for module in taken)
    done = without = 0
    sums: dict[str, dict[str, float]] = {recipe.name: {} for recipe in out.recipes}
    if out.plan is not None:
        sums[out.plan] = {}
    for module, given in taken.items():
        places = [(recipe, [sums[recipe.name]]) for recipe in given]
        if out.plan is not None:
            places[0][1].append(sums[out.plan])
        known = None if inputs is None else inputs.of(module)
        without += inputs is not None and known is None
        out.modules.append(_measure(module, places, threads, known))
        done += module.tensor.size
        if progress is not None:
            progress(done, total)
    if without:
        out.notes.append(f"{without} modules have no activations, and no error of outputs.")
    for name, whole in sums.items():
        out.totals[name] = _total(whole)


def _measure(
    module: Module,
    places: list[tuple[Recipe, list[dict[str, float]]]],
    threads: int,
    inputs: Given | None,
) -> ModuleQuality:
    """Every recipe on one module, in one pass; sums go to their places."""
    out = ModuleQuality(module)
    tensor = module.tensor
    columns = tensor.shape[-1]
    rows = tensor.elements // columns if columns else 0
    fit = []
    for recipe, totals in places:
        reason = refusal(recipe, tensor)
        if reason is None:
            fit.append((recipe, totals))
        else:
            out.refused[recipe.name] = reason
    if not fit or not tensor.size:
        return out
    names = [recipe.name for recipe, _ in fit]
    known: list[Any] = [None, None]
    if inputs is not None:
        known[0 if is_moments(inputs) else 1] = inputs.view
    with open(tensor.file, "rb") as file:
        place = (file.fileno(), tensor.offset)
        try:
            kind = TYPES[tensor.dtype]
            found = _core.measure_buffer(place, kind, rows, columns, names, threads, _BEST, *known)
        except ConfigError as error:
            raise named(error, tensor.name) from None
    for (recipe, totals), item in zip(fit, found):
        bits = recipe.bits_per_weight(rows, columns)
        result = {**_result(item), "bits_per_weight": bits}
        if inputs is not None:
            result.update(_output(item, recipe, inputs, threads))
        out.results[recipe.name] = result
        for total in totals:
            for key in _ADDED:
                total[key] = total.get(key, 0) + item[key]
            total["bits"] = total.get("bits", 0) + bits * item["elements"]
            total["modules"] = total.get("modules", 0) + 1
    return out


def _output(item: dict[str, Any], recipe: Recipe, inputs: Given, threads: int) -> dict[str, Any]:
    """The error of a layer's output, and of its inputs where the engine quantizes them."""
    if item["output_signal"] <= 0:
        return {"output_sqnr_db": None}
    noise = item["output_noise"] / item["output_signal"]
    out = {"output_sqnr_db": in_db(noise)}
    other = activation_of(recipe)
    if other is None or is_moments(inputs):
        return out
    sums = quantize(inputs, other, threads=threads)._sums
    lost = relative_error(sums)
    return {**out, "activation_sqnr_db": in_db(lost), "both_sqnr_db": in_db(noise + lost)}


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
    whole: dict[str, Any] = dict.fromkeys((*_ADDED, "bits", "modules"), 0)
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
            data = json.loads(read_file(given, _MOST))
        except (OSError, ValueError) as error:
            raise problem("the coefficients", str(error), hint) from None
    good = isinstance(data, dict) and all(
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < math.inf
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
