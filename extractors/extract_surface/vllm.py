"""Reader for vLLM: the parser of ``vllm serve``, its start-up registries, its variables."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

from .argparse_reader import UNKNOWN, ParserModel, Record, choice_list, to_flags
from .execute import Interpreter
from .readers import ReadError, Surface, call_with_parser, interpreter, notes_of
from .values import ClassValue, Function, Instance, TypeForm, is_unknown
from .vllm_config import add_limits, add_successors

_SERVE = "vllm.entrypoints.cli.serve"
_PARSERS = ("vllm.entrypoints.openai.cli_args", "vllm.entrypoints.common.cli_args")
_REGISTRY = "vllm.model_executor.layers.quantization"

# Flags whose value is the name of an enumeration's member, checked when the config
# object is made: flag, config class, its field.
_ENUM_FLAGS = (
    ("--attention-backend", "AttentionConfig", "backend"),
    ("--mm-encoder-attn-backend", "MultiModalConfig", "mm_encoder_attn_backend"),
    ("--mamba-backend", "MambaConfig", "backend"),
)

# Flags whose choices are registered by decorators in the files of a folder.
_REGISTERED = (
    ("--reasoning-parser", "vllm/reasoning"),
    ("--tool-call-parser", "vllm/entrypoints/openai/tool_parsers"),
)


def read(folder: Path) -> Surface:
    """Read one vLLM release."""
    interp = interpreter(folder)
    parser = _serve_parser(interp)
    flags = to_flags(parser, interp)
    _add_inverses(flags, interp)
    _add_quantization(flags, interp)
    for flag, config, name in _ENUM_FLAGS:
        if flag in flags and "choices" not in flags[flag]:
            _add_enum(flags[flag], config, name, interp)
    for flag, place in _REGISTERED:
        if flags.get(flag, {}).get("choices") == UNKNOWN:
            flags[flag]["choices"] = registered(folder / place) or dict(UNKNOWN)
    add_limits(flags, folder)
    add_successors(flags, folder)
    cache = flags.get("--kv-cache-dtype", {})
    if cache.get("checked") == "open" and _refuses(interp, "CacheConfig", "cache_dtype"):
        cache["checked"] = "startup"
    return Surface(flags, _variables(interp), notes_of(parser, interp), _spelling(folder))


def _serve_parser(interp: Interpreter) -> ParserModel:
    """Build the parser of ``vllm serve`` wherever this release builds it."""
    command = interp.module_name(_SERVE, "ServeSubcommand")
    if isinstance(command, ClassValue):
        root = ParserModel()
        method = interp.attribute(Instance(command, {"name": "serve"}), "subparser_init")
        interp.call(method, [root], {})
        if "serve" in root.children:
            return root.children["serve"]
    main = interp.module_name("vllm.scripts", "main")
    if isinstance(main, Function):
        made: list[ParserModel] = []

        def make_parser() -> ParserModel:
            made.append(ParserModel())
            return made[-1]

        interp.make_parser = make_parser
        interp.call(main, [], {})
        for root in made:
            if "serve" in root.children:
                return root.children["serve"]
    for module in _PARSERS:
        if interp.tree.path(module):
            return call_with_parser(interp, module, "make_arg_parser")
    raise ReadError("no parser of `vllm serve` found")


def _add_inverses(flags: dict[str, Record], interp: Interpreter) -> None:
    """Add the opposite spellings (``--enable-x``, ``--disable-x``) where the parser makes them."""
    action = interp.module_name("vllm.utils.argparse_utils", "EnableDisableAction")
    if not isinstance(action, ClassValue):
        return
    prefixes = interp.attribute(action, "_inverse_prefixes")
    if not isinstance(prefixes, dict):
        return
    for name, record in flags.items():
        if "--no-" + name[2:] not in record.get("aliases", []):
            continue
        given = [s for s in [name, *record["aliases"]] if not s.startswith("--no-")]
        found = [
            inverse + spelling[len(prefix) :]
            for spelling in given
            for prefix, inverse in prefixes.items()
            if spelling.startswith(prefix)
        ]
        if found:
            record["aliases"] = [*record["aliases"], *found]
            record["off"] = sorted(found)


def _add_quantization(flags: dict[str, Record], interp: Interpreter) -> None:
    """Record the method registry where the parser itself takes any text."""
    record = flags.get("--quantization")
    if record is None:
        return
    if "choices" not in record:
        record["choices"] = _registry(interp, "QUANTIZATION_METHODS")
        record["checked"] = "startup"
        if _folds_method(interp):
            record["any_case"] = True
    old = _registry(interp, "DEPRECATED_QUANTIZATION_METHODS")
    if old and old != UNKNOWN and "--allow-deprecated-quantization" in flags:
        record["deprecated_choices"] = old


def _folds_method(interp: Interpreter) -> bool:
    """True if the model's config writes the method in lower case before it looks at it."""
    cls = interp.module_name("vllm.config", "ModelConfig")
    return any(
        isinstance(n, ast.Attribute) and n.attr == "lower"
        for node in getattr(getattr(cls, "node", None), "body", [])
        if isinstance(node, ast.FunctionDef) and "quantization" in node.name
        for n in ast.walk(node)
    )


