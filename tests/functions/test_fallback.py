"""The fallback on the desk: an order that its book holds all day is sent once, under all limits, near the close."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.journalled_rules import decide_again
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentState
from repeg.domain.run import KillSwitch
from repeg_workbench.exchange.market.scripted import quote, trade
from tests.functions.books import Event, book
from tests.functions.desk import Desk, OpenDesk, holding

LAST_TRADE = ("15:41 10 @ 189.50 sold",)
WIDE = "15:40 300 @ 189.00 × 300 @ 190.50"
"""0.8 % wide: the mid is 189.75, a buy's collar 190.69 and a sell's 188.81, beyond the far side."""
VERY_WIDE = "15:40 300 @ 187.00 × 300 @ 192.00"
"""2.6 % wide: the mid is 189.50, a buy's collar 190.44, inside the spread."""


def held_desk(
    open_desk: OpenDesk, *changes: str, order: str = "buy 40 AAPL", cash: str = "100000", **settings: Any
) -> Desk:
    """A run whose order its book has held since 15:45, at 15:49:30."""
    events = book(*changes, prints=LAST_TRADE, until="15:57")
    return held_on(open_desk, events, order=order, cash=cash, **settings)


def held_on(
    open_desk: OpenDesk, events: list[Event], *, order: str = "buy 40 AAPL", cash: str = "100000", **settings: Any
) -> Desk:
    desk = open_desk({"AAPL": events}, at="15:45", opening=holding(cash, AAPL="40"))
    desk.begin(order, **settings)
    for time in ("15:45", "15:47", "15:49:30"):
        turn(desk, time)
    assert (desk.order().state, desk.posts()) == (ParentState.WAITING, 0)
    return desk


def turn(desk: Desk, time: str) -> None:
    """A whole turn: RepegOrders, ValidateQuotes, PlaceOrders."""
    desk.turn_at(time)
    desk.place()


def finish(desk: Desk) -> dict[str, Any]:
    """The turns up to the close, then the order's row in the report."""
    for time in ("15:50", "15:50:30", "15:52", "15:54:30"):
        turn(desk, time)
    desk.wait_until("15:55")
    desk.close()
    desk.judge()
    return desk.row()


@pytest.mark.parametrize(("order", "price"), [("buy 40 AAPL", "190.5"), ("sell 40 AAPL", "189")])
def test_an_order_held_by_a_wide_book_trades_at_the_far_side(open_desk: OpenDesk, order: str, price: str) -> None:
    desk = held_desk(open_desk, WIDE, order=order, fallback="collar")
    turn(desk, "15:50")
    (intent,) = desk.store.intents(desk.run.run_id)
    assert (intent.reason, intent.rung, intent.limit) == ("fallback", "cross", desk.order().collar)
    assert desk.order().arrival == intent.quote
    row = finish(desk)
    assert (row["outcome"], row["average_price"], desk.posts()) == (Outcome.FILLED, price, 1)
    assert desk.journalled("AAPL", "cross")[0][1] == "bid 189.00 × ask 190.50, wide, fallback to the collar"


@pytest.mark.parametrize("changes", [WIDE, "15:40 99 @ 189.40 × 200 @ 189.44", "15:40 300 @ 189.44 × 200 @ 189.44"])
def test_a_held_order_without_a_fallback_ends_unsent(open_desk: OpenDesk, changes: str) -> None:
    desk = held_desk(open_desk, changes)
    row = finish(desk)
    assert (row["filled_qty"], desk.posts(), desk.order().last_two_sided) == ("0", 0, None)


def test_an_unfilled_fallback_rests_until_the_close_and_is_sent_once(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, VERY_WIDE, fallback="collar")
    turn(desk, "15:50")
    assert desk.open_at_broker() == ["40 AAPL @ 190.44"]
    row = finish(desk)
    assert (row["outcome"], row["reason"], desk.posts()) == (Outcome.HELD_WIDE, "0 of 40: wide", 1)


def test_a_fallback_rests_where_it_is_when_the_book_is_good_again(open_desk: OpenDesk) -> None:
    """Even with an escalation that goes no further than the near side."""
    good = "15:51 300 @ 191.40 × 300 @ 191.44"
    desk = held_desk(open_desk, VERY_WIDE, good, fallback="collar", escalation="none")
    row = finish(desk)
    assert (row["outcome"], desk.posts()) == (Outcome.NO_FILL_COLLAR, 1)
    assert len(desk.at_broker()) == 1


def test_a_one_sided_book_falls_back_on_the_last_quote_with_two_sides(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, WIDE, "15:49 300 @ 189.00 × -", fallback="collar")
    turn(desk, "15:50")
    order = desk.order()
    assert desk.open_at_broker() == ["40 AAPL @ 190.69"]
    assert order.arrival is not None
    assert (order.arrival, order.arrival.ask) == (order.last_two_sided, Decimal("190.50"))
    (intent,) = desk.store.intents(desk.run.run_id)
    assert intent.quote == order.arrival
    assert finish(desk)["reason"] == "0 of 40: one sided"


def test_a_book_that_never_had_two_sides_has_no_fallback(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, "15:40 300 @ 189.00 × -", fallback="collar")
    row = finish(desk)
    assert (row["outcome"], desk.posts()) == (Outcome.HELD_STALE, 0)


