"""The order desk: accepts orders and cancels that have passed every check, and ends sessions."""

from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.broker.families import leg_terms
from repeg_workbench.exchange.broker.floor import Floor
from repeg_workbench.exchange.broker.orders import Order, Status, Terms
from repeg_workbench.exchange.broker.races import Race
from repeg_workbench.exchange.broker.rules import reserve_price, size
from repeg_workbench.exchange.broker.spans import ends_at, starts_at
from repeg_workbench.exchange.broker_quirks import Milliseconds

_AUCTIONS: Final = frozenset({"opg", "cls"})
_FINAL_FOR_TODAY: Final = frozenset({Status.DONE_FOR_DAY, Status.CALCULATED})


@dataclass
class Desk:
    """Starts and ends orders. `at` is the present time and never decreases."""

    floor: Floor

    def __post_init__(self) -> None:
        self.records = self.floor.records
        self.hours = self.floor.hours
        self.timers = self.records.timers
        self.quirks = self.records.quirks
        self.draws = self.records.draws

    def submit(self, terms: Terms, at: int, *, is_closing: bool) -> Order:
        """Accept an order and route it to the venue."""
        order = self.create(terms, at, is_closing=is_closing)
        self.records.add(order, at)
        for leg in leg_terms(terms):
            order.legs.append(self._create_leg(leg, order, at))
        self._send(order, at)
        return order

    def create(self, terms: Terms, at: int, *, is_closing: bool) -> Order:
        """A new order that is not in the records yet."""
        is_queued = starts_at(terms, self.hours, at) > at or self.quirks.accepted_status == "accepted"
        order = self.new_order(terms, Status.ACCEPTED if is_queued else Status.PENDING_NEW, at)
        order.is_closing = is_closing
        order.quantity = size(terms, self.floor.venue, at)
        order.reserve_price = 0 if is_closing else reserve_price(terms, self.floor.venue, at)
        return order

    def cancel(self, order: Order, at: int) -> None:
        """Request an order's cancel; the order may still execute until the cancel completes."""
        delay = self._cancel_delay(order, at)
        if delay == 0:
            self.floor.finish(order, Status.CANCELED, at)
            return
        self.records.move(order, Status.PENDING_CANCEL, at)
        self.timers.at(at + delay, self._complete_cancel, order)

    def cancel_first(self, order: Order, at: int) -> None:
        """End an order as another hand's cancel does that arrives just before one of its own."""
        if order.in_book and order.is_working and self.floor.races.is_lost(Race.CANCELED_FIRST, order):
            self.floor.finish(order, Status.CANCELED, at)

    def open_session(self, at: int) -> None:
        """Enter the working orders that waited for the session into the book."""
        for order in self._open_orders():
            if order.is_working and not order.in_book:
                self.floor.work(order, at)

    def end_session(self, at: int) -> None:
        """Expire the orders that are due; take the others out of the book until their next session."""
        for order in self._open_orders():
            if order.in_book and (order.expires_at <= at or starts_at(order.terms, self.hours, at) > at):
                # The session is half open: market events at the closing instant are not part of it.
                self.floor.leave(order, at - 1)
        for order in self._open_orders():
            if order.is_open and order.expires_at <= at and order.status not in _FINAL_FOR_TODAY:
                self._expire(order, at)

    def schedule_sweep(self, order: Order) -> None:
        """Schedule the broker's cancel of a good-till-canceled order after 90 days."""
        if order.terms.time_in_force == "gtc":
            self.timers.at(order.expires_at, self._sweep, order)

    def _open_orders(self) -> list[Order]:
        return list(self.records.account.orders.open.values())

    def new_order(self, terms: Terms, status: Status, at: int) -> Order:
        """An order with its id and times only."""
        order = Order(
            id=self.draws.uuid(),
            client_order_id=terms.client_order_id or self.draws.uuid(),
            terms=terms,
            quantity=terms.quantity,
            status=status,
            created_at=at,
            submitted_at=at,
            updated_at=at,
            expires_at=ends_at(terms, self.hours, at),
        )
        order.listed_at = at + self._lag(Race.LATE_IN_LISTS, order, self.quirks.list_lag)
        order.findable_at = at + self._lag(Race.LATE_BY_CLIENT_ID, order, self.quirks.client_id_lag)
        return order

    def _lag(self, race: Race, order: Order, default: Milliseconds) -> int:
        late = self.floor.races.delay(race, order)
        return self.draws.delay(default) if late is None else late

    def _create_leg(self, terms: Terms, parent: Order, at: int) -> Order:
        leg = self.new_order(terms, Status.HELD, at)
        leg.parent, leg.is_closing = parent, True
        self.records.add(leg, at)
        return leg

    def _send(self, order: Order, at: int) -> None:
        start = starts_at(order.terms, self.hours, at)
        self.schedule_sweep(order)
        if start > at:
            self.timers.at(start, self._route, order)
        elif self.quirks.accepted_status == "new":
            self.floor.acknowledge(at, order)
        else:
            self.timers.at(at + self.draws.delay(self.quirks.ack_delay), self.floor.acknowledge, order)

    def _route(self, at: int, order: Order) -> None:
        if not order.is_open:
            return
        is_auction = order.terms.time_in_force in _AUCTIONS
        if is_auction and self.quirks.auction_orders == "expire":
            self.floor.finish(order, Status.EXPIRED, at)
            return
        if order.status is Status.ACCEPTED:
            self.records.move(order, Status.PENDING_NEW, at)
        if is_auction:
            self.floor.acknowledge(at, order)
        else:
            self.timers.at(at + self.draws.delay(self.quirks.ack_delay), self.floor.acknowledge, order)

    def _cancel_delay(self, order: Order, at: int) -> int:
        stuck = self.floor.races.delay(Race.CANCEL_STUCK, order)
        if stuck is not None:
            return stuck
        start = starts_at(order.terms, self.hours, at)
        if start > at and not order.in_book:
            return 0 if self.quirks.cancel_while_closed == "immediate" else start - at
        return self.draws.delay(self.quirks.cancel_delay)

    def _complete_cancel(self, at: int, order: Order) -> None:
        if order.in_book and self.floor.races.is_lost(Race.CANCEL_LOSES, order):
            self.floor.force(order, order.remaining, at)
        else:
            self.floor.finish(order, Status.CANCELED, at)

    def _expire(self, order: Order, at: int) -> None:
        is_canceled = order.executed and self.quirks.partial_day_status == "canceled"
        self.floor.finish(order, Status.CANCELED if is_canceled else Status.EXPIRED, at)

    def _sweep(self, at: int, order: Order) -> None:
        if order.is_open:
            self.floor.finish(order, Status.CANCELED, at)
