"""The documented functions, spelt out: catalogue rows, fallback chain, warnings. Clarity first."""

from __future__ import annotations

import json
import re
from typing import Any

from . import catalogue as cat
from .arguments import Argument, Result, merge
from .config import Config, Problem, ReferenceConfigError, resolve, to_dict, wrong_type

# ---------------------------------------------------------------- engine and model


def version_problems(engine: str, version: str) -> list[str]:
    """What is wrong with a version; checked mode itself is not the reference's business."""
    found = re.match(r"v?(\d+(?:\.\d+)*)", version.strip())
    if found is None:
        return ["not-a-version"]
    oldest = [int(part) for part in cat.oldest_release(engine).split(".")]
    if [int(part) for part in found[1].split(".")] < oldest:
        return ["version-too-old"]
    raise NotImplementedError("the reference knows documented mode only")


def read_engine(name: Any, problems: list[Problem], path: str = "runtime") -> dict[str, Any] | None:
    if not isinstance(name, str):
        problems.append((wrong_type(name), path))
        return None
    base, *version = re.split("@|==", name.strip().lower(), maxsplit=1)
    for engine in cat.ENGINES.values():
        if base.strip() in engine["runtime_names"]:
            if version:
                problems += [(code, path) for code in version_problems(engine["id"], version[0])]
            return engine
    problems.append(("unknown-engine", path))
    return None


def is_quantized(model: Any, warnings: list[str]) -> bool:
    if model is None:
        return False
    method = model.get(cat.CHECKPOINTS["method_key"]) if isinstance(model, dict) else model
    if not isinstance(method, str):
        warnings.append("unreadable-model-quantization")
        return False
    return method.strip().lower() not in cat.CHECKPOINTS["unquantized_names"]


# ---------------------------------------------------------------- what does not fit the method


def drop_unfit(config: Config, warnings: list[str]) -> dict[str, Any]:
    """The settings that the rows see."""
    method = config.effective("method")
    seen = dict(config.settings)
    for item in cat.FIELDS:
        if "fits" not in item or item["id"] not in seen:
            continue
        value = seen[item["id"]]
        fits = False
        for fit in item["fits"]:
            if method in fit["method"]:
                fits = fits or fit["options"] == "*" or str(value) in fit["options"]
        if not fits:
            unfit = item.get("unfit", {})
            warnings.append(unfit.get("code", "inconsistent-with-method"))
            if unfit.get("drops"):
                del seen[item["id"]]
    for item in cat.FIELDS:
        for option in item.get("options", []):
            rule = option.get("completed_by")
            if rule and rule["field"] in seen and seen.get(item["id"]) not in rule["with"].values():
                warnings.append("fp8-format-ignored")
    return seen


# ---------------------------------------------------------------- the method's fallback chain


def engine_has_method(engine: dict[str, Any], method: str) -> bool:
    return any(
        row["field"] == "method" and method in row["is"] for row in engine["documented"]["rows"]
    )


def plain_name(method: str) -> str | None:
    option = next(option for option in cat.field("method")["options"] if option["id"] == method)
    plain: str | None = option.get("plain")
    return plain


def marlin_name(method: str) -> str | None:
    for option in cat.field("method")["options"]:
        if option.get("plain") == method:
            return str(option["id"])
    return None


def choose_method(settings: dict[str, Any], engine: dict[str, Any]) -> tuple[str, bool]:
    """The method the engine gets, and whether that is a fallback."""
    asked = settings.get("method", cat.field("method")["default"])
    tried: list[str] = []
    for start in (asked, settings.get("fallback_method"), settings.get("base_quantization")):
        name: str | None = start
        while name is not None and name not in tried:
            tried.append(name)
            marlin = marlin_name(name)
            if (
                settings.get("enable_marlin")
                and marlin is not None
                and engine_has_method(engine, marlin)
            ):
                return marlin, len(tried) > 1
            if engine_has_method(engine, name):
                return name, len(tried) > 1
            name = plain_name(name)
    return cat.field("method")["default"], True


# ---------------------------------------------------------------- rows


def row_matches(
    row: dict[str, Any], item: dict[str, Any], value: Any, state: dict[str, Any], quantized: bool
) -> bool:
    if row["field"] != item["id"]:
        return False
    if row["is"] != "*" and str(value) not in row["is"]:
        return False
    for key, wanted in row.get("when", {}).items():
        if key == "checkpoint":
            if ("quantized" if quantized else "unquantized") not in wanted:
                return False
        elif key == "same_as":
            if state.get(wanted) != value:
                return False
        elif state.get(key) not in wanted:
            return False
    return True


