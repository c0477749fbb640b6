"""Stop, stop-limit and trailing-stop orders wait for a print and then become market or limit orders."""

from typing import Any

import pytest

from repeg_workbench.exchange.market.scripted import Event, halt, quote, trade
from tests.exchange.caller import QUIET_BOOK, Caller, a_caller, holding

FALLING: list[Event] = [
    *QUIET_BOOK,
    trade("10:10", "100 @ 99.00", side=-1),
    quote("10:10:01", "300 @ 98.90", "300 @ 98.95"),
    trade("10:20", "100 @ 98.00", side=-1),
]


def _stop(caller: Caller, **terms: Any) -> str:
    """A sell stop at 98.50 for ten shares held, acknowledged."""
    body = {"side": "sell", "type": "stop", "limit_price": None, "stop_price": "98.50"} | terms
    order_id: str = caller.submit(**body)["id"]
    caller.wait(50)
    return order_id


def test_a_sell_stop_waits_for_a_print_and_sells_at_the_market() -> None:
    caller = a_caller(FALLING, positions=holding("10"))
    order_id = _stop(caller)
    caller.wait_for("10:19:59")
    assert caller.status(order_id) == "new"
    caller.wait_for("10:20")
    filled = caller.order(order_id)
    assert (filled["status"], filled["filled_avg_price"]) == ("filled", "98.9")
    assert filled["filled_at"] == "2026-11-20T15:20:00Z"


def test_a_buy_stop_waits_for_a_print_above() -> None:
    book = [*QUIET_BOOK, trade("10:10", "100 @ 100.50", side=1)]
    caller = a_caller(book)
    order_id = _stop(caller, side="buy", stop_price="100.50")
    caller.wait_for("10:11")
    assert caller.order(order_id)["filled_avg_price"] == "100.05"


def test_a_triggered_stop_limit_becomes_a_limit_order() -> None:
    caller = a_caller(FALLING, positions=holding("10"))
    order_id = _stop(caller, type="stop_limit", limit_price="99.50")
    caller.wait_for("10:30")
    assert caller.status(order_id) == "new"
    quotes = caller.get("/v2/stocks/quotes/latest", symbols="AAPL")["quotes"]
    assert quotes["AAPL"]["ap"] == 98.95


def test_a_print_before_a_stop_was_placed_does_not_trigger_it() -> None:
    caller = a_caller(FALLING, at="10:21", positions=holding("10"))
    order_id = _stop(caller, stop_price="99.00")
    caller.wait_for("15:59")
    assert caller.status(order_id) == "new"


def test_an_off_exchange_print_does_not_trigger_a_stop() -> None:
    book = [*QUIET_BOOK, trade("10:10", "100 @ 90.00", venue="D", lit=False)]
    caller = a_caller(book, positions=holding("10"))
    order_id = _stop(caller)
    caller.wait_for("10:30")
    assert caller.status(order_id) == "new"


def test_a_canceled_stop_never_triggers() -> None:
    caller = a_caller(FALLING, positions=holding("10"))
    order_id = _stop(caller)
    caller.cancel(order_id)
    caller.wait_for("10:30")
    assert caller.status(order_id) == "canceled"


def test_a_replaced_stop_triggers_at_its_new_price_only() -> None:
    caller = a_caller(FALLING, positions=holding("10"))
    order_id = _stop(caller, stop_price="97.00")
    new = caller.replace(order_id, stop_price="99.00")
    caller.wait_for("10:09:59")
    assert caller.status(new["id"]) == "new"
    caller.wait_for("10:10")
    assert (caller.status(new["id"]), caller.status(order_id)) == ("filled", "replaced")


@pytest.mark.parametrize(("trail", "stop"), [({"trail_price": "1.00"}, 101.0), ({"trail_percent": "1"}, 100.98)])
def test_a_trailing_stop_follows_the_market_up_and_not_down(trail: dict[str, str], stop: float) -> None:
    book = [
        *QUIET_BOOK,
        trade("10:10", "100 @ 102.00", side=1),
        trade("10:15", "100 @ 101.50", side=-1),
        quote("10:16", "300 @ 100.90", "300 @ 101.10"),
        trade("10:20", f"100 @ {stop:.2f}", side=-1),
    ]
    caller = a_caller(book, positions=holding("10"))
    order_id = _stop(caller, type="trailing_stop", stop_price=None, **trail)
    caller.wait_for("10:12")
    assert caller.order(order_id)["hwm"] == "102"
    caller.wait_for("10:19")
    assert (caller.status(order_id), caller.order(order_id)["hwm"]) == ("new", "102")
    caller.wait_for("10:20")
    assert (caller.status(order_id), caller.order(order_id)["filled_avg_price"]) == ("filled", "100.9")


def test_a_trailing_buy_follows_the_market_down() -> None:
    book = [*QUIET_BOOK, trade("10:10", "100 @ 98.00"), trade("10:20", "100 @ 98.99"), trade("10:30", "100 @ 99.00")]
    caller = a_caller(book)
    order_id = _stop(caller, side="buy", type="trailing_stop", stop_price=None, trail_price="1.00")
    caller.wait_for("10:29:59")
    assert (caller.status(order_id), caller.order(order_id)["hwm"]) == ("new", "98")
    caller.wait_for("10:30")
    assert caller.status(order_id) == "filled"


def test_a_stop_triggered_just_before_a_halt_still_fills() -> None:
    book: list[Event] = [
        *QUIET_BOOK,
        trade("10:09:59.999", "100 @ 98.00", side=-1),
        halt("10:10", "10:20"),
        quote("10:21", "300 @ 97.00", "300 @ 97.05"),
    ]
    caller = a_caller(book, positions=holding("10"))
    order_id = _stop(caller)
    caller.wait_for("10:09:59.9995")
    assert caller.status(order_id) == "filled"


def test_a_market_buy_pays_no_more_than_its_collar() -> None:
    book = [quote("09:30", "300 @ 100.00", "10 @ 100.05"), quote("10:00:00.005", "300 @ 100.00", "300 @ 102.60")]
    caller = a_caller(book)
    order = caller.submit(type="market", limit_price=None)
    assert caller.get("/v2/account")["buying_power"] == "98974.4"
    caller.wait(1000)
    assert caller.status(order["id"]) == "new"
