"""Orders that turn up beside their successors: no more stays open than is left, and nothing once an order has ended."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from repeg.domain.child_order import Child, ChildState
from repeg.domain.outcome import HoldReason, Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Side
from repeg.domain.run import KillSwitch
from repeg.workflow.deciding import wants_to_send
from repeg.workflow.leftovers import has_excess, has_leftovers
from repeg.workflow.turn import begin_turn
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.builders import a_child, an_order
from tests.functions.books import KO, QUIET, UP, Event, book
from tests.functions.desk import RUN_ID, Desk, OpenDesk
from tests.functions.scenes import resting

SHORT_OF_CASH = {"code": 40310000, "message": "insufficient buying power"}
LOST = a_child(state=ChildState.UNKNOWN).model_copy(update={"broker_id": None})


def a_buy(*children: Child, **fields: Any) -> ParentOrder:
    return an_order(Side.BUY, "100", *children, **fields)


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (a_buy(), False),
        (a_buy(a_child()), False),
        (a_buy(a_child(filled="40")), False),
        (a_buy(a_child(qty="60"), a_child(n=2, qty="40")), False),
        (a_buy(a_child(qty="60"), a_child(n=2, qty="41")), True),
        (a_buy(a_child(state=ChildState.FILLED, filled="1"), a_child(n=2)), True),
        (a_buy(a_child(), a_child(n=2, replaces=1)), False),
        (a_buy(a_child(state=ChildState.FILLED, filled="100"), a_child(n=2, replaces=1)), True),
        (a_buy(a_child(state=ChildState.FILLED, filled="99"), a_child(n=2, replaces=1)), False),
        (a_buy(a_child(state=ChildState.FILLED, filled="100"), LOST.model_copy(update={"n": 2})), False),
    ],
)
def test_the_children_at_the_broker_may_fill_no_more_than_is_left(order: ParentOrder, *, found: bool) -> None:
    """A replacement shares its quantity with the order that it replaces. What is only in flight cannot be cancelled."""
    assert has_excess(order) is found


OWNERS = a_child(n=2, replaces=1).model_copy(update={"is_owners": True})
ENDED = {"outcome": Outcome.ENDED_BY_UNKNOWN_HAND}


@pytest.mark.parametrize(
    ("order", "found"),
    [
        (a_buy(a_child()), False),
        (a_buy(a_child(), **ENDED), True),
        (a_buy(a_child(state=ChildState.CANCELLING), **ENDED), True),
        (a_buy(a_child(state=ChildState.CANCELED), **ENDED), False),
        (a_buy(LOST, **ENDED), False),
        (a_buy(a_child(state=ChildState.REPLACED), OWNERS, held=HoldReason.OWNER), False),
        (a_buy(a_child(), OWNERS, held=HoldReason.OWNER), False),
        (a_buy(a_child(), OWNERS, a_child(n=3), held=HoldReason.OWNER), True),
    ],
)
def test_an_order_that_sends_no_more_has_leftovers_of_ours(order: ParentOrder, *, found: bool) -> None:
    """The owner's own order, and what it replaces, are left alone."""
    assert has_leftovers(order) is found


@pytest.mark.parametrize("kill", [KillSwitch.ACTIVE, KillSwitch.HALT_NEW])
def test_an_order_with_nothing_left_to_do_is_cancelled(open_desk: OpenDesk, kill: KillSwitch) -> None:
    """Its market order had been given up, and is filled beside the limit order that followed."""
    desk = open_desk({"AAPL": book(QUIET, until="10:40")})
    desk.begin("buy 20 AAPL", policy="normal", control_share="1", patience_seconds=1_800)
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", path="/v2/orders", delay=17 * 60))
    desk.place()
    desk.turn_at("09:51:30")
    desk.place()
    assert desk.open_at_broker() == ["20 AAPL @ 189.41"]
    desk.wait_until("09:52:50")
    desk.store.set_kill_switch(kill)
    desk.turn_at("09:53:30")
    assert (int(desk.bought()), desk.open_at_broker()) == (20, [])


