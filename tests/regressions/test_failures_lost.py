"""Known failures of other programs: orders missing from the report, invented prices, wrong cost benchmarks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain import pricing, tick
from repeg.domain.child_order import Rung
from repeg.domain.errors import InvalidPlan
from repeg.domain.quote import QuoteVerdict, Side, check_quote
from repeg.domain.settings import Settings
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote, trade
from repeg_workbench.exchange.market.symbol_day import Listing
from repeg_workbench.exchange.triggers import When
from repeg_workbench.exchange.units import price
from repeg_workbench.exchange.units import qty as shares
from tests.builders import MONDAY, NOON, a_quote
from tests.functions.books import AAPL, KO, QUIET, UP, book
from tests.functions.desk import OpenDesk, a_plan, holding
from tests.functions.scenes import half_filled, resting
from tests.simulation import judge

NOT_ALLOWED = {"code": 42210000, "message": "order is not allowed"}


def test_a_cancelled_order_with_unfilled_shares_is_not_complete(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 15 @ 189.41 sold",)))
    desk.wait_until("09:36:20")
    desk.broker.cancel(desk.at_broker()[0].id)
    desk.turn_at("09:36:30")
    assert (desk.order().outcome, desk.order().remaining) == ("ended_by_unknown_hand", Decimal(25))


def test_an_expired_order_is_reported_as_partial(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, until="09:37"), escalation="none")
    desk.wait_until("16:00:01")
    assert desk.close().outcome == "settled"
    assert (desk.row()["outcome"], desk.row()["filled_qty"]) == ("partial_deadline", "0")


def test_closing_leaves_no_limit_order_open(open_desk: OpenDesk) -> None:
    desk = half_filled(open_desk)
    assert len(desk.open_at_broker()) == 2
    desk.close()
    judge.nothing_of_ours_is_open(desk.exchange)


def test_a_filled_order_without_an_average_price_is_filled(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 40 @ 189.41 sold",)))
    without = Fault(
        kind=Kind.REWRITE, method="GET", path="/v2/orders.*", rewrite=lambda order: {**order, "filled_avg_price": None}
    )
    desk.wait_until("09:36:30")
    desk.exchange.faults.arm(without, When(skip=1))  # skip the list: a filled order is read by its id
    assert desk.repeg().decision == "close"
    desk.close()
    assert (desk.row()["outcome"], desk.row()["average_price"]) == ("filled", "189.41")


def test_every_order_of_the_plan_is_in_the_report(open_desk: OpenDesk) -> None:
    books = {"AAPL": AAPL, "KO": KO, "WIDE": book("09:20 500 @ 10.00 × 500 @ 11.00")}
    desk = open_desk(books)
    desk.begin("buy 40 AAPL", "buy 10 KO", "buy 5 WIDE")
    refusal = Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=422, body=NOT_ALLOWED)
    desk.exchange.faults.arm(refusal, When(times=3))
    for _ in range(3):
        desk.place()
    desk.close()
    assert {row["symbol"] for row in desk.report["orders"]} == {"AAPL", "KO", "WIDE"}
    assert all(row["outcome"] and row["reason"] for row in desk.report["orders"])
    assert desk.row("WIDE")["outcome"] == "held_wide"


def test_a_missing_ask_never_becomes_a_limit_of_one_cent(open_desk: OpenDesk) -> None:
    books = {"AAPL": [trade("09:19", "10 @ 107.00"), *book("09:20 300 @ 107.00 × -")]}
    desk = open_desk(books, opening=holding(AAPL="40"))
    desk.begin("sell all AAPL")
    desk.place()
    assert (desk.order().held, desk.posts()) == ("one_sided", 0)


def test_a_missing_side_is_not_copied_from_the_other(open_desk: OpenDesk) -> None:
    """A copied side has no spread, so the check for wide spreads would pass on broken data."""
    for bid, ask in (("100.00", "0"), ("0", "100.05"), ("0", "0")):
        assert check_quote(a_quote(bid, ask), Side.BUY, NOON, Settings()) is QuoteVerdict.ONE_SIDED


def test_a_quote_without_a_timestamp_is_stale(open_desk: OpenDesk) -> None:
    assert check_quote(a_quote(at=None), Side.BUY, NOON, Settings()) is QuoteVerdict.STALE
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")

    def timeless(body: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
        return {"quotes": {name: {k: v for k, v in row.items() if k != "t"} for name, row in body["quotes"].items()}}

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/stocks/quotes/latest", rewrite=timeless)
    desk.exchange.faults.arm(fault, When(times=None))
    desk.place()
    assert desk.posts() == 0
    assert desk.order().arrival is None


def test_an_unavailable_price_is_never_invented(open_desk: OpenDesk) -> None:
    market = ScriptedMarket({MONDAY: {"AAPL": AAPL}}, [Listing("NEW", "New Inc.")], {"NEW": "12.00"})
    desk = open_desk({}, market=market)
    with pytest.raises(InvalidPlan, match="a symbol with a two-sided quote or a trade"):
        desk.open({"name": "core", "targets": {"NEW": "0.5"}})
    assert desk.store.guards_on(MONDAY) == []


def test_each_decision_uses_a_fresh_quote(open_desk: OpenDesk) -> None:
    climbing = book(QUIET, UP, "09:36:40 300 @ 189.90 × 200 @ 189.94")
    desk = resting(open_desk, climbing)
    for time in ("09:36:30", "09:37:00"):
        desk.turn_at(time)
    intents = desk.store.intents(desk.run.run_id)
    assert [intent.quote.bid for intent in intents] == [Decimal("189.40"), Decimal("189.65"), Decimal("189.90")]
    assert all((intent.decided_at - intent.quote.at).total_seconds() <= 2 for intent in intents if intent.quote.at)


@pytest.mark.parametrize("bid", ["100.00", "100.01"])
def test_the_midpoint_of_a_one_tick_market_rests_on_the_near_side(bid: str) -> None:
    ask = str(Decimal(bid) + Decimal("0.01"))
    book_now = a_quote(bid, ask)
    assert pricing.mid_price(Side.BUY, book_now, MONDAY, Decimal("0.01")) == Decimal(bid)
    assert pricing.mid_price(Side.SELL, book_now, MONDAY, Decimal("0.01")) == Decimal(ask)


def test_a_buy_limit_reaches_the_ask_only_when_crossing(open_desk: OpenDesk) -> None:
    climbing = book(QUIET, *(f"09:{36 + n}:10 300 @ {190 + n}.00 × 200 @ {190 + n}.04" for n in range(4)))
    desk = resting(open_desk, climbing, max_slippage_bps="300", patience_seconds=3_600)
    for minute in range(4):
        desk.turn_at(f"09:{36 + minute}:30")
        desk.place()
    for intent in desk.store.intents(desk.run.run_id):
        assert intent.limit is not None
        assert intent.limit < intent.quote.ask or intent.rung is Rung.CROSS
        assert intent.limit <= (desk.order().collar or 0)


def test_a_fraction_of_a_whole_share_stock_is_named_and_not_sent(open_desk: OpenDesk) -> None:
    market = ScriptedMarket({MONDAY: {"WHL": KO}}, [Listing("WHL", "Whole Shares Inc.", fractionable=False)])
    desk = open_desk({}, market=market, opening=holding(WHL="0.3"))
    desk.begin("sell all WHL")
    desk.place()
    assert list(desk.store.intents(desk.run.run_id)) == []
    desk.close()
    assert desk.row("WHL")["outcome"] == "no_trade"
    assert desk.row("WHL")["note"] == "0.3 of 0.3 cannot be sold: no fractions"


def test_a_full_exit_sells_the_brokers_exact_quantity(open_desk: OpenDesk) -> None:
    desk = open_desk({"KO": KO}, opening=holding(KO="7.2273576"))
    with pytest.raises(InvalidPlan, match=r"at most the 7\.2273576 KO held and free"):
        desk.open(a_plan("sell 7.227358 KO"))
    desk.begin("sell all KO")
    desk.place()
    (order,) = desk.at_broker()
    assert shares(order.quantity or 0) == Decimal("7.2273576")


def test_cost_is_measured_from_executions_against_the_arrival_price(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, UP, prints=("09:36:40 40 @ 189.66 sold",)))
    desk.turn_at("09:36:30")
    desk.turn_at("09:37:00")
    desk.close()
    expected = (Decimal("189.66") - Decimal("189.42")) / Decimal("189.42") * 10_000
    assert desk.row()["cost_bps"] == f"{expected:.2f}"


def test_a_fill_carries_the_brokers_timestamp(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, book(QUIET, prints=("09:36:10 40 @ 189.41 sold",)))
    desk.turn_at("09:36:30")
    (execution,) = desk.store.executions(desk.run.run_id)
    waited = execution.at - desk.store.intents(desk.run.run_id)[0].decided_at
    assert waited.total_seconds() == 10


def test_a_limit_is_always_on_the_tick(open_desk: OpenDesk) -> None:
    desk = open_desk({"PNY": [quote("09:35:59", "900 @ 0.8512", "900 @ 0.8515")]})
    desk.begin("buy 100 PNY")
    desk.place()
    (order,) = desk.at_broker()
    limit = price(order.terms.limit or 0)
    assert limit == Decimal("0.8513")
    assert limit % tick.increment(limit, MONDAY) == 0
