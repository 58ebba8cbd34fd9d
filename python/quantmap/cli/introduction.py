"""What ``quantmap`` says when no verb is given, without the parser that help needs."""

from __future__ import annotations

from .declare import echo
from .style import folded, folded_command, room

INTRODUCTION = """Quantization settings to engine launch arguments, before any GPU is used.

\b
What do you have?
  a config in mind
    quantmap map --runtime sglang --preset kv-cache-fp8
  a release, a GPU
    quantmap explain --preset dynamic-fp8 --runtime vllm@latest --gpu H100
  a launch line
    quantmap check 'vllm serve my/model --kv-cache-dtype fp16'
  a model, a GPU
    quantmap fit ./my-model --gpu H100 --preset kv-cache-fp8
  a task file
    quantmap map task.json
  lists to compare
    quantmap plan task.json
"""

NEXT = "\n\nAll verbs: quantmap --help. One verb, with examples: quantmap VERB --help."

WIDEST = 80


def introduce() -> None:
    """Say what to do next."""
    _show(short_help=INTRODUCTION.rstrip() + NEXT)


def _show(*, short_help: str) -> None:
    echo(paragraphs(short_help, min(room(), WIDEST)), nl=False)


def paragraphs(text: str, width: int, indent: str = "") -> str:
    """Paragraphs; one that begins with a backspace is kept as it is, but for long commands."""
    out = []
    for paragraph in text.split("\n\n"):
        lines = paragraph.strip("\n").split("\n")
        if lines[0].strip() == "\b":
            shown = [part for line in lines[1:] for part in _kept(line, width, indent)]
        else:
            shown = folded(" ".join(line.strip() for line in lines), width, indent)
        out.append("".join(f"{line}\n" for line in shown))
    return "\n".join(out)


def _kept(line: str, width: int, indent: str) -> list[str]:
    """A line as it is written; a command that is too long goes on in the next."""
    if len(indent + line) <= width:
        return [indent + line]
    head, mark, command = line.partition("quantmap ")
    if not mark or (head.strip() and not head.endswith("  ")):
        margin = indent + line[: len(line) - len(line.lstrip())]
        return folded(line.strip(), width, margin)
    start = "" if not head.strip() else head.rstrip()
    first = [indent + start] if start else []
    margin = indent + "  " * (2 if start else 1)
    return [*first, *folded_command(mark + command, margin, width).split("\n")]
