"""Recipes of Makefiles and justfiles as lines of a shell."""

from __future__ import annotations

import re

__all__: list[str] = []

_NAME = r"(?:[\w./%-]|\$[({]\w+[)}])+"
_TARGET = re.compile(rf"^{_NAME}(?:[ \t]+{_NAME})*[ \t]*::?(?![=\S])")
_DIRECTIVE = re.compile(
    r"^(?:-?include|sinclude|ifn?eq|ifn?def|else|endif|define|endef|export|unexport|vpath)\b"
)
_PREFIX = re.compile(r"^\t[ \t]*[@+-]*[ \t]*")
_SETTING = re.compile(
    r"^[ \t]*(?:export[ \t]+|override[ \t]+)*([A-Za-z_]\w*)[ \t]*([:?+]{0,2})=[ \t]*(.*)$"
)
_VARIABLE = re.compile(r"\$(?:(\$)|\(([A-Za-z_]\w*|[1-9])\))")
_DEFINED = re.compile(r"^define[ \t]+([A-Za-z_]\w*)[ \t]*=?[ \t]*$", re.MULTILINE)
_CALL = re.compile(r"^(\t[ \t]*[@+-]*[ \t]*)\$\((?:call[ \t]+)?(\w+)((?:,[^()$]*)*)\)[ \t]*$")
# A justfile: its settings, the head of a recipe, and what is filled in.
_JUST_SETTING = re.compile(r"^(?:export[ \t]+)?([A-Za-z_][\w-]*)[ \t]*:=[ \t]*(.*)$")
_JUST_HEAD = re.compile(
    r"^@?[A-Za-z_][\w-]*((?:[ \t]+[+*$]?[\w-]+(?:=(?:'[^']*'|\"[^\"]*\"|\w+))?)*)"
    r"[ \t]*:(?!=)[\w \t()&-]*(?:#.*)?$"
)
_JUST_PARAMETER = re.compile(r"[+*$]?([\w-]+)=('[^']*'|\"[^\"]*\"|\w+)")
_JUST_DIRECTIVE = re.compile(r"^(?:set|alias|import|mod|export|unexport)\b")
_JUST_FILLED = re.compile(r"\{\{[ \t]*([A-Za-z_][\w-]*)[ \t]*\}\}")


def is_makefile(text: str) -> bool:
    """Whether a text is targets with recipes, and settings: a script or YAML has other lines too.

    Args:
        text: the text.

    Returns:
        bool: whether each line is one that a Makefile may have.

    Example:
        >>> [is_makefile(f"run:\\n\\t@vllm serve m\\n{more}") for more in ("", "echo it runs")]
        [True, False]
    """
    recipes = goes_on = behind_target = False
    for row in _without_definitions(text).split("\n"):
        if goes_on or not row.strip() or row.lstrip()[:1] == "#":
            goes_on = row.endswith("\\")
            continue
        goes_on = row.endswith("\\")
        if row.startswith("\t"):
            if not behind_target:
                return False
            recipes = True
        elif _TARGET.match(row):
            behind_target = True
        elif not _SETTING.match(row) and not _DIRECTIVE.match(row.lstrip()):
            return False
    return recipes


def as_shell(text: str) -> str:
    """The recipes and variables of a Makefile as a script; the number of lines stays.

    Args:
        text: the Makefile.

    Returns:
        str: one line for each of its lines.

    Example:
        >>> as_shell("M ?= a\\nrun:\\n\\t@vllm serve $(M)\\n")
        'M="${M:-a}"\\n\\nvllm serve ${M}\\n'
    """
    out: list[str] = []
    goes_on = False
    defined = {match[1] for match in _DEFINED.finditer(text)}
    inside = False  # a definition, which is a function here
    for row in text.split("\n"):
        begin = None if row.startswith("\t") else _DEFINED.match(row)
        if begin or inside:
            ends = not begin and row.startswith("endef")
            inside = not ends
            plain = _filled(_PREFIX.sub("", _called(row, defined)))
            out.append(f"{begin[1]}() {{" if begin else "}" if ends else plain)
            continue
        line = _line_of(_called(row, defined) if row.startswith("\t") else row, goes_on)
        goes_on = bool(line) and row.endswith("\\")
        out.append(line)
    return "\n".join(out)


