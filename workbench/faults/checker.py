"""Holds the invariants against the broker's ledger, at every event of it, and the ends of runs against the store.

It believes nothing that the program says of itself: targets come from the plan, fills from the ledger's executions. The
store is read for one thing only, the intents that must have been written before an order arrived.
"""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field
from decimal import Decimal

from repeg import tick
from repeg.naming import OWN_PREFIX
from repeg.order import Intent, Outcome, ParentOrder
from repeg.ports import Store
from repeg.session import TradingWindow
from repeg.settings import Settings
from workbench.exchange.core import Exchange
from workbench.exchange.ledger import Execution, OrderEvent
from workbench.exchange.orders import TERMINAL, Order
from workbench.exchange.units import price, qty, to_qty
from workbench.faults.days import Day

MINUTE = 60_000_000_000
REQUESTS_PER_MINUTE = 200

_OVER = frozenset(str(status) for status in TERMINAL)


class Violation(AssertionError):
    """An invariant that did not hold: its name, and what was seen."""

    def __init__(self, name: str, story: str) -> None:
        self.name = name
        super().__init__(f"{name}: {story}")


@dataclass
class _Chain:
    """What the ledger says of one parent order: shares executed, and the orders that are open."""

    filled: int = 0
    live: dict[str, Order] = field(default_factory=dict)

    @property
    def working(self) -> list[list[Order]]:
        """The open orders, those that replace each other together: such a chain executes its quantity once."""
        chains: dict[str, list[Order]] = {}
        for order in self.live.values():
            first = order
            while first.replaces is not None and first.replaces.id in self.live:
                first = first.replaces
            chains.setdefault(first.id, []).append(order)
        return list(chains.values())

    @property
    def remaining(self) -> int:
        """Shares that may still execute."""
        return sum(max(_remaining(order) for order in orders) for orders in self.working)