def emit(result: Result, engine: dict[str, Any], row: dict[str, Any], asked: Any) -> None:
    marks = set(engine["documented"].get("never_accepted", {})) | set(row.get("never_accepted", {}))
    for target, text in row["try"][0].items():
        value = asked if text == "=" else text
        route = engine["targets"][target][0]
        if "env" in route:
            result.env[route["env"]] = value
            continue
        fresh = Argument(route["flag"], value, never_accepted=target in marks)
        old = result.find(fresh.flag)
        if old is None:
            result.arguments.append(fresh)
        else:
            result.arguments[result.arguments.index(old)] = fresh


def map_config(config: Config, engine: dict[str, Any], quantized: bool) -> Result:
    result = Result()
    settings = config.settings
    if config.form == "unified":
        settings = drop_unfit(config, result.warnings)
        quantized = False  # the unified form names no effect of a quantized model
    state = {item["id"]: item["default"] for item in cat.FIELDS if "default" in item}
    state.update(settings)
    warned: set[tuple[str, str]] = set()
    for field_id in engine["order"][config.form]:
        value = state.get(field_id)
        if value is None:
            continue
        item = cat.field(field_id)
        if field_id == "method":
            value, fell_back = choose_method(settings, engine)
            if fell_back:
                result.warnings.append("method-falls-back")
        for row in engine["documented"]["rows"]:
            if not row_matches(row, item, value, state, quantized):
                continue
            emit(result, engine, row, value)
            code = row.get("code", "applied")
            # What concerns a whole section is said once.
            place = item["section"] if code == "moe-section-ignored" else field_id
            if cat.SEVERITY[code] == "warning" and (code, place) not in warned:
                warned.add((code, place))
                result.warnings.append(code)
            break
    return result


# ---------------------------------------------------------------- the documented functions


def _checked(problems: list[Problem]) -> None:
    if problems:
        raise ReferenceConfigError(problems)


def _launch(runtime: Any, quant_config: Any, parameters: Any, model: Any) -> Result:
    problems: list[Problem] = []
    warnings: list[str] = []
    engine = read_engine(runtime, problems)
    config = resolve(quant_config, problems)
    quantized = is_quantized(model, warnings)
    if problems or engine is None:
        merge(Result(), parameters, engine, problems)
        raise ReferenceConfigError(problems)
    result = map_config(config, engine, quantized)
    result.warnings = warnings + result.warnings
    merge(result, parameters, engine, problems)
    _checked(problems)
    if any(argument.derived and argument.never_accepted for argument in result.arguments):
        result.warnings.append("never-accepted")
    return result


def get_runtime_args(
    runtime: Any, quant_config: Any, user_parameters: Any = None, model_quantization: Any = None
) -> Result:
    result = _launch(runtime, quant_config, user_parameters, model_quantization)
    for argument in result.arguments:
        if not isinstance(argument.value, bool):
            argument.value = str(argument.value)
    return result


def map_to_engine_args(quant_config: Any, engine: Any) -> Result:
    return _launch(engine, quant_config, None, None)


def merge_parameters(
    quant_args: dict[str, Any], user_parameters: Any, runtime: Any = None
) -> Result:
    problems: list[Problem] = []
    engine = None if runtime is None else read_engine(runtime, problems)
    result = Result([Argument(flag, value) for flag, value in quant_args.items()])
    merge(result, user_parameters, engine, problems)
    _checked(problems)
    return result


def expand_preset(preset: Any) -> dict[str, Any]:
    if not isinstance(preset, str):
        raise ReferenceConfigError([(wrong_type(preset), "$.preset")])
    if preset not in cat.PRESETS:
        raise ReferenceConfigError([("unknown-preset", "$.preset")])
    return json.loads(json.dumps(cat.PRESETS[preset]["config"]))  # type: ignore[no-any-return]


def resolve_quant_config(quant_config: Any) -> dict[str, Any]:
    problems: list[Problem] = []
    config = resolve(quant_config, problems)
    _checked(problems)
    return to_dict(config)


def validate_quant_config(quant_config: Any) -> tuple[bool, list[str]]:
    problems: list[Problem] = []
    resolve(quant_config, problems)
    return not problems, [code for code, _ in problems]


def should_apply_dynamic_fp8(gemm_dtype: str, model_quantization: Any = None) -> bool:
    return gemm_dtype == "fp8" and not is_quantized(model_quantization, [])


def validate_config_for_engine(quant_config: Any, engine: Any) -> bool:
    problems: list[Problem] = []
    known = read_engine(engine, problems, "engine")
    config = resolve(quant_config, problems)
    _checked(problems)
    assert known is not None
    for rule in known["documented"]["unsupported"]:
        if rule.get("section") in config.sections:
            return False
        if "field" in rule and config.effective(rule["field"]) in rule["is"]:
            return False
    return True
