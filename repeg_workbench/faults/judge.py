"""Checks the invariants of one run at every event of the broker's ledger, and its outcome once the day is over.

The judge does not trust the program's own records: targets come from the plan, fills from the ledger's executions. The
store is read for the intents that must precede orders, and at the end to compare it with the ledger.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from repeg.domain import tick
from repeg.domain.intent import Intent
from repeg.domain.order_ids import run_of
from repeg.domain.outcome import Outcome
from repeg.domain.parent_order import ParentOrder
from repeg.domain.session import TradingWindow
from repeg.domain.settings import Settings
from repeg_workbench.exchange.broker.ledger import Execution, OrderEvent
from repeg_workbench.exchange.broker.orders import TERMINAL, Order
from repeg_workbench.exchange.core import Exchange
from repeg_workbench.exchange.units import price, qty, to_qty
from repeg_workbench.faults.planned_runs import JudgedRun
from repeg_workbench.faults.records import Violation
from repeg_workbench.faults.watched_store import WatchedStore

MINUTE = 60_000_000_000
REQUESTS_PER_MINUTE = 200
# Budgets below Step Functions' limits of 262,144 bytes and 25,000 events.
PAYLOAD_BYTES, HISTORY_EVENTS = 8_192, 20_000

_OVER = frozenset(str(status) for status in TERMINAL)


@dataclass
class _Chain:
    """One parent order according to the ledger: executed shares and open orders."""

    filled: int = 0
    live: dict[str, Order] = field(default_factory=dict)

    @property
    def working(self) -> list[list[Order]]:
        """The open orders, grouped by replace chain: a chain executes its quantity once."""
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
    """Listens to an exchange's ledger and collects the violations of one run, in order."""

    def __init__(
        self, run: JudgedRun, exchange: Exchange, store: WatchedStore, settings: Settings, window: TradingWindow
    ) -> None:
        self.violations: list[Violation] = []
        self.exempt_from_window: set[str] = set()
        self.killed_since: int | None = None
        self.run, self._exchange, self._store = run, exchange, store
        self.settings, self._window = settings, window
        self._chains: defaultdict[str, _Chain] = defaultdict(_Chain)
        self._intents: dict[str, Intent] = {}
        self._foreign: dict[str, str] = {}
        self._requests: deque[int] = deque()
        self._sent: list[Order] = []
        exchange.records.listeners.append(self._on_event)

    def adopt_foreign(self, order_id: str) -> None:
        """Register an order of another owner, which the program must not touch."""
        self._foreign[order_id] = "open"

    def count_request(self, at: int) -> None:
        """Count a request to the trading API against the account's rate limit per sixty seconds."""
        self._requests.append(at)
        while self._requests[0] <= at - MINUTE:
            self._requests.popleft()
        self._check(len(self._requests) <= REQUESTS_PER_MINUTE, "too_many_requests", None, str(len(self._requests)))

    def check_payload(self, function: str, size: int) -> None:
        """Check the size of a handler's answer in bytes: it holds ids, counts and decisions, never the orders."""
        self._check(size <= PAYLOAD_BYTES, "payload_too_large", None, f"{size} of {function}")

    def check_histories(self, events: Iterable[int]) -> None:
        """Check the number of history events of each execution."""
        for count in events:
            self._check(count <= HISTORY_EVENTS, "history_too_long", None, str(count))

    def _on_event(self, event: OrderEvent, order: Order, execution: Execution | None) -> None:
        if event.order_id in self._foreign:
            self._check(event.event not in {"pending_cancel", "canceled", "replaced"}, "foreign_order_touched", event)
            return
        if not event.client_order_id.startswith(self.run.prefix):
            return
        chain = self._chains[event.symbol]
        if event.order_id not in chain.live and event.status not in _OVER and event.filled == 0:
            self._arrived(event, order, chain)
        chain.filled += execution.quantity if execution is not None else 0
        if event.status in _OVER:
            chain.live.pop(event.order_id, None)
        else:
            chain.live[event.order_id] = order
        self._check_totals(event, chain)
        if execution is not None:
            self._executed(event, execution)

    def _check_totals(self, event: OrderEvent, chain: _Chain) -> None:
        sign, wanted = self.run.targets.get(event.symbol, (0, Decimal(0)))
        total = chain.filled + chain.remaining
        self._check(event.side == sign, "wrong_side", event)
        self._check(qty(total) <= wanted, "more_than_target", event, f"{qty(total)} of {wanted}")
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
        is_plain = (order.terms.time_in_force, order.terms.extended_hours) == ("day", False)
        self._check(is_plain, "not_a_day_order", event, f"{order.terms.time_in_force}")
        self._in_time(event, intent)
        self._budgeted(event, order)
        self._priced(event, limit)
        return None

    def _budgeted(self, event: OrderEvent, order: Order) -> None:
        """Check the orders' cost at their limits: an open order counts in full, a closed one by its filled part."""
        self._sent.append(order)
        most, orders = self.settings.max_run_notional, self.settings.max_run_orders
        self._check(orders is None or len(self._sent) <= orders, "too_many_orders", event, str(len(self._sent)))
        if most is None or any(each.terms.limit is None for each in self._sent):
            return
        working = [orders for chain in self._chains.values() for orders in chain.working]
        # An order and its replacement share a quantity: the dearer counts.
        working = [o + [order] * (order.replaces in o) for o in working] + [[order]] * (order.replaces is None)
        ended = [each for each in self._sent if str(each.status) in _OVER]
        total = sum([max(map(_cost, o)) for o in working] + [_cost(each) for each in ended], Decimal(0))
        self._check(total <= most, "over_budget", event, f"{total} of {most}")

    def _in_time(self, event: OrderEvent, intent: Intent) -> None:
        written = self._store.written[intent.client_order_id]
        closing = self._store.closing.get(run_of(intent.client_order_id))
        if event.client_order_id not in self.exempt_from_window:
            at = event.at / 1e9
            inside = self._window.opens.timestamp() <= at < self._window.closes.timestamp()
            self._check(inside, "outside_window", event)
        for name, since in (("after_kill", self.killed_since), ("after_close", closing)):
            self._check(since is None or written <= since, name, event)

    def _priced(self, event: OrderEvent, limit: Decimal | None) -> None:
        if limit is None:
            own = self.settings.for_symbol(event.symbol)
            may = own.escalation == "market" or not own.use_smart_limit_execution
            return self._check(may, "market_order_not_allowed", event)
        step = tick.tick_at(limit, self.run.day, self.settings.for_symbol(event.symbol).tick_size)
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

    def at_the_end(self, published: Sequence[str] = ()) -> None:
        """Check the end of the day: no order open, an outcome for each order, records equal to the ledger.

        `published` are the ids of the run-ended events; consumers deduplicate by id.
        """
        live = {symbol: sorted(chain.live) for symbol, chain in self._chains.items() if chain.live}
        self._check(not live, "left_open", None, str(live))
        run_id = self.run.run_id
        run = self._store.run(run_id)
        if run is None:
            return self._check(not self._chains, "orders_without_run", None)
        self._check(run.report is not None, "no_report", None)
        self._check(len(set(published)) == 1, "not_published_once", None, str(published))
        orders = self._store.orders(run_id)
        nameless = [order.symbol for order in orders if order.outcome is None]
        self._check(not nameless, "no_outcome", None, str(nameless))
        self._books(run_id, orders)
        return None

    def _books(self, run_id: str, orders: list[ParentOrder]) -> None:
        prefix = self.run.prefix
        ours = [e for e in self._exchange.ledger.executions if e.client_order_id.startswith(prefix)]
        executed = sorted((e.symbol, qty(e.quantity), price(e.price)) for e in ours)
        booked = sorted((e.symbol, e.qty, e.price) for e in self._store.executions(run_id))
        self._check(executed == booked, "books_differ", None, f"ledger {executed} books {booked}")
        for order in orders:
            is_known = order.outcome is not Outcome.UNKNOWN
            matches = to_qty(order.filled) == self._chains[order.symbol].filled
            self._check(matches or not is_known, "filled_differs", None, f"{order.symbol} {order.filled}")
            is_full = self._chains[order.symbol].filled >= self._wanted(order)
            is_called_full = order.outcome in {Outcome.FILLED, Outcome.NO_TRADE}
            self._check(
                is_full == is_called_full or not is_known, "outcome_untrue", None, f"{order.symbol} {order.outcome}"
            )
        for intent in self._store.intents(run_id):
            seen = self._intents.get(intent.client_order_id, intent)
            self._check(seen == intent, "intent_changed", None, intent.client_order_id)

    def _wanted(self, order: ParentOrder) -> int:
        """Shares that fill an order: all but what is too small to be sent."""
        wanted = self.run.targets[order.symbol][1]
        is_dust = wanted % 1 * price(self._exchange.price(order.symbol)) < 1
        return to_qty(wanted // 1 if is_dust else wanted)

    def _intent(self, client_order_id: str) -> Intent | None:
        if client_order_id not in self._intents:
            run_id = run_of(client_order_id)
            self._intents.update({intent.client_order_id: intent for intent in self._store.intents(run_id)})
        return self._intents.get(client_order_id)

    def _parent(self, symbol: str) -> ParentOrder | None:
        return next((order for order in self._store.orders(self.run.run_id) if order.symbol == symbol), None)

    def _check(self, holds: bool, name: str, event: OrderEvent | None, seen: str = "") -> None:  # noqa: FBT001 - a claim
        if not holds:
            self.violations.append(Violation(name, f"{seen} {event or ''}".strip()))


def _cost(order: Order) -> Decimal:
    open_units = 0 if str(order.status) in _OVER else _remaining(order)
    return price(order.terms.limit or 0) * qty(order.executed + open_units)


def _remaining(order: Order) -> int:
    """The shares an order may still execute; its predecessors' executions count against its quantity."""
    before = order.replaces.total_executed if order.replaces is not None else 0
    return (order.quantity or 0) - before - order.executed
