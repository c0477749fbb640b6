"""Rows 29 to 47: limits from the account's money, shares and other orders."""

from typing import Any

import pytest

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.scripted import ScriptedMarket, quote
from repeg_workbench.exchange.market.symbol_day import Listing
from tests.conformance.alpaca_bench import ACCEPTED, Bench, a_bench, across, refused, shares
from tests.conformance.sdk import (
    LimitOrderRequest,
    OrderSide,
    StopLossRequest,
    TakeProfitRequest,
    TimeInForce,
    TrailingStopOrderRequest,
)
from tests.exchange.caller import FRIDAY, QUIET_BOOK

MARGIN: dict[str, Any] = {"multiplier": 2, "shorting_enabled": True}
WASH = "potential wash trade detected. use complex orders"


def test_row_029_a_buy_beyond_buying_power_is_refused_with_figures() -> None:
    with a_bench() as bench:
        answer = bench.post(qty="1001")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": "insufficient buying power",
        "buying_power": "100000",
        "cost_basis": "100100",
    }


@pytest.mark.parametrize(("price", "status"), [("100000", 200), ("100000.01", 403)])
def test_row_029_buying_power_can_be_spent_to_the_last_cent(price: str, status: int) -> None:
    with a_bench() as bench:
        assert bench.post(qty="1", limit_price=price).status_code == status


@across(release_delay=((0, 0), (200, 200)))
def test_row_030_an_open_buy_holds_its_value_until_canceled(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(price=99, qty=100)
        assert bench.account()["buying_power"] == "90100"
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(11)
        assert bench.status(order) == "canceled"
        assert bench.account()["buying_power"] == ("100000" if quirks.release_delay == (0, 0) else "90100")
        bench.wait(200)
        assert bench.account()["buying_power"] == "100000"


def test_row_030_a_fill_turns_the_hold_into_a_position() -> None:
    with a_bench() as bench:
        assert bench.working(price=101, qty=100).status == "filled"
        account = bench.account()
    assert account["buying_power"] == account["cash"] == "89995"


def test_row_030_an_expired_buy_releases_its_hold() -> None:
    with a_bench() as bench:
        bench.working(price=99, qty=100)
        bench.wait_for("16:00:01")
        assert bench.account()["buying_power"] == "100000"


def test_row_030_a_rejected_buy_releases_its_hold() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.REJECTED_LATER))
        assert bench.working(price=99, qty=100).status == "rejected"
        assert bench.account()["buying_power"] == "100000"


def test_row_031_an_open_sell_adds_no_buying_power_until_it_executes() -> None:
    book = [*QUIET_BOOK, quote("11:00", "300 @ 100.10", "300 @ 100.15")]
    with a_bench(book, positions=shares("50")) as bench:
        bench.working(price=100.10, qty=50, side="sell")
        assert bench.account()["buying_power"] == "100000"
        bench.wait_for("11:00:01")
        assert bench.account()["buying_power"] == "105005"


def test_row_032_a_sell_beyond_available_shares_is_refused_with_figures() -> None:
    with a_bench(positions=shares("10")) as bench:
        held = bench.working(price=101, qty=10, side="sell")
        answer = bench.post(side="sell", qty="3", limit_price="101")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": "insufficient qty available for order (requested: 3, available: 0)",
        "available": "0",
        "existing_qty": "10",
        "held_for_orders": "10",
        "related_orders": [str(held.id)],
        "symbol": "AAPL",
    }


def test_row_033_qty_available_excludes_shares_held_by_open_sells() -> None:
    with a_bench(positions=shares("10")) as bench:
        bench.working(price=101, qty=4, side="sell")
        position = bench.trading.get_open_position("AAPL")
    assert (position.qty, position.qty_available) == ("10", "6")


@across(release_delay=((0, 0), (200, 200)))
def test_row_034_shares_are_still_held_just_after_a_cancel(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks, positions=shares("10")) as bench:
        order = bench.working(price=101, qty=10, side="sell")
        bench.trading.cancel_order_by_id(order.id)
        bench.wait(11)
        assert bench.status(order) == "canceled"
        if quirks.release_delay != (0, 0):
            with refused(403, 40310000, "insufficient qty available for order (requested: 10, available: 0)"):
                bench.limit(price=102, qty=10, side="sell")
            bench.wait(200)
        assert bench.limit(price=102, qty=10, side="sell").status == ACCEPTED


