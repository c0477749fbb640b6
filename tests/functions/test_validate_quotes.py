"""ValidateQuotes: an order is put on hold with a reason, or gets its arrival quote and collar once and for all."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.errors import RefusedRun
from repeg.domain.parent_order import ParentState
from repeg.domain.steps import QuotesValidated
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import quote, trade
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL, KO, Event, book
from tests.functions.desk import Desk, OpenDesk, holding

GOOD = "09:36:30 300 @ 189.40 × 200 @ 189.44"
HELD = {
    "one_sided": "09:30 300 @ 189.40 × -",
    "crossed": "09:30 300 @ 189.45 × 200 @ 189.44",
    "locked": "09:30 300 @ 189.44 × 200 @ 189.44",
    "wide": "09:30 300 @ 189.00 × 200 @ 189.48",
    "thin": "09:30 99 @ 189.40 × 200 @ 189.44",
}


def desk_on(open_desk: OpenDesk, events: list[Event]) -> Desk:
    """A run that buys 40 AAPL, planned a minute after its window opened."""
    desk = open_desk({"AAPL": [trade("09:19", "10 @ 189.42"), *events]})
    desk.begin("buy 40 AAPL")
    return desk


def test_a_good_book_fixes_the_orders_arrival_and_collar(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, AAPL)
    assert desk.validate() == QuotesValidated(use=1, hold=0)
    order = desk.order()
    assert order.arrival is not None
    assert (order.arrival.bid, order.arrival.ask) == (Decimal("189.40"), Decimal("189.44"))
    assert order.collar == Decimal("190.36")  # 189.42 and 50 basis points, on the tick below
    assert (order.state, order.held) == (ParentState.WAITING, None)


def test_a_sells_collar_is_below_its_arrival_price(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL}, opening=holding(AAPL="9"))
    desk.begin("sell all AAPL", max_slippage_bps="10")
    desk.validate()
    assert desk.order().collar == Decimal("189.24")  # 189.42 less 10 basis points, 189.2306, on the tick above


def test_the_arrival_and_the_collar_never_change(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, book("09:30 300 @ 189.40 × 200 @ 189.44", "09:36:30 300 @ 191.00 × 200 @ 191.04"))
    desk.validate()
    fixed = desk.order()
    desk.wait_until("09:37")
    assert desk.validate() == QuotesValidated(use=1, hold=0)
    assert desk.order() == fixed


@pytest.mark.parametrize("reason", list(HELD))
def test_a_bad_book_holds_the_order_until_it_is_good(open_desk: OpenDesk, reason: str) -> None:
    desk = desk_on(open_desk, book(HELD[reason], GOOD))
    assert desk.validate() == QuotesValidated(use=0, hold=1)
    held = desk.order()
    assert (held.held, held.arrival, held.collar) == (reason, None, None)
    desk.wait_until("09:37")
    assert desk.validate() == QuotesValidated(use=1, hold=0)
    order = desk.order()
    assert order.arrival is not None
    assert (order.held, order.arrival.bid) == (None, Decimal("189.40"))


def test_a_hold_is_journalled_only_when_its_reason_changes(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, book(HELD["wide"], "09:37 99 @ 189.40 × 200 @ 189.44"))
    for time in ("09:36:00", "09:36:30", "09:37:00", "09:37:30"):
        desk.wait_until(time)
        desk.validate()
    assert [reason for _, reason in desk.journalled("AAPL", "hold")] == [
        "bid 189.00 × ask 189.48, wide",
        "bid 189.40 × ask 189.44, thin",
    ]


def test_an_unchanging_quote_is_stale_and_later_halted(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, [quote("09:35:45", "300 @ 189.40", "200 @ 189.44")])
    desk.validate()
    assert desk.order().held == "stale"
    desk.wait_until("09:40:44")
    desk.validate()
    assert desk.order().held == "stale"
    desk.wait_until("09:40:45")
    desk.validate()
    assert desk.order().held == "halted"


def test_a_symbol_without_a_quote_is_held_as_missing(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(prints=("09:31 10 @ 189.41 sold",), until="09:31")})
    desk.begin("buy 40 AAPL")
    desk.validate()
    assert desk.order().held == "missing"


@pytest.mark.parametrize(("bid", "ask"), [("2.10", "2.11"), ("3.98", "3.99"), ("0.0300", "0.0301")])
def test_a_stock_that_is_always_one_tick_wide_is_traded(open_desk: OpenDesk, bid: str, ask: str) -> None:
    desk = open_desk({"LOWP": book(f"09:20 90000 @ {bid} × 90000 @ {ask}", prints=(f"09:25 10 @ {bid} sold",))})
    desk.begin("buy 100 LOWP")
    desk.place()
    assert (desk.order("LOWP").held, len(desk.open_at_broker("LOWP"))) == (None, 1)


@pytest.mark.parametrize(
    ("symbol", "bid", "ask", "lot"),
    [("META", "612.10", "612.40", 40), ("BKNG", "5400.00", "5405.00", 10), ("BRK.A", "700000.00", "700900.00", 1)],
)
def test_a_displayed_round_lot_is_enough_at_any_price(
    open_desk: OpenDesk, symbol: str, bid: str, ask: str, lot: int
) -> None:
    shown = book(f"09:20 {lot} @ {bid} × {lot} @ {ask}", prints=(f"09:25 1 @ {bid} sold",))
    desk = open_desk({symbol: shown}, opening=holding("2000000"))
    desk.begin(f"buy 1 {symbol}")
    desk.place()
    assert (desk.order(symbol).held, len(desk.open_at_broker(symbol))) == (None, 1)


def test_all_orders_are_validated_with_one_quote_request(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(HELD["wide"]), "KO": KO})
    desk.begin("buy 40 AAPL", "buy 10 KO")
    before = len(desk.broker.line.sent)
    assert desk.validate() == QuotesValidated(use=1, hold=1)
    assert [path for _, path in desk.broker.line.sent[before:]].count("/stocks/quotes/latest") == 1
    assert (desk.order("AAPL").held, desk.order("KO").held) == ("wide", None)


def test_a_working_order_is_not_validated(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, AAPL)
    desk.place()
    before = desk.order()
    assert desk.validate() == QuotesValidated(use=0, hold=0)
    assert desk.order() == before


@pytest.mark.parametrize("path", ["/v2/clock", "/v2/stocks/quotes/latest"])
def test_a_broker_error_skips_the_validation(open_desk: OpenDesk, path: str) -> None:
    desk = desk_on(open_desk, AAPL)
    before = desk.order()
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, path=path, status=502))
    assert desk.validate() == QuotesValidated(use=0, hold=0)
    assert desk.order() == before
    assert len(desk.journalled("run", "skip")) == 1
    assert desk.validate() == QuotesValidated(use=1, hold=0)


def test_a_fenced_execution_validates_no_order(open_desk: OpenDesk) -> None:
    desk = desk_on(open_desk, AAPL)
    desk.store.take_over(desk.run.run_id, 1, "arn:sweeper")
    with pytest.raises(RefusedRun, match="epoch 2"):
        desk.validate()
    assert desk.order().arrival is None


ODD = {
    "ask 1E+27": ("buy 40 AAPL", {"ap": 1e27}),
    "ask -1": ("buy 40 AAPL", {"ap": -1}),
    "bid 1E-9, ask 0.00001": ("sell 40 AAPL", {"bp": 1e-9, "ap": 1e-5}),
    "bid size 1E+29": ("buy 40 AAPL", {"bs": 1e29}),
    "time stamp 9999-12-31T23:59:59-05:00": ("buy 40 AAPL", {"t": "9999-12-31T23:59:59-05:00"}),
    "time stamp 0001-01-01T00:00:00Z": ("buy 40 AAPL", {"t": "0001-01-01T00:00:00Z"}),
}


@pytest.mark.parametrize("named", list(ODD))
@pytest.mark.parametrize("begins", [True, False])
def test_an_absurd_quote_holds_its_own_symbol_alone(open_desk: OpenDesk, named: str, *, begins: bool) -> None:
    """Before and after its order is placed; KO is placed all the same."""
    order, odd = ODD[named]
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("20000", KO="100", AAPL="50"))

    def change(body: Any) -> Any:
        return body | {"quotes": {s: (row | odd if s == "AAPL" else row) for s, row in body["quotes"].items()}}

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/stocks/quotes/latest", rewrite=change)
    desk.begin(order, "sell all KO", policy="normal")
    if not begins:
        desk.place()
    desk.exchange.faults.arm(fault, When(times=None))
    if begins:
        desk.validate()
        desk.validate()
        (held,) = desk.journalled("AAPL", "hold")
        assert f", impossible: {named}, " in held[1]
        desk.place()
    desk.wait(20)
    desk.repeg()
    assert "100 KO @ 60.42" in desk.open_at_broker()
    assert len(desk.open_at_broker("AAPL")) == (0 if begins else 1)
