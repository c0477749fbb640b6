"""Several looks in a turn: one quote request each, until the next turn is due, and nothing that one look may not do."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.outcome import Outcome
from repeg.domain.run import KillSwitch
from repeg.workflow import looking
from repeg.workflow.looking import reconcile
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, UP, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk, holding
from tests.functions.scenes import SOLD_INTO, resting

RISING = book(QUIET, "09:36:40 300 @ 189.45 × 200 @ 189.49")
PINNED = book("09:20 300 @ 189.40 × 300 @ 189.41", "09:36:45 900 @ 189.40 × 300 @ 189.41")


def looked_at(open_desk: OpenDesk, events: Any = None, **settings: Any) -> Desk:
    return resting(open_desk, events, policy="normal", follow_after_seconds=10, look_seconds=2, **settings)


def data_requests(desk: Desk) -> int:
    return desk.broker.line.sent.count(("GET", "/stocks/quotes/latest"))


def test_a_turn_looks_until_the_next_is_due(open_desk: OpenDesk) -> None:
    desk = looked_at(open_desk)
    before = data_requests(desk)
    answer = desk.turn_at("09:36:30")
    assert (answer.decision, answer.turn_at) == ("wait", "2026-11-23T14:37:00Z")
    assert 12 <= data_requests(desk) - before <= 15
    desk.judge()


def test_a_placement_is_followed_by_a_look_and_not_by_half_a_period(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET)})
    desk.begin("buy 40 AAPL", policy="normal")
    assert desk.place().turn_at == "2026-11-23T14:36:02Z"


def test_the_original_rule_looks_once_a_turn(open_desk: OpenDesk) -> None:
    desk = resting(open_desk, RISING, look_seconds=2)
    before = data_requests(desk)
    desk.turn_at("09:36:30")
    assert data_requests(desk) - before == 1


def test_a_change_between_two_turns_is_acted_on_at_the_next_look(open_desk: OpenDesk) -> None:
    desk = looked_at(open_desk, RISING)
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.46"]
    moved = desk.order().children[-1].decided_at
    assert 40 <= moved.second <= 43
    desk.judge()


def test_an_order_that_is_filled_by_a_look_ends_the_turn(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": PINNED})
    desk.begin("buy 40 AAPL", policy="normal", look_seconds=2)
    desk.place()
    assert desk.turn_at("09:36:30").decision == "close"
    assert (desk.order().outcome, desk.order().average_price) == (Outcome.FILLED, Decimal("189.41"))
    desk.judge()


def test_a_filled_piece_ends_the_looks_so_that_the_next_is_placed(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": book(QUIET, prints=("09:36:36 300 @ 189.41 sold",))})
    desk.begin("buy 500 AAPL", policy="normal", look_seconds=2)
    desk.place()
    assert desk.turn_at("09:36:30").decision == "validate"
    assert desk.runtime.now().second < 45
    desk.judge()


def test_an_unread_fill_of_ours_is_not_taken_for_others_that_leave(open_desk: OpenDesk) -> None:
    # 300 of others and 300 of ours are bid for. A print takes the others' and 200 of ours, and 300 others join again.
    # With 300 of ours still assumed, only 100 of the 400 that are shown would be theirs: a step back.
    desk = open_desk({"AAPL": book("09:20 300 @ 189.40 × 500 @ 189.41", prints=("09:36:37 500 @ 189.40 sold",))})
    desk.begin("buy 300 AAPL", policy="normal", look_seconds=2)
    desk.place()
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["100 AAPL @ 189.40"]
    assert len(desk.order().children) == 1
    desk.judge()


def test_open_orders_are_listed_every_five_seconds_at_most(open_desk: OpenDesk) -> None:
    desk = looked_at(open_desk)
    before = desk.broker.line.sent.count(("GET", "/orders"))
    desk.turn_at("09:36:30")
    assert 4 <= desk.broker.line.sent.count(("GET", "/orders")) - before <= 6


def test_a_look_without_an_answer_ends_the_looks_and_not_the_turn(open_desk: OpenDesk) -> None:
    desk = looked_at(open_desk)
    down = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/stocks/quotes/latest", status=500, body={})
    desk.exchange.faults.arm(down, When(skip=2, times=None))
    answer = desk.turn_at("09:36:30")
    assert (answer.decision, desk.open_at_broker()) == ("wait", ["40 AAPL @ 189.41"])


def test_a_kill_switch_between_two_looks_stops_new_orders(open_desk: OpenDesk) -> None:
    desk = looked_at(open_desk, RISING)

    def halt(answer: Any) -> Any:
        desk.store.set_kill_switch(KillSwitch.HALT_NEW)
        return answer

    third = Fault(kind=Kind.REWRITE, method="GET", path="/v2/stocks/quotes/latest", rewrite=halt)
    desk.exchange.faults.arm(third, When(skip=2))
    desk.turn_at("09:36:30")
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    desk.judge()


def test_two_orders_are_looked_at_with_one_request(open_desk: OpenDesk) -> None:
    alone = looked_at(open_desk)
    before = data_requests(alone)
    alone.turn_at("09:36:30")
    single = data_requests(alone) - before
    desk = open_desk({"AAPL": book(QUIET), "KO": KO})
    desk.begin("buy 40 AAPL", "buy 40 KO", policy="normal", look_seconds=2)
    desk.place()
    before = data_requests(desk)
    desk.turn_at("09:36:30")
    assert data_requests(desk) - before == single


def test_sells_stay_and_buys_move_while_the_positions_cannot_be_read(open_desk: OpenDesk) -> None:
    ko = book("09:20 500 @ 60.40 × 500 @ 60.43", "09:36:10 500 @ 60.30 × 500 @ 60.33")
    desk = open_desk({"AAPL": book(QUIET, UP), "KO": ko}, opening=holding(KO="100"))
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    unread = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/positions", status=500, body={})
    desk.exchange.faults.arm(unread, When(times=None))
    desk.turn_at("09:36:30")
    assert (desk.open_at_broker("AAPL"), desk.open_at_broker("KO")) == (["40 AAPL @ 189.66"], ["100 KO @ 60.42"])
    desk.exchange.faults.disarm()
    desk.turn_at("09:37:00")
    assert desk.open_at_broker("KO") == ["100 KO @ 60.32"]


def test_an_order_that_has_no_room_in_a_look_is_returned_as_it_was_read(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next look would otherwise save an older version of it."""
    desk = resting(open_desk, SOLD_INTO)
    desk.wait_until("09:36:20")
    monkeypatch.setattr(looking, "_with_room", lambda turn, seen, quotes: ([], quotes))
    (order,) = reconcile(begin_turn(RUN_ID, desk.ports))
    assert (order.filled, order.version) == (Decimal(15), desk.order().version)