@pytest.mark.parametrize("fallback", ["collar", "market"])
def test_a_halted_order_has_no_fallback(open_desk: OpenDesk, fallback: str) -> None:
    still: list[Event] = [trade("15:41", "10 @ 189.42", side=1), quote("15:44:30", "300 @ 189.40", "200 @ 189.44")]
    desk = held_on(open_desk, still, fallback=fallback, escalation="market")
    row = finish(desk)
    assert (row["outcome"], desk.posts()) == (Outcome.HALTED, 0)


def test_a_fallback_that_cannot_be_paid_is_not_sent(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, WIDE, cash="100", fallback="collar")
    row = finish(desk)
    assert (row["outcome"], desk.posts()) == (Outcome.UNFUNDED, 0)


@pytest.mark.parametrize("limit", [{"max_run_notional": "8000"}, {"max_run_orders": 1}, {"max_order_notional": "7650"}])
def test_a_fallback_is_sent_within_the_limits(open_desk: OpenDesk, limit: dict[str, Any]) -> None:
    """40 shares at the collar of 190.69 are 7,627.60 dollars."""
    desk = held_desk(open_desk, WIDE, fallback="collar", **limit)
    assert finish(desk)["outcome"] == Outcome.FILLED


def test_a_fallback_over_a_limit_is_not_sent(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, WIDE, fallback="collar", max_day_notional="7600")
    row = finish(desk)
    assert (row["outcome"], row["reason"], desk.posts()) == (Outcome.PARTIAL_DEADLINE, "0 of 40: budget", 0)


@pytest.mark.parametrize("kill", [KillSwitch.HALT_NEW, KillSwitch.CANCEL_ALL])
def test_the_kill_switch_stops_a_fallback(open_desk: OpenDesk, kill: KillSwitch) -> None:
    desk = held_desk(open_desk, WIDE, fallback="market", escalation="market")
    desk.store.set_kill_switch(kill)
    row = finish(desk)
    assert (row["outcome"], desk.posts()) == (Outcome.KILLED, 0)


def test_a_market_fallback_trades_outside_the_collar(open_desk: OpenDesk) -> None:
    desk = held_desk(open_desk, VERY_WIDE, fallback="market", escalation="market")
    turn(desk, "15:50")
    (intent,) = desk.store.intents(desk.run.run_id)
    assert (intent.reason, intent.rung, intent.limit) == ("fallback", "market", None)
    assert finish(desk)["average_price"] == "192"


def test_a_market_fallback_is_funded_at_what_it_may_cost(open_desk: OpenDesk) -> None:
    """40 shares cost 7,617.60 at the collar, but 7,833.60 at 2 % over the ask; the cash pays for 39 of those."""
    desk = held_desk(open_desk, VERY_WIDE, cash="7700", fallback="market", escalation="market")
    turn(desk, "15:50")
    assert desk.journalled("AAPL", "scale") == [("40 → 39", "7700.00 to spend")]
    finish(desk)
    assert desk.bought() == 39


def test_a_held_order_is_written_every_five_minutes_for_its_fallback(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(WIDE, prints=LAST_TRADE, until="15:57")}, at="15:40:10")
    desk.begin("buy 40 AAPL", fallback="collar", fallback_minutes=1)
    before = desk.order().version
    for minute in range(41, 51):
        for second in ("00", "30"):
            turn(desk, f"15:{minute}:{second}")
    assert desk.order().version - before == 2
    assert desk.order().last_two_sided is not None


@pytest.mark.parametrize("changes", [(WIDE,), (WIDE, "15:49 300 @ 189.00 × -"), (VERY_WIDE,)])
@pytest.mark.parametrize("fallback", ["collar", "market"])
def test_the_decisions_of_a_fallback_can_be_replayed(
    open_desk: OpenDesk, changes: tuple[str, ...], fallback: str
) -> None:
    desk = held_desk(open_desk, *changes, fallback=fallback, escalation="market")
    finish(desk)
    lines = [json.loads(entry.line()) for entry in desk.journal.entries if entry.rule]
    assert any((line["answer"] or {}).get("reason") == "fallback" for line in lines)
    for line in lines:
        again = decide_again(line["rule"], line["inputs"])
        assert type(again).model_validate(line["answer"]) == again, line


@pytest.mark.parametrize("fallback", ["collar", "market"])
def test_a_book_that_is_locked_for_a_moment_makes_no_fallback(open_desk: OpenDesk, fallback: str) -> None:
    """A piece fills while the book is locked for four seconds, half an hour before the close."""
    changes = (
        "14:00 300 @ 20.00 × 300 @ 20.02",
        "15:30:04 300 @ 20.02 × 300 @ 20.02",
        "15:30:08 300 @ 20.00 × 300 @ 20.02",
    )
    prints = ("15:30:03 5000 @ 20.01 sold",)
    desk = open_desk({"AAPL": book(*changes, prints=prints, until="15:57")}, at="15:29:50", opening=holding("5000000"))
    desk.begin("buy 20000 AAPL", policy="normal", fallback=fallback, fallback_minutes=30, escalation="market")
    desk.place()
    assert desk.turn_at("15:30:00").decision == "validate"
    desk.place()
    assert [child.is_fallback for child in desk.order().children] == [False]
    turn(desk, "15:30:30")
    assert [str(child.limit) for child in desk.order().children] == ["20.01", "20.01"]
    desk.judge()
