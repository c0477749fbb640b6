"""The ports' contract under missing or malformed answers, run on the twin and on alpaca-py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from repeg.domain.broker import Accepted, CancelAnswer, Unknown
from repeg.domain.child_order import ChildState
from repeg.domain.errors import BrokerUnavailable
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from tests.contracts.desks import Desk
from tests.contracts.words import a_change, an_intent, an_order

INTENT = an_intent(an_order())
LOST = [
    Fault(kind=Kind.RESET_AFTER, method="POST"),
    Fault(kind=Kind.HANG_AFTER, method="POST"),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=504),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=500, body={"code": 50010000, "message": "internal"}),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=429, body={"code": 42910000, "message": "slow down"}),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=200, body="<html>welcome</html>"),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=200, body=""),
    Fault(kind=Kind.ANSWER_AFTER, method="POST", status=301, body=""),
]
NEVER_SENT = [
    Fault(kind=Kind.RESET_BEFORE, method="POST"),
    Fault(kind=Kind.HANG_BEFORE, method="POST"),
    Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=503),
    Fault(kind=Kind.ANSWER_BEFORE, method="POST", status=404, body="<html>"),
]


@pytest.mark.parametrize("fault", LOST, ids=lambda fault: f"{fault.kind} {fault.status}")
def test_an_order_whose_answer_was_lost_is_found_by_its_id(desk: Desk, fault: Fault) -> None:
    desk.exchange.faults.arm(fault)
    assert isinstance(desk.broker.submit(INTENT), Unknown)
    desk.pass_time()
    report = desk.broker.order(INTENT.client_order_id)
    assert report is not None
    assert report.state is ChildState.LIVE
    assert len(desk.exchange.account.orders.by_id) == 1


@pytest.mark.parametrize("fault", NEVER_SENT, ids=lambda fault: f"{fault.kind} {fault.status}")
def test_an_order_that_never_arrived_can_be_resent(desk: Desk, fault: Fault) -> None:
    desk.exchange.faults.arm(fault)
    assert isinstance(desk.broker.submit(INTENT), Unknown)
    desk.pass_time()
    assert desk.broker.order(INTENT.client_order_id) is None
    assert isinstance(desk.broker.submit(INTENT), Accepted)


def test_a_late_order_and_its_resend_create_one_order(desk: Desk) -> None:
    desk.exchange.faults.arm(Fault(kind=Kind.LATE, method="POST", seconds=30, delay=10))
    assert isinstance(desk.broker.submit(INTENT), Unknown)
    assert isinstance(desk.broker.submit(INTENT), Accepted)
    desk.pass_time(20)
    assert len(desk.exchange.account.orders.by_id) == 1


def test_a_read_survives_only_one_lost_connection(desk: Desk) -> None:
    desk.broker.submit(INTENT)
    desk.exchange.faults.arm(Fault(kind=Kind.RESET_BEFORE, method="GET"))
    assert desk.broker.order(INTENT.client_order_id) is not None
    desk.exchange.faults.arm(Fault(kind=Kind.RESET_BEFORE, method="GET"))
    desk.exchange.faults.arm(Fault(kind=Kind.RESET_AFTER, method="GET"))
    with pytest.raises(BrokerUnavailable):
        desk.broker.order(INTENT.client_order_id)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(kind=Kind.HANG_BEFORE, method="GET"),
        Fault(kind=Kind.ANSWER_BEFORE, method="GET", status=502),
        Fault(kind=Kind.ANSWER_BEFORE, method="GET", status=404, body="<html>"),
        Fault(kind=Kind.ANSWER_AFTER, method="GET", status=200, body="<html>"),
        Fault(kind=Kind.ANSWER_AFTER, method="GET", status=200, body=""),
        Fault(kind=Kind.ANSWER_AFTER, method="GET", status=307, body=""),
    ],
    ids=lambda fault: f"{fault.kind} {fault.status}",
)
def test_a_read_without_a_valid_answer_raises_unavailable(desk: Desk, fault: Fault) -> None:
    """It never returns None, which would mean that the order does not exist."""
    desk.broker.submit(INTENT)
    desk.exchange.faults.arm(fault)
    with pytest.raises(BrokerUnavailable):
        desk.broker.order(INTENT.client_order_id)


@pytest.mark.parametrize("kind", [Kind.RESET_AFTER, Kind.HANG_AFTER])
def test_a_cancel_whose_answer_was_lost_is_resolved_by_a_read(desk: Desk, kind: Kind) -> None:
    answer = desk.broker.submit(INTENT)
    assert isinstance(answer, Accepted)
    desk.pass_time()
    desk.exchange.faults.arm(Fault(kind=kind, method="DELETE"))
    assert desk.broker.cancel(answer.report.broker_id) is CancelAnswer.UNKNOWN
    desk.pass_time()
    report = desk.broker.order(INTENT.client_order_id)
    assert report is not None
    assert report.state is ChildState.CANCELED


def test_a_replacement_whose_answer_was_lost_is_found_by_its_id(desk: Desk) -> None:
    answer = desk.broker.submit(INTENT)
    assert isinstance(answer, Accepted)
    desk.pass_time()
    desk.exchange.faults.arm(Fault(kind=Kind.ANSWER_AFTER, method="PATCH", status=504))
    assert isinstance(desk.broker.replace(answer.report.broker_id, a_change("189.42", "rp-next")), Unknown)
    desk.pass_time()
    report = desk.broker.order("rp-next")
    assert report is not None
    assert report.limit == Decimal("189.42")


@pytest.mark.parametrize(
    "rewrite",
    [
        "unknown_status",
        "unknown_asset_class",
        "unknown_exchange",
        "null_submitted_at",
        "null_created_at",
        "numbers_for_strings",
    ],
)
def test_unknown_field_values_do_not_hide_open_orders(desk: Desk, rewrite: str) -> None:
    desk.broker.submit(INTENT)
    desk.broker.submit(an_intent(an_order("F"), qty="1", limit="12.00"))
    desk.pass_time()
    desk.exchange.faults.arm(Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=rewrite))
    assert [(order.symbol, order.is_closed) for order in desk.broker.open_orders()] == [("AAPL", False), ("F", False)]


@pytest.mark.parametrize(
    ("rewrite", "kept"), [("quote_null_price", True), ("quote_null", False), ("quote_absent", False)]
)
def test_a_quote_with_null_fields_is_one_sided_or_absent(desk: Desk, rewrite: str, kept: bool) -> None:
    desk.exchange.faults.arm(Fault(kind=Kind.REWRITE, path="/v2/stocks/quotes/latest", rewrite=rewrite))
    quotes = desk.market.quotes(["AAPL"])
    assert ("AAPL" in quotes) is kept
    assert all(quote.ask == 0 for quote in quotes.values())
