"""Moves to market: buys that move in the same turn share the cash, and none leaves the market without its successor."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from functions.place_orders.app import place_orders
from repeg.domain.broker import Account
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerUnavailable
from repeg.domain.outcome import HoldReason
from repeg.domain.quote import Quote
from repeg.domain.time_limits import DEAD_STEP
from repeg.workflow.funding import funded_market_moves
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.triggers import When
from tests.functions.books import Event, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.simulation import judge

BEFORE = "15:30 300 @ 189.40 × 200 @ 189.44"
LEFT = "15:50 300 @ 191.80 × 300 @ 191.84"
"""The market has left the collar of 190.36."""


def two_at_their_collars(open_desk: OpenDesk, cash: str, *later: str) -> Desk:
    """40 AAPL and 40 GOOG to buy, both resting at their collars since 15:50; the next turn moves them to market."""
    events: list[Event] = book(BEFORE, LEFT, *later, until="15:58")
    account = replace(holding(cash), multiplier=4)
    desk = open_desk({"AAPL": events, "GOOG": events}, at="15:45", opening=account)
    desk.begin("buy 40 AAPL", "buy 40 GOOG", escalation="market")
    desk.place()
    desk.broker.line.seconds = 0.05
    desk.turn_at("15:50")
    assert desk.open_at_broker() == ["40 AAPL @ 190.36", "40 GOOG @ 190.36"]
    return desk


def test_two_moves_to_market_in_one_turn_never_spend_the_same_cash(open_desk: OpenDesk) -> None:
    """Beyond the collars the cash pays for one of them: 251.04 of 301.20 dollars. Both quotes jump meanwhile."""
    desk = two_at_their_collars(open_desk, "15530", "15:50:30.4 300 @ 196.20 × 300 @ 196.24")
    for time in ("15:50:30", "15:51", "15:52"):
        desk.turn_at(time)
        desk.place()
    judge.cash_is_never_negative(desk.exchange)
    assert (desk.bought("AAPL"), desk.open_at_broker("GOOG")) == (Decimal(40), ["40 GOOG @ 190.36"])


def test_a_move_to_market_outlives_the_lease_of_a_faster_one(open_desk: OpenDesk) -> None:
    desk = two_at_their_collars(open_desk, "30000")
    desk.exchange.races.arm(Race.CANCEL_STUCK, symbol="GOOG", seconds=1)
    desk.turn_at("15:50:30")
    desk.wait(5)
    assert (desk.bought("AAPL"), desk.bought("GOOG")) == (Decimal(40), Decimal(40))


def test_orders_rest_where_the_cash_for_a_move_to_market_cannot_be_read(open_desk: OpenDesk) -> None:
    desk = two_at_their_collars(open_desk, "30000")

    def down() -> Account:
        raise BrokerUnavailable("/account: no answer")

    desk.broker.account = down  # type: ignore[method-assign]
    desk.turn_at("15:50:30")
    assert desk.open_at_broker() == ["40 AAPL @ 190.36", "40 GOOG @ 190.36"]
    assert desk.journalled("run", "skip") == []


@pytest.mark.parametrize(
    ("cash", "costs", "granted"),
    [
        ("100", {"AAPL": "100"}, ["AAPL"]),
        ("99.99", {"AAPL": "100"}, []),
        ("100", {"AAPL": "30", "GOOG": "80", "KO": "20"}, ["GOOG", "KO"]),
        ("100", {"GOOG": "60", "AAPL": "60"}, ["AAPL"]),
        ("1", {"AAPL": "0.5", "GOOG": "0.5"}, ["AAPL", "GOOG"]),
        ("0", {"AAPL": "-3"}, ["AAPL"]),
    ],
)
def test_the_dearest_moves_to_market_come_first(
    open_desk: OpenDesk, cash: str, costs: dict[str, str], granted: list[str]
) -> None:
    desk = open_desk({"AAPL": book(BEFORE, until="15:58")}, at="15:45", opening=holding(cash))
    desk.begin("buy 40 AAPL")
    with funded_market_moves(
        begin_turn(RUN_ID, desk.ports), {symbol: Decimal(cost) for symbol, cost in costs.items()}
    ) as moves:
        assert moves == dict.fromkeys(granted, RUN_ID)
        now = desk.runtime.now()
        assert not desk.store.acquire_funding("another run", now + DEAD_STEP, now + DEAD_STEP)
        assert desk.store.acquire_funding("another run", now + DEAD_STEP + timedelta(seconds=1), now + DEAD_STEP)


@pytest.mark.parametrize("budget", ["max_run_notional", "max_day_notional"])
def test_a_move_to_market_without_budget_goes_back_to_its_collar(open_desk: OpenDesk, budget: str) -> None:
    """Reserved at 190.84 and 2.5 % beyond; when the cancel is confirmed the market asks for 192.44."""
    rising = book(BEFORE, "15:48 300 @ 190.80 × 200 @ 190.84", "15:48:40 300 @ 192.40 × 200 @ 192.44", until="15:58")
    desk = open_desk({"AAPL": rising}, at="15:45", opening=holding("20000"))
    desk.begin("buy 40 AAPL", escalation="market", patience_seconds=60, **{budget: "7826"})
    desk.place()
    desk.turn_at("15:48")
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=45, when=When(times=None))
    for time in ("15:48:30", "15:49", "15:49:30", "15:50"):
        desk.turn_at(time)
        desk.place()
    assert (desk.open_at_broker(), desk.order().held) == (["40 AAPL @ 190.36"], HoldReason.BUDGET)
    desk.judge()


# A decision to go to market that is made after the cash was granted for another

PAST = "15:53:45 300 @ 190.60 × 300 @ 190.64"
"""The market has left the collar of 190.36 just before the last two turns, which begin at 15:53:50."""


def short_of_cash(open_desk: OpenDesk, *events: str, **settings: object) -> Desk:
    """A margin account whose cash pays for 40 AAPL at their collar and not at the market; `normal` works the order."""
    account = replace(holding("7620"), multiplier=4)
    desk = open_desk({"AAPL": book(*events, until="16:00")}, at="15:40", opening=account)
    desk.begin("buy 40 AAPL", policy="normal", escalation="market", patience_seconds=20_000, **settings)
    return desk


def has_cash(desk: Desk, *opened: str) -> bool:
    """Whether these orders are open and no dollar is borrowed."""
    desk.wait(2)
    judge.cash_is_never_negative(desk.exchange)
    return desk.open_at_broker() == list(opened)


def test_a_successor_that_turns_into_a_market_order_stays_at_its_collar(open_desk: OpenDesk) -> None:
    """The close becomes near between the cancel and the second decision."""
    desk = short_of_cash(open_desk, BEFORE, PAST, max_spread_pct=1, follow_after_seconds=1)
    desk.place()
    desk.wait_until("15:53:48.2")
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=1.7)
    desk.repeg()
    reason = "no cash for a market order, a limit at the collar is sent instead"
    assert ("market", reason) in desk.journalled("AAPL", "hold")
    assert has_cash(desk, "40 AAPL @ 190.36")


def test_a_book_locked_for_an_instant_makes_no_successor_fall_back(open_desk: OpenDesk) -> None:
    """It is locked between the cancel and the second decision; a fallback needs a book that holds for a minute."""
    risen = "15:51:00 300 @ 189.44 × 300 @ 189.64"
    desk = short_of_cash(open_desk, "15:00 300 @ 189.40 × 300 @ 189.60", risen, fallback="market")
    desk.place()
    desk.wait_until("15:51:00")
    read = desk.broker.quotes

    def locked_once_cancelled(symbols: Iterable[str]) -> dict[str, Quote]:
        is_cancelled = desk.order().children[-1].state is ChildState.CANCELLING
        found = read(symbols)
        return (
            {name: quote.model_copy(update={"bid": quote.ask}) for name, quote in found.items()}
            if is_cancelled
            else found
        )

    desk.broker.quotes = locked_once_cancelled  # type: ignore[method-assign]
    desk.repeg()
    assert has_cash(desk)
    assert desk.order().held is HoldReason.LOCKED
    desk.broker.quotes = read  # type: ignore[method-assign]
    desk.turn_at("15:51:30")
    desk.place()
    assert has_cash(desk, "40 AAPL @ 189.45")


def test_a_first_order_that_turns_into_a_market_order_stays_at_its_collar(open_desk: OpenDesk) -> None:
    """The close becomes near between the grant of the cash and the decision."""
    desk = short_of_cash(open_desk, BEFORE, PAST, max_spread_pct=1)
    desk.validate()
    desk.wait_until("15:53:46.5")
    desk.validate()
    desk.broker.line.seconds = 1
    place_orders(RUN_ID, 1, 0, desk.ports)
    assert [child.limit for child in desk.order().children] == [Decimal("190.36")]
    assert has_cash(desk, "40 AAPL @ 190.36")


def test_a_move_to_market_without_cash_is_no_longer_held_by_its_book(open_desk: OpenDesk) -> None:
    """What held it before has passed, so that it is no reason of the order's end."""
    desk = two_at_their_collars(open_desk, "15300")
    for symbol in ("AAPL", "GOOG"):
        desk.store.save_order(desk.order(symbol).on_hold(HoldReason.WIDE, desk.runtime.now()))
    desk.turn_at("15:50:30")
    assert desk.open_at_broker() == ["40 AAPL @ 190.36", "40 GOOG @ 190.36"]
    assert {desk.order(symbol).held for symbol in ("AAPL", "GOOG")} == {None}
    assert desk.order().held_by_book_since is None
