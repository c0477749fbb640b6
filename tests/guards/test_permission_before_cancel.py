"""A resting order is cancelled for a move only if its successor may be sent, and refusals that may pass back off."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.adapters.alpaca.http import Body
from repeg.domain.child_order import ChildState
from repeg.domain.outcome import HoldReason, Outcome
from tests.builders import a_child
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import Desk, OpenDesk, holding
from tests.functions.scenes import resting
from tests.guards.test_limits import CLIMBING, climb


@pytest.mark.parametrize(
    "settings",
    [{"max_run_orders": 1}, {"max_run_notional": "7580"}, {"max_day_notional": "7580"}],
)
def test_a_move_without_budget_leaves_the_order_resting(open_desk: OpenDesk, settings: dict[str, Any]) -> None:
    desk = resting(open_desk, CLIMBING, **settings)
    climb(desk)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    assert (desk.posts(), desk.order().held) == (1, HoldReason.BUDGET)
    desk.judge()


def test_the_tape_shows_one_act_for_each_order_that_was_sent(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, CLIMBING, max_run_orders=2)
    climb(desk)
    acts = [entry for entry in desk.journal.entries if entry.verb in {"place", "move", "cross"}]
    assert len(acts) == desk.posts() == 2


def test_an_order_held_by_its_budget_is_journalled_once(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, CLIMBING, max_run_orders=1)
    climb(desk)
    assert len([entry for entry in desk.journal.entries if "are committed" in entry.reason]) == 1


def test_a_reserved_successor_is_not_counted_twice(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, CLIMBING, max_run_orders=3)
    climb(desk)
    assert (desk.posts(), len(desk.at_broker())) == (3, 3)


def own_stop(desk: Desk) -> str:
    """The owner's protective stop, which makes the broker refuse a buy of the same symbol."""
    stop = {"symbol": "AAPL", "side": "sell", "qty": "100", "type": "stop", "stop_price": "170.00"}
    answer = desk.broker.line.post("/orders", {**stop, "time_in_force": "gtc", "client_order_id": "mine"})
    desk.wait(1)
    assert isinstance(answer, Body)
    return str(answer.value["id"])


def test_passing_refusals_back_off_and_use_up_no_attempts(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, until="10:40")}, opening=holding(AAPL="100"))
    stop = own_stop(desk)
    desk.begin("buy 10 AAPL", max_attempts=13)
    for _ in range(58):
        desk.place()
        desk.wait(30)
        desk.repeg()
    refused = desk.posts() - 1
    assert refused <= 8
    assert desk.order().outcome is None
    desk.broker.line.delete(f"/orders/{stop}")
    for _ in range(24):
        desk.wait(30)
        desk.place()
    assert (desk.bought(), desk.posts() - 1) == (Decimal(10), refused + 1)


def test_an_order_refused_until_the_close_ends_with_the_brokers_words(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding(AAPL="100"))
    own_stop(desk)
    desk.begin("buy 10 AAPL")
    desk.place()
    desk.close()
    row = desk.row()
    assert row["outcome"] == "rejected"
    assert row["reason"].startswith("0 of 10: opposite order: ")
    assert "opposite side" in row["reason"] or "wash" in row["reason"], row["reason"]


def test_a_remainder_too_small_for_the_broker_ends_as_filled(open_desk: OpenDesk) -> None:
    """1 of 1.004 shares is sold, and the rest is worth less than a dollar."""
    desk = open_desk({"KO": KO}, opening=holding(KO="1.004"))
    desk.begin("sell all KO")
    order = desk.order("KO")
    sold = a_child("60.43", qty="1.004", filled="1", price="60.43", state=ChildState.EXPIRED)
    desk.store.save_order(order.with_child(sold))
    desk.place()
    assert (desk.order("KO").outcome, desk.posts()) == (Outcome.FILLED, 0)
    assert desk.order("KO").reason == "0.004 left, worth less than the broker's minimum of 1 dollar"


def test_a_move_does_not_send_a_remainder_too_small_for_the_broker(open_desk: OpenDesk) -> None:
    """1 of 1.004 shares is sold while the order rests, and then the market moves away from the rest."""
    falling = book(
        "09:20 300 @ 60.40 × 300 @ 60.43", "09:36:20 300 @ 60.10 × 300 @ 60.13", prints=("09:36:10 1 @ 60.42 bought",)
    )
    desk = open_desk({"KO": falling}, opening=holding(KO="1.004"))
    desk.begin("sell all KO")
    desk.place()
    desk.turn_at("09:36:30")
    assert (desk.order("KO").outcome, desk.posts(), desk.open_at_broker()) == (Outcome.FILLED, 1, [])
    assert desk.order("KO").reason == "0.004 left, worth less than the broker's minimum of 1 dollar"


def test_a_sell_that_others_have_left_dust_of_is_not_sent(open_desk: OpenDesk) -> None:
    """The owner sells 40 of 40.004 shares after the plan was sized."""
    desk = open_desk({"KO": KO}, opening=holding(KO="40.004"))
    desk.begin("sell all KO")
    terms = {"symbol": "KO", "side": "sell", "qty": "40", "type": "market", "time_in_force": "day"}
    desk.broker.line.post("/orders", terms)
    desk.wait(1)
    desk.place()
    assert (desk.order("KO").held, desk.posts()) == (HoldReason.NOT_HELD, 1)
    desk.close()
    assert desk.row("KO")["reason"] == "0 of 40.004: fewer shares are held than it would have sold"


def test_a_whole_order_that_has_become_dust_is_sent(open_desk: OpenDesk) -> None:
    """All of it is still held; the price has fallen from 60.42 since it was sized, and 0.0166 shares are 98 cents."""
    fallen = book("09:20 300 @ 60.40 × 300 @ 60.43", "09:36:10 300 @ 59.00 × 300 @ 59.03")
    desk = open_desk({"KO": fallen}, opening=holding(KO="0.0166"))
    desk.begin("sell all KO")
    desk.wait_until("09:36:20")
    desk.place()
    assert (desk.posts(), desk.order("KO").held) == (1, None)
