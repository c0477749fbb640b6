"""Order families: bracket, one-cancels-other, one-triggers-other."""

from dataclasses import dataclass, replace
from typing import Protocol

from repeg_workbench.exchange.broker.orders import Order, Status, Terms
from repeg_workbench.exchange.broker.records import Records


class OrderActions(Protocol):
    """The actions of a family on its members, implemented by the floor."""

    def work(self, order: Order, at: int) -> None:
        """Enter a working order into the book, or watch its stop price."""

    def finish(self, order: Order, status: Status, at: int, reason: str = "") -> bool:
        """End an order and its family."""

    def retire(self, order: Order, status: Status, at: int, reason: str = "") -> bool:
        """End an order, but not its family."""


@dataclass
class Families:
    """Applies the effects of one member's events on the rest of its family."""

    records: Records
    actions: OrderActions

    def started(self, order: Order, at: int) -> None:
        """Start watching the stop of a one-cancels-other pair when its twin starts working."""
        if order.terms.order_class == "oco":
            for leg in order.legs:
                leg.is_working = True
                self.actions.work(leg, at)

    def filled(self, order: Order, at: int) -> None:
        """Activate the exits of a filled entry; end the twin of a filled exit."""
        if order.legs and order.terms.order_class != "oco":
            records = self.records
            for leg in order.legs:
                records.timers.at(at + records.draws.delay(records.quirks.ack_delay), self._activate, leg)
            return
        self._end_twins(order, Status.CANCELED, at)

    def ended(self, order: Order, status: Status, at: int) -> None:
        """End the rest of the family when one member ends unfilled."""
        self._end_twins(order, status if status is Status.EXPIRED else Status.CANCELED, at)

    def triggered(self, stop: Order, at: int) -> None:
        """End the twin of a triggered stop and move its unfilled quantity to the stop."""
        for twin in _twins(stop):
            if twin.is_open:
                self.actions.retire(twin, Status.CANCELED, at)
                self.records.set_hold(twin, 0, 0, at)
                stop.quantity = min(stop.quantity or 0, twin.remaining)

    def _activate(self, at: int, leg: Order) -> None:
        if leg.status is not Status.HELD:
            return
        records = self.records
        leg.is_working = True
        if any(twin.terms.type == "limit" for twin in _twins(leg)):
            self.actions.work(leg, at)
            return
        portfolio, symbol = records.account.portfolio, leg.terms.symbol
        is_exit = portfolio.quantity(symbol) * leg.terms.side < 0
        if not is_exit or (leg.quantity or 0) > portfolio.available(symbol):
            self.actions.finish(leg, Status.REJECTED, at, "position is no longer there")
            return
        records.move(leg, Status.NEW, at)
        records.hold(leg, at)
        self.actions.work(leg, at)

    def _end_twins(self, order: Order, status: Status, at: int) -> None:
        for twin in [*order.legs, *_twins(order)]:
            if twin.is_open and twin is not order:
                self.actions.finish(twin, status, at)


def leg_terms(terms: Terms) -> list[Terms]:
    """The terms of an order's exits: take-profit first, then stop-loss."""
    if not terms.is_advanced:
        return []
    exits = replace(
        terms,
        side=-terms.side,
        client_order_id=None,
        limit=None,
        stop=None,
        take_profit=None,
        stop_loss=None,
        stop_loss_limit=None,
        notional=None,
        extended_hours=False,
    )
    legs = []
    if terms.take_profit is not None and terms.order_class != "oco":
        legs.append(replace(exits, type="limit", limit=terms.take_profit))
    if terms.stop_loss is not None:
        kind = "stop" if terms.stop_loss_limit is None else "stop_limit"
        side = terms.side if terms.order_class == "oco" else -terms.side
        legs.append(replace(exits, type=kind, side=side, stop=terms.stop_loss, limit=terms.stop_loss_limit))
    return legs


def _twins(order: Order) -> list[Order]:
    """The alternatives to this order: the other exits of its parent, and for a one-cancels-other pair the parent."""
    parent = order.parent
    if parent is None:
        return []
    others = [leg for leg in parent.legs if leg is not order]
    return [*others, parent] if parent.terms.order_class == "oco" else others
