"""The site of the documentation: built strictly, and complete without a network."""

from __future__ import annotations

import re
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from shutil import copyfile

import pytest
from playwright.sync_api import Browser

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-docs" / "bin" / "python"
# As `make site` builds it.
STRICT = ["-m", "sphinx", "-b", "html", "--fail-on-warning", "--keep-going", "-q", "-c", "docs"]
# An address that a browser fetches when it opens a page: beside these, a page only links.
_FETCHED = {"img": "src", "script": "src", "link": "href", "iframe": "src", "source": "src"}

pytestmark = [
    pytest.mark.skipif(not PYTHON.exists(), reason="there is no Sphinx in .venv-docs: `make site` sets it up"),
    pytest.mark.xdist_group("site"),
]


def build(source: Path, to: Path) -> subprocess.CompletedProcess[str]:
    command = [str(PYTHON), *STRICT, "-d", str(to / ".doctrees"), ".", str(to)]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    built = build(ROOT, folder)
    assert (built.returncode, built.stderr) == (0, "")
    return folder


class Fetched(HTMLParser):
    """Collects the addresses that a page fetches."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.addresses: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        address = dict(attrs).get(_FETCHED.get(tag, ""))
        self.addresses += [address] if address else []


def outside(folder: Path) -> list[str]:
    """What the pages and style sheets of a folder would fetch from elsewhere, or do not find in it."""
    wrong = []
    for page in folder.rglob("*.html"):
        for address in Fetched(page.read_text(encoding="utf-8")).addresses:
            path = page.parent / re.split("[?#]", address)[0]
            if not address.startswith("data:") and not path.exists():
                wrong.append(f"{page.name}: {address}")
    for sheet in folder.rglob("*.css"):
        found = re.findall(r"@import[^;]*|url\([\"']?(?:https?:)?//[^)]*", sheet.read_text(encoding="utf-8"))
        wrong += [f"{sheet.name}: {address}" for address in found]
    return wrong


def test_the_site_begins_with_the_readme_and_has_every_page(site: Path) -> None:
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = [page for page in pages if not (site / page.relative_to(ROOT)).with_suffix(".html").exists()]
    assert missing == []
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()


def test_the_site_fetches_nothing_from_the_network(site: Path) -> None:
    assert outside(site) == []


def test_an_address_elsewhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text('<script src="https://b/c.js"></script><img src="no.png"><a href="https://d">')
    (tmp_path / "a.css").write_text('@import "e.css"; a { background: url(//f/g.png) } b { background: url(data:h) }')
    assert outside(tmp_path) == [
        "a.html: https://b/c.js", "a.html: no.png", 'a.css: @import "e.css"', "a.css: url(//f/g.png"
    ]  # fmt: skip


def test_the_search_knows_the_words_of_the_pages_without_a_request(site: Path) -> None:
    """A page that was opened from a folder may load a script, and may not read a file."""
    assert '<script src="searchindex.js"' in (site / "search.html").read_text(encoding="utf-8")
    index = (site / "searchindex.js").read_text(encoding="utf-8")
    assert index.startswith("Search.setIndex(")
    for word in ("collar", "orphan", "idempot"):
        assert f'"{word}' in index or f"{word}:" in index, word


def test_a_word_that_is_typed_finds_its_pages(site: Path, browser: Browser) -> None:
    """In a browser without a network, with the site opened from its folder: a word that few pages have."""
    context = browser.new_context(offline=True)
    page, complaints = context.new_page(), list[str]()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((site / "index.html").as_uri())
    page.get_by_role("textbox", name="Search").fill("orphaned")
    page.keyboard.press("Enter")
    page.get_by_text("Search finished, found").wait_for()
    page.locator("#search-results").get_by_role("link", name="Glossary").click()
    assert page.url.startswith((site / "docs" / "glossary.html").as_uri())
    assert "orphaned" in page.locator("article").inner_text()
    assert complaints == []
    context.close()


def test_a_link_to_nothing_or_a_page_without_a_place_fails_the_build(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "docs").mkdir(parents=True)
    copyfile(ROOT / "docs" / "conf.py", source / "docs" / "conf.py")
    (source / "docs" / "navigation.toml").write_text("Start = []")
    (source / "README.md").write_text(
        "# Read\n\n[a](docs/nowhere.md), [b](docs/page.md#nothing), [c](docs/page.md#some)\n"
    )
    (source / "docs" / "page.md").write_text("# Page\n\n## Some\n")
    built = build(source, tmp_path / "site")
    assert built.returncode != 0
    assert "cross-reference target not found: 'docs/nowhere.md'" in built.stderr
    assert "docs/page.md: WARNING: document isn't included in any toctree" in built.stderr
    assert "'nothing'" in built.stderr
    assert "'some'" not in built.stderr