class Checker:
    """Listens to an exchange's ledger. Violations are collected, the first one first."""

    def __init__(self, day: Day, exchange: Exchange, store: Store, settings: Settings, window: TradingWindow) -> None:
        self.violations: list[Violation] = []
        self.exempt_from_window: set[str] = set()
        self.closed_to_intents_since: int | None = None
        self.killed_since: int | None = None
        self._day, self._exchange, self._store = day, exchange, store
        self._settings, self._window = settings, window
        self._chains: defaultdict[str, _Chain] = defaultdict(_Chain)
        self._intents: dict[str, Intent] = {}
        self._foreign: dict[str, str] = {}
        self._requests: deque[int] = deque()
        exchange.records.listeners.append(self._hear)

    def adopt_foreign(self, order_id: str) -> None:
        """An order that is not ours: nobody of ours may touch it."""
        self._foreign[order_id] = "open"

    def count_request(self, at: int) -> None:
        """A request that left for the trading API; no sixty seconds may hold more than the account is allowed."""
        self._requests.append(at)
        while self._requests[0] <= at - MINUTE:
            self._requests.popleft()
        self._check(len(self._requests) <= REQUESTS_PER_MINUTE, "too_many_requests", None, str(len(self._requests)))

    def _hear(self, event: OrderEvent, order: Order, execution: Execution | None) -> None:
        if event.order_id in self._foreign:
            self._check(event.event not in {"pending_cancel", "canceled", "replaced"}, "foreign_order_touched", event)
            return
        if not event.client_order_id.startswith(OWN_PREFIX):
            return
        chain = self._chains[event.symbol]
        if event.order_id not in chain.live and event.status not in _OVER and event.filled == 0:
            self._arrived(event, order, chain)
        chain.filled += execution.quantity if execution is not None else 0
        if event.status in _OVER:
            chain.live.pop(event.order_id, None)
        else:
            chain.live[event.order_id] = order
        self._weigh(event, chain)
        if execution is not None:
            self._executed(event, execution)

    def _weigh(self, event: OrderEvent, chain: _Chain) -> None:
        sign, wanted = self._day.targets.get(event.symbol, (0, Decimal(0)))
        total = chain.filled + chain.remaining
        self._check(event.side == sign, "wrong_side", event)
        self._check(total <= to_qty(wanted), "more_than_target", event, f"{qty(total)} of {wanted}")
        self._check(len(chain.working) <= 1, "two_live_children", event, str(sorted(chain.live)))
        self._check(self._exchange.ledger.cash >= 0, "cash_negative", event, str(self._exchange.ledger.cash))
        self._check(self._exchange.ledger.position(event.symbol) >= 0, "short", event)

    def _arrived(self, event: OrderEvent, order: Order, chain: _Chain) -> None:
        others = sorted(set(chain.live) - ({order.replaces.id} if order.replaces is not None else set()))
        self._check(not others, "successor_before_end", event, str(others))
        intent = self._intent(event.client_order_id)
        if intent is None:
            return self._check(False, "no_intent", event)  # noqa: FBT003 - the claim that failed
        same = (intent.side.sign, to_qty(intent.qty)) == (event.side, event.quantity)
        limit = None if event.limit is None else price(event.limit)
        self._check(same and intent.limit == limit, "intent_differs", event, intent.model_dump_json())
        self._in_time(event, intent)
        self._priced(event, limit)
        return None

    def _in_time(self, event: OrderEvent, intent: Intent) -> None:
        decided = round(intent.decided_at.timestamp() * 1e9)
        if event.client_order_id not in self.exempt_from_window:
            at = event.at / 1e9
            inside = self._window.opens.timestamp() <= at < self._window.closes.timestamp()
            self._check(inside, "outside_window", event)
        for name, since in (("after_kill", self.killed_since), ("after_close", self.closed_to_intents_since)):
            self._check(since is None or decided <= since, name, event)

    def _priced(self, event: OrderEvent, limit: Decimal | None) -> None:
        if limit is None:
            may = self._settings.escalation == "market" or not self._settings.use_smart_limit_execution
            return self._check(may, "market_order_not_allowed", event)
        step = tick.tick_at(limit, self._day.day, self._settings.tick_size)
        self._check(limit % step == 0, "off_the_tick", event)
        order = self._parent(event.symbol)
        if order is None or order.collar is None:
            return self._check(False, "no_collar", event)  # noqa: FBT003 - the claim that failed
        self._check(order.side.sign * (limit - order.collar) <= 0, "past_the_collar", event, str(order.collar))
        return None

    def _executed(self, event: OrderEvent, execution: Execution) -> None:
        if execution.limit is not None:
            worse = execution.side * (execution.price - execution.limit)
            self._check(worse <= 0, "worse_than_limit", event)

    def at_the_end(self, run_id: str) -> None:
        """Once nothing moves any more: nothing of ours open, every order named, the books equal to the ledger's."""
        live = {symbol: sorted(chain.live) for symbol, chain in self._chains.items() if chain.live}
        self._check(not live, "left_open", None, str(live))
        run = self._store.run(run_id)
        if run is None:
            return self._check(not self._chains, "orders_without_run", None)
        self._check(run.report is not None, "no_report", None)
        orders = self._store.orders(run_id)
        nameless = [order.symbol for order in orders if order.outcome is None]
        self._check(not nameless, "no_outcome", None, str(nameless))
        self._books(run_id, orders)
        return None

    def _books(self, run_id: str, orders: list[ParentOrder]) -> None:
        ours = [e for e in self._exchange.ledger.executions if e.client_order_id.startswith(OWN_PREFIX)]
        told = sorted((e.symbol, qty(e.quantity), price(e.price)) for e in ours)
        booked = sorted((e.symbol, e.qty, e.price) for e in self._store.executions(run_id))
        self._check(told == booked, "books_differ", None, f"ledger {told} books {booked}")
        for order in orders:
            is_known = order.outcome is not Outcome.UNKNOWN
            matches = to_qty(order.filled) == self._chains[order.symbol].filled
            self._check(matches or not is_known, "filled_differs", None, f"{order.symbol} {order.filled}")
            is_full = self._chains[order.symbol].filled >= to_qty(self._day.targets[order.symbol][1])
            is_called_full = order.outcome is Outcome.FILLED
            self._check(
                is_full == is_called_full or not is_known, "outcome_untrue", None, f"{order.symbol} {order.outcome}"
            )
        for intent in self._store.intents(run_id):
            seen = self._intents.get(intent.client_order_id, intent)
            self._check(seen == intent, "intent_changed", None, intent.client_order_id)

    def _intent(self, client_order_id: str) -> Intent | None:
        if client_order_id not in self._intents:
            run_id = client_order_id.removeprefix(OWN_PREFIX).partition(".")[0]
            self._intents.update({intent.client_order_id: intent for intent in self._store.intents(run_id)})
        return self._intents.get(client_order_id)

    def _parent(self, symbol: str) -> ParentOrder | None:
        run_ids = {
            intent.client_order_id.removeprefix(OWN_PREFIX).partition(".")[0] for intent in self._intents.values()
        }
        orders = [order for run_id in sorted(run_ids) for order in self._store.orders(run_id)]
        return next((order for order in orders if order.symbol == symbol), None)

    def _check(self, holds: bool, name: str, event: OrderEvent | None, seen: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.violations.append(Violation(name, f"{seen} {event or ''}".strip()))


def _remaining(order: Order) -> int:
    """What an order may still execute, as it is now: what its predecessors executed is no longer there for it."""
    before = order.replaces.total_executed if order.replaces is not None else 0
    return (order.quantity or 0) - before - order.executed
