"""What is read of the broker's lists for orders that it does not find, and what their ends say of them."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest

from repeg.adapters.eventbridge import EventsUnavailable
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerDenied, BrokerUnavailable, RepegError, StillOpen
from repeg.domain.outcome import Outcome
from repeg.domain.steps import StepFailure
from repeg.workflow.broker_lists import Once
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import QUIET, UP, book
from tests.functions.desk import PREFIX, Desk, OpenDesk, holding
from tests.functions.scenes import NOT_FOUND
from tests.functions.test_unseen_trades import (
    ACTIVITIES,
    BY_ID,
    LOST,
    OWNERS,
    SOLD,
    STEADY,
    UNANSWERED,
    alerts,
    hide,
    show_by_broker_id_alone,
    unanswered,
)

SYMBOLS = [f"S{letter}" for letter in "ABCDEFGHIJKLMNOPQRST"]
NOT_ALLOWED = {"code": 42210000, "message": "asset not allowed"}
NO_CASH = {"code": 40310000, "message": "insufficient buying power"}
REFUSED = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=403, body=NO_CASH)
WRONGLY_REFUSED = Fault(kind=Kind.ANSWER_AFTER, method="POST", path="/v2/orders", status=403, body=NO_CASH)
NEVER_SENT = Fault(kind=Kind.ANSWER_BEFORE, method="POST", path="/v2/orders", status=502, body={})
DOWN = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=ACTIVITIES, status=500, body={})


def many(open_desk: OpenDesk, side: str, fault: Fault, **settings: str) -> Desk:
    """Twenty orders whose requests at 09:36 meet a fault."""
    held = holding(cash="10000000", **dict.fromkeys(SYMBOLS, "10"))
    desk = open_desk(dict.fromkeys(SYMBOLS, STEADY), opening=held)
    desk.begin(*[f"{side} 10 {symbol}" for symbol in SYMBOLS], **settings)
    desk.exchange.faults.arm(fault, When(times=len(SYMBOLS)))
    for _ in range(4):
        desk.place()
    assert desk.posts() == len(SYMBOLS)
    return desk


def read_since(desk: Desk, before: int) -> Counter[str]:
    """How often each list was requested after so many requests."""
    paths = [path.partition("?")[0] for method, path in desk.broker.line.sent[before:] if method == "GET"]
    return Counter(path for path in paths if path in {"/orders", "/account/activities/FILL", "/positions"})


def test_the_lists_are_read_once_for_all_orders_that_were_refused(open_desk: OpenDesk) -> None:
    """The workers ask at the same time, and each answer takes a tenth of a second."""
    desk = many(open_desk, "buy", REFUSED)
    desk.wait_until("09:36:45")
    desk.broker.line.seconds, before = 0.1, len(desk.broker.line.sent)
    desk.place()
    assert read_since(desk, before) == {"/orders": 1, "/account/activities/FILL": 1}


def test_the_lists_are_read_once_for_all_orders_in_flight(open_desk: OpenDesk) -> None:
    desk = many(open_desk, "sell", NEVER_SENT)
    desk.wait_until("09:37:30")
    desk.broker.line.seconds, before = 0.1, len(desk.broker.line.sent)
    desk.repeg()
    desk.wait(1)
    assert len(desk.at_broker()) == len(SYMBOLS)
    # The open orders, and the day's: once for those that are not open, once for those that are not found by their ids.
    assert read_since(desk, before) == {"/orders": 3, "/account/activities/FILL": 1, "/positions": 1}


def test_the_lists_are_read_once_at_the_close(open_desk: OpenDesk) -> None:
    desk = many(open_desk, "buy", REFUSED)
    desk.wait_until("09:39")
    desk.broker.line.seconds, before = 0.1, len(desk.broker.line.sent)
    desk.close()
    assert read_since(desk, before) == {"/orders": 2, "/account/activities/FILL": 2}


def test_a_list_that_cannot_be_read_is_not_read_again_for_each_order(open_desk: OpenDesk) -> None:
    """A refusal stands then, and the order is sent anew."""
    desk = many(open_desk, "buy", REFUSED)
    desk.exchange.faults.arm(DOWN, When(times=None))
    desk.wait_until("09:36:45")
    before = len(desk.broker.line.sent)
    steps = 4
    for _ in range(steps):
        desk.place()
    assert desk.posts() == 2 * len(SYMBOLS)
    assert read_since(desk, before)["/account/activities/FILL"] <= 4 * steps
    desk.wait(1)
    assert len(desk.at_broker()) == len(SYMBOLS)


def test_a_list_that_cannot_be_read_ends_the_watchdogs_look_at_a_run(open_desk: OpenDesk) -> None:
    desk = many(open_desk, "buy", NEVER_SENT)
    desk.wait_until("09:41")
    desk.close()
    desk.exchange.faults.arm(DOWN, When(times=None))
    before = len(desk.broker.line.sent)
    with pytest.raises(BrokerUnavailable):
        desk.watch()
    assert read_since(desk, before)["/account/activities/FILL"] <= 4


def test_an_order_given_up_waits_for_lists_that_can_be_read(open_desk: OpenDesk) -> None:
    """The broker may have executed it, unlike one that it has refused."""
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL", policy="market")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    desk.turn_at("09:51:30")
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED
    desk.exchange.faults.arm(DOWN, When(times=None))
    desk.wait_until("09:52")
    desk.place()
    assert desk.posts() == 1
    desk.exchange.faults.disarm()
    desk.place()
    assert desk.posts() == 2


def test_an_order_in_flight_waits_for_lists_that_can_be_read(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    desk.exchange.faults.arm(DOWN, When(times=None))
    desk.turn_at("09:37:05")
    assert desk.posts() == 1
    desk.exchange.faults.disarm()
    desk.turn_at("09:37:35")
    assert desk.posts() == 2


def test_orders_that_have_traded_unseen_do_not_pause_each_turn(open_desk: OpenDesk) -> None:
    """The pause before a market order is given up is for one that has not traded."""
    desk = many(open_desk, "buy", UNANSWERED, policy="market", use_async_execution="false")
    desk.wait(1)
    for order in desk.at_broker():
        order.is_forgotten = True
    desk.wait_until("09:51:30")
    began = desk.runtime.now()
    desk.repeg()
    assert desk.runtime.now() - began < timedelta(seconds=1)
    assert {order.children[0].state for order in desk.store.orders(desk.run_id)} == {ChildState.UNKNOWN}


@pytest.mark.parametrize("is_before_the_close", [True, False])
def test_a_wrongly_refused_order_that_an_execution_leads_to_is_booked(
    open_desk: OpenDesk, is_before_the_close: bool
) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(WRONGLY_REFUSED)
    desk.place()
    show_by_broker_id_alone(desk)
    if not is_before_the_close:
        hide(desk, ACTIVITIES)
    desk.wait_until("09:38:05")
    desk.close()
    desk.exchange.faults.disarm()
    desk.exchange.faults.arm(BY_ID, When(times=None))
    hide(desk, "/v2/orders")
    desk.watch()
    assert (desk.row()["outcome"], desk.row()["filled_qty"], desk.report["outcome"]) == ("filled", "40", "settled")
    desk.judge()


def test_a_child_that_is_lost_after_a_failed_run_is_told_once(open_desk: OpenDesk) -> None:
    """Another child has filled its order, so that no other figure of the report changes."""
    desk = unanswered(open_desk, "buy 40 AAPL", SOLD, policy="market")
    first = str(desk.at_broker()[0].id)

    def without_the_first(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        return [row for row in rows if row["order_id"] != first]

    lagging = Fault(kind=Kind.REWRITE, method="GET", path=ACTIVITIES, rewrite=without_the_first)
    desk.exchange.faults.arm(lagging, When(times=None))
    for time in ("09:51:30", "09:52"):
        desk.turn_at(time)
        desk.place()
    desk.turn_at("09:53")
    desk.close(StepFailure(Error="States.Timeout", Cause="too long"))
    assert alerts(desk) == []
    desk.exchange.faults.disarm()
    for _ in range(3):
        desk.watch()
    assert alerts(desk) == [f"AAPL: {LOST}"]
    assert (desk.report["error"], desk.report["reason"]) == ("States.Timeout", f"too long; {LOST}")


def test_an_order_ended_by_refusals_is_unknown_if_it_has_traded(open_desk: OpenDesk) -> None:
    """Of three refused children only the one is lost that was decided last before the trade."""
    desk = open_desk({"AAPL": book(QUIET, prints=("09:37:10 40 @ 189.41 sold",), until="10:30")})
    desk.begin("buy 40 AAPL")
    for time, kind in (
        ("09:36", Kind.ANSWER_BEFORE),
        ("09:36:30", Kind.ANSWER_BEFORE),
        ("09:37", Kind.ANSWER_AFTER),
    ):
        desk.wait_until(time)
        desk.exchange.faults.arm(Fault(kind=kind, method="POST", path="/v2/orders", status=422, body=NOT_ALLOWED))
        desk.place()
    (order,) = desk.at_broker()
    order.is_forgotten = True
    assert desk.order().outcome is Outcome.REJECTED
    desk.wait_until("09:39")
    assert desk.close().error == "Unexplained"
    states = [child.state for child in desk.order().children]
    assert states == [ChildState.REFUSED, ChildState.REFUSED, ChildState.LOST]
    assert desk.row()["outcome"] == "unknown"
    assert [reason.count(PREFIX) for reason in alerts(desk)] == [1]


def test_a_lost_order_that_is_found_before_its_report_has_its_own_outcome(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The alert could not be published, so that the run is closed once more."""
    partly = book(QUIET, prints=("09:36:10 15 @ 189.41 sold",), until="10:30")
    desk = unanswered(open_desk, "buy 40 AAPL", partly)
    desk.wait_until("09:38:05")

    def fails(kind: str, detail: object) -> None:
        raise EventsUnavailable(kind)

    with monkeypatch.context() as down:
        down.setattr(desk.notifier, "publish", fails)
        with pytest.raises(EventsUnavailable):
            desk.close()
    assert desk.order().outcome is Outcome.UNKNOWN
    desk.at_broker()[0].is_forgotten = False
    desk.wait(5)
    answer = desk.close()
    assert answer.outcome == "settled"
    assert (desk.row()["outcome"], desk.row()["filled_qty"]) == ("partial_deadline", "15")
    assert desk.bought() == Decimal(15)


