"""Generated tables about presets, fields, engines, diagnostics and the Python API."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import quantmap
from _render import (
    arguments,
    code,
    codes,
    documented_engines,
    dotted,
    engines,
    fields,
    refused,
    table,
)
from quantmap import _core

_SECTION = re.compile(r"^(Args|Returns|Raises|Example|Attributes|Source):\s*(.*)$")


def preset_list() -> str:
    """What each preset is for."""
    rows = []
    for preset in _core.presets():
        floor = preset["hardware"]
        rows.append(
            [
                code(preset["id"]),
                preset["form"].replace("_", "-"),
                preset["use_case"],
                preset["recommended_for"],
                "any GPU" if floor == "any" else f"{floor.capitalize()} or newer",
            ]
        )
    return table(["preset", "form", "use case", "recommended for", "hardware"], rows)


def preset_claims() -> str:
    """The specification's claims, marked as such."""
    kinds = list(_core.presets()[0]["claims"])
    rows = []
    for preset in _core.presets():
        support = [preset["engines"].get(item["id"], "not stated") for item in documented_engines()]
        rows.append(
            [code(preset["id"]), *(preset["claims"].get(kind, "") for kind in kinds), *support]
        )
    header = ["preset", *(f"{kind} (claim)" for kind in kinds)]
    return table([*header, *(f"{item['name']} (claim)" for item in documented_engines())], rows)


def preset_configs() -> str:
    """The full config of each preset."""
    rows = [[code(item["id"]), code(json.dumps(item["config"]))] for item in _core.presets()]
    return table(["preset", "config"], rows)


def preset_arguments() -> str:
    """What each preset emits on each engine."""
    rows = []
    for preset in _core.presets():
        cells = [code(preset["id"])]
        for engine in documented_engines():
            mapping = quantmap.explain(engine["id"], {"preset": preset["id"]})
            never = refused(mapping)
            shown = [arguments({flag: value}, never) for flag, value in mapping.args.items()]
            shown += [arguments({name: value}) for name, value in mapping.env.items()]
            cells.append("<br>".join(shown) or "nothing")
        rows.append(cells)
    return table(["preset", *(engine["name"] for engine in documented_engines())], rows)


def four_fields() -> str:
    """The four fields with their values."""
    rows = []
    for field in fields("four_field"):
        for option in field["options"]:
            default = " (default)" if option == field["default"] else ""
            title = field["option_titles"].get(option, "")
            rows.append([code(field["key"]), code(option) + default, title])
    heads = [f"- {code(field['key'])}: {field['title']}" for field in fields("four_field")]
    return "\n".join(heads) + "\n\n" + table(["field", "value", "meaning"], rows)


def _values(field: dict[str, Any]) -> str:
    if field["kind"] == "option":
        return codes(field["options"])
    if field["kind"] == "integer":
        return f"integer, {field['minimum']} to {field['maximum']}"
    words = {"boolean": "`true`, `false`", "fraction": "number, above 0 to 1", "label": "text"}
    return words[field["kind"]]


def unified_fields() -> str:
    """The keys of the unified form."""
    rows = []
    for field in fields("unified"):
        default = code(field["default"]) if field["default"] is not None else "none"
        rows.append([code(dotted(field)), _values(field), default, field["title"]])
    return table(["key", "values", "default", "meaning"], rows)


def engine_names() -> str:
    """Engines, their names and the flags that have several spellings."""
    rows = []
    for engine in engines():
        aliases = [
            f"{code(flag)}: {codes(others)}" for flag, others in engine["flags"].items() if others
        ]
        rows.append(
            [engine["name"], codes(engine["runtime_names"]), "<br>".join(aliases) or "none"]
        )
    return table(["engine", "runtime names", "flags with other spellings"], rows)


def diagnostics() -> str:
    """Every diagnostic by severity."""
    titles = {
        "error": "Errors: the input cannot be mapped, or a release refuses the launch",
        "warning": "Warnings: the mapping stands; logged by the logger `quantmap`",
        "info": "Info: the reason of a decision, or its ground; never logged",
    }
    parts = []
    for severity, title in titles.items():
        rows = [
            [code(item["code"]), item["template"], item["hint"] or "–", item["since"]]
            for item in _core.diagnostics()
            if item["severity"] == severity
        ]
        header = ["code", "message", "hint", "since"]
        parts.append(f"## {title}\n\n{table(header, rows)}")
    return "\n\n".join(parts)


