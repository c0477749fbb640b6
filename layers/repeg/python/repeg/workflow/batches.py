"""Placing in batches: as many orders at once as the account's quota has requests for, on quotes that are fresh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from repeg.domain.parent_order import ParentOrder
from repeg.domain.quote import Quote
from repeg.domain.time_limits import BATCH_QUOTES_AGE
from repeg.workflow.sellable import Holdings, read_holdings
from repeg.workflow.turn import Turn

Start = Callable[[ParentOrder, Quote | None], ParentOrder]

# Beside its orders a batch of sells reads the holdings.
READS_OF_A_BATCH = 1


@dataclass
class Placing:
    """The placing of one step: quotes and holdings as last read, the orders worked, and how many are left for a later
    step. `held` are the holdings while sells are placed.

    A request that waits for the quota would be decided on by quotes of before the wait. So the requests of a batch are
    taken first, then its quotes are read, then it is decided and sent.
    """

    turn: Turn
    quotes: dict[str, Quote]
    read_at: dict[str, datetime]
    held: Holdings | None = None
    worked: list[ParentOrder] = field(default_factory=list)
    left: int = 0

    @property
    def placed(self) -> int:
        """How many of the orders have a child."""
        return sum(order.open_child is not None for order in self.worked)

    def place(self, orders: Sequence[ParentOrder], start: Start) -> None:
        """Start these orders, batch by batch; those that there is no time or no request for are left."""
        rest = list(orders)
        while rest and (room := self._room(len(rest))) > 0:
            batch, rest = rest[:room], rest[room:]
            self.refresh(batch)
            self.worked += self.turn.each(lambda order: start(order, self.quotes.get(order.symbol)), batch)
        self.left += len(rest)

    def _room(self, orders: int) -> int:
        """How many orders the next batch may have; all of a preview, which sends none."""
        if self.turn.run.preview:
            return orders
        if not self.turn.is_in_window:
            return orders  # no later step could place them: each order says so
        if not self.turn.has_time_for_a_batch:
            return 0
        room = self.turn.ports.broker.make_room(orders + READS_OF_A_BATCH)
        return room - READS_OF_A_BATCH if room > orders or room > READS_OF_A_BATCH else room

    def refresh(self, orders: Sequence[ParentOrder]) -> None:
        """Read what these orders are decided on again if it has aged, as it does while requests are waited for: their
        quotes, and for sells the holdings, once for all of them."""
        now = self.turn.ports.runtime.now()
        if all(now - self.read_at[order.symbol] <= BATCH_QUOTES_AGE for order in orders):
            return
        self.held = None if self.held is None else read_holdings(self.turn)
        self.quotes |= self.turn.quotes(orders)
        self.read_at |= dict.fromkeys((order.symbol for order in orders), self.turn.ports.runtime.now())


def begin_placing(turn: Turn, orders: Sequence[ParentOrder]) -> Placing:
    """Begin to place these orders: their quotes are read together."""
    quotes = turn.quotes(orders)
    return Placing(turn, quotes, dict.fromkeys((order.symbol for order in orders), turn.ports.runtime.now()))
