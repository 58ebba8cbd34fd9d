"""Scripts of cmd, PowerShell and fish as a shell reads the same, line by line in its place."""

from __future__ import annotations

import re

__all__: list[str] = []

_POWERSHELL = re.compile(
    r"^[ \t]*(?:param[ \t]*\(|\[CmdletBinding|Write-(?:Host|Output)\b|\$(?:env:)?\w+[ \t]*=)",
    re.IGNORECASE | re.MULTILINE,
)
_CMD = re.compile(
    r"^[ \t]*(?:@?echo off|@?setlocal|@?rem\b|set \"?\w+=)", re.IGNORECASE | re.MULTILINE
)
_GIVEN = re.compile(
    r"^([ \t]*)(?:\[\w+\][ \t]*)?\$(env:)?([A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"(\"[^\"\n]*\"|'[^'\n]*'|[\w./:-]+)[ \t]*,?[ \t\r]*$",
    re.MULTILINE,
)
_LIST = re.compile(
    r"^([ \t]*)\$([A-Za-z_]\w*)[ \t]*=[ \t]*"
    r"@\(((?:[^()\"'\n]|\"[^\"\n]*\"|'[^'\n]*'|\n){0,20000})\)",
    re.MULTILINE,
)
_CALLED = re.compile(r"^([ \t]*)&[ \t]+(?=[\w.\"'/\\$])", re.MULTILINE)
_FISH = re.compile(
    r"^([ \t]*)set[ \t]+((?:-[gxlU]+[ \t]+)*)([A-Za-z_]\w*)[ \t]+([^\s;&|][^\n;&|]{0,2000})$",
    re.MULTILINE,
)
_FISH_ONLY = re.compile(r"^[ \t]*set[ \t]+-[gxlU]*x[gxlU]*[ \t]+[A-Za-z_]\w*[ \t]+\S", re.MULTILINE)
_SET = re.compile(
    r"^([ \t]*)@?set \"?([A-Za-z_]\w*)=([^\"\n\r]*)\"?[ \t\r]*$", re.IGNORECASE | re.MULTILINE
)
_REMARK = re.compile(r"^([ \t]*)(?:@?rem\b|::)", re.IGNORECASE | re.MULTILINE)


def as_posix(text: str) -> str:
    """Lines that go on as those of cmd and PowerShell do, with the backslash of a shell.

    Variables that such a script sets are set as a shell does.

    Args:
        text: a script.

    Returns:
        str: the same, line by line.

    Example:
        >>> as_posix("docker run ^\\n image")
        'docker run \\\\\\n image'
    """
    if text.startswith("#!") and not re.match(r"#![^\n]{0,60}(?:pwsh|fish)", text):
        return text
    if (text.startswith("#!") and "fish" in text[:70]) or _FISH_ONLY.search(text):
        return _of_fish(text)
    powershell = _POWERSHELL.search(text) is not None and "\n#!/" not in text
    cmd = not powershell and _CMD.search(text) is not None
    if powershell and "@(" in text:
        text = _of_lists(text)
    for mark, known in (("^", cmd), ("`", powershell)):
        ends = len(re.findall(rf"[ \t]\{mark}[ \t\r]*$", text, re.MULTILINE))
        if ends and (known or ends == text.count(mark)):
            text = re.sub(rf"(?<=[ \t])\{mark}[ \t\r]*$", r"\\", text, flags=re.MULTILINE)
            text = _of_cmd(text) if mark == "^" else _of_powershell(text)
    return text


def _of_cmd(text: str) -> str:
    text = _REMARK.sub(r"\1#", text)
    text = _SET.sub(lambda match: f"{match[1]}{match[2]}='{match[3]}'", text)
    return re.sub(r"%([A-Za-z_]\w*)%", r"${\1}", text)


def _of_lists(text: str) -> str:
    """PowerShell's lists as a shell's arrays, and where they are given to a program."""
    names = {match[2] for match in _LIST.finditer(text)}

    def listed(match: re.Match[str]) -> str:
        return f"{match[1]}{match[2]}=({match[3].replace(',', ' ')})"

    def given(match: re.Match[str]) -> str:
        return f'"${{{match[1]}[@]}}"' if match[1] in names else match[0]

    text = re.sub(r"(?<=[ \t])[@$]([A-Za-z_]\w*)(?=[ \t\r\n]|$)", given, _CALLED.sub(r"\1", text))
    return _LIST.sub(listed, text)


def _of_fish(text: str) -> str:
    def given(match: re.Match[str]) -> str:
        export = "export " if "x" in match[2] else ""
        value = match[4].rstrip()
        plain = " " not in value or value[0] == value[-1] in ("'", '"')
        return (
            f"{match[1]}{export}{match[3]}={value}" if plain else f"{match[1]}{match[3]}=({value})"
        )

    return _FISH.sub(given, text)


def _of_powershell(text: str) -> str:
    def given(match: re.Match[str]) -> str:
        return f"{match[1]}{'export ' if match[2] else ''}{match[3]}={match[4]}"

    return _GIVEN.sub(given, text)
