"""Rows 55 to 64: how orders fill, and the effects on the account."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, halt, quote, trade
from repeg_workbench.exchange.matching.symbol_book import FillModel
from tests.conformance.alpaca_bench import Bench, a_bench, across, refused, shares
from tests.conformance.sdk import TimeInForce
from tests.exchange.caller import FRIDAY, QUIET_BOOK

Days = dict[date, dict[str, list[Event]]]
MONDAY = date(2026, 11, 23)
HALF_DAY = date(2026, 11, 27)


@pytest.mark.parametrize("model", list(FillModel))
@pytest.mark.parametrize(("side", "price", "paid"), [("buy", 100.30, "100.05"), ("sell", 99.50, "100")])
def test_row_055_a_marketable_limit_fills_at_the_quote(model: FillModel, side: str, price: float, paid: str) -> None:
    with a_bench(model=model, positions=shares("10")) as bench:
        order = bench.working(price=price, side=side)
    assert (order.status, order.filled_avg_price) == ("filled", paid)


@across(price_improvement=(0, 1_000))
def test_row_055_a_marketable_order_may_be_improved(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(price=100.05)
        assert order.filled_avg_price == ("100.025" if quirks.price_improvement else "100.05")


def test_row_055_a_fill_is_never_worse_than_the_limit() -> None:
    with a_bench() as bench:
        order = bench.working(price=100.05, qty=400)
        assert (order.status, order.filled_qty, order.filled_avg_price) == ("partially_filled", "200", "100.05")


@pytest.mark.parametrize("model", list(FillModel))
def test_row_056_a_passive_order_inside_the_spread_waits_for_the_market(model: FillModel) -> None:
    book = [
        *QUIET_BOOK,
        trade("10:20", "50 @ 100.01", side=-1),
        quote("10:30", "300 @ 99.90", "300 @ 100.02"),
        quote("10:40", "300 @ 99.90", "300 @ 99.95"),
    ]
    with a_bench(book, model=model) as bench:
        order = bench.working(price=100.02)
        assert order.status == "new"
        bench.wait_for("10:10")
        assert bench.status(order) == "new"
        bench.wait_for("10:41")
        assert bench.status(order) == "filled"


@across(order_protection=(True, False))
def test_row_056_an_order_alone_at_the_best_price_may_be_protected(quirks: BrokerQuirks) -> None:
    with a_bench([*QUIET_BOOK, trade("10:20", "50 @ 100.02", side=-1, venue="T")], quirks=quirks) as bench:
        order = bench.working(price=100.02)
        bench.wait_for("10:21")
        assert bench.status(order) == ("filled" if quirks.order_protection else "new")


def test_row_056_on_paper_a_crossing_quote_fills_but_a_print_does_not() -> None:
    book = [*QUIET_BOOK, trade("10:20", "50 @ 99.99", side=-1), quote("10:30", "300 @ 99.90", "300 @ 100.01")]
    with a_bench(book, model=FillModel.PAPER) as bench:
        order = bench.working(price=100.01, qty=5_0)
        bench.wait_for("10:25")
        assert bench.status(order) == "new"
        bench.wait_for("10:31")
        assert bench.order(order).filled_avg_price == "100.01"


@across(partial_filled_at=("null", "last_fill"))
def test_row_057_a_partial_fill_shows_quantity_and_exact_average(quirks: BrokerQuirks) -> None:
    book = [quote("09:30", "300 @ 100.00", "200 @ 100.05"), quote("10:30", "300 @ 100.00", "300 @ 100.01")]
    with a_bench(book, quirks=quirks) as bench:
        order = bench.working(price=100.05, qty=300)
        assert (order.status, order.filled_qty, order.filled_avg_price) == ("partially_filled", "200", "100.05")
        assert (order.filled_at is None) == (quirks.partial_filled_at == "null")
        bench.wait_for("10:31")
        done = bench.order(order)
    assert (done.status, done.filled_qty) == ("filled", "300")
    assert Decimal(str(done.filled_avg_price)) == Decimal("100.05")
    assert done.filled_at is not None


def test_row_057_an_endless_average_is_rounded_to_nine_decimals() -> None:
    with a_bench() as bench:
        order = bench.working(price=101, qty=300)
        fills = bench.trading.get("/account/activities/FILL")
    value = sum(Decimal(fill["qty"]) * Decimal(fill["price"]) for fill in fills)
    assert len(fills) == 2
    assert Decimal(str(order.filled_avg_price)) == round(value / 300, 9)


def test_row_057_a_fill_can_come_one_share_at_a_time() -> None:
    with a_bench() as bench:
        bench.on_server(lambda: bench.exchange.races.arm(Race.ONE_SHARE_FILLS))
        order = bench.working(price=101, qty=5)
        fills = bench.trading.get("/account/activities/FILL", {"direction": "asc"})
    assert order.status == "filled"
    assert [fill["qty"] for fill in fills] == ["1"] * 5
    assert [fill["cum_qty"] for fill in fills] == ["1", "2", "3", "4", "5"]
    assert [fill["leaves_qty"] for fill in fills] == ["4", "3", "2", "1", "0"]
    assert [fill["type"] for fill in fills] == ["partial_fill"] * 4 + ["fill"]


def test_row_058_executions_are_paged_activities_with_their_own_ids() -> None:
    with a_bench() as bench:
        for index in range(5):
            bench.working(price=101, qty=index + 1)
        everything = bench.trading.get("/account/activities/FILL")
        pages, token = [], None
        while page := bench.trading.get("/account/activities/FILL", {"page_size": 2, "page_token": token}):
            pages.append(page)
            token = page[-1]["id"]
        too_large = bench.raw("GET", "/v2/account/activities/FILL?page_size=101")
        unknown = bench.raw("GET", "/v2/account/activities/FILL?page_token=nothing")
    assert [fill for page in pages for fill in page] == everything
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({fill["id"] for fill in everything}) == 5
    assert [fill["qty"] for fill in everything] == ["5", "4", "3", "2", "1"]
    assert set(everything[0]) == {
        "activity_type", "id", "order_id", "symbol", "side", "qty", "price", "cum_qty", "leaves_qty", "type",
        "order_status", "transaction_time",
    }  # fmt: skip
    assert (too_large.status_code, unknown.status_code) == (422, 422)


def test_row_059_a_position_appears_averages_in_and_vanishes() -> None:
    book = [*QUIET_BOOK, quote("10:30", "300 @ 102.00", "300 @ 102.05")]
    with a_bench(book) as bench:
        bench.working(price=101, qty=10)
        bench.wait_for("10:31")
        bench.working(price=103, qty=30)
        position = bench.trading.get_open_position("AAPL")
        assert (position.qty, position.avg_entry_price, position.side) == ("40", "101.55", "long")
        assert position.cost_basis == "4062"
        bench.trading.close_position("AAPL")
        bench.wait(50)
        with refused(404, 40410000, "position does not exist"):
            bench.trading.get_open_position("AAPL")


def test_row_059_a_short_position_is_negative() -> None:
    with a_bench(multiplier=2, shorting_enabled=True) as bench:
        bench.working(price=99, qty=10, side="sell")
        position = bench.trading.get_open_position("AAPL")
        account = bench.account()
    assert (position.qty, position.side, position.market_value) == ("-10", "short", "-1000.25")
    assert position.cost_basis == "-1000"
    assert (account["cash"], account["short_market_value"]) == ("101000", "-1000.25")


def test_row_060_equity_is_cash_plus_market_value_at_every_instant() -> None:
    book = [*QUIET_BOOK, *[trade(f"10:{minute:02}", f"100 @ {100 + minute}.17") for minute in range(1, 50)]]
    with a_bench(book, positions=shares("7.5")) as bench:
        bench.working(price=101, qty=12)
        for _ in range(10):
            bench.wait(271_000)
            account, positions = bench.account(), bench.raw("GET", "/v2/positions").json()
            worth = sum(Decimal(position["market_value"]) for position in positions)
            assert Decimal(account["equity"]) == Decimal(account["cash"]) + worth
            assert account["portfolio_value"] == account["equity"]


def test_row_061_ioc_cancels_its_remainder() -> None:
    with a_bench() as bench:
        order = bench.working(price=100.05, qty=300, time_in_force=TimeInForce.IOC)
    assert (order.status, order.filled_qty) == ("canceled", "200")


@pytest.mark.parametrize(("qty", "status", "filled"), [(200, "filled", "200"), (201, "canceled", "0")])
def test_row_061_fok_never_fills_in_part(qty: float, status: str, filled: str) -> None:
    with a_bench() as bench:
        order = bench.working(price=100.05, qty=qty, time_in_force=TimeInForce.FOK)
    assert (order.status, order.filled_qty) == (status, filled)


@pytest.mark.parametrize(("day", "close"), [(FRIDAY, "16:00"), (HALF_DAY, "13:00")])
def test_row_062_a_day_order_expires_at_the_calendars_close(day: date, close: str) -> None:
    with a_bench(day=day) as bench:
        order = bench.working(price=99)
        bench.wait_for(f"{int(close[:2]) - 1}:59:59.999999", day)
        assert bench.status(order) == "new"
        bench.wait_for(close, day)
        expired = bench.order(order)
    assert expired.status == "expired"
    assert expired.expired_at is not None


@across(partial_day_status=("expired", "canceled"))
def test_row_062_an_expired_day_order_keeps_its_fills(quirks: BrokerQuirks) -> None:
    with a_bench(quirks=quirks) as bench:
        order = bench.working(price=100.05, qty=300)
        bench.wait_for("16:00")
        ended = bench.order(order)
    assert (ended.status, ended.filled_qty) == (quirks.partial_day_status, "200")


def test_row_062_a_good_till_canceled_order_can_fill_the_next_day() -> None:
    days: Days = {FRIDAY: {"AAPL": QUIET_BOOK}, MONDAY: {"AAPL": [quote("09:45", "300 @ 97.00", "300 @ 97.05")]}}
    with a_bench(market=ScriptedMarket(days)) as bench:
        order = bench.working(price=99, time_in_force=TimeInForce.GTC)
        bench.wait_for("09:44", MONDAY)
        assert bench.status(order) == "new"
        bench.wait_for("09:46", MONDAY)
        assert bench.status(order) == "filled"


def test_row_063_a_halted_symbol_has_no_fills_and_no_new_quotes() -> None:
    book: list[Event] = [
        quote("09:30", "300 @ 100.00", "200 @ 100.05"),
        halt("10:10", "10:20"),
        quote("10:21", "300 @ 98.00", "300 @ 98.05"),
    ]
    with a_bench(book) as bench:
        bench.wait_for("10:11")
        order = bench.working(price=101)
        assert order.status == "new"
        bench.wait_for("10:19")
        assert _bid(bench) == 100.0
        assert bench.status(order) == "new"
        bench.wait_for("10:22")
        filled = bench.order(order)
    assert (filled.status, filled.filled_avg_price) == ("filled", "98.05")


@across(split_orders=("cancel", "keep"))
def test_row_064_a_split_changes_positions_and_may_cancel_gtc_orders(quirks: BrokerQuirks) -> None:
    days: Days = {FRIDAY: {"AAPL": QUIET_BOOK}, MONDAY: {"AAPL": [quote("09:30", "300 @ 25.00", "300 @ 25.01")]}}
    with a_bench(market=ScriptedMarket(days), quirks=quirks, positions=shares("10", "80")) as bench:
        order = bench.working(price=110, side="sell", qty=10, time_in_force=TimeInForce.GTC)
        bench.wait_for("18:00")
        bench.on_server(lambda: bench.exchange.split("AAPL", 4, 1))
        position = bench.trading.get_open_position("AAPL")
        status = bench.status(order)
    assert (position.qty, position.avg_entry_price, position.cost_basis) == ("40", "20", "800")
    assert status == ("canceled" if quirks.split_orders == "cancel" else "new")


def _bid(bench: Bench) -> Any:
    return bench.raw("GET", "/v2/stocks/quotes/latest?symbols=AAPL").json()["quotes"]["AAPL"]["bp"]
