"""The parts of a run's page that are about the run as a whole: its money over time, its spreads, its events."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from repeg.adapters.pages.markup import Html, tag
from repeg.adapters.pages.tables import Cell, Column, folded, table
from repeg.adapters.pages.words import clock, dollars, interval, number, shares
from repeg.domain.run_page.page import Bucket, RunPage


def timeline(page: RunPage) -> Html:
    """Dollars from sells and to buys over time, with the cash that buys were decided on."""
    title = tag("h2", "Sells fund buys")
    if not page.payments and not page.releases:
        return tag("section", title, tag("p", "Nothing was traded, and no buy waited for cash."), id="timeline")
    said = tag("p", _funding(page), class_="quiet")
    picture = tag("div", id="money", class_="picture wait")
    fills = folded("Table of fills", tag("div", class_="scroll", id="payments", tabindex="0", role="region",
                                         aria_label="Fills in the order of time"), id_="payments-table")  # fmt: skip
    cash = [[clock(each.at), dollars(each.spendable), str(each.asking), str(each.waiting)] for each in page.releases]
    columns = [Column("time"), Column("cash to spend", is_number=True), Column("buys asking", is_number=True),
               Column("still waiting for sells", is_number=True)]  # fmt: skip
    released = folded("Table of cash decisions", table("Cash when buys were decided on", columns, cash))
    return tag("section", title, said, picture, fills, *([released] if cash else []), id="timeline")


def _funding(page: RunPage) -> str:
    received = page.payments[-1].received if page.payments else Decimal(0)
    spent = page.payments[-1].spent if page.payments else Decimal(0)
    text = f"Sells brought {dollars(received)}, buys took {dollars(spent)}."
    waits = [each for each in page.releases if each.waiting]
    if waits:
        # The last decision that left one waiting; it waited until the next.
        until = next((each.at for each in page.releases if each.at > waits[-1].at), waits[-1].at)
        text += f" Buys waited for the cash of sells between {clock(waits[0].at)} and {clock(until)}."
    return text


def buckets(page: RunPage) -> Html:
    """What orders cost by the width of the spread that they arrived on."""
    columns = [
        Column("spread at arrival"), Column("orders", is_number=True),
        Column("dollars", is_number=True, is_wide_only=True), Column("cost bps", is_number=True),
        Column("half-spreads"), Column("95 % interval", is_number=True, is_wide_only=True),
        Column("at one half-spread", is_number=True, is_wide_only=True),
    ]  # fmt: skip
    used = [bucket for bucket in page.buckets if bucket.orders]
    title = tag("h2", "Cost by spread at arrival")
    if not used:
        return tag("section", title, tag("p", "No order has a known cost."), id="buckets")
    reach = max(abs(bucket.half_spreads.value) for bucket in used if bucket.half_spreads) or Decimal(1)
    made = table("Mean cost by spread at arrival", columns, [_bucket(bucket, reach) for bucket in used])
    said = "1 half-spread is the displayed far side, 0 the mid, and below 0 is better than the mid at arrival."
    return tag("section", title, made, tag("p", said, class_="quiet"), id="buckets")


def _bucket(bucket: Bucket, reach: Decimal) -> list[Cell | str]:
    mean = bucket.half_spreads
    value = Decimal(0) if mean is None else mean.value
    return [
        bucket.name,
        str(bucket.orders),
        dollars(bucket.notional),
        number(bucket.bps),
        Cell(tag("span", bar(value, max(reach, Decimal(1))), tag("span", number(value)), class_="measure")),
        interval(mean),
        dollars(bucket.market),
    ]


def bar(value: Decimal, reach: Decimal) -> Html:
    """A bar from the middle, to the right for what was paid and to the left for what was gained."""
    width = min(Decimal(50), abs(value) / reach * 50)
    left = Decimal(50) if value > 0 else 50 - width
    kind = "paid" if value > 0 else "gained"
    drawn = tag("span", class_=f"fill {kind}", style=f"left:{left:.1f}%;width:{width:.1f}%")
    return tag("span", drawn, class_="bar", aria_hidden="true")


def markouts(page: RunPage) -> Iterator[Html]:
    """How the mid has moved after the fills, where the run's report has it."""
    known = page.circumstances
    if not known.markouts:
        return
    title = tag("h2", "Markouts")
    if not known.is_measured:
        yield tag("section", title, tag("p", "They are measured after the close."), id="markouts")
        return
    columns = [
        Column("after a fill"), Column("bps", is_number=True), Column("dollars", is_number=True),
        Column("shares", is_number=True), Column("not measured", is_number=True, is_wide_only=True), Column("why"),
    ]  # fmt: skip
    rows = [
        [each.horizon, number(each.bps), dollars(each.dollars), shares(each.shares), shares(each.missing), each.why]
        for each in known.markouts
    ]
    said = "How the mid has moved from the fills' prices. Above 0 it moved our way: waiting would have cost more."
    yield tag("section", title, table("Markouts", columns, rows), tag("p", said, class_="quiet"), id="markouts")


def course(page: RunPage) -> Html:
    """What happened to the run itself."""
    rows = [[clock(each.at), each.verb, each.detail, each.reason] for each in page.events]
    columns = [Column("time"), Column("event"), Column("detail"), Column("reason")]
    made = table("Events of the run", columns, rows) if rows else tag("p", "The journal has none.")
    return tag("section", tag("h2", "Course of the run"), made, id="course")