def _annotation(value: Any) -> str:
    return value if isinstance(value, str) else getattr(value, "__name__", str(value))


def _signature(name: str, target: Any) -> str:
    parts, starred = [], False
    parameters = list(inspect.signature(target).parameters.values())
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        text = parameter.name
        if parameter.annotation is not parameter.empty:
            text += f": {_annotation(parameter.annotation)}"
        if parameter.default is not parameter.empty:
            text += f" = {parameter.default!r}" if ":" in text else f"={parameter.default!r}"
        parts.append(text)
    returns = inspect.signature(target).return_annotation
    arrow = "" if returns is inspect.Signature.empty else f" -> {_annotation(returns)}"
    line = f"{name}({', '.join(parts)}){arrow}"
    if len(line) <= 90:
        return line
    return f"{name}(\n" + "".join(f"    {part},\n" for part in parts) + f"){arrow}"


def _items(lines: list[str]) -> str:
    """An indented ``name: text`` section as a list."""
    out: list[str] = []
    for line in inspect.cleandoc("\n".join(lines)).splitlines():
        if line.startswith(" ") and out:
            out[-1] += " " + line.strip()
        elif ": " in line:
            name, _, text = line.partition(": ")
            out.append(f"- `{name}`: {text}")
        elif out:
            out[-1] += " " + line.strip()
        else:
            out.append(line)
    return "\n".join(out)


def _document(target: Any) -> str:
    """A docstring as Markdown: prose, lists of arguments, examples as Python blocks."""
    section, sections = "", {"": []}
    for line in (inspect.getdoc(target) or "").splitlines():
        match = _SECTION.match(line)
        if match:
            section = match.group(1)
            sections[section] = [match.group(2)] if match.group(2) else []
        else:
            sections[section].append(line)
    parts = [re.sub(r"``(.+?)``", r"`\1`", "\n".join(sections.pop("")).strip())]
    for title, lines in sections.items():
        if title == "Example":
            parts.append(f"```python\n{inspect.cleandoc(chr(10).join(lines))}\n```")
        elif title != "Source":
            text = re.sub(r"``(.+?)``", r"`\1`", _items(lines))
            parts.append(f"{title}:\n\n{text}")
    return "\n\n".join(part for part in parts if part)


def _members(kind: type) -> list[tuple[str, Any]]:
    """What a class offers, its base's first; of what it has of its own, its own."""
    bases = [base for base in reversed(kind.__mro__) if base.__module__.startswith("quantmap")]
    return list({key: value for base in bases for key, value in vars(base).items()}.items())


def python_api() -> str:
    """Every public name: signature, documentation, example."""
    parts = []
    for name in quantmap.__all__:
        target = getattr(quantmap, name)
        if name == "__version__":
            parts.append("## `__version__`\n\nThe version of the installed package, as text.")
        elif name == "QUANTIZATION_PRESETS":
            parts.append(
                f"## `{name}`\n\nA read-only mapping of all presets by name. "
                "Every look-up gives a fresh copy.\n\n"
                "```python\n>>> len(QUANTIZATION_PRESETS)\n"
                f"{len(_core.presets())}\n```"
            )
        elif name == "Engine":
            members = ", ".join(f"`Engine.{item.name}` = `{item.value}`" for item in target)
            parts.append(f"## `Engine`\n\n{inspect.getdoc(target)}\n\n{members}")
        elif inspect.isclass(target):
            body = _document(target)
            methods = [
                f"### `{name}.{key}`\n\n```text\n{_signature(key, value)}\n```\n\n"
                f"{_document(value)}"
                for key, value in _members(target)
                if inspect.isfunction(value) and not key.startswith("_")
            ]
            methods += [
                f"### `{name}.{key}`\n\nA property. {inspect.getdoc(value)}"
                for key, value in _members(target)
                if isinstance(value, property)
            ]
            parts.append("\n\n".join([f"## `{name}`", body, *methods]))
        else:
            signature = _signature(name, target)
            parts.append(f"## `{name}`\n\n```text\n{signature}\n```\n\n{_document(target)}")
    return "\n\n".join(parts)
