"""The frame of a page: one HTML file with its style, its program, the chart library and its data inside.

The page's own policy lets only its own programs run, known by their hashes, and reach nothing outside of the file.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Any

from repeg.adapters.pages.markup import Html, joined, tag

# The chart library as its npm package has it: docs/decisions/0019-charts-by-uplot.md.
CHARTS = "uPlot.iife.min.js"
CHART_STYLE = "uPlot.min.css"
LANGUAGE = "language.js"
PROGRAM = "page.js"
STYLE = "page.css"
PROGRAMS = (LANGUAGE, CHARTS, PROGRAM)

_ASSETS = files("repeg.adapters.pages") / "assets"


def document(title: str, body: Html, data: Any) -> str:
    """A whole page. `data` are JSON values that its program draws from."""
    head = joined(
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("title", title),
        tag("style", Html(asset(CHART_STYLE)), Html(asset(STYLE))),
    )
    parts = joined(
        body,
        tag("script", Html(embedded(data)), type="application/json", id="data"),
        [tag("script", Html(asset(name))) for name in PROGRAMS],
    )
    return f"<!doctype html>\n{tag('html', tag('head', head), tag('body', parts), lang='en')}\n"


def embedded(data: Any) -> str:
    """JSON that cannot end the element that it stands in."""
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@cache
def asset(name: str) -> str:
    """A file that pages have inside."""
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def _policy() -> str:
    hashes = " ".join(f"'sha256-{_hash(asset(name))}'" for name in PROGRAMS)
    return f"default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    return b64encode(sha256(text.encode()).digest()).decode()
