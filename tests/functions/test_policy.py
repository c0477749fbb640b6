"""The policy of looks in the steps: moves priced from the book without us, remembered spreads, pieces."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, book
from tests.functions.desk import Desk, OpenDesk, holding
from tests.functions.scenes import resting

ONCE: dict[str, Any] = {"policy": "normal", "look_seconds": 60}
"""The policy with one look a turn."""
SEEDED = (4,) * 4
"""Three samples of the minute between the opening of the window and the arrival, and one at the placement."""
PINNED = "09:20 300 @ 189.40 × 300 @ 189.41"


def test_a_first_child_rests_and_its_spread_is_remembered(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, **ONCE)
    assert desk.order().spreads == SEEDED
    desk.turn_at("09:36:30")
    # Alone at the top our own quote makes the spread, which is then no sample.
    assert desk.order().spreads == SEEDED
    assert desk.journalled("AAPL", "hold") == [("189.41", "bid 189.41 × ask 189.44, we stay")]


def test_a_held_order_saves_the_spread_that_it_saw(open_desk: OpenDesk) -> None:
    rising = book(QUIET, "09:36:25 300 @ 189.42 × 200 @ 189.47")
    desk = resting(open_desk, rising, **ONCE, follow_after_seconds=600)
    before = desk.order().version
    desk.turn_at("09:36:30")
    assert (desk.order().spreads, desk.order().version) == ((*SEEDED, 5), before + 1)
    desk.repeg()
    assert desk.order().version == before + 1


def test_a_move_is_priced_from_the_book_without_our_own_quote(open_desk: OpenDesk) -> None:
    # The ask falls to a tick above us. Behind our quote the others have gone down to 189.30.
    falling = book(QUIET, "09:36:20 300 @ 189.30 × 200 @ 189.42")
    desk = resting(open_desk, falling, **ONCE)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.31"]
    assert desk.journalled("AAPL", "move") == [("189.41 → 189.31", "bid 189.30 × ask 189.42, improve by a tick")]
    assert (desk.order().moves, desk.order().children[-1].rung) == (0, "passive")
    desk.judge()


def test_a_move_up_is_counted(open_desk: OpenDesk) -> None:
    rising = book(QUIET, "09:36:20 300 @ 189.45 × 200 @ 189.49")
    desk = resting(open_desk, rising, **ONCE, follow_after_seconds=20)
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.order().moves) == (["40 AAPL @ 189.46"], 1)
    desk.judge()


def test_a_take_is_a_limit_at_the_far_touch_as_it_is_after_the_cancel(open_desk: OpenDesk) -> None:
    """Decided at an ask of 189.41, which rises by a tick while the old child is being cancelled."""
    rising = book(PINNED, "09:36:20 900 @ 189.40 × 300 @ 189.41", "09:36:30.050 900 @ 189.41 × 300 @ 189.42")
    desk = open_desk({"AAPL": rising})
    desk.begin("buy 40 AAPL", **ONCE)
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.40"]
    assert desk.turn_at("09:36:30").decision == "wait"
    assert desk.journalled("AAPL", "cross") == [
        ("189.40 → 189.42", "bid 189.41 × ask 189.42, our side outweighs the far side, take it")
    ]
    assert desk.repeg().decision == "close"
    assert (desk.order().outcome, desk.order().average_price) == (Outcome.FILLED, Decimal("189.42"))
    assert [child.limit for child in desk.order().children] == [Decimal("189.40"), Decimal("189.42")]
    desk.judge()


def test_a_take_that_the_book_no_longer_calls_for_rests_instead(open_desk: OpenDesk) -> None:
    """Decided at an ask of 189.41, which is gone once the old child is cancelled: nothing is paid for it."""
    gone = book(PINNED, "09:36:20 900 @ 189.40 × 300 @ 189.41", "09:36:30.050 300 @ 189.38 × 900 @ 189.42")
    desk = open_desk({"AAPL": gone})
    desk.begin("buy 40 AAPL", **ONCE)
    desk.place()
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker(), desk.bought()) == (["40 AAPL @ 189.39"], Decimal(0))
    desk.judge()


def test_spent_patience_takes_piece_by_piece(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 500 AAPL", policy="urgent", patience_seconds=150, look_seconds=60)
    desk.place()
    assert desk.open_at_broker() == ["300 AAPL @ 189.41"]
    # Thirty seconds for each of two pieces.
    desk.turn_at("09:36:30")
    assert desk.journalled("AAPL", "cross") == []
    desk.turn_at("09:37:00")
    assert desk.journalled("AAPL", "cross") == [("189.41 → 189.44", "bid 189.40 × ask 189.44, patience spent")]
    assert desk.order().children[-1].qty == 200
    desk.judge()


def test_a_piece_that_is_filled_is_followed_by_the_next(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:10 300 @ 189.41 sold",))})
    desk.begin("buy 500 AAPL", **ONCE)
    desk.place()
    assert desk.turn_at("09:36:30").decision == "validate"
    desk.validate()
    desk.place()
    assert desk.open_at_broker() == ["200 AAPL @ 189.41"]
    desk.judge()


def test_no_quote_after_the_cancel_leaves_the_order_waiting(open_desk: OpenDesk) -> None:
    rising = book(QUIET, "09:36:20 300 @ 189.45 × 200 @ 189.49", until="09:36:30")
    desk = resting(open_desk, [*rising, *book("09:36:30.04 - × 200 @ 189.49")], **ONCE, follow_after_seconds=5)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == []
    assert desk.order().outcome is None
    desk.judge()


def past_requests(desk: Desk) -> int:
    return desk.broker.line.sent.count(("GET", "/stocks/quotes"))


def test_arriving_orders_read_their_usual_spread_with_one_request(open_desk: OpenDesk) -> None:
    wider = book("09:20 300 @ 189.40 × 200 @ 189.44", "09:35:30 300 @ 189.40 × 200 @ 189.46")
    desk = open_desk({"AAPL": wider, "KO": KO}, opening=holding(KO="40"))
    desk.begin("buy 40 AAPL", "sell 40 KO", **ONCE)
    desk.place()
    assert past_requests(desk) == 1
    assert desk.order().spreads == (4, 4, 6, 6)
    assert desk.order("KO").spreads == (3,) * 4
    desk.validate()
    assert past_requests(desk) == 1


def test_orders_of_the_original_rule_read_no_past_quotes(open_desk: OpenDesk) -> None:
    assert past_requests(resting(open_desk)) == 0


def test_orders_that_arrive_as_the_window_opens_read_no_past_quotes(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)}, at="09:35:10")
    desk.begin("buy 40 AAPL", **ONCE)
    desk.place()
    assert (past_requests(desk), desk.order().spreads) == (0, (4,))


def test_a_wide_book_reads_no_past_quotes_before_the_order_arrives(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book("09:20 300 @ 188.00 × 200 @ 189.44", "09:36:20 300 @ 189.40 × 200 @ 189.44")})
    desk.begin("buy 40 AAPL", **ONCE)
    desk.place()
    assert past_requests(desk) == 0
    desk.wait_until("09:36:30")
    desk.place()
    assert (past_requests(desk), desk.order().spreads[-1]) == (1, 4)


@pytest.mark.parametrize("status", [403, 429, 500])
def test_past_quotes_that_are_not_given_leave_the_present_spread(open_desk: OpenDesk, status: int) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    refused = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/stocks/quotes", status=status, body={})
    desk.exchange.faults.arm(refused, When(times=None))
    desk.begin("buy 40 AAPL", **ONCE)
    desk.place()
    assert (desk.open_at_broker(), desk.order().spreads) == (["40 AAPL @ 189.41"], (4,))
    assert len(desk.journalled("run", "unseeded")) == 1


def test_a_feed_that_is_behind_does_not_make_an_order_climb_over_itself(open_desk: OpenDesk) -> None:
    """The quote after each cancel is that of 0.4 seconds ago, when our order was still the best bid."""
    falling = book("09:20 400 @ 100.00 × 300 @ 100.20", "09:36:40 400 @ 100.00 × 300 @ 100.10")
    desk = open_desk({"AAPL": falling}, opening=holding("100000"))
    desk.begin("buy 300 AAPL", policy="normal", patience_seconds=1_800)
    desk.place()
    fresh, seen = desk.broker.quotes, []

    def late(symbols: list[str]) -> Any:
        now = desk.runtime.now()
        seen.append((now, fresh(symbols)))
        old = [quotes for at, quotes in seen[:-1] if (now - at).total_seconds() < 0.4]
        return old[0] if old else seen[-1][1]

    desk.broker.quotes = late  # type: ignore[method-assign, assignment]
    for time in ("09:36:30", "09:37:00", "09:37:30"):
        desk.turn_at(time)
    limits = [child.limit for child in desk.order().children]
    assert len(limits) > 1
    assert max(limits, key=lambda limit: limit or 0) == Decimal("100.01")
    assert desk.order().filled == 0
    desk.judge()
