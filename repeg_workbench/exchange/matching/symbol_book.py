"""Matches our orders against one symbol's day, under one of the four fill models."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from repeg_workbench.exchange.market.symbol_day import Int64s, SymbolDay
from repeg_workbench.exchange.matching.display import BookQuote, letter, row_quote, with_ours
from repeg_workbench.exchange.matching.fill_rules import FillModel, Resting, rule_of
from repeg_workbench.exchange.matching.improvement import Improvement
from repeg_workbench.exchange.matching.side import BookSide, Execution
from repeg_workbench.exchange.matching.tape import ABSENT, shares, tape_of

__all__ = ["BookOrder", "BookQuote", "Fill", "FillModel", "SymbolBook"]


_NEVER: Final = 1 << 63


@dataclass(slots=True)
class BookOrder:
    """An order of ours: side +1 buys, -1 sells; no limit means a market order; remaining in QTY units.

    The displayed quote includes only displayed orders of at least one whole share.
    """

    id: str
    side: int
    limit: int | None
    remaining: int
    displayed: bool = True


@dataclass(frozen=True, slots=True)
class Fill:
    """One execution of our orders: time (ns), price (price units) and quantity (QTY units)."""

    order_id: str
    at: int
    price: int
    quantity: int


class SymbolBook:
    """One symbol on one day, with our orders in it.

    Our orders do not change the tape, but no print and no displayed size is sold to us twice. A marketable order takes
    the displayed size at the far side, or better by its improvement, and the rest one level worse, within its limit;
    the remainder rests. A market order without a far side rests until there is one. An order that arrives during a halt
    enters with the first quote after it.

    Time only moves forward: every call is at or after all earlier ones. Executions and their times do not depend on
    how often the book is called.
    """

    def __init__(
        self,
        day: SymbolDay,
        model: FillModel = FillModel.QUEUE,
        *,
        order_protection: bool = True,
        improvement: Improvement | None = None,
    ) -> None:
        self._tape = tape_of(day)
        rule = rule_of(model, order_protection=order_protection)
        self._sides = {side: BookSide(self._tape, side, rule, improvement) for side in (1, -1)}
        self._orders: dict[str, tuple[BookOrder, Resting]] = {}
        self._waiting: list[str] = []
        self._seen: set[str] = set()
        self._fills: list[Fill] = []
        self._now = self._changed = -_NEVER
        self._next_row = self._next_print = 0
        self._quiet_until = _NEVER

    @property
    def resting(self) -> int:
        """How many orders are in the book or waiting for the end of a halt."""
        return len(self._orders)

    @property
    def has_had_orders(self) -> bool:
        """Whether an order of ours has ever been in the book; without one it can be opened again at any time."""
        return bool(self._seen)

    @property
    def quiet_until(self) -> int:
        """The earliest instant (ns) at which anything can happen to our present orders."""
        return self._quiet_until

    def enter(self, order: BookOrder, at: int) -> list[Fill]:
        """Enter an order; the marketable part executes at once, the rest queues.

        Returns all executions since the last call that returned any. Raises ValueError for an invalid order or a past
        time.
        """
        self._check(order)
        self._run(at)
        level = ABSENT if order.limit is None else order.limit * order.side
        self._orders[order.id] = order, Resting(order.id, level, order.remaining, order.displayed, -1)
        self._seen.add(order.id)
        self._next_row, self._next_print = self._tape.row_at(at) + 1, self._tape.prints_until(at)
        if self._tape.is_halted(at):
            self._waiting.append(order.id)
        else:
            self._place(order.id, self._next_row - 1, at)
        self._look_ahead()
        return self._take_fills()

    def remove(self, order_id: str, at: int) -> int:
        """Remove an order and return its remaining quantity, 0 if it is complete. Raises KeyError for an unknown order.

        The next call of enter or advance returns the executions until then.
        """
        if order_id not in self._seen:
            raise KeyError(order_id)
        self._run(at)
        if order_id not in self._orders:
            return 0
        order, resting = self._orders.pop(order_id)
        if order_id in self._waiting:
            self._waiting.remove(order_id)
        else:
            self._mark_display(order.side, resting, at)
            self._sides[order.side].remove(resting)
        self._look_ahead()
        return order.remaining

    def advance(self, to: int) -> list[Fill]:
        """Run the market until `to`; returns the executions since the last call, in time order."""
        self._run(to)
        return self._take_fills()

    def quote(self, at: int, *, include_ours: bool = True) -> BookQuote | None:
        """The displayed book: the latest quote, whatever its age. None before the first.

        With our orders, this runs the book to that instant; a better price of ours is the best, sizes at the same price
        add up, and the size we took is gone. Without them it is the tape's row, at any instant.
        """
        if include_ours:
            self._run(at)
        row = self._tape.row_at(at)
        if row < 0:
            return None
        recorded = row_quote(self._tape.quotes, row)
        return with_ours(recorded, row, self._sides, self._changed) if include_ours else recorded

    def last_trade(self, at: int) -> tuple[int, int, int, str] | None:
        """The tape's last print by that instant, off-exchange ones included: ts, price, size, venue."""
        trades = self._tape.trades
        index = int(trades.ts.searchsorted(at, side="right")) - 1
        if index < 0:
            return None
        venue = letter(trades.venue.item(index))
        return trades.ts.item(index), trades.price.item(index), trades.size.item(index), venue

    def _check(self, order: BookOrder) -> None:
        if order.id in self._orders:
            raise ValueError(f"order {order.id} is already in the book")
        if order.side not in (1, -1):
            raise ValueError(f"order {order.id} has side {order.side}, not +1 or -1")
        if order.remaining <= 0:
            raise ValueError(f"order {order.id} has nothing to execute: {order.remaining}")
        if order.limit is not None and order.limit <= 0:
            raise ValueError(f"order {order.id} has limit {order.limit}, not above 0")

    def _run(self, to: int) -> None:
        if to < self._now:
            raise ValueError(f"the book stands at {self._now} and cannot go back to {to}")
        while self._quiet_until <= to:
            self._step()
            self._look_ahead()
        self._now = to

    def _step(self) -> None:
        row, index = self._next_row, self._next_print
        if self._is_print_next(row, index):
            self._next_print += 1
            self._meet_print(index)
            return
        self._next_row += 1
        at = self._tape.quotes.ts.item(row)
        for side in self._sides.values():
            if side.orders:
                self._book(side.meet_quote(row), at)
        self._release(row, at)

    def _meet_print(self, index: int) -> None:
        left, at = shares(self._tape.prints.size.item(index)), self._tape.prints.ts.item(index)
        for side in self._sides.values():
            if side.orders:
                left -= self._book(side.meet_print(index, left), at)

    def _release(self, row: int, at: int) -> None:
        # The tape has no rows during a halt, so the next row is the first after it.
        if not self._waiting:
            return
        self._next_print = int(self._tape.row_before.searchsorted(row, side="left"))
        waiting, self._waiting = self._waiting, []
        for order_id in waiting:
            self._place(order_id, row, at)

    def _place(self, order_id: str, row: int, at: int) -> None:
        order, resting = self._orders[order_id]
        self._book(self._sides[order.side].enter(resting, row), at)
        self._mark_display(order.side, resting, at)

    def _look_ahead(self) -> None:
        row, index = len(self._tape.quotes), len(self._tape.prints)
        for side in self._sides.values():
            if side.orders:
                side_row, side_index = side.next_event(self._next_row, self._next_print)
                row, index = min(row, side_row), min(index, side_index)
        if self._waiting:
            row = min(row, self._next_row)
        self._next_row, self._next_print = row, index
        self._quiet_until = min(_at(self._tape.quotes.ts, row), _at(self._tape.prints.ts, index))

    def _is_print_next(self, row: int, index: int) -> bool:
        return index < len(self._tape.prints) and self._tape.row_before.item(index) < row

    def _book(self, executions: Iterable[Execution], at: int) -> int:
        total = 0
        for execution in executions:
            order, resting = self._orders[execution.order_id]
            order.remaining = resting.remaining
            total += execution.quantity
            self._fills.append(Fill(execution.order_id, at, execution.price, execution.quantity))
            self._changed = at
            if not resting.remaining:
                del self._orders[execution.order_id]
        return total

    def _take_fills(self) -> list[Fill]:
        fills, self._fills = self._fills, []
        return fills

    def _mark_display(self, side: int, resting: Resting, at: int) -> None:
        row = self._tape.row_at(at)
        at_the_top = row < 0 or resting.level >= self._tape.outlook(side).near.item(row)
        if resting.is_shown and at_the_top:
            self._changed = at


def _at(stamps: Int64s, index: int) -> int:
    return stamps.item(index) if index < len(stamps) else _NEVER