def _line_of(row: str, goes_on: bool) -> str:
    """A line of a recipe, or of one that goes on, or a setting; empty for anything else."""
    if goes_on or row.startswith("\t"):
        return _filled(row if goes_on else _PREFIX.sub("", row))
    setting = _SETTING.match(row)
    if not setting or row.endswith("\\"):
        return ""
    name, how, value = setting.groups()
    plain = _filled(value.partition(" #")[0].rstrip()).replace('"', '\\"')
    return f'{name}="${{{name}:-{plain}}}"' if how == "?" else f'{name}="{plain}"'


def _without_definitions(text: str) -> str:
    """A Makefile without what stands in its definitions."""
    rows: list[str] = []
    inside = False
    for row in text.split("\n"):
        inside = inside or _DEFINED.match(row) is not None
        rows.append("" if inside else row)
        inside = inside and not row.startswith("endef")
    return "\n".join(rows)


def _called(row: str, defined: set[str]) -> str:
    """A recipe's line, in which a definition that stands by itself is called."""
    match = _CALL.match(row)
    if not match or match[2] not in defined:
        return row
    return f"{match[1]}{match[2]} {(match[3] or '').replace(',', ' ')}".rstrip()


def _filled(text: str) -> str:
    return _VARIABLE.sub(lambda found: "$" if found[1] else f"${{{found[2]}}}", text)


def is_justfile(text: str) -> bool:
    """Whether a text is settings and recipes of just, some of which fill one in.

    Args:
        text: the text.

    Returns:
        bool: whether each line that is not indented is one that a justfile may have.

    Example:
        >>> is_justfile("m := 'a/b'\\nserve:\\n    vllm serve {{m}}\\n")
        True
    """
    if not _JUST_FILLED.search(text):
        return False
    heads = own = 0
    for row in text.split("\n"):
        if not row.strip() or row[0] in " \t#[":
            continue
        head, setting = _JUST_HEAD.match(row), _JUST_SETTING.match(row)
        heads += head is not None
        own += (setting is not None) or (head is not None and bool(head[1]))
        if not head and not setting and not _JUST_DIRECTIVE.match(row):
            return False
    return heads > 0 and own > 0


def just_as_shell(text: str) -> str:
    """The recipes and settings of a justfile as a script; the number of lines stays.

    Args:
        text: the justfile.

    Returns:
        str: one line for each of its lines.

    Example:
        >>> just_as_shell("m := 'a/b'\\nserve:\\n    @vllm serve {{m}}")
        "m='a/b'\\n\\nvllm serve ${m}"
    """
    out: list[str] = []
    goes_on = False
    for row in text.split("\n"):
        setting = _JUST_SETTING.match(row)
        if goes_on or row[:1] in (" ", "\t"):
            plain = row if goes_on else re.sub(r"^[ \t]*@?-?", "", row)
            out.append(_JUST_FILLED.sub(lambda found: f"${{{_name(found[1])}}}", plain))
            goes_on = row.endswith("\\")
        elif setting and _is_text(setting[2]):
            out.append(f"{_name(setting[1])}={setting[2]}")
        elif head := _JUST_HEAD.match(row):
            given = _JUST_PARAMETER.findall(head[1])
            out.append("; ".join(f"{_name(name)}={value}" for name, value in given))
        else:
            out.append("")
    return "\n".join(out)


def _is_text(value: str) -> bool:
    """Whether a setting is a text, and nothing that has to be worked out."""
    return re.fullmatch(r"'[^']*'|\"[^\"$`\\]*\"", value.strip()) is not None


def _name(name: str) -> str:
    return name.replace("-", "_")