def two_open(open_desk: OpenDesk, aapl: list[Event] | None = None) -> Desk:
    """40 AAPL to buy, sent twice: the first answer was a refusal, and the broker has the order all the same. It found
    it neither under its id nor in a list when the second was sent."""
    desk = open_desk({"AAPL": aapl or book(QUIET), "KO": KO})
    desk.begin("buy 40 AAPL", "buy 10 KO", min_volume_shares=0)
    refusal = Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=403, body=SHORT_OF_CASH)
    desk.exchange.faults.arm(refusal)
    desk.place()
    desk.wait_until("09:36:31")
    lookup, listing = desk.broker.order, desk.broker.orders_since
    desk.broker.order = lambda client_order_id: None  # type: ignore[method-assign]
    desk.broker.orders_since = lambda day: []  # type: ignore[method-assign]
    desk.place()
    desk.broker.order, desk.broker.orders_since = lookup, listing  # type: ignore[method-assign]
    desk.wait(1)
    assert desk.open_at_broker("AAPL") == ["40 AAPL @ 189.41", "40 AAPL @ 189.42"]
    desk.wait_until("09:36:50")
    return desk


def test_an_order_whose_owner_cancels_one_of_two_has_none_open(open_desk: OpenDesk) -> None:
    desk = two_open(open_desk)
    desk.broker.line.delete(f"/orders/{desk.at_broker('AAPL')[1].id}")
    desk.wait(1)
    desk.turn_at("09:37:00")
    assert (desk.order().outcome, desk.open_at_broker("AAPL")) == (Outcome.ENDED_BY_UNKNOWN_HAND, [])


def test_a_leftover_whose_cancel_is_not_confirmed_is_read_again(open_desk: OpenDesk) -> None:
    desk = two_open(open_desk)
    desk.exchange.races.arm(Race.CANCEL_STUCK, seconds=20)
    order = desk.order().with_child(desk.order().children[0].model_copy(update={"state": ChildState.LIVE}))
    desk.store.save_order(order.done(Outcome.ENDED_BY_UNKNOWN_HAND, "its owner"))
    desk.turn_at("09:37:00")
    assert desk.order().children[0].state is ChildState.CANCELLING
    desk.turn_at("09:37:30")
    assert (desk.order().open_children, desk.open_at_broker("AAPL")) == ((), [])


def test_an_order_whose_owner_moves_one_of_two_has_only_the_owners_open(open_desk: OpenDesk) -> None:
    desk = two_open(open_desk)
    desk.broker.line.patch(f"/orders/{desk.at_broker('AAPL')[1].id}", {"limit_price": "189.35"})
    desk.wait(1)
    desk.turn_at("09:37:00")
    assert [child.is_owners for child in desk.order().open_children] == [True]
    assert desk.open_at_broker("AAPL") == []  # of those under the run's ids
    assert desk.bought() == Decimal(0)


@pytest.mark.parametrize(
    ("fields", "sends"), [({}, True), ({"outcome": Outcome.REJECTED}, False), ({"target": Decimal(39)}, False)]
)
def test_an_order_that_is_only_cancelled_needs_no_room_for_a_move(
    open_desk: OpenDesk, fields: dict[str, Any], *, sends: bool
) -> None:
    """The bid has risen above it."""
    desk = resting(open_desk, book(QUIET, UP))
    desk.wait_until("09:36:30")
    order, quote = desk.order().model_copy(update=fields), desk.ports.market.quotes(["AAPL"])["AAPL"]
    assert wants_to_send(begin_turn(RUN_ID, desk.ports), order, quote) is sends


def test_a_late_rejection_does_not_take_an_order_from_its_owner(open_desk: OpenDesk) -> None:
    """The first request was answered as refused, is listed late, and only as rejected by its venue."""
    desk = two_open(open_desk)
    ours, second = desk.at_broker("AAPL")
    answer: Any = desk.broker.line.patch(f"/orders/{second.id}", {"limit_price": "189.35"})
    desk.wait(1)
    listed = desk.broker.open_orders
    desk.broker.open_orders = lambda: [each for each in listed() if each.broker_id != ours.id]  # type: ignore[method-assign]
    desk.turn_at("09:37:00")
    assert desk.order().held is HoldReason.OWNER

    def rejected(report: Any) -> Any:
        is_it = report.broker_id == ours.id
        return report.model_copy(update={"state": ChildState.REJECTED, "status": "rejected"}) if is_it else report

    desk.broker.open_orders = lambda: [rejected(each) for each in listed()]  # type: ignore[method-assign]
    desk.turn_at("09:37:30")
    desk.broker.line.delete(f"/orders/{ours.id}")
    desk.broker.line.delete(f"/orders/{answer.value['id']}")
    desk.wait(1)
    posts = desk.posts()
    for time in ("09:38:00", "09:38:30"):
        desk.turn_at(time)
        desk.place()
    assert (desk.posts(), desk.order().outcome) == (posts, Outcome.ENDED_BY_OWNER)
