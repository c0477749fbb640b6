"""The meaning of each order status of the API."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from alpaca.trading.enums import OrderStatus  # noqa: TID251 - the words of the API

from repeg.adapters.alpaca import parsing
from tests.adapters.brokers import an_order_row


def test_every_status_of_the_api_has_a_meaning() -> None:
    assert set(parsing.STATE_OF_STATUS) == {status.value for status in OrderStatus}


@pytest.mark.parametrize("status", ["done_for_day", "calculated"])
@pytest.mark.parametrize(("filled", "state"), [("0", "expired"), ("39.5", "expired"), ("40", "filled")])
def test_the_end_of_a_day_ends_a_day_order(status: str, filled: str, state: str) -> None:
    row = {**an_order_row(), "status": status, "qty": "40", "filled_qty": filled}
    assert parsing.report(row).state == state


@pytest.mark.parametrize("status", ["suspended", "stopped", "held", "pending_review", "accepted_for_bidding", "later"])
def test_an_interrupted_or_unknown_status_leaves_an_order_open(status: str) -> None:
    assert not parsing.report({**an_order_row(), "status": status}).is_closed


@pytest.mark.parametrize(("status", "state"), [("pending_cancel", "cancelling"), ("pending_replace", "live")])
def test_an_order_whose_end_is_pending_may_still_fill(status: str, state: str) -> None:
    report = parsing.report({**an_order_row(), "status": status})
    assert (report.state, report.is_closed) == (state, False)


def canceled_at(raw: object) -> datetime | None:
    """The time of the cancel of an order with this field."""
    return parsing.report({**an_order_row(), "canceled_at": raw}).canceled_at


def test_the_time_of_a_cancel_is_read() -> None:
    canceled, working = canceled_at("2026-03-05T12:00:01.123456789-05:00"), canceled_at(None)
    assert canceled == datetime(2026, 3, 5, 17, 0, 1, 123456, tzinfo=UTC)
    assert working is None


@pytest.mark.parametrize("raw", ["", "yesterday", "2026-03-05T12:00:00", "0000-00-00T00:00:00Z", 17, {}, [], True])
def test_a_cancel_time_that_cannot_be_read_counts_as_none(raw: object) -> None:
    """The order is read all the same: nothing but whose cancel it was depends on it."""
    assert canceled_at(raw) is None
