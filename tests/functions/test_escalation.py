"""Escalation in the steps: in the turn nearest to its time, and through a book that is thin on our own side."""

from __future__ import annotations

from decimal import Decimal

from repeg.domain.outcome import Outcome
from tests.functions.books import QUIET, book
from tests.functions.desk import OpenDesk
from tests.functions.scenes import resting

THIN = book(QUIET, "09:36:20 40 @ 189.42 × 200 @ 189.46")


def test_a_patience_of_two_turns_ends_in_the_second_turn(open_desk: OpenDesk) -> None:
    """It is placed a moment after its turn began, so it is a moment short of a minute old there."""
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL", patience_seconds=60)
    desk.wait(0.4)
    desk.place()
    desk.turn_at("09:36:30")
    assert desk.journalled("AAPL", "move") == []
    desk.turn_at("09:37:00")
    assert [detail for detail, _ in desk.journalled("AAPL", "move")] == ["189.41 → 189.42"]
    desk.judge()


def test_a_thin_book_holds_an_order_only_while_it_is_patient(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, THIN, patience_seconds=60)
    desk.turn_at("09:36:30")
    assert desk.journalled("AAPL", "hold") == [("189.41", "bid 189.42 × ask 189.46, thin")]
    desk.turn_at("09:37:00")
    assert desk.open_at_broker() == ["40 AAPL @ 189.44"]
    desk.turn_at("09:37:30")
    assert desk.repeg().decision == "close"
    assert (desk.order().outcome, desk.order().average_price) == (Outcome.FILLED, Decimal("189.46"))
    desk.judge()


def test_a_thin_book_does_not_keep_a_piece_from_being_taken(open_desk: OpenDesk) -> None:
    """The first piece is filled, the book becomes thin, and the rest is taken when patience is spent."""
    thin = "09:36:25 40 @ 189.42 × 300 @ 189.46"
    desk = open_desk({"AAPL": book(QUIET, thin, prints=("09:36:10 300 @ 189.41 sold",))})
    desk.begin("buy 500 AAPL", policy="urgent", patience_seconds=150, look_seconds=60)
    desk.place()
    assert desk.turn_at("09:36:30").decision == "validate"
    desk.place()
    assert desk.open_at_broker() == []
    desk.wait_until("09:37:00")
    desk.place()
    assert desk.repeg().decision == "close"
    assert desk.order().average_price == (300 * Decimal("189.41") + 200 * Decimal("189.46")) / 500
    desk.judge()
