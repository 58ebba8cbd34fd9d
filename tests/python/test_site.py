"""The documentation site: built strictly, nothing from elsewhere, pictures up to date."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import pytest
import quantmap

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PICTURES = sorted((DOCS / "pictures").glob("*.svg"))
MOST_BYTES = 40_000  # of a picture


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, encoding="utf-8", check=False
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site. Warnings are errors."""
    if importlib.util.find_spec("sphinx") is None:
        pytest.skip("sphinx is not installed: pip install '.[docs]'")
    place = tmp_path_factory.mktemp("site")
    done = run(
        "-m", "sphinx", "-W", "--keep-going", "-q", "-d", f"{place}/.cache", "docs", f"{place}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def test_every_page_is_built_and_in_the_contents(site: Path) -> None:
    front = (site / "index.html").read_text(encoding="utf-8")
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix(".html").as_posix()
        assert (site / name).exists(), name
        assert name == "index.html" or f'href="{name}"' in front, name


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loads = re.compile(
        r"<(?:script|img|iframe)\b[^>]*\bsrc=\"([^\"]*)\"|<link\b[^>]*\bhref=\"([^\"]*)\""
    )
    for page in site.rglob("*.html"):
        for match in loads.finditer(page.read_text(encoding="utf-8")):
            target = match[1] or match[2]
            assert "//" not in target, f"{page.name}: {target}"
    for style in site.rglob("*.css"):
        assert not re.search(r"(?:@import|url\()\s*[\"']?(?:https?:)?//", style.read_text("utf-8"))


def test_links_out_of_the_folder_name_the_file(site: Path) -> None:
    text = (site / "design.html").read_text(encoding="utf-8")
    assert 'href="../' not in text and "cpp/catalog/GUIDELINES.md" in text


def test_pictures_are_up_to_date() -> None:
    done = run("docs/pictures.py", "check")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.stem)
def test_picture(picture: Path) -> None:
    assert picture.stat().st_size < MOST_BYTES
    assert "var(" not in picture.read_text("utf-8")  # not every viewer knows it: all would be black
    drawing = xml.etree.ElementTree.parse(picture).getroot()
    words = [part.tag.partition("}")[2] for part in drawing]
    assert words[1:3] == ["title", "desc"]  # after the style: what a screen reader says
    shown = [page for page in DOCS.rglob("*.md") if picture.name in page.read_text("utf-8")]
    assert shown, "no page shows it"


def test_the_page_stands_beside_the_others_and_links_to_them(site: Path) -> None:
    built = Path(quantmap.__file__).parent / "page" / "quantmap.html"
    if not built.exists():
        pytest.skip("the page was not built: scripts/test-page does")
    text = (site / built.name).read_text(encoding="utf-8")
    assert text != built.read_text(encoding="utf-8") and 'content="./"' in text
    assert f'href="{built.name}"' in (site / "page.html").read_text(encoding="utf-8")
