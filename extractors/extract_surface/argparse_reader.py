"""Records ``add_argument`` calls and turns them into flag records."""

from __future__ import annotations

import ast
import math
from dataclasses import dataclass, field
from typing import Any

from .objects import ParserBase
from .values import (
    ClassValue,
    EnumMember,
    External,
    Function,
    Instance,
    Lazy,
    Unknown,
    has_unknown,
    is_unknown,
)

Record = dict[str, Any]
UNKNOWN: dict[str, bool] = {"unknown": True}
_JSON_TYPES = {"json.loads", "orjson.loads", "yaml.safe_load", "ast.literal_eval"}
_NO_VALUE = ("store_true", "store_false", "store_const", "count", "help", "version")


@dataclass
class Option:
    """One recorded call."""

    names: list[str]
    kwargs: dict[str, Any]
    conditional: bool


@dataclass
class ParserModel(ParserBase):
    """Stands for an ``ArgumentParser`` and for its groups."""

    options: list[Option] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    children: dict[str, ParserModel] = field(default_factory=dict)

    def call(self, name: str, args: list[Any], kwargs: dict[str, Any], interp: Any) -> Any:
        """Record a method call on the parser."""
        if name == "add_argument":
            names = [item for item in args if isinstance(item, str)]
            if len(names) != len(args) or not names:
                self.notes.append(f"an option with a computed name, after {self._last()}")
                if not names:
                    return None
            self.options.append(Option(names, dict(kwargs), interp.uncertain > 0))
            return None
        if name in ("add_argument_group", "add_mutually_exclusive_group"):
            return self
        if name == "add_subparsers":
            return self
        if name == "add_parser" and args and isinstance(args[0], str):
            return self.children.setdefault(args[0], ParserModel())
        if name == "set_defaults":
            for option in self.options:
                for key, value in kwargs.items():
                    if key == _destination(option):
                        option.kwargs["default"] = value
            return None
        return Unknown(f"parser.{name}")

    def _last(self) -> str:
        return self.options[-1].names[0] if self.options else "the start"


def _destination(option: Option) -> str:
    given = option.kwargs.get("dest")
    if isinstance(given, str):
        return given
    longs = [name for name in option.names if name.startswith("--")] or option.names
    return longs[0].lstrip("-").replace("-", "_")


def json_value(value: Any) -> Any:
    """Return a value as JSON, or the mark for unknown."""
    if isinstance(value, EnumMember):
        return json_value(value.value)
    if isinstance(value, float) and not math.isfinite(value):
        return dict(UNKNOWN)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (set, frozenset)) and not has_unknown(value):
        return sorted((json_value(item) for item in value), key=str)
    if isinstance(value, (list, tuple)):
        items = [json_value(item) for item in value]
        return dict(UNKNOWN) if any(item == UNKNOWN for item in items) else items
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        found = {key: json_value(item) for key, item in value.items()}
        return dict(UNKNOWN) if any(item == UNKNOWN for item in found.values()) else found
    return dict(UNKNOWN)


def choice_list(value: Any, interp: Any) -> Any:
    """Return accepted values, sorted; the mark for unknown if not all are known."""
    found = interp.iterate(value)
    if found is None or has_unknown(found):
        return dict(UNKNOWN)
    items = {json_value(item) for item in found if not isinstance(item, (list, dict))}
    items.discard(None)
    if not items:
        return dict(UNKNOWN)  # a registry that other modules fill
    return sorted(items, key=lambda item: (isinstance(item, str), item))


def type_of(value: Any, interp: Any, depth: int = 5) -> dict[str, Any]:
    """Classify the ``type=`` callable of an option: ``type`` and, if special, ``via``."""
    if value is None:
        return {"type": "str"}
    if isinstance(value, External):
        short = value.name.rpartition(".")[2]
        if value.name in _JSON_TYPES:
            return {"type": "json"}
        if value.name in ("builtins.int", "builtins.float", "builtins.str", "builtins.bool"):
            return {"type": short}
        if value.name in ("pathlib.Path", "os.path.expanduser"):
            return {"type": "str"}
        return {"type": "unknown", "via": short}
    if isinstance(value, Function):
        return _type_of_function(value, interp, depth)
    if isinstance(value, ClassValue):
        if interp.is_enum(value):
            return {"type": "str", "via": value.name}
        return {"type": "unknown", "via": value.name}
    return {"type": "unknown"}