def test_row_035_a_sell_without_a_position_or_shorting_is_refused() -> None:
    with a_bench() as bench, refused(403, 40310000, "account is not allowed to short"):
        bench.limit(side="sell")


def test_row_036_a_sell_larger_than_the_position_does_not_flip_it() -> None:
    with a_bench(positions=shares("10"), **MARGIN) as bench:
        with refused(403, 40310000, "insufficient qty available for order (requested: 15, available: 10)"):
            bench.limit(side="sell", price=101, qty=15)
        assert bench.trading.get_open_position("AAPL").qty == "10"


@across(hard_to_borrow_short=("refused", "allowed"))
def test_row_037_a_short_of_a_hard_to_borrow_asset_is_refused(quirks: BrokerQuirks) -> None:
    listing = Listing("AAPL", "Hard to borrow", easy_to_borrow=False)
    with a_bench(quirks=quirks, listings=[listing], **MARGIN) as bench:
        if quirks.hard_to_borrow_short == "allowed":
            assert bench.limit(side="sell", price=101).position_intent == "sell_to_open"
        else:
            with refused(403, 40310000, 'asset "AAPL" cannot be sold short'):
                bench.limit(side="sell", price=101)


def test_row_037_a_short_needs_whole_shares_and_103_percent_of_the_ask() -> None:
    with a_bench(**MARGIN) as bench:
        with refused(422, 42210000, "fractional orders cannot be sold short"):
            bench.limit(side="sell", price=101, qty=1.5)
        bench.limit(side="sell", price=101, qty=10)
        assert bench.account()["buying_power"] == "198969.485"


def test_row_038_crossing_limits_of_one_account_are_a_wash_trade() -> None:
    with a_bench(positions=shares("10")) as bench:
        buy = bench.working(price=100)
        answer = bench.post(side="sell", limit_price="100")
    assert answer.status_code == 403
    assert answer.json() == {
        "code": 40310000,
        "message": WASH,
        "existing_order_id": str(buy.id),
        "reject_reason": "opposite side limit order exists",
    }


def test_row_038_a_replace_that_crosses_our_own_order_is_a_wash_trade() -> None:
    with a_bench(positions=shares("10")) as bench:
        bench.working(price=101, side="sell")
        buy = bench.working(price=100)
        with refused(403, 40310000, WASH):
            bench.replace(buy, limit_price=101)
        assert bench.status(buy) == "new"


def test_row_039_opposite_limits_that_do_not_cross_are_accepted() -> None:
    with a_bench(positions=shares("10")) as bench:
        bench.working(price=100)
        assert bench.limit(price=101, side="sell").status == ACCEPTED


def test_row_040_a_new_market_sell_against_an_open_buy_is_refused() -> None:
    with a_bench(positions=shares("10")) as bench:
        bench.working(price=90)
        with refused(403, 40310000, WASH):
            bench.market(side="sell")


@pytest.mark.parametrize("terms", [{"limit_price": "50"}, {"type": "market", "limit_price": None}])
def test_row_040_any_buy_against_an_open_sell_stop_is_refused(terms: dict[str, Any]) -> None:
    with a_bench(positions=shares("10")) as bench:
        stop = bench.post(side="sell", type="stop", limit_price=None, stop_price="90").json()
        answer = bench.post(**terms)
    assert answer.status_code == 403
    assert answer.json()["reject_reason"] == "opposite side market/stop order exists"
    assert answer.json()["existing_order_id"] == stop["id"]


@across(wash_trade_counts_pending_cancel=(True, False))
def test_row_041_a_pending_cancel_may_count_for_the_wash_trade_rule(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks, positions=shares("10")) as bench:
        buy = bench.working(price=100)
        bench.trading.cancel_order_by_id(buy.id)
        answer = bench.post(side="sell", limit_price="100")
    assert answer.status_code == (403 if quirks.wash_trade_counts_pending_cancel else 200)


def test_row_042_complex_and_trailing_orders_are_no_wash_trades() -> None:
    with a_bench(positions=shares("30")) as bench:
        bench.working(price=100)
        oco = LimitOrderRequest(
            symbol="AAPL",
            qty=10,
            side=OrderSide.SELL,
            time_in_force=TimeInForce.DAY,
            order_class="oco",
            limit_price=100,
            take_profit=TakeProfitRequest(limit_price=100),
            stop_loss=StopLossRequest(stop_price=95),
        )
        assert bench.trading.submit_order(oco).order_class == "oco"
        trailing = TrailingStopOrderRequest(
            symbol="AAPL", qty=10, side=OrderSide.SELL, time_in_force=TimeInForce.DAY, trail_percent=2
        )
        assert bench.trading.submit_order(trailing).type == "trailing_stop"


