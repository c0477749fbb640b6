"""A morning's books from a few changes, quoted again every two seconds so that no quote is stale."""

from __future__ import annotations

from datetime import datetime, timedelta

from repeg_workbench.exchange.market.scripted import ScriptedQuote, ScriptedTrade, quote, trade

Event = ScriptedQuote | ScriptedTrade

EVERY = timedelta(seconds=2)
UNTIL = "10:00"


def book(*changes: str, prints: tuple[str, ...] = (), until: str = UNTIL) -> list[Event]:
    """Quotes from changes such as `09:30 300 @ 189.40 × 200 @ 189.44` and prints such as `09:36:10 40 @ 189.41 sold`.

    `-` is an empty side. Each book holds until the next change.
    """
    starts = [_time(change.split(" ", 1)[0]) for change in changes] + [_time(until)]
    events: list[tuple[datetime, Event]] = []
    for change, start, end in zip(changes, starts, starts[1:], strict=False):
        bid, ask = (side.strip() for side in change.split(" ", 1)[1].split("×"))
        at = start
        while at < end:
            shown = quote(_shown(at), None if bid == "-" else bid, None if ask == "-" else ask)
            events.append((at, shown))
            at += EVERY
    events += [(_time(text.split(" ", 1)[0]), _print(text)) for text in prints]
    return [event for _, event in sorted(events, key=lambda timed: timed[0])]


def _print(text: str) -> ScriptedTrade:
    time, rest = text.split(" ", 1)
    size_and_price, _, direction = rest.rpartition(" ")
    return trade(time, size_and_price, side={"bought": 1, "sold": -1}[direction])


def _time(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-11-23T{text}")


def _shown(at: datetime) -> str:
    return at.strftime("%H:%M:%S.%f")


QUIET = "09:20 300 @ 189.40 × 200 @ 189.44"
UP = "09:36:10 300 @ 189.65 × 200 @ 189.69"
"""The bid has risen by more than a tenth of a percent."""

AAPL = book(QUIET)
"""Four cents wide, all morning."""
KO = book("09:20 500 @ 60.40 × 500 @ 60.43")
"""Three cents wide, all morning."""
