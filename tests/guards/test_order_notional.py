"""A buy near max_order_notional is sent at the highest price at which it fits, and never leaves the market for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.outcome import HoldReason
from repeg.domain.pricing import reserved_price
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.units import price
from tests.builders import MONDAY
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import Desk, OpenDesk, holding
from tests.functions.scenes import resting

RISING = book(QUIET, UP, "09:37:10 300 @ 189.90 × 200 @ 189.94")


def turn(desk: Desk, *times: str) -> None:
    """Turns at these times, with the placements after them."""
    for time in times:
        desk.turn_at(time)
        desk.place()


def test_an_order_just_under_the_limit_crosses_at_the_price_that_fits(open_desk: OpenDesk) -> None:
    """Its collar is 190.36, at which 40 shares are 7,614.40; at 189.50 they are 7,580."""
    desk = resting(open_desk, book(QUIET), max_order_notional="7580", patience_seconds=60)
    turn(desk, "09:37:00", "09:37:30", "09:38:00")
    assert (desk.bought(), price(desk.at_broker()[-1].terms.limit or 0)) == (Decimal(40), Decimal("189.50"))
    assert desk.order().committed <= 7_580
    desk.judge()


def test_an_order_follows_the_market_to_the_price_that_fits(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISING, max_order_notional="7580", patience_seconds=60)
    turn(desk, "09:36:30", "09:37:00", "09:37:30", "09:38:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.50"]
    assert desk.order().held is HoldReason.ORDER_NOTIONAL
    desk.close()
    assert desk.row()["reason"] == "0 of 40: max_order_notional allows no higher price"


def test_a_successor_that_is_priced_again_stays_in_the_market(open_desk: OpenDesk) -> None:
    """Reserved at 189.66, and the market has risen further when the cancel is confirmed."""
    desk = resting(open_desk, RISING, max_order_notional="7590")
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    turn(desk, "09:36:30", "09:37:00", "09:37:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.75"]
    desk.judge()


@pytest.mark.parametrize("budget", ["max_run_notional", "max_day_notional"])
def test_a_successor_without_budget_takes_its_reserved_price(open_desk: OpenDesk, budget: str) -> None:
    """Reserved at 189.66; when the cancel is confirmed the market asks for 189.91, which is 7,596.40."""
    desk = resting(open_desk, RISING, **{budget: "7590"})
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    turn(desk, "09:36:30", "09:37:00", "09:37:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    assert desk.journalled("AAPL", "place")[-1][0] == "buy 40 @ 189.66"
    assert desk.order().committed <= 7_590
    desk.judge()


def test_a_crossing_order_at_its_reserved_price_names_the_budget(open_desk: OpenDesk) -> None:
    """Reserved at 189.66; when the cancel is confirmed the close is near, and the collar would take 28 dollars more."""
    rising = book(
        "15:30 300 @ 189.40 × 200 @ 189.44", "15:52:50 300 @ 189.65 × 200 @ 189.69",
        "15:53:10 300 @ 189.95 × 200 @ 190.00", until="15:58",
    )  # fmt: skip
    desk = open_desk({"AAPL": rising}, at="15:49:30")
    desk.begin("buy 40 AAPL", max_run_notional="7590")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    turn(desk, "15:53", "15:53:30", "15:54", "15:54:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]
    desk.close()
    assert desk.row()["reason"] == "0 of 40: budget"


@pytest.mark.parametrize("limit", ["max_run_notional", "max_day_notional", "max_order_notional"])
def test_a_sells_successor_without_budget_takes_its_reserved_price(open_desk: OpenDesk, limit: str) -> None:
    """Its place is reserved with the 2,416.80 dollars of its old child. When the cancel is confirmed the market asks
    for 60.62, which is 2,424.80; at 60.42 it is in the market, and sells to the bid."""
    back = book(
        "09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.10 × 500 @ 60.13", "09:37:20 500 @ 60.60 × 500 @ 60.63"
    )
    desk = open_desk({"KO": back}, opening=holding(KO="40"))
    desk.begin("sell all KO", **{limit: "2420"})
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45)
    turn(desk, "09:36:30", "09:37:00", "09:37:30", "09:38:00")
    assert [price(order.terms.limit or 0) for order in desk.at_broker("KO")] == [Decimal("60.42")] * 2
    assert (desk.bought("KO"), desk.order("KO").average_price) == (Decimal(-40), Decimal("60.60"))
    desk.judge()


def test_a_sells_reserved_price_is_never_past_its_collar(open_desk: OpenDesk) -> None:
    """A reservation that the collar's price does not fit leaves the order held, not sold below its collar."""
    desk = open_desk({"KO": book("09:20 500 @ 60.40 × 500 @ 60.43")}, opening=holding(KO="40"))
    desk.begin("sell all KO", max_run_notional="2420", max_order_notional="2420")
    desk.validate()
    reserved = desk.order("KO").reserving(Decimal(2_000))
    desk.store.save_order(reserved.model_copy(update={"collar": Decimal("60.12")}))
    assert reserved_price(desk.order("KO"), Decimal(40), MONDAY, Decimal("0.01")) == Decimal("60.12")


def test_a_sell_is_not_made_cheaper_to_fit_the_limit(open_desk: OpenDesk) -> None:
    rising = book("09:20 300 @ 60.40 × 300 @ 60.43", "09:36:10 300 @ 61.10 × 300 @ 61.13")
    desk = open_desk({"KO": rising}, opening=holding(KO="40"))
    desk.begin("sell all KO", max_order_notional="2420")
    desk.wait_until("09:36:15")
    desk.place()
    assert (desk.posts(), desk.order("KO").held) == (0, HoldReason.BUDGET)


def test_a_move_to_market_over_the_limit_leaves_the_order_resting(open_desk: OpenDesk) -> None:
    """40 shares cost 7,614.40 at the collar, and at the market up to 2.5 % more than 191.84 each."""
    left = book("15:30 300 @ 189.40 × 200 @ 189.44", "15:50 300 @ 191.80 × 300 @ 191.84", until="15:58")
    desk = open_desk({"AAPL": left}, at="15:45", opening=holding(cash="20000"))
    desk.begin("buy 40 AAPL", escalation="market", max_order_notional="7800")
    desk.place()
    turn(desk, "15:50", "15:50:30", "15:51", "15:52", "15:53", "15:54", "15:54:30")
    assert desk.open_at_broker() == ["40 AAPL @ 190.36"]
    assert (desk.bought(), desk.order().held) == (Decimal(0), HoldReason.BUDGET)