def test_row_042_a_bracket_fills_its_entry_and_then_works_its_exits() -> None:
    book = [*QUIET_BOOK, quote("10:30", "300 @ 110.00", "300 @ 110.05")]
    with a_bench(book) as bench:
        entry = _bracket(bench)
        assert [leg.status for leg in entry.legs or ()] == ["held", "held"]
        bench.wait(50)
        profit, loss = [bench.order(leg) for leg in entry.legs or ()]
        assert (bench.status(entry), profit.status, loss.status) == ("filled", "new", "held")
        bench.wait_for("10:30:01")
        assert (bench.status(profit), bench.status(loss)) == ("filled", "canceled")
        assert bench.trading.get_all_positions() == []


def test_row_043_an_order_sent_under_two_ids_is_two_orders() -> None:
    with a_bench() as bench:
        bench.limit(client_order_id="one")
        bench.limit(client_order_id="two")
        assert len(bench.trading.get_orders()) == 2


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"trading_blocked": True}, "trading is blocked for this account"),
        ({"account_blocked": True}, "trading is blocked for this account"),
        ({"trade_suspended_by_user": True}, "new orders are rejected by user request"),
        ({"liquidation_only": True}, "account is restricted to liquidation only"),
    ],
)
def test_row_044_a_blocked_account_is_refused(flags: dict[str, Any], message: str) -> None:
    with a_bench(**flags) as bench, refused(403, 40310000, message):
        bench.limit()


def test_row_044_a_liquidation_only_account_may_still_sell() -> None:
    with a_bench(liquidation_only=True, positions=shares("10")) as bench:
        assert bench.limit(side="sell", price=101).status == ACCEPTED


@pytest.mark.parametrize(
    ("force", "at", "status"),
    [
        ("opg", "09:27", 200),
        ("opg", "09:28", 403),
        ("opg", "18:59", 403),
        ("opg", "19:00", 200),
        ("cls", "15:49", 200),
        ("cls", "15:50", 403),
        ("cls", "19:00", 200),
    ],
)
def test_row_045_an_auction_order_outside_its_window_is_refused(force: str, at: str, status: int) -> None:
    with a_bench(at=at) as bench:
        answer = bench.post(time_in_force=force)
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == 40310000


@across(auction_orders=("expire", "immediate"))
def test_row_045_an_opening_auction_order_expires_or_executes(quirks: BrokerQuirks) -> None:
    with a_bench(at="09:00", quirks=quirks) as bench:
        order = bench.limit(price=101, time_in_force=TimeInForce.OPG)
        bench.wait_for("09:30:01")
        assert bench.status(order) == ("expired" if quirks.auction_orders == "expire" else "filled")


@pytest.mark.skipif(ACCEPTED == "new", reason="such a broker has the venue's word before it answers")
def test_row_046_an_accepted_order_can_be_rejected_later() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.REJECTED_LATER))
        order = bench.limit()
        assert order.status == ACCEPTED
        bench.wait(50)
        rejected = bench.order(order)
    assert rejected.status == "rejected"
    assert rejected.failed_at is not None


@across(market_without_quote=("rejected", "resting"))
def test_row_047_a_market_order_without_a_far_side_is_rejected_or_rests(quirks: BrokerQuirks) -> None:
    one_sided = [quote("09:30", "300 @ 100.00", None), quote("11:00", "300 @ 100.00", "300 @ 100.05")]
    market = ScriptedMarket({FRIDAY: {"AAPL": one_sided}}, reference_prices={"AAPL": "100"})
    with a_bench(market=market, quirks=quirks) as bench:
        order = bench.market()
        bench.wait(50)
        assert bench.status(order) == ("rejected" if quirks.market_without_quote == "rejected" else "new")
        bench.wait_for("11:00:01")
        assert bench.status(order) == ("rejected" if quirks.market_without_quote == "rejected" else "filled")


def _bracket(bench: Bench) -> Any:
    return bench.trading.submit_order(
        LimitOrderRequest(
            symbol="AAPL",
            qty=10,
            side=OrderSide.BUY,
            time_in_force=TimeInForce.DAY,
            limit_price=101,
            order_class="bracket",
            take_profit=TakeProfitRequest(limit_price=105),
            stop_loss=StopLossRequest(stop_price=95),
        )
    )