def _registry(interp: Interpreter, name: str) -> Any:
    value = interp.module_name(_REGISTRY, name)
    return dict(UNKNOWN) if is_unknown(value) else choice_list(value, interp)


def _add_enum(record: Record, config: str, name: str, interp: Interpreter) -> None:
    """Record the member names that a config field accepts."""
    cls = interp.module_name("vllm.config", config)
    specs = interp.fields(cls) if isinstance(cls, ClassValue) else None
    spec = next((s for s in specs or [] if s.name == name), None)
    if spec is None or not isinstance(cls, ClassValue):
        return
    parts = spec.type.args if isinstance(spec.type, TypeForm) else (spec.type,)
    enum = next((p for p in parts if isinstance(p, ClassValue) and interp.is_enum(p)), None)
    if enum is None:
        return
    interp.body(enum)
    text, folded = _validator(cls, name)
    names = sorted(enum.members)
    record["choices"] = sorted(names + (["auto"] if text else []))
    record["checked"] = "startup"
    if folded:
        record["any_case"] = True


def registered(folder: Path) -> list[str]:
    """Return the names in ``@...register_module(names)`` decorators of a folder's files."""
    found = set()
    for path in sorted(folder.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8", errors="replace"))):
            for item in getattr(node, "decorator_list", []):
                if (
                    isinstance(item, ast.Call)
                    and getattr(item.func, "attr", "") == "register_module"
                ):
                    constants = [
                        n.value
                        for a in item.args
                        for n in ast.walk(a)
                        if isinstance(n, ast.Constant)
                    ]
                    found |= {value for value in constants if isinstance(value, str)}
    return sorted(found)


def _refuses(interp: Interpreter, config: str, field: str) -> bool:
    """True if a config field has a validator of its own that raises."""
    cls = interp.module_name("vllm.config", config)
    return any(
        isinstance(n, ast.Raise)
        for node in _validators(cls, field)
        for statement in node.body
        for n in ast.walk(statement)
    )


def _validators(cls: Any, field: str) -> list[ast.FunctionDef]:
    """Return the validators of a config field."""
    return [
        node
        for node in getattr(getattr(cls, "node", None), "body", [])
        if isinstance(node, ast.FunctionDef)
        and any(
            isinstance(n, ast.Constant) and n.value == field
            for item in node.decorator_list
            for n in ast.walk(item)
        )
    ]


def _validator(cls: ClassValue, field: str) -> tuple[bool, bool]:
    """Look at a field's validator: is "auto" accepted, is case ignored?"""
    for node in _validators(cls, field):
        code = [n for statement in node.body[1:] for n in ast.walk(statement)]
        auto = any(isinstance(n, ast.Constant) and n.value == "auto" for n in code)
        upper = any(isinstance(n, ast.Attribute) and n.attr == "upper" for n in code)
        return auto, upper
    return False, False


def _variables(interp: Interpreter) -> list[str]:
    """Return the environment variables that the release knows."""
    table = interp.module_name("vllm.envs", "environment_variables")
    names = interp.iterate(table) if isinstance(table, dict) else None
    return sorted(name for name in names or [] if isinstance(name, str))


def _spelling(folder: Path) -> list[str]:
    """Return what the release's own parser class adds to ``argparse``."""
    text: str | None = None
    for name in ("utils/argparse_utils.py", "utils/__init__.py", "utils.py"):
        path = folder / "vllm" / name
        found = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
        if "class FlexibleArgumentParser" in found:
            text = found[found.index("class FlexibleArgumentParser") :]
            break
    if text is None:
        return []
    out = []
    if re.search(r"""replace\(["']_["'],\s*["']-["']\)""", text):
        out.append("underscore")
    if "nested_dict" in text:
        out.append("dotted")
    return out
