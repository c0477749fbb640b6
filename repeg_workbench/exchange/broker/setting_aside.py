"""Rare states of an order, set from outside: statuses that the broker itself never reaches here, and lost orders."""

from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.broker.floor import Floor
from repeg_workbench.exchange.broker.orders import ASIDE, Order, Status
from repeg_workbench.exchange.refusal import Refusal

WORKING: Final = "working"
"""In place of a status: back to the book."""

_ELIGIBLE: Final = ASIDE | {Status.ACCEPTED, Status.PENDING_NEW, Status.NEW, Status.PARTIALLY_FILLED}


@dataclass
class SettingAside:
    """Takes open orders out of the market and back, and makes the broker forget them. `at` is the present time."""

    floor: Floor

    def put(self, order: Order, status: Status, at: int) -> None:
        """Give a working order a rare status: it leaves the book and keeps its holds. Raises Refusal."""
        self._require_eligible(order)
        if not self.floor.leave(order, at):
            raise Refusal.unprocessable("the order has been filled")
        if order.status is not status:
            self.floor.records.move(order, status, at)
        order.is_aside = True

    def resume(self, order: Order, at: int) -> None:
        """Send an order that was set aside to the market again; one being cancelled stays so. Raises Refusal."""
        if not order.is_aside or not order.is_open:
            raise Refusal.unprocessable("the order is not set aside")
        order.is_aside, order.is_working = False, True
        if order.status is not Status.PENDING_CANCEL:
            self.floor.records.move(order, order.resting_status, at)
        self.floor.work(order, at)

    def _require_eligible(self, order: Order) -> None:
        is_settling = order.replaces is not None and not order.is_working
        if order.status not in _ELIGIBLE or order.parent is not None or order.legs or is_settling:
            raise Refusal.unprocessable(f"an order in {order.status} status, or with legs, cannot be set aside")
