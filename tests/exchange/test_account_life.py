"""The account over several days: margin, shorts, closing positions, extended hours, expiry after months."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from repeg_workbench.exchange.market.scripted import Event, ScriptedMarket, quote, trade
from repeg_workbench.exchange.matching.symbol_book import FillModel
from tests.exchange.caller import FRIDAY, PROMPT, QUIET_BOOK, a_caller, holding

MONDAY = date(2026, 11, 23)
MARGIN: dict[str, Any] = {"multiplier": 2, "shorting_enabled": True}
TWO_DAYS: dict[date, dict[str, list[Event]]] = {
    FRIDAY: {"AAPL": [*QUIET_BOOK, trade("15:59", "100 @ 100.00")]},
    MONDAY: {"AAPL": [quote("09:30", "300 @ 110.00", "200 @ 110.05"), trade("09:31", "100 @ 110.00")]},
}


def test_a_margin_account_buys_twice_its_equity() -> None:
    caller = a_caller(multiplier=2)
    assert caller.get("/v2/account")["buying_power"] == "200000"
    caller.submit(qty="1500", limit_price="100.00")
    assert caller.get("/v2/account")["buying_power"] == "50000"
    assert caller.try_submit(qty="600", limit_price="100.00").status == 403


def test_positions_of_a_margin_account_reduce_its_buying_power() -> None:
    caller = a_caller(multiplier=2, positions=holding("500"))
    assert caller.get("/v2/account")["equity"] == "150012.5"
    assert caller.get("/v2/account")["buying_power"] == "250012.5"


def test_a_partial_sale_keeps_the_average_price_and_reduces_the_cost() -> None:
    caller = a_caller(positions=holding("10"))
    caller.submit(side="sell", qty="4", limit_price="99")
    caller.wait(50)
    position = caller.get("/v2/positions/AAPL")
    assert (position["qty"], position["avg_entry_price"], position["cost_basis"]) == ("6", "90", "540")


def test_a_short_position_can_be_opened_and_bought_back() -> None:
    caller = a_caller(**MARGIN)
    caller.submit(side="sell", limit_price="99.00")
    caller.wait(50)
    assert caller.get("/v2/positions/AAPL")["side"] == "short"
    assert caller.try_submit(qty="11").json()["message"].startswith("insufficient qty available for order")
    caller.submit(qty="10", limit_price="101")
    caller.wait(50)
    assert caller.get("/v2/positions") == []
    assert caller.get("/v2/account")["cash"] == "99999.5"


def test_a_long_buy_and_a_short_sell_are_never_open_together() -> None:
    caller = a_caller(**MARGIN)
    caller.submit(side="sell", limit_price="105.00")
    caller.wait(50)
    answer = caller.try_submit(limit_price="99.00").json()
    assert answer["message"] == "cannot open a long buy while a short sell order is open"
    caller = a_caller(**MARGIN)
    caller.submit(limit_price="99.00")
    answer = caller.try_submit(side="sell", limit_price="105").json()
    assert answer["message"] == "cannot open a short sell while a long buy order is open"


@pytest.mark.parametrize(("query", "left"), [({}, None), ({"qty": "4"}, "6.5"), ({"percentage": "50"}, "5.25")])
def test_a_position_can_be_closed_in_whole_or_in_part(query: dict[str, str], left: str | None) -> None:
    caller = a_caller(positions=holding("10.5"))
    assert caller.call("DELETE", "/v2/positions/AAPL", query=query).status == 200
    caller.wait(50)
    held = caller.get("/v2/positions")
    assert (held[0]["qty"] if held else None) == left


@pytest.mark.parametrize("query", [{"qty": "0"}, {"percentage": "101"}, {"qty": "x"}, {"qty": "1", "percentage": "1"}])
def test_an_invalid_size_to_close_a_position_is_refused(query: dict[str, str]) -> None:
    caller = a_caller(positions=holding("10"))
    assert caller.call("DELETE", "/v2/positions/AAPL", query=query).status == 422


def test_closing_all_positions_cancels_orders_and_reports_each_outcome() -> None:
    market = ScriptedMarket({FRIDAY: {"AAPL": QUIET_BOOK, "KO": QUIET_BOOK}})
    positions = {"AAPL": (Decimal(10), Decimal(90)), "KO": (Decimal(5), Decimal(90))}
    caller = a_caller(market=market, positions=positions, quirks=replace(PROMPT, cancel_delay=(0, 0)))
    caller.submit(side="sell", limit_price="105")
    caller.wait(50)
    refused = caller.call("DELETE", "/v2/positions").json()
    assert [(each["symbol"], each["status"]) for each in refused] == [("AAPL", 403), ("KO", 200)]
    answer = caller.call("DELETE", "/v2/positions", query={"cancel_orders": "true"})
    assert answer.status == 207
    assert [each["status"] for each in answer.json()] == [200, 200]
    caller.wait(50)
    assert caller.call("DELETE", "/v2/positions", query={"cancel_orders": "maybe"}).status == 422
    assert [position["symbol"] for position in caller.get("/v2/positions")] == []


@pytest.mark.parametrize(
    ("ask", "filled"), [("100.05", "9.995002498"), ("101.00", "9.900990099"), ("99.00", "10.101010101")]
)
def test_a_notional_order_spends_its_money_at_the_current_price(ask: str, filled: str) -> None:
    book = [*QUIET_BOOK, quote("10:00:00.005", "300 @ 98.00", f"300 @ {ask}")]
    caller = a_caller(book)
    order = caller.submit(type="market", qty=None, limit_price=None, notional="1000")
    assert round(Decimal(caller.get("/v2/account")["buying_power"]), 6) == 99_000
    caller.wait(50)
    done = caller.order(order["id"])
    assert (done["status"], done["filled_qty"], done["qty"]) == ("filled", filled, None)
    assert 99_000 <= Decimal(caller.get("/v2/account")["cash"]) < Decimal("99000.00001")


def test_a_notional_sale_never_exceeds_the_position() -> None:
    book = [*QUIET_BOOK, quote("10:00:00.005", "300 @ 50.00", "300 @ 50.05")]
    caller = a_caller(book, positions=holding("10"))
    order = caller.submit(side="sell", type="market", qty=None, limit_price=None, notional="1000")
    caller.wait(50)
    assert (caller.order(order["id"])["filled_qty"], caller.get("/v2/positions")) == ("10", [])


def test_last_equity_is_the_equity_at_the_previous_close() -> None:
    caller = a_caller(market=ScriptedMarket(TWO_DAYS), positions=holding("10"))
    caller.wait_for("17:00")
    opening = caller.get("/v2/account")["last_equity"]
    caller.wait_for("09:35", MONDAY)
    account = caller.get("/v2/account")
    assert (account["last_equity"], account["equity"]) == ("101000", "101100")
    assert opening == "101000.25"


def test_a_positions_change_today_counts_from_the_previous_close() -> None:
    caller = a_caller(market=ScriptedMarket(TWO_DAYS), positions=holding("10"))
    caller.wait_for("09:35", MONDAY)
    caller.submit(limit_price="111")
    caller.wait(50)
    position = caller.get("/v2/positions/AAPL")
    assert (position["lastday_price"], position["current_price"], position["change_today"]) == ("100", "110", "0.1")
    assert position["unrealized_intraday_pl"] == "99.5"
    assert position["unrealized_pl"] == "199.5"


def test_the_latest_quote_before_the_open_is_the_previous_days() -> None:
    caller = a_caller(market=ScriptedMarket(TWO_DAYS))
    caller.wait_for("09:00", MONDAY)
    latest = caller.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]["AAPL"]
    last = caller.get("/v2/stocks/trades/latest", symbols="AAPL")["trades"]["AAPL"]
    assert (latest["t"], last["t"]) == ("2026-11-20T14:30:00Z", "2026-11-20T20:59:00Z")


def test_a_good_till_canceled_order_is_canceled_after_ninety_days() -> None:
    caller = a_caller()
    order = caller.submit(time_in_force="gtc", limit_price="90")
    assert order["expires_at"] == "2027-02-18T21:15:00Z"
    caller.wait_for("16:14", date(2027, 2, 18))
    assert caller.status(order["id"]) == "new"
    caller.wait_for("16:15", date(2027, 2, 18))
    assert caller.status(order["id"]) == "canceled"


@pytest.mark.parametrize(
    ("at", "day", "working", "ends"),
    [
        ("03:00", FRIDAY, "04:00", "2026-11-21T01:00:00Z"),
        ("17:00", FRIDAY, "17:00", "2026-11-21T01:00:00Z"),
        ("21:00", date(2026, 11, 19), "04:00", "2026-11-21T01:00:00Z"),
    ],
)
def test_an_extended_hours_order_works_from_4_am_to_8_pm(at: str, day: date, working: str, ends: str) -> None:
    caller = a_caller(market=ScriptedMarket(TWO_DAYS), at=at, day=day)
    order = caller.submit(extended_hours=True, limit_price="90")
    assert order["expires_at"] == ends
    caller.wait_for(working + ":01", FRIDAY)
    assert caller.status(order["id"]) == "new"


@pytest.mark.parametrize(("last", "status"), [("15:59:59.999999999", "filled"), ("16:00", "expired")])
def test_the_closing_instant_is_not_part_of_the_session(last: str, status: str) -> None:
    caller = a_caller([*QUIET_BOOK, quote(last, "300 @ 98.00", "300 @ 98.05")], model=FillModel.PAPER)
    order = caller.submit(limit_price="99")
    caller.wait_for("16:00:01")
    assert caller.status(order["id"]) == status


def test_fill_times_do_not_depend_on_how_often_the_exchange_is_called() -> None:
    book = [*QUIET_BOOK, *(quote(f"10:{minute:02}", "300 @ 99.00", "3 @ 99.05") for minute in range(1, 9, 2))]

    def seen(step: int) -> list[tuple[int, int, int]]:
        caller = a_caller(book, model=FillModel.PAPER)
        caller.submit(limit_price="99.50", qty="10")
        for _ in range(900_000 // step):
            caller.wait(step)
        return [(e.at, e.quantity, e.price) for e in caller.exchange.ledger.executions]

    assert seen(500) == seen(900_000)
    assert seen(500)


def test_the_same_seed_and_calls_give_the_same_ledger() -> None:
    def ledger(seed: int) -> list[Any]:
        caller = a_caller(seed=seed, quirks=replace(PROMPT, ack_delay=(1, 90)))
        first = caller.submit(limit_price="99")
        caller.wait(100)
        caller.replace(first["id"], limit_price="101")
        caller.wait(100)
        return [caller.exchange.ledger.events, caller.exchange.ledger.executions]

    assert ledger(3) == ledger(3)
    assert ledger(3) != ledger(4)


def test_a_refused_order_does_not_change_the_delays_of_the_next() -> None:
    def ack(refusals: int) -> Any:
        caller = a_caller(quirks=replace(PROMPT, ack_delay=(1, 900)))
        for _ in range(refusals):
            assert caller.try_submit(qty="0").status == 422
        order = caller.submit()
        caller.wait(1000)
        return caller.order(order["id"])["updated_at"]

    assert ack(0) == ack(3)


def test_an_exchange_keeps_its_time_while_its_clock_is_behind() -> None:
    caller = a_caller()
    order = caller.submit()
    caller.wait(50)
    caller.wait(-10_000)
    assert caller.status(order["id"]) == "new"
    assert caller.exchange.timers.next_turn[0] > caller.exchange.now
