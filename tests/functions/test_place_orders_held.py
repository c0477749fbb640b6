"""PlaceOrders and shares: no sell exceeds the position still held, even if shares were sold elsewhere."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from functions.open_run.app import open_run
from functions.place_orders.app import place_orders
from functions.plan_orders.app import plan_orders
from functions.repeg_orders.app import repeg_orders
from functions.validate_quotes.app import validate_quotes
from repeg.domain.child_order import ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg_workbench.exchange.broker.opening import OpeningAccount
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, book
from tests.functions.desk import Desk, OpenDesk, a_plan, holding

WIDE_THEN_QUIET = ("09:20 300 @ 189.40 × 200 @ 192.44", "09:36:20 300 @ 189.40 × 200 @ 189.44")


def short_seller(aapl: str) -> OpeningAccount:
    """A margin account that may sell short."""
    return replace(holding("10000", **({"AAPL": aapl} if aapl != "0" else {})), multiplier=2, shorting_enabled=True)


def sell_by_hand(desk: Desk, qty: str) -> None:
    """Sell AAPL at the market outside the run."""
    terms = {"symbol": "AAPL", "side": "sell", "qty": qty, "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", terms)
    desk.wait(1)


def on_hold(open_desk: OpenDesk) -> Desk:
    """A sell of 100 AAPL, on hold for a wide book until 09:36:20."""
    prints = ("09:36:30 400 @ 189.43 bought",)
    desk = open_desk({"AAPL": book(*WIDE_THEN_QUIET, prints=prints)}, opening=short_seller("100"))
    desk.begin("sell 100 AAPL")
    desk.place()
    assert desk.order().held == "wide"
    return desk


def test_shares_sold_manually_are_not_sold_again_as_a_short(open_desk: OpenDesk) -> None:
    desk = on_hold(open_desk)
    sell_by_hand(desk, "100")
    desk.wait_until("09:36:24")
    desk.place()
    desk.place()
    assert desk.posts() == 1  # only the manual order
    assert desk.journalled("AAPL", "hold")[-1] == ("", "no shares are held any more")
    assert len(desk.journalled("AAPL", "hold")) == 2
    desk.close()
    assert (desk.row()["outcome"], desk.row()["reason"]) == (
        Outcome.REJECTED,
        "0 of 100: fewer shares are held than it would have sold",
    )


def test_a_partly_sold_position_is_sold_up_to_the_remainder(open_desk: OpenDesk) -> None:
    desk = on_hold(open_desk)
    sell_by_hand(desk, "70")
    desk.wait_until("09:36:24")
    desk.place()
    assert desk.journalled("AAPL", "scale") == [("100 → 30", "only 30 are still held")]
    assert desk.open_at_broker() == ["30 AAPL @ 189.43"]
    desk.turn_at("09:36:40")
    desk.place()
    assert desk.ports.broker.positions() == []
    desk.close()
    assert (desk.row()["filled_qty"], desk.row()["reason"]) == (
        "30",
        "30 of 100: fewer shares are held than it would have sold",
    )


@pytest.mark.parametrize(("left", "is_sent"), [("0.00527915", True), ("0.00527", False)])
@pytest.mark.parametrize("is_limit", [True, False])
def test_a_rest_is_sold_if_it_is_worth_a_dollar_at_its_limit(
    open_desk: OpenDesk, left: str, is_sent: bool, is_limit: bool
) -> None:
    """At the limit of 189.43 and not yet at the mid of 189.42, which a market order is valued at."""
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding("10000", AAPL="100"))
    desk.begin("sell 100 AAPL", use_smart_limit_execution=is_limit)
    sell_by_hand(desk, str(100 - Decimal(left)))
    desk.place()
    assert (desk.posts() - 1, desk.order().held) == ((1, None) if is_sent and is_limit else (0, HoldReason.NOT_HELD))


def test_a_whole_holding_that_has_become_dust_since_its_plan_is_sold(open_desk: OpenDesk) -> None:
    falling = book("09:20 300 @ 60.40 × 300 @ 60.43", "09:36:10 300 @ 59.40 × 300 @ 59.43")
    desk = open_desk({"KO": falling}, opening=holding(KO="0.0167"))
    desk.begin("sell all KO")
    desk.wait_until("09:36:14")
    desk.place()
    assert desk.open_at_broker() == ["0.0167 KO @ 59.42"]


def test_two_runs_with_the_same_shares_sell_them_once(open_desk: OpenDesk) -> None:
    """The second sell is refused while the first reserves the shares, and must not be sent once they are sold."""
    prints = ("09:36:20 400 @ 189.43 bought", "09:37:20 400 @ 189.43 bought")
    desk = open_desk({"AAPL": book(QUIET, prints=prints)}, opening=short_seller("100"))
    runs = [_begin(desk, name) for name in ("core", "tilt")]
    for turn, time in enumerate(("09:36:01", "09:36:30", "09:37:00", "09:37:30")):
        desk.wait_until(time)
        for run_id in runs:
            _turn(desk, run_id, turn)
    assert desk.bought() == -100
    assert desk.ports.broker.positions() == []


def test_a_lost_sell_is_not_resent_once_its_shares_are_sold(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=short_seller("100"))
    desk.begin("sell 100 AAPL")
    lost = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=504, body={"message": "time-out"})
    desk.exchange.faults.arm(lost, When(times=1))
    desk.place()
    sell_by_hand(desk, "100")
    desk.turn_at("09:37:30")
    assert desk.order().children[-1].state is ChildState.UNKNOWN
    assert desk.bought() == Decimal(-100)


def test_a_lost_sell_of_more_than_is_held_ends_with_that_reason(open_desk: OpenDesk) -> None:
    """One of a hundred shares is sold by hand. The first request may still arrive: the 99 cannot be sent beside it."""
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding(AAPL="100"))
    desk.begin("sell 100 AAPL")
    desk.exchange.faults.arm(Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders", seconds=5))
    desk.place()
    sell_by_hand(desk, "1")
    desk.turn_at("09:37:30")
    assert (len(desk.at_broker()), desk.order().held) == (0, HoldReason.NOT_HELD)
    desk.wait_until("09:40")
    desk.close()
    assert desk.row()["reason"] == "0 of 100: fewer shares are held than it would have sold"


@pytest.mark.parametrize(("side", "held"), [("buy", "0"), ("sell", "40")])
def test_a_filled_order_left_waiting_by_a_crash_is_finished(open_desk: OpenDesk, side: str, held: str) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=short_seller(held))
    desk.begin(f"{side} 40 AAPL")
    desk.place()
    child = desk.order().children[0].model_copy(update={"state": ChildState.FILLED, "filled": Decimal(40)})
    desk.store.save_order(desk.order().with_child(child))
    desk.place()
    assert desk.order().outcome is Outcome.FILLED
    assert desk.posts() == 1


def _begin(desk: Desk, name: str) -> str:
    plan: dict[str, Any] = {**a_plan("sell 100 AAPL"), "name": name}
    run_id: str = open_run({"plan": plan}, f"arn:aws:states:::execution:{name}", {}, desk.ports).run_id
    plan_orders(run_id, 1, desk.ports)
    return run_id


def _turn(desk: Desk, run_id: str, turn: int) -> None:
    if turn:
        repeg_orders(run_id, 1, turn, 0, desk.ports)
    validate_quotes(run_id, 1, desk.ports)
    place_orders(run_id, 1, turn, desk.ports)
