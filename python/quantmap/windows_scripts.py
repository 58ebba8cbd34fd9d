"""Scripts of cmd and PowerShell as a shell reads the same, line by line in its place."""

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
    if text.startswith("#!") and "pwsh" not in text[:60]:
        return text
    powershell = _POWERSHELL.search(text) is not None and "\n#!/" not in text
    cmd = not powershell and _CMD.search(text) is not None
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


def _of_powershell(text: str) -> str:
    def given(match: re.Match[str]) -> str:
        return f"{match[1]}{'export ' if match[2] else ''}{match[3]}={match[4]}"

    return _GIVEN.sub(given, text)
