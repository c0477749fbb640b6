"""The cash that buys are funded from: the account's, less what open buys may need and the plan reserves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.place_orders.app import place_orders
from repeg.domain.child_order import Child
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import parse
from repeg.domain.quote import Side
from repeg.domain.run import RunState
from repeg.workflow.funding import spendable_cash
from repeg.workflow.turn import Turn, begin_turn
from tests.builders import a_child, a_run, an_order
from tests.functions.books import AAPL, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding

COLLAR = Decimal("190.36")
OTHER = "tilt-2026-11-23"


def with_cash(open_desk: OpenDesk) -> tuple[Desk, Turn]:
    """A run on an account with 100,000 dollars."""
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    return desk, begin_turn(RUN_ID, desk.ports)


def a_child_of_before() -> Child:
    """40 AAPL resting at 189.41 since the window opened: the balance shows it."""
    return a_child("189.41", qty="40").model_copy(update={"decided_at": datetime(2026, 11, 23, 14, 35, tzinfo=UTC)})


def a_resting_buy(**fields: Any) -> ParentOrder:
    """40 AAPL at 189.41, which may cost 38 dollars more at the collar."""
    return an_order(Side.BUY, "40", a_child_of_before(), **{"collar": COLLAR, **fields})


def test_the_cash_of_a_run_that_is_alone_is_the_accounts(open_desk: OpenDesk) -> None:
    desk, turn = with_cash(open_desk)
    assert spendable_cash(turn, [desk.order()]).spendable == 100_000


def test_a_resting_buy_may_need_more_up_to_its_collar(open_desk: OpenDesk) -> None:
    _, turn = with_cash(open_desk)
    assert spendable_cash(turn, [a_resting_buy()]).spendable == 100_000 - 38


@pytest.mark.parametrize(
    ("preview", "ends", "needed"),
    [(False, [], 38), (True, [], 0), (False, [RunState.CLOSING], 38), (False, [RunState.CLOSING, RunState.CLOSED], 0)],
)
def test_the_resting_buys_of_other_living_runs_count(
    open_desk: OpenDesk, preview: bool, ends: list[RunState], needed: int
) -> None:
    desk, turn = with_cash(open_desk)
    desk.store.claim_run(a_run(run_id=OTHER, owner="arn:tilt", preview=preview))
    desk.store.add_orders(OTHER, 1, [a_resting_buy(run_id=OTHER)])
    for state in ends:
        desk.store.set_run_state(OTHER, 1, state)
    desk.store.record_heartbeat(OTHER, desk.runtime.now() - timedelta(minutes=6))
    assert spendable_cash(turn, [desk.order()]).spendable == 100_000 - needed


def test_a_runs_own_orders_count_once(open_desk: OpenDesk) -> None:
    desk, turn = with_cash(open_desk)
    stored = desk.order().with_child(a_child_of_before()).model_copy(update={"collar": COLLAR})
    desk.store.save_order(stored)
    assert spendable_cash(turn, [stored]).spendable == 100_000 - 38


@pytest.mark.parametrize(("side", "cash"), [(Side.BUY, "92385.60"), (Side.SELL, "107614.40")])
def test_a_previews_orders_count_as_filled_at_their_collars(open_desk: OpenDesk, side: Side, cash: str) -> None:
    _, turn = with_cash(open_desk)
    done = an_order(side, "40", collar=COLLAR, outcome=Outcome.PREVIEW)
    assert spendable_cash(turn, [done]).spendable == Decimal(cash)


def test_the_reserve_is_a_share_of_the_equity_at_the_open(open_desk: OpenDesk) -> None:
    _, turn = with_cash(open_desk)
    plan = parse({"name": "core", "targets": {"AAPL": "0.5"}, "cash_reserve": "0.02"})
    reserving = turn.run.model_copy(update={"plan": plan, "opening_equity": Decimal(200_000)})
    assert spendable_cash(replace(turn, run=reserving), []).spendable == 100_000 - 4_000


def test_a_buy_that_its_book_holds_needs_no_cash_for_a_market_order(open_desk: OpenDesk) -> None:
    """A share costs 60.71 at its collar. Nothing is sent into a wide book, least of all at 2.5 % more."""
    widening = book("09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.40 × 500 @ 64.43")
    desk = open_desk({"KO": widening}, opening=holding("61"))
    desk.begin("buy 1 KO")
    desk.validate()
    desk.wait_until("09:36:12")
    place_orders(RUN_ID, 1, 0, desk.ports)
    assert (desk.order("KO").outcome, desk.posts()) == (None, 0)
