"""The code blocks of Markdown, also where it stands inside of another file."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

from . import _core
from .launch_lines import launch_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

_FENCE = re.compile(r"^([ >]*)(`{3,}|~{3,})[ \t]*\{?([\w+.-]*)[^`\n]*$")
_DIRECTIVE = re.compile(r"^([ ]*)\.\. (?:code-block|code|sourcecode|prompt)::[ \t]*([\w+.-]*)")
_OPTION = re.compile(r"^\s*:[a-z-]+:")
_PROMPT = re.compile(r"^\s*\$ ")
SHELLS = {"sh", "bash", "shell", "zsh", "console", "shell-session", "terminal", "text"}
DATA = {
    "yaml",
    "yml",
    "json",
    "dockerfile",
    "docker",
    "powershell",
    "ps1",
    "pwsh",
    "batch",
    "bat",
    "cmd",
    "fish",
    "hcl",
    "terraform",
    "tf",
    "ini",
    "systemd",
}
PYTHON = {"python", "py", "python3"}
_READ = {"", *SHELLS, *DATA, *PYTHON}


def has_code_blocks(text: str) -> bool:
    """Whether a text is Markdown with code, and no script that writes such a text.

    Args:
        text: the text.

    Returns:
        bool: false for a script with an interpreter of its own.

    Example:
        >>> has_code_blocks("Run this:\\n```bash\\nvllm serve m\\n```")
        True
    """
    return not text.startswith("#!") and any(True for _ in code_blocks(text))


def code_blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """The code blocks that may hold launches.

    Args:
        text: Markdown; what is indented as a whole may be part of another file.

    Returns:
        Iterator[tuple[int, str, str]]: the first line of a block, its language, and its text.

    Example:
        >>> list(code_blocks("```bash\\n$ vllm serve m\\n```"))
        [(2, 'bash', 'vllm serve m')]
    """
    fenced = "```" in text or "~~~" in text
    return _fenced_blocks(text) if fenced else _rst_blocks(text)


def _fenced_blocks(text: str) -> Iterator[tuple[int, str, str]]:
    fence, language, first, indent = "", "", 0, 0
    block: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if not fence and match:
            indent, fence, language = len(match[1]), match[2], match[3].lower()
            first, block = number + 1, []
        elif fence and match and match[2].startswith(fence) and not match[3]:
            if language in _READ:
                yield first, language, "\n".join(block)
            fence = ""
        elif fence:
            plain = line[indent:] if not line[:indent].strip(" >") else line
            quoted = plain[:2] == "> " and launch_lines().match(plain[2:])
            block.append(plain[2:] if quoted else _PROMPT.sub("", plain))


def _rst_blocks(text: str) -> Iterator[tuple[int, str, str]]:
    """The code blocks of reStructuredText: what is indented behind ``.. code-block:: bash``."""
    rows = text.split("\n")
    at = 0
    while at < len(rows):
        match = _DIRECTIVE.match(rows[at])
        at += 1
        if not match:
            continue
        language, column = match[2].lower(), len(match[1])
        begin = at
        while at < len(rows) and (not rows[at].strip() or _indent(rows[at]) > column):
            at += 1
        block = [line for line in rows[begin:at] if not _OPTION.match(line)]
        depth = min((_indent(line) for line in block if line.strip()), default=0)
        if language in _READ and any(map(str.strip, block)):
            plain = [_PROMPT.sub("", line[depth:], count=1) for line in rows[begin:at]]
            yield (
                begin + 1,
                language,
                "\n".join("" if _OPTION.match(line) else line for line in plain),
            )


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


_MOST_TOLD = 200  # launches of prose
_INLINE = re.compile(r"(?<!`)`([^`\n]{8,2000})`(?!`)")
_STARTS = (
    r"(?:^|[\s(:>])((?:[\w./~-]{0,200}/)?%s[ \t]+(?:[-$\"'<{/.\\]|[\w.-]{0,200}[/\d])[^\n]{0,4000})"
)


def told_launches(text: str) -> list[tuple[int, str]]:
    """Launches that prose tells: in single backquotes, else behind words on a line.

    Args:
        text: prose, of which no launch could be read otherwise.

    Returns:
        list[tuple[int, str]]: each with its line, and with what the prose installs before it.

    Example:
        >>> told_launches("Run `vllm serve a/b` first.")
        [(1, 'vllm serve a/b')]
    """
    before = Prelude()
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip()[:1] == "#" or len(found) >= _MOST_TOLD:
            continue
        inline = _INLINE.findall(line) if "`" in line else []
        for said in inline:
            if launch_lines().match(said) and not said.endswith("..."):
                found.append((number, before.text() + said))
            else:
                before.add(said)
        if not inline and len(line) < 5_000:
            said = _behind_words(line)
            found += [(number, before.text() + said)] if said else []
    return found


def _behind_words(line: str) -> str:
    """A launch behind words of a sentence, without those behind it; empty where there is none."""
    match = _launches_in_prose().search(line)
    if not match:
        return ""
    kept: list[str] = []
    plain = 0  # words since the last flag: a value, and then prose
    head = len(match[2].split())
    for number, word in enumerate(match[1].split(" ")):
        ended = word[-1:] in ".,;:)" and word[:-1] and not word.endswith("...")
        plain = 0 if word.startswith("-") or number < head else plain + 1
        if plain > 1:
            break
        if re.match(r"['\"]?[\[{]\"", word):  # JSON that lost its quotes when it was printed
            kept = kept[:-1]
            break
        kept.append(word[:-1] if ended else word)
        if ended:
            break
    return " ".join(kept)


@lru_cache(maxsize=1)
def _launches_in_prose() -> re.Pattern[str]:
    words = [words for engine in _core.engines() for words, _ in engine["launchers"]]
    plain = ["[ \\t]+".join(map(re.escape, one)) for one in words if one[0][0] != "-"]
    modules = [re.escape(one[1].partition(".")[0]) for one in words if one[0] == "-m"]
    start = rf"({'|'.join(plain)}|python3?[ \t]+-m[ \t]+(?:{'|'.join(modules)})\.[\w.]+)"
    return re.compile(_STARTS % start)


_SETS = re.compile(r"^\s*(?:export[ \t]+)?([A-Za-z_]\w*=[^\s<>;&|`(]\S*.*)$")
_INSTALLS = re.compile(
    r"^\s*(?:uv |python3? -m |poetry |%|!)*(?:pip3?|conda|mamba|add) [^;&|`\n]*"
    r"(?:\w(?:\[[\w,]*\])?(?:[~<>]=?|==?)(?:\d|\$\{\{)|\.whl\b|git\+)[^;&|`\n]*$"
)
_ASSIGNS = re.compile(r"[A-Za-z_]\w*=")
_CLONES = re.compile(
    r"^\s*(?:git (?:clone|checkout|switch)|(?:apptainer|singularity) (?:pull|build)) [^;&|<>`\n]+$"
)
_LONGEST_PRELUDE = 4_000


class Prelude:
    """What the blocks of a page set and install, for the blocks behind them."""

    def __init__(self) -> None:
        self._lines: dict[str, str] = {}

    def add(self, block: str) -> None:
        """Look at a block.

        Args:
            block: its text.
        """
        for line in re.sub(r"\\\n[ \t]*", "", block).split("\n"):
            match = _SETS.match(line)
            said = re.sub(r"\s#.*$", "", match[1] if match else line.strip())
            if not match and not _INSTALLS.match(line) and not _CLONES.match(line):
                continue
            words = _words_of(said.lstrip("!%"))
            if not words or (match and not all(_ASSIGNS.match(word) for word in words)):
                continue  # what a variable stands in front of is a command
            name = said.partition("=")[0] if match else said
            self._lines.pop(name, None)
            self._lines[name] = said

    def text(self) -> str:
        """Commands in front of a block's first line.

        Returns:
            str: they, on one line.
        """
        kept: list[str] = []
        size = 0
        for line in reversed(list(self._lines.values())):
            size += len(line)
            if size > _LONGEST_PRELUDE:
                break
            kept.append(line)
        return "".join(f"{line}; " for line in reversed(kept))


def _words_of(text: str) -> list[str]:
    """The words of a line; none when it is no whole one, or a shell has to run something for it."""
    try:
        return shlex.split(text) if "$(" not in text else []
    except ValueError:
        return []
