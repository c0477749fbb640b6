"""The summary of a run: how it ended, its dollars, and what it cost beside market orders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from repeg.adapters.pages.markup import Child, Html, joined, tag
from repeg.adapters.pages.tables import Cell, Column, table
from repeg.adapters.pages.words import bps, dollars, interval, number
from repeg.domain.amount import counted
from repeg.domain.clustered import FEWEST_RUNS
from repeg.domain.run_page.page import Costs, MarketOrders, RunPage


def summary(page: RunPage) -> Html:
    """The figures that are looked at first, and the comparison with market orders."""
    cards = tag("dl", list(_cards(page)), class_="cards")
    return tag("section", tag("h2", "Summary"), cards, *_comparison(page), aria_label="Summary", id="summary")


def _cards(page: RunPage) -> Iterator[Html]:
    costs = page.costs
    filled = sum(order.outcome == "filled" for order in page.orders)
    yield _card("Outcome", page.outcome, page.reason, kind="good" if page.outcome == "settled" else "bad")
    traded = sum((order.dollars for order in page.orders), Decimal(0))
    yield _card("Filled", f"{filled} of {counted(len(page.orders), 'order')}", f"{dollars(traded)} traded")
    if not costs.orders:
        yield _card("Cost against arrival", "not known", "no order with a known cost")
        return
    yield _card(
        "Cost against arrival", bps(costs.interval.value if costs.interval else None), joined(*_precision(costs))
    )
    for market in costs.market[:1]:
        verb = "saved" if market.saved >= 0 else "lost"
        how = "measured" if market.is_measured else "assumed"
        taking = f"{number(market.half_spreads)} half-spreads ({how})"
        said = f"if taking costs {taking}, which would be {dollars(market.dollars)}"
        yield _card("Against market orders", f"{dollars(abs(market.saved))} {verb}", said)


def _precision(costs: Costs) -> Iterator[Html]:
    yield Html(f"{dollars(costs.dollars)} on {dollars(costs.notional)}")
    mean = costs.interval
    if mean is None or mean.low is None:
        yield Html(f"; an interval needs {FEWEST_RUNS} orders")
    else:
        yield Html(f"; 95 % interval {interval(mean, ' bps')}")


def _card(term: str, value: str, said: Child, kind: str = "") -> Html:
    figures = joined(tag("span", value, class_=f"figure {kind}".strip()), tag("span", said, class_="quiet"))
    return tag("div", tag("dt", term), tag("dd", figures))


def _comparison(page: RunPage) -> Iterator[Html]:
    costs = page.costs
    if not costs.market:
        return
    columns = [Column("half-spreads"), Column("dollars", is_number=True), Column("bps", is_number=True),
               Column("this run saved", is_number=True)]  # fmt: skip
    yield table("What market orders would have cost at arrival", columns, [_row(each) for each in costs.market])
    yield tag("p", *_explanation(page), class_="quiet")


def _row(market: MarketOrders) -> list[Cell | str]:
    how = "measured" if market.is_measured else "assumed"
    return [f"{number(market.half_spreads)} {how}", dollars(market.dollars), number(market.bps), dollars(market.saved)]


def _explanation(page: RunPage) -> Iterator[str]:
    costs, crossing = page.costs, page.costs.crossing
    yield (
        "Cost is what was paid against the mid at arrival; shares that were not filled count at the last mid. The "
        "interval is over orders as if they were independent. Orders of one run share its market, so one day is mostly "
        "luck: the page of all runs (repeg report --since DATE) says more. "
    )
    if crossing.value is None:
        by = "by this run alone" if page.circumstances.crossing is None else "yet"
        yield (
            f"Every row is an assumption of what taking costs; the account's own cost of taking is not measured {by}: "
            f"{crossing.because}. "
        )
    else:
        yield (
            f"The summary counts with the account's own cost of taking, {crossing.because}: the first row. The others "
            "are assumptions. "
        )
    if costs.unknown:
        yield (
            f"{counted(costs.unknown, 'order')} without an arrival price, or without a price for what was not filled: "
            "not in these figures. "
        )
    if page.feed == "iex":
        yield "iex is one venue: its spread is wider than the market's, so market orders would have cost less."
