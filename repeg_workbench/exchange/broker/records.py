"""Records order statuses, holds and executions in the account's books and notifies the listeners."""

from collections.abc import Callable
from dataclasses import dataclass

from repeg_workbench.exchange.broker.account import Account
from repeg_workbench.exchange.broker.ledger import USD, Execution, OrderEvent
from repeg_workbench.exchange.broker.orders import Order, Status
from repeg_workbench.exchange.broker_quirks import BrokerQuirks
from repeg_workbench.exchange.matching.symbol_book import Fill
from repeg_workbench.exchange.seeds import Draws
from repeg_workbench.exchange.time.timers import Timers

Listener = Callable[[OrderEvent, Order, Execution | None], None]


@dataclass
class Records:
    """The only writer of order statuses, ledger and portfolio. `at` is the present time and never decreases."""

    account: Account
    timers: Timers
    quirks: BrokerQuirks
    draws: Draws

    def __post_init__(self) -> None:
        self.listeners: list[Listener] = []

    def add(self, order: Order, at: int) -> None:
        """Add a new order and its hold."""
        self.account.orders.add(order)
        self.record_event(order, order.status, at)
        self.hold(order, at)

    def move(self, order: Order, status: Status, at: int, reason: str = "") -> None:
        """Change an order's status and notify."""
        order.move(status, at)
        if not order.is_open:
            self.account.orders.close(order)
        self.record_event(order, status, at, reason)

    def end(self, order: Order, status: Status, at: int, reason: str = "") -> None:
        """End an order without further execution; its holds are released after the release delay."""
        order.stamp_end(status, at)
        order.is_working = False
        self.move(order, status, at, reason)
        self._release_later(order, at)

    def execute(self, order: Order, fill: Fill) -> None:
        """Book an execution and the resulting status."""
        order.executed += fill.quantity
        order.executed_value += fill.quantity * fill.price
        is_done = order.remaining == 0
        if is_done or self.quirks.partial_filled_at == "last_fill":
            order.filled_at = fill.at
        if is_done:
            order.move(Status.FILLED, fill.at)
            self.account.orders.close(order)
        elif not order.status.startswith("pending"):
            order.move(Status.PARTIALLY_FILLED, fill.at)
        order.updated_at = fill.at
        execution = self._execution(order, fill)
        self.account.ledger.execute(execution)
        self.account.portfolio.apply(order.terms.symbol, order.terms.side * fill.quantity, fill.price)
        self.hold(order, fill.at)
        self.record_event(order, "fill" if is_done else "partial_fill", fill.at, execution=execution)

    def record_event(
        self, order: Order, event: str, at: int, reason: str = "", execution: Execution | None = None
    ) -> None:
        """Append an order event to the ledger and notify the listeners."""
        terms = order.terms
        happened = OrderEvent(
            at,
            order.id,
            order.client_order_id,
            terms.symbol,
            terms.side,
            event,
            order.status,
            order.quantity,
            order.executed,
            terms.limit,
            reason,
            "" if order.replaces is None else order.replaces.id,
            terms.time_in_force,
            terms.extended_hours,
        )
        self.account.ledger.events.append(happened)
        for listener in self.listeners:
            listener(happened, order, execution)

    def hold(self, order: Order, at: int) -> None:
        """Hold what the order's remainder needs: shares if it closes a position, money if it opens one."""
        if not order.is_open or order.status is Status.HELD:
            self.set_hold(order, 0, 0, at)
        elif order.is_closing:
            self.set_hold(order, 0, order.remaining, at)
        else:
            self.set_hold(order, order.reserve_price * order.remaining, 0, at)

    def set_hold(self, order: Order, cash: int, shares: int, at: int) -> None:
        """Set the money (money units) and shares (quantity units) held for an order."""
        ledger = self.account.ledger
        if cash != order.held_cash:
            ledger.hold(at, order.id, USD, cash - order.held_cash)
            order.held_cash = cash
        if shares != order.held_shares:
            ledger.hold(at, order.id, order.terms.symbol, shares - order.held_shares)
            order.held_shares = shares

    def _release_later(self, order: Order, at: int) -> None:
        if not (order.held_cash or order.held_shares):
            return
        delay = self.draws.delay(self.quirks.release_delay)
        if delay == 0:
            self.set_hold(order, 0, 0, at)
        else:
            self.timers.at(at + delay, self._release, order)

    def _release(self, at: int, order: Order) -> None:
        self.set_hold(order, 0, 0, at)

    def _execution(self, order: Order, fill: Fill) -> Execution:
        terms = order.terms
        return Execution(
            fill.at,
            self.draws.uuid(),
            order.id,
            order.client_order_id,
            terms.symbol,
            terms.side,
            fill.quantity,
            fill.price,
            order.total_executed,
            order.remaining,
            order.status,
            terms.limit,
        )
