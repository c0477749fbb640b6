"""An order that is worked in many pieces: it is neither given up nor left in part while the day lasts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.outcome import HoldReason, Outcome
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import PROMPT, Desk, OpenDesk, holding


def worked(desk: Desk, *, turns: int = 60) -> None:
    """Turns and placements, one after the other as the state machine has them, until the run is to close."""
    desk.place()
    for _ in range(turns):
        decision = desk.repeg().decision
        if decision == "close":
            return
        if decision == "validate":
            desk.place()
        desk.wait(2)


def test_an_order_of_more_pieces_than_attempts_is_filled(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, opening=holding("1000000"))
    desk.begin("buy 3000 AAPL", policy="normal", max_attempts=5, max_repegs=0, patience_seconds=30)
    worked(desk)
    assert len(desk.order().children) > 10
    assert (desk.order().outcome, desk.order().filled) == (Outcome.FILLED, Decimal(3_000))
    desk.judge()


def test_orders_that_are_never_filled_end_in_one_for_the_whole_rest(open_desk: OpenDesk) -> None:
    """The bid steps up every ten seconds, and so does the order, until four attempts are left of eight."""
    rising = [f"09:36:{second:02} 300 @ 189.{41 + second // 10} × 200 @ 189.60" for second in range(0, 60, 10)]
    desk = open_desk({"AAPL": book(*rising)}, opening=holding("1000000"))
    desk.begin(
        "buy 3000 AAPL", policy="normal", max_attempts=8, max_repegs=4, follow_after_seconds=0, patience_seconds=1_800
    )
    worked(desk, turns=3)
    assert [child.qty for child in desk.order().children] == [300, 300, 300, 300, 3_000]
    assert desk.journalled("AAPL", "hold")[-1][1].endswith("few orders are left")
    desk.judge()


@pytest.mark.parametrize(
    ("settings", "last"),
    [
        ({"fallback": "collar"}, "15:46 300 @ 20.00 × 300 @ 20.09"),
        ({"escalation": "mid"}, "15:46 300 @ 20.00 × 300 @ 20.02"),
        ({"escalation": "none"}, "15:46 300 @ 20.00 × 300 @ 20.02"),
    ],
)
def test_a_resting_piece_makes_way_for_the_whole_rest_near_the_close(
    open_desk: OpenDesk, settings: dict[str, Any], last: str
) -> None:
    """Eleven minutes are left of the window at 15:44; from 15:46 on the book may be too wide."""
    desk = a_resting_piece(open_desk, last, **settings)
    desk.turn_at("15:43:20")
    assert desk.open_at_broker() == ["1000 AAPL @ 20.01"]
    assert desk.turn_at("15:44").decision == "validate"
    desk.place()
    assert desk.open_at_broker() == ["20000 AAPL @ 20.01"]
    assert desk.journalled("AAPL", "cancel") == [("20.01", "makes way for the whole rest, 20000")]
    desk.repeg()
    assert len(desk.order().children) == 2
    desk.judge()


def test_a_resting_piece_does_not_keep_the_rest_from_its_fallback(open_desk: OpenDesk) -> None:
    desk = a_resting_piece(open_desk, "15:43:40 300 @ 20.00 × 300 @ 20.09", fallback="collar")
    for time in ("15:43:20", "15:44", "15:47", "15:49"):
        desk.turn_at(time)
    assert desk.open_at_broker() == ["1000 AAPL @ 20.01"]
    assert desk.turn_at("15:50").decision == "validate"
    desk.place()
    assert [(int(child.qty), child.is_fallback) for child in desk.order().children] == [(1_000, False), (20_000, True)]
    desk.judge()


def test_a_piece_stays_while_a_budget_has_no_room_for_the_rest(open_desk: OpenDesk) -> None:
    """That is said once, and is what the order ends with."""
    desk = a_resting_piece(open_desk, max_day_notional="30000")
    for time in ("15:44", "15:44:30"):
        desk.turn_at(time)
    assert (desk.open_at_broker(), desk.order().held) == (["1000 AAPL @ 20.01"], HoldReason.BUDGET)
    assert sum(entry.reason.startswith("budget day:") for entry in desk.journal.entries) == 1
    assert [entry.reason for entry in desk.journal.entries if entry.verb == "error"] == []
    desk.judge()


def test_a_move_without_a_budget_returns_the_order_as_it_is_stored(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, UP)})
    desk.begin("buy 40 AAPL", policy="normal", max_day_notional="7580", follow_after_seconds=0)
    desk.place()
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.posts()) == (["40 AAPL @ 189.41"], 1)
    assert [entry.reason for entry in desk.journal.entries if entry.verb == "error"] == []


def a_resting_piece(open_desk: OpenDesk, *changes: str, quirks: BrokerQuirks = PROMPT, **settings: Any) -> Desk:
    """20,000 AAPL to buy at 15:42, of which 1,000 rest."""
    events = book("15:20 300 @ 20.00 × 300 @ 20.02", *changes, until="16:00")
    desk = open_desk({"AAPL": events}, at="15:42", opening=holding("5000000"), quirks=quirks)
    desk.begin("buy 20000 AAPL", policy="normal", patience_seconds=1_800, **settings)
    desk.place()
    assert desk.open_at_broker() == ["1000 AAPL @ 20.01"]
    return desk
