"""An order that is worked in many pieces: it is neither given up nor left in part while the day lasts."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.outcome import Outcome
from tests.functions.books import QUIET, book
from tests.functions.desk import Desk, OpenDesk, holding


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
