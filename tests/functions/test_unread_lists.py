"""Orders that the broker does not find by their ids: what follows where its lists cannot be read, or show them late."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.child_order import ChildState, OrderReport
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import Desk, OpenDesk
from tests.functions.scenes import require_lost_only_at_the_end, resting
from tests.functions.test_broker_lists import NEVER_SENT, REFUSED, read_since
from tests.functions.test_unseen_trades import ACTIVITIES, SOLD, expired, hide, unanswered


def fail_to_list(desk: Desk, error: type[RepegError]) -> None:
    """The list of the day's orders cannot be read any more."""

    def fails(day: object) -> list[OrderReport]:
        raise error("no answer")

    desk.broker.orders_since = fails  # type: ignore[method-assign]


@pytest.mark.parametrize("is_denied", [True, False])
def test_a_refused_order_does_not_keep_a_run_open_while_lists_cannot_be_read(
    open_desk: OpenDesk, is_denied: bool
) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(REFUSED)
    desk.place()
    fail_to_list(desk, BrokerDenied if is_denied else BrokerUnavailable)
    desk.wait_until("09:37")
    desk.place()
    assert desk.posts() == 2
    desk.wait_until("09:39")
    assert desk.close().outcome == "settled"


@pytest.mark.parametrize("error", [BrokerDenied, BrokerUnavailable])
def test_an_order_in_flight_is_lost_if_its_lists_are_never_read(open_desk: OpenDesk, error: type[RepegError]) -> None:
    desk = open_desk({"AAPL": book(QUIET, until="16:00")})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    fail_to_list(desk, error)
    require_lost_only_at_the_end(desk)


def test_the_lists_are_not_read_for_an_order_that_rests(open_desk: OpenDesk) -> None:
    desk = resting(open_desk)
    before = len(desk.broker.line.sent)
    desk.turn_at("09:39")
    assert read_since(desk, before) == {"/orders": 1}


def test_an_order_is_not_sent_anew_after_a_trade_of_one_given_up(open_desk: OpenDesk) -> None:
    """The child that followed was refused, and decided after the trade."""
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, policy="market")
    hide(desk, ACTIVITIES)
    desk.turn_at("09:51:30")
    desk.exchange.faults.arm(REFUSED)
    desk.place()
    desk.exchange.faults.disarm()
    assert [child.state for child in desk.order().children] == [ChildState.NEVER_ARRIVED, ChildState.REFUSED]
    desk.wait_until("09:53")
    desk.place()
    assert (desk.posts(), desk.bought()) == (2, Decimal(40))


def test_a_replacement_that_only_the_list_shows_is_adopted(open_desk: OpenDesk) -> None:
    """The broker shows the replaced order as expired."""
    desk = open_desk({"AAPL": book(QUIET, UP, prints=("09:36:50 40 @ 189.66 sold",), until="10:30")})
    desk.begin("buy 40 AAPL", use_replace=True)
    desk.place()
    patch = Fault(kind=Kind.ANSWER_AFTER, method="PATCH", path="/v2/orders/.+", status=502, body={})
    desk.exchange.faults.arm(patch)
    desk.turn_at("09:36:30")
    new = desk.order().children[-1].client_order_id
    by_our_id = desk.broker.order
    desk.broker.order = lambda an_id: None if an_id == new else by_our_id(an_id)  # type: ignore[method-assign,assignment]
    shown = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders.*", rewrite=expired)
    desk.exchange.faults.arm(shown, When(times=None))
    for time in ("09:37", "09:38"):
        desk.turn_at(time)
    assert (desk.order().outcome, desk.order().filled) == (Outcome.FILLED, Decimal(40))
