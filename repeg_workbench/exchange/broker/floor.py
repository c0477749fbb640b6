"""The trading floor: orders reach the venue, rest, trigger, execute and leave."""

from dataclasses import dataclass, replace
from typing import Final

from repeg_workbench.exchange.broker.families import Families
from repeg_workbench.exchange.broker.orders import BUY, Order, Status, Terms, quantity_for
from repeg_workbench.exchange.broker.races import Race, Races
from repeg_workbench.exchange.broker.records import Records
from repeg_workbench.exchange.broker.spans import starts_at
from repeg_workbench.exchange.matching.symbol_book import BookOrder, Fill
from repeg_workbench.exchange.matching.venue import Trail, Venue
from repeg_workbench.exchange.time.hours import TradingHours
from repeg_workbench.exchange.units import QTY_SCALE

_AUCTIONS: Final = frozenset({"opg", "cls"})
_AT_ONCE: Final = frozenset({"ioc", "fok"}) | _AUCTIONS


@dataclass
class Floor:
    """Handles orders between acceptance and their end. `at` is the present time and never decreases."""

    records: Records
    venue: Venue
    hours: TradingHours
    races: Races

    def __post_init__(self) -> None:
        self.families = Families(self.records, self)

    def acknowledge(self, at: int, order: Order) -> None:
        """Make an order working at the venue, even if its cancel is pending."""
        if not order.is_open or order.is_working:
            return
        order.is_working = True
        if order.is_aside:
            return
        if self.races.is_lost(Race.REJECTED_LATER, order):
            self.finish(order, Status.REJECTED, at, "rejected by the venue")
            return
        if order.status in {Status.PENDING_NEW, Status.ACCEPTED}:
            self.records.move(order, Status.NEW, at)
        self.work(order, at)
        self.families.started(order, at)

    def work(self, order: Order, at: int) -> None:
        """Enter a working order into the book, or watch its stop price; outside its session, leave it waiting."""
        if order.is_aside or not self._is_in_hours(order, at):
            return
        if order.terms.type in {"market", "limit"} or order.is_triggered:
            self._enter(order, at)
        else:
            self.watch(order, at)

    def watch(self, order: Order, at: int) -> None:
        """Schedule the instant at which the tape triggers a stop, if it does today."""
        terms, venue = order.terms, self.venue
        if terms.is_trailing:
            order.high_water, order.watched_at = order.high_water or venue.price(terms.symbol, at), at
            trail = Trail(terms.trail_price, terms.trail_percent)
            due = venue.trail_trigger(terms.symbol, terms.side, trail, order.high_water, at)
        else:
            due = venue.trigger(terms.symbol, terms.side, terms.stop or 0, at)
        if due is not None:
            self.records.timers.at(due, self._trigger, order, terms)

    def follow(self, order: Order, at: int) -> None:
        """Bring a watched trailing stop's high-water mark up to date."""
        if order.high_water is not None and order.is_working and not order.is_triggered:
            terms = order.terms
            order.high_water = self.venue.high_water(terms.symbol, terms.side, order.high_water, order.watched_at, at)
            order.watched_at = at

    def fill(self, fill: Fill) -> None:
        """Record an execution and its effects on the order's family."""
        order = self.records.account.orders.by_id[fill.order_id]
        for quantity in self.races.pieces(order, fill.quantity):
            self.records.execute(order, replace(fill, quantity=quantity))
        if not order.is_open:
            order.in_book = False
            self.families.filled(order, fill.at)

    def force(self, order: Order, quantity: int, at: int) -> None:
        """Execute part of a resting order at its own price, whatever the market, and take the rest out of the book."""
        if self.leave(order, at):
            price = order.terms.limit or self.venue.price(order.terms.symbol, at)
            self.fill(Fill(order.id, at, price, quantity))

    def finish(self, order: Order, status: Status, at: int, reason: str = "") -> bool:
        """End an order and its family. Returns False if an execution completed the order first."""
        if not self.retire(order, status, at, reason):
            return False
        self.families.ended(order, status, at)
        return True

    def retire(self, order: Order, status: Status, at: int, reason: str = "") -> bool:
        """End an order, but not its family. Returns False if an execution completed the order first."""
        if not self.leave(order, at):
            return False
        self.records.end(order, status, at, reason)
        return True

    def leave(self, order: Order, at: int) -> bool:
        """Take an order out of the book. Returns False if an execution completed it first."""
        if order.in_book:
            for fill in self.venue.run(order.terms.symbol, at):
                self.fill(fill)
        if order.in_book:
            self.venue.remove(order.terms.symbol, order.id, at)
            order.in_book = False
        return order.is_open

    def _enter(self, order: Order, at: int) -> None:
        terms = order.terms
        if not self._prepare(order, at):
            return
        limit = terms.limit if terms.has_limit else self._market_limit(order)
        order.in_book = True
        book = BookOrder(order.id, terms.side, limit, order.remaining, displayed=terms.has_limit)
        for fill in self.venue.enter(terms.symbol, book, at):
            self.fill(fill)
        if terms.time_in_force in _AT_ONCE and order.is_open:
            self.finish(order, Status.CANCELED, at)

    def _prepare(self, order: Order, at: int) -> bool:
        """Apply the rules that depend on the current quote. Returns False if they end the order."""
        terms = order.terms
        if terms.has_limit and terms.notional is None and terms.time_in_force != "fok":
            return True
        price, shares = self._far_side(terms, at)
        if not price and not terms.has_limit and self.records.quirks.market_without_quote == "rejected":
            self.finish(order, Status.REJECTED, at, "no market for the asset")
            return False
        if terms.notional is not None and not terms.has_limit and price:
            self._resize(order, price, at)
        if terms.time_in_force == "fok" and not _is_whole(order, price, shares):
            self.finish(order, Status.CANCELED, at)
            return False
        return True

    def _is_in_hours(self, order: Order, at: int) -> bool:
        if order.terms.time_in_force in _AUCTIONS:
            return True
        return starts_at(order.terms, self.hours, at) <= at

    def _far_side(self, terms: Terms, at: int) -> tuple[int, int]:
        quote = self.venue.quote(terms.symbol, at)
        if quote is None:
            return 0, 0
        return (quote.ask, quote.ask_size) if terms.side == BUY else (quote.bid, quote.bid_size)

    def _resize(self, order: Order, price: int, at: int) -> None:
        # A notional market order is sized at the current price, which may have moved since the order was accepted.
        quantity = quantity_for(order.terms.notional or 0, price)
        order.quantity = min(quantity, order.held_shares) if order.is_closing else quantity
        order.reserve_price = price
        self.records.hold(order, at)

    @staticmethod
    def _market_limit(order: Order) -> int | None:
        return order.reserve_price if order.terms.side == BUY and not order.is_closing else None

    def _trigger(self, at: int, order: Order, terms: Terms) -> None:
        is_due = order.is_open and order.is_working and not order.is_triggered and not order.is_aside
        if not is_due or order.terms is not terms or not self._is_in_hours(order, at):
            return
        self.follow(order, at)
        order.is_triggered = True
        self.families.triggered(order, at)
        if order.status is Status.HELD:
            self.records.move(order, Status.NEW, at)
            self.records.hold(order, at)
        self._enter(order, at)


def _is_whole(order: Order, price: int, shares: int) -> bool:
    limit = order.terms.limit
    is_marketable = price > 0 and (limit is None or (limit - price) * order.terms.side >= 0)
    return is_marketable and order.remaining <= shares * QTY_SCALE
