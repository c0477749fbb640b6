"""The site of these pages, built by `make site`: Sphinx reads the same Markdown that GitHub shows."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path
from shutil import copyfile
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

ROOT = Path(__file__).parents[1]
DECISIONS = "docs/decisions/README"
INDEX = "README"

project = "repeg"
project_copyright = "the repeg authors"
extensions = ["myst_parser"]
root_doc = INDEX
include_patterns = ["*.md", "docs/**"]
exclude_patterns = [".*", *(f"{one.name}/**" for one in ROOT.iterdir() if one.is_dir() and one.name != "docs")]

# As on GitHub: headings are anchors, and a link to a file that is no page, such as a module, offers that file.
myst_heading_anchors = 4

# Furo embeds all it needs, so that the site reads the same without a network, also from a folder (file://).
html_theme = "furo"
html_title = "repeg"
html_copy_source = False
html_show_copyright = False
# A browser does not let a page read another file of a folder, so that a search there can have no excerpts.
html_show_search_summary = False

# What draws the diagrams, from npm. Without it a page shows them as they are written.
MERMAID = ROOT / ".node" / "node_modules" / "@mermaid-js" / "tiny" / "dist" / "mermaid.tiny.js"
myst_fence_as_directive = ["mermaid"]
html_static_path = [str(MERMAID)] if MERMAID.exists() else []


class Diagram(Directive):
    """A diagram in Mermaid's language, which the browser draws."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        """The diagram's text, marked as one; on white, for which Mermaid chooses its colours."""
        text = escape("\n".join(self.content))
        return [nodes.raw("", f'<pre class="mermaid" style="background: #fff">{text}</pre>', format="html")]


def with_mermaid(app: Any, _page: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    """Let a page with a diagram load what draws it."""
    if html_static_path and 'class="mermaid"' in context.get("body", ""):
        app.add_js_file(MERMAID.name)


def parts(page: str) -> dict[str, list[str]]:
    """The parts of the navigation that begin at a page, with their pages. Sphinx refuses a page that is in none."""
    if page == DECISIONS:
        return {"Decisions": sorted(one.stem for one in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))}
    return tomllib.loads((ROOT / "docs" / "navigation.toml").read_text(encoding="utf-8")) if page == INDEX else {}


def with_navigation(_: Any, page: str, source: list[str]) -> None:
    """Append the navigation to the pages that have one; GitHub shows them without it."""
    for caption, pages in parts(page).items():
        listed = "\n".join(pages)
        source[0] += f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{listed}\n```\n"


def with_index(app: Any, error: Exception | None) -> None:
    """The first page under the name that a browser asks for."""
    if error is None:
        copyfile(Path(app.outdir) / f"{INDEX}.html", Path(app.outdir) / "index.html")


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.add_directive("mermaid", Diagram)
    app.connect("source-read", with_navigation)
    app.connect("html-page-context", with_mermaid)
    app.connect("build-finished", with_index)
