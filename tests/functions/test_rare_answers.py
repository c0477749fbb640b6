"""Rare answers: a lease held by another run, an order that vanished, an unknown end, an address that is no text."""

from __future__ import annotations

from datetime import timedelta

import pytest

from functions.open_run.app import open_run
from repeg.domain.errors import InvalidInput
from repeg.domain.outcome import Outcome
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import AAPL
from tests.functions.desk import EXECUTION, OpenDesk


def test_a_plan_address_that_is_no_text_is_refused_by_name(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    with pytest.raises(InvalidInput, match=r"input\.plan_uri: 7 is not valid; expected an s3:// address"):
        open_run({"plan_uri": 7}, EXECUTION, {}, desk.ports)


def test_buys_wait_a_turn_while_another_run_holds_the_funding_lease(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    now = desk.runtime.now()
    assert desk.store.acquire_funding("other@1", now, now + timedelta(seconds=60))
    desk.place()
    assert (desk.posts(), len(desk.journalled("run", "wait"))) == (0, 1)
    desk.store.release_funding("other@1")
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]


def test_a_resting_order_that_the_broker_does_not_find_is_left_alone(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.place()
    desk.turn_at("09:37")
    hidden = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=r"/v2/orders", status=200, body=[])
    body = {"code": 40410000, "message": "order not found"}
    absent = Fault(kind=Kind.ANSWER_BEFORE, method="GET", path=r"/v2/orders.+", status=404, body=body)
    for fault in (hidden, absent):
        desk.exchange.faults.arm(fault, When(times=None))
    desk.turn_at("09:37:30")
    (child,) = desk.order().children
    assert (child.is_closed, desk.posts()) == (False, 1)
    assert any(child.client_order_id in reason for _, reason in desk.journalled("AAPL", "hold"))


def test_a_run_with_an_order_of_unknown_end_has_failed_and_names_it(open_desk: OpenDesk) -> None:
    desk = open_desk({"AAPL": AAPL})
    desk.begin("buy 40 AAPL")
    desk.place()
    order = desk.order()
    desk.store.save_order(order.done(Outcome.UNKNOWN, "the broker never reported what became of the last order"))
    answer = desk.close()
    assert (answer.outcome, answer.reason) == (
        "failed",
        "outcome unknown: AAPL (the broker never reported what became of the last order)",
    )
