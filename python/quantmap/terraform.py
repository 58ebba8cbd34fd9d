"""Containers in Terraform's language: blocks with an image, and scripts in here-documents."""

from __future__ import annotations

import json
import re

from .container_words import Container, run_words
from .launch_lines import names_an_engine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__: list[str] = []

_BLOCK = re.compile(
    r"^[ \t]*(?:resource|module|variable|data|provider|job|locals|terraform)\b[^\n]*\{",
    re.MULTILINE,
)
_TOKEN = re.compile(
    r"(?P<blank>[ \t\r\n,]+)|(?P<comment>#[^\n]*|//[^\n]*|/\*(?:[^*]|\*(?!/))*(?:\*/|$))|"
    r"(?P<here><<-?(?P<mark>\w+)[^\n]*\n)|(?P<text>\"(?:[^\"\\\n]|\\.)*\")|\"[^\n]*|"
    r"(?P<open>[\[{(])|(?P<close>[\]})])|(?P<sign>[=:])|(?P<word>[A-Za-z_$][\w.\-$*]*)|(?P<other>.)",
    re.DOTALL,
)
_FOLLOWED = re.compile(r"[ \t]{0,40}[=:](?!=)")
_FILLED = re.compile(r"\$\{[ \t]*((?:local|var)\.[\w-]+)[ \t]*\}")
_IMAGES = ("image",)
_LISTS = ("command", "args", "entrypoint", "entryPoint")
_MOST_LISTS = 2_000  # words of one


def read_terraform(text: str) -> list[Container]:
    """The containers of blocks, and the scripts of here-documents.

    Args:
        text: in Terraform's language.

    Returns:
        list[Container]: in their order.

    Example:
        >>> block = 'x = {\\n  image = "vllm/vllm-openai:v0.8.5"\\n  args = ["--model", "a/b"]\\n}'
        >>> [found.words for found in read_terraform(block)]
        [['docker', 'run', 'vllm/vllm-openai:v0.8.5', '--model', 'a/b']]
    """
    return sorted(_Reader(text).read(), key=lambda found: found.line)


class _Frame:
    """What stands in one pair of braces."""

    __slots__ = ("head", "line", "lists", "texts")

    def __init__(self, head: str) -> None:
        self.head = head  # what stands in front of the brace
        self.texts: dict[str, str] = {}
        self.lists: dict[str, list[str]] = {}
        self.line = 1


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.line = 1
        self.given: dict[str, str] = {}  # of locals, and defaults of variables
        self.frames = [_Frame("")]
        self.closed: list[_Frame] = []
        self.inside: list[str] = []  # brackets that are open
        self.listed: list[str] | None = None
        self.name = self.head = ""
        self.scripts: list[Container] = []

    def read(self) -> Iterator[Container]:
        self._walk()
        for frame in self.closed:
            words = {
                name: [self._known(word) for word in frame.lists.get(name, [])] for name in _LISTS
            }
            if any(words.values()):
                yield self._container(self._known(frame.texts.get("image", "")), words, frame.line)
        yield from self.scripts

    @staticmethod
    def _container(image: str, words: dict[str, list[str]], line: int) -> Container:
        entrypoint = words["entrypoint"] or words["entryPoint"]
        if words["args"]:  # as in Kubernetes
            started = (words["command"] or entrypoint, words["args"])
        else:
            started = (entrypoint, words["command"])
        return Container(run_words(image or None, *started, {}), line)

    def _known(self, text: str) -> str:
        if re.fullmatch(r"(?:local|var)\.[\w-]+", text):
            return self.given.get(text, f"${{{text.replace('.', '_').replace('-', '_')}}}")
        return _FILLED.sub(lambda match: self.given.get(match[1], match[0]), text)

    def _walk(self) -> None:
        steps = {
            "open": self._opened,
            "close": self._closed,
            "text": self._said,
            "word": self._said,
            "blank": self._blank,
        }
        at = 0
        while at < len(self.text):
            match = _TOKEN.match(self.text, at)
            if not match:
                break
            at = match.end()
            if match["here"] is not None:
                at = self._here(match["mark"], at)
                continue
            step = steps.get(match.lastgroup or "")
            if step is not None:
                step(match[0], at)
            self.line += match[0].count("\n")

    def _opened(self, token: str, at: int) -> None:
        self.inside.append(token)
        if token == "{":
            self.frames.append(_Frame(self.head))
        elif token == "[" and self.name in _LISTS:
            frame = self.frames[-1]
            self.listed = frame.lists.setdefault(self.name, [])
            frame.line = frame.line if "image" in frame.texts else self.line

    def _closed(self, token: str, at: int) -> None:
        self.listed = None
        self.name = self.head = ""
        if self.inside and self.inside.pop() == "{" and len(self.frames) > 1:
            self.closed.append(self.frames.pop())

    def _said(self, token: str, at: int) -> None:
        said = _unquoted(token) if token[0] == '"' else token
        if self.listed is not None:
            if len(self.listed) < _MOST_LISTS:
                self.listed.append(said)
        elif _FOLLOWED.match(self.text, at):
            self.name = said
        elif self.name:
            self._value(self.frames[-1], self.name, said)
            self.name = ""
        else:
            self.head = f"{self.head} {said}"[-200:]

    def _blank(self, token: str, at: int) -> None:
        if "\n" in token and self.inside[-1:] != ["("]:
            self.head = ""

    def _value(self, frame: _Frame, name: str, value: str) -> None:
        head = frame.head.strip()
        if name in _IMAGES:
            frame.texts["image"], frame.line = value, self.line
        if head == "locals":
            self.given[f"local.{name}"] = value
        elif head.startswith("variable ") and name == "default":
            self.given[f"var.{head.split()[1]}"] = value

    def _here(self, mark: str, at: int) -> int:
        """A here-document, as a script; where it ends."""
        self.line += 1
        first = self.line
        rows: list[str] = []
        while at < len(self.text):
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            row = self.text[at:end]
            at = end + 1
            self.line += 1
            if row.strip() == mark:
                break
            rows.append(row)
        indent = min((len(row) - len(row.lstrip()) for row in rows if row.strip()), default=0)
        script = "\n".join(row[indent:] for row in rows)
        if names_an_engine(script):
            from .containers import find_containers

            inner = None if _BLOCK.search(script) else find_containers(script)
            for found in inner or [Container(script, 1, is_script=True)]:
                found.line += first - 1
                self.scripts.append(found)
        return at


def _unquoted(token: str) -> str:
    try:
        return str(json.loads(token))
    except ValueError:
        return token[1:-1]