def _reads_pairs(node: Any) -> bool:
    """Whether a function reads a=1,b=2 where no JSON stands: vLLM 0.8.5 to 0.9.2."""
    return any(isinstance(part, ast.Name) and part.id == "nullable_kvs" for part in ast.walk(node))


def _type_of_function(value: Function, interp: Any, depth: int) -> dict[str, Any]:
    inner = value.scope.names.get("return_type") if value.scope.names else None
    if inner is not None and depth:
        found = dict(type_of(interp.force(inner), interp, depth - 1))
        if value.name == "_optional_type":
            found["none"] = True
        if found.get("type") == "json" and _reads_pairs(value.node):
            found["via"] = "json_or_pairs"
        return found
    text = value.name.lower()
    if text in ("nullable_str", "str_type", "parse_reasoning_parser", "optional_str"):
        return {"type": "str", **({"none": True} if text != "str_type" else {})}
    if text in ("parse_dataclass", "nullable_json") or text.startswith(("json", "parse_json")):
        return {"type": "json", **_json_keys(value, interp)}
    if text in ("from_cli", "from_json") or (text == "<lambda>" and _reads_json(value.node)):
        return {"type": "json", "via": value.name.strip("<>"), **_json_keys(value, interp)}
    if "human_readable_int" in text:
        units = {node.value for node in ast.walk(value.node) if isinstance(node, ast.Constant)}
        return {"type": "int", "via": value.name + "_iec" * ("Ki" in units)}
    if text == "union_dict_and_str":
        return {"type": "str", "via": value.name}
    found = {"type": "unknown", "via": value.name.strip("<>")}
    body = getattr(value.node, "body", [])
    for node in ast.walk(body) if isinstance(body, ast.AST) else []:
        if isinstance(node, ast.Attribute) and node.attr in ("lower", "upper"):
            found["any_case"] = True
    return found


def _json_keys(value: Function, interp: Any) -> dict[str, Any]:
    """Return the keys that a JSON option takes, if its parser holds a config class."""
    held = [item for item in value.defaults.values() if isinstance(item, ClassValue)]
    held += [value.bound] if isinstance(value.bound, ClassValue) else []
    specs = interp.fields(held[0]) if held else None
    if not specs:
        return {}
    return {"keys": sorted(spec.name for spec in specs if not spec.name.startswith("_"))}


def _reads_json(node: Any) -> bool:
    """True for a lambda that parses JSON, or hands its text to a config's own parser."""
    names = {getattr(n, "attr", getattr(n, "id", "")) for n in ast.walk(node)}
    return bool(names & {"loads", "from_cli", "from_json"})


def _action_facts(cls: ClassValue, kwargs: dict[str, Any], interp: Any) -> Record:
    """Read what a custom action does from its class."""
    out: Record = {}
    init = interp.class_attribute(cls, "__init__")
    if init and isinstance(init[0], Function):
        spec = init[0].node.args
        names = [a.arg for a in spec.args]
        given = dict(zip(names[len(names) - len(spec.defaults) :], spec.defaults))
        given.update({a.arg: d for a, d in zip(spec.kwonlyargs, spec.kw_defaults) if d})
        for call in ast.walk(init[0].node):
            if isinstance(call, ast.Call) and getattr(call.func, "attr", "") == "__init__":
                given.update(
                    {
                        k.arg: k.value
                        for k in call.keywords
                        if k.arg and isinstance(k.value, ast.Constant)
                    }
                )
        for key in ("nargs", "default"):
            if key in given and isinstance(given[key], ast.Constant):
                out[key] = given[key].value
    run = interp.class_attribute(cls, "__call__")
    if run and isinstance(run[0], Function):
        body = run[0].node.body
        if any(_stops(statement) for statement in body) or (
            kwargs.get("error_message") is not None
            and any(isinstance(s, ast.If) and any(_stops(inner) for inner in s.body) for s in body)
        ):
            out["refused"] = True
    if "deprecated" in cls.name.lower():
        out["deprecated"] = True
    return out


def _stops(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Raise):
        return True
    call = statement.value if isinstance(statement, ast.Expr) else None
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "error"
    )


