"""The cash that buys are funded from: the account's, less what open buys may need and the plan reserves."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from functions.place_orders.app import place_orders
from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.plan import parse
from repeg.domain.quote import Side
from repeg.domain.run import RunState
from repeg.workflow.funding import spendable_cash
from repeg.workflow.turn import Turn, begin_turn
from tests.builders import a_child, a_run, an_order
from tests.functions.books import AAPL, KO, QUIET, book
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


@pytest.mark.parametrize(("silent", "needed"), [(5 * 60, 38), (5 * 60 + 1, 0), (None, 38)])
def test_the_buys_of_a_run_that_has_just_ended_count(open_desk: OpenDesk, silent: int | None, needed: int) -> None:
    """Its last turn may have sent them, and the balance may not show that yet; a run without a turn has just begun."""
    desk, turn = with_cash(open_desk)
    desk.store.claim_run(a_run(run_id=OTHER, owner="arn:tilt"))
    desk.store.add_orders(OTHER, 1, [a_resting_buy(run_id=OTHER)])
    for state in (RunState.CLOSING, RunState.CLOSED):
        desk.store.set_run_state(OTHER, 1, state)
    if silent is not None:
        desk.store.record_heartbeat(OTHER, desk.runtime.now() - timedelta(seconds=silent))
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


# What a buy that the cash is not there for waits for


def ended(order: ParentOrder) -> ParentOrder:
    return order.done(Outcome.NO_TRADE, "on target")


def held_and_outcome(desk: Desk, symbol: str = "AAPL") -> tuple[str | None, Outcome | None]:
    return desk.order(symbol).held, desk.order(symbol).outcome


def test_a_sell_that_has_ended_brings_no_cash(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("100", KO="10"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.store.save_order(ended(desk.order("KO")))
    desk.place()
    assert held_and_outcome(desk) == (None, Outcome.UNFUNDED)


def test_a_working_buy_may_leave_cash(open_desk: OpenDesk) -> None:
    """KO's book is thin at first. By then AAPL has all the cash, and may be filled for less than its collar."""
    ko = book("09:20 10 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.40 × 500 @ 60.43")
    desk = open_desk({"AAPL": AAPL, "KO": ko}, opening=holding("7614.40"))
    desk.begin("buy 40 AAPL", "buy 10 KO")
    desk.place()
    desk.wait_until("09:36:30")
    desk.place()
    assert held_and_outcome(desk, "KO") == (HoldReason.UNFUNDED, None)
    assert desk.journalled("KO", "hold")[-1] == ("", "no cash yet, 0.00 to spend")


def just_bought(desk: Desk) -> None:
    """A store with a filled buy of 20 AAPL of a second ago: the balance may not show 3,788.20 dollars of it."""
    filled = a_child("189.41", qty="20", filled="20", price="189.41", state=ChildState.FILLED)
    at = desk.runtime.now() - timedelta(seconds=1)
    bought = desk.order().with_child(filled.model_copy(update={"decided_at": at}))
    desk.store.save_order(bought.done(Outcome.FILLED, "filled"))


@pytest.mark.parametrize("at", ["09:36", "15:54:10"])
@pytest.mark.parametrize(
    ("cash", "says"),
    [("3848", "no cash yet, 59.80 to spend"),
     ("7600", "waits for the balance to show what was just bought, sold or cancelled, 3811.80 to spend")],
)  # fmt: skip
def test_a_buy_waits_while_the_balance_may_not_show_what_was_just_bought(
    open_desk: OpenDesk, at: str, cash: str, says: str
) -> None:
    """100 KO cost 6,071 dollars at their collar: more than is surely there. Without what was bought, the smaller cash
    would not pay for a share; it may be there for 63. Nor is a buy given up near the close."""
    books = {"AAPL": book(QUIET, until="15:58"), "KO": book("09:20 500 @ 60.40 × 500 @ 60.43", until="15:58")}
    desk = open_desk(books, opening=holding(cash))
    desk.begin("buy 40 AAPL", "buy 100 KO")
    desk.wait_until(at)
    just_bought(desk)
    desk.place()
    assert held_and_outcome(desk, "KO") == (HoldReason.UNFUNDED, None)
    assert desk.journalled("KO", "hold")[-1] == ("", says)


def test_a_buy_keeps_the_place_of_its_whole_order(open_desk: OpenDesk) -> None:
    """Of 40 AAPL twenty are bought: what is left costs less than 100 KO, and the cash pays for one of both."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("6080"))
    desk.begin("buy 40 AAPL", "buy 100 KO")
    filled = a_child("189.41", qty="20", filled="20", price="189.41", state=ChildState.FILLED)
    long_ago = desk.runtime.now() - timedelta(minutes=1)
    desk.store.save_order(desk.order().with_child(filled.model_copy(update={"decided_at": long_ago})))
    desk.place()
    assert [(each.symbol, int(each.qty)) for each in desk.store.intents(RUN_ID)] == [("AAPL", 20), ("KO", 37)]


def test_a_buy_waits_for_half_a_dollar_that_the_balance_may_not_show(open_desk: OpenDesk) -> None:
    """It cannot pay for a share either way, and the run does not know that yet."""
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("50"))
    desk.begin("buy 40 AAPL", "buy 100 KO")
    at = desk.runtime.now() - timedelta(seconds=1)
    cheap = a_child("0.50", qty="1", filled="1", price="0.50", state=ChildState.FILLED)
    bought = desk.order().with_child(cheap.model_copy(update={"decided_at": at}))
    desk.store.save_order(bought.done(Outcome.FILLED, "filled"))
    desk.place()
    assert held_and_outcome(desk, "KO") == (HoldReason.UNFUNDED, None)
