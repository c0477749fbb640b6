"""The machine's next step after a turn."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from repeg.domain.next_step import EVENTS_PER_TURN, HISTORY_BUDGET, TURNS_PER_EXECUTION, NextStep, after_turn
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.run import KillSwitch
from repeg.domain.session import trading_window
from tests.builders import NOON, a_child, a_day, an_order

WINDOW = trading_window(a_day(), 5, 5)
DONE = an_order().done(Outcome.FILLED, "filled")
WAITING = an_order()
WORKING = an_order(Side.BUY, "100", a_child())
BROKEN = an_order().done(Outcome.REJECTED, "no")


def following(
    *orders: ParentOrder, now: datetime = NOON, kill: KillSwitch = KillSwitch.ACTIVE, turns: int = 1
) -> NextStep:
    return after_turn(orders, now, WINDOW, kill, turns)


def test_working_orders_wait_for_the_market() -> None:
    assert following(WORKING, DONE) is NextStep.WAIT


def test_a_waiting_order_needs_validation() -> None:
    assert following(WORKING, WAITING) is NextStep.VALIDATE


def test_a_run_with_every_order_done_closes() -> None:
    assert following(DONE, BROKEN) is NextStep.CLOSE
    assert following() is NextStep.CLOSE


@pytest.mark.parametrize(("left", "expected"), [(1, NextStep.VALIDATE), (0, NextStep.CLOSE), (-1, NextStep.CLOSE)])
def test_a_run_closes_at_the_end_of_its_window(left: int, expected: NextStep) -> None:
    assert following(WAITING, now=WINDOW.closes - timedelta(microseconds=left)) is expected


def test_halt_new_stops_placement_and_cancel_all_closes_the_run() -> None:
    assert following(WAITING, WORKING, kill=KillSwitch.HALT_NEW) is NextStep.WAIT
    assert following(WAITING, WORKING, kill=KillSwitch.CANCEL_ALL) is NextStep.CLOSE


def test_an_execution_renews_itself_at_its_turn_limit() -> None:
    assert following(WORKING, turns=TURNS_PER_EXECUTION - 1) is NextStep.WAIT
    assert following(WORKING, turns=TURNS_PER_EXECUTION) is NextStep.RENEW
    assert following(WAITING, kill=KillSwitch.HALT_NEW, turns=TURNS_PER_EXECUTION) is NextStep.RENEW


def test_closing_takes_precedence_over_renewing() -> None:
    assert following(DONE, turns=TURNS_PER_EXECUTION) is NextStep.CLOSE
    assert following(WORKING, kill=KillSwitch.CANCEL_ALL, turns=TURNS_PER_EXECUTION) is NextStep.CLOSE


def test_a_full_day_of_half_minute_turns_fits_one_execution() -> None:
    turns = (WINDOW.closes - WINDOW.opens) // timedelta(seconds=30)
    assert turns < TURNS_PER_EXECUTION
    assert TURNS_PER_EXECUTION * EVENTS_PER_TURN <= HISTORY_BUDGET < 25_000
