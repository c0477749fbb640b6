"""Our orders on one side of a symbol's book, and their executions against the tape."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from repeg_workbench.exchange.market.symbol_day import Int64s
from repeg_workbench.exchange.matching.fill_rules import FillRule, Resting
from repeg_workbench.exchange.matching.improvement import Improvement, MetBook
from repeg_workbench.exchange.matching.tape import ABSENT, Outlook, Scan, Tape, shares
from repeg_workbench.exchange.units import tick_at, whole_shares


class Execution(NamedTuple):
    """A fill without its time: price in price units, quantity in QTY units."""

    order_id: str
    price: int
    quantity: int


class Level(NamedTuple):
    """A displayed price, times the viewing side, and its whole shares."""

    price: int
    size: int


@dataclass(slots=True)
class Taken:
    """The quantity we took from the displayed far side, in QTY units, as of a quote row.

    The tape does not contain our trades, so it still displays these shares. They count as gone until the price changes,
    and any decrease of the displayed size at that price is attributed to them: no displayed share trades with us twice.
    """

    quantity: int = 0
    row: int = 0

    def still(self, outlook: Outlook, row: int) -> int:
        """How much of it the tape still displays at a later row."""
        if not self.quantity or outlook.far_run.item(row) != outlook.far_run.item(self.row):
            return 0
        gone = outlook.far_shrunk.item(row) - outlook.far_shrunk.item(self.row)
        return max(0, self.quantity - shares(gone))

    def add(self, outlook: Outlook, row: int, quantity: int) -> None:
        """Take more at this row."""
        self.quantity, self.row = self.still(outlook, row) + quantity, row


class BookSide:
    """One side's orders in price-time priority. All prices in this class are multiplied by the side."""

    def __init__(self, tape: Tape, side: int, rule: FillRule, improvement: Improvement | None = None) -> None:
        self._tape, self._side, self._rule, self._improvement = tape, side, rule, improvement
        self._taken = Taken()
        self._rows: Scan | None = None
        self._prints: Scan | None = None
        self.orders: list[Resting] = []

    @cached_property
    def outlook(self) -> Outlook:
        """The tape from this side's point of view; built for the first order."""
        return self._tape.outlook(self._side)

    @cached_property
    def _far_reach(self) -> Int64s:
        return self._rule.far_reach(self.outlook)

    @cached_property
    def _print_reach(self) -> Int64s:
        return self._rule.print_reach(self.outlook)

    def enter(self, order: Resting, row: int) -> Iterator[Execution]:
        """Execute the marketable part under this quote row (-1 for none yet) and rest the remainder."""
        if row >= 0 and self.outlook.far.item(row) <= order.level and self.outlook.far.item(row) != ABSENT:
            yield from self._take(order, row)
        if not order.remaining:
            return
        if not order.is_market:
            self._rule.join(order, self.outlook, row)
        self.orders.append(order)
        self.orders.sort(key=lambda resting: -resting.level)

    def remove(self, order: Resting) -> None:
        """Remove an order."""
        self.orders.remove(order)

    def next_event(self, row: int, index: int) -> tuple[int, int]:
        """The next quote row and lit print, from these on, that could affect our orders; past the end for none."""
        level = self.orders[0].level
        if level == ABSENT:
            return self._row_reaching(ABSENT - 1, row), self._print_reaching(self._best_limit(), index)
        return self._row_reaching(level, row), self._print_reaching(level, index)

    def meet_quote(self, row: int) -> Iterator[Execution]:
        """Apply a quote row: its far side trades with every order it reaches, at the order's limit."""
        near, far = self.outlook.near.item(row), self.outlook.far.item(row)
        for order in self._reached(far):
            if order.is_market:
                yield from self._take(order, row)
            elif self._rule.is_met_by_quote(order, near, far):
                yield from self._cross(order, row, far)
        self._drop_done()

    def meet_print(self, index: int, left: int) -> Iterator[Execution]:
        """Apply a lit print with `left` of its volume unallocated: our orders share it by price, then time."""
        for order in self._reached(self.outlook.print_price.item(index)):
            if order.is_market or not left:
                continue
            volume = self._rule.volume_for(order, self.outlook, self._tape, index, left)
            quantity = min(order.remaining, volume)
            if quantity:
                left -= quantity
                yield self._execute(order, order.level, quantity)
        self._drop_done()

    def own_best(self) -> Level | None:
        """Our best displayed price and our whole shares there; None if we display none."""
        best, size = None, 0
        for order in self.orders:  # the best first
            if order.is_shown:
                if best is None:
                    best = order.level
                elif order.level != best:
                    break
                size += whole_shares(order.remaining)
        return None if best is None else Level(best, size)

    def far_left(self, row: int) -> Level:
        """The far side without the size we took; the next level if we took all of it."""
        far, size = self.outlook.far.item(row), self.outlook.far_size.item(row)
        still = self._taken.still(self.outlook, row) if self._taken.quantity else 0
        left = whole_shares(shares(size) - still)
        if not still or left > 0:
            return Level(far, left)
        own = self.own_best()
        behind = self.outlook.next_level(row)
        return Level(behind if own is None else max(behind, own.price + tick_at(abs(own.price))), size)

    def has_taken(self) -> bool:
        """Whether we may have taken from the present far side."""
        return self._taken.quantity > 0

    def _row_reaching(self, level: int, start: int) -> int:
        if self._rows is None or self._rows.level != level:
            self._rows = Scan(self._far_reach, level, start)
        return self._rows.first(start)

    def _print_reaching(self, level: int, start: int) -> int:
        if self._prints is None or self._prints.level != level:
            self._prints = Scan(self._print_reach, level, start)
        return self._prints.first(start)

    def _best_limit(self) -> int:
        return next((order.level for order in self.orders if not order.is_market), -2 * ABSENT)

    def _reached(self, price: int) -> list[Resting]:
        return [order for order in self.orders if price <= order.level and price != ABSENT]

    def _take(self, order: Resting, row: int) -> Iterator[Execution]:
        if not self._rule.sizes_count:
            yield self._execute(order, self._improved(order, row), order.remaining)
            return
        quantity = min(order.remaining, self._displayed_far(row))
        if quantity:
            level = self._improved(order, row)
            self._taken.add(self.outlook, row, quantity)
            yield self._execute(order, level, quantity)
        behind = self.outlook.next_level(row)
        if order.remaining and behind <= order.level:
            yield self._execute(order, behind, order.remaining)

    def _cross(self, order: Resting, row: int, far: int) -> Iterator[Execution]:
        if not self._rule.sizes_count:
            yield self._execute(order, far, order.remaining)
            return
        quantity = min(order.remaining, self._displayed_far(row))
        if quantity:
            self._taken.add(self.outlook, row, quantity)
            yield self._execute(order, order.level, quantity)

    def _improved(self, order: Resting, row: int) -> int:
        """The far side, better by what a wholesaler gives an order that takes from it."""
        sees, far = self.outlook, self.outlook.far.item(row)
        if self._improvement is None or sees.near.item(row) == -ABSENT:
            return far
        touch = MetBook(sees.near.item(row), sees.near_size.item(row), far, sees.far_size.item(row))
        return far - self._improvement.of(order.id, order.remaining, touch)

    def _displayed_far(self, row: int) -> int:
        return max(0, shares(self.outlook.far_size.item(row)) - self._taken.still(self.outlook, row))

    def _execute(self, order: Resting, level: int, quantity: int) -> Execution:
        order.remaining -= quantity
        return Execution(order.id, level * self._side, quantity)

    def _drop_done(self) -> None:
        if not all(order.remaining for order in self.orders):
            self.orders = [order for order in self.orders if order.remaining]
