"""A successor that the budgets have no room for is sent for the shares, and at the price, that were reserved for it."""

from __future__ import annotations

from decimal import Decimal

from repeg_workbench.exchange.broker.races import Race
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import OpenDesk, holding

OWNERS = {"symbol": "KO", "side": "sell", "type": "market", "time_in_force": "day", "client_order_id": "mine"}


def test_a_successor_is_for_no_more_shares_than_are_still_held(open_desk: OpenDesk) -> None:
    """100 KO are reserved at 60.42. The owner sells ten once they are free, and ten dollars higher 90 are too dear."""
    ko = book(
        "09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.30 × 500 @ 60.33", "09:36:51 500 @ 70.40 × 500 @ 70.43"
    )
    desk = open_desk({"KO": ko}, opening=holding(KO="100"))
    desk.begin("sell all KO", max_run_notional="6100")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="KO", seconds=20)
    desk.turn_at("09:36:30")
    desk.wait_until("09:36:52")
    desk.broker.line.post("/orders", OWNERS | {"qty": "10"})
    desk.wait(1)
    desk.turn_at("09:37:00")
    desk.place()
    assert [(each.qty, each.limit) for each in desk.store.intents(desk.run_id)] == [
        (Decimal(100), Decimal("60.42")), (Decimal(90), Decimal("67.13")),
    ]  # fmt: skip


def test_a_successor_is_for_no_more_shares_than_were_reserved(open_desk: OpenDesk) -> None:
    """26 of 40 were sent for the cash of then. There is more by now, and the budget has room for 39."""
    desk = open_desk({"AAPL": book(QUIET, UP), "KO": KO}, opening=holding("5000", KO="100"))
    desk.begin("buy 40 AAPL", max_run_notional="7580")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=20)
    desk.turn_at("09:36:30")
    desk.broker.line.post("/orders", OWNERS | {"qty": "100"})
    desk.turn_at("09:37:00")
    desk.place()
    assert desk.open_at_broker() == ["26 AAPL @ 189.66"]
    assert desk.order().committed == 26 * Decimal("189.66")
