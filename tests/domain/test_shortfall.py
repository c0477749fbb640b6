"""The shortfall of an order against its decision price: its parts, checked by hand, and that they add up."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repeg.domain.amount import split_in_cents
from repeg.domain.books import Books
from repeg.domain.child_order import Child, ChildState
from repeg.domain.costs import NO_DECISION, NOT_TRADED, NOTHING_KNOWN, MarketRecord, Settlement, analyse
from repeg.domain.intent import Intent
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote, Side
from repeg.domain.report import Report
from repeg.domain.shortfall import PARTS, Shortfall, Split, has_two_sides
from tests.builders import NOON, a_child, a_quote, a_run, an_execution, an_order

SETTLED = Settlement(outcome="settled", error="", reason="every order has an outcome", turns=12)
LAST = MarketRecord(last={"AAPL": a_quote("100.90", "101.10")})


def an_intent(order: ParentOrder, child: Child, quote: Quote) -> Intent:
    return Intent(
        client_order_id=child.client_order_id, symbol=order.symbol, side=order.side, n=child.n, qty=child.qty,
        limit=child.limit, notional=child.notional, rung=child.rung, reason="", quote=quote, decided_at=NOON,
    )  # fmt: skip


def worked(side: Side, *children: tuple[str, str, Quote], target: str = "100") -> tuple[ParentOrder, Books]:
    """An order decided on at 100.00 × 100.10, with children of (filled, price, book that it was sent on)."""
    sent = [
        a_child(n=n, filled=filled, price=price, state=ChildState.CANCELED)
        for n, (filled, price, _) in enumerate(children, start=1)
    ]
    order = an_order(side, target, *sent, arrival=a_quote("100.00", "100.10"), outcome=Outcome.PARTIAL_DEADLINE)
    intents = [an_intent(order, child, book) for child, (_, _, book) in zip(sent, children, strict=True)]
    fills = [
        an_execution(filled, price, side=side).model_copy(
            update={"activity_id": f"fill-{n}", "broker_order_id": f"broker-{n}"}
        )
        for n, (filled, price, _) in enumerate(children, start=1)
        if Decimal(filled)
    ]
    return order, Books((order,), tuple(intents), tuple(fills))


def found(books: Books, record: MarketRecord = NOTHING_KNOWN) -> Shortfall:
    shortfall = reported(books, record).orders[0].shortfall
    assert shortfall is not None
    return shortfall


def reported(books: Books, record: MarketRecord = NOTHING_KNOWN) -> Report:
    return analyse(a_run(), books, SETTLED, record)


def amounts(split: Split) -> dict[str, str]:
    return {name: str(getattr(split, name)) for name in ("dollars", *PARTS)}


def test_a_buys_shortfall_is_split_into_delay_timing_spread_and_opportunity() -> None:
    """Decided at 100.05. Sent at 100.25, so 100 shares are 20 cents dearer. 60 fill at the bid of a book with its mid
    at 100.45: 20 cents of timing, 5 cents captured. 40 are left at a last mid of 101.00, 75 cents from 100.25."""
    _, books = worked(Side.BUY, ("0", "1", a_quote("100.20", "100.30")), ("60", "100.40", a_quote("100.40", "100.50")))
    assert amounts(found(books, LAST)) == {
        "dollars": "59.00", "delay": "20.00", "timing": "12.00", "spread": "-3.00", "unsplit": "0.00",
        "opportunity": "30.00",
    }  # fmt: skip
    assert found(books, LAST).dollars == 60 * Decimal("0.35") + 40 * Decimal("0.95")
    assert found(books, LAST).half_spreads == 1
    assert found(books, LAST).bps == Decimal("58.97")  # 59 of 10,005


def test_a_sells_shortfall_has_the_other_sign() -> None:
    _, books = worked(Side.SELL, ("0", "1", a_quote("100.20", "100.30")), ("60", "100.40", a_quote("100.40", "100.50")))
    assert amounts(found(books, LAST)) == {
        "dollars": "-59.00", "delay": "-20.00", "timing": "-12.00", "spread": "3.00", "unsplit": "0.00",
        "opportunity": "-30.00",
    }  # fmt: skip
    assert found(books, LAST).half_spreads == -1


def test_a_wait_for_cash_is_delay() -> None:
    """The arrival is the book of the first turn, also for a buy that is sent half an hour later."""
    _, books = worked(Side.BUY, ("100", "101.05", a_quote("101.00", "101.10")))
    assert amounts(found(books))["delay"] == "100.00"


def test_a_book_that_held_the_order_gives_its_decision_price() -> None:
    order, books = worked(Side.BUY, ("100", "100.10", a_quote("100.00", "100.10")))
    wide = order.model_copy(update={"decision": a_quote("99.00", "100.00")})
    split = found(Books((wide,), books.intents, books.executions))
    assert [split.decision_mid, split.half_spread, split.delay] == [Decimal("99.5"), Decimal("0.5"), 55]


def test_a_fill_without_a_known_book_is_not_split_and_still_counted() -> None:
    _, books = worked(Side.BUY, ("0", "1", a_quote("100.20", "100.30")), ("100", "100.40", a_quote()))
    split = found(Books(books.orders, books.intents[:1], books.executions))
    assert [split.unsplit, split.timing, split.spread, split.dollars] == [15, 0, 0, 35]
    assert split.missing == "no book is known at 1 of the fills"


def test_an_unfilled_order_that_was_never_sent_has_lost_its_opportunity() -> None:
    order = an_order(Side.BUY, "100", arrival=a_quote("100.00", "100.10"), outcome=Outcome.UNFUNDED)
    assert amounts(found(Books((order,), (), ()), LAST)) == {
        "dollars": "95.00", "delay": "0.00", "timing": "0.00", "spread": "0.00", "unsplit": "0.00",
        "opportunity": "95.00",
    }  # fmt: skip


def test_a_shortfall_without_a_last_price_is_not_known_and_says_so() -> None:
    _, books = worked(Side.BUY, ("60", "100.00", a_quote("100.00", "100.10")))
    report = reported(books)
    row = report.orders[0].shortfall
    assert row is not None
    assert [row.dollars, row.bps, row.opportunity, row.spread] == [None, None, None, -3]
    assert row.missing == "40 shares are not filled, and no last price of them is known"
    assert report.costs is not None
    assert report.costs.shortfall is not None
    assert [report.costs.shortfall.dollars, report.costs.shortfall.spread] == [None, -3]
    assert report.costs.missing == "1 order with a shortfall that is not known in full"
    assert [each.saved for each in report.costs.market] == [None] * 4


def test_orders_without_a_decision_price_are_named() -> None:
    unseen = an_order(symbol="KO", arrival=None, outcome=Outcome.HELD_WIDE)
    idle = an_order(symbol="T", target="0", arrival=None, outcome=Outcome.NO_TRADE)
    report = reported(Books((unseen, idle), (), ()))
    assert [row.uncosted for row in report.orders] == [NO_DECISION, NOT_TRADED]
    assert report.costs is not None
    assert (report.costs.shortfall, report.costs.market) == (None, ())
    assert report.costs.missing == "1 order without a decision price: KO"


def test_a_run_without_orders_has_no_cost_and_no_error() -> None:
    costs = reported(Books((), (), ())).costs
    assert costs is not None
    assert (costs.shortfall, costs.missing, costs.markouts, costs.market) == (None, "", (), ())


def test_a_preview_has_no_costs() -> None:
    assert analyse(a_run(preview=True), Books((), (), ()), SETTLED).costs is None


def test_shares_that_are_not_booked_are_named() -> None:
    _, books = worked(Side.BUY, ("60", "100.00", a_quote("100.00", "100.10")))
    missing = found(Books(books.orders, books.intents, ()), LAST).missing
    assert missing == "0 shares are booked, and the order says 60"


def test_market_orders_at_the_decision_pay_the_assumed_half_spreads() -> None:
    """100 shares, half a spread of 5 cents; the run paid 5 dollars less."""
    _, books = worked(Side.BUY, ("100", "100.05", a_quote("100.00", "100.10")))
    costs = reported(books).costs
    assert costs is not None
    assert [(str(m.crossing_cost), str(m.dollars), str(m.saved)) for m in costs.market] == [
        ("1.0", "5.00", "5.00"), ("0.67", "3.35", "3.35"), ("0.5", "2.50", "2.50"), ("0.33", "1.65", "1.65"),
    ]  # fmt: skip


def test_the_runs_parts_are_the_sums_of_its_orders() -> None:
    _, one = worked(Side.BUY, ("33", "100.013", a_quote("100.00", "100.01")), target="33.333")
    other, two = worked(Side.SELL, ("100", "100.40", a_quote("100.40", "100.50")))
    renamed = other.model_copy(update={"symbol": "KO"})
    fills = [fill.model_copy(update={"symbol": "KO", "activity_id": "fill-ko"}) for fill in two.executions]
    report = reported(Books((*one.orders, renamed), (*one.intents, *two.intents), (*one.executions, *fills)), LAST)
    assert report.costs is not None
    assert report.costs.shortfall is not None
    for name in ("worth", "dollars", *PARTS):
        rows = [getattr(row.shortfall, name) for row in report.orders]
        assert getattr(report.costs.shortfall, name) == sum(rows)


@pytest.mark.parametrize(
    ("bid", "ask", "has_mid"), [("1", "2", True), ("1", "1", True), ("0", "2", False), ("2", "1", False)]
)
def test_a_book_has_a_mid_unless_a_side_is_missing_or_it_is_crossed(bid: str, ask: str, *, has_mid: bool) -> None:
    assert has_two_sides(a_quote(bid, ask)) is has_mid
    assert not has_two_sides(None)


@given(st.lists(st.decimals("-1000", "1000", places=7), min_size=1, max_size=9))
def test_the_cents_of_parts_add_up_to_the_cents_of_their_sum(parts: list[Decimal]) -> None:
    cents = split_in_cents(parts)
    assert sum(cents) == sum(parts, Decimal(0)).quantize(Decimal("0.01"))
    assert all(abs(cent - part) < Decimal("0.01") for cent, part in zip(cents, parts, strict=True))
