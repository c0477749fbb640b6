"""The state machine with how often each state was entered, and what that cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from repeg.adapters.pages.markup import Html, tag
from repeg.adapters.pages.tables import Cell, Column, folded, table
from repeg.adapters.pages.words import NOTHING, number
from repeg.domain.run_page.page import RunPage, Usage
from repeg.domain.usage import PRICES

# The states as a reader meets them: before the market, in every turn, at the end. Further ones stand at the end.
PARTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Before the window",
        ("ReceiveInput", "OpenRun", "CheckSession", "SessionDecision", "WaitForSession", "PlanOrders"),
    ),
    ("Every turn", ("ValidateQuotes", "PlaceOrders", "WaitForMarket", "RepegOrders", "TurnDecision")),
    ("At the end", ("CloseRun", "RunOutcome", "WaitForCancels", "RunSettled")),
)
_SHOWN = frozenset(name for _, names in PARTS for name in names)


def machine(page: RunPage) -> Html:
    """The states as a path, and the same as a table."""
    usage, title = page.circumstances.usage, tag("h2", "State machine")
    if not usage.states:
        said = "How often each state was entered is not in the journal."
        return tag("section", title, *_used(usage), tag("p", said, class_="quiet"), id="machine")
    others = tuple(sorted(set(usage.states) - _SHOWN))
    parts = [_part(name, names, usage.states) for name, names in (*PARTS, ("Also", others)) if names]
    path = tag("div", parts, class_="machine")
    columns = [Column("state"), Column("entered", is_number=True), Column("dollars", is_number=True)]
    rows: list[list[Cell | str]] = [
        [name, str(count), f"${count * PRICES.transition:.6f}"] for name, count in usage.states.items()
    ]
    listed = folded("Table of states", table("States entered", columns, rows))
    return tag("section", title, *_used(usage), path, listed, id="machine")


def _part(name: str, names: Sequence[str], counts: Mapping[str, int]) -> Html:
    entered = [(state, counts.get(state, 0)) for state in names]
    steps = [
        tag("li", tag("span", state), tag("b", str(count)), class_=None if count else "unused")
        for state, count in entered
    ]
    return tag("div", tag("h3", name), tag("ol", steps))


def _used(usage: Usage) -> Iterator[Html]:
    known = [
        ("transitions", _count(usage.transitions)),
        ("requests to the broker", _count(usage.trading_requests)),
        ("requests for quotes", _count(usage.data_requests)),
        ("seconds of functions", number(usage.function_seconds, 0)),
        ("of AWS at list prices", NOTHING if usage.dollars is None else f"${usage.dollars.normalize():f}"),
    ]
    said = [tag("div", tag("dt", name), tag("dd", value)) for name, value in known if value != NOTHING]
    if said:
        yield tag("dl", said, class_="facts")


def _count(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"
