"""Reading a config: wrapper, presets, overrides, and every check that needs no engine."""

from __future__ import annotations

import copy
import math
import re
from dataclasses import dataclass
from dataclasses import field as data_field
from typing import Any

from . import catalogue as cat

Problem = tuple[str, str]  # code, path


class ReferenceConfigError(ValueError):
    """All that is wrong with one call."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(repr(problems))
        self.problems = problems


@dataclass
class Config:
    """Settings by field id; `sections` are those that were written down, even when empty."""

    form: str = "four_field"
    settings: dict[str, Any] = data_field(default_factory=dict)
    sections: set[str] = data_field(default_factory=set)

    def effective(self, field_id: str) -> Any:
        """The setting, or the field's default, or None."""
        return self.settings.get(field_id, cat.field(field_id).get("default"))


def child(path: str, key: Any) -> str:
    """The path of a member; an unusual key is quoted."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    if re.fullmatch(r"[A-Za-z0-9_-]{1,60}", key):
        return f"{path}.{key}"
    return f"{path}['{key}']"


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def wrong_type(value: Any) -> str:
    """The code for a value of the wrong type: a number that is not finite has its own."""
    if isinstance(value, float) and not math.isfinite(value):
        return "not-finite"
    return "wrong-type"


# ---------------------------------------------------------------- one setting


def check_option(item: dict[str, Any], value: Any) -> str | None:
    known = cat.options(item)
    if "number" in known[0]:
        if not is_integer(value):
            return wrong_type(value)
        return None if value in [option["number"] for option in known] else "unknown-value"
    if not isinstance(value, str):
        return wrong_type(value)
    return None if value in [option["id"] for option in known] else "unknown-value"


def check_integer(item: dict[str, Any], value: Any) -> str | None:
    if not is_integer(value):
        return wrong_type(value)
    return None if item["min"] <= value <= item["max"] else "out-of-range"


def check_fraction(value: Any) -> str | None:
    if not is_number(value):
        return wrong_type(value)
    return None if 0 < value <= 1 else "out-of-range"


def check_setting(item: dict[str, Any], value: Any) -> str | None:
    """The code of what is wrong with a value for a field, or None."""
    if isinstance(value, (list, tuple)):
        return "list-of-values"
    if item["kind"] == "option":
        return check_option(item, value)
    if item["kind"] == "integer":
        return check_integer(item, value)
    if item["kind"] == "fraction":
        return check_fraction(value)
    if item["kind"] == "boolean":
        return None if isinstance(value, bool) else wrong_type(value)
    return None if isinstance(value, str) else wrong_type(value)


# ---------------------------------------------------------------- explicit keys


def read_explicit(
    source: dict[str, Any], path: str, problems: list[Problem]
) -> tuple[Config, set[str]]:
    """The settings written down in `source`, and the forms that its keys belong to."""
    config = Config()
    forms: set[str] = set()

    def read(item: dict[str, Any], value: Any, where: str) -> None:
        forms.add(item["form"])
        if value is None:
            return
        code = check_setting(item, value)
        if code:
            problems.append((code, where))
        else:
            config.settings[item["id"]] = value

    for key, value in source.items():
        if key in cat.KEYS.values():
            continue
        if not isinstance(key, str):
            problems.append(("non-string-key", path))
            continue
        where = child(path, key)
        item = cat.find_top_field(key)
        if item is not None:
            read(item, value, where)
        elif key not in cat.SECTIONS:
            problems.append(("unknown-key", where))
        else:
            forms.add("unified")
            if value is None:
                continue
            if not isinstance(value, dict):
                problems.append((wrong_type(value), where))
                continue
            config.sections.add(key)
            for inner_key, inner_value in value.items():
                member = cat.find_member(key, inner_key)
                if member is None:
                    problems.append(("unknown-key", child(where, inner_key)))
                else:
                    read(member, inner_value, child(where, inner_key))
    if len(forms) > 1:
        problems.append(("mixed-forms", path))
    elif forms:
        config.form = next(iter(forms))
    return config, forms


# ---------------------------------------------------------------- presets


def preset_config(name: str) -> Config:
    preset = cat.PRESETS[name]
    config, _ = read_explicit(preset["config"], "$", [])
    return config


def read_preset_name(value: Any, path: str, problems: list[Problem]) -> str | None:
    if isinstance(value, (list, tuple)):
        problems.append(("list-of-values", path))
    elif not isinstance(value, str):
        problems.append((wrong_type(value), path))
    elif value not in cat.PRESETS:
        problems.append(("unknown-preset", path))
    else:
        return value
    return None


def read_preset(source: dict[str, Any], path: str, problems: list[Problem]) -> str | None:
    one = source.get(cat.KEYS["preset"])
    several = source.get(cat.KEYS["presets"])
    one_path = child(path, cat.KEYS["preset"])
    several_path = child(path, cat.KEYS["presets"])
    if one is not None and several is not None:
        problems.append(("preset-beside-presets", several_path))
        return None
    if one is not None:
        return read_preset_name(one, one_path, problems)
    if several is None:
        return None
    if not isinstance(several, (list, tuple)):
        problems.append((wrong_type(several), several_path))
        return None
    if not several:
        problems.append(("empty-presets", several_path))
        return None
    names = [
        read_preset_name(name, child(several_path, i), problems) for i, name in enumerate(several)
    ]
    if len(names) > 1:
        problems.append(("several-presets", several_path))
        return None
    return names[0]


# ---------------------------------------------------------------- the whole config


def check_required(config: Config, path: str, problems: list[Problem]) -> None:
    """A section that was written down has its required key."""
    for name in sorted(config.sections):
        required = cat.SECTIONS[name].get("requires")
        if required is None:
            continue
        item = cat.find_member(name, required)
        assert item is not None
        broken = any(where == child(child(path, name), required) for _, where in problems)
        if item["id"] not in config.settings and not broken:
            problems.append((f"missing-{required}", child(path, name)))


def complete(config: Config, path: str, problems: list[Problem]) -> None:
    """`fp8` becomes a full FP8 dtype; a format that contradicts a full dtype is an error."""
    for item in cat.FIELDS:
        for option in item.get("options", []):
            rule = option.get("completed_by")
            if rule is None or item["id"] not in config.settings:
                continue
            given = config.settings.get(rule["field"])
            whole = rule["with"][given or rule["default"]]
            now = config.settings[item["id"]]
            if now == option["id"]:
                config.settings[item["id"]] = whole
            elif given is not None and now in rule["with"].values() and now != whole:
                problems.append(
                    ("conflicting-fp8-format", cat.path_of(cat.field(rule["field"]), path))
                )


def resolve_object(source: dict[str, Any], path: str, problems: list[Problem]) -> Config:
    preset = read_preset(source, path, problems)
    own, forms = read_explicit(source, path, problems)
    config = own
    if preset is not None:
        config = preset_config(preset)
        if len(forms) == 1 and own.form != config.form:  # with two it is reported already
            problems.append(("mixed-forms", path))
        config.settings.update(own.settings)
        config.sections |= own.sections
    named = [source.get(cat.KEYS["preset"]), source.get(cat.KEYS["presets"])]
    readable = preset is not None or named == [None, None]  # another preset might have had the key
    if readable and ("mixed-forms", path) not in problems:
        check_required(config, path, problems)
    complete(config, path, problems)
    return config


def resolve(value: Any, problems: list[Problem], path: str = "$") -> Config:
    """The config that `value` describes; meaningless when `problems` grew."""
    if value is None:
        return Config()
    if not isinstance(value, dict):
        problems.append(("not-an-object", path))
        return Config()
    wrapper = cat.KEYS["wrapper"]
    inner = value.get(wrapper)
    if inner is None:
        return resolve_object(value, path, problems)
    for key, beside in value.items():
        if key != wrapper and beside is not None:
            problems.append(("wrapper-beside-fields", child(path, key)))
    inner_path = child(path, wrapper)
    if not isinstance(inner, dict):
        problems.append(("not-an-object", inner_path))
        return Config()
    if inner.get(wrapper) is not None:
        problems.append(("duplicate-wrapper", child(inner_path, wrapper)))
        return Config()
    return resolve_object(inner, inner_path, problems)


def to_dict(config: Config) -> dict[str, Any]:
    """Four keys, or the nested form with what is present: an empty section stays."""
    out: dict[str, Any] = {name: {} for name in cat.SECTIONS if name in config.sections}
    for item in cat.fields_of(config.form):
        value = (
            config.effective(item["id"])
            if config.form == "four_field"
            else config.settings.get(item["id"])
        )
        if value is None:
            continue
        if "section" in item:
            out.setdefault(item["section"], {})[item["key"]] = copy.deepcopy(value)
        else:
            out[item["key"]] = copy.deepcopy(value)
    return out
