"""The documentation site. Build it with:  python -m sphinx -W docs build/site

Nothing is fetched, neither when it is built nor when it is read. The pages are read in the
repository too, so what only the site needs is added here: the contents, and what becomes of links
that lead out of docs/.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

import quantmap

project = "quantmap"
author = "the quantmap authors"
release = version = quantmap.__version__
extensions = ["myst_parser"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page may begin its tables at the third level
html_theme = "furo"
html_title = f"quantmap {version}"
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False

CONTENTS = {
    "Start": ["quickstart", "page", "glossary", "troubleshooting"],
    "Write a config": ["configuration", "presets", "mapping", "unified"],
    "For a release": ["checked-mode", "engines/vllm", "engines/sglang", "engines/tensorrt_llm"],
    "For a model and a GPU": ["checkpoints", "hardware", "memory"],
    "For a task": ["planner", "experiments", "results", "tuners", "integration", "swap"],
    "Use it": ["command-line", "python-api", "cpp-api", "exports", "diagnostics"],
    "Inside": ["design", "contributing", "releasing"],
}
PAGE = Path(quantmap.__file__).parent / "page" / "quantmap.html"  # by scripts/page
NO_DOCS = '<meta name="quantmap-docs" content="">'
_LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#]+)(?:#[^)\s]*)?\)")


def contents() -> dict[str, list[str]]:
    """Captions and their pages; a page that nobody placed comes under "Use it"."""
    folder = Path(__file__).parent
    pages = {path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.md")}
    placed = {page for part in CONTENTS.values() for page in part} | {"index"}
    rest = sorted(pages - placed)
    found = {
        caption: [page for page in part if page in pages] for caption, part in CONTENTS.items()
    }
    engines = [page for page in rest if page.startswith("engines/")]
    found["For a release"] += engines
    found["Use it"] += [page for page in rest if page not in engines]
    return {caption: part for caption, part in found.items() if part}


def prepare(_: Any, page: str, source: list[str]) -> None:
    """Called with the text of every page before it is read."""

    def plain(match: re.Match[str]) -> str:
        target = match["target"]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(page), target))
        outside = "://" not in target and path.startswith("../")
        return f"{match['text']} (`{path[3:]}` in the repository)" if outside else match[0]

    source[0] = _LINK.sub(plain, source[0])
    if page == "page" and PAGE.exists():
        source[0] += f'\n<p><a href="{PAGE.name}">Open the page</a></p>\n'
    if page == "index":
        for caption, part in contents().items():
            lines = "\n".join(part)
            source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def copy_page(app: Any, problem: Exception | None) -> None:
    """Put the page beside the others when it was built, with links to them."""
    if problem is None and PAGE.exists() and app.builder.format == "html":
        text = PAGE.read_text(encoding="utf-8")
        text = text.replace(NO_DOCS, NO_DOCS.replace('content=""', 'content="./"'), 1)
        (Path(app.outdir) / PAGE.name).write_text(text, encoding="utf-8")


def setup(app: Any) -> None:
    """Sphinx calls this."""
    app.connect("source-read", prepare)
    app.connect("build-finished", copy_page)
