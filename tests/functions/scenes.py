"""Common scenes: runs whose orders already rest at the broker, and an order that is lost as its run ends."""

from __future__ import annotations

from typing import Any

import pytest

from repeg.domain.child_order import ChildState
from repeg.domain.errors import StillOpen
from repeg_workbench.exchange.faults.transport_faults import Fault, Kind
from repeg_workbench.exchange.triggers import When
from tests.functions.books import KO, QUIET, Event, book
from tests.functions.desk import Desk, OpenDesk, holding

SOLD_INTO = book(QUIET, prints=("09:36:10 15 @ 189.41 sold",))
"""Fifteen of our shares are filled at 09:36:10."""
NOT_FOUND = {"code": 40410000, "message": "order not found"}


def resting(open_desk: OpenDesk, events: list[Event] | None = None, **settings: Any) -> Desk:
    """40 AAPL to buy, resting at 189.41 since 09:36."""
    desk = open_desk({"AAPL": events or book(QUIET)})
    desk.begin("buy 40 AAPL", **settings)
    desk.place()
    assert desk.open_at_broker() == ["40 AAPL @ 189.41"]
    return desk


def half_filled(open_desk: OpenDesk, **options: Any) -> Desk:
    """40 AAPL to buy, of which 15 are filled, and 100 KO to sell, resting, at 09:36:20."""
    desk = open_desk({"AAPL": SOLD_INTO, "KO": KO}, opening=holding(KO="100"), **options)
    desk.begin("buy 40 AAPL", "sell all KO")
    desk.place()
    desk.wait_until("09:36:20")
    return desk


def vanish(desk: Desk) -> None:
    """The broker no longer shows or finds any order."""
    paths = (("GET", "/v2/orders:by_client_order_id"), ("GET", "/v2/orders/.+"), ("DELETE", "/v2/orders/.+"))
    for method, path in paths:
        fault = Fault(kind=Kind.ANSWER_BEFORE, method=method, path=path, status=404, body=NOT_FOUND)
        desk.exchange.faults.arm(fault, When(times=None))
    empty = Fault(kind=Kind.REWRITE, method="GET", path="/v2/orders", rewrite=lambda rows: [])
    desk.exchange.faults.arm(empty, When(times=None))


def require_lost_only_at_the_end(desk: Desk) -> None:
    """The run stays open until the broker's books are final, and fails then, with its order lost."""
    for time in ("09:39", "16:19:50"):
        desk.wait_until(time)
        with pytest.raises(StillOpen):
            desk.close()
    desk.wait_until("16:20")
    assert desk.close().error == "Unexplained"
    assert desk.order().children[0].state is ChildState.LOST
