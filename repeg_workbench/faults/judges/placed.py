"""The first judge's picture of the orders at the broker, built from the ledger's events alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import takewhile

from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.faults.judges.record import SECOND, DayRecord, JudgedRun

PRICE, QTY = Decimal("0.0001"), Decimal("1e-9")
# The last two end an order for the day: it has been filled, or is not worked any more.
ENDED = frozenset({"filled", "canceled", "expired", "rejected", "replaced", "done_for_day", "calculated"})


# The network has held a request up that arrives so long after it was sent.
HELD_UP = 10 * SECOND


@dataclass
class Placed:
    """One order at the broker. `is_owners`: made of one of ours by the account's owner, who moved it."""

    arrival: OrderEvent
    quantity: int
    before: Placed | None
    is_owners: bool
    status: str = ""
    ended: int = -1
    executed: int = 0
    paid: int = 0

    @property
    def is_open(self) -> bool:
        """Whether it may still execute."""
        return self.ended < 0

    @property
    def chain_executed(self) -> int:
        """Quantity units executed by the replace chain up to and including this order."""
        return self.executed + (self.before.chain_executed if self.before is not None else 0)

    @property
    def remaining(self) -> int:
        """Quantity units that it may still execute; its predecessors' executions count against its quantity."""
        return max(self.quantity - self.chain_executed, 0) if self.is_open else 0

    @property
    def cost(self) -> Decimal:
        """Dollars that it holds in a budget: at its limit what it has filled and may fill, a market order its fills."""
        if self.arrival.limit is None:
            return self.paid * PRICE * QTY
        return (self.executed + self.remaining) * QTY * self.arrival.limit * PRICE


@dataclass
class Parent:
    """One line of a run's plan: its orders at the broker, oldest first."""

    run: JudgedRun
    symbol: str
    orders: list[Placed] = field(default_factory=list)

    @property
    def attempts(self) -> int:
        """Orders that arrived since one was executed, in full or in part."""
        unfilled = list(takewhile(lambda order: not order.executed, reversed(self.orders)))
        return sum(not order.is_owners for order in unfilled)

    @property
    def executed(self) -> int:
        """Quantity units executed by all its orders."""
        return sum(order.executed for order in self.orders)

    @property
    def working(self) -> list[list[Placed]]:
        """The open orders, grouped by replace chain: a chain executes its quantity once."""
        chains: dict[int, list[Placed]] = {}
        for order in self.orders:
            if order.is_open:
                first = order
                while first.before is not None and first.before.is_open:
                    first = first.before
                chains.setdefault(id(first), []).append(order)
        return list(chains.values())

    @property
    def exposure(self) -> int:
        """Quantity units executed, and still to execute at most. Once the owner has moved an order, only those of our
        own orders count, because the owner may enlarge one; a move that the broker rejects changes nothing."""
        is_moved = any(order.is_owners and order.status != "rejected" for order in self.orders)
        executed = sum(order.executed for order in self.orders if not (is_moved and order.is_owners))
        chains = ([o.remaining for o in chain if not (is_moved and o.is_owners)] for chain in self.working)
        return executed + sum(max(chain, default=0) for chain in chains)

    @property
    def cost(self) -> Decimal:
        """Dollars that the line holds in the budgets; an order and its replacement count once, at the dearer one."""
        closed = sum((order.cost for order in self.orders if not order.is_open), Decimal(0))
        return closed + sum((max(order.cost for order in chain) for chain in self.working), Decimal(0))


def due_once_found(record: DayRecord, orders: Iterable[Placed], since: int, due: int, within: int) -> int:
    """A time limit for the end of orders, one of which the broker may not have found or not have had meanwhile.

    Nothing can be done with such an order. So the limit is `within` after the broker found it again, or after a request
    that the network held up arrived, or after the session's close, when day orders are over, whichever comes first.
    """
    placed = list(orders)
    ids = {order.arrival.order_id for order in placed}
    names = {order.arrival.client_order_id for order in placed}
    for sent in record.sent:
        if sent.client_order_id in names and sent.at + HELD_UP < sent.arrived and since <= sent.arrived <= due:
            due = max(due, min(sent.arrived, record.session_close) + within)
    for unfound in record.unfound:
        until = record.session_close if unfound.until < 0 else min(unfound.until, record.session_close)
        if unfound.order_id in ids and unfound.since <= due and until >= since:
            due = max(due, until + within)
    return due


class Orders:
    """The runs' orders by the broker's id, and the lines of their plans, as the ledger's events have made them."""

    def __init__(self, runs: list[JudgedRun]) -> None:
        self._runs = {run.prefix: run for run in runs}
        self.by_id: dict[str, Placed] = {}
        self.parents: dict[tuple[str, str], Parent] = {}
        self._parent_of: dict[str, Parent] = {}

    def run_of(self, client_order_id: str) -> JudgedRun | None:
        """The run that an id names; its prefix ends at the first dot."""
        return self._runs.get(client_order_id.partition(".")[0] + ".")

    def parent_of(self, order_id: str) -> Parent | None:
        """The line that an order belongs to; None if no run sent the order and it replaces none of a run."""
        return self._parent_of.get(order_id)

    def apply(self, event: OrderEvent, execution: Execution | None) -> bool:
        """Take an event in, with its execution if it is a fill; returns whether the order has just arrived."""
        is_new = event.order_id not in self._parent_of and self._adopt(event)
        order = self.by_id.get(event.order_id)
        if order is None:
            return False
        order.status = event.status
        if execution is not None:
            order.executed += execution.quantity
            order.paid += execution.quantity * execution.price
        if event.status in ENDED and order.is_open:
            order.ended = event.at
        return is_new

    def _adopt(self, event: OrderEvent) -> bool:
        before = self.by_id.get(event.replaces)
        run = self.run_of(event.client_order_id)
        if run is not None:
            parent = self.parents.setdefault((run.run_id, event.symbol), Parent(run, event.symbol))
        elif before is not None:
            parent = self._parent_of[event.replaces]
        else:
            return False
        placed = Placed(event, event.quantity or 0, before, is_owners=run is None)
        self.by_id[event.order_id] = placed
        self._parent_of[event.order_id] = parent
        parent.orders.append(placed)
        return True


def number_of(client_order_id: str) -> int:
    """Which order of its line an id is of; 0 for an id that its owner gave."""
    ending = client_order_id.rpartition(".")[2]
    return int(ending) if ending.isdigit() else 0
