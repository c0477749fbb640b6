"""A balance that lags behind the orders: a buy waits for what was just sold or cancelled, and is not given up."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.quote import Side
from repeg.workflow.funding import Cash, spendable_cash
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from tests.builders import a_child, a_run, an_order
from tests.functions.books import AAPL, KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.test_late_balance import lag
from tests.functions.test_spendable_cash import OTHER

WAITS = "waits for the balance to show what was just bought, sold or cancelled"
SOLD = a_child("60.42", qty="100", filled="100", price="60.43", state=ChildState.FILLED)
"""100 KO for 6,043 dollars."""


@pytest.mark.parametrize("seconds", [1, 5, 9])
def test_a_buy_is_not_given_up_before_the_balance_shows_its_sell(open_desk: OpenDesk, seconds: float) -> None:
    """The last sell has filled half a second before the turn."""
    ko = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:29.5 500 @ 60.43 bought",))
    desk = open_desk({"AAPL": book(QUIET), "KO": ko}, opening=holding("100", KO="200"))
    desk.begin("sell all KO", "buy 40 AAPL")
    lag(desk, seconds)
    desk.ports.broker.account()
    desk.place()
    desk.wait_until("09:36:29")
    desk.ports.broker.account()
    desk.turn_at("09:36:30")
    desk.place()
    assert (desk.order().held, desk.order().outcome) == (HoldReason.UNFUNDED, None)
    assert desk.journalled("AAPL", "hold")[-1] == ("", f"{WAITS}, 100.00 to spend")
    desk.turn_at("09:37:00")
    desk.place()
    assert desk.open_at_broker("AAPL") == ["40 AAPL @ 189.41"]


def test_a_buy_is_not_given_up_before_the_balance_shows_its_own_cancel(open_desk: OpenDesk) -> None:
    """The cancel of its child at 09:36:30 is confirmed half a minute later, and the balance still has the child."""
    desk = open_desk({"AAPL": book(QUIET, UP)}, opening=holding("7700"))
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=29.5)
    desk.turn_at("09:36:30")
    lag(desk, 3)
    desk.wait_until("09:36:55")
    desk.ports.broker.account()
    desk.turn_at("09:37:00")
    desk.place()
    assert (desk.order().held, desk.order().outcome) == (HoldReason.UNFUNDED, None)
    desk.turn_at("09:37:30")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.66"]


def test_a_piece_makes_way_for_the_whole_rest_once_the_balance_shows_it(open_desk: OpenDesk) -> None:
    events = book("15:20 300 @ 20.00 × 300 @ 20.02", until="16:00")
    desk = open_desk({"AAPL": events}, at="15:42", opening=holding("404000"))
    desk.begin("buy 20000 AAPL", policy="normal", patience_seconds=1_800)
    desk.place()
    desk.turn_at("15:43:20")
    lag(desk, 5)
    desk.wait_until("15:43:59")
    desk.ports.broker.account()
    desk.turn_at("15:44")
    desk.place()
    assert desk.open_at_broker() == []
    desk.turn_at("15:44:30")
    desk.place()
    assert desk.open_at_broker() == ["20000 AAPL @ 20.01"]


# What may be there as well


def just_changed(desk: Desk, ago: float) -> Child:
    """A sell that rested for a minute, and whose fill was reported that many seconds ago."""
    at = desk.runtime.now() - timedelta(seconds=ago)
    return SOLD.model_copy(update={"changed_at": at, "decided_at": at - timedelta(minutes=1)})


def just_sold(desk: Desk, ago: float) -> None:
    """A store whose last sell has filled that many seconds ago; the balance does not show its dollars."""
    desk.store.save_order(desk.order("KO").with_child(just_changed(desk, ago)).done(Outcome.FILLED, "filled"))


@pytest.mark.parametrize(("ago", "freed"), [(9, 6_043), (11, 0)])
def test_dollars_that_were_just_freed_are_known_and_not_spent(open_desk: OpenDesk, ago: float, freed: int) -> None:
    desk = open_desk({"AAPL": AAPL, "KO": KO}, opening=holding("1000", KO="100"))
    desk.begin("buy 40 AAPL", "sell all KO")
    just_sold(desk, ago)
    cash = spendable_cash(begin_turn(RUN_ID, desk.ports), desk.store.orders(RUN_ID))
    assert cash == Cash(Decimal(1_000), Decimal(0), Decimal(freed))


def test_a_sell_of_another_run_is_not_waited_for(open_desk: OpenDesk) -> None:
    """Its own buys may need the dollars, and while it goes on selling a buy of ours would wait."""
    desk = open_desk({"AAPL": AAPL}, opening=holding("1000"))
    desk.begin("buy 40 AAPL")
    sold = an_order(Side.SELL, "100", just_changed(desk, 1), run_id=OTHER, symbol="KO")
    desk.store.claim_run(a_run(run_id=OTHER, owner="arn:tilt"))
    desk.store.add_orders(OTHER, 1, [sold])
    cash = spendable_cash(begin_turn(RUN_ID, desk.ports), [desk.order()])
    assert cash == Cash(Decimal(1_000), Decimal(0), Decimal(0))


def test_dollars_spent_and_freed_may_both_turn_out_to_be_there() -> None:
    assert Cash(Decimal(100), Decimal(20), Decimal(3)).unsettled == 23


def at_the_last_turns(open_desk: OpenDesk, cash: str) -> Desk:
    """The turn at 15:54:10, a second after the last sell has filled."""
    books = {"AAPL": book(QUIET, until="15:58"), "KO": book("09:20 500 @ 60.40 × 500 @ 60.43", until="15:58")}
    desk = open_desk(books, opening=holding(cash, KO="100"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.wait_until("15:54:10")
    just_sold(desk, 1)
    desk.place()
    return desk


def test_a_buy_takes_what_the_cash_pays_for_near_the_close(open_desk: OpenDesk) -> None:
    desk = at_the_last_turns(open_desk, "2000")
    assert desk.open_at_broker("AAPL") == ["10 AAPL @ 190.36"]


def test_a_buy_is_not_given_up_near_the_close_either(open_desk: OpenDesk) -> None:
    desk = at_the_last_turns(open_desk, "100")
    assert (desk.order().held, desk.order().outcome) == (HoldReason.UNFUNDED, None)
    assert desk.journalled("AAPL", "hold")[-1] == ("", "no cash yet, 100.00 to spend")


def test_a_smaller_buy_does_not_pass_on_account_of_what_was_freed(open_desk: OpenDesk) -> None:
    """Half of the sell has filled, and the balance shows it already: AAPL waits for the rest, and needs all of it."""
    ko = book("09:20 500 @ 60.40 × 500 @ 60.43", prints=("09:36:28 100 @ 60.42 bought",))
    pep = book("09:20 300 @ 19.00 × 300 @ 19.02")
    desk = open_desk({"AAPL": AAPL, "KO": ko, "PEP": pep}, opening=holding("2000", KO="200"))
    desk.begin("sell all KO", "buy 70 AAPL", "buy 50 PEP")
    desk.place()
    desk.turn_at("09:36:30")
    desk.place()
    assert (int(desk.bought("KO")), desk.open_at_broker("PEP")) == (-100, [])
