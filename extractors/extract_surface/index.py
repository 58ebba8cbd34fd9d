"""Client of a Python package index: which files does a project offer?

Speaks the simple API, as JSON (PEP 691) or HTML (PEP 503), so that any index that
``pip`` can use works here. Nothing is hard-coded but the public default.
"""

from __future__ import annotations

import json
import os
import re
import urllib.parse
import urllib.request
from dataclasses import dataclass
from html.parser import HTMLParser

DEFAULT_INDEX = "https://pypi.org/simple"
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
TIMEOUT = 120


@dataclass(frozen=True)
class IndexFile:
    """One downloadable file of a project."""

    filename: str
    url: str
    sha256: str
    date: str
    yanked: bool

    @property
    def is_sdist(self) -> bool:
        """True for a source archive that can be read without a build."""
        return self.filename.endswith((".tar.gz", ".zip"))

    @property
    def version(self) -> str:
        """The version part of the file name."""
        if self.is_sdist:
            stem = re.sub(r"\.(tar\.gz|zip)$", "", self.filename)
            return stem.rsplit("-", 1)[-1]
        return self.filename.split("-")[1]


class _Links(HTMLParser):
    """Collects the anchors of a simple index page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep every anchor that has a target."""
        found = {name: value or "" for name, value in attrs}
        if tag == "a" and found.get("href"):
            self.links.append(found)


def index_url(given: str | None = None) -> str:
    """Return the index to ask: the argument, else ``PIP_INDEX_URL``, else PyPI."""
    return (given or os.environ.get("PIP_INDEX_URL") or DEFAULT_INDEX).rstrip("/")


def parse_html(text: str, base: str) -> list[IndexFile]:
    """Read a PEP 503 page; ``base`` resolves relative links."""
    parser = _Links()
    parser.feed(text)
    files = []
    for link in parser.links:
        url, _, fragment = urllib.parse.urljoin(base, link["href"]).partition("#")
        digest = dict(urllib.parse.parse_qsl(fragment)).get("sha256", "")
        name = urllib.parse.unquote(url.rsplit("/", 1)[-1])
        date = link.get("data-upload-time", "")[:10]
        files.append(IndexFile(name, url, digest, date, "data-yanked" in link))
    return files


def parse_json(text: str, base: str) -> list[IndexFile]:
    """Read a PEP 691 page; ``base`` resolves relative links."""
    files = []
    for item in json.loads(text)["files"]:
        files.append(
            IndexFile(
                item["filename"],
                urllib.parse.urljoin(base, item["url"]),
                item.get("hashes", {}).get("sha256", ""),
                (item.get("upload-time") or "")[:10],
                bool(item.get("yanked", False)),
            )
        )
    return files


def list_files(project: str, index: str | None = None) -> dict[str, list[IndexFile]]:
    """Return the readable files (sdists and wheels) of a project, by version."""
    url = f"{index_url(index)}/{re.sub(r'[-_.]+', '-', project).lower()}/"
    request = urllib.request.Request(url, headers={"Accept": _ACCEPT})
    with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:
        kind = answer.headers.get("Content-Type", "")
        text = answer.read().decode("utf-8")
        base = answer.geturl()
    files = parse_json(text, base) if "json" in kind else parse_html(text, base)
    by_version: dict[str, list[IndexFile]] = {}
    for file in files:
        if file.is_sdist or file.filename.endswith(".whl"):
            by_version.setdefault(file.version, []).append(file)
    return by_version


def choose(files: list[IndexFile]) -> IndexFile:
    """Prefer the source archive, then a pure wheel, then an x86-64 one."""

    def rank(file: IndexFile) -> tuple[int, str]:
        if file.is_sdist:
            return (0, file.filename)
        if file.filename.endswith("none-any.whl"):
            return (1, file.filename)
        return (2 if "x86_64" in file.filename else 3, file.filename)

    return min(files, key=rank)
