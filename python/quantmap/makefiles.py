"""Recipes of Makefiles as lines of a shell."""

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
_VARIABLE = re.compile(r"\$(?:(\$)|\(([A-Za-z_]\w*)\))")


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
    for row in text.split("\n"):
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
    for row in text.split("\n"):
        line = ""
        setting = None if row.startswith("\t") else _SETTING.match(row)
        if goes_on or row.startswith("\t"):
            line = _filled(row if goes_on else _PREFIX.sub("", row))
        elif setting and not row.endswith("\\"):
            name, how, value = setting.groups()
            plain = _filled(value.partition(" #")[0].rstrip()).replace('"', '\\"')
            line = f'{name}="${{{name}:-{plain}}}"' if how == "?" else f'{name}="{plain}"'
        goes_on = bool(line) and row.endswith("\\")
        out.append(line)
    return "\n".join(out)


def _filled(text: str) -> str:
    return _VARIABLE.sub(lambda found: "$" if found[1] else f"${{{found[2]}}}", text)
