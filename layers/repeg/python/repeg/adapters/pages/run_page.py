"""The page of one run, as HTML."""

from __future__ import annotations

from collections.abc import Iterator

from repeg.adapters.pages.document import document
from repeg.adapters.pages.machine import machine
from repeg.adapters.pages.markup import Html, joined, tag
from repeg.adapters.pages.order_table import order_table
from repeg.adapters.pages.run_data import data_of
from repeg.adapters.pages.run_parts import buckets, course, markouts, timeline
from repeg.adapters.pages.summary import summary
from repeg.adapters.pages.words import clock, day
from repeg.domain.run_page.page import RunPage

_BADGES = {"live": "LIVE", "paper": "paper", "simulated": "simulated"}
_UNKNOWN_MODE = "account not known"


def run_page(page: RunPage) -> str:
    """One self-contained HTML file."""
    sections = [
        *_problems(page), summary(page), *_notes(page), order_table(page), timeline(page), buckets(page),
        *markouts(page), machine(page),
    ]  # fmt: skip
    body = joined(
        tag("a", "Skip to the orders", href="#orders", class_="skip"),
        tag("header", _title(page), class_="top"),
        tag("main", *sections, course(page)),
        tag("footer", tag("p", "Made by repeg from the run's journal. All times are New York's."), *_without_program()),
    )
    return document(f"{page.run_id or 'A run'}: {page.outcome}", body, data_of(page))


def _title(page: RunPage) -> Html:
    mode = page.circumstances.mode
    badges = [tag("span", _BADGES.get(mode, _UNKNOWN_MODE), class_=f"badge {mode or 'unknown'}")]
    if page.is_preview:
        badges.append(tag("span", "preview: nothing was sent", class_="badge"))
    when = f"{clock(page.began)} to {clock(page.ended)} New York" if page.began else ""
    said = [day(page.day), when, page.policy and f"policy {page.policy}", page.feed and f"quotes from {page.feed}"]
    return joined(
        tag("h1", tag("span", page.run_id or "A run without a journal"), joined(badges)),
        tag("p", " · ".join(filter(None, said)), class_="quiet"),
    )


def _problems(page: RunPage) -> Iterator[Html]:
    """What could not be read comes before every figure that it may be missing from."""
    problems = page.circumstances.problems
    if problems:
        said = [tag("li", problem) for problem in problems]
        title = tag("h2", "The journal is not whole")
        rest = tag("p", "Everything below is as far as it can be read; figures may be missing or too small.")
        yield tag("section", title, rest, tag("ul", said), class_="warning", id="problems")


def _notes(page: RunPage) -> Iterator[Html]:
    notes = page.circumstances.notes
    if notes:
        yield tag("section", tag("h2", "Notes"), tag("ul", [tag("li", note) for note in notes]))


def _without_program() -> Iterator[Html]:
    yield tag("noscript", tag("p", "Pictures and sorting need JavaScript, which runs from this file alone."))