def test_a_run_stays_open_while_its_lists_cannot_be_read(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    listing = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders", status=500, body={})
    listed = desk.broker.open_orders()
    desk.broker.open_orders = lambda: listed  # type: ignore[method-assign]
    desk.exchange.faults.arm(listing, When(times=None))
    desk.wait_until("09:38:05")
    with pytest.raises(StillOpen):
        desk.close()
    desk.exchange.faults.disarm()
    assert desk.close().outcome == "settled"
    assert desk.order().children[0].state is ChildState.NEVER_ARRIVED


def test_the_lists_are_not_read_while_an_order_may_still_arrive(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    for time, executions in (("09:36:30", 0), ("09:36:59", 0), ("09:37", 1)):
        before = len(desk.broker.line.sent)
        desk.turn_at(time)
        assert read_since(desk, before)["/account/activities/FILL"] == executions


def test_the_trades_of_another_symbol_or_side_say_nothing_of_an_order(open_desk: OpenDesk) -> None:
    """The broker shows neither of the orders that have traded."""
    desk = open_desk({"AAPL": SOLD, "KO": STEADY}, opening=holding(AAPL="5"))
    desk.begin("buy 40 AAPL")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    for terms in ({**OWNERS, "side": "sell"}, {**OWNERS, "symbol": "KO", "side": "buy"}):
        desk.broker.line.post("/orders", terms)
    desk.wait(1)
    for order in desk.exchange.account.orders.by_id.values():
        order.is_forgotten = True
    desk.turn_at("09:37:05")
    desk.wait(1)
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


@pytest.mark.parametrize("is_child", [True, False], ids=["of an earlier child", "of a listed order"])
def test_a_trade_whose_order_is_known_is_not_asked_about(open_desk: OpenDesk, is_child: bool) -> None:
    """The broker does not show the order by its own id any more."""
    desk = open_desk({"AAPL": book(QUIET, UP, prints=("09:36:10 15 @ 189.41 sold",), until="10:30")})
    desk.begin("buy 40 AAPL")
    if is_child:
        desk.place()
        desk.exchange.faults.arm(NEVER_SENT)
        desk.turn_at("09:36:30")
        (first, *_) = desk.at_broker()
        first.is_forgotten = True
    else:
        desk.exchange.faults.arm(NEVER_SENT)
        desk.place()
        desk.broker.line.post("/orders", {**OWNERS, "side": "buy"})
        by_id = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path="/v2/orders/.+", status=404, body=NOT_FOUND)
        desk.exchange.faults.arm(by_id, When(times=None))
    desk.turn_at("09:38")
    assert [reason for _, reason in desk.journalled("AAPL", "resend")] == ["never seen at the broker"]


def test_an_order_refused_after_one_given_up_waits_for_the_lists(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": SOLD})
    desk.begin("buy 40 AAPL", policy="market")
    desk.exchange.faults.arm(NEVER_SENT)
    desk.place()
    desk.turn_at("09:51:30")
    desk.exchange.faults.arm(REFUSED)
    desk.place()
    assert [child.state for child in desk.order().children] == [ChildState.NEVER_ARRIVED, ChildState.REFUSED]
    desk.exchange.faults.arm(DOWN, When(times=None))
    desk.wait_until("09:53")
    desk.place()
    assert desk.posts() == 2


@pytest.mark.parametrize("policy", ["normal", "market"])
def test_an_order_that_only_the_list_shows_has_none_sent_anew(open_desk: OpenDesk, policy: str) -> None:
    desk = open_desk({"AAPL": STEADY})
    desk.begin("buy 40 AAPL", policy=policy, min_volume_shares=0)
    desk.exchange.faults.arm(WRONGLY_REFUSED)
    desk.place()
    desk.exchange.faults.arm(BY_ID, When(times=None))
    desk.wait_until("09:37:30")
    desk.place()
    assert (desk.posts(), len(desk.at_broker())) == (1, 1)
    assert desk.order().children[0].broker_id == str(desk.at_broker()[0].id)


@pytest.mark.parametrize("error", [BrokerUnavailable, BrokerDenied])
def test_a_request_that_has_failed_is_not_sent_again(error: type[RepegError]) -> None:
    sent: list[int] = []

    def fails() -> int:
        sent.append(1)
        raise error("no answer")

    request = Once(fails)
    for _ in range(2):
        with pytest.raises(error, match="no answer"):
            request()
    assert sent == [1]


def test_a_request_without_a_result_is_sent_once() -> None:
    sent: list[int] = []
    request = Once(lambda: sent.append(1))
    assert [request(), request(), sent] == [None, None, [1]]
