"""A balance that lags behind the orders: what was just bought is not spent a second time on a margin account."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.place_orders.app import place_orders
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL, QUIET, Event, book
from tests.functions.desk import Desk, OpenDesk, holding
from tests.functions.test_send_deadline import without_requests
from tests.simulation import judge

LATER = book(
    "09:20 10 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.40 × 500 @ 60.43", prints=("09:36:40 500 @ 60.30 sold",)
)
"""Thin until 09:36:10; what rests in it is filled at 09:36:40."""
LATER_STILL = book(
    "09:20 10 @ 60.40 × 500 @ 60.43", "09:36:32 500 @ 60.40 × 500 @ 60.43", prints=("09:36:40 500 @ 60.30 sold",)
)
WASH = {"code": 40310000, "message": "potential wash trade detected. use complex orders"}


def on_margin(open_desk: OpenDesk, aapl: list[Event], **settings: Any) -> Desk:
    """15,000 dollars, of which 40 AAPL take half; 200 KO cost 12,142 at their collar and follow ten seconds later."""
    desk = open_desk({"AAPL": aapl, "KO": LATER}, opening=replace(holding("15000"), multiplier=4))
    desk.begin("buy 40 AAPL", "buy 200 KO", policy="normal", **settings)
    return desk


def lag(desk: Desk, seconds: float) -> None:
    """Let the balance be that much older than the orders: BALANCE_LAG is ten seconds."""
    read: list[tuple[Any, Any]] = []

    def older(body: Any) -> Any:
        read.append((desk.runtime.now(), body))
        old = [kept for at, kept in read if (desk.runtime.now() - at).total_seconds() >= seconds]
        return old[-1] if old else read[0][1]

    desk.exchange.faults.arm(
        Fault(kind=Kind.REWRITE, method="GET", path="/v2/account", rewrite=older), When(times=None)
    )


@pytest.mark.parametrize("first", ["sent", "not sent"])
def test_a_balance_that_lags_is_not_spent_twice(open_desk: OpenDesk, first: str) -> None:
    """The child before the latest one has never left the program, so no balance shows its dollars for the latest."""
    desk = on_margin(open_desk, AAPL, symbols={"AAPL": {"policy": "market"}})
    lag(desk, 9)
    if first == "not sent":
        without_requests(desk)
        desk.place()
    desk.wait_until("09:36:02.5")
    desk.place()
    desk.wait_until("09:36:10.5")
    desk.repeg()
    desk.place()
    desk.wait_until("09:36:50")
    desk.repeg()
    assert desk.bought("AAPL") == 40
    judge.cash_is_never_negative(desk.exchange)


def test_a_balance_that_lags_is_not_spent_twice_after_a_refusal(open_desk: OpenDesk) -> None:
    """The broker has refused the first child at 09:36:00, and its balance is five seconds old."""
    desk = open_desk({"AAPL": AAPL, "KO": LATER_STILL}, opening=replace(holding("15000"), multiplier=4))
    desk.begin("buy 40 AAPL", "buy 200 KO", policy="normal", symbols={"AAPL": {"policy": "market"}})
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=403, body=WASH))
    lag(desk, 5)
    desk.place()
    desk.wait_until("09:36:25")
    desk.ports.broker.account()
    desk.wait_until("09:36:30.5")
    desk.place()
    desk.wait_until("09:36:33")
    desk.place()
    desk.wait_until("09:36:50")
    desk.repeg()
    assert desk.bought("AAPL") == 40
    judge.cash_is_never_negative(desk.exchange)


def test_a_fill_between_the_cash_and_the_list_of_open_orders_is_counted(open_desk: OpenDesk) -> None:
    """An account without `non_marginable_buying_power`: its cash is read first, and the open buys half a second later.
    AAPL fills in between, and is in neither."""
    aapl = book(QUIET, prints=("09:36:21.8 40 @ 189.41 sold",))
    desk = on_margin(open_desk, aapl)

    def without_field(body: Any) -> Any:
        return {name: value for name, value in body.items() if name != "non_marginable_buying_power"}

    fault = Fault(kind=Kind.REWRITE, method="GET", path="/v2/account", rewrite=without_field)
    desk.exchange.faults.arm(fault, When(times=None))
    desk.place()
    desk.wait_until("09:36:20")
    desk.validate()
    desk.broker.line.seconds = 0.5
    place_orders(desk.run_id, desk.epoch, desk.turns, desk.ports)
    desk.broker.line.seconds = 0
    desk.wait_until("09:36:50")
    desk.repeg()
    judge.cash_is_never_negative(desk.exchange)


def test_a_successor_at_a_higher_price_is_counted_at_that_price(open_desk: OpenDesk) -> None:
    """A balance that lags shows the old child at 189.41; its successor has filled at 190.34. KO goes to its collar."""
    aapl = book(QUIET, "09:36:10 500 @ 190.30 × 500 @ 190.34")
    ko = book(
        "09:20 10 @ 60.40 × 500 @ 60.43", "09:36:34 500 @ 60.40 × 500 @ 60.43", "09:36:45 500 @ 60.68 × 500 @ 60.71"
    )
    desk = open_desk({"AAPL": aapl, "KO": ko}, opening=replace(holding("15000"), multiplier=4))
    desk.begin("buy 40 AAPL", "buy 200 KO", policy="urgent", patience_seconds=150, follow_after_seconds=5)
    desk.place()
    desk.wait_until("09:36:20")
    lag(desk, 9)
    desk.ports.broker.account()
    desk.turn_at("09:36:30")
    desk.place()
    for second in range(40, 60, 5):
        desk.turn_at(f"09:36:{second}")
    for time in ("09:37:10", "09:37:40", "09:38:10"):
        desk.turn_at(time)
    assert desk.bought("AAPL") == 40
    judge.cash_is_never_negative(desk.exchange)


@pytest.mark.parametrize("seconds", [0, 3, 9])
def test_a_buy_that_arrived_late_is_not_spent_a_second_time(open_desk: OpenDesk, seconds: float) -> None:
    """AAPL's request arrives 28 seconds late, two seconds before it is read, and the balance does not show it yet."""
    aapl = book(QUIET, prints=("09:36:45 500 @ 189.41 sold",))
    desk = open_desk({"AAPL": aapl, "KO": LATER}, opening=replace(holding("15000"), multiplier=4))
    desk.begin("buy 40 AAPL", "buy 200 KO")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", path="/v2/orders", seconds=7, delay=28))
    desk.place()
    lag(desk, seconds)
    for second in range(15, 30):
        desk.wait_until(f"09:36:{second}")
        desk.ports.broker.account()
    desk.turn_at("09:36:30")
    desk.place()
    desk.wait_until("09:36:50")
    desk.repeg()
    assert desk.bought("AAPL") == 40
    judge.cash_is_never_negative(desk.exchange)
