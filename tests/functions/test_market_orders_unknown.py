"""RepegOrders with market orders whose outcome is not known: they are never sent again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.broker import Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.intent import Intent
from repeg.domain.parent_order import ParentState
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, book
from tests.functions.desk import PREFIX, RUN_ID, OpenDesk

FIRST_ID = f"{PREFIX}AAPL.b.1"
LATER = book(QUIET, until="10:30")
LOST_POST = Fault(kind=Kind.HANG_BEFORE, method="POST", path="/v2/orders")
JUMP = book(QUIET, "09:36:30 300 @ 249.40 × 300 @ 249.44", until="10:30")


def test_a_market_order_without_an_answer_is_not_sent_again(open_desk: OpenDesk) -> None:
    """Its price, and every limit that it was checked against, were those of another minute."""
    desk = open_desk({"AAPL": JUMP})
    desk.begin("buy 40 AAPL", policy="market", max_order_notional="7800")
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    for time in ("09:37:10", "09:40:00", "09:50:59"):
        desk.turn_at(time)
    assert (desk.posts(), desk.order().children[-1].state) == (1, ChildState.UNKNOWN)
    desk.turn_at("09:51:00")
    assert desk.journalled("AAPL", "lost") == [(FIRST_ID, "not seen at the broker for 15 minutes")]
    desk.place()
    assert (desk.posts(), desk.order().held, desk.bought()) == (1, "budget", Decimal(0))


def test_a_market_order_that_was_lost_is_decided_anew(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": LATER})
    desk.begin("buy 40 AAPL", policy="market")
    desk.exchange.faults.arm(LOST_POST)
    desk.place()
    assert desk.turn_at("09:51:00").decision == "validate"
    desk.place()
    desk.wait(1)
    desk.repeg()
    assert (desk.bought(), [child.n for child in desk.order().children]) == (Decimal(40), [1, 2])
    desk.judge()


def test_a_market_order_found_as_it_is_given_up_is_adopted(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": LATER})
    desk.begin("buy 40 AAPL", policy="market")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", path="/v2/orders", delay=15 * 60 + 0.5))
    desk.place()
    desk.turn_at("09:51:00")
    desk.repeg()
    assert (desk.bought(), desk.order().filled, desk.posts()) == (Decimal(40), Decimal(40), 1)


def test_a_market_order_that_never_left_is_decided_anew_at_once(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": LATER})
    desk.begin("buy 40 AAPL", policy="market")
    submit = desk.broker.submit

    def without_requests(intent: Intent) -> Unknown:
        return Unknown(reason="not sent: no requests are left", was_sent=False)

    desk.broker.submit = without_requests  # type: ignore[method-assign]
    desk.place()
    assert (desk.order().state, desk.order().children[-1].state) == (ParentState.WAITING, ChildState.REFUSED)
    desk.broker.submit = submit  # type: ignore[method-assign]
    desk.wait(30)
    desk.place()
    desk.wait(1)
    desk.repeg()
    assert (desk.bought(), [child.n for child in desk.order().children]) == (Decimal(40), [1, 2])
    desk.judge()


WIDE_FOR_A_WHILE = book(
    QUIET, "09:50:00 300 @ 180.40 × 200 @ 199.44", "09:53:00 300 @ 189.40 × 200 @ 189.44", until="10:30"
)


@pytest.mark.parametrize(("is_answered", "sent"), [(True, 1), (False, 1)])
def test_a_market_order_that_was_given_up_is_looked_for_before_another(
    open_desk: OpenDesk, is_answered: bool, sent: int
) -> None:
    """It arrives after sixteen minutes, while the book holds what is left."""
    desk = open_desk({"AAPL": WIDE_FOR_A_WHILE})
    desk.begin("buy 40 AAPL", policy="market")
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", path="/v2/orders", delay=16 * 60))
    desk.place()
    for time in ("09:51:00", "09:51:30", "09:52:30"):
        desk.turn_at(time)
        desk.place()
    desk.wait_until("09:53:30")
    if not is_answered:
        lookup = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders:by_client_order_id", status=503)
        desk.exchange.faults.arm(lookup, When(times=None))
    desk.place()
    assert (desk.posts(), int(desk.bought())) == (sent, 40)
    desk.exchange.faults.disarm()
    desk.repeg()
    desk.place()
    assert (desk.order().filled, desk.posts()) == (Decimal(40), sent)
    assert [execution.qty for execution in desk.store.executions(RUN_ID)] == [Decimal(40)]