def _apply_action(record: Record, kwargs: dict[str, Any], names: list[str], interp: Any) -> None:
    action = kwargs.get("action")
    if isinstance(action, str):
        if action in _NO_VALUE:
            record.update({"type": "bool", "nargs": 0})
            record.setdefault(
                "default", action == "store_false" if action.startswith("store_") else None
            )
            if action == "store_false":
                record["value"] = False
            if action == "store_const":
                record["value"] = json_value(kwargs.get("const"))
                record["default"] = json_value(kwargs.get("default"))
        elif action in ("append", "extend", "append_const"):
            record["repeat"] = True
    elif isinstance(action, External) and action.name.endswith("BooleanOptionalAction"):
        record.update({"type": "bool", "nargs": 0})
        record["aliases"] = record.get("aliases", []) + [
            "--no-" + name[2:] for name in names if name.startswith("--")
        ]
    elif isinstance(action, ClassValue):
        facts = _action_facts(action, kwargs, interp)
        if action.name == "StoreBoolean":
            record.update({"type": "bool", "choices": ["false", "true"]})
        if "nargs" in facts and "nargs" not in kwargs and facts["nargs"] is not None:
            record["nargs"] = facts["nargs"]
        if "default" in facts and "default" not in kwargs:
            record["default"] = json_value(facts["default"])
        if record.get("nargs") == 0:
            record["type"] = "bool"
        for key in ("refused", "deprecated"):
            if facts.get(key):
                record[key] = True
        new = kwargs.get("new_flag")
        if isinstance(new, str):
            record["use"] = new
    elif action is not None:
        record["action"] = dict(UNKNOWN)


def to_record(option: Option, interp: Any) -> Record:
    """Turn a recorded call into a flag record; ``name`` is the canonical spelling."""
    kwargs = {key: interp.force(value) for key, value in option.kwargs.items()}
    longs = [name for name in option.names if name.startswith("--")]
    name = (longs or option.names)[0]
    record: Record = {"name": name}
    if not name.startswith("-"):
        record["positional"] = True
    others = [other for other in option.names if other != name]
    if others:
        record["aliases"] = others
    record.update(type_of(kwargs.get("type"), interp))
    nargs = kwargs.get("nargs")
    if nargs is not None:
        record["nargs"] = nargs if isinstance(nargs, (int, str)) else dict(UNKNOWN)
    default = kwargs.get("default")
    hidden = isinstance(default, External) and default.name == "argparse.SUPPRESS"
    if not hidden and default is not None:
        record["default"] = json_value(default)
    if kwargs.get("choices") is not None:
        record["choices"] = choice_list(kwargs["choices"], interp)
        record["checked"] = "parser"
    elif isinstance(kwargs.get("metavar"), list):
        record["choices"] = choice_list(kwargs["metavar"], interp)
        record["checked"] = "open"
    _apply_action(record, kwargs, option.names, interp)
    if record.get("nargs") in ("+", "*") or (
        isinstance(record.get("nargs"), int) and record["nargs"] > 1
    ):
        record["item"], record["type"] = record["type"], "list"
    elif record.get("checked") == "parser" and record["type"] in ("str", "unknown"):
        record["type"] = "choice"
    if isinstance(record.get("choices"), list) and record.get("none"):
        record["choices"] = [item for item in record["choices"] if item != "None"]
    if kwargs.get("required") is True:
        record["required"] = True
    text = kwargs.get("help")
    if kwargs.get("deprecated") is True or (
        isinstance(text, str) and "deprecated" in text.lower()[:60]
    ):
        record["deprecated"] = True
    if kwargs.get("**") is not None:
        record["type"] = "unknown"
        record["default"] = dict(UNKNOWN)
        record.setdefault("choices", dict(UNKNOWN))
    if option.conditional:
        record["conditional"] = True
    if "default" in kwargs and default is None:
        record["default"] = None
    record.setdefault("default", None)
    if record["default"] is None and not isinstance(default, (Unknown, Instance, Lazy)):
        del record["default"]
    return record


def to_flags(parser: ParserModel, interp: Any, skip: list[str] | None = None) -> dict[str, Record]:
    """Return the flag records of a parser by canonical name; later calls win."""
    flags: dict[str, Record] = {}
    for option in parser.options:
        record = to_record(option, interp)
        name = record.pop("name")
        if name not in (skip or []):
            flags[name] = record
    return flags


def unknown_count(flags: dict[str, Record]) -> int:
    """Count the choices and types that could not be read."""
    return sum(
        record.get("choices") == UNKNOWN or record.get("type") == "unknown"
        for record in flags.values()
    )


def is_plain(value: Any) -> bool:
    """True for a fully known value (used by readers of registries)."""
    return not is_unknown(value) and not has_unknown(value)
